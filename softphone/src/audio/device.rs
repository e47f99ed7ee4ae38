//! The sound cards that there are, with ids that can be stored.

use std::fmt;

#[cfg(target_os = "linux")]
use super::pulse;
use super::{AudioError, portable};

/// What a card is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeviceKind {
    /// Captures.
    Microphone,
    /// Plays.
    Loudspeaker,
}

impl fmt::Display for DeviceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Microphone => "microphone",
            Self::Loudspeaker => "loudspeaker",
        })
    }
}

/// One use of one card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Stays the same across restarts and replugging, as far as the system allows; store this.
    pub id: String,
    /// For people.
    pub name: String,
    /// What it does. A card that does both is listed twice.
    pub kind: DeviceKind,
    /// The system's choice when none is made.
    pub is_default: bool,
}

/// All microphones and loudspeakers of the sound system that is in use. A system without any
/// gives an empty list.
///
/// Blocks for a moment.
///
/// # Errors
///
/// [`AudioError::NoSystem`] if the sound system refuses.
pub fn devices() -> Result<Vec<Device>, AudioError> {
    #[cfg(target_os = "linux")]
    if pulse::is_here() {
        return pulse::devices();
    }
    portable::devices()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listing_works_with_and_without_cards() {
        let listed = devices().unwrap_or_default();
        for kind in [DeviceKind::Microphone, DeviceKind::Loudspeaker] {
            let defaults = listed
                .iter()
                .filter(|device| device.kind == kind && device.is_default)
                .count();
            assert!(defaults <= 1, "{listed:?}");
        }
    }
}
