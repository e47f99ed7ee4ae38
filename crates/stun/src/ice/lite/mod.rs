//! A lite agent (RFC 8445 section 2.5 and Appendix A): answers the checks of a full one at an address that everybody
//! can reach, and makes none itself.
//!
//! It is always controlled: a full peer of a lite agent controls (RFC 8445 section 6.1.1), so who claims to be
//! controlled is told 487 and changes (section 7.3.1.1).
//!
//! Invariant: only who knows the password is answered. RFC 8489 section 9.1.3 would have requests without credentials
//! answered by 400, and those with wrong ones by 401; but anybody can write any source address on a datagram, and the agent
//! stands between parties that have not agreed to hear from it. To the sender that looks as if the request had been lost
//! (docs/decisions/0030).
//!
//! Not here: whose a request is ([`local_fragment`] tells the owner), what follows from an answer.

#[cfg(test)]
mod tests;

use std::fmt;
use std::net::SocketAddr;

use stun_rs::attributes::ice::{IceControlled, UseCandidate};
use stun_rs::attributes::stun::{
    ErrorCode, Fingerprint, MessageIntegrity, UnknownAttributes, UserName, XorMappedAddress,
};
use stun_rs::methods::BINDING;
use stun_rs::{
    ErrorCode as Error, HMACKey, MessageClass, StunAttribute, StunMessage, StunMessageBuilder,
};

use super::Credentials;
use crate::message;

/// Types of attributes from here on may be passed over by who does not know them (RFC 8489 section 14).
const FIRST_OPTIONAL: u16 = 0x8000;
const UNKNOWN_ATTRIBUTE: u16 = 420;
/// RFC 8445 section 7.3.1.1.
const ROLE_CONFLICT: u16 = 487;

/// Why there cannot be such an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LiteError {
    /// RFC 8839 section 5.4: letters, digits, `+` and `/`; 4 to 256 of a fragment, 22 to 256 of a password.
    #[error(
        "the credentials for ICE are too short, too long or have characters that they cannot have"
    )]
    Credentials,
}

/// See the module header.
#[derive(Clone)]
pub struct LiteAgent {
    fragment: String,
    key: HMACKey,
    remote_fragment: Option<String>,
}

/// What a request that knew the password gets, and what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckAnswer {
    /// To send to where the request came from, from where it came to.
    pub bytes: Vec<u8>,
    /// Whether it succeeded.
    pub outcome: CheckOutcome,
}

/// See [`CheckAnswer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckOutcome {
    /// The peer can be reached where it came from.
    Valid,
    /// And has chosen this pair (USE-CANDIDATE).
    Nominated,
    /// It got an error and changes nothing.
    Refused,
}

impl LiteAgent {
    /// With what our description says; and the fragment of the peer's, once it is known: then nobody else who
    /// answered the same offer is heard.
    ///
    /// # Errors
    ///
    /// [`LiteError`].
    pub fn new(local: &Credentials, remote_fragment: Option<String>) -> Result<Self, LiteError> {
        let remote_is_fine = remote_fragment.as_deref().is_none_or(is_fragment);
        let password = local.password.reveal();
        if !is_fragment(&local.ufrag) || !is_text(password, 22) || !remote_is_fine {
            return Err(LiteError::Credentials);
        }
        let key = HMACKey::new_short_term(password).map_err(|_| LiteError::Credentials)?;
        Ok(Self {
            fragment: local.ufrag.clone(),
            key,
            remote_fragment,
        })
    }

    /// Our user name fragment.
    #[must_use]
    pub fn fragment(&self) -> &str {
        &self.fragment
    }

    /// A STUN message came. `None`: nothing is to be done, because it is no Binding request of who knows the password.
    #[must_use]
    pub fn answer(&self, datagram: &[u8], source: SocketAddr) -> Option<CheckAnswer> {
        // Cheaper than the integrity, and wrong ones come most often.
        local_fragment(datagram).filter(|fragment| *fragment == self.fragment)?;
        let request = message::read(datagram, Some(&self.key))?;
        request.get::<MessageIntegrity>()?;
        if !self.is_for_us(&request) {
            return None;
        }
        let unknown = unknown_attributes(&request);
        let (attributes, outcome) = if !unknown.is_empty() {
            let error = error(UNKNOWN_ATTRIBUTE, "Unknown Attribute")?;
            (vec![error, unknown.into()], CheckOutcome::Refused)
        } else if request.get::<IceControlled>().is_some() {
            let error = error(ROLE_CONFLICT, "Role Conflict")?;
            (vec![error], CheckOutcome::Refused)
        } else {
            let outcome = match request.get::<UseCandidate>() {
                Some(_) => CheckOutcome::Nominated,
                None => CheckOutcome::Valid,
            };
            (vec![XorMappedAddress::from(source).into()], outcome)
        };
        let class = match outcome {
            CheckOutcome::Refused => MessageClass::ErrorResponse,
            CheckOutcome::Valid | CheckOutcome::Nominated => MessageClass::SuccessResponse,
        };
        let mut answer =
            StunMessageBuilder::new(BINDING, class).with_transaction_id(*request.transaction_id());
        for attribute in attributes {
            answer = answer.with_attribute(attribute);
        }
        let answer = answer
            .with_attribute(MessageIntegrity::new(self.key.clone()))
            .with_attribute(Fingerprint::default());
        let bytes = message::write(&answer.build())?;
        Some(CheckAnswer { bytes, outcome })
    }

    /// The user name is both fragments, ours first (RFC 8445 section 7.2.2).
    fn is_for_us(&self, request: &StunMessage) -> bool {
        let name = request.get::<UserName>();
        let name = name.and_then(|name| name.as_user_name().ok());
        let Some((ours, theirs)) = name.and_then(|name| name.as_str().split_once(':')) else {
            return false;
        };
        let expected = self.remote_fragment.as_deref();
        ours == self.fragment && expected.is_none_or(|expected| expected == theirs)
    }
}

impl fmt::Debug for LiteAgent {
    /// It knows the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiteAgent")
            .field("fragment", &self.fragment)
            .field("remote_fragment", &self.remote_fragment)
            .finish_non_exhaustive()
    }
}

/// Our fragment in the user name of a Binding request, nothing of which was checked: where many agents share a port, it tells
/// whose the request is.
#[must_use]
pub fn local_fragment(datagram: &[u8]) -> Option<&str> {
    let name = message::request_user_name(datagram)?;
    let (ours, _) = name.split_once(':')?;
    Some(ours)
}

fn is_fragment(text: &str) -> bool {
    is_text(text, 4)
}

/// RFC 8839 section 5.4: `ice-char`.
fn is_text(text: &str, least: usize) -> bool {
    let is_ice_char = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    (least..=256).contains(&text.len()) && text.bytes().all(is_ice_char)
}

fn unknown_attributes(request: &StunMessage) -> UnknownAttributes {
    let mut unknown = UnknownAttributes::default();
    for attribute in request.attributes() {
        let kind = attribute.attribute_type().as_u16();
        if matches!(attribute, StunAttribute::Unknown(_)) && kind < FIRST_OPTIONAL {
            unknown.add(kind);
        }
    }
    unknown
}

fn error(code: u16, reason: &str) -> Option<StunAttribute> {
    let code = Error::new(code, reason).ok()?;
    Some(ErrorCode::new(code).into())
}
