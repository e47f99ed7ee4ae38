//! Telephone numbers as people write them at home, without the code of their country (ITU-T E.123, section 2).
//!
//! | written | in | kept |
//! |---|---|---|
//! | `030 1234567` | Germany | `+49301234567`: the trunk prefix goes |
//! | `06 1234567` | Italy | `+39061234567`: the 0 belongs to the number |
//! | `(415) 555-0132` | the United States | `+14155550132` |
//! | `0043 1 234567` | Germany | `+431234567`: the international prefix goes |
//! | `+49 (0)30 1234567` | anywhere | `+49301234567` |
//! | `1234567` | Germany | nothing: the area code is missing, or a spreadsheet took the 0 away |

mod countries;

use countries::COUNTRIES;

use crate::validate::separates_digits;

/// What is dialled before a number within its country, and goes where its code stands (E.164, section 7.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trunk {
    /// Nothing is dialled before numbers, and none begins with 0.
    Absent,
    /// Nothing is dialled before numbers, and a 0 in front belongs to them.
    Kept,
    /// Stands before every number that has its area code.
    Always(&'static str),
    /// May be left out in writing.
    Optional(&'static str),
}

/// A country's way to write numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Country {
    /// ISO 3166-1 alpha-2.
    pub(crate) id: &'static str,
    calling_code: &'static str,
    trunk: Trunk,
    /// What is dialled before the code of another country; empty where this depends on the network.
    international: &'static str,
}

/// The number cannot be one of the country with its area code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoAreaCode;

/// The country with that code of ISO 3166-1 alpha-2.
pub(crate) fn find(id: &str) -> Option<&'static Country> {
    COUNTRIES.iter().find(|country| country.id == id)
}

/// The number with its country's code, its separators left as they are where it has one already. `country` is where it is if it says
/// nothing; without it nothing but a 0 in brackets changes. Whether the outcome is a number at all is not asked here.
pub(crate) fn with_country_code(
    written: &str,
    country: Option<&Country>,
) -> Result<String, NoAreaCode> {
    let written = written.trim();
    if written.starts_with('+') {
        return Ok(without_bracketed_zero(written));
    }
    match country {
        Some(country) => country.read(written),
        None => Ok(written.to_owned()),
    }
}

impl Country {
    fn read(&self, written: &str) -> Result<String, NoAreaCode> {
        let number: String = written
            .chars()
            .filter(|sign| !separates_digits(*sign))
            .collect();
        if !self.international.is_empty()
            && let Some(abroad) = number.strip_prefix(self.international)
        {
            return Ok(format!("+{abroad}"));
        }
        let significant = match self.trunk {
            Trunk::Kept => &number,
            Trunk::Absent => number.as_str(),
            Trunk::Always(prefix) => number.strip_prefix(prefix).ok_or(NoAreaCode)?,
            Trunk::Optional(prefix) => number.strip_prefix(prefix).unwrap_or(&number),
        };
        let is_local = self.calling_code == NORTH_AMERICA && significant.len() != NORTH_AMERICAN;
        if is_local || (self.trunk != Trunk::Kept && significant.starts_with('0')) {
            return Err(NoAreaCode);
        }
        Ok(format!("+{}{significant}", self.calling_code))
    }
}

/// The code of the countries whose numbers all have one length, with and without which people write their area code.
const NORTH_AMERICA: &str = "1";
const NORTH_AMERICAN: usize = 10;

/// `+49 (0)30` says both how to dial from abroad and at home; where a 0 in front is part of the number, it stays.
fn without_bracketed_zero(written: &str) -> String {
    let digits: String = written.chars().filter(char::is_ascii_digit).collect();
    let keeps_it = |country: &Country| {
        country.trunk == Trunk::Kept && digits.starts_with(country.calling_code)
    };
    if COUNTRIES.iter().any(keeps_it) {
        return written.to_owned();
    }
    written.replacen("(0)", "", 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::Fields;

    fn kept(written: &str, country: &str) -> Option<String> {
        with_country_code(written, Some(find(country).unwrap())).ok()
    }

    #[test]
    fn a_number_gets_the_code_of_its_country_without_what_is_dialled_only_at_home() {
        for (written, country, number) in [
            ("030 1234567", "DE", "+49301234567"),
            ("(030) 123-45.67", "DE", "+49301234567"),
            ("0172/1234567", "DE", "+491721234567"),
            ("0043 1 234567", "DE", "+431234567"),
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
            ("301234567", "DE"),
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
            ("+43 1 234567", "+43 1 234567"),
            (" +49 (0)30 1234567", "+49 30 1234567"),
            ("+39 (0)6 1234567", "+39 (0)6 1234567"),
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
    fn every_country_is_there_once_with_a_code() {
        let mut fields = Fields::default();
        for country in COUNTRIES {
            fields.country("country", country.id);
            let code = country.calling_code;
            assert!((1..=3).contains(&code.len()), "{}", country.id);
            assert!(code.bytes().all(|digit| digit.is_ascii_digit()));
        }
        fields.finish().unwrap();
        assert!(COUNTRIES.windows(2).all(|two| two[0].id < two[1].id));
        assert_eq!(COUNTRIES.len(), 249);
    }
}
