//! Sockets, connections and name resolution for anything that is a [`sip::Machine`].
//!
//! ```text
//!   UDP reader ─┐                                   ┌─► try_send_to        (UDP, never waits)
//!   TCP reader ─┤  one bounded   ┌──────────────┐   ├─► per-connection queue ─► writer task
//!   acceptor ───┼───────────────►│ driver::run  ├───┼─► connect task
//!   connector ──┤  channel       │ owns machine │   ├─► look-up task
//!   look-up ────┘                └──────────────┘   └─► events (try_send)
//! ```
//!
//! Read `driver.rs` first: the only loop. It owns the machine, so nothing here or below needs a
//! lock, and it never waits for a write, for a name or for a full queue. Tasks only exist at the
//! edges and send to the loop; the loop sends to them through queues that it never waits for.
//! `connection.rs` is one TCP connection, `flow_table.rs` all of them, `resolve.rs` names.
//!
//! What is not here: TLS, WebSocket and DNS SRV records, which come with their own issues.

mod connection;
mod driver;
mod flow_table;
mod listeners;
mod resolve;
mod udp;

pub use driver::run;
pub use listeners::{Bound, Limits, Listeners};
