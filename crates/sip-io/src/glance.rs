//! What raw bytes say before anybody parses them: enough to rank a message and to find its shard.
//!
//! Reads line by line and believes nothing: a wrong glance costs the sender his place in the
//! queue, never anybody else anything. Linear in the head, which ends at the first blank line.

use std::hash::{DefaultHasher, Hasher};
use std::iter::from_fn;

use memchr::memchr;

/// Lines of a head that are looked at; more than any honest message has.
const MAX_LINES: usize = 128;

/// A message at first sight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Glance<'a> {
    pub(crate) is_response: bool,
    /// Whether there is an Authorization or a Proxy-Authorization.
    pub(crate) has_credentials: bool,
    pub(crate) call_id: Option<&'a [u8]>,
}

/// Looks at the head of `message`.
pub(crate) fn glance(message: &[u8]) -> Glance<'_> {
    let mut glance = Glance {
        is_response: message.starts_with(b"SIP/2.0 "),
        ..Glance::default()
    };
    for line in lines(message) {
        if line.is_empty() && glance.call_id.is_some() {
            break;
        }
        match line.first() {
            Some(b'a' | b'A' | b'p' | b'P') => glance.has_credentials |= is_credentials(line),
            Some(b'c' | b'C' | b'i' | b'I') if glance.call_id.is_none() => {
                glance.call_id = call_id_in(line);
            }
            _ => {}
        }
    }
    glance
}

/// The Call-ID alone.
pub(crate) fn call_id(message: &[u8]) -> Option<&[u8]> {
    lines(message).find_map(call_id_in)
}

fn lines(message: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(message);
    let next = move || {
        let from = rest?;
        let line = match memchr(b'\n', from) {
            Some(end) => {
                rest = Some(&from[end + 1..]);
                &from[..end]
            }
            None => {
                rest = None;
                from
            }
        };
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    };
    from_fn(next).take(MAX_LINES)
}

fn is_credentials(line: &[u8]) -> bool {
    value(line, b"Authorization").is_some() || value(line, b"Proxy-Authorization").is_some()
}

fn call_id_in(line: &[u8]) -> Option<&[u8]> {
    value(line, b"Call-ID").or_else(|| value(line, b"i"))
}

/// The value of the header field `name`, if `line` is one.
fn value<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (start, rest) = line.split_at_checked(name.len())?;
    if !start.eq_ignore_ascii_case(name) {
        return None;
    }
    let value = rest.trim_ascii_start().strip_prefix(b":")?;
    Some(value.trim_ascii())
}

/// The [`Selector`](crate::Selector) by which all messages with the same Call-ID meet in one shard.
#[must_use]
pub fn by_call_id(message: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(call_id(message).unwrap_or_default());
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glance_finds_credentials_and_the_call_however_they_are_written() {
        for (message, expected) in [
            (
                "REGISTER sip:a SIP/2.0\r\nCall-ID: x@y\r\nAuthorization: Digest\r\n\r\n",
                (true, Some("x@y")),
            ),
            (
                "INVITE sip:a SIP/2.0\r\ni:x\r\nproxy-AUTHORIZATION \t: Digest\r\n\r\n",
                (true, Some("x")),
            ),
            (
                "INVITE sip:a SIP/2.0\r\ncall-id :  x \r\n\r\nAuthorization: Digest\r\n",
                (false, Some("x")),
            ),
            (
                "INVITE sip:a SIP/2.0\r\nAuthorizations: x\r\nIn-Reply-To: y\r\nCall-Info: z\r\n\r\n",
                (false, None),
            ),
            ("\r\n\r\n", (false, None)),
            ("", (false, None)),
        ] {
            let seen = glance(message.as_bytes());
            let call_id = seen.call_id.map(|id| str::from_utf8(id).unwrap());
            assert_eq!((seen.has_credentials, call_id), expected, "{message:?}");
            assert_eq!(super::call_id(message.as_bytes()), seen.call_id);
        }
        assert!(glance(b"SIP/2.0 200 OK\r\ni: x\r\n\r\n").is_response);
    }

    #[test]
    fn requests_and_responses_of_a_call_have_the_same_selection() {
        let request = by_call_id(b"BYE sip:a SIP/2.0\r\nVia: v\r\nCall-ID: one\r\n\r\n");
        assert_eq!(by_call_id(b"SIP/2.0 200 OK\r\ni: one\r\n\r\n"), request);
        assert_ne!(by_call_id(b"SIP/2.0 200 OK\r\ni: two\r\n\r\n"), request);
    }
}
