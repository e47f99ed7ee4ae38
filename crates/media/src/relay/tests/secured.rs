//! Secured legs, by a toy that shows what is called when; and taps.

use std::sync::mpsc::{Receiver, Sender, channel};

use super::*;

/// Turns every bit of the payload and adds a tag of one byte.
struct Toy(u8);

impl Protection for Toy {
    fn unprotect(
        &mut self,
        kind: PacketKind,
        buffer: &mut [u8],
        len: usize,
    ) -> Result<usize, ProtectionError> {
        let key = self.0 ^ (kind as u8);
        let (tag, packet) = buffer[..len]
            .split_last_mut()
            .ok_or(ProtectionError::NotAuthentic)?;
        if *tag != key {
            return Err(ProtectionError::NotAuthentic);
        }
        packet.iter_mut().skip(12).for_each(|byte| *byte ^= 0xff);
        Ok(len - 1)
    }

    fn protect(
        &mut self,
        kind: PacketKind,
        buffer: &mut [u8],
        len: usize,
    ) -> Result<usize, ProtectionError> {
        buffer[..len]
            .iter_mut()
            .skip(12)
            .for_each(|byte| *byte ^= 0xff);
        *buffer.get_mut(len).ok_or(ProtectionError::NoRoom)? = self.0 ^ (kind as u8);
        Ok(len + 1)
    }
}

fn protected(key: u8, kind: PacketKind, mut bytes: Vec<u8>) -> Vec<u8> {
    let len = bytes.len();
    bytes.push(0);
    Toy(key).protect(kind, &mut bytes, len).unwrap();
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
        .set_protection(legs[0], Some(Box::new(Toy(9))))
        .unwrap();
    (rig, legs)
}

#[test]
fn a_secured_leg_is_joined_with_a_plain_one() {
    let (mut rig, _) = half_secured();
    let plain = rtp(1, 5);
    let secured = protected(9, PacketKind::Rtp, plain.clone());
    assert_eq!(
        through(&mut rig, CALLER, &secured),
        Ok((address(CALLEE), plain.clone()))
    );
    let back = protected(9, PacketKind::Rtp, plain.clone());
    assert_eq!(
        through(&mut rig, CALLEE, &plain),
        Ok((address(CALLER), back))
    );
}

#[test]
fn what_is_not_authentic_is_dropped_and_latches_nothing() {
    let (mut rig, _) = half_secured();
    for sequence in 0..10 {
        let forged = protected(8, PacketKind::Rtp, rtp(1, sequence));
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
    let [caller, callee] = rig.offered([SHARED; 2]);
    rig.announce_ssrc(caller, "192.168.1.5:4000", 77).unwrap();
    rig.announce(callee, CALLEE).unwrap();
    rig.relay
        .set_protection(caller, Some(Box::new(Toy(9))))
        .unwrap();
    let secured = protected(9, PacketKind::Rtp, rtp(77, 5));
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
    let wrong_key = protected(9, PacketKind::Rtp, plain.clone());
    assert_eq!(
        rtcp(&mut rig, &wrong_key),
        dropped(DropReason::NotAuthentic)
    );
    assert_eq!(
        rtcp(&mut rig, &protected(9, PacketKind::Rtcp, plain)),
        Verdict::Read
    );
    let mut out = loop {
        rig.passes(100);
        rig.relay.handle_timeout(rig.now);
        if let Some(out) = rig.relay.poll_output()
            && out.to == address("192.0.2.1:4001")
        {
            break out.bytes;
        }
    };
    assert!(crate::rtcp::parse(&out).is_err());
    let len = out.len();
    let len = Toy(9).unprotect(PacketKind::Rtcp, &mut out, len).unwrap();
    assert!(crate::rtcp::parse(&out[..len]).is_ok());
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
    through(&mut rig, CALLER, &protected(9, PacketKind::Rtp, rtp(1, 5))).unwrap();
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
