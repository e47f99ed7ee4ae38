//! Trials of providers: who may be tried with which password, and steps that arrive as they happen.

use api::{
    ProviderTestEvent, ProviderTestResult, ProviderTestStep, RegistrationTrial, Secret, Transport,
};
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use tokio::sync::mpsc::Sender;

use crate::world::World;

const PASSWORD: &str = "c4n4ry-password";

/// The answer before its body, and what the proxy was asked, with whom to tell what comes of it.
async fn begin(
    path: &str,
    input: &Value,
    world: &World,
) -> (Response, RegistrationTrial, Sender<ProviderTestEvent>) {
    let session = world.owner.session.clone().unwrap();
    let request = Client::new()
        .post(format!("{}{path}", world.base))
        .header("cookie", format!("tandem_session={session}"))
        .json(input);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let (trial, told) = world.proxy.tried().expect("the proxy was asked");
    (answer, trial, told)
}

/// A provider of somebody else's with an account, and where it is tried.
async fn provider(world: &World) -> (Value, Value, String) {
    let input = json!({"name": "Trunk", "server": "sip.provider.example", "port": 5061,
        "transport": "tls", "outbound_proxy": "sip:edge.provider.example"});
    let made = world.owner.post(&world.path("providers"), input).await;
    let provider = made.expect(StatusCode::CREATED).body;
    let input = json!({"provider_id": provider["id"], "name": "Line", "username": "4930123",
        "auth_username": "customer", "password": PASSWORD});
    let made = world.owner.post(&world.path("accounts"), input).await;
    let account = made.expect(StatusCode::CREATED).body;
    let path = world.path(&format!(
        "providers/{}/test",
        provider["id"].as_str().unwrap()
    ));
    (provider, account, path)
}

#[tokio::test]
async fn steps_arrive_as_they_happen() {
    let world = World::start().await;
    let (_, account, path) = provider(&world).await;
    let input = json!({"account_id": account["id"]});
    let (mut answer, trial, told) = begin(&path, &input, &world).await;
    assert_eq!(answer.headers()["content-type"], "application/x-ndjson");
    let expected = RegistrationTrial {
        server: "sip.provider.example".to_owned(),
        port: Some(5061),
        transport: Transport::Tls,
        outbound_proxy: Some("sip:edge.provider.example".to_owned()),
        username: "4930123".to_owned(),
        auth_username: "customer".to_owned(),
        password: Some(Secret(PASSWORD.to_owned())),
        own: false,
    };
    assert_eq!(trial, expected);
    let ended = ProviderTestStep::Ended {
        result: ProviderTestResult::WrongPassword,
        status: Some(401),
    };
    let host = "sip.provider.example".to_owned();
    let first = json!({"after_ms": 0, "step": "looking_up", "host": host});
    let last = json!({"after_ms": 1, "step": "ended", "result": "wrong_password", "status": 401});
    for (after_ms, step, line) in [
        (0, ProviderTestStep::LookingUp { host }, first),
        (1, ended, last),
    ] {
        told.send(ProviderTestEvent { after_ms, step })
            .await
            .unwrap();
        // Before the next one is even known.
        let chunk = answer.chunk().await.unwrap().unwrap();
        assert!(chunk.ends_with(b"\n"));
        assert_eq!(serde_json::from_slice::<Value>(&chunk).unwrap(), line);
    }
    drop(told);
    assert!(answer.chunk().await.unwrap().is_none());
    let log = world.owner.get(&world.path("audit")).await;
    let log = log.expect(StatusCode::OK);
    let entry = &log.body["items"][0];
    assert_eq!(entry["action"], "provider.test");
    let server = &entry["changes"]["server"];
    assert_eq!(*server, json!([null, "sip.provider.example"]));
    assert!(!log.text().contains(PASSWORD));
}

#[tokio::test]
async fn a_saved_password_goes_to_the_saved_provider_alone() {
    let world = World::start().await;
    let (saved, account, path) = provider(&world).await;
    let mine = json!({"name": "Trunk", "server": "attacker.example"});
    let wrong = async |path: &str, input: Value| {
        let answer = world.owner.post(path, input).await;
        answer.wrong_fields()
    };
    let stolen = json!({"account_id": account["id"], "provider": mine});
    assert_eq!(wrong(&path, stolen.clone()).await, ["account_id"]);
    let unsaved = world.path("providers/test");
    assert_eq!(wrong(&unsaved, stolen).await, ["account_id"]);
    let own = world.own_provider().await;
    let own = world.path(&format!("providers/{}/test", own["id"].as_str().unwrap()));
    let foreign = json!({"account_id": account["id"]});
    assert_eq!(wrong(&own, foreign).await, ["account_id"]);
    assert_eq!(
        wrong(&unsaved, json!({"username": "a"})).await,
        ["provider"]
    );
    assert_eq!(wrong(&path, json!({})).await, ["username"]);
    let malformed = json!({"username": "a", "provider": {"name": "x", "server": "a b"}});
    assert_eq!(wrong(&unsaved, malformed).await, ["server"]);
    assert!(world.proxy.tried().is_none(), "nothing was sent");

    let entered = json!({"username": "a", "password": "typed", "provider": mine});
    let (_, trial, _) = begin(&unsaved, &entered, &world).await;
    assert_eq!(trial.server, "attacker.example");
    assert_eq!(trial.password, Some(Secret("typed".to_owned())));
    assert_eq!((trial.username.as_str(), trial.own), ("a", false));
    drop(saved);
}

#[tokio::test]
async fn tandems_own_proxy_is_tried_by_the_way_of_the_installation() {
    let world = World::start().await;
    let account = world.account("101").await;
    let own = world.own_provider().await;
    let path = world.path(&format!("providers/{}/test", own["id"].as_str().unwrap()));
    let elsewhere = json!({"name": "x", "server": "attacker.example"});
    let input = json!({"account_id": account["id"], "provider": elsewhere});
    let (_, trial, _) = begin(&path, &input, &world).await;
    assert_eq!(trial.server, "acme.tandem.localhost");
    assert_eq!(
        trial.outbound_proxy.as_deref(),
        Some("sip:127.0.0.1:5060;lr")
    );
    assert!(trial.own && trial.password.is_some());
}

#[tokio::test]
async fn a_tenant_has_one_trial_at_a_time() {
    let world = World::start().await;
    let (_, account, path) = provider(&world).await;
    let input = json!({"account_id": account["id"]});
    let (mut answer, _, told) = begin(&path, &input, &world).await;
    let second = world.owner.post(&path, input.clone()).await;
    second.expect(StatusCode::TOO_MANY_REQUESTS);
    drop(told);
    assert!(answer.chunk().await.unwrap().is_none());
    begin(&path, &input, &world).await;
}
