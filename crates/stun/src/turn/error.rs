//! Why there is no relayed address.

use std::net::SocketAddr;

/// Each says what a person can do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TurnError {
    /// Nobody answers there.
    #[error("the TURN server {server} does not answer; check its address and that UDP reaches it")]
    NoAnswer {
        /// Who was asked.
        server: SocketAddr,
    },
    /// 401, 403, 441, or a name or password that cannot be sent.
    #[error("the TURN server {server} does not accept the user name or password")]
    Credentials {
        /// Who was asked.
        server: SocketAddr,
    },
    /// 486, 508.
    #[error("the TURN server {server} has no address left for us ({code})")]
    Full {
        /// Who was asked.
        server: SocketAddr,
        /// The number of its error.
        code: u16,
    },
    /// Another error.
    #[error("the TURN server {server} refuses with {code}")]
    Refused {
        /// Who was asked.
        server: SocketAddr,
        /// The number of its error.
        code: u16,
    },
    /// A success without an address.
    #[error("the TURN server {server} gave no address")]
    Nonsense {
        /// Who was asked.
        server: SocketAddr,
    },
    /// The allocation could not be kept.
    #[error("the TURN server {server} has forgotten the address that it lent us")]
    Lost {
        /// Who was asked.
        server: SocketAddr,
    },
}
