//! The wall clock, as far as a pure core has one: seconds since 1970, counted on from one reading at the start.
//!
//! Bindings are dated by it, because they outlive the process; nonces too. Half seconds are rounded up, so that what is granted for a
//! minute lives for a minute.

use std::time::{Duration, Instant};

/// One reading of both clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    at: Instant,
    unix_secs: u64,
}

impl Clock {
    pub(crate) fn new((at, unix_secs): (Instant, u64)) -> Self {
        Self { at, unix_secs }
    }

    /// Whole seconds since 1970, a begun one counting as whole.
    pub(crate) fn secs(&self, now: Instant) -> u32 {
        let since = now.saturating_duration_since(self.at);
        let begun = u64::from(since.subsec_nanos() > 0);
        let secs = self.unix_secs + since.as_secs() + begun;
        u32::try_from(secs).unwrap_or(u32::MAX)
    }

    /// The first moment at which [`secs`](Self::secs) says so much.
    pub(crate) fn instant(&self, secs: u32) -> Instant {
        self.at + Duration::from_secs(u64::from(secs).saturating_sub(self.unix_secs))
    }
}
