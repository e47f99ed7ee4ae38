//! A session description at rest: as text, which is a fraction of its parsed form. It is needed again
//! only when a session changes.

use sdp::SessionDescription;

/// A description that parsed once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Described(Box<[u8]>);

impl Described {
    /// The description.
    pub(super) fn parse(&self) -> Option<SessionDescription> {
        SessionDescription::parse(&self.0).ok()
    }
}

impl From<&SessionDescription> for Described {
    fn from(description: &SessionDescription) -> Self {
        Self(description.to_bytes().to_vec().into())
    }
}
