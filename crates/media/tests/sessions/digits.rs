//! Digits as telephone-events (RFC 4733) over bad networks.

use std::time::Duration;

use media::{Codec, Digit, MediaParameters, Microphone};

use crate::world::*;

/// What lasts longer than a digit of ours is a mistake: 250 ms.
const LONGEST_DIGIT_MS: u32 = 250;

/// A thousand keys, each of the sixteen in an order of its own, with repetitions.
fn thousand() -> String {
    let labels = b"0123456789*#ABCD";
    let mut state = 1_u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(labels[(state >> 28) as usize])
    };
    (0..1_000).map(next).collect()
}

fn bad() -> Network {
    Network {
        loss_percent: 10,
        duplicate_percent: 5,
        delay_ms: 20,
        jitter_ms: 30,
        ..Network::default()
    }
}

#[test]
fn a_thousand_digits_arrive_through_loss_while_both_talk() {
    let mut world = World::new(bad(), Codec::Pcma);
    let typed = thousand();
    world.press(&typed);
    assert_eq!(world.parties[1].digits(), typed);
}

/// An event as it is on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Event {
    sequence: u16,
    marker: bool,
    timestamp: u32,
    number: u8,
    is_end: bool,
    duration: u16,
}

/// Reads a datagram by the figures of RFC 3550 section 5.1 and RFC 4733 section 2.3, with nothing of ours.
fn event_of(datagram: &[u8]) -> Option<Event> {
    let &[
        0x80,
        kind,
        s1,
        s0,
        t3,
        t2,
        t1,
        t0,
        _,
        _,
        _,
        _,
        number,
        flags,
        d1,
        d0,
    ] = datagram
    else {
        return None;
    };
    (kind & 0x7f == EVENT_PAYLOAD_TYPE).then(|| Event {
        sequence: u16::from_be_bytes([s1, s0]),
        marker: kind & 0x80 != 0,
        timestamp: u32::from_be_bytes([t3, t2, t1, t0]),
        number,
        is_end: flags & 0x80 != 0,
        duration: u16::from_be_bytes([d1, d0]),
    })
}

/// The events of a capture: packets of one timestamp belong together.
fn events_of(sent: &[Vec<u8>]) -> Vec<Vec<Event>> {
    let mut events: Vec<Vec<Event>> = Vec::new();
    for event in sent.iter().filter_map(|datagram| event_of(datagram)) {
        match events.last_mut() {
            Some(last) if last[0].timestamp == event.timestamp => last.push(event),
            _ => events.push(vec![event]),
        }
    }
    events
}

fn labels_of(events: &[Vec<Event>]) -> String {
    let labels = b"0123456789*#ABCD";
    let label = |event: &Vec<Event>| char::from(labels[usize::from(event[0].number)]);
    events.iter().map(label).collect()
}

#[test]
fn what_is_sent_for_a_thousand_digits_is_read_from_a_capture_also_with_packets_missing() {
    for (codec, digits) in [(Codec::Pcmu, 1_000), (Codec::Opus, 50)] {
        let mut world = World::new(Network::default(), codec);
        let typed = &thousand()[..digits];
        world.press(typed);
        let sent: Vec<_> = std::mem::take(&mut world.parties[0].sent)
            .into_iter()
            .map(|(_, bytes)| bytes)
            .collect();
        let events = events_of(&sent);
        assert_eq!(labels_of(&events), typed);
        for event in &events {
            assert_well_formed(event, codec.clock_rate_hz());
        }
        // One in ten is lost, and runs of five, of which no event consists.
        for lost in [
            |n: usize| n % 10 == 3,
            |n: usize| n % 50 < 5,
            |n: usize| n * 7_919 % 101 < 20,
        ] {
            let arrived: Vec<_> = (0..)
                .zip(&sent)
                .filter(|(n, _)| !lost(*n))
                .map(|(_, bytes)| bytes.clone())
                .collect();
            assert_eq!(labels_of(&events_of(&arrived)), typed);
        }
    }
}

/// RFC 4733 sections 2.5.1.2 to 2.5.1.4: the first packet has the marker, durations grow, the end is said three times.
fn assert_well_formed(event: &[Event], clock_rate_hz: u32) {
    let numbers = event.iter().map(|packet| packet.number);
    assert!(numbers.clone().all(|number| number == event[0].number));
    let markers: Vec<_> = event.iter().map(|packet| packet.marker).collect();
    assert!(markers[0] && markers[1..].iter().all(|marker| !marker));
    for pair in event.windows(2) {
        assert_eq!(pair[1].sequence, pair[0].sequence.wrapping_add(1));
        assert!(pair[1].duration > pair[0].duration || pair[0].is_end);
        assert!(pair[1].is_end || !pair[0].is_end);
    }
    let ends: Vec<_> = event.iter().filter(|packet| packet.is_end).collect();
    assert_eq!(ends.len(), 3, "{event:?}");
    assert!(ends.iter().all(|end| end.duration == ends[0].duration));
    let longest = clock_rate_hz * LONGEST_DIGIT_MS / 1_000;
    assert!((1..=longest).contains(&u32::from(ends[0].duration)));
}

#[test]
fn digits_go_as_tones_to_a_peer_without_events_and_are_recognised_even_while_muted() {
    for codec in [Codec::Pcmu, Codec::Opus] {
        let mut world = World::idle(Network::default());
        let without = |remote| MediaParameters {
            send_event: None,
            receive_events: Vec::new(),
            ..parameters(codec, remote)
        };
        world.agree(without(BOB), without(ALICE));
        world.run(Duration::from_secs(1));
        let microphones = [Microphone::Live, Microphone::Muted].into_iter().cycle();
        for (label, microphone) in "159D*0".chars().zip(microphones) {
            let session = &mut world.parties[0].session;
            session.set_microphone(microphone);
            session
                .send_digit(Digit::from_char(label).unwrap())
                .unwrap();
            world.run(Duration::from_millis(300));
        }
        assert_eq!(world.parties[1].digits(), "159D*0", "{codec:?}");
    }
}
