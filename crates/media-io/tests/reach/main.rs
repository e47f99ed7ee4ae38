//! ICE, STUN and TURN over real sockets: on loopback, through the relay as lite agent, and through real address translation with coturn beside it.
//!
//! What needs network namespaces says why if it cannot have them, and passes.

#![expect(clippy::unwrap_used, reason = "a test may stop at once")]

mod loopback;
mod network;
mod relayed;
mod side;
mod translated;
