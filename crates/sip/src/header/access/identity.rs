//! What a message is known by: its way in Via, who it is between, and which request of which call it is.

use crate::aor::Aor;
use crate::header::access::from_str;
use crate::header::name::NameId;
use crate::header::{CSeq, HeaderError, Via, ViaRef, scan};
use crate::host::HostRef;
use crate::message::Fields;
use crate::name_addr::{NameAddr, NameAddrRef};

const VIA: &str = "Via";

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
}
