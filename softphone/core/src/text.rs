//! Texts from the network on their way to a person.
//!
//! Names and reasons come from strangers. A terminal would obey escape sequences in them, and
//! characters that change the writing direction make a name look like another.

/// `text` as one line of at most `limit` characters, with everything visible that could hide.
///
/// Control characters, line separators, direction marks and invisible characters become `\u{…}`;
/// what is cut off is marked by `…`.
#[must_use]
pub fn plain_text(text: &str, limit: usize) -> String {
    let mut plain = String::with_capacity(text.len().min(limit));
    for (count, character) in text.chars().enumerate() {
        if count == limit {
            plain.push('…');
            break;
        }
        if is_deceptive(character) {
            plain.extend(character.escape_unicode());
        } else {
            plain.push(character);
        }
    }
    plain
}

fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{00ad}'
                | '\u{061c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_direction_marks_become_visible() {
        assert_eq!(plain_text("Ann \u{1b}[31mred", 40), "Ann \\u{1b}[31mred");
        assert_eq!(
            plain_text("a\u{202e}b\u{200b}c\r\nd\u{9b}", 40),
            "a\\u{202e}b\\u{200b}c\\u{d}\\u{a}d\\u{9b}"
        );
        assert_eq!(plain_text("Zoë Müller 字", 40), "Zoë Müller 字");
    }

    #[test]
    fn long_texts_are_cut_and_say_so() {
        assert_eq!(plain_text("abcdef", 6), "abcdef");
        assert_eq!(plain_text("abcdefg", 6), "abcdef…");
    }
}
