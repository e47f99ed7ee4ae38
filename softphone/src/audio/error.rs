//! What can go wrong with a sound card, as sentences for people.

use super::DeviceKind;

/// Why there is no sound from or to a card. Each reads as a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AudioError {
    /// The system has none.
    #[error("no sound card: this system has no {kind}")]
    NoDevice {
        /// What was looked for.
        kind: DeviceKind,
    },
    /// The chosen one is not here now.
    #[error("no sound card: there is no {kind} {id:?} now; is it unplugged?")]
    UnknownDevice {
        /// What was looked for.
        kind: DeviceKind,
        /// What was chosen.
        id: String,
    },
    /// The sound system does not answer or refuses to list its cards.
    #[error("no sound card: the sound system does not answer ({reason})")]
    NoSystem {
        /// What it said.
        reason: String,
    },
    /// It is there but cannot be used.
    #[error("the {kind} {name:?} cannot be used ({reason})")]
    Refused {
        /// What it is.
        kind: DeviceKind,
        /// Its name.
        name: String,
        /// What the system said.
        reason: String,
    },
    /// Opening took too long.
    #[error("the {kind} does not start")]
    TimedOut {
        /// What it is.
        kind: DeviceKind,
    },
}
