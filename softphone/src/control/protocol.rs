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

use std::net::SocketAddr;
use std::path::PathBuf;

use api::Secret;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::failure::{Failure, FailureKind};

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
        /// Extension, `user@domain`, `sip:` or `tel:`.
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

/// Everything the softphone shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Name of the device.
    pub device: String,
    /// Whose it is.
    pub contact: String,
    /// The company.
    pub tenant: String,
    /// Address of the portal.
    pub portal: String,
    /// Whether the portal's live channel is open.
    pub portal_connected: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub portal_problem: Option<String>,
    /// Version of the configuration in use.
    pub configuration_version: u64,
    /// What is done to the microphone's sound.
    #[serde(default)]
    pub processing: ProcessingState,
    /// The lines, in order.
    pub lines: Vec<LineState>,
    /// The calls that live.
    pub calls: Vec<CallState>,
    /// The last calls that ended, newest last.
    pub ended: Vec<EndedCall>,
    /// The calls that are one conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conference: Option<ConferenceState>,
}

/// The conference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConferenceState {
    /// Numbers of its calls.
    pub calls: Vec<u64>,
    /// The file in which it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording: Option<PathBuf>,
    /// What is wrong with the recording.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// What is done to the microphone's sound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessingState {
    /// The loudspeaker's echo is taken out.
    pub echo_cancellation: bool,
    /// Noise is made quieter.
    pub noise_suppression: bool,
    /// Soft speech is made louder.
    pub gain_control: bool,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineState {
    /// The account.
    pub account_id: Uuid,
    /// Name for people.
    pub name: String,
    /// `sip:user@domain`.
    pub address: String,
    /// Where it stands.
    pub state: Connection,
    /// Why it failed, in plain words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The kind of failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<FailureKind>,
    /// The SIP status behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sip_status: Option<u16>,
    /// How long it took to register, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registered_in_ms: Option<u64>,
}

/// Whether a line is registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Connection {
    /// Not registered, nothing wrong.
    NotConnected,
    /// Under way.
    Connecting,
    /// Registered.
    Connected,
    /// Not registered; another attempt comes by itself.
    Failed,
}

/// One call that lives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallState {
    /// Its number in this softphone.
    pub call: u64,
    /// Name of the line.
    pub line: String,
    /// Who called whom.
    pub direction: Direction,
    /// Where it stands.
    pub phase: Phase,
    /// Name or address of the other side.
    pub party: String,
    /// What can be done now; what is absent is not possible.
    pub actions: Vec<Action>,
    /// From dialling or first ringing to the answer, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_in_ms: Option<u64>,
    /// Digits that the other side sent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub digits: String,
    /// What goes wrong without ending the call, such as a sound card that is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// How its sound is secured; absent if it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security: Option<SecurityState>,
    /// How good it sounds; absent in the first seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<CallQuality>,
    /// How its transfer stands, if one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer: Option<TransferState>,
    /// It is one of the conference.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_conference: bool,
    /// The other side does not hear this phone's microphone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub muted: bool,
    /// The others in the conference do not hear the other side.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub silenced: bool,
    /// The file in which both sides are kept, while they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording: Option<PathBuf>,
}

/// How the sound of a call is secured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityState {
    /// How the keys were agreed on.
    pub by: KeyExchange,
    /// How packets are protected, by the name of the suite in SDP.
    pub suite: String,
    /// A lock may be shown: nobody between the two ends of the media knows the keys, as far as this phone can tell.
    pub lock: bool,
}

/// How keys are agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyExchange {
    /// In the signalling.
    Sdes,
    /// Between the two ends.
    Dtls,
}

/// How the transfer of a call stands. One that worked ends the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferState {
    /// In one word.
    pub state: TransferStep,
    /// What SIP says about a failed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sip_status: Option<u16>,
}

/// How far a transfer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TransferStep {
    /// Asked for.
    Asked,
    /// The target is called.
    Trying,
    /// It rings there.
    Ringing,
    /// It came to nothing; the call is ours as before.
    Failed,
}

/// Who called whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// We called.
    Outgoing,
    /// We were called.
    Incoming,
}

/// Where a call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// On its way to the other side.
    Dialing,
    /// It rings: there, or here.
    Ringing,
    /// Answered.
    Connected,
    /// We put it on hold.
    Held,
    /// The other side put it on hold.
    HeldByPeer,
    /// We are hanging up.
    Ending,
}

/// What can be done with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// `answer`
    Answer,
    /// `reject`
    Reject,
    /// `hang-up`
    HangUp,
    /// `hold`
    Hold,
    /// `resume`
    Resume,
    /// `dtmf`
    Dtmf,
    /// Give it away.
    Transfer,
    /// Take it into a conference.
    Join,
    /// Take it out of the conference.
    Split,
}

/// A call that is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedCall {
    /// Its number in this softphone.
    pub call: u64,
    /// Name of the line.
    pub line: String,
    /// Who called whom.
    pub direction: Direction,
    /// Name or address of the other side.
    pub party: String,
    /// How it ended.
    pub ended: Ended,
    /// The same in plain words.
    pub reason: String,
    /// The kind of failure; absent if the call took place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<FailureKind>,
    /// The SIP status behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sip_status: Option<u16>,
    /// From dialling or first ringing to the answer, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_in_ms: Option<u64>,
    /// From the answer to the end, in milliseconds; 0 if it was not answered.
    pub talked_ms: u64,
    /// What went over the network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<MediaSummary>,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// We hung up, or rejected it.
    LocalHangUp,
    /// The other side hung up.
    RemoteHangUp,
    /// The caller gave up.
    Cancelled,
    /// Another device answered.
    AnsweredElsewhere,
    /// It failed; see the kind.
    Failed,
    /// We gave it away.
    Transferred,
}

/// How sound finds its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PathKind {
    /// Between the two phones.
    Direct,
    /// By this phone's TURN server.
    Relayed,
}

/// What went over the network in one call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaSummary {
    /// Codec that we sent.
    pub codec: String,
    /// RTP packets sent.
    pub packets_sent: u64,
    /// RTP packets received.
    pub packets_received: u64,
    /// RTP packets that did not arrive.
    pub packets_lost: u64,
    /// Datagrams that came and were dropped: from elsewhere than the other side, or nothing that was agreed on.
    #[serde(default)]
    pub datagrams_dropped: u64,
    /// Where the other side's sound came from first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SocketAddr>,
    /// Interarrival jitter at the end, in microseconds.
    pub jitter_us: u64,
    /// From the answer to the first RTP packet received, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_packet_ms: Option<u64>,
    /// Round-trip time by RTCP, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round_trip_us: Option<u64>,
    /// The suite that secured the sound last; absent if it was not secured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suite: Option<String>,
    /// How the sound found its way last, by ICE; absent if it went to the announced address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathKind>,
    /// File with what the other side said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording: Option<PathBuf>,
    /// Files with both sides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recordings: Vec<PathBuf>,
    /// How good it sounded.
    #[serde(default)]
    pub quality: CallQuality,
}

/// How good a call is, estimated over all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallQuality {
    /// The other side, as it is heard here; absent before it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard: Option<DirectionQuality>,
    /// This side, as it is heard there; absent before the other side reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<DirectionQuality>,
    /// Round-trip time by RTCP, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round_trip_us: Option<u64>,
    /// Why sound goes one way only, in plain words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// How good one direction of a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectionQuality {
    /// Mean opinion score by the E-model, in hundredths: from 100 to 450.
    pub mos_hundredths: u32,
    /// RTP packets lost, of a million.
    pub loss_ppm: u32,
    /// Interarrival jitter, in microseconds.
    pub jitter_us: u64,
    /// From mouth to ear as far as it is known, in milliseconds.
    pub delay_ms: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_read_as_documented() {
        let request: Request =
            serde_json::from_str(r#"{"id":1,"command":{"type":"call","number":"200"}}"#).unwrap();
        let sound = SoundFiles::default();
        let command = Command::Call {
            number: "200".to_owned(),
            line: None,
            sound,
        };
        assert_eq!(request, Request { id: 1, command });

        let done = Line {
            id: Some(1),
            answer: Answer::Done(Done {
                call: Some(1),
                file: None,
            }),
        };
        assert_eq!(
            serde_json::to_string(&done).unwrap(),
            r#"{"id":1,"done":{"call":1}}"#
        );
        let failure = Failure::new(FailureKind::NotPossible, "there is no call");
        let failed = Line {
            id: Some(2),
            answer: Answer::Failed(failure),
        };
        let text = r#"{"id":2,"failed":{"kind":"not-possible","message":"there is no call"}}"#;
        assert_eq!(serde_json::to_string(&failed).unwrap(), text);
        assert_eq!(serde_json::from_str::<Line>(text).unwrap(), failed);
        let state = Line {
            id: None,
            answer: Answer::State(Box::default()),
        };
        let text = serde_json::to_string(&state).unwrap();
        assert_eq!(serde_json::from_str::<Line>(&text).unwrap(), state);
    }

    #[test]
    fn unknown_commands_and_fields_are_refused() {
        for text in [
            r#"{"id":1,"command":{"type":"shell","run":"x"}}"#,
            r#"{"id":1,"command":{"type":"hang-up","now":true}}"#,
            r#"{"id":1,"command":{"type":"status"},"extra":1}"#,
            r#"{"command":{"type":"status"}}"#,
        ] {
            assert!(serde_json::from_str::<Request>(text).is_err(), "{text}");
        }
    }
}
