//! Activation as people meet it: once, by code, link or QR image, and refused in one way.

use tests::{Phone, Server, until};

#[tokio::test]
async fn a_code_works_once_and_every_wrong_one_is_refused_alike() {
    let server = Server::start().await;
    let tenant = server.administrator().await.tenant("acme").await;
    let device = tenant.device("1001").await;
    let first = Phone::new();
    first.activate(&server.portal_url, &device.code).await;

    let mut answers = Vec::new();
    for code in [device.code.as_str(), "0000-0000-0000-0000"] {
        let phone = Phone::new();
        let refused = phone
            .command(&["activate", "--portal", &server.portal_url, "--code", code])
            .await;
        assert!(!refused.status.success(), "{}", refused.stdout);
        assert!(
            !phone.profile().join("device.json").exists(),
            "a refused activation leaves nothing behind"
        );
        answers.push((refused.status.code(), refused.stdout, refused.stderr));
    }
    assert_eq!(answers[0].0, answers[1].0);
}

#[tokio::test]
async fn forgiving_typing_and_the_link_both_activate() {
    let server = Server::start().await;
    let tenant = server.administrator().await.tenant("acme").await;
    let typed = tenant.device("1001").await;
    let sloppy = typed.code.to_lowercase().replace('-', " ");
    Phone::new()
        .ok(&[
            "activate",
            "--portal",
            &server.portal_url,
            "--code",
            &sloppy,
        ])
        .await;
    let linked = tenant.device("1002").await;
    Phone::new().ok(&["activate", "--link", &linked.link]).await;
}

#[tokio::test]
async fn a_device_turns_online_and_a_reset_signs_it_out() {
    let server = Server::start().await;
    let tenant = server.administrator().await.tenant("acme").await;
    let device = tenant.device("1001").await;
    assert_eq!(tenant.shown(&device.id).await["status"], "not_activated");
    let mut phone = Phone::new();
    phone.activate(&server.portal_url, &device.code).await;
    phone.run(&[]).await;
    // The live channel is a connection of its own, beside the line that the phone is ready with.
    until("the device turns online", async || {
        tenant.shown(&device.id).await["status"] == "online"
    })
    .await;

    tenant.reset(&device.id).await;

    phone.ended().await;
    assert_eq!(tenant.shown(&device.id).await["status"], "not_activated");
    let refused = phone.command(&["status"]).await;
    assert!(
        !refused.status.success(),
        "a revoked phone has nothing to show: {}",
        refused.stdout
    );
}
