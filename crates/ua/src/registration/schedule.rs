//! When to refresh and when to try again.

use std::time::Duration;

use sip::{Contact, Contacts, Request, Response};

/// First retry after a failure; doubles.
const FIRST_RETRY: Duration = Duration::from_secs(2);
/// A refresh comes at least this long before the end, if the interval allows.
const REFRESH_MARGIN_SECS: u32 = 32;
/// However short the server grants, we do not ask more often.
const MIN_REFRESH: Duration = Duration::from_secs(5);
/// Longest time between two tries (RFC 5626, section 4.5).
pub(super) const LAST_RETRY: Duration = Duration::from_secs(1_800);

/// What the server granted to *our* contact, which may stand among others, in seconds.
pub(super) fn granted_secs(request: &Request, response: &Response) -> Option<u32> {
    let ours = match request.contacts() {
        Ok(Contacts::List(mut contacts)) => contacts.pop()?,
        _ => return None,
    };
    let listed = match response.contacts() {
        Ok(Contacts::List(contacts)) => contacts,
        _ => Vec::new(),
    };
    // The same device may have been given another address by a server that rewrites contacts.
    let same_uri = listed
        .iter()
        .find(|theirs| theirs.uri().is_equivalent(ours.uri()));
    let found = same_uri.or_else(|| {
        let instance = ours.instance()?;
        listed
            .iter()
            .find(|theirs| theirs.instance().as_ref() == Some(&instance))
    });
    found
        .and_then(Contact::expires)
        .or_else(|| response.expires().ok().flatten())
}

/// When to refresh what was granted for `granted` seconds: a tenth or 32 s before its end, whichever is
/// more, and up to a twentieth earlier so that many accounts do not come at once.
pub(crate) fn refresh_after(granted: u32, random: u32) -> Duration {
    let margin = (granted / 10).max(REFRESH_MARGIN_SECS);
    let latest = if granted >= 2 * margin {
        granted - margin
    } else {
        granted / 2
    };
    let jitter_ms = u64::from(random) % (u64::from(latest) * 1_000 / 20).max(1);
    (Duration::from_secs(u64::from(latest)) - Duration::from_millis(jitter_ms)).max(MIN_REFRESH)
}

/// 2 s, doubling to 30 min, of which a random half is waited at least (RFC 5626, section 4.5).
pub(super) fn back_off(failures: u32, random: u32) -> Duration {
    let longest = FIRST_RETRY
        .saturating_mul(1 << failures.min(16))
        .min(LAST_RETRY);
    let half = longest / 2;
    half + half.mul_f64(f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refresh_comes_a_tenth_or_32_s_before_the_end() {
        assert_eq!(refresh_after(3_600, 0), Duration::from_secs(3_240));
        assert_eq!(refresh_after(100, 0), Duration::from_secs(68));
        assert_eq!(refresh_after(60, 0), Duration::from_secs(30));
        assert_eq!(refresh_after(1, 0), MIN_REFRESH);
        for random in [0, 1, u32::MAX / 2, u32::MAX] {
            let after = refresh_after(3_600, random);
            assert!(after <= Duration::from_secs(3_240) && after >= Duration::from_secs(3_078));
        }
    }

    #[test]
    fn retries_double_to_half_an_hour() {
        let longest = |failures| back_off(failures, u32::MAX).as_secs_f64().round();
        assert_eq!(
            [0, 1, 2, 3, 9, 10, 11, 40].map(longest),
            [2.0, 4.0, 8.0, 16.0, 1_024.0, 1_800.0, 1_800.0, 1_800.0]
        );
        assert_eq!(back_off(0, 0), Duration::from_secs(1));
    }
}
