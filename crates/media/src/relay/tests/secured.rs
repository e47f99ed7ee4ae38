//! Secured legs, and taps.

use std::sync::mpsc::{Receiver, Sender, channel};

use sdp::{MasterKey, SrtpSuite};

use super::*;
use crate::srtp::SrtpSession;

fn key(seed: u8) -> MasterKey {
    let suite = SrtpSuite::AesCm128HmacSha1_80;
    MasterKey::generate(suite, |bytes| bytes.fill(seed))
}

/// Our end towards a caller who protects with key 1.
fn towards_caller() -> Box<SrtpSession> {
    Box::new(SrtpSession::new(&key(2), &key(1)))
}

/// The end of a caller who protects with this key.
fn caller(seed: u8) -> SrtpSession {
    SrtpSession::new(&key(seed), &key(2))
}

fn protected(by: &mut SrtpSession, kind: PacketKind, mut bytes: Vec<u8>) -> Vec<u8> {
    let len = bytes.len();
    bytes.resize(len + PROTECTION_ROOM, 0);
    let len = by.protect(kind, &mut bytes, len).unwrap();
    bytes.truncate(len);
    bytes
}

fn opened(by: &mut SrtpSession, kind: PacketKind, mut bytes: Vec<u8>) -> Vec<u8> {
    let len = bytes.len();
    let len = by.unprotect(kind, &mut bytes, len).unwrap();
    bytes.truncate(len);
    bytes
}

/// Hands a datagram in and gives what leaves.
fn through(rig: &mut Rig, source: &str, bytes: &[u8]) -> Result<(SocketAddr, Vec<u8>), DropReason> {
    let arrival = Arrival {
        place: SHARED,
        component: Component::Rtp,
        source: address(source),
        now: rig.now,
    };
    let mut buffer = bytes.to_vec();
    buffer.resize(bytes.len() + PROTECTION_ROOM, 0);
    match rig.relay.handle(&arrival, &mut buffer, bytes.len()) {
        Verdict::Forward { to, len, .. } => Ok((to, buffer[..len].to_vec())),
        Verdict::Drop(reason) => Err(reason),
        other => panic!("{other:?}"),
    }
}

/// The caller's leg is secured, the callee's is not.
fn half_secured() -> (Rig, [LegId; 2]) {
    let mut rig = Rig::new();
    let legs = rig.answered([SHARED; 2]);
    rig.relay
        .set_protection(legs[0], Some(towards_caller()))
        .unwrap();
    (rig, legs)
}

#[test]
fn a_secured_leg_is_joined_with_a_plain_one() {
    let (mut rig, _) = half_secured();
    let plain = rtp(1, 5);
    let mut caller = caller(1);
    let secured = protected(&mut caller, PacketKind::Rtp, plain.clone());
    assert_eq!(
        through(&mut rig, CALLER, &secured),
        Ok((address(CALLEE), plain.clone()))
    );
    let (target, back) = through(&mut rig, CALLEE, &plain).unwrap();
    assert_eq!(target, address(CALLER));
    assert_ne!(back, plain);
    assert_eq!(opened(&mut caller, PacketKind::Rtp, back), plain);
}

#[test]
fn what_is_not_authentic_is_dropped_and_latches_nothing() {
    let (mut rig, _) = half_secured();
    let mut forger = caller(8);
    for sequence in 0..10 {
        let forged = protected(&mut forger, PacketKind::Rtp, rtp(1, sequence));
        assert_eq!(
            through(&mut rig, CALLER, &forged),
            Err(DropReason::NotAuthentic)
        );
    }
    assert_eq!(
        through(&mut rig, CALLER, &rtp(1, 1)),
        Err(DropReason::NotAuthentic)
    );
    assert_eq!(
        rig.relay.find(
            &Arrival {
                place: SHARED,
                component: Component::Rtp,
                source: address(STRANGER),
                now: rig.now
            },
            &[]
        ),
        None
    );
}

#[test]
fn one_authentic_packet_proves_a_source_that_was_not_announced() {
    let mut rig = Rig::new();
    let legs = rig.offered([SHARED; 2]);
    rig.announce_ssrc(legs[0], "192.168.1.5:4000", 77).unwrap();
    rig.announce(legs[1], CALLEE).unwrap();
    rig.relay
        .set_protection(legs[0], Some(towards_caller()))
        .unwrap();
    let secured = protected(&mut caller(1), PacketKind::Rtp, rtp(77, 5));
    assert_eq!(
        through(&mut rig, TRANSLATED, &secured).unwrap().0,
        address(CALLEE)
    );
    assert_eq!(
        through(&mut rig, CALLEE, &rtp(2, 1)).unwrap().0,
        address(TRANSLATED)
    );
}

#[test]
fn reports_are_secured_with_their_own_keys() {
    let (mut rig, _) = half_secured();
    through(&mut rig, CALLEE, &rtp(2, 1)).unwrap();
    let plain = crate::rtcp::write(
        &crate::rtcp::Report {
            ssrc: 1,
            sender: None,
            blocks: vec![],
        },
        "name",
        crate::rtcp::Leaving::No,
    )
    .unwrap();
    let rtcp =
        |rig: &mut Rig, bytes: &[u8]| rig.arrives(SHARED, Component::Rtcp, "192.0.2.1:4001", bytes);
    assert_eq!(rtcp(&mut rig, &plain), dropped(DropReason::NotAuthentic));
    let mut caller = caller(1);
    let wrong_key = protected(&mut caller, PacketKind::Rtp, plain.clone());
    assert_eq!(
        rtcp(&mut rig, &wrong_key),
        dropped(DropReason::NotAuthentic)
    );
    assert_eq!(
        rtcp(&mut rig, &protected(&mut caller, PacketKind::Rtcp, plain)),
        Verdict::Read
    );
    let out = loop {
        rig.passes(100);
        rig.relay.handle_timeout(rig.now);
        if let Some(out) = rig.relay.poll_output()
            && out.to == address("192.0.2.1:4001")
        {
            break out.bytes;
        }
    };
    assert!(crate::rtcp::parse(&out).is_err());
    let out = opened(&mut caller, PacketKind::Rtcp, out);
    assert!(crate::rtcp::parse(&out).is_ok());
}

struct Ear(Sender<(Side, Vec<u8>)>);

impl Tap for Ear {
    fn packet(&mut self, leg: LegId, rtp: &[u8], _: Instant) {
        self.0.send((leg.side, rtp.to_vec())).unwrap();
    }
}

fn listen(rig: &mut Rig, call: CallId) -> Receiver<(Side, Vec<u8>)> {
    let (sender, receiver) = channel();
    rig.relay
        .set_tap(call, Some(Box::new(Ear(sender))))
        .unwrap();
    receiver
}

#[test]
fn a_tap_hears_both_parties_in_plain_and_no_stranger() {
    let (mut rig, legs) = half_secured();
    let heard = listen(&mut rig, legs[0].call);
    let secured = protected(&mut caller(1), PacketKind::Rtp, rtp(1, 5));
    through(&mut rig, CALLER, &secured).unwrap();
    through(&mut rig, CALLEE, &rtp(2, 6)).unwrap();
    through(&mut rig, STRANGER, &rtp(1, 6)).unwrap_err();
    let heard: Vec<_> = heard.try_iter().collect();
    assert_eq!(
        heard,
        [(Side::Caller, rtp(1, 5)), (Side::Callee, rtp(2, 6))]
    );
    rig.relay.set_tap(legs[0].call, None).unwrap();
    through(&mut rig, CALLEE, &rtp(2, 7)).unwrap();
}
