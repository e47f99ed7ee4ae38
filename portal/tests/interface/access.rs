//! Deny by default: every route of the description, asked by everybody who must not get through.

use std::collections::BTreeMap;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use store::Role;
use uuid::Uuid;

use crate::world::{Caller, World};

/// Who may ask what. A route that is not listed fails the test: decide before it exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    Public,
    /// Anybody with a session.
    SignedIn,
    /// Administrators of the installation.
    Installation,
    Member,
    Administrator,
    Owner,
    Device,
}

fn rule(method: &str, path: &str) -> Option<Rule> {
    let rest = path.strip_prefix("/api/v1/")?;
    let rule = match (method, rest) {
        ("post" | "delete", "session") | (_, "device/activation" | "device/token") => Rule::Public,
        ("get", "session" | "tenants") | ("put", "session/password") => Rule::SignedIn,
        ("post", "tenants") => Rule::Installation,
        (_, rest) if rest.starts_with("device/") => Rule::Device,
        ("post", "tenants/{tenant}/members") => Rule::Owner,
        // Link and code are secrets.
        ("get", rest) if rest.contains("/activation") => Rule::Administrator,
        ("get", rest) if rest.starts_with("tenants/{tenant}/") => Rule::Member,
        (_, rest) if rest.starts_with("tenants/{tenant}/") => Rule::Administrator,
        _ => return None,
    };
    Some(rule)
}

fn described_routes() -> Vec<(String, String)> {
    let description: Value = serde_json::from_str(&portal::openapi_json()).unwrap();
    let paths: BTreeMap<String, BTreeMap<String, Value>> =
        serde_json::from_value(description["paths"].clone()).unwrap();
    paths
        .into_iter()
        .flat_map(|(path, methods)| {
            methods
                .into_keys()
                .map(move |method| (method, path.clone()))
        })
        .collect()
}

/// The route with an object that exists in the tenant, so that only the caller can be wrong.
fn filled(path: &str, tenant: Uuid, objects: &BTreeMap<&str, String>) -> String {
    let kind = path.split('/').nth(5).unwrap_or_default();
    let id = objects.get(kind).cloned().unwrap_or_default();
    path.replace("{tenant}", &tenant.to_string())
        .replace("{id}", &id)
}

#[tokio::test]
async fn every_route_refuses_who_has_no_business_there() {
    let world = World::start().await;
    let account = world.account("101").await;
    let device = world.device(&[&account]).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let objects = BTreeMap::from([
        ("providers", text(&world.own_provider().await["id"])),
        ("accounts", text(&account["id"])),
        ("contacts", text(&device["contact"]["id"])),
        ("devices", text(&device["id"])),
    ]);
    let reader = world.member("reader@example.com", Role::ReadOnly).await;
    let administrator = world
        .member("administrator@example.com", Role::Administrator)
        .await;
    let outsider = world.outsider("outsider@example.com").await;
    let routes = described_routes();
    assert!(routes.len() > 35, "{routes:?}");
    for (method, path) in routes {
        let rule = rule(&method, &path).unwrap_or_else(|| panic!("no rule for {method} {path}"));
        let path = filled(&path, world.tenant, &objects);
        let method: Method = method.to_uppercase().parse().unwrap();
        let body = (method != Method::GET).then(|| json!({}));
        let ask = async |caller: &Caller| {
            caller
                .send(method.clone(), &path, body.clone(), &[])
                .await
                .status
        };
        let anonymous = ask(&world.nobody()).await;
        if rule == Rule::Public {
            continue;
        }
        assert_eq!(anonymous, StatusCode::UNAUTHORIZED, "{method} {path}");
        if rule == Rule::Device {
            assert_eq!(
                ask(&world.owner).await,
                StatusCode::UNAUTHORIZED,
                "{method} {path}"
            );
            continue;
        }
        if !matches!(rule, Rule::SignedIn | Rule::Installation) {
            assert_eq!(
                ask(&outsider).await,
                StatusCode::NOT_FOUND,
                "{method} {path}"
            );
        }
        let read_only = ask(&reader).await;
        let administers = ask(&administrator).await;
        if matches!(rule, Rule::Installation | Rule::Administrator | Rule::Owner) {
            assert_eq!(read_only, StatusCode::FORBIDDEN, "{method} {path}");
        }
        if rule == Rule::Member {
            assert_ne!(read_only, StatusCode::FORBIDDEN, "{method} {path}");
        }
        if matches!(rule, Rule::Installation | Rule::Owner) {
            assert_eq!(administers, StatusCode::FORBIDDEN, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn objects_of_one_tenant_do_not_exist_in_another() {
    let world = World::start().await;
    let account = world.account("101").await;
    let device = world.device(&[&account]).await;
    let provider = world.own_provider().await;
    let other = world.tenant_named("Other", &world.owner).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let contact = text(&device["contact"]["id"]);
    let account_input = json!({"provider_id": provider["id"], "name": "n", "username": "u"});
    let contact_input = json!({"first_name": "a", "last_name": "b",
        "emails": [{"address": "a@b.example", "label": "home"}]});
    let device_input = json!({"name": "d", "contact_id": contact, "account_ids": [account["id"]]});
    let cases = [
        (
            "providers",
            text(&provider["id"]),
            json!({"name": "n", "server": "s.example"}),
        ),
        ("accounts", text(&account["id"]), account_input.clone()),
        ("contacts", contact.clone(), contact_input),
        ("devices", text(&device["id"]), device_input.clone()),
    ];
    for (kind, id, input) in cases {
        let path = format!("/api/v1/tenants/{other}/{kind}/{id}");
        let owner = &world.owner;
        owner.get(&path).await.expect(StatusCode::NOT_FOUND);
        let put = owner.put(&path, input).await.status;
        // An account names a provider of the other tenant: that is found first.
        assert!(
            put == StatusCode::NOT_FOUND || kind == "accounts",
            "{kind} {put}"
        );
        assert!(put.is_client_error());
        owner.delete(&path).await.expect(StatusCode::NOT_FOUND);
        owner
            .get(&world.path(&format!("{kind}/{id}")))
            .await
            .expect(StatusCode::OK);
    }
    let foreign = async |kind: &str, input: Value| {
        let path = format!("/api/v1/tenants/{other}/{kind}");
        world.owner.post(&path, input).await.wrong_fields()
    };
    assert_eq!(foreign("accounts", account_input).await, ["provider_id"]);
    assert_eq!(foreign("devices", device_input).await, ["contact_id"]);
}

#[tokio::test]
async fn writes_of_foreign_pages_are_refused() {
    let world = World::start().await;
    let input = json!({"name": "Sub", "server": "sip.example"});
    let path = world.path("providers");
    let from = async |origin: &str| {
        let headers = [("origin", origin)];
        world
            .owner
            .send(Method::POST, &path, Some(input.clone()), &headers)
            .await
    };
    from("https://evil.example")
        .await
        .expect(StatusCode::FORBIDDEN);
    from("null").await.expect(StatusCode::FORBIDDEN);
    from(&world.base).await.expect(StatusCode::CREATED);

    // What a form of a foreign page can send.
    let form = [("content-type", "text/plain")];
    let headers = world
        .owner
        .send(Method::POST, &path, Some(input.clone()), &form)
        .await;
    assert_eq!(headers.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn every_answer_has_the_security_headers_and_a_request_id() {
    let world = World::start().await;
    for path in [
        "/",
        "/activate",
        "/healthz",
        "/api/v1/session",
        "/api/v1/no/such",
        "/api/v1/openapi.json",
    ] {
        let answer = world.nobody().get(path).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
        assert!(!policy.contains("script-src 'self' "), "{policy}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
        ] {
            assert_eq!(answer.header(name), value, "{path}");
        }
        assert_eq!(answer.header("x-request-id").len(), 36, "{path}");
        if path.starts_with("/api/") {
            assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        }
    }
    let missing = world
        .nobody()
        .get("/api/v1/no/such")
        .await
        .expect(StatusCode::NOT_FOUND);
    assert_eq!(missing.header("content-type"), "application/problem+json");
    assert_eq!(missing.body["request_id"], missing.header("x-request-id"));
    let wrong_method = world.nobody().delete("/api/v1/openapi.json").await;
    assert_eq!(
        wrong_method.expect(StatusCode::METHOD_NOT_ALLOWED).body["status"],
        405
    );
}

#[tokio::test]
async fn large_bodies_are_refused() {
    let world = World::start().await;
    let input = json!({"name": "x".repeat(2 * 1024 * 1024), "server": "sip.example"});
    let answer = world.owner.post(&world.path("providers"), input).await;
    answer.expect(StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn pages_are_served_or_the_way_to_build_them() {
    let world = World::start().await;
    let first = world.nobody().get("/activate").await;
    assert_eq!(first.header("content-type"), "text/html; charset=utf-8");
    if web_pages::is_built() {
        assert_eq!(first.status, StatusCode::OK);
        assert_eq!(first.header("cache-control"), "no-cache");
        let known = [("if-none-match", first.header("etag"))];
        let again = world
            .nobody()
            .send(Method::GET, "/t/acme/devices", None, &known)
            .await;
        assert_eq!(again.status, StatusCode::NOT_MODIFIED);
        let missing = world.nobody().get("/assets/missing.js").await;
        assert_eq!(missing.status, StatusCode::NOT_FOUND);
    } else {
        assert_eq!(first.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(first.text().contains("npm run build"));
    }
    world
        .nobody()
        .post("/activate", json!({}))
        .await
        .expect(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn large_header_fields_are_refused() {
    let world = World::start().await;
    let long = "x".repeat(20_000);
    let headers = [("x-long", long.as_str())];
    let answer = world
        .nobody()
        .send(Method::GET, "/healthz", None, &headers)
        .await;
    answer.expect(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
}
