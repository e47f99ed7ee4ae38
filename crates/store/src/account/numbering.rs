//! The next extension: which user name a new account can have.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use crate::row::account as row;
use crate::{StoreError, provider};

/// A number that no account of the provider has: in the numbering of those that are there the first gap, else the one after them; `201`
/// where there are none. What is longer than six digits is a telephone number, of which there is no next.
///
/// # Errors
///
/// [`StoreError::NotFound`] if the tenant has no such provider, [`StoreError::Database`].
pub async fn next_username(
    tenant: Uuid,
    provider: Uuid,
    db: &impl ConnectionTrait,
) -> Result<String, StoreError> {
    provider::load_row(tenant, provider, db).await?;
    let taken: Vec<String> = row::Entity::find()
        .select_only()
        .column(row::Column::Username)
        .filter(row::Column::ProviderId.eq(provider))
        .filter(Expr::cust("length(username) BETWEEN 2 AND 6"))
        .into_tuple()
        .all(db)
        .await?;
    Ok(next(&taken).to_string())
}

/// Most extensions of a company have the same number of digits; the few others are exceptions and do not count.
fn next(taken: &[String]) -> u32 {
    let mut by_length: BTreeMap<usize, BTreeSet<u32>> = BTreeMap::new();
    for username in taken {
        if let Some(number) = extension(username) {
            by_length.entry(username.len()).or_default().insert(number);
        }
    }
    let numbers: BTreeSet<u32> = by_length.values().flatten().copied().collect();
    let usual = by_length
        .values()
        .rev()
        .max_by_key(|numbers| numbers.len())
        .and_then(BTreeSet::first);
    let first = usual.copied().unwrap_or(FIRST);
    (first..)
        .find(|number| !numbers.contains(number))
        .unwrap_or(FIRST)
}

/// A number of two to six digits that does not begin with zero.
fn extension(username: &str) -> Option<u32> {
    let digits = username.bytes().all(|byte| byte.is_ascii_digit());
    let usual = (2..=6).contains(&username.len()) && !username.starts_with('0');
    (digits && usual).then(|| username.parse().ok()).flatten()
}

/// Where a company begins to count. Shorter ones are often codes of the network.
const FIRST: u32 = 201;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn expect(taken: &[&str], expected: u32) {
        let taken: Vec<_> = taken.iter().map(|&username| username.to_owned()).collect();
        assert_eq!(next(&taken), expected, "{taken:?}");
    }

    #[test]
    fn the_first_gap_in_the_usual_numbering_is_next() {
        expect(&[], 201);
        expect(&["alice", "reception"], 201);
        expect(&["201", "202"], 203);
        expect(&["201", "203", "204"], 202);
        expect(&["1001", "1002", "10", "999"], 1003);
        expect(&["20", "21"], 22);
    }

    #[test]
    fn telephone_numbers_and_codes_do_not_count() {
        expect(&["+493012345", "4930123456", "201"], 202);
        expect(&["007", "0049"], 201);
        expect(&["٢٠١"], 201);
    }

    #[test]
    fn a_full_numbering_goes_on_with_one_digit_more() {
        let all: Vec<String> = (98..=101).map(|number| number.to_string()).collect();
        assert_eq!(next(&all), 102);
        let three: Vec<String> = (900..=999).map(|number| number.to_string()).collect();
        assert_eq!(next(&three), 1000);
    }
}
