//! A proxy on a test bench: accounts in a table instead of a database, texts instead of sockets, a clock that only the test moves.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sip::{
    Aor, Credentials, DigestClient, DigestSecret, EndpointConfig, Flow, Host, HostPort, Ids,
    Machine, Message, Method, Output, Private, Request, Response, Transport, answer_challenges,
};
use sip_proxy_core::{
    Account, Binding, BindingsOf, CallRecord, CallTrace, Command, Event, LookupFailed, Owner,
    Proxy, ProxyConfig, Row, StoreFailed, Ticket, TracedCall,
};

pub(crate) const DOMAIN: &str = "acme.test";

/// The proxy, the world around it, and what it has sent.
pub(crate) struct Bench {
    pub(crate) proxy: Proxy,
    pub(crate) now: Instant,
    /// What requests are delivered over.
    pub(crate) transport: Transport,
    accounts: HashMap<String, Account>,
    /// What was sent and not yet looked at.
    sent: Vec<(SocketAddr, Message)>,
    /// Whose bindings were told to have changed, with how many they had then; by event.
    pub(crate) announced: Vec<Vec<(Aor, usize)>>,
    /// Whether what was told stays unread in `held_news`.
    pub(crate) hold_news: bool,
    pub(crate) held_news: Vec<Arc<[BindingsOf]>>,
    /// The edge has no room for that.
    pub(crate) refuse_news: bool,
    /// What else the proxy told.
    pub(crate) events: Vec<Event>,
    /// Who is trusted, and the call that proved it.
    pub(crate) trusted: Vec<(Flow, Option<Box<str>>)>,
    kept: HashMap<String, Row>,
    /// Groups that were written.
    pub(crate) writes: usize,
    /// Whether groups wait for [`Self::answer_stores`].
    pub(crate) hold_stores: bool,
    held_stores: Vec<(Ticket, Vec<Row>)>,
    pub(crate) lookups: usize,
    /// The last answers about calls.
    pub(crate) listed: Vec<TracedCall>,
    /// Call records as they were told.
    pub(crate) records: Vec<CallRecord>,
    /// Whether the edge has no room for call records.
    pub(crate) refuse_records: bool,
    pub(crate) found: Option<CallTrace>,
    pub(crate) broken_store: bool,
    /// Whether look-ups wait for [`Self::answer_lookups`].
    pub(crate) hold_lookups: bool,
    held: Vec<(Ticket, Aor)>,
    ids: Ids,
    digest: DigestClient,
}

impl Bench {
    /// A proxy with the accounts 1001 to 1003, whose passwords are `secret-` and the user.
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// The same with another configuration.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one reading of a clock; from here on the test moves it"
    )]
    pub(crate) fn with(configure: impl FnOnce(&mut ProxyConfig)) -> Self {
        let now = Instant::now();
        let address = HostPort::new(
            Host::from(std::net::IpAddr::from([127, 0, 0, 1])),
            Some(5060),
        );
        let endpoint = EndpointConfig {
            advertised: vec![(Transport::Udp, address.clone()), (Transport::Tcp, address)],
            ..EndpointConfig::default()
        };
        let mut config = ProxyConfig::new(endpoint, (now, 1_800_000_000), [7; 32]);
        configure(&mut config);
        let mut bench = Self {
            proxy: Proxy::new(config),
            transport: Transport::Udp,
            now,
            accounts: HashMap::new(),
            sent: Vec::new(),
            announced: Vec::new(),
            hold_news: false,
            held_news: Vec::new(),
            refuse_news: false,
            events: Vec::new(),
            trusted: Vec::new(),
            kept: HashMap::new(),
            writes: 0,
            hold_stores: false,
            held_stores: Vec::new(),
            lookups: 0,
            listed: Vec::new(),
            records: Vec::new(),
            refuse_records: false,
            found: None,
            broken_store: false,
            hold_lookups: false,
            held: Vec::new(),
            ids: Ids::from_seed([9; 32]),
            digest: DigestClient::new(),
        };
        for user in ["1001", "1002", "1003"] {
            bench.add_account(user);
        }
        bench
    }

    fn add_account(&mut self, user: &str) {
        self.add_account_of(user, 1);
    }

    /// An account of another tenant.
    pub(crate) fn add_account_of(&mut self, user: &str, tenant: u128) {
        let aor = Aor::parse(&format!("sip:{user}@{DOMAIN}")).unwrap();
        let account = Account {
            owner: Owner {
                tenant,
                account: user.parse().unwrap(),
            },
            aor: aor.clone(),
            auth_username: user.to_owned(),
            secret: DigestSecret::from_password(user, DOMAIN, &password(user)),
            display_name: Some(format!("Person {user}")),
        };
        self.accounts.insert(aor.as_str().to_owned(), account);
    }

    /// The accounts that a look-up can find.
    pub(crate) fn all_accounts(&self) -> Vec<Account> {
        self.accounts.values().cloned().collect()
    }

    /// Hands the proxy a message from the phone at this port.
    pub(crate) fn receive(&mut self, port: u16, text: &str) {
        let bytes = Bytes::from(text.replace("\r\n", "\n").replace('\n', "\r\n"));
        self.proxy.handle_received(self.flow(port), bytes, self.now);
        self.settle();
    }

    /// Lets time pass, deadline by deadline.
    pub(crate) fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(next) = self.proxy.poll_timeout().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.proxy.handle_timeout(self.now);
            let after = self.proxy.poll_timeout();
            assert!(
                after.is_none_or(|after| after > self.now),
                "the proxy would spin"
            );
            self.settle();
        }
        self.now = end;
    }

    pub(crate) fn command(&mut self, command: Command) {
        self.proxy.handle_command(command, self.now);
        self.settle();
    }

    pub(crate) fn settle(&mut self) {
        while let Some(output) = self.proxy.poll_output() {
            match output {
                Output::Transmit(transmit) => {
                    let message = sip::parse_message(transmit.bytes)
                        .expect("the proxy writes what can be read");
                    self.sent.push((transmit.destination.peer(), message));
                }
                Output::Event(Event::LoadAccount { ticket, aor }) => {
                    self.lookups += 1;
                    if self.hold_lookups {
                        self.held.push((ticket, aor));
                        continue;
                    }
                    let account = match self.broken_store {
                        true => Err(LookupFailed),
                        false => Ok(self.accounts.get(aor.as_str()).cloned()),
                    };
                    self.proxy
                        .handle_command(Command::AccountLoaded { ticket, account }, self.now);
                }
                Output::Event(Event::Store { ticket, rows }) => match self.hold_stores {
                    true => self.held_stores.push((ticket, rows)),
                    false => self.store(ticket, rows, Ok(())),
                },
                Output::Event(event @ Event::BindingsChanged(_)) if self.refuse_news => {
                    self.proxy.handle_refused_event(event, self.now);
                }
                Output::Event(Event::BindingsChanged(changed)) => {
                    let counts = changed.iter();
                    let counts = counts.map(|of| (of.aor.clone(), of.bindings.len()));
                    self.announced.push(counts.collect());
                    if self.hold_news {
                        self.held_news.push(changed);
                    }
                }
                Output::Event(event @ Event::CallRecords { .. }) if self.refuse_records => {
                    self.proxy.handle_refused_event(event, self.now);
                }
                Output::Event(Event::CallRecords { records, .. }) => self.records.extend(records),
                Output::Event(Event::CallsListed { calls, .. }) => self.listed = calls,
                Output::Event(Event::CallFound { trace, .. }) => {
                    self.found = trace.map(|trace| *trace);
                }
                Output::Trust { flow, call_id } => self.trusted.push((flow, call_id)),
                Output::Event(
                    event @ (Event::Locate { .. }
                    | Event::Located { .. }
                    | Event::SourceBanned { .. }
                    | Event::BansListed(_)
                    | Event::CallsLimited { .. }),
                ) => self.events.push(event),
                Output::Event(Event::Counts(_) | Event::Flushed | Event::BindingsListed { .. })
                | Output::Close(_)
                | Output::Unreachable { .. }
                | Output::Distrust(_)
                | Output::Resolve(_) => {}
            }
        }
    }

    /// Everything sent to the phone at this port since the last look.
    pub(crate) fn sent_to(&mut self, port: u16) -> Vec<Message> {
        let (to, rest) = std::mem::take(&mut self.sent)
            .into_iter()
            .partition(|(peer, _)| peer.port() == port);
        self.sent = rest;
        to.into_iter().map(|(_, message)| message).collect()
    }

    /// The responses among them.
    pub(crate) fn responses_to(&mut self, port: u16) -> Vec<Response> {
        self.sent_to(port)
            .into_iter()
            .filter_map(Message::into_response)
            .collect()
    }

    /// The requests among them.
    pub(crate) fn requests_to(&mut self, port: u16) -> Vec<Request> {
        self.sent_to(port)
            .into_iter()
            .filter_map(Message::into_request)
            .collect()
    }

    /// Sends a request, answers its challenge as `user` would, and returns the last response.
    pub(crate) fn ask(&mut self, port: u16, user: &str, request: &Request) -> Response {
        self.ask_with(port, user, &password(user), request)
    }

    /// As [`Self::ask`], with another password.
    pub(crate) fn ask_with(
        &mut self,
        port: u16,
        username: &str,
        password: &str,
        request: &Request,
    ) -> Response {
        self.deliver(port, request);
        let challenge = self.responses_to(port).pop().expect("an answer");
        if ![401, 407].contains(&challenge.status.code()) {
            return challenge;
        }
        let again = self.answer(port, username, password, request, &challenge);
        self.deliver(port, &again);
        if again.method == Method::INVITE {
            // Whatever else happens, an INVITE has an answer after 200 ms (RFC 3261, section 17.2.1).
            self.pass(Duration::from_millis(200));
        }
        self.responses_to(port).pop().expect("an answer")
    }

    /// The request with the answer to the challenge that it gets.
    pub(crate) fn prove(
        &mut self,
        port: u16,
        username: &str,
        password: &str,
        request: &Request,
    ) -> Request {
        self.deliver(port, request);
        let challenge = self.responses_to(port).pop().expect("a challenge");
        self.answer(port, username, password, request, &challenge)
    }

    /// As [`Self::prove`], from another address.
    pub(crate) fn prove_from(
        &mut self,
        host: [u8; 4],
        port: u16,
        password: &str,
        request: &Request,
    ) -> Request {
        self.deliver_from(host, port, request);
        let challenge = self.responses_to(port).pop().expect("a challenge");
        self.answer(port, "1001", password, request, &challenge)
    }

    /// As [`Self::prove`] with the usual password, the Vias below the topmost kept.
    pub(crate) fn prove_below(&mut self, port: u16, user: &str, request: &Request) -> Request {
        let below: Vec<_> = request
            .headers_named("Via")
            .skip(1)
            .map(str::to_owned)
            .collect();
        let mut proven = self.prove(port, user, &password(user), request);
        for via in below {
            proven.push_header("Via", via);
        }
        proven
    }

    /// The request with the answer to this challenge.
    pub(crate) fn answer(
        &mut self,
        port: u16,
        username: &str,
        password: &str,
        request: &Request,
        challenge: &Response,
    ) -> Request {
        let credentials = Credentials {
            username: username.to_owned(),
            password: Private(password.to_owned()),
            realm: None,
        };
        let mut digest = std::mem::take(&mut self.digest);
        let (name, value) =
            answer_challenges(challenge, request, &credentials, &mut digest, &mut self.ids)
                .expect("a challenge");
        let mut again = request.clone();
        again.set_header(name, value);
        let branch = self.ids.branch();
        again.set_header(
            "Via",
            format!("SIP/2.0/UDP 127.0.0.1:{port};branch={branch};rport"),
        );
        again
    }

    /// Answers the look-ups that were held back.
    pub(crate) fn answer_lookups(&mut self) {
        for (ticket, aor) in std::mem::take(&mut self.held) {
            let account = Ok(self.accounts.get(aor.as_str()).cloned());
            self.proxy
                .handle_command(Command::AccountLoaded { ticket, account }, self.now);
        }
        self.settle();
    }

    /// Hands the proxy a request as the phone at this port sends it.
    pub(crate) fn deliver(&mut self, port: u16, request: &Request) {
        self.proxy
            .handle_received(self.flow(port), request.to_bytes(), self.now);
        self.settle();
    }

    /// Hands the proxy a response as the phone at this port sends it.
    pub(crate) fn deliver_response(&mut self, port: u16, response: &Response) {
        self.proxy
            .handle_received(self.flow(port), response.to_bytes(), self.now);
        self.settle();
    }

    /// Hands the proxy bytes as they are.
    pub(crate) fn deliver_raw(&mut self, port: u16, bytes: &[u8]) {
        let bytes = Bytes::copy_from_slice(bytes);
        self.proxy.handle_received(flow(port), bytes, self.now);
        self.settle();
    }

    /// Hands the proxy a request from another address.
    pub(crate) fn deliver_from(&mut self, host: [u8; 4], port: u16, request: &Request) {
        let flow = Flow {
            peer: SocketAddr::from((host, port)),
            ..flow(port)
        };
        self.proxy
            .handle_received(flow, request.to_bytes(), self.now);
        self.settle();
    }

    /// The connection of the phone at this port ends.
    pub(crate) fn close(&mut self, port: u16) {
        self.proxy.handle_flow_closed(self.flow(port), self.now);
        self.settle();
    }

    fn flow(&self, port: u16) -> Flow {
        Flow {
            transport: self.transport,
            generation: u64::from(self.transport.is_reliable()) * u64::from(port),
            ..flow(port)
        }
    }

    /// A request of `user` without credentials, with what every request has.
    pub(crate) fn request(
        &mut self,
        port: u16,
        method: &str,
        uri: &str,
        user: &str,
        extra: &str,
    ) -> Request {
        let (branch, tag, call_id) = (self.ids.branch(), self.ids.tag(), self.ids.call_id());
        let to = if method == "REGISTER" {
            format!("sip:{user}@{DOMAIN}")
        } else {
            uri.to_owned()
        };
        let text = format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch={branch};rport\r\nMax-Forwards: 70\r\n\
             From: <sip:{user}@{DOMAIN}>;tag={tag}\r\nTo: <{to}>\r\nCall-ID: {call_id}\r\nCSeq: 1 {method}\r\n\
             User-Agent: Bench\r\n{extra}\r\n"
        );
        sip::parse_message(Bytes::from(text))
            .expect("the test writes what can be read")
            .into_request()
            .expect("a request")
    }

    /// Registers the phone of `user` at this port; it must be granted.
    pub(crate) fn register(&mut self, port: u16, user: &str) -> Response {
        let contact = format!("Contact: <sip:{user}@127.0.0.1:{port}>\r\n");
        let request = self.request(port, "REGISTER", &format!("sip:{DOMAIN}"), user, &contact);
        let response = self.ask(port, user, &request);
        assert_eq!(response.status.code(), 200, "{response:?}");
        response
    }

    /// The bindings that are kept beyond a restart, once everything is written.
    pub(crate) fn kept(&mut self) -> Vec<Binding> {
        self.command(Command::Flush);
        self.kept.values().flat_map(Row::read).collect()
    }

    /// The rows that are kept beyond a restart.
    pub(crate) fn kept_rows(&self) -> Vec<Vec<u8>> {
        self.kept
            .values()
            .filter_map(|row| Some(row.bindings.as_ref()?.to_vec()))
            .collect()
    }

    /// When the last row that is kept ends, in seconds since 1970.
    pub(crate) fn kept_until(&self) -> u32 {
        let ends = self.kept.values().map(|row| row.expires_unix_secs);
        ends.max().unwrap_or(0)
    }

    /// Answers the groups that were held back, all or none of their rows written.
    pub(crate) fn answer_stores(&mut self, result: Result<(), StoreFailed>) {
        while let Some((ticket, rows)) = self.held_stores.pop() {
            self.store(ticket, rows, result);
        }
        self.settle();
    }

    fn store(&mut self, ticket: Ticket, rows: Vec<Row>, result: Result<(), StoreFailed>) {
        if result.is_ok() {
            self.writes += 1;
            let rows = rows
                .into_iter()
                .map(|row| (row.aor.as_str().to_owned(), row));
            self.kept.extend(rows);
        }
        self.proxy
            .handle_command(Command::Stored { ticket, result }, self.now);
    }
}

pub(crate) fn password(user: &str) -> String {
    format!("secret-{user}")
}

pub(crate) fn flow(port: u16) -> Flow {
    Flow {
        transport: Transport::Udp,
        local: SocketAddr::from(([127, 0, 0, 1], 5060)),
        peer: SocketAddr::from(([127, 0, 0, 1], port)),
        generation: 0,
    }
}
