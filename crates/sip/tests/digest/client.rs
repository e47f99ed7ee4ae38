//! What a client answers, and what it does not.

use sip::{
    Algorithm, Credentials, DigestClient, DigestError, Method, Request, Verdict, answer_challenges,
};

use crate::{HERE, NOW, Pair, REALM, credentials, ids, ok, request, with_param};

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
fn a_server_that_turned_weak_gets_no_answer() {
    let sha = "Digest realm=\"example.com\", nonce=\"1\", qop=\"auth\", algorithm=SHA-256";
    let sha512 =
        "Digest realm=\"example.com\", nonce=\"2\", qop=\"auth\", algorithm=SHA-512-256-sess";
    let md5 = "Digest realm=\"example.com\", nonce=\"3\", qop=\"auth\"";
    let legacy = "Digest realm=\"example.com\", nonce=\"4\", algorithm=SHA-256";
    let mut client = DigestClient::new();
    let mut answer =
        |challenges: &[&str]| answered_by(&mut client, challenges).map(|(_, value)| value);
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

fn challenged(challenges: &[&str]) -> Result<(&'static str, String), DigestError> {
    answered_by(&mut DigestClient::new(), challenges)
}

/// What a client says to a 401 with these challenges.
fn answered_by(
    client: &mut DigestClient,
    challenges: &[&str],
) -> Result<(&'static str, String), DigestError> {
    let request = request(Method::REGISTER);
    let mut response = request.response(401, None);
    for challenge in challenges {
        response.push_header("WWW-Authenticate", *challenge);
    }
    let credentials = credentials("secret");
    answer_challenges(&response, &request, &credentials, client, &mut ids(1))
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
