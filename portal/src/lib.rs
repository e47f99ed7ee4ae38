//! The management portal: accounts, devices, activation and provisioning over HTTP, and the web pages.
//!
//! ```text
//!   pages ── session cookie ──┐                         ┌── store (database, sealed secrets)
//!                             ├─ router ─ handlers ─────┤
//!   devices ── JWT (EdDSA) ───┘      │                  └── ProxyControl (registrations, revocation)
//!                                    └─ live channels ← presence ← proxy and devices
//! ```
//!
//! * [`router`] has every route in one place, [`openapi_json`] the description made of them.
//! * Who may do what is one table (`access`); an operation that is not in it is refused to everybody, and
//!   a test made from the table walks all routes with all kinds of callers.
//! * A handler writes once, in one transaction together with its audit entry; what follows from the
//!   write (`effects`) cannot fail the request.
//! * Secrets leave in few answers: the activation shown to an administrator, the configuration of an
//!   activated device, the settings of a desk phone, and once what was just made: a key of a program, the secret of a webhook, the
//!   address of a desk phone.
//!
//! SIP is not here: the proxy is reached through `api::ProxyControl`. SQL is not here: it is in `store`.

mod access;
mod accounts;
mod addresses;
mod app;
mod audit;
mod audit_export;
mod call_export;
mod call_query;
mod call_wire;
mod config;
mod description;
mod desk_phone;
mod device_channel;
mod device_token;
mod directory_news;
mod effects;
mod egress;
mod error;
mod extract;
mod following;
mod handlers;
mod idempotency;
mod import;
mod limits;
mod live;
mod mail;
mod metrics;
mod notice;
mod outgoing;
mod pages;
mod password;
mod people;
mod presence;
mod proof;
mod provider_trials;
mod puzzle;
mod qr;
mod redirect;
mod request;
mod router;
mod scrape;
mod serve;
mod sign_on;
mod socket;
mod status;
mod totp;
mod validate;
mod visit;
mod webhook;
mod wire;

pub use access::{Access, Area, CONFIRMATION_LIFE, NoScope, Rule, Scope, Who, rules};
pub use accounts::{ImportError, import_accounts};
pub use app::{App, StartError};
pub use config::{
    Answer, AuthoritiesError, InstallationMail, MailConfig, PortalConfig, SignUpConfig,
    Surroundings, TrustedProxies,
};
pub use description::openapi_json;
pub use device_token::TokenKeyError;
pub use egress::{Egress, EgressError};
pub use mail::SmtpServer;
pub use metrics::describe_metrics;
pub use people::{OneTimePassword, Person, PersonError, add_user, first_run};
pub use router::router;
pub use serve::{Listeners, serve};
pub use webhook::WebhookTimes;
