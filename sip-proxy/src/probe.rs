//! Trials of providers for the portal: a machine of its own on sockets of its own, for as long as one takes.
//!
//! Not here: what a trial does (`sip_proxy_core::Probe`), who may ask for one and how often (the portal).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use api::{
    ProviderTestEvent, ProviderTestResult, ProviderTestServer, ProviderTestStep, RegistrationTrial,
};
use sip::{
    CertificateProblem, Credentials, EndpointConfig, HostPort, NameAddr, Private, Timers,
    Transport, Uri,
};
use sip_io::{Bound, Limits, Listeners, TlsClient};
use sip_proxy_core::{
    Probe, ProbeCommand, ProbeConfig, ProbeEvent, ProbeMessage, ProbeResult, ProbeStep, Reach,
};
use tokio::net::UdpSocket;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use ua::{Registration, RegistrationFailure};

/// Trials at the same time, of all tenants.
const AT_ONCE: usize = 4;

/// How long one may take before it must come to an end.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long it may take from there: leaving the server.
const FAREWELL: Duration = Duration::from_secs(2);

/// What is told of one, and waits to be read.
const EVENTS: usize = 128;

/// What a server is asked to keep, should the end get lost.
const EXPIRES: Duration = Duration::from_secs(60);

/// A server has 64 times this long (RFC 3261 section 17.1.2.2, timer F): ten seconds, so that a second one is tried within the patience.
const T1: Duration = Duration::from_millis(150);

/// Addresses that are never reached: they only ask the system for its usual way out (RFC 5737, RFC 3849).
const ANYWHERE_V4: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const ANYWHERE_V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));

const ANY_V4: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
const ANY_V6: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);

/// What trials have in common.
#[derive(Clone, Debug)]
pub(crate) struct Prober {
    /// Whom TLS servers are believed by; without it there are no trials over TLS.
    tls: Option<TlsClient>,
    may_reach: Reach,
    places: Arc<Semaphore>,
}

impl Prober {
    pub(crate) fn new(tls: Option<TlsClient>, may_reach: Reach) -> Self {
        Self {
            tls,
            may_reach,
            places: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// Begins a trial, whose steps come as they happen. It ends early if nobody reads them.
    pub(crate) fn begin(&self, trial: RegistrationTrial) -> mpsc::Receiver<ProviderTestEvent> {
        let (told, steps) = mpsc::channel(EVENTS);
        let telling = Telling {
            began: Instant::now(),
            told,
        };
        let prober = self.clone();
        tokio::spawn(async move {
            let Ok(_place) = Arc::clone(&prober.places).try_acquire_owned() else {
                return telling.end(ProviderTestResult::Busy).await;
            };
            if let Err(result) = prober.run(trial, &telling).await {
                telling.end(result).await;
            }
        });
        steps
    }

    async fn run(
        &self,
        trial: RegistrationTrial,
        telling: &Telling,
    ) -> Result<(), ProviderTestResult> {
        let registration = registration(&trial).ok_or(ProviderTestResult::NoRoute)?;
        // A machine may have IPv4 only.
        let bound = self
            .listeners(&[ANY_V4, ANY_V6])
            .or_else(|_| self.listeners(&[ANY_V4]))
            .map_err(|_| ProviderTestResult::NoRoute)?;
        let local = bound.udp_addresses();
        let probe = Probe::new(
            ProbeConfig {
                endpoint: endpoint(&local).await,
                registration,
                may_reach: if trial.own {
                    Reach::everywhere()
                } else {
                    self.may_reach.clone()
                },
            },
            rand::random(),
        );
        let stop = CancellationToken::new();
        let (commands, inbox) = mpsc::channel(2);
        let (events, outbox) = mpsc::channel(EVENTS);
        let driven = sip_io::run(probe, bound, inbox, events, stop.clone());
        let follow = async {
            // The machine is there as long as this is waited for.
            let _ = commands.send(ProbeCommand::Begin).await;
            follow(outbox, &commands, telling).await;
            stop.cancel();
        };
        let (_, ()) = tokio::join!(driven, follow);
        Ok(())
    }

    /// Sockets for one registration.
    fn listeners(&self, udp: &[IpAddr]) -> io::Result<Bound> {
        let listeners = Listeners {
            udp: udp.iter().map(|&any| (any, 0).into()).collect(),
            tls_client: self.tls.clone(),
            limits: Limits {
                connections: 8,
                socket_buffer: 64 * 1024,
                resolves: 1,
                ..Limits::default()
            },
            ..Listeners::default()
        };
        listeners.bind()
    }
}

/// Passes steps on until the last one, or until nobody reads them any more.
async fn follow(
    mut steps: mpsc::Receiver<ProbeEvent>,
    commands: &mpsc::Sender<ProbeCommand>,
    telling: &Telling,
) {
    let passing = async |steps: &mut mpsc::Receiver<ProbeEvent>| {
        while let Some(event) = steps.recv().await {
            let is_last = matches!(event.step, ProbeStep::Ended(_));
            if telling.tell(event.step).await.is_err() || is_last {
                return;
            }
        }
    };
    if timeout(PATIENCE, passing(&mut steps)).await.is_err() {
        let _ = commands.send(ProbeCommand::GiveUp).await;
        let _ = timeout(FAREWELL, passing(&mut steps)).await;
    }
}

/// Who is told of one trial.
struct Telling {
    began: Instant,
    told: mpsc::Sender<ProviderTestEvent>,
}

/// Nobody reads any more.
struct NobodyListens;

impl Telling {
    async fn tell(&self, step: ProbeStep) -> Result<(), NobodyListens> {
        self.send(wire(step)).await
    }

    async fn end(&self, result: ProviderTestResult) {
        let ended = ProviderTestStep::Ended {
            result,
            status: None,
        };
        // Nobody may listen any more.
        let _ = self.send(ended).await;
    }

    async fn send(&self, step: ProviderTestStep) -> Result<(), NobodyListens> {
        let after_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let event = ProviderTestEvent { after_ms, step };
        self.told.send(event).await.map_err(|_| NobodyListens)
    }
}

/// What is registered; `None` if a name or address of it cannot be one.
fn registration(trial: &RegistrationTrial) -> Option<Registration> {
    let domain = HostPort::new(trial.server.parse().ok()?, trial.port);
    let mut address = domain.clone();
    address.port = None;
    let outbound_proxy = match &trial.outbound_proxy {
        Some(proxy) => Some(proxy_uri(proxy)?),
        None => None,
    };
    let credentials = trial.password.as_ref().map(|password| Credentials {
        username: trial.auth_username.clone(),
        password: Private(password.0.clone()),
        realm: None,
    });
    Some(Registration {
        aor: NameAddr::from(Uri::sip(Some(&trial.username), address)),
        registrar: Uri::sip(None, domain),
        outbound_proxy,
        transport: Some(transport(trial.transport)),
        contact_user: trial.username.clone(),
        instance: None,
        reg_id: None,
        credentials,
        expires: EXPIRES,
    })
}

/// A proxy is given as a URI, or as `host[:port]`.
fn proxy_uri(proxy: &str) -> Option<Uri> {
    let lower = proxy.to_ascii_lowercase();
    if lower.starts_with("sip:") || lower.starts_with("sips:") {
        return proxy.parse().ok();
    }
    Some(Uri::sip(None, proxy.parse::<HostPort>().ok()?))
}

/// Via and Contact name the usual way out: servers answer to where a request came from (RFC 3581).
async fn endpoint(local: &[SocketAddr]) -> EndpointConfig {
    let mut advertised = Vec::new();
    for bound in local {
        let ip = way_out(bound.ip()).await;
        for transport in [Transport::Udp, Transport::Tcp, Transport::Tls] {
            let address = SocketAddr::new(ip, bound.port());
            advertised.push((transport, HostPort::from(address)));
        }
    }
    EndpointConfig {
        advertised,
        user_agent: Some(concat!("Tandem/", env!("CARGO_PKG_VERSION")).to_owned()),
        max_transactions: 32,
        timers: Timers {
            t1: T1,
            ..Timers::default()
        },
        ..EndpointConfig::default()
    }
}

/// Connecting a UDP socket sends nothing; it only asks for the route. Without one only this machine is reached.
async fn way_out(any: IpAddr) -> IpAddr {
    let (anywhere, otherwise) = match any {
        IpAddr::V4(_) => (ANYWHERE_V4, IpAddr::V4(Ipv4Addr::LOCALHOST)),
        IpAddr::V6(_) => (ANYWHERE_V6, IpAddr::V6(Ipv6Addr::LOCALHOST)),
    };
    let route = async {
        let socket = UdpSocket::bind((any, 0)).await?;
        socket.connect((anywhere, 5060)).await?;
        socket.local_addr()
    };
    match route.await {
        Ok(local) if !local.ip().is_unspecified() => local.ip(),
        _ => otherwise,
    }
}

fn wire(step: ProbeStep) -> ProviderTestStep {
    match step {
        ProbeStep::LookingUp { host } => ProviderTestStep::LookingUp { host },
        ProbeStep::Found { servers, forbidden } => ProviderTestStep::Found {
            servers: servers.into_iter().map(server).collect(),
            forbidden: u32::try_from(forbidden).unwrap_or(u32::MAX),
        },
        ProbeStep::Trying { transport, peer } => {
            ProviderTestStep::Trying(server((transport, peer)))
        }
        ProbeStep::Sent(sent) => message(sent, false),
        ProbeStep::Received(came) => message(came, true),
        ProbeStep::Challenged { realm, algorithms } => {
            ProviderTestStep::Challenged { realm, algorithms }
        }
        ProbeStep::Secured { peer } => ProviderTestStep::Secured {
            address: peer.to_string(),
        },
        ProbeStep::Untrusted { peer, .. } => ProviderTestStep::Untrusted {
            address: peer.to_string(),
        },
        ProbeStep::Unreachable { peer } => ProviderTestStep::Unreachable {
            address: peer.to_string(),
        },
        ProbeStep::Registered { expires } => ProviderTestStep::Registered {
            expires_secs: expires.as_secs(),
        },
        ProbeStep::Ended(ended) => ProviderTestStep::Ended {
            result: result(ended),
            status: match ended {
                ProbeResult::Failed(failure) => failure.status(),
                _ => None,
            },
        },
    }
}

fn message(message: ProbeMessage, received: bool) -> ProviderTestStep {
    ProviderTestStep::Message {
        received,
        server: server((message.transport, message.peer)),
        first_line: message.first_line.0,
        text: message.text.0,
    }
}

fn server((over, peer): (Transport, SocketAddr)) -> ProviderTestServer {
    let transport = match over {
        Transport::Udp => api::Transport::Udp,
        Transport::Tcp | Transport::Ws => api::Transport::Tcp,
        Transport::Tls | Transport::Wss => api::Transport::Tls,
    };
    ProviderTestServer::new(peer, transport)
}

fn transport(transport: api::Transport) -> Transport {
    match transport {
        api::Transport::Udp => Transport::Udp,
        api::Transport::Tcp => Transport::Tcp,
        api::Transport::Tls => Transport::Tls,
    }
}

fn result(ended: ProbeResult) -> ProviderTestResult {
    use ProviderTestResult as Word;
    let failure = match ended {
        ProbeResult::Good => return Word::Good,
        ProbeResult::StillRegistered => return Word::StillRegistered,
        ProbeResult::Forbidden => return Word::ForbiddenAddress,
        ProbeResult::Failed(failure) => failure,
    };
    match failure {
        RegistrationFailure::HostNotFound => Word::HostNotFound,
        RegistrationFailure::NameService => Word::NameService,
        RegistrationFailure::NoRoute => Word::NoRoute,
        RegistrationFailure::ServerDown => Word::ServerDown,
        RegistrationFailure::NoAnswer => Word::NoAnswer,
        RegistrationFailure::Untrusted(problem) => match problem {
            CertificateProblem::Expired => Word::CertificateExpired,
            CertificateProblem::NotYetValid => Word::CertificateNotYetValid,
            CertificateProblem::WrongName => Word::CertificateName,
            CertificateProblem::UnknownIssuer => Word::CertificateIssuer,
            _ => Word::CertificateInvalid,
        },
        RegistrationFailure::WrongPassword => Word::WrongPassword,
        RegistrationFailure::PasswordMissing => Word::PasswordMissing,
        RegistrationFailure::UnsupportedChallenge => Word::UnsupportedChallenge,
        RegistrationFailure::Forbidden => Word::Forbidden,
        RegistrationFailure::UnknownAccount { .. } => Word::UnknownAccount,
        RegistrationFailure::ServerError { .. } => Word::ServerError,
        _ => Word::Refused,
    }
}
