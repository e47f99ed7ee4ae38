//! Reason: why a request or a response was sent (RFC 3326).

use std::borrow::Cow;
use std::fmt;

use crate::header::scan;
use crate::params::Params;

/// One reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Whose code it is: `SIP`, `Q.850`.
    pub protocol: String,
    /// `cause`, `text` and others.
    pub params: Params,
}

impl Reason {
    /// A SIP status as reason: `SIP;cause=200;text="Call completed elsewhere"`.
    pub fn sip(cause: u16, text: &str) -> Self {
        let mut params = Params::new();
        params.set("cause", cause.to_string());
        params.set_quoted("text", text);
        Self {
            protocol: "SIP".to_owned(),
            params,
        }
    }

    /// Reads one element.
    pub fn parse(text: &str) -> Option<Self> {
        let (protocol, params) = scan::split_params(text)?;
        scan::is_token(protocol).then(|| Self {
            protocol: protocol.to_owned(),
            params,
        })
    }

    /// The code; `None` if it is absent or no number.
    pub fn cause(&self) -> Option<u16> {
        self.params.value("cause")?.parse().ok()
    }

    /// The text for people.
    pub fn text(&self) -> Option<Cow<'_, str>> {
        self.params.unquoted("text")
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.protocol, self.params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_and_text_are_read_and_written() {
        let written = Reason::sip(200, "Call completed elsewhere").to_string();
        assert_eq!(written, "SIP;cause=200;text=\"Call completed elsewhere\"");
        let read = Reason::parse("Q.850 ;cause=16 ;text=\"Terminated\"").unwrap();
        assert_eq!((read.protocol.as_str(), read.cause()), ("Q.850", Some(16)));
        assert_eq!(read.text().unwrap(), "Terminated");
        assert_eq!(Reason::parse(";cause=1"), None);
    }
}
