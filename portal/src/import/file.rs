//! A file of comma-separated values (RFC 4180) as programs write it: its encoding and its separator, said by the caller or recognised.

use std::borrow::Cow;

use api::{ImportEncoding, ImportSeparator};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// The text of a file and how it was read.
#[derive(Debug)]
pub(crate) struct Text<'a> {
    pub(crate) text: Cow<'a, str>,
    pub(crate) encoding: ImportEncoding,
}

/// Reads the bytes. What cannot be a character is replaced by U+FFFD.
pub(crate) fn decode(bytes: &[u8], said: Option<ImportEncoding>) -> Text<'_> {
    let marked = Encoding::for_bom(bytes).map(|(encoding, _)| encoding);
    let encoding = match said {
        None => marked.unwrap_or_else(|| guess(bytes)),
        Some(ImportEncoding::Utf8) => UTF_8,
        Some(ImportEncoding::Windows1252) => WINDOWS_1252,
        Some(ImportEncoding::Utf16) => marked
            .filter(|marked| *marked != UTF_8)
            .unwrap_or_else(|| utf_16(bytes).unwrap_or(UTF_16LE)),
    };
    // A mark of another encoding than the one that was said is no mark.
    let (text, _) = match marked == Some(encoding) {
        true => encoding.decode_with_bom_removal(bytes),
        false => encoding.decode_without_bom_handling(bytes),
    };
    let encoding = if encoding == UTF_8 {
        ImportEncoding::Utf8
    } else if encoding == WINDOWS_1252 {
        ImportEncoding::Windows1252
    } else {
        ImportEncoding::Utf16
    };
    Text { text, encoding }
}

fn guess(bytes: &[u8]) -> &'static Encoding {
    if let Some(encoding) = utf_16(bytes) {
        return encoding;
    }
    match std::str::from_utf8(bytes) {
        Ok(_) => UTF_8,
        Err(_) => WINDOWS_1252,
    }
}

/// In UTF-16 every other byte of a heading in a European language is 0.
fn utf_16(bytes: &[u8]) -> Option<&'static Encoding> {
    let start = &bytes[..bytes.len().min(64) & !1];
    let zeros = |at: usize| {
        start
            .iter()
            .skip(at)
            .step_by(2)
            .filter(|byte| **byte == 0)
            .count()
    };
    let (high_first, low_first) = (zeros(0), zeros(1));
    let many = start.len() / 4;
    if start.len() < 4 || high_first.max(low_first) <= many {
        return None;
    }
    Some(if high_first > low_first {
        UTF_16BE
    } else {
        UTF_16LE
    })
}

/// The separator that stands most often in the first line, outside of quotes.
pub(crate) fn separator(text: &str) -> ImportSeparator {
    let (mut quoted, mut counts) = (false, [0_usize; 3]);
    for symbol in text.trim_start_matches('\u{feff}').chars() {
        match symbol {
            '"' => quoted = !quoted,
            '\n' | '\r' if !quoted => break,
            ',' if !quoted => counts[0] += 1,
            ';' if !quoted => counts[1] += 1,
            '\t' if !quoted => counts[2] += 1,
            _ => {}
        }
    }
    let [commas, semicolons, tabs] = counts;
    if tabs > commas.max(semicolons) {
        ImportSeparator::Tab
    } else if semicolons > commas {
        ImportSeparator::Semicolon
    } else {
        ImportSeparator::Comma
    }
}

pub(crate) fn byte(separator: ImportSeparator) -> u8 {
    match separator {
        ImportSeparator::Comma => b',',
        ImportSeparator::Semicolon => b';',
        ImportSeparator::Tab => b'\t',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Vorname;Nachname\nJörg;Müller €\n";

    fn utf_16_of(text: &str, big: bool) -> Vec<u8> {
        let units = text.encode_utf16();
        units
            .flat_map(|unit| {
                if big {
                    unit.to_be_bytes()
                } else {
                    unit.to_le_bytes()
                }
            })
            .collect()
    }

    #[test]
    fn every_encoding_is_recognised_with_and_without_its_mark() {
        let windows = WINDOWS_1252.encode(TEXT).0.into_owned();
        for (bytes, encoding) in [
            (TEXT.as_bytes().to_vec(), ImportEncoding::Utf8),
            (format!("\u{feff}{TEXT}").into_bytes(), ImportEncoding::Utf8),
            (utf_16_of(TEXT, false), ImportEncoding::Utf16),
            (utf_16_of(TEXT, true), ImportEncoding::Utf16),
            (
                utf_16_of(&format!("\u{feff}{TEXT}"), false),
                ImportEncoding::Utf16,
            ),
            (
                utf_16_of(&format!("\u{feff}{TEXT}"), true),
                ImportEncoding::Utf16,
            ),
            (windows, ImportEncoding::Windows1252),
        ] {
            let read = decode(&bytes, None);
            assert_eq!((read.text.as_ref(), read.encoding), (TEXT, encoding));
            assert_eq!(decode(&bytes, Some(encoding)).text, TEXT, "{encoding:?}");
        }
    }

    #[test]
    fn what_is_said_counts_even_if_it_is_wrong() {
        let read = decode("ö".as_bytes(), Some(ImportEncoding::Windows1252));
        assert_eq!(read.text, "Ã¶");
        assert_eq!(
            decode(b"\xff\xfe\xfd", Some(ImportEncoding::Utf8)).text,
            "\u{fffd}\u{fffd}\u{fffd}"
        );
        assert_eq!(decode(b"", None).text, "");
    }

    #[test]
    fn the_separator_is_what_stands_most_often_between_the_headings() {
        for (text, expected) in [
            ("a,b;c,d\n;;;;", ImportSeparator::Comma),
            ("a;b;\"c,d,e,f\"", ImportSeparator::Semicolon),
            ("a\tb\tc", ImportSeparator::Tab),
            ("name", ImportSeparator::Comma),
        ] {
            assert_eq!(separator(text), expected, "{text}");
        }
    }
}
