//! `sip.numbers`: how numbers are dialled, and which may be called, by default and in single domains.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sip_proxy::{DialPlan, DialPlans, Host};

use crate::config::ConfigError;

/// How numbers are dialled, and which may be called.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct NumbersConfig {
    /// The country code without `+`. With it numbers are brought into one form, and abroad is denied unless it is allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) country: Option<String>,
    /// What is dialled before a country code.
    pub(crate) international_prefix: String,
    /// What is dialled before a national number; may be empty.
    pub(crate) national_prefix: String,
    /// Prefixes that may be called; of this and the next list the longest prefix decides.
    pub(crate) allowed: Vec<String>,
    /// Prefixes that may not be called.
    pub(crate) denied: Vec<String>,
    /// What is otherwise for accounts of single domains.
    pub(crate) domains: BTreeMap<String, DomainNumbers>,
}

impl Default for NumbersConfig {
    fn default() -> Self {
        Self {
            country: None,
            international_prefix: "00".to_owned(),
            national_prefix: "0".to_owned(),
            allowed: Vec::new(),
            denied: Vec::new(),
            domains: BTreeMap::new(),
        }
    }
}

/// The same of one domain; what it leaves out is as everywhere.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DomainNumbers {
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    international_prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    national_prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    denied: Option<Vec<String>>,
}

impl DomainNumbers {
    fn over(&self, usual: &DialPlan) -> DialPlan {
        let usual = usual.clone();
        DialPlan {
            country: self.country.clone().or(usual.country),
            international: or(&self.international_prefix, usual.international),
            national: or(&self.national_prefix, usual.national),
            allowed: or(&self.allowed, usual.allowed),
            denied: or(&self.denied, usual.denied),
        }
    }
}

fn or<T: Clone>(own: &Option<T>, usual: T) -> T {
    own.clone().unwrap_or(usual)
}

impl NumbersConfig {
    /// The plans of all domains.
    ///
    /// # Errors
    ///
    /// On what can be no number and no domain, with the key that it stands at.
    pub(crate) fn plans(&self) -> Result<DialPlans, ConfigError> {
        let usual = DialPlan {
            country: self.country.clone(),
            international: self.international_prefix.clone(),
            national: self.national_prefix.clone(),
            allowed: self.allowed.clone(),
            denied: self.denied.clone(),
        };
        check(&usual, "")?;
        let of_domains = self.domains.iter().map(|(domain, own)| {
            let host = domain.parse::<Host>();
            let is_domain = host.is_ok_and(|host| host.to_string() == *domain);
            if !is_domain || *domain != domain.to_ascii_lowercase() {
                let domain = domain.clone();
                return Err(ConfigError::NumbersDomain { domain });
            }
            let plan = own.over(&usual);
            check(&plan, &format!("domains.{domain:?}."))?;
            Ok((domain.as_str().into(), plan))
        });
        let of_domains = of_domains.collect::<Result<_, _>>()?;
        Ok(DialPlans { usual, of_domains })
    }
}

/// Fails on what can be no number; `place` is what the keys stand below.
fn check(plan: &DialPlan, place: &str) -> Result<(), ConfigError> {
    let wrong = |key: &str, value: &str| {
        Err(ConfigError::Numbers {
            key: format!("{place}{key}"),
            value: value.to_owned(),
        })
    };
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    if let Some(country) = &plan.country
        && (country.is_empty() || country.len() > 3 || !digits(country))
    {
        return wrong("country", country);
    }
    for (key, value) in [
        ("international_prefix", &plan.international),
        ("national_prefix", &plan.national),
    ] {
        if !digits(value) {
            return wrong(key, value);
        }
    }
    let prefix = |text: &str| {
        let rest = text.strip_prefix('+').unwrap_or(text);
        !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit() || "*#".contains(c))
    };
    for (key, values) in [("allowed", &plan.allowed), ("denied", &plan.denied)] {
        if let Some(value) = values.iter().find(|value| !prefix(value)) {
            return wrong(key, value);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    use super::*;

    fn plans(text: &str) -> Result<DialPlans, String> {
        let config: Config = toml::from_str(text).map_err(|error| error.to_string())?;
        config
            .sip
            .numbers
            .plans()
            .map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_no_number_is_refused_by_name() {
        let german = plans("[sip.numbers]\ncountry = '49'\ndenied = ['+49900']").unwrap();
        let number = german.usual.normalise("030 1234");
        assert_eq!(number.as_deref(), Some("+49301234"));
        for wrong in ["country = '+49'", "national_prefix = 'x'", "allowed = ['']"] {
            let key = wrong.split(' ').next().unwrap();
            let error = plans(&format!("[sip.numbers]\n{wrong}")).unwrap_err();
            assert!(error.starts_with(&format!("sip.numbers.{key} ")), "{error}");
            let error = plans(&format!("[sip.numbers.domains.'a.test']\n{wrong}")).unwrap_err();
            let place = format!("sip.numbers.domains.\"a.test\".{key} ");
            assert!(error.starts_with(&place), "{error}");
        }
    }

    #[test]
    fn a_domain_has_what_it_names_and_else_what_all_have() {
        let plans = plans(
            "[sip.numbers]\ncountry = '49'\ndenied = ['+49900', '+43900']\n\
             [sip.numbers.domains.'wien.test']\ncountry = '43'\nallowed = ['+49']",
        )
        .unwrap();
        let vienna = plans.of("wien.test");
        assert_eq!(vienna.normalise("01 234").as_deref(), Some("+431234"));
        assert!(vienna.permits("+49301234") && !vienna.permits("+439001"));
        assert_eq!(plans.of("berlin.test"), &plans.usual);
        assert!(!plans.usual.permits("+431234"));
    }

    #[test]
    fn a_domain_that_no_account_can_have_is_refused() {
        for domain in ["Wien.test", "wien test", ""] {
            let error = plans(&format!("[sip.numbers.domains.'{domain}']")).unwrap_err();
            assert!(error.contains(&format!("{domain:?}")), "{error}");
        }
        let nested = plans("[sip.numbers.domains.wien.test]\ncountry = '43'").unwrap_err();
        assert!(nested.contains("test"), "{nested}");
    }
}
