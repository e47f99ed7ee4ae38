//! Digest authentication between our two sides, and what happens when one of them lies. The printed
//! vectors are tested beside the arithmetic.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails the test")]

use std::net::{IpAddr, Ipv4Addr};

use sip::{
    Algorithm, AuthFields, Claim, Credentials, DigestClient, DigestError, DigestSecret,
    DigestServer, Flow, Ids, Method, Private, Request, Transport, Verdict, answer_challenges,
};

const REALM: &str = "example.com";
const NOW: u64 = 1_800_000_000;

/// Where the challenges go.
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

fn request(method: Method) -> Request {
    let cseq = format!("1 {method}");
    let mut request = Request::new(method, "sip:example.com".parse().unwrap());
    request.push_header("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1");
    request.push_header("From", "<sip:alice@example.com>;tag=1");
    request.push_header("To", "<sip:alice@example.com>");
    request.push_header("Call-ID", "1");
    request.push_header("CSeq", cseq);
    request
}

fn credentials(password: &str) -> Credentials {
    Credentials {
        username: "alice".to_owned(),
        password: Private(password.to_owned()),
        realm: Some(REALM.to_owned()),
    }
}

fn ids(seed: u8) -> Ids {
    Ids::from_seed([seed; 32])
}

/// A client and a server that know each other's rules only by the messages.
struct Pair {
    client: DigestClient,
    server: DigestServer,
    ids: Ids,
    secret: DigestSecret,
}

impl Pair {
    fn new() -> Self {
        Self {
            client: DigestClient::new(),
            server: DigestServer::new([9; 32], ids(2)),
            ids: ids(1),
            secret: DigestSecret::from_password("alice", REALM, "secret"),
        }
    }

    /// The request with an answer to the challenges that the server makes at `now`.
    fn answered(&mut self, password: &str, now: u64) -> Request {
        let mut request = request(Method::REGISTER);
        let mut response = request.response(401, Some("2"));
        for challenge in self.server.challenges(REALM, false, HERE, now) {
            response.push_header("WWW-Authenticate", challenge);
        }
        let (name, value) = answer_challenges(
            &response,
            &request,
            &credentials(password),
            &mut self.client,
            &mut self.ids,
        )
        .unwrap();
        request.set_header(name, value);
        request
    }

    /// Whom the credentials of a request name.
    fn username(&self, request: &Request) -> Option<String> {
        match self.server.claim(request, REALM) {
            Claim::User(presented) => Some(presented.username().to_owned()),
            Claim::Missing | Claim::Malformed => None,
        }
    }

    /// The judgement on a request that came on a flow.
    fn verify_on(&mut self, request: &Request, flow: &Flow) -> Verdict {
        let Claim::User(presented) = self.server.claim(request, REALM) else {
            panic!("the request carries credentials");
        };
        let secret = self.secret;
        self.server
            .verify_copies(request, &presented, &secret, flow, NOW)
    }

    fn verify(&mut self, request: &Request, now: u64) -> Verdict {
        let secret = self.secret;
        self.server.verify(request, REALM, &secret, now)
    }
}

fn flow(transport: Transport, peer: IpAddr, port: u16) -> Flow {
    Flow {
        transport,
        local: ([192, 0, 2, 9], 5060).into(),
        peer: (peer, port).into(),
        generation: 0,
    }
}

fn ok() -> Verdict {
    Verdict::Ok
}

/// `request` with one parameter of its credentials replaced.
fn with_param(request: &Request, name: &str, value: &str) -> Request {
    let old = request.header("Authorization").unwrap();
    let fields = AuthFields::parse(old).unwrap();
    let before = format!("{name}={}", fields.raw_value(name).unwrap());
    let mut changed = request.clone();
    changed.set_header(
        "Authorization",
        old.replace(&before, &format!("{name}={value}")),
    );
    assert_ne!(changed.header("Authorization"), Some(old));
    changed
}

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
    let challenges = pair.server.challenges(REALM, false, HERE, NOW);
    response.push_header("Proxy-Authenticate", challenges[1].clone());
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
fn an_announced_nonce_saves_the_challenge() {
    let mut pair = Pair::new();
    let first = pair.answered("secret", NOW);
    assert_eq!(pair.verify(&first, NOW), ok());
    let mut accepted = first.response(200, Some("2"));
    let info = pair.server.next_nonce(REALM, HERE, NOW + 200);
    accepted.push_header("Authentication-Info", info.clone());
    pair.client.handle_info(&accepted, &first);

    let mut second = request(Method::REGISTER);
    let (name, value) = pair
        .client
        .anticipate(&second, &credentials("secret"))
        .unwrap();
    let nonce = info.split('"').nth(1).unwrap();
    assert!(
        value.contains(nonce) && value.contains("nc=00000001"),
        "{value}"
    );
    second.set_header(name, value);
    assert_eq!(pair.verify(&second, NOW + 400), ok());

    // Its first use may come too late, which says nothing about the password.
    let mut late = second.response(401, None);
    for challenge in pair.server.challenges(REALM, false, HERE, NOW + 900) {
        late.push_header("WWW-Authenticate", challenge);
    }
    let mut tries = pair.client.clone();
    assert!(
        answer_challenges(
            &late,
            &second,
            &credentials("secret"),
            &mut tries,
            &mut ids(3)
        )
        .is_ok()
    );
}

#[test]
fn nonces_announced_for_what_we_did_not_sign_are_ignored() {
    let mut pair = Pair::new();
    let signed = pair.answered("secret", NOW);
    let mut accepted = signed.response(200, Some("2"));
    accepted.push_header("Authentication-Info", "nextnonce=\"evil\"");
    pair.client
        .handle_info(&accepted, &request(Method::REGISTER));
    let other = with_param(&signed, "nonce", "\"other\"");
    pair.client.handle_info(&accepted, &other);
    for info in ["nextnonce=\"\"", "nextnonce", "rspauth=\"1\"", "\""] {
        let mut strange = signed.response(200, Some("2"));
        strange.push_header("Authentication-Info", info);
        pair.client.handle_info(&strange, &signed);
    }
    let (_, value) = pair
        .client
        .anticipate(&request(Method::REGISTER), &credentials("secret"))
        .unwrap();
    assert!(
        !value.contains("evil") && value.contains("nc=00000002"),
        "{value}"
    );
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
fn a_server_that_turned_weak_gets_no_answer() {
    let sha = "Digest realm=\"example.com\", nonce=\"1\", qop=\"auth\", algorithm=SHA-256";
    let sha512 =
        "Digest realm=\"example.com\", nonce=\"2\", qop=\"auth\", algorithm=SHA-512-256-sess";
    let md5 = "Digest realm=\"example.com\", nonce=\"3\", qop=\"auth\"";
    let legacy = "Digest realm=\"example.com\", nonce=\"4\", algorithm=SHA-256";
    let mut client = DigestClient::new();
    let mut answer = |challenges: &[&str]| {
        let request = request(Method::REGISTER);
        let mut response = request.response(401, None);
        for challenge in challenges {
            response.push_header("WWW-Authenticate", *challenge);
        }
        answer_challenges(
            &response,
            &request,
            &credentials("secret"),
            &mut client,
            &mut ids(1),
        )
        .map(|(_, value)| value)
    };
    assert!(answer(&[sha, md5]).unwrap().contains("nonce=\"1\""));
    let downgrade = |algorithm| Err(DigestError::Downgrade { algorithm });
    assert_eq!(answer(&[md5]), downgrade(Algorithm::Md5));
    assert_eq!(answer(&[legacy]), downgrade(Algorithm::Sha256));
    assert_eq!(
        answer(&["Digest realm=\"x\", nonce=\"1\"", md5]),
        downgrade(Algorithm::Md5)
    );
    // What is as strong is fine, also below a weak one.
    assert!(answer(&[md5, sha512]).unwrap().contains("nonce=\"2\""));
    client.forget();
    let mut request = request(Method::REGISTER);
    assert_eq!(client.anticipate(&request, &credentials("secret")), None);
    let mut response = request.response(407, None);
    response.push_header("Proxy-Authenticate", md5);
    request.set_header("Subject", "x");
    assert_eq!(
        answer_challenges(
            &response,
            &request,
            &credentials("secret"),
            &mut client,
            &mut ids(1)
        ),
        Err(DigestError::Downgrade {
            algorithm: Algorithm::Md5
        })
    );
}

#[test]
fn realms_without_end_are_not_answered() {
    let anywhere = Credentials {
        realm: None,
        ..credentials("secret")
    };
    let mut client = DigestClient::new();
    let mut answered = 0;
    for realm in 0..100 {
        let request = request(Method::REGISTER);
        let mut response = request.response(401, None);
        response.push_header(
            "WWW-Authenticate",
            format!("Digest realm=\"{realm}\", nonce=\"1\""),
        );
        match answer_challenges(&response, &request, &anywhere, &mut client, &mut ids(1)) {
            Ok(_) => answered += 1,
            Err(error) => assert_eq!(error, DigestError::TooManyRealms),
        }
    }
    assert_eq!(answered, 16);
}

#[test]
fn weaker_protection_than_offered_is_refused() {
    let mut pair = Pair::new();
    let request = pair.answered("secret", NOW);
    for (name, value) in [
        ("qop", "auth-int"),
        ("algorithm", "MD5-sess"),
        ("algorithm", "MD5"),
    ] {
        assert_eq!(
            pair.verify(&with_param(&request, name, value), NOW),
            Verdict::Wrong,
            "{value}"
        );
    }
    for user in ["\"ALICE\"", "\"alice \""] {
        // The secret is looked up by this name; it is not alice's.
        let username = pair.username(&with_param(&request, "username", user));
        assert_ne!(username.as_deref(), Some("alice"));
    }
}

#[test]
fn a_full_table_calls_the_oldest_nonces_stale_rather_than_replaying_them() {
    let mut pair = Pair::new();
    pair.server = DigestServer::new([9; 32], ids(2)).with_max_nonces(3);
    let first = pair.answered("secret", NOW);
    assert_eq!(pair.verify(&first, NOW), ok());
    for _ in 0..3 {
        assert_eq!(pair.verify(&first, NOW + 1), Verdict::Wrong);
        let request = pair.answered("secret", NOW + 1);
        assert_eq!(pair.verify(&request, NOW + 1), ok());
    }
    assert_eq!(pair.verify(&first, NOW + 1), Verdict::Stale);
}

fn challenged(challenges: &[&str]) -> Result<(&'static str, String), DigestError> {
    let request = request(Method::REGISTER);
    let mut response = request.response(401, None);
    for challenge in challenges {
        response.push_header("WWW-Authenticate", *challenge);
    }
    answer_challenges(
        &response,
        &request,
        &credentials("secret"),
        &mut DigestClient::new(),
        &mut ids(1),
    )
}

#[test]
fn the_topmost_challenge_that_we_know_is_answered() {
    let unknown = "Digest realm=\"example.com\", nonce=\"1\", algorithm=AKAv1-MD5";
    let sha512 =
        "Digest realm=\"example.com\", nonce=\"2\", qop=\"auth-int,auth\", algorithm=SHA-512-256";
    let md5 = "Digest realm=\"example.com\", nonce=\"3\", opaque=\"o\\\"q\"";
    let (_, value) = challenged(&[unknown, sha512, md5]).unwrap();
    assert!(
        value.contains("nonce=\"2\"") && value.contains("qop=auth,"),
        "{value}"
    );
    let (_, value) = challenged(&[unknown, md5, sha512]).unwrap();
    assert!(
        value.contains("nonce=\"3\"") && value.contains("opaque=\"o\\\"q\""),
        "{value}"
    );
    assert!(
        !value.contains("qop") && !value.contains("cnonce"),
        "{value}"
    );
    let one_header = format!("{unknown}, {sha512}, {md5}");
    assert!(
        challenged(&[&one_header])
            .unwrap()
            .1
            .contains("nonce=\"2\"")
    );
}

#[test]
fn challenges_that_must_not_be_answered_say_why() {
    assert_eq!(challenged(&[]), Err(DigestError::NoChallenge));
    assert_eq!(
        challenged(&["Basic realm=\"example.com\""]),
        Err(DigestError::Unsupported)
    );
    assert_eq!(
        challenged(&["Digest realm=\"x"]),
        Err(DigestError::Malformed)
    );
    let foreign = "Digest realm=\"evil.example\", nonce=\"1\"";
    let realm = "evil.example".to_owned();
    assert_eq!(
        challenged(&[foreign]),
        Err(DigestError::ForeignRealm { realm })
    );
    let own = "Digest realm=\"example.com\", nonce=\"2\"";
    assert!(
        challenged(&[foreign, own])
            .unwrap()
            .1
            .contains("nonce=\"2\"")
    );
}

#[test]
fn a_refused_password_is_noticed_and_a_stale_nonce_is_not_taken_for_one() {
    let mut pair = Pair::new();
    let request = pair.answered("guess", NOW);
    let answer = |pair: &mut Pair, request: &Request, stale| {
        let mut response = request.response(401, None);
        for challenge in pair.server.challenges(REALM, stale, HERE, NOW + 400) {
            response.push_header("WWW-Authenticate", challenge);
        }
        let credentials = credentials("guess");
        answer_challenges(
            &response,
            request,
            &credentials,
            &mut pair.client,
            &mut pair.ids,
        )
    };
    assert_eq!(
        answer(&mut pair, &request, false),
        Err(DigestError::Refused)
    );
    assert!(answer(&mut pair, &request, true).is_ok());
    // A nonce that worked before may have expired at a server that does not say so.
    let mut used = self::request(Method::REGISTER);
    let (name, value) = pair
        .client
        .anticipate(&used, &credentials("guess"))
        .unwrap();
    used.set_header(name, value);
    assert!(answer(&mut pair, &used, false).is_ok());
}

#[test]
fn secrets_do_not_reach_a_log() {
    let secret = DigestSecret::from_password("alice", REALM, "secret");
    let server = DigestServer::new([77; 32], ids(1));
    let text = format!("{secret:?} {server:?} {:?}", credentials("secret"));
    assert!(!text.contains("secret\"") && !text.contains("77"), "{text}");
}
