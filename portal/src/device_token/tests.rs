use std::os::unix::fs::PermissionsExt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::*;

const ISSUER: &str = "https://portal.example";

fn tokens(seed: u8) -> DeviceTokens {
    DeviceTokens::from_key(&SigningKey::from_bytes(&[seed; 32]), ISSUER).unwrap()
}

fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// A token with these claims and header, signed with the key of `seed`.
fn signed(seed: u8, header: &Header, claims: &Value) -> String {
    jsonwebtoken::encode(header, claims, &tokens(seed).encoding).unwrap()
}

fn header() -> Header {
    let mut header = Header::new(ALGORITHM);
    header.kid = Some(KEY_ID.to_owned());
    header
}

fn claims() -> Value {
    let now = now().unix_timestamp();
    json!({"iss": ISSUER, "aud": "device", "sub": Uuid::nil(), "generation": 1,
           "iat": now, "nbf": now, "exp": now + 60, "jti": Uuid::nil()})
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

#[test]
fn a_token_of_ours_names_device_and_generation() {
    let tokens = tokens(1);
    let device = Uuid::now_v7();
    let token = tokens.issue(device, 7, now()).unwrap();
    let claims = tokens.verify(&token).unwrap();
    assert_eq!((claims.sub, claims.generation), (device, 7));
    assert!(
        tokens
            .verify(&signed(1, &header(), &self::claims()))
            .is_ok()
    );
}

#[test]
fn tokens_with_a_wrong_or_missing_claim_are_refused() {
    let past = now().unix_timestamp() - 3600;
    let future = now().unix_timestamp() + 3600;
    let mut wrong = vec![
        with("aud", json!("session")),
        with("aud", json!(["session", "other"])),
        with("iss", json!("https://other.example")),
        with("exp", json!(past)),
        with("nbf", json!(future)),
        with("sub", json!("not a uuid")),
    ];
    for name in ["exp", "nbf", "aud", "iss", "sub", "jti", "generation"] {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(name);
        wrong.push(claims);
    }
    for claims in wrong {
        let token = signed(1, &header(), &claims);
        assert_eq!(tokens(1).verify(&token), Err(InvalidToken), "{claims}");
    }
}

#[test]
fn tokens_of_another_key_or_algorithm_are_refused() {
    let tokens = tokens(1);
    assert!(tokens.verify(&signed(2, &header(), &claims())).is_err());

    let mut foreign_kid = header();
    foreign_kid.kid = Some("../../dev/null".to_owned());
    assert!(tokens.verify(&signed(1, &foreign_kid, &claims())).is_err());
    assert!(
        tokens
            .verify(&signed(1, &Header::new(ALGORITHM), &claims()))
            .is_err()
    );

    // HMAC with the public key as the secret.
    let public = SigningKey::from_bytes(&[1; 32]).verifying_key();
    let mut hmac = Header::new(Algorithm::HS256);
    hmac.kid = Some(KEY_ID.to_owned());
    let confused = jsonwebtoken::encode(
        &hmac,
        &claims(),
        &EncodingKey::from_secret(public.as_bytes()),
    )
    .unwrap();
    assert!(tokens.verify(&confused).is_err());

    for header in [
        json!({"alg": "none", "kid": KEY_ID}),
        json!({"alg": "None", "kid": KEY_ID}),
        json!({"alg": "EdDSA", "kid": KEY_ID}),
    ] {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let unsigned = format!("{}.{}.", part(&header), part(&claims()));
        assert!(tokens.verify(&unsigned).is_err(), "{header}");
    }
    for text in ["", ".", "..", "a.b.c", "eyJhbGciOiJub25lIn0.e30."] {
        assert!(tokens.verify(text).is_err(), "{text}");
    }
}

#[test]
fn the_key_is_made_once_and_only_the_owner_can_read_it() {
    let dir = tempfile::tempdir().unwrap();
    let first = DeviceTokens::open(dir.path(), ISSUER).unwrap();
    let token = first.issue(Uuid::nil(), 1, now()).unwrap();
    let again = DeviceTokens::open(dir.path(), ISSUER).unwrap();
    assert!(again.verify(&token).is_ok());
    let files: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(files.len(), 1, "nothing but the key: {files:?}");
    let mode = files[0].metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_damaged_key_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(KEY_FILE), b"short").unwrap();
    let Err(error) = DeviceTokens::open(dir.path(), ISSUER) else {
        panic!("a damaged key was taken");
    };
    assert!(error.to_string().contains(KEY_FILE), "{error}");
}
