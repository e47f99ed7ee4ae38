//! Start and stop: sockets, the core in its loop, and the tasks that do what the core asks for.
//!
//! ```text
//!   core, its thread ── events ──► this loop ──► look-ups ────── commands ──► core
//!                                       ├───────► control (answers, broadcast)
//!                                       ├───────► rows ──► store ──── commands ──► core
//!                                       ├───────► call records ──► store
//!                                       └───────► another shard's core
//! ```
//!
//! With several shards there is a core and such a loop for each.
//!
//! At the end everything is written before the core stops.
//!
//! Invariant: every `LoadAccount` and every `Store` is answered, also when the store fails.

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use sip::{Algorithm, Aor, EndpointConfig, Host, HostPort, Transport};
use sip_io::{Authorities, Bound, Shard, TlsClient, TlsError};
use sip_proxy_core::{
    CallingPolicy, Command, DialPlans, Durability, Event, GuessingPolicy, LookupFailed, Proxy,
    ProxyConfig, Reach, Share, Ticket, TracePolicy, TrustedNetworks,
};
use store::{Database, StoreError, Vault, call};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::account;
use crate::ahead;
use crate::control::Control;
use crate::core_handle::CoreHandle;
use crate::ladder::Noon;
use crate::listen::{self, MoreListeners};
use crate::persistence;
use crate::probe::Prober;
use crate::recorder::{self, Group, Recorder};

/// Transactions of one kind that are kept at once. A call that is answered and hung up leaves four, three of them for half a minute
/// (RFC 3261, section 17): this is room for about 2,000 calls a second.
const TRANSACTIONS: usize = 250_000;

/// Events the core may have outstanding; beyond that requests are answered 503.
const EVENTS: usize = 4_096;

/// Look-ups that may wait for the store; beyond that requests are answered 503.
const LOOK_UPS: usize = 16_384;

/// How long the last bindings may take to be written.
const LAST_WRITE: Duration = Duration::from_secs(5);

/// Where the proxy listens and what it is called.
#[derive(Clone, Debug)]
pub struct ServiceConfig {
    /// Where to listen, on UDP and TCP; with port 0 a port that is free on both.
    pub listen: SocketAddr,
    /// Where else, and how.
    pub more: MoreListeners,
    /// How many shards share the work, each in a thread of its own; the domains are spread over them.
    pub shards: NonZeroUsize,
    /// Whether datagrams of one size to one peer leave as segments of one send ([`sip_io::Limits::segments`]).
    pub segments: bool,
    /// Digest algorithms to offer and accept, the best first.
    pub algorithms: Vec<Algorithm>,
    /// When a registration is confirmed.
    pub durability: Durability,
    /// Where nobody is asked for a password.
    pub trusted: TrustedNetworks,
    /// How much guessing of passwords is too much.
    pub guessing: GuessingPolicy,
    /// How much an account may call.
    pub calling: CallingPolicy,
    /// Which numbers may be called.
    pub numbers: DialPlans,
    /// How much of what is said in calls is kept in memory for people to see; nothing unless it is set.
    pub trace: Option<TracePolicy>,
    /// What phones and peers reach it by; the listening address unless it is set.
    pub public_host: Option<Host>,
    /// Whom a provider's certificate is believed by when it is tried.
    pub provider_authorities: Authorities,
    /// Which addresses may be reached when a provider is tried.
    pub may_reach: Reach,
}

/// Why the proxy does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address cannot be listened on; the text names it.
    #[error("the SIP proxy cannot start: {0}")]
    Listen(#[from] io::Error),
    /// Certificate and key cannot be used.
    #[error("the SIP proxy cannot use its certificate: {0}")]
    Tls(#[from] TlsError),
    /// The certificate authorities of providers cannot be used.
    #[error("the SIP proxy cannot use the authorities of providers: {0}")]
    Authorities(#[source] TlsError),
    /// TLS or secure WebSockets without a certificate.
    #[error("the SIP proxy needs a certificate and its key for TLS and secure WebSockets")]
    NoCertificate,
    /// What the last run has left cannot be read.
    #[error("the SIP proxy cannot read its bindings: {0}")]
    Restore(#[from] StoreError),
}

/// An open, not yet running proxy.
#[derive(Debug)]
pub struct Service {
    /// For each shard.
    bound: Vec<Bound>,
    advertised: Vec<(Transport, HostPort)>,
    public: HostPort,
    algorithms: Vec<Algorithm>,
    durability: Durability,
    trusted: TrustedNetworks,
    guessing: GuessingPolicy,
    calling: CallingPolicy,
    numbers: DialPlans,
    trace: Option<TracePolicy>,
    prober: Prober,
}

impl Service {
    /// Opens the sockets.
    ///
    /// # Errors
    ///
    /// [`StartError::Listen`] if the address is taken or not ours.
    pub async fn bind(config: ServiceConfig) -> Result<Self, StartError> {
        let bound = listen::bind(config.listen, &config.more, config.shards, config.segments)?;
        let (advertised, local) = match bound.first() {
            Some(first) => (
                listen::advertised(first, config.public_host.as_ref()),
                first.udp_addresses().first().copied(),
            ),
            None => (Vec::new(), None),
        };
        let local = local.unwrap_or(config.listen);
        let host = config.public_host.unwrap_or_else(|| local.ip().into());
        let tls = match TlsClient::new(&config.provider_authorities) {
            Ok(client) => Some(client),
            // A system without a list of authorities has no TLS to others; a file that is named must be good.
            Err(error) if config.provider_authorities == Authorities::System => {
                tracing::warn!(%error, "providers cannot be tried over TLS");
                None
            }
            Err(error) => return Err(StartError::Authorities(error)),
        };
        Ok(Self {
            bound,
            advertised,
            public: HostPort::new(host, Some(local.port())),
            algorithms: config.algorithms,
            durability: config.durability,
            trusted: config.trusted,
            guessing: config.guessing,
            calling: config.calling,
            numbers: config.numbers,
            trace: config.trace,
            prober: Prober::new(tls, config.may_reach),
        })
    }

    /// What phones reach the proxy by, over UDP and TCP.
    #[must_use]
    pub fn advertised(&self) -> &HostPort {
        &self.public
    }

    /// What phones reach the proxy by over `transport`, if it listens for that.
    #[must_use]
    pub fn advertised_for(&self, transport: Transport) -> Option<&HostPort> {
        let of_transport = |(own, _): &&(Transport, HostPort)| *own == transport;
        let found = self.advertised.iter().find(of_transport);
        found.map(|(_, host_port)| host_port)
    }

    /// What phones reach the proxy by, for each transport that it listens for.
    #[must_use]
    pub fn listeners(&self) -> &[(Transport, HostPort)] {
        &self.advertised
    }

    /// Brings the bindings of the last run back and serves in the background until `stop`; the tasks end in `tasks`.
    ///
    /// # Errors
    ///
    /// [`StartError::Restore`] if the store cannot be read.
    pub async fn start(
        self,
        vault: Vault,
        db: Database,
        stop: CancellationToken,
        tasks: &mut JoinSet<()>,
    ) -> Result<Arc<Control>, StartError> {
        let mut machines = Vec::new();
        let (mut cores, mut outboxes) = (Vec::new(), Vec::new());
        let count = NonZeroUsize::new(self.bound.len()).unwrap_or(NonZeroUsize::MIN);
        let shares: Vec<_> = Share::all(count).collect();
        for share in shares.iter().copied() {
            machines.push(Proxy::new(ProxyConfig {
                algorithms: self.algorithms.clone(),
                durability: self.durability,
                trusted: self.trusted.clone(),
                guessing: self.guessing,
                calling: self.calling,
                numbers: self.numbers.clone(),
                trace: self.trace,
                share,
                ..config(self.advertised.clone())
            }));
        }
        // Of a run that ended without a word: whoever calls now is a call of this one.
        let interrupted = call::interrupt(&db).await?;
        if interrupted > 0 {
            tracing::warn!(
                calls.count = interrupted,
                "calls went on when the server ended last"
            );
        }
        persistence::restore(&db, |rows| restore(&mut machines, rows)).await?;
        let mut parts = Vec::new();
        for (machine, bound) in machines.into_iter().zip(self.bound) {
            let (commands, inbox) = mpsc::channel(EVENTS);
            let (events, outbox) = mpsc::channel(EVENTS);
            cores.push(CoreHandle::new(commands.clone()));
            outboxes.push((outbox, commands));
            parts.push(Shard {
                machine,
                bound,
                commands: inbox,
                events,
            });
        }
        let control = Arc::new(Control::new(cores, self.prober));
        let stop_loop = CancellationToken::new();
        // Threads of their own: whatever else the process does, the loops are woken by their sockets.
        let ended = sip_io::run_shards(parts, sip_proxy_core::select, &stop_loop)?;
        tasks.spawn(async move {
            ended.await;
        });
        let (call_changes, lost_calls) = control.calls();
        let (recorder, told) = Recorder::new(Arc::clone(&lost_calls));
        tasks.spawn(recorder::serve(told, call_changes, lost_calls, db.clone()));
        for (index, (outbox, commands)) in outboxes.into_iter().enumerate() {
            let (look_ups, asked) = mpsc::channel(LOOK_UPS);
            let edge = Arc::new(Edge {
                index,
                control: control.clone(),
                look_ups,
                recorder: recorder.clone(),
                db: db.clone(),
            });
            tasks.spawn(account::serve(asked, commands, vault.clone(), db.clone()));
            tasks.spawn(edge.serve(outbox));
        }
        let reading = ahead::serve(shares, control.clone(), vault, db);
        let stopped = stop.clone();
        tasks.spawn(async move {
            stopped.run_until_cancelled(reading).await;
        });
        let last = control.clone();
        tasks.spawn(async move {
            stop.cancelled().await;
            if tokio::time::timeout(LAST_WRITE, last.flush())
                .await
                .is_err()
            {
                tracing::error!("the last bindings were not written in time");
            }
            stop_loop.cancel();
        });
        Ok(control)
    }
}

/// Gives rows of the last run to every shard, which passes over what belongs to another.
fn restore(machines: &mut [Proxy], rows: Vec<Vec<u8>>) {
    if let [only] = machines {
        sip::Machine::handle_command(only, Command::RestoreBindings(rows), now());
        return;
    }
    for machine in machines {
        let rows = Command::RestoreBindings(rows.clone());
        sip::Machine::handle_command(machine, rows, now());
    }
}

/// The world around one shard.
struct Edge {
    index: usize,
    control: Arc<Control>,
    look_ups: mpsc::Sender<(Ticket, Aor)>,
    recorder: Recorder,
    db: Database,
}

impl Edge {
    /// Does what the core asks for until the core has stopped.
    async fn serve(self: Arc<Self>, mut events: mpsc::Receiver<Event>) {
        let mut tasks = JoinSet::new();
        while let Some(event) = events.recv().await {
            match event {
                Event::LoadAccount { ticket, aor } => {
                    if self.look_ups.try_send((ticket, aor)).is_err() {
                        let account = Err(LookupFailed);
                        let answer = Command::AccountLoaded { ticket, account };
                        self.tell(self.index, answer).await;
                    }
                }
                Event::Store { ticket, rows } => {
                    let edge = Arc::clone(&self);
                    tasks.spawn(async move {
                        let result = persistence::write(rows, &edge.db).await;
                        edge.tell(edge.index, Command::Stored { ticket, result })
                            .await;
                    });
                }
                Event::Locate { shard, ticket, aor } => {
                    let asker = self.index;
                    let question = Command::Locate { asker, ticket, aor };
                    self.tell(shard, question).await;
                }
                Event::Located {
                    asker,
                    ticket,
                    found,
                } => self.tell(asker, Command::Located { ticket, found }).await,
                event => self.note(event),
            }
            while tasks.try_join_next().is_some() {}
        }
    }

    /// What is only told, or answers a question of ours.
    fn note(&self, event: Event) {
        let Some(core) = self.control.core(self.index) else {
            return;
        };
        match event {
            Event::SourceBanned { source } => {
                tracing::warn!(%source, "somebody guesses passwords and is ignored for a while");
            }
            Event::CallsLimited { aor } => {
                // Whose it is tells the account's owner; the log is for the operator.
                tracing::warn!(
                    domain = aor.host(),
                    "an account has as many calls as it may have"
                );
            }
            Event::BansListed(bans) => core.answer_bans(&bans),
            Event::Flushed => core.answer_flush(),
            Event::BindingsChanged(changed) => changed.iter().for_each(|of| self.control.note(of)),
            Event::BindingsListed {
                asker,
                bindings,
                next,
            } => core.answer_list(asker, bindings, next),
            Event::CallRecords { records, dropped } => {
                let group = Group {
                    shard: self.index,
                    noon: Noon::now(),
                    records,
                };
                self.recorder.take(group, dropped);
            }
            Event::CallsListed { asker, calls } => core.answer_calls(asker, calls),
            Event::CallFound { asker, trace } => core.answer_trace(asker, trace),
            Event::Counts(counts) => core.answer_counts(counts),
            Event::LoadAccount { .. }
            | Event::Store { .. }
            | Event::Locate { .. }
            | Event::Located { .. } => {}
        }
    }

    /// Commands are taken in every turn of a core's loop, which never waits for us.
    async fn tell(&self, shard: usize, command: Command) {
        if let Some(core) = self.control.core(shard) {
            // A core that has stopped asks for nothing.
            let _ = core.command(command).await;
        }
    }
}
fn config(advertised: Vec<(Transport, HostPort)>) -> ProxyConfig {
    let endpoint = EndpointConfig {
        advertised,
        user_agent: Some(concat!("Tandem/", env!("CARGO_PKG_VERSION")).to_owned()),
        max_transactions: TRANSACTIONS,
        ..EndpointConfig::default()
    };
    let unix = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    ProxyConfig::new(endpoint, (now(), unix.as_secs()), rand::random())
}

/// The clock of the loop that drives the core.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
