//! TLS, WebSockets, STUN and IPv6: real sockets between two real endpoints, or a foreign client.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

mod peer;
mod stun;
mod tls;
mod websocket;
