//! sipp as caller and as callee, both through the proxy.

use std::path::{Path, PathBuf};

use tests::{Finished, Phone, Server, Tenant, free_port, output_of};
use tokio::process::Command;

fn scenario(name: &str) -> PathBuf {
    tests::workspace_root()
        .join("tests/interop/sipp")
        .join(name)
}

/// Runs one scenario once with these fields.
async fn sipp(
    server: &Server,
    scenario: &Path,
    fields: &str,
    auth_uri: &str,
    port: u16,
) -> Finished {
    let folder = tempfile::tempdir().expect("a folder");
    let input = folder.path().join("fields.csv");
    std::fs::write(&input, format!("SEQUENTIAL\n{fields}\n")).expect("the fields can be written");
    let mut command = Command::new("sipp");
    command
        .current_dir(&folder)
        .arg(&server.sip)
        .arg("-sf")
        .arg(scenario)
        .arg("-inf")
        .arg(&input);
    command.args([
        "-auth_uri",
        auth_uri,
        "-m",
        "1",
        "-i",
        "127.0.0.1",
        "-p",
        &port.to_string(),
    ]);
    output_of(command.args(["-nostdin", "-timeout", "20", "-timeout_error"])).await
}

async fn caller(
    server: &Server,
    tenant: &Tenant,
    user: &str,
    password: &str,
    callee: &str,
) -> Finished {
    let domain = &tenant.domain;
    let fields =
        format!("{user};{domain};{callee};[authentication username={user} password={password}]");
    sipp(
        server,
        &scenario("caller.xml"),
        &fields,
        &format!("{callee}@{domain}"),
        free_port(),
    )
    .await
}

#[tokio::test]
async fn sipp_calls_sipp_through_the_proxy() {
    let server = Server::start().await;
    let tenant = server.administrator().await.tenant("acme").await;
    tenant.account("2001", "first-secret").await;
    tenant.account("2002", "second-secret").await;
    let domain = &tenant.domain;
    let port = free_port();
    let callee = Command::new("sipp")
        .current_dir(std::env::temp_dir())
        .args([
            "-sn",
            "uas",
            "-m",
            "1",
            "-i",
            "127.0.0.1",
            "-p",
            &port.to_string(),
        ])
        .args(["-nostdin", "-timeout", "40", "-timeout_error"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn();
    let mut callee = callee.expect("sipp can be started: run scripts/setup");
    let fields =
        format!("2002;{domain};-;{port};[authentication username=2002 password=second-secret]");
    let registered = sipp(
        &server,
        &scenario("register.xml"),
        &fields,
        domain,
        free_port(),
    )
    .await;
    assert!(
        registered.status.success(),
        "{}{}",
        registered.stdout,
        registered.stderr
    );

    let called = caller(&server, &tenant, "2001", "first-secret", "2002").await;

    assert!(
        called.status.success(),
        "{}{}",
        called.stdout,
        called.stderr
    );
    assert!(
        callee.wait().await.expect("the callee ends").success(),
        "the callee has seen the whole call"
    );
}

#[tokio::test]
async fn sipp_calls_our_phone() {
    let server = Server::start().await;
    let tenant = server.administrator().await.tenant("acme").await;
    tenant.account("2001", "first-secret").await;
    let mut phone = Phone::new();
    phone
        .activate(&server.portal_url, &tenant.device("1001").await.code)
        .await;
    phone.run(&["--auto-answer"]).await;

    let called = caller(&server, &tenant, "2001", "first-secret", "1001").await;

    assert!(
        called.status.success(),
        "{}{}",
        called.stdout,
        called.stderr
    );
    phone
        .ok(&["status", "--wait", "idle", "--timeout", "20"])
        .await;
}
