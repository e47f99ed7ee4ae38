//! Names to addresses: A and AAAA records through the operating system, each look-up in a task.
//!
//! An address literal is its own answer. Names under `.invalid` have none (RFC 6761, section 6.4);
//! browsers put them into Contact and nobody may ever be asked for them. SRV and NAPTR records
//! (RFC 3263) are not looked at yet.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use sip::{Host, ResolveError, ResolveRequest, Target, Transport};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::listeners::Limits;

pub(crate) type Resolved = Result<Vec<Target>, ResolveError>;

/// Which addresses are of use to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Families {
    pub(crate) udp_v4: bool,
    pub(crate) udp_v6: bool,
}

impl Families {
    fn have_udp(self) -> bool {
        self.udp_v4 || self.udp_v6
    }

    fn suit(self, transport: Transport, address: &SocketAddr) -> bool {
        match (transport, address) {
            (Transport::Udp, SocketAddr::V4(_)) => self.udp_v4,
            (Transport::Udp, SocketAddr::V6(_)) => self.udp_v6,
            _ => true,
        }
    }

    /// IPv4 first unless we only listen on IPv6: a name for this machine often has an IPv6
    /// address that nobody listens on.
    fn choose(self, transport: Transport, mut found: Vec<SocketAddr>) -> Resolved {
        found.retain(|address| self.suit(transport, address));
        let v6_first = self.udp_v6 && !self.udp_v4;
        found.sort_by_key(|address| address.is_ipv6() != v6_first);
        found.dedup();
        if found.is_empty() {
            return Err(ResolveError::NotFound);
        }
        Ok(found
            .into_iter()
            .map(|address| Target::new(transport, address))
            .collect())
    }
}

/// Looks names up, a few at a time.
#[derive(Debug)]
pub(crate) struct Resolver {
    limits: Limits,
    families: Families,
    permits: Arc<Semaphore>,
}

impl Resolver {
    pub(crate) fn new(limits: Limits, families: Families) -> Self {
        Self {
            limits,
            families,
            permits: Arc::new(Semaphore::new(limits.resolves)),
        }
    }

    /// The answer, if nobody needs to be asked for it.
    pub(crate) fn at_once(&self, request: &ResolveRequest) -> Option<Resolved> {
        match &request.host {
            Host::Name(name) if is_invalid(name) => Some(Err(ResolveError::NotFound)),
            Host::Name(_) => None,
            literal => literal.ip().map(|ip| {
                let (transport, port) = self.defaults(request);
                Ok(vec![Target::new(transport, SocketAddr::new(ip, port))])
            }),
        }
    }

    /// A look-up to be waited for in a task of its own; `None` if too many are under way.
    pub(crate) fn begin(
        &self,
        request: &ResolveRequest,
    ) -> Option<impl Future<Output = Resolved> + Send + 'static> {
        let permit = Arc::clone(&self.permits).try_acquire_owned().ok()?;
        let (transport, port) = self.defaults(request);
        let (families, patience) = (self.families, self.limits.resolve);
        let name = request.host.to_string();
        // The permit goes along: a look-up that nobody waits for any more still takes a thread.
        let ask = move || {
            let _permit = permit;
            (name.as_str(), port)
                .to_socket_addrs()
                .map(Iterator::collect::<Vec<_>>)
        };
        Some(async move {
            match timeout(patience, spawn_blocking(ask)).await {
                Ok(Ok(Ok(found))) => families.choose(transport, found),
                Ok(Ok(Err(error))) => Err(kind(&error)),
                Ok(Err(_)) => Err(ResolveError::Failed),
                Err(_) => Err(ResolveError::Timeout),
            }
        })
    }

    /// Transport and port where the request leaves them open (RFC 3263, sections 4.1 and 4.2).
    fn defaults(&self, request: &ResolveRequest) -> (Transport, u16) {
        let preferred = if self.families.have_udp() {
            Transport::Udp
        } else {
            Transport::Tcp
        };
        let transport = request.transport.unwrap_or(preferred);
        (transport, request.port.unwrap_or(transport.default_port()))
    }
}

fn is_invalid(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let last = name.rsplit('.').next().unwrap_or(name);
    last.eq_ignore_ascii_case("invalid")
}

/// The C library's text is all that the standard library passes on.
fn kind(error: &io::Error) -> ResolveError {
    if error.to_string().contains("Temporary failure") {
        ResolveError::Failed
    } else {
        ResolveError::NotFound
    }
}
