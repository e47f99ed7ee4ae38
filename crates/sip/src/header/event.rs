//! Event and Subscription-State: what a subscription is about and how it stands (RFC 6665,
//! sections 8.2.1 and 8.2.3).

use std::fmt;

use crate::header::scan;
use crate::params::Params;

/// The value of Event. Package and id are compared byte by byte (RFC 6665, section 8.2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The event package with its templates: `dialog`, `presence.winfo`.
    pub package: String,
    /// Tells several subscriptions of one dialog apart.
    pub id: Option<String>,
    /// All other parameters.
    pub params: Params,
}

impl Event {
    /// A package without parameters.
    pub fn new(package: &str) -> Self {
        Self {
            package: package.to_owned(),
            id: None,
            params: Params::new(),
        }
    }

    /// The same package for the subscription called `id`.
    #[must_use]
    pub fn with_id(mut self, id: &str) -> Self {
        self.id = Some(id.to_owned());
        self
    }

    /// Reads the value.
    pub fn parse(text: &str) -> Option<Self> {
        let (package, mut params) = scan::split_params(text)?;
        if !scan::is_token(package) {
            return None;
        }
        let id = match params.value("id") {
            Some(id) => Some(id.to_owned()),
            None if params.contains("id") => return None,
            None => None,
        };
        params.remove("id");
        Some(Self {
            package: package.to_owned(),
            id,
            params,
        })
    }

    /// Whether both name the same subscription within one dialog.
    pub fn is_same_subscription(&self, other: &Self) -> bool {
        self.package == other.package && self.id == other.id
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.package)?;
        if let Some(id) = &self.id {
            write!(f, ";id={id}")?;
        }
        self.params.fmt(f)
    }
}

/// The value of Subscription-State.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionState {
    /// How the subscription stands.
    pub state: Substate,
    /// Why, in the words of RFC 6665, section 4.1.3: `deactivated`, `timeout`, `noresource` …
    pub reason: Option<String>,
    /// Time until the subscription ends, in seconds.
    pub expires: Option<u32>,
    /// Time until the subscriber may try again, in seconds.
    pub retry_after: Option<u32>,
}

/// How a subscription stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Substate {
    /// Accepted; state is reported.
    Active,
    /// Received, not yet decided.
    Pending,
    /// Over.
    Terminated,
    /// A state of an extension, as written.
    Ext(String),
}

impl Substate {
    fn parse(text: &str) -> Option<Self> {
        for known in [Self::Active, Self::Pending, Self::Terminated] {
            if known.as_str().eq_ignore_ascii_case(text) {
                return Some(known);
            }
        }
        scan::is_token(text).then(|| Self::Ext(text.to_owned()))
    }

    /// The state as messages write it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Active => "active",
            Self::Pending => "pending",
            Self::Terminated => "terminated",
            Self::Ext(name) => name,
        }
    }
}

impl SubscriptionState {
    /// `active;expires=…`
    pub fn active(expires_secs: u32) -> Self {
        Self {
            expires: Some(expires_secs),
            ..Self::new(Substate::Active)
        }
    }

    /// `pending;expires=…`
    pub fn pending(expires_secs: u32) -> Self {
        Self {
            expires: Some(expires_secs),
            ..Self::new(Substate::Pending)
        }
    }

    /// `terminated;reason=…`
    pub fn terminated(reason: &str) -> Self {
        Self {
            reason: Some(reason.to_owned()),
            ..Self::new(Substate::Terminated)
        }
    }

    fn new(state: Substate) -> Self {
        Self {
            state,
            reason: None,
            expires: None,
            retry_after: None,
        }
    }

    /// Reads the value; times that are no numbers make it malformed.
    pub fn parse(text: &str) -> Option<Self> {
        let (state, params) = scan::split_params(text)?;
        let seconds = |name| match params.value(name) {
            Some(value) => scan::saturating_u32(value).map(Some),
            None if params.contains(name) => None,
            None => Some(None),
        };
        Some(Self {
            state: Substate::parse(state)?,
            reason: params.value("reason").map(str::to_owned),
            expires: seconds("expires")?,
            retry_after: seconds("retry-after")?,
        })
    }

    /// Whether the subscription is over.
    pub fn is_terminated(&self) -> bool {
        self.state == Substate::Terminated
    }
}

impl fmt::Display for SubscriptionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.state.as_str())?;
        if let Some(reason) = &self.reason {
            write!(f, ";reason={reason}")?;
        }
        for (name, seconds) in [("expires", self.expires), ("retry-after", self.retry_after)] {
            if let Some(seconds) = seconds {
                write!(f, ";{name}={seconds}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_id_and_other_parameters_are_told_apart() {
        let event = Event::parse("dialog ; id=93;sla").unwrap();
        assert_eq!(
            (event.package.as_str(), event.id.as_deref()),
            ("dialog", Some("93"))
        );
        assert!(event.params.contains("sla"));
        assert_eq!(event.to_string(), "dialog;id=93;sla");
        assert!(event.is_same_subscription(&Event::new("dialog").with_id("93")));
        assert!(!event.is_same_subscription(&Event::new("Dialog").with_id("93")));
        assert!(!event.is_same_subscription(&Event::new("dialog")));
        for text in [
            "",
            ";id=1",
            "a b",
            "dialog;id",
            "dialog;id=1;id=2",
            "dialog;",
        ] {
            assert_eq!(Event::parse(text), None, "{text}");
        }
    }

    #[test]
    fn states_are_read_in_any_case_and_written_in_lower_case() {
        let state =
            SubscriptionState::parse("Terminated ;Reason=giveup; retry-after = 30").unwrap();
        assert!(state.is_terminated());
        assert_eq!(state.reason.as_deref(), Some("giveup"));
        assert_eq!(state.retry_after, Some(30));
        assert_eq!(state.to_string(), "terminated;reason=giveup;retry-after=30");
        assert_eq!(
            SubscriptionState::parse("active;expires=600"),
            Some(SubscriptionState::active(600))
        );
        assert_eq!(
            SubscriptionState::parse("waiting").unwrap().state,
            Substate::Ext("waiting".to_owned())
        );
        for text in ["", "active;expires=soon", "active;expires", "a b;reason=x"] {
            assert_eq!(SubscriptionState::parse(text), None, "{text}");
        }
    }
}
