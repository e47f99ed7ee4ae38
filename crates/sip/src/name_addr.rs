//! Addresses of header fields: `"Display Name" <uri>;params` (RFC 3261, section 20.10).
//!
//! The short form without angle brackets is read too; there, everything after the first semicolon
//! belongs to the header field, and a question mark or a comma is an error, because nobody can
//! say where the URI ends. On output the brackets are always written.

use std::fmt;
use std::str::FromStr;

use crate::header::scan;
use crate::params::{Params, ParamsRef};
use crate::uri::{Uri, UriError, UriRef};

/// A URI with a name for people and the header field's parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameAddr {
    /// The name without quotes and escapes.
    pub display_name: Option<String>,
    /// Where it points.
    pub uri: Uri,
    /// The parameters behind the URI, such as `tag`.
    pub params: Params,
}

/// Why a text is not an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameAddrError {
    /// A quote or a bracket does not end.
    #[error("unbalanced quote or bracket")]
    Unbalanced,
    /// The name before the bracket needs quotes.
    #[error("malformed display name")]
    DisplayName,
    /// What should be the URI is none.
    #[error(transparent)]
    Uri(#[from] UriError),
    /// A bare URI with a question mark or a comma.
    #[error("this URI needs angle brackets")]
    NeedsBrackets,
    /// The parameters behind the URI.
    #[error("malformed parameters")]
    Params,
}

impl NameAddr {
    /// An address without name and parameters.
    pub fn new(uri: Uri) -> Self {
        Self {
            display_name: None,
            uri,
            params: Params::new(),
        }
    }

    /// The same address under this name; an empty one means none.
    #[must_use]
    pub fn with_display_name(mut self, name: impl Into<String>) -> Self {
        self.display_name = Some(name.into()).filter(|name| !name.is_empty());
        self
    }

    /// The same address with this tag.
    #[must_use]
    pub fn with_tag(mut self, tag: &str) -> Self {
        self.params.set("tag", tag);
        self
    }

    /// The tag, half of a dialog's identity.
    pub fn tag(&self) -> Option<&str> {
        self.params.value("tag")
    }
}

impl From<Uri> for NameAddr {
    fn from(uri: Uri) -> Self {
        Self::new(uri)
    }
}

impl fmt::Display for NameAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.display_name {
            write!(f, "{} ", scan::quote(name))?;
        }
        for piece in ["<", self.uri.as_str(), ">", self.params.as_str()] {
            f.write_str(piece)?;
        }
        Ok(())
    }
}

impl FromStr for NameAddr {
    type Err = NameAddrError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        NameAddrRef::parse(text).map(Self::from)
    }
}

impl From<NameAddrRef<'_>> for NameAddr {
    fn from(address: NameAddrRef<'_>) -> Self {
        let name = scan::unquote(address.name);
        Self {
            display_name: (!name.is_empty()).then(|| name.into_owned()),
            uri: address.uri.into(),
            params: address.params.to_owned(),
        }
    }
}

/// An address read in place, nothing copied.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NameAddrRef<'a> {
    /// As written, quotes included; empty without one.
    name: &'a str,
    pub(crate) uri: UriRef<'a>,
    params: ParamsRef<'a>,
    /// `Some(None)` if it stands there without its value, which the grammar of From and To demands (RFC 3261, section 25.1,
    /// tag-param).
    pub(crate) tag: Tag<'a>,
}

impl<'a> NameAddrRef<'a> {
    pub(crate) fn parse(text: &'a str) -> Result<Self, NameAddrError> {
        Self::parse_with(UriRef::parse, text)
    }

    /// The same beside another address of the message: in a REGISTER the URIs of From and To are one, and need not be read twice.
    /// The parts then lie in the other text.
    pub(crate) fn parse_beside(other: &Self, text: &'a str) -> Result<Self, NameAddrError> {
        let read_uri = |text| match text == other.uri.as_str() {
            true => Ok(other.uri),
            false => UriRef::parse(text),
        };
        Self::parse_with(read_uri, text)
    }

    fn parse_with(
        read_uri: impl Fn(&'a str) -> Result<UriRef<'a>, UriError>,
        text: &'a str,
    ) -> Result<Self, NameAddrError> {
        let text = scan::trim(text);
        let (name, rest) = split_display_name(text)?;
        let Some(bracketed) = rest.strip_prefix('<') else {
            return parse_bare(text);
        };
        let end = memchr::memchr(b'>', bracketed.as_bytes()).ok_or(NameAddrError::Unbalanced)?;
        let uri = read_uri(&bracketed[..end])?;
        let (params, tag) = parse_params(&bracketed[end + 1..])?;
        Ok(Self {
            name,
            uri,
            params,
            tag,
        })
    }

    /// Only the tag, without a look at the URI, for an address that was read as a whole before.
    pub(crate) fn parse_tag(text: &'a str) -> Result<Option<&'a str>, NameAddrError> {
        let text = scan::trim(text);
        let (_, rest) = split_display_name(text)?;
        let params = match rest.strip_prefix('<') {
            Some(bracketed) => {
                let end = memchr::memchr(b'>', bracketed.as_bytes());
                &bracketed[end.ok_or(NameAddrError::Unbalanced)? + 1..]
            }
            None => &rest[rest.find(';').unwrap_or(rest.len())..],
        };
        let (_, tag) = parse_params(params)?;
        Ok(tag.flatten())
    }
}

type Tag<'a> = Option<Option<&'a str>>;

fn parse_params(text: &str) -> Result<(ParamsRef<'_>, Tag<'_>), NameAddrError> {
    match text.is_empty() {
        true => Ok((ParamsRef::default(), None)),
        false => ParamsRef::parse_and_find("tag", text).ok_or(NameAddrError::Params),
    }
}

/// The name as written and what follows it; no name if the text does not go on with a bracket.
fn split_display_name(text: &str) -> Result<(&str, &str), NameAddrError> {
    if text.starts_with('<') {
        return Ok(("", text));
    }
    if text.starts_with('"') {
        let end = scan::quoted_len(text).ok_or(NameAddrError::Unbalanced)?;
        let (name, rest) = text.split_at(end);
        let rest = scan::trim(rest);
        if !rest.starts_with('<') {
            return Err(NameAddrError::DisplayName);
        }
        return Ok((name, rest));
    }
    let end_of_name = scan::find_unquoted(text, [b'<', b';']).ok_or(NameAddrError::Unbalanced)?;
    let Some(bracket) = end_of_name.filter(|&at| text[at..].starts_with('<')) else {
        return Ok(("", text));
    };
    let (name, rest) = text.split_at(bracket);
    let name = scan::trim(name);
    // Dots and letters beyond ASCII are against the grammar, but clear and common.
    if name.contains(['"', ',', ':', '>', '@', '\\']) {
        return Err(NameAddrError::DisplayName);
    }
    Ok((name, rest))
}

fn parse_bare(text: &str) -> Result<NameAddrRef<'_>, NameAddrError> {
    let end = text.find(';').unwrap_or(text.len());
    let (uri, params) = text.split_at(end);
    if uri.contains(['?', ',']) {
        return Err(NameAddrError::NeedsBrackets);
    }
    let uri = UriRef::parse(scan::trim(uri))?;
    let (params, tag) = parse_params(params)?;
    Ok(NameAddrRef {
        name: "",
        uri,
        params,
        tag,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> NameAddr {
        text.parse()
            .unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn all_spellings_of_an_address_are_read() {
        let cases = [
            ("<sip:a@b>", None, "sip:a@b", None),
            ("sip:a@b;tag=1", None, "sip:a@b", Some("1")),
            ("sip:a@b ; tag = 1", None, "sip:a@b", Some("1")),
            ("sip:a@b;x=\"<;>\";tag=1", None, "sip:a@b", Some("1")),
            (
                "Bob <sip:a@b;x=y>;tag=1",
                Some("Bob"),
                "sip:a@b;x=y",
                Some("1"),
            ),
            ("caller<sip:a@b>", Some("caller"), "sip:a@b", None),
            (
                "J. R\u{f6}hr <sip:a@b>",
                Some("J. R\u{f6}hr"),
                "sip:a@b",
                None,
            ),
            (
                "\"Bell, \\\"A\\\" <x>\" <sip:a@b>;tag=2",
                Some("Bell, \"A\" <x>"),
                "sip:a@b",
                Some("2"),
            ),
            ("\"\" <sip:a@b>", None, "sip:a@b", None),
            ("<tel:+1555>", None, "tel:+1555", None),
            (
                "<http://www.example.com>;tag=3",
                None,
                "http://www.example.com",
                Some("3"),
            ),
        ];
        for (text, name, uri, tag) in cases {
            let address = read(text);
            assert_eq!(address.display_name.as_deref(), name, "{text}");
            assert_eq!(address.uri.as_str(), uri, "{text}");
            assert_eq!(address.tag(), tag, "{text}");
            assert_eq!(NameAddrRef::parse_tag(text), Ok(tag), "{text}");
        }
    }

    #[test]
    fn beside_another_an_address_reads_as_alone() {
        let other = NameAddrRef::parse("\"A\" <sip:a:p@b:5060;x?h=1>;tag=1").unwrap();
        for text in [
            "<sip:a:p@b:5060;x?h=1>",
            "B <sip:a:p@b:5060;x?h=1>;tag=2",
            "<sip:a:p@b:5061;x?h=1>",
            "<sip:c@b>;tag=2",
            "<sip:a:p@b:5060;x?h=1",
            "sip:a@b;tag=2",
            "<>",
        ] {
            let beside = NameAddrRef::parse_beside(&other, text);
            assert_eq!(beside.map(NameAddr::from), text.parse(), "{text}");
        }
    }

    #[test]
    fn what_is_written_reads_back_the_same() {
        for text in [
            "\"A \\\\ \\\"B\\\"\" <sip:%61+b@c?x=%2F>;tag=1;y",
            "sip:a@b;tag=1",
        ] {
            assert_eq!(read(&read(text).to_string()), read(text));
        }
        assert_eq!(read("sip:a@b;tag=1").to_string(), "<sip:a@b>;tag=1");
    }

    #[test]
    fn what_cannot_be_read_one_way_only_is_refused() {
        for (text, error) in [
            ("\"Mr. User <sip:a@b>", NameAddrError::Unbalanced),
            ("<sip:a@b", NameAddrError::Unbalanced),
            ("Bell, Alexander <sip:a@b>", NameAddrError::DisplayName),
            ("\"Bob\" sip:a@b", NameAddrError::DisplayName),
            (
                "< sip:a@b >",
                NameAddrError::Uri(UriError::Character { at: 0 }),
            ),
            ("sip:a@b?Route=c", NameAddrError::NeedsBrackets),
            ("alice@b", NameAddrError::Uri(UriError::Scheme)),
            ("<sip:a@b>;;", NameAddrError::Params),
            ("<sip:a@b> x", NameAddrError::Params),
            ("", NameAddrError::Uri(UriError::Scheme)),
        ] {
            assert_eq!(text.parse::<NameAddr>(), Err(error), "{text}");
        }
    }
}
