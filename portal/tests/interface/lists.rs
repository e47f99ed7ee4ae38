//! Lists over HTTP: orders, filters, totals, and what is said of a request that makes no sense; search over everything; saved views.

use reqwest::StatusCode;
use serde_json::{Value, json};
use store::Role;

use crate::{phone::activate, world::World};

fn names(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["name"].as_str().unwrap())
        .collect()
}

async fn listed(world: &World, path: &str) -> Value {
    let answer = world.owner.get(&world.path(path)).await;
    answer.expect(StatusCode::OK).body
}

#[tokio::test]
async fn a_list_comes_in_the_order_that_is_asked_and_says_how_many_it_has() {
    let world = World::start().await;
    for username in ["102", "101", "103"] {
        world.account(username).await;
    }
    let first = listed(&world, "accounts?sort=-username&limit=2&total=true").await;
    assert_eq!(names(&first), ["103", "102"]);
    assert_eq!(first["total"], json!({"count": 3, "exact": true}));
    let next = first["next"].as_str().unwrap();
    let rest = listed(&world, &format!("accounts?sort=-username&after={next}")).await;
    assert_eq!(names(&rest), ["101"]);
    assert_eq!(rest.get("total"), None);

    let other_order = world.path(&format!("accounts?sort=name&after={next}"));
    let refused = world.owner.get(&other_order).await;
    assert!(
        refused.text().contains("another order"),
        "{}",
        refused.text()
    );
    assert_eq!(refused.wrong_fields(), ["after"]);
}

#[tokio::test]
async fn an_order_or_a_filter_that_a_list_does_not_know_is_a_wrong_field_that_names_the_known_ones()
{
    let world = World::start().await;
    for (query, field, known) in [
        (
            "accounts?sort=password",
            "sort",
            "name, username, created_at",
        ),
        (
            "contacts?sort=name;drop",
            "sort",
            "name, company, created_at",
        ),
        ("devices?sort=-", "sort", "last_seen_at"),
        (
            "accounts?status=online,lost",
            "status",
            "online, offline, not_in_use",
        ),
        ("accounts?provider=x", "provider", "identifiers"),
        ("accounts?push=maybe", "push", "true or false"),
        (
            "devices?sub_status=x",
            "sub_status",
            "instructions_sent, not_started, pending_update",
        ),
        ("contacts?has_device=1", "has_device", "true or false"),
        ("providers?transport=sctp", "transport", "udp, tcp, tls"),
        ("members?role=guest", "role", "read_only"),
        ("mails?state=lost", "state", "queued"),
        ("calls?outcome=odd", "outcome", "answered"),
        ("calls?sort=caller", "sort", "started_at"),
        ("audit?sort=actor", "sort", "at"),
    ] {
        let refused = world.owner.get(&world.path(query)).await;
        let text = refused.text();
        assert_eq!(refused.wrong_fields(), [field], "{query}");
        assert!(text.contains(known), "{query}: {text}");
    }
}

#[tokio::test]
async fn lists_are_left_in_by_what_only_the_process_knows() {
    let world = World::start().await;
    let [there, away] = [world.account("101").await, world.account("102").await];
    world.account("103").await;
    let device = world.device(&[&there, &away]).await;
    let instance = api::instance_id(device["id"].as_str().unwrap().parse().unwrap());
    world
        .proxy
        .bind(there["aor"].as_str().unwrap(), Some(instance));
    let has = async |query: &str, expected: &[&str]| {
        loop {
            let page = listed(&world, query).await;
            if names(&page) == expected {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    has("accounts?status=online", &["101"]).await;
    has("accounts?status=offline", &["102"]).await;
    has("accounts?status=not_in_use", &["103"]).await;
    has(
        "accounts?status=not_in_use,online&sort=-name",
        &["103", "101"],
    )
    .await;
    has("devices?status=not_activated", &["Laptop"]).await;
    has("devices?status=online,offline", &[]).await;
    activate(&device, &world).await;
    has("devices?sub_status=pending_update", &["Laptop"]).await;
    has("devices?sub_status=not_started", &[]).await;
    world.proxy.bind(there["aor"].as_str().unwrap(), None);
    has("devices?sub_status=not_started", &["Laptop"]).await;
    has("devices?sub_status=pending_update", &[]).await;
    has("devices?status=offline", &["Laptop"]).await;
}

#[tokio::test]
async fn a_search_over_everything_finds_what_the_caller_may_read_best_first() {
    let world = World::start().await;
    let input = json!({"first_name": "Ann", "last_name": "Meier",
        "numbers": [{"number": "+491744412345", "label": "mobile"}],
        "emails": [{"address": "ann@example.com", "label": "work"}]});
    let ann = world.owner.post(&world.path("contacts"), input).await.id();
    world.contact("Johanna").await;
    let account = world.account("anna").await;
    world.device(&[&account]).await;
    let reader = world
        .member("anna.reader@example.com", Role::ReadOnly)
        .await;
    let found = async |q: &str| {
        let path = world.path(&format!("search?q={q}"));
        let groups = reader.get(&path).await.expect(StatusCode::OK).body;
        let groups = groups["groups"].as_array().unwrap().clone();
        groups
            .iter()
            .map(|group| {
                (
                    group["kind"].as_str().unwrap().to_owned(),
                    names(group).join("; "),
                )
            })
            .collect::<Vec<_>>()
    };
    let group = |kind: &str, names: &str| (kind.to_owned(), names.to_owned());
    assert_eq!(
        found("ann").await,
        [
            group("contact", "Ann Meier; Johanna Example"),
            group("account", "anna"),
            group("member", "Some One"),
        ]
    );
    assert_eq!(found("0174%2044").await, [group("contact", "Ann Meier")]);
    assert_eq!(found("lapt").await, [group("device", "Laptop")]);
    assert_eq!(found("tandem").await, [group("provider", "Tandem")]);
    assert!(found("%20").await.is_empty());
    let path = world.path("search?q=17444");
    let body = world.owner.get(&path).await.expect(StatusCode::OK).body;
    assert_eq!(
        body["groups"][0]["items"],
        json!([{"kind": "contact", "id": ann, "name": "Ann Meier", "detail": "+491744412345"}])
    );
    let long = world.path(&format!("search?q={}", "x".repeat(101)));
    assert_eq!(world.owner.get(&long).await.wrong_fields(), ["q"]);
    let none = world.owner.get(&world.path("search")).await;
    none.expect(StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn views_are_saved_by_list_and_name_and_are_of_one_person() {
    let world = World::start().await;
    let reader = world.member("reader@example.com", Role::ReadOnly).await;
    let path = world.path("views");
    let input = json!({"list": "contacts", "name": "Mine", "search": "ann", "sort": "-company",
        "filters": {"has_device": ["true"]}, "columns": ["name", "email"]});
    let saved = reader
        .put(&path, input.clone())
        .await
        .expect(StatusCode::OK);
    let mut expected = input.clone();
    expected["id"] = saved.body["id"].clone();
    assert_eq!(saved.body, expected);

    let other = json!({"list": "contacts", "name": "Mine"});
    let replaced = reader.put(&path, other).await.expect(StatusCode::OK);
    assert_eq!(replaced.id(), saved.id());
    reader
        .put(&path, json!({"list": "devices", "name": "Mine"}))
        .await
        .expect(StatusCode::OK);
    let of_contacts = reader.get(&format!("{path}?list=contacts")).await.body;
    assert_eq!(
        of_contacts["items"],
        json!([{"id": saved.id(), "list": "contacts", "name": "Mine", "search": "", "sort": "", "filters": {}}])
    );
    assert_eq!(names(&reader.get(&path).await.body).len(), 2);
    assert!(names(&world.owner.get(&path).await.body).is_empty());

    let one = format!("{path}/{}", saved.id());
    world.owner.delete(&one).await.expect(StatusCode::NOT_FOUND);
    reader.delete(&one).await.expect(StatusCode::NO_CONTENT);
    reader.delete(&one).await.expect(StatusCode::NOT_FOUND);
    assert_eq!(names(&reader.get(&path).await.body).len(), 1);
}

#[tokio::test]
async fn views_have_bounds() {
    let world = World::start().await;
    let path = world.path("views");
    let named = |name: String| json!({"list": "calls", "name": name});
    for number in 0..50 {
        let saved = world
            .owner
            .put(&path, named(format!("View {number}")))
            .await;
        saved.expect(StatusCode::OK);
    }
    let one_more = world.owner.put(&path, named("One more".to_owned())).await;
    assert_eq!(one_more.wrong_fields(), ["name"]);
    let again = world.owner.put(&path, named("View 7".to_owned())).await;
    again.expect(StatusCode::OK);
    let wrong = json!({"list": "devices", "name": "", "search": "x".repeat(101),
        "filters": {"a": vec!["v"; 101]}, "columns": []});
    let refused = world.owner.put(&path, wrong).await.wrong_fields();
    assert_eq!(refused, ["search", "name", "filters.a", "columns"]);
    let unknown = json!({"list": "secrets", "name": "x"});
    let refused = world.owner.put(&path, unknown).await;
    assert!(refused.status.is_client_error());
}
