//! The addresses to allow are those at which the server that runs is really reached.

use serde_json::Value;
use tests::{Server, Trust};

fn ports(rules: &[Value], purpose: &str) -> Vec<(String, u64)> {
    let of = |rule: &&Value| rule["purpose"] == purpose;
    let port = |rule: &Value| {
        let protocol = rule["protocol"].as_str().unwrap_or_default();
        (
            protocol.to_owned(),
            rule["first_port"].as_u64().unwrap_or_default(),
        )
    };
    rules.iter().filter(of).map(port).collect()
}

fn port(address: &str) -> u64 {
    let port = address.rsplit(':').next().unwrap_or_default();
    port.parse().expect("an address ends with its port")
}

#[tokio::test]
async fn what_is_to_be_allowed_is_what_the_server_listens_on() {
    let trust = Trust::new(&[]);
    let certificate = &trust.certificate;
    let config = format!(
        "[sip]\npublic_host = \"localhost\"\n\
         [sip.tls]\nlisten = [\"127.0.0.1:0\"]\ncertificate = {:?}\nkey = {:?}\n\
         [sip.websocket]\nlisten = [\"127.0.0.1:0\"]\nlisten_secure = [\"127.0.0.1:0\"]\n",
        certificate.chain, certificate.key
    );
    let server = Server::start_configured(&config).await;
    let tenant = server.administrator().await.tenant("acme").await;
    let told = tenant.get("/addresses").await;
    let rules = told["rules"].as_array().expect("rules");

    let at = |protocol: &str, address: &str| (protocol.to_owned(), port(address));
    let of = |address: &Option<String>| at("tcp", address.as_deref().expect("it listens"));
    assert_eq!(ports(rules, "portal"), [at("tcp", &server.portal_url)]);
    let signalling = [
        at("udp", &server.sip),
        at("tcp", &server.sip),
        of(&server.sip_tls),
    ];
    assert_eq!(ports(rules, "signalling"), signalling);
    let sockets = [of(&server.sip_ws), of(&server.sip_wss)];
    assert_eq!(ports(rules, "web_socket"), sockets);
    for rule in rules.iter().filter(|rule| rule["purpose"] == "signalling") {
        assert_eq!(rule["host"], "localhost");
        let found = rule["addresses"].as_array().expect("addresses");
        assert!(found.contains(&"127.0.0.1".into()), "{rule}");
    }
}
