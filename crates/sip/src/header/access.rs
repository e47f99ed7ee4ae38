//! Typed access to the header fields of a message.
//!
//! One accessor for each header, all of one shape: absent is `None` or an empty list (or
//! [`HeaderError::Missing`] where RFC 3261 demands the header), a value that cannot be read is
//! [`HeaderError::Malformed`], and a second value where only one may be is
//! [`HeaderError::Repeated`].
//!
//! This file has the headers of RFC 3261; `identity.rs` those that a message is known by, `extensions.rs` those of later documents,
//! `read.rs` the ways to read them.

mod extensions;
mod identity;
mod read;

use std::str::FromStr;

use crate::header::name::NameId;
use crate::header::session_timer::parse_min_se;
use crate::header::{
    AuthFields, Contacts, HeaderError, MediaType, Reason, RetryAfter, SessionExpires, scan,
};
use crate::message::Fields;
use crate::name_addr::NameAddr;
use crate::uri::Uri;

/// # Header fields, typed
///
/// Each reads the text anew: call once and keep the result.
impl Fields {
    /// All contacts of all Contact headers, or the star.
    ///
    /// # Errors
    ///
    /// Malformed in any element, or a star beside another value.
    pub fn contacts(&self) -> Result<Contacts, HeaderError> {
        Contacts::parse(self.headers().all_of(NameId::CONTACT))
            .ok_or(HeaderError::Malformed { name: "Contact" })
    }

    /// The URI of the only contact; `None` if there is none, or more than one.
    ///
    /// # Errors
    ///
    /// As [`contacts`](Self::contacts).
    pub fn only_contact(&self) -> Result<Option<Uri>, HeaderError> {
        Contacts::only(self.headers_named("Contact"))
            .ok_or(HeaderError::Malformed { name: "Contact" })
    }

    /// How many contacts there are; none for a star.
    pub(crate) fn count_contacts(&self) -> Result<usize, HeaderError> {
        Contacts::count(self.headers().all_of(NameId::CONTACT))
            .ok_or(HeaderError::Malformed { name: "Contact" })
    }

    /// Max-Forwards; more than 255 is read as 255.
    ///
    /// # Errors
    ///
    /// Repeated, or no number.
    pub fn max_forwards(&self) -> Result<Option<u8>, HeaderError> {
        let hops = self.optional(NameId::MAX_FORWARDS, scan::saturating_u32)?;
        Ok(hops.map(|hops| u8::try_from(hops).unwrap_or(u8::MAX)))
    }

    /// Expires, in seconds; more than `u32::MAX` is read as `u32::MAX`.
    ///
    /// # Errors
    ///
    /// Repeated, or no number.
    pub fn expires(&self) -> Result<Option<u32>, HeaderError> {
        self.optional(NameId::EXPIRES, scan::saturating_u32)
    }

    /// Min-Expires, in seconds.
    ///
    /// # Errors
    ///
    /// Repeated, or no number.
    pub fn min_expires(&self) -> Result<Option<u32>, HeaderError> {
        self.optional(NameId::MIN_EXPIRES, scan::saturating_u32)
    }

    /// Session-Expires (RFC 4028).
    ///
    /// # Errors
    ///
    /// Repeated or malformed.
    pub fn session_expires(&self) -> Result<Option<SessionExpires>, HeaderError> {
        self.optional(NameId::SESSION_EXPIRES, SessionExpires::parse)
    }

    /// Min-SE, in seconds (RFC 4028).
    ///
    /// # Errors
    ///
    /// Repeated, or no number.
    pub fn min_se(&self) -> Result<Option<u32>, HeaderError> {
        self.optional(NameId::MIN_SE, parse_min_se)
    }

    /// Retry-After.
    ///
    /// # Errors
    ///
    /// Repeated or malformed.
    pub fn retry_after(&self) -> Result<Option<RetryAfter>, HeaderError> {
        self.optional(NameId::RETRY_AFTER, RetryAfter::parse)
    }

    /// Content-Type.
    ///
    /// # Errors
    ///
    /// Repeated or malformed.
    pub fn content_type(&self) -> Result<Option<MediaType>, HeaderError> {
        self.optional(NameId::CONTENT_TYPE, MediaType::parse)
    }

    /// The media types that the sender accepts, or `None` without the header, which then means
    /// `application/sdp` in an INVITE. An empty list means none at all.
    ///
    /// # Errors
    ///
    /// Malformed in any element.
    pub fn accept(&self) -> Result<Option<Vec<MediaType>>, HeaderError> {
        if self.headers().first_of(NameId::ACCEPT).is_none() {
            return Ok(None);
        }
        self.list(NameId::ACCEPT, MediaType::parse).map(Some)
    }

    /// The Route set, first hop first.
    ///
    /// # Errors
    ///
    /// Malformed in any element.
    pub fn routes(&self) -> Result<Vec<NameAddr>, HeaderError> {
        self.list(NameId::ROUTE, from_str)
    }

    /// Record-Route, topmost first.
    ///
    /// # Errors
    ///
    /// Malformed in any element.
    pub fn record_routes(&self) -> Result<Vec<NameAddr>, HeaderError> {
        self.list(NameId::RECORD_ROUTE, from_str)
    }

    /// The reasons (RFC 3326).
    ///
    /// # Errors
    ///
    /// Malformed in any element.
    pub fn reasons(&self) -> Result<Vec<Reason>, HeaderError> {
        self.list(NameId::REASON, Reason::parse)
    }

    /// Allow: the methods that the sender understands.
    ///
    /// # Errors
    ///
    /// Malformed in any element.
    pub fn allow(&self) -> Result<Vec<&str>, HeaderError> {
        self.tokens(NameId::ALLOW)
    }

    /// Supported: the option tags that the sender understands.
    ///
    /// # Errors
    ///
    /// Malformed in any element.
    pub fn supported(&self) -> Result<Vec<&str>, HeaderError> {
        self.tokens(NameId::SUPPORTED)
    }

    /// Require: the option tags that the user agent server must understand.
    ///
    /// # Errors
    ///
    /// Malformed in any element.
    pub fn require(&self) -> Result<Vec<&str>, HeaderError> {
        self.tokens(NameId::REQUIRE)
    }

    /// Whether there is neither Require nor Proxy-Require, as in most requests.
    pub fn requires_nothing(&self) -> bool {
        let is_absent = |name| self.headers().first_of(name).is_none();
        is_absent(NameId::REQUIRE) && is_absent(NameId::PROXY_REQUIRE)
    }

    /// Proxy-Require: the option tags that a proxy must understand.
    ///
    /// # Errors
    ///
    /// Malformed in any element.
    pub fn proxy_require(&self) -> Result<Vec<&str>, HeaderError> {
        self.tokens(NameId::PROXY_REQUIRE)
    }

    /// Unsupported: the option tags that a 420 complains about.
    ///
    /// # Errors
    ///
    /// Malformed in any element.
    pub fn unsupported(&self) -> Result<Vec<&str>, HeaderError> {
        self.tokens(NameId::UNSUPPORTED)
    }

    /// The challenges of all WWW-Authenticate headers, topmost first.
    ///
    /// # Errors
    ///
    /// Malformed in any of them.
    pub fn www_authenticate(&self) -> Result<Vec<AuthFields>, HeaderError> {
        self.auth(NameId::WWW_AUTHENTICATE)
    }

    /// The challenges of all Proxy-Authenticate headers, topmost first.
    ///
    /// # Errors
    ///
    /// Malformed in any of them.
    pub fn proxy_authenticate(&self) -> Result<Vec<AuthFields>, HeaderError> {
        self.auth(NameId::PROXY_AUTHENTICATE)
    }

    /// The credentials of all Authorization headers, one for each realm.
    ///
    /// # Errors
    ///
    /// Malformed in any of them.
    pub fn authorization(&self) -> Result<Vec<AuthFields>, HeaderError> {
        self.auth(NameId::AUTHORIZATION)
    }

    /// The credentials of all Proxy-Authorization headers, one for each realm.
    ///
    /// # Errors
    ///
    /// Malformed in any of them.
    pub fn proxy_authorization(&self) -> Result<Vec<AuthFields>, HeaderError> {
        self.auth(NameId::PROXY_AUTHORIZATION)
    }

    fn auth(&self, name: NameId) -> Result<Vec<AuthFields>, HeaderError> {
        let mut list = Vec::new();
        for value in self.headers().all_of(name) {
            list.extend(AuthFields::parse_list(value).ok_or(HeaderError::Malformed {
                name: name.as_str(),
            })?);
        }
        Ok(list)
    }
}

pub(super) fn from_str<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}
