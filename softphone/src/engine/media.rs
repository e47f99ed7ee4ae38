//! One call's media session: from ports that are open to the numbers at the end.
//!
//! ```text
//!  open ──► ports; cards are opened, so that they run when they are needed
//!                 ──► first update: the session starts, files are opened beside it and take part when they are
//!                 ──► further updates, digits
//!  close ──► BYE, ports closed, recording complete ──► MediaSummary
//! ```
//!
//! Everything that takes time happens in the call's own task; orders wait for it in a queue.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use media::srtp::DtlsIdentity;
use media::{MediaParameters, MediaStats, Microphone, Secured, SecurityFailure};
use media_io::desk::{Port, SharedCard};
use media_io::{
    Agreement, EndCause, LocalCandidates, MediaEvent, MediaSession, PortError, PortRange,
    RtpSockets, SessionOptions,
};
use sdp::Negotiated;
use softphone_core::CallId;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::News;
use super::desk::HoldMusic;
use super::opening::Opening;
use super::quality::{QualityNews, call_quality};
use super::reach::{self, Reach};
use super::sound::{CallSound, OpenSound, Sink};
use super::state::millis;
use crate::control::protocol::{CallQuality, MediaSummary, PathKind};

/// Orders that may wait.
const ORDERS: usize = 32;

/// What is said while ICE has no path for the sound.
pub(super) const NO_PATH: &str = "the other side cannot be reached: there is no path for the sound";

/// What a media session tells.
#[derive(Debug)]
pub(super) enum MediaNews {
    /// The other side pressed a key.
    Digit(char),
    /// By which addresses the call can be reached, as far as that is known now.
    Gathered(Box<LocalCandidates>),
    /// The sound has found its way.
    Path,
    /// Something is wrong with the sound; the call goes on.
    Problem(String),
    /// The sound is secured.
    Secured(Secured),
    /// The sound should be secured and cannot be.
    NotSecured(SecurityFailure),
    /// How good the call is now.
    Quality(CallQuality),
}

/// What a media session is told.
pub(super) enum Order {
    Parameters(Box<MediaParameters>, Option<Box<Agreement>>, Box<CallSound>),
    Digits(String),
    Mute(bool),
    Music(HoldMusic),
}

/// The media of one call.
pub(super) struct CallMedia {
    local: SocketAddr,
    /// As it was at first.
    candidates: Option<LocalCandidates>,
    port: Port,
    orders: mpsc::Sender<Order>,
    task: JoinHandle<Option<MediaSummary>>,
}

impl CallMedia {
    /// Opens the ports on the address that the call's line uses. The card runs already, so that nobody
    /// waits for it when the call begins. Call it inside
    /// the [`MediaThread`](media_io::MediaThread), which looks after the call from then on.
    ///
    /// # Errors
    ///
    /// A sentence that says why there are none.
    pub(super) fn open(
        call: CallId,
        (ip, ports): (IpAddr, PortRange),
        certificate: DtlsIdentity,
        reach: Option<Arc<Reach>>,
        card: Option<SharedCard>,
        news: mpsc::Sender<News>,
    ) -> Result<Self, String> {
        let mut sockets = RtpSockets::bind(ip, ports).map_err(|error| match error {
            PortError::AllInUse { range } => format!(
                "all RTP ports from {range} are in use; end a call, or start the phone with a larger --rtp-ports"
            ),
            error => error.to_string(),
        })?;
        let local = sockets.rtp_address();
        if reach.is_some() {
            sockets.gather();
        }
        let candidates = sockets.local_candidates();
        let (orders, queue) = mpsc::channel(ORDERS);
        let reporter = Reporter { call, news };
        let port = Port::new();
        let call = Opening {
            sockets,
            certificate,
            reach,
            card,
            port: port.clone(),
            reporter,
        };
        let task = tokio::spawn(run(call, queue));
        Ok(Self {
            local,
            candidates,
            port,
            orders,
            task,
        })
    }

    /// Where its sound is.
    pub(super) fn port(&self) -> &Port {
        &self.port
    }

    /// Has the other side hear music while the call is on hold.
    pub(super) fn play_music(&self, music: HoldMusic) {
        self.try_order(Order::Music(music));
    }

    /// Whether the other side hears silence in place of the microphone.
    pub(super) fn mute(&self, muted: bool) {
        self.try_order(Order::Mute(muted));
    }

    /// Where RTP is received.
    pub(super) fn local(&self) -> SocketAddr {
        self.local
    }

    /// What is known from the first moment on; `None` without ICE. More comes as [`MediaNews::Gathered`].
    pub(super) fn candidates(&self) -> Option<LocalCandidates> {
        self.candidates.clone()
    }

    /// Starts the media as agreed, or changes what runs; the sound counts the first time.
    ///
    /// # Errors
    ///
    /// A sentence that says why it cannot be.
    pub(super) fn update(&self, negotiated: &Negotiated, sound: CallSound) -> Result<(), String> {
        let parameters =
            MediaParameters::from_negotiated(negotiated).map_err(|error| error.to_string())?;
        let agreement = reach::agreement(negotiated).map(Box::new);
        self.order(Order::Parameters(
            Box::new(parameters),
            agreement,
            Box::new(sound),
        ))
    }

    /// Sends digits after those that wait already.
    ///
    /// # Errors
    ///
    /// A sentence that says why it cannot be.
    pub(super) fn send_digits(&self, digits: String) -> Result<(), String> {
        self.order(Order::Digits(digits))
    }

    /// Ends the media. Afterwards the ports are free and the recording is complete.
    pub(super) async fn close(self) -> Option<MediaSummary> {
        drop(self.orders);
        // A panic has been told as a problem already.
        self.task.await.ok().flatten()
    }

    fn try_order(&self, order: Order) {
        if let Err(problem) = self.order(order) {
            tracing::warn!(%problem, "a call's media");
        }
    }

    fn order(&self, order: Order) -> Result<(), String> {
        self.orders
            .try_send(order)
            .map_err(|_| "the sound of this call is stuck".to_owned())
    }
}

/// Where news of one call go.
#[derive(Clone)]
pub(super) struct Reporter {
    call: CallId,
    news: mpsc::Sender<News>,
}

impl Reporter {
    /// Never waits: the sound of a call must not depend on who listens to its news.
    pub(super) fn tell(&self, news: MediaNews) {
        if self
            .news
            .try_send(News::Media {
                call: self.call,
                news,
            })
            .is_err()
        {
            tracing::warn!(call = %self.call, "news of a call were lost");
        }
    }
}

/// The task of one call. Ends when the orders end.
async fn run(mut call: Opening, mut orders: mpsc::Receiver<Order>) -> Option<MediaSummary> {
    let Some((first, sound)) = call.begin(&mut orders).await else {
        call.sockets.close().await;
        return None;
    };
    let Opening {
        sockets,
        certificate,
        card,
        port,
        reporter,
        ..
    } = call;
    let recording = match &sound.sink {
        Sink::File(path) => Some(path.clone()),
        Sink::Card(_) | Sink::Nowhere => None,
    };
    // A file may take seconds, and what comes in meanwhile must not be lost: keys, if nothing else.
    let mut files = None;
    if sound.uses_files() {
        files = Some(tokio::task::spawn_blocking(move || {
            OpenSound::open(&sound, card)
        }));
    } else {
        equip(&port, &reporter, OpenSound::open(&sound, card));
    }
    let options = SessionOptions {
        identity: Some(certificate),
        ..SessionOptions::default()
    };
    let (source, sink) = port.ends();
    let (session, mut events) =
        MediaSession::start(sockets, Box::new(source), Box::new(sink), options);
    let (mut first_packet, mut source, mut suite, mut path) = (None, None, None, None);
    let (mut stats, mut quality) = (session.watch_stats(), QualityNews::default());
    for order in first {
        carry_out(&session, &port, order, &reporter);
    }
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(order) => carry_out(&session, &port, order, &reporter),
                None => break,
            },
            opened = open(&mut files), if files.is_some() => {
                files = None;
                equip(&port, &reporter, opened);
            }
            Ok(()) = stats.changed() => {
                if let Some(news) = quality.look(&stats.borrow_and_update()) {
                    reporter.tell(MediaNews::Quality(news));
                }
            }
            Some(event) = events.recv() => match event {
                MediaEvent::Started { after, source: from } => {
                    first_packet = Some(after);
                    source = Some(from);
                }
                MediaEvent::Digit(digit) => reporter.tell(MediaNews::Digit(digit.as_char())),
                MediaEvent::RemoteBye => {}
                MediaEvent::Secured(secured) => {
                    suite = Some(secured.suite.name().to_owned());
                    reporter.tell(MediaNews::Secured(secured));
                }
                MediaEvent::NotSecured(failure) => reporter.tell(MediaNews::NotSecured(failure)),
                MediaEvent::Path { is_relayed, .. } => {
                    path = Some(if is_relayed { PathKind::Relayed } else { PathKind::Direct });
                    reporter.tell(MediaNews::Path);
                }
                MediaEvent::PathLost => {
                    reporter.tell(MediaNews::Problem(NO_PATH.to_owned()));
                }
                MediaEvent::Refused { reason } => reporter.tell(MediaNews::Problem(reason)),
                MediaEvent::Ended(EndCause::Stopped) => {}
                MediaEvent::Ended(EndCause::Panicked) => {
                    let text = "the sound of this call failed".to_owned();
                    reporter.tell(MediaNews::Problem(text));
                }
            },
        }
    }
    let stats = session.stop().await;
    if files.is_some() {
        // Too late to be used; nobody must find them half made afterwards.
        open(&mut files).await;
    }
    Some(MediaSummary {
        source,
        recording,
        suite,
        path,
        ..summary(&stats, first_packet)
    })
}

/// Waits for files that are being opened.
async fn open(files: &mut Option<JoinHandle<OpenSound>>) -> OpenSound {
    match files {
        Some(files) => files.await.unwrap_or_default(),
        None => std::future::pending().await,
    }
}

fn equip(port: &Port, reporter: &Reporter, sound: OpenSound) {
    for problem in sound.problems {
        reporter.tell(MediaNews::Problem(problem));
    }
    port.set_near(sound.near);
}

fn carry_out(session: &MediaSession, port: &Port, order: Order, reporter: &Reporter) {
    let done = match order {
        Order::Parameters(parameters, Some(agreement), _) => {
            session.set_parameters_by_ice(*parameters, *agreement)
        }
        Order::Parameters(parameters, None, _) => session.set_parameters(*parameters),
        Order::Digits(digits) => session.send_digits(&digits),
        Order::Mute(true) => session.set_microphone(Microphone::Muted),
        Order::Mute(false) => session.set_microphone(Microphone::Live),
        Order::Music(music) => {
            tokio::task::spawn_blocking({
                let (port, reporter) = (port.clone(), reporter.clone());
                move || match music.open() {
                    Some(Ok(player)) => port.accompany(Box::new(player)),
                    Some(Err(problem)) => reporter.tell(MediaNews::Problem(problem)),
                    None => {}
                }
            });
            Ok(())
        }
    };
    if let Err(error) = done {
        reporter.tell(MediaNews::Problem(error.to_string()));
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "jitter is a small number that is not negative"
)]
fn summary(stats: &MediaStats, first_packet: Option<Duration>) -> MediaSummary {
    let codec = stats.send_codec.or(stats.receive_codec);
    MediaSummary {
        codec: codec.map_or("none", media::Codec::name).to_owned(),
        packets_sent: stats.packets_sent,
        packets_received: stats.packets_received,
        packets_lost: stats.packets_lost,
        datagrams_dropped: stats.datagrams_dropped,
        source: None,
        jitter_us: (stats.jitter_ms * 1000.0) as u64,
        first_packet_ms: first_packet.map(millis),
        round_trip_us: stats
            .round_trip
            .map(|time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX)),
        recording: None,
        recordings: Vec::new(),
        suite: None,
        path: None,
        quality: call_quality(stats),
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
