//! Subscriptions to events (RFC 6665): one side asks to be told, the other tells.
//!
//! ```text
//!   subscriber                     notifier
//!       │ ───── SUBSCRIBE ──────────► │  NotifierEvent::Requested
//!       │ ◄──────── 200 ───────────── │  accept
//!       │ ◄─────── NOTIFY ─────────── │  NotifierEvent::Due ─► notify      which may overtake the 200
//!       │ ───────── 200 ────────────► │
//!       │              …              │  changed ─► Due ─► notify
//! ```
//!
//! [`Subscriptions`] is the left side, [`Notifiers`] the right one; what the bodies say is in
//! `dialog_info` (RFC 4235) and `message_summary` (RFC 3842).
//!
//! Not here: the subscription that a REFER makes, which belongs to its call (`call/`).

mod dialog_info;
mod message_summary;
mod notifier;
mod subscriber;

pub use dialog_info::{
    DIALOG_INFO, DialogEntry, DialogInfo, DialogInfoError, DialogTable, Direction, EntryEvent,
    EntryState, Gap, Identity, Participant, Scope,
};
pub use message_summary::{
    MESSAGE_SUMMARY, MessageClass, MessageCount, MessageSummary, MessageSummaryError,
};
pub use notifier::{
    Audience, Body, Due, NotifierEvent, Notifiers, NotifiersConfig, Package, Termination, WatchEnd,
    WatcherError, WatcherKey,
};
pub use subscriber::{
    Retry, Standing, Subscribe, SubscriptionEnd, SubscriptionError, SubscriptionEvent,
    SubscriptionKey, Subscriptions, SubscriptionsConfig,
};
