//! Names to servers, as RFC 3263 has it: NAPTR, SRV, A and AAAA records, each look-up in a task.
//!
//! ```text
//!   request ─► plan ─► literal: the answer at once
//!                ├───► port or no service records: A and AAAA
//!                └───► NAPTR ─► SRV per transport ─► A and AAAA of every target
//!                         └ none: SRV per transport that we speak ─ none: A and AAAA
//!   answer ─► servers that lately did not answer go last ─► machine
//! ```
//!
//! Records are kept for their time to live, absent ones too, by the name client (`hickory`), which
//! also reads the hosts file and the system's list of name servers. Names under `.invalid` have no
//! address (RFC 6761, section 6.4); browsers put them into Contact and nobody may ever be asked for
//! them. Invariant: an answer names the domain that was asked for, never what a record pointed to
//! (RFC 5922, section 4).
//!
//! `plan.rs` decides what to ask, `service.rs` orders what comes back, `lookup.rs` asks,
//! `standing.rs` remembers domains and servers that failed.

mod lookup;
mod plan;
mod service;
mod standing;

use std::net::SocketAddr;
use std::sync::Arc;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, LookupIpStrategy, NameServerConfig, ProtocolConfig, ResolverConfig,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use sip::{DomainId, ResolveError, ResolveRequest, Target, Transport};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};
use tracing::warn;

use crate::listeners::Limits;
use lookup::Search;
use plan::Plan;
use standing::{Domains, Penalties};

pub(crate) type Resolved = Result<Vec<Target>, ResolveError>;

/// Records that are kept.
const CACHED_RECORDS: u64 = 4_096;

/// Who is asked for names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum NameServers {
    /// Those that the operating system names.
    #[default]
    System,
    /// These, in this order.
    At(Vec<SocketAddr>),
}

/// What we can send with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Abilities {
    pub(crate) udp_v4: bool,
    pub(crate) udp_v6: bool,
    pub(crate) tls: bool,
}

impl Abilities {
    /// Whether a request can be sent with `transport`. A WebSocket is only ever opened to us.
    pub(crate) fn can(self, transport: Transport) -> bool {
        match transport {
            Transport::Udp => self.udp_v4 || self.udp_v6,
            Transport::Tcp => true,
            Transport::Tls => self.tls,
            Transport::Ws | Transport::Wss => false,
        }
    }

    /// Leaves out what no socket of ours reaches. IPv4 first unless we only listen on IPv6: a name
    /// for this machine often has an IPv6 address that nobody listens on.
    fn choose(self, transport: Transport, mut found: Vec<SocketAddr>) -> Vec<SocketAddr> {
        found.retain(|address| match (transport, address) {
            (Transport::Udp, SocketAddr::V4(_)) => self.udp_v4,
            (Transport::Udp, SocketAddr::V6(_)) => self.udp_v6,
            _ => true,
        });
        let v6_first = self.udp_v6 && !self.udp_v4;
        found.sort_by_key(|address| address.is_ipv6() != v6_first);
        found.dedup();
        found
    }
}

/// Looks names up, a few at a time.
#[derive(Debug)]
pub(crate) struct Resolver {
    limits: Limits,
    abilities: Abilities,
    client: Option<TokioResolver>,
    permits: Arc<Semaphore>,
    domains: Domains,
    penalties: Penalties,
}

impl Resolver {
    pub(crate) fn new(limits: Limits, abilities: Abilities, servers: &NameServers) -> Self {
        Self {
            limits,
            abilities,
            client: client(servers),
            permits: Arc::new(Semaphore::new(limits.resolves)),
            domains: Domains::default(),
            penalties: Penalties::default(),
        }
    }

    /// The answer, if nobody needs to be asked for it.
    pub(crate) fn at_once(&self, request: &ResolveRequest) -> Option<Resolved> {
        match plan::plan(request, self.abilities) {
            Plan::Known(result) => Some(result),
            Plan::Ask(_) => None,
        }
    }

    /// A look-up to be waited for in a task of its own; `None` if too many are under way.
    pub(crate) fn begin(
        &mut self,
        request: &ResolveRequest,
    ) -> Option<impl Future<Output = Resolved> + Send + 'static> {
        let permit = Arc::clone(&self.permits).try_acquire_owned().ok()?;
        let host = request.host.to_string();
        let domain = self.domains.id(&host);
        let (client, abilities) = (self.client.clone(), self.abilities);
        let (plan, patience) = (plan::plan(request, abilities), self.limits.resolve);
        Some(async move {
            let _permit = permit;
            let questions = match plan {
                Plan::Known(result) => return result,
                Plan::Ask(questions) => questions,
            };
            let client = client.ok_or(ResolveError::Failed)?;
            let mut search = Search::new(client, abilities, host, domain);
            let asked = timeout(patience, search.run(questions)).await;
            match (search.into_found(), asked) {
                (found, _) if !found.is_empty() => Ok(found),
                (_, Ok(result)) => Err(result.err().unwrap_or(ResolveError::NotFound)),
                (_, Err(_)) => Err(ResolveError::Timeout),
            }
        })
    }

    /// `found` with the servers that lately did not answer at the end.
    pub(crate) fn in_order(&self, found: Vec<Target>) -> Vec<Target> {
        self.penalties.in_order(found, Instant::now())
    }

    /// A server did not answer: for a while others come first.
    pub(crate) fn handle_unreachable(&mut self, transport: Transport, peer: SocketAddr) {
        self.penalties.add(transport, peer, Instant::now());
    }

    /// The name that was asked for.
    pub(crate) fn domain(&self, id: DomainId) -> Option<&str> {
        self.domains.name(id)
    }
}

/// The name client; `None`, and every look-up fails, if the system says nothing usable.
fn client(servers: &NameServers) -> Option<TokioResolver> {
    let builder = match servers {
        NameServers::System => TokioResolver::builder_tokio().inspect_err(
            |error| warn!(%error, "no name servers: only literal addresses can be reached"),
        ),
        NameServers::At(addresses) => Ok(TokioResolver::builder_with_config(
            ResolverConfig::from_name_servers(addresses.iter().copied().map(server).collect()),
            TokioRuntimeProvider::default(),
        )),
    };
    let mut builder = builder.ok()?;
    let options = builder.options_mut();
    options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    options.cache_size = CACHED_RECORDS;
    options.timeout = lookup::PATIENCE / 2;
    options.attempts = 1;
    builder
        .build()
        .inspect_err(|error| warn!(%error, "names cannot be looked up"))
        .ok()
}

fn server(address: SocketAddr) -> NameServerConfig {
    let connection = |protocol| {
        let mut connection = ConnectionConfig::new(protocol);
        connection.port = address.port();
        connection
    };
    let connections = [ProtocolConfig::Udp, ProtocolConfig::Tcp].map(connection);
    NameServerConfig::new(address.ip(), true, connections.into())
}

#[cfg(test)]
mod tests;
