//! A provider is tried from the portal at a registrar that is not ours: Kamailio, over every transport.

use serde_json::{Value, json};
use tests::{Server, Tenant, Trust};

use crate::kamailio::{DOMAIN, Kamailio};
use crate::peer::Carrier;

const PASSWORD: &str = "c4n4ry-password";

/// A registrar, and a portal that may reach this machine and believes the registrar's authority.
struct Ground {
    registrar: Kamailio,
    tenant: Tenant,
    _server: Server,
    _trust: Trust,
}

impl Ground {
    async fn new() -> Self {
        let trust = Trust::new(&[DOMAIN]);
        let config = format!(
            "[egress]\nallow = [\"127.0.0.0/8\"]\n[sip]\nprovider_authorities = {:?}\n",
            trust.authority
        );
        let server = Server::start_configured(&config).await;
        Self {
            registrar: Kamailio::registrar(PASSWORD, Some(&trust)).await,
            tenant: server.administrator().await.tenant("acme").await,
            _server: server,
            _trust: trust,
        }
    }

    async fn try_over(&self, carrier: Carrier, password: &str) -> Vec<Value> {
        let address = self.registrar.address(carrier);
        let provider = json!({"name": "Kamailio", "server": DOMAIN, "transport": carrier.name(),
            "outbound_proxy": format!("sip:{address}")});
        let input = json!({"provider": provider, "username": "1001", "password": password});
        self.tenant.try_provider(input).await
    }
}

fn steps(told: &[Value]) -> Vec<&str> {
    told.iter()
        .filter_map(|event| event["step"].as_str())
        .collect()
}

/// Messages and the end aside.
fn way(told: &[Value]) -> Vec<&str> {
    let mut way = steps(told);
    way.retain(|step| !["message", "ended"].contains(step));
    way
}

fn result(told: &[Value]) -> &str {
    let last = told.last().map_or(&Value::Null, |event| &event["result"]);
    last.as_str().unwrap_or("none")
}

async fn it_is_registered_at_and_left(carrier: Carrier) {
    let ground = Ground::new().await;
    let told = ground.try_over(carrier, PASSWORD).await;
    assert_eq!(result(&told), "good", "{told:?}");
    let expected: &[&str] = match carrier {
        Carrier::Tls => &[
            "looking_up",
            "found",
            "trying",
            "secured",
            "challenged",
            "registered",
        ],
        Carrier::Udp | Carrier::Tcp => {
            &["looking_up", "found", "trying", "challenged", "registered"]
        }
    };
    assert_eq!(way(&told)[..expected.len()], *expected, "{told:?}");
    let asked = told.iter().find(|event| event["step"] == "challenged");
    assert_eq!(asked.expect("a challenge")["realm"], DOMAIN);
    // REGISTER, 401, REGISTER, 200, and the same to leave, with the nonce that is known.
    let lines: Vec<_> = told
        .iter()
        .filter_map(|event| event["first_line"].as_str())
        .collect();
    assert!(lines.len() >= 6, "{lines:?}");
    assert_eq!(lines.last().copied(), Some("SIP/2.0 200 OK"));
    let text = Value::from(told).to_string();
    assert!(
        !text.contains(PASSWORD) && !text.contains("response="),
        "{text}"
    );

    let told = ground.try_over(carrier, "not the password").await;
    assert_eq!(result(&told), "wrong_password", "{told:?}");
    assert!(!steps(&told).contains(&"registered"), "{told:?}");
}

#[tokio::test]
async fn it_is_registered_at_and_left_over_udp() {
    it_is_registered_at_and_left(Carrier::Udp).await;
}

#[tokio::test]
async fn it_is_registered_at_and_left_over_tcp() {
    it_is_registered_at_and_left(Carrier::Tcp).await;
}

#[tokio::test]
async fn it_is_registered_at_and_left_over_tls() {
    it_is_registered_at_and_left(Carrier::Tls).await;
}
