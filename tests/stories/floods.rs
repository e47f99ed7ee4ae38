//! Requests without credentials, more than a server can challenge, while one phone is registered.

use serde_json::Value;
use tests::{Server, output_of, program};
use tokio::process::Command;

/// A short flood by the load generator; what it saw.
async fn flood(origin: &str, method: &str) -> Value {
    let server = Server::start().await;
    let tenant = server.administrator().await.tenant("acme").await;
    tenant.account("2001", "first-secret").await;
    let mut command = Command::new(program("bench"));
    command.args(["flood", "--target", &server.sip, "--domain", &tenant.domain]);
    command.args(["--user", "2001", "--password", "first-secret"]);
    command.args(["--from", origin, "--method", method]);
    command.args(["--rate", "3000", "--seconds", "3", "--refreshes", "5"]);
    let told = output_of(&mut command).await;
    assert!(told.status.success(), "{}{}", told.stderr, server.log());
    serde_json::from_str(&told.stdout).expect("the generator prints JSON")
}

fn assert_unharmed(told: &Value) {
    assert_eq!(told["refreshes_granted"], told["refreshes"], "{told}");
    let ratio = told["longest_reply_ratio"].as_f64();
    assert!(ratio.is_some_and(|ratio| ratio <= 1.5), "{told}");
}

#[tokio::test]
async fn a_phone_refreshes_while_another_address_floods_with_calls() {
    assert_unharmed(&flood("other", "invite").await);
}

#[tokio::test]
async fn a_phone_refreshes_while_its_own_address_floods_with_registrations() {
    assert_unharmed(&flood("neighbour", "register").await);
}

#[tokio::test]
async fn a_phone_refreshes_while_its_own_socket_floods_with_calls() {
    assert_unharmed(&flood("own", "invite").await);
}
