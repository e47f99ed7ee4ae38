//! The driver over real sockets of this machine.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails the test")]

mod addresses;
mod crowds;
mod ends;
mod messages;
mod names;
mod segments;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use sip::{
    Destination, Flow, Machine, Output, ResolveError, ResolveId, ResolveRequest, Target, Transmit,
    TransmitId, Transport,
};
use sip_io::{Limits, Listeners, run};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Long enough for a busy machine; no test waits for it unless it fails.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug)]
enum Ask {
    Send {
        destination: Destination,
        bytes: Bytes,
    },
    Resolve(ResolveRequest),
    Wake(Duration),
    Close(Flow),
}

#[derive(Debug, PartialEq)]
enum Told {
    Received(Flow, Bytes),
    Failed(TransmitId),
    Closed(Flow),
    Resolved(ResolveId, Result<Vec<Target>, ResolveError>),
    Woken,
}

/// A machine that does what it is asked, and answers requests if it is an `Echo`.
struct Probe {
    behaviour: Behaviour,
    outputs: VecDeque<Output<Told>>,
    deadline: Option<std::time::Instant>,
    last_id: u64,
    refused: usize,
    closed: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Behaviour {
    /// Tells everything.
    Tell,
    /// Answers each request with 200 and this many bytes of body, and tells nothing.
    Echo { body_bytes: usize },
}

impl Probe {
    fn new(behaviour: Behaviour) -> Self {
        Self {
            behaviour,
            outputs: VecDeque::new(),
            deadline: None,
            last_id: 0,
            refused: 0,
            closed: 0,
        }
    }

    fn send(&mut self, destination: Destination, bytes: Bytes) {
        self.last_id += 1;
        let id = TransmitId(self.last_id);
        self.outputs.push_back(Output::Transmit(Transmit {
            id,
            destination,
            bytes,
        }));
    }

    fn tell(&mut self, told: Told) {
        if self.behaviour == Behaviour::Tell {
            self.outputs.push_back(Output::Event(told));
        }
    }
}

impl Machine for Probe {
    type Command = Ask;
    type Event = Told;

    fn handle_received(&mut self, flow: Flow, bytes: Bytes, _now: std::time::Instant) {
        if let Behaviour::Echo { body_bytes } = self.behaviour {
            self.send(flow.into(), response(body_bytes));
        }
        self.tell(Told::Received(flow, bytes));
    }

    fn handle_transmit_failed(&mut self, id: TransmitId, _now: std::time::Instant) {
        self.tell(Told::Failed(id));
    }

    fn handle_flow_closed(&mut self, flow: Flow, _now: std::time::Instant) {
        self.closed += 1;
        self.tell(Told::Closed(flow));
    }

    fn handle_resolved(
        &mut self,
        id: ResolveId,
        result: Result<Vec<Target>, ResolveError>,
        _now: std::time::Instant,
    ) {
        self.tell(Told::Resolved(id, result));
    }

    fn handle_command(&mut self, command: Ask, now: std::time::Instant) {
        match command {
            Ask::Send { destination, bytes } => self.send(destination, bytes),
            Ask::Resolve(request) => self.outputs.push_back(Output::Resolve(request)),
            Ask::Wake(after) => self.deadline = Some(now + after),
            Ask::Close(flow) => self.outputs.push_back(Output::Close(flow)),
        }
    }

    fn handle_timeout(&mut self, now: std::time::Instant) {
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.deadline = None;
            self.tell(Told::Woken);
        }
    }

    fn handle_refused_event(&mut self, _event: Told, _now: std::time::Instant) {
        self.refused += 1;
    }

    fn poll_output(&mut self) -> Option<Output<Told>> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<std::time::Instant> {
        self.deadline
    }
}

fn request(number: usize) -> Bytes {
    format!("OPTIONS sip:a@b SIP/2.0\r\nCSeq: {number} OPTIONS\r\nContent-Length: 0\r\n\r\n").into()
}

fn response(body_bytes: usize) -> Bytes {
    let body = "x".repeat(body_bytes);
    format!("SIP/2.0 200 OK\r\nContent-Length: {body_bytes}\r\n\r\n{body}").into()
}

struct Running {
    udp: SocketAddr,
    tcp: SocketAddr,
    commands: mpsc::Sender<Ask>,
    events: mpsc::Receiver<Told>,
    stop: CancellationToken,
    task: JoinHandle<Probe>,
}

impl Running {
    async fn start(behaviour: Behaviour) -> Self {
        Self::with(behaviour, Limits::default(), 64).await
    }

    async fn with(behaviour: Behaviour, limits: Limits, events: usize) -> Self {
        let listeners = Listeners::on("127.0.0.1:0".parse().unwrap());
        Self::on(listeners, behaviour, limits, events)
    }

    fn on(mut listeners: Listeners, behaviour: Behaviour, limits: Limits, events: usize) -> Self {
        listeners.limits = limits;
        let bound = listeners.bind().unwrap();
        let (udp, tcp) = (bound.udp_addresses()[0], bound.tcp_addresses()[0]);
        let (commands, command_receiver) = mpsc::channel(64);
        let (event_sender, events) = mpsc::channel(events);
        let stop = CancellationToken::new();
        let machine = Probe::new(behaviour);
        let task = tokio::spawn(run(
            machine,
            bound,
            command_receiver,
            event_sender,
            stop.clone(),
        ));
        Self {
            udp,
            tcp,
            commands,
            events,
            stop,
            task,
        }
    }

    async fn ask(&self, ask: Ask) {
        self.commands.send(ask).await.unwrap();
    }

    async fn send(&self, transport: Transport, peer: SocketAddr, bytes: Bytes) {
        self.ask(Ask::Send {
            destination: Target::new(transport, peer).into(),
            bytes,
        })
        .await;
    }

    async fn told(&mut self) -> Told {
        timeout(PATIENCE, self.events.recv())
            .await
            .expect("something is told")
            .unwrap()
    }

    async fn received(&mut self) -> (Flow, Bytes) {
        match self.told().await {
            Told::Received(flow, bytes) => (flow, bytes),
            other => panic!("{other:?}"),
        }
    }

    /// Somebody who has connected and said something.
    async fn stranger(&mut self, number: usize) -> (Flow, TcpStream) {
        let mut stream = TcpStream::connect(self.tcp).await.unwrap();
        stream.write_all(&request(number)).await.unwrap();
        let (flow, bytes) = self.received().await;
        assert_eq!(bytes, request(number));
        (flow, stream)
    }

    async fn finish(self) -> Probe {
        self.stop.cancel();
        timeout(PATIENCE, self.task)
            .await
            .expect("the loop ends")
            .unwrap()
    }
}

async fn read_some(stream: &mut TcpStream) -> Vec<u8> {
    let mut buffer = vec![0; 4096];
    let length = timeout(PATIENCE, stream.read(&mut buffer))
        .await
        .expect("bytes come")
        .unwrap();
    buffer.truncate(length);
    buffer
}
