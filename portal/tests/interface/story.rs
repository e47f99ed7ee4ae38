//! The main story from the first sign-in to a phone that is online, on both databases.

use reqwest::StatusCode;
use serde_json::json;

use crate::{
    phone::{Channel, activate},
    world::World,
};

#[tokio::test]
async fn from_nothing_to_a_phone_that_is_online() {
    story(&World::start().await).await;
}

#[tokio::test]
async fn from_nothing_to_a_phone_that_is_online_on_postgres() {
    let Some(world) = World::start_on_postgres().await else {
        return;
    };
    story(&world).await;
}

async fn story(world: &World) {
    world.nobody().get("/readyz").await.expect(StatusCode::OK);
    let input = json!({"name": "Trunk", "server": "sip.example.com", "transport": "tls"});
    let provider = world
        .owner
        .post(&world.path("providers"), input)
        .await
        .expect(StatusCode::CREATED);
    let input = json!({"provider_id": provider.id(), "name": "Outside", "username": "4711",
        "auth_username": "4711@example", "password": "secret", "display_name": "Acme"});
    let outside = world
        .owner
        .post(&world.path("accounts"), input)
        .await
        .expect(StatusCode::CREATED);
    let inside = world.account("101").await;
    let device = world.device(&[&inside, &outside.body]).await;
    let found = world
        .owner
        .get(&world.path("contacts?search=alice"))
        .await
        .body;
    assert_eq!(found["items"][0]["devices"][0]["id"], device["id"]);

    let mut page = Channel::open(&world.path("live"), &world.owner)
        .await
        .unwrap();
    page.until(|frame| frame["type"] == "snapshot").await;
    let phone = activate(&device, world).await;
    let lines = phone.configuration["lines"].as_array().unwrap();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[1]["password"], "secret");
    assert_eq!(lines[1]["domain"], "sip.example.com");
    assert_eq!(lines[1]["transport"], "tls");
    assert_eq!(lines[1].get("outbound_proxy"), None);
    assert_eq!(lines[1]["auth_username"], "4711@example");

    let mut live = phone.live().await;
    live.until(|frame| frame["version"] == phone.version())
        .await;
    let mut report = phone.report(phone.version(), "connected");
    report["type"] = "report".into();
    live.send(report).await;
    let is_well = |device: &serde_json::Value| {
        device["status"] == "online" && device["pending_update"] == false
    };
    page.until(|frame| is_well(&frame["devices"][0])).await;
    let path = world.path(&format!("devices/{}", phone.id));
    let shown = world.owner.get(&path).await.expect(StatusCode::OK).body;
    assert!(is_well(&shown));
    assert_eq!(shown["accounts"][1]["status"], "online");
    assert_eq!(shown["platform"], "linux");

    world
        .owner
        .delete(&path)
        .await
        .expect(StatusCode::NO_CONTENT);
    live.until(|frame| frame["type"] == "revoked").await;
    world.owner.get(&path).await.expect(StatusCode::NOT_FOUND);
    let audit = world.owner.get(&world.path("audit?limit=3")).await.body;
    let actions: Vec<_> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| &e["action"])
        .collect();
    assert_eq!(
        actions,
        ["device.delete", "device.activate", "device.create"]
    );
}
