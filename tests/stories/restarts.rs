//! Power cuts: whoever is killed, nothing is corrupt and the next start works.

use tests::{Phone, Server, output_of, serve_command};

#[tokio::test]
async fn a_killed_server_has_its_bindings_back() {
    let server = Server::start().await;
    let tenant = server.administrator().await.tenant("acme").await;
    let (mut alice, mut bob) = (Phone::new(), Phone::new());
    for (phone, extension) in [(&mut alice, "1001"), (&mut bob, "1002")] {
        phone
            .activate(&server.portal_url, &tenant.device(extension).await.code)
            .await;
        phone.run(&["--auto-answer"]).await;
    }
    server.bindings_are_kept(2).await;

    let server = server.kill_and_restart().await;

    let call = alice
        .ok(&["call", "1002", "--wait", "ended", "--duration", "1"])
        .await;
    assert_eq!(call["ended"], "local_hang_up", "{call}\n{}", server.log());
}

#[tokio::test]
async fn a_killed_phone_starts_again_and_registers() {
    let server = Server::start().await;
    let tenant = server.administrator().await.tenant("acme").await;
    let mut phone = Phone::new();
    phone
        .activate(&server.portal_url, &tenant.device("1001").await.code)
        .await;
    for _ in 0..3 {
        phone.run(&[]).await;
        phone.kill().await;
    }
    phone.run(&[]).await;
}

#[tokio::test]
async fn a_second_server_on_the_same_data_or_ports_says_so_and_ends() {
    let server = Server::start().await;
    let same_data = output_of(&mut serve_command(
        &server.data_dir(),
        "127.0.0.1:0",
        "127.0.0.1:0",
    ))
    .await;
    assert!(!same_data.status.success());
    assert!(
        same_data.stderr.contains("another tandem serve"),
        "{}",
        same_data.stderr
    );

    let folder = tempfile::tempdir().unwrap();
    let http = server.portal_url.trim_start_matches("http://");
    let same_port = output_of(&mut serve_command(folder.path(), http, "127.0.0.1:0")).await;
    assert!(!same_port.status.success());
    assert!(same_port.stderr.contains(http), "{}", same_port.stderr);
    let same_sip = output_of(&mut serve_command(
        folder.path(),
        "127.0.0.1:0",
        &server.sip,
    ))
    .await;
    assert!(!same_sip.status.success());
    assert!(same_sip.stderr.contains(&server.sip), "{}", same_sip.stderr);
}
