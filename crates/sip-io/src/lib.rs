//! Sockets, connections and name resolution for anything that is a [`sip::Machine`].
//!
//! ```text
//!   UDP sockets ◄──── batches ────►┌──────────────┐
//!   connections ── two bounded ───►│ driver::run  ├──► per-connection queue ──► its task
//!   acceptors      lanes           │ owns machine ├──► handshake and connect tasks
//!   look-ups, other shards         └──────────────┴──► events (try_send)
//! ```
//!
//! Read `driver.rs` first: the only loop. It owns the machine and never waits for a write, for a
//! name or for a full queue. `intake.rs` decides which datagrams are worth handling and when,
//! `udp.rs` moves them; `link.rs` is the seam for stream transports, `opening.rs` how connections
//! begin, `connection.rs` the one task of each, `outbound.rs` its queue and `flow_table.rs` all of
//! them; `resolve/` is names, `tls/` and `websocket.rs` are the other links, `stun.rs` answers who
//! asks for its address. With several shards there is one loop per thread (`shards.rs`), each with a
//! machine of its own, and what belongs to another goes through that one's lanes.

mod acceptor;
mod connection;
mod dispatch;
mod driver;
mod fingerprints;
mod flow_table;
mod gather;
mod glance;
mod inbound;
mod intake;
mod link;
mod listeners;
mod opening;
mod outbound;
mod resolve;
mod shards;
mod source_buckets;
mod stun;
mod tls;
mod trust;
mod udp;
mod websocket;

pub use driver::run;
pub use glance::by_call_id;
pub use inbound::Selector;
pub use listeners::{Bound, Limits, Listeners};
pub use resolve::NameServers;
pub use shards::{Shard, available_shards, run_shards};
pub use source_buckets::SourceRate;
pub use tls::{Authorities, CertificateFiles, TlsClient, TlsError, TlsServer};
pub use websocket::Origins;
