//! Sound cards of a PulseAudio daemon of the test's own: rates and channels that nobody expects, and one that is taken away.

use std::fs::File;
use std::path::PathBuf;
use std::process::Stdio;

use media::tone::share_at;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::exchange::Exchange;
use crate::phones::{PATIENCE, Phone, tone_wav};

struct Sound {
    folder: TempDir,
    _daemon: Child,
}

impl Sound {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("native");
        let log = File::create(folder.path().join("log")).unwrap();
        // Asked of nobody, but a client without one of this length is turned away.
        std::fs::write(folder.path().join("cookie"), [7; 256]).unwrap();
        let mut command = Command::new("pulseaudio");
        command
            .args([
                "-n",
                "--daemonize=no",
                "--use-pid-file=no",
                "--exit-idle-time=-1",
            ])
            .args(["--disallow-exit", "--log-target=stderr"])
            .arg(format!(
                "--load=module-native-protocol-unix auth-anonymous=1 socket={}",
                socket.display()
            ))
            .stdout(Stdio::null())
            .stderr(log);
        let daemon = with_environment(&mut command, &folder)
            .kill_on_drop(true)
            .spawn()
            .expect("PulseAudio can be started: run scripts/setup");
        let sound = Self {
            folder,
            _daemon: daemon,
        };
        let answers = async { while sound.ask(&["info"]).await.is_none() {} };
        timeout(PATIENCE, answers).await.expect("PulseAudio serves");
        sound
    }

    /// A program that uses this daemon.
    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        with_environment(&mut command, &self.folder).kill_on_drop(true);
        command
    }

    async fn ask(&self, words: &[&str]) -> Option<String> {
        let done = self.program("pactl").args(words).output().await.unwrap();
        let text = String::from_utf8_lossy(&done.stdout).trim().to_owned();
        done.status.success().then_some(text)
    }

    /// The only card, which hears what it says; its number.
    async fn load(&self, form: &str) -> String {
        let form: Vec<_> = form.split(' ').collect();
        let card = ["load-module", "module-null-sink", "sink_name=odd"];
        let number = self.ask(&[&card[..], &form].concat()).await.unwrap();
        self.ask(&["set-default-sink", "odd"]).await.unwrap();
        self.ask(&["set-default-source", "odd.monitor"])
            .await
            .unwrap();
        number
    }

    /// Records what the card says.
    fn record(&self) -> (Child, PathBuf) {
        let path = self.folder.path().join("said.raw");
        let recorder = self
            .program("parec")
            .args(["--device=odd.monitor", "--raw", "--format=s16le"])
            .args(["--rate=48000", "--channels=1", "--latency-msec=20"])
            .stdout(File::create(&path).unwrap())
            .spawn()
            .unwrap();
        (recorder, path)
    }

    async fn phone(&self, exchange: &Exchange) -> Phone {
        let mut phone = Phone::activated("201", exchange, self.folder.path()).await;
        let mut command = phone.program();
        with_environment(&mut command, &self.folder);
        command.args(["run", "--headless", "--auto-answer"]);
        // A tone is noise to who listens for speech, and what a card hears of itself an echo.
        for what in [
            "--noise-suppression",
            "--gain-control",
            "--echo-cancellation",
        ] {
            command.args([what, "off"]);
        }
        phone.runs(command).await;
        phone.succeeds(&["status", "--wait", "registered"]).await;
        phone
    }
}

fn with_environment<'a>(command: &'a mut Command, folder: &TempDir) -> &'a mut Command {
    let at = |name: &str| folder.path().join(name);
    command
        .env("PULSE_SERVER", format!("unix:{}", at("native").display()))
        .env("PULSE_COOKIE", at("cookie"))
        .env("PULSE_RUNTIME_PATH", folder.path())
        .env("PULSE_STATE_PATH", folder.path())
        .env("XDG_RUNTIME_DIR", folder.path())
        .env("HOME", folder.path())
}

/// The share of 500 Hz in the half second in which it is greatest.
fn tone_in(samples: &[u8]) -> f64 {
    let samples: Vec<_> = samples
        .chunks_exact(2)
        .map(|bytes| i16::from_le_bytes([bytes[0], bytes[1]]))
        .collect();
    let shares = samples
        .chunks_exact(24_000)
        .map(|half| share_at(half, 500.0, 48_000));
    shares.fold(0.0, f64::max)
}

#[tokio::test]
async fn cards_with_rates_and_channels_that_nobody_expects_say_and_hear_the_right_pitch() {
    let sound = Sound::new().await;
    let exchange = Exchange::start().await;
    let file = |name: &str| sound.folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(file("tone.wav"), tone_wav()).unwrap();
    let alice = Phone::running("200", &exchange, sound.folder.path(), &[]).await;
    for form in [
        "rate=11025 channels=1",
        "rate=192000 channels=6 channel_map=front-left,front-right,rear-left,rear-right,front-center,lfe",
        "rate=22050 channels=3 channel_map=aux0,aux1,aux2",
    ] {
        let card = sound.load(form).await;
        let bob = sound.phone(&exchange).await;
        let (mut recorder, said) = sound.record();
        let (tone, heard) = (file("tone.wav"), file("heard.wav"));
        let call = [
            "call",
            "201",
            "--duration",
            "3",
            "--play",
            &tone,
            "--record",
            &heard,
        ];
        alice.succeeds(&call).await;
        let state = bob.succeeds(&["status", "--wait", "idle"]).await;
        assert_eq!(state["ended"][0]["ended"], "remote_hang_up", "{state}");
        recorder.kill().await.unwrap();
        let said = tone_in(&std::fs::read(said).unwrap());
        assert!(said > 0.9, "{form}: the card says {said}");
        let heard = tone_in(&std::fs::read(heard).unwrap()[44..]);
        // The card hears itself; on a busy machine with gaps, which cost more than a little. At a wrong pitch there is none of it.
        assert!(heard > 0.6, "{form}: the card hears {heard}");
        bob.succeeds(&["stop"]).await;
        std::fs::remove_dir_all(file("201")).ok();
        sound.ask(&["unload-module", &card]).await.unwrap();
    }
}

/// Waits until the phone says this of its only call, which goes on.
async fn is_told(phone: &Phone, wanted: &str) {
    let mut last = Value::Null;
    let told = async {
        loop {
            let state = phone.succeeds(&["status"]).await;
            let call = &state["calls"][0];
            assert_eq!(call["phase"], "connected", "{state}");
            last = call["problem"].clone();
            if last
                .as_str()
                .is_some_and(|problem| problem.contains(wanted))
            {
                return;
            }
        }
    };
    let patience = timeout(PATIENCE, told).await;
    assert!(patience.is_ok(), "{wanted:?} is told, not {last}");
}

#[tokio::test]
async fn a_card_that_is_suspended_or_taken_away_is_said_and_the_call_goes_on() {
    let sound = Sound::new().await;
    let exchange = Exchange::start().await;
    let card = sound.load("rate=44100 channels=2").await;
    let bob = sound.phone(&exchange).await;
    let alice = Phone::running("200", &exchange, sound.folder.path(), &[]).await;
    // Somebody else has it: it neither plays nor hears, and the phone stays a phone.
    sound.ask(&["suspend-sink", "odd", "1"]).await.unwrap();
    alice.succeeds(&["call", "201"]).await;
    bob.succeeds(&["status", "--wait", "talking"]).await;
    sound.ask(&["suspend-sink", "odd", "0"]).await.unwrap();

    sound.ask(&["unload-module", &card]).await.unwrap();
    is_told(&bob, "is gone and there is no other; plug one in").await;
    sound.load("rate=44100 channels=2").await;
    is_told(&bob, "is used now").await;
    alice.succeeds(&["hangup"]).await;
    bob.succeeds(&["status", "--wait", "idle"]).await;
}
