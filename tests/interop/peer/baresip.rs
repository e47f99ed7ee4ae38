//! baresip 1.0, told what to do and asked what happened over its control connection (`ctrl_tcp`): netstrings with JSON inside.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tempfile::TempDir;
use tests::{free_port, until};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::process::{Child, Command};

use super::{Encryption, Identity, Peer, print_if_failing};

/// A baresip that says a tone and writes down what it hears.
pub(crate) struct Baresip {
    child: Child,
    folder: TempDir,
    control: OwnedWriteHalf,
    events: Arc<Mutex<Vec<Value>>>,
}

impl Baresip {
    /// Starts it on this file of accounts.
    pub(crate) async fn start_on(accounts: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self::launch(folder, &says_tone(), accounts).await
    }

    async fn launch(folder: TempDir, more: &str, accounts: &str) -> Self {
        let port = free_port();
        write_configuration(folder.path(), port, more, accounts);
        let log = std::fs::File::create(folder.path().join("log")).expect("a log can be made");
        let child = Command::new("baresip")
            .arg("-s")
            .arg("-f")
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("the log can be shared"))
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .expect("baresip can be started: run scripts/setup");
        let mut connection = None;
        until("baresip takes commands", async || {
            connection = TcpStream::connect(("127.0.0.1", port)).await.ok();
            connection.is_some()
        })
        .await;
        let (reader, control) = connection.expect("it was awaited").into_split();
        let events = Arc::default();
        tokio::spawn(collect(reader, Arc::clone(&events)));
        Self {
            child,
            folder,
            control,
            events,
        }
    }

    async fn command(&mut self, command: &str, parameters: &str) {
        let text = json!({"command": command, "params": parameters}).to_string();
        let netstring = format!("{}:{text},", text.len());
        let sent = self.control.write_all(netstring.as_bytes()).await;
        sent.expect("baresip listens");
    }

    /// Presses keys without a pause between them.
    pub(crate) async fn press_all(&mut self, keys: &str) {
        self.command("sndcode", keys).await;
    }

    fn events(&self, kind: &str) -> Vec<Value> {
        let events = self.events.lock().expect("nobody panics with the events");
        let wanted = events.iter().filter(|event| event["type"] == kind);
        wanted.cloned().collect()
    }
}

impl Peer for Baresip {
    const SAYS_HZ: f64 = 440.0;

    async fn start(identity: Identity) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let more = settings(folder.path(), &identity);
        Self::launch(folder, &more, &account(&identity)).await
    }

    /// It does not see that it was refused and answers every challenge.
    fn is_refused(&self) -> bool {
        let log = super::written(&self.folder.path().join("log"));
        log.matches("SIP/2.0 401 ").count() > 2
    }

    async fn dial(&mut self, address: &str) {
        self.command("dial", address).await;
    }

    async fn answer(&mut self) {
        self.command("accept", "").await;
    }

    async fn reject(&mut self) {
        self.command("hangup", "").await;
    }

    async fn hang_up(&mut self) {
        self.command("hangup", "").await;
    }

    async fn hold(&mut self) {
        self.command("hold", "").await;
    }

    async fn resume(&mut self) {
        self.command("resume", "").await;
    }

    async fn press(&mut self, digit: char) {
        self.command("sndcode", &digit.to_string()).await;
    }

    async fn transfer(&mut self, address: &str) {
        self.command("transfer", address).await;
    }

    /// Counted in its trace: the first one may be before it takes commands, and it tells of changes only.
    fn registrations(&self) -> usize {
        let log = super::written(&self.folder.path().join("log"));
        let successes = log.split("SIP/2.0 200 OK").skip(1);
        successes
            .filter(|rest| {
                let mut header = rest.lines().skip(1).take_while(|line| !line.is_empty());
                header.any(|line| line.starts_with("CSeq:") && line.ends_with(" REGISTER"))
            })
            .count()
    }

    fn calls_offered(&self) -> usize {
        self.events("CALL_INCOMING").len()
    }

    fn times_held(&self) -> Option<usize> {
        None
    }

    fn calls_answered(&self) -> usize {
        self.events("CALL_ESTABLISHED").len()
    }

    fn calls_ended(&self) -> usize {
        self.events("CALL_CLOSED").len()
    }

    fn digits(&self) -> String {
        let starts = self.events("CALL_DTMF_START");
        starts
            .iter()
            .filter_map(|event| event["param"].as_str())
            .collect()
    }

    fn heard(&self) -> PathBuf {
        let entries = std::fs::read_dir(self.folder.path()).expect("the folder can be read");
        let mut recordings = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
        let found = recordings.find(|path| path.to_string_lossy().ends_with("-dec.wav"));
        found.expect("baresip has recorded something")
    }

    async fn quit(mut self) {
        self.command("quit", "").await;
        let ended = self.child.wait().await;
        ended.expect("baresip can be awaited");
    }
}

impl Drop for Baresip {
    fn drop(&mut self) {
        print_if_failing(&self.folder.path().join("log"));
    }
}

/// `more` is what not every one of them is told.
fn write_configuration(folder: &Path, control_port: u16, more: &str, accounts: &str) {
    let config = format!(
        "sip_listen 127.0.0.1:0\nnet_interface 127.0.0.1\nausrc_srate 48000\nausrc_channels 2\n\
         audio_player aubridge,nil\naudio_alert aubridge,bell\nsnd_path {}\nmodule_path /usr/lib/baresip/modules\n\
         module g711.so\nmodule opus.so\nmodule ausine.so\nmodule aubridge.so\nmodule sndfile.so\nmodule_app account.so\n\
         module_app menu.so\nmodule_app ctrl_tcp.so\nctrl_tcp_listen 127.0.0.1:{control_port}\n{more}",
        folder.display(),
    );
    for (name, text) in [("config", config.as_str()), ("accounts", accounts)] {
        std::fs::write(folder.join(name), text).expect("the configuration can be written");
    }
}

fn settings(folder: &Path, identity: &Identity) -> String {
    let module = match identity.encryption {
        None => "",
        Some(Encryption::Sdes | Encryption::SdesOnly) => "module srtp.so\n",
        Some(Encryption::Dtls) => panic!("no handshake with it comes about"),
    };
    let authority = match &identity.authority {
        Some(authority) => format!("sip_cafile {}\n", authority.display()),
        None => String::new(),
    };
    format!("{}{module}{authority}", source(folder, identity))
}

fn account(identity: &Identity) -> String {
    let encryption = match identity.encryption {
        None => "",
        Some(Encryption::Sdes) => ";mediaenc=srtp",
        Some(Encryption::SdesOnly) => ";mediaenc=srtp-mand",
        Some(Encryption::Dtls) => "",
    };
    let codec = match identity.codec {
        "opus" => "opus/48000/2",
        _ => "PCMU/8000/1",
    };
    let Identity {
        user,
        password,
        domain,
        proxy,
        expires_secs,
        ..
    } = identity;
    let transport = identity.carrier.name();
    format!(
        "<sip:{user}@{domain};transport={transport}>;auth_user={user};auth_pass={password};\
         outbound=\"sip:{proxy};transport={transport};lr\";audio_codecs={codec};regint={expires_secs}{encryption}\n",
    )
}

fn says_tone() -> String {
    format!("audio_source ausine,{}\n", Baresip::SAYS_HZ)
}

/// What it says. It spends enough bits on stereo, and takes the network for one that loses packets.
fn source(folder: &Path, identity: &Identity) -> String {
    let Some(tones) = identity.stereo else {
        return says_tone();
    };
    let says = folder.join("says.wav");
    tests::write_stereo_tones(&says, tones, 60.0);
    format!(
        "audio_source aufile,{}\nmodule aufile.so\nopus_stereo yes\nopus_sprop_stereo yes\nopus_application voip\n\
         opus_bitrate 40000\nopus_inbandfec yes\nopus_packet_loss 20\n",
        says.display()
    )
}

/// Collects events until baresip is gone.
async fn collect(mut reader: OwnedReadHalf, events: Arc<Mutex<Vec<Value>>>) {
    let mut buffer = Vec::new();
    while reader
        .read_buf(&mut buffer)
        .await
        .is_ok_and(|read| read > 0)
    {
        while let Some((event, length)) = first_netstring(&buffer) {
            buffer.drain(..length);
            events
                .lock()
                .expect("nobody panics with the events")
                .push(event);
        }
    }
}

/// The first whole netstring's JSON, and how many bytes it takes.
fn first_netstring(buffer: &[u8]) -> Option<(Value, usize)> {
    let colon = buffer.iter().position(|byte| *byte == b':')?;
    let length: usize = std::str::from_utf8(&buffer[..colon]).ok()?.parse().ok()?;
    let text = buffer.get(colon + 1..colon + 1 + length)?;
    buffer.get(colon + 1 + length)?;
    let event = serde_json::from_slice(text).unwrap_or(Value::Null);
    Some((event, colon + length + 2))
}
