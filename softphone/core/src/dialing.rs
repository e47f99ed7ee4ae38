//! From what a person typed, clicked or was linked to, to the address that is called.
//!
//! | typed | called on a line of `example.org` |
//! |---|---|
//! | `200` | `sip:200@example.org` |
//! | `+49 (30) 123-45` | `sip:+493012345@example.org` |
//! | `bob@example.com` | `sip:bob@example.com` |
//! | `sip:bob@example.com` | as it is, without headers |
//! | `tel:+49-30-123;ext=4` (RFC 3966) | `sip:+4930123;ext=4@example.org;user=phone` (RFC 3261, section 19.1.6) |
//!
//! The dialing rules of the line change numbers, typed or in `tel:`, before that. Addresses and names are left as they are.

use sip::{HostPort, Scheme, Uri};

/// Longest text looked at.
const MAX_TARGET_BYTES: usize = 256;

/// Why a text cannot be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DialError {
    /// Nothing to call.
    #[error("There is no number to call.")]
    Empty,
    /// Longer than any number.
    #[error("The number is too long.")]
    TooLong,
    /// It has characters that no number or address has.
    #[error("This is not a number or address that can be called.")]
    Malformed,
    /// `sips:` demands encryption on every hop, which this line does not have.
    #[error("This address demands an encrypted connection, which this line does not have.")]
    NotEncrypted,
}

/// A change of a number before it is called. Of the rules of a line the first that fits counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialingRule {
    /// What the number starts with, and what is replaced. Empty fits every number.
    pub starts_with: String,
    /// What stands there instead.
    pub replace_with: String,
    /// Shorter numbers are left alone.
    pub minimum_length: u8,
}

impl DialingRule {
    /// The number that is called instead, if the rule fits. No number is turned into nothing.
    fn change(&self, number: &str) -> Option<String> {
        let rest = number.strip_prefix(&self.starts_with)?;
        let changed = format!("{}{rest}", self.replace_with);
        (number.len() >= self.minimum_length.into() && !changed.is_empty()).then_some(changed)
    }
}

/// The number after the rules.
fn ruled(number: String, rules: &[DialingRule]) -> String {
    let changed = rules.iter().find_map(|rule| rule.change(&number));
    changed.unwrap_or(number)
}

/// The address to call for `text` on a line of `domain` with these dialing rules.
///
/// # Errors
///
/// [`DialError`] for the person who typed it.
pub fn target(text: &str, rules: &[DialingRule], domain: &HostPort) -> Result<Uri, DialError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(DialError::Empty);
    }
    if text.len() > MAX_TARGET_BYTES {
        return Err(DialError::TooLong);
    }
    let lower = text.to_ascii_lowercase();
    if lower.starts_with("sip:") || lower.starts_with("sips:") {
        return address(text);
    }
    if lower.starts_with("tel:") {
        return telephone(&text["tel:".len()..], rules, domain);
    }
    if text.contains('@') {
        return address(&format!("sip:{text}"));
    }
    Ok(Uri::sip(Some(&extension(text, rules)?), domain.clone()))
}

/// A whole SIP address. What it says beyond whom to call is not ours to obey (section 19.1.5).
fn address(text: &str) -> Result<Uri, DialError> {
    let mut uri: Uri = text.parse().map_err(|_| DialError::Malformed)?;
    match uri.scheme() {
        Scheme::Sip => {}
        Scheme::Sips => return Err(DialError::NotEncrypted),
        Scheme::Tel | Scheme::Other(_) => return Err(DialError::Malformed),
    }
    if uri.user().is_none_or(str::is_empty) {
        return Err(DialError::Malformed);
    }
    uri.clear_headers();
    uri.remove_param("method");
    Ok(uri)
}

/// A `tel:` URI without its scheme.
fn telephone(text: &str, rules: &[DialingRule], domain: &HostPort) -> Result<Uri, DialError> {
    let mut parts = text.split(';');
    let number = without_separators(parts.next().unwrap_or_default());
    let digits = number.strip_prefix('+').unwrap_or(&number);
    let is_global = digits.len() != number.len();
    let known = |digit: char| {
        digit.is_ascii_digit()
            || (!is_global && (digit.is_ascii_hexdigit() || "*#".contains(digit)))
    };
    if digits.is_empty() || !digits.chars().all(known) {
        return Err(DialError::Malformed);
    }
    let mut user = escaped(&ruled(number, rules));
    for parameter in parts {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        // Of the parameters only the extension says whom to call.
        if name.eq_ignore_ascii_case("ext") {
            let extension = without_separators(value);
            if extension.is_empty() || !extension.bytes().all(|digit| digit.is_ascii_digit()) {
                return Err(DialError::Malformed);
            }
            user.push_str(";ext=");
            user.push_str(&extension);
        }
    }
    format!("sip:{user}@{domain};user=phone")
        .parse()
        .map_err(|_| DialError::Malformed)
}

/// A number or name without a domain.
fn extension(text: &str, rules: &[DialingRule]) -> Result<String, DialError> {
    let number = without_separators(text);
    let is_digit = |symbol: char| symbol.is_ascii_digit() || "+*#".contains(symbol);
    if !number.is_empty() && number.chars().all(is_digit) {
        return Ok(ruled(number, rules));
    }
    let in_name = |symbol: char| symbol.is_alphanumeric() || "-_.+*#!~'".contains(symbol);
    if !text.starts_with('-') && text.chars().all(in_name) {
        return Ok(text.to_owned());
    }
    Err(DialError::Malformed)
}

/// The visual separators of RFC 3966, and the blanks and strokes that people write.
fn without_separators(text: &str) -> String {
    text.chars()
        .filter(|symbol| !" -.()/\u{a0}".contains(*symbol))
        .collect()
}

/// `#` may stand in a telephone number but not in the user part of a SIP URI.
fn escaped(number: &str) -> String {
    number.replace('#', "%23")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dial(text: &str) -> Result<String, DialError> {
        target(text, &[], &"example.org".parse().unwrap()).map(|uri| uri.to_string())
    }

    fn rule(rule: &serde_json::Value) -> DialingRule {
        DialingRule {
            starts_with: rule["starts_with"].as_str().unwrap().to_owned(),
            replace_with: rule["replace_with"].as_str().unwrap().to_owned(),
            minimum_length: rule["minimum_length"].as_u64().unwrap().try_into().unwrap(),
        }
    }

    /// The portal's page tries rules out with the same vectors.
    #[test]
    fn of_the_rules_of_a_line_the_first_that_fits_changes_the_number() {
        let vectors = include_str!("../../../tests/data/dialing-rules/vectors.json");
        let vectors: Vec<serde_json::Value> = serde_json::from_str(vectors).unwrap();
        for vector in vectors {
            let rules: Vec<_> = vector["rules"]
                .as_array()
                .unwrap()
                .iter()
                .map(rule)
                .collect();
            for (number, called) in vector["numbers"].as_object().unwrap() {
                let ruled = ruled(number.clone(), &rules);
                assert_eq!(ruled, called.as_str().unwrap(), "{}", vector["what"]);
            }
        }
    }

    #[test]
    fn rules_change_numbers_but_neither_names_nor_addresses() {
        let rules = [DialingRule {
            starts_with: String::new(),
            replace_with: "0".to_owned(),
            minimum_length: 0,
        }];
        for (typed, called) in [
            ("30 12", "sip:03012@example.org"),
            ("tel:3012;ext=4", "sip:03012;ext=4@example.org;user=phone"),
            ("bob", "sip:bob@example.org"),
            ("30@example.com", "sip:30@example.com"),
            ("sip:30@example.com", "sip:30@example.com"),
        ] {
            let uri = target(typed, &rules, &"example.org".parse().unwrap()).unwrap();
            assert_eq!(uri.to_string(), called, "{typed}");
        }
    }

    #[test]
    fn people_type_numbers_and_addresses_in_many_ways() {
        for (typed, called) in [
            ("200", "sip:200@example.org"),
            (" +49 (30) 123-45 ", "sip:+493012345@example.org"),
            ("030/123 45", "sip:03012345@example.org"),
            ("*97", "sip:*97@example.org"),
            ("#31#200", "sip:%2331%23200@example.org"),
            ("bob", "sip:bob@example.org"),
            ("bob.smith-2", "sip:bob.smith-2@example.org"),
            ("bob@example.com", "sip:bob@example.com"),
            (
                "sip:bob@example.com:5070;transport=tcp",
                "sip:bob@example.com:5070;transport=tcp",
            ),
            (
                "sip:bob@example.com?Subject=x&Replaces=y",
                "sip:bob@example.com",
            ),
            ("sip:bob@example.com;method=REGISTER", "sip:bob@example.com"),
            ("tel:+49-30-123.45", "sip:+493012345@example.org;user=phone"),
            (
                "TEL:+4930123;ext=4-5",
                "sip:+4930123;ext=45@example.org;user=phone",
            ),
            (
                "tel:200;phone-context=example.com",
                "sip:200@example.org;user=phone",
            ),
            ("tel:*31#", "sip:*31%23@example.org;user=phone"),
        ] {
            assert_eq!(dial(typed), Ok(called.to_owned()), "{typed}");
        }
    }

    #[test]
    fn what_is_no_number_is_not_called() {
        let long = "1".repeat(300);
        for (typed, error) in [
            ("", DialError::Empty),
            ("  ", DialError::Empty),
            (long.as_str(), DialError::TooLong),
            ("bob smith", DialError::Malformed),
            ("--help", DialError::Malformed),
            ("200\r\nVia: x", DialError::Malformed),
            ("bob@", DialError::Malformed),
            ("@example.org", DialError::Malformed),
            ("sip:example.org", DialError::Malformed),
            ("sips:bob@example.org", DialError::NotEncrypted),
            ("tel:", DialError::Malformed),
            ("tel:+", DialError::Malformed),
            ("tel:+49x30", DialError::Malformed),
            ("tel:+4930;ext=x", DialError::Malformed),
            ("tel:1@example.org", DialError::Malformed),
            ("https://example.org", DialError::Malformed),
            ("200;x=y", DialError::Malformed),
            ("<sip:a@b>", DialError::Malformed),
        ] {
            assert_eq!(dial(typed), Err(error), "{typed}");
        }
    }
}
