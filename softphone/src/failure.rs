//! What can go wrong, as the exit status, the word in JSON and the SIP status a script may rely on.
//!
//! The table below is the contract; it is printed by `softphone --help` and must not be renumbered.

use serde::{Deserialize, Serialize};

/// Why a command did not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// Anything without a number of its own.
    General,
    /// The command line makes no sense.
    Usage,
    /// The profile is not activated.
    NotActivated,
    /// No softphone runs on this profile.
    NotRunning,
    /// Another softphone runs on this profile.
    AlreadyRunning,
    /// The portal refused the activation.
    ActivationRefused,
    /// The portal cannot be reached, or does not answer as one.
    PortalUnreachable,
    /// The profile's files cannot be read.
    Profile,
    /// The command makes no sense in the present state, such as answering without a call.
    NotPossible,
    /// The called party is busy.
    Busy,
    /// There is no such number.
    NotFound,
    /// The called party is offline.
    Unavailable,
    /// Nobody answered in time.
    NoAnswer,
    /// The called party declined.
    Declined,
    /// The two phones have no codec in common.
    NoCommonCodec,
    /// The user name or the password is wrong.
    WrongCredentials,
    /// The SIP server cannot be found or reached, or does not answer.
    Unreachable,
    /// The server refused the call.
    Forbidden,
    /// The server failed.
    ServerError,
    /// The call was given up before it was answered.
    Cancelled,
    /// What was waited for did not happen in time.
    Timeout,
    /// There is no sound card, or the sound file cannot be used.
    Sound,
}

impl FailureKind {
    /// All kinds, in the order of their exit codes.
    pub const ALL: &[Self] = &[
        Self::General,
        Self::Usage,
        Self::NotActivated,
        Self::NotRunning,
        Self::AlreadyRunning,
        Self::ActivationRefused,
        Self::PortalUnreachable,
        Self::Profile,
        Self::NotPossible,
        Self::Busy,
        Self::NotFound,
        Self::Unavailable,
        Self::NoAnswer,
        Self::Declined,
        Self::NoCommonCodec,
        Self::WrongCredentials,
        Self::Unreachable,
        Self::Forbidden,
        Self::ServerError,
        Self::Cancelled,
        Self::Timeout,
        Self::Sound,
    ];

    /// Exit status of the process; 0 is success and never a failure.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::General => 1,
            Self::Usage => 2,
            Self::NotActivated => 3,
            Self::NotRunning => 4,
            Self::AlreadyRunning => 5,
            Self::ActivationRefused => 6,
            Self::PortalUnreachable => 7,
            Self::Profile => 8,
            Self::NotPossible => 9,
            Self::Busy => 10,
            Self::NotFound => 11,
            Self::Unavailable => 12,
            Self::NoAnswer => 13,
            Self::Declined => 14,
            Self::NoCommonCodec => 15,
            Self::WrongCredentials => 16,
            Self::Unreachable => 17,
            Self::Forbidden => 18,
            Self::ServerError => 19,
            Self::Cancelled => 20,
            Self::Timeout => 21,
            Self::Sound => 22,
        }
    }

    /// A few words for the table of exit codes.
    pub fn summary(self) -> &'static str {
        match self {
            Self::General => "something failed; the message says what",
            Self::Usage => "the command line makes no sense",
            Self::NotActivated => "this profile is not activated",
            Self::NotRunning => "no softphone runs on this profile",
            Self::AlreadyRunning => "another softphone runs on this profile",
            Self::ActivationRefused => "the portal refused the activation",
            Self::PortalUnreachable => "the portal cannot be reached",
            Self::Profile => "the profile's files cannot be read or written",
            Self::NotPossible => "not possible now, such as answering without a call",
            Self::Busy => "busy",
            Self::NotFound => "there is no such number",
            Self::Unavailable => "the called party is offline",
            Self::NoAnswer => "nobody answered",
            Self::Declined => "the called party declined",
            Self::NoCommonCodec => "no codec in common",
            Self::WrongCredentials => "wrong user name or password",
            Self::Unreachable => "the SIP server cannot be found or reached",
            Self::Forbidden => "the server refused the call",
            Self::ServerError => "the server failed",
            Self::Cancelled => "given up before it was answered",
            Self::Timeout => "did not happen in the time given",
            Self::Sound => "no sound card, or an unusable sound file",
        }
    }
}

/// A failure as the user, a script and the control socket see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What kind.
    pub kind: FailureKind,
    /// A sentence in plain words.
    pub message: String,
    /// The SIP status behind it, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sip_status: Option<u16>,
}

impl Failure {
    /// A failure that has no SIP status.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            sip_status: None,
        }
    }
}

/// The table of exit codes for `--help`.
pub fn exit_code_table() -> String {
    let rows = FailureKind::ALL
        .iter()
        .map(|kind| format!("{:>4}  {}\n", kind.exit_code(), kind.summary()));
    format!("Exit codes:\n   0  done\n{}", rows.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_exit_code_in_rising_order() {
        let codes: Vec<_> = FailureKind::ALL
            .iter()
            .map(|kind| kind.exit_code())
            .collect();
        assert_eq!(codes, (1..=22).collect::<Vec<u8>>());
    }
}
