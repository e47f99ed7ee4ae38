//! The 62 torture messages of RFC 4475 and RFC 5118 against the real programs, over every transport.
//!
//! `corpus.rs` reads the messages and what the index allows; `link.rs` carries them; `server.rs` aims them at `tandem serve`, `phone.rs` at a
//! softphone that has registered with us. The crates `sip`, `ua` and `sip-proxy-core` hold the same messages against single machines.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod corpus;
mod fence;
mod link;
mod phone;
mod secret;
mod server;
