//! Everything the registration proxy decides: registrar, authentication, routing, B2BUA. Pure.
//!
//! ```text
//!   proxy.rs ──► door.rs ──► authentication.rs    who asks
//!      │           ├───────► screening.rs         what nobody may send
//!      │           ├───────► trusted.rs           where nobody has to prove that
//!      │           ├───────► accounts.rs          what is remembered of accounts
//!      │           ├───────► guessing.rs, calling.rs  who tries passwords, how much an account may call
//!      │           └───────► waiting.rs           requests whose account is being looked up
//!      ├───────► commit.rs ──► registrar.rs       what a REGISTER does and when it is answered; again.rs: where it says nothing new
//!      │           ├───────► unwritten.rs         whose bindings are written later
//!      │           └───────► binding.rs, gruu.rs  where devices are, and how they are named
//!      │                         └─► bound.rs, record.rs in the clear; shelved.rs, squeeze.rs, shelf.rs, names.rs in memory
//!      ├───────► routing.rs ───► bridge/          who is rung, and what passes between the legs
//!      ├───────► notifier/                        who is told of lines and mailboxes
//!      ├───────► command.rs                       what the edge tells and asks
//!      ├───────► ledger.rs, call_record.rs        what is left of each call for people: who called whom, and what became of it
//!      └───────► history.rs ──► trace/, call_log.rs   what was said in each call, and a line in the log
//! ```
//!
//! [`Proxy`] is a [`sip::Machine`]; what it needs of the world is an [`Event`], what the world answers a [`Command`].
//! Reading order: `effect.rs` for what goes in and out, then `proxy.rs`.
//!
//! Not here: sockets, the database, who may see registrations (the `sip-proxy` crate).

mod accounts;
mod authentication;
mod binding;
mod bound;
mod bridge;
mod call_log;
mod call_record;
mod calling;
mod clock;
mod command;
mod commit;
mod config;
mod door;
mod effect;
mod elsewhere;
mod gruu;
mod guessing;
mod history;
mod index;
mod ledger;
mod names;
mod news;
mod notifier;
mod numbers;
mod probe;
mod proven;
mod proxy;
mod reader;
mod record;
mod redial;
mod registrar;
mod remote_target;
mod routing;
mod row;
mod screening;
mod sharing;
mod shelf;
mod shelved;
mod squeeze;
mod trace;
mod trusted;
mod unwritten;
mod waiting;

pub use accounts::AccountCachePolicy;
pub use bound::Binding;
pub use call_record::{
    CallEnd, CallEndReason, CallLink, CallLinkKind, CallOutcome, CallParty, CallRecord,
};
pub use calling::CallingPolicy;
pub use commit::Durability;
pub use config::ProxyConfig;
pub use effect::{
    Account, BindingsOf, Command, Counts, Event, Located, LookupFailed, Owner, StoreFailed, Ticket,
};
pub use guessing::{Ban, GuessingPolicy};
pub use notifier::WatchPolicy;
pub use numbers::{DialPlan, DialPlans};
pub use probe::{
    Probe, ProbeCommand, ProbeConfig, ProbeEvent, ProbeMessage, ProbeResult, ProbeStep, Reach,
};
pub use proxy::Proxy;
pub use registrar::RegistrarPolicy;
pub use row::Row;
pub use sharing::{Share, select};
pub use trace::{CallTrace, TraceDirection, TraceEvent, TracePolicy, TracedCall};
pub use trusted::TrustedNetworks;
