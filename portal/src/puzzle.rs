//! Proof of work: a puzzle that a browser solves in a second or two, checked in a microsecond. No third party, no pictures, nothing that a person
//! has to see or hear.
//!
//! The text of a puzzle says how hard it is and until when it counts, signed by a key of the vault, so nothing is kept of those that nobody
//! solves. That each counts once is for the store.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rand::Rng;
use sha2::{Digest, Sha256};
use store::Vault;
use subtle::ConstantTimeEq;
use time::{Duration, OffsetDateTime};

/// How long a puzzle counts: long enough to fill in a form.
pub(crate) const PUZZLE_LIFE: Duration = Duration::hours(1);

/// A puzzle that was solved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Solved {
    pub(crate) expires_at: OffsetDateTime,
}

/// Makes the text of a puzzle of so many bits: `{random}.{bits}.{end}.{signature}`.
pub(crate) fn make(bits: u8, vault: &Vault, now: OffsetDateTime) -> String {
    let mut random = [0; 16];
    rand::rng().fill_bytes(&mut random);
    let random = URL_SAFE_NO_PAD.encode(random);
    let ends = (now + PUZZLE_LIFE).unix_timestamp();
    let said = format!("{random}.{bits}.{ends}");
    let signature = signature(&said, vault);
    format!("{said}.{signature}")
}

/// Whether the number solves the puzzle, which is one of ours, as hard as wanted, and not over.
pub(crate) fn check(
    text: &str,
    solution: u64,
    bits: u8,
    vault: &Vault,
    now: OffsetDateTime,
) -> Option<Solved> {
    let (said, signed) = text.rsplit_once('.')?;
    let right = signature(said, vault);
    if !bool::from(right.as_bytes().ct_eq(signed.as_bytes())) {
        return None;
    }
    let mut parts = said.split('.').skip(1);
    let made_with: u8 = parts.next()?.parse().ok()?;
    let ends: i64 = parts.next()?.parse().ok()?;
    let expires_at = OffsetDateTime::from_unix_timestamp(ends).ok()?;
    let hash = Sha256::digest(format!("{text}:{solution}").as_bytes());
    let solved = zero_bits(&hash) >= u32::from(made_with);
    (made_with >= bits && now < expires_at && solved).then_some(Solved { expires_at })
}

fn zero_bits(hash: &[u8]) -> u32 {
    let whole = hash.iter().take_while(|byte| **byte == 0).count();
    let rest = hash.get(whole).map_or(0, |byte| byte.leading_zeros());
    u32::try_from(whole).unwrap_or(u32::MAX) * 8 + rest
}

fn signature(said: &str, vault: &Vault) -> String {
    URL_SAFE_NO_PAD.encode(vault.sign("puzzle", said.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BITS: u8 = 6;

    fn vault() -> Vault {
        let folder = tempfile::tempdir().unwrap();
        Vault::open_or_create(&folder.path().join("key")).unwrap()
    }

    fn solve(text: &str, bits: u8) -> u64 {
        let solves = |number: &u64| {
            let hash = Sha256::digest(format!("{text}:{number}").as_bytes());
            zero_bits(&hash) >= u32::from(bits)
        };
        (0..).find(solves).unwrap()
    }

    #[test]
    fn a_puzzle_is_solved_by_work_in_time() {
        let (vault, now) = (vault(), OffsetDateTime::UNIX_EPOCH);
        let text = make(BITS, &vault, now);
        let solution = solve(&text, BITS);
        let judge = |text: &str, solution, bits, now| check(text, solution, bits, &vault, now);
        let solved = judge(&text, solution, BITS, now).unwrap();
        assert_eq!(solved.expires_at, now + PUZZLE_LIFE);
        assert_eq!(judge(&text, solution, BITS, now + PUZZLE_LIFE), None);
        assert_eq!(
            judge(&text, solution, BITS + 1, now),
            None,
            "made when it was easier"
        );
        let wrong = (0..).find(|number| {
            let hash = Sha256::digest(format!("{text}:{number}").as_bytes());
            zero_bits(&hash) < u32::from(BITS)
        });
        assert_eq!(judge(&text, wrong.unwrap(), BITS, now), None);
    }

    #[test]
    fn a_puzzle_of_somebodys_own_making_does_not_count() {
        let (vault, now) = (vault(), OffsetDateTime::UNIX_EPOCH);
        let text = make(BITS, &vault, now);
        let easier = text.replacen(".6.", ".0.", 1);
        let later = text.replacen(".3600.", ".9999999999.", 1);
        assert_ne!(easier, text);
        assert_ne!(later, text);
        let foreign = make(BITS, &self::vault(), now);
        for forged in [
            easier.as_str(),
            &later,
            &foreign,
            "",
            ".",
            "a.b.c.d",
            "....",
            "é.0.0.x",
        ] {
            for solution in 0..200 {
                assert_eq!(check(forged, solution, 0, &vault, now), None, "{forged}");
            }
        }
    }

    #[test]
    fn zero_bits_are_counted_from_the_front() {
        for (hash, bits) in [
            (&[0xff_u8, 0][..], 0),
            (&[0x7f, 0], 1),
            (&[0, 0x80], 8),
            (&[0, 0x01], 15),
            (&[0, 0], 16),
        ] {
            assert_eq!(zero_bits(hash), bits, "{hash:?}");
        }
    }
}
