//! The part of the configuration about what strangers and accounts may do.

use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sip_proxy::{CallingPolicy, GuessingPolicy};

/// Guessing of passwords. A device is never ignored on a flow that it has proven itself on, nor where it is registered from.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct BansConfig {
    /// Wrong credentials from one address within the window after which it is ignored.
    pub(crate) failures: NonZeroU32,
    /// Wrong credentials for one account within the window, from anywhere, after which strangers are listened to only now and then.
    pub(crate) account_failures: NonZeroU32,
    /// The window.
    pub(crate) window_secs: NonZeroU32,
    /// How long an address is ignored.
    pub(crate) ban_secs: NonZeroU32,
}

impl Default for BansConfig {
    fn default() -> Self {
        const fn count(count: u32) -> NonZeroU32 {
            NonZeroU32::new(count).expect("not zero")
        }
        Self {
            failures: const { count(10) },
            account_failures: const { count(20) },
            window_secs: const { count(60) },
            ban_secs: const { count(600) },
        }
    }
}

impl BansConfig {
    pub(crate) fn policy(&self) -> GuessingPolicy {
        GuessingPolicy {
            source_failures: self.failures.get(),
            account_failures: self.account_failures.get(),
            window: Duration::from_secs(self.window_secs.get().into()),
            ban: Duration::from_secs(self.ban_secs.get().into()),
            ..GuessingPolicy::default()
        }
    }
}

/// Limits of every account's own calls; unlimited where nothing is set.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct CallsConfig {
    /// Calls that it has begun and that have not ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) at_once: Option<NonZeroU32>,
    /// Calls that it begins within an hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) per_hour: Option<NonZeroU32>,
}

impl CallsConfig {
    pub(crate) fn policy(&self) -> CallingPolicy {
        let unlimited = CallingPolicy::default();
        CallingPolicy {
            at_once: self
                .at_once
                .and_then(|limit| limit.get().try_into().ok())
                .unwrap_or(unlimited.at_once),
            per_hour: self.per_hour.map_or(unlimited.per_hour, NonZeroU32::get),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    use super::*;

    #[test]
    fn what_is_not_set_is_the_usual() {
        let config: Config = toml::from_str("[sip.bans]\nfailures = 3").unwrap();
        let policy = config.sip.bans.policy();
        let usual = GuessingPolicy::default();
        assert_eq!((policy.source_failures, policy.ban), (3, usual.ban));
        assert_eq!(BansConfig::default().policy(), usual);
        assert_eq!(config.sip.calls.policy(), CallingPolicy::default());
    }

    #[test]
    fn limits_of_calls_are_counts_and_never_zero() {
        let config: Config = toml::from_str("[sip.calls]\nat_once = 4\nper_hour = 60").unwrap();
        let expected = CallingPolicy {
            at_once: 4,
            per_hour: 60,
        };
        assert_eq!(config.sip.calls.policy(), expected);
        for wrong in ["[sip.calls]\nat_once = 0", "[sip.bans]\nban_secs = 0"] {
            let error = toml::from_str::<Config>(wrong).unwrap_err().to_string();
            assert!(error.contains("zero"), "{error}");
        }
    }
}
