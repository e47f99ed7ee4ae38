//! CPU time and allocations for one operation of the codec and of digest, as the thread's own account
//! tells (`/proc`), so that other programs on the machine do not count. Best of several rounds.
//!
//! `cargo bench -p sip` prints a table; results belong into `docs/performance.md`.

#![expect(
    clippy::unwrap_used,
    reason = "a measurement that cannot go on has failed"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use sip::{
    Algorithm, Claim, Credentials, DigestClient, DigestSecret, DigestServer, Ids, Message, Method,
    Private, Request, StreamFramer, Uri, Verdict, answer_challenges, parse_datagram,
};

const REGISTER: &str = "REGISTER sip:example.com SIP/2.0\r\n\
Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK776asdhds;rport\r\n\
Max-Forwards: 70\r\n\
From: \"Alice\" <sip:alice@example.com>;tag=49583\r\n\
To: \"Alice\" <sip:alice@example.com>\r\n\
Call-ID: 843817637684230-998sdasdh09@192.0.2.10\r\n\
CSeq: 1826 REGISTER\r\n\
Contact: <sip:alice@192.0.2.10:5060;transport=udp;pn-provider=fcm;pn-param=project-1;pn-prid=APA91bHun4MxP5egoKMwt2KZFBaFUH-1RYqx>;+sip.instance=\"<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>\";reg-id=1\r\n\
Expires: 3600\r\n\
Supported: path, outbound, gruu\r\n\
User-Agent: Phone/1.0\r\n\
Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, UPDATE\r\n\
Content-Length: 0\r\n\r\n";

const SDP: &str = "v=0\r\no=- 2890844526 2890844526 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n\
m=audio 49170 RTP/AVP 96 9 0 8 101\r\na=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=1\r\na=rtpmap:9 G722/8000\r\n\
a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n";

fn invite() -> String {
    format!(
        "INVITE sip:bob@example.com SIP/2.0\r\n\
         Via: SIP/2.0/TCP proxy.example.com:5060;branch=z9hG4bK2d4790.1\r\n\
         Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK776asdhds;received=192.0.2.10;rport=5060\r\n\
         Record-Route: <sip:proxy.example.com;lr>\r\n\
         Max-Forwards: 69\r\n\
         From: \"Alice\" <sip:alice@example.com>;tag=1928301774\r\n\
         To: <sip:bob@example.com>\r\n\
         Call-ID: a84b4c76e66710@192.0.2.10\r\n\
         CSeq: 314159 INVITE\r\n\
         Contact: <sip:alice@192.0.2.10:5060>\r\n\
         Supported: 100rel, timer, replaces\r\n\
         Session-Expires: 1800\r\n\
         Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, UPDATE, PRACK\r\n\
         User-Agent: Phone/1.0\r\n\
         Content-Type: application/sdp\r\n\
         Content-Length: {}\r\n\r\n{SDP}",
        SDP.len()
    )
}

fn main() {
    let register = Bytes::from_static(REGISTER.as_bytes());
    let invite = Bytes::from(invite());
    let request = parse_datagram(invite.clone())
        .unwrap()
        .into_request()
        .unwrap();
    let mut answer = request.response(200, Some("a6c85cf"));
    answer.push_header("Contact", "<sip:bob@192.0.2.20>");
    answer.set_body("application/sdp", SDP);
    let answer = answer.to_bytes();

    println!("{:<44} {:>9} {:>12}", "operation", "ns", "allocations");
    for (name, bytes) in [
        ("REGISTER", &register),
        ("INVITE", &invite),
        ("200", &answer),
    ] {
        let sized = format!("{name} ({} bytes)", bytes.len());
        measure(&format!("parse {sized}"), || {
            parse_datagram(bytes.clone()).unwrap()
        });
        measure(&format!("parse and core of {sized}"), || {
            core(&parse_datagram(bytes.clone()).unwrap());
        });
        let message = parse_datagram(bytes.clone()).unwrap();
        measure(&format!("core of {name}"), || core(&message));
        let mut edited = message.clone();
        edited
            .stamp_via("192.0.2.10:5060".parse().unwrap())
            .unwrap();
        measure(&format!("write {name}, top Via edited"), || {
            edited.to_bytes()
        });
    }
    measure("stamp the Via of a REGISTER", || {
        let mut message = parse_datagram(register.clone()).unwrap();
        message
            .stamp_via("192.0.2.10:5060".parse().unwrap())
            .unwrap();
        message
    });
    measure("validate an INVITE", || request.validate().unwrap());
    measure("make a 180 and write it", || {
        request.response(180, Some("a6c85cf")).to_bytes()
    });
    measure("frame a stream of 16 INVITEs", || {
        let mut framer = StreamFramer::accepted();
        for _ in 0..16 {
            framer.push(&invite);
        }
        (0..16)
            .map(|_| framer.next_frame().unwrap().unwrap())
            .collect::<Vec<_>>()
    });
    measure("read a URI with push parameters", || {
        "sip:alice@192.0.2.10:5060;transport=udp;pn-provider=fcm;pn-prid=APA91bHun4MxP5egoKMwt2KZ"
            .parse::<Uri>()
            .unwrap()
    });
    digest();
}

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 10));

/// What every element needs of every message.
fn core(message: &Message) {
    black_box(message.via().unwrap().branch());
    black_box(message.from().unwrap().tag());
    black_box(message.to().unwrap().tag());
    black_box(message.call_id().unwrap());
    black_box(message.cseq().unwrap());
    black_box(message.contacts().unwrap());
}

fn digest() {
    let secret = DigestSecret::from_password("alice", "example.com", "secret");
    for algorithm in [Algorithm::Md5, Algorithm::Sha256, Algorithm::Sha512_256] {
        let mut server =
            DigestServer::new([7; 32], Ids::from_seed([1; 32])).with_algorithms(&[algorithm]);
        measure(&format!("challenge with {algorithm}"), || {
            let challenges = server.challenges("example.com", false, HERE, 1_800_000_000);
            challenges.collect::<Vec<_>>()
        });
        let signed = signed(&mut server);
        measure(&format!("claim of {algorithm} credentials"), || {
            matches!(server.claim(&signed, "example.com"), Claim::User(_))
        });
        // The first use is accepted, all others are replays, which takes the same way until its end.
        measure(&format!("verify {algorithm} credentials"), || {
            let verdict = server.verify(&signed, "example.com", &secret, 1_800_000_000);
            assert!(matches!(verdict, Verdict::Ok | Verdict::Wrong));
        });
    }
}

fn signed(server: &mut DigestServer) -> Request {
    let mut request = parse_datagram(REGISTER.into())
        .unwrap()
        .into_request()
        .unwrap();
    assert_eq!(request.method, Method::REGISTER);
    let mut response = request.response(401, None);
    for challenge in server.challenges("example.com", false, HERE, 1_800_000_000) {
        response.push_header("WWW-Authenticate", challenge);
    }
    let credentials = Credentials {
        username: "alice".to_owned(),
        password: Private("secret".to_owned()),
        realm: None,
    };
    let mut ids = Ids::from_seed([2; 32]);
    let (name, value) = answer_challenges(
        &response,
        &request,
        &credentials,
        &mut DigestClient::new(),
        &mut ids,
    )
    .unwrap();
    request.set_header(name, value);
    request
}

/// Prints the best of several rounds, each long enough for the account, which moves in ticks.
fn measure<T>(name: &str, mut operation: impl FnMut() -> T) {
    const ROUNDS: u64 = 5;
    const ROUND_NS: u64 = 60_000_000;
    let mut run = |times: u64| {
        let (cpu, allocated) = (cpu_ns(), ALLOCATIONS.load(Ordering::Relaxed));
        for _ in 0..times {
            black_box(operation());
        }
        (
            cpu_ns() - cpu,
            (ALLOCATIONS.load(Ordering::Relaxed) - allocated) / times,
        )
    };
    let mut times = 1_000;
    while run(times).0 < ROUND_NS {
        times *= 2;
    }
    let rounds: Vec<_> = (0..ROUNDS).map(|_| run(times)).collect();
    let best = rounds.iter().map(|(cpu, _)| cpu / times).min().unwrap();
    println!("{name:<44} {best:>9} {:>12}", rounds[0].1);
}

/// CPU time of this thread so far.
fn cpu_ns() -> u64 {
    let account = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    account.split(' ').next().unwrap().parse().unwrap()
}

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

struct Counting;

#[expect(
    unsafe_code,
    reason = "an allocator is unsafe by nature; this one only counts"
)]
// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from `alloc` above, so from the system's allocator.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;
