//! Signing up: closed unless the installation opens it, work for a browser, a mail whatever the address, a tenant on confirmation.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    sign_in::{session, sign_in},
    world::{Answer, World},
};

const BITS: u8 = 8;
const EMAIL: &str = "nora@new.example";
const PASSWORD: &str = "a password of my own";

async fn open() -> World {
    World::start_with(|config| {
        config.trusted_proxies = ["127.0.0.1/32".parse().unwrap()].into_iter().collect();
        config.sign_up = Some(portal::SignUpConfig {
            terms: "https://example.com/terms".to_owned(),
            privacy: "https://example.com/privacy".to_owned(),
            puzzle_bits: BITS,
        });
    })
    .await
}

/// A puzzle, and the number that solves it.
async fn solved(world: &World) -> (String, u64) {
    let puzzle = world
        .nobody()
        .post("/api/v1/sign-up/puzzle", json!({}))
        .await;
    let puzzle = puzzle.expect(StatusCode::OK).body;
    let text = puzzle["text"].as_str().unwrap().to_owned();
    assert_eq!(puzzle["bits"], BITS);
    (text.clone(), solution(&text))
}

fn solution(text: &str) -> u64 {
    let solves = |number: &u64| {
        let hash = Sha256::digest(format!("{text}:{number}").as_bytes());
        hash[0] == 0
    };
    (0..).find(solves).unwrap()
}

async fn input(world: &World) -> Value {
    let (puzzle, solution) = solved(world).await;
    json!({"first_name": "Nora", "last_name": "New", "company": "New & Co", "email": EMAIL, "phone": "+49 30 12345678",
        "country": "DE", "password": PASSWORD, "terms": true, "privacy": true, "news": true,
        "puzzle": puzzle, "solution": solution})
}

async fn sign_up(world: &World, input: &Value) -> Answer {
    world.nobody().post("/api/v1/sign-up", input.clone()).await
}

async fn confirm(world: &World, token: &str) -> Answer {
    confirm_by(world, token, PASSWORD).await
}

async fn confirm_by(world: &World, token: &str, password: &str) -> Answer {
    let body = json!({"token": token, "password": password});
    world
        .nobody()
        .post("/api/v1/sign-up/confirmation", body)
        .await
}

#[tokio::test]
async fn somebody_signs_up_and_owns_a_tenant() {
    let world = open().await;
    let offer = world
        .nobody()
        .get("/api/v1/sign-up")
        .await
        .expect(StatusCode::OK)
        .body;
    assert_eq!(
        offer,
        json!({"open": true, "terms": "https://example.com/terms", "privacy": "https://example.com/privacy"})
    );
    sign_up(&world, &input(&world).await)
        .await
        .expect(StatusCode::ACCEPTED);
    sign_in(&world, EMAIL, PASSWORD)
        .await
        .expect(StatusCode::UNAUTHORIZED);
    let mails = world.mails_to(EMAIL, 1).await;
    assert_eq!(mails[0].subject, "Confirm your e-mail address");
    let token = mails[0].token();
    let answer = confirm(&world, &token).await.expect(StatusCode::OK);
    assert_eq!(answer.body["tenants"][0]["name"], "New & Co");
    assert_eq!(answer.body["tenants"][0]["slug"], "new-co");
    assert_eq!(answer.body["tenants"][0]["role"], "owner");
    assert_eq!(answer.body["user"]["installation_administrator"], false);
    assert_eq!(answer.body["must_set_password"], false);
    let caller = session(&world, &answer);
    let tenant = answer.body["tenants"][0]["id"].as_str().unwrap().to_owned();
    let audit = caller
        .get(&format!("/api/v1/tenants/{tenant}/audit"))
        .await
        .text();
    assert!(
        audit.contains("+493012345678") && audit.contains("https://example.com/terms"),
        "{audit}"
    );
    sign_in(&world, EMAIL, PASSWORD)
        .await
        .expect(StatusCode::OK);
    let again = confirm(&world, &token).await.expect(StatusCode::NOT_FOUND);
    assert_eq!(again.body["type"], "link-refused");
}

#[tokio::test]
async fn nobody_is_told_who_has_access() {
    let world = open().await;
    world.outsider(EMAIL).await;
    let known = sign_up(&world, &input(&world).await).await;
    let mut other = input(&world).await;
    other["email"] = "other@new.example".into();
    let unknown = sign_up(&world, &other).await;
    assert_eq!(known.without_request_id(), unknown.without_request_id());
    let mails = world.mails_to(EMAIL, 1).await;
    assert_eq!(mails[0].subject, "Somebody signed up with your address");
    assert!(!mails[0].text.contains("/confirm#"), "{}", mails[0].text);
    world.mails_to("other@new.example", 1).await;
}

#[tokio::test]
async fn an_address_that_got_access_meanwhile_is_not_taken_over() {
    let world = open().await;
    sign_up(&world, &input(&world).await)
        .await
        .expect(StatusCode::ACCEPTED);
    let token = world.mails_to(EMAIL, 1).await[0].token();
    world.outsider(EMAIL).await;
    confirm(&world, &token).await.expect(StatusCode::CONFLICT);
    sign_in(&world, EMAIL, PASSWORD)
        .await
        .expect(StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn each_field_is_checked() {
    let world = open().await;
    let good = input(&world).await;
    for (field, value) in [
        ("first_name", json!("")),
        ("last_name", json!("x".repeat(101))),
        ("company", json!("a\u{202e}b")),
        ("email", json!("nora")),
        ("phone", json!("030 12345678")),
        ("country", json!("XX")),
        ("country", json!("de")),
        ("password", json!("short")),
        ("terms", json!(false)),
        ("privacy", json!(false)),
        ("puzzle", json!("a.0.9999999999.c")),
    ] {
        let mut input = good.clone();
        input[field] = value;
        assert_eq!(sign_up(&world, &input).await.wrong_fields(), [field]);
    }
    sign_up(&world, &good).await.expect(StatusCode::ACCEPTED);
}

#[tokio::test]
async fn a_puzzle_counts_once_and_takes_work() {
    let world = open().await;
    let first = input(&world).await;
    sign_up(&world, &first).await.expect(StatusCode::ACCEPTED);
    let mut again = first.clone();
    again["email"] = "other@new.example".into();
    assert_eq!(sign_up(&world, &again).await.wrong_fields(), ["puzzle"]);
    let mut unsolved = input(&world).await;
    let text = unsolved["puzzle"].as_str().unwrap().to_owned();
    let wrong =
        (0_u64..).find(|number| Sha256::digest(format!("{text}:{number}").as_bytes())[0] != 0);
    unsolved["solution"] = wrong.unwrap().into();
    assert_eq!(sign_up(&world, &unsolved).await.wrong_fields(), ["puzzle"]);
    unsolved["solution"] = solution(&text).into();
    sign_up(&world, &unsolved)
        .await
        .expect(StatusCode::ACCEPTED);
}

#[tokio::test]
async fn one_address_gets_few_mails() {
    let world = open().await;
    for _ in 0..3 {
        sign_up(&world, &input(&world).await)
            .await
            .expect(StatusCode::ACCEPTED);
    }
    let answer = sign_up(&world, &input(&world).await).await;
    answer.expect(StatusCode::TOO_MANY_REQUESTS);
    let mails = world.mails_to(EMAIL, 3).await;
    confirm(&world, &mails[1].token())
        .await
        .expect(StatusCode::NOT_FOUND);
    confirm(&world, &mails[0].token())
        .await
        .expect(StatusCode::OK);
}

#[tokio::test]
async fn without_the_operators_word_nobody_signs_up() {
    let world = World::start().await;
    let offer = world
        .nobody()
        .get("/api/v1/sign-up")
        .await
        .expect(StatusCode::OK);
    assert_eq!(offer.body, json!({"open": false}));
    for path in ["puzzle", "confirmation"] {
        let body = match path {
            "puzzle" => json!({}),
            _ => json!({"token": "x".repeat(43), "password": PASSWORD}),
        };
        let answer = world
            .nobody()
            .post(&format!("/api/v1/sign-up/{path}"), body)
            .await;
        answer.expect(StatusCode::NOT_FOUND);
    }
    let input = json!({"first_name": "Nora", "last_name": "New", "email": EMAIL, "phone": "+493012345678", "country": "DE",
        "password": PASSWORD, "terms": true, "privacy": true, "puzzle": "", "solution": 0});
    sign_up(&world, &input).await.expect(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn who_asked_for_the_mail_does_not_get_what_its_reader_confirms() {
    let world = open().await;
    let mut theirs = input(&world).await;
    theirs["password"] = "the password of another".into();
    sign_up(&world, &input(&world).await)
        .await
        .expect(StatusCode::ACCEPTED);
    sign_up(&world, &theirs).await.expect(StatusCode::ACCEPTED);
    let token = world.mails_to(EMAIL, 2).await[0].token();
    for wrong in [PASSWORD, "", &"x".repeat(5000)] {
        let answer = confirm_by(&world, &token, wrong).await;
        assert!(answer.headers.get("set-cookie").is_none());
        assert_eq!(answer.wrong_fields(), ["password"]);
    }
    sign_up(&world, &input(&world).await)
        .await
        .expect(StatusCode::ACCEPTED);
    let token = world.mails_to(EMAIL, 3).await[0].token();
    confirm(&world, &token).await.expect(StatusCode::OK);
    let password = "the password of another";
    sign_in(&world, EMAIL, password)
        .await
        .expect(StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_password_of_a_sign_up_is_not_guessed() {
    let world = open().await;
    sign_up(&world, &input(&world).await)
        .await
        .expect(StatusCode::ACCEPTED);
    let token = world.mails_to(EMAIL, 1).await[0].token();
    for _ in 0..10 {
        confirm_by(&world, &token, "wrong")
            .await
            .expect(StatusCode::UNPROCESSABLE_ENTITY);
    }
    confirm(&world, &token)
        .await
        .expect(StatusCode::TOO_MANY_REQUESTS);
}

async fn sign_up_from(world: &World, source: &str, input: &Value) -> Answer {
    let headers = [("x-forwarded-for", source)];
    let nobody = world.nobody();
    nobody
        .send(
            Method::POST,
            "/api/v1/sign-up",
            Some(input.clone()),
            &headers,
        )
        .await
}

#[tokio::test]
async fn without_work_nobody_keeps_others_out() {
    let world = open().await;
    let mut nonsense = input(&world).await;
    nonsense["puzzle"] = "a.0.9999999999.c".into();
    // More than all may sign up together, and more than one address gets.
    for number in 0..210 {
        let source = format!("192.0.2.{}", number / 20);
        let answer = sign_up_from(&world, &source, &nonsense).await;
        assert_eq!(answer.wrong_fields(), ["puzzle"]);
    }
    let refused = sign_up_from(&world, "192.0.2.1", &nonsense).await;
    refused.expect(StatusCode::TOO_MANY_REQUESTS);
    let first = input(&world).await;
    sign_up_from(&world, "198.51.100.1", &first)
        .await
        .expect(StatusCode::ACCEPTED);

    let mut replayed = first.clone();
    replayed["email"] = "other@new.example".into();
    for _ in 0..3 {
        let answer = sign_up_from(&world, "198.51.100.2", &replayed).await;
        assert_eq!(answer.wrong_fields(), ["puzzle"]);
    }
    let mut other = input(&world).await;
    other["email"] = "other@new.example".into();
    sign_up_from(&world, "198.51.100.3", &other)
        .await
        .expect(StatusCode::ACCEPTED);
}

#[tokio::test]
async fn who_signs_up_with_an_address_keeps_nobody_from_a_new_password() {
    let world = open().await;
    world.outsider(EMAIL).await;
    for _ in 0..3 {
        sign_up(&world, &input(&world).await)
            .await
            .expect(StatusCode::ACCEPTED);
    }
    let reset = json!({"email": EMAIL});
    let asked = world.nobody().post("/api/v1/password-reset", reset).await;
    asked.expect(StatusCode::ACCEPTED);
}
