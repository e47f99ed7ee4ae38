//! Addresses to allow: what runs, what the tenant's providers need, and nothing of another tenant's.

use reqwest::StatusCode;
use serde_json::{Value, json};
use sip::Transport;

use crate::world::World;

async fn world() -> World {
    World::start_with(|config| {
        config.public_url = "https://127.0.0.1:8443".to_owned();
        config.redirect_ports = vec![8080];
        config.sip_listeners = [
            (Transport::Udp, "sip.example.invalid:5060"),
            (Transport::Tcp, "sip.example.invalid:5060"),
            (Transport::Tls, "sip.example.invalid:5061"),
            (Transport::Wss, "sip.example.invalid:5443"),
        ]
        .map(|(over, at)| (over, at.parse().unwrap()))
        .to_vec();
    })
    .await
}

async fn rules(world: &World) -> Vec<Value> {
    let answer = world.owner.get(&world.path("addresses")).await;
    let body = answer.expect(StatusCode::OK).body;
    body["rules"].as_array().unwrap().clone()
}

/// `purpose host protocol/ports`, `?` behind what nothing uses.
fn lines(rules: &[Value]) -> Vec<String> {
    let line = |rule: &Value| {
        let text = |name: &str| rule[name].as_str().unwrap_or("*").to_owned();
        let doubt = if rule["optional"] == true { "?" } else { "" };
        format!(
            "{} {} {}/{}-{}{doubt}",
            text("purpose"),
            text("host"),
            text("protocol"),
            rule["first_port"],
            rule["last_port"]
        )
    };
    rules.iter().map(line).collect()
}

#[tokio::test]
async fn what_runs_is_listed_with_what_is_used_of_it() {
    let world = world().await;
    let expected = [
        "portal 127.0.0.1 tcp/8443-8443",
        "redirection 127.0.0.1 tcp/8080-8080?",
        "signalling sip.example.invalid udp/5060-5060",
        "signalling sip.example.invalid tcp/5060-5060",
        "signalling sip.example.invalid tcp/5061-5061?",
        "web_socket sip.example.invalid tcp/5443-5443?",
        "media * udp/16384-32767",
    ];
    let found = rules(&world).await;
    assert_eq!(lines(&found), expected);
    assert_eq!(found[0]["addresses"], json!(["127.0.0.1"]));
    assert_eq!(found[0]["encrypted"], true);
    assert_eq!(found[2]["encrypted"], false);

    let own = world.own_provider().await;
    let input = json!({"provider_id": own["id"], "name": "n", "username": "u", "transport": "tls"});
    let made = world.owner.post(&world.path("accounts"), input).await;
    made.expect(StatusCode::CREATED);
    let lines = lines(&rules(&world).await);
    assert_eq!(lines[4], "signalling sip.example.invalid tcp/5061-5061");

    let hints = world.owner.get(&world.path("addresses")).await.body["hints"].clone();
    let only = json!([{"kind": "portal_only_here", "address": "https://127.0.0.1:8443"}]);
    assert_eq!(hints, only);
}

#[tokio::test]
async fn providers_are_listed_in_every_way_that_their_accounts_use() {
    let world = world().await;
    let make = async |input: Value| {
        let made = world.owner.post(&world.path("providers"), input).await;
        made.expect(StatusCode::CREATED).body["id"].clone()
    };
    let trunk = make(json!({"name": "Trunk", "server": "192.0.2.7"})).await;
    make(
        json!({"name": "Zone", "server": "zone.invalid", "transport": "tls",
        "outbound_proxy": "sip:edge.invalid:5071;transport=tcp"}),
    )
    .await;
    make(json!({"name": "Zulu", "server": "zulu.invalid", "transport": "tls"})).await;
    let account = json!({"provider_id": trunk, "name": "n", "username": "u", "transport": "tls",
        "password": "four friendly words"});
    let made = world.owner.post(&world.path("accounts"), account).await;
    made.expect(StatusCode::CREATED);

    let found = rules(&world).await;
    let expected = [
        "provider_signalling 192.0.2.7 udp/5060-5060",
        "provider_signalling 192.0.2.7 tcp/5061-5061",
        "provider_signalling edge.invalid tcp/5071-5071",
        "provider_signalling zulu.invalid tcp/5061-5061",
        "provider_media * udp/16384-32767",
        "media * udp/16384-32767",
    ];
    assert_eq!(lines(&found)[6..], expected);
    assert_eq!(found[6]["addresses"], json!(["192.0.2.7"]));
    assert_eq!(found[6]["provider"], "Trunk");
    assert_eq!(
        (&found[6]["may_move"], &found[9]["may_move"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(found[10]["from"], "provider");

    let other = world.tenant_named("Other", &world.owner).await;
    let path = format!("/api/v1/tenants/{other}/addresses");
    let theirs = world.owner.get(&path).await.expect(StatusCode::OK);
    assert!(!theirs.text().contains("192.0.2.7"));
}
