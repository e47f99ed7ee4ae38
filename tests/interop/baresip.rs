//! baresip as caller and as callee, registered at our proxy, with the sound checked both ways.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tests::{Phone, Server, Tenant, seconds_of, share_of_tone, text_of, write_tone};
use tokio::process::{Child, Command};

const BARESIP_HZ: f64 = 440.0;
const OURS_HZ: f64 = 1_000.0;
const PASSWORD: &str = "a-secret-of-baresip";

/// How long sound must have been heard before it is judged.
const ENOUGH_SECONDS: f64 = 4.0;

/// A baresip that says a tone and writes down what it hears.
struct Baresip {
    _child: Child,
    folder: TempDir,
}

impl Baresip {
    /// Starts baresip for an account of the tenant; `extra` goes into its account, `commands` are run at its start.
    fn start(
        server: &Server,
        tenant: &Tenant,
        codec: &str,
        extra: &str,
        commands: &[String],
    ) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let config = format!(
            "sip_listen 127.0.0.1:0\nnet_interface 127.0.0.1\naudio_source ausine,{BARESIP_HZ}\nausrc_srate 48000\nausrc_channels 2\naudio_player aubridge,nil\n\
             audio_alert aubridge,bell\nsnd_path {}\nmodule_path /usr/lib/baresip/modules\nmodule g711.so\nmodule opus.so\n\
             module ausine.so\nmodule aubridge.so\nmodule sndfile.so\nmodule_app account.so\nmodule_app menu.so\n",
            folder.path().display()
        );
        let account = format!(
            "<sip:3001@{}>;auth_user=3001;auth_pass={PASSWORD};outbound=\"sip:{};lr\";audio_codecs={codec};regint=300{extra}\n",
            tenant.domain, server.sip
        );
        std::fs::write(folder.path().join("config"), config)
            .expect("the configuration can be written");
        std::fs::write(folder.path().join("accounts"), account)
            .expect("the account can be written");
        let log = std::fs::File::create(folder.path().join("log")).expect("a log can be made");
        let mut command = Command::new("baresip");
        command.arg("-f").arg(folder.path());
        for text in commands {
            command.args(["-e", text]);
        }
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("the log can be shared"))
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .expect("baresip can be started: run scripts/setup");
        Self {
            _child: child,
            folder,
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// What it has heard, once its call is over.
    fn heard(&self) -> std::path::PathBuf {
        let entries = std::fs::read_dir(self.folder.path()).expect("the folder can be read");
        let mut recordings = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
        let found = recordings.find(|path| path.to_string_lossy().ends_with("-dec.wav"));
        found.unwrap_or_else(|| panic!("baresip has recorded nothing:\n{}", self.log()))
    }
}

/// Our phone with an engine that says its tone and writes down what it hears.
async fn our_phone(server: &Server, tenant: &Tenant) -> Phone {
    let mut phone = Phone::new();
    phone
        .activate(&server.portal_url, &tenant.device("1001").await.code)
        .await;
    write_tone(&phone.file("says.wav"), OURS_HZ, 30.0);
    let (says, heard) = (phone.file("says.wav"), phone.file("heard.wav"));
    phone
        .run(&[
            "--auto-answer",
            "--play",
            text_of(&says),
            "--record",
            text_of(&heard),
        ])
        .await;
    phone
}

/// Waits until something is so, looking every tenth of a second.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    for _ in 0..400 {
        ticks.tick().await;
        if is_so().await {
            return;
        }
    }
    panic!("it did not happen: {what}");
}

fn assert_heard(path: &Path, frequency_hz: f64, who: &str) {
    let share = share_of_tone(path, frequency_hz);
    assert!(
        share > 0.8,
        "{who}: only {share:.2} of the sound is the tone of {frequency_hz} Hz"
    );
}

/// baresip calls our phone; both must hear the other.
async fn baresip_calls(codec: &str) {
    let server = Server::start().await;
    let tenant = server.administrator().await.tenant("acme").await;
    tenant.account("3001", PASSWORD).await;
    let phone = our_phone(&server, &tenant).await;
    let call = format!("/dial sip:1001@{}", tenant.domain);
    let baresip = Baresip::start(&server, &tenant, codec, "", &[call]);
    phone
        .ok(&["status", "--wait", "talking", "--timeout", "30"])
        .await;
    until("enough has been heard", async || {
        seconds_of(&phone.file("heard.wav")) > ENOUGH_SECONDS
    })
    .await;
    phone.ok(&["hangup"]).await;
    phone
        .ok(&["status", "--wait", "idle", "--timeout", "20"])
        .await;
    until("baresip closes its call", async || {
        baresip.log().contains("terminated")
    })
    .await;
    assert_heard(&phone.file("heard.wav"), BARESIP_HZ, "our phone");
    assert_heard(&baresip.heard(), OURS_HZ, "baresip");
}

/// Our phone calls baresip; both must hear the other.
async fn baresip_is_called(codec: &str, codec_name: &str) {
    let server = Server::start().await;
    let tenant = server.administrator().await.tenant("acme").await;
    let account = tenant.account("3001", PASSWORD).await;
    tenant.device_on("baresip", &account).await;
    let phone = our_phone(&server, &tenant).await;
    let baresip = Baresip::start(&server, &tenant, codec, ";answermode=auto", &[]);
    until("baresip registers", async || {
        tenant.is_online(&account).await
    })
    .await;
    let call = phone
        .ok(&[
            "call",
            "3001",
            "--wait",
            "ended",
            "--duration",
            "4",
            "--timeout",
            "20",
        ])
        .await;
    assert_eq!(
        call["media"]["codec"],
        codec_name,
        "{call}\n{}",
        baresip.log()
    );
    until("baresip closes its call", async || {
        baresip.log().contains("terminated")
    })
    .await;
    assert_heard(&phone.file("heard.wav"), BARESIP_HZ, "our phone");
    assert_heard(&baresip.heard(), OURS_HZ, "baresip");
}

#[tokio::test]
async fn baresip_calls_our_phone_with_opus() {
    baresip_calls("opus/48000/2").await;
}

#[tokio::test]
async fn baresip_calls_our_phone_with_pcmu() {
    baresip_calls("PCMU/8000/1").await;
}

#[tokio::test]
async fn our_phone_calls_baresip_with_opus() {
    baresip_is_called("opus/48000/2", "opus").await;
}

#[tokio::test]
async fn our_phone_calls_baresip_with_pcmu() {
    baresip_is_called("PCMU/8000/1", "PCMU").await;
}
