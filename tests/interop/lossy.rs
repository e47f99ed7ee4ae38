//! A network between a phone of somebody else and everybody else, over UDP: it passes SIP on, and of the sound it loses one packet in
//! ten, each independently of all others.
//!
//! The sound comes this way because the ports in the descriptions are changed: each side believes that the other is here.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use tokio::net::UdpSocket;
use tokio::task::JoinSet;

/// Largest datagram.
const MAX_BYTES: usize = 65_535;
/// The last packet of an event comes so often (RFC 4733 section 2.5.1.4).
const ENDS: usize = 3;
/// So many of a hundred packets are lost.
const LOSS_PERCENT: u32 = 10;

/// The network. What it does ends with it.
pub(crate) struct Lossy {
    /// Where the phone must believe its registrar.
    pub(crate) address: String,
    seen: Arc<Mutex<Seen>>,
    _tasks: JoinSet<()>,
}

/// What has come by.
struct Seen {
    /// Where each side receives sound: the phone, the others.
    sides: [Option<SocketAddr>; 2],
    /// The numbers of telephone-events in descriptions.
    event_types: BTreeSet<u8>,
    /// The numbers of Opus in descriptions.
    opus_types: BTreeSet<u8>,
    /// Packets of Opus that the phone sent, and how many of them were stereo.
    opus: u64,
    stereo: u64,
    /// Events that the phone sent, with all their packets.
    sent: Vec<Event>,
    /// What was not lost of events that the others sent to the phone.
    arrived: Vec<Event>,
    chance: ChaCha8Rng,
    packets: u64,
    lost: u64,
}

/// The packets of one timestamp.
#[derive(Clone, Copy)]
struct Event {
    timestamp: [u8; 4],
    number: u8,
    /// Packets before the last one, and how often the last one came.
    before_end: usize,
    ends: usize,
}

impl Lossy {
    /// Before a server, for one phone and its calls, one after another.
    /// `seed` says which packets are lost.
    pub(crate) async fn before(server: &str, seed: u64) -> Self {
        let [near, far, near_sound, far_sound] = [(); 4].map(|()| UdpSocket::bind("127.0.0.1:0"));
        let [near, far] = [near.await, far.await].map(|socket| socket.expect("a socket"));
        let sound = [near_sound.await, far_sound.await].map(|socket| socket.expect("a socket"));
        far.connect(server).await.expect("an address");
        let address = near.local_addr().expect("its address").to_string();
        let seen = Arc::new(Mutex::new(Seen::new(seed)));
        let mut tasks = JoinSet::new();
        let sound_ports = sound
            .each_ref()
            .map(|socket| socket.local_addr().expect("its address").port());
        let names = [address.clone(), server.to_owned()];
        tasks.spawn(pass_signalling(
            [near, far],
            names,
            sound_ports,
            seen.clone(),
        ));
        tasks.spawn(pass_sound(sound, seen.clone()));
        Self {
            address,
            seen,
            _tasks: tasks,
        }
    }

    /// How many events the phone has sent to their end.
    pub(crate) fn events_sent(&self) -> usize {
        let seen = lock(&self.seen);
        seen.sent.iter().filter(|event| event.ends >= ENDS).count()
    }

    /// The digits that the phone sent, read from all packets as RFC 4733 has it: what shares a timestamp is one.
    pub(crate) fn digits_sent(&self) -> String {
        lock(&self.seen).sent.iter().map(Event::label).collect()
    }

    /// The digits that reached the phone, read likewise from the packets that were not lost.
    pub(crate) fn digits_arrived(&self) -> String {
        lock(&self.seen).arrived.iter().map(Event::label).collect()
    }

    /// What reached the phone of each event: its digit, whether a packet before the last one did, and whether the last one did.
    pub(crate) fn arrived(&self) -> Vec<(char, bool, bool)> {
        let seen = lock(&self.seen);
        let told = |event: &Event| (event.label(), event.before_end > 0, event.ends > 0);
        seen.arrived.iter().map(told).collect()
    }

    /// Percent of the packets of Opus from the phone that are stereo.
    pub(crate) fn stereo_percent(&self) -> u64 {
        let seen = lock(&self.seen);
        seen.stereo * 100 / seen.opus.max(1)
    }

    /// Percent of the packets of sound that were lost.
    pub(crate) fn loss_percent(&self) -> u64 {
        let seen = lock(&self.seen);
        seen.lost * 100 / seen.packets.max(1)
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `near` is where the phone sends to, `far` is connected to the server; `names` are their addresses as text.
async fn pass_signalling(
    [near, far]: [UdpSocket; 2],
    [here, server]: [String; 2],
    sound_ports: [u16; 2],
    seen: Arc<Mutex<Seen>>,
) {
    let mut phone = None;
    let (mut from_phone, mut from_server) = (vec![0; MAX_BYTES], vec![0; MAX_BYTES]);
    loop {
        tokio::select! {
            Ok((len, source)) = near.recv_from(&mut from_phone) => {
                phone = Some(source);
                // Its route leads to the server, which does not know that it is here as well.
                let text = String::from_utf8_lossy(&from_phone[..len]).replace(&here, &server);
                let text = lock(&seen).redirect(&text, 0, sound_ports[1]);
                let _ = far.send(text.as_bytes()).await;
            }
            Ok(len) = far.recv(&mut from_server) => {
                let text = String::from_utf8_lossy(&from_server[..len]);
                let text = lock(&seen).redirect(&text, 1, sound_ports[0]);
                if let Some(phone) = phone {
                    let _ = near.send_to(text.as_bytes(), phone).await;
                }
            }
        }
    }
}

impl Seen {
    fn new(seed: u64) -> Self {
        Self {
            sides: [None; 2],
            event_types: BTreeSet::new(),
            opus_types: BTreeSet::new(),
            opus: 0,
            stereo: 0,
            sent: Vec::new(),
            arrived: Vec::new(),
            chance: ChaCha8Rng::seed_from_u64(seed),
            packets: 0,
            lost: 0,
        }
    }

    /// A message of a side as the other gets it: the sound is at `port`.
    fn redirect(&mut self, message: &str, side: usize, port: u16) -> String {
        let Some((head, body)) = message.split_once("\r\n\r\n") else {
            return message.to_owned();
        };
        let mut changed = String::new();
        for line in body.split_inclusive('\n') {
            if let Some(rest) = line.strip_prefix("m=audio ")
                && let Some((own, formats)) = rest.split_once(' ')
            {
                let own = own.parse().expect("a port");
                self.sides[side] = Some(SocketAddr::from(([127, 0, 0, 1], own)));
                changed += &format!("m=audio {port} {formats}");
                continue;
            }
            if let Some(format) = line.strip_prefix("a=rtpmap:")
                && let Some((number, name)) = format.split_once(' ')
            {
                let number = number.parse().expect("a number");
                if name.starts_with("telephone-event/") {
                    self.event_types.insert(number);
                } else if name.starts_with("opus/") {
                    self.opus_types.insert(number);
                }
            }
            changed += line;
        }
        let length = |line: &str| match line.split_once(':') {
            Some((name, _)) if name.eq_ignore_ascii_case("Content-Length") => {
                format!("{name}: {}", changed.len())
            }
            _ => line.to_owned(),
        };
        let head: Vec<_> = head.split("\r\n").map(length).collect();
        format!("{}\r\n\r\n{changed}", head.join("\r\n"))
    }

    /// A packet from a side: where it goes, unless it is lost.
    fn judge(&mut self, packet: &[u8], from: usize) -> Option<SocketAddr> {
        self.packets += 1;
        let is_lost = self.chance.next_u32() < u32::MAX / 100 * LOSS_PERCENT;
        self.lost += u64::from(is_lost);
        if from == 0
            && let [0x80, kind, ..] = packet
            && self.opus_types.contains(&(kind & 0x7f))
        {
            // RFC 6716 section 3.1: behind the header of RFC 3550 is the byte with the stereo flag.
            self.opus += 1;
            self.stereo += u64::from(packet.get(12).is_some_and(|toc| toc & 0x04 != 0));
        }
        if let Some(event) = self.event_of(packet) {
            if from == 0 {
                note(&mut self.sent, &event);
            } else if !is_lost {
                note(&mut self.arrived, &event);
            }
        }
        self.sides[1 - from].filter(|_| !is_lost)
    }

    /// By the figures of RFC 3550 section 5.1 and RFC 4733 section 2.3.
    fn event_of(&self, packet: &[u8]) -> Option<Event> {
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
            number @ 0..=15,
            flags,
            _,
            _,
        ] = *packet
        else {
            return None;
        };
        self.event_types.contains(&(kind & 0x7f)).then(|| Event {
            timestamp: [t3, t2, t1, t0],
            number,
            before_end: usize::from(flags >> 7 == 0),
            ends: usize::from(flags >> 7),
        })
    }
}

impl Event {
    fn label(&self) -> char {
        char::from(b"0123456789*#ABCD"[usize::from(self.number)])
    }
}

fn note(events: &mut Vec<Event>, event: &Event) {
    match events.last_mut() {
        Some(last) if last.timestamp == event.timestamp => {
            last.before_end += event.before_end;
            last.ends += event.ends;
        }
        _ => events.push(*event),
    }
}

/// Each side sends to one socket and is sent to from it.
async fn pass_sound(sockets: [UdpSocket; 2], seen: Arc<Mutex<Seen>>) {
    let (mut of_phone, mut of_others) = (vec![0; MAX_BYTES], vec![0; MAX_BYTES]);
    loop {
        let (from, len) = tokio::select! {
            Ok(len) = sockets[0].recv(&mut of_phone) => (0, len),
            Ok(len) = sockets[1].recv(&mut of_others) => (1, len),
        };
        let packet = [&of_phone, &of_others][from].get(..len).unwrap_or_default();
        let target = lock(&seen).judge(packet, from);
        if let Some(target) = target {
            let _ = sockets[1 - from].send_to(packet, target).await;
        }
    }
}
