//! One RTP packet on the wire (RFC 3550 section 5.1), read and written by `rtp-rs`.

use rtp_rs::{RtpPacketBuilder, RtpReader, Seq};

/// Largest datagram that is read or written: an Ethernet frame's worth.
pub const MAX_DATAGRAM_BYTES: usize = 1_500;

/// The header fields that a phone uses, and the payload without padding.
///
/// Contributing sources and header extensions are skipped when reading and never written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtpPacket<'a> {
    /// What the payload is, 0–127.
    pub payload_type: u8,
    /// First packet of a talkspurt, or of an event.
    pub marker: bool,
    /// Counts packets, modulo 2^16.
    pub sequence: u16,
    /// Counts samples, modulo 2^32.
    pub timestamp: u32,
    /// Who sends.
    pub ssrc: u32,
    /// Codec data.
    pub payload: &'a [u8],
}

/// Why a datagram is not an RTP packet, or a packet cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RtpError {
    /// The sender's fault: drop it.
    #[error("malformed RTP packet of {len_bytes} bytes")]
    Malformed {
        /// Size of the datagram.
        len_bytes: usize,
    },
    /// Larger than any datagram that we take or make.
    #[error("RTP packet of {len_bytes} bytes is too large")]
    TooLarge {
        /// Size of the datagram.
        len_bytes: usize,
    },
}

impl<'a> RtpPacket<'a> {
    /// Reads one datagram.
    ///
    /// # Errors
    ///
    /// [`RtpError`] if it is no RTP packet; it should be counted and dropped.
    pub fn parse(datagram: &'a [u8]) -> Result<Self, RtpError> {
        let len_bytes = datagram.len();
        if len_bytes > MAX_DATAGRAM_BYTES {
            return Err(RtpError::TooLarge { len_bytes });
        }
        let reader = RtpReader::new(datagram).map_err(|_| RtpError::Malformed { len_bytes })?;
        Ok(Self {
            payload_type: reader.payload_type(),
            marker: reader.mark(),
            sequence: reader.sequence_number().into(),
            timestamp: reader.timestamp(),
            ssrc: reader.ssrc(),
            payload: reader.payload(),
        })
    }

    /// Writes the packet to the start of `out` and says how many bytes it took.
    ///
    /// # Errors
    ///
    /// [`RtpError::TooLarge`] if `out` is too small.
    pub fn write(&self, out: &mut [u8]) -> Result<usize, RtpError> {
        RtpPacketBuilder::new()
            .payload_type(self.payload_type & 0x7f)
            .marked(self.marker)
            .sequence(Seq::from(self.sequence))
            .timestamp(self.timestamp)
            .ssrc(self.ssrc)
            .payload(self.payload)
            .build_into(out)
            .map_err(|_| RtpError::TooLarge {
                len_bytes: RtpReader::MIN_HEADER_LEN + self.payload.len(),
            })
    }
}

/// Whether a datagram is RTCP, by its packet type (RFC 5761 section 4). Some peers send both to
/// one port without having agreed to it.
#[must_use]
pub fn is_rtcp(datagram: &[u8]) -> bool {
    matches!(datagram, [first, 192..=223, ..] if first >> 6 == 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Version 2, marker, type 96, sequence 0x1234, timestamp 0x01020304, SSRC 0xdeadbeef.
    const KNOWN: &[u8] = &[
        0x80, 0xe0, 0x12, 0x34, 0x01, 0x02, 0x03, 0x04, 0xde, 0xad, 0xbe, 0xef, 0xaa, 0xbb,
    ];

    #[test]
    fn known_bytes_are_read_and_written_alike() {
        let packet = RtpPacket::parse(KNOWN).unwrap();
        assert_eq!(
            packet,
            RtpPacket {
                payload_type: 96,
                marker: true,
                sequence: 0x1234,
                timestamp: 0x0102_0304,
                ssrc: 0xdead_beef,
                payload: &[0xaa, 0xbb],
            }
        );
        let mut out = [0; 64];
        let len = packet.write(&mut out).unwrap();
        assert_eq!(&out[..len], KNOWN);
    }

    #[test]
    fn extension_contributing_sources_and_padding_are_skipped() {
        let mut bytes = vec![0xb1, 0x00, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        bytes.extend([0, 0, 0, 9]); // one CSRC
        bytes.extend([0xbe, 0xde, 0, 1, 1, 2, 3, 4]); // extension of one word
        bytes.extend([7, 7, 7]);
        bytes.extend([0, 0, 3]); // padding of three bytes
        assert_eq!(RtpPacket::parse(&bytes).unwrap().payload, &[7, 7, 7]);
    }

    #[test]
    fn broken_headers_are_refused() {
        for bytes in [
            &KNOWN[..11],
            &[0x40; 12],                                   // version 1
            &[0x8f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],      // 15 CSRCs announced, none there
            &[0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 200], // more padding than bytes
            &[0x90, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0xff, 0xff],
        ] {
            let len_bytes = bytes.len();
            assert_eq!(
                RtpPacket::parse(bytes),
                Err(RtpError::Malformed { len_bytes })
            );
        }
        let large = vec![0x80; MAX_DATAGRAM_BYTES + 1];
        assert_eq!(
            RtpPacket::parse(&large),
            Err(RtpError::TooLarge { len_bytes: 1_501 })
        );
    }

    #[test]
    fn a_packet_that_does_not_fit_is_refused() {
        let packet = RtpPacket::parse(KNOWN).unwrap();
        assert_eq!(
            packet.write(&mut [0; 13]),
            Err(RtpError::TooLarge { len_bytes: 14 })
        );
    }

    #[test]
    fn rtcp_is_told_from_rtp_by_its_type() {
        assert!(is_rtcp(&[0x80, 200, 0, 0]));
        assert!(!is_rtcp(KNOWN));
        assert!(!is_rtcp(&[0x80]));
    }

    proptest! {
        #[test]
        fn no_bytes_panic_and_what_is_read_can_be_written(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(packet) = RtpPacket::parse(&bytes) {
                let mut out = [0; MAX_DATAGRAM_BYTES];
                let len = packet.write(&mut out).unwrap();
                prop_assert_eq!(RtpPacket::parse(&out[..len]), Ok(packet));
            }
        }
    }
}
