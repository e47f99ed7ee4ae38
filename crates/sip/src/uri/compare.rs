//! When two URIs mean the same (RFC 3261, section 19.1.4).

use super::escape::escape_at;
use super::{Parts, SipParts, Uri};
use crate::params::Params;

/// Parameters that must not stand in one URI only.
const NEVER_IGNORED: [&str; 5] = ["transport", "user", "ttl", "method", "maddr"];

pub(super) fn equivalent(a: &Uri, b: &Uri) -> bool {
    if a.scheme != b.scheme {
        return false;
    }
    match (&a.parts, &b.parts) {
        (Parts::Sip(a_parts), Parts::Sip(b_parts)) => {
            same_text(a.user(), b.user())
                && same_text(a.password(), b.password())
                && equivalent_sip(a_parts, b_parts)
        }
        (
            Parts::Tel {
                number: a,
                params: a_params,
            },
            Parts::Tel {
                number: b,
                params: b_params,
            },
        ) => {
            dialled(a) == dialled(b)
                && same_values(a_params, b_params, |_| false)
                && same_values(b_params, a_params, |_| false)
        }
        (Parts::Opaque, Parts::Opaque) => a.text == b.text,
        _ => false,
    }
}

fn equivalent_sip(a: &SipParts, b: &SipParts) -> bool {
    let ignorable = |name: &str| {
        !NEVER_IGNORED
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
    };
    a.address == b.address
        && same_values(&a.params, &b.params, ignorable)
        && same_values(&b.params, &a.params, ignorable)
        && normal_headers(a) == normal_headers(b)
}

fn same_text(a: Option<&str>, b: Option<&str>) -> bool {
    a == b || a.map(normal) == b.map(normal)
}

/// Whether every parameter of `a` that may not be ignored has the same value in `b`. Of repeated
/// ones the first counts.
fn same_values(a: &Params, b: &Params, ignorable: impl Fn(&str) -> bool) -> bool {
    a.iter().all(|(name, _)| {
        if !b.contains(name) {
            return ignorable(name);
        }
        let folded = |value: Option<&str>| value.map(|value| normal(value).to_ascii_lowercase());
        folded(a.value(name)) == folded(b.value(name))
    })
}

/// Order does not matter, everything else does.
fn normal_headers(parts: &SipParts) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut headers: Vec<_> = parts
        .headers
        .iter()
        .map(|(name, value)| (normal(name).to_ascii_lowercase(), normal(value)))
        .collect();
    headers.sort();
    headers
}

/// Escapes resolved where that does not change the meaning: a reserved character and its escape
/// differ, any other character and its escape do not.
fn normal(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut normal = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match escape_at(bytes, at) {
            Some(byte) if b";/?:@&=+$,%".contains(&byte) => {
                normal.extend(bytes[at..at + 3].to_ascii_uppercase());
                at += 3;
            }
            Some(byte) => {
                normal.push(byte);
                at += 3;
            }
            None => {
                normal.push(bytes[at]);
                at += 1;
            }
        }
    }
    normal
}

/// The number without visual separators (RFC 3966, section 4).
fn dialled(number: &str) -> String {
    number
        .chars()
        .filter(|char| !matches!(char, '-' | '.' | '(' | ')'))
        .map(|char| char.to_ascii_lowercase())
        .collect()
}
