//! Typed access to the header fields of extensions: events, transfer, identity, outbound, push.
//! Same shape as `access.rs`.

use crate::header::access::from_str;
use crate::header::name::NameId;
use crate::header::{
    Event, FeatureCaps, HeaderError, Privacy, RAck, ReferTo, Replaces, SubscriptionState,
    TargetDialog, scan,
};
use crate::message::Fields;
use crate::name_addr::NameAddr;

/// # Header fields of extensions, typed
impl Fields {
    /// Path (RFC 3327), topmost first.
    ///
    /// # Errors
    ///
    /// Malformed in any element.
    pub fn paths(&self) -> Result<Vec<NameAddr>, HeaderError> {
        self.list(NameId::PATH, from_str)
    }

    /// Service-Route (RFC 3608): the way for requests of a registered user agent, first hop first.
    ///
    /// # Errors
    ///
    /// Malformed in any element.
    pub fn service_routes(&self) -> Result<Vec<NameAddr>, HeaderError> {
        self.list(NameId::SERVICE_ROUTE, from_str)
    }

    /// `RSeq`, the number of a reliable provisional response (RFC 3262).
    ///
    /// # Errors
    ///
    /// Repeated, no number, or above 2^32 - 1.
    pub fn rseq(&self) -> Result<Option<u32>, HeaderError> {
        self.optional(NameId::RSEQ, scan::exact_u32)
    }

    /// `RAck`, the provisional response that a PRACK acknowledges (RFC 3262).
    ///
    /// # Errors
    ///
    /// Missing, repeated or malformed.
    pub fn rack(&self) -> Result<RAck, HeaderError> {
        self.required(NameId::RACK, RAck::parse)
    }

    /// Event (RFC 6665).
    ///
    /// # Errors
    ///
    /// Repeated or malformed.
    pub fn event(&self) -> Result<Option<Event>, HeaderError> {
        self.optional(NameId::EVENT, Event::parse)
    }

    /// Allow-Events: the packages that the sender understands (RFC 6665).
    ///
    /// # Errors
    ///
    /// Malformed in any element.
    pub fn allow_events(&self) -> Result<Vec<&str>, HeaderError> {
        self.tokens(NameId::ALLOW_EVENTS)
    }

    /// Subscription-State (RFC 6665).
    ///
    /// # Errors
    ///
    /// Repeated or malformed.
    pub fn subscription_state(&self) -> Result<Option<SubscriptionState>, HeaderError> {
        self.optional(NameId::SUBSCRIPTION_STATE, SubscriptionState::parse)
    }

    /// Refer-To (RFC 3515).
    ///
    /// # Errors
    ///
    /// Repeated or malformed.
    pub fn refer_to(&self) -> Result<Option<ReferTo>, HeaderError> {
        self.optional(NameId::REFER_TO, ReferTo::parse)
    }

    /// Referred-By (RFC 3892).
    ///
    /// # Errors
    ///
    /// Repeated or malformed.
    pub fn referred_by(&self) -> Result<Option<NameAddr>, HeaderError> {
        self.optional(NameId::REFERRED_BY, from_str)
    }

    /// Refer-Sub: whether a REFER shall make a subscription (RFC 4488); absent means yes.
    ///
    /// # Errors
    ///
    /// Repeated, or neither `true` nor `false`.
    pub fn refer_sub(&self) -> Result<Option<bool>, HeaderError> {
        self.optional(NameId::REFER_SUB, |text| {
            let (value, _) = scan::split_params(text)?;
            let is = |word: &str| value.eq_ignore_ascii_case(word);
            (is("true") || is("false")).then(|| is("true"))
        })
    }

    /// Replaces (RFC 3891).
    ///
    /// # Errors
    ///
    /// Repeated or malformed.
    pub fn replaces(&self) -> Result<Option<Replaces>, HeaderError> {
        self.optional(NameId::REPLACES, Replaces::parse)
    }

    /// Target-Dialog (RFC 4538).
    ///
    /// # Errors
    ///
    /// Repeated or malformed.
    pub fn target_dialog(&self) -> Result<Option<TargetDialog>, HeaderError> {
        self.optional(NameId::TARGET_DIALOG, TargetDialog::parse)
    }

    /// The elements of all Feature-Caps (RFC 6809).
    ///
    /// # Errors
    ///
    /// Malformed in any element.
    pub fn feature_caps(&self) -> Result<Vec<FeatureCaps>, HeaderError> {
        self.list(NameId::FEATURE_CAPS, FeatureCaps::parse)
    }

    /// P-Asserted-Identity (RFC 3325): who the caller is, as a network that proved it says. Worth
    /// nothing from anybody else.
    ///
    /// # Errors
    ///
    /// Malformed in any element.
    pub fn p_asserted_identities(&self) -> Result<Vec<NameAddr>, HeaderError> {
        self.list(NameId::P_ASSERTED_IDENTITY, from_str)
    }

    /// P-Preferred-Identity (RFC 3325): which of his identities a user wants shown.
    ///
    /// # Errors
    ///
    /// Malformed in any element.
    pub fn p_preferred_identities(&self) -> Result<Vec<NameAddr>, HeaderError> {
        self.list(NameId::P_PREFERRED_IDENTITY, from_str)
    }

    /// Privacy (RFC 3323).
    ///
    /// # Errors
    ///
    /// Repeated or malformed.
    pub fn privacy(&self) -> Result<Option<Privacy>, HeaderError> {
        self.optional(NameId::PRIVACY, Privacy::parse)
    }

    /// Max-Breadth: among how many branches a request may still be forked (RFC 5393).
    ///
    /// # Errors
    ///
    /// Repeated, or no number.
    pub fn max_breadth(&self) -> Result<Option<u32>, HeaderError> {
        self.optional(NameId::MAX_BREADTH, scan::saturating_u32)
    }

    /// Flow-Timer: after how long without a keep-alive a server closes a flow, in seconds
    /// (RFC 5626).
    ///
    /// # Errors
    ///
    /// Repeated, or no number.
    pub fn flow_timer(&self) -> Result<Option<u32>, HeaderError> {
        self.optional(NameId::FLOW_TIMER, scan::saturating_u32)
    }
}

#[cfg(test)]
mod tests {
    use crate::header::HeaderError;
    use crate::message::Request;
    use crate::method::Method;

    fn with(name: &str, values: &[&str]) -> Request {
        let mut request = Request::new(Method::OPTIONS, "sip:a".parse().unwrap());
        for value in values {
            request.push_header(name, *value);
        }
        request
    }

    #[test]
    fn absent_malformed_and_repeated_are_told_apart() {
        macro_rules! optional {
            ($accessor:ident, $name:literal, $good:literal, $bad:literal) => {
                assert_eq!(with($name, &[]).$accessor(), Ok(None), $name);
                assert!(
                    matches!(with($name, &[$good]).$accessor(), Ok(Some(_))),
                    $name
                );
                assert_eq!(
                    with($name, &[$bad]).$accessor(),
                    Err(HeaderError::Malformed { name: $name })
                );
                assert_eq!(
                    with($name, &[$good, $good]).$accessor(),
                    Err(HeaderError::Repeated { name: $name })
                );
            };
        }
        optional!(rseq, "RSeq", "988789", "4294967296");
        optional!(event, "Event", "dialog", "a b");
        optional!(subscription_state, "Subscription-State", "active", ";");
        optional!(refer_to, "Refer-To", "<sip:a@b>", "a@b");
        optional!(
            referred_by,
            "Referred-By",
            "<sip:a@b>;cid=\"1\"",
            "<sip:a@b"
        );
        optional!(refer_sub, "Refer-Sub", "false", "no");
        optional!(replaces, "Replaces", "1;to-tag=2;from-tag=3", "1");
        optional!(
            target_dialog,
            "Target-Dialog",
            "1;local-tag=2;remote-tag=3",
            "1"
        );
        optional!(privacy, "Privacy", "id", "i d");
        optional!(max_breadth, "Max-Breadth", "60", "many");
        optional!(flow_timer, "Flow-Timer", "120", "x");
        assert_eq!(
            with("x", &[]).rack(),
            Err(HeaderError::Missing { name: "RAck" })
        );
        assert_eq!(
            with("RAck", &["1 1"]).rack(),
            Err(HeaderError::Malformed { name: "RAck" })
        );
        assert!(with("RAck", &["1 1 INVITE"]).rack().is_ok());
    }

    #[test]
    fn lists_are_read_over_all_header_fields() {
        macro_rules! list {
            ($accessor:ident, $name:literal, $one:literal, $two:literal, $bad:literal) => {
                assert_eq!(with($name, &[]).$accessor().map(|list| list.len()), Ok(0));
                let split = with($name, &[$one, $two]);
                let joined = with($name, &[concat!($one, ", ", $two)]);
                assert_eq!(split.$accessor().map(|list| list.len()), Ok(2), $name);
                assert_eq!(split.$accessor(), joined.$accessor(), $name);
                assert_eq!(
                    with($name, &[$one, $bad]).$accessor().unwrap_err(),
                    HeaderError::Malformed { name: $name }
                );
            };
        }
        list!(paths, "Path", "<sip:p1;lr>", "<sip:p2;lr>", "<sip:p3");
        list!(
            service_routes,
            "Service-Route",
            "<sip:p1;lr>",
            "<sip:p2;lr>",
            "p3"
        );
        list!(
            p_asserted_identities,
            "P-Asserted-Identity",
            "\"A, B\" <sip:a@b>",
            "tel:+1555",
            "a@b"
        );
        list!(
            p_preferred_identities,
            "P-Preferred-Identity",
            "<sip:a@b>",
            "<tel:+1>",
            "a@b"
        );
        list!(
            feature_caps,
            "Feature-Caps",
            "*;+sip.pns=\"a\"",
            "*;+g.x",
            "x"
        );
        list!(
            allow_events,
            "Allow-Events",
            "dialog",
            "presence.winfo",
            "a b"
        );
    }

    #[test]
    fn compact_names_of_extensions_are_known() {
        assert!(with("r", &["<sip:a@b>"]).refer_to().unwrap().is_some());
        assert!(with("b", &["<sip:a@b>"]).referred_by().unwrap().is_some());
        assert!(with("o", &["dialog"]).event().unwrap().is_some());
        assert_eq!(with("u", &["dialog"]).allow_events().unwrap(), ["dialog"]);
    }
}
