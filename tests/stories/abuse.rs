//! Peers that mean ill, while a registered phone refreshes over UDP, another on a connection that it has had from the start, and
//! newcomers connect, ask something and leave.
//!
//! How quickly they are served is measured by `make bench-abuse`; here it counts that all of them are, that the server's memory stays
//! bounded, and that nothing is left open.

use serde_json::Value;
use tests::{Server, Tenant, Trust, output_of, program, text_of};
use tokio::process::Command;

const PASSWORD: &str = "first-secret";

/// What the server may use more while it is abused, in kilobytes. The bounds of `sip_io::Limits` times the connections of the load.
const MOST_KILOBYTES: u64 = 96 * 1024;

/// A server that speaks everything, with one account.
struct Target {
    trust: Trust,
    server: Server,
    tenant: Tenant,
}

impl Target {
    async fn new() -> Self {
        let trust = Trust::new(&["localhost"]);
        let server = Server::start_with_tls(&trust.certificate).await;
        let tenant = server.administrator().await.tenant("acme").await;
        tenant.account("2001", PASSWORD).await;
        Self {
            trust,
            server,
            tenant,
        }
    }

    /// What the load generator saw.
    async fn abused(&self, abuse: &str, over: &str) -> Value {
        let target = match over {
            "tls" => self.server.sip_tls.as_ref(),
            "ws" => self.server.sip_ws.as_ref(),
            _ => Some(&self.server.sip),
        };
        let mut command = Command::new(program("bench"));
        command.args(["abuse", "--abuse", abuse, "--over", over]);
        command.args(["--target", target.expect("the server speaks it")]);
        command.args(["--udp", &self.server.sip, "--domain", &self.tenant.domain]);
        command.args(["--user", "2001", "--password", PASSWORD]);
        command.args(["--process", &self.server.process().to_string()]);
        command.args(["--authority", text_of(&self.trust.authority)]);
        let connections = if abuse == "silent" { "600" } else { "100" };
        command.args([
            "--connections",
            connections,
            "--seconds",
            "4",
            "--rate",
            "5",
        ]);
        let told = output_of(&mut command).await;
        assert!(
            told.status.success(),
            "{abuse} over {over}: {}{}",
            told.stderr,
            self.server.log()
        );
        let told = serde_json::from_str(&told.stdout).expect("the generator prints JSON");
        assert_unharmed(&told);
        told
    }
}

fn assert_unharmed(told: &Value) {
    for who in ["udp", "stream", "newcomers"] {
        assert_eq!(told[who]["served"], told[who]["asked"], "{who}: {told}");
        assert_ne!(told[who]["asked"], 0, "{who}: {told}");
    }
    let weight = |what: &str, when: &str| told[what][when].as_u64().unwrap_or_default();
    assert!(
        weight("kilobytes", "most") < weight("kilobytes", "before") + MOST_KILOBYTES,
        "{told}"
    );
    assert!(
        weight("files", "after") <= weight("files", "before"),
        "{told}"
    );
}

#[tokio::test]
async fn peers_that_never_read_stop_nobody_else() {
    let target = Target::new().await;
    for over in ["tcp", "tls", "ws"] {
        target.abused("deaf", over).await;
    }
}

#[tokio::test]
async fn twenty_thousand_pipelined_requests_are_answered_and_stop_nobody_else() {
    let target = Target::new().await;
    for over in ["tcp", "tls", "ws"] {
        let told = target.abused("pipeline", over).await;
        assert_eq!(told["answered"], 20_000, "{told}");
    }
}

#[tokio::test]
async fn peers_that_send_byte_by_byte_stop_nobody_else() {
    let target = Target::new().await;
    for over in ["tcp", "tls", "ws"] {
        target.abused("slow", over).await;
    }
}

#[tokio::test]
async fn handshakes_that_nobody_finishes_stop_nobody_else() {
    let target = Target::new().await;
    for over in ["tls", "ws"] {
        target.abused("handshake", over).await;
    }
}

#[tokio::test]
async fn more_connections_than_are_allowed_stop_nobody_else() {
    let target = Target::new().await;
    for over in ["tcp", "tls", "ws"] {
        target.abused("silent", over).await;
    }
}
