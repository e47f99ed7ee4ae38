//! The canonical address-of-record (RFC 3261, section 10.3, step 5).

use std::fmt;
use std::hash::{Hash, Hasher};

use crate::host::{Host, HostRef};
use crate::name_addr::NameAddrRef;
use crate::uri::{Uri, UriRef, push_canonical_user};

/// Whom a user agent speaks for: `sip:user@host`, in one spelling only, so that equal addresses
/// are equal texts.
///
/// Scheme and host are in lower case, the user is escaped only where it must be; password, port,
/// parameters and headers are left out, and `sips` is the same address as `sip`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Aor {
    text: String,
    at: usize,
}

impl Hash for Aor {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl Aor {
    /// Reads an address in any spelling; `None` if it is no SIP URI with a user.
    pub fn parse(text: &str) -> Option<Self> {
        Self::from_uri(&text.parse().ok()?)
    }

    /// The address-of-record that a URI names; `None` if it is no SIP URI with a user.
    pub fn from_uri(uri: &Uri) -> Option<Self> {
        Self::from_uri_ref(UriRef::parse(uri.as_str()).ok()?)
    }

    /// The address-of-record in a From or To value; `None` if it is no SIP address with a user.
    pub fn of_address(value: &str) -> Option<Self> {
        Self::from_uri_ref(NameAddrRef::parse(value).ok()?.uri)
    }

    pub(crate) fn from_uri_ref(uri: UriRef<'_>) -> Option<Self> {
        let (user, host) = uri.user_and_host()?;
        Some(Self::of_parts(user, host))
    }

    /// Of a user as written and a host.
    pub(crate) fn of_parts(user: &str, host: HostRef<'_>) -> Self {
        let host_len = match host {
            HostRef::Name(name) => name.len(),
            HostRef::Address(_) => "[]".len() + 39,
        };
        let mut text = String::with_capacity("sip:@".len() + user.len() + host_len);
        text.push_str("sip:");
        push_canonical_user(user, &mut text);
        let at = text.len();
        text.push('@');
        match host {
            HostRef::Name(name) => text.push_str(name.strip_suffix('.').unwrap_or(name)),
            HostRef::Address(address) => text.push_str(&Host::from(address).to_string()),
        }
        text[at..].make_ascii_lowercase();
        Self { text, at }
    }

    /// The user as it stands in the canonical text.
    pub fn user(&self) -> &str {
        &self.text["sip:".len()..self.at]
    }

    /// The host, IPv6 addresses in brackets.
    pub fn host(&self) -> &str {
        &self.text[self.at + 1..]
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The address as a URI.
    pub fn to_uri(&self) -> Uri {
        self.text
            .parse()
            .expect("written from the parts of a SIP URI")
    }
}

impl fmt::Display for Aor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_spellings_have_one_address() {
        for text in [
            "sip:alice@example.com",
            "SIP:%61lice@EXAMPLE.com.",
            "sips:alice:pw@example.com:5070;transport=tcp?x=y",
        ] {
            assert_eq!(
                Aor::parse(text).unwrap().as_str(),
                "sip:alice@example.com",
                "{text}"
            );
        }
    }

    #[test]
    fn users_keep_case_and_what_must_be_escaped() {
        let aor = Aor::parse("sip:Null-%00%2b%40@[2001:DB8:0::1]").unwrap();
        assert_eq!((aor.user(), aor.host()), ("Null-%00+%40", "[2001:db8::1]"));
        assert_ne!(Aor::parse("sip:%00@h"), Aor::parse("sip:%00%00@h"));
        assert_eq!(Aor::from_uri(&aor.to_uri()), Some(aor));
    }

    #[test]
    fn what_names_no_user_is_no_address() {
        for text in [
            "sip:example.com",
            "tel:+1555",
            "alice@example.com",
            "sip:a%@",
            "",
        ] {
            assert_eq!(Aor::parse(text), None, "{text}");
        }
    }
}
