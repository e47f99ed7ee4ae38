//! SIP: messages, transactions, dialogs and digest, without any I/O.
//!
//! Nothing here opens a socket, reads a clock, spawns, waits or locks. Bytes and the time come in
//! as arguments; bytes to send, events and the next deadline come out. The crate `sip-io` joins
//! this to sockets, the crate `ua` builds calls and registrations on it.
//!
//! ```text
//!        what a user agent or a proxy wants          sip-proxy, ua
//!   ─────────────────────────────────────────────────────────────────
//!    dialog      one SIP relation of two sides       RFC 3261 §12
//!    endpoint    all transactions of one socket set  RFC 3261 §17, 18
//!    transaction the four machines                   RFC 3261 §17, 6026
//!    digest      challenge and response              RFC 3261 §22, 8760
//!   ─────────────────────────────────────────────────────────────────
//!    message     requests, responses, framing        RFC 3261 §7, 18.3
//!    header      typed header fields                 RFC 3261 §20
//!    uri …       addresses, parameters, names        RFC 3261 §19, 25
//!   ─────────────────────────────────────────────────────────────────
//!        bytes and flows                             sip-io
//! ```
//!
//! # Reading order
//!
//! 1. [`Message`], [`Request`], [`Response`]: what travels. [`Fields`] has what both share: the
//!    header fields as text, edits, and the typed accessors.
//! 2. [`Uri`], [`NameAddr`], [`Aor`], [`Params`], [`Via`], [`Contact`]: what header fields hold.
//! 3. [`parse_datagram`], [`StreamFramer`] and [`parse_message`]: bytes to messages;
//!    [`Request::validate`]: what a server refuses at once.
//! 4. [`Endpoint`], then the four machines in `transaction/`, then [`Dialog`], [`DigestClient`]
//!    and [`DigestServer`].
//! 5. [`Machine`]: how all of it is driven.
//!
//! # Rules
//!
//! - No input from the network panics; every table and every length has a bound.
//! - What was not edited is passed on byte for byte; an edit touches its own header field only.
//! - Absent, malformed and present are three results.
//! - The crate `rsip` stores header fields and lends its enums of methods, status codes and
//!   transports. Its parsers, typed headers and printers are not used: they lose IPv6, tel URIs,
//!   reason phrases, compact names and bytes that are no UTF-8 (`clippy.toml` forbids them).
//!
//! ```
//! use sip::{Message, parse_datagram};
//!
//! let bytes = "OPTIONS sip:bob@example.com SIP/2.0\r\n\
//!              v: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK7\r\n\
//!              f: <sip:alice@example.com>;tag=1\r\n\
//!              t: <sip:bob@example.com>\r\n\
//!              i: 42@192.0.2.1\r\n\
//!              CSeq: 1 OPTIONS\r\n\r\n";
//! let Ok(Message::Request(request)) = parse_datagram(bytes.into()) else { panic!() };
//! assert_eq!(request.validate(), Ok(()));
//! assert_eq!(request.via()?.sent_by.to_string(), "192.0.2.1");
//!
//! let response = request.response(200, Some("2"));
//! assert_eq!(response.to()?.tag(), Some("2"));
//! # Ok::<(), sip::HeaderError>(())
//! ```

mod aor;
mod base64url;
mod decimal;
mod header;
mod host;
mod message;
mod method;
mod name_addr;
mod params;
mod status;
mod transport;
mod uri;

mod deadlines;
mod dialog;
mod digest;
mod endpoint;
mod flow;
mod ids;
mod key_map;
mod keyed;
mod loop_mark;
mod machine;
mod private;
mod seal;
mod transaction;

pub use aor::Aor;
pub use header::{
    AuthFields, CSeq, Contact, Contacts, Event, FeatureCaps, HeaderError, MediaType, Privacy, RAck,
    Reason, ReferTo, Refresher, Replaces, RetryAfter, Rport, SessionExpires, SubscriptionState,
    Substate, TargetDialog, Via,
};
pub use host::{Host, HostError, HostPort};
pub use message::{
    Fields, Frame, FramingError, Headers, Limit, MAX_MESSAGE_BYTES, Malformed, Message, ParseError,
    Refusal, Request, RequestHead, Response, StreamFramer, parse_datagram, parse_message,
    peek_call_id,
};
pub use method::{Method, NotAMethod};
pub use name_addr::{NameAddr, NameAddrError};
pub use params::Params;
pub use status::Status;
pub use transport::{Transport, UnknownTransport};
pub use uri::{PushParams, Scheme, Uri, UriError};

// Endpoint, transactions, dialogs, digest and driving.
pub use deadlines::Deadlines;
pub use decimal::push_decimal;
pub use dialog::{Dialog, DialogError, DialogId, DialogState, Opening};
pub use digest::{
    Algorithm, Challenge, ChallengeProtection, Challenges, Claim, Credentials, DigestClient,
    DigestError, DigestSecret, DigestServer, Presented, Verdict, answer_challenges,
    has_credentials,
};
pub use endpoint::{
    Answer, ClientTransaction, Endpoint, EndpointConfig, EndpointError, EndpointEvent,
    EndpointOutput, ServerTransaction, Stateless,
};
pub use flow::{Destination, DomainId, Flow, FlowTokens, Target};
pub use ids::{Ids, Tag};
pub use key_map::KeyMap;
pub use loop_mark::{LoopDetection, LoopMark};
pub use machine::{
    CertificateProblem, Machine, Output, ResolveError, ResolveId, ResolveRequest, Security,
    Transmit, TransmitId,
};
pub use private::Private;
pub use seal::Seal;
pub use transaction::{Timers, TransactionError};
