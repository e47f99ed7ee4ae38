//! Telephones that talk without pause: 50 packets of 160 bytes a second each, over sockets of their own.
//!
//! First a line with the addresses of caller and callee of each call; then a line is read that says where each is
//! to send to. After a second of talk, and when the time is up, a line says so with the packets sent so far: the
//! moments between which others look at the relay. The last line says what arrived.

use std::io::{self, Write};
use std::net::{SocketAddr, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use media::rtp::{RtpPacket, is_rtcp};
use media::srtp::SrtpSession;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use serde_json::json;

use crate::relay::key_of_callers;

/// Between two packets of one party.
const SPACING: Duration = Duration::from_millis(20);

/// Talk before it counts.
const WARM_UP: Duration = Duration::from_secs(1);

/// How long the last packets may take.
const LINGER: Duration = Duration::from_millis(500);

/// How much talk.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// How many calls.
    #[arg(long)]
    calls: usize,
    /// For how long it counts.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// How often is looked who has to send, in microseconds: what is due meanwhile leaves in one go.
    #[arg(long, default_value_t = 1_000)]
    tick_us: u64,
    /// Callers send SRTP; nobody opens what it hears.
    #[arg(long)]
    secured: bool,
}

struct Party {
    socket: UdpSocket,
    target: SocketAddr,
    sequence: u16,
    next: Instant,
    srtp: Option<SrtpSession>,
}

/// All parties.
struct Voices {
    parties: Vec<Party>,
    epoll: Epoll,
    tick: Duration,
    sent: u64,
    received: u64,
    refused: u64,
}

/// Talks, and says what came of it.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let sockets = (0..arguments.calls * 2)
        .map(|_| UdpSocket::bind("127.0.0.1:0"))
        .collect::<io::Result<Vec<_>>>()?;
    let addresses = sockets
        .iter()
        .map(UdpSocket::local_addr)
        .collect::<io::Result<Vec<_>>>()?;
    say(&json!(addresses.chunks(2).collect::<Vec<_>>()))?;
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    let targets: Vec<[SocketAddr; 2]> = serde_json::from_str(&line)?;
    let tick = Duration::from_micros(arguments.tick_us);
    let mut voices = Voices::new(sockets, targets.as_flattened(), tick)?;
    if arguments.secured {
        let key = key_of_callers();
        for caller in voices.parties.iter_mut().step_by(2) {
            caller.srtp = Some(SrtpSession::new(&key, &key));
        }
    }

    voices.talk(WARM_UP)?;
    say(&json!({"begin": voices.sent}))?;
    voices.talk(Duration::from_secs_f64(arguments.seconds))?;
    say(&json!({"end": voices.sent}))?;
    let end = Instant::now() + LINGER;
    while Instant::now() < end && voices.received < voices.sent {
        thread::park_timeout(tick);
        voices.listen()?;
    }
    let lost = voices.sent - voices.received;
    say(&json!({"sent": voices.sent, "lost": lost, "refused": voices.refused}))?;
    Ok(())
}

fn say(value: &serde_json::Value) -> io::Result<()> {
    println!("{value}");
    io::stdout().flush()
}

impl Voices {
    fn new(sockets: Vec<UdpSocket>, targets: &[SocketAddr], tick: Duration) -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let count = u32::try_from(sockets.len()).map_err(io::Error::other)?;
        let start = Instant::now();
        let mut parties = Vec::new();
        for ((index, socket), target) in (0..count).zip(sockets).zip(targets) {
            socket.set_nonblocking(true)?;
            let event = EpollEvent::new(EpollFlags::EPOLLIN, u64::from(index));
            epoll.add(&socket, event)?;
            parties.push(Party {
                socket,
                target: *target,
                sequence: 0,
                // Evenly over the time between two packets.
                next: start + SPACING * index / count,
                srtp: None,
            });
        }
        Ok(Self {
            parties,
            epoll,
            tick,
            sent: 0,
            received: 0,
            refused: 0,
        })
    }

    fn talk(&mut self, time: Duration) -> io::Result<()> {
        let mut now = Instant::now();
        let end = now + time;
        while now < end {
            let due = (1..).zip(&mut self.parties);
            for (ssrc, party) in due.filter(|(_, party)| party.next <= now) {
                // Who was held up leaves packets out, like a sound card, and sends no burst.
                party.next = (party.next + SPACING).max(now);
                match party.say(ssrc) {
                    Ok(()) => self.sent += 1,
                    Err(_) => self.refused += 1,
                }
            }
            self.listen()?;
            thread::park_timeout(self.tick.saturating_sub(now.elapsed()));
            now = Instant::now();
        }
        Ok(())
    }

    fn listen(&mut self) -> io::Result<()> {
        let mut events = [EpollEvent::empty(); 256];
        let mut bytes = [0; 2_048];
        loop {
            let count = self.epoll.wait(&mut events, 0_u8)?;
            for event in &events[..count] {
                let index = usize::try_from(event.data()).map_err(io::Error::other)?;
                while let Ok(len) = self.parties[index].socket.recv(&mut bytes) {
                    self.received += u64::from(!is_rtcp(&bytes[..len]));
                }
            }
            if count < events.len() {
                return Ok(());
            }
        }
    }
}

impl Party {
    fn say(&mut self, ssrc: u32) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        let packet = RtpPacket {
            payload_type: 0,
            marker: false,
            sequence: self.sequence,
            timestamp: u32::from(self.sequence) * 160,
            ssrc,
            payload: &[0xd5; 160],
        };
        let mut bytes = [0; 200];
        let mut len = packet.write(&mut bytes).map_err(io::Error::other)?;
        if let Some(srtp) = &mut self.srtp {
            let protected = srtp.protect_rtp(&mut bytes, len);
            len = protected.map_err(io::Error::other)?;
        }
        self.socket.send_to(&bytes[..len], self.target).map(drop)
    }
}
