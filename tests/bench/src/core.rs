//! The proxy's machine in memory: what an operation costs beyond the kernel and the database.
//!
//! Messages are made in batches outside the measured time and handed over one after the other, outputs drained after each, as the
//! driver does. Only this thread's CPU time and allocations inside the machine count; of ten parts of the run the cheapest is told beside the mean,
//! because other programs on the machine make an operation dearer, never cheaper.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use sip::{
    Aor, DigestSecret, EndpointConfig, Flow, Host, HostPort, Ids, Machine, Message, Output,
    Request, Response, Transport,
};
use sip_proxy_core::{Account as Entry, Command, Durability, Event, Owner, Proxy, ProxyConfig};

use crate::allocated::Allocated;
use crate::message::{Account, SDP, Sender, renumber, request};

const DOMAIN: &str = "bench.example";
const PASSWORD: &str = "secret-of-all";
const BATCH: usize = 200;
const PARTS: usize = 10;

/// What to measure.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    operation: Operation,
    /// How many operations.
    #[arg(long, default_value_t = 100_000)]
    count: usize,
    /// Accounts that take turns.
    #[arg(long, default_value_t = 10_000)]
    accounts: usize,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Operation {
    /// REGISTER, 401, REGISTER, 200.
    Register,
    /// INVITE, 407, INVITE, 180, 200, ACK, BYE, 200, on both legs.
    Call,
}

/// The proxy and what has come out of it.
struct Bench {
    proxy: Proxy,
    now: Instant,
    entries: HashMap<Aor, Entry>,
    sent: Vec<(SocketAddr, Bytes)>,
    /// CPU time spent inside the machine.
    inside: Duration,
    /// Allocations and bytes asked for inside the machine.
    allocated: Allocated,
    ids: Ids,
    accounts: Vec<Account>,
}

pub(crate) fn run(arguments: &Arguments) -> Value {
    let mut bench = Bench::new(arguments.accounts);
    if let Operation::Call = arguments.operation {
        bench.bind_callee();
    }
    let part = (arguments.count / PARTS).next_multiple_of(BATCH);
    let mut done = 0;
    let mut each = Vec::new();
    bench.allocated = Allocated::default();
    for _ in 0..PARTS {
        bench.inside = Duration::ZERO;
        for _ in 0..part / BATCH {
            match arguments.operation {
                Operation::Register => bench.register_batch(done),
                Operation::Call => bench.call_batch(done),
            }
            done += BATCH;
        }
        each.push(bench.inside.as_secs_f64() * 1e6 / part as f64);
    }
    let Allocated { times, bytes } = bench.allocated;
    bench.pass(Duration::from_secs(60));
    json!({
        "operations": done,
        "us_each_lowest": each.iter().copied().fold(f64::INFINITY, f64::min),
        "us_each_mean": each.iter().sum::<f64>() / each.len() as f64,
        "allocations_each": times as f64 / done as f64,
        "allocated_bytes_each": bytes as f64 / done as f64,
        "counts": format!("{:?}", bench.proxy.counts()),
    })
}

/// CPU time of this thread.
fn cpu_time() -> Duration {
    let now = nix::time::clock_gettime(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID);
    now.map(Duration::from).unwrap_or_default()
}

impl Bench {
    fn new(accounts: usize) -> Self {
        let now = Instant::now();
        let address = HostPort::new(
            Host::from(std::net::IpAddr::from([127, 0, 0, 1])),
            Some(5060),
        );
        let endpoint = EndpointConfig {
            advertised: vec![(Transport::Udp, address.clone()), (Transport::Tcp, address)],
            user_agent: Some("Bench".to_owned()),
            max_transactions: 1_000_000,
            ..EndpointConfig::default()
        };
        let users = (0..accounts).map(|index| format!("u{index:06}"));
        let mut bench = Self {
            proxy: Proxy::new(ProxyConfig {
                durability: Durability::MemoryFirst,
                ..ProxyConfig::new(endpoint, (now, 1_800_000_000), [7; 32])
            }),
            now,
            entries: HashMap::new(),
            sent: Vec::new(),
            inside: Duration::ZERO,
            allocated: Allocated::default(),
            ids: Ids::from_seed([9; 32]),
            accounts: users
                .map(|user| Account::new(&user, DOMAIN, PASSWORD))
                .collect(),
        };
        bench
            .accounts
            .push(Account::new("callee", DOMAIN, PASSWORD));
        for (index, account) in (1..).zip(&bench.accounts) {
            let aor = Aor::parse(&format!("sip:{}@{DOMAIN}", account.user))
                .expect("an address-of-record");
            let entry = Entry {
                owner: Owner {
                    tenant: 1,
                    account: index,
                },
                aor: aor.clone(),
                auth_username: account.user.clone(),
                secret: DigestSecret::from_password(&account.user, DOMAIN, PASSWORD),
                display_name: None,
            };
            bench.entries.insert(aor, entry);
        }
        bench
    }

    /// Registers a batch of accounts from `first` on.
    fn register_batch(&mut self, first: usize) {
        let len = self.accounts.len() - 1;
        let batch: Vec<usize> = (first..first + BATCH).map(|index| index % len).collect();
        let requests: Vec<Request> = batch
            .iter()
            .map(|index| {
                let contact = format!(
                    "Contact: <sip:{}@127.0.0.1:6000>\r\n",
                    self.accounts[*index].user
                );
                self.accounts[*index].register(CALLER, &contact, 1, &mut self.ids)
            })
            .collect();
        let challenges = self.exchange(6_000, requests.iter().map(Request::to_bytes).collect());
        let answered = self.answer(&batch, &requests, &challenges);
        let granted = self.exchange(6_000, answered.iter().map(Request::to_bytes).collect());
        assert_eq!(
            statuses(&granted),
            vec![200; BATCH],
            "every registration is granted"
        );
        self.pass(Duration::from_millis(50));
    }

    fn bind_callee(&mut self) {
        let callee = self.accounts.len() - 1;
        let contact = "Contact: <sip:callee@127.0.0.1:7000>\r\n";
        let request = self.accounts[callee].register(CALLEE, contact, 1, &mut self.ids);
        let challenges = self.exchange(7_000, vec![request.to_bytes()]);
        let from = CALLEE;
        let challenge = response(&challenges[0].1);
        let again = self.accounts[callee].answer(&challenge, &request, from, &mut self.ids);
        let granted = self.exchange(7_000, vec![again.expect("a challenge").to_bytes()]);
        assert_eq!(statuses(&granted), [200], "the callee is registered");
    }

    /// A batch of calls, step by step side by side.
    fn call_batch(&mut self, first: usize) {
        let len = self.accounts.len() - 1;
        let batch: Vec<usize> = (first..first + BATCH).map(|index| index % len).collect();
        let invites: Vec<Request> = batch
            .iter()
            .map(|index| self.accounts[*index].invite(CALLER, "callee", &mut self.ids))
            .collect();
        let challenges = self.exchange(6_000, invites.iter().map(Request::to_bytes).collect());
        let refused: Vec<Response> = challenges
            .iter()
            .map(|(_, bytes)| response(bytes))
            .collect();
        let acks = invites
            .iter()
            .zip(&refused)
            .map(|(invite, refused)| ack(invite, refused).to_bytes());
        self.exchange(6_000, acks.collect());
        let answered = self.answer(&batch, &invites, &challenges);
        let ringing = self.exchange(6_000, answered.iter().map(Request::to_bytes).collect());
        let legs: Vec<Request> = requests_to(7_000, &ringing);
        assert_eq!(legs.len(), BATCH, "every call reaches the callee");
        self.pass(Duration::from_millis(2));
        let rung = legs.iter().map(|leg| answer_leg(leg, 180)).collect();
        self.exchange(7_000, rung);
        self.pass(Duration::from_millis(20));
        let picked_up = legs.iter().map(|leg| answer_leg(leg, 200)).collect();
        let connected = self.exchange(7_000, picked_up);
        let accepted: Vec<Response> = connected
            .iter()
            .filter(|(peer, _)| peer.port() == 6_000)
            .map(|(_, bytes)| response(bytes))
            .collect();
        assert_eq!(accepted.len(), BATCH, "every call is answered");
        let acks = accepted
            .iter()
            .map(|accepted| in_dialog("ACK", 2, accepted, &mut self.ids));
        let acks = acks.collect();
        self.exchange(6_000, acks);
        self.pass(Duration::from_millis(100));
        let byes = accepted
            .iter()
            .map(|accepted| in_dialog("BYE", 3, accepted, &mut self.ids));
        let byes = byes.collect();
        let ended = self.exchange(6_000, byes);
        let ends = requests_to(7_000, &ended);
        assert_eq!(ends.len(), BATCH, "every end reaches the callee");
        let goodbyes = ends
            .iter()
            .map(|bye| bye.response(200, None).to_bytes())
            .collect();
        self.exchange(7_000, goodbyes);
    }

    /// The challenged requests of a batch with credentials.
    fn answer(
        &mut self,
        batch: &[usize],
        requests: &[Request],
        challenges: &[(SocketAddr, Bytes)],
    ) -> Vec<Request> {
        assert_eq!(challenges.len(), batch.len(), "every request is challenged");
        let mut answered = Vec::with_capacity(batch.len());
        for ((index, request), (_, bytes)) in batch.iter().zip(requests).zip(challenges) {
            let again =
                self.accounts[*index].answer(&response(bytes), request, CALLER, &mut self.ids);
            answered.push(again.expect("a challenge that can be answered"));
        }
        answered
    }

    /// Hands messages from the phone at `port` over and returns what the proxy sends meanwhile.
    fn exchange(&mut self, port: u16, messages: Vec<Bytes>) -> Vec<(SocketAddr, Bytes)> {
        let flow = flow(port);
        self.inside(|bench| {
            for bytes in messages {
                bench.proxy.handle_received(flow, bytes, bench.now);
                bench.drain();
            }
        });
        std::mem::take(&mut self.sent)
    }

    fn drain(&mut self) {
        while let Some(output) = self.proxy.poll_output() {
            match output {
                Output::Transmit(transmit) => self
                    .sent
                    .push((transmit.destination.peer(), transmit.bytes)),
                Output::Event(Event::LoadAccount { ticket, aor }) => {
                    let account = Ok(self.entries.get(&aor).cloned());
                    self.proxy
                        .handle_command(Command::AccountLoaded { ticket, account }, self.now);
                }
                Output::Event(Event::Store { ticket, .. }) => {
                    let result = Ok(());
                    self.proxy
                        .handle_command(Command::Stored { ticket, result }, self.now);
                }
                _ => {}
            }
        }
    }

    /// Lets time pass, deadline by deadline; what the timers send is retransmission and not looked at.
    fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        self.inside(|bench| {
            while let Some(next) = bench.proxy.poll_timeout().filter(|next| *next <= end) {
                bench.now = bench.now.max(next);
                bench.proxy.handle_timeout(bench.now);
                bench.drain();
            }
        });
        self.sent.clear();
        self.now = end;
    }

    /// What `work` costs is the machine's.
    fn inside(&mut self, work: impl FnOnce(&mut Self)) {
        let (time, allocated) = (cpu_time(), Allocated::so_far());
        work(self);
        self.inside += cpu_time().saturating_sub(time);
        self.allocated += Allocated::so_far() - allocated;
    }
}

fn response(bytes: &Bytes) -> Response {
    crate::message::response(bytes).expect("the proxy writes what can be read")
}

fn statuses(sent: &[(SocketAddr, Bytes)]) -> Vec<u16> {
    sent.iter()
        .map(|(_, bytes)| response(bytes).status.code())
        .collect()
}

fn requests_to(port: u16, sent: &[(SocketAddr, Bytes)]) -> Vec<Request> {
    sent.iter()
        .filter(|(peer, _)| peer.port() == port)
        .filter_map(|(_, bytes)| {
            sip::parse_message(bytes.clone())
                .ok()
                .and_then(Message::into_request)
        })
        .collect()
}

/// The ACK that belongs to the transaction of a refused INVITE.
fn ack(invite: &Request, refused: &Response) -> Request {
    let header = |name: &str| invite.header(name).unwrap_or_default().to_owned();
    request(&format!(
        "ACK {} SIP/2.0\r\nVia: {}\r\nMax-Forwards: 70\r\nFrom: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n",
        invite.uri,
        header("Via"),
        header("From"),
        refused.header("To").unwrap_or_default(),
        header("Call-ID")
    ))
}

fn answer_leg(invite: &Request, status: u16) -> Bytes {
    let mut response = invite.response(status, Some("callee"));
    response.push_header("Contact", "<sip:callee@127.0.0.1:7000>");
    if status == 200 {
        response.set_body("application/sdp", SDP);
    }
    response.to_bytes()
}

/// A request of the caller inside the dialog that `accepted` has made.
fn in_dialog(method: &str, cseq: u32, accepted: &Response, ids: &mut Ids) -> Bytes {
    let header = |name: &str| accepted.header(name).unwrap_or_default().to_owned();
    let contact = header("Contact");
    let target = contact.split(['<', '>']).nth(1).unwrap_or_default();
    let mut request = request(&format!(
        "{method} {target} SIP/2.0\r\nVia: SIP/2.0/{CALLER};branch=z9hG4bK\r\nMax-Forwards: 70\r\nFrom: {}\r\nTo: {}\r\nCall-ID: {}\r\n\
         CSeq: {cseq} {method}\r\nContent-Length: 0\r\n\r\n",
        header("From"),
        header("To"),
        header("Call-ID")
    ));
    renumber(&mut request, cseq, CALLER, ids);
    request.to_bytes()
}

const CALLER: Sender = Sender {
    transport: "UDP",
    address: SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 6_000),
};
const CALLEE: Sender = Sender {
    transport: "UDP",
    address: SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 7_000),
};

fn flow(port: u16) -> Flow {
    Flow {
        transport: Transport::Udp,
        local: SocketAddr::from(([127, 0, 0, 1], 5060)),
        peer: SocketAddr::from(([127, 0, 0, 1], port)),
        generation: 0,
    }
}
