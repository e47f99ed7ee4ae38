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
    for (chunk, digits) in bytes.chunks(3).zip(text.chunks_mut(4)) {
        let mut group = [0; 3];
        group[..chunk.len()].copy_from_slice(chunk);
        let [a, b, c] = group;
        let written = [
            a >> 2,
            (a & 3) << 4 | b >> 4,
            (b & 15) << 2 | c >> 6,
            c & 63,
        ];
        for (digit, value) in digits.iter_mut().zip(written) {
            *digit = ALPHABET[usize::from(value)];
        }
    }
}

/// The bytes of `text` at the start of `into`, and how many they are; `None` if the text is not
/// what [`encode`] writes, or too long.
pub(crate) fn decode<'a>(text: &str, into: &'a mut [u8]) -> Option<&'a [u8]> {
    let mut len = 0;
    for chunk in text.as_bytes().chunks(4) {
        let mut digits = [0; 4];
        for (digit, byte) in digits.iter_mut().zip(chunk) {
            *digit = VALUES[usize::from(*byte)];
        }
        let [a, b, c, d] = digits;
        // No digit has the bit that stands for none.
        if (a | b | c | d) & 0x80 != 0 {
            return None;
        }
        let group = [a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d];
        // The bits that stand for no whole byte must be zero.
        let (count, rest) = match chunk.len() {
            4 => (3, 0),
            3 => (2, group[2]),
            2 => (1, group[1]),
            _ => return None,
        };
        if rest != 0 {
            return None;
        }
        into.get_mut(len..len + count)?
            .copy_from_slice(&group[..count]);
        len += count;
    }
    Some(&into[..len])
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
    fn only_the_canonical_text_is_read() {
        for text in [
            "Z", "Zh", "Zm9", "Zg==", "Zm+v", "Zm9vY", "Zg\u{e9}", "Zm 9",
        ] {
            assert_eq!(decode(text, &mut [0; 8]), None, "{text}");
        }
        assert_eq!(decode("Zm9v", &mut [0; 2]), None);
    }
}
