//! The lexical ground that all header fields share: tokens, quoted strings, lists
//! (RFC 3261, section 25.1).
//!
//! Everything here works on text that is unfolded already and never panics.

use std::borrow::Cow;

use crate::params::Params;

/// `text` without blanks at its ends.
pub(crate) fn trim(text: &str) -> &str {
    let mut text = trim_start(text);
    while let [rest @ .., b' ' | b'\t'] = text.as_bytes() {
        text = &text[..rest.len()];
    }
    text
}

/// `text` without blanks at its start.
pub(crate) fn trim_start(mut text: &str) -> &str {
    while let [b' ' | b'\t', ..] = text.as_bytes() {
        text = &text[1..];
    }
    text
}

/// Which bytes are of one kind.
pub(crate) type Kind = [bool; 256];

/// How many of the first bytes are such; in a text they must be ASCII or all that are not.
pub(crate) fn run(bytes: &[u8], such: &Kind) -> usize {
    let mut len = 0;
    // Four by four: most runs are longer, and this is where reading a message spends its time.
    for four in bytes.as_chunks::<4>().0 {
        if !four
            .iter()
            .fold(true, |all, byte| all & such[usize::from(*byte)])
        {
            break;
        }
        len += 4;
    }
    while bytes.get(len).is_some_and(|byte| such[usize::from(*byte)]) {
        len += 1;
    }
    len
}

/// Which bytes may stand in a token.
const TOKEN: Kind = {
    let mut table = [false; 256];
    let mut byte: u8 = 0;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~'
            );
        byte += 1;
    }
    table
};

/// Whether `text` is a token: not empty, and nothing else in it.
pub(crate) fn is_token(text: &str) -> bool {
    is_token_bytes(text.as_bytes())
}

/// Whether the bytes are a token.
pub(crate) fn is_token_bytes(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|byte| TOKEN[usize::from(*byte)])
}

/// How long the token at the start is; zero if there is none.
pub(crate) fn token_len(bytes: &[u8]) -> usize {
    let end = bytes.iter().position(|byte| !TOKEN[usize::from(*byte)]);
    end.unwrap_or(bytes.len())
}

/// Which bytes may stand in a value that is no quoted string.
const VALUE: Kind = all_but(b" \t\",<>");

/// Which of them do not end a parameter.
const PARAM_VALUE: Kind = all_but(b" \t\",<>;");

pub(crate) const fn all_but(stops: &[u8]) -> Kind {
    let mut table = [true; 256];
    let mut at = 0;
    while at < stops.len() {
        table[stops[at] as usize] = false;
        at += 1;
    }
    table
}

/// How long the value at the start of `text` is that is no quoted string; zero if there is none.
pub(crate) fn value_len(text: &str) -> usize {
    run(text.as_bytes(), &VALUE)
}

/// The length of the parameter value at the start of `text`: a quoted string, or a run of anything but semicolons, blanks, quotes
/// and commas. Wider than the grammar, because real parameters hold slashes, colons and at-signs. `None` if there is none.
pub(crate) fn param_value_len(text: &str) -> Option<usize> {
    if text.starts_with('"') {
        return quoted_len(text);
    }
    Some(run(text.as_bytes(), &PARAM_VALUE)).filter(|len| *len > 0)
}

/// The length of the quoted string at the start of `text`, both quotes counted; `None` if it does
/// not end.
pub(crate) fn quoted_len(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    debug_assert!(bytes.first() == Some(&b'"'), "starts with a quote");
    let mut at = 1;
    while at < bytes.len() {
        at += memchr::memchr2(b'"', b'\\', &bytes[at..])?;
        if bytes[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
    None
}

/// Where the first of the two `stops` stands outside quotes: `Some(None)` if nowhere, `None` if a
/// quoted string does not end.
pub(crate) fn find_unquoted(text: &str, stops: [u8; 2]) -> Option<Option<usize>> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(found) = memchr::memchr3(stops[0], stops[1], b'"', &bytes[at..]) {
        at += found;
        if bytes[at] != b'"' {
            return Some(Some(at));
        }
        at += quoted_len(&text[at..])?;
    }
    Some(None)
}

/// The elements of a comma list, trimmed; commas in quotes and in `<…>` do not separate. `None`
/// where a quote or a bracket does not end. An empty text is a list of no elements.
pub(crate) fn elements(text: &str) -> impl Iterator<Item = Option<&str>> {
    let mut rest = Some(trim(text)).filter(|text| !text.is_empty());
    std::iter::from_fn(move || {
        let text = rest.take()?;
        let Some(comma) = find_list_comma(text) else {
            return Some(None);
        };
        rest = comma.map(|at| &text[at + 1..]);
        Some(Some(trim(&text[..comma.unwrap_or(text.len())])))
    })
}

/// Where the first element of a comma list ends.
pub(crate) fn find_list_comma(text: &str) -> Option<Option<usize>> {
    let mut from = 0;
    loop {
        let Some(at) = find_unquoted(&text[from..], [b',', b'<'])?.map(|at| at + from) else {
            return Some(None);
        };
        if text.as_bytes()[at] == b',' {
            return Some(Some(at));
        }
        from = at + text[at..].find('>')? + 1;
    }
}

/// The first element of a comma list, trimmed, and what stands behind it; `None` where a quote or a
/// bracket does not end.
pub(crate) fn split_first(value: &str) -> Option<(&str, &str)> {
    Some(match find_list_comma(value)? {
        Some(at) => (trim(&value[..at]), &value[at..]),
        None => (value, ""),
    })
}

/// The text that a quoted string stands for; any other text as it is.
pub(crate) fn unquote(value: &str) -> Cow<'_, str> {
    let Some(inner) = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    else {
        return Cow::Borrowed(value);
    };
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut text = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => text.extend(chars.next()),
            other => text.push(other),
        }
    }
    Cow::Owned(text)
}

/// `text` as a quoted string. Line ends become spaces: they cannot be escaped.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    push_quoted(text, &mut quoted);
    quoted
}

/// Adds `text` as [`quote`] writes it.
pub(crate) fn push_quoted(text: &str, out: &mut String) {
    out.push('"');
    let is_special = |byte: u8| matches!(byte, b'"' | b'\\' | b'\r' | b'\n');
    if text.bytes().any(is_special) {
        for char in text.chars() {
            match char {
                '"' | '\\' => out.extend(['\\', char]),
                '\r' | '\n' => out.push(' '),
                other => out.push(other),
            }
        }
    } else {
        out.push_str(text);
    }
    out.push('"');
}

/// A decimal number; a value too large for the field is the largest that fits
/// (RFC 4475, section 3.1.2.4). `None` if it is no number.
pub(crate) fn saturating_u32(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u32::MAX))
}

/// A decimal number that must fit: one that names something, not one that measures.
pub(crate) fn exact_u32(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}

/// What stands before the first semicolon, trimmed, and the parameters behind it.
pub(crate) fn split_params(text: &str) -> Option<(&str, Params)> {
    let (value, params) = text.split_at(text.find(';').unwrap_or(text.len()));
    Some((trim(value), Params::parse_header(params)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split_list(text: &str) -> Option<Vec<&str>> {
        elements(text).collect()
    }

    #[test]
    fn commas_in_quotes_and_brackets_do_not_separate() {
        assert_eq!(
            split_list("\"a, \\\"b\" <sip:x,y@h> , c;d=\",\""),
            Some(vec!["\"a, \\\"b\" <sip:x,y@h>", "c;d=\",\""]),
        );
        assert_eq!(split_list(" "), Some(vec![]));
        assert_eq!(split_list("a,,b"), Some(vec!["a", "", "b"]));
        assert_eq!(split_list("\"a"), None);
        assert_eq!(split_list("<a"), None);
        assert_eq!(split_list("\"a\\"), None);
    }

    #[test]
    fn quoting_and_unquoting_are_inverse() {
        for text in ["", "plain", "a \"b\" \\ c", "\u{e9}"] {
            assert_eq!(unquote(&quote(text)), text);
        }
        assert_eq!(unquote("bare"), "bare");
        assert_eq!(unquote("\"\\"), "\"\\");
    }

    #[test]
    fn large_numbers_saturate() {
        assert_eq!(saturating_u32("0068"), Some(68));
        assert_eq!(saturating_u32("99999999999999999999"), Some(u32::MAX));
        assert_eq!(saturating_u32("-1"), None);
        assert_eq!(saturating_u32(""), None);
    }
}
