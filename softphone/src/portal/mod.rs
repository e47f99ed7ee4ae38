//! The device's side of the portal: activation, then a channel that stays open.
//!
//! ```text
//! link · code · QR picture ──► link.rs, qr.rs ──► activation.rs ──► profile on disk
//!                                                     │
//!   client.rs  HTTP: activation, token, configuration, report
//!   live.rs    WebSocket over the same client: configuration changed, revoked
//!   session.rs the loop around both: connects, reports, backs off
//! ```
//!
//! The portal is trusted with the SIP passwords, so it is reached by `https` only, or by `http` on
//! this very machine; redirects are not followed.

mod activation;
mod client;
mod link;
mod live;
mod qr;
mod session;

pub use activation::{Activated, ActivationError, activate};
pub use client::{PortalClient, PortalError};
pub use link::{ActivationRequest, ActivationSecret, LinkError, MAX_LINK_BYTES, PortalAddress};
pub use qr::{QrError, read as read_qr, read_file as read_qr_file};
pub use session::{DeviceIdentity, PortalEvent, run as run_session};

/// What we tell the portal about the machine.
pub const PLATFORM: &str = std::env::consts::OS;

/// What we tell the portal about ourselves.
pub const APP_VERSION: &str = env!("CARGO_PKG_VERSION");
