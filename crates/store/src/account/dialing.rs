//! The dialing rules of an account, as one text in its row.
//!
//! One rule a line: what the number starts with, `>`, what replaces it, `;`, the minimum length. None of
//! these signs occurs in a number, so the text reads back as it was written. What the rules do is decided
//! where a number is dialled, not here.

use super::corrupt;
use crate::StoreError;

/// How many rules an account can have.
pub const MAX_RULES: usize = 50;

/// A change of a number before it is called. Of the rules of an account the first that fits counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialingRule {
    /// What the number starts with, and what is replaced. Empty fits every number.
    pub starts_with: String,
    /// What stands there instead.
    pub replace_with: String,
    /// Shorter numbers are left alone.
    pub minimum_length: u8,
}

pub(super) fn text(rules: &[DialingRule]) -> String {
    let lines: Vec<_> = rules
        .iter()
        .map(|rule| {
            let DialingRule {
                starts_with,
                replace_with,
                minimum_length,
            } = rule;
            format!("{starts_with}>{replace_with};{minimum_length}")
        })
        .collect();
    lines.join("\n")
}

pub(crate) fn rules(text: &str) -> Result<Vec<DialingRule>, StoreError> {
    let rules: Option<Vec<_>> = text.lines().map(rule).collect();
    rules.ok_or_else(|| corrupt("dialing_rules"))
}

fn rule(line: &str) -> Option<DialingRule> {
    let (starts_with, rest) = line.split_once('>')?;
    let (replace_with, minimum_length) = rest.split_once(';')?;
    Some(DialingRule {
        starts_with: starts_with.to_owned(),
        replace_with: replace_with.to_owned(),
        minimum_length: minimum_length.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(starts_with: &str, replace_with: &str, minimum_length: u8) -> DialingRule {
        DialingRule {
            starts_with: starts_with.to_owned(),
            replace_with: replace_with.to_owned(),
            minimum_length,
        }
    }

    #[test]
    fn rules_read_back_as_they_were_written() {
        for written in [
            vec![],
            vec![rule("", "", 0)],
            vec![rule("017", "1", 0), rule("+", "00", 8), rule("*#", "", 255)],
        ] {
            assert_eq!(rules(&text(&written)).unwrap(), written);
        }
    }

    #[test]
    fn what_is_no_rule_is_not_guessed_at() {
        for text in ["017", "017>1", "017;1", "017>1;x", "017>1;256"] {
            let error = rules(text).unwrap_err();
            assert!(
                matches!(
                    error,
                    StoreError::Corrupt {
                        column: "dialing_rules",
                        ..
                    }
                ),
                "{text}"
            );
        }
    }
}
