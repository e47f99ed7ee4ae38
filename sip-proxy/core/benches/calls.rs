//! What a call costs the proxy's core: time and allocations for one call from INVITE to the last response, and the bytes that a
//! ringing and a talking call keep. Messages only, no sockets: what a kernel adds is measured by `make bench-sip`.
//!
//! Run by `cargo bench -p sip-proxy-core`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a bench reads the clock, prints, and makes what it unwraps"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use bytes::Bytes;
use sip::{
    Aor, Credentials, DigestClient, DigestSecret, EndpointConfig, Flow, HostPort, Ids, Machine,
    Message, Output, Private, Transport, answer_challenges,
};
use sip_proxy_core::{Account, Command, Durability, Event, Owner, Proxy, ProxyConfig};

const DOMAIN: &str = "acme.test";
const CALLS: u32 = 5_000;
const HELD: u32 = 2_000;

const OFFER: &str = "v=0\r\no=a 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 7000 RTP/AVP 0 8 101\r\n\
                     a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n";

struct Counting;

static LIVE: AtomicIsize = AtomicIsize::new(0);
static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator unchanged.
#[expect(unsafe_code, reason = "an allocator that counts")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size().cast_signed(), Relaxed);
        ALLOCATIONS.fetch_add(1, Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size().cast_signed(), Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

struct Bench {
    proxy: Proxy,
    now: Instant,
    spent: Duration,
    allocations: usize,
    sent: Vec<(SocketAddr, Bytes)>,
    ids: Ids,
    digest: DigestClient,
    messages: usize,
}

impl Bench {
    fn new() -> Self {
        let now = Instant::now();
        let endpoint = EndpointConfig {
            advertised: vec![(Transport::Udp, HostPort::from(proxy()))],
            max_transactions: 1_000_000,
            ..EndpointConfig::default()
        };
        let mut config = ProxyConfig::new(endpoint, (now, 1_800_000_000), [7; 32]);
        config.calls.max_calls = 1_000_000;
        config.durability = Durability::MemoryFirst;
        let mut bench = Self {
            proxy: Proxy::new(config),
            now,
            spent: Duration::ZERO,
            allocations: 0,
            sent: Vec::new(),
            ids: Ids::from_seed([9; 32]),
            digest: DigestClient::new(),
            messages: 0,
        };
        bench.register();
        bench
    }

    fn register(&mut self) {
        let register = format!(
            "REGISTER sip:{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bKregister;rport\r\nMax-Forwards: 70\r\n\
             From: <sip:1002@{DOMAIN}>;tag=r\r\nTo: <sip:1002@{DOMAIN}>\r\nCall-ID: register@192.0.2.2\r\nCSeq: 1 REGISTER\r\n\
             Contact: <sip:1002@192.0.2.2:5060>\r\nExpires: 3600\r\nContent-Length: 0\r\n\r\n",
            callee(),
        );
        let mut register = request(register);
        self.receive(callee(), text(&register.to_bytes()));
        let challenge = self.response_to(callee());
        self.prove(&mut register, &challenge, "1002");
        self.receive(callee(), text(&register.to_bytes()));
        assert_eq!(self.response_to(callee()).status.code(), 200);
    }

    /// Adds what `challenge` wants, and what tells the request from the first one.
    fn prove(&mut self, request: &mut sip::Request, challenge: &sip::Response, user: &str) {
        let credentials = Credentials {
            username: user.to_owned(),
            password: Private("secret".to_owned()),
            realm: None,
        };
        let (name, value) = answer_challenges(
            challenge,
            request,
            &credentials,
            &mut self.digest,
            &mut self.ids,
        )
        .unwrap();
        request.set_header(name, value);
        let cseq = format!("2 {}", request.method.as_str());
        request.set_header("CSeq", cseq);
        let via = request
            .header("Via")
            .unwrap()
            .replace("z9hG4bK", "z9hG4bKproven");
        request.set_header("Via", via);
    }

    fn response_to(&mut self, peer: SocketAddr) -> sip::Response {
        self.sent_to(peer).pop().unwrap().into_response().unwrap()
    }

    fn receive(&mut self, from: SocketAddr, text: String) {
        let bytes = Bytes::from(text);
        self.messages += 1;
        let (begin, before) = (Instant::now(), ALLOCATIONS.load(Relaxed));
        self.proxy.handle_received(flow(from), bytes, self.now);
        self.spent += begin.elapsed();
        self.allocations += ALLOCATIONS.load(Relaxed) - before;
        self.drain();
    }

    fn drain(&mut self) {
        loop {
            let (begin, before) = (Instant::now(), ALLOCATIONS.load(Relaxed));
            let output = self.proxy.poll_output();
            self.spent += begin.elapsed();
            self.allocations += ALLOCATIONS.load(Relaxed) - before;
            match output {
                None => return,
                Some(Output::Transmit(transmit)) => {
                    self.sent
                        .push((transmit.destination.peer(), transmit.bytes));
                }
                Some(Output::Event(Event::LoadAccount { ticket, aor })) => {
                    let account = Ok(Some(account(aor.user())));
                    let command = Command::AccountLoaded { ticket, account };
                    let (begin, before) = (Instant::now(), ALLOCATIONS.load(Relaxed));
                    self.proxy.handle_command(command, self.now);
                    self.spent += begin.elapsed();
                    self.allocations += ALLOCATIONS.load(Relaxed) - before;
                }
                Some(_) => {}
            }
        }
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(next) = self.proxy.poll_timeout().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            let (begin, before) = (Instant::now(), ALLOCATIONS.load(Relaxed));
            self.proxy.handle_timeout(self.now);
            self.spent += begin.elapsed();
            self.allocations += ALLOCATIONS.load(Relaxed) - before;
            self.drain();
        }
        self.now = end;
    }

    fn sent_to(&mut self, peer: SocketAddr) -> Vec<Message> {
        let (mine, rest) = std::mem::take(&mut self.sent)
            .into_iter()
            .partition(|(to, _)| *to == peer);
        self.sent = rest;
        let mine: Vec<(SocketAddr, Bytes)> = mine;
        mine.into_iter()
            .map(|(_, bytes)| sip::parse_message(bytes).unwrap())
            .collect()
    }

    /// One proven INVITE; what the callee's phone got.
    fn ring(&mut self, number: u32) -> (String, sip::Request) {
        let mut invite = request(invite(number));
        self.receive(caller(), text(&invite.to_bytes()));
        let challenge = self.response_to(caller());
        self.receive(caller(), ack_of(&invite, &challenge));
        self.prove(&mut invite, &challenge, "1001");
        self.receive(caller(), text(&invite.to_bytes()));
        let ringing = self
            .sent_to(callee())
            .pop()
            .unwrap()
            .into_request()
            .unwrap();
        let mut response = ringing.response(180, Some("callee"));
        response.push_header("Contact", "<sip:1002@192.0.2.2:5060>");
        self.receive(callee(), text(&response.to_bytes()));
        (text(&invite.to_bytes()), ringing)
    }

    fn answer(&mut self, ringing: &sip::Request) -> sip::Response {
        self.sent.clear();
        let mut response = ringing.response(200, Some("callee"));
        response.push_header("Contact", "<sip:1002@192.0.2.2:5060>");
        response.set_body(
            "application/sdp",
            Bytes::from(OFFER.replace("192.0.2.1", "192.0.2.2")),
        );
        self.receive(callee(), text(&response.to_bytes()));
        let answered = self.response_to(caller());
        self.receive(caller(), within(&answered, "ACK", 2));
        answered
    }

    fn hang_up(&mut self, answered: &sip::Response) {
        self.sent.clear();
        self.receive(caller(), within(answered, "BYE", 3));
        let bye = self
            .sent_to(callee())
            .pop()
            .unwrap()
            .into_request()
            .unwrap();
        assert_eq!(bye.method.as_str(), "BYE");
        self.receive(callee(), text(&bye.response(200, None).to_bytes()));
        self.sent.clear();
    }
}

fn main() {
    // The test runner asks for a list of tests.
    if std::env::args().any(|argument| argument == "--list" || argument == "--test") {
        return;
    }
    let mut bench = Bench::new();
    calls(&mut bench, CALLS / 10);
    bench.pass(Duration::from_secs(100));
    (bench.spent, bench.allocations, bench.messages) = (Duration::ZERO, 0, 0);
    calls(&mut bench, CALLS);
    bench.pass(Duration::from_secs(100));
    let calls = f64::from(CALLS);
    println!(
        "one call with challenge, 180, 200, BYE: {:.1} us, {:.0} allocations, {:.1} messages received",
        bench.spent.as_secs_f64() * 1e6 / calls,
        bench.allocations as f64 / calls,
        bench.messages as f64 / calls,
    );
    drop(bench);
    held();
}

/// Calls one after the other at 1,000 a second.
fn calls(bench: &mut Bench, count: u32) {
    for number in 0..count {
        let (_, ringing) = bench.ring(number);
        let answered = bench.answer(&ringing);
        bench.hang_up(&answered);
        bench.pass(Duration::from_millis(1));
    }
}

fn held() {
    let mut bench = Bench::new();
    let before = LIVE.load(Relaxed);
    let mut ringing = Vec::new();
    for number in 0..HELD {
        ringing.push(bench.ring(number).1.to_bytes());
        bench.sent.clear();
    }
    let own: usize = ringing.iter().map(Bytes::len).sum();
    let kept = |live: isize| (live - before - own.cast_signed()) as f64 / f64::from(HELD);
    println!("a ringing call: {:.0} bytes", kept(LIVE.load(Relaxed)));
    for invite in &ringing {
        let invite = sip::parse_message(invite.clone()).unwrap();
        bench.answer(&invite.into_request().unwrap());
        bench.sent.clear();
    }
    println!("just answered: {:.0} bytes", kept(LIVE.load(Relaxed)));
    bench.pass(Duration::from_secs(40));
    println!(
        "a talking call after 40 s: {:.0} bytes",
        kept(LIVE.load(Relaxed))
    );
}

fn request(text: String) -> sip::Request {
    sip::parse_message(Bytes::from(text))
        .unwrap()
        .into_request()
        .unwrap()
}

fn invite(number: u32) -> String {
    format!(
        "INVITE sip:1002@{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bKa{number};rport\r\nMax-Forwards: 70\r\n\
         From: \"1001\" <sip:1001@{DOMAIN}>;tag=t{number}\r\nTo: <sip:1002@{DOMAIN}>\r\nCall-ID: call-{number}@192.0.2.1\r\n\
         CSeq: 1 INVITE\r\nContact: <sip:1001@{}>\r\nUser-Agent: Bench\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{OFFER}",
        caller(),
        caller(),
        OFFER.len(),
    )
}

fn ack_of(invite: &sip::Request, response: &sip::Response) -> String {
    format!(
        "ACK {} SIP/2.0\r\nVia: {}\r\nMax-Forwards: 70\r\nFrom: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n",
        invite.uri,
        invite.header("Via").unwrap(),
        invite.header("From").unwrap(),
        response.header("To").unwrap(),
        invite.header("Call-ID").unwrap(),
    )
}

fn within(answered: &sip::Response, method: &str, cseq: u32) -> String {
    format!(
        "{method} {} SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bK{method}{};rport\r\nMax-Forwards: 70\r\n\
         From: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {cseq} {method}\r\nContent-Length: 0\r\n\r\n",
        answered.contacts().unwrap().first().unwrap().uri(),
        caller(),
        answered.header("Call-ID").unwrap(),
        answered.header("From").unwrap(),
        answered.header("To").unwrap(),
        answered.header("Call-ID").unwrap(),
    )
}

fn account(user: &str) -> Account {
    Account {
        owner: owner(),
        aor: aor(user),
        auth_username: user.to_owned(),
        secret: DigestSecret::from_password(user, DOMAIN, "secret"),
        display_name: None,
    }
}

fn owner() -> Owner {
    Owner {
        tenant: 1,
        account: 1,
    }
}

fn aor(user: &str) -> Aor {
    Aor::parse(&format!("sip:{user}@{DOMAIN}")).unwrap()
}

fn text(bytes: &Bytes) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn proxy() -> SocketAddr {
    ([192, 0, 2, 254], 5060).into()
}

fn caller() -> SocketAddr {
    ([192, 0, 2, 1], 5060).into()
}

fn callee() -> SocketAddr {
    ([192, 0, 2, 2], 5060).into()
}

fn flow(peer: SocketAddr) -> Flow {
    Flow {
        transport: Transport::Udp,
        local: proxy(),
        peer,
        generation: 0,
    }
}
