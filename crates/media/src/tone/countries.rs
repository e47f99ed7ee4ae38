//! The tones of telephone networks by country: a table of frequencies and cadences.
//!
//! ITU-T E.180 Supplement 2 collects them; the figures here are those that telephone systems in use are
//! set to, and have not been compared with its text. A modulated tone (Japan) is given by its two side
//! bands.

use super::Indication;

/// Whose tones to play.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Country {
    /// Austria.
    At,
    /// Australia.
    Au,
    /// Belgium.
    Be,
    /// Switzerland.
    Ch,
    /// Czechia.
    Cz,
    /// Germany. Also for countries that are not in the table: 425 Hz is what ITU-T E.180 asks of
    /// new networks.
    #[default]
    De,
    /// Denmark.
    Dk,
    /// Spain.
    Es,
    /// Finland.
    Fi,
    /// France.
    Fr,
    /// United Kingdom.
    Gb,
    /// Hungary.
    Hu,
    /// Italy.
    It,
    /// Japan.
    Jp,
    /// Netherlands.
    Nl,
    /// Norway.
    No,
    /// New Zealand.
    Nz,
    /// Poland.
    Pl,
    /// Sweden.
    Se,
    /// United States; Canada too.
    Us,
}

/// Frequencies that sound together, and on and off in milliseconds, over and over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pattern {
    /// One or two, in Hz.
    pub(super) frequencies_hz: &'static [f64],
    /// Pairs of on and off in ms; none means that it never stops.
    pub(super) cadence_ms: &'static [(u32, u32)],
}

const fn pattern(frequencies_hz: &'static [f64], cadence_ms: &'static [(u32, u32)]) -> Pattern {
    Pattern {
        frequencies_hz,
        cadence_ms,
    }
}

/// The rows of one country in the order of [`Indication::ALL`].
type Row = (&'static str, Country, [Pattern; 5]);

const STEADY: &[(u32, u32)] = &[];
const F400: &[f64] = &[400.0];
const F420: &[f64] = &[420.0];
const F425: &[f64] = &[425.0];
const F440: &[f64] = &[440.0];
const F1400: &[f64] = &[1_400.0];
const BRITISH_RINGING: &[f64] = &[400.0, 450.0];
const AMERICAN_DIAL: &[f64] = &[350.0, 440.0];
const AMERICAN_BUSY: &[f64] = &[480.0, 620.0];
const AMERICAN_RINGING: &[f64] = &[440.0, 480.0];
const AUSTRALIAN: &[f64] = &[413.0, 438.0];
/// 400 Hz modulated by 16 Hz.
const JAPANESE_RINGING: &[f64] = &[384.0, 416.0];
/// Twice and a pause, as a British bell.
const TWICE: &[(u32, u32)] = &[(400, 200), (400, 2_000)];
const ONE_FOUR: &[(u32, u32)] = &[(1_000, 4_000)];
const HALF_HALF: &[(u32, u32)] = &[(500, 500)];
const FIFTHS: &[(u32, u32)] = &[(200, 200)];

/// Dial, ringing, busy, congestion, call waiting.
#[rustfmt::skip]
const TABLE: &[Row] = &[
    ("AT", Country::At, [pattern(F420, STEADY), pattern(F420, &[(1_000, 5_000)]), pattern(F420, &[(400, 400)]),
        pattern(F420, FIFTHS), pattern(F420, &[(40, 1_960)])]),
    ("AU", Country::Au, [pattern(AUSTRALIAN, STEADY), pattern(AUSTRALIAN, TWICE), pattern(F425, &[(375, 375)]),
        pattern(F425, &[(375, 375)]), pattern(F425, &[(200, 200), (200, 4_400)])]),
    ("BE", Country::Be, [pattern(F425, STEADY), pattern(F425, &[(1_000, 3_000)]), pattern(F425, HALF_HALF),
        pattern(F425, &[(167, 167)]), pattern(F1400, &[(175, 175), (175, 3_500)])]),
    ("CH", Country::Ch, [pattern(F425, STEADY), pattern(F425, ONE_FOUR), pattern(F425, HALF_HALF),
        pattern(F425, FIFTHS), pattern(F425, &[(200, 200), (200, 4_000)])]),
    ("CZ", Country::Cz, [pattern(F425, &[(330, 330), (660, 660)]), pattern(F425, ONE_FOUR), pattern(F425, &[(330, 330)]),
        pattern(F425, &[(165, 165)]), pattern(F425, &[(330, 9_000)])]),
    ("DE", Country::De, [pattern(F425, STEADY), pattern(F425, ONE_FOUR), pattern(F425, &[(480, 480)]),
        pattern(F425, &[(240, 240)]), pattern(F425, &[(200, 200), (200, 5_000)])]),
    ("DK", Country::Dk, [pattern(F425, STEADY), pattern(F425, ONE_FOUR), pattern(F425, HALF_HALF),
        pattern(F425, FIFTHS), pattern(F425, &[(200, 600), (200, 3_000)])]),
    ("ES", Country::Es, [pattern(F425, STEADY), pattern(F425, &[(1_500, 3_000)]), pattern(F425, FIFTHS),
        pattern(F425, &[(200, 200), (200, 200), (200, 600)]), pattern(F425, &[(175, 175), (175, 3_500)])]),
    ("FI", Country::Fi, [pattern(F425, STEADY), pattern(F425, ONE_FOUR), pattern(F425, &[(300, 300)]),
        pattern(F425, FIFTHS), pattern(F425, &[(150, 150), (150, 8_000)])]),
    ("FR", Country::Fr, [pattern(F440, STEADY), pattern(F440, &[(1_500, 3_500)]), pattern(F440, HALF_HALF),
        pattern(F440, &[(250, 250)]), pattern(F440, &[(300, 10_000)])]),
    ("GB", Country::Gb, [pattern(AMERICAN_DIAL, STEADY), pattern(BRITISH_RINGING, TWICE), pattern(F400, &[(375, 375)]),
        pattern(F400, &[(400, 350), (225, 525)]), pattern(F400, &[(100, 4_000)])]),
    ("HU", Country::Hu, [pattern(F425, STEADY), pattern(F425, &[(1_250, 3_750)]), pattern(F425, &[(300, 300)]),
        pattern(F425, &[(300, 300)]), pattern(F425, &[(40, 1_960)])]),
    ("IT", Country::It, [pattern(F425, &[(200, 200), (600, 1_000)]), pattern(F425, ONE_FOUR), pattern(F425, HALF_HALF),
        pattern(F425, FIFTHS), pattern(F425, &[(400, 100), (250, 100), (150, 14_000)])]),
    ("JP", Country::Jp, [pattern(F400, STEADY), pattern(JAPANESE_RINGING, &[(1_000, 2_000)]), pattern(F400, HALF_HALF),
        pattern(F400, HALF_HALF), pattern(JAPANESE_RINGING, &[(500, 8_000)])]),
    ("NL", Country::Nl, [pattern(F425, STEADY), pattern(F425, ONE_FOUR), pattern(F425, HALF_HALF),
        pattern(F425, &[(250, 250)]), pattern(F425, &[(500, 9_500)])]),
    ("NO", Country::No, [pattern(F425, STEADY), pattern(F425, ONE_FOUR), pattern(F425, HALF_HALF),
        pattern(F425, FIFTHS), pattern(F425, &[(200, 600), (200, 10_000)])]),
    ("NZ", Country::Nz, [pattern(F400, STEADY), pattern(BRITISH_RINGING, TWICE), pattern(F400, HALF_HALF),
        pattern(F400, &[(250, 250)]), pattern(F400, &[(200, 3_000)])]),
    ("PL", Country::Pl, [pattern(F425, STEADY), pattern(F425, ONE_FOUR), pattern(F425, HALF_HALF),
        pattern(F425, HALF_HALF), pattern(F425, &[(150, 150), (150, 4_000)])]),
    ("SE", Country::Se, [pattern(F425, STEADY), pattern(F425, &[(1_000, 5_000)]), pattern(F425, &[(250, 250)]),
        pattern(F425, &[(250, 750)]), pattern(F425, &[(200, 500), (200, 9_100)])]),
    ("US", Country::Us, [pattern(AMERICAN_DIAL, STEADY), pattern(AMERICAN_RINGING, &[(2_000, 4_000)]),
        pattern(AMERICAN_BUSY, HALF_HALF), pattern(AMERICAN_BUSY, &[(250, 250)]), pattern(F440, &[(300, 10_000)])]),
];

impl Country {
    /// The country with this code (ISO 3166-1, two letters; also UK and CA), `None` if its tones
    /// are not known.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        let code = match code.to_ascii_uppercase().as_str() {
            "UK" => "GB".to_owned(),
            "CA" => "US".to_owned(),
            code => code.to_owned(),
        };
        let row = TABLE.iter().find(|(of, _, _)| *of == code)?;
        Some(row.1)
    }

    pub(super) fn pattern(self, indication: Indication) -> Pattern {
        let row = TABLE.iter().find(|(_, country, _)| *country == self);
        row.map_or(pattern(F425, STEADY), |(_, _, patterns)| {
            patterns[indication.column()]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_country_is_found_by_its_code_and_has_all_its_tones() {
        for code in [
            "DE", "AT", "CH", "FR", "IT", "ES", "GB", "UK", "US", "CA", "NL", "PL", "SE", "AU",
            "JP", "de",
        ] {
            let country = Country::from_code(code).unwrap();
            for indication in Indication::ALL {
                let pattern = country.pattern(indication);
                assert!((1..=2).contains(&pattern.frequencies_hz.len()));
                let is_dial = indication == Indication::Dial;
                assert!(is_dial || !pattern.cadence_ms.is_empty(), "{code}");
            }
        }
        for (code, country, _) in TABLE {
            assert_eq!(Country::from_code(code), Some(*country));
            assert_eq!(format!("{country:?}").to_uppercase(), *code);
        }
        assert_eq!(Country::from_code("XX"), None);
    }
}
