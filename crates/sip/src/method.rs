//! Request methods (RFC 3261, section 7.1).
//!
//! A method is any token, case-sensitive and matched whole: `INVITEX` is not `INVITE`, and
//! `invite` is an unknown method. Unknown methods are legal; whoever serves the request answers
//! 405 or 501.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use crate::header::scan;

/// The method of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Method {
    /// One that the vocabulary crate has a name for.
    Known(rsip::Method),
    /// Any other token, as written. Never the spelling of a known method: made by `parse`.
    Ext(String),
}

/// The text is not a token, so it cannot be a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a method")]
pub struct NotAMethod;

macro_rules! known_methods {
    ($($constant:ident = $variant:ident, $doc:literal;)*) => {
        impl Method {
            $(
                #[doc = $doc]
                pub const $constant: Self = Self::Known(rsip::Method::$variant);
            )*

            /// The method as it stands in a request line.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::Known(rsip::Method::$variant) => stringify!($constant),)*
                    Self::Ext(token) => token,
                }
            }

            fn known(token: &str) -> Option<Self> {
                match token {
                    $(stringify!($constant) => Some(Self::$constant),)*
                    _ => None,
                }
            }
        }
    };
}

known_methods! {
    ACK = Ack, "Acknowledges the final response to an INVITE (RFC 3261, section 17).";
    BYE = Bye, "Ends a dialog (RFC 3261, section 15).";
    CANCEL = Cancel, "Gives up a pending INVITE (RFC 3261, section 9).";
    INFO = Info, "Carries application data inside a dialog (RFC 6086).";
    INVITE = Invite, "Sets up or changes a session (RFC 3261, sections 13 and 14).";
    MESSAGE = Message, "Carries a text message (RFC 3428).";
    NOTIFY = Notify, "Reports an event to a subscriber (RFC 6665).";
    OPTIONS = Options, "Asks what the other side can do (RFC 3261, section 11).";
    PRACK = PRack, "Acknowledges a reliable provisional response (RFC 3262).";
    PUBLISH = Publish, "Publishes event state (RFC 3903).";
    REFER = Refer, "Asks the recipient to contact a third party (RFC 3515).";
    REGISTER = Register, "Binds contacts to an address-of-record (RFC 3261, section 10).";
    SUBSCRIBE = Subscribe, "Asks for event reports (RFC 6665).";
    UPDATE = Update, "Changes a session before it is answered (RFC 3311).";
}

impl Hash for Method {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Method {
    type Err = NotAMethod;

    fn from_str(token: &str) -> Result<Self, Self::Err> {
        match Self::known(token) {
            Some(known) => Ok(known),
            None if scan::is_token(token) => Ok(Self::Ext(token.to_owned())),
            None => Err(NotAMethod),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_matched_whole_and_by_case() {
        assert_eq!("INVITE".parse(), Ok(Method::INVITE));
        assert_eq!("INVITEX".parse(), Ok(Method::Ext("INVITEX".to_owned())));
        assert_eq!("invite".parse(), Ok(Method::Ext("invite".to_owned())));
        assert_eq!("PRACK".parse(), Ok(Method::PRACK));
        assert_eq!(Method::PRACK.as_str(), "PRACK");
    }

    #[test]
    fn text_that_is_no_token_is_no_method() {
        for text in ["", "IN VITE", "INVITE:", "<INVITE>", "INVIT\u{c9}"] {
            assert_eq!(text.parse::<Method>(), Err(NotAMethod), "{text}");
        }
    }
}
