//! Members, their roles, invitations, and what a tenant asks of its members.

use reqwest::StatusCode;
use serde_json::{Value, json};
use store::Role;

use crate::second_factor::turn_on;
use crate::sign_in::{NEW, session, settled, sign_in};
use crate::world::{Answer, Caller, World};

async fn invite(world: &World, email: &str, role: &str) -> Answer {
    let input = json!({"email": email, "role": role, "language": "en"});
    world.owner.post(&world.path("invitations"), input).await
}

/// The token in the newest mail to somebody.
async fn token(world: &World, email: &str, mails: usize) -> String {
    world.mails_to(email, mails).await[0].token()
}

async fn accept(world: &World, token: &str) -> Answer {
    let body =
        json!({"token": token, "first_name": "Grace", "last_name": "Hopper", "password": NEW});
    world
        .nobody()
        .post("/api/v1/invitation/acceptance", body)
        .await
}

async fn join(caller: &Caller, token: &str) -> Answer {
    caller
        .post("/api/v1/invitation/joining", json!({"token": token}))
        .await
}

async fn show(world: &World, token: &str) -> Answer {
    world
        .nobody()
        .post("/api/v1/invitation", json!({"token": token}))
        .await
}

async fn members(caller: &Caller, world: &World) -> Vec<Value> {
    let answer = caller
        .get(&world.path("members"))
        .await
        .expect(StatusCode::OK);
    answer.body["items"].as_array().unwrap().clone()
}

async fn path_of(world: &World, email: &str) -> String {
    let all = members(&world.owner, world).await;
    let found = all.iter().find(|member| member["email"] == email).unwrap();
    world.path(&format!("members/{}", found["user_id"].as_str().unwrap()))
}

#[tokio::test]
async fn who_was_invited_chooses_a_password_and_is_in() {
    let world = World::start().await;
    let email = "grace@example.com";
    let made = invite(&world, email, "administrator")
        .await
        .expect(StatusCode::CREATED);
    assert_eq!(made.body["invited_by"], "Some One");
    let again = invite(&world, "GRACE@example.com", "read_only").await;
    assert_eq!(
        again.expect(StatusCode::CONFLICT).body["errors"][0]["field"],
        "email"
    );
    assert_eq!(
        invite(&world, "nonsense", "owner").await.wrong_fields(),
        ["email"]
    );
    assert_eq!(
        invite(&world, "owner@example.com", "owner")
            .await
            .wrong_fields(),
        ["email"]
    );

    let mail = world.mails_to(email, 1).await.remove(0);
    assert_eq!(mail.subject, "Some One invites you to Acme");
    let token = mail.token();
    let shown = show(&world, &token).await.expect(StatusCode::OK).body;
    assert_eq!(shown["tenant"], "Acme");
    assert_eq!(shown["has_access"], false);
    let weak = json!({"token": token, "first_name": "", "last_name": "x", "password": "short"});
    let refused = world
        .nobody()
        .post("/api/v1/invitation/acceptance", weak)
        .await;
    assert_eq!(refused.wrong_fields(), ["first_name", "password"]);

    let answer = accept(&world, &token).await.expect(StatusCode::OK);
    assert_eq!(answer.body["must_set_password"], false);
    assert_eq!(answer.body["tenants"][0]["role"], "administrator");
    let grace = session(&world, &answer);
    grace
        .get(&world.path("contacts"))
        .await
        .expect(StatusCode::OK);
    for spent in [accept(&world, &token).await, show(&world, &token).await] {
        assert_eq!(
            spent.expect(StatusCode::NOT_FOUND).body["type"],
            "link-refused"
        );
    }
    sign_in(&world, email, NEW).await.expect(StatusCode::OK);
    let waiting = world.owner.get(&world.path("invitations")).await.body;
    assert_eq!(waiting["items"], json!([]));
}

#[tokio::test]
async fn who_has_access_already_signs_in_and_joins() {
    let world = World::start().await;
    let ada = settled(&world, "ada@example.com").await;
    let bob = settled(&world, "bob@example.com").await;
    invite(&world, "Ada@Example.com", "read_only")
        .await
        .expect(StatusCode::CREATED);
    let token = token(&world, "Ada@Example.com", 1).await;
    assert_eq!(show(&world, &token).await.body["has_access"], true);
    accept(&world, &token).await.expect(StatusCode::CONFLICT);
    join(&world.nobody(), &token)
        .await
        .expect(StatusCode::UNAUTHORIZED);
    join(&bob, &token).await.expect(StatusCode::CONFLICT);
    ada.get(&world.path("contacts"))
        .await
        .expect(StatusCode::NOT_FOUND);
    let joined = join(&ada, &token).await.expect(StatusCode::OK);
    assert_eq!(joined.body["tenants"][0]["role"], "read_only");
    ada.get(&world.path("contacts"))
        .await
        .expect(StatusCode::OK);
    join(&ada, &token).await.expect(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_invitation_is_sent_again_and_taken_back() {
    let world = World::start().await;
    let email = "grace@example.com";
    let made = invite(&world, email, "owner")
        .await
        .expect(StatusCode::CREATED);
    let first = token(&world, email, 1).await;
    let path = world.path(&format!(
        "invitations/{}",
        made.body["id"].as_str().unwrap()
    ));
    let resend = format!("{path}/mail");
    world
        .owner
        .post(&resend, json!({}))
        .await
        .expect(StatusCode::OK);
    let tokens = world.mails_to(email, 2).await;
    let second = tokens
        .iter()
        .map(|mail| mail.token())
        .find(|token| *token != first)
        .unwrap();
    show(&world, &first).await.expect(StatusCode::NOT_FOUND);
    show(&world, &second).await.expect(StatusCode::OK);
    world
        .owner
        .delete(&path)
        .await
        .expect(StatusCode::NO_CONTENT);
    world
        .owner
        .delete(&path)
        .await
        .expect(StatusCode::NOT_FOUND);
    world
        .owner
        .post(&resend, json!({}))
        .await
        .expect(StatusCode::NOT_FOUND);
    accept(&world, &second).await.expect(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_link_to_pass_on_is_told_once_and_ends_the_one_before() {
    let world = World::start().await;
    let email = "grace@example.com";
    let made = invite(&world, email, "read_only")
        .await
        .expect(StatusCode::CREATED);
    let mailed = token(&world, email, 1).await;
    let id = made.body["id"].as_str().unwrap();
    let path = world.path(&format!("invitations/{id}/link"));
    let told = world.owner.post(&path, json!({})).await;
    assert_eq!(told.header("cache-control"), "no-store");
    let told = told.expect(StatusCode::OK).body;
    assert_eq!(told["invitation"]["email"], email);
    let link = told["link"].as_str().unwrap();
    let (page, passed_on) = link.split_once('#').unwrap();
    assert!(page.ends_with("/invitation"), "{page}");
    show(&world, &mailed).await.expect(StatusCode::NOT_FOUND);

    let audit = world.owner.get(&world.path("audit?limit=1")).await;
    let noted = &audit.body["items"][0];
    assert_eq!(
        json!([noted["action"], noted["subject"]]),
        json!(["invitation.link", email])
    );
    assert!(!audit.text().contains(passed_on));
    let mails = world.mails_to(email, 1).await;
    assert_eq!(mails.len(), 1, "it was not mailed");
    accept(&world, passed_on).await.expect(StatusCode::OK);
    world
        .owner
        .post(&path, json!({}))
        .await
        .expect(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn guessing_links_is_slowed_down() {
    let world = World::start().await;
    let mut last = StatusCode::NOT_FOUND;
    for _ in 0..21 {
        last = show(&world, "guessed").await.status;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn another_role_signs_the_member_out_and_counts_at_once() {
    let world = World::start().await;
    let email = "ada@example.com";
    let ada = world.member(email, Role::Administrator).await;
    let path = path_of(&world, email).await;
    let changed = world.owner.put(&path, json!({"role": "read_only"})).await;
    assert_eq!(changed.expect(StatusCode::OK).body["role"], "read_only");
    ada.get("/api/v1/session")
        .await
        .expect(StatusCode::UNAUTHORIZED);
    let ada = world.left_open(email, 1).await;
    let contact = json!({"first_name": "a", "last_name": "b", "emails": [{"address": "a@b.example", "label": "home"}]});
    ada.post(&world.path("contacts"), contact)
        .await
        .expect(StatusCode::FORBIDDEN);
    // Nobody raises himself.
    ada.put(&path, json!({"role": "owner"}))
        .await
        .expect(StatusCode::FORBIDDEN);
    let unchanged = world.owner.put(&path, json!({"role": "read_only"})).await;
    unchanged.expect(StatusCode::OK);
    ada.get("/api/v1/session").await.expect(StatusCode::OK);

    world
        .owner
        .delete(&path)
        .await
        .expect(StatusCode::NO_CONTENT);
    ada.get("/api/v1/session")
        .await
        .expect(StatusCode::UNAUTHORIZED);
    world
        .owner
        .delete(&path)
        .await
        .expect(StatusCode::NOT_FOUND);
    assert_eq!(members(&world.owner, &world).await.len(), 1);
}

#[tokio::test]
async fn the_last_owner_can_neither_go_nor_be_demoted() {
    let world = World::start().await;
    let path = path_of(&world, "owner@example.com").await;
    let demote = json!({"role": "administrator"});
    world.owner.delete(&path).await.expect(StatusCode::CONFLICT);
    world
        .owner
        .put(&path, demote.clone())
        .await
        .expect(StatusCode::CONFLICT);
    let ada = world.member("ada@example.com", Role::Owner).await;
    world.owner.put(&path, demote).await.expect(StatusCode::OK);
    // The one who changed the own role is still signed in, with the new one.
    world
        .owner
        .get(&world.path("members"))
        .await
        .expect(StatusCode::OK);
    world
        .owner
        .delete(&path)
        .await
        .expect(StatusCode::FORBIDDEN);
    let last = path_of(&world, "ada@example.com").await;
    ada.delete(&last).await.expect(StatusCode::CONFLICT);
    ada.delete(&path).await.expect(StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_tenant_can_demand_a_second_factor_of_its_administrators() {
    let world = World::start().await;
    let path = world.path("settings/security");
    let demand = json!({"second_factor_required": true});
    world
        .owner
        .put(&path, demand.clone())
        .await
        .expect(StatusCode::CONFLICT);
    turn_on(&world.owner).await;
    let administrator = world.member("ada@example.com", Role::Administrator).await;
    let reader = world.member("reader@example.com", Role::ReadOnly).await;
    administrator
        .put(&path, demand.clone())
        .await
        .expect(StatusCode::FORBIDDEN);
    world.owner.put(&path, demand).await.expect(StatusCode::OK);

    let refused = administrator.get(&world.path("contacts")).await;
    assert_eq!(
        refused.expect(StatusCode::FORBIDDEN).body["type"],
        "second-factor-required"
    );
    let shown = administrator
        .get("/api/v1/session")
        .await
        .expect(StatusCode::OK)
        .body;
    assert_eq!(shown["tenants"][0]["second_factor_missing"], true);
    reader
        .get(&world.path("contacts"))
        .await
        .expect(StatusCode::OK);
    let own = world.owner.get("/api/v1/session/second-factor").await.body;
    assert_eq!(own["required"], true);
    let off = world.owner.delete("/api/v1/session/second-factor").await;
    off.expect(StatusCode::CONFLICT);

    turn_on(&administrator).await;
    administrator
        .get(&world.path("contacts"))
        .await
        .expect(StatusCode::OK);
}

#[tokio::test]
async fn an_owner_turns_a_members_second_factor_off_but_not_that_of_others_people() {
    let world = World::start().await;
    let second = world.member("second@example.com", Role::Owner).await;
    for email in ["ada@example.com", "both@example.com"] {
        let caller = world.member(email, Role::Administrator).await;
        turn_on(&caller).await;
    }
    turn_on(&world.owner).await;
    let other = world.tenant_named("Other", &world.owner).await;
    let both = json!({"email": "both@example.com", "role": "read_only"});
    let path = format!("/api/v1/tenants/{other}/members");
    world
        .owner
        .post(&path, both)
        .await
        .expect(StatusCode::CREATED);

    let reset = async |caller: &Caller, email: &str| {
        let path = path_of(&world, email).await;
        caller.delete(&format!("{path}/second-factor")).await
    };
    for of_others in [
        "both@example.com",
        "owner@example.com",
        "second@example.com",
    ] {
        reset(&second, of_others).await.expect(StatusCode::CONFLICT);
    }
    reset(&second, "ada@example.com")
        .await
        .expect(StatusCode::NO_CONTENT);
    reset(&world.owner, "both@example.com")
        .await
        .expect(StatusCode::NO_CONTENT);
    let factors: Vec<_> = members(&second, &world).await;
    let on = factors
        .iter()
        .filter(|member| member["second_factor"] == true);
    assert_eq!(on.count(), 1, "the administrator of the installation");
    let mails = world.mails_to("ada@example.com", 2).await;
    assert!(mails.iter().any(|mail| mail.subject.contains("turned off")));
}

#[tokio::test]
async fn only_administrators_of_the_installation_add_people_without_asking_them() {
    let world = World::start().await;
    let owner = world.member("second@example.com", Role::Owner).await;
    world.outsider("bob@example.com").await;
    let bob = json!({"email": "bob@example.com", "role": "read_only"});
    let path = world.path("members");
    owner
        .post(&path, bob.clone())
        .await
        .expect(StatusCode::FORBIDDEN);
    world
        .owner
        .post(&path, bob)
        .await
        .expect(StatusCode::CREATED);
}
