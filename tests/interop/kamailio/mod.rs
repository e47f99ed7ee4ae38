//! Kamailio as somebody else's registrar and proxy, or as an edge proxy in front of ours; it stays in the route of every call.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;
use tests::{Certificate, Trust, free_port, until, workspace_root};
use tokio::net::TcpStream;

use crate::peer::{Carrier, print_if_failing};

/// The SIP domain that it serves.
pub(crate) const DOMAIN: &str = "kamailio.example";

/// A running Kamailio.
pub(crate) struct Kamailio {
    child: Child,
    folder: TempDir,
    /// Where it listens, UDP and TCP.
    address: String,
    /// Where it listens for TLS, if it has a certificate.
    tls_address: String,
}

impl Kamailio {
    /// As the registrar of [`DOMAIN`] for whose users the same password is right.
    pub(crate) async fn registrar(password: &str, trust: Option<&Trust>) -> Self {
        let values = [("@REALM@", DOMAIN), ("@PASSWORD@", password)];
        Self::start("registrar.cfg", &values, trust).await
    }

    /// As an edge proxy in front of `server`, a host, a port and how they are reached.
    pub(crate) async fn edge(server: &str, trust: Option<&Trust>) -> Self {
        Self::start("edge.cfg", &[("@SERVER@", server)], trust).await
    }

    /// Where it is reached that way.
    pub(crate) fn address(&self, carrier: Carrier) -> &str {
        match carrier {
            Carrier::Udp | Carrier::Tcp => &self.address,
            Carrier::Tls => &self.tls_address,
        }
    }

    async fn start(template: &str, values: &[(&str, &str)], trust: Option<&Trust>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let address = format!("127.0.0.1:{}", free_port());
        let tls_address = format!("127.0.0.1:{}", free_port());
        let template = workspace_root()
            .join("tests/interop/kamailio")
            .join(template);
        let mut listen = format!("listen=udp:{address}\nlisten=tcp:{address}\n");
        let mut tls = String::new();
        if let Some(trust) = trust {
            let path = folder.path().join("tls.cfg");
            std::fs::write(&path, tls_configuration(trust)).expect("a file can be written");
            listen += &format!("enable_tls=yes\nlisten=tls:{tls_address}\n");
            tls = format!(
                "loadmodule \"tls.so\"\nmodparam(\"tls\", \"config\", \"{}\")\n",
                path.display()
            );
        }
        let mut config = std::fs::read_to_string(template)
            .expect("the configuration is there")
            .replace("@LISTEN@", &listen)
            .replace("@TLS@", &tls);
        for (name, value) in values {
            config = config.replace(name, value);
        }
        std::fs::write(folder.path().join("kamailio.cfg"), config)
            .expect("the configuration can be written");
        let child = spawn(folder.path());
        let kamailio = Self {
            child,
            folder,
            address,
            tls_address,
        };
        let carrier = trust.map_or(Carrier::Tcp, |_| Carrier::Tls);
        // It binds its UDP socket before it takes connections.
        until("Kamailio listens", async || {
            let address = kamailio.address(carrier);
            TcpStream::connect(address).await.is_ok()
        })
        .await;
        kamailio
    }
}

/// Shows its certificate to phones; believes servers of the test's own authority only.
fn tls_configuration(trust: &Trust) -> String {
    let Certificate { chain, key } = &trust.certificate;
    format!(
        "[server:default]\nmethod = TLSv1.2+\nverify_certificate = no\nrequire_certificate = no\nprivate_key = {}\ncertificate = {}\n\
         [client:default]\nmethod = TLSv1.2+\nverify_certificate = yes\nrequire_certificate = yes\nca_list = {}\n",
        key.display(),
        chain.display(),
        trust.authority.display()
    )
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
