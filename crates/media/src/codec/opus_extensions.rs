//! Deep redundancy in the padding of an Opus packet, told without decoding it (draft-ietf-mlcodec-opus-extension,
//! draft-ietf-mlcodec-opus-dred).
//!
//! Not here: the frames of a packet (`opus_packet`), what is made of it (`opus`).

use super::opus_packet::split_padding;

/// The number of the extension with deep redundancy, until one is assigned, and how its data begins then: the
/// version that `libopus` 1.6 reads.
const DEEP_REDUNDANCY: u8 = 126;
const EXPERIMENTAL: [u8; 2] = [b'D', 12];
/// Extensions of this number and above have data of any length, those below it of one byte or none.
const FIRST_LONG: u8 = 32;
/// Fills room; the extensions of the next frame follow; those before it count for the next frames too.
const PADDING: u8 = 0;
const REPEAT: u8 = 2;

/// Whether the padding of a packet carries deep redundancy in the version that the library reads.
pub(super) fn has_deep_redundancy(payload: &[u8]) -> bool {
    padding(payload).is_some_and(|padding| {
        extensions(padding).any(|(number, data)| {
            let data = data.strip_prefix(&EXPERIMENTAL);
            number == DEEP_REDUNDANCY && data.is_some_and(|data| !data.is_empty())
        })
    })
}

/// The padding of a packet (RFC 6716 section 3.2.5).
fn padding(payload: &[u8]) -> Option<&[u8]> {
    let (&[toc, count], rest) = payload.split_first_chunk()?;
    let is_padded = toc & 0x03 == 3 && count & 0x40 != 0;
    is_padded
        .then(|| split_padding(rest))?
        .map(|(_, padding)| padding)
}

/// Number and data of each extension, up to the first that is malformed or repeats others, which no sender of
/// single frames does.
fn extensions(mut rest: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let (&first, after) = rest.split_first()?;
        let (number, has_len) = (first >> 1, first & 1 == 1);
        let (data, after) = match (number, has_len) {
            (REPEAT, _) => return None,
            (PADDING, true) => after.split_at(0),
            (PADDING | FIRST_LONG.., false) => after.split_at(after.len()),
            (FIRST_LONG.., true) => {
                let extra = after.iter().take_while(|&&len| len == 255).count();
                let last = usize::from(*after.get(extra)?);
                after[extra + 1..].split_at_checked(255 * extra + last)?
            }
            _ => after.split_at_checked(usize::from(has_len))?,
        };
        rest = after;
        Some((number, data))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hybrid, full band, 20 ms, mono.
    const TOC: u8 = 15 << 3;

    /// A packet with this padding.
    fn with(padding: &[u8]) -> Vec<u8> {
        let len = u8::try_from(padding.len()).unwrap();
        [&[TOC | 3, 0x41, len, 7, 7, 7][..], padding].concat()
    }

    #[test]
    fn deep_redundancy_is_found_among_other_extensions() {
        for padding in [
            &[252, b'D', 12, 1, 2, 3][..],
            &[253, 3, b'D', 12, 1, 0, 0],
            &[1, 1, 1, 252, b'D', 12, 1],
            &[10, 21, 9, 65, 2, 9, 9, 252, b'D', 12, 1],
        ] {
            assert!(has_deep_redundancy(&with(padding)), "{padding:x?}");
        }
        let long = [&[65, 255, 1][..], &[9; 256], &[252, b'D', 12, 1]].concat();
        let long_padding = [&[TOC | 3, 0x41, 255, 9, 7][..], &long].concat();
        assert_eq!(long.len(), 254 + 9);
        assert!(has_deep_redundancy(&long_padding));
    }

    #[test]
    fn other_versions_other_padding_and_no_padding_are_no_deep_redundancy() {
        for padding in [
            &[][..],
            &[0, 0, 0, 0],
            &[252, b'D', 11, 1],
            &[252, b'D', 12],
            &[250, b'D', 12, 1],
            &[253, 9, b'D', 12, 1],
            &[64, 252, b'D', 12, 1],
            &[0, 252, b'D', 12, 1],
            &[4, 252, b'D', 12, 1],
        ] {
            assert!(!has_deep_redundancy(&with(padding)), "{padding:x?}");
        }
        let unpadded = [TOC | 3, 1, 252, b'D', 12, 1];
        let short = [TOC | 3, 0x41, 200, 252, b'D', 12, 1];
        for payload in [&[TOC, 252, b'D', 12, 1][..], &unpadded, &short, &[TOC | 3]] {
            assert!(!has_deep_redundancy(payload), "{payload:x?}");
        }
    }
}
