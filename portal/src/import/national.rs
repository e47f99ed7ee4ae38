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
mod tests;
