//! One digest challenge (RFC 3261, section 20.44; RFC 7616, section 3.3).

use crate::header::AuthFields;

use super::algorithm::Algorithm;

/// A challenge that we can answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// For whom the password is; to be shown to people.
    pub realm: String,
    /// The server's nonce.
    pub nonce: String,
    /// To be sent back as it is.
    pub opaque: Option<String>,
    /// The algorithm; MD5 if the challenge names none.
    pub algorithm: Algorithm,
    /// What is protected.
    pub protection: ChallengeProtection,
    /// The previous answer was right but its nonce too old.
    pub stale: bool,
}

/// The strongest of the offered protections that we choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChallengeProtection {
    /// No `qop` offered: a server of RFC 2069.
    Legacy,
    /// `auth`, chosen whenever it is offered.
    Auth,
    /// Only `auth-int` is offered.
    AuthInt,
}

impl Challenge {
    /// The challenge in `fields`; `None` if it is not one that we can answer.
    pub fn from_fields(fields: &AuthFields) -> Option<Self> {
        if !fields.is_scheme("Digest") {
            return None;
        }
        let text = |name| fields.value(name).map(std::borrow::Cow::into_owned);
        Some(Self {
            realm: text("realm")?,
            nonce: text("nonce")?,
            opaque: text("opaque"),
            algorithm: match fields.value("algorithm") {
                None => Algorithm::Md5,
                Some(name) => Algorithm::find(&name)?,
            },
            protection: match fields.value("qop") {
                None => ChallengeProtection::Legacy,
                Some(offered) => choose(&offered)?,
            },
            stale: fields
                .value("stale")
                .is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
        })
    }
}

fn choose(offered: &str) -> Option<ChallengeProtection> {
    let offers = |name| {
        offered
            .split(',')
            .any(|option| option.trim().eq_ignore_ascii_case(name))
    };
    if offers("auth") {
        Some(ChallengeProtection::Auth)
    } else if offers("auth-int") {
        Some(ChallengeProtection::AuthInt)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge(text: &str) -> Option<Challenge> {
        Challenge::from_fields(&AuthFields::parse(text).unwrap())
    }

    #[test]
    fn a_bare_challenge_means_md5_without_qop() {
        let challenge = challenge("Digest realm=\"a\", nonce=\"b\"").unwrap();
        assert_eq!(challenge.algorithm, Algorithm::Md5);
        assert_eq!(challenge.protection, ChallengeProtection::Legacy);
        assert!(!challenge.stale);
    }

    #[test]
    fn auth_is_chosen_wherever_it_stands() {
        let text = "Digest realm=\"a\", nonce=\"b\", qop=\"auth-int , AUTH\", stale=TRUE";
        let found = challenge(text).unwrap();
        assert_eq!(found.protection, ChallengeProtection::Auth);
        assert!(found.stale);
        let integrity = challenge("Digest realm=\"a\", nonce=\"b\", qop=auth-int").unwrap();
        assert_eq!(integrity.protection, ChallengeProtection::AuthInt);
    }

    #[test]
    fn what_we_do_not_know_is_not_answered() {
        assert_eq!(
            challenge("Digest realm=\"a\", nonce=\"b\", algorithm=AKAv1-MD5"),
            None
        );
        assert_eq!(
            challenge("Digest realm=\"a\", nonce=\"b\", qop=\"token\""),
            None
        );
        assert_eq!(challenge("Digest realm=\"a\""), None);
        assert_eq!(challenge("Basic realm=\"a\", nonce=\"b\""), None);
    }
}
