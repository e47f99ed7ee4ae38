//! Starting and ending the softphone.
//!
//! The order of the end: lines are signed out and calls hung up while everything still runs; then,
//! if the phone was deactivated, the profile is wiped; then the tasks are stopped.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use media_io::{AfterEnd, MediaThread, Player};
use sdp::LocalSecurity;
use serde_json::json;
use sip::{EndpointConfig, HostPort, Transport};
use sip_io::{Authorities, Bound, Listeners, TlsClient, TlsError};
use softphone_core::{Event, LineConfig, Phone, PhoneConfig, View};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::card_news::CardNews;
use super::desk::{Desk, HoldMusic};
use super::directory::Company;
use super::lines::{self, LineOptions, LocalPorts};
use super::reach::Reach;
use super::sound::{SoundPlan, chain};
use super::tones::{RingPlan, Tones};
use super::{Answering, Ending, Engine, News, recording, state};
use crate::audio;
use crate::cli::{self, absolute};
use crate::control::protocol::{Done, State};
use crate::control::{self, Incoming, socket_path};
use crate::failure::{Failure, FailureKind};
use crate::portal::{
    APP_VERSION, DeviceIdentity, LinkError, PortalAddress, PortalClient, PortalEvent, run_session,
};
use crate::profile::{Profile, ProfileFolder};
use crate::terminal::{Terminal, shown};

/// Commands that may wait for the phone.
const COMMANDS: usize = 64;

/// Events of the phone that may wait for the engine.
const EVENTS: usize = 256;

/// What other tasks may have waiting for the engine.
const NEWS: usize = 64;

/// Longest time for signing out and hanging up.
const FAREWELL: Duration = Duration::from_secs(3);

/// Everything the engine's loop listens to.
struct Inputs {
    events: mpsc::Receiver<Event>,
    commands: mpsc::Receiver<Incoming>,
    portal: mpsc::Receiver<PortalEvent>,
    news: mpsc::Receiver<News>,
}

/// Runs the softphone of the profile in `folder` until it is stopped.
///
/// # Errors
///
/// [`Failure`] if it cannot start, or if the portal deactivated it.
pub(crate) async fn run(
    asked: cli::Run,
    folder: ProfileFolder,
    terminal: Terminal,
) -> Result<(), Failure> {
    if !folder.is_activated() {
        return Err(crate::profile::ProfileError::NotActivated.into());
    }
    let lock = folder.lock()?;
    let profile = folder.load()?;
    let directory = folder.load_directory(profile.device_id);
    let sound = SoundPlan::new(&asked)?;
    let reach = Reach::new(&asked)?.map(Arc::new);
    let (hold_music, silent) = HoldMusic::new(asked.hold_music.as_deref());
    if let Some(problem) = silent {
        terminal.notice(&problem);
    }
    if let Some(file) = &asked.ring_tone
        && let Err(error) = Player::open(file, AfterEnd::Silence)
    {
        let why = chain(&error);
        terminal.notice(&format!(
            "it rings with the built-in sound, not with yours: {why}"
        ));
    }
    let record_calls = asked.record_calls.clone().map(absolute);
    if let Some(folder) = &record_calls {
        recording::check(folder)?;
    }
    let client = PortalClient::new(portal_address(&profile)?)?;
    let bound = bind(tls_client(&asked)?)
        .map_err(|error| Failure::new(FailureKind::General, error.to_string()))?;
    let ports = local_ports(&bound);
    let certificate = media_io::new_identity()
        .map_err(|error| Failure::new(FailureKind::General, error.to_string()))?;
    let media_thread = MediaThread::start().map_err(|error| {
        let text = format!("the system gives no thread for the sound of calls: {error}");
        Failure::new(FailureKind::General, text)
    })?;
    let options = LineOptions {
        codecs: asked.codecs.iter().copied().map(api::Codec::from).collect(),
        security: LocalSecurity {
            policy: asked.secure_sound.into(),
            offer: asked.secure_by.into(),
            keys: Vec::new(),
            fingerprint: Some(certificate.fingerprint()),
        },
        ports,
    };
    let lines = lines::from_profile(&profile, &options).await;

    let (commands, phone_commands) = mpsc::channel(COMMANDS);
    let (phone_events, events) = mpsc::channel(EVENTS);
    let (news_sender, news) = mpsc::channel(NEWS);
    let (portal_sender, portal) = mpsc::channel(NEWS);
    let (control_sender, control_commands) = mpsc::channel(NEWS);
    let (state, state_receiver) = watch::channel(Arc::new(State::default()));
    let first_report = state::report(profile.configuration.version, &[]);
    let (report, report_receiver) = watch::channel(first_report);
    let identity = DeviceIdentity {
        device_id: profile.device_id,
        device_key: profile.device_key.clone(),
        version: profile.configuration.version,
        directory: directory.position.clone(),
    };

    let phone = Phone::new(phone_config(&lines, ports).await, rand::random());
    let stop = CancellationToken::new();
    let driver = sip_io::run(phone, bound, phone_commands, phone_events, stop.clone());
    let tasks: Vec<JoinHandle<()>> = vec![
        tokio::spawn(async move { drop(driver.await) }),
        tokio::spawn(run_session(
            client,
            identity,
            report_receiver,
            portal_sender,
            stop.clone(),
        )),
        tokio::spawn(serve(
            folder.clone(),
            control_sender,
            state_receiver,
            stop.clone(),
        )),
    ];

    let mut engine = Engine {
        folder,
        profile,
        company: Company::new(directory),
        options,
        certificate,
        sound: Arc::new(sound),
        reach,
        rtp_ports: asked.rtp_ports.unwrap_or_default(),
        desk: Desk::default(),
        card_news: CardNews::default(),
        hold_music,
        tones: Tones::new(asked.tones.country(), ring_plan(&asked)),
        record_calls,
        recordings: HashMap::new(),
        conference_problem: None,
        media_thread,
        answering: if asked.auto_answer {
            Answering::AtOnce
        } else {
            Answering::ByPerson
        },
        terminal,
        view: View::default(),
        configs: HashMap::new(),
        calls: HashMap::new(),
        ended: VecDeque::new(),
        portal_connected: false,
        portal_problem: None,
        commands,
        next_reply: 0,
        replies: HashMap::new(),
        files: HashMap::new(),
        news: news_sender,
        tasks: JoinSet::new(),
        state,
        report,
        deactivation: None,
    };
    let mut inputs = Inputs {
        events,
        commands: control_commands,
        portal,
        news,
    };
    engine.greet();
    engine.look_for_cards();
    engine.configure(lines);
    let ending = engine.run(&mut inputs).await;
    engine.say_goodbye(&mut inputs).await;
    // Before the tasks end: whoever asked for it is answered through one of them.
    let ended = engine.end(ending).await;
    stop.cancel();
    for task in tasks {
        // A task that does not end is ended with the process.
        let _ = timeout(FAREWELL, task).await;
    }
    drop(lock);
    ended
}

impl Engine {
    fn greet(&self) {
        let configuration = &self.profile.configuration;
        let (device, contact) = (
            shown(&configuration.device.name),
            shown(&configuration.contact.name),
        );
        self.publish();
        self.terminal.result(
            &json!({ "running": true, "device": device, "contact": contact, "version": APP_VERSION }),
            &format!("{device} of {contact} is running; stop it with Ctrl-C"),
        );
    }

    /// Somebody who starts a phone is there to read that it has no sound; a call comes later. Nothing
    /// waits for the answer.
    fn look_for_cards(&self) {
        if self.sound.usual().cards().is_empty() {
            return;
        }
        let news = self.news.clone();
        tokio::task::spawn_blocking(move || {
            // Without a sound system there is no card either.
            let present = audio::devices().unwrap_or_default();
            // The phone may have been stopped.
            let _ = news.blocking_send(News::Cards(present));
        });
    }

    /// The loop.
    async fn run(&mut self, inputs: &mut Inputs) -> Ending {
        let mut stopped = std::pin::pin!(stop_signal());
        loop {
            self.publish();
            let ending = tokio::select! {
                () = &mut stopped => Some(Ending::Stop),
                Some(event) = inputs.events.recv() => {
                    self.handle_event(event);
                    None
                }
                Some(command) = inputs.commands.recv() => self.handle_command(command),
                Some(event) = inputs.portal.recv() => self.handle_portal(event),
                Some(news) = inputs.news.recv() => {
                    self.handle_news(news);
                    None
                }
                Some(_) = self.tasks.join_next() => None,
            };
            if let Some(ending) = ending {
                return ending;
            }
        }
    }

    /// Hangs up and signs out.
    async fn say_goodbye(&mut self, inputs: &mut Inputs) {
        self.configure(Vec::new());
        let quiet = timeout(FAREWELL, async {
            while !(self.view.lines.is_empty()
                && self.calls.is_empty()
                && self.recordings.is_empty())
            {
                tokio::select! {
                    Some(event) = inputs.events.recv() => self.handle_event(event),
                    Some(news) = inputs.news.recv() => self.handle_news(news),
                    else => return,
                }
                self.publish();
            }
        });
        if quiet.await.is_err() {
            tracing::debug!("a server did not answer the farewell");
        }
    }

    /// What remains when everything else has ended.
    async fn end(mut self, ending: Ending) -> Result<(), Failure> {
        if ending == Ending::Stop {
            return Ok(());
        }
        // A configuration that is being saved must not come back after the wipe.
        let saved = async { while self.tasks.join_next().await.is_some() {} };
        if timeout(FAREWELL, saved).await.is_err() {
            tracing::warn!("a task does not end");
        }
        // The socket would keep the folder from going; its server has it open still.
        let _ = std::fs::remove_file(socket_path(self.folder.path()));
        let wiped = self.folder.wipe().map_err(Failure::from);
        if let Some(answer) = self.deactivation.take() {
            // The client may be gone.
            let _ = answer.send(wiped.clone().map(|()| Done::default()));
        }
        wiped?;
        match ending {
            Ending::Stop | Ending::Deactivate => Ok(()),
            Ending::Revoked => Err(Failure::new(
                FailureKind::NotActivated,
                "this phone was deactivated in the portal: it signed out and forgot its passwords",
            )),
        }
    }
}

/// How it rings: on the chosen device, else on the usual one if sound cards are used at all.
fn ring_plan(asked: &cli::Run) -> Option<RingPlan> {
    let rings = asked.ringer.is_some() || !asked.no_sound_card;
    rings.then(|| RingPlan {
        device: asked.ringer.clone(),
        file: asked.ring_tone.clone().map(absolute),
    })
}

/// The control socket, until the softphone ends. Without it the phone still is a phone.
async fn serve(
    folder: ProfileFolder,
    commands: mpsc::Sender<Incoming>,
    state: watch::Receiver<Arc<State>>,
    stop: CancellationToken,
) {
    let path = socket_path(folder.path());
    if let Err(error) = control::serve(path, commands, state, stop).await {
        tracing::error!(%error, "no control socket: commands cannot reach this softphone");
    }
}

fn portal_address(profile: &Profile) -> Result<PortalAddress, Failure> {
    PortalAddress::parse(&profile.portal).map_err(|error: LinkError| error.into())
}

/// Whom TLS servers are believed by. A file that is named must be good; a system without a list has no TLS.
fn tls_client(asked: &cli::Run) -> Result<Option<TlsClient>, Failure> {
    let refused = |error: TlsError| Failure::new(FailureKind::General, error.to_string());
    match &asked.sip_authorities {
        Some(path) => TlsClient::new(&Authorities::File(path.clone()))
            .map(Some)
            .map_err(refused),
        None => Ok(TlsClient::new(&Authorities::System)
            .inspect_err(|error| tracing::warn!(%error, "no SIP over TLS"))
            .ok()),
    }
}

/// UDP and TCP on ports of the system's choice, IPv6 where there is one.
fn bind(tls_client: Option<TlsClient>) -> std::io::Result<Bound> {
    let v4 = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
    let v6 = SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0);
    let both = Listeners {
        udp: vec![v4, v6],
        tcp: vec![v4, v6],
        tls_client,
        ..Listeners::default()
    };
    let only_v4 = Listeners {
        udp: vec![v4],
        tcp: vec![v4],
        ..both.clone()
    };
    match both.bind() {
        Ok(bound) => Ok(bound),
        Err(_) => only_v4.bind(),
    }
}

fn local_ports(bound: &Bound) -> LocalPorts {
    let port = |addresses: Vec<SocketAddr>, v6: bool| {
        addresses
            .iter()
            .find(|address| address.is_ipv6() == v6)
            .map_or(0, SocketAddr::port)
    };
    LocalPorts {
        udp_v4: port(bound.udp_addresses(), false),
        udp_v6: port(bound.udp_addresses(), true),
        tcp_v4: port(bound.tcp_addresses(), false),
        tcp_v6: port(bound.tcp_addresses(), true),
    }
}

/// Via and Contact name the interface of the first line, else the usual way out.
async fn phone_config(lines: &[LineConfig], ports: LocalPorts) -> PhoneConfig {
    let v4 = lines.iter().map(|line| line.local.ip).find(IpAddr::is_ipv4);
    let v6 = lines.iter().map(|line| line.local.ip).find(IpAddr::is_ipv6);
    let (usual_v4, usual_v6) = lines::usual_addresses().await;
    let v4 = v4.or(usual_v4).unwrap_or(Ipv4Addr::LOCALHOST.into());
    let v6 = v6.or(usual_v6);
    let mut advertised = Vec::new();
    for ip in [Some(v4), v6].into_iter().flatten() {
        for transport in [Transport::Udp, Transport::Tcp, Transport::Tls] {
            let port = ports.port(transport, ip);
            if port != 0 {
                advertised.push((transport, HostPort::from(SocketAddr::new(ip, port))));
            }
        }
    }
    PhoneConfig {
        endpoint: EndpointConfig {
            advertised,
            user_agent: Some(format!("Tandem softphone/{APP_VERSION}")),
            ..EndpointConfig::default()
        },
    }
}

#[cfg(unix)]
async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut hang_up)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::hangup()),
    ) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
        _ = hang_up.recv() => {}
    }
}

#[cfg(not(unix))]
async fn stop_signal() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
