//! What a registration costs: CPU time and allocations of the proxy's core for REGISTER, 401, REGISTER, 200, and the bytes that a
//! binding with a push token keeps.
//!
//! `cargo bench -p sip-proxy-core`. CPU is the thread's own account (`/proc`), so other programs on the machine do not count; a round
//! is 20,000 registrations, the best of five counts. Sockets and the store are not in it. Results belong into `docs/performance.md`.

#![expect(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a measurement that cannot go on has failed; figures for people need no more than a float"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use sip::{
    Aor, Credentials, DigestClient, DigestSecret, EndpointConfig, Flow, HostPort, Ids, Machine,
    Message, Output, Private, Request, Transport, answer_challenges,
};
use sip_proxy_core::{Account, Command, Durability, Event, Owner, Proxy, ProxyConfig};

/// Devices of the memory figure.
const DEVICES: u32 = 100_000;

/// Registrations in a round, and rounds.
const REGISTRATIONS: u32 = 20_000;
const ROUNDS: u32 = 5;

/// After which no nonce of before counts, so that their table does not overflow.
const NONCE_LIFETIME: Duration = Duration::from_secs(301);

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static LIVE_BYTES: AtomicU64 = AtomicU64::new(0);

/// What the usual allocator makes of a request: eight bytes of its own, rounded up to sixteen.
fn real(layout: Layout) -> u64 {
    (layout.size() as u64 + 8).next_multiple_of(16).max(32)
}

#[expect(
    unsafe_code,
    reason = "an allocator that counts can be written in no other way"
)]
// SAFETY: every call goes unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        LIVE_BYTES.fetch_add(real(layout), Ordering::Relaxed);
        // SAFETY: as this function's own contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE_BYTES.fetch_sub(real(layout), Ordering::Relaxed);
        // SAFETY: as this function's own contract.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Nanoseconds that this thread has run.
fn cpu() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split_whitespace().next().unwrap().parse().unwrap()
}

struct World {
    proxy: Proxy,
    now: Instant,
    ids: Ids,
    answers: Vec<Bytes>,
}

impl World {
    #[expect(clippy::disallowed_methods, reason = "time must start somewhere")]
    fn new(durability: Durability) -> Self {
        let now = Instant::now();
        let address: HostPort = "192.0.2.5:5060".parse().unwrap();
        let endpoint = EndpointConfig {
            advertised: vec![(Transport::Udp, address)],
            ..EndpointConfig::default()
        };
        let config = ProxyConfig {
            durability,
            ..ProxyConfig::new(endpoint, (now, 1_800_000_000), [7; 32])
        };
        Self {
            proxy: Proxy::new(config),
            now,
            ids: Ids::from_seed([9; 32]),
            answers: Vec::new(),
        }
    }

    fn receive(&mut self, bytes: Bytes) {
        self.proxy.handle_received(flow(), bytes, self.now);
        self.settle();
    }

    fn settle(&mut self) {
        while let Some(output) = self.proxy.poll_output() {
            let command = match output {
                Output::Transmit(transmit) => {
                    self.answers.push(transmit.bytes);
                    continue;
                }
                Output::Event(Event::LoadAccount { ticket, aor }) => Command::AccountLoaded {
                    ticket,
                    account: Ok(Some(account(&aor))),
                },
                Output::Event(Event::Store { ticket, .. }) => Command::Stored {
                    ticket,
                    result: Ok(()),
                },
                _ => continue,
            };
            self.proxy.handle_command(command, self.now);
        }
    }

    /// A REGISTER of `user` without credentials, and the same with them.
    fn pair(&mut self, user: u32) -> (Bytes, Bytes) {
        let plain = register(user, &mut self.ids);
        self.receive(plain.to_bytes());
        let challenge = sip::parse_message(self.answers.pop().unwrap()).unwrap();
        let challenge = challenge.into_response().unwrap();
        let credentials = Credentials {
            username: user.to_string(),
            password: Private(format!("secret-{user}")),
            realm: None,
        };
        let (name, value) = answer_challenges(
            &challenge,
            &plain,
            &credentials,
            &mut DigestClient::new(),
            &mut self.ids,
        )
        .unwrap();
        let mut proven = plain.clone();
        proven.set_header(name, value);
        (plain.to_bytes(), proven.to_bytes())
    }
}

fn flow() -> Flow {
    Flow {
        transport: Transport::Udp,
        local: SocketAddr::from(([192, 0, 2, 5], 5060)),
        peer: SocketAddr::from(([198, 51, 100, 7], 5060)),
        generation: 0,
    }
}

fn account(aor: &Aor) -> Account {
    let user = aor.user().to_owned();
    Account {
        owner: Owner {
            tenant: 1,
            account: 2,
        },
        aor: aor.clone(),
        secret: DigestSecret::from_password(&user, aor.host(), &format!("secret-{user}")),
        auth_username: user,
        display_name: None,
    }
}

/// With a push token of 153 characters.
fn register(user: u32, ids: &mut Ids) -> Request {
    let token: String = "APA91bHun4MxP5egoKMwt2KZFBaFUH-1RYqx"
        .chars()
        .cycle()
        .take(153)
        .collect();
    let (branch, tag, call_id) = (ids.branch(), ids.tag(), ids.call_id());
    let text = format!(
        "REGISTER sip:acme.test SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.7:5060;branch={branch};rport\r\nMax-Forwards: 70\r\n\
         From: <sip:{user}@acme.test>;tag={tag}\r\nTo: <sip:{user}@acme.test>\r\nCall-ID: {call_id}\r\nCSeq: 1 REGISTER\r\n\
         Contact: <sip:{user}@198.51.100.7:5060;pn-provider=fcm;pn-param=project-1;pn-prid={token}>\r\nExpires: 3600\r\n\
         User-Agent: Phone/1.0\r\nContent-Length: 0\r\n\r\n"
    );
    match sip::parse_message(Bytes::from(text)) {
        Ok(Message::Request(request)) => *request,
        other => panic!("{other:?}"),
    }
}

fn measure_registrations(durability: Durability) {
    let mut world = World::new(durability);
    let mut best = u64::MAX;
    let mut allocations = 0;
    for _ in 0..ROUNDS {
        let pairs: Vec<_> = (0..REGISTRATIONS)
            .map(|user| world.pair(user % 5_000))
            .collect();
        world.answers = Vec::with_capacity(2 * REGISTRATIONS as usize);
        let (cpu_before, allocations_before) = (cpu(), ALLOCATIONS.load(Ordering::Relaxed));
        for (plain, proven) in pairs {
            world.receive(plain);
            world.receive(proven);
        }
        best = best.min(cpu() - cpu_before);
        allocations = ALLOCATIONS.load(Ordering::Relaxed) - allocations_before;
        let granted = world
            .answers
            .iter()
            .filter(|answer| answer.starts_with(b"SIP/2.0 200"));
        assert_eq!(granted.count(), REGISTRATIONS as usize);
        world.answers.clear();
        world.now += NONCE_LIFETIME;
    }
    println!(
        "registration, {durability:?}: {:.2} µs CPU, {:.0} allocations",
        best as f64 / 1_000.0 / f64::from(REGISTRATIONS),
        allocations as f64 / f64::from(REGISTRATIONS),
    );
}

fn measure_bindings() {
    let mut world = World::new(Durability::Durable);
    let before = LIVE_BYTES.load(Ordering::Relaxed);
    for user in 0..DEVICES {
        let (_, proven) = world.pair(user);
        world.receive(proven);
        world.answers.clear();
        if user % 10_000 == 0 {
            world.now += NONCE_LIFETIME;
        }
    }
    assert_eq!(world.proxy.counts().bindings, DEVICES as usize);
    let with_accounts = LIVE_BYTES.load(Ordering::Relaxed) - before;
    world
        .proxy
        .handle_command(Command::AccountsChanged, world.now);
    let bytes = LIVE_BYTES.load(Ordering::Relaxed) - before;
    println!(
        "binding with a push token: {:.0} bytes, with its remembered account and nonce {:.0}",
        bytes as f64 / f64::from(DEVICES),
        with_accounts as f64 / f64::from(DEVICES),
    );
}

fn main() {
    measure_registrations(Durability::Durable);
    measure_registrations(Durability::MemoryFirst);
    measure_bindings();
}
