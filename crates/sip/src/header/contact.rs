//! Contact: where a user agent can be reached (RFC 3261, section 20.10; RFC 5626).

use std::borrow::Cow;
use std::fmt;

use crate::header::{HeaderError, scan};
use crate::name_addr::{NameAddr, NameAddrRef};
use crate::uri::Uri;

const NAME: &str = "Contact";

/// What a malformed `expires` parameter counts as, in seconds (RFC 3261, section 10.2.1.1).
const FALLBACK_EXPIRES_SECS: u32 = 3600;

/// All Contact values of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contacts {
    /// `*`: all bindings of an address-of-record. Legal only to remove them.
    Star,
    /// The contacts in order; none if the header is absent.
    List(Vec<Contact>),
}

/// One contact with its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// The address; its `params` are the header's, not the URI's.
    pub address: NameAddr,
}

impl Contact {
    /// A contact without parameters.
    pub fn new(uri: Uri) -> Self {
        Self {
            address: NameAddr::new(uri),
        }
    }

    /// Reads one element.
    pub fn parse(text: &str) -> Option<Self> {
        Some(Self {
            address: text.parse().ok()?,
        })
    }

    /// Where requests go.
    pub fn uri(&self) -> &Uri {
        &self.address.uri
    }

    /// How long the binding shall live or lives, in seconds. A value that is no number counts as
    /// 3600, one that is too large as `u32::MAX`.
    pub fn expires(&self) -> Option<u32> {
        let value = self.address.params.value("expires")?;
        Some(scan::saturating_u32(value).unwrap_or(FALLBACK_EXPIRES_SECS))
    }

    /// The preference in thousandths, 0–1000; `None` if absent.
    ///
    /// # Errors
    ///
    /// [`HeaderError::Malformed`] if the value is not between 0 and 1 with three digits at most.
    pub fn q(&self) -> Result<Option<u16>, HeaderError> {
        match self.address.params.value("q") {
            Some(value) => parse_q(value)
                .map(Some)
                .ok_or(HeaderError::Malformed { name: NAME }),
            None => Ok(None),
        }
    }

    /// The instance-id (`+sip.instance`) without quotes and angle brackets: a URN.
    pub fn instance(&self) -> Option<String> {
        let value = self.address.params.unquoted("+sip.instance")?;
        let bare = value
            .strip_prefix('<')
            .and_then(|value| value.strip_suffix('>'));
        Some(bare.unwrap_or(&value).to_owned())
    }

    /// Sets the instance-id, a URN such as `urn:uuid:…`.
    pub fn set_instance(&mut self, urn: &str) {
        self.address
            .params
            .set_quoted("+sip.instance", &format!("<{urn}>"));
    }

    /// The public GRUU that a registrar gave to the instance (RFC 5627, section 5.1).
    pub fn pub_gruu(&self) -> Option<Cow<'_, str>> {
        self.address.params.unquoted("pub-gruu")
    }

    /// The temporary GRUU that a registrar gave to the instance.
    pub fn temp_gruu(&self) -> Option<Cow<'_, str>> {
        self.address.params.unquoted("temp-gruu")
    }

    /// Sets the GRUUs that requests from elsewhere can reach the instance by.
    pub fn set_gruus(&mut self, public: &Uri, temporary: &Uri) {
        let params = &mut self.address.params;
        params.set_quoted("pub-gruu", public.as_str());
        params.set_quoted("temp-gruu", temporary.as_str());
    }

    /// Which of the instance's flows this is (RFC 5626, section 4.2); `None` if absent.
    ///
    /// # Errors
    ///
    /// [`HeaderError::Malformed`] if the value is not a positive number.
    pub fn reg_id(&self) -> Result<Option<u32>, HeaderError> {
        let Some(value) = self.address.params.value("reg-id") else {
            return Ok(None);
        };
        let number = value.parse().ok().filter(|&number| number > 0);
        number
            .map(Some)
            .ok_or(HeaderError::Malformed { name: NAME })
    }
}

impl From<NameAddr> for Contact {
    fn from(address: NameAddr) -> Self {
        Self { address }
    }
}

impl fmt::Display for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

impl Contacts {
    /// Reads the values of all Contact headers; a star must be the only value.
    pub(super) fn parse<'a>(values: impl Iterator<Item = &'a str>) -> Option<Self> {
        let mut list = Vec::new();
        let is_star = read(values, |contact| {
            list.push(Contact::from(NameAddr::from(contact)));
        })?;
        Some(match is_star {
            true => Self::Star,
            false => Self::List(list),
        })
    }

    /// As [`parse`](Self::parse), but only counts the contacts.
    pub(super) fn count<'a>(values: impl Iterator<Item = &'a str>) -> Option<usize> {
        let mut count = 0;
        read(values, |_| count += 1)?;
        Some(count)
    }

    /// The URI of the only contact; `Some(None)` if there is none, or more than one.
    pub(super) fn only<'a>(values: impl Iterator<Item = &'a str>) -> Option<Option<Uri>> {
        let (mut only, mut count) = (None, 0);
        read(values, |contact| {
            only = Some(contact.uri);
            count += 1;
        })?;
        Some(only.filter(|_| count == 1).map(Uri::from))
    }

    /// The contacts; none for a star.
    pub fn list(&self) -> &[Contact] {
        match self {
            Self::Star => &[],
            Self::List(list) => list,
        }
    }

    /// The first contact, the one that matters outside of REGISTER and redirection.
    pub fn first(&self) -> Option<&Contact> {
        self.list().first()
    }
}

/// Reads each contact; whether there is a star instead.
fn read<'a>(
    values: impl Iterator<Item = &'a str>,
    mut each: impl FnMut(NameAddrRef<'a>),
) -> Option<bool> {
    let (mut is_star, mut is_list) = (false, false);
    for value in values {
        if scan::trim(value) == "*" {
            if is_star {
                return None;
            }
            is_star = true;
            continue;
        }
        if !value.is_empty() && memchr::memchr(b',', value.as_bytes()).is_none() {
            each(NameAddrRef::parse(value).ok()?);
            is_list = true;
            continue;
        }
        for element in scan::elements(value) {
            each(NameAddrRef::parse(element?).ok()?);
            is_list = true;
        }
    }
    (!is_star || !is_list).then_some(is_star)
}

fn parse_q(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{fraction:0<3}").parse().ok()?;
    match (whole, thousandths) {
        ("0", _) => Some(thousandths),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Option<Contacts> {
        Contacts::parse(values.iter().copied())
    }

    #[test]
    fn gruus_are_read_and_written_in_quotes() {
        let text = "<sip:callee@192.0.2.1>;pub-gruu=\"sip:callee@example.com;gr=urn:uuid:f81d4fae\";temp-gruu=\"sip:tgruu.7hs==@example.com;gr\";+sip.instance=\"<urn:uuid:f81d4fae>\"";
        let mut contact = Contact::parse(text).unwrap();
        let public = contact.pub_gruu().unwrap().into_owned();
        let temporary = contact.temp_gruu().unwrap().into_owned();
        assert_eq!(public, "sip:callee@example.com;gr=urn:uuid:f81d4fae");
        assert_eq!(temporary, "sip:tgruu.7hs==@example.com;gr");
        contact.set_gruus(&public.parse().unwrap(), &temporary.parse().unwrap());
        assert_eq!(contact.to_string(), text);
    }

    #[test]
    fn lists_span_headers_and_commas() {
        let contacts = read(&[
            "\"A, B\" <sip:a,b@h>;q=0.5, sip:c@d;expires=60",
            "<sip:e@f>",
        ])
        .unwrap();
        let uris: Vec<_> = contacts
            .list()
            .iter()
            .map(|contact| contact.uri().as_str())
            .collect();
        assert_eq!(uris, ["sip:a,b@h", "sip:c@d", "sip:e@f"]);
        assert_eq!(contacts.list()[0].q(), Ok(Some(500)));
        assert_eq!(contacts.list()[1].expires(), Some(60));
        assert_eq!(read(&[]), Some(Contacts::List(vec![])));
    }

    #[test]
    fn a_star_stands_alone() {
        assert_eq!(read(&[" * "]), Some(Contacts::Star));
        assert_eq!(read(&["*", "<sip:a@b>"]), None);
        assert_eq!(read(&["*", "*"]), None);
        assert_eq!(read(&["*, <sip:a@b>"]), None);
    }

    #[test]
    fn instance_and_push_parameters_keep_every_byte() {
        let text = "<sip:a@h;pn-prid=00:fc&x%2Fy>;+sip.instance=\"<urn:uuid:0000-AB>\";reg-id=1";
        let mut contact = Contact::parse(text).unwrap();
        assert_eq!(contact.to_string(), text);
        assert_eq!(contact.instance().as_deref(), Some("urn:uuid:0000-AB"));
        assert_eq!(contact.reg_id(), Ok(Some(1)));
        assert_eq!(contact.uri().param("pn-prid"), Some("00:fc&x%2Fy"));
        contact.set_instance("urn:uuid:1");
        assert_eq!(
            contact.address.params.value("+sip.instance"),
            Some("\"<urn:uuid:1>\"")
        );
    }

    #[test]
    fn odd_numbers_are_told_apart_from_absent_ones() {
        let contact = |params: &str| Contact::parse(&format!("<sip:a@b>{params}")).unwrap();
        assert_eq!(contact("").expires(), None);
        assert_eq!(contact(";expires=soon").expires(), Some(3600));
        assert_eq!(contact(";expires=99999999999").expires(), Some(u32::MAX));
        assert_eq!(contact("").q(), Ok(None));
        for (q, value) in [
            ("1", 1000),
            ("1.000", 1000),
            ("0.", 0),
            ("0.25", 250),
            ("0", 0),
        ] {
            assert_eq!(contact(&format!(";q={q}")).q(), Ok(Some(value)), "{q}");
        }
        for q in ["1.1", "2", "0.1234", "-1", "x", ".5"] {
            assert!(contact(&format!(";q={q}")).q().is_err(), "{q}");
        }
        assert!(contact(";reg-id=0").reg_id().is_err());
    }
}
