//! Calls that cannot be: each failure has its own plain message, exit status and SIP code.

use serde_json::Value;
use tests::{Phone, Server, Tenant};

/// A phone of the tenant with its engine running.
async fn phone(server: &Server, tenant: &Tenant, extension: &str, arguments: &[&str]) -> Phone {
    let mut phone = Phone::new();
    phone
        .activate(&server.portal_url, &tenant.device(extension).await.code)
        .await;
    phone.run(arguments).await;
    phone
}

/// What a call that must fail says: exit status and the last line of JSON.
async fn failed_call(caller: &Phone, arguments: &[&str]) -> (i32, Value) {
    let done = caller.command(arguments).await;
    let line = done.stdout.lines().last().unwrap_or("null");
    let answer = serde_json::from_str(line).unwrap_or(Value::Null);
    assert!(
        !done.status.success(),
        "the call must fail: {}",
        done.stdout
    );
    (done.status.code().unwrap_or(-1), answer)
}

#[tokio::test]
async fn a_number_that_does_not_exist_is_not_found() {
    let server = Server::start().await;
    let tenant = server.administrator().await.tenant("acme").await;
    let alice = phone(&server, &tenant, "1001", &[]).await;

    let (status, answer) = failed_call(&alice, &["call", "4711"]).await;

    assert_eq!(
        (status, &answer["sip_status"]),
        (11, &404.into()),
        "{answer}"
    );
}

#[tokio::test]
async fn a_phone_that_is_not_registered_is_unavailable() {
    let server = Server::start().await;
    let tenant = server.administrator().await.tenant("acme").await;
    let alice = phone(&server, &tenant, "1001", &[]).await;
    tenant.device("1002").await;

    let (status, answer) = failed_call(&alice, &["call", "1002"]).await;

    assert_eq!(
        (status, &answer["sip_status"]),
        (12, &480.into()),
        "{answer}"
    );
}

#[tokio::test]
async fn a_person_who_rejects_is_busy() {
    let server = Server::start().await;
    let tenant = server.administrator().await.tenant("acme").await;
    let alice = phone(&server, &tenant, "1001", &[]).await;
    let bob = phone(&server, &tenant, "1002", &[]).await;

    let reject = async {
        bob.ok(&["status", "--wait", "ringing", "--timeout", "20"])
            .await;
        bob.ok(&["reject"]).await;
    };
    let ((status, answer), ()) = tokio::join!(failed_call(&alice, &["call", "1002"]), reject);

    assert_eq!(
        (status, &answer["sip_status"]),
        (10, &486.into()),
        "{answer}"
    );
}

#[tokio::test]
async fn a_call_that_nobody_answers_ends_after_the_caller_s_patience() {
    let server = Server::start().await;
    let tenant = server.administrator().await.tenant("acme").await;
    let alice = phone(&server, &tenant, "1001", &[]).await;
    let bob = phone(&server, &tenant, "1002", &[]).await;

    let ringing = async {
        bob.ok(&["status", "--wait", "ringing", "--timeout", "20"])
            .await
    };
    let ((status, answer), _) = tokio::join!(
        failed_call(&alice, &["call", "1002", "--timeout", "3"]),
        ringing
    );

    assert_eq!(status, 13, "{answer}");
    bob.ok(&["status", "--wait", "idle", "--timeout", "20"])
        .await;
}

#[tokio::test]
async fn phones_without_a_common_codec_say_so() {
    let server = Server::start().await;
    let tenant = server.administrator().await.tenant("acme").await;
    let alice = phone(&server, &tenant, "1001", &["--codecs", "opus"]).await;
    let _bob = phone(&server, &tenant, "1002", &["--codecs", "pcmu"]).await;

    let (status, answer) = failed_call(&alice, &["call", "1002"]).await;

    assert_eq!(
        (status, &answer["sip_status"]),
        (15, &488.into()),
        "{answer}"
    );
}
