//! Requests that create something, sent again because their answer was lost.

use std::collections::BTreeSet;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use store::Role;

use crate::world::{Answer, Caller, World};

async fn post(caller: &Caller, path: &str, key: &str, body: Value) -> Answer {
    let headers = [("idempotency-key", key)];
    caller.send(Method::POST, path, Some(body), &headers).await
}

fn provider(name: &str) -> Value {
    json!({"name": name, "server": "sip.example.com"})
}

async fn count(world: &World, kind: &str) -> usize {
    let listed = world.owner.get(&world.path(kind)).await;
    listed.expect(StatusCode::OK).body["items"]
        .as_array()
        .unwrap()
        .len()
}

#[tokio::test]
async fn what_is_sent_twice_is_made_once_and_answered_alike() {
    let world = World::start().await;
    let path = world.path("providers");
    let send = async || post(&world.owner, &path, r#""8e03978e""#, provider("Sub")).await;
    let (made, again) = (send().await, send().await);
    let made = made.expect(StatusCode::CREATED);
    let again = again.expect(StatusCode::CREATED);
    assert_eq!(again.body, made.body);
    assert_eq!(again.header("etag"), made.header("etag"));
    assert_eq!(again.header("content-type"), "application/json");
    assert_eq!(count(&world, "providers").await, 2);
    let noted = world
        .owner
        .get(&world.path("audit?action=provider.create"))
        .await;
    assert_eq!(noted.body["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn many_at_the_same_time_make_one() {
    let world = World::start().await;
    let path = world.path("providers");
    let sending = (0..8).map(|_| post(&world.owner, &path, "same", provider("Sub")));
    let answers = futures_util::future::join_all(sending).await;
    for answer in &answers {
        match answer.status {
            StatusCode::CREATED => {}
            StatusCode::CONFLICT => {
                assert_eq!(answer.body["type"], "in-progress");
                assert_eq!(answer.header("retry-after"), "2");
            }
            other => panic!("{other}: {}", answer.text()),
        }
    }
    assert_eq!(count(&world, "providers").await, 2);
}

#[tokio::test]
async fn a_key_is_for_one_request_of_one_person() {
    let world = World::start().await;
    let path = world.path("providers");
    post(&world.owner, &path, "k", provider("Sub"))
        .await
        .expect(StatusCode::CREATED);
    let other = post(&world.owner, &path, "k", provider("Other")).await;
    let other = other.expect(StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(other.body["type"], "idempotency-key-reused");
    let contact = json!({"first_name": "a", "last_name": "b", "emails": [{"address": "a@b.example", "label": "home"}]});
    post(&world.owner, &world.path("contacts"), "k", contact)
        .await
        .expect(StatusCode::UNPROCESSABLE_ENTITY);

    let administrator = world.member("admin@example.com", Role::Administrator).await;
    post(&administrator, &path, "k", provider("Sub"))
        .await
        .expect(StatusCode::CREATED);
    let reader = world.member("reader@example.com", Role::ReadOnly).await;
    post(&reader, &path, "k", provider("Sub"))
        .await
        .expect(StatusCode::FORBIDDEN);
    assert_eq!(count(&world, "providers").await, 3);
}

#[tokio::test]
async fn what_was_refused_is_corrected_with_the_same_key() {
    let world = World::start().await;
    let path = world.path("providers");
    let refused = post(&world.owner, &path, "k", provider(" ")).await;
    assert_eq!(refused.wrong_fields(), ["name"]);
    post(&world.owner, &path, "k", provider("Sub"))
        .await
        .expect(StatusCode::CREATED);
}

#[tokio::test]
async fn a_malformed_key_is_refused_where_keys_mean_something() {
    let world = World::start().await;
    let broken = r#""open"#;
    post(
        &world.owner,
        &world.path("providers"),
        broken,
        provider("Sub"),
    )
    .await
    .expect(StatusCode::BAD_REQUEST);
    assert_eq!(count(&world, "providers").await, 1);
    let preview = world.path("mail/test");
    post(
        &world.owner,
        &preview,
        broken,
        json!({"address": "a@example.com"}),
    )
    .await
    .expect(StatusCode::OK);
}

#[tokio::test]
async fn a_tenant_is_made_once() {
    let world = World::start().await;
    let send = async || {
        post(
            &world.owner,
            "/api/v1/tenants",
            "k",
            json!({"name": "Second"}),
        )
        .await
    };
    let (made, again) = (send().await.id(), send().await.id());
    assert_eq!(made, again);
}

/// Why an operation that creates something does not offer keys.
const WITHOUT: &[(&str, &str)] = &[
    (
        "api_keys_create",
        "its answer is a secret that is kept nowhere; a second key is seen in the list and ended there",
    ),
    (
        "activation_reset",
        "its answer is a secret that lives shorter, and a second reset harms nothing",
    ),
    (
        "desk_phone_set_up",
        "its answer is a secret of which only the hash is kept, and a second address ends the first",
    ),
    (
        "imports_create",
        "it is a plan, and a second one changes nothing either",
    ),
    (
        "second_factor_begin",
        "its answer is a secret, and a second one takes the place of the first",
    ),
    ("webhooks_create", "its answer is a secret"),
];

#[test]
fn whatever_creates_something_offers_keys_or_says_why_not() {
    let description: Value = serde_json::from_str(&portal::openapi_json()).unwrap();
    let mut missing = BTreeSet::new();
    for methods in description["paths"].as_object().unwrap().values() {
        let Some(operation) = methods.get("post") else {
            continue;
        };
        let parameters = operation["parameters"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let offers = parameters
            .iter()
            .any(|parameter| parameter["name"] == "Idempotency-Key");
        if operation["responses"].get("201").is_some() && !offers {
            missing.insert(operation["operationId"].as_str().unwrap().to_owned());
        }
    }
    let known: BTreeSet<_> = WITHOUT.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(
        missing, known,
        "an operation with answer 201 takes (\"Idempotency-Key\" = Option<String>, Header) among its parameters, or is named in WITHOUT"
    );
}
