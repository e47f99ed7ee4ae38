//! Secure RTP and RTCP (RFC 3711; AES-GCM: RFC 7714), and the handshake that can agree on its keys (RFC 5764).
//!
//! ```text
//!  master keys ──► session keys ──► context of one direction: index, replay window per SSRC ──► packet in place
//!  (SDES, DTLS)     keys.rs          context.rs, window.rs                                     cipher.rs
//! ```
//!
//! Invariants: nothing about a source is remembered before one of its packets was authenticated; no index is used
//! twice for sending under one key; keys are wiped when dropped and never printed. The handshake is in `dtls.rs`, a leg of the relay in `relayed.rs`.
//!
//! Not here: key exchange in descriptions (`sdp::security`), who is listened to ([`Session`](crate::Session)). Key
//! derivation rates other than 0 are not agreed to, so there is one set of session keys per master key.

mod cipher;
mod context;
mod dtls;
mod header;
mod keys;
mod relayed;
mod window;

pub use context::{SrtpError, SrtpSession};
pub use dtls::{DtlsError, DtlsHandshake, DtlsIdentity, DtlsOutcome};
pub use sdp::{MasterKey, Mki, SrtpSuite};

#[cfg(test)]
mod tests;
