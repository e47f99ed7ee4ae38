//! sipsak, the little tool that administrators try a server with.

use tests::{Finished, Server, output_of};
use tokio::process::Command;

const PASSWORD: &str = "a-secret-of-sipsak";

async fn sipsak(server: &Server, address: &str, password: &str, arguments: &[&str]) -> Finished {
    let mut command = Command::new("sipsak");
    command
        .args([
            "-p",
            &server.sip,
            "-u",
            "3003",
            "-a",
            password,
            "-s",
            address,
        ])
        .args(arguments);
    output_of(&mut command).await
}

#[tokio::test]
async fn it_registers_and_takes_everything_back() {
    let server = Server::start().await;
    let tenant = server.administrator().await.tenant("acme").await;
    tenant.account("3003", PASSWORD).await;
    let address = format!("sip:3003@{}", tenant.domain);

    let refused = sipsak(&server, &address, "wrong", &["-U", "-x", "60"]).await;
    assert!(!refused.status.success(), "{}", refused.stdout);
    server.bindings_are_kept(0).await;

    let registered = sipsak(&server, &address, PASSWORD, &["-U", "-x", "60"]).await;
    assert!(
        registered.status.success(),
        "{}{}",
        registered.stdout,
        registered.stderr
    );
    server.bindings_are_kept(1).await;

    let too_short = sipsak(&server, &address, PASSWORD, &["-U", "-x", "5", "-vv"]).await;
    let said = too_short.stdout + &too_short.stderr;
    assert!(said.contains("Min-Expires: 60"), "{said}");

    let removed = sipsak(&server, &address, PASSWORD, &["-U", "-C", "*", "-x", "0"]).await;
    assert!(
        removed.status.success(),
        "{}{}",
        removed.stdout,
        removed.stderr
    );
    server.bindings_are_kept(0).await;
}

#[tokio::test]
async fn the_server_answers_whoever_asks_whether_it_lives() {
    let server = Server::start().await;
    let address = format!("sip:{}", server.sip);
    let asked = output_of(Command::new("sipsak").args(["-vv", "-s", &address])).await;
    assert!(
        asked.stdout.contains("SIP/2.0 "),
        "{}{}",
        asked.stdout,
        asked.stderr
    );
}
