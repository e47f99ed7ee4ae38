//! Tokens, configuration and reports of an activated device.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    phone::{Activated, Channel, Phone, activate},
    world::{Caller, World},
};

const CONFIGURATION: &str = "/api/v1/device/configuration";

async fn activated() -> (World, Activated) {
    let world = World::start().await;
    let account = world.account("101").await;
    let device = world.device(&[&account]).await;
    let phone = activate(&device, &world).await;
    (world, phone)
}

#[tokio::test]
async fn a_token_is_given_for_a_fresh_signature_and_only_once() {
    let (world, phone) = activated().await;
    let nonce = "0123456789abcdef";
    let first = phone
        .phone
        .token(phone.id, nonce, 0)
        .await
        .expect(StatusCode::OK)
        .body;
    assert_eq!(first["expires_in_secs"], 600);
    let caller = Caller::device(&world.base, first["access_token"].as_str().unwrap());
    caller.get(CONFIGURATION).await.expect(StatusCode::OK);

    phone
        .phone
        .token(phone.id, nonce, 0)
        .await
        .expect(StatusCode::UNAUTHORIZED);
    phone
        .phone
        .token(phone.id, "0123456789abcdeg", 125)
        .await
        .expect(StatusCode::UNAUTHORIZED);
    phone
        .phone
        .token(phone.id, "0123456789abcdeh", -125)
        .await
        .expect(StatusCode::UNAUTHORIZED);
    phone
        .phone
        .token(phone.id, "0123456789abcdei", 100)
        .await
        .expect(StatusCode::OK);
    phone
        .phone
        .token(phone.id, "short", 0)
        .await
        .expect(StatusCode::UNAUTHORIZED);
    let wrong_clock = phone.phone.token(phone.id, "0123456789abcdej", 3600).await;
    assert_eq!(
        wrong_clock.body["type"], "about:blank",
        "not a reason to wipe the phone"
    );

    for (signer, device) in [
        (Phone::new(&world), phone.id),
        (Phone::new(&world), Uuid::now_v7()),
    ] {
        let refused = signer.token(device, "0123456789abcdek", 0).await;
        assert_eq!(
            refused.expect(StatusCode::UNAUTHORIZED).body["type"],
            "device-revoked"
        );
    }
}

#[tokio::test]
async fn forged_tokens_open_nothing() {
    let (world, phone) = activated().await;
    let good = phone.caller.bearer.clone().unwrap();
    let parts: Vec<_> = good.split('.').collect();
    let decode = |part: &str| -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let mut none = decode(parts[0]);
    none["alg"] = "none".into();
    let mut other_device = decode(parts[1]);
    other_device["sub"] = Uuid::now_v7().to_string().into();
    let forged = [
        format!("{}.{}.", encode(&none), parts[1]),
        format!("{}.{}.{}", encode(&none), parts[1], parts[2]),
        format!("{}.{}.{}", parts[0], encode(&other_device), parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
        "nonsense".to_owned(),
        String::new(),
    ];
    for token in forged {
        let caller = Caller::device(&world.base, &token);
        let refused = caller
            .get(CONFIGURATION)
            .await
            .expect(StatusCode::UNAUTHORIZED);
        assert_eq!(
            refused.body["type"], "about:blank",
            "a phone asks for a new one, it is not wiped"
        );
        assert_eq!(
            Channel::open("/api/v1/device/live", &caller).await.err(),
            Some(401)
        );
    }
    // A token of a device is no session, and a session is no token.
    phone
        .caller
        .get("/api/v1/session")
        .await
        .expect(StatusCode::UNAUTHORIZED);
    let session = world.owner.session.clone().unwrap();
    let caller = Caller::device(&world.base, &session);
    caller
        .get(CONFIGURATION)
        .await
        .expect(StatusCode::UNAUTHORIZED);
    phone.caller.get(CONFIGURATION).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn a_configuration_that_is_known_is_not_sent_again() {
    let (world, phone) = activated().await;
    let first = phone.caller.get(CONFIGURATION).await.expect(StatusCode::OK);
    assert_eq!(first.body, phone.configuration);
    assert_eq!(first.header("cache-control"), "no-store");
    let tag = first.header("etag").to_owned();
    assert_eq!(tag, format!("\"{}\"", phone.version()));
    let known = [("if-none-match", tag.as_str())];
    let ask = async || {
        phone
            .caller
            .send(Method::GET, CONFIGURATION, None, &known)
            .await
    };
    let unchanged = ask().await.expect(StatusCode::NOT_MODIFIED);
    assert!(unchanged.bytes.is_empty());

    let account = world.owner.get(&world.path("accounts")).await.body["items"][0].clone();
    let path = world.path(&format!("accounts/{}", account["id"].as_str().unwrap()));
    let change = json!({"provider_id": account["provider_id"], "name": "Front desk",
        "username": "101", "codecs": ["pcma", "opus"], "transport": "tcp"});
    world.owner.put(&path, change).await.expect(StatusCode::OK);
    let changed = ask().await.expect(StatusCode::OK).body;
    assert_eq!(changed["version"], phone.version() + 1);
    let line = &changed["lines"][0];
    assert_eq!(line["name"], "Front desk");
    assert_eq!(line["codecs"], json!(["pcma", "opus"]));
    assert_eq!(line["transport"], "tcp");
    assert_eq!(
        line["password"],
        phone.configuration["lines"][0]["password"]
    );
}

#[tokio::test]
async fn a_change_is_pending_until_the_phone_reports_it() {
    let (world, phone) = activated().await;
    let path = world.path(&format!("devices/{}", phone.id));
    let pending = async || world.owner.get(&path).await.body["pending_update"].clone();
    let fresh = world.owner.get(&path).await.body;
    assert_eq!(
        (&fresh["not_started"], &fresh["pending_update"]),
        (&json!(true), &json!(false))
    );
    let report = async |report: Value| phone.caller.post("/api/v1/device/report", report).await;
    report(phone.report(phone.version(), "connecting"))
        .await
        .expect(StatusCode::NO_CONTENT);
    assert_eq!(pending().await, false);
    assert_eq!(world.owner.get(&path).await.body["not_started"], false);

    let mut live = phone.live().await;
    assert_eq!(
        live.next().await.unwrap(),
        json!({"type": "configuration", "version": phone.version()})
    );
    let device = world.owner.get(&path).await.body;
    let account = device["accounts"][0]["id"].clone();
    let renamed =
        json!({"name": "Desk", "contact_id": device["contact"]["id"], "account_ids": [account]});
    world.owner.put(&path, renamed).await.expect(StatusCode::OK);
    let newer = phone.version() + 1;
    live.until(|frame| *frame == json!({"type": "configuration", "version": newer}))
        .await;
    assert_eq!(pending().await, true);

    let mut frame = phone.report(phone.version() + 1, "connected");
    frame["type"] = "report".into();
    live.send(json!("nonsense")).await;
    live.send(frame).await;
    let mut watch = Channel::open(&world.path("live"), &world.owner)
        .await
        .unwrap();
    watch
        .until(|frame| frame["devices"][0]["pending_update"] == false)
        .await;
    assert_eq!(world.owner.get(&path).await.body["app_version"], "0.1.0");

    let mut long = phone.report(1, "connected");
    long["platform"] = "x".repeat(200).into();
    assert_eq!(report(long).await.wrong_fields(), ["platform"]);
}

#[tokio::test]
async fn channels_of_one_phone_are_limited() {
    let (_world, phone) = activated().await;
    let mut open = Vec::new();
    for _ in 0..4 {
        open.push(phone.live().await);
    }
    let refused = Channel::open("/api/v1/device/live", &phone.caller).await;
    assert_eq!(refused.err(), Some(503));
}

#[tokio::test]
async fn an_account_that_a_phone_has_no_more_gets_a_password_that_it_does_not_know() {
    let world = World::start().await;
    let (kept, taken) = (world.account("101").await, world.account("102").await);
    let device = world.device(&[&kept, &taken]).await;
    let sibling = world.device(&[&taken]).await;
    let password = async |account: &Value| {
        let id = account["id"].as_str().unwrap().parse().unwrap();
        store::account::load_password(world.tenant, id, &world.vault, &world.db)
            .await
            .unwrap()
            .unwrap()
            .reveal()
            .to_owned()
    };
    let path = world.path(&format!("devices/{}", device["id"].as_str().unwrap()));
    let give = async |accounts: &[&Value]| {
        let ids: Vec<_> = accounts.iter().map(|account| &account["id"]).collect();
        let input =
            json!({"name": "Laptop", "contact_id": device["contact"]["id"], "account_ids": ids});
        world.owner.put(&path, input).await.expect(StatusCode::OK);
    };
    let before = (password(&kept).await, password(&taken).await);
    give(&[&kept]).await;
    let same = (password(&kept).await, password(&taken).await);
    assert_eq!(same, before, "no phone has learnt anything");
    give(&[&kept, &taken]).await;

    activate(&device, &world).await;
    let other = activate(&sibling, &world).await;
    let mut live = other.live().await;
    let first = live.until(|frame| frame["type"] == "configuration").await;
    world.proxy.asked();
    give(&[&kept]).await;
    assert_eq!(password(&kept).await, before.0);
    assert_ne!(password(&taken).await, before.1);
    assert_eq!(
        world.proxy.asked(),
        [
            "changed sip:102@acme.tandem.localhost",
            "drop sip:102@acme.tandem.localhost"
        ]
    );
    // Who has the account still learns the new password.
    live.until(|frame| frame["type"] == "configuration" && frame["version"] != first["version"])
        .await;
}
