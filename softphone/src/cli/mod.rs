//! The command line: what may be typed.
//!
//! Numbers, links and names are plain values, never options: after the command's name everything
//! that does not begin with a dash is taken as it is, and what does is refused.

mod run;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::control::protocol::{Recorded, SoundFiles};
use crate::failure::exit_code_table;
use crate::profile::KeyPlaceChoice;

pub use run::{CodecChoice, IceChoice, Processing, Run, SecureBy, SecureSound, Switch, ToneChoice};

/// A telephone for the command line: activate it once, let it run, place and take calls.
#[derive(Debug, Parser)]
#[command(name = "softphone", version, after_help = exit_code_table())]
pub struct Cli {
    /// Folder that holds this phone's identity; every phone on a machine has its own.
    #[arg(long, global = true, env = "TANDEM_PROFILE", value_name = "DIR")]
    pub profile: Option<PathBuf>,
    /// Print JSON instead of sentences.
    #[arg(long, global = true)]
    pub json: bool,
    /// Where the key that protects the passwords is kept.
    #[arg(
        long,
        global = true,
        env = "TANDEM_SECRET_STORE",
        value_enum,
        default_value_t
    )]
    pub secret_store: KeyPlaceChoice,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make this phone the one that the portal invited.
    Activate(Activate),
    /// Be a telephone until stopped.
    Run(Run),
    /// Place a call with the running phone.
    Call(Call),
    /// Answer a ringing call.
    Answer(AnswerCall),
    /// Decline a ringing call.
    Reject(Reject),
    /// End a call, or stop calling.
    #[command(alias = "hang-up")]
    Hangup(OneCall),
    /// Put a call on hold.
    Hold(OneCall),
    /// Take a held call back.
    Resume(OneCall),
    /// Switch what is done to the microphone's sound, also in a call; `status` shows what is.
    Processing(Processing),
    /// Send digits to the other side of a call.
    Dtmf(Dtmf),
    /// The other side of a call, or of all that are connected, does not hear this phone any more.
    Mute(OneCall),
    /// It does again.
    Unmute(OneCall),
    /// Keep a call or the conference in a stereo file: own side left, far side right.
    Record(Record),
    /// Talk with several at once: each hears the others.
    #[command(subcommand)]
    Conference(Conference),
    /// Give a call away: to a number, or to somebody who was called about it.
    Transfer(Transfer),
    /// Call somebody about a call, which is put on hold until then.
    Consult(Consult),
    /// Show lines and calls.
    Status(Status),
    /// Show the lines only.
    Lines,
    /// Show the people of the company directory, all or those who fit.
    Directory(Directory),
    /// Enter the password of a line that the portal leaves to you; read from standard input.
    Password(Password),
    /// Show the sound devices of this machine.
    Devices,
    /// Do what a `tel:`, `callto:`, `sip:` or `tandem:` link says; asks first.
    Open(Open),
    /// Stop the running phone.
    Stop,
    /// Encode a sound file and decode it again: what a perfect network would make of it.
    #[command(hide = true)]
    Reference(Reference),
    /// Sign out and forget the activation and all passwords.
    #[command(alias = "wipe")]
    Deactivate,
}

/// `activate`
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("invitation").required(true))]
pub struct Activate {
    /// The activation link from the mail or the portal.
    #[arg(long, group = "invitation", value_name = "LINK")]
    pub link: Option<String>,
    /// The activation code; needs --portal.
    #[arg(long, group = "invitation", requires = "portal", value_name = "CODE")]
    pub code: Option<String>,
    /// A picture of the QR code, PNG or JPEG.
    #[arg(long, group = "invitation", value_name = "FILE")]
    pub qr: Option<PathBuf>,
    /// The activation link, as another program hands it over; asks before it acts.
    #[arg(group = "invitation", value_name = "URL")]
    pub url: Option<String>,
    /// The portal's address, for --code.
    #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["link", "qr", "url"])]
    pub portal: Option<String>,
    /// Replace an activation that is there.
    #[arg(long)]
    pub replace: bool,
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,
}

/// `call`
#[derive(Debug, Args)]
pub struct Call {
    /// Extension, number, user@domain, sip: or tel: address, or a name of the company directory.
    pub number: String,
    /// Line to call from: its name, address or account.
    #[arg(long)]
    pub line: Option<String>,
    /// When to return.
    #[arg(long, value_enum, default_value_t)]
    pub wait: Wait,
    #[command(flatten)]
    sound: SoundArgs,
    /// Hang up so many seconds after the answer; waits for the end.
    #[arg(long, value_name = "SECS", value_parser = seconds)]
    pub duration: Option<Duration>,
    /// Give up if nobody answers for so many seconds.
    #[arg(long, value_name = "SECS", value_parser = seconds)]
    pub timeout: Option<Duration>,
}

/// When `call` returns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Wait {
    /// At once; `status` shows how it goes on.
    Placed,
    /// When the call is answered, or failed.
    #[default]
    Answered,
    /// When the call is over.
    Ended,
}

/// `answer`
#[derive(Debug, Args)]
pub struct AnswerCall {
    /// Number of the call; the ringing one if absent.
    pub call: Option<u64>,
    #[command(flatten)]
    sound: SoundArgs,
    /// Wait so many seconds for a call to ring.
    #[arg(long, value_name = "SECS", value_parser = seconds)]
    pub timeout: Option<Duration>,
}

/// Sound files of one call.
#[derive(Debug, Args)]
struct SoundArgs {
    /// Play this WAV file to the other side.
    #[arg(long, value_name = "FILE.wav")]
    play: Option<PathBuf>,
    /// Write what the other side says into this WAV file.
    #[arg(long, value_name = "FILE.wav")]
    record: Option<PathBuf>,
}

/// A command about one call.
#[derive(Debug, Args)]
pub struct OneCall {
    /// Number of the call; needed only if there are several.
    pub call: Option<u64>,
}

/// `reject`
#[derive(Debug, Args)]
pub struct Reject {
    /// Number of the call; needed only if there are several.
    pub call: Option<u64>,
    /// Tell the caller that the call is declined, not that the phone is busy.
    #[arg(long)]
    pub declined: bool,
}

/// `dtmf`
#[derive(Debug, Args)]
pub struct Dtmf {
    /// Digits: 0–9, *, #, A–D.
    pub digits: String,
    /// Number of the call; needed only if there are several.
    #[arg(long)]
    pub call: Option<u64>,
}

/// `record`
#[derive(Debug, Args)]
pub struct Record {
    /// Number of the call, or `conference`.
    #[arg(value_parser = recorded)]
    pub what: Recorded,
    /// Begin or end.
    #[arg(value_enum)]
    pub action: RecordAction,
    /// File to make: `.wav`, or `.opus` and `.ogg` for Ogg Opus.
    #[arg(long, value_name = "FILE")]
    pub to: Option<PathBuf>,
}

/// Begin or end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RecordAction {
    /// From now on.
    Start,
    /// Up to now.
    Stop,
}

fn recorded(text: &str) -> Result<Recorded, String> {
    match text.parse() {
        Ok(call) => Ok(Recorded::Call(call)),
        Err(_) if text == "conference" => Ok(Recorded::Conference),
        Err(_) => Err("the number of a call, or `conference`".to_owned()),
    }
}

/// `conference`
#[derive(Debug, Subcommand)]
pub enum Conference {
    /// Make one of two or more calls that are connected or on hold.
    Start {
        /// Their numbers.
        #[arg(required = true, num_args = 2..)]
        calls: Vec<u64>,
    },
    /// Take further calls in.
    Add {
        /// Their numbers.
        #[arg(required = true)]
        calls: Vec<u64>,
    },
    /// Take a call out and put it on hold; all of them, each for itself, without a number.
    Split(OneCall),
    /// The others do not hear the other side of this call any more.
    Mute {
        /// Its number.
        call: u64,
    },
    /// They do again.
    Unmute {
        /// Its number.
        call: u64,
    },
    /// Put everyone on hold.
    Hold,
    /// Take everyone back.
    Resume,
    /// End all of its calls.
    #[command(alias = "hangup")]
    End,
}

/// `transfer`
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("target").required(true))]
pub struct Transfer {
    /// Extension, number, user@domain, sip: or tel: address, or a name of the company directory.
    #[arg(group = "target")]
    pub number: Option<String>,
    /// To whom the call is with that was placed by `consult`, even if it still rings there.
    #[arg(long, group = "target")]
    pub consulted: bool,
    /// To whom this call is with, even if it still rings there.
    #[arg(long, group = "target", value_name = "CALL")]
    pub to: Option<u64>,
    /// Number of the call to give away; needed only if there are several.
    #[arg(long)]
    pub call: Option<u64>,
}

/// `consult`
#[derive(Debug, Args)]
pub struct Consult {
    /// Extension, number, user@domain, sip: or tel: address, or a name of the company directory.
    pub number: String,
    /// Number of the call that it is about; needed only if there are several.
    #[arg(long)]
    pub call: Option<u64>,
    /// When to return.
    #[arg(long, value_enum, default_value_t)]
    pub wait: Wait,
    #[command(flatten)]
    sound: SoundArgs,
}

impl Consult {
    /// Its sound files, absolute.
    pub fn sound(&self) -> SoundFiles {
        self.sound.files()
    }
}

/// `directory`
#[derive(Debug, Args)]
pub struct Directory {
    /// Parts of names, numbers, companies or addresses; all of them must fit.
    pub search: Vec<String>,
}

/// `password`
#[derive(Debug, Args)]
pub struct Password {
    /// Name or user of the line; needed only if several lines want a password.
    pub line: Option<String>,
}

/// `status`
#[derive(Debug, Args)]
pub struct Status {
    /// Wait until something is so.
    #[arg(long, value_enum)]
    pub wait: Option<StatusWait>,
    /// Wait no longer than so many seconds.
    #[arg(long, value_name = "SECS", value_parser = seconds, default_value = "30")]
    pub timeout: Duration,
}

/// What `status` can wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StatusWait {
    /// Every line is connected.
    Registered,
    /// A call rings here.
    Ringing,
    /// A call is connected.
    Talking,
    /// No call is left.
    Idle,
}

/// `reference`
#[derive(Debug, Args)]
pub struct Reference {
    /// WAV file to encode.
    pub input: PathBuf,
    /// WAV file to write.
    pub output: PathBuf,
    /// Codec.
    #[arg(long, value_enum, default_value = "opus")]
    pub codec: CodecChoice,
}

/// `open`
#[derive(Debug, Args)]
pub struct Open {
    /// The link.
    pub url: String,
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,
}

impl Activate {
    /// As if this link had been typed, by somebody who agreed already.
    pub fn from_link(link: String) -> Self {
        Self {
            link: Some(link),
            code: None,
            qr: None,
            url: None,
            portal: None,
            replace: false,
            yes: true,
        }
    }
}

impl Call {
    /// As if only a number had been typed.
    pub fn to(number: String, wait: Wait) -> Self {
        let sound = SoundArgs {
            play: None,
            record: None,
        };
        Self {
            number,
            line: None,
            wait,
            sound,
            duration: None,
            timeout: None,
        }
    }

    /// The sound files of the call, with absolute paths.
    pub fn sound(&self) -> SoundFiles {
        self.sound.files()
    }
}

impl AnswerCall {
    /// The sound files of the call, with absolute paths.
    pub fn sound(&self) -> SoundFiles {
        self.sound.files()
    }
}

impl SoundArgs {
    fn files(&self) -> SoundFiles {
        SoundFiles {
            play: self.play.clone().map(absolute),
            record: self.record.clone().map(absolute),
        }
    }
}

/// The running phone may have another working folder.
pub(crate) fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

fn seconds(text: &str) -> Result<Duration, String> {
    let secs: f64 = text
        .parse()
        .map_err(|_| "a number of seconds is needed".to_owned())?;
    // A day is longer than any call that a script waits for.
    if !(0.0..=86_400.0).contains(&secs) {
        return Err("from 0 to 86400 seconds".to_owned());
    }
    Ok(Duration::from_secs_f64(secs))
}

#[cfg(test)]
mod tests;
