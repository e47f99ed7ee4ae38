//! How things stand, in the words of the control socket: lines, calls, their sound and how they ended.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::failure::FailureKind;

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
