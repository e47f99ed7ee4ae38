//! A person with a phone in one go: all of it or nothing.

use std::collections::BTreeSet;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::world::World;

async fn next_username(world: &World) -> String {
    let provider = world.own_provider().await;
    let path = world.path(&format!(
        "providers/{}/next-username",
        provider["id"].as_str().unwrap()
    ));
    let answer = world.owner.get(&path).await.expect(StatusCode::OK);
    answer.body["username"].as_str().unwrap().to_owned()
}

async fn with_new_account(world: &World, username: &str) -> Value {
    json!({
        "contact": {"first_name": "Nora", "last_name": "Nordmann",
            "emails": [{"address": "nora@example.com", "label": "work"}]},
        "account": {"new": {"provider_id": world.own_provider().await["id"], "name": "Nora", "username": username}},
        "device": {"name": "Laptop"},
    })
}

/// How many there are of each.
async fn inventory(world: &World) -> [usize; 3] {
    let mut counts = [0; 3];
    for (count, kind) in counts.iter_mut().zip(["contacts", "accounts", "devices"]) {
        let listed = world
            .owner
            .get(&world.path(kind))
            .await
            .expect(StatusCode::OK);
        *count = listed.body["items"].as_array().unwrap().len();
    }
    counts
}

#[tokio::test]
async fn a_person_gets_contact_account_and_device_in_one_go() {
    let world = World::start().await;
    assert_eq!(next_username(&world).await, "201");
    let input = with_new_account(&world, "201").await;
    let made = world.owner.post(&world.path("contacts/equip"), input).await;
    let made = made.expect(StatusCode::CREATED).body;
    assert_eq!(made["contact"]["devices"][0]["name"], "Laptop");
    assert_eq!(made["account"]["devices"][0]["id"], made["device"]["id"]);
    assert_eq!(made["device"]["contact"]["id"], made["contact"]["id"]);
    assert_eq!(made["device"]["status"], "not_activated");
    assert_eq!(
        json!([
            made["contact"]["extensions"],
            made["device"]["accounts"][0]["extension"]
        ]),
        json!([["201"], "201"])
    );
    assert_eq!(next_username(&world).await, "202");

    let activation = world
        .owner
        .get(&world.activation_path(&made["device"]))
        .await;
    let activation = activation.expect(StatusCode::OK).body;
    assert_eq!(activation["state"], "open");
    assert!(activation["code"].is_string());
    assert_eq!(
        world.proxy.asked(),
        [format!(
            "changed {}",
            made["account"]["aor"].as_str().unwrap()
        )]
    );

    let audit = world.owner.get(&world.path("audit?limit=3")).await.body;
    let noted: BTreeSet<_> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["action"].as_str().unwrap())
        .collect();
    let expected = ["account.create", "contact.create", "device.create"];
    assert_eq!(noted, BTreeSet::from(expected));
}

#[tokio::test]
async fn an_account_that_is_there_is_taken_if_no_device_has_it() {
    let world = World::start().await;
    let account = world.account("301").await;
    let mut input = with_new_account(&world, "201").await;
    input["account"] = json!({"existing": account["id"]});
    let equip = world.path("contacts/equip");
    let made = world.owner.post(&equip, input.clone()).await;
    assert_eq!(
        made.expect(StatusCode::CREATED).body["account"]["id"],
        account["id"]
    );
    assert_eq!(inventory(&world).await, [1, 1, 1]);

    let again = world.owner.post(&equip, input).await;
    assert!(again.text().contains("Laptop"), "{}", again.text());
    assert_eq!(again.wrong_fields(), ["account.existing"]);
    assert_eq!(inventory(&world).await, [1, 1, 1]);
}

#[tokio::test]
async fn an_account_is_either_new_or_there() {
    let world = World::start().await;
    let equip = world.path("contacts/equip");
    let mut input = with_new_account(&world, "201").await;
    input["account"]["existing"] = world.account("301").await["id"].clone();
    let both = world.owner.post(&equip, input.clone()).await;
    assert_eq!(both.wrong_fields(), ["account"]);
    input["account"] = json!({});
    let neither = world.owner.post(&equip, input).await;
    assert_eq!(neither.wrong_fields(), ["account"]);
    assert_eq!(inventory(&world).await, [0, 1, 0]);
}

#[tokio::test]
async fn whatever_is_wrong_is_named_by_step_and_nothing_is_made() {
    let world = World::start().await;
    let equip = world.path("contacts/equip");
    let mut input = with_new_account(&world, "2 01").await;
    input["contact"]["first_name"] = "".into();
    input["contact"]["emails"][0]["address"] = "nora".into();
    input["device"]["name"] = " ".into();
    let refused = world.owner.post(&equip, input).await;
    assert_eq!(
        refused.wrong_fields(),
        [
            "contact.first_name",
            "contact.emails[0].address",
            "account.new.username",
            "device.name"
        ]
    );

    world.account("201").await;
    let input = with_new_account(&world, "201").await;
    let taken = world
        .owner
        .post(&equip, input)
        .await
        .expect(StatusCode::CONFLICT);
    assert_eq!(taken.body["errors"][0]["field"], "account.new.username");

    let mut input = with_new_account(&world, "202").await;
    input["account"]["new"]["provider_id"] = world.tenant.to_string().into();
    let unknown = world.owner.post(&equip, input).await;
    assert_eq!(unknown.wrong_fields(), ["account.new.provider_id"]);
    assert_eq!(inventory(&world).await, [0, 1, 0]);
}

#[tokio::test]
async fn somebody_who_is_there_gets_account_and_device_in_one_go() {
    let world = World::start().await;
    let nora = world.contact("Nora").await;
    let mut input = with_new_account(&world, "201").await;
    input["contact_id"] = nora["id"].clone();
    let path = world.path("contacts/equip");
    let both = world.owner.post(&path, input.clone()).await;
    assert_eq!(both.wrong_fields(), ["contact"]);
    input.as_object_mut().unwrap().remove("contact");
    let made = world.owner.post(&path, input.clone()).await;
    let made = made.expect(StatusCode::CREATED).body;
    assert_eq!(made["contact"]["id"], nora["id"]);
    assert_eq!(made["contact"]["devices"][0]["id"], made["device"]["id"]);
    assert_eq!(made["account"]["username"], "201");
    assert_eq!(inventory(&world).await, [1, 1, 1]);

    input["contact_id"] = json!("00000000-0000-7000-8000-000000000000");
    let gone = world.owner.post(&path, input.clone()).await;
    assert_eq!(gone.wrong_fields(), ["contact_id"]);
    input.as_object_mut().unwrap().remove("contact_id");
    let nobody = world.owner.post(&path, input).await;
    assert_eq!(nobody.wrong_fields(), ["contact"]);
    assert_eq!(inventory(&world).await, [1, 1, 1]);
}
