//! Digits as telephone-events (RFC 4733): sender and receiver.
//!
//! An event is a run of packets with one timestamp and a growing duration, the last of them sent
//! three times. Any one packet of the run that arrives is enough to know the digit.

use std::collections::VecDeque;

use super::{Digit, MAX_QUEUED_DIGITS, QueueFull};

/// Bytes of an event payload.
const EVENT_BYTES: usize = 4;
/// Blocks of 20 ms during which a digit sounds: 100 ms.
const TONE_BLOCKS: u16 = 5;
/// The last packet is sent this often (RFC 4733 section 2.5.1.4).
const END_COPIES: u16 = 3;
/// Blocks of audio between two digits, after the copies of the end.
const PAUSE_BLOCKS: u16 = 3;
/// Loudness in dBm0 without the sign.
const VOLUME: u8 = 10;
const END_BIT: u8 = 0x80;

/// A packet of an event that is due now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventPacket {
    /// First of the event.
    pub is_first: bool,
    /// When the event began.
    pub timestamp: u32,
    /// What to send.
    pub payload: [u8; EVENT_BYTES],
}

/// Sends digits one after another.
#[derive(Debug, Default)]
pub struct EventSender {
    queue: VecDeque<Digit>,
    current: Option<Sending>,
    pause_blocks: u16,
}

#[derive(Clone, Copy, Debug)]
struct Sending {
    digit: Digit,
    timestamp: u32,
    blocks: u16,
}

impl EventSender {
    /// Puts a digit at the end of the queue.
    ///
    /// # Errors
    ///
    /// [`QueueFull`] if too many wait already.
    pub fn push(&mut self, digit: Digit) -> Result<(), QueueFull> {
        if self.queue.len() >= MAX_QUEUED_DIGITS {
            return Err(QueueFull);
        }
        self.queue.push_back(digit);
        Ok(())
    }

    /// Forgets what is being sent and what waits.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Whether nothing is being sent or waits.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.current.is_none() && self.queue.is_empty()
    }

    /// Asked once per 20 ms block with its timestamp: the packet to send *instead of* audio, or
    /// `None` for audio. Durations count in `clock_rate_hz`.
    pub fn poll(&mut self, timestamp: u32, clock_rate_hz: u32) -> Option<EventPacket> {
        if self.pause_blocks > 0 {
            self.pause_blocks -= 1;
            return None;
        }
        let sending = match &mut self.current {
            Some(sending) => sending,
            None => {
                let digit = self.queue.pop_front()?;
                self.current.insert(Sending {
                    digit,
                    timestamp,
                    blocks: 0,
                })
            }
        };
        sending.blocks += 1;
        let sending = *sending;
        if sending.blocks == TONE_BLOCKS + END_COPIES - 1 {
            self.current = None;
            self.pause_blocks = PAUSE_BLOCKS;
        }
        Some(sending.packet(clock_rate_hz))
    }
}

impl Sending {
    fn packet(self, clock_rate_hz: u32) -> EventPacket {
        let block_ticks = u16::try_from(clock_rate_hz / 50).unwrap_or(u16::MAX);
        let duration = block_ticks.saturating_mul(self.blocks.min(TONE_BLOCKS));
        let end = if self.blocks >= TONE_BLOCKS {
            END_BIT
        } else {
            0
        };
        let [high, low] = duration.to_be_bytes();
        EventPacket {
            is_first: self.blocks == 1,
            timestamp: self.timestamp,
            payload: [self.digit.event(), end | VOLUME, high, low],
        }
    }
}

/// Recognises digits, each once.
#[derive(Debug, Default)]
pub struct EventReceiver {
    last: Option<Heard>,
}

#[derive(Clone, Copy, Debug)]
struct Heard {
    event: u8,
    timestamp: u32,
    duration: u16,
    has_ended: bool,
}

impl EventReceiver {
    /// Takes an event packet; gives the digit if this is the first packet of it that arrives.
    pub fn receive(&mut self, timestamp: u32, payload: &[u8]) -> Option<Digit> {
        let &[event, flags, high, low, ..] = payload else {
            return None;
        };
        let duration = u16::from_be_bytes([high, low]);
        let mut heard = Heard {
            event,
            timestamp,
            duration,
            has_ended: flags & END_BIT != 0,
        };
        if let Some(last) = self.last {
            let ahead = timestamp.wrapping_sub(last.timestamp).cast_signed();
            if ahead < 0 {
                // A straggler of an event that is over.
                return None;
            }
            if ahead == 0 {
                heard.duration = duration.max(last.duration);
                heard.has_ended |= last.has_ended;
                self.last = Some(heard);
                return None;
            }
            self.last = Some(heard);
            if heard.goes_on_from(last, ahead) {
                return None;
            }
        }
        self.last = Some(heard);
        Digit::from_event(event)
    }

    /// The stream started anew: its timestamps cannot be compared with earlier ones.
    pub fn restart(&mut self) {
        self.last = None;
    }
}

impl Heard {
    /// An event too long for 16 bits is sent as several segments (RFC 4733 section 2.5.1.3).
    fn goes_on_from(self, last: Self, ahead: i32) -> bool {
        let is_long = last.duration > u16::MAX / 2;
        self.event == last.event && !last.has_ended && is_long && ahead <= i32::from(u16::MAX)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::dtmf::DIGITS;

    /// The packets of `digits`, one per block that has one.
    fn packets(digits: &str, clock_rate_hz: u32) -> Vec<EventPacket> {
        let mut sender = EventSender::default();
        let mut waiting = digits.chars();
        let mut packets = Vec::new();
        let mut timestamp = 0xffff_f000_u32;
        loop {
            if sender.is_idle() {
                let Some(label) = waiting.next() else {
                    return packets;
                };
                sender.push(Digit::from_char(label).unwrap()).unwrap();
            }
            packets.extend(sender.poll(timestamp, clock_rate_hz));
            timestamp = timestamp.wrapping_add(clock_rate_hz / 50);
        }
    }

    #[test]
    fn an_event_is_five_blocks_long_and_its_end_comes_three_times() {
        let packets = packets("#", 8_000);
        let payloads: Vec<_> = packets.iter().map(|packet| packet.payload).collect();
        let expected = [
            [11, 10, 0, 160],
            [11, 10, 1, 64],
            [11, 10, 1, 224],
            [11, 10, 2, 128],
            [11, 0x8a, 3, 32],
            [11, 0x8a, 3, 32],
            [11, 0x8a, 3, 32],
        ];
        assert_eq!(payloads, expected);
        assert!(
            packets
                .iter()
                .all(|packet| packet.timestamp == packets[0].timestamp)
        );
        let firsts: Vec<_> = packets.iter().map(|packet| packet.is_first).collect();
        assert_eq!(firsts, [true, false, false, false, false, false, false]);
    }

    #[test]
    fn the_duration_counts_in_the_negotiated_clock() {
        let last = *packets("1", 48_000).last().unwrap();
        assert_eq!(last.payload[2..], 4_800_u16.to_be_bytes());
    }

    #[test]
    fn a_thousand_digits_survive_a_network_that_loses_a_fifth_and_duplicates_and_reorders() {
        let typed: String = (0..1_000).map(|n| DIGITS[n * 7 % 16]).collect();
        let mut random = 12_345_u32;
        let mut next = || {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            random >> 24
        };
        let mut received = Vec::new();
        for packet in packets(&typed, 8_000) {
            match next() {
                0..51 => {}
                51..80 => received.extend([packet, packet]),
                80..100 if !received.is_empty() => received.insert(received.len() - 1, packet),
                _ => received.push(packet),
            }
        }
        let mut receiver = EventReceiver::default();
        let heard: String = received
            .iter()
            .filter_map(|packet| receiver.receive(packet.timestamp, &packet.payload))
            .map(Digit::as_char)
            .collect();
        assert_eq!(heard, typed);
    }

    #[test]
    fn the_same_digit_twice_is_two_digits() {
        let mut receiver = EventReceiver::default();
        let heard = packets("55", 8_000)
            .iter()
            .filter_map(|packet| receiver.receive(packet.timestamp, &packet.payload))
            .count();
        assert_eq!(heard, 2);
    }

    #[test]
    fn a_key_held_for_ten_seconds_is_one_digit() {
        let mut receiver = EventReceiver::default();
        let mut heard = 0;
        let (mut timestamp, mut duration) = (1_000_u32, 0_u16);
        for _ in 0..500 {
            duration = match duration.checked_add(160) {
                Some(duration) => duration,
                None => {
                    timestamp += u32::from(duration);
                    160
                }
            };
            let [high, low] = duration.to_be_bytes();
            heard += usize::from(receiver.receive(timestamp, &[5, 10, high, low]).is_some());
        }
        assert_eq!(heard, 1);
    }

    #[test]
    fn the_queue_is_bounded_and_can_be_cleared() {
        let digit = Digit::from_char('1').unwrap();
        let mut sender = EventSender::default();
        for _ in 0..MAX_QUEUED_DIGITS {
            sender.push(digit).unwrap();
        }
        assert_eq!(sender.push(digit), Err(QueueFull));
        sender.clear();
        assert!(sender.is_idle());
        assert_eq!(sender.poll(0, 8_000), None);
    }

    proptest! {
        #[test]
        fn no_payload_panics(packets in proptest::collection::vec((any::<u32>(), proptest::collection::vec(any::<u8>(), 0..8)), 0..50)) {
            let mut receiver = EventReceiver::default();
            for (timestamp, payload) in packets {
                receiver.receive(timestamp, &payload);
            }
        }
    }
}
