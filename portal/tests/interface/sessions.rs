//! Where somebody is signed in, what ends that, what they are told of it, and proving anew who they are.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use store::{Secret, begin, commit};

use crate::sign_in::{NEW, change_password, session, settled, sign_in};
use crate::world::{Answer, Caller, World};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";

async fn listed(caller: &Caller) -> Vec<Value> {
    let answer = caller.get("/api/v1/sessions").await.expect(StatusCode::OK);
    answer.body["items"].as_array().unwrap().clone()
}

/// Signs in with a browser that says who it is and keeps its cookie.
async fn sign_in_with(world: &World, email: &str, cookie: &str) -> Answer {
    let body = json!({"email": email, "password": NEW});
    let headers = [
        ("user-agent", FIREFOX),
        ("cookie", cookie),
        ("accept-language", "de"),
    ];
    let nobody = world.nobody();
    let answer = nobody.send(Method::POST, "/api/v1/session", Some(body), &headers);
    answer.await.expect(StatusCode::OK)
}

#[tokio::test]
async fn somebody_sees_their_own_sessions_and_ends_them() {
    let world = World::start().await;
    let first = settled(&world, "ada@example.com").await;
    let second = session(&world, &sign_in_with(&world, "ada@example.com", "").await);
    let sessions = listed(&second).await;
    assert_eq!(sessions.len(), 2);
    let current: Vec<_> = sessions
        .iter()
        .filter(|one| one["current"] == true)
        .collect();
    assert_eq!(current.len(), 1);
    assert_eq!(current[0]["browser"], "Firefox, Linux");
    assert_eq!(current[0]["address"], "127.0.0.1");

    let other = sessions.iter().find(|one| one["current"] == false).unwrap();
    let path = format!("/api/v1/sessions/{}", other["id"].as_str().unwrap());
    let stranger = settled(&world, "bob@example.com").await;
    stranger.delete(&path).await.expect(StatusCode::NOT_FOUND);
    second.delete(&path).await.expect(StatusCode::NO_CONTENT);
    first
        .get("/api/v1/session")
        .await
        .expect(StatusCode::UNAUTHORIZED);
    second.delete(&path).await.expect(StatusCode::NOT_FOUND);
    second.get("/api/v1/session").await.expect(StatusCode::OK);

    for _ in 0..3 {
        sign_in(&world, "ada@example.com", NEW)
            .await
            .expect(StatusCode::OK);
    }
    assert_eq!(listed(&second).await.len(), 4);
    second
        .delete("/api/v1/sessions")
        .await
        .expect(StatusCode::NO_CONTENT);
    assert_eq!(listed(&second).await.len(), 1);
    assert_eq!(
        listed(&stranger).await.len(),
        1,
        "nobody else is signed out"
    );
}

#[tokio::test]
async fn a_new_browser_is_told_of_and_a_known_one_is_not() {
    let world = World::start().await;
    let email = "ada@example.com";
    let caller = settled(&world, email).await;
    let first = sign_in_with(&world, email, "").await;
    let cookie = format!("tandem_browser={}", first.cookie("tandem_browser"));
    let again = sign_in_with(&world, email, &cookie).await;
    assert_eq!(
        again.cookie("tandem_browser"),
        first.cookie("tandem_browser")
    );
    sign_in_with(&world, email, "tandem_browser=made%0d%0aup").await;
    change_password(&caller, NEW, "another password")
        .await
        .expect(StatusCode::NO_CONTENT);

    let mails = world.mails_to(email, 3).await;
    let subjects: Vec<_> = mails.iter().map(|mail| mail.subject.as_str()).collect();
    assert_eq!(mails.len(), 3, "{subjects:?}");
    assert_eq!(
        subjects
            .iter()
            .filter(|subject| **subject == "Neue Anmeldung")
            .count(),
        2
    );
    assert!(subjects.contains(&"Password changed"), "{subjects:?}");
    let told = mails
        .iter()
        .find(|mail| mail.subject == "Neue Anmeldung")
        .unwrap();
    for part in ["Firefox, Linux", "127.0.0.1", "/security"] {
        assert!(told.text.contains(part), "{}", told.text);
    }
}

#[tokio::test]
async fn a_browser_left_open_is_not_enough_for_what_matters() {
    let world = World::start().await;
    settled(&world, "ada@example.com").await;
    let caller = world.left_open("ada@example.com", 11).await;
    let path = "/api/v1/session/second-factor";
    let refused = caller
        .post(path, json!({}))
        .await
        .expect(StatusCode::FORBIDDEN);
    assert_eq!(refused.body["type"], "confirmation-required");

    let confirm = async |password: &str| {
        let body = json!({"password": password});
        caller.post("/api/v1/session/confirmation", body).await
    };
    assert_eq!(confirm("wrong").await.wrong_fields(), ["password"]);
    assert_eq!(
        confirm(&"x".repeat(5000)).await.wrong_fields(),
        ["password"]
    );
    caller
        .post(path, json!({}))
        .await
        .expect(StatusCode::FORBIDDEN);
    confirm(NEW).await.expect(StatusCode::NO_CONTENT);
    caller
        .post(path, json!({}))
        .await
        .expect(StatusCode::CREATED);

    let just_in_time = world.left_open("ada@example.com", 9).await;
    just_in_time
        .post(path, json!({}))
        .await
        .expect(StatusCode::CREATED);
}

#[tokio::test]
async fn guesses_count_together_wherever_they_are_made() {
    let world = World::start().await;
    let caller = settled(&world, "ada@example.com").await;
    let mut statuses = Vec::new();
    for _ in 0..5 {
        let body = json!({"password": "wrong"});
        statuses.push(
            caller
                .post("/api/v1/session/confirmation", body)
                .await
                .status,
        );
        statuses.push(
            change_password(&caller, "wrong", "twelve characters")
                .await
                .status,
        );
    }
    assert_eq!(statuses, [StatusCode::UNPROCESSABLE_ENTITY; 10]);
    let refused = change_password(&caller, NEW, "twelve characters").await;
    refused.expect(StatusCode::TOO_MANY_REQUESTS);
    let refused = sign_in(&world, "ada@example.com", NEW).await;
    refused.expect(StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn what_was_proved_by_an_older_password_begins_nothing() {
    proved_too_late(World::start().await).await;
    if let Some(world) = World::start_on_postgres().await {
        proved_too_late(world).await;
    }
}

/// A new password is being written while somebody proves themselves by the old one.
async fn proved_too_late(world: World) {
    let email = "ada@example.com";
    let caller = settled(&world, email).await;
    let found = store::user::find_by_email(email, &world.db).await.unwrap();
    let (user, new) = (found.unwrap().0.id, Secret::new("a newer one"));
    let transaction = begin(&world.db).await.unwrap();
    store::user::set_password(user, &new, &transaction)
        .await
        .unwrap();
    let replacing = async {
        // Passwords are checked in the order in which they come: the others were checked before these.
        for _ in 0..6 {
            sign_in(&world, "nobody@example.com", "wrong")
                .await
                .expect(StatusCode::UNAUTHORIZED);
        }
        store::session::delete_by_user(user, &transaction)
            .await
            .unwrap();
        commit(transaction).await.unwrap();
    };
    let (signed_in, changed, ()) = tokio::join!(
        sign_in(&world, email, NEW),
        change_password(&caller, NEW, "another password"),
        replacing
    );
    signed_in.expect(StatusCode::UNAUTHORIZED);
    assert!(changed.status.is_client_error(), "{}", changed.status);
    let kept = store::user::load_password(user, &world.db).await.unwrap();
    assert_eq!(kept, new);
    let lifetime = store::session::SessionLifetime {
        absolute: time::Duration::hours(1),
        idle: time::Duration::hours(1),
    };
    let sessions = store::session::list(user, &lifetime, crate::world::now(), &world.db).await;
    assert_eq!(sessions.unwrap(), []);
}
