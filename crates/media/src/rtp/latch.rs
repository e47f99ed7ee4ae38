//! Symmetric RTP: learn once where the peer really sends from, then stay there.
//!
//! A peer behind address translation announces an address that it cannot be reached at. The first
//! *consistent* source wins: the announced address by its first packet, any other by several
//! packets in a row of one SSRC with consecutive numbers. From then on every other source is
//! dropped until signalling announces another address; with SRTP every packet proves its source. Nothing is ever sent to an address that
//! was neither announced nor proven that way.
//!
//! Whoever was heard before the new announcement goes on sending for a moment (a transferor that
//! does not know yet), so that its last packets must not win the opened latch: it has to go on for
//! [`STAYING_PACKETS`], which only a peer does that announced another address and kept its own.
//!
//! Where ICE decides ([`MediaPath`]), nothing is learned here: the owner hands over only what comes from an address that
//! a check has proven, and media goes to the one that was chosen.

use std::net::SocketAddr;

use super::RtpPacket;

/// Packets in a row that prove a source at an address that was not announced.
const CONSISTENT_PACKETS: u8 = 3;

/// Packets that prove the source of before the last announcement, lost ones between them or not:
/// about three seconds.
const STAYING_PACKETS: u8 = 150;

/// What to do with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Latch {
    /// From the peer.
    Accept,
    /// From the peer, whose address is known from now on.
    Locked(SocketAddr),
    /// From somewhere else, or not proven yet.
    Drop,
}

/// Who decides where media goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MediaPath {
    /// Signalling, and the first consistent source.
    #[default]
    Latched,
    /// ICE, which has found none or has lost it: nothing is sent and nothing taken.
    Sought,
    /// ICE has chosen this address of the peer.
    Chosen(SocketAddr),
}

/// Where one peer's media comes from and goes to.
#[derive(Clone, Debug)]
pub struct SourceLatch {
    announced: SocketAddr,
    locked: Option<SocketAddr>,
    /// Where packets were taken from until the last announcement.
    former: Option<SocketAddr>,
    candidate: Option<Candidate>,
    path: MediaPath,
}

#[derive(Clone, Debug)]
struct Candidate {
    source: SocketAddr,
    ssrc: u32,
    next_sequence: u16,
    packets: u8,
}

impl SourceLatch {
    /// Open, with the address that signalling announced.
    #[must_use]
    pub fn new(announced: SocketAddr) -> Self {
        Self {
            announced,
            locked: None,
            former: None,
            candidate: None,
            path: MediaPath::Latched,
        }
    }

    /// Signalling announced an address: another one than before opens the latch again.
    pub fn announce(&mut self, announced: SocketAddr) {
        if announced != self.announced {
            *self = Self {
                former: self.locked.or(self.former),
                path: self.path,
                ..Self::new(announced)
            };
        }
    }

    /// Goes over to another way of deciding. The way back opens the latch again.
    pub fn follow(&mut self, path: MediaPath) {
        if path == MediaPath::Latched && self.path != path {
            *self = Self::new(self.announced);
        }
        self.path = path;
    }

    /// What ICE has decided, if it does.
    fn judge_by_path(&mut self, source: SocketAddr) -> Option<Latch> {
        match self.path {
            MediaPath::Latched => None,
            MediaPath::Sought => Some(Latch::Drop),
            MediaPath::Chosen(_) => Some(match self.locked.replace(source) {
                Some(_) => Latch::Accept,
                None => Latch::Locked(source),
            }),
        }
    }

    /// Whether a datagram that is no RTP may be of the peer.
    #[must_use]
    pub fn expects(&self, source: SocketAddr) -> bool {
        match self.path {
            MediaPath::Latched => source == self.locked.unwrap_or(self.announced),
            MediaPath::Sought => false,
            MediaPath::Chosen(_) => true,
        }
    }

    /// The address of the peer that ICE has chosen.
    #[must_use]
    pub fn chosen(&self) -> Option<SocketAddr> {
        match self.path {
            MediaPath::Chosen(remote) => Some(remote),
            MediaPath::Latched | MediaPath::Sought => None,
        }
    }

    /// Judges a packet that is RTP of an agreed payload type.
    pub fn judge(&mut self, source: SocketAddr, packet: &RtpPacket<'_>) -> Latch {
        if let Some(latch) = self.judge_by_path(source) {
            return latch;
        }
        if let Some(locked) = self.locked {
            return if locked == source {
                Latch::Accept
            } else {
                Latch::Drop
            };
        }
        if source != self.announced && !self.prove(source, packet) {
            return Latch::Drop;
        }
        self.candidate = None;
        self.locked = Some(source);
        Latch::Locked(source)
    }

    /// A source has proven itself by other means than its packets' numbers: by a key, or by ICE.
    pub fn lock(&mut self, source: SocketAddr) {
        self.candidate = None;
        self.locked = Some(source);
    }

    /// The address that signalling announced last.
    #[must_use]
    pub fn announced(&self) -> SocketAddr {
        self.announced
    }

    /// Where packets were taken from until the last announcement, while nothing is proven since.
    #[must_use]
    pub fn former(&self) -> Option<SocketAddr> {
        self.former.filter(|_| self.locked.is_none())
    }

    /// Judges a packet that only the peer can have made: it is taken from anywhere. The first one locks, and
    /// several in a row from elsewhere move the lock: a repeated one does not get this far.
    pub fn judge_authentic(&mut self, source: SocketAddr) -> Latch {
        if let Some(latch) = self.judge_by_path(source) {
            return latch;
        }
        if self.locked == Some(source) {
            self.candidate = None;
            return Latch::Accept;
        }
        let seen = match &self.candidate {
            Some(candidate) if candidate.source == source => candidate.packets,
            _ => 0,
        };
        if self.locked.is_some() && seen + 1 < CONSISTENT_PACKETS {
            self.candidate = Some(Candidate {
                source,
                ssrc: 0,
                next_sequence: 0,
                packets: seen + 1,
            });
            return Latch::Accept;
        }
        self.candidate = None;
        self.locked = Some(source);
        Latch::Locked(source)
    }

    /// Where to send media, if there is such a place: an unspecified address is the old way of
    /// holding (RFC 3264 section 8.4).
    #[must_use]
    pub fn target(&self) -> Option<SocketAddr> {
        let target = match self.path {
            MediaPath::Latched => self.locked.unwrap_or(self.announced),
            MediaPath::Sought => return None,
            MediaPath::Chosen(remote) => remote,
        };
        let reachable = !self.announced.ip().is_unspecified() && self.announced.port() != 0;
        reachable.then_some(target)
    }

    /// The address that packets are taken from, once it is known.
    #[must_use]
    pub fn locked(&self) -> Option<SocketAddr> {
        self.locked
    }

    fn prove(&mut self, source: SocketAddr, packet: &RtpPacket<'_>) -> bool {
        let stays = self.former == Some(source);
        let enough = if stays {
            STAYING_PACKETS
        } else {
            CONSISTENT_PACKETS
        };
        let goes_on = |candidate: &&mut Candidate| {
            candidate.source == source
                && candidate.ssrc == packet.ssrc
                && (stays || candidate.next_sequence == packet.sequence)
        };
        match self.candidate.as_mut().filter(goes_on) {
            Some(candidate) => {
                candidate.packets += 1;
                candidate.next_sequence = packet.sequence.wrapping_add(1);
                candidate.packets >= enough
            }
            None => {
                self.candidate = Some(Candidate {
                    source,
                    ssrc: packet.ssrc,
                    next_sequence: packet.sequence.wrapping_add(1),
                    packets: 1,
                });
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNOUNCED: &str = "192.0.2.1:4000";
    const TRANSLATED: &str = "198.51.100.7:61000";
    const STRANGER: &str = "203.0.113.9:4000";

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn judge(latch: &mut SourceLatch, source: &str, ssrc: u32, sequence: u16) -> Latch {
        let packet = RtpPacket {
            payload_type: 0,
            marker: false,
            sequence,
            timestamp: 0,
            ssrc,
            payload: &[],
        };
        latch.judge(address(source), &packet)
    }

    #[test]
    fn the_announced_address_locks_at_once_and_keeps_strangers_out() {
        let mut latch = SourceLatch::new(address(ANNOUNCED));
        assert_eq!(
            judge(&mut latch, ANNOUNCED, 1, 10),
            Latch::Locked(address(ANNOUNCED))
        );
        for sequence in 0..10 {
            assert_eq!(judge(&mut latch, STRANGER, 2, sequence), Latch::Drop);
        }
        assert_eq!(judge(&mut latch, ANNOUNCED, 1, 11), Latch::Accept);
        assert_eq!(latch.target(), Some(address(ANNOUNCED)));
    }

    #[test]
    fn another_address_is_learned_after_three_packets_in_a_row() {
        let mut latch = SourceLatch::new(address(ANNOUNCED));
        assert_eq!(judge(&mut latch, TRANSLATED, 1, 65_535), Latch::Drop);
        assert_eq!(
            latch.target(),
            Some(address(ANNOUNCED)),
            "nothing goes to an unproven address"
        );
        assert_eq!(judge(&mut latch, TRANSLATED, 1, 0), Latch::Drop);
        assert_eq!(
            judge(&mut latch, TRANSLATED, 1, 1),
            Latch::Locked(address(TRANSLATED))
        );
        assert_eq!(latch.target(), Some(address(TRANSLATED)));
        assert_eq!(
            judge(&mut latch, ANNOUNCED, 1, 2),
            Latch::Drop,
            "it learns once"
        );
    }

    #[test]
    fn an_inconsistent_source_never_locks() {
        let mut latch = SourceLatch::new(address(ANNOUNCED));
        for n in 0..30 {
            assert_eq!(judge(&mut latch, TRANSLATED, 1, n * 2), Latch::Drop, "gaps");
            assert_eq!(
                judge(&mut latch, STRANGER, u32::from(n), n),
                Latch::Drop,
                "changing SSRC"
            );
        }
        assert_eq!(latch.locked(), None);
    }

    #[test]
    fn only_a_new_announcement_opens_the_latch_again() {
        let mut latch = SourceLatch::new(address(ANNOUNCED));
        judge(&mut latch, ANNOUNCED, 1, 1);
        latch.announce(address(ANNOUNCED));
        assert_eq!(
            judge(&mut latch, ANNOUNCED, 1, 2),
            Latch::Accept,
            "a re-INVITE with the same address"
        );
        latch.announce(address(STRANGER));
        assert_eq!(latch.target(), Some(address(STRANGER)));
        assert_eq!(
            judge(&mut latch, STRANGER, 5, 1),
            Latch::Locked(address(STRANGER))
        );
    }

    #[test]
    fn last_packets_of_a_transferor_do_not_win_the_latch_from_the_target() {
        let mut latch = SourceLatch::new(address(ANNOUNCED));
        judge(&mut latch, ANNOUNCED, 1, 1);
        latch.announce(address(STRANGER));
        for sequence in 2..40 {
            assert_eq!(judge(&mut latch, ANNOUNCED, 1, sequence), Latch::Drop);
        }
        assert_eq!(
            judge(&mut latch, STRANGER, 5, 1),
            Latch::Locked(address(STRANGER))
        );
    }

    #[test]
    fn a_peer_that_announces_anew_and_keeps_its_source_is_heard_again() {
        let mut latch = SourceLatch::new(address(ANNOUNCED));
        for sequence in 0..3 {
            judge(&mut latch, TRANSLATED, 1, sequence);
        }
        latch.announce(address(STRANGER));
        let judged = (3_u16..).step_by(2).take(usize::from(STAYING_PACKETS));
        let last = judged.map(|n| judge(&mut latch, TRANSLATED, 1, n)).last();
        assert_eq!(last, Some(Latch::Locked(address(TRANSLATED))));
    }

    #[test]
    fn an_authentic_source_locks_at_once_and_moves_the_lock_by_going_on() {
        let mut latch = SourceLatch::new(address(ANNOUNCED));
        let [moved, old] = [TRANSLATED, ANNOUNCED].map(address);
        assert_eq!(latch.judge_authentic(old), Latch::Locked(old));
        for _ in 0..2 {
            assert_eq!(latch.judge_authentic(moved), Latch::Accept);
            assert_eq!(latch.judge_authentic(moved), Latch::Accept);
            assert_eq!(latch.target(), Some(old));
            assert_eq!(latch.judge_authentic(old), Latch::Accept);
        }
        latch.judge_authentic(moved);
        latch.judge_authentic(moved);
        assert_eq!(latch.judge_authentic(moved), Latch::Locked(moved));
        assert_eq!(latch.target(), Some(moved));

        let mut behind_nat = SourceLatch::new(old);
        assert_eq!(behind_nat.judge_authentic(moved), Latch::Locked(moved));
    }

    #[test]
    fn while_ice_seeks_nothing_is_sent_or_taken_and_then_what_it_chose_counts() {
        let [announced, chosen] = [ANNOUNCED, TRANSLATED].map(address);
        let mut latch = SourceLatch::new(announced);
        latch.follow(MediaPath::Sought);
        assert_eq!(latch.target(), None);
        assert_eq!(judge(&mut latch, ANNOUNCED, 1, 1), Latch::Drop);
        assert_eq!(latch.judge_authentic(announced), Latch::Drop);
        assert!(!latch.expects(announced));

        latch.follow(MediaPath::Chosen(chosen));
        assert_eq!(judge(&mut latch, TRANSLATED, 1, 2), Latch::Locked(chosen));
        assert_eq!(judge(&mut latch, TRANSLATED, 1, 3), Latch::Accept);
        assert_eq!(
            (latch.target(), latch.chosen()),
            (Some(chosen), Some(chosen))
        );
        latch.announce(address(STRANGER));
        assert_eq!(
            latch.target(),
            Some(chosen),
            "a new address is for the checks"
        );

        latch.follow(MediaPath::Sought);
        assert_eq!(latch.target(), None, "consent is gone");
        latch.follow(MediaPath::Latched);
        assert_eq!(latch.target(), Some(address(STRANGER)));
        assert_eq!(latch.locked(), None);
    }

    #[test]
    fn nothing_is_sent_while_the_peer_announces_no_address() {
        assert_eq!(SourceLatch::new(address("0.0.0.0:4000")).target(), None);
        assert_eq!(SourceLatch::new(address("192.0.2.1:0")).target(), None);
    }
}
