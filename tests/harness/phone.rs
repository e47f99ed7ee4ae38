//! A real softphone process with a profile of its own.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::programs::{Finished, output_of, program};
use crate::tone::{Side, has_tone_after, has_tones, seconds_of};
use crate::waiting::{happens, until_or_tell};

/// How long a call that a failing test hangs up may take to end.
const FAREWELL: Duration = Duration::from_secs(5);

/// A softphone: its profile, and its engine while it runs. Dropped, it is killed.
#[derive(Debug)]
pub struct Phone {
    folder: TempDir,
    engine: Option<Child>,
}

impl Phone {
    /// A phone that has never been activated.
    #[must_use]
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder can be made"),
            engine: None,
        }
    }

    /// Folder of configuration and secrets.
    #[must_use]
    pub fn profile(&self) -> PathBuf {
        self.folder.path().join("profile")
    }

    /// A file beside the profile.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs one command; whatever it says is returned.
    pub async fn command(&self, arguments: &[&str]) -> Finished {
        output_of(self.softphone().arg("--json").args(arguments)).await
    }

    /// Runs one command that must succeed; the last line of its answer.
    pub async fn ok(&self, arguments: &[&str]) -> Value {
        let done = self.command(arguments).await;
        assert!(
            done.status.success(),
            "softphone {arguments:?}: {}{}\n{}",
            done.stdout,
            done.stderr,
            self.log()
        );
        let line = done.stdout.lines().last().unwrap_or("null");
        serde_json::from_str(line)
            .unwrap_or_else(|error| panic!("softphone {arguments:?} printed {line:?}: {error}"))
    }

    /// Redeems a typed code.
    pub async fn activate(&self, portal_url: &str, code: &str) {
        self.ok(&["activate", "--portal", portal_url, "--code", code])
            .await;
    }

    /// Starts the engine without a window and waits until its line is registered.
    pub async fn run(&mut self, arguments: &[&str]) {
        self.start(arguments);
        self.ok(&["status", "--wait", "registered", "--timeout", "20"])
            .await;
    }

    /// Starts the engine and does not wait.
    pub fn start(&mut self, arguments: &[&str]) {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.file("phone.log"))
            .expect("a log can be opened");
        let engine = self
            .softphone()
            .args(["run", "--headless", "--no-sound-card"])
            .args(arguments)
            .stdout(log.try_clone().expect("the log can be shared"))
            .stderr(log)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("the softphone can be started: build the workspace first");
        self.engine = Some(engine);
    }

    /// Where its only call stands, `connected` or the like; `none` if there is not exactly one.
    pub async fn phase(&self) -> String {
        let status = self.ok(&["status"]).await;
        match status["calls"].as_array().map(Vec::as_slice) {
            Some([call]) => call["phase"].as_str().unwrap_or_default().to_owned(),
            _ => "none".to_owned(),
        }
    }

    /// Waits until its only call stands there.
    ///
    /// # Panics
    ///
    /// If it does not in time.
    pub async fn until_phase(&self, phase: &str) {
        self.until(&format!("our call becomes {phase}"), async || {
            self.phase().await == phase
        })
        .await;
    }

    /// Waits until the transfer of one of its calls rings at the target.
    ///
    /// # Panics
    ///
    /// If it does not in time.
    pub async fn is_giving_away(&self) {
        self.until("our call is about to be transferred", async || {
            let status = self.ok(&["status"]).await;
            let calls = status["calls"].as_array().cloned().unwrap_or_default();
            calls
                .iter()
                .any(|call| call["transfer"]["state"] == "ringing")
        })
        .await;
    }

    /// The digits that the other side of its only call has sent.
    pub async fn digits(&self) -> String {
        let status = self.ok(&["status"]).await;
        status["calls"][0]["digits"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// Waits until a recording has this tone in something that comes from now on.
    ///
    /// # Panics
    ///
    /// If it has not in time.
    pub async fn hears(&self, name: &str, frequency_hz: f64) {
        let path = self.file(name);
        let now = seconds_of(&path);
        self.until(
            &format!("our phone hears a tone of {frequency_hz} Hz"),
            async || {
                let path = path.clone();
                // Takes long for a long recording, and what the test itself carries goes on meanwhile.
                let looked =
                    tokio::task::spawn_blocking(move || has_tone_after(&path, frequency_hz, now));
                looked.await.expect("a recording can be looked at")
            },
        )
        .await;
    }

    /// Waits until a recording has half a second with all of these tones and none of those.
    ///
    /// # Panics
    ///
    /// If it has not in time.
    pub async fn hears_all(&self, path: &Path, side: Side, these: &[f64], none_of: &[f64]) {
        self.until(
            &format!("{} has {these:?} and not {none_of:?}", path.display()),
            async || {
                let path = path.to_owned();
                let (these, none_of) = (these.to_owned(), none_of.to_owned());
                let looked =
                    tokio::task::spawn_blocking(move || has_tones(&path, side, &these, &none_of));
                looked.await.expect("a recording can be looked at")
            },
        )
        .await;
    }

    /// Waits until something about it is so; if it is not in time, the panic says what the phone knew then.
    async fn until(&self, what: &str, is_so: impl AsyncFnMut() -> bool) {
        until_or_tell(what, is_so, async || self.known().await).await;
    }

    /// Its lines and calls, what has come over the network in each, where from and how much of it was dropped, and its log. Its call is
    /// hung up for that: sound is counted up when a call is over.
    async fn known(&self) -> String {
        let before = self.command(&["status"]).await;
        let hung_up = self.command(&["hangup"]).await;
        let mut after = self.command(&["status"]).await;
        if hung_up.status.success() {
            happens(FAREWELL, async || {
                after = self.command(&["status"]).await;
                let status: Value = serde_json::from_str(&after.stdout).unwrap_or_default();
                status["calls"].as_array().is_some_and(Vec::is_empty)
            })
            .await;
        }
        format!(
            "the phone knew: {}{}then it hung up: {}{}it has said: {}",
            before.stdout,
            before.stderr,
            after.stdout,
            after.stderr,
            self.log()
        )
    }

    /// Kills the engine as a power cut would.
    pub async fn kill(&mut self) {
        if let Some(mut engine) = self.engine.take() {
            engine.kill().await.expect("the engine can be killed");
        }
    }

    /// Waits until the engine has ended by itself.
    ///
    /// # Panics
    ///
    /// If it has not within half a minute.
    pub async fn ended(&mut self) {
        let Some(mut engine) = self.engine.take() else {
            return;
        };
        let waited = tokio::time::timeout(Duration::from_secs(30), engine.wait()).await;
        assert!(waited.is_ok(), "the engine goes on: {}", self.log());
    }

    /// The UDP ports that the engine has open now, by the kernel's table.
    ///
    /// # Panics
    ///
    /// If it does not run.
    #[must_use]
    pub fn udp_ports(&self) -> Vec<u16> {
        let process = self.engine.as_ref().and_then(Child::id);
        let process = process.expect("the engine runs");
        let files = std::fs::read_dir(format!("/proc/{process}/fd")).expect("its open files");
        let links = files.filter_map(|file| std::fs::read_link(file.ok()?.path()).ok());
        let sockets: Vec<_> = links.map(|link| link.display().to_string()).collect();
        let table = std::fs::read_to_string(format!("/proc/{process}/net/udp"));
        let table = table.expect("the kernel's table");
        let port = |line: &str| {
            let fields: Vec<_> = line.split_whitespace().collect();
            let (_, port) = fields.get(1)?.split_once(':')?;
            let socket = format!("socket:[{}]", fields.get(9)?);
            let is_ours = sockets.contains(&socket);
            u16::from_str_radix(port, 16).ok().filter(|_| is_ours)
        };
        table.lines().filter_map(port).collect()
    }

    /// Everything the engine has said.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.file("phone.log")).unwrap_or_default()
    }

    fn softphone(&self) -> Command {
        let mut command = Command::new(program("softphone"));
        command
            .arg("--profile")
            .arg(self.profile())
            .args(["--secret-store", "file"]);
        command
    }
}

impl Default for Phone {
    fn default() -> Self {
        Self::new()
    }
}

/// A path as a command line wants it.
///
/// # Panics
///
/// If it is no Unicode text; the tests make only such paths.
#[must_use]
pub fn text_of(path: &Path) -> &str {
    path.to_str().expect("the tests make only plain paths")
}
