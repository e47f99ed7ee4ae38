//! Sign-on through a tenant's provider: OpenID Connect Core 1.0, authorization code flow (section 3.1) with PKCE (RFC 7636).
//!
//! [`Provider`] speaks with one, [`verify`] judges what it vouches with, [`try_out`] explains what is wrong with one. Keys are
//! read anew each time, and the description too unless very many begin at once ([`KnownProviders`]): three small requests at a sign-in, and
//! nothing of ours can be older than a key that the provider replaced.
//! What a provider says is good for the tenant that chose it and for nothing else: see decision 0056.

mod fetch;
mod known;
mod provider;
mod token;
mod trial;

use std::fmt;

use api::SignOnReason;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use store::Secret;

use token::Flaw;

pub(crate) use known::KnownProviders;
pub(crate) use provider::{Client, Provider, Request, check_address, word};
#[cfg(test)]
pub(crate) use token::Person;
pub(crate) use token::{Expected, Identity, verify};
pub(crate) use trial::try_out;

/// Why a provider cannot be spoken with, or is not believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) reason: SignOnReason,
    /// What was found; never anything that opens something.
    pub(crate) said: Option<String>,
}

impl Trouble {
    fn new(reason: SignOnReason, said: impl Into<String>) -> Self {
        let said: String = said.into().chars().take(MAX_SAID).collect();
        Self {
            reason,
            said: Some(said),
        }
    }
}

impl From<Flaw> for Trouble {
    fn from(flaw: Flaw) -> Self {
        match flaw {
            Flaw::TooOld => SignOnReason::TooOld.into(),
            other => Self::new(SignOnReason::TokenInvalid, other.to_string()),
        }
    }
}

impl From<SignOnReason> for Trouble {
    fn from(reason: SignOnReason) -> Self {
        Self { reason, said: None }
    }
}

/// For a person who cannot sign in; pages say the same in their own language.
impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(sentence(self.reason))?;
        match &self.said {
            Some(said) => write!(f, " ({said})"),
            None => Ok(()),
        }
    }
}

fn sentence(reason: SignOnReason) -> &'static str {
    use SignOnReason::*;
    match reason {
        TurnedOff => "This tenant has no provider to sign in through.",
        Lost => "This sign-in took too long, or was begun in another browser. Please begin again.",
        UnknownHost => "The provider's name was not found.",
        ForbiddenHost => {
            "The provider is in a private network, which this installation does not connect to; its operator can allow it (egress.allow)."
        }
        NotHttps => "An address of the provider does not begin with https://.",
        Unreachable => "The provider cannot be reached.",
        Timeout => "The provider took too long to answer.",
        Status => "The provider answered with an unexpected status.",
        Unreadable => "The provider's answer is not what it should be.",
        OtherIssuer => "The answer is of another issuer.",
        NoKeys => "The provider has no key that its signatures could be checked with.",
        ClientRefused => "The provider does not know this client, or its secret is wrong.",
        ProviderRefused => "The provider did not sign you in.",
        TokenInvalid => "What the provider vouches with is not good.",
        TooOld => "You signed in at the provider too long ago. Please begin again.",
        NoAddress => "The provider does not tell your e-mail address.",
        UnverifiedAddress => "The provider does not say that your e-mail address was verified.",
        ForeignDomain => "Addresses of this domain cannot sign in here.",
        NotMember => "You are not in the team. Please ask an owner to invite you.",
        OtherSubject => {
            "The member with your address is another account at the provider. Please ask an owner to remove the member and to invite you again."
        }
        OtherPerson => "Somebody else is signed in. Please sign out first.",
    }
}

/// What binds a sign-in to the browser that began it: the browser keeps one text, and all others follow from it. So nothing lies on our
/// side that could be stolen.
pub(crate) struct Bond {
    /// `nonce` (OpenID Connect Core 1.0 section 3.1.2.1).
    pub(crate) nonce: String,
    /// `code_verifier` (RFC 7636 section 4.1): 43 characters.
    pub(crate) verifier: Secret,
}

impl Bond {
    /// Of the text that the browser keeps and of the request's `state`.
    pub(crate) fn new(browser: &str, state: &str) -> Self {
        let derived = |purpose: &str| digest(&[purpose, browser, state].join("."));
        Self {
            nonce: derived("nonce"),
            verifier: Secret::new(derived("code_verifier")),
        }
    }

    /// `code_challenge` by the method `S256` (RFC 7636 section 4.2).
    pub(crate) fn challenge(&self) -> String {
        digest(self.verifier.reveal())
    }
}

fn digest(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(text.as_bytes()))
}

const MAX_SAID: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_made_as_the_example_of_the_standard() {
        // RFC 7636 appendix B.
        let bond = Bond {
            nonce: String::new(),
            verifier: Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
        };
        assert_eq!(
            bond.challenge(),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }

    #[test]
    fn a_bond_is_of_one_browser_and_one_sign_in() {
        let bond = Bond::new("browser", "state");
        assert_eq!(bond.nonce, Bond::new("browser", "state").nonce);
        assert_eq!(bond.verifier.reveal().len(), 43);
        assert_ne!(bond.nonce, bond.verifier.reveal());
        for other in [Bond::new("browser", "other"), Bond::new("other", "state")] {
            assert_ne!(other.nonce, bond.nonce);
            assert_ne!(other.verifier, bond.verifier);
        }
    }
}
