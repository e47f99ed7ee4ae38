//! A phone of somebody else, driven as a person would.
//!
//! Every method returns when the phone has been told, not when it has happened: what happens is waited for.

mod baresip;
mod linphonec;

pub(crate) use baresip::Baresip;
pub(crate) use linphonec::Linphonec;

use std::path::{Path, PathBuf};

/// How SIP is carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    Udp,
    Tcp,
    Tls,
}

impl Carrier {
    /// Its name in a SIP URI and in the portal.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }
}

/// Who a phone is and how it reaches its registrar.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) domain: String,
    /// Where all its requests go, `host:port`.
    pub(crate) proxy: String,
    pub(crate) carrier: Carrier,
    /// Whose certificates it believes, a PEM file.
    pub(crate) authority: Option<PathBuf>,
    /// The only codec it speaks: `opus` or `PCMU`.
    pub(crate) codec: &'static str,
    /// For how many seconds it registers.
    pub(crate) expires_secs: u32,
    /// How it secures its sound; `None`: it knows nothing of it.
    pub(crate) encryption: Option<Encryption>,
    /// The tones of its two channels, in hertz, in stereo; `None`: it says its own tone.
    pub(crate) stereo: Option<[f64; 2]>,
}

/// How a phone secures its sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encryption {
    /// Keys in the signalling, if the other side wants them too.
    Sdes,
    /// Keys in the signalling, or no call.
    SdesOnly,
    /// A handshake between the phones: of ours only, because the others have RSA certificates (docs/decisions/0019-secure-media.md).
    Dtls,
}

/// A phone of somebody else.
pub(crate) trait Peer: Sized {
    /// The tone it says, in hertz.
    const SAYS_HZ: f64;

    /// Starts it; it begins to register.
    async fn start(identity: Identity) -> Self;

    /// Whether it thinks that it has registered.
    fn is_registered(&self) -> bool {
        self.registrations() > 0
    }

    /// Whether its registration was refused.
    fn is_refused(&self) -> bool;

    async fn dial(&mut self, address: &str);
    async fn answer(&mut self);
    /// Refuses a call that rings.
    async fn reject(&mut self);
    /// Ends the call, or stops calling.
    async fn hang_up(&mut self);
    async fn hold(&mut self);
    async fn resume(&mut self);
    async fn press(&mut self, digit: char);
    /// Sends the other side of its call to somebody else and leaves.
    async fn transfer(&mut self, address: &str);

    /// How often it has registered, refreshes included.
    fn registrations(&self) -> usize;
    /// How many calls have rung here.
    fn calls_offered(&self) -> usize;
    /// How often it was put on hold, if it says so.
    fn times_held(&self) -> Option<usize>;
    /// How many calls of its own, or to it, were answered.
    fn calls_answered(&self) -> usize;
    /// How many of its calls are over.
    fn calls_ended(&self) -> usize;
    /// The digits that it was sent.
    fn digits(&self) -> String;
    /// What it has heard in the only call it has had, once that is over.
    fn heard(&self) -> PathBuf;

    /// Takes its registration back and ends.
    async fn quit(self);
}

/// What a program has written into a file so far.
fn written(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned()
}

/// Prints the end of a log if the test is failing, for whoever has to find out why.
pub(crate) fn print_if_failing(log: &Path) {
    if std::thread::panicking() {
        let text = written(log);
        let start = text.len().saturating_sub(24_000);
        let tail = text.get(start..).unwrap_or(&text);
        eprintln!("== {}\n{tail}", log.display());
    }
}
