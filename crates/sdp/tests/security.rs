//! What two sides agree on to secure their media: keys in descriptions, handshakes, policies, and keys over the
//! life of a dialog.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use sdp::{
    AnswerError, CryptoError, Direction, DtlsRole, Fingerprint, FingerprintHash, KeyExchange,
    LocalMedia, LocalSecurity, MasterKey, MediaSecurity, Negotiated, OfferAnswer, Origin,
    SecurityPolicy, SessionDescription, SrtpSuite, answer, negotiate, offer,
};

const KEY: &str = "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";

fn origin() -> Origin {
    Origin::new("192.0.2.1".parse().unwrap(), 42, 1)
}

fn fingerprint(byte: u8) -> Fingerprint {
    Fingerprint::new(FingerprintHash::Sha256, &[byte; 32]).unwrap()
}

/// With keys that all begin with `seed`.
fn local(policy: SecurityPolicy, offer: KeyExchange, seed: u8) -> LocalMedia {
    let key = |suite| MasterKey::generate(suite, |bytes| bytes.fill(seed));
    LocalMedia {
        security: LocalSecurity {
            policy,
            offer,
            keys: SrtpSuite::USUAL.map(key).into(),
            fingerprint: Some(fingerprint(seed)),
        },
        ..LocalMedia::audio("192.0.2.2:6000".parse().unwrap())
    }
}

fn sdes(policy: SecurityPolicy, seed: u8) -> LocalMedia {
    local(policy, KeyExchange::Sdes, seed)
}

fn offered(media: &str) -> SessionDescription {
    let text = format!("v=0\no=- 1 1 IN IP4 192.0.2.7\ns=-\nc=IN IP4 192.0.2.7\nt=0 0\n{media}");
    SessionDescription::parse(text.as_bytes()).unwrap()
}

fn answered(
    media: &str,
    ours: &LocalMedia,
) -> Result<(SessionDescription, Negotiated), AnswerError> {
    answer(&offered(media), ours, &origin())
}

/// Suite and first bytes of both keys.
fn keys(negotiated: &Negotiated) -> (SrtpSuite, u8, u8) {
    match &negotiated.security {
        MediaSecurity::Sdes { local, remote } => {
            assert_eq!(local.suite(), remote.suite());
            (local.suite(), local.key()[0], remote.key()[0])
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_pair_of_policies_has_its_outcome() {
    use SecurityPolicy::{Off, Optional, Required};
    for (theirs, ours, outcome) in [
        (Off, Off, Ok(false)),
        (Off, Optional, Ok(false)),
        (Off, Required, Err(AnswerError::SecurityRequired)),
        (Optional, Off, Ok(false)),
        (Optional, Optional, Ok(true)),
        (Optional, Required, Ok(true)),
        (Required, Off, Err(AnswerError::SecurityOff)),
        (Required, Optional, Ok(true)),
        (Required, Required, Ok(true)),
    ] {
        for exchange in [KeyExchange::Sdes, KeyExchange::Dtls] {
            let sent = offer(&local(theirs, exchange, 1), &origin());
            let result = answer(&sent, &local(ours, exchange, 2), &origin());
            let case = format!("{theirs:?} {ours:?} {exchange:?}");
            match (&outcome, result) {
                (Ok(is_secured), Ok((reply, at_answerer))) => {
                    let at_offerer = negotiate(&sent, &reply).unwrap();
                    for side in [&at_offerer, &at_answerer] {
                        let secured = side.security != MediaSecurity::Plain;
                        assert_eq!(secured, *is_secured, "{case}");
                    }
                }
                (Err(expected), Err(error)) => assert_eq!(*expected, error, "{case}"),
                (_, other) => panic!("{case}: {other:?}"),
            }
        }
    }
}

#[test]
fn an_offer_with_keys_reads_as_drawn() {
    let text = offer(&sdes(SecurityPolicy::Required, 0), &origin()).to_string();
    assert!(text.contains("m=audio 6000 RTP/SAVP 96"), "{text}");
    let lines: Vec<_> = text
        .lines()
        .filter(|line| line.contains("crypto"))
        .collect();
    let zeros = |len: usize| "A".repeat(len);
    assert_eq!(
        lines,
        [
            format!("a=crypto:1 AEAD_AES_256_GCM inline:{}=", zeros(59)),
            format!("a=crypto:2 AEAD_AES_128_GCM inline:{}==", zeros(38)),
            format!("a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:{}", zeros(40)),
        ]
    );
    let optional = offer(&sdes(SecurityPolicy::Optional, 0), &origin()).to_string();
    assert_eq!(optional, text.replace("RTP/SAVP", "RTP/AVP"));
}

#[test]
fn the_first_offered_suite_that_we_have_is_taken_with_its_tag() {
    let (reply, negotiated) = answered(
        &format!(
            "m=audio 3000 RTP/SAVP 0\na=crypto:5 F8_128_HMAC_SHA1_80 inline:{KEY}\n\
             a=crypto:6 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^20|1:4\n\
             a=crypto:7 AES_CM_128_HMAC_SHA1_80 inline:{KEY}\n"
        ),
        &sdes(SecurityPolicy::Optional, 9),
    )
    .unwrap();
    assert_eq!(keys(&negotiated), (SrtpSuite::AesCm128HmacSha1_80, 9, b'w'));
    let media = &reply.media[0];
    assert_eq!(media.protocol, "RTP/SAVP");
    let lines: Vec<_> = media.attributes.values("crypto").collect();
    assert_eq!(lines.len(), 1);
    assert!(lines[0].starts_with("6 AES_CM_128_HMAC_SHA1_80 inline:"));
}

#[test]
fn keys_under_the_plain_profile_are_taken_as_tolerant_peers_write_them() {
    let media =
        format!("m=audio 3000 RTP/AVP 0\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}\n");
    let (reply, negotiated) = answered(&media, &sdes(SecurityPolicy::Optional, 9)).unwrap();
    assert_eq!(reply.media[0].protocol, "RTP/AVP");
    assert_eq!(keys(&negotiated).2, b'w');
    // A peer that answers in the secured profile means the same.
    let sent = offer(&sdes(SecurityPolicy::Optional, 9), &origin());
    let reply = offered(&media.replace("RTP/AVP", "RTP/SAVP").replace(":1 ", ":3 "));
    assert_eq!(keys(&negotiate(&sent, &reply).unwrap()).1, 9);
}

#[test]
fn of_two_audio_lines_the_secured_one_is_taken() {
    let media = format!(
        "m=audio 3000 RTP/AVP 0\nm=audio 3002 RTP/SAVP 0\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}\n"
    );
    let (reply, negotiated) = answered(&media, &sdes(SecurityPolicy::Optional, 9)).unwrap();
    assert_eq!(negotiated.remote.port(), 3002);
    assert_eq!(reply.media[0].port, 0);
    let (_, negotiated) = answered(&media, &sdes(SecurityPolicy::Off, 9)).unwrap();
    assert_eq!(negotiated.remote.port(), 3000);
    assert_eq!(negotiated.security, MediaSecurity::Plain);
}

#[test]
fn a_secured_offer_without_a_usable_key_is_refused_with_the_reason() {
    let with = |crypto: &str| format!("m=audio 3000 RTP/SAVP 0\n{crypto}");
    let unencrypted =
        format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} UNENCRYPTED_SRTCP\n");
    let weak = format!("a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:{KEY}\n");
    for (crypto, reason) in [
        (String::new(), None),
        ("a=crypto\n".to_owned(), None),
        ("a=crypto:\n".to_owned(), Some(CryptoError::Malformed)),
        (unencrypted, Some(CryptoError::Parameter)),
        (weak, Some(CryptoError::UnknownSuite)),
    ] {
        let result = answered(&with(&crypto), &sdes(SecurityPolicy::Required, 9));
        let error = AnswerError::NoCommonSecurity { reason };
        assert_eq!(result.unwrap_err(), error, "{crypto}");
        assert_eq!(error.reply_status(), 488);
    }
    let plain = "m=audio 3000 RTP/AVP 0\na=crypto:1 X inline:x\n";
    let result = answered(plain, &sdes(SecurityPolicy::Optional, 9));
    assert_eq!(result.unwrap().1.security, MediaSecurity::Plain);
    let result = answered(plain, &sdes(SecurityPolicy::Required, 9));
    let reason = Some(CryptoError::UnknownSuite);
    assert_eq!(
        result.unwrap_err(),
        AnswerError::NoCommonSecurity { reason }
    );
}

#[test]
fn an_answer_must_choose_what_was_offered() {
    let sent = offer(&sdes(SecurityPolicy::Required, 9), &origin());
    let reply = |media: &str| negotiate(&sent, &offered(media));
    assert_eq!(
        reply("m=audio 3000 RTP/AVP 0\n"),
        Err(AnswerError::SecurityRequired)
    );
    for crypto in ["4 AES_CM_128_HMAC_SHA1_80", "1 AES_CM_128_HMAC_SHA1_80"] {
        let media = format!("m=audio 3000 RTP/SAVP 0\na=crypto:{crypto} inline:{KEY}\n");
        assert_eq!(
            reply(&media),
            Err(AnswerError::NoCommonSecurity {
                reason: Some(CryptoError::UnknownSuite)
            })
        );
    }
    let plain = offer(
        &LocalMedia::audio("192.0.2.2:6000".parse().unwrap()),
        &origin(),
    );
    let secured = format!(
        "m=audio 3000 RTP/AVP 0\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}\na=fingerprint:{}\n",
        fingerprint(1)
    );
    assert_eq!(
        negotiate(&plain, &offered(&secured)).unwrap().security,
        MediaSecurity::Plain,
        "what nobody offered does not count"
    );
}

#[test]
fn handshakes_have_one_side_that_begins_and_one_port() {
    let sent = offer(
        &local(SecurityPolicy::Required, KeyExchange::Dtls, 1),
        &origin(),
    );
    let text = sent.to_string();
    assert!(text.contains("UDP/TLS/RTP/SAVP"), "{text}");
    assert!(text.contains("a=setup:actpass\r\na=rtcp-mux\r\n"), "{text}");
    assert!(!text.contains("crypto"));
    let (reply, at_answerer) = answer(
        &sent,
        &local(SecurityPolicy::Optional, KeyExchange::Sdes, 2),
        &origin(),
    )
    .unwrap();
    let at_offerer = negotiate(&sent, &reply).unwrap();
    assert_eq!(
        at_answerer.security,
        MediaSecurity::Dtls {
            role: DtlsRole::Client,
            fingerprints: vec![fingerprint(1)]
        }
    );
    assert_eq!(
        at_offerer.security,
        MediaSecurity::Dtls {
            role: DtlsRole::Server,
            fingerprints: vec![fingerprint(2)]
        }
    );
    for side in [at_offerer, at_answerer] {
        assert!(side.rtcp_mux);
        assert_eq!(side.remote_rtcp, side.remote);
    }
}

#[test]
fn the_answer_takes_the_other_part_in_the_handshake() {
    let media = |setup: &str| {
        let fingerprint = fingerprint(1);
        format!("m=audio 3000 UDP/TLS/RTP/SAVPF 0\na=fingerprint:{fingerprint}\n{setup}")
    };
    let ours = local(SecurityPolicy::Optional, KeyExchange::Sdes, 2);
    for (theirs, setup) in [
        ("a=setup:actpass\n", "active"),
        ("a=setup:passive\n", "active"),
        ("a=setup:active\n", "passive"),
        ("", "passive"),
    ] {
        let (reply, _) = answered(&media(theirs), &ours).unwrap();
        let written = reply.media[0].attributes.value("setup");
        assert_eq!(written, Some(setup), "{theirs}");
        assert!(!reply.media[0].has_rtcp_mux());
    }
    for theirs in ["a=setup:holdconn\n", "a=setup:?\n"] {
        let refused = answered(&media(theirs), &ours).unwrap_err();
        assert_eq!(refused, AnswerError::NoCommonSecurity { reason: None });
    }
}

#[test]
fn the_strongest_fingerprints_count_and_those_of_the_session_where_the_media_has_none() {
    let strong = Fingerprint::new(FingerprintHash::Sha512, &[3; 64]).unwrap();
    let lines = format!(
        "a=fingerprint:{}\na=fingerprint:{strong}\na=fingerprint:md5 00\na=setup:actpass\n",
        fingerprint(1)
    );
    let ours = local(SecurityPolicy::Required, KeyExchange::Sdes, 2);
    for media in [
        format!("m=audio 3000 UDP/TLS/RTP/SAVP 0\n{lines}"),
        format!("{lines}m=audio 3000 UDP/TLS/RTP/SAVP 0\n"),
        format!("{lines}m=audio 3000 RTP/SAVPF 0\n"),
    ] {
        let (_, negotiated) = answered(&media, &ours).unwrap();
        assert_eq!(
            negotiated.security,
            MediaSecurity::Dtls {
                role: DtlsRole::Client,
                fingerprints: vec![strong]
            }
        );
    }
    let weak = "m=audio 3000 UDP/TLS/RTP/SAVP 0\na=fingerprint:sha-1 00\na=setup:actpass\n";
    assert!(answered(weak, &ours).is_err());
}

/// Both sides after the first exchange, with keys of 1 and 2.
fn pair() -> (OfferAnswer, OfferAnswer) {
    let mut alice = OfferAnswer::new("192.0.2.1".parse().unwrap(), 7);
    let mut bob = OfferAnswer::new("192.0.2.2".parse().unwrap(), 8);
    let sent = alice.offer(&sdes(SecurityPolicy::Required, 1));
    let (reply, _) = bob
        .accept_offer(&sent, &sdes(SecurityPolicy::Required, 2))
        .unwrap();
    alice.accept_answer(&reply).unwrap();
    (alice, bob)
}

#[test]
fn hold_and_resume_keep_the_keys_whoever_asks() {
    let (mut alice, mut bob) = pair();
    let hold = LocalMedia {
        direction: Direction::SendOnly,
        ..sdes(SecurityPolicy::Required, 11)
    };
    let sent = alice.offer(&hold);
    let (reply, at_bob) = bob
        .accept_offer(&sent, &sdes(SecurityPolicy::Required, 12))
        .unwrap();
    let at_alice = alice.accept_answer(&reply).unwrap();
    let suite = SrtpSuite::AeadAes256Gcm;
    assert_eq!(keys(&at_alice), (suite, 1, 2));
    assert_eq!(keys(&at_bob), (suite, 2, 1));

    let sent = bob.offer(&sdes(SecurityPolicy::Required, 13));
    let (reply, at_alice) = alice
        .accept_offer(&sent, &sdes(SecurityPolicy::Required, 14))
        .unwrap();
    assert_eq!(keys(&at_alice), (suite, 1, 2));
    assert_eq!(keys(&bob.accept_answer(&reply).unwrap()), (suite, 2, 1));
}

#[test]
fn a_new_key_of_the_peer_is_answered_with_a_new_one() {
    let (mut alice, mut bob) = pair();
    let sent = alice.offer_anew(&sdes(SecurityPolicy::Required, 21));
    let (reply, at_bob) = bob
        .accept_offer(&sent, &sdes(SecurityPolicy::Required, 22))
        .unwrap();
    let at_alice = alice.accept_answer(&reply).unwrap();
    let suite = SrtpSuite::AeadAes256Gcm;
    assert_eq!(keys(&at_alice), (suite, 21, 22));
    assert_eq!(keys(&at_bob), (suite, 22, 21));
}

#[test]
fn the_parts_in_a_handshake_stay_when_it_is_offered_again() {
    let ours = |seed| local(SecurityPolicy::Required, KeyExchange::Dtls, seed);
    let mut alice = OfferAnswer::new("192.0.2.1".parse().unwrap(), 7);
    let mut bob = OfferAnswer::new("192.0.2.2".parse().unwrap(), 8);
    let sent = alice.offer(&ours(1));
    let (reply, _) = bob.accept_offer(&sent, &ours(2)).unwrap();
    let before = alice.accept_answer(&reply).unwrap();
    let sent = bob.offer(&ours(2));
    let (reply, at_alice) = alice.accept_offer(&sent, &ours(1)).unwrap();
    assert_eq!(at_alice.security, before.security);
    assert_eq!(reply.media[0].attributes.value("setup"), Some("passive"));
}

#[test]
fn no_debug_output_shows_a_key() {
    let sent = offer(&sdes(SecurityPolicy::Optional, 0x69), &origin());
    let mut with_k = sent.clone();
    with_k.key = Some(sdp::KeyLine("clear:canary".to_owned()));
    let reply = answer(&sent, &sdes(SecurityPolicy::Optional, 0x69), &origin());
    let printed = format!("{with_k:?} {reply:?} {:?}", sdp::Described::from(&sent));
    // The bytes 0x69 in base64, and as numbers.
    assert!(!printed.contains("aWlpaW"), "{printed}");
    assert!(
        !printed.contains("105, 105") && !printed.contains("canary"),
        "{printed}"
    );
    assert!(sent.to_string().contains("aWlpaW"), "the body has it");
}
