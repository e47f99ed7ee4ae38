//! Privacy: what a caller wants hidden (RFC 3323, section 4.2; `id` of RFC 3325, `history` of
//! RFC 7044).

use std::fmt;

use crate::header::scan;

/// The wishes of a Privacy header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Privacy(Vec<String>);

impl Privacy {
    /// Only one wish, such as `id`.
    pub fn new(wish: &str) -> Self {
        Self(vec![wish.to_owned()])
    }

    /// Reads the value. Commas between wishes are against the grammar, but clear.
    pub fn parse(text: &str) -> Option<Self> {
        let wishes: Vec<_> = text.split([';', ',']).map(scan::trim).collect();
        wishes
            .iter()
            .all(|wish| scan::is_token(wish))
            .then(|| Self(wishes.into_iter().map(str::to_owned).collect()))
    }

    /// Whether the wish is expressed, in any case.
    pub fn contains(&self, wish: &str) -> bool {
        self.0.iter().any(|own| own.eq_ignore_ascii_case(wish))
    }

    /// Whether the asserted identity must not reach anybody outside of the trust domain
    /// (RFC 3325, section 7). `none` asks for the opposite and wins.
    pub fn hides_identity(&self) -> bool {
        !self.contains("none")
            && ["id", "user", "header"]
                .iter()
                .any(|wish| self.contains(wish))
    }

    /// Whether a request that cannot be given this privacy must fail.
    pub fn is_critical(&self) -> bool {
        self.contains("critical")
    }
}

impl fmt::Display for Privacy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(";"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_read_in_any_case() {
        let privacy = Privacy::parse("ID ;critical; user").unwrap();
        assert!(privacy.hides_identity() && privacy.is_critical());
        assert_eq!(privacy.to_string(), "ID;critical;user");
        assert!(!Privacy::parse("none").unwrap().hides_identity());
        assert!(!Privacy::parse("none, id").unwrap().hides_identity());
        assert!(!Privacy::parse("session").unwrap().hides_identity());
        for text in ["", ";", "id;", "a b"] {
            assert_eq!(Privacy::parse(text), None, "{text}");
        }
    }
}
