//! A provider is tried from the portal: by the real proxy, over real sockets, at registrars that agree and that refuse.

use serde_json::{Value, json};
use testkit::certificates::{Authority, Subject, Validity};
use tests::Server;

/// May reach this machine, which no installation does unasked.
const LOOPBACK: &str = "[egress]\nallow = [\"127.0.0.0/8\"]\n";
const PASSWORD: &str = "c4n4ry-password";

fn result(told: &[Value]) -> &str {
    let last = told.last().map_or(&Value::Null, |event| &event["result"]);
    last.as_str().unwrap_or("none")
}

fn steps(told: &[Value]) -> Vec<&str> {
    told.iter()
        .filter_map(|event| event["step"].as_str())
        .collect()
}

/// Somebody else's provider that is in truth our own proxy, as `user` with `password`.
fn input(server: &Server, domain: &str, transport: &str, user: &str, password: &str) -> Value {
    let provider = json!({"name": "PBX", "server": domain, "transport": transport,
        "outbound_proxy": format!("sip:{}", server.sip)});
    json!({"provider": provider, "username": user, "password": password})
}

#[tokio::test]
async fn a_provider_is_registered_at_and_left_and_its_refusals_are_told() {
    let server = Server::start_configured(LOOPBACK).await;
    let tenant = server.administrator().await.tenant("acme").await;
    let account = tenant.account("1001", PASSWORD).await;
    let domain = tenant.domain.as_str();

    for transport in ["udp", "tcp"] {
        let told = tenant
            .try_provider(input(&server, domain, transport, "1001", PASSWORD))
            .await;
        assert_eq!(result(&told), "good", "{told:?}");
        let known = ["looking_up", "found", "trying", "message"];
        assert_eq!(steps(&told)[..4], known, "{told:?}");
        for step in ["challenged", "registered"] {
            assert!(steps(&told).contains(&step), "{told:?}");
        }
        let text = Value::from(told).to_string();
        assert!(
            !text.contains(PASSWORD) && !text.contains("response="),
            "{text}"
        );
        assert!(!tenant.is_online(&account).await, "it has left");
    }
    let own = json!({"account_id": account});
    assert_eq!(result(&tenant.try_provider(own).await), "good");

    let wrong = input(&server, domain, "udp", "1001", "not the password");
    assert_eq!(result(&tenant.try_provider(wrong).await), "wrong_password");
    // Who guesses is not told that there is no such account.
    let unknown = input(&server, domain, "udp", "1999", PASSWORD);
    assert_eq!(
        result(&tenant.try_provider(unknown).await),
        "wrong_password"
    );
    let mut another = input(&server, domain, "udp", "1002", PASSWORD);
    another["auth_username"] = "1001".into();
    assert_eq!(result(&tenant.try_provider(another).await), "forbidden");
    let mut closed = input(&server, domain, "tcp", "1001", PASSWORD);
    let port = tests::free_port();
    closed["provider"]["outbound_proxy"] = format!("sip:127.0.0.1:{port}").into();
    let told = tenant.try_provider(closed).await;
    assert_eq!(result(&told), "server_down", "{told:?}");
    let mut nowhere = input(&server, domain, "udp", "1001", PASSWORD);
    nowhere["provider"]["outbound_proxy"] = "sip:no-such-host.invalid".into();
    assert_eq!(
        result(&tenant.try_provider(nowhere).await),
        "host_not_found"
    );
    assert!(!server.log().contains(PASSWORD));
}

#[tokio::test]
async fn an_installation_does_not_look_into_its_own_network_for_a_tenant() {
    let server = Server::start().await;
    let tenant = server.administrator().await.tenant("acme").await;
    let inside = input(&server, &tenant.domain, "tcp", "1001", PASSWORD);
    let told = tenant.try_provider(inside).await;
    assert_eq!(result(&told), "forbidden_address");
    assert!(!steps(&told).contains(&"trying"), "{told:?}");
    // Its own proxy is where the configuration says.
    let account = tenant.account("1001", PASSWORD).await;
    let own = tenant.try_provider(json!({"account_id": account})).await;
    assert_eq!(result(&own), "good", "{own:?}");
}

/// What comes of a trial over TLS at a server with this certificate, whose authority is believed or not.
async fn over_tls(subject: &Subject, is_believed: bool) -> Vec<Value> {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::new("Tests").expect("an authority");
    let issued = authority.issue(subject).expect("a certificate");
    let (chain, key) = issued.write(folder.path(), "server").expect("files");
    let believed = match is_believed {
        true => authority.write(folder.path()),
        false => Authority::new("Others")
            .expect("an authority")
            .write(folder.path()),
    };
    let config = format!(
        "{LOOPBACK}[sip]\nprovider_authorities = {:?}\n\
         [sip.tls]\nlisten = [\"127.0.0.1:0\"]\ncertificate = {chain:?}\nkey = {key:?}\n\
         [sip.websocket]\nlisten = [\"127.0.0.1:0\"]\nlisten_secure = [\"127.0.0.1:0\"]\n",
        believed.expect("a file")
    );
    let server = Server::start_configured(&config).await;
    let tenant = server.administrator().await.tenant("acme").await;
    tenant.account("1001", PASSWORD).await;
    let address = server.sip_tls.clone().expect("it speaks TLS");
    let provider = json!({"name": "PBX", "server": tenant.domain, "transport": "tls",
        "outbound_proxy": format!("sip:{address}")});
    let input = json!({"provider": provider, "username": "1001", "password": PASSWORD});
    tenant.try_provider(input).await
}

#[tokio::test]
async fn a_certificate_that_proves_nothing_is_told_in_its_own_word() {
    let good = Subject {
        addresses: vec!["127.0.0.1".parse().expect("an address")],
        ..Subject::default()
    };
    let expired = Subject {
        validity: Validity::Expired,
        ..good.clone()
    };
    let other = Subject {
        dns: vec!["other.example".to_owned()],
        ..Subject::default()
    };
    let told = over_tls(&good, true).await;
    assert_eq!(result(&told), "good", "{told:?}");
    assert!(steps(&told).contains(&"secured"), "{told:?}");
    for (subject, is_believed, expected) in [
        (&good, false, "certificate_issuer"),
        (&expired, true, "certificate_expired"),
        (&other, true, "certificate_name"),
    ] {
        let told = over_tls(subject, is_believed).await;
        assert_eq!(result(&told), expected, "{told:?}");
        assert!(steps(&told).contains(&"untrusted"), "{told:?}");
        assert!(!steps(&told).contains(&"secured"), "{told:?}");
    }
}
