//! Requests without credentials, as many as go, while one registered phone refreshes.
//!
//! The flood comes from another address, from another port of the phone's address, or from the phone's own socket. What the server
//! replies to it is counted: never more than one and a half times the request.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use sip::Ids;
use socket2::SockRef;

use crate::message::{Account, SDP};
use crate::registrar::{Purpose, Registrar};

const RECEIVE_BUFFER: usize = 4 << 20;

/// Requests are sent in bursts this far apart.
const BURST: Duration = Duration::from_millis(1);

/// What to send, how much, from where.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The server, on UDP.
    #[arg(long)]
    target: SocketAddr,
    #[arg(long)]
    domain: String,
    /// The phone's account.
    #[arg(long)]
    user: String,
    #[arg(long)]
    password: String,
    #[arg(long, default_value = "invite")]
    method: Flood,
    #[arg(long, default_value = "other")]
    from: Origin,
    /// Requests per second.
    #[arg(long, default_value_t = 30_000)]
    rate: u32,
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Refreshes of the phone per second.
    #[arg(long, default_value_t = 10)]
    refreshes: u32,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Flood {
    Invite,
    Register,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Origin {
    /// Another address: 127.0.0.2.
    Other,
    /// The phone's address, another port.
    Neighbour,
    /// The phone's own socket.
    Own,
}

/// What the flood has sent and got.
#[derive(Debug, Default)]
struct Counters {
    sent: AtomicU64,
    bytes_sent: AtomicU64,
    replies: AtomicU64,
    bytes_replied: AtomicU64,
    longest_reply: AtomicU64,
    stop: AtomicBool,
}

pub(crate) fn run(arguments: &Arguments) -> io::Result<Value> {
    let phone = bind(Ipv4Addr::LOCALHOST.into(), arguments.target)?;
    let flooder = match arguments.from {
        Origin::Other => bind(Ipv4Addr::new(127, 0, 0, 2).into(), arguments.target)?,
        Origin::Neighbour => bind(Ipv4Addr::LOCALHOST.into(), arguments.target)?,
        Origin::Own => phone.try_clone()?,
    };
    let template = template(arguments, flooder.local_addr()?);
    let contact = format!(
        "Contact: <sip:{}@{}>\r\n",
        arguments.user,
        phone.local_addr()?
    );
    let account = Account::new(&arguments.user, &arguments.domain, &arguments.password);
    let mut registrar =
        Registrar::new(phone, vec![account], vec![contact], Ids::from_seed([5; 32]))?;
    refresh_until_answered(&mut registrar)?;
    registrar.tally = crate::registrar::Tally::default();

    let counters = Counters::default();
    let length = template.len() as u64;
    thread::scope(|scope| -> io::Result<()> {
        let sender = scope.spawn(|| send(&flooder, template, arguments.rate, &counters));
        let receiver = matches!(arguments.from, Origin::Other | Origin::Neighbour)
            .then(|| scope.spawn(|| receive(&flooder, &counters)));
        let refreshed = refresh(&mut registrar, arguments);
        counters.stop.store(true, Ordering::Relaxed);
        sender.join().expect("the sender does not panic")?;
        if let Some(receiver) = receiver {
            receiver.join().expect("the receiver does not panic")?;
        }
        refreshed
    })?;
    Ok(report(registrar, &counters, length, arguments.seconds))
}

fn bind(host: IpAddr, target: SocketAddr) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind((host, 0))?;
    SockRef::from(&socket).set_recv_buffer_size(RECEIVE_BUFFER)?;
    socket.connect(target)?;
    Ok(socket)
}

fn refresh_until_answered(registrar: &mut Registrar) -> io::Result<()> {
    registrar.start(0, Purpose::Bind)?;
    while registrar.open() > 0 {
        registrar.turn()?;
    }
    if registrar.tally.granted == 0 {
        return Err(io::Error::other("the phone cannot register"));
    }
    Ok(())
}

/// The phone's life during the flood.
fn refresh(registrar: &mut Registrar, arguments: &Arguments) -> io::Result<()> {
    let started = Instant::now();
    let total = u32::try_from(arguments.seconds)
        .unwrap_or(u32::MAX)
        .saturating_mul(arguments.refreshes);
    for index in 0..total {
        let due = started + Duration::from_secs(1) * index / arguments.refreshes;
        while Instant::now() < due {
            registrar.turn()?;
        }
        registrar.start(0, Purpose::Bind)?;
    }
    while registrar.open() > 0 {
        registrar.turn()?;
    }
    Ok(())
}

/// Where the counter stands in the template, eight digits in three places.
const COUNTER: &[u8] = b"00000000";

fn template(arguments: &Arguments, from: SocketAddr) -> Vec<u8> {
    let domain = &arguments.domain;
    let counter = "00000000";
    let (start, method, to, rest) = match arguments.method {
        Flood::Invite => (
            format!("INVITE sip:u{counter}@{domain} SIP/2.0"),
            "INVITE",
            format!("sip:u{counter}@{domain}"),
            format!(
                "Contact: <sip:flood@{from}>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{SDP}",
                SDP.len()
            ),
        ),
        Flood::Register => (
            format!("REGISTER sip:{domain} SIP/2.0"),
            "REGISTER",
            format!("sip:u{counter}@{domain}"),
            format!("Contact: <sip:flood@{from}>\r\nExpires: 600\r\nContent-Length: 0\r\n\r\n"),
        ),
    };
    format!(
        "{start}\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{counter};rport\r\nMax-Forwards: 70\r\nFrom: <{to}>;tag=f{counter}\r\n\
         To: <{to}>\r\nCall-ID: flood-{counter}@{from}\r\nCSeq: 1 {method}\r\n{rest}"
    )
    .into_bytes()
}

fn send(
    socket: &UdpSocket,
    mut template: Vec<u8>,
    rate: u32,
    counters: &Counters,
) -> io::Result<()> {
    let places: Vec<usize> = template
        .windows(COUNTER.len())
        .enumerate()
        .filter(|(_, window)| *window == COUNTER)
        .map(|(at, _)| at)
        .collect();
    let started = Instant::now();
    let mut sent: u64 = 0;
    while !counters.stop.load(Ordering::Relaxed) {
        let due = started.elapsed().as_secs_f64() * f64::from(rate);
        while (sent as f64) < due {
            let digits = format!("{:08}", sent % 100_000_000);
            for place in &places {
                template[*place..*place + COUNTER.len()].copy_from_slice(digits.as_bytes());
            }
            // A full buffer or a refusal is a request that did not arrive.
            if socket.send(&template).is_ok() {
                counters
                    .bytes_sent
                    .fetch_add(template.len() as u64, Ordering::Relaxed);
            }
            sent += 1;
        }
        counters.sent.store(sent, Ordering::Relaxed);
        thread::park_timeout(BURST);
    }
    Ok(())
}

fn receive(socket: &UdpSocket, counters: &Counters) -> io::Result<()> {
    socket.set_read_timeout(Some(Duration::from_millis(50)))?;
    let mut buffer = vec![0; 65_535];
    while !counters.stop.load(Ordering::Relaxed) {
        if let Ok(len) = socket.recv(&mut buffer) {
            counters.replies.fetch_add(1, Ordering::Relaxed);
            counters
                .bytes_replied
                .fetch_add(len as u64, Ordering::Relaxed);
            counters
                .longest_reply
                .fetch_max(len as u64, Ordering::Relaxed);
        }
    }
    Ok(())
}

fn report(mut registrar: Registrar, counters: &Counters, length: u64, seconds: u64) -> Value {
    let tally = &mut registrar.tally;
    let sent = counters.sent.load(Ordering::Relaxed);
    json!({
        "sent": sent,
        "sent_per_second": sent / seconds.max(1),
        "request_bytes": length,
        "replies": counters.replies.load(Ordering::Relaxed),
        "longest_reply_bytes": counters.longest_reply.load(Ordering::Relaxed),
        "longest_reply_ratio": counters.longest_reply.load(Ordering::Relaxed) as f64 / length as f64,
        "refreshes": tally.done(),
        "refreshes_granted": tally.granted,
        "refreshes_repeated": tally.repeated,
        "refreshes_challenged": tally.challenged,
        "p50_ms": tally.quantile_ms(0.5),
        "p99_ms": tally.quantile_ms(0.99),
        "max_ms": tally.quantile_ms(1.0),
    })
}
