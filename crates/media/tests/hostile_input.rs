//! Nothing that comes from the network panics a session (invariant I4).

#![expect(clippy::unwrap_used, reason = "a test may stop at once")]
#![expect(
    clippy::disallowed_methods,
    reason = "simulated time starts at some instant"
)]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use media::srtp::{MasterKey, SrtpSuite};
use media::{
    Codec, Direction, EventFormat, MediaParameters, MediaSecurity, OpusConfig, ReceiveFormat,
    SILENCE, SendFormat, Session, SessionConfig,
};
use proptest::prelude::*;

fn secured_media() -> MediaSecurity {
    let key = MasterKey::generate(SrtpSuite::AesCm128HmacSha1_80, |bytes| bytes.fill(1));
    MediaSecurity::Sdes {
        local: key.clone(),
        remote: key,
    }
}

fn session(now: Instant, peer: SocketAddr, security: MediaSecurity) -> Session {
    let config = SessionConfig {
        opus: OpusConfig {
            complexity: 0,
            ..OpusConfig::default()
        },
        jitter: media::JitterConfig::default(),
        seed: [3; 32],
        since_unix_epoch: Duration::ZERO,
        identity: None,
    };
    let event = EventFormat {
        payload_type: 101,
        clock_rate_hz: 8_000,
    };
    let mut session = Session::new(config, now);
    session
        .set_parameters(
            MediaParameters {
                remote_rtp: peer,
                remote_rtcp: peer,
                send: SendFormat {
                    payload_type: 0,
                    codec: Codec::Pcmu,
                    peer_uses_fec: false,
                    max_bitrate: None,
                },
                send_redundancy: Some(63),
                receive_redundancy: Some(63),
                receive: vec![
                    ReceiveFormat {
                        payload_type: 0,
                        codec: Codec::Pcmu,
                    },
                    ReceiveFormat {
                        payload_type: 8,
                        codec: Codec::Pcma,
                    },
                    ReceiveFormat {
                        payload_type: 96,
                        codec: Codec::Opus,
                    },
                ],
                direction: Direction::SendRecv,
                send_event: Some(event),
                receive_events: vec![event],
                rtcp_mux: false,
                security,
            },
            now,
        )
        .unwrap();
    session
}

/// An RTP header that gets past the first checks, with anything behind it.
fn plausible() -> impl Strategy<Value = Vec<u8>> {
    let payload_type = prop::sample::select(vec![0_u8, 8, 96, 101, 72]);
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
        let mut now = Instant::now();
        let peer: SocketAddr = "192.0.2.1:4000".parse().unwrap();
        let other: SocketAddr = "192.0.2.9:4000".parse().unwrap();
        let security = if secured { secured_media() } else { MediaSecurity::Plain };
        let mut session = session(now, peer, security);
        for (n, datagram) in datagrams.iter().enumerate() {
            let source = if strange && n % 3 == 0 { other } else { peer };
            session.handle_rtp(datagram, source, now);
            session.handle_rtcp(datagram, source, now);
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
