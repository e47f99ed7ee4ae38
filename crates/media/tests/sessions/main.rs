//! Sessions in simulated time: what two parties hear, what they tell each other, and what strangers can do to them.

#![expect(clippy::unwrap_used, reason = "a test may stop at once")]

mod changes;
mod digits;
mod handshake;
mod invented;
mod quality;
mod secured;
mod sound;
mod strangers;
mod world;
