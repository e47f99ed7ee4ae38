//! Activation token and typed activation code. Pure but for the random source.
//!
//! The code is 16 symbols of Crockford's base 32 alphabet: 15 random ones (75 bits) and a check
//! symbol. Crockford's own check symbol counts modulo 37 and needs `*~$=U`, which people cannot type
//! on a phone; here the check symbol stays in the alphabet: the weighted sum over GF(2⁵) is zero, with
//! a different weight for each place. That finds every single wrong symbol and every swap of two.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::{Rng, RngExt};
use zeroize::Zeroize;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const SYMBOLS: usize = 16;

/// The code that a person types: 75 random bits and a check symbol.
#[derive(Clone, PartialEq, Eq)]
pub struct ActivationCode([u8; SYMBOLS]);

impl ActivationCode {
    /// A new random code.
    pub fn random() -> Self {
        let mut rng = rand::rng();
        let mut values = [0; SYMBOLS];
        for value in &mut values[..SYMBOLS - 1] {
            *value = rng.random_range(0..32);
        }
        values[SYMBOLS - 1] = times_x(weighted_sum(&values[..SYMBOLS - 1]));
        Self(values)
    }

    /// What a person meant to type, or `None` if that cannot be a code.
    ///
    /// Case, spaces and dashes do not matter; `O` is 0, `I` and `L` are 1.
    pub fn parse(typed: &str) -> Option<Self> {
        let mut values = [0; SYMBOLS];
        let mut places = values.iter_mut();
        for symbol in typed.chars().filter(|c| !is_separator(*c)) {
            *places.next()? = value(symbol)?;
        }
        let complete = places.next().is_none();
        (complete && weighted_sum(&values) == 0).then_some(Self(values))
    }

    /// The 16 symbols in groups of four, as they are shown: `ABCD-EFGH-JKMN-PQRS`.
    pub fn grouped(&self) -> String {
        let groups: Vec<String> = self.0.chunks(4).map(symbols).collect();
        groups.join("-")
    }

    /// The 16 symbols without dashes.
    pub fn plain(&self) -> String {
        symbols(&self.0)
    }
}

impl fmt::Debug for ActivationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Drop for ActivationCode {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// The token of the activation link: 128 random bits.
#[derive(Clone, PartialEq, Eq)]
pub struct ActivationToken([u8; 16]);

impl ActivationToken {
    /// A new random token.
    pub fn random() -> Self {
        let mut bytes = [0; 16];
        rand::rng().fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// Reads the text of a link, or `None` if that cannot be a token.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }

    /// The 22 characters that stand in the link (base64url without padding).
    pub fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }
}

impl fmt::Debug for ActivationToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Drop for ActivationToken {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

fn symbols(values: &[u8]) -> String {
    values
        .iter()
        .map(|&value| char::from(ALPHABET[usize::from(value)]))
        .collect()
}

fn is_separator(symbol: char) -> bool {
    symbol == '-' || symbol == '\u{2011}' || symbol == '\u{2013}' || symbol.is_whitespace()
}

fn value(symbol: char) -> Option<u8> {
    let symbol = match symbol.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        symbol => symbol,
    };
    let symbol = u8::try_from(symbol).ok()?;
    let place = ALPHABET.iter().position(|&known| known == symbol)?;
    u8::try_from(place).ok()
}

/// `Σ value · xⁿ` with n counting from the right, in GF(2⁵).
fn weighted_sum(values: &[u8]) -> u8 {
    values.iter().fold(0, |sum, &value| times_x(sum) ^ value)
}

/// Multiplication by x modulo x⁵ + x² + 1; x generates all 31 non-zero elements.
fn times_x(element: u8) -> u8 {
    let shifted = element << 1;
    if shifted & 0x20 == 0 {
        shifted
    } else {
        shifted ^ 0b10_0101
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let code = ActivationCode::random();
        assert_eq!(code.plain().len(), SYMBOLS);
        assert_eq!(code.grouped().len(), SYMBOLS + 3);
        for typed in [
            code.plain(),
            code.grouped(),
            code.grouped().to_lowercase(),
            format!("  {} ", code.grouped().replace('-', " ")),
            code.grouped().replace('0', "o").replace('1', "l"),
            code.grouped().replace('0', "O").replace('1', "I"),
        ] {
            assert_eq!(ActivationCode::parse(&typed), Some(code.clone()), "{typed}");
        }
    }

    #[test]
    fn what_cannot_be_a_code_is_refused() {
        let plain = ActivationCode::random().plain();
        for typed in [
            "",
            "----",
            &plain[..15],
            &format!("{plain}0"),
            "ÜBERÜBERÜBERÜBER",
            "UUUUUUUUUUUUUUUU",
        ] {
            assert_eq!(ActivationCode::parse(typed), None, "{typed}");
        }
        assert!(
            ActivationCode::parse("0000-0000-0000-0000").is_some(),
            "the sum of nothing is zero"
        );
    }

    proptest! {
        #[test]
        fn every_single_wrong_symbol_is_found(place in 0..SYMBOLS, change in 1u8..32) {
            let mut wrong = ActivationCode::random();
            wrong.0[place] ^= change;
            prop_assert_eq!(ActivationCode::parse(&wrong.plain()), None);
        }

        #[test]
        fn every_swap_of_two_symbols_is_found(first in 0..SYMBOLS, second in 0..SYMBOLS) {
            let code = ActivationCode::random();
            let mut swapped = code.clone();
            swapped.0.swap(first, second);
            let expected = (swapped == code).then_some(code);
            prop_assert_eq!(ActivationCode::parse(&swapped.plain()), expected);
        }

        #[test]
        fn no_text_panics(typed in ".*") {
            let _ = ActivationCode::parse(&typed);
            let _ = ActivationToken::parse(&typed);
        }
    }

    #[test]
    fn a_token_survives_its_text() {
        let token = ActivationToken::random();
        assert_eq!(token.text().len(), 22);
        assert_eq!(ActivationToken::parse(&token.text()), Some(token.clone()));
        assert_eq!(ActivationToken::parse(&token.text()[1..]), None);
        assert_eq!(format!("{token:?}"), "***");
    }
}
