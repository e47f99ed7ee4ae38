//! Codes of an authenticator app (RFC 6238): six digits, HMAC-SHA-1, a new one every 30 seconds, which is what every app can do.
//!
//! Pure: time is an argument. That no code counts twice (section 5.2) is decided in `store::second_factor`.

use rand::Rng;
use store::Secret;
use time::OffsetDateTime;
use totp_rs::{Builder, Secret as Key, Totp};
use zeroize::Zeroizing;

/// What is kept is no key, or the names cannot be shown by an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key of a second factor cannot be used")]
pub(crate) struct KeyError;

/// A new key in base 32, 160 bits as RFC 4226 section 4 recommends.
pub(crate) fn new_key() -> Secret {
    let mut bytes = Zeroizing::new([0; 20]);
    rand::rng().fill_bytes(&mut *bytes);
    Secret::new(Key::new_stack(*bytes).to_base32())
}

/// The time step whose code this is, at most one step from now: clocks differ, and people need time to type. Spaces do not matter.
pub(crate) fn step_of(
    code: &str,
    key: &Secret,
    now: OffsetDateTime,
) -> Result<Option<u64>, KeyError> {
    let digits: String = code.chars().filter(|sign| !sign.is_whitespace()).collect();
    let seconds = now.unix_timestamp().try_into().map_err(|_| KeyError)?;
    Ok(totp(key, None)?.check(&digits, seconds))
}

/// What an app reads from a QR code: `otpauth://totp/issuer:account?secret=…`.
pub(crate) fn uri(key: &Secret, issuer: &str, account: &str) -> Result<Secret, KeyError> {
    let uri = totp(key, Some((issuer, account)))?.to_url();
    uri.map(Secret::new).map_err(|_| KeyError)
}

fn totp(key: &Secret, names: Option<(&str, &str)>) -> Result<Totp, KeyError> {
    let key = Key::try_from_base32(key.reveal()).map_err(|_| KeyError)?;
    let mut builder = Builder::new().with_secret(key);
    if let Some((issuer, account)) = names {
        builder = builder.with_issuer(Some(issuer)).with_account_name(account);
    }
    builder.build().map_err(|_| KeyError)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key of RFC 6238 appendix B, `12345678901234567890`, in base 32.
    const KEY: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    fn at(seconds: i64) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(seconds).unwrap()
    }

    #[test]
    fn codes_are_those_of_the_standard() {
        // Appendix B has eight digits; the last six are those of the six-digit code.
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let step = step_of(code, &Secret::new(KEY), at(seconds)).unwrap();
            assert_eq!(step, u64::try_from(seconds / 30).ok(), "{code}");
        }
    }

    #[test]
    fn a_code_counts_one_step_early_and_late_and_no_more() {
        let key = Secret::new(KEY);
        let step = |seconds| step_of("081 804", &key, at(seconds)).unwrap();
        let first = 1_111_111_080;
        assert_eq!(step(first), Some(37_037_036));
        assert_eq!(step(first - 1), Some(37_037_036));
        assert_eq!(step(first - 30), Some(37_037_036));
        assert_eq!(step(first + 59), Some(37_037_036));
        assert_eq!(step(first - 31), None);
        assert_eq!(step(first + 60), None);
    }

    #[test]
    fn what_is_no_code_is_none() {
        for typed in ["", "12345", "1234567", "28708x", "-87082", "２８７０８２"] {
            assert_eq!(
                step_of(typed, &Secret::new(KEY), at(59)),
                Ok(None),
                "{typed}"
            );
        }
        assert_eq!(step_of("287082", &Secret::new("?"), at(59)), Err(KeyError));
    }

    #[test]
    fn an_app_learns_whose_key_it_is() {
        let uri = uri(&Secret::new(KEY), "Tandem", "ada@example.com").unwrap();
        assert_eq!(
            uri.reveal(),
            format!("otpauth://totp/Tandem:ada%40example.com?secret={KEY}&issuer=Tandem")
        );
        assert_ne!(new_key().reveal(), new_key().reveal());
        assert_eq!(new_key().reveal().len(), 32);
    }
}
