//! Legs whose keys come from a handshake, with the phone's own machine at the other end.

use sdp::{DtlsRole, Fingerprint, FingerprintHash};

use super::*;
use crate::srtp::{DtlsError, DtlsHandshake, DtlsIdentity, DtlsOutcome, SrtpSession};

fn identity() -> DtlsIdentity {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let certificate = rcgen::CertificateParams::default()
        .self_signed(&key)
        .unwrap();
    DtlsIdentity::new(certificate.der(), key.serialize_der().into())
}

fn other(role: DtlsRole) -> DtlsRole {
    match role {
        DtlsRole::Client => DtlsRole::Server,
        DtlsRole::Server => DtlsRole::Client,
    }
}

/// A call whose caller, a phone, agreed on a handshake with the relay.
struct Secured {
    rig: Rig,
    legs: [LegId; 2],
    phone: DtlsHandshake,
    outcome: Option<DtlsOutcome>,
}

impl Secured {
    fn new(role_of_relay: DtlsRole) -> Self {
        Self::with(role_of_relay, None)
    }

    /// The relay expects this certificate, or the phone's.
    fn with(role: DtlsRole, expected: Option<Fingerprint>) -> Self {
        let mut rig = Rig::new();
        let legs = rig.answered([SHARED; 2]);
        let (ours, theirs) = (identity(), identity());
        let agreement = HandshakeAgreement {
            identity: ours.clone(),
            role,
            fingerprints: vec![expected.unwrap_or(theirs.fingerprint())],
        };
        rig.relay
            .set_handshake(legs[0], agreement.clone(), rig.now)
            .unwrap();
        let announced = vec![ours.fingerprint()];
        let phone = DtlsHandshake::new(theirs, other(role), announced, rig.now);
        // A refresh: it goes on.
        rig.relay
            .set_handshake(legs[0], agreement, rig.now)
            .unwrap();
        Self {
            rig,
            legs,
            phone,
            outcome: None,
        }
    }

    /// Carries datagrams between both, the first `lost` of each way apart.
    fn go_on_for(&mut self, milliseconds: u64, mut lost: [u32; 2]) {
        let rig = &mut self.rig;
        for _ in 0..milliseconds / 10 {
            self.phone.handle_timeout(rig.now);
            rig.relay.handle_timeout(rig.now);
            while let Some(datagram) = self.phone.poll_output() {
                if lost[0] == 0 {
                    let verdict = rig.arrives(SHARED, Component::Rtp, CALLER, &datagram);
                    assert_eq!(verdict, Verdict::Read);
                }
                lost[0] = lost[0].saturating_sub(1);
            }
            while let Some(own) = rig.relay.poll_output() {
                if (20..64).contains(&own.bytes[0]) {
                    assert_eq!((own.to, own.component), (address(CALLER), Component::Rtp));
                    if lost[1] == 0 {
                        self.phone.handle_datagram(&own.bytes, rig.now);
                    }
                    lost[1] = lost[1].saturating_sub(1);
                }
            }
            self.outcome = self.phone.poll_outcome().or(self.outcome.take());
            rig.passes(10);
        }
    }

    fn state(&self) -> HandshakeState {
        let stats = self.rig.relay.stats(self.legs[0].call, self.rig.now);
        stats.unwrap()[0][0].handshake.unwrap()
    }

    fn nothing_passes(&mut self) {
        let plain = self.rig.rtp(CALLER, 1, 1);
        assert_eq!(plain, dropped(DropReason::NotAuthentic));
        assert_eq!(self.rig.rtp(CALLEE, 2, 1), dropped(DropReason::NoTarget));
    }
}

#[test]
fn a_phone_with_dtls_is_joined_with_one_that_is_plain_in_either_role_and_over_loss() {
    for role in [DtlsRole::Client, DtlsRole::Server] {
        for lost in [[0, 0], [1, 2], [2, 1]] {
            let mut call = Secured::new(role);
            call.nothing_passes();
            call.go_on_for(10_000, lost);
            assert_eq!(call.state(), HandshakeState::Connected, "{role:?} {lost:?}");
            let Some(DtlsOutcome::Connected { local, remote }) = call.outcome.take() else {
                panic!("{:?}", call.outcome);
            };
            let mut phone = SrtpSession::new(&local, &remote);
            let plain = rtp(1, 5);
            let mut secured = plain.clone();
            secured.resize(plain.len() + PROTECTION_ROOM, 0);
            let len = phone.protect_rtp(&mut secured, plain.len()).unwrap();
            let arrival = Arrival {
                place: SHARED,
                component: Component::Rtp,
                source: address(CALLER),
                now: call.rig.now,
            };
            let verdict = call.rig.relay.handle(&arrival, &mut secured, len);
            assert_eq!(verdict, to(SHARED, CALLEE));
            assert_eq!(secured[..plain.len()], plain);
            call.rig.rtp(CALLER, 1, 6);
            let plain = call.rig.rtp(CALLER, 1, 6);
            assert_eq!(plain, dropped(DropReason::NotAuthentic));
        }
    }
}

#[test]
fn another_certificate_than_the_announced_one_opens_nothing() {
    let announced = Fingerprint::new(FingerprintHash::Sha256, &[7; 32]).unwrap();
    for role in [DtlsRole::Client, DtlsRole::Server] {
        let mut call = Secured::with(role, Some(announced));
        call.go_on_for(10_000, [0, 0]);
        let wrong = HandshakeState::Failed(DtlsError::WrongCertificate);
        assert_eq!(call.state(), wrong, "{role:?}");
        call.nothing_passes();
    }
}

#[test]
fn datagrams_of_strangers_are_not_given_to_the_handshake() {
    let mut call = Secured::new(DtlsRole::Server);
    let hello = call.phone.poll_output().unwrap();
    let rig = &mut call.rig;
    let unknown = rig.arrives(SHARED, Component::Rtp, STRANGER, &hello);
    assert_eq!(unknown, dropped(DropReason::Unknown));
    // Who has agreed on none gets none, nor does the port for reports.
    for (component, source) in [
        (Component::Rtp, CALLEE),
        (Component::Rtcp, "192.0.2.1:4001"),
    ] {
        let refused = rig.arrives(SHARED, component, source, &hello);
        assert_eq!(refused, dropped(DropReason::WrongSource));
    }
    assert_eq!(rig.relay.poll_output(), None);
    call.go_on_for(3_000, [0, 0]);
    assert_eq!(call.state(), HandshakeState::Connected);
}

#[test]
fn it_begins_when_ice_has_nominated_a_pair() {
    let (mut rig, legs, mut party) = ice::call(SHARED);
    let agreement = HandshakeAgreement {
        identity: identity(),
        role: DtlsRole::Client,
        fingerprints: vec![identity().fingerprint()],
    };
    rig.relay
        .set_handshake(legs[0], agreement, rig.now)
        .unwrap();
    assert_eq!(rig.relay.poll_output(), None, "nobody is there yet");
    let hello = party.go_on_until_dtls(&mut rig);
    assert_eq!(hello.to, address(TRANSLATED));
}

#[test]
fn a_leg_that_gets_keys_or_ends_has_no_handshake_any_more() {
    let mut call = Secured::new(DtlsRole::Client);
    let waiting = call.rig.relay.poll_timeout().unwrap();
    assert!(
        waiting - call.rig.now < Duration::from_secs(1),
        "it repeats"
    );
    let [caller, _] = call.legs;
    call.rig.relay.set_protection(caller, None).unwrap();
    assert_eq!(call.rig.rtp(CALLER, 1, 1), to(SHARED, CALLEE));
    let next = call.rig.relay.poll_timeout().unwrap();
    assert!(
        next - call.rig.now > Duration::from_secs(1),
        "reports alone"
    );

    let mut call = Secured::new(DtlsRole::Client);
    call.rig.relay.end_call(call.legs[0].call).unwrap();
    assert_eq!(call.rig.relay.poll_timeout(), None);
}
