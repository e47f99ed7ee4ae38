//! The words of the control socket.
//!
//! ```text
//! → {"id":1,"command":{"type":"call","number":"200"}}
//! ← {"id":1,"done":{"call":1}}
//! → {"id":2,"command":{"type":"hang-up"}}
//! ← {"id":2,"failed":{"kind":"not-possible","message":"there is no call"}}
//! → {"id":3,"command":{"type":"follow"}}
//! ← {"id":3,"done":{}}
//! ← {"state":{"device":"Desk","lines":[…],"calls":[…],"ended":[…],…}}
//! ```
//!
//! Texts that came from the network are already made plain; a program may print them.

mod state;

use std::path::PathBuf;

use api::Secret;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

pub use state::{
    Action, CallQuality, CallState, ConferenceState, Connection, Direction, DirectionQuality,
    Ended, EndedCall, KeyExchange, LineState, MediaSummary, PathKind, Phase, ProcessingState,
    SecurityState, State, TransferState, TransferStep,
};

/// What a client says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Chosen by the client; comes back in the answer.
    pub id: u64,
    /// What to do.
    pub command: Command,
}

/// What the softphone can be asked. Calls are named by their number; absent means the only one
/// that fits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Command {
    /// Send the state once.
    Status,
    /// Send the state now and after every change.
    Follow,
    /// Place a call.
    Call {
        /// Extension, `user@domain`, `sip:` or `tel:`, or a name of the company directory.
        number: String,
        /// Name, address or account of the line; the first connected one if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        line: Option<String>,
        /// Sound of this call.
        #[serde(default)]
        sound: SoundFiles,
    },
    /// Answer a ringing call.
    Answer {
        /// Which.
        #[serde(default)]
        call: Option<u64>,
        /// Sound of this call.
        #[serde(default)]
        sound: SoundFiles,
    },
    /// Decline a ringing call.
    Reject {
        /// Which.
        #[serde(default)]
        call: Option<u64>,
        /// What the caller is told.
        #[serde(default, rename = "as")]
        told: Rejection,
    },
    /// End a call, or give it up before it is answered.
    HangUp {
        /// Which.
        #[serde(default)]
        call: Option<u64>,
    },
    /// Put a call on hold.
    Hold {
        /// Which.
        #[serde(default)]
        call: Option<u64>,
    },
    /// Take a held call back.
    Resume {
        /// Which.
        #[serde(default)]
        call: Option<u64>,
    },
    /// Switch what is done to the microphone's sound; what is absent stays as it is.
    SetProcessing {
        /// The loudspeaker's echo is taken out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        echo_cancellation: Option<bool>,
        /// Noise is made quieter.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        noise_suppression: Option<bool>,
        /// Soft speech is made louder.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        gain_control: Option<bool>,
    },
    /// Send digits to the other side.
    Dtmf {
        /// `0`–`9`, `*`, `#`, `A`–`D`.
        digits: String,
        /// Which.
        #[serde(default)]
        call: Option<u64>,
    },
    /// Have the other side of a call call somebody else.
    Transfer {
        /// As typed.
        number: String,
        /// Number of the call; needed only if there are several.
        #[serde(default)]
        call: Option<u64>,
    },
    /// Call somebody about a call, which is put on hold.
    Consult {
        /// As typed.
        number: String,
        /// Number of the call; needed only if there are several.
        #[serde(default)]
        call: Option<u64>,
        /// Sound of the new call.
        #[serde(default)]
        sound: SoundFiles,
    },
    /// Join the other sides of two calls; the second may still ring.
    TransferTo {
        /// The call that is given away; the one that was consulted about if absent.
        #[serde(default)]
        call: Option<u64>,
        /// Whom to; the consultation if absent.
        #[serde(default)]
        to: Option<u64>,
    },
    /// Record a call or the conference, both sides in one stereo file.
    Record {
        /// What.
        what: Recorded,
        /// The file, absolute: `.wav`, or `.opus` and `.ogg` for Ogg Opus. One is named if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<PathBuf>,
    },
    /// End a recording; the answer comes when the file is complete.
    StopRecording {
        /// What.
        what: Recorded,
    },
    /// Make one conference of these calls and of those that are in it already.
    Join {
        /// Which.
        calls: Vec<u64>,
    },
    /// Take a call out of the conference, all of them if absent; who leaves is on hold.
    Split {
        /// Which.
        #[serde(default)]
        call: Option<u64>,
    },
    /// Put everyone in the conference on hold.
    HoldConference,
    /// Take everyone in the conference back.
    ResumeConference,
    /// End the calls of everyone in the conference.
    EndConference,
    /// Whether the others in the conference hear the other side of a call.
    Silence {
        /// Which.
        call: u64,
        /// Whether they do not.
        muted: bool,
    },
    /// Whether the other side hears this phone's microphone.
    Mute {
        /// Which; all calls that are connected if absent.
        #[serde(default)]
        call: Option<u64>,
        /// Whether it does not.
        muted: bool,
    },
    /// Use this password for a line whose password is entered on the device.
    SetPassword {
        /// Name or user of the line; the only one that needs it if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        line: Option<String>,
        /// The password.
        password: Secret,
    },
    /// Sign out, forget everything and end.
    Deactivate,
    /// End the softphone.
    Stop,
}

/// What is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recorded {
    /// A call by its number.
    Call(u64),
    /// The conference: this phone left, all others right.
    Conference,
}

/// What the caller of a rejected call is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rejection {
    /// Busy, 486: other devices of the same number go on ringing.
    #[default]
    Busy,
    /// Declined, 603: nobody else needs to try.
    Declined,
}

/// Files in place of microphone and loudspeaker; paths are absolute.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SoundFiles {
    /// WAV file that is played to the other side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub play: Option<PathBuf>,
    /// WAV file for what the other side says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<PathBuf>,
}

/// What the softphone says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// The command was carried out, or is under way.
    Done(Done),
    /// It was not.
    Failed(Failure),
    /// How things stand; without an `id`.
    State(Box<State>),
}

/// One line from the softphone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Which request it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    /// The rest.
    #[serde(flatten)]
    pub answer: Answer,
}

/// A command was carried out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// The call it was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<u64>,
    /// The file it was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
}

#[cfg(test)]
mod tests;
