//! Bytes as text that may stand in a quoted string and in the user part of a URI (RFC 4648,
//! section 5, without padding). One text for each value: what is not canonical is not read, so a
//! signed text has no second spelling.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// What stands for no digit.
const NONE: u8 = 0xFF;

/// What each byte of a text stands for.
const VALUES: [u8; 256] = {
    let mut values = [NONE; 256];
    let mut value: u8 = 0;
    while value < 64 {
        values[ALPHABET[value as usize] as usize] = value;
        value += 1;
    }
    values
};

/// The text of `bytes`.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = vec![0; (bytes.len() * 4).div_ceil(3)];
    write(bytes, &mut text);
    String::from_utf8(text).unwrap_or_default()
}

/// Fills `text` with the text of `bytes`.
pub(crate) fn write(bytes: &[u8], text: &mut [u8]) {
    let (groups, rest) = bytes.as_chunks();
    let (written, last) = text.split_at_mut(groups.len() * 4);
    for (group, digits) in groups.iter().zip(written.as_chunks_mut().0) {
        *digits = digits_of(*group);
    }
    let mut group = [0; 3];
    group[..rest.len()].copy_from_slice(rest);
    last.copy_from_slice(&digits_of(group)[..last.len()]);
}

fn digits_of([a, b, c]: [u8; 3]) -> [u8; 4] {
    let digit = |value: u8| ALPHABET[usize::from(value)];
    [
        digit(a >> 2),
        digit((a & 3) << 4 | b >> 4),
        digit((b & 15) << 2 | c >> 6),
        digit(c & 63),
    ]
}

/// The bytes of `text` at the start of `into`, and how many they are; `None` if the text is not
/// what [`encode`] writes, or too long.
pub(crate) fn decode<'a>(text: &str, into: &'a mut [u8]) -> Option<&'a [u8]> {
    let (groups, last) = text.as_bytes().as_chunks();
    let into = into.get_mut(..text.len() * 3 / 4)?;
    let (whole, rest) = into.split_at_mut(groups.len() * 3);
    for (digits, bytes) in groups.iter().zip(whole.as_chunks_mut().0) {
        *bytes = group_of(*digits)?;
    }
    // One digit is less than a byte.
    if last.len() == 1 {
        return None;
    }
    let mut digits = [b'A'; 4];
    digits[..last.len()].copy_from_slice(last);
    let group = group_of(digits)?;
    let (bytes, beyond) = group.split_at(rest.len());
    rest.copy_from_slice(bytes);
    // The bits that stand for no whole byte must be zero.
    beyond.iter().all(|byte| *byte == 0).then_some(into)
}

fn group_of(digits: [u8; 4]) -> Option<[u8; 3]> {
    let value = |at: usize| VALUES[usize::from(digits[at])];
    let (a, b, c, d) = (value(0), value(1), value(2), value(3));
    // No digit has the bit that stands for none.
    let is_read = (a | b | c | d) & 0x80 == 0;
    is_read.then_some([a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_of_rfc_4648_come_out_without_padding() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(decode(text, &mut [0; 6]), Some(bytes.as_bytes()));
        }
        assert_eq!(encode(&[0xfb, 0xff]), "-_8");
    }

    #[test]
    fn bytes_of_any_number_come_back() {
        let bytes: Vec<u8> = (0..=255).map(|byte: u8| byte.wrapping_mul(89)).collect();
        for len in 0..bytes.len() {
            let text = encode(&bytes[..len]);
            assert_eq!(decode(&text, &mut [0; 256]), Some(&bytes[..len]));
            assert_eq!(decode(&text, &mut vec![0; len]), Some(&bytes[..len]));
            assert_eq!(
                decode(&text, &mut vec![0; len.saturating_sub(1)]).is_some(),
                len == 0
            );
        }
    }

    #[test]
    fn only_the_canonical_text_is_read() {
        for text in [
            "A", "Z", "Zm9vA", "Zh", "Zm9", "Zg==", "Zm+v", "Zm9vY", "Zg\u{e9}", "Zm 9",
        ] {
            assert_eq!(decode(text, &mut [0; 8]), None, "{text}");
        }
        assert_eq!(decode("Zm9v", &mut [0; 2]), None);
    }
}
