//! Passwords of people: Argon2id, a few at a time, off the async threads.
//!
//! A check against nobody takes as long as a check against somebody, so that neither the answer nor
//! its time says whether an e-mail address is known.

use std::{sync::Arc, time::Duration};

use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use rand::RngExt;
use store::Secret;
use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};
use zeroize::Zeroizing;

/// Why a password could not be hashed or checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PasswordError {
    /// Too many at once: come back later.
    #[error("too many passwords are being checked")]
    Overloaded,
    /// The hash function failed.
    #[error("the password could not be hashed")]
    Hash,
}

/// Hashes and checks passwords.
#[derive(Debug)]
pub(crate) struct Passwords {
    permits: Arc<Semaphore>,
    nobody: String,
}

impl Passwords {
    pub(crate) fn new() -> Result<Self, PasswordError> {
        Ok(Self {
            permits: Arc::new(Semaphore::new(AT_ONCE)),
            nobody: hash_now(&one_time_password())?,
        })
    }

    /// The PHC string to keep for somebody who has no password: of a text that nobody knows. Checks take as long as with any other.
    pub(crate) fn of_nobody(&self) -> Secret {
        Secret::new(self.nobody.as_str())
    }

    /// The PHC string to keep for `password`.
    pub(crate) async fn hash(&self, password: String) -> Result<String, PasswordError> {
        let password = Zeroizing::new(password);
        self.run(move || hash_now(&password)).await?
    }

    /// Whether `password` is the one `phc` was made of; `None` takes as long and is never right.
    pub(crate) async fn verify(
        &self,
        password: String,
        phc: Option<String>,
    ) -> Result<bool, PasswordError> {
        let password = Zeroizing::new(password);
        let known = phc.is_some();
        let phc = phc.unwrap_or_else(|| self.nobody.clone());
        let right = self
            .run(move || {
                Argon2::default()
                    .verify_password(password.as_bytes(), phc.as_str())
                    .is_ok()
            })
            .await?;
        Ok(right && known)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let permit = timeout(PATIENCE, Arc::clone(&self.permits).acquire_owned())
            .await
            .map_err(|_| PasswordError::Overloaded)?
            .map_err(|_| PasswordError::Overloaded)?;
        // The permit moves along: a request that is given up still occupies its place.
        spawn_blocking(move || {
            let result = work();
            drop(permit);
            result
        })
        .await
        .map_err(|_| PasswordError::Hash)
    }
}

/// Hashes at once; for the command line and the first start.
pub(crate) fn hash_now(password: &str) -> Result<String, PasswordError> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|_| PasswordError::Hash)
}

/// A password to be replaced at the first sign-in: 20 letters and digits in groups, 99 bits.
pub(crate) fn one_time_password() -> String {
    random_text(20)
        .as_bytes()
        .chunks(5)
        .map(|group| String::from_utf8_lossy(group).into_owned())
        .collect::<Vec<_>>()
        .join("-")
}

/// `length` random letters and digits that are hard to confuse.
pub(crate) fn random_text(length: usize) -> String {
    let mut rng = rand::rng();
    (0..length)
        .map(|_| char::from(SYMBOLS[rng.random_range(0..SYMBOLS.len())]))
        .collect()
}

const SYMBOLS: &[u8; 31] = b"abcdefghjkmnpqrstuvwxyz23456789";
const AT_ONCE: usize = 2;
const PATIENCE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_of_somebody_is_right() {
        let passwords = Passwords::new().unwrap();
        let phc = passwords.hash("correct horse".into()).await.unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        let verify =
            |password: &str, phc: Option<&String>| passwords.verify(password.into(), phc.cloned());
        assert_eq!(verify("correct horse", Some(&phc)).await, Ok(true));
        assert_eq!(verify("wrong horse", Some(&phc)).await, Ok(false));
        assert_eq!(verify("correct horse", None).await, Ok(false));
        assert_eq!(verify("", Some(&"not a hash".into())).await, Ok(false));
        let nobody = passwords.of_nobody().reveal().to_owned();
        assert!(nobody.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_eq!(verify("correct horse", Some(&nobody)).await, Ok(false));
    }

    #[test]
    fn one_time_passwords_have_four_groups_and_differ() {
        let first = one_time_password();
        assert_eq!(first.len(), 23);
        assert_eq!(first.matches('-').count(), 3);
        assert_ne!(first, one_time_password());
    }
}
