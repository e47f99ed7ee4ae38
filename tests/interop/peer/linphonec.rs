//! linphonec 5.1, told what to do on its standard input and read like a person reads it.
//!
//! It needs no sound hardware: `soundcard use files` makes it say one sound file and write what it hears into another.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tempfile::TempDir;
use tests::{text_of, until, write_tone};
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, ChildStdin, Command};

use super::{Carrier, Encryption, Identity, Peer, print_if_failing, written};

/// A linphonec that says a tone and writes down what it hears.
pub(crate) struct Linphonec {
    child: Child,
    input: ChildStdin,
    folder: TempDir,
}

impl Linphonec {
    async fn type_line(&mut self, line: &str) {
        let line = format!("{line}\n");
        let written = self.input.write_all(line.as_bytes()).await;
        written.expect("linphonec listens");
    }

    fn said(&self) -> String {
        written(&self.folder.path().join("said"))
    }

    /// How often something of it has entered a state, by its own log.
    fn entered(&self, state: &str) -> usize {
        let log = written(&self.folder.path().join("log"));
        let whole = format!(" to {state}");
        let entry = format!("{whole} on core");
        let lines = log.lines();
        lines
            .filter(|line| line.ends_with(&whole) || line.contains(&entry))
            .count()
    }

    /// How often it has refreshed a session, which it does by UPDATE.
    pub(crate) fn sessions_refreshed(&self) -> usize {
        let log = written(&self.folder.path().join("log"));
        log.lines()
            .filter(|line| line.starts_with("UPDATE sip:"))
            .count()
    }

    /// Joins the other sides of two of its calls, which it numbers from 1.
    pub(crate) async fn join(&mut self, from: u32, to: u32) {
        self.type_line(&format!("transfer {from} --to-call {to}"))
            .await;
    }
}

impl Peer for Linphonec {
    const SAYS_HZ: f64 = 600.0;

    async fn start(identity: Identity) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        write_configuration(folder.path(), &identity);
        let says = folder.path().join("says.wav");
        write_tone(&says, Self::SAYS_HZ, 60.0);
        let said = std::fs::File::create(folder.path().join("said")).expect("a log can be made");
        let mut child = Command::new("linphonec")
            .arg("-c")
            .arg(folder.path().join("rc"))
            .args(["-d", "6", "-l"])
            .arg(folder.path().join("log"))
            .env("HOME", folder.path())
            .stdin(Stdio::piped())
            .stdout(said.try_clone().expect("the log can be shared"))
            .stderr(said)
            .kill_on_drop(true)
            .spawn()
            .expect("linphonec can be started: run scripts/setup");
        let input = child.stdin.take().expect("stdin is piped");
        let mut linphonec = Self {
            child,
            input,
            folder,
        };
        let heard = linphonec.heard();
        linphonec.type_line("soundcard use files").await;
        linphonec
            .type_line(&format!("play {}", text_of(&says)))
            .await;
        linphonec
            .type_line(&format!("record {}", text_of(&heard)))
            .await;
        until("linphonec takes commands", async || {
            linphonec.said().contains("Using wav files")
        })
        .await;
        linphonec
    }

    fn is_refused(&self) -> bool {
        self.entered("[LinphoneRegistrationFailed]") > 0
    }

    async fn dial(&mut self, address: &str) {
        self.type_line(&format!("call {address}")).await;
    }

    async fn answer(&mut self) {
        self.type_line("answer").await;
    }

    async fn reject(&mut self) {
        self.type_line("terminate").await;
    }

    async fn hang_up(&mut self) {
        self.type_line("terminate").await;
    }

    async fn hold(&mut self) {
        self.type_line("pause").await;
    }

    /// It cannot while it still puts the call on hold.
    async fn resume(&mut self) {
        until("linphonec holds its call", async || {
            self.entered("LinphoneCallPaused") > 0
        })
        .await;
        self.type_line("resume").await;
    }

    async fn press(&mut self, digit: char) {
        self.type_line(&digit.to_string()).await;
    }

    async fn transfer(&mut self, address: &str) {
        self.type_line(&format!("transfer {address}")).await;
    }

    fn registrations(&self) -> usize {
        self.entered("[LinphoneRegistrationOk]")
    }

    fn calls_offered(&self) -> usize {
        self.entered("LinphoneCallIncomingReceived")
    }

    fn calls_answered(&self) -> usize {
        self.entered("LinphoneCallConnected")
    }

    fn calls_ended(&self) -> usize {
        self.entered("LinphoneCallReleased")
    }

    fn times_held(&self) -> Option<usize> {
        Some(self.entered("LinphoneCallPausedByRemote"))
    }

    fn digits(&self) -> String {
        let said = self.said();
        said.split("Receiving tone ")
            .skip(1)
            .filter_map(|rest| rest.chars().next())
            .collect()
    }

    fn heard(&self) -> PathBuf {
        self.folder.path().join("heard.wav")
    }

    async fn quit(mut self) {
        self.type_line("quit").await;
        let ended = self.child.wait().await;
        ended.expect("linphonec can be awaited");
    }
}

impl Drop for Linphonec {
    fn drop(&mut self) {
        print_if_failing(&self.folder.path().join("log"));
        print_if_failing(&self.folder.path().join("said"));
    }
}

fn write_configuration(folder: &Path, identity: &Identity) {
    let Identity {
        user,
        password,
        domain,
        expires_secs,
        ..
    } = identity;
    let transport = identity.carrier.name();
    // It compares names with certificates, never addresses.
    let proxy = match identity.carrier {
        Carrier::Tls => identity.proxy.replace("127.0.0.1", "localhost"),
        Carrier::Udp | Carrier::Tcp => identity.proxy.clone(),
    };
    let codecs: String = [
        ("opus", 48_000),
        ("speex", 16_000),
        ("speex", 8_000),
        ("PCMU", 8_000),
        ("PCMA", 8_000),
    ]
    .iter()
    .enumerate()
    .map(|(index, (name, rate))| {
        let enabled = u8::from(*name == identity.codec);
        format!("[audio_codec_{index}]\nmime={name}\nrate={rate}\nenabled={enabled}\n")
    })
    .collect();
    let trust = match &identity.authority {
        Some(authority) => format!(
            "root_ca={}\nverify_server_certs=1\nverify_server_cn=1\n",
            authority.display()
        ),
        None => String::new(),
    };
    let encryption = match identity.encryption {
        None => "",
        Some(Encryption::Sdes) => "media_encryption=srtp\n",
        Some(Encryption::SdesOnly) => "media_encryption=srtp\nmedia_encryption_mandatory=1\n",
        Some(Encryption::Dtls) => panic!("no handshake with it comes about"),
    };
    // -1 asks for a random port, 0 for none.
    let config = format!(
        "[sip]\nsip_port=-1\nsip_tcp_port=-1\nsip_tls_port=-1\ndefault_proxy=0\nuse_ipv6=0\nregister_only_when_network_is_up=0\n\
         session_expires_enabled=1\nsession_expires_value=90\nsession_expires_refresher_value=2\n{trust}{encryption}\
         [rtp]\naudio_rtp_port=-1\nvideo_rtp_port=-1\n[video]\nenabled=0\n\
         [proxy_0]\nreg_proxy=<sip:{proxy};transport={transport}>\nreg_route=<sip:{proxy};transport={transport};lr>\n\
         reg_identity=sip:{user}@{domain}\nreg_expires={expires_secs}\nreg_sendregister=1\npublish=0\n\
         [auth_info_0]\nusername={user}\npasswd={password}\nrealm={domain}\ndomain={domain}\n{codecs}"
    );
    std::fs::write(folder.join("rc"), config).expect("the configuration can be written");
    // It does not make the folder of its database itself.
    let data = folder.join(".local/share/linphone");
    std::fs::create_dir_all(data).expect("a folder can be made");
}
