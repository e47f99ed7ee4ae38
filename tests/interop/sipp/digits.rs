//! Digits that our phone sends to sipp: read from what arrives at the port that sipp's description names, by a reader of
//! our own, with one packet in ten left out.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use tests::{free_port, until_within};
use tokio::net::UdpSocket;

use super::scenario::NOTHING;
use super::{Exchange, Side};

/// The payload type of the events in sipp's description.
const EVENTS: u8 = 97;
/// Phones that press keys at the same time, how often each does, and how many: 1,008 digits.
const PHONES: usize = 4;
const COMMANDS: usize = 4;
const DIGITS: usize = 63;
/// How long one command's digits may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// So many of a hundred packets are left out.
const LOSS_PERCENT: u32 = 10;

#[tokio::test]
async fn a_thousand_digits_that_sipp_is_sent_are_read_exactly_from_nine_of_ten_packets() {
    let exchange = Exchange::new().await;
    let [first, second, third, fourth]: [_; PHONES] =
        std::array::from_fn(|number| press(&exchange, number as u64));
    let read = tokio::join!(first, second, third, fourth);
    let all = [read.0, read.1, read.2, read.3].concat();
    assert_eq!(all.len(), PHONES * COMMANDS * DIGITS);
}

/// sipp calls a phone, which presses keys; what was read of them, which is what was pressed.
async fn press(exchange: &Exchange, number: u64) -> String {
    let user = format!("100{number}");
    let phone = exchange.our_phone(&user).await;
    let sound = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
    let port = sound.local_addr().expect("its address").port();
    let description = format!(
        "v=0\no=sipp 1 1 IN IP4 [local_ip]\ns=-\nc=IN IP4 [local_ip]\nt=0 0\nm=audio {port} RTP/AVP 0 {EVENTS}\n\
         a=rtpmap:0 PCMU/8000\na=rtpmap:{EVENTS} telephone-event/8000\na=fmtp:{EVENTS} 0-15\n"
    );
    let caller = exchange
        .alice_calls(&user)
        .calls(NOTHING, &description)
        .maybe(180)
        .expect(200)
        .ack(NOTHING)
        .hung_up_on();
    let sipp = Side::start(&exchange.server, &caller, free_port());
    phone.until_phase("connected").await;
    let mut reader = Reader::new(number);
    let mut pressed = String::new();
    for _ in 0..COMMANDS {
        let keys = reader.keys();
        phone.ok(&["dtmf", &keys]).await;
        pressed += &keys;
        until_within(PATIENCE, "the digits arrive", async || {
            reader.take(&sound);
            reader.ended >= pressed.len()
        })
        .await;
    }
    assert_eq!(reader.read(), pressed);
    let lost = reader.lost * 100 / reader.packets;
    assert!((5..=15).contains(&lost), "{lost} % were left out");
    phone.ok(&["hangup"]).await;
    sipp.ends_well().await;
    pressed
}

/// Reads telephone-events as RFC 4733 has them: packets of one timestamp are one event (section 2.3.5); an event may be known by any
/// of them, and its last packet comes three times with the E bit (section 2.5.1.4).
struct Reader {
    chance: ChaCha8Rng,
    packets: usize,
    lost: usize,
    /// Events whose end has come, left out or not.
    ended: usize,
    last_ended: Option<u32>,
    /// Timestamp and number of each event, of what was not left out.
    events: Vec<(u32, u8)>,
}

impl Reader {
    fn new(seed: u64) -> Self {
        Self {
            chance: ChaCha8Rng::seed_from_u64(seed),
            packets: 0,
            lost: 0,
            ended: 0,
            last_ended: None,
            events: Vec::new(),
        }
    }

    /// Keys in any order, with repetitions.
    fn keys(&mut self) -> String {
        let next = |_| char::from(b"0123456789*#ABCD"[self.chance.next_u32() as usize % 16]);
        (0..DIGITS).map(next).collect()
    }

    /// What has come.
    fn take(&mut self, sound: &UdpSocket) {
        let mut packet = [0; 2_048];
        while let Ok(len) = sound.try_recv(&mut packet) {
            self.look(&packet[..len]);
        }
    }

    /// The fixed header of RFC 3550 section 5.1, then the payload of RFC 4733 section 2.3.
    fn look(&mut self, packet: &[u8]) {
        self.packets += 1;
        let is_lost = self.chance.next_u32() % 100 < LOSS_PERCENT;
        self.lost += usize::from(is_lost);
        let [
            0x80,
            kind,
            _,
            _,
            t3,
            t2,
            t1,
            t0,
            _,
            _,
            _,
            _,
            event,
            flags,
            _,
            _,
        ] = *packet
        else {
            return;
        };
        if kind & 0x7f != EVENTS {
            return;
        }
        let timestamp = u32::from_be_bytes([t3, t2, t1, t0]);
        if flags & 0x80 != 0 && self.last_ended.replace(timestamp) != Some(timestamp) {
            self.ended += 1;
        }
        let is_known = self
            .events
            .last()
            .is_some_and(|(known, _)| *known == timestamp);
        if !is_lost && !is_known {
            self.events.push((timestamp, event));
        }
    }

    fn read(&self) -> String {
        let label =
            |(_, event): &(u32, u8)| char::from(b"0123456789*#ABCD"[usize::from(event % 16)]);
        self.events.iter().map(label).collect()
    }
}
