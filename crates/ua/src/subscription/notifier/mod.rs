//! The notifier: takes subscriptions in and tells state to those who may know it (RFC 6665, section 4.2).
//!
//! ```text
//!  SUBSCRIBE        accept                 Due ─► notify           200
//!  ────► Requested ───────► owes a NOTIFY ───────────────► telling ─────► silent
//!             │ reject            ▲                            │ changed     │ changed
//!             ▼                   └──────── newest state ◄─────┴─────────────┘
//!           gone          unsubscribed, expired, terminated ─► one last NOTIFY ─► gone
//! ```
//!
//! State is pulled, not queued: [`changed`](Notifiers::changed) marks a watcher, and once its
//! last NOTIFY is answered and the interval since is long enough, [`NotifierEvent::Due`] asks
//! the owner for the state as it is then. So at most one NOTIFY is under way for each watcher, the
//! newest state wins, and nothing piles up for a slow one.
//!
//! NOTIFY goes the way the last SUBSCRIBE came, on its flow. Who may watch whom is the owner's
//! business; so is authentication.

mod table;
mod watcher;

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use sip::{Flow, Request};

pub use table::Notifiers;

/// Names one subscription to us; never used again for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WatcherKey(pub(crate) u64);

impl fmt::Display for WatcherKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An event package that is served.
#[derive(Clone, Copy, Debug)]
pub struct Package {
    /// Its name, as Event has it.
    pub name: &'static str,
    /// The type of its bodies, `type/subtype`.
    pub content_type: &'static str,
    /// What a subscription gets that asks for nothing.
    pub default_expires: Duration,
}

/// What notifiers serve, and how much.
#[derive(Clone, Debug)]
pub struct NotifiersConfig {
    /// The event packages; others are answered 489.
    pub packages: Vec<Package>,
    /// A shorter subscription is answered 423; a fetch is none.
    pub min_expires: Duration,
    /// A longer one is shortened.
    pub max_expires: Duration,
    /// Least time between two NOTIFYs of one subscription, the first and the last aside.
    pub min_interval: Duration,
    /// Subscriptions at the same time; more are answered 503.
    pub max_subscriptions: usize,
}

impl Default for NotifiersConfig {
    fn default() -> Self {
        Self {
            packages: Vec::new(),
            min_expires: Duration::from_secs(60),
            max_expires: Duration::from_secs(3_600),
            min_interval: Duration::from_millis(500),
            max_subscriptions: 10_000,
        }
    }
}

/// Something happened to a subscription to us. After [`NotifierEvent::Ended`] nothing more comes
/// for its key.
#[derive(Clone, Debug)]
pub enum NotifierEvent {
    /// Somebody wants to watch. Wants [`accept`](Notifiers::accept), [`pend`](Notifiers::pend) or
    /// [`reject`](Notifiers::reject); after a rejection no [`NotifierEvent::Ended`] comes.
    Requested {
        /// The new watcher.
        watcher: WatcherKey,
        /// The package, one of [`NotifiersConfig::packages`].
        package: &'static str,
        /// The SUBSCRIBE.
        subscribe: Box<Request>,
        /// Where it came from.
        flow: Flow,
    },
    /// A watcher is to be told: wants [`notify`](Notifiers::notify) with the state as it is now.
    Due(Due),
    /// The watcher is told no more.
    Ended {
        /// The watcher.
        watcher: WatcherKey,
        /// Why.
        end: WatchEnd,
    },
}

/// What a NOTIFY that is due should hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The watcher.
    pub watcher: WatcherKey,
    /// How many NOTIFYs it had before.
    pub version: u32,
    /// Whether it may see the state.
    pub audience: Audience,
}

/// What a watcher may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// The state.
    Accepted,
    /// No more than if there were none: nothing is decided yet.
    Pending,
}

/// The state as a NOTIFY carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// `type/subtype`
    pub content_type: &'static str,
    /// The text.
    pub bytes: Bytes,
}

/// Why a watcher is told no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatchEnd {
    /// It wanted no more, or asked only once.
    Unsubscribed,
    /// It did not refresh in time.
    Expired,
    /// [`terminate`](Notifiers::terminate).
    Terminated,
    /// It no longer knows the subscription (481), or refuses NOTIFY for good.
    Refused {
        /// As received.
        status: u16,
    },
    /// It cannot be reached, or does not answer.
    Lost,
}

/// Why we end a subscription, in the words of RFC 6665, section 4.1.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Termination {
    /// Subscribe again, perhaps elsewhere: we are going down.
    Deactivated,
    /// The right to watch is gone.
    Rejected,
    /// What was watched is gone.
    NoResource,
    /// Try again after this time.
    Probation {
        /// How long to wait.
        retry_after: Duration,
    },
}

/// Why a command had no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WatcherError {
    /// No watcher of this key.
    #[error("no such watcher")]
    Unknown,
    /// It has its answer, or nothing was due.
    #[error("not wanted now")]
    NotNow,
}
