use jsonwebtoken::{EncodingKey, Header, encode};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use serde_json::json;
use time::macros::datetime;

use super::*;

const NOW: OffsetDateTime = datetime!(2026-11-23 09:00 UTC);
const ISSUER: &str = "https://login.example";
const ACCESS: &str = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";

/// A key of a provider.
struct Key {
    encoding: EncodingKey,
    public: Value,
}

impl Key {
    fn new(kid: &str) -> Self {
        // An error only if another test was faster, with the same provider.
        let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let encoding = EncodingKey::from_ec_der(&pair.serialize_der());
        let jwk = Jwk::from_encoding_key(&encoding, Algorithm::ES256).unwrap();
        let mut public = serde_json::to_value(jwk).unwrap();
        public["kid"] = kid.into();
        public["use"] = "sig".into();
        Self { encoding, public }
    }

    fn sign(&self, kid: Option<&str>, claims: &Value) -> String {
        let mut header = Header::new(Algorithm::ES256);
        header.kid = kid.map(str::to_owned);
        encode(&header, claims, &self.encoding).unwrap()
    }
}

fn published(keys: &[&Key]) -> Keys {
    let keys: Vec<_> = keys.iter().map(|key| &key.public).collect();
    serde_json::from_value(json!({ "keys": keys })).unwrap()
}

fn good() -> Value {
    json!({"iss": ISSUER, "sub": "s-1", "aud": "tandem", "nonce": "n-1", "email": "ada@example.com", "email_verified": true,
        "iat": NOW.unix_timestamp(), "exp": NOW.unix_timestamp() + 300, "auth_time": NOW.unix_timestamp() - 60, "amr": ["pwd", "mfa"],
        "at_hash": half_hash(Algorithm::ES256, ACCESS)})
}

fn changed(field: &str, value: Value) -> Value {
    let mut claims = good();
    claims[field] = value;
    claims
}

fn judge(token: &str, keys: &Keys) -> Result<Identity, Flaw> {
    judge_with(token, keys, false)
}

fn judge_with(token: &str, keys: &Keys, anew: bool) -> Result<Identity, Flaw> {
    let algorithms = ["RS256", "ES256", "HS256", "none"].map(str::to_owned);
    let expected = Expected {
        issuer: ISSUER,
        client_id: "tandem",
        nonce: "n-1",
        algorithms: &algorithms,
        anew,
    };
    verify(token, ACCESS, keys, &expected, NOW)
}

#[test]
fn a_good_token_names_a_person() {
    let key = Key::new("k-1");
    let keys = published(&[&key]);
    let identity = judge(&key.sign(Some("k-1"), &good()), &keys).unwrap();
    assert_eq!(identity.subject, "s-1");
    assert_eq!(identity.person.email.as_deref(), Some("ada@example.com"));
    assert_eq!(identity.person.email_verified, Some(true));
    assert_eq!(identity.authenticated_at, Some(NOW - Duration::minutes(1)));
    assert!(identity.several_factors);
}

#[test]
fn each_claim_is_judged() {
    let key = Key::new("k-1");
    let keys = published(&[&key]);
    let seconds = |offset: i64| json!(NOW.unix_timestamp() + offset);
    for (field, value, flaw) in [
        ("iss", json!("https://login.example/"), Flaw::Issuer),
        ("iss", json!("https://evil.example"), Flaw::Issuer),
        ("aud", json!("another"), Flaw::Audience),
        ("aud", json!(["another"]), Flaw::Audience),
        ("aud", json!([]), Flaw::Audience),
        ("aud", json!(["tandem", "another"]), Flaw::Audience),
        ("azp", json!("another"), Flaw::Audience),
        ("exp", seconds(-60), Flaw::Expired),
        ("exp", json!("soon"), Flaw::Unreadable),
        ("exp", json!(1e300), Flaw::Unreadable),
        ("exp", Value::Null, Flaw::Unreadable),
        ("iat", seconds(61), Flaw::Early),
        ("iat", seconds(-901), Flaw::Expired),
        ("iat", json!(-1), Flaw::Unreadable),
        ("nonce", json!("n-2"), Flaw::Nonce),
        ("nonce", Value::Null, Flaw::Nonce),
        (
            "at_hash",
            json!("AAAAAAAAAAAAAAAAAAAAAA"),
            Flaw::AccessToken,
        ),
        ("at_hash", json!(""), Flaw::AccessToken),
        ("sub", json!(""), Flaw::Subject),
        ("sub", json!("x".repeat(256)), Flaw::Subject),
        ("sub", json!(7), Flaw::Unreadable),
    ] {
        let token = key.sign(Some("k-1"), &changed(field, value.clone()));
        assert_eq!(judge(&token, &keys), Err(flaw), "{field}: {value}");
    }
    for (field, value) in [
        ("aud", json!(["tandem"])),
        ("azp", json!("tandem")),
        ("exp", seconds(-59)),
        ("exp", json!(NOW.unix_timestamp() as f64 + 0.5)),
        ("iat", seconds(60)),
        ("at_hash", Value::Null),
        ("auth_time", Value::Null),
    ] {
        let token = key.sign(Some("k-1"), &changed(field, value.clone()));
        assert!(judge(&token, &keys).is_ok(), "{field}: {value}");
    }
    let mut several = changed("aud", json!(["other", "tandem"]));
    several["azp"] = "tandem".into();
    assert!(judge(&key.sign(None, &several), &keys).is_ok());
}

#[test]
fn only_a_published_key_counts() {
    let (key, other) = (Key::new("k-1"), Key::new("k-2"));
    let keys = published(&[&key]);
    let claims = good();
    let wrong = other.sign(Some("k-1"), &claims);
    assert_eq!(judge(&wrong, &keys), Err(Flaw::Signature));
    let unknown = other.sign(Some("k-2"), &claims);
    assert_eq!(judge(&unknown, &keys), Err(Flaw::Key));
    assert!(
        judge(&unknown, &published(&[&key, &other])).is_ok(),
        "the keys were changed"
    );
    assert!(judge(&other.sign(None, &claims), &published(&[&key, &other])).is_ok());
    let token = key.sign(Some("k-1"), &claims);
    let (front, _) = token.rsplit_once('.').unwrap();
    let (_, foreign) = wrong.rsplit_once('.').unwrap();
    assert_eq!(
        judge(&format!("{front}.{foreign}"), &keys),
        Err(Flaw::Signature)
    );
    assert!(judge(&format!("{front}."), &keys).is_err());
    assert!(judge(front, &keys).is_err());
}

#[test]
fn only_algorithms_with_a_public_key_count() {
    let key = Key::new("k-1");
    let keys = published(&[&key]);
    let body = URL_SAFE_NO_PAD.encode(good().to_string());
    for header in [json!({"alg": "none"}), json!({"alg": "None", "kid": "k-1"})] {
        let header = URL_SAFE_NO_PAD.encode(header.to_string());
        for signature in ["", "AAAA"] {
            let token = format!("{header}.{body}.{signature}");
            assert_eq!(judge(&token, &keys), Err(Flaw::Algorithm), "{token}");
        }
    }
    // The public key, which everybody has, as a shared one.
    let public = key.public["x"].as_str().unwrap();
    let shared = EncodingKey::from_secret(public.as_bytes());
    let forged = encode(&Header::new(Algorithm::HS256), &good(), &shared).unwrap();
    assert_eq!(judge(&forged, &keys), Err(Flaw::Algorithm));
    let expected = Expected {
        issuer: ISSUER,
        client_id: "tandem",
        nonce: "n-1",
        algorithms: &["RS256".to_owned()],
        anew: false,
    };
    let token = key.sign(Some("k-1"), &good());
    let untold = verify(&token, ACCESS, &keys, &expected, NOW);
    assert_eq!(
        untold,
        Err(Flaw::Algorithm),
        "the provider does not sign so"
    );
}

#[test]
fn a_confirmation_wants_somebody_who_signed_in_just_now() {
    let key = Key::new("k-1");
    let keys = published(&[&key]);
    let judge = |auth_time: Value| {
        let token = key.sign(Some("k-1"), &changed("auth_time", auth_time));
        judge_with(&token, &keys, true).map(|_| ())
    };
    let seconds = |offset: i64| json!(NOW.unix_timestamp() + offset);
    assert_eq!(judge(seconds(-120)), Ok(()));
    assert_eq!(judge(seconds(-121)), Err(Flaw::TooOld));
    assert_eq!(judge(seconds(61)), Err(Flaw::TooOld), "not in the future");
    assert_eq!(judge(Value::Null), Err(Flaw::TooOld));
}

#[test]
fn keys_that_cannot_be_read_are_left_out() {
    let key = Key::new("k-1");
    let mut encrypts = Key::new("k-2").public;
    encrypts["use"] = "enc".into();
    let keys = json!({"keys": [
        {"kty": "oct", "k": "c2VjcmV0", "alg": "HS256"}, {"kty": "new"}, 7, {}, encrypts, key.public]});
    let keys: Keys = serde_json::from_value(keys).unwrap();
    assert_eq!(keys.keys.len(), 1);
    assert!(judge(&key.sign(Some("k-1"), &good()), &keys).is_ok());
    let none: Keys = serde_json::from_value(json!({"keys": []})).unwrap();
    assert!(none.is_empty());
}

#[test]
fn the_hash_of_an_access_token_is_as_in_the_standard() {
    // OpenID Connect Core 1.0 appendix A.3.
    assert_eq!(
        half_hash(Algorithm::RS256, ACCESS),
        "77QmUPtjPfzWtF2AnpK9RQ"
    );
}

#[test]
fn truth_is_read_as_providers_write_it() {
    let verified = |value: Value| {
        let person: Person = serde_json::from_value(json!({ "email_verified": value })).unwrap();
        person.email_verified
    };
    assert_eq!(verified(json!(true)), Some(true));
    assert_eq!(verified(json!("true")), Some(true));
    assert_eq!(verified(json!("false")), Some(false));
    assert_eq!(verified(json!(1)), Some(false));
    assert_eq!(verified(Value::Null), None);
    let silent: Person = serde_json::from_value(json!({})).unwrap();
    assert_eq!(silent, Person::default());
}
