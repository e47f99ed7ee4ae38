//! Ladders: what a transaction does in simulated time, compared with what one would draw on paper.
//!
//! The clock jumps from deadline to deadline, so half a minute costs microseconds. Inputs are noted
//! too, with an arrow, so that a ladder reads like the exchange.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::client_invite::ClientInvite;
use super::client_non_invite::ClientNonInvite;
use super::server_invite::ServerInvite;
use super::server_non_invite::ServerNonInvite;
use super::timers::Timers;
use super::{Action, Reliability};
use crate::message::{Message, Request, Response, parse_datagram};

pub(super) const T1: Duration = Duration::from_millis(500);

/// What all four machines have in common.
pub(super) trait Machine {
    fn poll_timeout(&self) -> Option<Instant>;
    fn handle_timeout(&mut self, now: Instant, out: &mut Vec<Action>);
    fn handle_transport_failure(&mut self, now: Instant, out: &mut Vec<Action>);
    fn state(&self) -> String;
}

macro_rules! machines {
    ($($machine:ty),*) => {$(
        impl Machine for $machine {
            fn poll_timeout(&self) -> Option<Instant> {
                self.poll_timeout()
            }
            fn handle_timeout(&mut self, now: Instant, out: &mut Vec<Action>) {
                self.handle_timeout(now, out);
            }
            fn handle_transport_failure(&mut self, now: Instant, out: &mut Vec<Action>) {
                self.handle_transport_failure(now, out);
            }
            fn state(&self) -> String {
                format!("{:?}", self.state())
            }
        }
    )*};
}

machines!(ClientInvite, ClientNonInvite, ServerInvite, ServerNonInvite);

pub(super) struct Sim<M> {
    pub(super) machine: M,
    start: Instant,
    now: Instant,
    log: Vec<String>,
}

impl<M: Machine> Sim<M> {
    /// Starts the machine at 0 ms.
    #[expect(
        clippy::disallowed_methods,
        reason = "simulated time must start somewhere"
    )]
    pub(super) fn start(start: impl FnOnce(Timers, Instant, &mut Vec<Action>) -> M) -> Self {
        let now = Instant::now();
        let mut out = Vec::new();
        let machine = start(Timers::default(), now, &mut out);
        let mut sim = Self {
            machine,
            start: now,
            now,
            log: Vec::new(),
        };
        sim.note(out);
        sim
    }

    /// Something happens now.
    pub(super) fn input(
        &mut self,
        name: &str,
        input: impl FnOnce(&mut M, Instant, &mut Vec<Action>),
    ) {
        self.log.push(format!("{} ms  > {name}", self.elapsed_ms()));
        let mut out = Vec::new();
        input(&mut self.machine, self.now, &mut out);
        self.note(out);
    }

    pub(super) fn transport_failure(&mut self) {
        self.input("transport failure", M::handle_transport_failure);
    }

    pub(super) fn run_for(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(wake) = self.machine.poll_timeout().filter(|&wake| wake <= end) {
            self.now = wake;
            let mut out = Vec::new();
            self.machine.handle_timeout(wake, &mut out);
            self.note(out);
            let next = self.machine.poll_timeout();
            assert!(
                next.is_none_or(|next| next > wake),
                "would spin at {} ms",
                self.elapsed_ms()
            );
        }
        self.now = end;
    }

    /// Compares everything so far with `ladder`, then the state.
    #[track_caller]
    pub(super) fn expect(&self, state: &str, ladder: &str) {
        let expected: Vec<_> = ladder
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        assert_eq!(self.log, expected, "\n{}\n", self.log.join("\n"));
        assert_eq!(self.machine.state(), state);
        assert_eq!(
            self.machine.poll_timeout().is_none(),
            state == "Terminated",
            "only a finished machine has no deadline"
        );
    }

    /// What the machine did since the last time this was asked.
    pub(super) fn actions(&mut self) -> Vec<String> {
        self.log
            .drain(..)
            .filter_map(|line| Some(line.split_once(" ms  ")?.1.to_owned()))
            .filter(|what| !what.starts_with('>'))
            .collect()
    }

    /// Time until the machine's next deadline.
    pub(super) fn until_deadline_ms(&self) -> Option<u128> {
        let deadline = self.machine.poll_timeout()?;
        Some((deadline - self.now).as_millis())
    }

    fn elapsed_ms(&self) -> u128 {
        (self.now - self.start).as_millis()
    }

    fn note(&mut self, out: Vec<Action>) {
        for action in out {
            let text = match action {
                Action::Send(bytes) => format!("send {}", first_word(&bytes)),
                Action::Deliver(response) => format!("deliver {}", response.status.code()),
                Action::Fail(error) => format!("fail {error:?}"),
                other => format!("{other:?}").to_lowercase(),
            };
            self.log.push(format!("{} ms  {text}", self.elapsed_ms()));
        }
    }
}

/// The method of a request, the status code of a response.
fn first_word(bytes: &Bytes) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut words = text.split(' ');
    match words.next() {
        Some("SIP/2.0") => words.next().unwrap_or_default().to_owned(),
        word => word.unwrap_or_default().to_owned(),
    }
}

pub(super) fn request(method: &str) -> Request {
    let text = format!(
        "{method} sip:bob@biloxi.example SIP/2.0\r\n\
         Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK77\r\n\
         Route: <sip:p1.example;lr>\r\n\
         Max-Forwards: 70\r\n\
         From: Alice <sip:alice@atlanta.example>;tag=88\r\n\
         To: Bob <sip:bob@biloxi.example>\r\n\
         Call-ID: 77@192.0.2.1\r\n\
         CSeq: 314 {method}\r\n\
         Contact: <sip:alice@192.0.2.1>\r\n\
         Content-Length: 0\r\n\r\n"
    );
    match parse_datagram(text.into()) {
        Ok(Message::Request(request)) => *request,
        other => panic!("{other:?}"),
    }
}

pub(super) fn response(method: &str, code: u16) -> Box<Response> {
    Box::new(request(method).response(code, Some("99")))
}

/// The bytes of a response that the user of a server transaction gives.
pub(super) fn answer(method: &str, code: u16) -> Bytes {
    response(method, code).to_bytes()
}

pub(super) const UDP: Reliability = Reliability::Unreliable;
pub(super) const TCP: Reliability = Reliability::Reliable;
