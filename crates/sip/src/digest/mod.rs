//! Digest authentication, both sides (RFC 3261, section 22; RFC 7616; names of RFC 8760).
//!
//! | file | owns |
//! |---|---|
//! | `algorithm.rs` | the arithmetic: MD5, SHA-256, SHA-512-256, each also `-sess` |
//! | `challenge.rs` | a challenge taken from a response |
//! | `challenges.rs` | our own challenges as text |
//! | `client.rs` | answering challenges, counting nonces, noticing a wrong password |
//! | `credentials.rs` | the answer taken from a request |
//! | `nonce.rs` | nonces that prove themselves |
//! | `request_hashes.rs` | the half of an answer that is the same for all who register |
//! | `server.rs` | making challenges and judging the answers |
//! | `uses.rs` | which nonces were used, and how often |
//!
//! The rules that others got wrong: the topmost challenge that we can answer counts; `auth-int` is
//! never chosen when `auth` is offered; `qop`, `nc` and `algorithm` are written without quotes and
//! `nc` in eight hexadecimal digits; a 407 is answered with Proxy-Authorization whatever else the
//! response carries. The client answers no realm but the configured one, and never with less than
//! the server offered first.

mod algorithm;
mod challenge;
mod challenges;
mod client;
mod credentials;
mod nonce;
mod request_hashes;
mod server;
mod uses;

pub use algorithm::Algorithm;
pub use challenge::{Challenge, ChallengeProtection};
pub use challenges::Challenges;
pub use client::{Credentials, DigestClient, DigestError, answer_challenges};
pub use credentials::has_credentials;
pub use server::{Claim, DigestSecret, DigestServer, Presented, Verdict};
