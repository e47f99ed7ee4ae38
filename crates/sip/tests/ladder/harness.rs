//! An endpoint with a clock that jumps, and everything it wants written down as a ladder.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails the test")]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sip::{
    ClientTransaction, Endpoint, EndpointConfig, EndpointEvent, EndpointOutput, Flow, Ids, Message,
    Method, Request, Response, ServerTransaction, Transmit, Transport, parse_datagram,
};

pub(crate) const T1: Duration = Duration::from_millis(500);

pub(crate) fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub(crate) fn flow(transport: Transport) -> Flow {
    Flow {
        transport,
        local: address("192.0.2.5:5060"),
        peer: address("198.51.100.7:4711"),
        generation: u64::from(transport.is_reliable()),
    }
}

pub(crate) fn config() -> EndpointConfig {
    EndpointConfig {
        advertised: vec![
            (Transport::Udp, "192.0.2.5:5060".parse().unwrap()),
            (Transport::Tcp, "192.0.2.5:5070".parse().unwrap()),
        ],
        ..EndpointConfig::default()
    }
}

pub(crate) struct Sim {
    pub(crate) endpoint: Endpoint,
    pub(crate) now: Instant,
    start: Instant,
    log: Vec<String>,
    /// Everything sent so far.
    pub(crate) sent: Vec<Transmit>,
    /// Everything told so far.
    pub(crate) events: Vec<EndpointEvent>,
}

impl Sim {
    pub(crate) fn new() -> Self {
        Self::with(config())
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "simulated time must start somewhere"
    )]
    pub(crate) fn with(config: EndpointConfig) -> Self {
        let now = Instant::now();
        Self {
            endpoint: Endpoint::new(config, Ids::from_seed([7; 32])),
            now,
            start: now,
            log: Vec::new(),
            sent: Vec::new(),
            events: Vec::new(),
        }
    }

    pub(crate) fn receive(&mut self, transport: Transport, bytes: impl Into<Bytes>) {
        self.receive_on(flow(transport), bytes);
    }

    pub(crate) fn receive_on(&mut self, flow: Flow, bytes: impl Into<Bytes>) {
        self.endpoint.handle_received(flow, bytes.into(), self.now);
        self.drain();
    }

    pub(crate) fn respond(&mut self, transaction: ServerTransaction, response: Response) {
        self.endpoint
            .respond(transaction, response, self.now)
            .unwrap();
        self.drain();
    }

    pub(crate) fn run_for(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(wake) = self.endpoint.poll_timeout().filter(|&wake| wake <= end) {
            self.now = wake;
            self.endpoint.handle_timeout(wake);
            let next = self.endpoint.poll_timeout();
            assert!(next.is_none_or(|next| next > wake), "would spin");
            self.drain();
        }
        self.now = end;
    }

    pub(crate) fn drain(&mut self) {
        while let Some(output) = self.endpoint.poll_output() {
            let elapsed = (self.now - self.start).as_millis();
            let text = match &output {
                EndpointOutput::Transmit(transmit) => format!("send {}", name(&transmit.bytes)),
                EndpointOutput::Close(_) => "close".to_owned(),
                EndpointOutput::Unreachable { .. } => continue,
                EndpointOutput::Event(event) => describe(event),
            };
            self.log.push(format!("{elapsed} ms  {text}"));
            match output {
                EndpointOutput::Transmit(transmit) => self.sent.push(transmit),
                EndpointOutput::Event(event) => self.events.push(event),
                EndpointOutput::Close(_) | EndpointOutput::Unreachable { .. } => {}
            }
        }
    }

    /// Compares everything since the last call.
    #[track_caller]
    pub(crate) fn expect(&mut self, ladder: &str) {
        let expected: Vec<_> = ladder
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        assert_eq!(self.log, expected, "\n{}\n", self.log.join("\n"));
        self.log.clear();
    }

    /// No transaction, no deadline, nothing unsaid.
    #[track_caller]
    pub(crate) fn expect_empty(&mut self) {
        assert!(
            self.endpoint.is_empty(),
            "{} transactions left",
            self.endpoint.len()
        );
        assert_eq!(self.endpoint.poll_timeout(), None);
        assert!(self.endpoint.poll_output().is_none());
    }

    /// The latest request that was told, with its transaction.
    pub(crate) fn request(&self) -> (ServerTransaction, Request) {
        self.events
            .iter()
            .rev()
            .find_map(|event| match event {
                EndpointEvent::Request {
                    transaction,
                    request,
                    ..
                } => Some((*transaction, Request::clone(request))),
                _ => None,
            })
            .expect("a request was told")
    }

    /// The latest message sent, read back.
    pub(crate) fn last_sent(&self) -> Message {
        parse_datagram(self.sent.last().expect("something was sent").bytes.clone()).unwrap()
    }

    pub(crate) fn last_request(&self) -> Request {
        self.last_sent().into_request().expect("a request was sent")
    }

    pub(crate) fn last_response(&self) -> Response {
        self.last_sent()
            .into_response()
            .expect("a response was sent")
    }

    /// Sends a request of ours to the usual peer.
    pub(crate) fn send(&mut self, request: Request, transport: Transport) -> ClientTransaction {
        let sent = self
            .endpoint
            .send_request(request, flow(transport).into(), self.now)
            .unwrap();
        self.drain();
        sent
    }
}

fn name(bytes: &Bytes) -> String {
    match parse_datagram(bytes.clone()).unwrap() {
        Message::Request(request) => request.method.to_string(),
        Message::Response(response) => response.status.code().to_string(),
    }
}

fn describe(event: &EndpointEvent) -> String {
    match event {
        EndpointEvent::Request { request, .. } => format!("request {}", request.method),
        EndpointEvent::Stateless { request, .. } => format!("stateless {}", request.method),
        EndpointEvent::Cancelled { .. } => "cancelled".to_owned(),
        EndpointEvent::Ack { .. } => "ack".to_owned(),
        EndpointEvent::Response { response, .. } => format!("response {}", response.status.code()),
        EndpointEvent::Failed { error, .. } => format!("failed {error:?}"),
        EndpointEvent::Unacknowledged { .. } => "unacknowledged".to_owned(),
        EndpointEvent::Unanswered { .. } => "unanswered".to_owned(),
    }
}

/// A request of a peer. `branch` is a whole Via parameter or nothing.
pub(crate) fn incoming(method: &str, branch: &str) -> String {
    format!(
        "{method} sip:bob@192.0.2.5 SIP/2.0\r\n\
         Via: SIP/2.0/UDP client.example:5060{branch};rport\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:alice@example.com>;tag=a1\r\n\
         To: <sip:bob@example.com>\r\n\
         Call-ID: c1\r\n\
         CSeq: 1 {method}\r\n\
         Contact: <sip:alice@client.example>\r\n\
         Content-Length: 0\r\n\r\n"
    )
}

/// A request of ours, without Via.
pub(crate) fn outgoing(method: Method) -> Request {
    let cseq = format!("1 {method}");
    let mut request = Request::new(method, "sip:bob@example.com".parse().unwrap());
    request.push_header("From", "<sip:alice@example.com>;tag=a1");
    request.push_header("To", "<sip:bob@example.com>");
    request.push_header("Call-ID", "c1");
    request.push_header("CSeq", cseq);
    request
}
