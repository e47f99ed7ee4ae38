//! The search for contacts: parts of words, in any case, all of them.
//!
//! There are two ways to a page: along the names until it is full, which is short if many match, and from the trigram index to all that
//! match, which is short if few do. Neither database knows in time how often a part of a word occurs (SQLite never, PostgreSQL not below one
//! in a hundred), so the way is chosen here.

use sea_orm::sea_query::{Expr, Query, SelectStatement, SimpleExpr};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QuerySelect,
    QueryTrait, Select, Statement,
};
use uuid::Uuid;

use super::{ContactFields, full_name};
use crate::list::{self, Key, contains};
use crate::number::part_of_number;
use crate::page::words_of;
use crate::row::{contact as row, contact_place as place_row, contact_search as search_row};
use crate::{Page, PageRequest, SortColumn, StoreError};

/// Fewer matches than that are rare: with 100,000 contacts one name in a hundred.
const MANY: i64 = 1_000;

/// So many names are looked at before the index is asked after all, first few and then more: what matches may lie together at the end of the
/// list.
fn walks(backend: DbBackend) -> &'static [u64] {
    match backend {
        // Few names tell what is rare, which the index does not, and looking at a text that is not in the index of names takes a while.
        DbBackend::Postgres => &[300, 3_000],
        _ => &[6_000],
    }
}

/// What is found among fewer than one in so many names is rare: the index has it sooner than a longer walk.
const RARE: u64 = 50;

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

/// A page of those of the tenant whose text contains every word, in the order of names. The words are in lower case.
///
/// # Errors
///
/// [`StoreError::ForeignCursor`], [`StoreError::Database`].
pub(super) async fn page_of_texts<S: SortColumn>(
    tenant: Uuid,
    words: &[String],
    request: &PageRequest<S>,
    db: &impl ConnectionTrait,
) -> Result<Page<place_row::Model>, StoreError> {
    let (key, id) = (place_row::Column::SortName, place_row::Column::ContactId);
    let along_names = texts_with(words, Way::AlongNames(tenant));
    let total = match request.total {
        true => Some(list::total(along_names.clone(), id, db).await?),
        false => None,
    };
    let request = &PageRequest {
        total: false,
        ..request.clone()
    };
    let read = |texts| list::page(texts, Key::Column(key), id, request, db);
    let backend = db.get_database_backend();
    let indexed = texts_with(words, Way::FromIndex(tenant, backend));
    let found = if !words.iter().any(|word| has_trigram(word)) {
        read(along_names).await?
    } else if is_rare(words, db).await? {
        read(indexed).await?
    } else {
        match near(tenant, words, request, db).await? {
            Some(found) => found,
            None => read(indexed).await?,
        }
    };
    Ok(Page { total, ..found })
}

/// A page of the texts with the words if it is full before the names that are looked at are at an end.
async fn near<S: SortColumn>(
    tenant: Uuid,
    words: &[String],
    request: &PageRequest<S>,
    db: &impl ConnectionTrait,
) -> Result<Option<Page<place_row::Model>>, StoreError> {
    let (key, id) = (place_row::Column::SortName, place_row::Column::ContactId);
    for names in walks(db.get_database_backend()) {
        let texts = match db.get_database_backend() {
            DbBackend::Postgres => of_the_next(*names, tenant, words, request)?,
            _ => {
                let texts = texts_with(words, Way::AlongNames(tenant));
                let own = place_row::Entity::find().filter(place_row::Column::TenantId.eq(tenant));
                let next = list::among_the_next(*names, own, key, id, request, db).await?;
                next.into_iter().fold(texts, Select::filter)
            }
        };
        let found = list::page(texts, Key::Column(key), id, request, db).await?;
        if found.next.is_some() {
            return Ok(Some(found));
        }
        if found.items.len() as u64 * RARE < *names {
            break;
        }
    }
    Ok(None)
}

/// The texts with the words among those of the next names. PostgreSQL has no other plan for it than to read them in order until the page is
/// full, which SQLite does not do: it would sort all that it has found.
fn of_the_next<S: SortColumn>(
    names: u64,
    tenant: Uuid,
    words: &[String],
    request: &PageRequest<S>,
) -> Result<Select<place_row::Entity>, StoreError> {
    let own = search_row::Entity::find().filter(search_row::Column::TenantId.eq(tenant));
    let (key, id) = (search_row::Column::SortName, search_row::Column::ContactId);
    let next = list::the_next(names, own, key, id, request)?;
    let mut texts = texts_with(words, Way::AlongNames(tenant));
    QuerySelect::query(&mut texts)
        .from_clear()
        .from_subquery(next.into_query(), search_row::Entity);
    Ok(texts)
}

/// Where the texts are read from.
#[derive(Clone, Copy)]
enum Way {
    AlongNames(Uuid),
    FromIndex(Uuid, DbBackend),
}

fn texts_with(words: &[String], way: Way) -> Select<place_row::Entity> {
    // What stands for the tenant in the second form keeps the database from walking along the names all the same.
    let (own, condition): (SimpleExpr, fn(&str) -> SimpleExpr) = match way {
        Way::AlongNames(tenant) => (place_row::Column::TenantId.eq(tenant), contains_word),
        Way::FromIndex(tenant, DbBackend::Postgres) => {
            let own = "contact_search.tenant_id IS NOT DISTINCT FROM $1";
            (Expr::cust_with_values(own, [tenant]), contains_word)
        }
        Way::FromIndex(tenant, _) => {
            let own = "+contact_search.tenant_id = ?";
            (Expr::cust_with_values(own, [tenant]), in_trigram_index)
        }
    };
    let words = words.iter().map(|word| condition(word));
    place_row::Entity::find().filter(words.fold(Condition::all().add(own), Condition::add))
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
    if is_rare(words, db).await? {
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

/// Whether fewer than [`MANY`] texts, of whatever tenant, contain the words that have trigrams. PostgreSQL has no quick way to know.
async fn is_rare(words: &[String], db: &impl ConnectionTrait) -> Result<bool, StoreError> {
    if db.get_database_backend() == DbBackend::Postgres {
        return Ok(false);
    }
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
    Ok(counted.is_none_or(|count| count < MANY))
}

fn has_trigram(word: &str) -> bool {
    word.chars().count() >= 3
}

/// The word as FTS5 takes it literally.
fn phrase(word: &str) -> String {
    format!("\"{}\"", word.replace('"', "\"\""))
}
