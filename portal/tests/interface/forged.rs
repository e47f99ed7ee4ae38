//! Tokens that somebody made or changed: session cookies, access tokens of devices, keys of programs, tokens of mails. Each is refused, and
//! all of a kind with the same answer, so that no answer tells what was almost right.

use ed25519_dalek::{SigningKey, pkcs8::EncodePrivateKey};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use store::{Role, session, tenant};
use uuid::Uuid;

use crate::{
    phone::{Activated, activate},
    world::{Answer, Caller, World, now},
};

/// A value that looks like another: with a full-width letter, with a sign that nobody sees, in another case. Not percent-encoded: so a cookie
/// may be written, and it is the same token.
fn twins(token: &str) -> Vec<(&'static str, String)> {
    vec![
        ("full-width twin", format!("ａ{}", &token[1..])),
        (
            "zero-width sign inside",
            format!("{}\u{200b}{}", &token[..1], &token[1..]),
        ),
        ("another case", swapped(token)),
    ]
}

fn swapped(token: &str) -> String {
    let swap = |sign: char| {
        if sign.is_ascii_lowercase() {
            sign.to_ascii_uppercase()
        } else {
            sign.to_ascii_lowercase()
        }
    };
    token.chars().map(swap).collect()
}

/// What can be done to any token by who has seen it.
fn spoiled(token: &str) -> Vec<(&'static str, String)> {
    let last = token.len() - 1;
    let mut all = vec![
        ("truncated", token[..last].to_owned()),
        ("longer", format!("{token}A")),
        ("twice", format!("{token}{token}")),
        ("empty", String::new()),
        ("quoted", format!("\"{token}\"")),
        ("of zeros", "A".repeat(token.len())),
        ("very long", "A".repeat(4000)),
        ("SQL", "' OR '1'='1".to_owned()),
        ("a path", "../../device-token.key".to_owned()),
    ];
    all.extend(twins(token));
    all
}

/// Every answer is the same refusal.
#[track_caller]
fn alike(answers: Vec<(String, Answer)>, expected: StatusCode) {
    let mut first: Option<(String, Value)> = None;
    for (name, answer) in answers {
        assert!(answer.headers.get("set-cookie").is_none(), "{name}");
        let (status, body) = answer.without_request_id();
        assert_eq!(status, expected, "{name}: {body}");
        match &first {
            None => first = Some((name, body)),
            Some((other, same)) => assert_eq!(&body, same, "{name} differs from {other}"),
        }
    }
}

/// Asks with these header fields as they are.
async fn ask(world: &World, path: &str, headers: &[(&str, String)]) -> Answer {
    let client = reqwest::Client::new();
    let mut request = client.get(format!("{}{path}", world.base)).build().unwrap();
    for (name, value) in headers {
        let name: reqwest::header::HeaderName = name.parse().unwrap();
        let value = reqwest::header::HeaderValue::from_bytes(value.as_bytes()).unwrap();
        request.headers_mut().append(name, value);
    }
    Answer::of(client.execute(request).await.unwrap()).await
}

#[tokio::test]
async fn a_session_is_nothing_but_its_token() {
    let world = World::start().await;
    let good = world.owner.session.clone().unwrap();
    let path = world.path("devices");
    let cookie = |token: &str| vec![("cookie", format!("tandem_session={token}"))];
    ask(&world, &path, &cookie(&good))
        .await
        .expect(StatusCode::OK);

    let mut forgeries: Vec<(String, Vec<(&str, String)>)> = Vec::new();
    for (name, token) in spoiled(&good) {
        forgeries.push((name.to_owned(), cookie(&token)));
    }
    let device = world.device(&[&world.account("101").await]).await;
    let phone = activate(&device, &world).await;
    let jwt = phone.caller.bearer.clone().unwrap();
    let id = world.another_session("owner@example.com").await;
    let stranger = Uuid::new_v4().simple().to_string();
    forgeries.push((
        "what it is spoken of by".to_owned(),
        cookie(&id.to_string()),
    ));
    forgeries.push(("token of a device".to_owned(), cookie(&jwt)));
    forgeries.push(("random".to_owned(), cookie(&stranger)));
    forgeries.push((
        "another cookie".to_owned(),
        vec![("cookie", format!("tandem_browser={good}"))],
    ));
    forgeries.push((
        "name in another case".to_owned(),
        vec![("cookie", format!("Tandem_Session={good}"))],
    ));
    forgeries.push((
        "as a bearer".to_owned(),
        vec![("authorization", format!("Bearer {good}"))],
    ));
    forgeries.push(("nobody".to_owned(), Vec::new()));

    let out = world.member("out@example.com", Role::Owner).await;
    let spent = out.session.clone().unwrap();
    out.delete("/api/v1/session")
        .await
        .expect(StatusCode::NO_CONTENT);
    forgeries.push(("replayed after signing out".to_owned(), cookie(&spent)));
    let removed = world.member("removed@example.com", Role::Owner).await;
    let spent = removed.session.clone().unwrap();
    session::delete(&spent, &world.db).await.unwrap();
    forgeries.push(("replayed after it was ended".to_owned(), cookie(&spent)));
    let old = world
        .left_open("owner@example.com", 61)
        .await
        .session
        .unwrap();
    forgeries.push(("expired".to_owned(), cookie(&old)));

    let mut answers = Vec::new();
    for (name, headers) in forgeries {
        answers.push((name, ask(&world, &path, &headers).await));
    }
    alike(answers, StatusCode::UNAUTHORIZED);

    // Of two, the last of a header counts; a wrong one beside the right one opens nothing that the right one would not.
    let twice = vec![
        ("cookie", format!("tandem_session={}", "A".repeat(43))),
        ("cookie", format!("tandem_session={stranger}")),
    ];
    ask(&world, &path, &twice)
        .await
        .expect(StatusCode::UNAUTHORIZED);
    let elsewhere = world.outsider("elsewhere@example.com").await;
    elsewhere.get(&path).await.expect(StatusCode::NOT_FOUND);
}

/// The key that the portal signs with, which nobody else has.
fn device_key(world: &World) -> SigningKey {
    let seed = std::fs::read(world.data.path().join("device-token.key")).unwrap();
    SigningKey::from_bytes(&seed.try_into().unwrap())
}

fn signed(key: &SigningKey, kid: Option<&str>, claims: &Value) -> String {
    let mut header = Header::new(Algorithm::EdDSA);
    header.kid = kid.map(str::to_owned);
    let der = key.to_pkcs8_der().unwrap();
    encode(&header, claims, &EncodingKey::from_ed_der(der.as_bytes())).unwrap()
}

fn claims(world: &World, phone: &Activated) -> Value {
    let now = now().unix_timestamp();
    json!({"iss": world.base, "aud": "device", "sub": phone.id, "generation": generation(phone), "iat": now, "nbf": now,
        "exp": now + 600, "jti": Uuid::new_v4()})
}

/// Which credential of the device the portal's own token names.
fn generation(phone: &Activated) -> u64 {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let token = phone.caller.bearer.as_deref().unwrap();
    let body = URL_SAFE_NO_PAD
        .decode(token.split('.').nth(1).unwrap())
        .unwrap();
    let claims: Value = serde_json::from_slice(&body).unwrap();
    claims["generation"].as_u64().unwrap()
}

fn changed(mut claims: Value, field: &str, value: Value) -> Value {
    claims[field] = value;
    claims
}

#[tokio::test]
async fn a_device_is_believed_by_our_signature_and_nothing_else() {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    const PATH: &str = "/api/v1/device/configuration";
    const KID: Option<&str> = Some("device-1");
    let world = World::start().await;
    let device = world.device(&[&world.account("101").await]).await;
    let phone = activate(&device, &world).await;
    let (key, good) = (device_key(&world), claims(&world, &phone));
    let own = signed(&key, KID, &good);
    Caller::device(&world.base, &own)
        .get(PATH)
        .await
        .expect(StatusCode::OK);

    let seconds = |offset: i64| json!(now().unix_timestamp() + offset);
    let other = SigningKey::from_bytes(&rand::random());
    let public = key.verifying_key();
    let shared = |secret: &[u8]| {
        let mut header = Header::new(Algorithm::HS256);
        header.kid = KID.map(str::to_owned);
        encode(&header, &good, &EncodingKey::from_secret(secret)).unwrap()
    };
    let part = |number: usize| own.split('.').nth(number).unwrap().to_owned();
    let header = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let body = |claims: &Value| URL_SAFE_NO_PAD.encode(claims.to_string());
    let mut forgeries: Vec<(String, String)> = vec![
        (
            "alg none".into(),
            format!("{}.{}.", header(r#"{"alg":"none"}"#), part(1)),
        ),
        (
            "alg None with its signature".into(),
            format!(
                "{}.{}.{}",
                header(r#"{"alg":"None","kid":"device-1"}"#),
                part(1),
                part(2)
            ),
        ),
        (
            "public key as a shared one".into(),
            shared(public.as_bytes()),
        ),
        (
            "public key in base64 as a shared one".into(),
            shared(URL_SAFE_NO_PAD.encode(public.as_bytes()).as_bytes()),
        ),
        ("empty shared key".into(), shared(b"")),
        ("another key".into(), signed(&other, KID, &good)),
        ("another kid".into(), signed(&key, Some("device-2"), &good)),
        (
            "a path as kid".into(),
            signed(&key, Some("../../../dev/null"), &good),
        ),
        ("no kid".into(), signed(&key, None, &good)),
        ("key in its own header".into(), {
            let jwk = json!({"alg": "EdDSA", "kid": "device-1", "jwk": {"kty": "OKP", "crv": "Ed25519",
                "x": URL_SAFE_NO_PAD.encode(other.verifying_key().as_bytes())}});
            let foreign = signed(&other, KID, &good);
            format!(
                "{}.{}.{}",
                header(&jwk.to_string()),
                part(1),
                foreign.split('.').nth(2).unwrap()
            )
        }),
        (
            "expired".into(),
            signed(&key, KID, &changed(good.clone(), "exp", seconds(-60))),
        ),
        (
            "not yet valid".into(),
            signed(&key, KID, &changed(good.clone(), "nbf", seconds(60))),
        ),
        (
            "for somebody else".into(),
            signed(&key, KID, &changed(good.clone(), "aud", json!("session"))),
        ),
        (
            "of another issuer".into(),
            signed(
                &key,
                KID,
                &changed(good.clone(), "iss", json!("https://evil.example")),
            ),
        ),
        (
            "without an end".into(),
            signed(&key, KID, &changed(good.clone(), "exp", Value::Null)),
        ),
        (
            "of no device".into(),
            signed(&key, KID, &changed(good.clone(), "sub", json!("nobody"))),
        ),
        (
            "changed claims".into(),
            format!(
                "{}.{}.{}",
                part(0),
                body(&changed(good.clone(), "sub", json!(Uuid::new_v4()))),
                part(2)
            ),
        ),
        (
            "stripped signature".into(),
            format!("{}.{}.", part(0), part(1)),
        ),
        ("two parts".into(), format!("{}.{}", part(0), part(1))),
        ("four parts".into(), format!("{own}.AAAA")),
        (
            "signature of zeros".into(),
            format!("{}.{}.{}", part(0), part(1), "A".repeat(86)),
        ),
        (
            "session of a person".into(),
            world.owner.session.clone().unwrap(),
        ),
    ];
    for (name, token) in spoiled(&own) {
        // A bearer is a token, so spaces around it and what stands behind it are cut by HTTP already.
        forgeries.push((name.to_owned(), token));
    }
    let mut answers = Vec::new();
    for (name, token) in forgeries {
        let header = vec![("authorization", format!("Bearer {token}"))];
        answers.push((name, ask(&world, PATH, &header).await));
    }
    for (name, header) in [
        ("other scheme", ("authorization", format!("Basic {own}"))),
        ("in a cookie", ("cookie", format!("tandem_session={own}"))),
        (
            "in another field",
            ("x-authorization", format!("Bearer {own}")),
        ),
    ] {
        answers.push((name.to_owned(), ask(&world, PATH, &[header]).await));
    }
    let in_address = ask(&world, &format!("{PATH}?access_token={own}"), &[]).await;
    answers.push(("in the address".to_owned(), in_address));
    let twice = [
        ("authorization", format!("Bearer {}", "A".repeat(20))),
        ("authorization", format!("Bearer {own}")),
    ];
    answers.push(("behind another".to_owned(), ask(&world, PATH, &twice).await));
    alike(answers, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_device_that_was_reset_is_out_whatever_its_token_says() {
    const PATH: &str = "/api/v1/device/configuration";
    let world = World::start().await;
    let device = world.device(&[&world.account("101").await]).await;
    let phone = activate(&device, &world).await;
    let (key, good) = (device_key(&world), claims(&world, &phone));
    let replayed = signed(&key, Some("device-1"), &good);
    let newer = changed(good.clone(), "generation", json!(generation(&phone) + 7));
    let unknown = changed(good, "sub", json!(Uuid::new_v4()));
    let reset = world
        .owner
        .post(&world.activation_path(&device), json!({}))
        .await;
    assert!(reset.status.is_success(), "{}", reset.text());
    let mut answers = Vec::new();
    for (name, token) in [
        ("replayed after a reset", replayed),
        (
            "a credential to come",
            signed(&key, Some("device-1"), &newer),
        ),
        (
            "a device that never was",
            signed(&key, Some("device-1"), &unknown),
        ),
    ] {
        let answer = Caller::device(&world.base, &token).get(PATH).await;
        assert_eq!(answer.body["type"], "device-revoked", "{name}");
        answers.push((name.to_owned(), answer));
    }
    alike(answers, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_key_of_a_program_is_nothing_but_its_text() {
    let world = World::start().await;
    let make = async |caller: &Caller, tenant: Uuid| {
        let input = json!({"name": "Program", "scopes": ["devices:read"]});
        let made = caller
            .post(&format!("/api/v1/tenants/{tenant}/api-keys"), input)
            .await;
        made.expect(StatusCode::CREATED).body
    };
    let text = |made: &Value| made["key"].as_str().unwrap().to_owned();
    let (path, owner) = (world.path("devices"), &world.owner);
    let good = make(owner, world.tenant).await;
    Caller::device(&world.base, &text(&good))
        .get(&path)
        .await
        .expect(StatusCode::OK);

    let removed = make(owner, world.tenant).await;
    let one = world.path(&format!("api-keys/{}", removed["id"].as_str().unwrap()));
    owner.delete(&one).await.expect(StatusCode::NO_CONTENT);
    let left = world.member("left@example.com", Role::Administrator).await;
    let of_somebody_gone = make(&left, world.tenant).await;
    let gone = store::user::find_by_email("left@example.com", &world.db)
        .await
        .unwrap();
    store::membership::delete(world.tenant, gone.unwrap().0.id, &world.db)
        .await
        .unwrap();
    let mut forgeries = vec![
        ("replayed after it was removed", text(&removed)),
        ("of somebody who left", text(&of_somebody_gone)),
        (
            "its visible beginning",
            good["prefix"].as_str().unwrap().to_owned(),
        ),
        ("its beginning alone", "tdm_".to_owned()),
        (
            "its identifier",
            format!("tdm_{}", good["id"].as_str().unwrap()),
        ),
    ];
    let spoiled_keys: Vec<_> = spoiled(&text(&good)).into_iter().collect();
    // What does not begin as a key is no key: then it is asked for a session.
    forgeries.extend(
        spoiled_keys
            .into_iter()
            .filter(|(_, key)| key.starts_with("tdm_")),
    );
    let mut answers = Vec::new();
    for (name, key) in forgeries {
        let header = vec![("authorization", format!("Bearer {key}"))];
        answers.push((name.to_owned(), ask(&world, &path, &header).await));
    }
    alike(answers, StatusCode::UNAUTHORIZED);

    let other = world.tenant_named("Other", owner).await;
    let foreign = make(owner, other).await;
    let elsewhere = Caller::device(&world.base, &text(&foreign))
        .get(&path)
        .await;
    let nowhere = owner
        .get(&format!("/api/v1/tenants/{}/devices", Uuid::new_v4()))
        .await;
    alike(
        vec![
            ("of another tenant".to_owned(), elsewhere),
            ("no such tenant".to_owned(), nowhere),
        ],
        StatusCode::NOT_FOUND,
    );
}

#[tokio::test]
async fn a_token_of_a_mail_is_nothing_but_its_text() {
    let world = World::start().await;
    let email = "ada@example.com";
    let first = crate::sign_in::person(&world, email).await;
    let asked = world
        .nobody()
        .post("/api/v1/password-reset", json!({"email": email}))
        .await;
    asked.expect(StatusCode::ACCEPTED);
    let good = world.mails_to(email, 1).await[0].token();
    let complete = async |path: &str, token: &str| {
        let body = match path {
            "password-reset/completion" => {
                json!({"token": token, "password": "a password of my own"})
            }
            _ => json!({"token": token}),
        };
        world.nobody().post(&format!("/api/v1/{path}"), body).await
    };
    // Few of each: whoever tries many is slowed down.
    let mut answers = Vec::new();
    for (name, token) in spoiled(&good).into_iter().take(12) {
        answers.push((
            name.to_owned(),
            complete("password-reset/completion", &token).await,
        ));
    }
    answers.push((
        "for another purpose".to_owned(),
        complete("email-confirmation", &good).await,
    ));
    answers.push((
        "as an invitation".to_owned(),
        complete("invitation", &good).await,
    ));
    alike(answers, StatusCode::NOT_FOUND);
    complete("password-reset/completion", &good)
        .await
        .expect(StatusCode::NO_CONTENT);
    let replayed = complete("password-reset/completion", &good).await;
    alike(
        vec![("replayed".to_owned(), replayed)],
        StatusCode::NOT_FOUND,
    );
    crate::sign_in::sign_in(&world, email, &first)
        .await
        .expect(StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_page_of_another_site_changes_nothing_whatever_it_says() {
    let world = World::start().await;
    let path = world.path("providers");
    let input = json!({"name": "Sub", "server": "sip.example"});
    let mut answers = Vec::new();
    let host = world.base.strip_prefix("http://").unwrap();
    for origin in [
        "https://evil.example".to_owned(),
        "null".to_owned(),
        String::new(),
        format!("https://{host}.evil.example"),
        format!("http://{host}@evil.example"),
        format!("http://evil.example#{host}"),
        format!("{} https://evil.example", world.base),
        "http://127.0.0.1".to_owned(),
        "http://localhost.evil.example".to_owned(),
        "file://".to_owned(),
    ] {
        let headers = [("origin", origin.as_str())];
        let answer = world
            .owner
            .send(Method::POST, &path, Some(input.clone()), &headers)
            .await;
        answers.push((origin, answer));
    }
    alike(answers, StatusCode::FORBIDDEN);
    let tenant = tenant::load(world.tenant, &world.db).await.unwrap();
    assert_eq!(tenant.name, "Acme");
    let listed = world.owner.get(&path).await.body;
    assert_eq!(
        listed["items"].as_array().unwrap().len(),
        1,
        "only Tandem's own"
    );
}
