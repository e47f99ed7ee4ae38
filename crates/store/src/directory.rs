//! The company directory: the contacts that show themselves in it, and what changed since somebody looked.
//!
//! The database numbers the changes itself, whoever writes (`migrations`, step 0044), and gives the numbers of a tenant in the order in
//! which they become visible: whoever has seen one has seen all below it. So a reader needs no more than the last number that it has seen
//! and the epoch in which that was given ([`Position`]). An entry that left the directory stays behind as a tombstone, of which
//! [`MAX_TOMBSTONES`] are kept; a reader who missed a forgotten one gets a whole new list.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, Statement,
};
use uuid::Uuid;

use crate::contact::{self, Contact};
use crate::row::{
    account as account_row, contact as contact_row, device_account as line_row, directory as row,
    directory_entry as entry_row, provider as provider_row,
};
use crate::{CursorError, Db, StoreError, account, begin, commit};

/// How many changes are told at once, at most.
pub const MAX_CHANGES: u32 = 1_000;

/// How many entries that left a tenant's directory are remembered; the oldest go first.
pub const MAX_TOMBSTONES: u64 = 10_000;

/// How far somebody has read a directory. Opaque text in interfaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    epoch: Uuid,
    /// All changes up to this number are known.
    change: i64,
    /// While a whole list is read: the last number when that began. What left before was never told.
    whole_until: i64,
}

/// What is to be done to a copy of the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// The copy is to be emptied first: this is the beginning of a whole list.
    pub whole: bool,
    /// Entries that are new or different.
    pub entries: Vec<Entry>,
    /// Contacts that are not in the directory any more.
    pub removed: Vec<Uuid>,
    /// From where to go on.
    pub position: Position,
    /// There are more changes behind that position.
    pub more: bool,
}

/// Somebody in the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The person.
    pub contact: Contact,
    /// The accounts at Tandem's own proxy of the person's devices, each once.
    pub internal: Vec<InternalNumber>,
}

/// By what somebody is called from inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InternalNumber {
    /// What is dialled.
    pub number: String,
    /// `sip:user@domain`.
    pub aor: String,
}

/// The newest position of a tenant's directory.
///
/// # Errors
///
/// [`StoreError::NotFound`] without such a tenant, [`StoreError::Database`].
pub async fn position(tenant: Uuid, db: &impl ConnectionTrait) -> Result<Position, StoreError> {
    let head = Head::load(tenant, db).await?;
    Ok(head.position())
}

/// What changed since `since`, in order, at most `limit` changes (1 … [`MAX_CHANGES`]); the beginning of a whole list without `since`,
/// or if it is of another epoch or older than what is remembered.
///
/// # Errors
///
/// [`StoreError::NotFound`] without such a tenant, [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn changes(
    tenant: Uuid,
    since: Option<&Position>,
    limit: u32,
    db: &impl ConnectionTrait,
) -> Result<Changes, StoreError> {
    let limit = u64::from(limit.clamp(1, MAX_CHANGES));
    // Read before the entries: what they know beyond it is not missed, only told twice.
    let mut head = Head::load(tenant, db).await?;
    let (known, from, mut rows) = loop {
        let known = since.filter(|since| since.is_known(&head));
        let from = known.copied().unwrap_or(Position {
            change: 0,
            ..head.position()
        });
        let rows = from.rows(tenant, limit + 1, db).await?;
        let after = Head::load(tenant, db).await?;
        if after.forgotten == head.forgotten {
            break (known, from, rows);
        }
        // Departures were forgotten meanwhile, perhaps some of these.
        head = after;
    };
    let more = rows.len() as u64 > limit;
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let position = from.after(&rows, more, head.newest);
    let (entries, removed) = entries(tenant, &rows, db).await?;
    Ok(Changes {
        whole: known.is_none(),
        entries,
        removed,
        position,
        more,
    })
}

/// Forgets the oldest tombstones of each tenant that has more than `keep`; 10,000 ([`MAX_TOMBSTONES`]) is what is meant outside of tests.
/// Answers how many were forgotten.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn forget(keep: u64, db: &impl Db) -> Result<u64, StoreError> {
    let mut forgotten = 0;
    let crowded = entry_row::Entity::find()
        .select_only()
        .column(entry_row::Column::TenantId)
        .filter(entry_row::Column::Present.eq(false))
        .group_by(entry_row::Column::TenantId)
        .having(sea_orm::sea_query::ExprTrait::gt(
            entry_row::Column::ContactId.count(),
            keep,
        ))
        .into_tuple::<Uuid>()
        .all(db)
        .await?;
    for tenant in crowded {
        let transaction = begin(db).await?;
        lock(tenant, &transaction).await?;
        let tombstones = || {
            entry_row::Entity::find()
                .filter(entry_row::Column::TenantId.eq(tenant))
                .filter(entry_row::Column::Present.eq(false))
        };
        let surplus = tombstones().count(&transaction).await?.saturating_sub(keep);
        let last = tombstones()
            .order_by_asc(entry_row::Column::Change)
            .offset(surplus.saturating_sub(1))
            .one(&transaction)
            .await?
            .filter(|_| surplus > 0);
        if let Some(last) = last {
            let deleted = entry_row::Entity::delete_many()
                .filter(entry_row::Column::TenantId.eq(tenant))
                .filter(entry_row::Column::Present.eq(false))
                .filter(entry_row::Column::Change.lte(last.change))
                .exec(&transaction)
                .await?;
            forgotten += deleted.rows_affected;
            row::Entity::update_many()
                .col_expr(row::Column::Forgotten, Expr::val(last.change))
                .filter(row::Column::TenantId.eq(tenant))
                .exec(&transaction)
                .await?;
        }
        commit(transaction).await?;
    }
    Ok(forgotten)
}

/// Locks the directory of a tenant until the end of the transaction. Whoever changes contacts, devices or accounts that exist does it
/// first: the triggers take this lock behind those of the rows, and two who take them in different orders could wait for each other.
/// SQLite has one writer anyway.
///
/// # Errors
///
/// [`StoreError::Database`].
pub(crate) async fn lock(tenant: Uuid, db: &impl ConnectionTrait) -> Result<(), StoreError> {
    if db.get_database_backend() == DbBackend::Postgres {
        let sql = "SELECT 1 FROM directories WHERE tenant_id = $1 FOR UPDATE";
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [tenant.into()]);
        db.query_one_raw(statement).await?;
    }
    Ok(())
}

/// Where a directory is.
struct Head {
    epoch: Uuid,
    /// The last number that was given.
    newest: i64,
    /// The last number of which a tombstone was forgotten.
    forgotten: i64,
}

impl Head {
    async fn load(tenant: Uuid, db: &impl ConnectionTrait) -> Result<Self, StoreError> {
        let directory = row::Entity::find_by_id(tenant)
            .one(db)
            .await?
            .ok_or(StoreError::NotFound)?;
        let last = entry_row::Entity::find()
            .filter(entry_row::Column::TenantId.eq(tenant))
            .order_by_desc(entry_row::Column::Change)
            .one(db)
            .await?;
        let last = last.map_or(0, |entry| entry.change);
        Ok(Self {
            epoch: directory.epoch,
            newest: last.max(directory.forgotten),
            forgotten: directory.forgotten,
        })
    }

    fn position(&self) -> Position {
        Position {
            epoch: self.epoch,
            change: self.newest,
            whole_until: self.newest,
        }
    }
}

/// The entries of these rows, and who is not in the directory any more: by the tombstone, or because it was left since the row was read.
async fn entries(
    tenant: Uuid,
    rows: &[entry_row::Model],
    db: &impl ConnectionTrait,
) -> Result<(Vec<Entry>, Vec<Uuid>), StoreError> {
    let present = rows.iter().filter(|row| row.present);
    let contacts = contact_row::Entity::find()
        .filter(contact_row::Column::TenantId.eq(tenant))
        .filter(contact_row::Column::InDirectory.eq(true))
        .filter(contact_row::Column::Id.is_in(present.map(|row| row.contact_id)));
    let contacts = contact::read(contacts, db).await?;
    let mut internal = internal_numbers(&contacts, db).await?;
    let mut found: HashMap<Uuid, Entry> = contacts
        .into_iter()
        .map(|contact| {
            let internal = internal.remove(&contact.id).unwrap_or_default();
            (contact.id, Entry { contact, internal })
        })
        .collect();
    let (mut entries, mut removed) = (Vec::with_capacity(found.len()), Vec::new());
    for row in rows {
        match found.remove(&row.contact_id) {
            Some(entry) => entries.push(entry),
            None => removed.push(row.contact_id),
        }
    }
    Ok((entries, removed))
}

async fn internal_numbers(
    contacts: &[Contact],
    db: &impl ConnectionTrait,
) -> Result<HashMap<Uuid, Vec<InternalNumber>>, StoreError> {
    let owners: HashMap<Uuid, Uuid> = contacts
        .iter()
        .flat_map(|contact| {
            let devices = contact.devices.iter();
            devices.map(|device| (device.id, contact.id))
        })
        .collect();
    let lines = line_row::Entity::find()
        .filter(line_row::Column::DeviceId.is_in(owners.keys().copied()))
        .order_by_asc(line_row::Column::DeviceId)
        .order_by_asc(line_row::Column::Position)
        .all(db)
        .await?;
    let accounts = account_row::Entity::find()
        .filter(account_row::Column::Id.is_in(lines.iter().map(|line| line.account_id)))
        .filter(account_row::Column::Enabled.eq(true))
        .all(db)
        .await?;
    let domains: HashMap<Uuid, String> = provider_row::Entity::find()
        .filter(provider_row::Column::Id.is_in(accounts.iter().map(|account| account.provider_id)))
        .filter(provider_row::Column::Own.eq(true))
        .all(db)
        .await?
        .into_iter()
        .map(|provider| (provider.id, provider.server))
        .collect();
    let accounts: HashMap<Uuid, InternalNumber> = accounts
        .into_iter()
        .filter_map(|account| {
            let domain = domains.get(&account.provider_id)?;
            let aor = account::aor(&account.username, domain);
            let number = account.username;
            Some((account.id, InternalNumber { number, aor }))
        })
        .collect();
    let mut numbers: HashMap<Uuid, Vec<InternalNumber>> = HashMap::new();
    for line in lines {
        let owner = owners.get(&line.device_id);
        if let Some((owner, account)) = owner.zip(accounts.get(&line.account_id)) {
            let known = numbers.entry(*owner).or_default();
            if !known.contains(account) {
                known.push(account.clone());
            }
        }
    }
    Ok(numbers)
}

impl Position {
    /// Whether it knows changes that `other` does not, or was given after the directory was begun anew.
    #[must_use]
    pub fn is_newer_than(&self, other: &Self) -> bool {
        self.epoch != other.epoch || self.change > other.change
    }

    /// Whether all that changed since is still remembered.
    fn is_known(&self, head: &Head) -> bool {
        self.epoch == head.epoch
            && self.change <= head.newest
            && self.whole_until <= head.newest
            && self.whole_until >= head.forgotten
    }

    /// What changed since, in order.
    async fn rows(
        &self,
        tenant: Uuid,
        count: u64,
        db: &impl ConnectionTrait,
    ) -> Result<Vec<entry_row::Model>, StoreError> {
        let told = Condition::any()
            .add(entry_row::Column::Present.eq(true))
            .add(entry_row::Column::Change.gt(self.whole_until));
        let rows = entry_row::Entity::find()
            .filter(entry_row::Column::TenantId.eq(tenant))
            .filter(entry_row::Column::Change.gt(self.change))
            .filter(told)
            .order_by_asc(entry_row::Column::Change)
            .limit(count)
            .all(db)
            .await?;
        Ok(rows)
    }

    /// Where somebody is who read these rows; without `more` all up to `newest` is known too.
    fn after(self, rows: &[entry_row::Model], more: bool, newest: i64) -> Self {
        let read = rows.last().map_or(self.change, |row| row.change);
        let change = if more { read } else { read.max(newest) };
        Self {
            change,
            whole_until: self.whole_until.max(change),
            ..self
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [
            self.epoch.as_bytes().as_slice(),
            &self.change.to_be_bytes(),
            &self.whole_until.to_be_bytes(),
        ];
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes.concat()))
    }
}

impl FromStr for Position {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| CursorError)?;
        let (epoch, numbers) = bytes.split_at_checked(16).ok_or(CursorError)?;
        let (change, whole_until) = numbers.split_at_checked(8).ok_or(CursorError)?;
        let number = |bytes: &[u8]| bytes.try_into().map(i64::from_be_bytes);
        Ok(Self {
            epoch: Uuid::from_slice(epoch).map_err(|_| CursorError)?,
            change: number(change).map_err(|_| CursorError)?,
            whole_until: number(whole_until).map_err(|_| CursorError)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_survives_its_text_and_foreign_text_is_refused() {
        let position = Position {
            epoch: Uuid::from_u128(7),
            change: 12,
            whole_until: i64::MAX,
        };
        assert_eq!(position.to_string().parse(), Ok(position));
        for text in ["", "AAAA", "!", &format!("{position}AAAA")] {
            assert_eq!(text.parse::<Position>(), Err(CursorError), "{text}");
        }
    }
}
