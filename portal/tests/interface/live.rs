//! The live channel of the pages.

use std::collections::BTreeSet;

use reqwest::StatusCode;
use serde_json::{Value, json};
use store::Role;

use crate::{
    phone::{Channel, activate},
    world::World,
};

/// The status of the only device or account in a frame.
fn status<'a>(frame: &'a Value, of: &str) -> &'a Value {
    &frame[of][0]["status"]
}

#[tokio::test]
async fn a_page_sees_a_phone_come_and_go() {
    let world = World::start().await;
    let account = world.account("101").await;
    let device = world.device(&[&account]).await;
    let reader = world.member("reader@example.com", Role::ReadOnly).await;
    let mut page = Channel::open(&world.path("live"), &reader).await.unwrap();
    let snapshot = page.next().await.unwrap();
    assert_eq!(snapshot["type"], "snapshot");
    assert_eq!(
        snapshot["devices"],
        json!([{"id": device["id"], "status": "not_activated", "not_started": false, "pending_update": false}])
    );
    assert_eq!(
        snapshot["accounts"],
        json!([{"id": account["id"], "status": "offline"}])
    );

    let phone = activate(&device, &world).await;
    let delta = page
        .until(|frame| status(frame, "devices") == "offline")
        .await;
    assert_eq!(delta["type"], "delta");
    let said = |frame: &Value, what: &str| frame["devices"][0][what].clone();
    assert_eq!(said(&delta, "not_started"), true);
    assert_eq!(said(&delta, "pending_update"), false);
    assert_eq!(delta.get("accounts"), None);

    let live = phone.live().await;
    let delta = page
        .until(|frame| status(frame, "devices") == "online")
        .await;
    assert_eq!(said(&delta, "not_started"), false);
    assert_eq!(said(&delta, "pending_update"), true, "nothing reported yet");
    let aor = account["aor"].as_str().unwrap();
    world.proxy.bind(aor, Some(api::instance_id(phone.id)));
    page.until(|frame| status(frame, "accounts") == "online")
        .await;
    let listed = world.owner.get(&world.path("accounts")).await.body;
    assert_eq!(listed["items"][0]["status"], "online");

    drop(live);
    world.proxy.bind(aor, None);
    let mut seen = (Value::Null, Value::Null);
    while seen != (json!("offline"), json!("offline")) {
        let frame = page.next().await.unwrap();
        for (of, last) in [("devices", &mut seen.0), ("accounts", &mut seen.1)] {
            if !status(&frame, of).is_null() {
                *last = status(&frame, of).clone();
            }
        }
    }
}

#[tokio::test]
async fn a_line_at_a_foreign_provider_is_online_when_the_phone_says_so() {
    let world = World::start().await;
    let input = json!({"name": "Trunk", "server": "sip.example.com"});
    let provider = world.owner.post(&world.path("providers"), input).await.id();
    let input =
        json!({"provider_id": provider, "name": "a", "username": "a", "password": "secret"});
    let account = world.owner.post(&world.path("accounts"), input).await.body;
    let device = world.device(&[&account]).await;
    let phone = activate(&device, &world).await;
    let mut live = phone.live().await;
    let mut page = Channel::open(&world.path("live"), &world.owner)
        .await
        .unwrap();
    let mut report = phone.report(phone.version(), "connected");
    report["type"] = "report".into();
    live.send(report).await;
    page.until(|frame| status(frame, "accounts") == "online")
        .await;
    drop(live);
    page.until(|frame| status(frame, "accounts") == "offline")
        .await;
}

#[tokio::test]
async fn a_page_that_comes_back_gets_what_it_missed() {
    let world = World::start().await;
    let account = world.account("101").await;
    let device = world.device(&[&account]).await;
    let path = world.path("live");
    let mut page = Channel::open(&path, &world.owner).await.unwrap();
    let snapshot = page.next().await.unwrap();
    drop(page);
    activate(&device, &world).await;

    let mut page = Channel::open(&path, &world.owner).await.unwrap();
    let position = json!({"epoch": snapshot["epoch"], "seq": snapshot["seq"]});
    page.send(json!({"resume": position})).await;
    let delta = page.next().await.unwrap();
    assert_eq!(delta["type"], "delta");
    assert_eq!(delta["seq"], snapshot["seq"].as_u64().unwrap() + 1);
    assert_eq!(status(&delta, "devices"), "offline");

    // A page that notices a gap later gets an answer too.
    page.send(json!({"resume": {"epoch": uuid::Uuid::new_v4(), "seq": 1}}))
        .await;
    let again = page.next().await.unwrap();
    assert_eq!(again["type"], "snapshot");
    assert_eq!(
        again["seq"], snapshot["seq"],
        "the one that was made before"
    );
    assert_eq!(page.next().await.unwrap(), delta, "and what came since");
}

#[tokio::test]
async fn a_channel_is_for_members_and_pages_of_this_site() {
    let world = World::start().await;
    let path = world.path("live");
    let outsider = world.outsider("outsider@example.com").await;
    assert_eq!(Channel::open(&path, &world.nobody()).await.err(), Some(401));
    assert_eq!(Channel::open(&path, &outsider).await.err(), Some(404));
    let evil = Some("https://evil.example");
    assert_eq!(
        Channel::open_from(&path, &world.owner, evil).await.err(),
        Some(403)
    );
    let own = Some(world.base.as_str());
    assert!(Channel::open_from(&path, &world.owner, own).await.is_ok());
    world.owner.get(&path).await.expect(StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn statuses_of_one_tenant_do_not_reach_another() {
    let world = World::start().await;
    let account = world.account("101").await;
    let other = world.tenant_named("Other", &world.owner).await;
    let mut page = Channel::open(&format!("/api/v1/tenants/{other}/live"), &world.owner)
        .await
        .unwrap();
    let snapshot = page.next().await.unwrap();
    assert_eq!(snapshot["accounts"], json!([]));
    world.device(&[&account]).await;
    let input = json!({"name": "Mine", "server": "sip.example.com"});
    let provider = world
        .owner
        .post(&format!("/api/v1/tenants/{other}/providers"), input)
        .await
        .id();
    let input = json!({"provider_id": provider, "name": "a", "username": "a", "password": "x"});
    world
        .owner
        .post(&format!("/api/v1/tenants/{other}/accounts"), input)
        .await;
    let delta = page.next().await.unwrap();
    let next = snapshot["seq"].as_u64().unwrap() + 1;
    let provider = json!({"type": "delta", "seq": next, "lists": ["providers"]});
    assert_eq!(delta, provider, "only what was made here");
    let delta = page.next().await.unwrap();
    assert_eq!(delta["accounts"].as_array().unwrap().len(), 1);
    assert_eq!(delta["accounts"][0]["status"], "not_in_use");
    assert_eq!(delta.get("devices"), None);
}

#[tokio::test]
async fn a_page_learns_what_others_write() {
    let world = World::start().await;
    let mut page = Channel::open(&world.path("live"), &world.owner)
        .await
        .unwrap();
    page.next().await.unwrap();
    let account = world.account("101").await;
    let delta = page
        .until(|frame| frame["lists"] == json!(["accounts"]))
        .await;
    assert_eq!(status(&delta, "accounts"), "not_in_use");
    let device = world.device(&[&account]).await;
    let delta = page
        .until(|frame| status(frame, "devices") == "not_activated")
        .await;
    assert_eq!(status(&delta, "accounts"), "offline", "it is in use now");

    let of_device = format!("devices/{}", device["id"].as_str().unwrap());
    world.owner.delete(&world.path(&of_device)).await;
    let delta = page
        .until(|frame| status(frame, "accounts") == "not_in_use")
        .await;
    let lists = delta["lists"].as_array().unwrap();
    let lists: BTreeSet<_> = lists.iter().filter_map(Value::as_str).collect();
    let shown = BTreeSet::from(["contacts", "devices"]);
    assert_eq!(lists, shown, "whose it was has it no more");
    assert_eq!(delta.get("devices"), None, "it is gone");
}

#[tokio::test]
async fn channels_are_closed_when_the_portal_stops() {
    let world = World::start().await;
    let mut page = Channel::open(&world.path("live"), &world.owner)
        .await
        .unwrap();
    page.next().await.unwrap();
    world.stop.cancel();
    assert_eq!(page.next().await, None);
}
