//! Session descriptions (RFC 8866) and the offer/answer exchange over them (RFC 3264).
//!
//! Reading order: [`SessionDescription`] and [`MediaDescription`] are what was written on the
//! wire, kept in order so that unknown attributes survive; [`Described`] is the same as text, for who
//! only passes it on; [`PayloadFormat`] is one codec of a
//! media line; [`LocalMedia`] is what we can do; [`OfferAnswer`] joins the two for the life of one
//! dialog and yields [`Negotiated`], which is all that a media session needs to know.
//!
//! ```text
//! bytes ── parse ──► SessionDescription ──┐
//!                                         ├─► offer / answer / negotiate ──► Negotiated
//!                          LocalMedia ────┘
//! ```
//!
//! Only one audio stream over RTP is acted on, plain or secured ([`LocalSecurity`]); every other media line is
//! answered with port 0 and stays in its place. Not here: the checks of ICE (crate `stun`), and how
//! descriptions travel in SIP (crate `ua`).

mod attribute;
mod described;
mod direction;
mod error;
mod exchange;
mod format;
mod ice;
mod media;
mod offer_answer;
mod parse;
mod security;
mod session;
mod write;

pub use attribute::{Attribute, Attributes};
pub use described::Described;
pub use direction::{Direction, DirectionParts};
pub use error::{AnswerError, SdpError};
pub use exchange::OfferAnswer;
pub use format::PayloadFormat;
pub use ice::{
    AgreedIce, Candidate, CandidateKind, IceCredentials, IceRefusal, IceRole, LocalIce, MediaIce,
};
pub use media::{LocalMedia, MediaDescription};
pub use offer_answer::{Negotiated, answer, negotiate, offer};
pub use parse::{MAX_BYTES, MAX_LINES, MAX_MEDIA};
pub use security::{
    CryptoAttribute, CryptoError, DtlsRole, Fingerprint, FingerprintHash, KeyExchange,
    LocalSecurity, MasterKey, MediaSecurity, Mki, SecurityPolicy, Setup, SrtpSuite,
};
pub use session::{Bandwidth, Connection, KeyLine, Origin, SessionDescription, Time};

/// The media type of a session description in a SIP body.
pub const CONTENT_TYPE: &str = "application/sdp";
