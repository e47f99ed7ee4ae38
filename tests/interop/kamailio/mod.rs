//! Kamailio as somebody else's registrar and proxy, which stays in the route of every call.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;
use tests::{free_port, until, workspace_root};
use tokio::net::TcpStream;

use crate::peer::print_if_failing;

/// The SIP domain that it serves.
pub(crate) const DOMAIN: &str = "kamailio.example";

/// A running Kamailio for whose users the same password is right.
pub(crate) struct Kamailio {
    child: Child,
    folder: TempDir,
    /// Where it listens, UDP and TCP.
    pub(crate) address: String,
}

impl Kamailio {
    pub(crate) async fn start(password: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let port = free_port();
        let template = workspace_root().join("tests/interop/kamailio/kamailio.cfg");
        let config = std::fs::read_to_string(template)
            .expect("the configuration is there")
            .replace("@PORT@", &port.to_string())
            .replace("@REALM@", DOMAIN)
            .replace("@PASSWORD@", password);
        std::fs::write(folder.path().join("kamailio.cfg"), config)
            .expect("the configuration can be written");
        let child = spawn(folder.path());
        let kamailio = Self {
            child,
            folder,
            address: format!("127.0.0.1:{port}"),
        };
        // It binds its UDP socket before it takes connections.
        until("Kamailio listens", async || {
            TcpStream::connect(&kamailio.address).await.is_ok()
        })
        .await;
        kamailio
    }
}

fn spawn(folder: &Path) -> Child {
    let log = std::fs::File::create(folder.join("log")).expect("a log can be made");
    Command::new("kamailio")
        .args(["-DD", "-E", "-m", "16", "-M", "4", "-f"])
        .arg(folder.join("kamailio.cfg"))
        .arg("-Y")
        .arg(folder)
        .arg("-P")
        .arg(folder.join("pid"))
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("the log can be shared"))
        .stderr(log)
        .spawn()
        .expect("Kamailio can be started: run scripts/setup")
}

impl Drop for Kamailio {
    /// Asks it to end, because killed it would leave its other processes behind.
    fn drop(&mut self) {
        let asked = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        if asked.is_ok_and(|status| status.success()) {
            let _ = self.child.wait();
        }
        print_if_failing(&self.folder.path().join("log"));
    }
}
