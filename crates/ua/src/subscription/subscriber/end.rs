//! Why a subscription ended, and when another one may be tried.

use std::time::Duration;

/// Why a subscription ended. [`std::fmt::Display`] is a plain sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubscriptionEnd {
    /// We wanted no more of it, or asked only once.
    #[error("The subscription was ended.")]
    Unsubscribed,
    /// The notifier ended it.
    #[error("The server ended the subscription.")]
    Terminated {
        /// In its words (RFC 6665, section 4.1.3), if it gave any.
        reason: Option<String>,
        /// How long it wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// The notifier refused it.
    #[error("The server refused the subscription (SIP {status}).")]
    Refused {
        /// As received.
        status: u16,
        /// How long it wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// The same challenge came twice, or one that cannot be answered.
    #[error("The server refused user name or password.")]
    Unauthorized,
    /// The notifier lost the dialog.
    #[error("The server no longer knows the subscription.")]
    Gone,
    /// The last refresh that worked is too long ago.
    #[error("The subscription could not be renewed in time.")]
    Expired,
    /// No response.
    #[error("The server did not answer in time.")]
    NoAnswer,
    /// A 2xx, and then nothing.
    #[error("The server accepted the subscription but told nothing.")]
    NoNotify,
    /// The connection was refused or broke.
    #[error("The server cannot be reached.")]
    Unreachable,
}

/// When to subscribe again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Not by itself: a person or a configuration has to change something.
    Never,
    /// At once.
    Now,
    /// After this time.
    After(Duration),
    /// Soon at first, then ever more rarely.
    BackOff,
}

impl SubscriptionEnd {
    /// When to subscribe again (RFC 6665, section 4.1.3; RFC 3261, section 21).
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::Unsubscribed | Self::Unauthorized => Retry::Never,
            Self::Terminated {
                reason,
                retry_after,
            } => match (reason.as_deref(), retry_after) {
                (Some("deactivated" | "timeout"), _) => Retry::Now,
                (Some("rejected" | "noresource" | "invariant"), _) => Retry::Never,
                (_, Some(wait)) => Retry::After(*wait),
                _ => Retry::BackOff,
            },
            Self::Refused {
                retry_after: Some(wait),
                ..
            } => Retry::After(*wait),
            Self::Refused {
                status: 408 | 480 | 486 | 500..=599,
                ..
            } => Retry::BackOff,
            Self::Refused { .. } => Retry::Never,
            Self::Gone => Retry::Now,
            Self::Expired | Self::NoAnswer | Self::NoNotify | Self::Unreachable => Retry::BackOff,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_say_when_to_try_again() {
        let wait = Duration::from_secs(60);
        for (reason, retry_after, retry) in [
            (Some("deactivated"), None, Retry::Now),
            (Some("timeout"), None, Retry::Now),
            (Some("probation"), Some(wait), Retry::After(wait)),
            (Some("probation"), None, Retry::BackOff),
            (Some("giveup"), Some(wait), Retry::After(wait)),
            (Some("rejected"), Some(wait), Retry::Never),
            (Some("noresource"), None, Retry::Never),
            (Some("invariant"), None, Retry::Never),
            (Some("novelty"), None, Retry::BackOff),
            (None, None, Retry::BackOff),
            (None, Some(wait), Retry::After(wait)),
        ] {
            let end = SubscriptionEnd::Terminated {
                reason: reason.map(str::to_owned),
                retry_after,
            };
            assert_eq!(end.retry(), retry, "{end:?}");
        }
        let refused = |status, retry_after| {
            SubscriptionEnd::Refused {
                status,
                retry_after,
            }
            .retry()
        };
        assert_eq!(refused(489, None), Retry::Never);
        assert_eq!(refused(403, None), Retry::Never);
        assert_eq!(refused(503, None), Retry::BackOff);
        assert_eq!(refused(503, Some(wait)), Retry::After(wait));
        assert_eq!(SubscriptionEnd::Gone.retry(), Retry::Now);
    }
}
