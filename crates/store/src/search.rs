//! One search over everything of a tenant that has a name. What begins with the words comes before what has them somewhere.
//!
//! Whatever begins with the text is read from the index of names, so it is found among any number of rows; the rest is ranked among the
//! first hundred that contain the words.

use std::collections::HashSet;

use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ModelTrait, QueryFilter, QueryOrder,
    QuerySelect, Select,
};
use uuid::Uuid;

use crate::contact::{self, Contact};
use crate::list::contains;
use crate::number::part_of_number;
use crate::page::words_of;
use crate::row::{
    account as account_row, contact as contact_row, device as device_row, provider as provider_row,
};
use crate::words::words;
use crate::{PageRequest, StoreError, account, device, membership};

words! {
    /// What can be found.
    FoundKind {
        /// A person.
        Contact = "contact",
        /// A device.
        Device = "device",
        /// A SIP account.
        Account = "account",
        /// A service provider.
        Provider = "provider",
        /// A member of the tenant.
        Member = "member",
    }
}

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What it is.
    pub kind: FoundKind,
    /// Its key.
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// What tells it from others of that name, and why it was found.
    pub detail: String,
}

/// So many rows that contain the words are ranked.
const CANDIDATES: u64 = 100;

/// The best `limit` of one kind for what somebody has typed.
///
/// # Errors
///
/// [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn find(
    tenant: Uuid,
    kind: FoundKind,
    text: &str,
    limit: usize,
    db: &impl ConnectionTrait,
) -> Result<Vec<Found>, StoreError> {
    let wanted = Wanted::of(text);
    if wanted.words.is_empty() {
        return Ok(Vec::new());
    }
    let found = match kind {
        FoundKind::Contact => contacts(tenant, &wanted, text, db).await?,
        FoundKind::Device => devices(tenant, &wanted, db).await?,
        FoundKind::Account => accounts(tenant, &wanted, db).await?,
        FoundKind::Provider => providers(tenant, &wanted, db).await?,
        FoundKind::Member => members(tenant, text, db).await?,
    };
    Ok(wanted.best(found, limit))
}

/// What is searched for.
struct Wanted {
    /// As it was typed, in lower case.
    text: String,
    words: Vec<String>,
    /// If it is a number: as contacts have it.
    number: Option<String>,
}

impl Wanted {
    fn of(text: &str) -> Self {
        let words = words_of(text);
        Self {
            text: words.join(" "),
            number: part_of_number(text),
            words,
        }
    }

    /// The best first; equal ones stay in their order.
    fn best(&self, mut found: Vec<Found>, limit: usize) -> Vec<Found> {
        found.sort_by_key(|found| self.rank(&found.name).min(self.rank(&found.detail) + 1));
        found.truncate(limit);
        found
    }

    /// 0 if the text begins so, 1 if each word begins one of its words, 3 otherwise.
    fn rank(&self, text: &str) -> u8 {
        let text = text.to_lowercase();
        if text.starts_with(&self.text) {
            return 0;
        }
        let begins = |word: &String| {
            let mut parts = text.split(|c: char| !c.is_alphanumeric());
            text.starts_with(word.as_str()) || parts.any(|part| part.starts_with(word.as_str()))
        };
        if self.words.iter().all(begins) { 1 } else { 3 }
    }

    /// Each word, or the number, is in one of the columns.
    fn within<C: ColumnTrait>(&self, columns: &[C]) -> Condition {
        let each = self.words.iter().fold(Condition::all(), |all, word| {
            let any = columns.iter().fold(Condition::any(), |any, column| {
                any.add(contains(*column, word))
            });
            all.add(any)
        });
        let number = self.number.iter();
        let as_number =
            number.flat_map(|number| columns.iter().map(|column| contains(*column, number)));
        as_number.fold(Condition::any().add(each), Condition::add)
    }

    /// The rows whose column begins with the text, then some of those that the condition leaves in.
    async fn rows<E: EntityTrait>(
        &self,
        select: Select<E>,
        name: E::Column,
        id: E::Column,
        within: Condition,
        db: &impl ConnectionTrait,
    ) -> Result<Vec<E::Model>, StoreError> {
        let first = select
            .clone()
            .filter(name.gte(self.text.as_str()))
            .filter(name.lt(format!("{}\u{10ffff}", self.text)));
        let mut rows = first.order_by_asc(name).limit(CANDIDATES).all(db).await?;
        let some = select.filter(within).order_by_asc(name).limit(CANDIDATES);
        rows.extend(some.all(db).await?);
        let mut seen = HashSet::new();
        rows.retain(|row| seen.insert(row.get(id).unwrap::<Uuid>()));
        Ok(rows)
    }
}

async fn contacts(
    tenant: Uuid,
    wanted: &Wanted,
    text: &str,
    db: &impl ConnectionTrait,
) -> Result<Vec<Found>, StoreError> {
    let words = contact::search::words(text);
    let within = contact::search::matching(tenant, &words, db).await?;
    let own = row_of(contact_row::Column::TenantId, tenant);
    let (name, id) = (contact_row::Column::SortName, contact_row::Column::Id);
    let rows = wanted
        .rows::<contact_row::Entity>(own, name, id, within, db)
        .await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let contacts = contact::read_in_order(&ids, db).await?;
    let found = contacts.into_iter().map(|contact| Found {
        kind: FoundKind::Contact,
        id: contact.id,
        name: contact.name(),
        detail: detail(&contact, &words),
    });
    Ok(found.collect())
}

/// What has one of the words, or else what tells people apart.
fn detail(contact: &Contact, words: &[String]) -> String {
    let company = contact.company.iter();
    let numbers = contact.numbers.iter().map(|number| &number.number);
    let emails = contact.emails.iter().map(|email| &email.address);
    let parts: Vec<&String> = company
        .chain(&contact.job_title)
        .chain(numbers)
        .chain(emails)
        .collect();
    let name = contact.name().to_lowercase();
    let has_one = |part: &&&String| {
        let part = part.to_lowercase();
        let mut beyond_the_name = words.iter().filter(|word| !name.contains(word.as_str()));
        beyond_the_name.any(|word| part.contains(word.as_str()))
    };
    let told = parts.iter().find(has_one).or(parts.first());
    told.map_or_else(String::new, |told| (*told).clone())
}

async fn devices(
    tenant: Uuid,
    wanted: &Wanted,
    db: &impl ConnectionTrait,
) -> Result<Vec<Found>, StoreError> {
    let name = device_row::Column::SortName;
    let own = row_of(device_row::Column::TenantId, tenant);
    let within = wanted.within(&[name]);
    let rows = wanted
        .rows::<device_row::Entity>(own, name, device_row::Column::Id, within, db)
        .await?;
    let devices = device::complete(rows, db).await?.into_iter();
    let found = devices.map(|device| Found {
        kind: FoundKind::Device,
        id: device.id,
        name: device.name,
        detail: device.contact.name,
    });
    Ok(found.collect())
}

async fn accounts(
    tenant: Uuid,
    wanted: &Wanted,
    db: &impl ConnectionTrait,
) -> Result<Vec<Found>, StoreError> {
    let (name, username) = (account_row::Column::SortName, account_row::Column::Username);
    let own = row_of(account_row::Column::TenantId, tenant);
    let within = wanted.within(&[name, username]);
    let rows = wanted
        .rows::<account_row::Entity>(own, name, account_row::Column::Id, within, db)
        .await?;
    let accounts = account::complete(rows, db).await?.into_iter();
    let found = accounts.map(|account| Found {
        kind: FoundKind::Account,
        id: account.id,
        detail: format!("{}@{}", account.username, account.domain),
        name: account.name,
    });
    Ok(found.collect())
}

async fn providers(
    tenant: Uuid,
    wanted: &Wanted,
    db: &impl ConnectionTrait,
) -> Result<Vec<Found>, StoreError> {
    let (name, server) = (provider_row::Column::SortName, provider_row::Column::Server);
    let own = row_of(provider_row::Column::TenantId, tenant);
    let within = wanted.within(&[name, server]);
    let rows = wanted
        .rows::<provider_row::Entity>(own, name, provider_row::Column::Id, within, db)
        .await?;
    let found = rows.into_iter().map(|provider| Found {
        kind: FoundKind::Provider,
        id: provider.id,
        name: provider.name,
        detail: provider.server,
    });
    Ok(found.collect())
}

async fn members(
    tenant: Uuid,
    text: &str,
    db: &impl ConnectionTrait,
) -> Result<Vec<Found>, StoreError> {
    let request = PageRequest {
        search: Some(text.to_owned()),
        ..PageRequest::default()
    };
    let all = membership::MemberFilter::default();
    let page = membership::list(tenant, &all, &request, db).await?;
    let found = page.items.into_iter().map(|member| Found {
        kind: FoundKind::Member,
        id: member.user.id,
        name: contact::full_name(&member.user.first_name, &member.user.last_name),
        detail: member.user.email,
    });
    Ok(found.collect())
}

fn row_of<E: EntityTrait>(column: E::Column, tenant: Uuid) -> Select<E> {
    E::find().filter(column.eq(tenant))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_with_the_words_comes_first() {
        let rank = |words: &str, text: &str| Wanted::of(words).rank(text);
        assert_eq!(rank("an", "Anna Meier"), 0);
        assert_eq!(rank("MEI an", "Anna Meier"), 1);
        assert_eq!(rank("mei", "Anna-Meier"), 1);
        assert_eq!(rank("+49", "call +49"), 3, "a sign begins no word");
        assert_eq!(rank("nna", "Anna Meier"), 3);
    }
}
