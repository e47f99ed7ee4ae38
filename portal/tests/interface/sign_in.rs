//! Signing in: the first administrator, the one-time password, uniform refusals, limits.

use portal::{Person, PersonError, PortalConfig};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::world::{Answer, Caller, World, now};

pub(crate) const NEW: &str = "a password of my own";

pub(crate) async fn sign_in(world: &World, email: &str, password: &str) -> Answer {
    let body = json!({"email": email, "password": password});
    world.nobody().post("/api/v1/session", body).await
}

/// The session that the answer's cookie carries.
pub(crate) fn session(world: &World, answer: &Answer) -> Caller {
    Caller::new(&world.base, Some(answer.cookie("tandem_session")))
}

pub(crate) async fn person(world: &World, email: &str) -> String {
    let person = Person {
        email: email.to_owned(),
        first_name: "Some".to_owned(),
        last_name: "One".to_owned(),
        installation_administrator: true,
    };
    let made = portal::add_user(&person, now(), &world.db).await.unwrap();
    made.password.reveal().to_owned()
}

/// Somebody with the password [`NEW`], and their first session.
pub(crate) async fn settled(world: &World, email: &str) -> Caller {
    let one_time = person(world, email).await;
    let caller = session(world, &sign_in(world, email, &one_time).await);
    let changed = change_password(&caller, &one_time, NEW).await;
    changed.expect(StatusCode::NO_CONTENT);
    caller
}

pub(crate) async fn change_password(caller: &Caller, current: &str, new: &str) -> Answer {
    let body = json!({"current": current, "new": new});
    caller.put("/api/v1/session/password", body).await
}

#[tokio::test]
async fn a_one_time_password_opens_nothing_but_its_own_replacement() {
    let world = World::start().await;
    let one_time = person(&world, "new@example.com").await;
    let answer = sign_in(&world, " NEW@example.com ", &one_time)
        .await
        .expect(StatusCode::OK);
    let cookie = answer.header("set-cookie");
    for part in [
        "tandem_session=",
        "HttpOnly",
        "SameSite=Strict",
        "Path=/",
        "Max-Age=",
    ] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert_eq!(answer.body["must_set_password"], true);
    let caller = session(&world, &answer);
    let other = session(&world, &sign_in(&world, "new@example.com", &one_time).await);

    for path in ["/api/v1/tenants", &world.path("providers")] {
        let refused = caller.get(path).await.expect(StatusCode::FORBIDDEN);
        assert_eq!(refused.body["type"], "password-change-required");
    }
    caller.get("/api/v1/session").await.expect(StatusCode::OK);
    assert_eq!(
        change_password(&caller, "wrong", NEW).await.wrong_fields(),
        ["current"]
    );
    assert_eq!(
        change_password(&caller, &one_time, "short")
            .await
            .wrong_fields(),
        ["new"]
    );
    assert_eq!(
        change_password(&caller, &one_time, &one_time)
            .await
            .wrong_fields(),
        ["new"]
    );
    change_password(&caller, &one_time, NEW)
        .await
        .expect(StatusCode::NO_CONTENT);

    caller.get("/api/v1/tenants").await.expect(StatusCode::OK);
    other
        .get("/api/v1/session")
        .await
        .expect(StatusCode::UNAUTHORIZED);
    sign_in(&world, "new@example.com", &one_time)
        .await
        .expect(StatusCode::UNAUTHORIZED);
    let again = sign_in(&world, "new@example.com", NEW)
        .await
        .expect(StatusCode::OK);
    assert_eq!(again.body["must_set_password"], false);
}

#[tokio::test]
async fn a_one_time_password_that_was_just_given_is_not_asked_for_again() {
    let world = World::start().await;
    let email = "new@example.com";
    let one_time = person(&world, email).await;
    let replace = async |caller: &Caller, new: &str| {
        let body = json!({"new": new});
        caller.put("/api/v1/session/password", body).await
    };
    let late = world.left_open(email, 11).await;
    assert_eq!(replace(&late, NEW).await.wrong_fields(), ["current"]);
    let caller = session(&world, &sign_in(&world, email, &one_time).await);
    assert_eq!(replace(&caller, &one_time).await.wrong_fields(), ["new"]);
    replace(&caller, NEW).await.expect(StatusCode::NO_CONTENT);
    sign_in(&world, email, NEW).await.expect(StatusCode::OK);
    let another = "another password";
    assert_eq!(
        replace(&caller, another).await.wrong_fields(),
        ["current"],
        "it is no one-time password any more"
    );
    sign_in(&world, email, another)
        .await
        .expect(StatusCode::UNAUTHORIZED);

    person(&world, "owner-to-be@example.com").await;
    let vouched = world.vouched("owner-to-be@example.com").await;
    assert_eq!(replace(&vouched, NEW).await.wrong_fields(), ["current"]);
}

#[tokio::test]
async fn unknown_address_and_wrong_password_get_the_same_answer() {
    let world = World::start().await;
    person(&world, "known@example.com").await;
    let wrong = sign_in(&world, "known@example.com", "wrong")
        .await
        .without_request_id();
    let unknown = sign_in(&world, "unknown@example.com", "wrong")
        .await
        .without_request_id();
    let empty = sign_in(&world, "", "").await.without_request_id();
    let long = sign_in(&world, &"x".repeat(300), "wrong")
        .await
        .without_request_id();
    assert_eq!(wrong.0, StatusCode::UNAUTHORIZED);
    assert_eq!(wrong, unknown);
    assert_eq!(wrong, empty);
    assert_eq!(wrong, long);
}

#[tokio::test]
async fn guessing_is_slowed_down_but_a_good_sign_in_does_not_count() {
    let world = World::start().await;
    let one_time = person(&world, "known@example.com").await;
    for _ in 0..12 {
        sign_in(&world, "known@example.com", &one_time)
            .await
            .expect(StatusCode::OK);
    }
    let mut statuses = Vec::new();
    for _ in 0..11 {
        statuses.push(sign_in(&world, "guessed@example.com", "wrong").await.status);
    }
    assert_eq!(statuses[..10], [StatusCode::UNAUTHORIZED; 10]);
    assert_eq!(statuses[10], StatusCode::TOO_MANY_REQUESTS);
    let refused = sign_in(&world, "guessed@example.com", "wrong").await;
    assert!(refused.header("retry-after").parse::<u64>().unwrap() > 0);
    // Nobody else is locked out.
    sign_in(&world, "known@example.com", &one_time)
        .await
        .expect(StatusCode::OK);
}

#[tokio::test]
async fn signing_out_ends_the_session() {
    let world = World::start().await;
    let one_time = person(&world, "known@example.com").await;
    let caller = session(
        &world,
        &sign_in(&world, "known@example.com", &one_time).await,
    );
    let answer = caller
        .delete("/api/v1/session")
        .await
        .expect(StatusCode::NO_CONTENT);
    assert!(answer.header("set-cookie").contains("Max-Age=0"));
    caller
        .get("/api/v1/session")
        .await
        .expect(StatusCode::UNAUTHORIZED);
    world
        .nobody()
        .delete("/api/v1/session")
        .await
        .expect(StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn the_first_run_makes_one_administrator_and_one_tenant() {
    let data = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", data.path().join("tandem.db").display());
    let db = store::connect(&url, &store::StoreConfig::default())
        .await
        .unwrap();
    let config = PortalConfig::new(
        "http://127.0.0.1:8080",
        "sip:127.0.0.1:5060;lr",
        data.path(),
    );
    let first = portal::first_run(&config, now(), &db)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(first.email, "admin@localhost");
    assert_eq!(portal::first_run(&config, now(), &db).await.unwrap(), None);
    let tenants = store::tenant::list(&store::PageRequest::default(), &db)
        .await
        .unwrap();
    assert_eq!(tenants.items.len(), 1);
    assert_eq!(tenants.items[0].name, "My company");
    assert_eq!(tenants.items[0].sip_domain, "my-company.tandem.localhost");
}

#[tokio::test]
async fn people_of_the_command_line_are_checked() {
    let world = World::start().await;
    let person = |email: &str, first_name: &str| Person {
        email: email.to_owned(),
        first_name: first_name.to_owned(),
        last_name: "One".to_owned(),
        installation_administrator: false,
    };
    let add = async |person: Person| portal::add_user(&person, now(), &world.db).await;
    assert!(matches!(
        add(person("nonsense", "a")).await,
        Err(PersonError::Invalid { .. })
    ));
    assert!(matches!(
        add(person("a@b.example", " ")).await,
        Err(PersonError::Invalid { .. })
    ));
    add(person("a@b.example", "a")).await.unwrap();
    assert!(matches!(
        add(person("A@B.example", "a")).await,
        Err(PersonError::Exists)
    ));
}

#[tokio::test]
async fn only_administrators_of_the_installation_make_tenants() {
    let world = World::start().await;
    let outsider = world.outsider("outsider@example.com").await;
    let input = json!({"name": "Mine"});
    outsider
        .post("/api/v1/tenants", input.clone())
        .await
        .expect(StatusCode::FORBIDDEN);
    assert_eq!(
        outsider.get("/api/v1/tenants").await.body["items"],
        Value::Array(Vec::new())
    );

    let first = world
        .owner
        .post("/api/v1/tenants", input.clone())
        .await
        .expect(StatusCode::CREATED);
    let second = world
        .owner
        .post("/api/v1/tenants", input)
        .await
        .expect(StatusCode::CREATED);
    assert_eq!(first.body["slug"], "mine");
    assert_eq!(second.body["slug"], "mine-2");
    assert_eq!(second.body["sip_domain"], "mine-2.tandem.localhost");
    assert_eq!(second.body["role"], "owner");
    let taken = json!({"name": "Other", "slug": "mine"});
    let refused = world
        .owner
        .post("/api/v1/tenants", taken)
        .await
        .expect(StatusCode::CONFLICT);
    assert_eq!(refused.body["errors"][0]["field"], "slug");
    let listed = world.owner.get("/api/v1/tenants?limit=2").await;
    assert_eq!(listed.body["items"].as_array().unwrap().len(), 2);
    assert!(listed.body["next"].is_string());
}
