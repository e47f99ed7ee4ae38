//! The registrar under any sequence of operations: REGISTER with invented header fields, time that passes, connections that end,
//! revocations, restarts.
//!
//! The input is operations, separated by NUL: a letter that says which, a digit or letter that is its argument, and text.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sip::{
    Aor, Contacts, Credentials, DigestClient, DigestSecret, EndpointConfig, Flow, Host, HostPort,
    Ids, Machine, Message, Output, Private, Request, Response, Transport, answer_challenges,
};
use sip_proxy_core::{Account, Binding, Command, Counts, Event, Owner, Proxy, ProxyConfig, Row};

const DOMAIN: &str = "acme.test";

/// Bindings that an address-of-record may have, and the longest that one lasts.
const MAX_BINDINGS: usize = 10;
const MAX_EXPIRES: u32 = 7_200;

/// More operations than this find nothing new and take long.
const MAX_OPERATIONS: usize = 24;

/// Runs the operations; whatever they are, what the registrar promises holds.
pub fn operations(data: &[u8]) {
    let mut world = World::new();
    for operation in data.split(|byte| *byte == 0).take(MAX_OPERATIONS) {
        let [kind, argument, text @ ..] = operation else {
            continue;
        };
        world.operate(*kind, *argument, text);
        world.holds();
    }
    world.end();
}

struct World {
    proxy: Proxy,
    now: Instant,
    start: Instant,
    ids: Ids,
    digest: DigestClient,
    sent: Vec<Response>,
    listed: Vec<Binding>,
    kept: BTreeMap<String, Row>,
}

impl World {
    #[expect(
        clippy::disallowed_methods,
        reason = "simulated time must start somewhere"
    )]
    fn new() -> Self {
        let start = Instant::now();
        Self {
            proxy: proxy(start, start),
            now: start,
            start,
            ids: Ids::from_seed([9; 32]),
            digest: DigestClient::new(),
            sent: Vec::new(),
            listed: Vec::new(),
            kept: BTreeMap::new(),
        }
    }

    fn operate(&mut self, kind: u8, argument: u8, text: &[u8]) {
        let user = 1_001 + u32::from(argument & 1);
        match kind {
            b'r' => self.register(argument, text),
            b'u' => {
                self.receive(argument, Bytes::copy_from_slice(text));
                self.sent.clear();
            }
            b't' => self.pass(Duration::from_secs(u64::from(argument) * 20)),
            b'c' => {
                self.proxy.handle_flow_closed(flow(argument), self.now);
                self.settle();
            }
            b'd' => self.command(Command::DropBindings(aor(user))),
            b'i' => {
                let instance = String::from_utf8_lossy(text).into_owned();
                self.command(Command::RevokeInstance(instance));
            }
            b'x' => self.restart(),
            b'y' => self.command(Command::RestoreBindings(vec![text.to_vec()])),
            _ => {}
        }
    }

    /// A proven REGISTER, and a copy of it.
    fn register(&mut self, argument: u8, text: &[u8]) {
        let Some(plain) = request(argument, text) else {
            return;
        };
        let user = plain.to().ok().and_then(|to| Aor::from_uri(&to.uri));
        let Some(proven) = self.prove(argument, &plain) else {
            return;
        };
        let bytes = proven.to_bytes();
        let before = self.list();
        self.receive(argument, bytes.clone());
        let after = self.list();
        let Some(answer) = self.sent.pop() else {
            return;
        };
        let status = answer.status.code();
        let asks_only = proven.contacts() == Ok(Contacts::List(Vec::new()));
        if status >= 300 || asks_only {
            assert_eq!(
                before, after,
                "a REGISTER that fails or asks changes nothing: {status}"
            );
        }
        if let (200, Some(user)) = (status, &user) {
            let own = after.iter().filter(|binding| binding.aor == *user).count();
            told(&answer, own);
        }
        self.receive(argument, bytes);
        assert_eq!(self.list(), after, "a copy changes nothing");
        if let Some(again) = self.sent.pop()
            && status == 200
        {
            assert_eq!(again.status.code(), 200, "a copy is told the same");
            assert_eq!(uris(&again), uris(&answer), "a copy is told the same");
        }
    }

    /// The request with credentials, if it is challenged.
    fn prove(&mut self, argument: u8, plain: &Request) -> Option<Request> {
        self.receive(argument, plain.to_bytes());
        let challenge = self.sent.pop()?;
        let user = Aor::from_uri(&plain.to().ok()?.uri)?.user().to_owned();
        let credentials = Credentials {
            password: Private(password(&user)),
            username: user,
            realm: None,
        };
        let (name, value) = answer_challenges(
            &challenge,
            plain,
            &credentials,
            &mut self.digest,
            &mut self.ids,
        )
        .ok()?;
        let mut proven = plain.clone();
        proven.set_header(name, value);
        Some(proven)
    }

    fn receive(&mut self, argument: u8, bytes: Bytes) {
        self.sent.clear();
        self.proxy.handle_received(flow(argument), bytes, self.now);
        self.settle();
    }

    fn command(&mut self, command: Command) {
        self.proxy.handle_command(command, self.now);
        self.settle();
    }

    fn settle(&mut self) {
        while let Some(output) = self.proxy.poll_output() {
            let command = match output {
                Output::Transmit(transmit) => {
                    let message =
                        sip::parse_message(transmit.bytes).expect("what is sent can be read");
                    if let Message::Response(response) = message {
                        self.sent.push(*response);
                    }
                    continue;
                }
                Output::Event(Event::LoadAccount { ticket, aor }) => Command::AccountLoaded {
                    ticket,
                    account: Ok(account(&aor)),
                },
                Output::Event(Event::Store { ticket, rows }) => {
                    let rows = rows.into_iter();
                    self.kept.extend(rows.map(|row| (row.aor.to_string(), row)));
                    Command::Stored {
                        ticket,
                        result: Ok(()),
                    }
                }
                Output::Event(Event::BindingsListed { bindings, .. }) => {
                    self.listed = bindings;
                    continue;
                }
                _ => continue,
            };
            self.proxy.handle_command(command, self.now);
        }
    }

    fn list(&mut self) -> Vec<Binding> {
        self.command(Command::ListBindings { asker: 0, from: 0 });
        std::mem::take(&mut self.listed)
    }

    fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(next) = self.proxy.poll_timeout().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.proxy.handle_timeout(self.now);
            let after = self.proxy.poll_timeout();
            assert!(after.is_none_or(|after| after > self.now), "would spin");
            self.settle();
        }
        self.now = end;
    }

    /// Everything is written, and a new proxy begins with it.
    fn restart(&mut self) {
        self.command(Command::Flush);
        let rows = self.kept.values();
        let rows = rows
            .filter_map(|row| Some(row.bindings.as_ref()?.to_vec()))
            .collect();
        self.proxy = proxy(self.start, self.now);
        self.command(Command::RestoreBindings(rows));
    }

    fn holds(&mut self) {
        let bindings = self.list();
        assert_eq!(bindings.len(), self.proxy.counts().bindings);
        for user in [1_001, 1_002] {
            let own = bindings.iter().filter(|binding| binding.aor == aor(user));
            assert!(own.count() <= MAX_BINDINGS);
        }
    }

    /// Once every binding has expired nothing is left.
    fn end(&mut self) {
        self.pass(Duration::from_secs(u64::from(u32::MAX)));
        assert_eq!(self.proxy.counts(), Counts::default());
        assert_eq!(self.proxy.poll_timeout(), None);
    }
}

/// What a 200 says of the bindings.
fn told(answer: &Response, own: usize) {
    let Ok(Contacts::List(contacts)) = answer.contacts() else {
        panic!("the contacts of a 200 cannot be read");
    };
    assert_eq!(contacts.len(), own, "a 200 tells all bindings");
    for contact in &contacts {
        let left = contact.expires().expect("a 200 tells how long each lasts");
        assert!((1..=MAX_EXPIRES).contains(&left), "{left}");
    }
}

/// Temporary GRUUs are new in every answer.
fn uris(answer: &Response) -> Option<Vec<String>> {
    let Contacts::List(contacts) = answer.contacts().ok()? else {
        return None;
    };
    let uris = contacts.iter().map(|contact| contact.uri().to_string());
    Some(uris.collect())
}

fn proxy(start: Instant, now: Instant) -> Proxy {
    let address = HostPort::new(
        Host::from(std::net::IpAddr::from([127, 0, 0, 1])),
        Some(5060),
    );
    let endpoint = EndpointConfig {
        advertised: vec![(Transport::Udp, address.clone()), (Transport::Tcp, address)],
        ..EndpointConfig::default()
    };
    let passed = now.duration_since(start).as_secs();
    let started = (now, 1_800_000_000 + passed);
    Proxy::new(ProxyConfig::new(endpoint, started, [7; 32]))
}

/// A device behind one of eight addresses, four of them connections.
fn flow(argument: u8) -> Flow {
    let port = 40_000 + u16::from(argument >> 1 & 7);
    let transport = if port < 40_004 {
        Transport::Udp
    } else {
        Transport::Tcp
    };
    Flow {
        transport,
        local: SocketAddr::from(([127, 0, 0, 1], 5060)),
        peer: SocketAddr::from(([127, 0, 0, 1], port)),
        generation: u64::from(transport.is_reliable()) * u64::from(port),
    }
}

/// A REGISTER of one of two users, with one of two Call-IDs. The first byte of the text is its sequence number, the rest header fields.
fn request(argument: u8, text: &[u8]) -> Option<Request> {
    let user = 1_001 + u32::from(argument & 1);
    let call_id = argument >> 4 & 1;
    let (cseq, fields) = text.split_first()?;
    let mut bytes = format!(
        "REGISTER sip:{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK{argument}x{cseq};rport\r\nMax-Forwards: 70\r\n\
         From: <sip:{user}@{DOMAIN}>;tag=1\r\nTo: <sip:{user}@{DOMAIN}>\r\nCall-ID: {call_id}\r\nCSeq: {cseq} REGISTER\r\n"
    )
    .into_bytes();
    for line in fields.split(|byte| *byte == b'\n') {
        bytes.extend_from_slice(line);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"Content-Length: 0\r\n\r\n");
    sip::parse_message(Bytes::from(bytes)).ok()?.into_request()
}

fn aor(user: u32) -> Aor {
    Aor::parse(&format!("sip:{user}@{DOMAIN}")).expect("an address-of-record")
}

fn password(user: &str) -> String {
    format!("secret-{user}")
}

fn account(aor: &Aor) -> Option<Account> {
    let user = aor.user().to_owned();
    ["1001", "1002"].contains(&user.as_str()).then(|| Account {
        owner: Owner {
            tenant: 1,
            account: 1,
        },
        aor: aor.clone(),
        secret: DigestSecret::from_password(&user, DOMAIN, &password(&user)),
        auth_username: user,
        display_name: None,
    })
}
