//! The real program: activated, running, commanded, killed; with a portal and an exchange of ours.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use crate::exchange::Exchange;
use crate::stub::{self, MARKER, Stub, configuration};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::timeout;

pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// One phone on this machine.
pub(crate) struct Phone {
    folder: PathBuf,
    stub: Stub,
    running: Option<Child>,
    _seen: stub::Seen,
}

impl Phone {
    /// Activated, not running.
    pub(crate) async fn activated(user: &str, exchange: &Exchange, parent: &Path) -> Self {
        let mut configuration = configuration(1, &[(2, user)]);
        configuration.lines[0].port = Some(exchange.port);
        let (stub, seen) = Stub::start(configuration).await;
        let phone = Self {
            folder: parent.join(user),
            stub,
            running: None,
            _seen: seen,
        };
        let link = phone.stub.link();
        let done = phone.command(&["activate", "--link", &link]).await;
        assert!(done.status.success(), "{done:?}");
        phone
    }

    pub(crate) async fn running(
        user: &str,
        exchange: &Exchange,
        parent: &Path,
        with: &[&str],
    ) -> Self {
        let mut phone = Self::activated(user, exchange, parent).await;
        phone.start(with).await;
        phone.succeeds(&["status", "--wait", "registered"]).await;
        phone
    }

    async fn start(&mut self, with: &[&str]) {
        self.start_with(with, [Stdio::null(), Stdio::inherit()])
            .await;
    }

    /// What it has to say goes into a file.
    pub(crate) async fn start_saying(&mut self, with: &[&str], log: &Path) {
        let log = std::fs::File::create(log).unwrap();
        let output = [log.try_clone().unwrap(), log].map(Stdio::from);
        self.start_with(with, output).await;
    }

    async fn start_with(&mut self, with: &[&str], [output, errors]: [Stdio; 2]) {
        let mut command = program(&self.folder);
        command
            .args(["run", "--headless", "--no-sound-card"])
            .args(with);
        command.stderr(errors);
        self.runs_into(command, output).await;
    }

    /// The program with its profile, and nothing said yet of what it is to do.
    pub(crate) fn program(&self) -> Command {
        program(&self.folder)
    }

    /// Runs as this command says.
    pub(crate) async fn runs(&mut self, command: Command) {
        self.runs_into(command, Stdio::null()).await;
    }

    async fn runs_into(&mut self, mut command: Command, output: Stdio) {
        self.running = Some(command.stdout(output).spawn().unwrap());
        self.connects().await;
    }

    /// The control socket is there a moment after the start.
    async fn connects(&self) {
        let until_there = async {
            while !self.command(&["status"]).await.status.success() {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, until_there)
            .await
            .expect("the phone starts");
    }

    pub(crate) async fn command(&self, arguments: &[&str]) -> Output {
        let output = program(&self.folder).args(arguments).output();
        timeout(PATIENCE, output)
            .await
            .expect("a command ends")
            .unwrap()
    }

    /// The last line that the command printed.
    pub(crate) async fn succeeds(&self, arguments: &[&str]) -> Value {
        let done = self.command(arguments).await;
        assert!(done.status.success(), "{arguments:?}: {done:?}");
        last_line(&done)
    }

    /// Its error, and the exit status with it.
    pub(crate) async fn fails(&self, code: i32, arguments: &[&str]) -> Value {
        let done = self.command(arguments).await;
        assert_eq!(done.status.code(), Some(code), "{arguments:?}: {done:?}");
        last_line(&done)
    }

    async fn kill(&mut self) {
        self.running.take().unwrap().kill().await.unwrap();
    }

    async fn exit_code(&mut self) -> Option<i32> {
        let mut running = self.running.take().unwrap();
        timeout(PATIENCE, running.wait())
            .await
            .expect("it ends")
            .unwrap()
            .code()
    }
}

fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_softphone"));
    command
        .args(["--json", "--secret-store", "file", "--profile"])
        .arg(folder)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

fn last_line(done: &Output) -> Value {
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    let line = text
        .lines()
        .last()
        .unwrap_or_else(|| panic!("nothing printed: {done:?}"));
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

async fn two_phones(with: &[&str]) -> (TempDir, Phone, Phone) {
    let parent = tempfile::tempdir().unwrap();
    let exchange = Exchange::start().await;
    let alice = Phone::running("200", &exchange, parent.path(), &[]).await;
    let bob = Phone::running("201", &exchange, parent.path(), with).await;
    (parent, alice, bob)
}

#[tokio::test]
async fn one_phone_calls_the_other_and_hangs_up() {
    let (_parent, alice, bob) = two_phones(&["--auto-answer"]).await;
    let answered = alice.succeeds(&["call", "201"]).await;
    assert_eq!(answered["phase"], "connected");
    assert_eq!(answered["party"], "201");

    alice.succeeds(&["hold"]).await;
    alice.succeeds(&["resume"]).await;
    alice.succeeds(&["hangup"]).await;
    let state = bob.succeeds(&["status", "--wait", "idle"]).await;
    assert_eq!(
        state["ended"][0]["reason"],
        "The other side ended the call."
    );
    assert_eq!(state["ended"][0]["direction"], "incoming");
    let state = alice.succeeds(&["status", "--wait", "idle"]).await;
    assert_eq!(state["ended"][0]["kind"], Value::Null);
}

#[tokio::test]
async fn each_hears_what_the_other_plays() {
    let parent = tempfile::tempdir().unwrap();
    let exchange = Exchange::start().await;
    let file = |name: &str| parent.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(file("tone.wav"), tone_wav()).unwrap();
    let sound = [
        "--auto-answer",
        "--play",
        &file("tone.wav"),
        "--record",
        &file("bob.wav"),
    ];
    let alice = Phone::running("200", &exchange, parent.path(), &[]).await;
    let bob = Phone::running("201", &exchange, parent.path(), &sound).await;

    let call = [
        "call",
        "201",
        "--duration",
        "2",
        "--play",
        &file("tone.wav"),
        "--record",
    ];
    let ended = alice
        .succeeds(&[&call[..], &[&file("alice.wav")]].concat())
        .await;
    assert_eq!(ended["media"]["packets_lost"], 0, "{ended}");
    assert!(
        ended["media"]["packets_sent"].as_u64().unwrap() > 50,
        "{ended}"
    );
    assert!(
        ended["media"]["packets_received"].as_u64().unwrap() > 50,
        "{ended}"
    );
    bob.succeeds(&["status", "--wait", "idle"]).await;
    for name in ["alice.wav", "bob.wav"] {
        let loudest = loudest_sample(&std::fs::read(file(name)).unwrap());
        assert!((4_000..16_000).contains(&loudest), "{name}: {loudest}");
    }
}

/// 5 s of a tone of 500 Hz at a quarter of full scale, mono at 48 kHz.
pub(crate) fn tone_wav() -> Vec<u8> {
    let samples = (0..240_000_u32).flat_map(|n| {
        let phase = f64::from(n % 96) / 96.0 * std::f64::consts::TAU;
        #[expect(clippy::cast_possible_truncation, reason = "a quarter of full scale")]
        let sample = (phase.sin() * 8_192.0) as i16;
        sample.to_le_bytes()
    });
    let samples: Vec<u8> = samples.collect();
    wav((1, 1, 16), 48_000, &samples)
}

/// A WAV file with these samples: its kind (1 is whole numbers, 3 floating point), channels and bits.
pub(crate) fn wav(
    (format, channels, bits): (u16, u16, u16),
    rate_hz: u32,
    samples: &[u8],
) -> Vec<u8> {
    let length = u32::try_from(samples.len()).unwrap();
    let frame = channels * bits / 8;
    let mut wav = b"RIFF".to_vec();
    wav.extend((length + 36).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0");
    wav.extend(format.to_le_bytes());
    wav.extend(channels.to_le_bytes());
    wav.extend(rate_hz.to_le_bytes());
    wav.extend((rate_hz * u32::from(frame)).to_le_bytes());
    wav.extend(frame.to_le_bytes());
    wav.extend(bits.to_le_bytes());
    wav.extend(b"data");
    wav.extend(length.to_le_bytes());
    wav.extend(samples);
    wav
}

pub(crate) fn loudest_sample(wav: &[u8]) -> u16 {
    let samples = wav[44..].chunks_exact(2);
    let loudness = samples.map(|bytes| i16::from_le_bytes([bytes[0], bytes[1]]).unsigned_abs());
    loudness.max().unwrap_or(0)
}

#[tokio::test]
async fn what_is_done_to_the_microphone_is_shown_and_switched_at_any_time() {
    let (_parent, _alice, bob) = two_phones(&["--noise-suppression", "off"]).await;
    let processing = bob.succeeds(&["status"]).await["processing"].clone();
    let wanted = |echo: bool, noise: bool| serde_json::json!({ "echo_cancellation": echo, "noise_suppression": noise, "gain_control": true });
    assert_eq!(processing, wanted(true, false));
    let switches = ["--noise-suppression", "on", "--echo-cancellation", "off"];
    bob.succeeds(&[&["processing"][..], &switches].concat())
        .await;
    let processing = bob.succeeds(&["status"]).await["processing"].clone();
    assert_eq!(processing, wanted(false, true));
}

#[tokio::test]
async fn a_call_of_a_given_length_ends_by_itself() {
    let (_parent, alice, _bob) = two_phones(&["--auto-answer"]).await;
    let ended = alice.succeeds(&["call", "201", "--duration", "0.2"]).await;
    assert!(ended["talked_ms"].as_u64().unwrap() >= 200, "{ended}");
    assert_eq!(ended["reason"], "You ended the call.");
}

#[tokio::test]
async fn failures_have_their_own_words_and_exit_codes() {
    let (_parent, alice, bob) = two_phones(&[]).await;
    let error = alice.fails(11, &["call", "999"]).await;
    assert_eq!(
        (&error["error"], &error["sip_status"]),
        (&"not-found".into(), &404.into())
    );
    let error = alice.fails(13, &["call", "201", "--timeout", "0.2"]).await;
    assert_eq!(error["error"], "no-answer");
    alice.fails(9, &["answer"]).await;
    alice.fails(9, &["hangup"]).await;
    let error = alice.fails(11, &["call", "nobody I know"]).await;
    assert_eq!(error["error"], "not-found");
    alice.fails(2, &["call", "sip:"]).await;
    alice.fails(9, &["call", "201", "--line", "nowhere"]).await;
    alice
        .fails(22, &["call", "201", "--play", "no-such-file.wav"])
        .await;
    bob.fails(5, &["run", "--no-sound-card"]).await;

    bob.succeeds(&["status", "--wait", "idle"]).await;
    let calling = alice.command(&["call", "201"]);
    let rejecting = async {
        bob.succeeds(&["status", "--wait", "ringing"]).await;
        bob.succeeds(&["reject", "--declined"]).await;
    };
    let (called, ()) = tokio::join!(calling, rejecting);
    assert_eq!(called.status.code(), Some(14), "{called:?}");
}

#[tokio::test]
async fn without_activation_or_a_running_phone_commands_say_so() {
    let parent = tempfile::tempdir().unwrap();
    let exchange = Exchange::start().await;
    let phone = Phone::activated("200", &exchange, parent.path()).await;
    phone.fails(4, &["status"]).await;
    phone.fails(4, &["call", "201"]).await;
    phone
        .fails(9, &["activate", "--link", &phone.stub.link()])
        .await;
    phone
        .fails(20, &["activate", "--replace", &phone.stub.link()])
        .await;
    phone
        .fails(6, &["activate", "--replace", "--yes", &phone.stub.link()])
        .await;
    phone.succeeds(&["deactivate"]).await;
    assert!(!phone.folder.exists());
    phone.fails(3, &["status"]).await;
    phone.fails(3, &["run"]).await;
    phone
        .fails(
            2,
            &["activate", "--link", "https://portal.example/activate"],
        )
        .await;
    assert!(!phone.folder.exists());
}

#[tokio::test]
async fn a_killed_phone_starts_again_and_a_damaged_profile_is_named() {
    let parent = tempfile::tempdir().unwrap();
    let exchange = Exchange::start().await;
    let mut phone = Phone::running("200", &exchange, parent.path(), &[]).await;
    phone.kill().await;
    phone.fails(4, &["status"]).await;
    phone.start(&[]).await;
    phone.succeeds(&["status", "--wait", "registered"]).await;
    phone.kill().await;

    std::fs::write(phone.folder.join("profile.json"), "{").unwrap();
    let error = phone.fails(8, &["run"]).await;
    assert!(
        error["message"].as_str().unwrap().contains("profile.json"),
        "{error}"
    );
}

#[tokio::test]
async fn a_changed_configuration_is_applied_without_a_restart() {
    let parent = tempfile::tempdir().unwrap();
    let exchange = Exchange::start().await;
    let phone = Phone::running("200", &exchange, parent.path(), &[]).await;
    let mut changed = configuration(2, &[(2, "200"), (3, "202")]);
    for line in &mut changed.lines {
        line.port = Some(exchange.port);
    }
    phone.stub.configure(changed);
    let both = async {
        loop {
            let state = phone.succeeds(&["status", "--wait", "registered"]).await;
            if state["lines"].as_array().unwrap().len() == 2 {
                return state;
            }
        }
    };
    let state = timeout(PATIENCE, both).await.unwrap();
    assert_eq!(state["configuration_version"], 2);
    assert_eq!(state["lines"][1]["address"], "sip:202@127.0.0.1");
}

#[tokio::test]
async fn a_revoked_phone_signs_out_forgets_everything_and_says_so() {
    let parent = tempfile::tempdir().unwrap();
    let exchange = Exchange::start().await;
    let mut phone = Phone::running("200", &exchange, parent.path(), &[]).await;
    phone.stub.revoke();
    assert_eq!(phone.exit_code().await, Some(3));
    assert!(!phone.folder.exists());
}

#[tokio::test]
async fn a_running_phone_can_be_deactivated_and_stopped_by_command() {
    let parent = tempfile::tempdir().unwrap();
    let exchange = Exchange::start().await;
    let mut phone = Phone::running("200", &exchange, parent.path(), &[]).await;
    phone.succeeds(&["stop"]).await;
    assert_eq!(phone.exit_code().await, Some(0));
    phone.start(&[]).await;
    phone.succeeds(&["deactivate"]).await;
    assert_eq!(phone.exit_code().await, Some(0));
    assert!(!phone.folder.exists());
}

#[tokio::test]
async fn a_password_that_the_portal_leaves_to_the_person_can_be_entered_while_it_runs() {
    use tokio::io::AsyncWriteExt as _;

    let parent = tempfile::tempdir().unwrap();
    let exchange = Exchange::start().await;
    let mut phone = Phone::activated("200", &exchange, parent.path()).await;
    let mut asking = configuration(2, &[(2, "200")]);
    asking.lines[0].port = Some(exchange.port);
    asking.lines[0].password = None;
    asking.lines[0].enter_on_device = true;
    phone.stub.configure(asking);
    phone.start(&[]).await;
    let asked =
        async { while phone.succeeds(&["status"]).await["lines"][0]["reason"].is_null() {} };
    timeout(PATIENCE, asked).await.unwrap();

    let mut entering = program(&phone.folder);
    entering
        .arg("password")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut entering = entering.spawn().unwrap();
    entering
        .stdin
        .take()
        .unwrap()
        .write_all(MARKER.as_bytes())
        .await
        .unwrap();
    assert!(entering.wait().await.unwrap().success());
    phone.succeeds(&["status", "--wait", "registered"]).await;
}

#[tokio::test]
async fn the_password_shows_up_nowhere() {
    let parent = tempfile::tempdir().unwrap();
    let exchange = Exchange::start().await;
    let mut phone = Phone::activated("200", &exchange, parent.path()).await;
    let log = parent.path().join("log");
    let mut command = program(&phone.folder);
    command
        .args(["run", "--no-sound-card"])
        .env("TANDEM_LOG", "trace")
        .stdout(std::fs::File::create(&log).unwrap())
        .stderr(std::fs::File::create(parent.path().join("errors")).unwrap());
    phone.running = Some(command.spawn().unwrap());
    phone.connects().await;
    let state = phone.command(&["status", "--wait", "registered"]).await;
    assert!(!String::from_utf8_lossy(&state.stdout).contains(MARKER));

    let process = phone.running.as_ref().unwrap().id().unwrap();
    let mut places: Vec<_> = ["cmdline", "environ"]
        .iter()
        .map(|name| PathBuf::from(format!("/proc/{process}/{name}")))
        .collect();
    places.extend([log, parent.path().join("errors")]);
    for entry in std::fs::read_dir(&phone.folder).unwrap() {
        let path = entry.unwrap().path();
        if path.metadata().unwrap().is_file() {
            places.push(path);
        }
    }
    for place in places {
        let Ok(content) = std::fs::read(&place) else {
            continue;
        };
        let found = String::from_utf8_lossy(&content).contains(MARKER);
        assert!(!found, "{} shows the password", place.display());
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let socket = phone.folder.join("control.sock");
        assert_eq!(
            socket.metadata().unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
}
