//! A secret text that does not print itself.

use std::fmt;

use rand::RngExt;
use zeroize::Zeroizing;

/// A password, token or other secret text. `Debug` prints `***`, and the memory is wiped on drop.
///
/// There is no `Display`: take the text out by hand with [`Secret::reveal`].
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

/// Letters and digits without the ones that look alike.
const PASSWORD_ALPHABET: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";

/// 24 of 57 symbols are 139 bits.
const PASSWORD_LENGTH: usize = 24;

impl Secret {
    /// Takes `text` as a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// A new random password of 24 letters and digits (139 bits).
    pub fn random_password() -> Self {
        let mut rng = rand::rng();
        let text: String = (0..PASSWORD_LENGTH)
            .map(|_| char::from(PASSWORD_ALPHABET[rng.random_range(..PASSWORD_ALPHABET.len())]))
            .collect();
        Self::new(text)
    }

    /// The text itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_print_itself() {
        let secret = Secret::new("marker");
        assert_eq!(format!("{secret:?} {:?}", Some(&secret)), "*** Some(***)");
        assert_eq!(secret.reveal(), "marker");
    }

    #[test]
    fn random_passwords_differ_and_use_the_alphabet() {
        let (first, second) = (Secret::random_password(), Secret::random_password());
        assert_ne!(first, second);
        assert_eq!(first.reveal().len(), PASSWORD_LENGTH);
        assert!(
            first
                .reveal()
                .bytes()
                .all(|b| PASSWORD_ALPHABET.contains(&b))
        );
    }
}
