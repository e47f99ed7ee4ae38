//! Telephone numbers as people write them in a search.

/// What to look for if somebody has written a number, in whatever form: without separators, and without what is dialled before it, since
/// numbers are kept with their country code. `None` if it is no number.
pub(crate) fn part_of_number(search: &str) -> Option<String> {
    let search = search.trim().replace("(0)", "");
    let is_part = |c: char| c.is_ascii_digit() || "+-./() \u{a0}".contains(c);
    if !search.chars().all(is_part) {
        return None;
    }
    let digits: String = search.chars().filter(char::is_ascii_digit).collect();
    let national = digits.trim_start_matches('0');
    let part = if national.is_empty() {
        digits.as_str()
    } else {
        national
    };
    (!part.is_empty()).then(|| part.to_owned())
}

#[cfg(test)]
mod tests {
    use super::part_of_number;

    #[test]
    fn a_number_is_found_however_it_is_written() {
        for (written, part) in [
            ("0174 44", "17444"),
            ("+49 (0)174/44-8", "49174448"),
            ("0049174", "49174"),
            (" (030) 12.34 ", "301234"),
            ("00", "00"),
        ] {
            assert_eq!(part_of_number(written).as_deref(), Some(part), "{written}");
        }
        for text in ["", " ", "+", "-", "12a", "room 12"] {
            assert_eq!(part_of_number(text), None, "{text}");
        }
    }
}
