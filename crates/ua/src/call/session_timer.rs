//! Session timers (RFC 4028): a call whose other side vanished ends by itself.
//!
//! One side refreshes at half of the interval, by UPDATE or re-INVITE; the other gives the call up
//! a little before the interval is over. This file decides who and when; sending is in
//! `change.rs` and `mod.rs`.

use std::time::{Duration, Instant};

use sip::{Fields, HeaderError, Refresher, Request, Response, SessionExpires};

use super::SessionTimers;

/// The option tag, in Supported and Require.
pub(super) const OPTION: &str = "timer";

/// Who sends the refreshes, seen from us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RefreshedBy {
    Us,
    Peer,
}

/// The running timer of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SessionTimer {
    by: RefreshedBy,
    interval: Duration,
    /// When to refresh; `None` while the refresh is under way, or if the peer does it.
    refresh_at: Option<Instant>,
    /// When to give up.
    expires_at: Instant,
}

/// What a timer wants when its deadline has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Refresh,
    Expired,
}

impl SessionTimer {
    fn start(interval_secs: u32, by: RefreshedBy, now: Instant) -> Self {
        let interval = Duration::from_secs(u64::from(interval_secs));
        // Section 10: the side that only watches leaves a third of the interval, 32 s at most, so
        // that a BYE arrives before proxies forget the call.
        let margin = (interval / 3).min(Duration::from_secs(32));
        Self {
            by,
            interval,
            refresh_at: (by == RefreshedBy::Us).then(|| now + interval / 2),
            expires_at: now + interval - margin,
        }
    }

    pub(super) fn deadline(&self) -> Instant {
        self.refresh_at.unwrap_or(self.expires_at)
    }

    /// What is due at `now`, once.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<Due> {
        if self.refresh_at.is_some_and(|at| at <= now) {
            self.refresh_at = None;
            return Some(Due::Refresh);
        }
        (self.expires_at <= now).then_some(Due::Expired)
    }

    /// The refresh did not work, or something else is under way: try again well before the end.
    pub(super) fn refresh_later(&mut self, now: Instant) {
        let at = now + self.interval / 8;
        self.refresh_at = (at < self.expires_at).then_some(at);
    }

    /// The value for a request of ours inside the call: the roles stay as they are.
    pub(super) fn renewed(&self) -> SessionExpires {
        SessionExpires {
            interval_secs: secs(self.interval),
            refresher: Some(match self.by {
                RefreshedBy::Us => Refresher::Uac,
                RefreshedBy::Peer => Refresher::Uas,
            }),
        }
    }
}

/// Whole seconds, saturating.
fn secs(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}

/// Writes our proposal into a request: what `running` says, else our wish.
pub(super) fn propose(
    request: &mut Request,
    timers: SessionTimers,
    min_se_secs: u32,
    running: Option<&SessionTimer>,
) {
    let mut proposal = running.map_or(
        SessionExpires {
            interval_secs: secs(timers.expires),
            refresher: None,
        },
        SessionTimer::renewed,
    );
    proposal.interval_secs = proposal.interval_secs.max(min_se_secs);
    request.push_header("Session-Expires", proposal.to_string());
    request.push_header("Min-SE", min_se_secs.to_string());
}

/// What a 2xx to our request set up; `None` turns the timer off.
pub(super) fn read_response(response: &Response, now: Instant) -> Option<SessionTimer> {
    let agreed = response.session_expires().ok().flatten()?;
    // The answerer must name the refresher; if it does not, the safe reading is that we do it.
    let by = match agreed.refresher {
        Some(Refresher::Uas) => RefreshedBy::Peer,
        Some(Refresher::Uac) | None => RefreshedBy::Us,
    };
    Some(SessionTimer::start(agreed.interval_secs.max(1), by, now))
}

/// What a request asks of us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Demand {
    /// No timer.
    None,
    /// Accept with these: to be started and written into the 2xx by [`Accepted::apply`].
    Accept(Accepted),
    /// 422: our least interval in seconds.
    TooSmall { min_se_secs: u32 },
}

/// The timer that a 2xx of ours sets up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Accepted {
    interval_secs: u32,
    by: RefreshedBy,
    /// The requester knows timers, so it may be told to use them.
    peer_supports: bool,
}

impl Accepted {
    /// Writes the headers (section 9, table 2) and starts the timer.
    pub(super) fn apply(self, response: &mut Response, now: Instant) -> SessionTimer {
        let refresher = match self.by {
            RefreshedBy::Us => Refresher::Uas,
            RefreshedBy::Peer => Refresher::Uac,
        };
        let value = SessionExpires {
            interval_secs: self.interval_secs,
            refresher: Some(refresher),
        };
        response.push_header("Session-Expires", value.to_string());
        if self.peer_supports {
            response.push_header("Require", OPTION);
        }
        SessionTimer::start(self.interval_secs, self.by, now)
    }
}

/// Reads what the requester wants, as the answerer (section 9).
///
/// # Errors
///
/// A header that cannot be read: 400.
pub(super) fn read_request(
    request: &Request,
    timers: Option<SessionTimers>,
) -> Result<Demand, HeaderError> {
    let asked = request.session_expires()?;
    let their_min = request.min_se()?.unwrap_or(0);
    let Some(timers) = timers else {
        return Ok(Demand::None);
    };
    let peer_supports = supports(request, OPTION);
    let min_se_secs = secs(timers.min_se);
    Ok(match asked {
        Some(asked) if asked.interval_secs < min_se_secs && peer_supports => {
            Demand::TooSmall { min_se_secs }
        }
        Some(asked) => {
            let by = match asked.refresher {
                Some(Refresher::Uac) if peer_supports => RefreshedBy::Peer,
                _ => RefreshedBy::Us,
            };
            // A proxy may have asked for too little on behalf of a caller that knows no timers:
            // then our least is what counts.
            let interval_secs = asked.interval_secs.max(min_se_secs).max(their_min);
            Demand::Accept(Accepted {
                interval_secs,
                by,
                peer_supports,
            })
        }
        None if peer_supports => Demand::Accept(Accepted {
            interval_secs: secs(timers.expires).max(their_min),
            by: RefreshedBy::Us,
            peer_supports,
        }),
        None => Demand::None,
    })
}

/// The message lists `option` in Supported or Require.
pub(super) fn supports(message: &Fields, option: &str) -> bool {
    [message.supported(), message.require()]
        .into_iter()
        .flatten()
        .flatten()
        .any(|listed| listed.eq_ignore_ascii_case(option))
}
