//! The company directory as a device gets it.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use store::contact::{self, ContactEmail, ContactFields};

use crate::{
    phone::{Activated, activate},
    world::{Answer, World, now},
};

async fn activated() -> (World, Activated) {
    let world = World::start().await;
    let account = world.account("101").await;
    let device = world.device(&[&account]).await;
    let phone = activate(&device, &world).await;
    (world, phone)
}

async fn changes(query: &str, phone: &Activated) -> Answer {
    let path = format!("/api/v1/device/directory{query}");
    phone.caller.get(&path).await
}

fn names(answer: &Value) -> Vec<&str> {
    let entries = answer["entries"].as_array().unwrap();
    entries
        .iter()
        .map(|entry| entry["first_name"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_device_reads_the_directory_once_and_then_what_changes() {
    let (world, phone) = activated().await;
    let ben = world.contact("Ben").await;
    let other = world.tenant_named("Other", &world.owner).await;
    let foreign = json!({"first_name": "Foreign", "last_name": "Example",
        "emails": [{"address": "someone@example.com", "label": "work"}]});
    let path = format!("/api/v1/tenants/{other}/contacts");
    world
        .owner
        .post(&path, foreign)
        .await
        .expect(StatusCode::CREATED);

    let first = changes("", &phone).await.expect(StatusCode::OK);
    assert_eq!(
        (&first.body["whole"], &first.body["more"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(names(&first.body), ["Alice", "Ben"]);
    let alice = &first.body["entries"][0];
    let number = json!([{"number": "101", "address": "sip:101@acme.tandem.localhost"}]);
    assert_eq!(alice["internal"], number, "{alice}");
    assert_eq!(alice["emails"][0]["address"], "someone@example.com");

    // Nothing has changed: nothing travels.
    let position = first.body["position"].as_str().unwrap();
    let tag = first.header("etag").to_owned();
    assert_eq!(tag, format!("\"{position}\""));
    let known = [("if-none-match", tag.as_str())];
    let since = format!("/api/v1/device/directory?since={position}");
    let send = async || phone.caller.send(Method::GET, &since, None, &known).await;
    let same = send().await.expect(StatusCode::NOT_MODIFIED);
    assert!(same.bytes.is_empty());

    let path = world.path(&format!("contacts/{}", ben["id"].as_str().unwrap()));
    let mut renamed = ben.clone();
    renamed["first_name"] = "Benedict".into();
    for derived in ["id", "devices", "extensions", "version"] {
        renamed.as_object_mut().unwrap().remove(derived);
    }
    world.owner.put(&path, renamed).await.expect(StatusCode::OK);
    let changed = send().await.expect(StatusCode::OK).body;
    assert_eq!(changed["whole"], false);
    assert_eq!(names(&changed), ["Benedict"]);
    assert_eq!(changed["removed"], json!([]));

    world
        .owner
        .delete(&path)
        .await
        .expect(StatusCode::NO_CONTENT);
    let since = format!("?since={}", changed["position"].as_str().unwrap());
    let gone = changes(&since, &phone).await.expect(StatusCode::OK).body;
    assert_eq!(gone["removed"], json!([ben["id"]]));
}

#[tokio::test]
async fn a_long_directory_comes_in_pieces_and_a_foreign_position_begins_it_again() {
    let (world, phone) = activated().await;
    for name in ["Ben", "Cleo"] {
        world.contact(name).await;
    }
    let first = changes("?limit=2", &phone)
        .await
        .expect(StatusCode::OK)
        .body;
    assert_eq!(
        (names(&first), &first["more"]),
        (vec!["Alice", "Ben"], &json!(true))
    );
    let rest = format!("?limit=2&since={}", first["position"].as_str().unwrap());
    let rest = changes(&rest, &phone).await.expect(StatusCode::OK).body;
    assert_eq!((names(&rest), &rest["more"]), (vec!["Cleo"], &json!(false)));
    assert_eq!(rest["whole"], false);

    for since in [
        "nonsense",
        "%00",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ] {
        let again = changes(&format!("?since={since}"), &phone).await;
        assert_eq!(again.expect(StatusCode::OK).body["whole"], true, "{since}");
    }
    for wrong in ["?limit=x", "?limit=-1"] {
        changes(wrong, &phone).await.expect(StatusCode::BAD_REQUEST);
    }
    let one = changes("?limit=0", &phone).await.expect(StatusCode::OK);
    assert_eq!(
        names(&one.body).len(),
        1,
        "at least one, or it would never end"
    );
}

#[tokio::test]
async fn a_device_is_told_once_of_many_changes() {
    let (world, phone) = activated().await;
    let mut live = phone.live().await;
    let told = live.until(|frame| frame["type"] == "directory").await;
    let known = changes("", &phone).await.body["position"].clone();
    assert_eq!(told["position"], known, "where it is already");

    let transaction = store::begin(&world.db).await.unwrap();
    for number in 0..50 {
        let fields = ContactFields {
            first_name: "Imported".to_owned(),
            last_name: number.to_string(),
            company: None,
            job_title: None,
            in_directory: true,
            numbers: Vec::new(),
            emails: vec![ContactEmail {
                address: "someone@example.com".to_owned(),
                label: store::EmailLabel::Work,
            }],
        };
        contact::insert(world.tenant, &fields, now(), &transaction)
            .await
            .unwrap();
    }
    store::commit(transaction).await.unwrap();
    // Any write has the directory looked at.
    world.contact("Ben").await;
    let told = live.next().await.unwrap();
    let since = format!("?since={}", known.as_str().unwrap());
    let answer = changes(&since, &phone).await.body;
    assert_eq!(answer["entries"].as_array().unwrap().len(), 51);
    assert_eq!(
        told,
        json!({"type": "directory", "position": answer["position"]})
    );

    // What is no business of the directory is not told.
    let provider = json!({"name": "Sub", "server": "sip.example"});
    let path = world.path("providers");
    world
        .owner
        .post(&path, provider)
        .await
        .expect(StatusCode::CREATED);
    let ben = world.contact("Cleo").await;
    let told = live.next().await.unwrap();
    let newest = changes("", &phone).await.body;
    assert_eq!(told["position"], newest["position"]);
    assert!(
        newest["entries"]
            .as_array()
            .unwrap()
            .iter()
            .any(|entry| entry["id"] == ben["id"])
    );
}
