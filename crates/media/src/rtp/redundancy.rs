//! Redundant audio data (RFC 2198): a packet that carries earlier packets once more.
//!
//! ```text
//!   header of a copy   1 | payload type (7) | timestamp offset (14) | length (10)      4 bytes, oldest first
//!   header of the last 0 | payload type (7)                                            1 byte
//!   data of the copies, then of the packet itself
//! ```
//!
//! [`Copies`] keeps what was sent and writes it into the next packet; [`blocks`] takes such a packet apart.

use std::collections::VecDeque;

/// Copies that a packet may carry; a packet with more is not ours to understand.
pub const MAX_COPIES: usize = 4;

const FOLLOWS: u8 = 0x80;
const MAX_OFFSET_TICKS: u32 = (1 << 14) - 1;
const MAX_COPY_BYTES: usize = (1 << 10) - 1;
/// A packet is not made longer than this: it has to pass every path in one piece.
const MAX_BYTES: usize = 1_200;

/// One packet's data inside another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block<'a> {
    /// What it is.
    pub payload_type: u8,
    /// How much earlier than the packet that carries it, in ticks; 0 for that packet's own.
    pub offset_ticks: u32,
    /// Codec data.
    pub payload: &'a [u8],
}

/// The blocks of a payload, oldest first; the last is the packet's own. `None` if it is malformed.
#[must_use]
pub fn blocks(payload: &[u8]) -> Option<Vec<Block<'_>>> {
    let mut headers = Vec::with_capacity(MAX_COPIES);
    let mut rest = payload;
    let own = loop {
        let (&first, after) = rest.split_first()?;
        if first & FOLLOWS == 0 {
            rest = after;
            break first;
        }
        let (&[high, middle, low], after) = after.split_first_chunk()?;
        if headers.len() == MAX_COPIES {
            return None;
        }
        let word = u32::from_be_bytes([0, high, middle, low]);
        headers.push((first & !FOLLOWS, word >> 10, word & 0x3ff));
        rest = after;
    };
    let mut blocks = Vec::with_capacity(headers.len() + 1);
    for (payload_type, offset_ticks, len) in headers {
        let (payload, after) = rest.split_at_checked(usize::try_from(len).ok()?)?;
        rest = after;
        blocks.push(Block {
            payload_type,
            offset_ticks,
            payload,
        });
    }
    blocks.push(Block {
        payload_type: own,
        offset_ticks: 0,
        payload: rest,
    });
    Some(blocks)
}

/// What was sent last, to be sent once more.
#[derive(Clone, Debug, Default)]
pub struct Copies {
    /// Oldest first: timestamp and payload.
    sent: VecDeque<(u32, Vec<u8>)>,
}

impl Copies {
    /// Writes a packet's payload with up to `copies` of those before it to `out`, and keeps it for the next.
    /// `None` if it does not fit.
    pub fn write(
        &mut self,
        payload_type: u8,
        timestamp: u32,
        payload: &[u8],
        copies: usize,
        out: &mut Vec<u8>,
    ) -> Option<()> {
        out.clear();
        let mut room = MAX_BYTES.checked_sub(1 + payload.len())?;
        let newest_first = self.sent.iter().rev().take(copies.min(MAX_COPIES));
        let mut carried: Vec<_> = newest_first
            .map_while(|(at, copy)| {
                let offset = timestamp.wrapping_sub(*at);
                let fits = offset <= MAX_OFFSET_TICKS && copy.len() <= MAX_COPY_BYTES;
                room = room.checked_sub(4 + copy.len()).filter(|_| fits)?;
                Some((offset, copy))
            })
            .collect();
        carried.reverse();
        for (offset, copy) in &carried {
            let len = u32::try_from(copy.len()).ok()?;
            out.push(FOLLOWS | payload_type);
            out.extend_from_slice(&(offset << 10 | len).to_be_bytes()[1..]);
        }
        out.push(payload_type);
        for (_, copy) in &carried {
            out.extend_from_slice(copy);
        }
        out.extend_from_slice(payload);
        self.keep(timestamp, payload);
        Some(())
    }

    /// Keeps a payload that was sent without copies.
    pub fn keep(&mut self, timestamp: u32, payload: &[u8]) {
        let mut kept = if self.sent.len() == MAX_COPIES {
            self.sent.pop_front().unwrap_or_default()
        } else {
            (0, Vec::new())
        };
        kept.0 = timestamp;
        kept.1.clear();
        kept.1.extend_from_slice(payload);
        self.sent.push_back(kept);
    }

    /// Forgets what was sent.
    pub fn clear(&mut self) {
        self.sent.clear();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_packet_carries_the_ones_before_it_oldest_first() {
        let mut copies = Copies::default();
        let mut out = Vec::new();
        for (timestamp, payload) in [(0, &b"one"[..]), (960, b"two"), (1_920, b"three")] {
            copies.write(96, timestamp, payload, 2, &mut out).unwrap();
        }
        let block = |offset_ticks, payload| Block {
            payload_type: 96,
            offset_ticks,
            payload,
        };
        let expected = [
            block(1_920, &b"one"[..]),
            block(960, b"two"),
            block(0, b"three"),
        ];
        assert_eq!(blocks(&out).unwrap(), expected);
        // 1 | 96, offset 960 = 0b00_0011_1100_0000, length 3.
        assert_eq!(out[4..8], [0xe0, 0x0f, 0x00, 0x03]);
    }

    #[test]
    fn without_copies_one_byte_is_added() {
        let mut copies = Copies::default();
        let mut out = Vec::new();
        copies.write(8, 160, &[1, 2], 0, &mut out).unwrap();
        assert_eq!(out, [8, 1, 2]);
    }

    #[test]
    fn what_is_too_old_or_too_long_is_left_out() {
        let mut copies = Copies::default();
        let mut out = Vec::new();
        copies.keep(0, b"old");
        copies.write(96, 20_000, b"new", 1, &mut out).unwrap();
        assert_eq!(blocks(&out).unwrap().len(), 1);
        copies.keep(20_960, &[0; 1_024]);
        copies.write(96, 21_920, b"new", 1, &mut out).unwrap();
        assert_eq!(blocks(&out).unwrap().len(), 1);
        copies.keep(22_880, &[0; 900]);
        copies.write(96, 23_840, &[0; 400], 1, &mut out).unwrap();
        assert_eq!(blocks(&out).unwrap().len(), 1);
        assert_eq!(copies.write(96, 0, &[0; 1_200], 1, &mut out), None);
    }

    #[test]
    fn malformed_payloads_have_no_blocks() {
        for payload in [
            &[][..],
            &[0xe0],
            &[0xe0, 0, 0, 9],
            &[0xe0, 0, 0, 9, 0x60, 1],
        ] {
            assert_eq!(blocks(payload), None, "{payload:x?}");
        }
        assert_eq!(blocks(&[[0xe0, 0, 0, 0]; 5].concat()), None, "too many");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_in_bounds(payload in proptest::collection::vec(any::<u8>(), 0..100)) {
            if let Some(blocks) = blocks(&payload) {
                prop_assert!(blocks.len() <= MAX_COPIES + 1);
                let len: usize = blocks.iter().map(|block| block.payload.len()).sum();
                prop_assert_eq!(len + 4 * (blocks.len() - 1) + 1, payload.len());
            }
        }
    }
}
