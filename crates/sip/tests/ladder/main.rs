//! The endpoint in simulated time: what goes out, what is told, and that nothing stays behind.

mod client;
mod harness;
mod oversize;
mod properties;
mod server;
mod torture;
