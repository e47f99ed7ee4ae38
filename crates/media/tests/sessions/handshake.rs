//! DTLS-SRTP between two of ours over a network that loses, repeats and invents.

use std::time::{Duration, Instant};

use media::srtp::{DtlsError, DtlsHandshake, DtlsIdentity, DtlsOutcome, SrtpSession};
use proptest::prelude::*;
use sdp::{DtlsRole, Fingerprint, FingerprintHash};

use crate::world::{any_instant, identity};

/// Client and server that expect each other.
struct Pair {
    client: DtlsHandshake,
    server: DtlsHandshake,
    now: Instant,
    sent: usize,
}

impl Pair {
    fn new() -> Self {
        let (alice, bob) = (identity(), identity());
        let (at_alice, at_bob) = (vec![bob.fingerprint()], vec![alice.fingerprint()]);
        Self::of(alice, at_alice, bob, at_bob)
    }

    fn of(
        alice: DtlsIdentity,
        at_alice: Vec<Fingerprint>,
        bob: DtlsIdentity,
        at_bob: Vec<Fingerprint>,
    ) -> Self {
        let now = any_instant();
        Self {
            client: DtlsHandshake::new(alice, DtlsRole::Client, at_alice, now),
            server: DtlsHandshake::new(bob, DtlsRole::Server, at_bob, now),
            now,
            sent: 0,
        }
    }

    /// Until both are done or nothing happens any more. `passes` judges the n-th datagram.
    fn run(
        &mut self,
        mut passes: impl FnMut(usize) -> bool,
    ) -> (Option<DtlsOutcome>, Option<DtlsOutcome>) {
        let (mut at_client, mut at_server) = (None, None);
        for _ in 0..400 {
            let mut is_quiet = true;
            while let Some(datagram) = self.client.poll_output() {
                is_quiet = false;
                self.sent += 1;
                if passes(self.sent) {
                    self.server.handle_datagram(&datagram, self.now);
                }
            }
            while let Some(datagram) = self.server.poll_output() {
                is_quiet = false;
                self.sent += 1;
                if passes(self.sent) {
                    self.client.handle_datagram(&datagram, self.now);
                }
            }
            at_client = at_client.or_else(|| self.client.poll_outcome());
            at_server = at_server.or_else(|| self.server.poll_outcome());
            if at_client.is_some() && at_server.is_some() {
                break;
            }
            if is_quiet {
                let deadlines = [self.client.poll_timeout(), self.server.poll_timeout()];
                let Some(next) = deadlines.into_iter().flatten().min() else {
                    break;
                };
                assert!(next > self.now, "would spin");
                self.now = next;
                self.client.handle_timeout(self.now);
                self.server.handle_timeout(self.now);
            }
        }
        (at_client, at_server)
    }
}

fn session(outcome: Option<DtlsOutcome>) -> SrtpSession {
    match outcome {
        Some(DtlsOutcome::Connected { local, remote }) => SrtpSession::new(&local, &remote),
        other => panic!("{other:?}"),
    }
}

fn talks(from: &mut SrtpSession, to: &mut SrtpSession) -> bool {
    let mut packet = [7; 64];
    packet[0] = 0x80;
    let plain = packet;
    let len = from.protect_rtp(&mut packet, 40).unwrap();
    to.unprotect_rtp(&mut packet[..len]) == Ok(40) && packet[..40] == plain[..40]
}

#[test]
fn both_ends_come_to_the_same_keys_at_once() {
    let mut pair = Pair::new();
    let start = pair.now;
    let (at_client, at_server) = pair.run(|_| true);
    assert_eq!(pair.now, start, "no repetition was needed");
    let (mut client, mut server) = (session(at_client), session(at_server));
    assert!(talks(&mut client, &mut server));
    assert!(talks(&mut server, &mut client));
}

#[test]
fn lost_datagrams_are_repeated() {
    for lost in 0..3 {
        let mut pair = Pair::new();
        let start = pair.now;
        let (at_client, at_server) = pair.run(|n| n % 3 != lost);
        assert!(talks(&mut session(at_client), &mut session(at_server)));
        assert!(pair.now > start && pair.now - start < Duration::from_secs(20));
    }
}

#[test]
fn a_certificate_that_was_not_announced_yields_no_keys() {
    let wrong = Fingerprint::new(FingerprintHash::Sha256, &[1; 32]).unwrap();
    let failed = Some(DtlsOutcome::Failed(DtlsError::WrongCertificate));
    let (alice, bob) = (identity(), identity());
    let announced = vec![alice.fingerprint()];
    let mut pair = Pair::of(alice, vec![wrong], bob, announced);
    let (at_client, at_server) = pair.run(|_| true);
    assert_eq!(at_client, failed);
    assert!(!matches!(at_server, Some(DtlsOutcome::Connected { .. })));

    let (alice, bob) = (identity(), identity());
    let announced = vec![bob.fingerprint()];
    let mut pair = Pair::of(alice, announced, bob, vec![wrong]);
    assert_eq!(pair.run(|_| true).1, failed);
}

#[test]
fn a_peer_that_never_answers_is_given_up() {
    let mut pair = Pair::new();
    let start = pair.now;
    let (at_client, _) = pair.run(|_| false);
    assert_eq!(at_client, Some(DtlsOutcome::Failed(DtlsError::Handshake)));
    assert!(pair.now - start < Duration::from_secs(60));
}

#[test]
fn who_waits_has_nothing_to_do_until_somebody_begins() {
    let alice = identity();
    let announced = vec![alice.fingerprint()];
    let mut waiting = DtlsHandshake::new(alice, DtlsRole::Server, announced, any_instant());
    assert_eq!(waiting.poll_output(), None);
    assert_eq!(waiting.poll_outcome(), None);
}

#[test]
fn no_debug_output_shows_a_key() {
    let identity = identity();
    let announced = vec![identity.fingerprint()];
    let handshake =
        DtlsHandshake::new(identity.clone(), DtlsRole::Client, announced, any_instant());
    let printed = format!("{identity:?} {handshake:?}");
    assert!(
        !printed.contains('[') || !printed.contains(", 0"),
        "{printed}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_datagram_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), kind in 20_u8..64) {
        let mut pair = Pair::new();
        let mut shaped = bytes.clone();
        if let Some(first) = shaped.first_mut() {
            *first = kind;
        }
        for side in [&mut pair.client, &mut pair.server] {
            side.handle_datagram(&bytes, pair.now);
            side.handle_datagram(&shaped, pair.now);
        }
    }

    /// Whatever one byte does to one datagram, nobody panics, and who connects can talk.
    #[test]
    fn a_changed_datagram_panics_nobody(which in 0_usize..12, at in any::<proptest::sample::Index>(), value in any::<u8>()) {
        let mut pair = Pair::new();
        let mut n = 0;
        for _ in 0..60 {
            for from_client in [true, false] {
                loop {
                    let (from, to) = if from_client {
                        (&mut pair.client, &mut pair.server)
                    } else {
                        (&mut pair.server, &mut pair.client)
                    };
                    let Some(mut datagram) = from.poll_output() else { break };
                    if n == which {
                        let at = at.index(datagram.len());
                        datagram[at] = value;
                    }
                    n += 1;
                    to.handle_datagram(&datagram, pair.now);
                }
            }
            let deadlines = [pair.client.poll_timeout(), pair.server.poll_timeout()];
            let Some(next) = deadlines.into_iter().flatten().min() else { break };
            pair.now = next;
            pair.client.handle_timeout(next);
            pair.server.handle_timeout(next);
        }
        if let (Some(DtlsOutcome::Connected { local, remote }), Some(DtlsOutcome::Connected { local: theirs, remote: ours })) =
            (pair.client.poll_outcome(), pair.server.poll_outcome())
        {
            prop_assert_eq!((local, remote), (ours, theirs));
        }
    }
}
