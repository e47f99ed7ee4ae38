//! A real `tandem serve` in a folder of its own, on ports of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::portal::Portal;
use crate::programs::{output_of, program};

/// How long a program may take to start on a busy machine.
const START: Duration = Duration::from_secs(60);

/// Name of the configuration file, if there is one.
const CONFIG: &str = "tandem.toml";

/// A running server. Dropped, it is killed.
#[derive(Debug)]
pub struct Server {
    child: Child,
    folder: TempDir,
    /// Base address of the portal, `http://127.0.0.1:…`.
    pub portal_url: String,
    /// Address of the proxy, `127.0.0.1:…`, UDP and TCP.
    pub sip: String,
    /// Its address for TLS, if it speaks that.
    pub sip_tls: Option<String>,
    /// Its address for WebSockets in clear, if it has a certificate.
    pub sip_ws: Option<String>,
    /// Its address for secure WebSockets, if it has a certificate.
    pub sip_wss: Option<String>,
    /// What it said before it served: `Metrics: http://…` and the like.
    said: BTreeMap<String, String>,
}

/// Certificate and key of a server (PEM).
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The certificate, and those between it and its authority.
    pub chain: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl Server {
    /// Starts a server with an empty data directory on free ports.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        Self::spawn(folder, "127.0.0.1:0", "127.0.0.1:0").await
    }

    /// The same, speaking TLS and WebSockets as well.
    pub async fn start_with_tls(certificate: &Certificate) -> Self {
        let config = format!(
            "[sip.tls]\nlisten = [\"127.0.0.1:0\"]\ncertificate = {:?}\nkey = {:?}\n\
             [sip.websocket]\nlisten = [\"127.0.0.1:0\"]\nlisten_secure = [\"127.0.0.1:0\"]\n",
            certificate.chain, certificate.key
        );
        Self::start_configured(&config).await
    }

    /// The same with this configuration.
    pub async fn start_configured(config: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        std::fs::write(folder.path().join(CONFIG), config).expect("a file can be written");
        Self::spawn(folder, "127.0.0.1:0", "127.0.0.1:0").await
    }

    /// Kills the server as a power cut would and starts it again on the same data and ports.
    pub async fn kill_and_restart(mut self) -> Self {
        self.child.kill().await.expect("the server can be killed");
        let http = self.portal_url.trim_start_matches("http://").to_owned();
        Self::spawn(self.folder, &http, &self.sip).await
    }

    async fn spawn(folder: TempDir, http: &str, sip: &str) -> Self {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(folder.path().join("tandem.log"))
            .expect("a log can be opened");
        let mut command = serve_command(&folder.path().join("data"), http, sip);
        let config = folder.path().join(CONFIG);
        let text = std::fs::read_to_string(&config).unwrap_or_default();
        let has_tls = text.contains("[sip.tls]");
        if config.exists() {
            command.arg("--config").arg(config);
        }
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("tandem can be started: build the workspace first");
        let mut lines = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
        let addresses = async {
            let (mut portal, mut sip) = (None, None);
            let mut secure = BTreeMap::new();
            let mut said = BTreeMap::new();
            while let Some(line) = lines
                .next_line()
                .await
                .expect("the server's output is text")
            {
                if let Some((what, value)) = line.split_once(": ") {
                    said.insert(what.to_owned(), value.trim().to_owned());
                }
                if let Some(url) = line.strip_prefix("Portal: ") {
                    portal = Some(url.trim().to_owned());
                } else if let Some(address) = line.strip_prefix("SIP: ") {
                    sip = address.split_whitespace().next().map(str::to_owned);
                } else if let Some(over) = line.strip_prefix("SIP over ")
                    && let Some((transport, address)) = over.split_once(": ")
                {
                    secure.insert(transport.to_owned(), address.trim().to_owned());
                }
                if let (Some(portal), Some(sip)) = (&portal, &sip)
                    && secure.len() == if has_tls { 3 } else { 0 }
                {
                    return (portal.clone(), sip.clone(), secure, said);
                }
            }
            let log = std::fs::read_to_string(folder.path().join("tandem.log")).unwrap_or_default();
            panic!("tandem serve ended before it served:\n{log}");
        };
        let (portal_url, sip, mut secure, said) = tokio::time::timeout(START, addresses)
            .await
            .expect("the server starts in time");
        // The pipe must stay open and empty, or the server's next line would block it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self {
            child,
            folder,
            portal_url,
            sip,
            sip_tls: secure.remove("TLS"),
            sip_ws: secure.remove("WS"),
            sip_wss: secure.remove("WSS"),
            said,
        }
    }

    /// The number of its process, to look into it.
    ///
    /// # Panics
    ///
    /// If it has ended.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.child.id().expect("the server runs")
    }

    /// The rest of a line that it said before it served, such as `Metrics`.
    ///
    /// # Panics
    ///
    /// If it said no such thing.
    #[must_use]
    pub fn said(&self, what: &str) -> &str {
        match self.said.get(what) {
            Some(value) => value,
            None => panic!("the server did not say {what}: {:?}", self.said),
        }
    }

    /// Serves this data directory, with this configuration file if there is one.
    pub async fn on(folder: TempDir) -> Self {
        Self::spawn(folder, "127.0.0.1:0", "127.0.0.1:0").await
    }

    /// Folder of database and keys.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Everything the server has logged.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("tandem.log")).unwrap_or_default()
    }

    /// Waits until this many bindings are on disk.
    ///
    /// # Panics
    ///
    /// If they are not within ten seconds.
    pub async fn bindings_are_kept(&self, count: usize) {
        let url = format!("sqlite://{}", self.data_dir().join("tandem.db").display());
        let db = store::connect(&url, &store::StoreConfig::default())
            .await
            .expect("the server's database can be read");
        let kept = async {
            let start = store::binding::Position::START;
            let some_now = || store::binding::load_some(start, 0, &db);
            while some_now().await.expect("bindings can be read").0.len() != count {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), kept)
            .await
            .expect("the bindings are written");
    }

    /// A portal client signed in as an installation administrator made for it.
    pub async fn administrator(&self) -> Portal {
        let email = format!("tester-{}@localhost", uuid::Uuid::new_v4().simple());
        let made = output_of(
            Command::new(program("tandem"))
                .args(["user", "add", "--data-dir"])
                .arg(self.data_dir())
                .args([
                    "--email",
                    &email,
                    "--first-name",
                    "Test",
                    "--last-name",
                    "Person",
                    "--installation-administrator",
                ]),
        )
        .await;
        assert!(made.status.success(), "tandem user add: {}", made.stderr);
        let once = made
            .stdout
            .split_whitespace()
            .last()
            .expect("a one-time password is printed")
            .to_owned();
        Portal::sign_in(&self.portal_url, &email, &once).await
    }
}

/// The command that serves `data_dir`, with nothing taken from the environment.
#[must_use]
pub fn serve_command(data_dir: &Path, http: &str, sip: &str) -> Command {
    let mut command = Command::new(program("tandem"));
    command
        .arg("serve")
        .arg("--data-dir")
        .arg(data_dir)
        .args(["--http", http, "--sip", sip])
        .env_remove("TANDEM_CONFIG")
        .env_remove("TANDEM_DATABASE_URL")
        .kill_on_drop(true);
    command
}
