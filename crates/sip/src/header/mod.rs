//! Typed header fields, one file each.
//!
//! Absent, malformed and present are three results, never two: an accessor gives
//! `Result<Option<T>, HeaderError>`, or `Result<T, HeaderError>` where the standard demands the
//! header. Reading one header never fails because of another.
//!
//! | file | headers | RFC |
//! |---|---|---|
//! | `access.rs` | the accessors of the headers of the core standard, those that a message is known by in `access/identity.rs` | 3261 §20 |
//! | `access/extensions.rs` | the accessors of all others | |
//! | `via.rs` | Via | 3261 §20.42, 3581 |
//! | `contact.rs` | Contact | 3261 §20.10, 5626 |
//! | `cseq.rs` | `CSeq` | 3261 §20.16 |
//! | `auth.rs` | challenges and credentials, taken apart but not understood | 3261 §20.7, §20.44 |
//! | `media_type.rs` | Content-Type, Accept | 3261 §20.15, §20.1 |
//! | `session_timer.rs` | Session-Expires, Min-SE | 4028 |
//! | `reason.rs` | Reason | 3326 |
//! | `event.rs` | Event, Subscription-State | 6665 |
//! | `dialog_reference.rs` | Replaces, Target-Dialog, Refer-To | 3891, 4538, 3515 |
//! | `rack.rs` | `RAck` | 3262 |
//! | `feature_caps.rs` | Feature-Caps | 6809, 8599 |
//! | `privacy.rs` | Privacy | 3323, 3325 |
//! | `retry_after.rs` | Retry-After | 3261 §20.33 |
//! | `name.rs` | names, compact forms, numbers for those that we know | 3261 §7.3.3 |
//! | `scan.rs` | tokens, quoted strings, lists | 3261 §25.1 |

mod access;
pub(crate) mod auth;
mod contact;
mod cseq;
mod dialog_reference;
mod event;
mod feature_caps;
mod media_type;
pub(crate) mod name;
mod privacy;
mod rack;
mod reason;
mod retry_after;
pub(crate) mod scan;
mod session_timer;
mod via;

pub use auth::AuthFields;
pub use contact::{Contact, Contacts};
pub use cseq::CSeq;
pub use dialog_reference::{ReferTo, Replaces, TargetDialog};
pub use event::{Event, SubscriptionState, Substate};
pub use feature_caps::FeatureCaps;
pub use media_type::MediaType;
pub use privacy::Privacy;
pub use rack::RAck;
pub use reason::Reason;
pub use retry_after::RetryAfter;
pub use session_timer::{Refresher, SessionExpires};
pub use via::{Rport, Via};
pub(crate) use via::{Stamped, ViaRef, has_cookie};

/// Why a header field cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// It must be there and is not.
    #[error("missing {name} header")]
    Missing {
        /// The header's name.
        name: &'static str,
    },
    /// Its value does not follow the grammar.
    #[error("malformed {name} header")]
    Malformed {
        /// The header's name.
        name: &'static str,
    },
    /// It may stand once and stands several times.
    #[error("repeated {name} header")]
    Repeated {
        /// The header's name.
        name: &'static str,
    },
}
