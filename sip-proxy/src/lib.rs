//! The registration proxy around its pure core: sockets, database, and the portal's handle on it.
//!
//! [`Service::bind`] opens the sockets, [`Service::start`] runs the core of `sip-proxy-core` in the loop of `sip-io` and returns
//! a [`Control`], through which the portal sees registrations, ends them and looks at what was said in calls. `service.rs` shows how the tasks hang together.
//!
//! Not here: any decision about a SIP message (`sip-proxy/core`), SQL (`store`).

mod account;
mod ahead;
mod call_rows;
mod control;
mod core_handle;
mod ladder;
mod listen;
mod persistence;
mod probe;
mod recorder;
mod service;

pub use control::Control;
pub use ladder::{Ladder, LadderMessage, RecentCall};
pub use listen::MoreListeners;
pub use service::{Service, ServiceConfig, StartError};
pub use sip::{Algorithm, Host, Transport};
pub use sip_io::{Authorities, CertificateFiles, Origins, TlsError, TlsServer};
pub use sip_proxy_core::{
    Ban, CallingPolicy, Counts, DialPlan, DialPlans, Durability, GuessingPolicy, Owner, Reach,
    TraceDirection, TracePolicy, TrustedNetworks,
};
