//! What is left of calls between two phones: who looks in the portal finds who called whom and what became of it.

use reqwest::Method;
use serde_json::Value;
use tests::{Phone, Server, Tenant, until};

/// Two phones of one company, 1001 and 1002, that are registered.
async fn company(server: &Server) -> (Tenant, Phone, Phone) {
    let tenant = server.administrator().await.tenant("acme").await;
    let (mut alice, mut bob) = (Phone::new(), Phone::new());
    for (phone, extension) in [(&mut alice, "1001"), (&mut bob, "1002")] {
        let device = tenant.device(extension).await;
        phone.activate(&server.portal_url, &device.code).await;
        phone.run(&[]).await;
    }
    (tenant, alice, bob)
}

/// The calls that the portal lists, once there are so many and none goes on.
async fn calls(tenant: &Tenant, count: usize) -> Vec<Value> {
    let list = async || {
        let page = tenant.get("/calls").await;
        page["items"].as_array().cloned().unwrap_or_default()
    };
    until("the calls are in the portal", async || {
        let calls = list().await;
        calls.len() == count && calls.iter().all(|call| call["outcome"] != "ongoing")
    })
    .await;
    list().await
}

fn words(call: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    format!(
        "{} {} {} {}",
        text(&call["caller"]["number"]),
        text(&call["callee"]["number"]),
        text(&call["outcome"]),
        text(&call["reason"])
    )
}

#[tokio::test]
async fn every_call_is_in_the_portal_with_what_became_of_it() {
    let server = Server::start().await;
    let (tenant, alice, bob) = company(&server).await;

    let call = async {
        alice
            .ok(&["call", "1002", "--wait", "ended", "--timeout", "30"])
            .await
    };
    let answer = async {
        bob.ok(&["status", "--wait", "ringing", "--timeout", "20"])
            .await;
        bob.ok(&["answer"]).await;
        bob.ok(&["status", "--wait", "talking", "--timeout", "20"])
            .await;
        bob.ok(&["hangup"]).await;
    };
    tokio::join!(call, answer);

    for how in [&["reject", "--declined"][..], &["reject"]] {
        let call = async {
            alice
                .command(&["call", "1002", "--wait", "ended", "--timeout", "30"])
                .await
        };
        let refuse = async {
            bob.ok(&["status", "--wait", "ringing", "--timeout", "20"])
                .await;
            bob.ok(how).await;
        };
        tokio::join!(call, refuse);
    }

    let call = async {
        alice
            .command(&["call", "1002", "--wait", "ended", "--timeout", "30"])
            .await
    };
    let give_up = async {
        bob.ok(&["status", "--wait", "ringing", "--timeout", "20"])
            .await;
        alice.ok(&["hangup"]).await;
    };
    tokio::join!(call, give_up);
    alice
        .command(&["call", "1009", "--wait", "ended", "--timeout", "30"])
        .await;

    let calls = calls(&tenant, 5).await;
    let found: Vec<_> = calls.iter().map(words).collect();
    assert_eq!(
        found,
        [
            "1001 1009 failed unknown_number",
            "1001 1002 cancelled caller_gave_up",
            "1001 1002 busy busy",
            "1001 1002 declined declined",
            "1001 1002 answered callee_hung_up",
        ]
    );
    let answered = &calls[4];
    assert_eq!(answered["direction"], "internal");
    assert_eq!(answered["caller"]["device"]["name"], "1001", "{answered}");
    assert_eq!(answered["callee"]["device"]["name"], "1002", "{answered}");
    assert_eq!(answered["callee"]["contact"]["name"], "1002 Tester");
    assert!(answered["answered_at"].is_string(), "{answered}");

    let busy = tenant.get("/calls?outcome=busy&search=1002").await;
    assert_eq!(busy["items"].as_array().map(Vec::len), Some(1), "{busy}");
    let one = format!("/calls/{}", answered["id"].as_str().unwrap_or_default());
    assert_eq!(tenant.get(&one).await["call"], *answered);
    tenant.send(Method::DELETE, &one, 204).await;
    tenant.send(Method::GET, &one, 404).await;
}

#[tokio::test]
async fn a_call_that_a_power_cut_ended_is_not_forgotten() {
    let server = Server::start().await;
    let (tenant, alice, bob) = company(&server).await;
    let call = async {
        alice
            .ok(&["call", "1002", "--wait", "answered", "--timeout", "30"])
            .await
    };
    let answer = async {
        bob.ok(&["status", "--wait", "ringing", "--timeout", "20"])
            .await;
        bob.ok(&["answer"]).await;
    };
    tokio::join!(call, answer);
    let first = async || tenant.get("/calls").await["items"][0].clone();
    until("the call is known while it goes on", async || {
        first().await["outcome"] == "ongoing"
    })
    .await;

    let server = server.kill_and_restart().await;
    let interrupted = first().await;
    assert_eq!(interrupted["outcome"], "interrupted", "{interrupted}");
    assert_eq!(interrupted.get("ended_at"), None, "{interrupted}");
    drop(server);
}
