//! The search for contacts: parts of words, in any case, all of them.
//!
//! PostgreSQL finds the best way itself. SQLite knows nothing of how often a word occurs, so the way is
//! chosen here: from the trigram index to the contacts if few match, along the names of the tenant until
//! the page is full if many do.

use sea_orm::sea_query::{Expr, Query, SelectStatement, SimpleExpr};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbBackend, Statement};
use uuid::Uuid;

use super::{ContactFields, full_name};
use crate::StoreError;
use crate::list::contains;
use crate::number::part_of_number;
use crate::page::words_of;
use crate::row::{contact as row, contact_search as search_row};

/// From so many matches on, SQLite walks along the names: with 100,000 contacts it then meets a match
/// every 100 names or sooner.
const MANY: i64 = 1_000;

/// Everything that a contact is found by, in lower case, one thing a line.
pub(super) fn text(fields: &ContactFields) -> String {
    let name = full_name(&fields.first_name, &fields.last_name);
    let mut parts = vec![name.as_str()];
    parts.extend(fields.company.as_deref());
    parts.extend(fields.job_title.as_deref());
    parts.extend(fields.numbers.iter().map(|number| number.number.as_str()));
    parts.extend(fields.emails.iter().map(|email| email.address.as_str()));
    parts.join("\n").to_lowercase()
}

/// What to search for: the words of the text or, if somebody has written a number, that number as contacts have it.
pub(crate) fn words(search: &str) -> Vec<String> {
    match part_of_number(search) {
        Some(part) if part.len() >= MIN_DIGITS => vec![part],
        _ => words_of(search),
    }
}

/// Shorter ones are as likely the number of a room or a house.
const MIN_DIGITS: usize = 4;

/// The texts of the tenant that contain every word, for a page in the order of names. The words are in lower case.
pub(super) async fn texts_with(
    tenant: Uuid,
    words: &[String],
    db: &impl ConnectionTrait,
) -> Result<Condition, StoreError> {
    let own = search_row::Column::TenantId.eq(tenant);
    let indexed = db.get_database_backend() == DbBackend::Sqlite
        && words.iter().any(|word| has_trigram(word))
        && !match_many(words, db).await?;
    let (own, condition): (SimpleExpr, fn(&str) -> SimpleExpr) = match indexed {
        // The `+` keeps SQLite from walking along the names all the same.
        true => (
            Expr::cust_with_values("+contact_search.tenant_id = ?", [tenant]),
            in_trigram_index,
        ),
        false => (own, contains_word),
    };
    let words = words.iter().map(|word| condition(word));
    Ok(words.fold(Condition::all().add(own), Condition::add))
}

/// The contacts of the tenant whose text contains every word. The words are in lower case.
pub(crate) async fn matching(
    tenant: Uuid,
    words: &[String],
    db: &impl ConnectionTrait,
) -> Result<Condition, StoreError> {
    let own = row::Column::TenantId.eq(tenant);
    let any_order = || row::Column::Id.in_subquery(texts(tenant, words, contains_word));
    if db.get_database_backend() != DbBackend::Sqlite || !words.iter().any(|word| has_trigram(word))
    {
        return Ok(Condition::all().add(own).add(any_order()));
    }
    if !match_many(words, db).await? {
        // The `+` keeps SQLite from walking along the names all the same.
        let own = Expr::cust_with_values("+contacts.tenant_id = ?", [tenant]);
        let indexed = row::Column::Id.in_subquery(texts(tenant, words, in_trigram_index));
        return Ok(Condition::all().add(own).add(indexed));
    }
    if words.iter().all(|word| has_trigram(word)) {
        let mut text_of_contact = texts(tenant, words, contains_word);
        text_of_contact.and_where(Expr::cust("contact_search.contact_id = contacts.id"));
        return Ok(Condition::all().add(own).add(Expr::exists(text_of_contact)));
    }
    Ok(Condition::all().add(own).add(any_order()))
}

/// The ids of the tenant's contacts for whose text `condition` holds with every word.
fn texts(tenant: Uuid, words: &[String], condition: fn(&str) -> SimpleExpr) -> SelectStatement {
    let mut select = Query::select();
    select
        .column(search_row::Column::ContactId)
        .from(search_row::Entity)
        .and_where(search_row::Column::TenantId.eq(tenant));
    for word in words {
        select.and_where(condition(word));
    }
    select
}

fn contains_word(word: &str) -> SimpleExpr {
    contains(search_row::Column::Text, word)
}

/// A trigram index knows nothing of words shorter than three characters: those are looked for in the
/// text of what the longer ones leave.
fn in_trigram_index(word: &str) -> SimpleExpr {
    if !has_trigram(word) {
        return contains_word(word);
    }
    let index =
        "seq IN (SELECT rowid FROM contact_search_index WHERE contact_search_index MATCH ?)";
    Expr::cust_with_values(index, [phrase(word)])
}

/// Whether [`MANY`] texts, of whatever tenant, contain the words that have trigrams.
async fn match_many(words: &[String], db: &impl ConnectionTrait) -> Result<bool, StoreError> {
    let phrases: Vec<String> = words
        .iter()
        .filter(|word| has_trigram(word))
        .map(|word| phrase(word))
        .collect();
    let count = "SELECT count(*) FROM \
                 (SELECT 1 FROM contact_search_index WHERE contact_search_index MATCH ? LIMIT ?)";
    let values = [phrases.join(" ").into(), MANY.into()];
    let counted = db
        .query_one_raw(Statement::from_sql_and_values(
            DbBackend::Sqlite,
            count,
            values,
        ))
        .await?;
    let counted = counted
        .map(|row| row.try_get_by_index::<i64>(0))
        .transpose()?;
    Ok(counted.is_some_and(|count| count >= MANY))
}

fn has_trigram(word: &str) -> bool {
    word.chars().count() >= 3
}

/// The word as FTS5 takes it literally.
fn phrase(word: &str) -> String {
    format!("\"{}\"", word.replace('"', "\"\""))
}
