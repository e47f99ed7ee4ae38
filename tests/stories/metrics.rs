//! What the server tells of itself: metrics, readiness, and a line for each request.

use std::collections::BTreeSet;

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::json;
use store::ConnectionTrait;
use tests::{Server, workspace_root};

const CONFIG: &str = "[metrics]\nlisten = \"127.0.0.1:0\"\ntoken = \"a token of the tests\"\n\
                      [log]\nformat = \"json\"\nrequests = true\n";

async fn text(request: RequestBuilder) -> String {
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    answer.text().await.expect("text")
}

/// Names of all metrics, parts of histograms counted once.
fn names(metrics: &str) -> BTreeSet<String> {
    let types = metrics
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "));
    types
        .filter_map(|line| line.split(' ').next())
        .map(str::to_owned)
        .collect()
}

/// Names that the table in the documents has.
fn documented() -> BTreeSet<String> {
    let path = workspace_root().join("docs/operations.md");
    let text = std::fs::read_to_string(path).expect("the document");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| row.split(['`', '{']).next())
        .filter(|name| name.starts_with("tandem_") || name.starts_with("process_"))
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn what_happens_is_counted_and_every_metric_is_documented() {
    let server = Server::start_configured(CONFIG).await;
    let administrator = server.administrator().await;
    let tenant = administrator.tenant("acme").await;
    let device = tenant.device("1001").await;
    let url = server.said("Metrics").to_owned();
    let wrong = serde_json::json!({"email": "canary@example.com", "password": "guess"});
    let session = format!("{}/api/v1/session", server.portal_url);
    let refused = Client::new().post(session).json(&wrong).send().await;
    assert_eq!(
        refused.expect("an answer").status(),
        StatusCode::UNAUTHORIZED
    );
    let oddity = Method::from_bytes(b"INVENTED").expect("a method");
    let odd = Client::new().request(oddity, format!("{}/api/v1/tenants", server.portal_url));
    odd.send().await.expect("an answer");

    let metrics = text(Client::new().get(&url)).await;
    for line in [
        "tandem_sign_ins_total{outcome=\"refused\"} 1",
        "tandem_http_requests_total{operation=\"POST /api/v1/tenants/{tenant}/devices\",status=\"201\"} 1",
        "tandem_http_request_duration_seconds_count{operation=\"POST /api/v1/tenants/{tenant}/devices\"} 1",
        "tandem_sip_up 1",
        "tandem_sip_registrations 0",
        "tandem_build_info{version=\"",
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
    // No label tells of a person, a tenant, a device or what somebody invented.
    for private in [
        device.id.as_str(),
        device.account.as_str(),
        "canary",
        "acme",
        "INVENTED",
    ] {
        assert!(!metrics.contains(private), "{private}\n{metrics}");
    }
    assert_eq!(
        names(&metrics),
        documented(),
        "docs/operations.md and the server agree"
    );
}

#[tokio::test]
async fn the_length_of_a_queue_is_what_waits_in_it() {
    let config = format!("{CONFIG}[egress]\nallow = [\"127.0.0.0/8\"]\n");
    let server = Server::start_configured(&config).await;
    let administrator = server.administrator().await;
    let tenant = administrator.tenant("acme").await;
    let url = server.said("Metrics").to_owned();
    let lengths = async || {
        let metrics = text(Client::new().get(&url)).await;
        ["mail", "webhooks"].map(|queue| {
            let name = format!("tandem_queue_length{{queue=\"{queue}\"}} ");
            let line = metrics.lines().find_map(|line| line.strip_prefix(&name));
            line.map(str::to_owned)
                .unwrap_or_else(|| panic!("{metrics}"))
        })
    };
    assert_eq!(lengths().await, ["0", "0"]);

    // Nobody listens there, now or later: what is to go there waits, on its way or for the next attempt.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = nobody.local_addr().expect("an address").port();
    drop(nobody);
    let hook = json!({"name": "Hook", "url": format!("https://127.0.0.1:{port}/"), "events": ["contact.created"]});
    let made = tenant.create("/webhooks", hook).await;
    let test = format!("/webhooks/{}/test", made["id"].as_str().expect("an id"));
    for _ in 0..2 {
        tenant.send(Method::POST, &test, 202).await;
    }
    assert_eq!(lengths().await, ["0", "2"]);
    let server = json!({"host": "127.0.0.1", "port": port, "security": "tls", "sender_address": "a@acme.example"});
    let settings = json!({"language": "en", "server": server});
    tenant.put("/mail", settings).await;
    let colleague = json!({"email": "colleague@acme.example", "role": "administrator"});
    tenant.create("/invitations", colleague).await;
    assert_eq!(lengths().await, ["1", "2"]);

    let gone = format!("/webhooks/{}", made["id"].as_str().expect("an id"));
    tenant.send(Method::DELETE, &gone, 204).await;
    assert_eq!(lengths().await, ["1", "0"]);
}

#[tokio::test]
async fn metrics_on_the_portals_listener_are_for_this_machine_or_the_token() {
    let server = Server::start_configured(CONFIG).await;
    let url = format!("{}/metrics", server.portal_url);
    let status = async |request: RequestBuilder| request.send().await.expect("an answer").status();
    let get = || Client::new().get(&url);
    let forwarded = || get().header("x-forwarded-for", "203.0.113.1");
    assert_eq!(status(get()).await, StatusCode::OK);
    assert_eq!(status(forwarded()).await, StatusCode::NOT_FOUND);
    let with = |token: &str| forwarded().header("authorization", format!("Bearer {token}"));
    assert_eq!(status(with("a token of the tests")).await, StatusCode::OK);
    for wrong in ["", "a token of the test", "another"] {
        assert_eq!(
            status(with(wrong)).await,
            StatusCode::NOT_FOUND,
            "{wrong:?}"
        );
    }
}

#[tokio::test]
async fn a_server_whose_database_will_not_do_is_not_ready() {
    let server = Server::start().await;
    let ready = format!("{}/readyz", server.portal_url);
    assert_eq!(text(Client::new().get(&ready)).await, "ready\n");
    let url = format!("sqlite://{}", server.data_dir().join("tandem.db").display());
    let db = store::open(&url, &store::StoreConfig::default())
        .await
        .expect("the database");
    let last =
        "DELETE FROM seaql_migrations WHERE version = (SELECT max(version) FROM seaql_migrations)";
    db.execute_unprepared(last)
        .await
        .expect("the last step is forgotten");
    let answer = Client::new().get(&ready).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    let told = answer.text().await.expect("text");
    assert!(told.contains("lacks steps of the schema"), "{told}");
    assert_eq!(
        text(Client::new().get(format!("{}/healthz", server.portal_url))).await,
        "ok"
    );
}

#[tokio::test]
async fn a_line_of_the_log_is_json_and_says_nothing_of_what_was_asked_for() {
    let server = Server::start_configured(CONFIG).await;
    let administrator = server.administrator().await;
    let tenant = administrator.tenant("acme").await;
    let device = tenant.device("1001").await;
    administrator.get("/tenants?search=canary-word").await;
    let page = format!("{}/canary-path?token=canary-token", server.portal_url);
    Client::new().get(page).send().await.expect("an answer");
    let log = server.log();
    for line in log.lines() {
        let line: serde_json::Value = serde_json::from_str(line).expect("a line is JSON");
        assert!(line["level"].is_string(), "{line}");
    }
    assert!(
        log.contains(r#""route":"/api/v1/tenants/{tenant}/devices""#),
        "{log}"
    );
    for private in ["canary", device.id.as_str(), device.code.as_str()] {
        assert!(!log.contains(private), "{private}\n{log}");
    }
}
