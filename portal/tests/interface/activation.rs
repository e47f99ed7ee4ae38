//! Activation: shown, scanned, typed, used once, reset, and refused without a hint.

use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::{Value, json};
use store::{Secret, Vault};
use time::Duration;
use uuid::Uuid;

use crate::{
    phone::{Phone, activate},
    world::{World, now},
};

async fn world_with_device() -> (World, Value) {
    let world = World::start().await;
    let account = world.account("101").await;
    let device = world.device(&[&account]).await;
    (world, device)
}

#[tokio::test]
async fn the_administrator_sees_link_code_and_qr_until_they_are_used() {
    let (world, device) = world_with_device().await;
    let path = world.activation_path(&device);
    let shown = world.owner.get(&path).await.expect(StatusCode::OK);
    assert_eq!(shown.header("cache-control"), "no-store");
    let text = |name: &str| shown.body[name].as_str().unwrap();
    assert_eq!(text("state"), "open");
    assert_eq!(text("portal_url"), world.base);
    let token = text("link")
        .strip_prefix(&format!("{}/activate#", world.base))
        .unwrap();
    assert_eq!(token.len(), 22);
    let deep_link = text("deep_link");
    assert!(deep_link.starts_with("tandem:activate?portal=http%3A%2F%2F127.0.0.1%3A"));
    assert!(deep_link.ends_with(&format!("&token={token}")));
    let groups: Vec<_> = text("code").split('-').map(str::len).collect();
    assert_eq!(groups, [4, 4, 4, 4]);

    let png = world
        .owner
        .get(&format!("{path}/qr.png"))
        .await
        .expect(StatusCode::OK);
    assert_eq!(png.header("content-type"), "image/png");
    assert_eq!(png.header("cache-control"), "no-store");
    let picture = image::load_from_memory(&png.bytes).unwrap().to_luma8();
    let (_, read) = rqrr::PreparedImage::prepare(picture).detect_grids()[0]
        .decode()
        .unwrap();
    assert_eq!(read, text("link"));
    let svg = world
        .owner
        .get(&format!("{path}/qr.svg"))
        .await
        .expect(StatusCode::OK);
    assert_eq!(svg.header("content-type"), "image/svg+xml");

    Phone::new(&world)
        .activate("token", token)
        .await
        .expect(StatusCode::OK);
    let used = world.owner.get(&path).await.body;
    assert_eq!(used["state"], "used");
    for secret in ["link", "deep_link", "code"] {
        assert_eq!(used.get(secret), None);
    }
    let absent = world.owner.get(&format!("{path}/qr.png")).await;
    let absent = absent.expect(StatusCode::NOT_FOUND).body;
    assert!(absent["detail"].as_str().unwrap().contains("it was used"));
    let nobodys = world.path(&format!("devices/{}/activation", Uuid::nil()));
    let absent = world
        .owner
        .get(&nobodys)
        .await
        .expect(StatusCode::NOT_FOUND);
    assert_eq!(absent.body["detail"], "This does not exist.");
}

#[tokio::test]
async fn a_link_that_was_looked_at_ten_times_still_activates() {
    let (world, device) = world_with_device().await;
    let shown = world.owner.get(&world.activation_path(&device)).await.body;
    let link = shown["link"].as_str().unwrap();
    let (page, token) = link
        .strip_prefix(&world.base)
        .unwrap()
        .split_once('#')
        .unwrap();
    // As the scanners of mail programs do before the person opens it, some of which do not know what a fragment is.
    for path in [page.to_owned(), format!("{page}?{token}")] {
        for _ in 0..10 {
            world.nobody().get(&path).await.expect(StatusCode::OK);
        }
    }
    Phone::new(&world)
        .activate("token", token)
        .await
        .expect(StatusCode::OK);
}

#[tokio::test]
async fn a_code_is_read_as_people_type_it() {
    let (world, device) = world_with_device().await;
    let shown = world.owner.get(&world.activation_path(&device)).await.body;
    let code = shown["code"]
        .as_str()
        .unwrap()
        .to_lowercase()
        .replace('-', " ");
    let answer = Phone::new(&world)
        .activate("code", &code)
        .await
        .expect(StatusCode::OK);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.body["device_id"], device["id"]);
    assert_eq!(answer.body["configuration"]["tenant"]["name"], "Acme");
    assert_eq!(
        answer.body["configuration"]["contact"]["name"],
        "Alice Example"
    );
    let line = &answer.body["configuration"]["lines"][0];
    assert_eq!(line["domain"], "acme.tandem.localhost");
    assert_eq!(line["outbound_proxy"], "sip:127.0.0.1:5060;lr");
    assert!(line["password"].as_str().unwrap().len() >= 20);
}

#[tokio::test]
async fn of_two_hundred_phones_with_one_code_exactly_one_is_activated() {
    let (world, device) = world_with_device().await;
    race(&world, &device).await;
}

#[tokio::test]
async fn of_two_hundred_phones_with_one_code_exactly_one_is_activated_on_postgres() {
    let Some(world) = World::start_on_postgres().await else {
        return;
    };
    let account = world.account("101").await;
    let device = world.device(&[&account]).await;
    race(&world, &device).await;
}

async fn race(world: &World, device: &Value) {
    let shown = world.owner.get(&world.activation_path(device)).await.body;
    let code = shown["code"].as_str().unwrap();
    let phones: Vec<_> = (0..200).map(|_| Phone::new(world)).collect();
    let answers = join_all(phones.iter().map(|phone| phone.activate("code", code))).await;
    let activated = answers
        .iter()
        .filter(|answer| answer.status == StatusCode::OK)
        .count();
    assert_eq!(activated, 1);
    // The others are refused or, after so many failures from one place, slowed down.
    for answer in answers
        .iter()
        .filter(|answer| answer.status != StatusCode::OK)
    {
        assert!(
            [StatusCode::NOT_FOUND, StatusCode::TOO_MANY_REQUESTS].contains(&answer.status),
            "{}",
            answer.text()
        );
    }
}

#[tokio::test]
async fn wrong_used_expired_and_reset_get_the_same_answer() {
    let (world, device) = world_with_device().await;
    let path = world.activation_path(&device);
    let code = async || {
        let shown = world.owner.get(&path).await.body;
        shown["code"].as_str().unwrap().to_owned()
    };
    let refused = async |kind: &str, secret: &str| {
        let answer = Phone::new(&world).activate(kind, secret).await;
        answer.without_request_id()
    };
    let wrong = refused("code", store::ActivationCode::random().grouped().as_str()).await;
    assert_eq!(wrong.0, StatusCode::NOT_FOUND);
    assert_eq!(wrong.1["type"], "activation-refused");
    assert_eq!(
        refused("token", &store::ActivationToken::random().text()).await,
        wrong
    );
    assert_eq!(refused("code", "nonsense").await, wrong);
    assert_eq!(refused("token", "").await, wrong);

    let first = code().await;
    world
        .owner
        .post(&path, Value::Null)
        .await
        .expect(StatusCode::CREATED);
    assert_eq!(refused("code", &first).await, wrong, "reset");

    let second = code().await;
    activate(&device, &world).await;
    assert_eq!(refused("code", &second).await, wrong, "used");

    let id: Uuid = device["id"].as_str().unwrap().parse().unwrap();
    let life = Duration::seconds(-1);
    let expired =
        store::activation::replace(world.tenant, id, life, &world.vault, now(), &world.db).await;
    let store::activation::ActivationState::Open { token, code } = expired.unwrap().state else {
        panic!("made open");
    };
    assert_eq!(refused("token", &token.text()).await, wrong, "expired");
    assert_eq!(refused("code", &code.grouped()).await, wrong, "expired");
    assert_eq!(world.owner.get(&path).await.body["state"], "expired");
}

#[tokio::test]
async fn phones_behind_one_address_are_activated_at_once() {
    let world = World::start().await;
    let account = world.account("101").await;
    let mut codes = Vec::new();
    for _ in 0..15 {
        let device = world.device(&[&account]).await;
        let shown = world.owner.get(&world.activation_path(&device)).await;
        codes.push(shown.body["code"].as_str().unwrap().to_owned());
    }
    let phone = Phone::new(&world);
    for answer in join_all(codes.iter().map(|code| phone.activate("code", code))).await {
        answer.expect(StatusCode::OK);
    }
}

#[tokio::test]
async fn guessing_codes_is_slowed_down() {
    let (world, _) = world_with_device().await;
    let phone = Phone::new(&world);
    let mut statuses = Vec::new();
    for _ in 0..11 {
        statuses.push(phone.activate("code", "0000-0000-0000-0000").await.status);
    }
    assert_eq!(statuses[..10], [StatusCode::NOT_FOUND; 10]);
    assert_eq!(statuses[10], StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn a_phone_that_says_nonsense_does_not_spend_the_activation() {
    let (world, device) = world_with_device().await;
    let shown = world.owner.get(&world.activation_path(&device)).await.body;
    let send = async |change: fn(&mut Value)| {
        let mut body = json!({"code": shown["code"], "public_key": Phone::new(&world).public_key(),
            "platform": "linux", "app_version": "0.1.0"});
        change(&mut body);
        world.nobody().post("/api/v1/device/activation", body).await
    };
    assert_eq!(
        send(|b| b["public_key"] = "short".into())
            .await
            .wrong_fields(),
        ["public_key"]
    );
    // The neutral element: every signature would fit.
    let weak =
        |b: &mut Value| b["public_key"] = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".into();
    assert_eq!(send(weak).await.wrong_fields(), ["public_key"]);
    assert_eq!(
        send(|b| b["platform"] = "".into()).await.wrong_fields(),
        ["platform"]
    );
    assert_eq!(
        send(|b| b["token"] = "both".into()).await.wrong_fields(),
        ["token"]
    );
    send(|b| b["a_later_field"] = true.into())
        .await
        .expect(StatusCode::OK);
}

#[tokio::test]
async fn a_reset_signs_the_phone_out_at_once() {
    let (world, device) = world_with_device().await;
    let phone = activate(&device, &world).await;
    let mut live = phone.live().await;
    live.until(|frame| frame["type"] == "configuration").await;
    let before = phone.configuration["lines"][0]["password"].clone();
    world.proxy.asked();

    let reset = world
        .owner
        .post(&world.activation_path(&device), Value::Null)
        .await;
    let reset = reset.expect(StatusCode::CREATED).body;
    assert_eq!(reset["state"], "open");
    assert_eq!(
        world.proxy.asked(),
        [
            "changed sip:101@acme.tandem.localhost".to_owned(),
            format!("revoke urn:uuid:{}", phone.id)
        ]
    );
    live.until(|frame| frame["type"] == "revoked").await;
    assert_eq!(live.next().await, None, "the channel is closed");
    let refused = phone.caller.get("/api/v1/device/configuration").await;
    assert_eq!(
        refused.expect(StatusCode::UNAUTHORIZED).body["type"],
        "device-revoked"
    );
    let refused = phone.phone.token(phone.id, "a nonce of the phone", 0).await;
    assert_eq!(
        refused.expect(StatusCode::UNAUTHORIZED).body["type"],
        "device-revoked"
    );

    let second = Phone::new(&world)
        .activate("code", reset["code"].as_str().unwrap())
        .await;
    let second = second.expect(StatusCode::OK).body;
    assert_ne!(second["configuration"]["lines"][0]["password"], before);
    // The old token is of an earlier generation, although device and key file are the same.
    phone
        .caller
        .get("/api/v1/device/configuration")
        .await
        .expect(StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_deleted_device_is_signed_out_and_its_account_gets_a_new_password() {
    let world = World::start().await;
    let account = world.account("101").await;
    let (first, second) = (
        world.device(&[&account]).await,
        world.device(&[&account]).await,
    );
    let (lost, kept) = (
        activate(&first, &world).await,
        activate(&second, &world).await,
    );
    let mut lost_live = lost.live().await;
    let mut kept_live = kept.live().await;
    kept_live
        .until(|frame| frame["version"] == kept.version())
        .await;

    let path = world.path(&format!("devices/{}", lost.id));
    world
        .owner
        .delete(&path)
        .await
        .expect(StatusCode::NO_CONTENT);
    lost_live.until(|frame| frame["type"] == "revoked").await;
    let told = kept_live
        .until(|frame| frame["type"] == "configuration" && frame["version"] != kept.version())
        .await;
    assert_eq!(told["version"], kept.version() + 1);
    let fresh = kept
        .caller
        .get("/api/v1/device/configuration")
        .await
        .expect(StatusCode::OK)
        .body;
    assert_ne!(
        fresh["lines"][0]["password"],
        kept.configuration["lines"][0]["password"]
    );
    assert_eq!(fresh["version"], told["version"]);
}

#[tokio::test]
async fn a_phone_whose_answer_was_lost_asks_again() {
    let (world, device) = world_with_device().await;
    let path = world.activation_path(&device);
    let shown = world.owner.get(&path).await.body;
    let code = shown["code"].as_str().unwrap();
    let phone = Phone::new(&world);
    let first = phone.activate("code", code).await.expect(StatusCode::OK);
    let second = phone.activate("code", code).await.expect(StatusCode::OK);
    assert_eq!(second.body["device_id"], first.body["device_id"]);
    assert_eq!(second.body["configuration"], first.body["configuration"]);
    Phone::new(&world)
        .activate("code", code)
        .await
        .expect(StatusCode::NOT_FOUND);
    let audit = world.owner.get(&world.path("audit")).await.text();
    assert_eq!(audit.matches("device.activate").count(), 1, "{audit}");
    world
        .owner
        .post(&path, json!({}))
        .await
        .expect(StatusCode::CREATED);
    phone
        .activate("code", code)
        .await
        .expect(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_activation_is_spent_only_if_the_phone_can_be_told() {
    let world = World::start().await;
    let account = world.account("101").await;
    let device = world.device(&[&account]).await;
    let id = account["id"].as_str().unwrap().parse().unwrap();
    let shown = world.owner.get(&world.activation_path(&device)).await.body;
    let code = shown["code"].as_str().unwrap();
    let seal = async |vault: &Vault| {
        let password = Secret::new("a password");
        store::account::set_password(world.tenant, id, &password, vault, &world.db)
            .await
            .unwrap();
    };
    let other = tempfile::tempdir().unwrap();
    seal(&Vault::open_or_create(&other.path().join("key")).unwrap()).await;
    let phone = Phone::new(&world);
    phone
        .activate("code", code)
        .await
        .expect(StatusCode::INTERNAL_SERVER_ERROR);
    let after = world.owner.get(&world.activation_path(&device)).await.body;
    assert_eq!(after["state"], "open");
    seal(&world.vault).await;
    Phone::new(&world)
        .activate("code", code)
        .await
        .expect(StatusCode::OK);
}

#[tokio::test]
async fn a_reset_goes_on_when_the_administrator_leaves() {
    let (world, device) = world_with_device().await;
    activate(&device, &world).await;
    world.proxy.asked();
    let gate = world.proxy.close_gate();
    let path = world.activation_path(&device);
    let mut reset = Box::pin(world.owner.post(&path, json!({})));
    let mut asked = Vec::new();
    while asked.is_empty() {
        tokio::select! {
            biased;
            _ = &mut reset => panic!("it does not wait for the proxy"),
            () = tokio::task::yield_now() => asked.extend(world.proxy.asked()),
        }
    }
    let instance = api::instance_id(device["id"].as_str().unwrap().parse().unwrap());
    assert_eq!(asked, ["changed sip:101@acme.tandem.localhost"]);
    drop(reset);
    // Until the portal has noticed.
    for _ in 0..50 {
        world.nobody().get("/healthz").await.expect(StatusCode::OK);
    }
    gate.notify_one();
    for _ in 0..200 {
        world.nobody().get("/healthz").await.expect(StatusCode::OK);
        asked.extend(world.proxy.asked());
        if asked.len() > 1 {
            break;
        }
    }
    assert_eq!(asked[1..], [format!("revoke {instance}")]);
}
