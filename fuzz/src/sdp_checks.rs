//! Session descriptions.

use sdp::{
    Described, Fingerprint, FingerprintHash, KeyExchange, LocalMedia, LocalSecurity, MasterKey,
    OfferAnswer, SecurityPolicy, SessionDescription, SrtpSuite, answer, negotiate, offer,
};

/// A description: what is read can be written and read again, also by who only passes it on, and whatever it offers, our answer
/// is one.
pub fn description(data: &[u8]) {
    let parsed = SessionDescription::parse(data);
    assert_eq!(Described::read(data), parsed.clone().map(Described::from));
    let Ok(description) = parsed else {
        return;
    };
    let written = description.to_bytes();
    assert_eq!(
        SessionDescription::parse(&written).as_ref(),
        Ok(&description)
    );
    for media in &description.media {
        let _ = (
            media.ptime(),
            media.maxptime(),
            media.rtcp(),
            media.payload_formats(),
        );
    }

    for policy in [
        SecurityPolicy::Off,
        SecurityPolicy::Optional,
        SecurityPolicy::Required,
    ] {
        for exchange in [KeyExchange::Sdes, KeyExchange::Dtls] {
            agree(&description, &local(policy, exchange));
        }
    }
}

/// What both could agree on.
fn agree(description: &SessionDescription, local: &LocalMedia) {
    let mut ours = OfferAnswer::new(local.address, 1);
    let own_offer = ours.offer(local);
    let origin = own_offer.origin.clone();
    if let Ok((answered, _)) = answer(description, local, &origin) {
        assert_eq!(answered.media.len(), description.media.len());
        assert_eq!(
            SessionDescription::parse(&answered.to_bytes()).as_ref(),
            Ok(&answered)
        );
        let _ = negotiate(description, &answered);
    }
    let _ = negotiate(&offer(local, &origin), description);
    let _ = ours.accept_answer(description);
    let _ = ours.accept_offer(description, local);
}

fn local(policy: SecurityPolicy, exchange: KeyExchange) -> LocalMedia {
    let key = |suite| MasterKey::generate(suite, |bytes| bytes.fill(7));
    LocalMedia {
        security: LocalSecurity {
            policy,
            offer: exchange,
            keys: SrtpSuite::USUAL.map(key).into(),
            fingerprint: Fingerprint::new(FingerprintHash::Sha256, &[7; 32]),
        },
        ..LocalMedia::audio("192.0.2.1:4000".parse().expect("an address"))
    }
}
