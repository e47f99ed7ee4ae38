//! `sign_up` as the portal wants it.

use serde::{Deserialize, Serialize};

/// Whether anybody may make a tenant of their own.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SignUpConfig {
    /// Whether people may sign up.
    pub(crate) enabled: bool,
    /// The address of the terms that they agree to.
    pub(crate) terms: Option<String>,
    /// The address of the privacy statement that they agree to.
    pub(crate) privacy: Option<String>,
    /// How hard the puzzle is that their browser solves: each further bit takes twice as long.
    pub(crate) puzzle_bits: u8,
}

/// Why people cannot sign up so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SignUpConfigError {
    #[error(
        "sign_up.{key} is needed when sign_up.enabled: the address of a text that people agree to"
    )]
    Missing { key: &'static str },
    #[error(
        "sign_up.{key} is {value:?}: an address is expected that begins with https:// or http://"
    )]
    Address { key: &'static str, value: String },
    #[error("sign_up.puzzle_bits is {0}: a number from 1 to 28 is expected")]
    Bits(u8),
}

impl Default for SignUpConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            terms: None,
            privacy: None,
            puzzle_bits: 18,
        }
    }
}

impl SignUpConfig {
    /// What people sign up to; `None` if they may not.
    pub(crate) fn offer(&self) -> Result<Option<portal::SignUpConfig>, SignUpConfigError> {
        if !self.enabled {
            return Ok(None);
        }
        if !(1..=28).contains(&self.puzzle_bits) {
            return Err(SignUpConfigError::Bits(self.puzzle_bits));
        }
        Ok(Some(portal::SignUpConfig {
            terms: address("terms", self.terms.as_deref())?,
            privacy: address("privacy", self.privacy.as_deref())?,
            puzzle_bits: self.puzzle_bits,
        }))
    }
}

fn address(key: &'static str, value: Option<&str>) -> Result<String, SignUpConfigError> {
    let value = value.ok_or(SignUpConfigError::Missing { key })?;
    let rest = value
        .strip_prefix("https://")
        .or_else(|| value.strip_prefix("http://"));
    if rest.is_none_or(|rest| rest.is_empty() || rest.contains([' ', '"', '<', '>'])) {
        let value = value.to_owned();
        return Err(SignUpConfigError::Address { key, value });
    }
    Ok(value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(text: &str) -> Result<Option<portal::SignUpConfig>, SignUpConfigError> {
        toml::from_str::<SignUpConfig>(text).unwrap().offer()
    }

    #[test]
    fn nobody_signs_up_unless_it_is_said() {
        assert_eq!(offer(""), Ok(None));
        assert_eq!(offer("terms = 'https://example.com/terms'"), Ok(None));
    }

    #[test]
    fn who_signs_up_agrees_to_texts_that_exist() {
        let texts = "terms = 'https://example.com/terms'\nprivacy = 'https://example.com/privacy'";
        let offered = offer(&format!("enabled = true\n{texts}")).unwrap().unwrap();
        assert_eq!(offered.terms, "https://example.com/terms");
        assert_eq!(offered.puzzle_bits, 18);
        let missing = SignUpConfigError::Missing { key: "terms" };
        assert_eq!(offer("enabled = true"), Err(missing));
        let wrong = offer("enabled = true\nterms = 'example.com'");
        assert!(matches!(
            wrong,
            Err(SignUpConfigError::Address { key: "terms", .. })
        ));
        for bits in [0, 29] {
            let asked = offer(&format!("enabled = true\npuzzle_bits = {bits}\n{texts}"));
            assert_eq!(asked, Err(SignUpConfigError::Bits(bits)));
        }
    }
}
