//! Deny by default: every operation of the description, asked as everybody, compared with the table of rights.

use std::collections::BTreeMap;

use portal::{Rule, Who, rules};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use store::{
    PageRequest, Role,
    api_key::{self, NewApiKey},
    invitation::{self, NewInvitation},
    webhook::{self, EventKind, NewEvent, WebhookFields},
};
use uuid::Uuid;

use crate::calls::call;
use crate::world::{Caller, World, now};

/// An operation of the description: its method, its path and its row of the table.
struct Operation {
    method: Method,
    path: String,
    rule: &'static Rule,
}

fn described() -> Vec<Operation> {
    let description: Value = serde_json::from_str(&portal::openapi_json()).unwrap();
    let paths: BTreeMap<String, BTreeMap<String, Value>> =
        serde_json::from_value(description["paths"].clone()).unwrap();
    let operations = paths.into_iter().flat_map(|(path, methods)| {
        methods.into_iter().map(move |(method, operation)| {
            let id = operation["operationId"].as_str().unwrap();
            let rule = rules().iter().find(|rule| rule.operation == id);
            Operation {
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                rule: rule.unwrap_or_else(|| panic!("{id} has no row in the table of rights")),
            }
        })
    });
    operations.collect()
}

/// The route with an object that exists in the tenant, so that only the caller can be wrong.
fn filled(path: &str, tenant: Uuid, objects: &BTreeMap<&str, String>) -> String {
    let id = path.rsplit('/').find_map(|part| objects.get(part));
    let nobody = || Uuid::nil().to_string();
    path.replace("{tenant}", &tenant.to_string())
        .replace("{id}", &id.cloned().unwrap_or_else(nobody))
        .replace("{kind}", "test")
        .replace("{language}", "en")
}

/// Objects of the tenant that nobody has touched yet, by the kind that stands in a path.
async fn objects(world: &World) -> BTreeMap<&'static str, String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let account = world
        .account(&format!("u{}", Uuid::new_v4().simple()))
        .await;
    let device = world.device(&[&account]).await;
    let made = call(1, "101", "102");
    world.append_calls(std::slice::from_ref(&made)).await;
    BTreeMap::from([
        ("providers", text(&world.own_provider().await["id"])),
        ("accounts", text(&account["id"])),
        ("contacts", text(&device["contact"]["id"])),
        ("devices", text(&device["id"])),
        ("mailbox", mailbox_mail(world).await),
        ("calls", made.id.to_string()),
        ("imports", checked_import(world).await),
    ])
}

/// What is about people: made only for the operation that needs it.
async fn person_object(
    path: &str,
    asked: &Asking,
    world: &World,
) -> Option<(&'static str, String)> {
    let email = format!("u{}@example.com", Uuid::new_v4().simple());
    if path.contains("/sessions/{id}") && asked.signed_in {
        let id = world.another_session(asked.email).await;
        return Some(("sessions", id.to_string()));
    }
    if path.contains("/members/{id}") {
        world.member(&email, Role::ReadOnly).await;
        let made = store::user::find_by_email(&email, &world.db).await.unwrap();
        return Some(("members", made.unwrap().0.id.to_string()));
    }
    if path.contains("/api-keys/{id}") {
        world.member(&email, Role::Administrator).await;
        let maker = store::user::find_by_email(&email, &world.db).await.unwrap();
        let new = NewApiKey {
            user: maker.unwrap().0.id,
            name: "Some program",
            scopes: &[],
            expires_at: None,
            second_factor_elsewhere: false,
        };
        let made = api_key::insert(world.tenant, &new, now(), &world.db).await;
        return Some(("api-keys", made.unwrap().0.id.to_string()));
    }
    if path.contains("/webhooks/{id}") || path.contains("/webhook-deliveries/{id}") {
        let (webhook, delivery) = told_webhook(world).await;
        let kind = if path.contains("/webhooks/") {
            ("webhooks", webhook)
        } else {
            ("webhook-deliveries", delivery)
        };
        return Some((kind.0, kind.1.to_string()));
    }
    if path.contains("/invitations/{id}") {
        let new = NewInvitation {
            email: &email,
            role: Role::ReadOnly,
            invited_by: "Some One",
        };
        let made = invitation::insert(world.tenant, &new, now(), &world.db).await;
        return Some(("invitations", made.unwrap().0.id.to_string()));
    }
    None
}

/// A webhook, and a delivery of it that ended. The one before makes room for it.
async fn told_webhook(world: &World) -> (Uuid, Uuid) {
    let (tenant, db) = (world.tenant, &world.db);
    let listed = webhook::list(tenant, &PageRequest::default(), db).await;
    for old in listed.unwrap().items {
        webhook::delete(tenant, old.id, db).await.unwrap();
    }
    let fields = WebhookFields {
        name: "Some program".to_owned(),
        url: "https://localhost:9/".to_owned(),
        events: vec![EventKind::ContactCreated],
        enabled: true,
    };
    let made = webhook::insert(tenant, &fields, &world.vault, now(), db).await;
    let (made, _) = made.unwrap();
    let event = NewEvent {
        kind: EventKind::WebhookTest,
        object: None,
        data: Some("{}"),
    };
    let told = webhook::tell_one(tenant, made.id, &event, now(), db).await;
    (made.id, told.unwrap())
}

/// A mail in the mailbox, put there by a test the first time.
async fn mailbox_mail(world: &World) -> String {
    let path = world.path("mailbox");
    let listed = world.owner.get(&path).await.expect(StatusCode::OK).body;
    if let Some(id) = listed["items"][0]["id"].as_str() {
        return id.to_owned();
    }
    let input = json!({"address": "someone@example.com"});
    let sent = world.owner.post(&world.path("mail/test"), input).await;
    sent.expect(StatusCode::OK);
    let listed = world.owner.get(&path).await.expect(StatusCode::OK).body;
    listed["items"][0]["id"].as_str().unwrap().to_owned()
}

/// An import that could be committed; there is only one at a time, because a tenant has room for few and uploads few.
async fn checked_import(world: &World) -> String {
    let path = world.path("contacts/imports");
    let listed = world.owner.get(&path).await.expect(StatusCode::OK).body;
    for import in listed["items"].as_array().unwrap() {
        if import["state"] == "checked" {
            return import["id"].as_str().unwrap().to_owned();
        }
        let one = format!("{path}/{}", import["id"].as_str().unwrap());
        world.owner.delete(&one).await;
    }
    let made = world.owner.upload(&path, "email\nnobody\n").await;
    made.expect(StatusCode::CREATED).id().to_string()
}

/// A view that the caller has saved, if the caller may.
async fn own_view(world: &World, caller: &Caller) -> Option<String> {
    let input = json!({"list": "contacts", "name": "Mine"});
    let saved = caller.put(&world.path("views"), input).await;
    Some(saved.body["id"].as_str()?.to_owned())
}

/// Somebody who asks, and what the table says of them.
struct Asking {
    name: &'static str,
    email: &'static str,
    caller: Caller,
    signed_in: bool,
    installation: bool,
    /// In the tenant that is asked.
    role: Option<Role>,
    /// Proved a moment ago who they are.
    confirmed: bool,
    /// Only the tenant's provider says so.
    vouched: bool,
}

/// What the table demands, apart from the request itself being wrong.
fn refusal(rule: &Rule, asking: &Asking) -> Option<StatusCode> {
    match rule.who {
        Who::Public => None,
        Who::Device => Some(StatusCode::UNAUTHORIZED),
        _ if !asking.signed_in => Some(StatusCode::UNAUTHORIZED),
        Who::Session => None,
        Who::SignedIn => (asking.vouched && !rule.vouched).then_some(StatusCode::FORBIDDEN),
        Who::Installation => (!asking.installation).then_some(StatusCode::FORBIDDEN),
        Who::Member(area, access) => match asking.role {
            None => Some(StatusCode::NOT_FOUND),
            Some(role) => {
                let allowed =
                    area.allows(access, role) && (!rule.installation || asking.installation);
                (!allowed).then_some(StatusCode::FORBIDDEN)
            }
        },
    }
}

/// Whether the table wants the person to prove anew who they are: nobody is asked for what they may not do anyway.
fn must_confirm(rule: &Rule, asking: &Asking) -> bool {
    rule.confirmed && !asking.confirmed && refusal(rule, asking).is_none()
}

const ENDS_SESSIONS: [&str; 2] = ["session_sign_out", "sessions_end_others"];

/// What stops somebody who may not, and nobody else.
const REFUSALS: [StatusCode; 3] = [
    StatusCode::UNAUTHORIZED,
    StatusCode::FORBIDDEN,
    StatusCode::NOT_FOUND,
];

#[tokio::test]
async fn every_operation_refuses_who_has_no_business_there_and_nobody_else() {
    let world = World::start().await;
    let other = world.tenant_named("Other", &world.owner).await;
    let somebody = |name, email, caller, role| Asking {
        name,
        email,
        caller,
        signed_in: true,
        installation: false,
        role,
        confirmed: true,
        vouched: false,
    };
    let asking = [
        Asking {
            signed_in: false,
            ..somebody("nobody", "", world.nobody(), None)
        },
        somebody(
            "outsider",
            "outsider@example.com",
            world.outsider("outsider@example.com").await,
            None,
        ),
        somebody(
            "member of another tenant",
            "other@example.com",
            world
                .member_of(other, "other@example.com", Role::Owner)
                .await,
            None,
        ),
        somebody(
            "reader",
            "reader@example.com",
            world.member("reader@example.com", Role::ReadOnly).await,
            Some(Role::ReadOnly),
        ),
        somebody(
            "administrator",
            "administrator@example.com",
            world
                .member("administrator@example.com", Role::Administrator)
                .await,
            Some(Role::Administrator),
        ),
        Asking {
            confirmed: false,
            installation: true,
            ..somebody(
                "owner who left the browser open",
                "owner@example.com",
                world.left_open("owner@example.com", 11).await,
                Some(Role::Owner),
            )
        },
        Asking {
            confirmed: false,
            ..somebody(
                "reader who left the browser open",
                "reader@example.com",
                world.left_open("reader@example.com", 11).await,
                Some(Role::ReadOnly),
            )
        },
        Asking {
            vouched: true,
            ..somebody(
                "owner for whom the provider vouched",
                "owner@example.com",
                world.vouched("owner@example.com").await,
                Some(Role::Owner),
            )
        },
        Asking {
            installation: true,
            ..somebody(
                "owner",
                "owner@example.com",
                world.owner.clone(),
                Some(Role::Owner),
            )
        },
    ];
    for Operation { method, path, rule } in described() {
        // End sessions that the others still need.
        if ENDS_SESSIONS.contains(&rule.operation) {
            continue;
        }
        for asked in &asking {
            let body = (method != Method::GET).then(|| json!({}));
            let mut objects = objects(&world).await;
            if let Some(view) = own_view(&world, &asked.caller).await {
                objects.insert("views", view);
            }
            if let Some((kind, id)) = person_object(&path, asked, &world).await {
                objects.insert(kind, id);
            }
            let path = filled(&path, world.tenant, &objects);
            let answer = asked.caller.send(method.clone(), &path, body, &[]).await;
            let (status, whom) = (
                answer.status,
                format!("{} as {}", rule.operation, asked.name),
            );
            if must_confirm(rule, asked) {
                assert_eq!(status, StatusCode::FORBIDDEN, "{whom}");
                assert_eq!(answer.body["type"], "confirmation-required", "{whom}");
                continue;
            }
            assert_ne!(answer.body["type"], "confirmation-required", "{whom}");
            match refusal(rule, asked) {
                Some(expected) => assert_eq!(status, expected, "{whom}"),
                // Wrong credentials are refused to everybody.
                None if rule.who == Who::Public => {}
                None => assert!(!REFUSALS.contains(&status), "{whom}: {status}"),
            }
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
