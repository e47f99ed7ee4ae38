//! Header fields that name another dialog or call for one: Replaces (RFC 3891), Target-Dialog
//! (RFC 4538) and Refer-To (RFC 3515).
//!
//! A Refer-To can carry a Replaces in its URI, escaped once. Its URI goes on byte for byte
//! wherever it is not taken apart.

use std::borrow::Cow;
use std::fmt;

use crate::header::scan;
use crate::method::Method;
use crate::name_addr::NameAddr;
use crate::params::Params;
use crate::uri::Uri;

/// The dialog that an INVITE takes the place of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaces {
    /// The dialog's Call-ID.
    pub call_id: String,
    /// The recipient's tag; `0` means a peer of RFC 2543 that has none.
    pub to_tag: String,
    /// The other side's tag; `0` means none.
    pub from_tag: String,
    /// Only if the dialog is not confirmed yet.
    pub early_only: bool,
}

impl Replaces {
    /// Reads the value; both tags must be there.
    pub fn parse(text: &str) -> Option<Self> {
        let (call_id, params) = split_call_id(text)?;
        Some(Self {
            call_id: call_id.to_owned(),
            to_tag: params.value("to-tag")?.to_owned(),
            from_tag: params.value("from-tag")?.to_owned(),
            early_only: params.contains("early-only"),
        })
    }
}

impl fmt::Display for Replaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            call_id,
            to_tag,
            from_tag,
            early_only,
        } = self;
        write!(f, "{call_id};to-tag={to_tag};from-tag={from_tag}")?;
        if *early_only {
            f.write_str(";early-only")?;
        }
        Ok(())
    }
}

/// A dialog whose other end proves by knowing it that it may ask for something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetDialog {
    /// The dialog's Call-ID.
    pub call_id: String,
    /// The tag of the sender's own side.
    pub local_tag: String,
    /// The tag of the recipient's side.
    pub remote_tag: String,
}

impl TargetDialog {
    /// Reads the value; both tags must be there.
    pub fn parse(text: &str) -> Option<Self> {
        let (call_id, params) = split_call_id(text)?;
        Some(Self {
            call_id: call_id.to_owned(),
            local_tag: params.value("local-tag")?.to_owned(),
            remote_tag: params.value("remote-tag")?.to_owned(),
        })
    }
}

impl fmt::Display for TargetDialog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{};local-tag={};remote-tag={}",
            self.call_id, self.local_tag, self.remote_tag
        )
    }
}

/// Whom a REFER asks to contact, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferTo(pub NameAddr);

impl ReferTo {
    /// A referral to `uri` with an INVITE.
    pub fn new(uri: Uri) -> Self {
        Self(NameAddr::new(uri))
    }

    /// A referral to `uri` that shall take the place of a dialog: attended transfer.
    pub fn replacing(mut uri: Uri, replaces: &Replaces) -> Self {
        uri.push_header("Replaces", &replaces.to_string());
        Self::new(uri)
    }

    /// Reads the value.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }

    /// Where to go, headers included.
    pub fn uri(&self) -> &Uri {
        &self.0.uri
    }

    /// Where to go, without the headers and the method that the URI asks for: what an INVITE may
    /// be sent to.
    pub fn target(&self) -> Uri {
        let mut uri = self.0.uri.clone();
        if !uri.headers().is_empty() {
            uri.clear_headers();
        }
        if uri.has_param("method") {
            uri.remove_param("method");
        }
        uri
    }

    /// The method to use, INVITE if the URI names none; `None` if it names what is no method.
    pub fn method(&self) -> Option<Method> {
        match self.uri().param("method") {
            Some(name) => name.parse().ok(),
            None if self.uri().has_param("method") => None,
            None => Some(Method::INVITE),
        }
    }

    /// The dialog to take the place of: `Ok(None)` if the URI names none.
    ///
    /// # Errors
    ///
    /// The text of the first Replaces that cannot be read, or of a second one.
    pub fn replaces(&self) -> Result<Option<Replaces>, Cow<'_, str>> {
        let mut found = None;
        for (name, _) in self.uri().headers() {
            if !name.eq_ignore_ascii_case("Replaces") {
                continue;
            }
            let value = self.uri().header_decoded(name).unwrap_or_default();
            match Replaces::parse(&value) {
                Some(replaces) if found.is_none() => found = Some(replaces),
                _ => return Err(value),
            }
        }
        Ok(found)
    }
}

impl fmt::Display for ReferTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A Call-ID may hold nearly everything but blanks, commas and semicolons.
fn split_call_id(text: &str) -> Option<(&str, Params)> {
    let (call_id, params) = scan::split_params(text)?;
    let legal = !call_id.is_empty() && !call_id.contains([' ', '\t', ',']);
    legal.then_some((call_id, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialog_is_named_by_call_id_and_both_tags() {
        let text = "425928@bobster.example.org;to-tag=7743;from-tag=6472;early-only";
        let replaces = Replaces::parse(text).unwrap();
        assert_eq!(replaces.call_id, "425928@bobster.example.org");
        assert_eq!(
            (replaces.to_tag.as_str(), replaces.from_tag.as_str()),
            ("7743", "6472")
        );
        assert!(replaces.early_only);
        assert_eq!(replaces.to_string(), text);
        for text in [
            "",
            "a;to-tag=1",
            "a;from-tag=1",
            ";to-tag=1;from-tag=2",
            "a b;to-tag=1;from-tag=2",
            "a;to-tag=1;from-tag=2;to-tag=3",
            "a;to-tag;from-tag=2",
        ] {
            assert_eq!(Replaces::parse(text), None, "{text}");
        }
        let target = TargetDialog::parse(
            "fa77as7dad8-sd98ajzz@host.example.com ;local-tag=kkaz-;remote-tag=6544",
        )
        .unwrap();
        assert_eq!(target.local_tag, "kkaz-");
        assert_eq!(TargetDialog::parse(&target.to_string()), Some(target));
    }

    #[test]
    fn an_attended_transfer_survives_its_escapes() {
        let replaces = Replaces {
            call_id: "12%&=?@[2001:db8::1]".to_owned(),
            to_tag: "a.b".to_owned(),
            from_tag: "c!d".to_owned(),
            early_only: false,
        };
        let refer_to = ReferTo::replacing(
            "sip:carol@example.com;user=phone".parse().unwrap(),
            &replaces,
        );
        let read = ReferTo::parse(&refer_to.to_string()).unwrap();
        assert_eq!(read, refer_to);
        assert_eq!(read.replaces(), Ok(Some(replaces)));
        assert_eq!(read.method(), Some(Method::INVITE));
        assert_eq!(
            read.target().to_string(),
            "sip:carol@example.com;user=phone"
        );
    }

    #[test]
    fn absent_malformed_and_doubled_replaces_are_three_things() {
        let read = |text: &str| {
            ReferTo::parse(text)
                .unwrap()
                .replaces()
                .map_err(Cow::into_owned)
        };
        assert_eq!(read("<sip:a@b>"), Ok(None));
        assert_eq!(read("<sip:a@b?Subject=x>"), Ok(None));
        assert_eq!(
            read("<sip:a@b?Replaces=1%3Bto-tag%3D2>"),
            Err("1;to-tag=2".to_owned())
        );
        let one = "replaces=1%3Bto-tag%3D2%3Bfrom-tag%3D3";
        assert!(read(&format!("<sip:a@b?{one}>")).unwrap().is_some());
        assert!(read(&format!("<sip:a@b?{one}&{one}>")).is_err());
    }

    #[test]
    fn the_method_of_a_referral_is_read_and_not_passed_on() {
        let refer_to = ReferTo::parse("<sip:a@b;method=BYE;x>").unwrap();
        assert_eq!(refer_to.method(), Some(Method::BYE));
        assert_eq!(refer_to.target().to_string(), "sip:a@b;x");
        assert_eq!(ReferTo::parse("<sip:a@b;method>").unwrap().method(), None);
        let untouched = ReferTo::parse("<sip:%61@b;x>").unwrap();
        assert_eq!(untouched.target().to_string(), "sip:%61@b;x");
    }
}
