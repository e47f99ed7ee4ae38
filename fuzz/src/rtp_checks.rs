//! What comes in by RTP: packets and what they carry, reports, digits.

use media::dtmf::{EventReceiver, EventSender};
use media::jitter::AudioPacket;
use media::rtcp::{Leaving, Received, parse, write_extended};
use media::rtp::{DatagramKind, MAX_COPIES, MAX_DATAGRAM_BYTES, RtpPacket, blocks};
use media::{Codec, Digit};

use crate::input::Input;

/// A datagram on the port of the sound: what is read can be written and read again, and the packets within it are in bounds.
pub fn packet(data: &[u8]) {
    let _ = DatagramKind::of(data);
    let Ok(packet) = RtpPacket::parse(data) else {
        return;
    };
    let mut out = [0; MAX_DATAGRAM_BYTES];
    let len = packet.write(&mut out).expect("it was no longer before");
    assert_eq!(RtpPacket::parse(&out[..len]), Ok(packet));

    let Some(blocks) = blocks(packet.payload) else {
        return;
    };
    assert!(blocks.len() <= MAX_COPIES + 1);
    let len: usize = blocks.iter().map(|block| block.payload.len()).sum();
    assert_eq!(len + 4 * (blocks.len() - 1) + 1, packet.payload.len());
    for block in blocks {
        for codec in Codec::ALL {
            let audio = AudioPacket::new(codec, &packet, block, 7);
            let longest = codec.clock_rate_hz() * 120 / 1_000;
            assert!(audio.is_none_or(|audio| (1..=longest).contains(&audio.duration_ticks)));
            let _ = codec.mends(block.payload);
        }
    }
}

/// A datagram on the port of the reports, extended ones included: what is read can be written and read again.
pub fn report(data: &[u8]) {
    let Ok(received) = parse(data) else {
        return;
    };
    for part in &received {
        let Received::Report(report) = part else {
            continue;
        };
        let metrics = received.iter().find_map(|part| match part {
            Received::VoipMetrics(metrics) => Some(*metrics),
            _ => None,
        });
        let written = write_extended(report, metrics, "name", Leaving::Yes).expect("it was read");
        let expected = [
            Some(part.clone()),
            metrics.map(Received::VoipMetrics),
            Some(Received::Bye { ssrc: report.ssrc }),
        ];
        let expected: Vec<_> = expected.into_iter().flatten().collect();
        assert_eq!(parse(&written), Ok(expected));
    }
}

/// Event packets of any content: what repeats a timestamp tells nothing new. `data`: timestamp and payload of each.
pub fn events(data: &[u8]) {
    let mut input = Input::new(data);
    let mut receiver = EventReceiver::default();
    let mut last = None;
    while !input.is_empty() {
        let timestamp = input.word();
        let payload = input.bytes();
        let told = receiver.receive(timestamp, payload);
        assert!(told.is_none() || last != Some(timestamp));
        if payload.len() >= 4 {
            last = Some(timestamp);
        }
    }
}

/// Digits of ours over a network that loses and repeats packets: of which one packet arrives, that is heard, once.
/// `data`: clock, first timestamp, then a digit and what becomes of its packets.
pub fn digits(data: &[u8]) {
    let mut input = Input::new(data);
    let clock_rate_hz = input.one_of(&[8_000, 16_000, 48_000]);
    let mut timestamp = input.word();
    let (mut sender, mut receiver) = (EventSender::default(), EventReceiver::default());
    let (mut expected, mut heard) = (Vec::new(), Vec::new());
    while !input.is_empty() {
        let digit = Digit::from_event(input.byte() % 16).expect("there are sixteen");
        sender.push(digit).expect("none waits");
        let mut fate = input.short();
        let mut has_arrived = false;
        let mut is_over = false;
        // Until the audio after the digit.
        while !is_over || !sender.is_idle() {
            timestamp = timestamp.wrapping_add(clock_rate_hz / 50);
            let Some(packet) = sender.poll(timestamp, clock_rate_hz) else {
                is_over |= sender.is_idle();
                continue;
            };
            for _ in 0..[0, 1, 1, 2][usize::from(fate & 3)] {
                has_arrived = true;
                heard.extend(receiver.receive(packet.timestamp, &packet.payload));
            }
            fate >>= 2;
        }
        expected.extend(has_arrived.then_some(digit));
    }
    assert_eq!(heard, expected);
}
