//! Secured packets and what agrees on their keys.

use media::srtp::{MasterKey, SrtpSession, SrtpSuite};
use sdp::{CryptoAttribute, Fingerprint, Setup};

/// Room for a packet and what protection adds.
const ROOM: usize = 256;

/// Invented packets: none is believed, and none panics. `data`: suite, then packets of a length byte and so many bytes.
pub fn packets(data: &[u8]) {
    let Some((mut session, mut rest)) = session(data) else {
        return;
    };
    while let Some((&len, bytes)) = rest.split_first() {
        let (packet, behind) = bytes.split_at(bytes.len().min(len.into()));
        rest = behind;
        let mut copy = packet.to_vec();
        assert!(session.unprotect_rtp(&mut copy).is_err());
        let mut copy = packet.to_vec();
        assert!(session.unprotect_rtcp(&mut copy).is_err());
    }
}

/// A packet that we protect comes back as it was, and any change to it is noticed. `data`: suite, where and what to change,
/// the packet.
pub fn round_trip(data: &[u8]) {
    let Some((mut session, rest)) = session(data) else {
        return;
    };
    let Some((&[at, change], packet)) = rest.split_first_chunk() else {
        return;
    };
    let packet = &packet[..packet.len().min(ROOM)];
    let is_report = packet.get(1).is_some_and(|kind| (192..224).contains(kind));
    let mut buffer = packet.to_vec();
    buffer.resize(packet.len() + session.overhead_bytes(), 0);
    let protected = if is_report {
        session.protect_rtcp(&mut buffer, packet.len())
    } else {
        session.protect_rtp(&mut buffer, packet.len())
    };
    let Ok(len) = protected else {
        return;
    };
    buffer.truncate(len);
    let mut open = |packet: &mut [u8]| {
        if is_report {
            session.unprotect_rtcp(packet)
        } else {
            session.unprotect_rtp(packet)
        }
    };
    if change != 0 {
        let mut changed = buffer.clone();
        changed[usize::from(at) % len] ^= change;
        assert!(open(&mut changed).is_err());
    }
    let opened = open(&mut buffer).expect("our own packet is genuine");
    assert_eq!(buffer[..opened], *packet);
}

/// The attributes that agree on security: what is read can be written and read again, and errors show no key.
pub fn attributes(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match CryptoAttribute::parse(&text) {
        Ok(read) => assert_eq!(CryptoAttribute::parse(&read.to_value()), Ok(read)),
        Err(error) => assert!(error.to_string().len() < 64),
    }
    if let Some(read) = Fingerprint::parse(&text) {
        assert_eq!(Fingerprint::parse(&read.to_string()), Some(read));
    }
    if let Some(setup) = Setup::parse(&text) {
        assert_eq!(Setup::parse(setup.as_str()), Some(setup));
    }
}

/// Both directions under one key that nobody outside can know.
fn session(data: &[u8]) -> Option<(SrtpSession, &[u8])> {
    let (&suite, rest) = data.split_first()?;
    let suite = SrtpSuite::ALL[usize::from(suite) % SrtpSuite::ALL.len()];
    let key = MasterKey::generate(suite, |bytes| bytes.fill(0x5a));
    Some((SrtpSession::new(&key, &key), rest))
}
