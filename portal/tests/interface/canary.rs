//! A SIP password goes to the device that needs it and nowhere else: no answer, no log line.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use reqwest::StatusCode;
use serde_json::json;
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

use crate::{
    phone::{Phone, activate},
    world::{Answer, World},
};

const CANARY: &str = "canary-5d1f2c";

/// Everything that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn secrets_are_in_no_answer_and_no_log() {
    let log = Log::default();
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new("trace"))
        .with_writer(log.clone())
        .init();
    let world = World::start().await;
    let provider = world.own_provider().await["id"].clone();
    let input =
        json!({"provider_id": provider, "name": "101", "username": "101", "password": CANARY});
    let accounts = world.path("accounts");
    let mut answers: Vec<Answer> = Vec::new();
    let created = world
        .owner
        .post(&accounts, input.clone())
        .await
        .expect(StatusCode::CREATED);
    let account = created.body.clone();
    let path = format!("{accounts}/{}", created.id());
    answers.push(created);
    answers.push(
        world
            .owner
            .post(&accounts, input.clone())
            .await
            .expect(StatusCode::CONFLICT),
    );
    answers.push(
        world
            .owner
            .put(&path, input.clone())
            .await
            .expect(StatusCode::OK),
    );
    let mut wrong = input;
    wrong["username"] = "not allowed".into();
    answers.push(
        world
            .owner
            .put(&path, wrong)
            .await
            .expect(StatusCode::UNPROCESSABLE_ENTITY),
    );

    let device = world.device(&[&account]).await;
    let activation = world.activation_path(&device);
    let shown = world.owner.get(&activation).await.body;
    let phone = activate(&device, &world).await;
    assert_eq!(phone.configuration["lines"][0]["password"], CANARY);
    for rest in [
        "providers",
        "accounts",
        "contacts",
        "devices",
        "audit",
        "members",
    ] {
        answers.push(
            world
                .owner
                .get(&world.path(rest))
                .await
                .expect(StatusCode::OK),
        );
    }
    answers.push(world.owner.get(&path).await);
    answers.push(world.owner.get(&activation).await);
    let used = shown["code"].as_str().unwrap();
    answers.push(
        Phone::new(&world)
            .activate("code", used)
            .await
            .expect(StatusCode::NOT_FOUND),
    );
    answers.push(world.owner.delete(&path).await.expect(StatusCode::CONFLICT));
    for answer in &answers {
        assert!(!answer.text().contains(CANARY), "{}", answer.text());
    }

    let logged = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(logged.contains("answered"), "the log was captured");
    let token = shown["link"].as_str().unwrap().rsplit('#').next().unwrap();
    let session = world.owner.session.clone().unwrap();
    let bearer = phone.caller.bearer.clone().unwrap();
    for secret in [CANARY, used, token, session.as_str(), bearer.as_str()] {
        if let Some(line) = logged.lines().find(|line| line.contains(secret)) {
            panic!("a secret was logged: {line}");
        }
    }
}
