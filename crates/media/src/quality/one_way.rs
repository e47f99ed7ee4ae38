//! Sound in one direction only: what is wrong, in words for a person.
//!
//! For each of the things that should be so in a call the last moment is kept at which it was so, or at which
//! it was not expected. A [`Fault`] is told once that moment lies long enough back, and no longer as soon as
//! it is so again:
//!
//! | should be so | not expected |
//! |---|---|
//! | packets come | on hold |
//! | they are more than silence | on hold, or no packets come |
//! | the microphone gives more than silence | muted, on hold |
//! | the peer's reports say that our packets come | on hold, or the peer reports nothing |
//!
//! People listen in silence. Who has been heard in a call is given more time before silence is called a fault.

use std::time::{Duration, Instant};

use sdp::Direction;

use crate::rtcp::ReportBlock;
use crate::send::Microphone;

/// How long something must be wrong.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long silence must last after there was sound in the call.
const PATIENCE_AFTER_SOUND: Duration = Duration::from_secs(30);
/// Reports in a row by which the peer does not hear us: one may have crossed with our first packets.
const DEAF_REPORTS: u32 = 2;
/// A report says something about the present for so long.
const REPORT_LASTS: Duration = Duration::from_secs(20);
/// Packets of ours between two reports from which the peer must have noticed some: a second of sound.
const PACKETS_TO_NOTICE: u64 = 50;
/// Nobody looked for so long: what was missing meanwhile says nothing.
const ASLEEP: Duration = Duration::from_secs(1);
/// Quieter is silence; the softest step of A-law is at -72 dBFS.
const SILENCE_BELOW_DBFS: f32 = -70.0;

/// Why sound goes one way only, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No packet ever came.
    NothingArrives,
    /// Packets came, but no longer do.
    StoppedArriving,
    /// The peer reports that our packets do not come.
    NotReceived,
    /// The microphone gives nothing.
    SilentMicrophone,
    /// Packets come and hold nothing but silence.
    SilentPeer,
}

/// How things are at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observation {
    /// What was agreed.
    pub direction: Direction,
    /// Whether sound of ours should be sent.
    pub microphone: Microphone,
    /// RTP packets sent so far.
    pub packets_sent: u64,
    /// RTP packets received so far.
    pub packets_received: u64,
    /// Loudness of what is captured, in dBFS.
    pub send_level_dbfs: f32,
    /// Loudness of what is played, in dBFS.
    pub receive_level_dbfs: f32,
}

/// See the module header.
#[derive(Clone, Debug)]
pub struct OneWay {
    arrives: Expected,
    is_heard: Expected,
    speaks: Expected,
    packets_received: u64,
    packets_sent: u64,
    peer: Peer,
    now: Instant,
}

/// Something that should be so again and again.
#[derive(Clone, Copy, Debug)]
struct Expected {
    /// When it was so, or was not expected.
    at: Instant,
    ever: bool,
}

/// What the peer's reports say about our packets.
#[derive(Clone, Copy, Debug, Default)]
struct Peer {
    highest_sequence: Option<u32>,
    /// Packets of ours sent at the last report.
    packets_sent: u64,
    deaf_reports: u32,
    deaf_since: Option<Instant>,
    reported_at: Option<Instant>,
}

impl Fault {
    /// One sentence for a person who does not know what a packet is.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::NothingArrives => {
                "You hear nothing: no sound arrives from the other side (firewall or wrong address)"
            }
            Self::StoppedArriving => {
                "You hear nothing: no sound arrives from the other side any more"
            }
            Self::NotReceived => "The other side does not receive you",
            Self::SilentMicrophone => "Your microphone gives only silence",
            Self::SilentPeer => "The other side sends, but only silence",
        }
    }
}

impl OneWay {
    /// Nothing is wrong yet.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        let begun = Expected {
            at: now,
            ever: false,
        };
        Self {
            arrives: begun,
            is_heard: begun,
            speaks: begun,
            packets_received: 0,
            packets_sent: 0,
            peer: Peer::default(),
            now,
        }
    }

    /// Takes note of the present; to be called several times a second.
    pub fn observe(&mut self, seen: &Observation, now: Instant) {
        if now.saturating_duration_since(self.now) > ASLEEP {
            for expected in [&mut self.arrives, &mut self.is_heard, &mut self.speaks] {
                expected.at = now;
            }
            self.peer = Peer::default();
        }
        self.now = now;
        let arrived = seen.packets_received != self.packets_received;
        self.packets_received = seen.packets_received;
        self.packets_sent = seen.packets_sent;
        let (receives, sends) = (seen.direction.receives(), seen.direction.sends());
        self.arrives.update(arrived, receives, now);
        let is_loud = seen.receive_level_dbfs >= SILENCE_BELOW_DBFS;
        let flows = receives && now.saturating_duration_since(self.arrives.at) < PATIENCE / 5;
        self.is_heard.update(flows && is_loud, flows, now);
        let is_live = sends && seen.microphone == Microphone::Live;
        let is_loud = seen.send_level_dbfs >= SILENCE_BELOW_DBFS;
        self.speaks.update(is_live && is_loud, is_live, now);
        if !sends {
            self.peer = Peer::default();
        }
    }

    /// A report of the peer came: its block about us, if it has one.
    pub fn note_report(&mut self, about_us: Option<&ReportBlock>, now: Instant) {
        let highest = about_us.map(|block| block.highest_sequence);
        let peer = &mut self.peer;
        let sent_since = self.packets_sent.saturating_sub(peer.packets_sent);
        let moved = highest.is_some() && highest != peer.highest_sequence;
        if moved {
            *peer = Peer::default();
        } else if sent_since >= PACKETS_TO_NOTICE {
            peer.deaf_reports += 1;
            peer.deaf_since.get_or_insert(now);
        }
        peer.highest_sequence = highest;
        peer.packets_sent = self.packets_sent;
        peer.reported_at = Some(now);
    }

    /// What is wrong, the worst first.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        if self.arrives.is_missing(PATIENCE, self.now) {
            return Some(if self.arrives.ever {
                Fault::StoppedArriving
            } else {
                Fault::NothingArrives
            });
        }
        if self.peer.is_deaf(self.now) {
            return Some(Fault::NotReceived);
        }
        if self.speaks.is_missing(PATIENCE_AFTER_SOUND, self.now) {
            return Some(Fault::SilentMicrophone);
        }
        self.is_heard
            .is_missing(PATIENCE_AFTER_SOUND, self.now)
            .then_some(Fault::SilentPeer)
    }
}

impl Expected {
    fn update(&mut self, is_so: bool, is_expected: bool, now: Instant) {
        self.ever |= is_so;
        if is_so || !is_expected {
            self.at = now;
        }
    }

    fn is_missing(&self, patience_after_once: Duration, now: Instant) -> bool {
        let patience = if self.ever {
            patience_after_once
        } else {
            PATIENCE
        };
        now.saturating_duration_since(self.at) >= patience
    }
}

impl Peer {
    fn is_deaf(&self, now: Instant) -> bool {
        let since = |at: Instant| now.saturating_duration_since(at);
        self.deaf_reports >= DEAF_REPORTS
            && self.deaf_since.is_some_and(|at| since(at) >= PATIENCE)
            && self.reported_at.is_some_and(|at| since(at) < REPORT_LASTS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOUD: f32 = -30.0;
    const QUIET: f32 = -72.2;

    /// A call in simulated time; each field can be broken.
    struct Call {
        one_way: OneWay,
        now: Instant,
        seen: Observation,
        /// Packets per second.
        comes: bool,
        goes: bool,
    }

    impl Call {
        fn new() -> Self {
            let now = crate::any_instant();
            Self {
                one_way: OneWay::new(now),
                now,
                seen: Observation {
                    direction: Direction::SendRecv,
                    microphone: Microphone::Live,
                    packets_sent: 0,
                    packets_received: 0,
                    send_level_dbfs: LOUD,
                    receive_level_dbfs: LOUD,
                },
                comes: true,
                goes: true,
            }
        }

        /// The fault after so much more time, in steps of a packet.
        fn after_ms(&mut self, ms: u64) -> Option<Fault> {
            for _ in 0..ms / 20 {
                self.now += Duration::from_millis(20);
                self.seen.packets_received += u64::from(self.comes);
                self.seen.packets_sent += u64::from(self.goes && self.seen.direction.sends());
                self.one_way.observe(&self.seen, self.now);
            }
            self.one_way.fault()
        }

        fn report(&mut self, highest_sequence: Option<u32>) {
            let block = highest_sequence.map(|highest_sequence| ReportBlock {
                ssrc: 1,
                fraction_lost: 0,
                cumulative_lost: 0,
                highest_sequence,
                jitter_ticks: 0,
                last_sender_report: 0,
                delay_since: 0,
            });
            self.one_way.note_report(block.as_ref(), self.now);
        }
    }

    #[test]
    fn a_call_that_works_has_no_fault() {
        let mut call = Call::new();
        for second in 1..60 {
            assert_eq!(call.after_ms(1_000), None);
            if second % 5 == 0 {
                call.report(Some(second * 50));
            }
        }
    }

    #[test]
    fn nothing_arrives_is_told_after_5_s_and_withdrawn_with_the_first_packet() {
        let mut call = Call::new();
        call.comes = false;
        assert_eq!(call.after_ms(4_980), None);
        assert_eq!(call.after_ms(20), Some(Fault::NothingArrives));
        call.comes = true;
        assert_eq!(call.after_ms(20), None);
        call.comes = false;
        assert_eq!(call.after_ms(4_980), None);
        assert_eq!(call.after_ms(20), Some(Fault::StoppedArriving));
    }

    #[test]
    fn a_call_on_hold_is_expected_to_be_silent_and_starts_anew_when_it_is_resumed() {
        for direction in [Direction::SendOnly, Direction::Inactive] {
            let mut call = Call::new();
            call.after_ms(1_000);
            call.comes = false;
            call.seen.direction = direction;
            assert_eq!(call.after_ms(60_000), None);
            call.seen.direction = Direction::SendRecv;
            assert_eq!(call.after_ms(4_980), None);
            assert_eq!(call.after_ms(20), Some(Fault::StoppedArriving));
        }
    }

    #[test]
    fn a_silent_microphone_is_told_unless_it_is_muted() {
        let mut call = Call::new();
        call.seen.send_level_dbfs = QUIET;
        assert_eq!(call.after_ms(4_980), None);
        assert_eq!(call.after_ms(20), Some(Fault::SilentMicrophone));
        call.seen.microphone = Microphone::Muted;
        assert_eq!(call.after_ms(20), None);
        assert_eq!(call.after_ms(60_000), None);
        call.seen.microphone = Microphone::Live;
        assert_eq!(call.after_ms(5_000), Some(Fault::SilentMicrophone));
        call.seen.direction = Direction::RecvOnly;
        assert_eq!(call.after_ms(20), None);
    }

    #[test]
    fn who_has_spoken_may_listen_for_half_a_minute() {
        let mut call = Call::new();
        call.after_ms(1_000);
        call.seen.send_level_dbfs = QUIET;
        call.seen.receive_level_dbfs = QUIET;
        assert_eq!(call.after_ms(29_980), None);
        assert_eq!(call.after_ms(20), Some(Fault::SilentMicrophone));
        call.seen.send_level_dbfs = LOUD;
        assert_eq!(call.after_ms(20), Some(Fault::SilentPeer));
        call.seen.receive_level_dbfs = LOUD;
        assert_eq!(call.after_ms(20), None);
    }

    #[test]
    fn a_peer_that_sends_silence_is_not_one_that_sends_nothing() {
        let mut call = Call::new();
        call.seen.receive_level_dbfs = QUIET;
        assert_eq!(call.after_ms(5_000), Some(Fault::SilentPeer));
        call.comes = false;
        assert_eq!(call.after_ms(5_000), Some(Fault::StoppedArriving));
    }

    #[test]
    fn silence_counts_only_while_packets_come() {
        let mut call = Call::new();
        call.after_ms(1_000);
        call.comes = false;
        call.seen.receive_level_dbfs = QUIET;
        call.after_ms(40_000);
        call.comes = true;
        assert_eq!(call.after_ms(20), None);
    }

    #[test]
    fn a_peer_whose_reports_do_not_name_us_does_not_receive_us() {
        let mut call = Call::new();
        call.after_ms(2_500);
        call.report(None);
        assert_eq!(call.after_ms(4_900), None, "one report is not enough");
        call.report(None);
        assert_eq!(call.after_ms(40), None);
        assert_eq!(call.after_ms(60), Some(Fault::NotReceived));
        call.report(Some(400));
        assert_eq!(call.after_ms(20), None);
        assert_eq!(call.after_ms(20_000), None);
    }

    #[test]
    fn a_peer_that_no_longer_receives_us_is_told_as_well() {
        let mut call = Call::new();
        for second in [5, 10] {
            call.after_ms(5_000);
            call.report(Some(second * 50));
        }
        call.after_ms(5_000);
        call.report(Some(500));
        call.after_ms(5_000);
        call.report(Some(500));
        assert_eq!(call.after_ms(20), Some(Fault::NotReceived));
        call.seen.direction = Direction::Inactive;
        assert_eq!(call.after_ms(20), None, "on hold it need not");
    }

    #[test]
    fn a_peer_cannot_receive_what_is_not_sent() {
        let mut call = Call::new();
        call.goes = false;
        for _ in 0..6 {
            call.after_ms(5_000);
            call.report(None);
        }
        assert_eq!(call.after_ms(20), None);
    }

    #[test]
    fn a_peer_that_stops_reporting_is_no_longer_accused() {
        let mut call = Call::new();
        for _ in 0..2 {
            call.after_ms(5_000);
            call.report(None);
        }
        assert_eq!(call.after_ms(5_000), Some(Fault::NotReceived));
        assert_eq!(call.after_ms(15_000), None);
    }

    #[test]
    fn a_machine_that_slept_starts_anew() {
        let mut call = Call::new();
        call.after_ms(4_000);
        call.now += Duration::from_secs(600);
        call.comes = false;
        assert_eq!(call.after_ms(5_000), None);
        assert_eq!(call.after_ms(20), Some(Fault::StoppedArriving));
    }

    #[test]
    fn that_nothing_arrives_is_worse_than_all_else() {
        let mut call = Call::new();
        call.comes = false;
        call.seen.send_level_dbfs = QUIET;
        for _ in 0..2 {
            call.after_ms(5_000);
            call.report(None);
        }
        assert_eq!(call.after_ms(5_000), Some(Fault::NothingArrives));
        assert!(Fault::NothingArrives.sentence().contains("firewall"));
    }
}
