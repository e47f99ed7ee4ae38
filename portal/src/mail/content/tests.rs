use store::MailKind;

use super::super::{sample, sample::KINDS};
use super::*;

const PORTAL: &str = "https://portal.example";

fn written(letter: &Letter, language: Language) -> Content {
    Writer::new(PORTAL)
        .unwrap()
        .write(letter, language)
        .unwrap()
}

fn activation() -> (super::super::ActivationLetter, Content) {
    let Letter::Activation(letter) = sample(MailKind::Activation, PORTAL) else {
        panic!("a sample of the kind");
    };
    let content = written(&sample(MailKind::Activation, PORTAL), Language::English);
    (letter, content)
}

#[test]
fn every_kind_of_mail_is_complete_in_both_languages_and_both_forms() {
    for kind in KINDS {
        let letter = sample(kind, PORTAL);
        let english = written(&letter, Language::English);
        let german = written(&letter, Language::German);
        assert_ne!(english.text, german.text, "{kind}");
        for content in [&english, &german] {
            assert!(!content.subject.is_empty() && !content.subject.contains('\n'));
            assert!(content.html.contains("<h1"), "{kind}");
            for form in [&content.text, &content.html] {
                assert!(form.contains("portal.example"), "{kind}: {form}");
                for left in ["{{", "{%", "undefined", "none"] {
                    let shown = form.replace("text-decoration:none", "");
                    assert!(!shown.contains(left), "{kind} has {left}: {form}");
                }
            }
        }
    }
}

#[test]
fn text_says_all_that_html_says() {
    for kind in KINDS {
        for language in [Language::English, Language::German] {
            let content = written(&sample(kind, PORTAL), language);
            // What is said beside the picture is of no use without it.
            let (_, body) = content.html.split_once("<body").unwrap();
            let spoken = plain(&format!("<body{body}"));
            let text = words(&content.text);
            let missing: Vec<_> = words(&spoken)
                .into_iter()
                .filter(|word| !text.contains(word))
                .collect();
            let picture = [
                "Or", "scan", "this", "picture", "Oder", "scannen", "dieses", "Bild", "mit", "with",
            ];
            let missing: Vec<_> = missing
                .into_iter()
                .filter(|word| !picture.contains(&word.as_str()) && word != "·")
                .collect();
            assert!(missing.is_empty(), "{kind} in {language}: {missing:?}");
        }
    }
}

#[test]
fn the_activation_has_link_code_picture_and_where_to_get_the_app() {
    let (letter, content) = activation();
    assert!(letter.link.contains("/activate#"));
    for form in [&content.text, &content.html.replace("&#x2f;", "/")] {
        assert!(form.contains(&letter.link), "{form}");
        assert!(form.contains(&letter.code));
        assert!(form.contains("https://example.com/android"));
    }
    assert!(content.html.contains("cid:activation-qr"));
    assert_eq!(content.qr_link.as_ref(), Some(&letter.link));
    assert!(
        content.text.contains("30 November 2026, 09:30 UTC"),
        "{}",
        content.text
    );
}

#[test]
fn names_are_text_and_nothing_else() {
    let (mut letter, _) = activation();
    letter.name = "<img src=x onerror=alert(1)>".to_owned();
    letter.tenant = "A&B \"Ltd\"".to_owned();
    letter.device = "Desk\r\nBcc: everybody@example.com\u{202e}\u{2028}x".to_owned();
    let content = written(&Letter::Activation(letter), Language::English);
    assert!(!content.html.contains("<img src=x"));
    assert!(content.html.contains("&lt;img src=x"));
    assert!(content.html.contains("A&amp;B"));
    assert!(content.text.contains("Hello <img src=x onerror=alert(1)>,"));
    assert_eq!(
        content.subject,
        "Set up your phone: Desk  Bcc: everybody@example.com x"
    );
    assert!(!content.text.contains("\nBcc:") && !content.html.contains("\nBcc:"));
}

#[test]
fn nothing_is_loaded_from_elsewhere_and_nobody_is_followed() {
    for kind in KINDS {
        let content = written(&sample(kind, PORTAL), Language::German);
        for tag in ["<script", "<link", "<iframe", "url(", "@import"] {
            assert!(!content.html.contains(tag), "{kind}: {tag}");
        }
        for source in content.html.split("src=\"").skip(1) {
            assert!(source.starts_with("cid:"), "{kind}: {source}");
        }
    }
}

#[test]
fn a_long_subject_is_cut() {
    let (mut letter, _) = activation();
    letter.device = "ä".repeat(500);
    let subject = written(&Letter::Activation(letter), Language::English).subject;
    assert_eq!(subject.chars().count(), MAX_SUBJECT);
    assert!(subject.ends_with('…'));
}

/// The text of a page, without its tags.
fn plain(html: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for sign in html.chars() {
        match sign {
            '<' => inside = true,
            '>' => {
                inside = false;
                out.push(' ');
            }
            sign if !inside => out.push(sign),
            _ => {}
        }
    }
    for (entity, sign) in [
        ("&#x2f;", "/"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#x27;", "'"),
        ("&middot;", "·"),
        ("&amp;", "&"),
    ] {
        out = out.replace(entity, sign);
    }
    out
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace()
        .map(|word| word.trim_matches([':', ',', '.']).to_owned())
        .filter(|word| !word.is_empty())
        .collect()
}
