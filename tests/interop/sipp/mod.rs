//! sipp, for what no phone does: it plays both ends of a call through the proxy, or calls our phone.

mod calls;
mod digits;
mod scenario;
pub(crate) mod session;

use std::net::UdpSocket;
use std::path::Path;
use std::process::Stdio;

use scenario::{Party, Scenario};
use tempfile::TempDir;
use tests::{Finished, Phone, Server, Tenant, free_port, output_of, until, workspace_root};
use tokio::process::{Child, Command};

/// How long one side may take, in seconds.
const PATIENCE_SECS: &str = "75";

const ALICE: (&str, &str) = ("2001", "first-secret");
const BOB: (&str, &str) = ("2002", "second-secret");

/// The server, a caller and a callee.
struct Exchange {
    server: Server,
    tenant: Tenant,
    alice: Party,
    bob: Party,
}

impl Exchange {
    async fn new() -> Self {
        let server = Server::start().await;
        let tenant = server.administrator().await.tenant("acme").await;
        for (user, password) in [ALICE, BOB] {
            tenant.account(user, password).await;
        }
        let party = |(user, password)| Party {
            user,
            password,
            domain: tenant.domain.clone(),
        };
        Self {
            alice: party(ALICE),
            bob: party(BOB),
            server,
            tenant,
        }
    }

    /// Alice calls somebody; how her side of it goes.
    fn alice_calls(&self, callee: &str) -> Scenario {
        Scenario::caller(&self.alice, callee)
    }

    /// How it goes with Bob when he is called.
    fn bob_is_called(&self) -> Scenario {
        Scenario::callee(&self.bob)
    }

    /// Our own phone, which answers every call.
    async fn our_phone(&self, number: &str) -> Phone {
        let mut phone = Phone::new();
        let device = self.tenant.device(number).await;
        phone.activate(&self.server.portal_url, &device.code).await;
        phone.run(&["--auto-answer"]).await;
        phone
    }

    /// Plays a caller's side.
    ///
    /// # Panics
    ///
    /// If it does not go as it says.
    async fn play(&self, caller: &Scenario) {
        Side::start(&self.server, caller, free_port())
            .ends_well()
            .await;
    }

    /// Registers Bob and plays both sides.
    ///
    /// # Panics
    ///
    /// If one does not go as it says.
    async fn play_both(&self, caller: &Scenario, callee: &Scenario) {
        let port = free_port();
        let bob = Side::start(&self.server, callee, port);
        until("the callee listens", async || {
            UdpSocket::bind(("127.0.0.1", port)).is_err()
        })
        .await;
        self.register_bob(port).await;
        let alice = Side::start(&self.server, caller, free_port());
        tokio::join!(alice.ends_well(), bob.ends_well());
    }

    async fn register_bob(&self, port: u16) {
        let Party {
            user,
            password,
            domain,
        } = &self.bob;
        let folder = tempfile::tempdir().expect("a folder");
        let fields = format!(
            "SEQUENTIAL\n{user};{domain};-;{port};[authentication username={user} password={password}]\n"
        );
        let input = folder.path().join("fields.csv");
        std::fs::write(&input, fields).expect("the fields can be written");
        let file = workspace_root().join("tests/interop/sipp/register.xml");
        let mut command = sipp(&self.server, &file, free_port(), domain, folder.path());
        let done: Finished = output_of(command.arg("-inf").arg(&input)).await;
        assert!(done.status.success(), "{}{}", done.stdout, done.stderr);
    }
}

/// One side of a call.
struct Side {
    child: Child,
    folder: TempDir,
    xml: String,
}

impl Side {
    fn start(server: &Server, scenario: &Scenario, port: u16) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("scenario.xml");
        let xml = scenario.xml();
        std::fs::write(&file, &xml).expect("the scenario can be written");
        let child = sipp(server, &file, port, &scenario.auth_uri, folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("sipp can be started: run scripts/setup");
        Self { child, folder, xml }
    }

    /// Waits for the end of its scenario.
    ///
    /// # Panics
    ///
    /// If something else came than the scenario says, with what came.
    async fn ends_well(mut self) {
        let status = self.child.wait().await.expect("sipp can be awaited");
        if !status.success() {
            let read = |name: &str| {
                std::fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
            };
            panic!(
                "{status}: {}\n{}\n{}",
                read("errors"),
                read("messages"),
                self.xml
            );
        }
    }
}

fn sipp(server: &Server, file: &Path, port: u16, auth_uri: &str, folder: &Path) -> Command {
    let mut command = Command::new("sipp");
    command
        .current_dir(folder)
        .arg(&server.sip)
        .arg("-sf")
        .arg(file)
        .args(["-m", "1", "-i", "127.0.0.1", "-p", &port.to_string()])
        .args(["-auth_uri", auth_uri, "-nostdin", "-timeout_error"])
        .args(["-timeout", PATIENCE_SECS, "-trace_err", "-trace_msg"])
        .args(["-error_file", "errors", "-message_file", "messages"]);
    command
}
