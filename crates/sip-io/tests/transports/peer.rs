//! A machine that answers 200 to every request and tells what happens to its own.

use std::cell::Cell;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sip::{
    CertificateProblem, Destination, Endpoint, EndpointConfig, EndpointEvent, EndpointOutput, Flow,
    HostPort, Ids, Machine, Method, Output, Request, ResolveError, ResolveId, ResolveRequest,
    Target, TransmitId, Transport,
};
use sip_io::{Bound, Listeners, run};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

/// What a test asks for.
#[derive(Debug)]
pub(crate) enum Ask {
    Send(Box<Request>, Destination),
    Resolve(ResolveRequest),
}

/// What a test is told.
#[derive(Debug, PartialEq)]
pub(crate) enum Told {
    Request(Method, Flow),
    Response(u16, Flow),
    Failed,
    Untrusted(CertificateProblem),
    Resolved(Result<Vec<Target>, ResolveError>),
    Closed(Flow),
}

struct Echo {
    endpoint: Endpoint,
    outputs: VecDeque<Output<Told>>,
}

impl Echo {
    fn tell(&mut self, told: Told) {
        self.outputs.push_back(Output::Event(told));
    }

    fn settle(&mut self, now: Instant) {
        while let Some(output) = self.endpoint.poll_output() {
            match output {
                EndpointOutput::Transmit(transmit) => {
                    self.outputs.push_back(Output::Transmit(transmit));
                }
                EndpointOutput::Close(flow) => self.outputs.push_back(Output::Close(flow)),
                EndpointOutput::Unreachable { transport, peer } => {
                    self.outputs
                        .push_back(Output::Unreachable { transport, peer });
                }
                EndpointOutput::Event(event) => self.handle(event, now),
            }
        }
    }

    fn handle(&mut self, event: EndpointEvent, now: Instant) {
        match event {
            EndpointEvent::Request {
                transaction,
                request,
                flow,
            } => {
                let response = request.response(200, Some("tag"));
                self.endpoint.respond(transaction, response, now).unwrap();
                self.tell(Told::Request(request.method.clone(), flow));
            }
            EndpointEvent::Response { response, flow, .. } => {
                self.tell(Told::Response(response.status.code(), flow));
            }
            EndpointEvent::Failed { .. } => self.tell(Told::Failed),
            _ => {}
        }
    }
}

impl Machine for Echo {
    type Command = Ask;
    type Event = Told;

    fn handle_received(&mut self, flow: Flow, bytes: Bytes, now: Instant) {
        self.endpoint.handle_received(flow, bytes, now);
        self.settle(now);
    }

    fn handle_transmit_failed(&mut self, id: TransmitId, now: Instant) {
        self.endpoint.handle_transmit_failed(id, now);
        self.settle(now);
    }

    fn handle_flow_closed(&mut self, flow: Flow, now: Instant) {
        self.endpoint.handle_flow_closed(flow, now);
        self.tell(Told::Closed(flow));
        self.settle(now);
    }

    fn handle_resolved(
        &mut self,
        _id: ResolveId,
        result: Result<Vec<Target>, ResolveError>,
        _now: Instant,
    ) {
        self.tell(Told::Resolved(result));
    }

    fn handle_untrusted(&mut self, _target: Target, problem: CertificateProblem, _now: Instant) {
        self.tell(Told::Untrusted(problem));
    }

    fn handle_command(&mut self, command: Ask, now: Instant) {
        match command {
            Ask::Send(request, destination) => {
                self.endpoint
                    .send_request(*request, destination, now)
                    .unwrap();
            }
            Ask::Resolve(request) => self.outputs.push_back(Output::Resolve(request)),
        }
        self.settle(now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.endpoint.handle_timeout(now);
        self.settle(now);
    }

    fn handle_refused_event(&mut self, _event: Told, _now: Instant) {}

    fn poll_output(&mut self) -> Option<Output<Told>> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.endpoint.poll_timeout()
    }
}

/// One running loop.
pub(crate) struct Peer {
    addresses: Vec<(Transport, SocketAddr)>,
    commands: mpsc::Sender<Ask>,
    events: mpsc::Receiver<Told>,
    sent: Cell<u32>,
    _stop: DropGuard,
}

impl Peer {
    pub(crate) fn start(listeners: Listeners) -> Self {
        Self::drive(listeners.bind().unwrap())
    }

    fn drive(bound: Bound) -> Self {
        let mut addresses = Vec::new();
        for transport in Transport::ALL {
            let of_transport = bound.addresses(transport);
            addresses.extend(of_transport.into_iter().map(|address| (transport, address)));
        }
        let mut advertised: Vec<_> = addresses
            .iter()
            .map(|&(transport, address)| (transport, HostPort::from(address)))
            .collect();
        for transport in [Transport::Tcp, Transport::Tls] {
            advertised.push((transport, "client.invalid".parse().unwrap()));
        }
        let config = EndpointConfig {
            advertised,
            ..EndpointConfig::default()
        };
        let echo = Echo {
            endpoint: Endpoint::new(config, Ids::from_seed([7; 32])),
            outputs: VecDeque::new(),
        };
        let (commands, inbox) = mpsc::channel(16);
        let (outbox, events) = mpsc::channel(256);
        let stop = CancellationToken::new();
        tokio::spawn(run(echo, bound, inbox, outbox, stop.clone()));
        Self {
            addresses,
            commands,
            events,
            sent: Cell::new(0),
            _stop: stop.drop_guard(),
        }
    }

    /// Where it listens for `transport`.
    pub(crate) fn address(&self, transport: Transport) -> SocketAddr {
        let of_transport = |(own, _): &&(Transport, SocketAddr)| *own == transport;
        self.addresses.iter().find(of_transport).unwrap().1
    }

    pub(crate) async fn send(&self, destination: impl Into<Destination>) {
        self.sent.set(self.sent.get() + 1);
        let request = Box::new(options(self.sent.get()));
        let ask = Ask::Send(request, destination.into());
        self.commands.send(ask).await.unwrap();
    }

    pub(crate) async fn resolve(&mut self, request: ResolveRequest) -> Vec<Target> {
        self.commands.send(Ask::Resolve(request)).await.unwrap();
        match self.told().await {
            Told::Resolved(Ok(found)) => found,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn told(&mut self) -> Told {
        timeout(Duration::from_secs(20), self.events.recv())
            .await
            .unwrap()
            .unwrap()
    }

    /// What was told so far and not taken.
    pub(crate) fn heard(&mut self) -> Option<Told> {
        self.events.try_recv().ok()
    }
}

fn options(number: u32) -> Request {
    let mut request = Request::new(Method::OPTIONS, "sip:example.test".parse().unwrap());
    request.push_header("From", "<sip:a@example.test>;tag=1");
    request.push_header("To", "<sip:example.test>");
    request.push_header("Call-ID", format!("{number}@example.test"));
    request.push_header("CSeq", "1 OPTIONS");
    request
}

/// Every transport on the loopback address of one family is reached with this.
pub(crate) fn any_port(ip: &str) -> SocketAddr {
    SocketAddr::new(ip.parse().unwrap(), 0)
}
