//! What a person brings to an activation: a link, a code with an address, a picture of the link.
//!
//! Parsed strictly: from a web page or a stranger's mail anything may come. Accepted are
//!
//! ```text
//! https://PORTAL/activate#TOKEN                    mail, QR code
//! tandem:activate?portal=ADDRESS&token=TOKEN       the button on that page
//! PORTAL + a code of 16 symbols                    typed
//! ```
//!
//! Plain `http` is accepted only for a portal on this very machine.

use std::fmt;
use std::net::IpAddr;

use reqwest::Url;
use zeroize::Zeroizing;

/// Longest text looked at.
pub const MAX_LINK_BYTES: usize = 1024;

/// Symbols of a typed code, the check symbol included.
const CODE_SYMBOLS: usize = 16;

/// Why a text is no activation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Longer than any link of ours.
    #[error("the link is too long to be an activation link")]
    TooLong,
    /// Not an activation link at all.
    #[error("this is not an activation link")]
    NotALink,
    /// There is no token in it.
    #[error("the link has no activation token; copy it completely")]
    NoToken,
    /// The token has characters that no token has.
    #[error("the activation token in the link is damaged; copy the link completely")]
    BadToken,
    /// The typed code is not one.
    #[error("an activation code has 16 letters and digits, such as ABCD-EFGH-JKMN-PQRS")]
    BadCode,
    /// The portal's address is not one.
    #[error("the portal's address must look like https://portal.example")]
    BadPortal,
    /// Not encrypted, and not on this machine.
    #[error(
        "the portal's address must begin with https:// (http:// only for a portal on this machine)"
    )]
    NotEncrypted,
}

/// The base address of a portal, checked: `https`, or `http` on a loopback address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortalAddress(Url);

/// What proves that the person may activate this device.
#[derive(Clone, PartialEq, Eq)]
pub enum ActivationSecret {
    /// The token of a link.
    Token(Zeroizing<String>),
    /// A typed code, without separators, upper case.
    Code(Zeroizing<String>),
}

/// Where to activate and with what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivationRequest {
    /// The portal.
    pub portal: PortalAddress,
    /// The proof.
    pub secret: ActivationSecret,
}

impl PortalAddress {
    /// Reads what a person typed, with or without `https://` and a slash at the end.
    ///
    /// # Errors
    ///
    /// [`LinkError::BadPortal`] or [`LinkError::NotEncrypted`].
    pub fn parse(text: &str) -> Result<Self, LinkError> {
        let text = text.trim();
        if text.len() > MAX_LINK_BYTES {
            return Err(LinkError::TooLong);
        }
        let url = if text.contains("://") {
            Url::parse(text)
        } else {
            Url::parse(&format!("https://{text}"))
        };
        Self::from_url(url.map_err(|_| LinkError::BadPortal)?)
    }

    fn from_url(mut url: Url) -> Result<Self, LinkError> {
        url.set_fragment(None);
        let has_more =
            url.query().is_some() || !url.username().is_empty() || url.password().is_some();
        if url.cannot_be_a_base() || has_more || url.host_str().is_none_or(str::is_empty) {
            return Err(LinkError::BadPortal);
        }
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => return Err(LinkError::NotEncrypted),
            _ => return Err(LinkError::BadPortal),
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self(url))
    }

    /// Whether it is reached by `https`.
    pub fn is_encrypted(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// The address of something on the portal; `path` begins with a slash.
    pub fn at(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}{path}"));
        url
    }
}

impl fmt::Display for PortalAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl fmt::Debug for ActivationSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token(_) => "Token(***)",
            Self::Code(_) => "Code(***)",
        })
    }
}

impl ActivationRequest {
    /// Reads an activation link of either form.
    ///
    /// # Errors
    ///
    /// [`LinkError`] says what is wrong with it.
    pub fn from_link(text: &str) -> Result<Self, LinkError> {
        let text = text.trim();
        if text.len() > MAX_LINK_BYTES {
            return Err(LinkError::TooLong);
        }
        let url = Url::parse(text).map_err(|_| LinkError::NotALink)?;
        match url.scheme() {
            "tandem" => Self::from_tandem(&url),
            "https" | "http" => Self::from_web(url),
            _ => Err(LinkError::NotALink),
        }
    }

    /// Joins a typed code with the portal's address.
    ///
    /// # Errors
    ///
    /// [`LinkError::BadCode`], or what [`PortalAddress::parse`] says.
    pub fn from_code(code: &str, portal: &str) -> Result<Self, LinkError> {
        if code.len() > MAX_LINK_BYTES {
            return Err(LinkError::BadCode);
        }
        let symbols: String = code
            .chars()
            .filter(|symbol| !symbol.is_whitespace() && *symbol != '-')
            .map(|symbol| symbol.to_ascii_uppercase())
            .collect();
        // The check symbol may be one of five more (Crockford); which of them fits is the portal's
        // business.
        let known = |symbol: char| symbol.is_ascii_alphanumeric() || "*~$=".contains(symbol);
        if symbols.chars().count() != CODE_SYMBOLS || !symbols.chars().all(known) {
            return Err(LinkError::BadCode);
        }
        Ok(Self {
            portal: PortalAddress::parse(portal)?,
            secret: ActivationSecret::Code(Zeroizing::new(symbols)),
        })
    }

    /// `tandem:activate?portal=…&token=…`; also with slashes, as some systems pass it on.
    fn from_tandem(url: &Url) -> Result<Self, LinkError> {
        let named = url.host_str().unwrap_or_default().to_owned() + url.path().trim_matches('/');
        if named != "activate" || url.fragment().is_some() {
            return Err(LinkError::NotALink);
        }
        let (mut portal, mut token) = (None, None);
        for (name, value) in url.query_pairs() {
            let place = match &*name {
                "portal" => &mut portal,
                "token" => &mut token,
                _ => return Err(LinkError::NotALink),
            };
            if place.replace(value.into_owned()).is_some() {
                return Err(LinkError::NotALink);
            }
        }
        let portal = portal.ok_or(LinkError::BadPortal)?;
        if !portal.contains("://") {
            return Err(LinkError::BadPortal);
        }
        Ok(Self {
            portal: PortalAddress::parse(&portal)?,
            secret: token_of(token.as_deref().ok_or(LinkError::NoToken)?)?,
        })
    }

    /// `https://PORTAL/activate#TOKEN`.
    fn from_web(mut url: Url) -> Result<Self, LinkError> {
        let secret = match url.fragment() {
            None | Some("") => return Err(LinkError::NoToken),
            Some(fragment) => token_of(fragment)?,
        };
        let base = url.path().trim_end_matches('/').strip_suffix("/activate");
        let base = base.ok_or(LinkError::NotALink)?.to_owned();
        url.set_path(&base);
        Ok(Self {
            portal: PortalAddress::from_url(url)?,
            secret,
        })
    }
}

fn token_of(text: &str) -> Result<ActivationSecret, LinkError> {
    let known = |symbol: u8| symbol.is_ascii_alphanumeric() || b"-_".contains(&symbol);
    if !(16..=128).contains(&text.len()) || !text.bytes().all(known) {
        return Err(LinkError::BadToken);
    }
    Ok(ActivationSecret::Token(Zeroizing::new(text.to_owned())))
}

/// Decided by structure, not by how the name begins: `127.evil.example` is not loopback.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.ends_with(".localhost")
        || literal
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "AbCdEfGhIjKlMnOpQrStUw";

    fn link(text: &str) -> Result<(String, ActivationSecret), LinkError> {
        ActivationRequest::from_link(text)
            .map(|request| (request.portal.to_string(), request.secret))
    }

    fn token() -> ActivationSecret {
        ActivationSecret::Token(Zeroizing::new(TOKEN.to_owned()))
    }

    #[test]
    fn links_of_both_forms_name_portal_and_token() {
        for (text, portal) in [
            (
                format!("https://portal.example/activate#{TOKEN}"),
                "https://portal.example",
            ),
            (
                format!(" https://portal.example:8443/tandem/activate#{TOKEN}\n"),
                "https://portal.example:8443/tandem",
            ),
            (
                format!("http://127.0.0.1:8080/activate#{TOKEN}"),
                "http://127.0.0.1:8080",
            ),
            (
                format!("http://[::1]:8080/activate#{TOKEN}"),
                "http://[::1]:8080",
            ),
            (
                format!("tandem:activate?portal=https%3A%2F%2Fportal.example&token={TOKEN}"),
                "https://portal.example",
            ),
            (
                format!("tandem://activate/?token={TOKEN}&portal=http://localhost:1"),
                "http://localhost:1",
            ),
        ] {
            assert_eq!(link(&text), Ok((portal.to_owned(), token())), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused_with_a_reason() {
        let long = format!(
            "https://portal.example/activate#{}",
            "a".repeat(MAX_LINK_BYTES)
        );
        for (text, error) in [
            ("--portal=https://evil.example", LinkError::NotALink),
            ("", LinkError::NotALink),
            ("portal.example/activate", LinkError::NotALink),
            (
                "file:///etc/passwd#AbCdEfGhIjKlMnOpQrStUw",
                LinkError::NotALink,
            ),
            ("javascript:alert(1)", LinkError::NotALink),
            ("https://portal.example/activate", LinkError::NoToken),
            ("https://portal.example/activate#", LinkError::NoToken),
            ("https://portal.example/activate#short", LinkError::BadToken),
            (
                "https://portal.example/activate#AbCdEfGhIjKlMnOp%20rStUw",
                LinkError::BadToken,
            ),
            (
                "https://portal.example/other#AbCdEfGhIjKlMnOpQrStUw",
                LinkError::NotALink,
            ),
            (
                "https://user@portal.example/activate#AbCdEfGhIjKlMnOpQrStUw",
                LinkError::BadPortal,
            ),
            (
                "https://portal.example/activate?x=1#AbCdEfGhIjKlMnOpQrStUw",
                LinkError::BadPortal,
            ),
            (
                "http://portal.example/activate#AbCdEfGhIjKlMnOpQrStUw",
                LinkError::NotEncrypted,
            ),
            (
                "http://127.evil.example/activate#AbCdEfGhIjKlMnOpQrStUw",
                LinkError::NotEncrypted,
            ),
            ("tandem:call?number=1", LinkError::NotALink),
            (
                "tandem:activate?token=AbCdEfGhIjKlMnOpQrStUw",
                LinkError::BadPortal,
            ),
            (
                "tandem:activate?portal=https://portal.example",
                LinkError::NoToken,
            ),
            (
                "tandem:activate?portal=--x&token=AbCdEfGhIjKlMnOpQrStUw",
                LinkError::BadPortal,
            ),
            (
                "tandem:activate?portal=https://a.example&portal=https://b.example&token=AbCdEfGhIjKlMnOpQrStUw",
                LinkError::NotALink,
            ),
            (
                "tandem:activate?portal=https://a.example&token=AbCdEfGhIjKlMnOpQrStUw&run=x",
                LinkError::NotALink,
            ),
            (&long, LinkError::TooLong),
        ] {
            assert_eq!(link(text), Err(error), "{text}");
        }
    }

    #[test]
    fn a_code_is_read_in_any_case_with_any_dashes() {
        let wanted = ActivationSecret::Code(Zeroizing::new("ABCDEFGHJKMNPQR*".to_owned()));
        for code in [
            "ABCD-EFGH-JKMN-PQR*",
            "abcdefghjkmnpqr*",
            " abcd efgh-jkmn  pqr* ",
        ] {
            let request = ActivationRequest::from_code(code, "portal.example").unwrap();
            assert_eq!(request.secret, wanted, "{code}");
            assert_eq!(request.portal.to_string(), "https://portal.example");
        }
        for code in [
            "",
            "ABCD",
            "ABCD-EFGH-JKMN-PQR",
            "ABCD-EFGH-JKMN-PQR/",
            "ABCD-EFGH-JKMN-PQRST",
        ] {
            let refused = ActivationRequest::from_code(code, "portal.example");
            assert_eq!(refused, Err(LinkError::BadCode), "{code}");
        }
    }

    #[test]
    fn paths_are_joined_below_the_portal() {
        let portal = PortalAddress::parse("https://portal.example/tandem/").unwrap();
        assert_eq!(
            portal.at("/api/v1/x").as_str(),
            "https://portal.example/tandem/api/v1/x"
        );
        let portal = PortalAddress::parse("portal.example").unwrap();
        assert_eq!(
            portal.at("/api/v1/x").as_str(),
            "https://portal.example/api/v1/x"
        );
    }

    #[test]
    fn debug_output_shows_no_token() {
        let text = format!(
            "{:?}",
            ActivationRequest::from_link(&format!("https://a.example/activate#{TOKEN}"))
        );
        assert!(!text.contains(TOKEN), "{text}");
    }
}
