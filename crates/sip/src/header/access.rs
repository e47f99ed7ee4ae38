//! Typed access to the header fields of a message.
//!
//! One accessor for each header, all of one shape: absent is `None` or an empty list (or
//! [`HeaderError::Missing`] where RFC 3261 demands the header), a value that cannot be read is
//! [`HeaderError::Malformed`], and a second value where only one may be is
//! [`HeaderError::Repeated`].

use std::str::FromStr;

use crate::aor::Aor;
use crate::header::name::NameId;
use crate::header::session_timer::parse_min_se;
use crate::header::{
    AuthFields, CSeq, Contacts, HeaderError, MediaType, Reason, RetryAfter, SessionExpires, Via,
    ViaRef, scan,
};
use crate::host::HostRef;
use crate::message::Fields;
use crate::name_addr::{NameAddr, NameAddrRef};
use crate::uri::Uri;

const VIA: &str = "Via";

/// # Header fields, typed
///
/// Each reads the text anew: call once and keep the result.
impl Fields {
    /// The topmost Via.
    ///
    /// # Errors
    ///
    /// Missing, or malformed in its first element.
    pub fn via(&self) -> Result<Via, HeaderError> {
        let (first, _) = self.first_via()?;
        Via::parse(first).ok_or(HeaderError::Malformed { name: VIA })
    }

    /// The topmost Via, read in place.
    pub(crate) fn peek_via(&self) -> Result<ViaRef<'_>, HeaderError> {
        let (first, _) = self.first_via()?;
        ViaRef::parse(first).ok_or(HeaderError::Malformed { name: VIA })
    }

    /// How many Vias there are: how many hops the message has come.
    ///
    /// # Errors
    ///
    /// Malformed in any element.
    pub fn count_vias(&self) -> Result<usize, HeaderError> {
        self.check_list(NameId::VIA, ViaRef::parse)
    }

    /// The text of the topmost Via, and what stands behind it in the same header field.
    pub(crate) fn first_via(&self) -> Result<(&str, &str), HeaderError> {
        let value = self
            .headers()
            .first_of(NameId::VIA)
            .ok_or(HeaderError::Missing { name: VIA })?;
        scan::split_first(value).ok_or(HeaderError::Malformed { name: VIA })
    }

    /// Each Via but the topmost, read and let go.
    pub(crate) fn check_later_vias(&self) -> Result<(), HeaderError> {
        let vias = self.headers().all_of(NameId::VIA);
        let mut later = vias.flat_map(scan::elements).skip(1);
        let are_legal = later.all(|via| via.and_then(ViaRef::parse).is_some());
        match are_legal {
            true => Ok(()),
            false => Err(HeaderError::Malformed { name: VIA }),
        }
    }

    /// All Vias, topmost first.
    ///
    /// # Errors
    ///
    /// Malformed in any element.
    pub fn vias(&self) -> Result<Vec<Via>, HeaderError> {
        self.list(NameId::VIA, Via::parse)
    }

    /// From.
    ///
    /// # Errors
    ///
    /// Missing, repeated or malformed.
    pub fn from(&self) -> Result<NameAddr, HeaderError> {
        self.required(NameId::FROM, from_str)
    }

    /// To.
    ///
    /// # Errors
    ///
    /// Missing, repeated or malformed.
    pub fn to(&self) -> Result<NameAddr, HeaderError> {
        self.required(NameId::TO, from_str)
    }

    /// From, To, or another address that must be there once, read in place.
    pub(crate) fn peek_address(&self, name: NameId) -> Result<NameAddrRef<'_>, HeaderError> {
        self.required(name, |text| NameAddrRef::parse(text).ok())
    }

    /// The same where `other` was read before, whose URI may be this one's.
    pub(crate) fn peek_address_beside<'a>(
        &'a self,
        other: &NameAddrRef<'a>,
        name: NameId,
    ) -> Result<NameAddrRef<'a>, HeaderError> {
        self.required(name, |text| NameAddrRef::parse_beside(other, text).ok())
    }

    /// The tag in From; `None` also if From cannot be read. Whether its URI can is not asked.
    pub fn from_tag(&self) -> Option<&str> {
        self.peek_from_tag().ok()?
    }

    /// The tag in To; `None` also if To cannot be read. Whether its URI can is not asked.
    pub fn to_tag(&self) -> Option<&str> {
        self.peek_to_tag().ok()?
    }

    /// The tag in From, if it has one.
    pub(crate) fn peek_from_tag(&self) -> Result<Option<&str>, HeaderError> {
        self.tag_in(NameId::FROM)
    }

    /// The tag in To, if it has one.
    pub(crate) fn peek_to_tag(&self) -> Result<Option<&str>, HeaderError> {
        self.tag_in(NameId::TO)
    }

    /// The address-of-record in From; `None` if there is none, also because From cannot be read.
    pub fn from_aor(&self) -> Option<Aor> {
        self.aor_in(NameId::FROM)
    }

    /// The address-of-record in To; `None` if there is none, also because To cannot be read.
    pub fn to_aor(&self) -> Option<Aor> {
        self.aor_in(NameId::TO)
    }

    fn aor_in(&self, name: NameId) -> Option<Aor> {
        match self.headers().noted_address(name) {
            Some((user, host)) => Some(Aor::of_parts(user, HostRef::Name(host))),
            None => Aor::from_uri_ref(self.peek_address(name).ok()?.uri),
        }
    }

    fn tag_in(&self, name: NameId) -> Result<Option<&str>, HeaderError> {
        match self.headers().noted_tag(name) {
            Some(tag) => Ok(tag),
            None => self.required(name, |text| NameAddrRef::parse_tag(text).ok()),
        }
    }

    /// `CSeq`.
    ///
    /// # Errors
    ///
    /// Missing, repeated or malformed, which includes a number above 2^32 - 1.
    pub fn cseq(&self) -> Result<CSeq, HeaderError> {
        self.required(NameId::CSEQ, CSeq::parse)
    }

    /// Call-ID. It compares by case, byte for byte.
    ///
    /// # Errors
    ///
    /// Missing, repeated, or empty or with blanks in it.
    pub fn call_id(&self) -> Result<&str, HeaderError> {
        self.required(NameId::CALL_ID, |value| {
            let has_blank = memchr::memchr2(b' ', b'\t', value.as_bytes()).is_some();
            (!value.is_empty() && !has_blank).then_some(value)
        })
    }

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

    pub(super) fn required<'a, T>(
        &'a self,
        name: NameId,
        parse: impl Fn(&'a str) -> Option<T>,
    ) -> Result<T, HeaderError> {
        self.optional(name, parse)?.ok_or(HeaderError::Missing {
            name: name.as_str(),
        })
    }

    /// Each element of a list, read and let go; how many there were.
    pub(crate) fn check_list<'a, T>(
        &'a self,
        name: NameId,
        mut parse: impl FnMut(&'a str) -> Option<T>,
    ) -> Result<usize, HeaderError> {
        let mut count = 0;
        for element in self.headers().all_of(name).flat_map(scan::elements) {
            element.and_then(&mut parse).ok_or(HeaderError::Malformed {
                name: name.as_str(),
            })?;
            count += 1;
        }
        Ok(count)
    }

    pub(super) fn optional<'a, T>(
        &'a self,
        name: NameId,
        parse: impl Fn(&'a str) -> Option<T>,
    ) -> Result<Option<T>, HeaderError> {
        let Some(value) = self.headers().first_of(name) else {
            return Ok(None);
        };
        if self.headers().repeat(name) {
            return Err(HeaderError::Repeated {
                name: name.as_str(),
            });
        }
        parse(value).map(Some).ok_or(HeaderError::Malformed {
            name: name.as_str(),
        })
    }

    pub(super) fn list<'a, T>(
        &'a self,
        name: NameId,
        parse: impl Fn(&'a str) -> Option<T>,
    ) -> Result<Vec<T>, HeaderError> {
        let mut list = Vec::new();
        for value in self.headers().all_of(name) {
            for element in scan::elements(value) {
                let read = element.and_then(&parse);
                list.push(read.ok_or(HeaderError::Malformed {
                    name: name.as_str(),
                })?);
            }
        }
        Ok(list)
    }

    /// Empty elements are passed over: `Supported:` alone is legal, `a,,b` harmless.
    pub(super) fn tokens(&self, name: NameId) -> Result<Vec<&str>, HeaderError> {
        let mut tokens = self.list(name, Some)?;
        tokens.retain(|token| !token.is_empty());
        match tokens.iter().all(|token| scan::is_token(token)) {
            true => Ok(tokens),
            false => Err(HeaderError::Malformed {
                name: name.as_str(),
            }),
        }
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
