//! One task per call: sockets, pipelines and sound, driven by ticks of 5 ms.
//!
//! The task never waits for anything but its sockets, its commands and its clock: a full socket is
//! a lost packet, a full event queue a lost event. When the handle is stopped or dropped, the peer
//! gets an RTCP BYE, the sockets close and the sink is finished.
//!
//! A panic, in a codec for instance, ends the task and so the sound of this call; its owner hears
//! of it as [`EndCause::Panicked`].

mod event;
mod task;

use std::time::{SystemTime, UNIX_EPOCH};

use media::srtp::DtlsIdentity;
use media::{
    Digit, JitterConfig, MediaParameters, MediaStats, Microphone, OpusConfig, Session,
    SessionConfig,
};
use stun::Agreement;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tracing::error;

pub use self::event::{EndCause, MediaEvent, SessionError};
use self::task::Task;
use crate::{AudioSink, AudioSource, RtpSockets};

/// Commands that may wait.
const MAX_COMMANDS: usize = 128;
/// Events that may wait for the owner; further ones are lost.
const MAX_EVENTS: usize = 128;

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
        let config = SessionConfig {
            opus: options.opus,
            jitter: options.jitter,
            seed: rand::random(),
            since_unix_epoch: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default(),
            identity: options.identity,
        };
        let session = Session::new(config, Instant::now().into_std());
        let task = Task::new(session, sockets, source, sink, events.clone(), stats_sender);
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
