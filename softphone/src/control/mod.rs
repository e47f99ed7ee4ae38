//! How commands reach the running softphone: a Unix domain socket that only its user can open.
//!
//! JSON, one object a line, both ways ([`protocol`]). A client asks with a number of its own and
//! gets one answer with that number; after `follow` it also gets the state, at once and after every
//! change. States that nobody could read in time are skipped: the newest one says everything.
//!
//! The socket has mode 0600 and lives in the profile's folder, or where paths are too long for a
//! socket in the user's runtime folder; who connects is checked by user id as well. Lines,
//! connections and waiting commands are bounded.

mod client;
mod place;
pub mod protocol;
mod server;

pub use client::ControlClient;
pub use place::socket_path;
pub use server::{Incoming, serve};

/// Longest line either side accepts.
const MAX_LINE_BYTES: usize = 256 * 1024;
