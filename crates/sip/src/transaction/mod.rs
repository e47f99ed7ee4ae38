//! The four transaction machines of RFC 3261, section 17, with the corrections of RFC 6026.
//!
//! ```text
//!            │ INVITE                              │ any other method
//!   ─────────┼─────────────────────────────────────┼──────────────────────────────
//!   client   │ client_invite.rs                    │ client_non_invite.rs
//!            │ Calling→Proceeding→Completed        │ Trying→Proceeding→Completed
//!            │                  └►Accepted         │
//!   server   │ server_invite.rs                    │ server_non_invite.rs
//!            │ Proceeding→Completed→Confirmed      │ Trying→Proceeding→Completed
//!            │          └►Accepted                 │
//! ```
//!
//! Each machine is one `match` over (state, input) in `step`, to be read against its figure.
//! `enter` clears all timers: none outlives the state that set it. A machine writes what it wants
//! into the caller's list of [`Action`]s and knows neither addresses nor other transactions; the
//! table that does is `endpoint`. `table.rs` lists every transition and tries it. After completion a machine keeps encoded bytes only.
//!
//! `key.rs` says which message belongs to which transaction, `timers.rs` how long things take.

pub(crate) mod client_invite;
pub(crate) mod client_non_invite;
pub(crate) mod key;
#[cfg(test)]
mod ladder;
pub(crate) mod server_invite;
pub(crate) mod server_non_invite;
#[cfg(test)]
mod table;
pub(crate) mod timers;

use bytes::Bytes;

use crate::message::Response;
use crate::transport::Transport;

pub use timers::Timers;

/// Why a client transaction ended without a final response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransactionError {
    /// Nobody answered in time; to be treated as 408 (RFC 3261, section 8.1.3.1).
    #[error("no answer in time")]
    Timeout,
    /// The request could not be sent; to be treated as 503.
    #[error("the request could not be sent")]
    Transport,
}

/// What a transaction wants done.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Action {
    /// Send these bytes where the transaction's messages go.
    Send(Bytes),
    /// Give this response to the user of a client transaction.
    Deliver(Box<Response>),
    /// Tell the user of a client transaction that there will be no final response.
    Fail(TransactionError),
    /// Send a CANCEL for this INVITE client transaction.
    Cancel,
    /// Tell the user of an INVITE server transaction that no ACK came.
    Unacknowledged,
    /// Tell the user of a server transaction that it is over and was never answered.
    Unanswered,
}

/// Whether the transport retransmits by itself, so that we must not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reliability {
    Reliable,
    Unreliable,
}

impl Reliability {
    pub(crate) fn of(transport: Transport) -> Self {
        if transport.is_reliable() {
            Self::Reliable
        } else {
            Self::Unreliable
        }
    }
}
