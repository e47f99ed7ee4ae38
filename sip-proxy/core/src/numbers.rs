//! Numbers as people dial them, and which of them may be called.
//!
//! ```text
//!   +49 30 12-34 ─┐
//!   0049 30 1234 ─┼─► +49301234 ──► the longest prefix that is allowed or denied decides; abroad is denied unless it is allowed
//!   030 1234 ─────┘
//!   1234          ───► 1234: an extension, which leads nowhere else
//! ```
//!
//! Without a country only a number that begins with `+` is known to be international, and only what is denied is denied. Whose plan
//! counts is for the domain of who dials to say: two tenants may sit in two countries.
//!
//! Not here: who is behind a number (accounts), how often somebody may call (`calling.rs`).

use std::collections::HashMap;

/// The dial plan of each domain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DialPlans {
    /// Of the domains that have none of their own.
    pub usual: DialPlan,
    /// Of those that have, by their names in lower case.
    pub of_domains: HashMap<Box<str>, DialPlan>,
}

impl DialPlans {
    /// The plan by which an account of `domain` dials, which is in lower case as [`sip::Aor::host`] is.
    pub fn of(&self, domain: &str) -> &DialPlan {
        self.of_domains.get(domain).unwrap_or(&self.usual)
    }
}

/// How numbers are written where the callers are, and where they may lead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DialPlan {
    /// The country code, as `49`.
    pub country: Option<String>,
    /// What is dialled before a country code, as `00`; unused without a country.
    pub international: String,
    /// What is dialled before a national number, as `0`; empty where nothing is. Unused without a country.
    pub national: String,
    /// Prefixes that may be called, as `+43` or `+4932`.
    pub allowed: Vec<String>,
    /// Prefixes that may not be called, as `+49900`.
    pub denied: Vec<String>,
}

/// Fewest and most digits of a number with its country code (E.164, section 6.2).
const GLOBAL_DIGITS: std::ops::RangeInclusive<usize> = 3..=15;

impl DialPlan {
    /// The number without what only makes it readable, and with `+` and country code where it has any; `None` if it is no number.
    pub fn normalise(&self, dialled: &str) -> Option<String> {
        let bare: String = dialled.chars().filter(|c| !"-.() /".contains(*c)).collect();
        let digits = bare.strip_prefix('+').unwrap_or(&bare);
        if digits.is_empty()
            || !digits
                .chars()
                .all(|c| c.is_ascii_digit() || "*#".contains(c))
        {
            return None;
        }
        let global = match bare.strip_prefix('+') {
            Some(digits) => digits.to_owned(),
            None => match self.with_country(&bare) {
                Some(digits) => digits,
                None => return Some(bare),
            },
        };
        let is_number = global.chars().all(|c| c.is_ascii_digit());
        (is_number && GLOBAL_DIGITS.contains(&global.len())).then(|| format!("+{global}"))
    }

    /// Whether a normalised number may be called.
    pub fn permits(&self, number: &str) -> bool {
        let longest = |prefixes: &[String]| {
            let matching = prefixes.iter().filter(|prefix| number.starts_with(*prefix));
            matching.map(String::len).max()
        };
        match (longest(&self.allowed), longest(&self.denied)) {
            (None, None) => !self.is_abroad(number),
            // Who denies and allows the same denies it.
            (allowed, denied) => allowed > denied,
        }
    }

    fn with_country(&self, digits: &str) -> Option<String> {
        let country = self.country.as_ref()?;
        if !self.international.is_empty()
            && let Some(global) = digits.strip_prefix(&self.international)
        {
            return Some(global.to_owned());
        }
        let national = digits.strip_prefix(&self.national)?;
        (!self.national.is_empty() && !national.is_empty()).then(|| format!("{country}{national}"))
    }

    fn is_abroad(&self, number: &str) -> bool {
        let (Some(country), Some(global)) = (&self.country, number.strip_prefix('+')) else {
            return false;
        };
        !global.starts_with(country.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn german() -> DialPlan {
        let prefixes = |list: &[&str]| list.iter().map(|prefix| (*prefix).to_owned()).collect();
        DialPlan {
            country: Some("49".to_owned()),
            international: "00".to_owned(),
            national: "0".to_owned(),
            allowed: prefixes(&["+43", "+431", "+49900100"]),
            denied: prefixes(&["+49900", "+4319", "110#"]),
        }
    }

    #[test]
    fn every_way_to_dial_a_number_comes_to_the_same() {
        for dialled in ["+49 (30) 12-34", "0049 30 1234", "030/1234", "+49.30.1234"] {
            let number = german().normalise(dialled);
            assert_eq!(number.as_deref(), Some("+49301234"), "{dialled}");
        }
        for extension in ["1234", "110", "*97#"] {
            assert_eq!(german().normalise(extension).as_deref(), Some(extension));
        }
        for nonsense in ["", "+", "alice", "+49*1", "+12", "0", "+1234567890123456"] {
            let expected = (nonsense == "0").then_some("0");
            assert_eq!(
                german().normalise(nonsense).as_deref(),
                expected,
                "{nonsense}"
            );
        }
    }

    #[test]
    fn without_a_country_nothing_is_added() {
        let plan = DialPlan::default();
        assert_eq!(plan.normalise("030-1234").as_deref(), Some("0301234"));
        assert!(plan.permits("+1900") && plan.permits("0301234"));
    }

    #[test]
    fn the_longest_prefix_decides_and_abroad_is_denied_unless_allowed() {
        let cases = [
            ("+49301234", true),
            ("+499001234", false),
            ("+499001001", true),
            ("+4312345", true),
            ("+4319999", false),
            ("+15551234", false),
            ("1234", true),
            ("110#", false),
        ];
        for (number, permitted) in cases {
            assert_eq!(german().permits(number), permitted, "{number}");
        }
        let both = DialPlan {
            allowed: vec!["+1".to_owned()],
            denied: vec!["+1".to_owned()],
            ..DialPlan::default()
        };
        assert!(!both.permits("+1555"));
    }
}
