//! A new password and another e-mail address by links in mails.

use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::json;

use crate::second_factor::turn_on;
use crate::sign_in::{NEW, change_password, settled, sign_in};
use crate::world::{Answer, Caller, World};

const EMAIL: &str = "ada@example.com";
const OTHER: &str = "another password";

async fn forgot(world: &World, email: &str) -> Answer {
    world
        .nobody()
        .post("/api/v1/password-reset", json!({"email": email}))
        .await
}

async fn choose(world: &World, token: &str, password: &str) -> Answer {
    let body = json!({"token": token, "password": password});
    world
        .nobody()
        .post("/api/v1/password-reset/completion", body)
        .await
}

async fn change_email(caller: &Caller, email: &str) -> Answer {
    caller
        .put("/api/v1/session/email", json!({"email": email}))
        .await
}

async fn confirm(world: &World, token: &str) -> Answer {
    world
        .nobody()
        .post("/api/v1/email-confirmation", json!({"token": token}))
        .await
}

#[tokio::test]
async fn a_link_leads_to_a_new_password_once_and_ends_all_sessions() {
    let world = World::start().await;
    let caller = settled(&world, EMAIL).await;
    forgot(&world, " ADA@example.com ")
        .await
        .expect(StatusCode::ACCEPTED);
    let mail = world.mails_to(EMAIL, 1).await.remove(0);
    assert_eq!(mail.subject, "Choose a new password");
    let token = mail.token();
    assert_eq!(
        choose(&world, &token, "short").await.wrong_fields(),
        ["password"]
    );
    choose(&world, &token, OTHER)
        .await
        .expect(StatusCode::NO_CONTENT);
    caller
        .get("/api/v1/session")
        .await
        .expect(StatusCode::UNAUTHORIZED);
    sign_in(&world, EMAIL, NEW)
        .await
        .expect(StatusCode::UNAUTHORIZED);
    sign_in(&world, EMAIL, OTHER).await.expect(StatusCode::OK);
    let spent = choose(&world, &token, NEW)
        .await
        .expect(StatusCode::NOT_FOUND);
    assert_eq!(spent.body["type"], "link-refused");
    let mails = world.mails_to(EMAIL, 2).await;
    assert!(mails.iter().any(|mail| mail.subject == "Password changed"));
}

#[tokio::test]
async fn whoever_asks_does_not_learn_whether_an_address_is_known() {
    let world = World::start().await;
    settled(&world, EMAIL).await;
    let known = forgot(&world, EMAIL).await;
    let unknown = forgot(&world, "nobody@example.com").await;
    let told = |answer: &Answer| {
        let names: Vec<_> = answer.headers.keys().cloned().collect();
        (answer.status, answer.text(), names)
    };
    assert_eq!(told(&known), told(&unknown));
    for _ in 0..2 {
        forgot(&world, EMAIL).await.expect(StatusCode::ACCEPTED);
        forgot(&world, "nobody@example.com")
            .await
            .expect(StatusCode::ACCEPTED);
    }
    for email in [EMAIL, "nobody@example.com"] {
        forgot(&world, email)
            .await
            .expect(StatusCode::TOO_MANY_REQUESTS);
    }
    assert_eq!(world.mails_to(EMAIL, 3).await.len(), 3);
    assert_eq!(world.mails_to("nobody@example.com", 0).await.len(), 0);
    let audit = world.owner.get(&world.path("audit")).await;
    assert!(!audit.text().contains("nobody@example.com"));
}

#[tokio::test]
async fn a_newer_link_ends_the_older_and_the_second_factor_stays() {
    let world = World::start().await;
    let caller = settled(&world, EMAIL).await;
    turn_on(&caller).await;
    forgot(&world, EMAIL).await.expect(StatusCode::ACCEPTED);
    let old = newest_reset(&world, 1).await;
    forgot(&world, EMAIL).await.expect(StatusCode::ACCEPTED);
    let new = newest_reset(&world, 2).await;
    assert_ne!(old, new);
    choose(&world, &old, OTHER)
        .await
        .expect(StatusCode::NOT_FOUND);
    confirm(&world, &new).await.expect(StatusCode::NOT_FOUND);
    choose(&world, &new, OTHER)
        .await
        .expect(StatusCode::NO_CONTENT);
    sign_in(&world, EMAIL, OTHER)
        .await
        .expect(StatusCode::ACCEPTED);
}

/// The token of the newest of so many links to a new password.
async fn newest_reset(world: &World, count: usize) -> String {
    let mut mails = 1 + count;
    loop {
        let all = world.mails_to(EMAIL, mails).await;
        let mut resets = all
            .iter()
            .filter(|mail| mail.subject == "Choose a new password");
        if let Some(newest) = resets.next()
            && resets.count() + 1 >= count
        {
            return newest.token();
        }
        mails += 1;
    }
}

#[tokio::test]
async fn an_address_changes_once_its_link_was_followed() {
    let world = World::start().await;
    let caller = settled(&world, EMAIL).await;
    let new = "ada.lovelace@example.com";
    assert_eq!(
        change_email(&caller, "nonsense").await.wrong_fields(),
        ["email"]
    );
    assert_eq!(
        change_email(&caller, "ADA@example.com")
            .await
            .wrong_fields(),
        ["email"]
    );
    change_email(&caller, new)
        .await
        .expect(StatusCode::ACCEPTED);
    sign_in(&world, new, NEW)
        .await
        .expect(StatusCode::UNAUTHORIZED);
    let token = world.mails_to(new, 1).await[0].token();
    choose(&world, &token, OTHER)
        .await
        .expect(StatusCode::NOT_FOUND);
    confirm(&world, &token).await.expect(StatusCode::NO_CONTENT);
    confirm(&world, &token).await.expect(StatusCode::NOT_FOUND);
    assert_eq!(
        caller.get("/api/v1/session").await.body["user"]["email"],
        new
    );
    sign_in(&world, EMAIL, NEW)
        .await
        .expect(StatusCode::UNAUTHORIZED);
    sign_in(&world, new, NEW).await.expect(StatusCode::OK);
    let told = world.mails_to(EMAIL, 2).await;
    let told = told
        .iter()
        .find(|mail| mail.subject != "Another e-mail address asked for");
    assert!(told.unwrap().text.contains(new), "the old address is told");
}

#[tokio::test]
async fn an_address_that_somebody_else_has_is_refused_to_who_reads_its_mail_only() {
    let world = World::start().await;
    let caller = settled(&world, EMAIL).await;
    settled(&world, "bob@example.com").await;
    change_email(&caller, "bob@example.com")
        .await
        .expect(StatusCode::ACCEPTED);
    let token = world.mails_to("bob@example.com", 1).await[0].token();
    confirm(&world, &token).await.expect(StatusCode::CONFLICT);
    sign_in(&world, EMAIL, NEW).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn what_ends_other_sessions_ends_links_too() {
    let world = World::start().await;
    let caller = settled(&world, EMAIL).await;
    let (address, mut asked) = ("eve@example.com", 0);
    let mut links = async || {
        change_email(&caller, address)
            .await
            .expect(StatusCode::ACCEPTED);
        forgot(&world, EMAIL).await.expect(StatusCode::ACCEPTED);
        asked += 1;
        let change = world.mails_to(address, asked).await[0].token();
        (change, newest_reset(&world, asked).await)
    };
    let are_dead = async |(change, reset): (String, String)| {
        confirm(&world, &change).await.expect(StatusCode::NOT_FOUND);
        choose(&world, &reset, "one more password")
            .await
            .expect(StatusCode::NOT_FOUND);
    };
    let both = links().await;
    let told = world.mails_to(EMAIL, 2).await;
    let told = told
        .iter()
        .find(|mail| mail.subject == "Another e-mail address asked for");
    assert!(!told.unwrap().text.contains('#'), "it carries no link");
    change_password(&caller, NEW, OTHER)
        .await
        .expect(StatusCode::NO_CONTENT);
    are_dead(both).await;
    let both = links().await;
    turn_on(&caller).await;
    are_dead(both).await;
    let both = links().await;
    caller
        .delete("/api/v1/sessions")
        .await
        .expect(StatusCode::NO_CONTENT);
    are_dead(both).await;
}

#[tokio::test]
async fn who_has_no_link_makes_nobody_wait() {
    let world = World::start().await;
    settled(&world, EMAIL).await;
    forgot(&world, EMAIL).await.expect(StatusCode::ACCEPTED);
    let token = world.mails_to(EMAIL, 1).await[0].token();
    choose(&world, &token, OTHER)
        .await
        .expect(StatusCode::NO_CONTENT);
    let nonsense = "x".repeat(43);
    let guesses = (0..40).map(|_| choose(&world, &nonsense, OTHER));
    let answers = join_all(guesses).await;
    let refused = |status| {
        let alike = answers.iter().filter(|answer| answer.status == status);
        alike.count()
    };
    // All at the same time, and each is counted before a password is hashed; a good link does not count.
    assert_eq!(refused(StatusCode::NOT_FOUND), 20);
    assert_eq!(refused(StatusCode::TOO_MANY_REQUESTS), 20);
}
