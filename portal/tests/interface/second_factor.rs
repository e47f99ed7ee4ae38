//! The second factor: turned on by a first code, asked for at each sign-in, replaced by recovery codes, turned off.

use reqwest::StatusCode;
use serde_json::{Value, json};
use totp_rs::{Builder, Secret};

use crate::sign_in::{NEW, change_password, session, settled, sign_in};
use crate::world::{Answer, Caller, World, now};

const FACTOR: &str = "/api/v1/session/second-factor";
const EMAIL: &str = "ada@example.com";

/// What the app shows `steps` from now. Only now and the next are sure to count until they arrive.
fn code(key: &str, steps: u64) -> String {
    let key = Secret::try_from_base32(key).unwrap();
    let app = Builder::new().with_secret(key).build().unwrap();
    let seconds = u64::try_from(now().unix_timestamp()).unwrap();
    app.generate(seconds + 30 * steps).to_string()
}

/// Turns it on with the code of now; gives the key and the recovery codes.
pub(crate) async fn turn_on(caller: &Caller) -> (String, Vec<String>) {
    let begun = caller
        .post(FACTOR, json!({}))
        .await
        .expect(StatusCode::CREATED);
    let key = begun.body["key"].as_str().unwrap().to_owned();
    let confirmed = first_code(caller, &code(&key, 0))
        .await
        .expect(StatusCode::OK);
    let codes = confirmed.body["codes"].as_array().unwrap().iter();
    let codes = codes
        .map(|code| code.as_str().unwrap().to_owned())
        .collect();
    (key, codes)
}

async fn first_code(caller: &Caller, code: &str) -> Answer {
    let path = format!("{FACTOR}/confirmation");
    caller.post(&path, json!({"code": code})).await
}

async fn half(world: &World) -> String {
    let answer = sign_in(world, EMAIL, NEW)
        .await
        .expect(StatusCode::ACCEPTED);
    assert!(
        answer.headers.get("set-cookie").is_none(),
        "this is no session"
    );
    answer.body["token"].as_str().unwrap().to_owned()
}

async fn second_step(world: &World, token: &str, code: &str) -> Answer {
    let body = json!({"token": token, "code": code});
    world
        .nobody()
        .post("/api/v1/session/second-step", body)
        .await
}

#[tokio::test]
async fn a_second_factor_is_asked_for_from_its_first_code_on() {
    let world = World::start().await;
    let caller = settled(&world, EMAIL).await;
    let elsewhere = session(&world, &sign_in(&world, EMAIL, NEW).await);
    let begun = caller
        .post(FACTOR, json!({}))
        .await
        .expect(StatusCode::CREATED);
    let key = begun.body["key"].as_str().unwrap();
    let uri = begun.body["uri"].as_str().unwrap();
    assert!(
        uri.starts_with("otpauth://totp/Tandem") && uri.contains("ada%40example.com"),
        "{uri}"
    );
    assert!(begun.body["qr_svg"].as_str().unwrap().contains("<svg"));
    sign_in(&world, EMAIL, NEW).await.expect(StatusCode::OK);
    assert_eq!(first_code(&caller, "000 00").await.wrong_fields(), ["code"]);

    let confirmed = first_code(&caller, &code(key, 0))
        .await
        .expect(StatusCode::OK);
    assert_eq!(confirmed.body["codes"].as_array().unwrap().len(), 10);
    elsewhere
        .get("/api/v1/session")
        .await
        .expect(StatusCode::UNAUTHORIZED);
    let shown = caller.get(FACTOR).await.expect(StatusCode::OK).body;
    assert!(shown["since"].is_string());
    assert_eq!(shown["recovery_codes_left"], 10);
    assert_eq!(
        caller.get("/api/v1/session").await.body["second_factor"],
        true
    );
    caller
        .post(FACTOR, json!({}))
        .await
        .expect(StatusCode::CONFLICT);
    first_code(&caller, &code(key, 1))
        .await
        .expect(StatusCode::NOT_FOUND);
    let mails = world.mails_to(EMAIL, 3).await;
    assert!(
        mails
            .iter()
            .any(|mail| mail.subject == "Second factor turned on")
    );
}

#[tokio::test]
async fn signing_in_takes_two_steps_and_no_code_counts_twice() {
    let world = World::start().await;
    let caller = settled(&world, EMAIL).await;
    let (key, codes) = turn_on(&caller).await;
    let token = half(&world).await;
    let nobody = Caller::new(&world.base, Some(token.clone()));
    nobody
        .get("/api/v1/session")
        .await
        .expect(StatusCode::UNAUTHORIZED);

    let replayed = second_step(&world, &token, &code(&key, 0)).await;
    let wrong = second_step(&world, &token, "000000")
        .await
        .without_request_id();
    let unknown = second_step(&world, "unknown", "000000")
        .await
        .without_request_id();
    assert_eq!(replayed.without_request_id(), wrong);
    assert_eq!(unknown, wrong);
    assert_eq!(wrong.0, StatusCode::UNAUTHORIZED);

    let answer = second_step(&world, &token, &code(&key, 1))
        .await
        .expect(StatusCode::OK);
    session(&world, &answer)
        .get("/api/v1/session")
        .await
        .expect(StatusCode::OK);
    let again = second_step(&world, &token, &codes[0]).await;
    again.expect(StatusCode::UNAUTHORIZED);

    let token = half(&world).await;
    let typed = codes[0].to_uppercase().replace('-', " ");
    let answer = second_step(&world, &token, &typed)
        .await
        .expect(StatusCode::OK);
    assert_eq!(
        session(&world, &answer).get(FACTOR).await.body["recovery_codes_left"],
        9
    );
    let token = half(&world).await;
    second_step(&world, &token, &codes[0])
        .await
        .expect(StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn guessing_the_second_factor_is_slowed_down() {
    let world = World::start().await;
    let caller = settled(&world, EMAIL).await;
    let (_, codes) = turn_on(&caller).await;
    let mut statuses = Vec::new();
    for _ in 0..11 {
        let token = half(&world).await;
        statuses.push(second_step(&world, &token, "000000").await.status);
        if statuses.len() == 10 {
            break;
        }
    }
    assert_eq!(statuses, [StatusCode::UNAUTHORIZED; 10]);
    // A sign-in would be slowed down by now, too: what is left is the session.
    let body = json!({"password": NEW, "code": codes[0]});
    let refused = caller.post("/api/v1/session/confirmation", body).await;
    refused.expect(StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn a_confirmation_asks_for_both_factors() {
    let world = World::start().await;
    let caller = settled(&world, EMAIL).await;
    let (_, codes) = turn_on(&caller).await;
    let caller = world.left_open(EMAIL, 11).await;
    caller.delete(FACTOR).await.expect(StatusCode::FORBIDDEN);
    let confirm = async |body: Value| caller.post("/api/v1/session/confirmation", body).await;
    assert_eq!(
        confirm(json!({"password": NEW})).await.wrong_fields(),
        ["code"]
    );
    let wrong = json!({"password": NEW, "code": "000000"});
    assert_eq!(confirm(wrong).await.wrong_fields(), ["code"]);
    let wrong = json!({"password": "wrong", "code": codes[0]});
    assert_eq!(confirm(wrong).await.wrong_fields(), ["password"]);
    let right = json!({"password": NEW, "code": codes[0]});
    confirm(right).await.expect(StatusCode::NO_CONTENT);

    let path = format!("{FACTOR}/recovery-codes");
    let replaced = caller.post(&path, json!({})).await.expect(StatusCode::OK);
    assert_eq!(caller.get(FACTOR).await.body["recovery_codes_left"], 10);
    assert!(!replaced.text().contains(&codes[1]));
    let old = json!({"password": NEW, "code": codes[1]});
    assert_eq!(confirm(old).await.wrong_fields(), ["code"]);

    caller.delete(FACTOR).await.expect(StatusCode::NO_CONTENT);
    caller.delete(FACTOR).await.expect(StatusCode::NO_CONTENT);
    caller
        .post(&path, json!({}))
        .await
        .expect(StatusCode::CONFLICT);
    sign_in(&world, EMAIL, NEW).await.expect(StatusCode::OK);
    let mails = world.mails_to(EMAIL, 3).await;
    for subject in ["New recovery codes", "Second factor turned off"] {
        assert_eq!(
            mails.iter().filter(|mail| mail.subject == subject).count(),
            1,
            "{subject}"
        );
    }
}

#[tokio::test]
async fn a_new_password_ends_a_sign_in_that_waits_for_its_second_step() {
    let world = World::start().await;
    let caller = settled(&world, EMAIL).await;
    let (_, codes) = turn_on(&caller).await;
    let token = half(&world).await;
    let changed = change_password(&caller, NEW, "another password").await;
    changed.expect(StatusCode::NO_CONTENT);
    second_step(&world, &token, &codes[0])
        .await
        .expect(StatusCode::UNAUTHORIZED);
}
