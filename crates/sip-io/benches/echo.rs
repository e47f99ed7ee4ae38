//! What one message costs the loop, without anything behind it: a machine that answers each
//! request with a 200, driven over loopback at several offered rates.
//!
//! `cargo bench -p sip-io --bench echo` prints, per rate, the answers that came back, the loop
//! thread's CPU time per request as the kernel counts it, and the time to an answer.

#![expect(
    clippy::unwrap_used,
    reason = "a program for measuring ends when it fails"
)]
#![expect(clippy::print_stdout, reason = "its output is the result")]

use std::collections::VecDeque;
use std::net::UdpSocket;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sip::{Flow, Machine, Output, Transmit, TransmitId};
use sip_io::{Listeners, run};
use tokio_util::sync::CancellationToken;

/// How long each rate is offered.
const RUN: Duration = Duration::from_secs(4);

const ANSWER: &[u8] = b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1;rport=5060\r\n\
From: <sip:alice@example.com>;tag=1\r\nTo: <sip:alice@example.com>;tag=2\r\nCall-ID: 1234567890@192.0.2.1\r\n\
CSeq: 1 REGISTER\r\nContact: <sip:alice@192.0.2.1:5060>;expires=3600\r\nContent-Length: 0\r\n\r\n";

#[derive(Default)]
struct Echo {
    outputs: VecDeque<Output<()>>,
    sent: u64,
}

impl Machine for Echo {
    type Command = ();
    type Event = ();

    fn handle_received(&mut self, flow: Flow, _bytes: Bytes, _now: Instant) {
        self.sent += 1;
        self.outputs.push_back(Output::Transmit(Transmit {
            id: TransmitId(self.sent),
            destination: flow.into(),
            bytes: Bytes::from_static(ANSWER),
        }));
    }
    fn handle_transmit_failed(&mut self, _id: TransmitId, _now: Instant) {}
    fn handle_flow_closed(&mut self, _flow: Flow, _now: Instant) {}
    fn handle_resolved(
        &mut self,
        _id: sip::ResolveId,
        _result: Result<Vec<sip::Target>, sip::ResolveError>,
        _now: Instant,
    ) {
    }
    fn handle_command(&mut self, (): (), _now: Instant) {}
    fn handle_timeout(&mut self, _now: Instant) {}
    fn handle_refused_event(&mut self, (): (), _now: Instant) {}
    fn poll_output(&mut self) -> Option<Output<()>> {
        self.outputs.pop_front()
    }
    fn poll_timeout(&self) -> Option<Instant> {
        None
    }
}

/// Nanoseconds that this thread has run.
fn thread_cpu_ns() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    stat.split_whitespace().next().unwrap().parse().unwrap()
}

/// A request of 600 bytes that begins with its number.
fn request(number: u64) -> Vec<u8> {
    let mut text = format!(
        "REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK{number}\r\n\
         Call-ID: {number}@192.0.2.1\r\nFrom: <sip:alice@example.com>;tag=1\r\nTo: <sip:alice@example.com>\r\n\
         CSeq: 1 REGISTER\r\nAuthorization: Digest username=\"alice\"\r\nContent-Length: 0\r\nX-Fill: "
    );
    text.extend(std::iter::repeat_n('x', 596 - text.len()));
    text.push_str("\r\n\r\n");
    text.into_bytes()
}

fn main() {
    println!(
        "{:>9} {:>9} {:>9} {:>12} {:>9} {:>9}",
        "gather us", "offered/s", "answered", "CPU us/msg", "p50 us", "p99 us"
    );
    for gather in [0, 200, 400].map(Duration::from_micros) {
        for rate in [1_000_u64, 5_000, 10_000, 20_000, 50_000] {
            measure(rate, gather);
        }
    }
}

fn measure(rate: u64, gather: Duration) {
    let (addresses, address) = channel();
    let stop = CancellationToken::new();
    let stop_loop = stop.clone();
    let server = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async move {
            let mut listeners = Listeners::on("127.0.0.1:0".parse().unwrap());
            listeners.limits.gather = gather;
            // What the buckets of strangers would drop is what is to be measured.
            listeners.limits.stranger_rate.per_second = u32::MAX;
            listeners.limits.stranger_rate.burst = u32::MAX / 1_000;
            let bound = listeners.bind().unwrap();
            addresses.send(bound.udp_addresses()[0]).unwrap();
            let (_commands, inbox) = tokio::sync::mpsc::channel(1);
            let (events, _outbox) = tokio::sync::mpsc::channel(1);
            let before = thread_cpu_ns();
            let echo = run(Echo::default(), bound, inbox, events, stop_loop).await;
            (thread_cpu_ns() - before, echo.sent)
        })
    });
    let peer = address.recv().unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(peer).unwrap();
    socket.set_nonblocking(true).unwrap();
    let total = rate * RUN.as_secs();
    let mut sent_at = VecDeque::new();
    let mut waits = Vec::new();
    let mut buffer = [0; 2_048];
    let (mut sent, start) = (0, Instant::now());
    while start.elapsed() < RUN + Duration::from_millis(100) {
        while sent < total
            && sent < u64::try_from(start.elapsed().as_micros()).unwrap() * rate / 1_000_000
        {
            sent_at.push_back(Instant::now());
            // A full buffer is a lost datagram.
            let _ = socket.send(&request(sent));
            sent += 1;
        }
        while socket.recv(&mut buffer).is_ok() {
            // Answers come in the order of the requests; after a loss the times are too long.
            waits.extend(sent_at.pop_front().map(|at| at.elapsed()));
        }
        thread::sleep(Duration::from_micros(20));
    }
    stop.cancel();
    let (cpu_ns, handled) = server.join().unwrap();
    waits.sort_unstable();
    let at = |share: usize| {
        waits
            .get(waits.len() * share / 100)
            .map_or(0, |wait: &Duration| wait.as_micros())
    };
    #[expect(clippy::cast_precision_loss, reason = "printed with two digits")]
    let per_message = cpu_ns as f64 / 1_000.0 / handled.max(1) as f64;
    println!(
        "{:>9} {rate:>9} {:>9} {per_message:>12.2} {:>9} {:>9}",
        gather.as_micros(),
        waits.len(),
        at(50),
        at(99)
    );
}
