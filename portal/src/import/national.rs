//! Telephone numbers as people write them at home, without the code of their country (ITU-T E.123, section 2), read with the metadata of
//! libphonenumber.
//!
//! | written | in | kept |
//! |---|---|---|
//! | `030 1234567` | Germany | `+49301234567`: the trunk prefix goes |
//! | `06 1234567` | Italy | `+39061234567`: the 0 belongs to the number |
//! | `(415) 555-0132` | the United States | `+14155550132` |
//! | `0043 1 234567` | Germany | `+431234567`: the international prefix goes |
//! | `+49 (0)30 1234567` | anywhere | `+49301234567` |
//! | `1234567` | Germany | nothing: the area code is missing |

use phonenumber::{Mode, country};

use crate::validate::separates_digits;

/// A country of ISO 3166-1.
pub(crate) type Country = country::Id;

/// The number cannot be one of the country with its area code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoAreaCode;

/// The number in E.164. `country` is where it is if it says nothing. What says its country already, or has other signs than numbers have, is
/// left as it is unless it is a number of some country's plan; whether it is a number at all is not asked here.
///
/// # Errors
///
/// [`NoAreaCode`] for a number without the code of its country that is none in `country`.
pub(crate) fn with_country_code(
    written: &str,
    country: Option<Country>,
) -> Result<String, NoAreaCode> {
    let written = written.trim();
    let is_international = written.starts_with('+');
    let digits = written.strip_prefix('+').unwrap_or(written);
    let are_digits = digits
        .chars()
        .all(|sign| sign.is_ascii_digit() || separates_digits(sign));
    if !are_digits || (country.is_none() && !is_international) {
        return Ok(written.to_owned());
    }
    // What is dialled at home has no meaning in a number that says its country.
    match phonenumber::parse(country.filter(|_| !is_international), written) {
        Ok(number) if number.is_valid() => Ok(number.format().mode(Mode::E164).to_string()),
        _ if is_international => Ok(written.to_owned()),
        _ => Err(NoAreaCode),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(written: &str, country: &str) -> Option<String> {
        with_country_code(written, Some(country.parse().unwrap())).ok()
    }

    #[test]
    fn a_number_gets_the_code_of_its_country_without_what_is_dialled_only_at_home() {
        for (written, country, number) in [
            ("030 1234567", "DE", "+49301234567"),
            ("(030) 123-45.67", "DE", "+49301234567"),
            ("0172/1234567", "DE", "+491721234567"),
            ("0043 1 234567", "DE", "+431234567"),
            // A spreadsheet took the 0 away.
            ("301234567", "DE", "+49301234567"),
            ("06 1234567", "IT", "+39061234567"),
            ("347 1234567", "IT", "+393471234567"),
            ("07 12 34 56 78", "CI", "+2250712345678"),
            ("01 23 45 67 89", "FR", "+33123456789"),
            ("020 7946 0123", "GB", "+442079460123"),
            ("612 345 678", "ES", "+34612345678"),
            ("(415) 555-0132", "US", "+14155550132"),
            ("1-415-555-0132", "CA", "+14155550132"),
            ("011 49 30 1234567", "US", "+49301234567"),
            ("8 (495) 123-45-67", "RU", "+74951234567"),
            ("(495) 123-45-67", "RU", "+74951234567"),
            ("06 1 234 5678", "HU", "+3612345678"),
            ("0011 49 30 1234567", "AU", "+49301234567"),
            ("02 9374 4000", "AU", "+61293744000"),
            ("03\u{a0}1234 5678", "JP", "+81312345678"),
        ] {
            assert_eq!(kept(written, country).as_deref(), Some(number), "{written}");
        }
    }

    #[test]
    fn a_number_without_its_area_code_is_not_guessed_at() {
        for (written, country) in [
            ("1234567", "DE"),
            ("555-0132", "US"),
            ("0301234567", "ES"),
            ("00 11 1234-5678", "BR"),
        ] {
            assert_eq!(kept(written, country), None, "{written}");
        }
    }

    #[test]
    fn a_number_that_says_its_country_stays_but_for_a_bracketed_zero() {
        for (written, number) in [
            ("+43 1 234567", "+431234567"),
            (" +49 (0)30 1234567", "+49301234567"),
            // A range that the metadata do not have.
            ("+49 1 2345", "+49 1 2345"),
            ("+39 (0)6 1234567", "+39061234567"),
        ] {
            assert_eq!(kept(written, "FR").as_deref(), Some(number));
            assert_eq!(with_country_code(written, None).as_deref(), Ok(number));
        }
        assert_eq!(
            with_country_code("030 1234567", None).as_deref(),
            Ok("030 1234567"),
            "nobody said where it is"
        );
    }

    #[test]
    fn nothing_that_a_file_can_hold_stops_the_reading() {
        let odd = ["", "+", "++49", "(", "--- /", "\u{a0}", "+(0)", "00", "+0"];
        let long = [16, 17, 20, 21, 40, 1_000].map(|length| "9".repeat(length));
        let written = odd.map(str::to_owned).into_iter().chain(long.clone());
        for written in written.chain(long.map(|digits| format!("+49{digits}"))) {
            for country in [None, Some("DE"), Some("US"), Some("IT"), Some("RU")] {
                let country = country.map(|country| country.parse().unwrap());
                let kept = with_country_code(&written, country);
                assert!(
                    kept.is_err() || kept == Ok(written.trim().to_owned()),
                    "{written}"
                );
            }
        }
    }

    #[test]
    fn what_has_other_signs_is_left_for_the_check_of_numbers() {
        for written in ["ask at 030 1234567", "030 1234567 ext. 5"] {
            assert_eq!(kept(written, "DE").as_deref(), Some(written));
        }
    }
}
