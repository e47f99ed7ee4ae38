//! The handshake for secured media (`dimpl`), with somebody on the way who changes, repeats, holds back and invents.

use std::sync::OnceLock;
use std::time::Instant;

use media::srtp::{DtlsHandshake, DtlsIdentity, DtlsOutcome};
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use sdp::DtlsRole;

use crate::input::{Input, any_instant};

/// More datagrams than two handshakes need that begin anew a few times.
const MAX_DATAGRAMS: usize = 200;

/// Datagrams of any content at both ends. `data`: of each, to whom, and the bytes.
pub fn datagrams(data: &[u8]) {
    let mut ends = Ends::new();
    let mut input = Input::new(data);
    while !input.is_empty() {
        let to = usize::from(input.byte() & 1);
        let datagram = input.many_bytes();
        ends.sides[to].handle_datagram(datagram, ends.now);
    }
    ends.flush();
    assert!(ends.keys().is_none(), "nobody can invent a handshake");
}

/// A real handshake whose datagrams meet a fate each. If both ends believe that it came about, they have the same keys. `data`: the
/// fate of each datagram.
pub fn handshake(data: &[u8]) {
    let mut ends = Ends::new();
    let mut input = Input::new(data);
    let mut kept = Vec::new();
    for _ in 0..MAX_DATAGRAMS {
        let Some((from, mut datagram)) = ends.next() else {
            if !ends.wait() {
                break;
            }
            continue;
        };
        match input.byte() % 8 {
            1 => continue,
            2 => ends.deliver(from, &datagram),
            3 => {
                let at = usize::from(input.short()) % datagram.len();
                datagram[at] ^= input.byte();
            }
            4 => datagram.truncate(input.short().into()),
            5 => {
                kept.push((from, datagram));
                continue;
            }
            6 => {
                if let Some((from, earlier)) = kept.pop() {
                    ends.deliver(from, &earlier);
                }
            }
            7 => {
                let from_other = input.byte() & 1 != 0;
                ends.deliver(usize::from(from_other), input.bytes());
            }
            _ => {}
        }
        ends.deliver(from, &datagram);
    }
    if let Some([(local, remote), (theirs, ours)]) = ends.keys() {
        assert!(local == ours && remote == theirs);
    }
}

struct Ends {
    sides: [DtlsHandshake; 2],
    outcomes: [Option<DtlsOutcome>; 2],
    now: Instant,
}

type Keys = (sdp::MasterKey, sdp::MasterKey);

impl Ends {
    fn new() -> Self {
        let [alice, bob] = identities();
        let now = any_instant();
        let side = |own: &DtlsIdentity, other: &DtlsIdentity, role| {
            DtlsHandshake::new(own.clone(), role, vec![other.fingerprint()], now)
        };
        Self {
            sides: [
                side(alice, bob, DtlsRole::Client),
                side(bob, alice, DtlsRole::Server),
            ],
            outcomes: [None, None],
            now,
        }
    }

    /// The next datagram, and whose it is.
    fn next(&mut self) -> Option<(usize, Vec<u8>)> {
        (0..2).find_map(|from| Some((from, self.sides[from].poll_output()?)))
    }

    fn deliver(&mut self, from: usize, datagram: &[u8]) {
        self.sides[1 - from].handle_datagram(datagram, self.now);
        self.note();
    }

    /// Until the next deadline; `false` if there is none.
    fn wait(&mut self) -> bool {
        let deadlines = self.sides.each_ref().map(DtlsHandshake::poll_timeout);
        let Some(next) = deadlines.into_iter().flatten().min() else {
            return false;
        };
        assert!(next > self.now, "it would spin");
        self.now = next;
        for side in &mut self.sides {
            side.handle_timeout(next);
        }
        self.note();
        true
    }

    /// Everything that both have to say, to nobody.
    fn flush(&mut self) {
        while self.next().is_some() {}
        self.note();
    }

    fn note(&mut self) {
        for (side, outcome) in self.sides.iter_mut().zip(&mut self.outcomes) {
            let news = side.poll_outcome();
            assert!(news.is_none() || outcome.is_none(), "it is told once");
            *outcome = outcome.take().or(news);
        }
    }

    /// Of both, if both have some: what each protects with and what the other does.
    fn keys(&self) -> Option<[Keys; 2]> {
        let keys = |outcome: &Option<DtlsOutcome>| match outcome {
            Some(DtlsOutcome::Connected { local, remote }) => Some((local.clone(), remote.clone())),
            _ => None,
        };
        Some([keys(&self.outcomes[0])?, keys(&self.outcomes[1])?])
    }
}

/// Two certificates, made once: it takes longer than a handshake.
#[must_use]
pub fn identities() -> &'static [DtlsIdentity; 2] {
    static IDENTITIES: OnceLock<[DtlsIdentity; 2]> = OnceLock::new();
    IDENTITIES.get_or_init(|| [identity(), identity()])
}

fn identity() -> DtlsIdentity {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key can be made");
    let certificate = CertificateParams::new(Vec::<String>::new())
        .expect("no names are valid names")
        .self_signed(&key)
        .expect("a certificate can be made");
    DtlsIdentity::new(certificate.der(), key.serialize_der().into())
}
