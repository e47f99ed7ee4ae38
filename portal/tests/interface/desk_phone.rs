//! Desk phones: set up once, fetched as files, ended like activations; the address and the passwords are told to nobody else.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    phone::{Channel, activate},
    world::{Answer, World},
};

/// Makes the device a desk phone; the path of its address.
pub(crate) async fn set_up(world: &World, device: &Value, make: &str) -> String {
    let made = world
        .owner
        .post(&path_of(world, device), json!({"make": make}))
        .await;
    let address = made.expect(StatusCode::CREATED).body["address"].clone();
    let path = address.as_str().unwrap().strip_prefix(&world.base).unwrap();
    assert!(path.starts_with("/desk/") && path.ends_with('/') && path.len() == 6 + 43 + 1);
    path.to_owned()
}

fn path_of(world: &World, device: &Value) -> String {
    world.path(&format!("devices/{}/desk-phone", text(&device["id"])))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

async fn device(world: &World) -> Value {
    let account = world.account("101").await;
    world.device(&[&account]).await
}

async fn shown(world: &World, device: &Value) -> Value {
    let path = world.path(&format!("devices/{}", text(&device["id"])));
    world.owner.get(&path).await.expect(StatusCode::OK).body
}

async fn ask(world: &World, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    world.nobody().send(method, path, None, headers).await
}

const YEALINK: (&str, &str) = ("user-agent", "Yealink SIP-T46U 108.86.0.20");

#[tokio::test]
async fn a_desk_phone_fetches_its_settings_and_is_the_device_from_then_on() {
    let world = World::start().await;
    let device = device(&world).await;
    let mut live = Channel::open(&world.path("live"), &world.owner)
        .await
        .unwrap();
    let address = set_up(&world, &device, "yealink").await;
    let waiting = shown(&world, &device).await;
    assert_eq!(waiting["status"], "not_activated");
    assert_eq!(waiting["platform"], "yealink");
    assert_eq!(waiting["desk_phone"]["make"], "yealink");
    assert!(waiting["desk_phone"].get("fetched_at").is_none());

    let file = format!("{address}805ec0000001.cfg");
    let got = ask(&world, Method::GET, &file, &[YEALINK])
        .await
        .expect(StatusCode::OK);
    assert_eq!(got.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(got.header("cache-control"), "no-store");
    let settings = got.text();
    assert!(settings.starts_with("#!version:1.0.0.1\n"));
    for line in [
        "account.1.user_name = 101",
        "account.1.display_name = Alice Example",
        "account.1.sip_server.1.address = acme.tandem.localhost",
        "account.1.outbound_proxy.1.address = 127.0.0.1",
        &format!("static.auto_provision.server.url = {}{address}", world.base),
    ] {
        assert!(
            settings.lines().any(|found| found == line),
            "{line}\n{settings}"
        );
    }
    let is_activated = |frame: &Value| {
        let devices = frame["devices"].as_array().into_iter().flatten();
        devices.into_iter().any(|one| one["status"] == "offline")
    };
    live.until(is_activated).await;
    let active = shown(&world, &device).await;
    assert_eq!(active["status"], "offline");
    assert_eq!(active["app_version"], YEALINK.1);
    assert_eq!(active["pending_update"], false);
    assert!(active["desk_phone"]["fetched_at"].is_string());

    // The instance-id of a desk phone is its own, and its line says that it is there.
    let own = format!("urn:uuid:{}", uuid::Uuid::new_v4());
    world.proxy.bind("sip:101@acme.tandem.localhost", Some(own));
    let is_online = |frame: &Value| {
        let devices = frame["devices"].as_array().into_iter().flatten();
        devices.into_iter().any(|one| one["status"] == "online")
    };
    live.until(is_online).await;
    let listed = world
        .owner
        .get(&world.path("devices?status=online"))
        .await
        .body;
    assert_eq!(listed["items"][0]["id"], device["id"]);
    world.proxy.bind("sip:101@acme.tandem.localhost", None);
    live.until(is_activated).await;
    let listed = world
        .owner
        .get(&world.path("devices?status=online"))
        .await
        .body;
    assert_eq!(listed["items"], json!([]));

    let audit = world.owner.get(&world.path("audit")).await.body;
    let actions: Vec<_> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| text(&entry["action"]))
        .collect();
    assert_eq!(actions[..2], ["device.activate", "device.desk_phone"]);
}

#[tokio::test]
async fn what_a_phone_has_already_is_not_sent_again_until_it_changes() {
    let world = World::start().await;
    let device = device(&world).await;
    let address = set_up(&world, &device, "snom").await;
    let head = ask(&world, Method::HEAD, &address, &[])
        .await
        .expect(StatusCode::OK);
    assert_eq!(
        shown(&world, &device).await["status"],
        "not_activated",
        "it has nothing yet"
    );
    let got = ask(&world, Method::GET, &address, &[])
        .await
        .expect(StatusCode::OK);
    assert_eq!(got.header("content-type"), "application/xml; charset=utf-8");
    let tag = got.header("etag").to_owned();
    assert_eq!(head.header("etag"), tag);
    assert!(head.bytes.is_empty());
    assert_eq!(head.header("content-length"), got.bytes.len().to_string());

    let known = [("if-none-match", tag.as_str())];
    let same = ask(&world, Method::GET, &address, &known)
        .await
        .expect(StatusCode::NOT_MODIFIED);
    assert!(same.bytes.is_empty());
    let input = json!({"name": "Renamed", "contact_id": device["contact"]["id"], "account_ids": [device["accounts"][0]["id"]]});
    let path = world.path(&format!("devices/{}", text(&device["id"])));
    let changed = world.owner.put(&path, input).await.expect(StatusCode::OK);
    assert_eq!(changed.body["pending_update"], true);
    // Nothing of it concerns the phone, and it has said that it has it.
    ask(&world, Method::GET, &address, &known)
        .await
        .expect(StatusCode::NOT_MODIFIED);
    assert_eq!(shown(&world, &device).await["pending_update"], false);

    let account = world.path(&format!("accounts/{}", text(&device["accounts"][0]["id"])));
    let shown_account = world.owner.get(&account).await.body;
    let input = json!({"provider_id": shown_account["provider_id"], "name": "Desk line", "username": "101"});
    world
        .owner
        .put(&account, input)
        .await
        .expect(StatusCode::OK);
    assert_eq!(shown(&world, &device).await["pending_update"], true);
    let news = ask(&world, Method::GET, &address, &known)
        .await
        .expect(StatusCode::OK);
    assert_ne!(news.header("etag"), tag);
    assert!(news.text().contains("Desk line"));
    assert_eq!(shown(&world, &device).await["pending_update"], false);
}

#[tokio::test]
async fn an_address_ends_with_reset_another_one_and_the_device() {
    let world = World::start().await;
    let device = device(&world).await;
    let refused = async |path: &str| {
        let answer = ask(&world, Method::GET, path, &[]).await;
        assert_eq!(answer.header("cache-control"), "no-store");
        answer.without_request_id()
    };
    let wrong = refused(&format!("/desk/{}/cfg.xml", "x".repeat(43))).await;
    assert_eq!(wrong.0, StatusCode::NOT_FOUND);
    for nonsense in [
        "/desk/x",
        "/desk/x/",
        "/desk/%FF/a",
        "/desk//",
        "/desk/a/b/c.xml",
    ] {
        assert_eq!(refused(nonsense).await, wrong, "{nonsense}");
    }

    let first = set_up(&world, &device, "grandstream").await;
    let password = |answer: Answer| {
        let text = answer.expect(StatusCode::OK).text();
        let (_, rest) = text.split_once("<P34>").unwrap();
        rest.split('<').next().unwrap().to_owned()
    };
    let get =
        async |address: &str| ask(&world, Method::GET, &format!("{address}cfg.xml"), &[]).await;
    let before = password(get(&first).await);
    assert_eq!(
        refused(&format!("{first}firmware.bin")).await,
        wrong,
        "no settings"
    );
    world.proxy.asked();
    let second = set_up(&world, &device, "grandstream").await;
    assert_eq!(refused(&format!("{first}cfg.xml")).await, wrong, "replaced");
    assert_ne!(
        password(get(&second).await),
        before,
        "who had the file knows the password no more"
    );
    let asked = world.proxy.asked();
    for expected in ["changed", "drop"] {
        let expected = format!("{expected} sip:101@acme.tandem.localhost");
        assert!(asked.contains(&expected), "{asked:?}");
    }

    let activation = world.activation_path(&device);
    for path in [activation.clone(), format!("{activation}/qr.svg")] {
        let absent = world.owner.get(&path).await.expect(StatusCode::NOT_FOUND);
        let why = text(&absent.body["detail"]);
        assert!(why.starts_with("This device is a desk phone"), "{why}");
    }
    let reset = world
        .owner
        .post(&activation, Value::Null)
        .await
        .expect(StatusCode::CREATED);
    assert_eq!(reset.body["state"], "open");
    assert_eq!(refused(&format!("{second}cfg.xml")).await, wrong, "reset");
    assert!(shown(&world, &device).await.get("desk_phone").is_none());

    let third = set_up(&world, &device, "grandstream").await;
    let path = world.path(&format!("devices/{}", text(&device["id"])));
    world
        .owner
        .delete(&path)
        .await
        .expect(StatusCode::NO_CONTENT);
    assert_eq!(refused(&format!("{third}cfg.xml")).await, wrong, "deleted");
}

#[tokio::test]
async fn a_softphone_makes_room_for_the_desk_phone() {
    let world = World::start().await;
    let device = device(&world).await;
    let code = world.owner.get(&world.activation_path(&device)).await.body["code"].clone();
    let phone = activate(&device, &world).await;
    let before = text(&phone.configuration["lines"][0]["password"]);
    let address = set_up(&world, &device, "baresip").await;
    let configuration = phone.caller.get("/api/v1/device/configuration").await;
    configuration.expect(StatusCode::UNAUTHORIZED);
    let again = phone.phone.activate("code", &text(&code)).await;
    again.expect(StatusCode::NOT_FOUND);
    let got = ask(&world, Method::GET, &format!("{address}accounts"), &[]).await;
    let line = got.expect(StatusCode::OK).text();
    assert!(line.starts_with(
        "\"Alice Example\" <sip:101@acme.tandem.localhost;transport=udp>;auth_user=101;auth_pass="
    ));
    assert!(!line.contains(&before), "its password is another");
}

#[tokio::test]
async fn guessing_is_slowed_down_and_phones_beside_it_are_not() {
    let world = World::start().await;
    let device = device(&world).await;
    let address = set_up(&world, &device, "yealink").await;
    let guess = format!("/desk/{}/a.cfg", "x".repeat(43));
    for _ in 0..10 {
        ask(&world, Method::GET, &guess, &[])
            .await
            .expect(StatusCode::NOT_FOUND);
    }
    let slowed = ask(&world, Method::GET, &guess, &[])
        .await
        .expect(StatusCode::TOO_MANY_REQUESTS);
    assert!(!slowed.header("retry-after").is_empty());
    let file = format!("{address}805ec0000001.cfg");
    ask(&world, Method::GET, &file, &[])
        .await
        .expect(StatusCode::OK);
}

#[tokio::test]
async fn other_tenants_and_readers_set_up_nothing() {
    let world = World::start().await;
    let device = device(&world).await;
    let path = path_of(&world, &device);
    let make = json!({"make": "yealink"});
    let other = world.tenant_named("Other", &world.owner).await;
    let foreign = path.replace(&world.tenant.to_string(), &other.to_string());
    world
        .owner
        .post(&foreign, make.clone())
        .await
        .expect(StatusCode::NOT_FOUND);
    let reader = world
        .member("reader@example.com", store::Role::ReadOnly)
        .await;
    reader.post(&path, make).await.expect(StatusCode::FORBIDDEN);
    for wrong in [
        json!({}),
        json!({"make": "polycom"}),
        json!({"make": "snom", "token": "mine"}),
    ] {
        let answer = world.owner.post(&path, wrong).await;
        assert!(answer.status.is_client_error(), "{}", answer.text());
    }
    assert!(shown(&world, &device).await.get("desk_phone").is_none());
}

#[tokio::test]
async fn a_portal_without_tls_sets_up_no_desk_phone_elsewhere() {
    let world =
        World::start_with(|config| config.public_url = "http://phones.example.com".to_owned())
            .await;
    let device = device(&world).await;
    let answer = world
        .owner
        .post(&path_of(&world, &device), json!({"make": "snom"}))
        .await;
    let refused = answer.expect(StatusCode::CONFLICT);
    assert!(text(&refused.body["detail"]).contains("public_url"));
    assert!(shown(&world, &device).await.get("desk_phone").is_none());
}
