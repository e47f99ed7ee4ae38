//! Nothing that comes from the network panics a session (invariant I4).

use std::time::Duration;

use media::srtp::{MasterKey, SrtpSuite};
use media::{Codec, MediaParameters, MediaSecurity, ReceiveFormat, SILENCE};
use proptest::prelude::*;

use crate::world::{ALICE, STRANGER, address, any_instant, parameters, session};

fn secured_media() -> MediaSecurity {
    let key = MasterKey::generate(SrtpSuite::AesCm128HmacSha1_80, |bytes| bytes.fill(1));
    MediaSecurity::Sdes {
        local: key.clone(),
        remote: key,
    }
}

/// Everything that can come in: three codecs, copies, digits.
fn everything(security: MediaSecurity) -> MediaParameters {
    let format = |(payload_type, codec)| ReceiveFormat {
        payload_type,
        codec,
    };
    let formats = [(0, Codec::Pcmu), (8, Codec::Pcma), (96, Codec::Opus)];
    MediaParameters {
        send_redundancy: Some(63),
        receive_redundancy: Some(63),
        receive: formats.map(format).into(),
        security,
        ..parameters(Codec::Pcmu, ALICE)
    }
}

/// An RTP header that gets past the first checks, with anything behind it.
fn plausible() -> impl Strategy<Value = Vec<u8>> {
    let payload_type = prop::sample::select(vec![0_u8, 8, 63, 96, 101, 72]);
    (
        payload_type,
        any::<bool>(),
        any::<u16>(),
        any::<u32>(),
        0_u32..3,
        prop::collection::vec(any::<u8>(), 0..400),
    )
        .prop_map(
            |(payload_type, marker, sequence, timestamp, ssrc, payload)| {
                let mut bytes = vec![0x80, payload_type | u8::from(marker) << 7];
                bytes.extend((sequence % 500).to_be_bytes());
                bytes.extend((timestamp % 100_000).to_be_bytes());
                bytes.extend(ssrc.to_be_bytes());
                bytes.extend(payload);
                bytes
            },
        )
}

fn report() -> impl Strategy<Value = Vec<u8>> {
    (200_u8..=204, prop::collection::vec(any::<u8>(), 0..200)).prop_map(|(kind, mut body)| {
        body.resize(body.len() / 4 * 4, 0);
        let words = u16::try_from(body.len() / 4).unwrap();
        let [high, low] = words.to_be_bytes();
        [vec![0x81, kind, high, low], body].concat()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn no_datagram_panics_and_every_frame_is_filled(
        datagrams in prop::collection::vec(prop_oneof![
            4 => plausible(),
            1 => report(),
            1 => prop::collection::vec(any::<u8>(), 0..1_600),
        ], 1..200),
        strange in any::<bool>(),
        secured in any::<bool>(),
    ) {
        let mut now = any_instant();
        let security = if secured { secured_media() } else { MediaSecurity::Plain };
        let mut session = session(3, None, now);
        session.set_parameters(everything(security), now).unwrap();
        for (n, datagram) in datagrams.iter().enumerate() {
            let source = if strange && n % 3 == 0 { STRANGER } else { ALICE };
            session.handle_rtp(datagram, address(source), now);
            session.handle_rtcp(datagram, address(source), now);
            let mut frame = SILENCE;
            session.play(&mut frame, now);
            session.capture(&frame);
            session.poll_rtcp(now);
            while session.poll_handshake(now).is_some() {}
            now += Duration::from_millis(20);
            prop_assert!(session.poll_timeout() > now - Duration::from_millis(20));
        }
        if secured {
            prop_assert_eq!(session.stats().packets_received, 0, "nothing invented is genuine");
        }
        let _ = session.leave(now);
    }
}
