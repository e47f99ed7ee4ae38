//! The proxy's core from outside, on a bench with a clock that only the test moves.

#![expect(clippy::unwrap_used, reason = "what a test unwraps it has made itself")]

mod bench;
mod calls;
mod desk;
mod durability;
mod edge;
mod extensions;
mod guessing;
mod identity;
mod records;
mod registrar;
mod security;
mod sharing;
mod soak;
mod torture;
mod trace;
mod transfer;
mod trusted;
mod watching;
