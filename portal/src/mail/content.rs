//! A letter in words: subject, text and HTML from one template in each language.
//!
//! A template says what the mail says, once; `parts` and `layout` make text or HTML of it. HTML escapes everything that is put in, text
//! does not need to. What comes from people is made one line first, without signs that turn the direction of writing: no name
//! can break a header or pretend to be another text.

use minijinja::{AutoEscape, Environment, syntax::SyntaxConfig, value::Serde};
use serde::{Deserialize, Serialize};
use store::{Language, MailKind};

use super::Letter;

/// The words cannot be made: a mistake in a template.
#[derive(Debug, thiserror::Error)]
#[error("a mail could not be written: {0}")]
pub(crate) struct ContentError(#[from] minijinja::Error);

/// What a mail says. It carries links that open something, so it does not print itself.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Content {
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
    /// The link that the picture [`QR_ID`] in the HTML shows.
    pub(crate) qr_link: Option<String>,
}

/// Content-ID of the QR code.
pub(crate) const QR_ID: &str = "activation-qr";

/// Puts letters into words.
pub(crate) struct Writer {
    templates: Environment<'static>,
    /// Where the portal is reached, as footers say it.
    portal_url: String,
}

macro_rules! templates {
    ($($language:literal: [$($name:literal),+ $(,)?]),+ $(,)?) => {
        &[$($((
            concat!($language, "/", $name),
            include_str!(concat!("templates/", $language, "/", $name, ".jinja")),
        ),)+)+]
    };
}

const WORDS: &[(&str, &str)] = templates![
    "en": [
        "activation", "address_changed", "common", "confirm_address", "footer", "invitation", "password_reset", "security_notice", "sign_up",
        "test", "webhook_off"
    ],
    "de": [
        "activation", "address_changed", "common", "confirm_address", "footer", "invitation", "password_reset", "security_notice", "sign_up",
        "test", "webhook_off"
    ],
];

const FRAMES: &[(&str, &str)] = &[
    ("layout.html", include_str!("templates/layout.html")),
    ("layout.txt", include_str!("templates/layout.txt")),
    ("parts.html", include_str!("templates/parts.html")),
    ("parts.txt", include_str!("templates/parts.txt")),
];

impl Writer {
    /// Reads the templates.
    pub(crate) fn new(portal_url: &str) -> Result<Self, ContentError> {
        let mut templates = Environment::new();
        templates.set_syntax(
            SyntaxConfig::builder()
                .trim_blocks(true)
                .lstrip_blocks(true)
                .build()?,
        );
        templates.set_undefined_behavior(minijinja::UndefinedBehavior::SemiStrict);
        templates.set_auto_escape_callback(|name| {
            if name.ends_with(".html") {
                AutoEscape::Html
            } else {
                AutoEscape::None
            }
        });
        for (name, source) in FRAMES {
            templates.add_template(name, source)?;
        }
        for (name, source) in WORDS {
            // Each twice: the name says whether it is escaped.
            templates.add_template_owned(format!("{name}.html"), *source)?;
            templates.add_template_owned(format!("{name}.txt"), *source)?;
        }
        Ok(Self {
            templates,
            portal_url: portal_url.to_owned(),
        })
    }

    /// The letter in `language`.
    pub(crate) fn write(
        &self,
        letter: &Letter,
        language: Language,
    ) -> Result<Content, ContentError> {
        let words = cleaned(&serde_json::to_value(letter).unwrap_or_default());
        let kind = letter.kind();
        let (text, subject) = self.render(kind, language, "txt", &words)?;
        let (html, _) = self.render(kind, language, "html", &words)?;
        Ok(Content {
            subject: shortened(subject.trim()),
            text: without_gaps(&text),
            html,
            qr_link: letter.qr_link().map(str::to_owned),
        })
    }

    /// The whole of one form, and its subject.
    fn render(
        &self,
        kind: MailKind,
        language: Language,
        form: &'static str,
        words: &serde_json::Value,
    ) -> Result<(String, String), ContentError> {
        let template = self
            .templates
            .get_template(&format!("{language}/{kind}.{form}"))?;
        let frame = Frame {
            words,
            layout: format!("layout.{form}"),
            parts: format!("parts.{form}"),
            common: format!("{language}/common.{form}"),
            footer: format!("{language}/footer.{form}"),
            language: language.as_str(),
            html: form == "html",
            portal: &self.portal_url,
        };
        let mut rendered = template.render_captured(Serde(&frame))?;
        let subject = rendered.with_state_mut(|state| state.render_block("subject"))?;
        Ok((rendered.into_output(), subject))
    }
}

/// What every template sees beside the letter's own words.
#[derive(Serialize)]
struct Frame<'a> {
    #[serde(flatten)]
    words: &'a serde_json::Value,
    layout: String,
    parts: String,
    common: String,
    footer: String,
    language: &'static str,
    html: bool,
    portal: &'a str,
}

/// The same value with every text in one line, without controls.
fn cleaned(value: &serde_json::Value) -> serde_json::Value {
    use serde_json::Value as Json;
    match value {
        Json::String(text) => Json::String(one_line(text)),
        Json::Array(items) => Json::Array(items.iter().map(cleaned).collect()),
        Json::Object(fields) => Json::Object(
            fields
                .iter()
                .map(|(name, value)| (name.clone(), cleaned(value)))
                .collect(),
        ),
        other => other.clone(),
    }
}

/// Controls become spaces, and signs that change the direction of writing go.
pub(crate) fn one_line(text: &str) -> String {
    text.chars()
        .filter(|sign| !is_direction(*sign))
        .map(|sign| {
            if sign.is_control() || is_break(sign) {
                ' '
            } else {
                sign
            }
        })
        .collect()
}

fn is_break(sign: char) -> bool {
    matches!(sign, '\u{2028}' | '\u{2029}')
}

fn is_direction(sign: char) -> bool {
    matches!(sign, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A subject that lists can show.
fn shortened(subject: &str) -> String {
    if subject.chars().count() <= MAX_SUBJECT {
        return subject.to_owned();
    }
    subject.chars().take(MAX_SUBJECT - 1).chain(['…']).collect()
}

const MAX_SUBJECT: usize = 150;

/// At most one empty line in a row, none at the ends; `-- ` keeps its space (RFC 3676 section 4.3).
fn without_gaps(text: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for line in text.trim().lines() {
        let line = if line == "-- " { line } else { line.trim_end() };
        if !(line.is_empty() && lines.last().is_some_and(|last| last.is_empty())) {
            lines.push(line);
        }
    }
    lines.push("");
    lines.join("\n")
}

#[cfg(test)]
mod tests;
