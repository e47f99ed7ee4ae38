//! What can be read of a message without parsing it, for those who only sort messages.
//!
//! Not here: whether the message is well-formed ([`parse_message`](super::parse_message)).

/// The value of the first Call-ID field, in whatever form its name is written; `None` if there is none or if it is folded.
#[must_use]
pub fn peek_call_id(message: &[u8]) -> Option<&str> {
    let mut start = memchr::memchr(b'\n', message)? + 1;
    loop {
        let rest = message.get(start..)?;
        let length = memchr::memchr(b'\n', rest)?;
        match rest.first()? {
            b'\r' | b'\n' => return None,
            b'C' | b'c' | b'I' | b'i' => {
                if let Some(value) = call_id_of(&rest[..length]) {
                    return Some(value);
                }
            }
            _ => {}
        }
        start += length + 1;
    }
}

fn call_id_of(line: &[u8]) -> Option<&str> {
    let colon = memchr::memchr(b':', line)?;
    let name = line[..colon].trim_ascii_end();
    let is_call_id = name.eq_ignore_ascii_case(b"Call-ID") || name.eq_ignore_ascii_case(b"i");
    let value = std::str::from_utf8(line[colon + 1..].trim_ascii()).ok()?;
    (is_call_id && !value.is_empty()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_call_id_is_found_however_it_is_written() {
        for line in ["Call-ID: a@b", "i:a@b", "CALL-ID \t:  a@b ", "I : a@b"] {
            let text = format!("INVITE sip:x SIP/2.0\r\nCSeq: 1 INVITE\r\n{line}\r\nTo: y\r\n\r\n");
            assert_eq!(peek_call_id(text.as_bytes()), Some("a@b"), "{line}");
        }
    }

    #[test]
    fn what_is_not_a_header_field_is_not_looked_at() {
        for text in [
            "",
            "Call-ID: a\r\n\r\n",
            "SIP/2.0 200 OK\r\nCall-Info: a\r\n\r\nCall-ID: a\r\n",
            "SIP/2.0 200 OK\r\nCall-ID: a",
            "SIP/2.0 200 OK\r\nCall-ID:\r\n a\r\n\r\n",
        ] {
            assert_eq!(peek_call_id(text.as_bytes()), None, "{text}");
        }
    }
}
