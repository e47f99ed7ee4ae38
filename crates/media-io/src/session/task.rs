//! The task of one call: what it waits for, and what is done then.

use std::time::Duration;

use media::rtp::{MAX_DATAGRAM_BYTES, MediaPath};
use media::{Direction, MediaStats, Microphone, SILENCE, Session, SessionEvent, Transmit};
use stun::IceEvent;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tracing::{debug, warn};

use super::{Command, MediaEvent};
use crate::{AudioSink, AudioSource, RtpSockets};

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

/// What the task owns.
pub(super) struct Task {
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
    pub(super) fn new(
        session: Session,
        sockets: RtpSockets,
        source: Box<dyn AudioSource>,
        sink: Box<dyn AudioSink>,
        events: mpsc::Sender<MediaEvent>,
        stats: watch::Sender<MediaStats>,
    ) -> Self {
        let now = Instant::now();
        Self {
            session,
            sockets,
            source,
            sink,
            microphone: Microphone::Live,
            events,
            stats,
            next_tick: now + TICK,
            ticks: 0,
            peer_known_at: now,
            lost_events: 0,
        }
    }

    pub(super) async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
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
        let stats = self.session.stats();
        debug!(?stats, "the media of a call is over");
        self.stats.send_replace(stats);
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
