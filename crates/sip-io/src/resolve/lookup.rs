//! Asks the name servers what `plan.rs` wants to know.
//!
//! What is found is kept outside of the steps, so that a search that runs out of time still has
//! what it found before. A step whose question gets no answer is like one whose answer is empty:
//! some routers drop questions for NAPTR and SRV records, and the addresses may still be had.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use hickory_resolver::TokioResolver;
use hickory_resolver::net::NetError;
use hickory_resolver::proto::rr::{RData, RecordType};
use sip::{DomainId, ResolveError, Security, Target, Transport};
use tokio::time::timeout;
use tracing::debug;

use super::Abilities;
use super::plan::{NaptrUse, Questions};
use super::service::{self, Naptr, Srv};

/// How long one question may take.
pub(super) const PATIENCE: Duration = Duration::from_millis(1_500);

/// Servers of one service that are looked at.
const MAX_SERVERS: usize = 8;

/// Servers that are given back.
const MAX_TARGETS: usize = 16;

/// One search under way.
pub(super) struct Search {
    client: TokioResolver,
    abilities: Abilities,
    host: String,
    domain: Option<DomainId>,
    found: Vec<Target>,
}

impl Search {
    pub(super) fn new(
        client: TokioResolver,
        abilities: Abilities,
        host: String,
        domain: Option<DomainId>,
    ) -> Self {
        Self {
            client,
            abilities,
            host,
            domain,
            found: Vec::new(),
        }
    }

    pub(super) fn into_found(mut self) -> Vec<Target> {
        self.found.truncate(MAX_TARGETS);
        self.found
    }

    /// Runs to the end; what was found is in [`into_found`](Self::into_found).
    pub(super) async fn run(&mut self, questions: Questions) -> Result<(), ResolveError> {
        let security = match questions.services.as_slice() {
            [Transport::Tls] => Security::Tls,
            _ => Security::Any,
        };
        let services = match questions.naptr {
            NaptrUse::First => self.naptr(security).await,
            NaptrUse::Never => Vec::new(),
        };
        let services = if services.is_empty() {
            let named = |transport| (transport, service::srv_name(transport, &self.host));
            questions.services.into_iter().map(named).collect()
        } else {
            services
        };
        let known = self.servers(services).await;
        if known.is_empty() {
            let (transport, port) = questions.otherwise;
            let addresses = self.addresses(&self.host, port).await?;
            self.add(transport, addresses);
            return Ok(());
        }
        for (transport, server) in known {
            if self.found.len() >= MAX_TARGETS {
                break;
            }
            match self.addresses(&server.target, server.port).await {
                Ok(addresses) => self.add(transport, addresses),
                Err(error) => debug!(%error, "a server of the domain has no address"),
            }
        }
        Ok(())
    }

    fn add(&mut self, transport: Transport, addresses: Vec<SocketAddr>) {
        for peer in self.abilities.choose(transport, addresses) {
            let target = Target {
                transport,
                peer,
                domain: self.domain,
            };
            if !self.found.contains(&target) {
                self.found.push(target);
            }
        }
    }

    async fn naptr(&self, security: Security) -> Vec<(Transport, String)> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let records = self.records(&self.host, RecordType::NAPTR).await;
        let naptr = |data: RData| match data {
            RData::NAPTR(naptr) => Some(Naptr {
                order: naptr.order,
                preference: naptr.preference,
                flags: text(&naptr.flags),
                service: text(&naptr.services),
                regexp: text(&naptr.regexp),
                replacement: naptr.replacement.to_ascii(),
            }),
            _ => None,
        };
        let records = records.into_iter().filter_map(naptr).collect();
        service::services(records, security, self.abilities)
    }

    /// The servers of all `services`, service by service.
    async fn servers(&self, services: Vec<(Transport, String)>) -> Vec<(Transport, Srv)> {
        let ask = |(transport, name): (Transport, String)| async move {
            let srv = |data: RData| match data {
                RData::SRV(srv) => Some(Srv {
                    priority: srv.priority,
                    weight: srv.weight,
                    port: srv.port,
                    target: srv.target.to_ascii(),
                }),
                _ => None,
            };
            let records = self.records(&name, RecordType::SRV).await;
            let records = records.into_iter().filter_map(srv).collect();
            let ordered = service::in_order(records, |most| rand::random_range(0..=most));
            let of_service = ordered.into_iter().take(MAX_SERVERS);
            of_service.map(|server| (transport, server)).collect()
        };
        let found: Vec<Vec<_>> = join_all(services.into_iter().map(ask)).await;
        found.into_iter().flatten().collect()
    }

    /// Records of a service; none if there are none or nobody answers.
    async fn records(&self, name: &str, kind: RecordType) -> Vec<RData> {
        match timeout(PATIENCE, self.client.lookup(absolute(name), kind)).await {
            Ok(Ok(found)) => {
                let answers = found.answers().iter();
                answers.map(|record| record.data.clone()).collect()
            }
            Ok(Err(error)) if error.is_no_records_found() => Vec::new(),
            Ok(Err(error)) => {
                debug!(%error, %kind, "the name service failed");
                Vec::new()
            }
            Err(_) => {
                debug!(%kind, "the name service did not answer");
                Vec::new()
            }
        }
    }

    async fn addresses(&self, name: &str, port: u16) -> Result<Vec<SocketAddr>, ResolveError> {
        let found = timeout(PATIENCE, self.client.lookup_ip(name))
            .await
            .map_err(|_| ResolveError::Timeout)?
            .map_err(|error| kind(&error))?;
        Ok(found.iter().map(|ip| SocketAddr::new(ip, port)).collect())
    }
}

/// Names of services are whole: no search list is tried for them.
fn absolute(name: &str) -> String {
    format!("{}.", name.trim_end_matches('.'))
}

fn kind(error: &NetError) -> ResolveError {
    match error {
        NetError::Timeout => ResolveError::Timeout,
        error if error.is_no_records_found() || error.is_nx_domain() => ResolveError::NotFound,
        error => {
            debug!(%error, "the name service failed");
            ResolveError::Failed
        }
    }
}
