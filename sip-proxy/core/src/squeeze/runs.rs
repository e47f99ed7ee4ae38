//! Rows of characters of a small alphabet, a few bits for each.

use crate::reader::Reader;

const BASE64_CHARS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const HEX_CHARS: &[u8; 16] = b"0123456789abcdef";

/// For a byte that is none of them.
const NO_VALUE: u8 = u8::MAX;

const BASE64_VALUES: [u8; 256] = values(BASE64_CHARS);
const HEX_VALUES: [u8; 256] = values(HEX_CHARS);

const fn values(chars: &[u8]) -> [u8; 256] {
    let mut values = [NO_VALUE; 256];
    let mut value: u8 = 0;
    while (value as usize) < chars.len() {
        values[chars[value as usize] as usize] = value;
        value += 1;
    }
    values
}

fn base64_value(byte: u8) -> u8 {
    BASE64_VALUES[usize::from(byte)]
}

fn hex_value(byte: u8) -> u8 {
    HEX_VALUES[usize::from(byte)]
}

pub(super) fn is_base64(byte: u8) -> bool {
    base64_value(byte) != NO_VALUE
}

pub(super) fn is_hex(byte: u8) -> bool {
    hex_value(byte) != NO_VALUE
}

pub(super) fn put_hex(text: &[u8], out: &mut Vec<u8>) {
    out.extend(text.chunks(2).map(|pair| {
        let low = pair.get(1).map_or(0, |low| hex_value(*low));
        hex_value(pair[0]) << 4 | low
    }));
}

pub(super) fn put_base64(text: &[u8], out: &mut Vec<u8>) {
    for four in text.chunks(4) {
        let value = |at: usize| four.get(at).map_or(0, |byte| base64_value(*byte));
        let [a, b, c, d] = [value(0), value(1), value(2), value(3)];
        let bytes = [a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d];
        out.extend(&bytes[..base64_bytes(four.len())]);
    }
}

/// Bytes that so many characters of six bits take.
fn base64_bytes(chars: usize) -> usize {
    (chars * 6).div_ceil(8)
}

pub(super) fn take_hex(from: &mut Reader<'_>, len: usize, out: &mut Vec<u8>) -> Option<()> {
    let bytes = from.bytes(len.div_ceil(2))?;
    let char = |value: u8| HEX_CHARS[usize::from(value & 15)];
    let end = out.len() + len;
    out.extend(bytes.iter().flat_map(|byte| [char(byte >> 4), char(*byte)]));
    out.truncate(end);
    Some(())
}

pub(super) fn take_base64(from: &mut Reader<'_>, len: usize, out: &mut Vec<u8>) -> Option<()> {
    let bytes = from.bytes(base64_bytes(len))?;
    let char = |value: u8| BASE64_CHARS[usize::from(value & 63)];
    let end = out.len() + len;
    let (threes, rest) = bytes.as_chunks::<3>();
    let four = |&[a, b, c]: &[u8; 3]| {
        [
            char(a >> 2),
            char(a << 4 | b >> 4),
            char(b << 2 | c >> 6),
            char(c),
        ]
    };
    out.extend(threes.iter().flat_map(four));
    if let Some(&a) = rest.first() {
        out.extend(four(&[a, rest.get(1).copied().unwrap_or(0), 0]));
    }
    out.truncate(end);
    Some(())
}
