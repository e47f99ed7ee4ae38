//! What a server takes for proof, and what it does not.

use std::net::IpAddr;

use sip::{
    Algorithm, Claim, DigestSecret, DigestServer, Flow, Method, Request, Transport, Verdict,
    answer_challenges,
};

use crate::{HERE, NOW, Pair, REALM, credentials, flow, ids, ok, request, with_param};

#[test]
fn the_right_password_is_accepted_with_the_best_algorithm() {
    let mut pair = Pair::new();
    let request = pair.answered("secret", NOW);
    let value = request.header("Authorization").unwrap();
    assert!(
        value.contains("algorithm=SHA-256,") && value.contains("qop=auth, nc=00000001"),
        "{value}"
    );
    assert_eq!(pair.username(&request).as_deref(), Some("alice"));
    assert_eq!(pair.verify(&request, NOW + 1), ok());
}

#[test]
fn a_client_that_knows_only_md5_is_accepted() {
    let mut pair = Pair::new();
    let mut request = request(Method::REGISTER);
    let mut response = request.response(407, None);
    let challenges: Vec<_> = pair.server.challenges(REALM, false, HERE, NOW).collect();
    response.push_header("Proxy-Authenticate", challenges[1].as_str());
    // The header of the other kind must not distract.
    response.push_header("WWW-Authenticate", "Digest realm=\"other\", nonce=\"x\"");
    let credentials = credentials("secret");
    let (name, value) = answer_challenges(
        &response,
        &request,
        &credentials,
        &mut pair.client,
        &mut pair.ids,
    )
    .unwrap();
    assert_eq!(name, "Proxy-Authorization");
    assert!(value.contains("algorithm=MD5"), "{value}");
    request.set_header(name, value);
    assert_eq!(pair.verify(&request, NOW), ok());
}

#[test]
fn wrong_password_and_unknown_user_look_the_same() {
    let mut pair = Pair::new();
    let request = pair.answered("guess", NOW);
    assert_eq!(pair.verify(&request, NOW), Verdict::Wrong);
    let nobody = pair.server.secret_of_nobody("alice", REALM);
    let right = pair.answered("secret", NOW);
    assert_eq!(
        pair.server.verify(&right, REALM, &nobody, NOW),
        Verdict::Wrong
    );
}

#[test]
fn a_request_without_credentials_for_the_realm_is_to_be_challenged() {
    let mut pair = Pair::new();
    assert_eq!(
        pair.verify(&request(Method::REGISTER), NOW),
        Verdict::Missing
    );
    let answered = pair.answered("secret", NOW);
    let secret = pair.secret;
    assert_eq!(
        pair.server
            .verify(&answered, "elsewhere.example", &secret, NOW),
        Verdict::Missing
    );
    let mut unknown = request(Method::REGISTER);
    unknown.push_header("Authorization", "NoOneKnowsThisScheme opaque-data=here");
    assert_eq!(pair.verify(&unknown, NOW), Verdict::Missing);
    let claim = pair.server.claim(&unknown, REALM);
    assert!(matches!(claim, Claim::Missing));
}

#[test]
fn credentials_work_once_and_the_count_must_grow() {
    let mut pair = Pair::new();
    let first = pair.answered("secret", NOW);
    assert_eq!(pair.verify(&first, NOW), ok());
    assert_eq!(pair.verify(&first, NOW), Verdict::Wrong);
    let mut again = request(Method::REGISTER);
    let (name, value) = pair
        .client
        .anticipate(&again, &credentials("secret"))
        .unwrap();
    assert!(value.contains("nc=00000002"));
    again.set_header(name, value);
    assert_eq!(pair.verify(&again, NOW + 10), ok());
    assert_eq!(pair.verify(&first, NOW + 10), Verdict::Wrong);
}

#[test]
fn the_nonce_count_is_hexadecimal() {
    let mut pair = Pair::new();
    pair.answered("secret", NOW);
    let mut last = String::new();
    for _ in 0..15 {
        last = pair
            .client
            .anticipate(&request(Method::REGISTER), &credentials("secret"))
            .unwrap()
            .1;
    }
    assert!(last.contains("nc=00000010"), "{last}");
}

#[test]
fn an_old_nonce_is_stale_only_with_the_right_password() {
    let mut pair = Pair::new();
    let right = pair.answered("secret", NOW);
    let wrong = pair.answered("guess", NOW);
    assert_eq!(pair.verify(&right, NOW + 301), Verdict::Stale);
    assert_eq!(pair.verify(&wrong, NOW + 301), Verdict::Wrong);
    assert_eq!(pair.verify(&right, NOW + 300), ok());
    assert_eq!(pair.verify(&right, NOW - 60), Verdict::Wrong);
}

#[test]
fn foreign_and_forged_nonces_are_wrong_and_never_stale() {
    let mut pair = Pair::new();
    let request = pair.answered("secret", NOW);
    let mut other = DigestServer::new([8; 32], ids(2));
    let secret = pair.secret;
    for now in [NOW, NOW + 1_000] {
        assert_eq!(other.verify(&request, REALM, &secret, now), Verdict::Wrong);
        for nonce in [
            "\"\"",
            "\"0123\"",
            "\"a0nSAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"",
            "\"\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\"",
        ] {
            assert_eq!(
                pair.verify(&with_param(&request, "nonce", nonce), now),
                Verdict::Wrong
            );
        }
    }
    // Two processes with one key know each other's nonces.
    let mut twin = DigestServer::new([9; 32], ids(3));
    assert_eq!(twin.verify(&request, REALM, &secret, NOW), ok());
}

#[test]
fn credentials_are_for_one_method_and_one_address() {
    let mut pair = Pair::new();
    let register = pair.answered("secret", NOW);
    let mut invite = request(Method::INVITE);
    invite.set_header("Authorization", register.header("Authorization").unwrap());
    assert_eq!(pair.verify(&invite, NOW), Verdict::Wrong);
    let mut elsewhere = register.clone();
    elsewhere.uri = "sip:other.example.com".parse().unwrap();
    assert_eq!(pair.verify(&elsewhere, NOW), Verdict::Wrong);
    // What differs only in what does not count is the same address.
    let mut same = register.clone();
    same.uri = "sip:EXAMPLE.com".parse().unwrap();
    assert_eq!(pair.verify(&same, NOW), ok());
}

#[test]
fn repeated_incomplete_and_strange_credentials_are_malformed() {
    let mut pair = Pair::new();
    let request = pair.answered("secret", NOW);
    let mut doubled = request.clone();
    doubled.push_header(
        "Proxy-Authorization",
        request.header("Authorization").unwrap(),
    );
    assert_eq!(pair.verify(&doubled, NOW), Verdict::Malformed);
    assert_eq!(
        pair.verify(&with_param(&request, "nc", "1"), NOW),
        Verdict::Malformed
    );
    assert_eq!(
        pair.verify(&with_param(&request, "nc", "0000000g"), NOW),
        Verdict::Malformed
    );
    let nul = with_param(&request, "username", "\"alice\\\u{1}\"");
    assert_eq!(pair.verify(&nul, NOW), Verdict::Malformed);
    let mut broken = request.clone();
    broken.set_header("Authorization", "Digest username=\"alice");
    assert_eq!(pair.verify(&broken, NOW), Verdict::Malformed);
    let mut missing = request.clone();
    missing.set_header(
        "Authorization",
        format!("Digest realm=\"{REALM}\", nonce=\"1\""),
    );
    assert_eq!(pair.verify(&missing, NOW), Verdict::Malformed);
    assert_eq!(pair.verify(&request, NOW), ok());
}

#[test]
fn every_algorithm_works_on_both_sides() {
    for name in [
        "MD5",
        "MD5-sess",
        "SHA-256",
        "SHA-256-sess",
        "SHA-512-256",
        "SHA-512-256-sess",
    ] {
        let algorithm = Algorithm::find(name).unwrap();
        let mut pair = Pair::new();
        pair.server = DigestServer::new([9; 32], ids(2)).with_algorithms(&[algorithm]);
        let first = pair.answered("secret", NOW);
        let value = first.header("Authorization").unwrap().to_owned();
        assert!(value.contains(&format!("algorithm={name},")), "{value}");
        assert_eq!(pair.verify(&first, NOW), ok(), "{name}");
        let guess = pair.answered("guess", NOW);
        assert_eq!(pair.verify(&guess, NOW), Verdict::Wrong, "{name}");
        // A second use of the nonce keeps the client nonce, which -sess depends on.
        let mut again = request(Method::REGISTER);
        let (header, value) = pair
            .client
            .anticipate(&again, &credentials("secret"))
            .unwrap();
        again.set_header(header, value);
        assert_eq!(pair.verify(&again, NOW), ok(), "{name}");
    }
}

#[test]
fn only_the_very_message_from_the_very_source_is_a_copy() {
    let mut pair = Pair::new();
    let first = pair.answered("secret", NOW);
    let here = flow(Transport::Udp, HERE, 5060);
    let there = flow(Transport::Udp, HERE, 5061);
    let mut judge = |request: &Request, flow: Flow| pair.verify_on(request, &flow);
    let repeated = Verdict::Repeated;
    assert_eq!(judge(&first, here), ok());
    assert_eq!(judge(&first, here), repeated);
    assert_eq!(judge(&first, here), repeated);
    assert_eq!(judge(&first, there), Verdict::Wrong);
    for (name, value) in [
        ("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK2"),
        ("From", "<sip:alice@example.com>;tag=2"),
        ("Call-ID", "2"),
        ("CSeq", "2 REGISTER"),
    ] {
        let mut other = first.clone();
        other.set_header(name, value);
        assert_eq!(judge(&other, here), Verdict::Wrong, "{name}");
    }
    let mut again = request(Method::REGISTER);
    let (name, value) = pair
        .client
        .anticipate(&again, &credentials("secret"))
        .unwrap();
    again.set_header(name, value);
    assert_eq!(pair.verify_on(&again, &here), ok());
    assert_eq!(pair.verify_on(&first, &here), Verdict::Wrong);
}

#[test]
fn a_datagram_is_judged_only_where_its_nonce_was_sent() {
    let there = IpAddr::from([203, 0, 113, 9]);
    for password in ["secret", "guess"] {
        let mut pair = Pair::new();
        let answered = pair.answered(password, NOW);
        let foreign = with_param(&answered, "nonce", "\"somebody-elses\"");
        let mut judge = |request: &Request, flow: Flow, looks_up: bool| {
            let Claim::User(presented) = pair.server.claim(request, REALM) else {
                panic!("the request carries credentials");
            };
            let verdict = pair.verify_on(request, &flow);
            let unheard = presented.unheard(&flow);
            assert_eq!(unheard, Some(verdict).filter(|_| !looks_up));
            verdict
        };
        let verdict = judge(&answered, flow(Transport::Udp, there, 5060), false);
        assert_eq!(verdict, Verdict::Stale, "{password}");
        for source in [HERE, there] {
            let verdict = judge(&foreign, flow(Transport::Udp, source, 5060), false);
            assert_eq!(verdict, Verdict::Unheard, "{password}");
        }
        // A connection has shown where it comes from.
        let verdict = judge(&foreign, flow(Transport::Tcp, there, 5060), true);
        assert_eq!(verdict, Verdict::Wrong, "{password}");
        let expected = match password {
            "secret" => ok(),
            _ => Verdict::Wrong,
        };
        // A NAT may give another port at any time.
        let verdict = judge(&answered, flow(Transport::Udp, HERE, 40_001), true);
        assert_eq!(verdict, expected);
    }
    let mut pair = Pair::new();
    let answered = pair.answered("secret", NOW);
    let roamed = flow(Transport::Tls, there, 5061);
    assert_eq!(pair.verify_on(&answered, &roamed), ok());
}

#[test]
fn a_full_table_calls_the_oldest_nonces_stale_rather_than_replaying_them() {
    let mut pair = Pair::new();
    pair.server = DigestServer::new([9; 32], ids(2)).with_max_nonces(6);
    let first = pair.answered("secret", NOW);
    assert_eq!(pair.verify(&first, NOW), ok());
    let verdicts: Vec<_> = (NOW + 1..NOW + 9)
        .map(|now| {
            let request = pair.answered("secret", now);
            assert_eq!(pair.verify(&request, now), ok());
            assert_eq!(pair.verify(&request, now), Verdict::Wrong);
            pair.verify(&first, now)
        })
        .collect();
    let (known, forgotten) = verdicts.split_at(5);
    assert_eq!(known, [Verdict::Wrong; 5]);
    assert_eq!(forgotten, [Verdict::Stale; 3]);
}

#[test]
fn nonces_in_use_are_known_until_they_expire_and_then_make_room() {
    let mut pair = Pair::new();
    let mut used = Vec::new();
    for at in (0..2_000).step_by(100) {
        let request = pair.answered("secret", NOW + at);
        assert_eq!(pair.verify(&request, NOW + at), ok());
        used.push((at, request));
        for (issued, request) in &used {
            let expected = match at - issued {
                ..=300 => Verdict::Wrong,
                _ => Verdict::Stale,
            };
            assert_eq!(pair.verify(request, NOW + at), expected, "{issued} at {at}");
        }
        let text = format!("{:?}", pair.server);
        let kept: usize = text
            .split(&[' ', ','][..])
            .find_map(|word| word.parse().ok())
            .unwrap();
        assert!(kept <= 8, "{text}");
    }
}

#[test]
fn secrets_do_not_reach_a_log() {
    let secret = DigestSecret::from_password("alice", REALM, "secret");
    let server = DigestServer::new([77; 32], ids(1));
    let text = format!("{secret:?} {server:?} {:?}", credentials("secret"));
    assert!(!text.contains("secret\"") && !text.contains("77"), "{text}");
}
