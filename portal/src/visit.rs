//! Where a person comes from: address, browser in a few words, and the language their mails are written in.

use std::net::IpAddr;

use axum::{
    extract::FromRequestParts,
    http::{
        HeaderMap, HeaderName,
        header::{ACCEPT_LANGUAGE, USER_AGENT},
        request::Parts,
    },
};
use store::{ConnectionTrait, Language, StoreError, audit::NewAuditEntry};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{app::App, audit::Deed, error::ApiError, extract::ClientAddress, webhook};

/// What a request tells of the person's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Visit {
    pub(crate) address: IpAddr,
    /// Such as `Firefox, Linux`; empty if nothing is known.
    pub(crate) browser: String,
    pub(crate) language: Language,
}

impl FromRequestParts<App> for Visit {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let ClientAddress(address) = ClientAddress::from_request_parts(parts, app).await?;
        Ok(Self {
            address,
            browser: browser(text(&parts.headers, &USER_AGENT)),
            language: language(text(&parts.headers, &ACCEPT_LANGUAGE)),
        })
    }
}

impl Visit {
    /// Notes what somebody without a session has done, in the log of a tenant, and for its webhooks, or with `None` in the log of the
    /// installation. Call it last in the transaction.
    pub(crate) async fn note_in(
        &self,
        tenant: Option<Uuid>,
        actor: &str,
        deed: &Deed<'_>,
        now: OffsetDateTime,
        db: &impl ConnectionTrait,
    ) -> Result<(), StoreError> {
        if let Some(tenant) = tenant {
            webhook::tell_deed(tenant, deed, now, db).await?;
        }
        let source = self.address.to_string();
        let entry = NewAuditEntry {
            actor,
            source: Some(&source),
            ..deed.entry()
        };
        store::audit::append(tenant, &entry, now, db).await
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}

/// Browser and system of a `User-Agent` (RFC 9110 section 10.1.5), as far as people need them to recognise a browser. Only words of ours
/// come out, so that nobody writes into lists and mails of others.
fn browser(agent: &str) -> String {
    let named = |names: &[(&str, &'static str)]| {
        let found = names.iter().find(|(part, _)| agent.contains(part));
        found.map(|(_, name)| *name)
    };
    let names = [named(BROWSERS), named(SYSTEMS)];
    let names: Vec<_> = names.into_iter().flatten().collect();
    names.join(", ")
}

/// The first language of `Accept-Language` (RFC 9110 section 12.5.4) that mails are written in. Browsers list by preference.
fn language(accepted: &str) -> Language {
    let mut tags = accepted.split([',', ';', '-']).map(str::trim);
    tags.find_map(|tag| tag.to_ascii_lowercase().parse().ok())
        .unwrap_or(Language::English)
}

/// Each also names those that it descends from, so the youngest come first.
const BROWSERS: &[(&str, &str)] = &[
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Vivaldi/", "Vivaldi"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
];

const SYSTEMS: &[(&str, &str)] = &[
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_told_in_two_words() {
        for (agent, expected) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
                "Firefox, Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0",
                "Edge, Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
                "Safari, iPhone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
                "Chrome, Android",
            ),
            ("curl/8.14.1", "curl"),
            ("<script>alert(1)</script>", ""),
            ("", ""),
        ] {
            assert_eq!(browser(agent), expected, "{agent}");
        }
    }

    #[test]
    fn mails_are_written_in_the_first_language_that_we_have() {
        for (accepted, expected) in [
            ("de-AT,de;q=0.9,en;q=0.8", Language::German),
            ("fr-FR, fr;q=0.9, DE;q=0.5", Language::German),
            ("en-US,en;q=0.5", Language::English),
            ("", Language::English),
            ("*", Language::English),
        ] {
            assert_eq!(language(accepted), expected, "{accepted}");
        }
    }
}
