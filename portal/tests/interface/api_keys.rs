//! Keys of programs: told once, limited by their scopes and by the role of who made them, and closed to what is for people.

use portal::{Who, rules};
use reqwest::StatusCode;
use serde_json::{Value, json};
use store::Role;

use crate::second_factor::turn_on;
use crate::sign_in::{NEW, change_password, settled};
use crate::world::{Answer, Caller, World, now};

async fn make(caller: &Caller, world: &World, scopes: &[&str]) -> Answer {
    let input = json!({"name": "Directory sync", "scopes": scopes, "days": 30});
    caller.post(&world.path("api-keys"), input).await
}

fn program(world: &World, made: &Answer) -> Caller {
    Caller::device(&world.base, made.body["key"].as_str().unwrap())
}

fn contact() -> Value {
    json!({"first_name": "a", "last_name": "b", "emails": [{"address": "a@b.example", "label": "home"}]})
}

#[tokio::test]
async fn a_key_does_what_its_scopes_say() {
    let world = World::start().await;
    let made = make(&world.owner, &world, &["contacts:write", "devices:read"]).await;
    let made = made.expect(StatusCode::CREATED);
    let key = made.body["key"].as_str().unwrap();
    assert!(key.starts_with("tdm_") && key.len() == 47, "{key}");
    assert!(key.starts_with(made.body["prefix"].as_str().unwrap()));
    let program = program(&world, &made);
    let contacts = world.path("contacts");
    program.get(&contacts).await.expect(StatusCode::OK);
    program
        .post(&contacts, contact())
        .await
        .expect(StatusCode::CREATED);
    program
        .get(&world.path("devices"))
        .await
        .expect(StatusCode::OK);
    for (path, body) in [
        ("devices", json!({})),
        ("api-keys", json!({})),
        ("members", json!({})),
    ] {
        program
            .post(&world.path(path), body)
            .await
            .expect(StatusCode::FORBIDDEN);
    }
    for path in ["accounts", "members", "api-keys", "mailbox", "audit"] {
        program
            .get(&world.path(path))
            .await
            .expect(StatusCode::FORBIDDEN);
    }
    for path in ["/api/v1/session", "/api/v1/tenants", "/api/v1/sessions"] {
        program.get(path).await.expect(StatusCode::UNAUTHORIZED);
    }
    let other = world.tenant_named("Other", &world.owner).await;
    let elsewhere = format!("/api/v1/tenants/{other}/contacts");
    program.get(&elsewhere).await.expect(StatusCode::NOT_FOUND);

    let audit = world.owner.get(&world.path("audit")).await;
    assert!(audit.text().contains("owner@example.com (Directory sync)"));
    let listed = world
        .owner
        .get(&world.path("api-keys"))
        .await
        .expect(StatusCode::OK);
    assert!(listed.body["items"][0]["last_used_at"].is_string());
    for answer in [&listed, &audit] {
        assert!(!answer.text().contains(key), "told once only");
    }
    let path = world.path(&format!("api-keys/{}", made.body["id"].as_str().unwrap()));
    world
        .owner
        .delete(&path)
        .await
        .expect(StatusCode::NO_CONTENT);
    program
        .get(&contacts)
        .await
        .expect(StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn what_is_for_people_is_closed_to_every_key() {
    let world = World::start().await;
    let areas = [
        "members",
        "providers",
        "accounts",
        "contacts",
        "devices",
        "activations",
        "mail",
        "calls",
        "retention",
        "audit",
    ];
    let scopes: Vec<_> = areas.iter().map(|area| format!("{area}:write")).collect();
    let scopes: Vec<_> = scopes.iter().map(String::as_str).collect();
    let made = make(&world.owner, &world, &scopes)
        .await
        .expect(StatusCode::CREATED);
    let program = program(&world, &made);
    let closed = [
        ("members_create", "members"),
        ("invitations_create", "invitations"),
        ("api_keys_create", "api-keys"),
    ];
    for (operation, path) in closed {
        let rule = rules()
            .iter()
            .find(|rule| rule.operation == operation)
            .unwrap();
        assert!(rule.people_only || rule.confirmed, "{operation}");
        let refused = program.post(&world.path(path), json!({})).await;
        refused.expect(StatusCode::FORBIDDEN);
    }
    for operation in [
        "mail_settings_update",
        "retention_update",
        "tenant_security_update",
    ] {
        let rule = rules()
            .iter()
            .find(|rule| rule.operation == operation)
            .unwrap();
        assert!(
            rule.confirmed && matches!(rule.who, Who::Member(..)),
            "{operation}"
        );
    }
    let retention = program
        .put(&world.path("settings/retention"), json!({"days": 1}))
        .await;
    retention.expect(StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_key_can_never_do_more_than_who_made_it() {
    let world = World::start().await;
    let email = "ada@example.com";
    let ada = world.member(email, Role::Administrator).await;
    let beyond = make(&ada, &world, &["contacts:write", "members:write"]).await;
    assert_eq!(beyond.wrong_fields(), ["scopes[1]"]);
    let made = make(&ada, &world, &["contacts:write"])
        .await
        .expect(StatusCode::CREATED);
    let program = program(&world, &made);
    program
        .post(&world.path("contacts"), contact())
        .await
        .expect(StatusCode::CREATED);
    let reader = world.member("reader@example.com", Role::ReadOnly).await;
    make(&reader, &world, &["contacts:read"])
        .await
        .expect(StatusCode::FORBIDDEN);

    let user = store::user::find_by_email(email, &world.db)
        .await
        .unwrap()
        .unwrap()
        .0
        .id;
    let member = world.path(&format!("members/{user}"));
    let demoted = world.owner.put(&member, json!({"role": "read_only"})).await;
    demoted.expect(StatusCode::OK);
    program
        .post(&world.path("contacts"), contact())
        .await
        .expect(StatusCode::FORBIDDEN);
    program
        .get(&world.path("contacts"))
        .await
        .expect(StatusCode::OK);
    world
        .owner
        .delete(&member)
        .await
        .expect(StatusCode::NO_CONTENT);
    program
        .get(&world.path("contacts"))
        .await
        .expect(StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_key_of_somebody_without_the_second_factor_that_is_demanded_waits_for_it() {
    let world = World::start().await;
    let ada = world.member("ada@example.com", Role::Administrator).await;
    let made = make(&ada, &world, &["contacts:read"])
        .await
        .expect(StatusCode::CREATED);
    turn_on(&world.owner).await;
    let demand = json!({"second_factor_required": true});
    world
        .owner
        .put(&world.path("settings/security"), demand)
        .await
        .expect(StatusCode::OK);
    let program = program(&world, &made);
    let refused = program
        .get(&world.path("contacts"))
        .await
        .expect(StatusCode::FORBIDDEN);
    assert_eq!(refused.body["type"], "second-factor-required");
}

#[tokio::test]
async fn keys_are_checked_and_guessing_them_is_slowed_down() {
    let world = World::start().await;
    let wrong = json!({"name": " ", "scopes": ["contacts:own", "mailbox:read", "contacts:read"], "days": 0});
    let refused = world.owner.post(&world.path("api-keys"), wrong).await;
    assert_eq!(
        refused.wrong_fields(),
        ["name", "scopes[0]", "scopes[1]", "days"]
    );
    assert_eq!(
        make(&world.owner, &world, &[]).await.wrong_fields(),
        ["scopes"]
    );
    let guess = Caller::device(&world.base, "tdm_guessed");
    let mut last = StatusCode::OK;
    for _ in 0..21 {
        last = guess.get(&world.path("contacts")).await.status;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn who_has_a_key_is_told_when_it_is_made_and_when_the_password_changes() {
    let world = World::start().await;
    let email = "ada@example.com";
    let caller = settled(&world, email).await;
    let found = store::user::find_by_email(email, &world.db).await.unwrap();
    let (tenant, user) = (world.tenant, found.unwrap().0.id);
    store::membership::insert(tenant, user, Role::Administrator, now(), &world.db)
        .await
        .unwrap();
    let told = async |subject: &str, at_least| {
        let mails = world.mails_to(email, at_least).await;
        let told = mails.into_iter().find(|mail| mail.subject == subject);
        told.unwrap().text
    };
    let made = make(&caller, &world, &["contacts:read"]).await;
    let made = made.expect(StatusCode::CREATED);
    let text = told("New API key", 1).await;
    assert!(text.contains("Directory sync: Acme"), "{text}");
    assert!(!text.contains(made.body["key"].as_str().unwrap()));

    change_password(&caller, NEW, "another password")
        .await
        .expect(StatusCode::NO_CONTENT);
    let text = told("Password changed", 2).await;
    assert!(text.contains("These keys let programs work"), "{text}");
    assert!(text.contains("Directory sync: Acme"), "{text}");
    program(&world, &made)
        .get(&world.path("contacts"))
        .await
        .expect(StatusCode::OK);
}
