//! How the media of a call is protected: what descriptions say about it, and what two sides agree on.
//!
//! Key texts never reach a log or an error: [`MasterKey`] is wiped and prints no key, an
//! [`Attribute`](crate::Attribute) of the name `crypto` prints without its value. The text of a description
//! itself carries the key as it must (RFC 4568), so it goes nowhere but into a body.
//!
//! Not here: packets and handshake (`media::srtp`), MIKEY, capability negotiation (RFC 5939).

mod agree;
mod crypto;
mod dtls;
mod suite;

pub(crate) use agree::{Accepted, accept, conclude, keep_keys, offer};
pub use agree::{KeyExchange, LocalSecurity, MediaSecurity, SecurityPolicy};
pub use crypto::{CryptoAttribute, CryptoError};
pub use dtls::{DtlsRole, Fingerprint, FingerprintHash, Setup};
pub use suite::{MasterKey, Mki, SrtpSuite};
