//! What a datagram on a media port is, by its first byte (RFC 7983) and, for RTCP, its second (RFC 5761 section 4).

use super::is_rtcp;

/// A kind of datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatagramKind {
    /// 0–3.
    Stun,
    /// 20–63.
    Dtls,
    /// 128–191, packet types 192–223.
    Rtcp,
    /// 128–191 otherwise.
    Rtp,
    /// Nothing that belongs here.
    Other,
}

impl DatagramKind {
    /// Looks at the first bytes.
    #[must_use]
    pub fn of(datagram: &[u8]) -> Self {
        match datagram {
            [0..=3, ..] => Self::Stun,
            [20..=63, ..] => Self::Dtls,
            [128..=191, ..] if is_rtcp(datagram) => Self::Rtcp,
            [128..=191, ..] => Self::Rtp,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_tells_and_the_gaps_belong_to_nobody() {
        for (first, second, kind) in [
            (0, 1, DatagramKind::Stun),
            (3, 0, DatagramKind::Stun),
            (4, 0, DatagramKind::Other),
            (19, 0, DatagramKind::Other),
            (20, 254, DatagramKind::Dtls),
            (63, 254, DatagramKind::Dtls),
            (64, 0, DatagramKind::Other),
            (127, 0, DatagramKind::Other),
            (128, 0, DatagramKind::Rtp),
            (191, 191, DatagramKind::Rtp),
            (128, 192, DatagramKind::Rtcp),
            (191, 223, DatagramKind::Rtcp),
            (128, 224, DatagramKind::Rtp),
            (192, 200, DatagramKind::Other),
        ] {
            assert_eq!(DatagramKind::of(&[first, second]), kind, "{first} {second}");
        }
        assert_eq!(DatagramKind::of(&[]), DatagramKind::Other);
    }
}
