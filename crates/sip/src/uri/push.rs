//! The push parameters of a Contact URI (RFC 8599, section 8).
//!
//! Tokens of push services hold `:`, `&`, `%` and `=`. They are given exactly as written, because
//! they go back to the push service byte for byte.

use super::Uri;

/// How to wake a user agent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PushParams<'a> {
    /// Which push service; empty if the user agent only asks which ones the proxy knows.
    pub provider: &'a str,
    /// What identifies the application at the service.
    pub param: Option<&'a str>,
    /// What identifies the device at the service.
    pub prid: Option<&'a str>,
    /// Names the binding in later requests; written by the proxy.
    pub purr: Option<&'a str>,
}

impl Uri {
    /// The push parameters; `None` without `pn-provider`.
    pub fn push_params(&self) -> Option<PushParams<'_>> {
        let params = self.params()?;
        params.contains("pn-provider").then(|| PushParams {
            provider: params.value("pn-provider").unwrap_or_default(),
            param: params.value("pn-param"),
            prid: params.value("pn-prid"),
            purr: params.value("pn-purr"),
        })
    }
}

impl std::fmt::Debug for PushParams<'_> {
    /// Who knows the token can wake the device.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PushParams")
            .field("provider", &self.provider)
            .finish_non_exhaustive()
    }
}
