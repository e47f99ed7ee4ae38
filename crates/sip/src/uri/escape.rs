//! `%HH` escapes and the characters that need them (RFC 3261, section 25.1).

use std::borrow::Cow;

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')'
        )
}

/// What a user part may hold without an escape.
pub(super) fn is_user_byte(byte: u8) -> bool {
    is_unreserved(byte) || matches!(byte, b'&' | b'=' | b'+' | b'$' | b',' | b';' | b'?' | b'/')
}

/// What a parameter may hold without an escape.
pub(super) fn is_param_byte(byte: u8) -> bool {
    is_unreserved(byte) || matches!(byte, b'[' | b']' | b'/' | b':' | b'&' | b'+' | b'$')
}

/// What a header of a URI may hold without an escape.
pub(super) fn is_header_byte(byte: u8) -> bool {
    is_unreserved(byte) || matches!(byte, b'[' | b']' | b'/' | b'?' | b':' | b'+' | b'$')
}

/// `text` with every byte escaped that is not `plain`.
pub(super) fn escape(text: &str, plain: fn(u8) -> bool) -> String {
    escape_bytes(text.bytes(), plain)
}

fn escape_bytes(bytes: impl Iterator<Item = u8>, plain: fn(u8) -> bool) -> String {
    let mut escaped = String::new();
    for byte in bytes {
        if plain(byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

/// Adds the shortest legal spelling of a user part: only what must be escaped is.
pub(crate) fn push_canonical_user(user: &str, out: &mut String) {
    match user.bytes().all(is_user_byte) {
        true => out.push_str(user),
        false => out.push_str(&escape_bytes(
            unescape_bytes(user).into_iter(),
            is_user_byte,
        )),
    }
}

/// Resolves `%HH` escapes once; a `%` that starts none stays.
pub(super) fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    Cow::Owned(String::from_utf8_lossy(&unescape_bytes(text)).into_owned())
}

fn unescape_bytes(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match escape_at(bytes, at) {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    decoded
}

/// The byte that the escape at this place stands for, if one starts there.
pub(super) fn escape_at(bytes: &[u8], at: usize) -> Option<u8> {
    let [b'%', high, low] = *bytes.get(at..at + 3)? else {
        return None;
    };
    let digit = |byte: u8| u8::try_from(char::from(byte).to_digit(16)?).ok();
    Some(digit(high)? * 16 + digit(low)?)
}
