//! The user agent: calls, registrations and subscriptions on top of SIP transactions and dialogs.
//!
//! ```text
//!        phone (softphone/core)          proxy (sip-proxy/core)
//!          │            │                  │             │
//!   ┌──────▼─────┐ ┌────▼──┐         ┌─────▼──┐ ┌────────▼────┐
//!   │Registrations│ │ Calls │         │ Calls  │ │Registrations│     this crate
//!   └──────┬─────┘ └────┬──┘         └─────┬──┘ └────────┬────┘
//!          └────────────┴── &mut sip::Endpoint ──────────┘
//! ```
//!
//! [`Calls`], [`Registrations`], [`Subscriptions`] and [`Notifiers`] are sub-machines: they hold no endpoint,
//! clock or socket. Their owner has one [`sip::Endpoint`], hands every event of it to one after the other,
//! the calls last, and answers what is left with [`respond_default`]:
//!
//! ```text
//! EndpointEvent ─► Registrations ─► Subscriptions ─► Notifiers ─► Calls ─► respond_default
//! ```
//!
//! Each `handle_event` returns the event if it was not meant for it. After every call the owner
//! drains `poll_event` of all and `poll_output` of the endpoint, and wakes the parts no later than
//! their `poll_timeout`.
//!
//! Reading order: [`Dial`] and [`CallEvent`] are what a caller says and hears; [`EndReason`] and
//! [`CallFailure`] why a call ended; `call/mod.rs` has the figure of a call, `registration/mod.rs`
//! that of a registration, `subscription/` those of both sides of a subscription.
//!
//! Not here: media (crates `media`, `media-io`), policy such as do-not-disturb or who may be
//! transferred where (the owners).

mod call;
mod default_response;
mod login;
mod registration;
mod subscription;

pub use call::{
    CallError, CallEvent, CallFailure, CallKey, CallView, Calls, CallsConfig, Dial, EndReason,
    MAX_REASONS, Origin, ReferId, ReferTarget, ReliableProgress, SessionTimers, Stage, StageChange,
    Stages,
};
pub use default_response::{Served, respond_default, respond_unserved};
pub use registration::{
    Lookup, Registration, RegistrationError, RegistrationEvent, RegistrationFailure,
    RegistrationKey, RegistrationState, Registrations, RegistrationsConfig,
};
pub use subscription::{
    Audience, Body, DIALOG_INFO, DialogEntry, DialogInfo, DialogInfoError, DialogTable, Direction,
    Due, EntryEvent, EntryState, Gap, Identity, MESSAGE_SUMMARY, MessageClass, MessageCount,
    MessageSummary, MessageSummaryError, NotifierEvent, Notifiers, NotifiersConfig, Package,
    Participant, Retry, Scope, Standing, Subscribe, SubscriptionEnd, SubscriptionError,
    SubscriptionEvent, SubscriptionKey, Subscriptions, SubscriptionsConfig, Termination, WatchEnd,
    WatcherError, WatcherKey,
};

/// Methods that calls understand, as `Allow` lists them.
pub const CALL_METHODS: &str =
    "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER, NOTIFY";

/// Extensions that calls understand, as `Supported` lists them.
pub const CALL_OPTIONS: &str = "100rel, timer, replaces, norefersub";
