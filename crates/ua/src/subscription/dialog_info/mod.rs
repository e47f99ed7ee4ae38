//! `application/dialog-info+xml`: which dialogs a user has and how they stand (RFC 4235), the body
//! of the event package `dialog`.
//!
//! A [`DialogInfo`] is one document. A notifier writes it with [`DialogInfo::to_xml`]; a subscriber
//! reads it with [`DialogInfo::parse`] and keeps the picture that several documents draw in a
//! [`DialogTable`].
//!
//! Left out on purpose: `replaces`, `referred-by`, `route-set`, session descriptions and parameters of
//! the target. They are passed over when read and never written.

mod read;
mod table;
mod write;

pub use table::{DialogTable, Gap};

/// Media type of the body.
pub const DIALOG_INFO: &str = "application/dialog-info+xml";

/// The namespace of every element (RFC 4235, section 4.4).
const NAMESPACE: &str = "urn:ietf:params:xml:ns:dialog-info";

/// One document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialogInfo {
    /// Counts the documents of one subscription, from 0.
    pub version: u32,
    /// All dialogs, or those that changed.
    pub scope: Scope,
    /// Whose dialogs: a URI.
    pub entity: String,
    /// The dialogs.
    pub dialogs: Vec<DialogEntry>,
}

/// What a document leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Nothing: dialogs that are not in it are over.
    Full,
    /// Dialogs that have not changed.
    Partial,
}

/// One dialog as the `entity` sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialogEntry {
    /// Names the dialog within the subscription.
    pub id: String,
    /// Call-ID.
    pub call_id: Option<String>,
    /// The entity's tag.
    pub local_tag: Option<String>,
    /// The other side's tag.
    pub remote_tag: Option<String>,
    /// Who started it.
    pub direction: Option<Direction>,
    /// How far it is.
    pub state: EntryState,
    /// Why the state was reached.
    pub event: Option<EntryEvent>,
    /// The status that went with `event`, 100 to 699.
    pub code: Option<u16>,
    /// Seconds since it began.
    pub duration_secs: Option<u32>,
    /// The entity's side.
    pub local: Option<Participant>,
    /// The other side.
    pub remote: Option<Participant>,
}

impl DialogEntry {
    /// A dialog of which no more than its state is told.
    pub fn new(id: impl Into<String>, state: EntryState) -> Self {
        Self {
            id: id.into(),
            call_id: None,
            local_tag: None,
            remote_tag: None,
            direction: None,
            state,
            event: None,
            code: None,
            duration_secs: None,
            local: None,
            remote: None,
        }
    }
}

/// Who started a dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The entity.
    Initiator,
    /// The other side.
    Recipient,
}

/// The states of a dialog (RFC 4235, section 3.7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryState {
    /// The INVITE was sent or has arrived.
    Trying,
    /// A provisional response without tag.
    Proceeding,
    /// A provisional response with tag.
    Early,
    /// A 2xx.
    Confirmed,
    /// It ended.
    Terminated,
}

/// What led to a state (RFC 4235, section 4.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryEvent {
    /// The caller gave up.
    Cancelled,
    /// The called side refused.
    Rejected,
    /// Another dialog took its place.
    Replaced,
    /// The entity sent BYE.
    LocalBye,
    /// The other side sent BYE.
    RemoteBye,
    /// An error.
    Error,
    /// No answer in time.
    Timeout,
}

/// One side of a dialog.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Participant {
    /// Its address, for people and for calling back.
    pub identity: Option<Identity>,
    /// Its Contact.
    pub target: Option<String>,
}

/// An address with the name that goes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// A URI.
    pub uri: String,
    /// The display name.
    pub display: Option<String>,
}

/// Why a body is no [`DialogInfo`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DialogInfoError {
    /// Longer, deeper, or with more or longer parts than is read.
    #[error("too large")]
    TooLarge,
    /// Bytes that are no UTF-8, or tags that do not fit together.
    #[error("malformed XML at byte {at}")]
    Xml {
        /// Where reading stopped.
        at: u64,
    },
    /// A document type or an entity of its own: nobody needs one, and both are ways to attack a
    /// reader.
    #[error("document type or entity")]
    Entity,
    /// The root is another element.
    #[error("not a dialog-info document")]
    NotDialogInfo,
    /// An attribute or element that must be there is not, or has a value of its own making.
    #[error("{name} is missing or wrong")]
    Value {
        /// Its name.
        name: &'static str,
    },
}

/// The words of an enumeration, for both directions.
macro_rules! words {
    ($kind:ident: $($variant:ident = $word:literal),+) => {
        impl $kind {
            fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

words!(Scope: Full = "full", Partial = "partial");
words!(Direction: Initiator = "initiator", Recipient = "recipient");
words!(EntryState: Trying = "trying", Proceeding = "proceeding", Early = "early",
    Confirmed = "confirmed", Terminated = "terminated");
words!(EntryEvent: Cancelled = "cancelled", Rejected = "rejected", Replaced = "replaced",
    LocalBye = "local-bye", RemoteBye = "remote-bye", Error = "error", Timeout = "timeout");

#[cfg(test)]
mod tests;
