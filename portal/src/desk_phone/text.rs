//! What people have typed, made harmless for files of lines and of XML.

/// On one line: what could end it, or is no sign at all, becomes a space.
pub(super) fn one_line(text: &str) -> String {
    let sign = |sign: char| match sign {
        '\u{2028}' | '\u{2029}' | '\u{FFFE}' | '\u{FFFF}' => ' ',
        sign if sign.is_control() => ' ',
        sign => sign,
    };
    text.chars().map(sign).collect()
}

/// As the text of an element or in the quotes of an attribute (XML 1.0 section 2.4), on one line.
pub(super) fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for sign in one_line(text).chars() {
        match sign {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            sign => escaped.push(sign),
        }
    }
    escaped
}
