//! The company directory on phones: names of callers, calls by name, and a change that arrives by itself.

use serde_json::Value;
use tests::{Phone, Server, until};

/// Waits until the phone's directory answers a search with exactly this person.
async fn knows(phone: &Phone, search: &[&str], name: &str) {
    until(&format!("a phone knows {name}"), async || {
        let asked: Vec<_> = ["directory"].iter().chain(search).copied().collect();
        let people = phone.ok(&asked).await["people"].clone();
        matches!(people.as_array().map(Vec::as_slice), Some([one]) if one["name"] == name)
    })
    .await;
}

/// The other side of the phone's last call, as it was shown.
async fn last_party(phone: &Phone) -> Value {
    let status = phone.ok(&["status", "--wait", "idle"]).await;
    let ended = status["ended"].as_array().cloned().unwrap_or_default();
    ended
        .last()
        .map_or(Value::Null, |ended| ended["party"].clone())
}

#[tokio::test]
async fn callers_have_the_names_of_the_directory_and_people_are_called_by_them() {
    let server = Server::start().await;
    let tenant = server.administrator().await.tenant("acme").await;
    let (mut alice, mut bob) = (Phone::new(), Phone::new());
    let mut devices = Vec::new();
    for (phone, extension) in [(&mut alice, "1001"), (&mut bob, "1002")] {
        let device = tenant.device(extension).await;
        phone.activate(&server.portal_url, &device.code).await;
        devices.push(device);
    }
    tenant
        .name_person(&devices[0], "Alice", "von der Example")
        .await;
    tenant.name_person(&devices[1], "Bob", "Example").await;
    alice.run(&[]).await;
    bob.run(&["--auto-answer"]).await;
    knows(&bob, &["alice", "1001"], "Alice von der Example").await;
    knows(&alice, &["bob"], "Bob Example").await;

    let call = ["--wait", "ended", "--duration", "1"];
    let placed = [["call", "bob example"].as_slice(), &call].concat();
    let placed = alice.ok(&placed).await;
    assert_eq!(placed["party"], "Bob Example", "{placed}");
    assert_eq!(last_party(&bob).await, "Alice von der Example");

    let several = alice.command(&["call", "example"]).await;
    assert_eq!(several.status.code(), Some(9), "{}", several.stdout);
    for name in ["Alice von der Example", "Bob Example"] {
        assert!(several.stdout.contains(name), "{}", several.stdout);
    }
    let nobody = alice.command(&["call", "zoe nobody"]).await;
    assert_eq!(nobody.status.code(), Some(11), "{}", nobody.stdout);

    // Nobody touches the phones: the portal tells them.
    tenant.name_person(&devices[0], "Alice", "Newname").await;
    knows(&bob, &["alice"], "Alice Newname").await;
    alice
        .ok(&[["call", "1002"].as_slice(), &call].concat())
        .await;
    assert_eq!(last_party(&bob).await, "Alice Newname");

    // It is on disk, and goes with the activation.
    bob.kill().await;
    knows(&bob, &["newname"], "Alice Newname").await;
    let file = bob.profile().join("directory.json");
    assert!(file.exists());
    bob.run(&[]).await;
    bob.ok(&["deactivate"]).await;
    bob.ended().await;
    assert!(!file.exists());
}
