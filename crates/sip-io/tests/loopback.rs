//! The driver over real sockets of this machine.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails the test")]

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use sip::{
    Destination, Flow, Host, Machine, Output, ResolveError, ResolveId, ResolveRequest, Security,
    Target, Transmit, TransmitId, Transport,
};
use sip_io::{Limits, Listeners, run};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
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
        let mut listeners = Listeners::on("127.0.0.1:0".parse().unwrap());
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

#[tokio::test]
async fn request_and_response_cross_over_udp_and_tcp() {
    let echo = Running::start(Behaviour::Echo { body_bytes: 3 }).await;
    let mut probe = Running::start(Behaviour::Tell).await;
    for (transport, peer) in [(Transport::Udp, echo.udp), (Transport::Tcp, echo.tcp)] {
        probe.send(transport, peer, request(1)).await;
        let (flow, bytes) = probe.received().await;
        assert_eq!(
            (flow.transport, flow.peer, bytes),
            (transport, peer, response(3))
        );
        assert_eq!(flow.generation > 0, transport == Transport::Tcp);
        // Both ways of naming the peer use the same connection.
        probe
            .ask(Ask::Send {
                destination: flow.into(),
                bytes: request(2),
            })
            .await;
        assert_eq!(probe.received().await, (flow, response(3)));
        probe.send(transport, peer, request(3)).await;
        assert_eq!(probe.received().await, (flow, response(3)));
    }
    probe.finish().await;
    echo.finish().await;
}

#[tokio::test]
async fn pipelined_and_split_requests_arrive_in_order() {
    let mut probe = Running::with(Behaviour::Tell, Limits::default(), 1_024).await;
    let mut stream = TcpStream::connect(probe.tcp).await.unwrap();
    let all: Vec<u8> = (0..500)
        .flat_map(|number| request(number).to_vec())
        .collect();
    let writer = tokio::spawn(async move {
        for piece in all.chunks(97) {
            stream.write_all(piece).await.unwrap();
        }
        stream
    });
    for number in 0..500 {
        assert_eq!(probe.received().await.1, request(number));
    }
    drop(writer.await.unwrap());
    assert!(matches!(probe.told().await, Told::Closed(_)));
    probe.finish().await;
}

/// A peer that pipelines requests and never reads the answers.
async fn deaf_peer(tcp: SocketAddr) -> JoinHandle<TcpStream> {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(tcp).await.unwrap();
    tokio::spawn(async move {
        let burst: Vec<u8> = (0..2_000)
            .flat_map(|number| request(number).to_vec())
            .collect();
        // Ends when the connection is closed or both sides' buffers are full; either is fine.
        let _ = timeout(Duration::from_secs(2), stream.write_all(&burst)).await;
        stream
    })
}

#[tokio::test]
async fn a_peer_that_never_reads_stops_nobody_else() {
    let echo = Running::start(Behaviour::Echo { body_bytes: 4_000 }).await;
    let deaf = deaf_peer(echo.tcp).await;
    let mut probe = Running::start(Behaviour::Tell).await;
    for number in 0..50 {
        let (transport, peer) = if number % 2 == 0 {
            (Transport::Udp, echo.udp)
        } else {
            (Transport::Tcp, echo.tcp)
        };
        probe.send(transport, peer, request(number)).await;
        assert_eq!(probe.received().await.1.len(), response(4_000).len());
    }
    // Reading from it pauses before its queue overflows: it may still come to its senses.
    let deaf = deaf.await.unwrap();
    let echo = echo.finish().await;
    assert_eq!(echo.closed, 0);
    drop(deaf);
    probe.finish().await;
}

#[tokio::test]
async fn connections_that_keep_the_loop_busy_leave_datagrams_their_turn() {
    let echo = Running::start(Behaviour::Echo { body_bytes: 3 }).await;
    let (stop, mut talkers) = (CancellationToken::new(), Vec::new());
    for _ in 0..64 {
        let stream = TcpStream::connect(echo.tcp).await.unwrap();
        let (mut reader, mut writer) = stream.into_split();
        let burst: Vec<u8> = (0..50)
            .flat_map(|number| request(number).to_vec())
            .collect();
        let talk = async move { while writer.write_all(&burst).await.is_ok() {} };
        let listen = async move {
            let mut buffer = vec![0; 64 * 1024];
            while reader
                .read(&mut buffer)
                .await
                .is_ok_and(|length| length > 0)
            {}
        };
        let stop = stop.clone();
        talkers.push(tokio::spawn(async move {
            stop.run_until_cancelled(async { tokio::join!(talk, listen) })
                .await;
        }));
    }
    let phone = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    phone.connect(echo.udp).await.unwrap();
    let mut buffer = [0; 200];
    for number in 0..20 {
        phone.send(&request(number)).await.unwrap();
        // Never sent again: what is overlooked is answered when the loop comes to rest, and it does not.
        timeout(PATIENCE, phone.recv(&mut buffer))
            .await
            .expect("an answer while the connections go on")
            .unwrap();
    }
    stop.cancel();
    for talker in talkers {
        talker.await.unwrap();
    }
    echo.finish().await;
}

#[tokio::test]
async fn a_queue_that_overflows_closes_its_connection() {
    let mut probe = Running::with(
        Behaviour::Tell,
        Limits {
            outbound_bytes: 100_000,
            ..Limits::default()
        },
        4_096,
    )
    .await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(probe.tcp).await.unwrap();
    stream.write_all(&request(1)).await.unwrap();
    let (flow, _) = probe.received().await;
    let closed = loop {
        probe
            .ask(Ask::Send {
                destination: flow.into(),
                bytes: response(50_000),
            })
            .await;
        match probe.events.try_recv() {
            Ok(Told::Closed(closed)) => break closed,
            Ok(Told::Failed(_)) => {}
            Ok(other) => panic!("{other:?}"),
            Err(_) => tokio::task::yield_now().await,
        }
    };
    assert_eq!(closed, flow);
    // The flow is gone for good, also if somebody else gets the same address.
    while probe.events.try_recv().is_ok() {}
    probe
        .ask(Ask::Send {
            destination: flow.into(),
            bytes: request(9),
        })
        .await;
    assert!(matches!(probe.told().await, Told::Failed(_)));
    probe.finish().await;
}

#[tokio::test]
async fn keep_alives_are_answered_and_told_to_nobody() {
    let mut probe = Running::start(Behaviour::Tell).await;
    let mut stream = TcpStream::connect(probe.tcp).await.unwrap();
    stream.write_all(b"\r\n\r\n").await.unwrap();
    assert_eq!(read_some(&mut stream).await, b"\r\n");
    let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    udp.send_to(b"\r\n\r\n", probe.udp).await.unwrap();
    udp.send_to(&request(1), probe.udp).await.unwrap();
    let (flow, bytes) = probe.received().await;
    assert_eq!((flow.peer, bytes), (udp.local_addr().unwrap(), request(1)));
    probe.finish().await;
}

#[tokio::test]
async fn lost_framing_closes_the_connection() {
    let mut probe = Running::start(Behaviour::Tell).await;
    let mut stream = TcpStream::connect(probe.tcp).await.unwrap();
    stream.write_all(&request(1)).await.unwrap();
    let (flow, _) = probe.received().await;
    stream
        .write_all(b"OPTIONS sip:a@b SIP/2.0\r\nContent-Length: -1\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(probe.told().await, Told::Closed(flow));
    assert_eq!(read_some(&mut stream).await, b"");
    probe.finish().await;
}

/// What a server that echoes sends to a peer that says all this at once, until it closes.
async fn answers_to(all: &[u8]) -> Vec<u8> {
    let echo = Running::start(Behaviour::Echo { body_bytes: 3 }).await;
    let mut stream = TcpStream::connect(echo.tcp).await.unwrap();
    stream.write_all(all).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answers = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut answers)).await;
    read.unwrap().unwrap();
    echo.finish().await;
    answers
}

#[tokio::test]
async fn messages_before_lost_framing_are_answered_before_the_connection_closes() {
    let requests: Vec<u8> = (0..50)
        .flat_map(|number| request(number).to_vec())
        .collect();
    let lost = b"OPTIONS sip:a@b SIP/2.0\r\nContent-Length: -1\r\n\r\n";
    // More than is read at once, so that some of it is unread when framing is lost.
    let unread = vec![b'x'; 100_000];
    let answers = answers_to(&[&requests[..], lost, &unread].concat()).await;
    assert_eq!(answers, response(3).repeat(50));
}

#[tokio::test]
async fn who_has_nothing_more_to_say_still_hears_the_answers() {
    let requests: Vec<u8> = (0..50)
        .flat_map(|number| request(number).to_vec())
        .collect();
    assert_eq!(answers_to(&requests).await, response(3).repeat(50));
}

#[tokio::test]
async fn a_message_that_is_not_completed_closes_the_connection() {
    let limits = Limits {
        message: Duration::from_millis(50),
        ..Limits::default()
    };
    let mut probe = Running::with(Behaviour::Tell, limits, 64).await;
    // Nothing at all after connecting, and only line ends.
    let mut silent = TcpStream::connect(probe.tcp).await.unwrap();
    assert_eq!(read_some(&mut silent).await, b"");
    assert!(matches!(probe.told().await, Told::Closed(_)));
    // Half a message after a whole one.
    let mut slow = TcpStream::connect(probe.tcp).await.unwrap();
    slow.write_all(&request(1)).await.unwrap();
    let (flow, _) = probe.received().await;
    slow.write_all(b"OPTIONS sip:a@b").await.unwrap();
    assert_eq!(probe.told().await, Told::Closed(flow));
    probe.finish().await;
}

#[tokio::test]
async fn connections_beyond_the_bound_are_closed_at_once() {
    let limits = Limits {
        strangers_per_source: 2,
        ..Limits::default()
    };
    let mut probe = Running::with(Behaviour::Tell, limits, 64).await;
    let mut open = Vec::new();
    for number in 0..2 {
        let mut stream = TcpStream::connect(probe.tcp).await.unwrap();
        stream.write_all(&request(number)).await.unwrap();
        probe.received().await;
        open.push(stream);
    }
    let mut third = TcpStream::connect(probe.tcp).await.unwrap();
    assert_eq!(read_some(&mut third).await, b"");
    // A place that becomes free is given away again.
    drop(open.pop());
    assert!(matches!(probe.told().await, Told::Closed(_)));
    let mut fourth = TcpStream::connect(probe.tcp).await.unwrap();
    fourth.write_all(&request(4)).await.unwrap();
    assert_eq!(probe.received().await.1, request(4));
    probe.finish().await;
}

#[tokio::test]
async fn where_there_are_too_many_strangers_the_oldest_makes_room() {
    let limits = Limits {
        strangers: 2,
        ..Limits::default()
    };
    let mut probe = Running::with(Behaviour::Tell, limits, 64).await;
    let mut open = Vec::new();
    for number in 0..2 {
        let mut stream = TcpStream::connect(probe.tcp).await.unwrap();
        stream.write_all(&request(number)).await.unwrap();
        open.push((probe.received().await.0, stream));
    }
    let mut third = TcpStream::connect(probe.tcp).await.unwrap();
    assert_eq!(probe.told().await, Told::Closed(open[0].0));
    assert_eq!(read_some(&mut open[0].1).await, b"");
    third.write_all(&request(2)).await.unwrap();
    open.push((probe.received().await.0, third));
    for (flow, stream) in &mut open[1..] {
        stream.write_all(&request(9)).await.unwrap();
        assert_eq!(probe.received().await, (*flow, request(9)));
    }
    probe.finish().await;
}

#[tokio::test]
async fn a_message_for_a_closed_port_or_flow_fails() {
    let mut probe = Running::start(Behaviour::Tell).await;
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let peer = free.local_addr().unwrap();
    drop(free);
    probe.send(Transport::Tcp, peer, request(1)).await;
    assert_eq!(probe.told().await, Told::Failed(TransmitId(1)));
    let flow = Flow {
        transport: Transport::Tcp,
        local: peer,
        peer,
        generation: 1,
    };
    probe
        .ask(Ask::Send {
            destination: flow.into(),
            bytes: request(2),
        })
        .await;
    assert_eq!(probe.told().await, Told::Failed(TransmitId(2)));
    probe.send(Transport::Tls, peer, request(3)).await;
    assert_eq!(probe.told().await, Told::Failed(TransmitId(3)));
    probe
        .send(
            Transport::Udp,
            "[2001:db8::1]:5060".parse().unwrap(),
            request(4),
        )
        .await;
    assert_eq!(probe.told().await, Told::Failed(TransmitId(4)));
    probe.finish().await;
}

#[tokio::test]
async fn a_flow_that_is_closed_has_said_everything_before() {
    let mut probe = Running::start(Behaviour::Tell).await;
    let mut stream = TcpStream::connect(probe.tcp).await.unwrap();
    stream.write_all(&request(1)).await.unwrap();
    let (flow, _) = probe.received().await;
    probe
        .ask(Ask::Send {
            destination: flow.into(),
            bytes: response(30_000),
        })
        .await;
    probe.ask(Ask::Close(flow)).await;
    let mut all = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut all))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(all, response(30_000));
    assert_eq!(probe.told().await, Told::Closed(flow));
    probe.finish().await;
}

#[tokio::test]
async fn the_last_messages_leave_before_the_loop_ends() {
    let probe = Running::start(Behaviour::Echo { body_bytes: 20_000 }).await;
    let mut stream = TcpStream::connect(probe.tcp).await.unwrap();
    stream.write_all(&request(1)).await.unwrap();
    let first = read_some(&mut stream).await;
    probe.finish().await;
    let mut rest = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut rest))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(first.len() + rest.len(), response(20_000).len());
}

#[tokio::test]
async fn an_application_that_does_not_read_loses_events_and_not_the_loop() {
    let probe = Running::with(Behaviour::Tell, Limits::default(), 1).await;
    let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let stream = TcpStream::connect(probe.tcp).await.unwrap();
    for number in 0..5 {
        udp.send_to(&request(number), probe.udp).await.unwrap();
    }
    // Commands still pass: the loop waits for nobody.
    for _ in 0..200 {
        probe.ask(Ask::Wake(Duration::from_secs(1_000))).await;
    }
    drop(stream);
    let Running {
        events, stop, task, ..
    } = probe;
    while events.is_empty() {
        tokio::task::yield_now().await;
    }
    stop.cancel();
    let machine = timeout(PATIENCE, task).await.unwrap().unwrap();
    assert!(machine.refused <= 5);
}

#[tokio::test(start_paused = true)]
async fn a_paused_clock_pauses_the_machine() {
    let mut probe = Running::start(Behaviour::Tell).await;
    let start = Instant::now();
    let hour = Duration::from_secs(3_600);
    probe.ask(Ask::Wake(hour)).await;
    assert_eq!(probe.events.recv().await, Some(Told::Woken));
    let elapsed = start.elapsed();
    assert!(
        elapsed >= hour && elapsed < hour + Duration::from_secs(1),
        "{elapsed:?}"
    );
    probe.finish().await;
}

fn look_up(id: u64, host: Host, transport: Option<Transport>) -> Ask {
    Ask::Resolve(ResolveRequest {
        id: ResolveId(id),
        host,
        port: None,
        transport,
        security: Security::Any,
    })
}

#[tokio::test]
async fn literals_and_local_names_resolve_and_names_that_cannot_exist_do_not() {
    let mut probe = Running::start(Behaviour::Tell).await;
    probe
        .ask(look_up(1, "192.0.2.7".parse().unwrap(), None))
        .await;
    let literal = vec![Target::new(
        Transport::Udp,
        "192.0.2.7:5060".parse().unwrap(),
    )];
    assert_eq!(
        probe.told().await,
        Told::Resolved(ResolveId(1), Ok(literal))
    );

    probe
        .ask(look_up(
            2,
            "localhost".parse().unwrap(),
            Some(Transport::Udp),
        ))
        .await;
    match probe.told().await {
        // Only an IPv4 socket is bound, so only IPv4 is of use.
        Told::Resolved(ResolveId(2), Ok(found)) => {
            let peers: Vec<_> = found.iter().map(|target| target.peer).collect();
            assert_eq!(peers, ["127.0.0.1:5060".parse().unwrap()]);
        }
        other => panic!("{other:?}"),
    }

    for name in ["sip.invalid", "df7jal23ls0d.INVALID."] {
        probe
            .ask(look_up(3, Host::Name(name.to_owned()), None))
            .await;
        assert_eq!(
            probe.told().await,
            Told::Resolved(ResolveId(3), Err(ResolveError::NotFound))
        );
    }
    probe.finish().await;
}

#[tokio::test]
async fn more_look_ups_than_allowed_are_refused_at_once() {
    let limits = Limits {
        resolves: 0,
        ..Limits::default()
    };
    let mut probe = Running::with(Behaviour::Tell, limits, 64).await;
    probe
        .ask(look_up(1, "localhost".parse().unwrap(), None))
        .await;
    assert_eq!(
        probe.told().await,
        Told::Resolved(ResolveId(1), Err(ResolveError::Busy))
    );
    probe.finish().await;
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let first = Listeners::on("127.0.0.1:0".parse().unwrap())
        .bind()
        .unwrap();
    let taken = first.udp_addresses()[0];
    let error = Listeners::on(taken).bind().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    assert!(error.to_string().contains(&taken.to_string()), "{error}");
}
