//! One task per call: sockets, pipelines and sound, driven by ticks of 5 ms.
//!
//! The task never waits for anything but its sockets, its commands and its clock: a full socket is
//! a lost packet, a full event queue a lost event. When the handle is stopped or dropped, the peer
//! gets an RTCP BYE, the sockets close and the sink is finished.
//!
//! A panic, in a codec for instance, ends the task and so the sound of this call; its owner hears
//! of it as [`EndCause::Panicked`].

use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use media::rtp::{MAX_DATAGRAM_BYTES, MediaPath};
use media::srtp::DtlsIdentity;
use media::{
    Digit, Direction, JitterConfig, MediaParameters, MediaStats, Microphone, OpusConfig, SILENCE,
    Secured, SecurityFailure, Session, SessionConfig, SessionEvent, Transmit,
};
use stun::{Agreement, IceEvent};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tracing::{debug, error, warn};

use crate::{AudioSink, AudioSource, RtpSockets};

/// Commands that may wait.
const MAX_COMMANDS: usize = 128;
/// Events that may wait for the owner; further ones are lost.
const MAX_EVENTS: usize = 128;
/// Datagrams read in one go before the clock is looked at again.
const MAX_DRAIN: usize = 64;
/// A clock that is further behind than this was stopped, not late: the machine slept.
const MAX_BEHIND: Duration = Duration::from_millis(500);
/// How often the sound cards are looked at: half a frame, so that captured sound leaves soon after
/// it is there.
const TICK: Duration = Duration::from_millis(5);
const TICKS_PER_FRAME: u32 = 2;
/// Ticks between two snapshots of the statistics.
const TICKS_PER_STATS: u32 = 100;

/// How a session encodes and plays.
#[derive(Clone, Debug, Default)]
pub struct SessionOptions {
    /// How to encode Opus.
    pub opus: OpusConfig,
    /// Bounds of the play-out delay.
    pub jitter: JitterConfig,
    /// The certificate for DTLS-SRTP; see [`new_identity`](crate::new_identity).
    pub identity: Option<DtlsIdentity>,
}

/// News of a session.
#[derive(Clone, Debug, PartialEq)]
pub enum MediaEvent {
    /// The peer's first packet came.
    Started {
        /// From where.
        source: SocketAddr,
        /// So long after the session knew its peer.
        after: Duration,
    },
    /// The peer pressed a key.
    Digit(Digit),
    /// The peer's stream says that it is over.
    RemoteBye,
    /// Both directions are secured from now on.
    Secured(Secured),
    /// Secured media was agreed and cannot be: there is no sound.
    NotSecured(SecurityFailure),
    /// ICE has found where media goes from now on.
    Path {
        /// The peer's address.
        remote: SocketAddr,
        /// By our TURN server.
        is_relayed: bool,
    },
    /// No path works, or the one in use does not any longer: nothing is sent until there is another.
    PathLost,
    /// A command could not be carried out; the session goes on as before.
    Refused {
        /// As a sentence.
        reason: String,
    },
    /// The last event.
    Ended(EndCause),
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndCause {
    /// Its owner stopped it.
    Stopped,
    /// A mistake of ours; the call has no sound any more.
    Panicked,
}

/// Why a command was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The session is over.
    #[error("the media session is over")]
    Ended,
    /// Too many commands wait.
    #[error("the media session is busy")]
    Busy,
    /// Not a key of a telephone.
    #[error("{label:?} is no digit")]
    NotADigit {
        /// What was given.
        label: char,
    },
}

/// The handle of one call's media. Dropping it stops the session.
#[derive(Debug)]
pub struct MediaSession {
    commands: mpsc::Sender<Command>,
    stats: watch::Receiver<MediaStats>,
    supervisor: JoinHandle<()>,
}

#[derive(Debug)]
enum Command {
    SetParameters(Box<MediaParameters>, Option<Box<Agreement>>),
    SetMicrophone(Microphone),
    SendDigit(Digit),
}

impl MediaSession {
    /// Starts the task. It sends nothing and listens to nobody before
    /// [`MediaSession::set_parameters`]; until then sound cards run and files wait.
    ///
    /// Must be called inside a tokio runtime.
    #[must_use]
    pub fn start(
        sockets: RtpSockets,
        source: Box<dyn AudioSource>,
        sink: Box<dyn AudioSink>,
        options: SessionOptions,
    ) -> (Self, mpsc::Receiver<MediaEvent>) {
        let (commands, command_queue) = mpsc::channel(MAX_COMMANDS);
        let (events, event_queue) = mpsc::channel(MAX_EVENTS);
        let (stats_sender, stats) = watch::channel(MediaStats::default());
        let now = Instant::now();
        let config = SessionConfig {
            opus: options.opus,
            jitter: options.jitter,
            seed: rand::random(),
            since_unix_epoch: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default(),
            identity: options.identity,
        };
        let task = Task {
            session: Session::new(config, now.into_std()),
            sockets,
            source,
            sink,
            microphone: Microphone::Live,
            events: events.clone(),
            stats: stats_sender,
            next_tick: now + TICK,
            ticks: 0,
            peer_known_at: now,
            lost_events: 0,
        };
        let running = tokio::spawn(task.run(command_queue));
        let supervisor = tokio::spawn(async move {
            let cause = match running.await {
                Ok(()) => EndCause::Stopped,
                Err(failure) => {
                    error!(%failure, "the media of a call failed");
                    EndCause::Panicked
                }
            };
            let _ = events.try_send(MediaEvent::Ended(cause));
        });
        (
            Self {
                commands,
                stats,
                supervisor,
            },
            event_queue,
        )
    }

    /// Carries out what offer and answer agreed: the start, hold, resume, another codec or address.
    ///
    /// # Errors
    ///
    /// [`SessionError`] if the session is over or busy.
    pub fn set_parameters(&self, parameters: MediaParameters) -> Result<(), SessionError> {
        self.command(Command::SetParameters(Box::new(parameters), None))
    }

    /// The same, if both sides do ICE: media then goes where the checks find that it can. Without
    /// [`RtpSockets::gather`] it goes to the announced address all the same.
    ///
    /// # Errors
    ///
    /// [`SessionError`] if the session is over or busy.
    pub fn set_parameters_by_ice(
        &self,
        parameters: MediaParameters,
        agreement: Agreement,
    ) -> Result<(), SessionError> {
        self.command(Command::SetParameters(
            Box::new(parameters),
            Some(Box::new(agreement)),
        ))
    }

    /// Whether the microphone reaches the peer.
    ///
    /// # Errors
    ///
    /// [`SessionError`] if the session is over or busy.
    pub fn set_microphone(&self, microphone: Microphone) -> Result<(), SessionError> {
        self.command(Command::SetMicrophone(microphone))
    }

    /// Sends digits one after another. If the peer takes none, [`MediaEvent::Refused`] says so.
    ///
    /// # Errors
    ///
    /// [`SessionError::NotADigit`] before anything is sent, or if the session is over or busy.
    pub fn send_digits(&self, labels: &str) -> Result<(), SessionError> {
        let digit = |label| Digit::from_char(label).ok_or(SessionError::NotADigit { label });
        let digits = labels.chars().map(digit).collect::<Result<Vec<_>, _>>()?;
        digits
            .into_iter()
            .try_for_each(|digit| self.command(Command::SendDigit(digit)))
    }

    /// What was counted, at most half a second old.
    #[must_use]
    pub fn stats(&self) -> MediaStats {
        self.stats.borrow().clone()
    }

    /// The statistics as they change, for a meter.
    #[must_use]
    pub fn watch_stats(&self) -> watch::Receiver<MediaStats> {
        self.stats.clone()
    }

    /// Ends the session and gives the last statistics. Recordings are complete afterwards.
    ///
    /// Not safe to cancel if the statistics are wanted; the session ends in any case.
    pub async fn stop(self) -> MediaStats {
        drop(self.commands);
        // The supervisor does not panic; if the runtime is going down there is nothing to wait for.
        let _ = self.supervisor.await;
        self.stats.borrow().clone()
    }

    fn command(&self, command: Command) -> Result<(), SessionError> {
        self.commands
            .try_send(command)
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => SessionError::Busy,
                mpsc::error::TrySendError::Closed(_) => SessionError::Ended,
            })
    }
}

/// What the task owns.
struct Task {
    session: Session,
    sockets: RtpSockets,
    source: Box<dyn AudioSource>,
    sink: Box<dyn AudioSink>,
    microphone: Microphone,
    events: mpsc::Sender<MediaEvent>,
    stats: watch::Sender<MediaStats>,
    next_tick: Instant,
    ticks: u32,
    peer_known_at: Instant,
    lost_events: u64,
}

impl Task {
    async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        loop {
            let mut due = self
                .next_tick
                .min(Instant::from_std(self.session.poll_timeout()));
            if let Some(check) = self.sockets.ice_deadline() {
                due = due.min(check);
            }
            tokio::select! {
                biased;
                command = commands.recv() => match command {
                    Some(command) => self.handle_command(command),
                    None => break,
                },
                // Not while a tick is due: a flood of datagrams must not starve the clock.
                _ = self.sockets.rtp.readable(), if self.next_tick > Instant::now() => self.drain(),
                _ = self.sockets.rtcp.readable(), if self.next_tick > Instant::now() => self.drain(),
                () = tokio::time::sleep_until(due) => self.handle_time(),
            }
            self.send_handshake();
            self.drive_ice();
            self.pass_events_on();
        }
        self.end().await;
    }

    async fn end(mut self) {
        let is_shared = self.session.has_rtcp_mux();
        if let Some(bye) = self.session.leave(Instant::now().into_std()) {
            transmit_rtcp(&mut self.sockets, is_shared, bye);
        }
        self.stats.send_replace(self.session.stats());
        let Self {
            sockets,
            mut sink,
            lost_events,
            ..
        } = self;
        sockets.close().await;
        if lost_events > 0 {
            warn!(
                event.lost = lost_events,
                "news of a media session were not read"
            );
        }
        // May wait for a disk.
        let _ = tokio::task::spawn_blocking(move || sink.finish()).await;
    }

    fn handle_command(&mut self, command: Command) {
        let refused = match command {
            Command::SetParameters(parameters, agreement) => {
                if self.session.direction().is_none() {
                    self.peer_known_at = Instant::now();
                }
                let done = self
                    .session
                    .set_parameters(*parameters, Instant::now().into_std());
                let path = self
                    .sockets
                    .start_ice(agreement.map(|agreement| *agreement));
                self.session.set_path(path);
                done.err().map(|error| error.to_string())
            }
            Command::SetMicrophone(microphone) => {
                self.microphone = microphone;
                self.session.set_microphone(microphone);
                None
            }
            Command::SendDigit(digit) => self
                .session
                .send_digit(digit)
                .err()
                .map(|error| error.to_string()),
        };
        if let Some(reason) = refused {
            self.push_event(MediaEvent::Refused { reason });
        }
    }

    /// Reads what has come, without waiting.
    fn drain(&mut self) {
        let mut buffer = [0; MAX_DATAGRAM_BYTES + 1];
        for _ in 0..MAX_DRAIN {
            let Ok((len, source)) = self.sockets.rtp.try_recv_from(&mut buffer) else {
                break;
            };
            if let Some((datagram, source)) = self.sockets.sort(&buffer[..len], source) {
                self.session
                    .handle_rtp(&datagram, source, Instant::now().into_std());
            }
        }
        for _ in 0..MAX_DRAIN {
            let Ok((len, source)) = self.sockets.rtcp.try_recv_from(&mut buffer) else {
                break;
            };
            self.session
                .handle_rtcp(&buffer[..len], source, Instant::now().into_std());
        }
    }

    fn handle_time(&mut self) {
        // What came before the tick counts for it, also if this task was late.
        self.drain();
        let now = Instant::now();
        if now.saturating_duration_since(self.next_tick) > MAX_BEHIND {
            debug!("the media clock stood still");
            self.next_tick = now;
        }
        while self.next_tick <= now {
            self.tick();
            self.next_tick += TICK;
        }
        let is_shared = self.session.has_rtcp_mux();
        if let Some(report) = self.session.poll_rtcp(now.into_std()) {
            transmit_rtcp(&mut self.sockets, is_shared, report);
        }
    }

    fn drive_ice(&mut self) {
        while let Some(event) = self.sockets.drive_ice() {
            match event {
                IceEvent::Path { remote, is_relayed } => {
                    self.session.set_path(MediaPath::Chosen(remote));
                    self.push_event(MediaEvent::Path { remote, is_relayed });
                }
                IceEvent::Lost => {
                    self.session.set_path(MediaPath::Sought);
                    self.push_event(MediaEvent::PathLost);
                }
                IceEvent::Failed(error) => {
                    let reason = error.to_string();
                    self.push_event(MediaEvent::Refused { reason });
                }
                IceEvent::Gathered => {}
            }
        }
    }

    fn send_handshake(&mut self) {
        while let Some(datagram) = self.session.poll_handshake(Instant::now().into_std()) {
            self.sockets.send_rtp(datagram);
        }
    }

    /// 5 ms of both clocks. The moment is the nominal one, so that a task woken late plays on evenly.
    fn tick(&mut self) {
        let at = self.next_tick.into_std();
        self.ticks = self.ticks.wrapping_add(1);
        let passed = usize::from(self.ticks.is_multiple_of(TICKS_PER_FRAME));
        let direction = self.session.direction();
        if direction.is_some() {
            for _ in 0..self.sink.frames_due(passed) {
                let mut frame = SILENCE;
                self.session.play(&mut frame, at);
                self.sink.write(&frame);
            }
        }
        if direction.is_some_and(Direction::sends) {
            self.capture(passed);
        } else {
            self.source.discard();
            for _ in 0..passed {
                self.session.capture(&SILENCE);
            }
        }
        if self.ticks.is_multiple_of(TICKS_PER_STATS) {
            self.stats.send_replace(self.session.stats());
        }
    }

    fn capture(&mut self, passed: usize) {
        let is_muted = self.microphone == Microphone::Muted;
        let due = if is_muted {
            passed
        } else {
            self.source.frames_due(passed)
        };
        for _ in 0..due {
            let mut frame = SILENCE;
            if is_muted {
                self.source.discard();
            } else {
                self.source.read(&mut frame);
            }
            if let Some(packet) = self.session.capture(&frame) {
                self.sockets.send_rtp(packet);
            }
        }
    }

    fn pass_events_on(&mut self) {
        while let Some(event) = self.session.poll_event() {
            self.push_event(match event {
                SessionEvent::Started { source } => MediaEvent::Started {
                    source,
                    after: self.peer_known_at.elapsed(),
                },
                SessionEvent::Digit(digit) => MediaEvent::Digit(digit),
                SessionEvent::RemoteBye => MediaEvent::RemoteBye,
                SessionEvent::Secured(secured) => MediaEvent::Secured(secured),
                SessionEvent::NotSecured(failure) => MediaEvent::NotSecured(failure),
            });
        }
    }

    fn push_event(&mut self, event: MediaEvent) {
        // The last place is kept for the end.
        if self.events.capacity() <= 1 || self.events.try_send(event).is_err() {
            self.lost_events += 1;
        }
    }
}

/// Reports leave from where the peer sends its own to.
fn transmit_rtcp(sockets: &mut RtpSockets, is_shared: bool, report: Transmit<'_>) {
    if is_shared {
        sockets.send_rtp(report);
    } else {
        sockets.send_rtcp(report);
    }
}
