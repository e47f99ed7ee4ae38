//! How a phone behind address translation is reached: STUN (RFC 8489), TURN (RFC 8656) and ICE (RFC 8445).
//!
//! ```text
//!            ┌── BindingClient ── who am I seen as? ──► server-reflexive candidate
//!  Ice ──────┼── TurnClient ───── lend me an address ─► relayed candidate, and its data
//!            └── agent of `is` ── which pair works? ──► the pair that media takes
//! ```
//!
//! Reading order: `message.rs` is what goes over the wire, by `stun-rs`; `transaction.rs` repeats requests;
//! [`BindingClient`] and [`TurnClient`] speak with servers; [`Ice`] puts them together with the checks between the
//! two parties, for one port of one call, and is all that an owner needs. [`LiteAgent`] is for who everybody can reach: it
//! answers checks and remembers nothing.
//!
//! Everything is a machine: datagrams and the time go in, datagrams, events and the next deadline come out. The same
//! seed gives the same requests to servers; transaction identifiers of checks between the parties are made by the
//! library and are not repeatable, the credentials that protect them are the owner's.
//!
//! Not here: sockets and names (`media-io`), candidates in session descriptions (`sdp`), SIP's keep-alives (`sip-io`).

mod binding;
mod ice;
mod message;
mod secret;
mod transaction;
mod turn;

pub use binding::{BindingClient, BindingError};
pub use ice::{
    Agreement, CheckAnswer, CheckOutcome, Credentials, Ice, IceError, IceEvent, IceServers,
    Incoming, LiteAgent, LiteError, MAX_REMOTE_CANDIDATES, Role, local_fragment,
};
pub use secret::Secret;
pub use turn::{TurnClient, TurnConfig, TurnError, TurnEvent, TurnReceived};

/// A datagram to send from the one local port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// Where to.
    pub target: std::net::SocketAddr,
    /// What.
    pub bytes: Vec<u8>,
}

/// Some moment for tests to count from.
#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "an instant cannot be made otherwise; tests only look at differences"
)]
pub(crate) fn any_instant() -> std::time::Instant {
    std::time::Instant::now()
}
