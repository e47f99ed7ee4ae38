//! Imports of contacts: what a file would change is written down row by row, then it is done, and for a day it can be taken back.
//!
//! The rows are the plan. [`start`] makes an import, [`add_rows`] writes its rows in small transactions, [`finish`] says that they are all
//! there. To commit is to take the rows in their order, some in each transaction ([`apply_some`]), so that others who write wait for
//! moments only; whoever does it can stop after any of them and go on later, because the rows that are done say so. A contact that has
//! another version than the plan says stops the import: what was done until then is taken back in the same way ([`take_back_some`]), so that in the
//! end all of the plan was done or nothing.

use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait,
    QueryFilter, Select,
};
use serde_json::json;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::list::{Key, page};
use crate::micros::UnixMicros;
use crate::row::contact_import as row;
use crate::words::words;
use crate::{Db, Page, PageRequest, Sort, SortColumn, StoreError, begin, commit, id};

mod apply;
mod lines;

pub use apply::{Step, apply_some, is_current, take_back_some};
pub use lines::{ImportRow, ImportRowFilter, ImportRowSort, NewImportRow, add_rows, list_rows};

/// For how long an import can be taken back.
pub const UNDO: Duration = Duration::hours(24);

/// For how long it is known what an import did.
pub const KEPT: Duration = Duration::days(30);

/// Somebody works on its rows.
const UNDER_WAY: [ImportState; 3] = [
    ImportState::Committing,
    ImportState::Reverting,
    ImportState::Undoing,
];

/// How many imports a tenant can have.
pub const MAX_IMPORTS: u64 = 50;

words! {
    /// How far an import is.
    ImportState {
        /// Its rows are being read.
        Reading = "reading",
        /// It is known what it would do.
        Checked = "checked",
        /// It is being done.
        Committing = "committing",
        /// It was done.
        Committed = "committed",
        /// It is being taken back, because contacts have changed meanwhile.
        Reverting = "reverting",
        /// Nothing of it was done: contacts have changed since it was checked.
        Stale = "stale",
        /// It is being taken back, because somebody asked for that.
        Undoing = "undoing",
        /// It was taken back.
        Undone = "undone",
    }
}

words! {
    /// What a row of the file is to do.
    ImportResult {
        /// Make a contact.
        Create = "create",
        /// Change one.
        Update = "update",
        /// Nothing: the contact is so already.
        Unchanged = "unchanged",
        /// Nothing: something is wrong with it.
        Refused = "refused",
    }
}

words! {
    /// How far a row is.
    ImportRowState {
        /// It was not done.
        Waiting = "waiting",
        /// It was done.
        Done = "done",
        /// It was taken back.
        Undone = "undone",
        /// It was done and could not be taken back.
        Kept = "kept",
    }
}

words! {
    /// What imports can be ordered by.
    ImportSort {
        /// When it was made.
        CreatedAt = "created_at",
    }
}

impl SortColumn for ImportSort {
    const USUAL: Sort<Self> = Sort::descending(Self::CreatedAt);
}

/// An import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// The row's key.
    pub id: Uuid,
    /// Whose contacts.
    pub tenant_id: Uuid,
    /// How the file was read.
    pub file: ImportFile,
    /// How far it is.
    pub state: ImportState,
    /// Who had it done or taken back last, as the audit log names them; who imports it until then.
    pub acted_by: String,
    /// How many rows do what.
    pub counts: ImportCounts,
    /// How many rows were done or taken back, of those that create or update.
    pub progress: u64,
    /// How many rows could not be taken back.
    pub kept: u64,
    /// When the file was read.
    pub created_at: OffsetDateTime,
    /// When it was done.
    pub committed_at: Option<OffsetDateTime>,
    /// When it was taken back.
    pub undone_at: Option<OffsetDateTime>,
}

/// A file, and how it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportFile {
    /// Who imports it: an e-mail address.
    pub made_by: String,
    /// What the file is called.
    pub name: String,
    /// The encoding, in the words of the interface.
    pub encoding: String,
    /// The separator, in the words of the interface.
    pub separator: String,
    /// Each column: its heading and the field that it fills, if any.
    pub columns: Vec<(String, Option<String>)>,
    /// In which country numbers without a country code are, as ISO 3166-1 alpha-2.
    pub country: Option<String>,
}

/// How many rows do what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImportCounts {
    /// Make a contact.
    pub created: u64,
    /// Change one.
    pub updated: u64,
    /// Do nothing.
    pub unchanged: u64,
    /// Are wrong.
    pub refused: u64,
}

/// Makes an import without rows.
///
/// # Errors
///
/// [`StoreError::Count`] with `imports` if the tenant has [`MAX_IMPORTS`], [`StoreError::Database`].
pub async fn start(
    tenant: Uuid,
    file: &ImportFile,
    now: OffsetDateTime,
    db: &impl Db,
) -> Result<Uuid, StoreError> {
    let transaction = begin(db).await?;
    let known = row::Entity::find().filter(row::Column::TenantId.eq(tenant));
    if known.count(&transaction).await? >= MAX_IMPORTS {
        return Err(StoreError::Count {
            field: "imports",
            max: usize::try_from(MAX_IMPORTS).unwrap_or(usize::MAX),
        });
    }
    let id = id::new(now);
    let new = row::Model {
        id,
        tenant_id: tenant,
        made_by: file.made_by.clone(),
        file_name: file.name.clone(),
        encoding: file.encoding.clone(),
        separator: file.separator.clone(),
        columns: json!(file.columns).to_string(),
        country: file.country.clone(),
        state: ImportState::Reading.as_str().to_owned(),
        acted_by: None,
        created: 0,
        updated: 0,
        unchanged: 0,
        refused: 0,
        progress: 0,
        kept: 0,
        created_at: now.into(),
        committed_at: None,
        undone_at: None,
    };
    row::Entity::insert(row::ActiveModel::from(new))
        .exec_without_returning(&transaction)
        .await?;
    commit(transaction).await?;
    Ok(id)
}

/// All rows are there: the import can be committed.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn finish(
    tenant: Uuid,
    id: Uuid,
    counts: &ImportCounts,
    db: &impl ConnectionTrait,
) -> Result<Import, StoreError> {
    let signed = |count: u64| Set(i64::try_from(count).unwrap_or(i64::MAX));
    let counted = row::ActiveModel {
        created: signed(counts.created),
        updated: signed(counts.updated),
        unchanged: signed(counts.unchanged),
        refused: signed(counts.refused),
        ..Default::default()
    };
    move_to(
        tenant,
        id,
        &[ImportState::Reading],
        ImportState::Checked,
        counted,
        db,
    )
    .await?;
    load(tenant, id, db).await
}

/// Takes an import from one of these states to another. `false` if it is in none of them: somebody else was faster.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn advance(
    tenant: Uuid,
    id: Uuid,
    from: &[ImportState],
    to: ImportState,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<bool, StoreError> {
    load(tenant, id, db).await?;
    let mut changes = row::ActiveModel::default();
    match to {
        ImportState::Committing | ImportState::Undoing | ImportState::Reverting => {
            changes.progress = Set(0);
        }
        ImportState::Committed => changes.committed_at = Set(Some(now.into())),
        ImportState::Undone => changes.undone_at = Set(Some(now.into())),
        ImportState::Reading | ImportState::Checked | ImportState::Stale => {}
    }
    move_to(tenant, id, from, to, changes, db).await
}

/// The same for somebody who has it done or taken back.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn act(
    tenant: Uuid,
    id: Uuid,
    from: ImportState,
    to: ImportState,
    actor: &str,
    db: &impl ConnectionTrait,
) -> Result<bool, StoreError> {
    let changes = row::ActiveModel {
        acted_by: Set(Some(actor.to_owned())),
        progress: Set(0),
        ..Default::default()
    };
    move_to(tenant, id, &[from], to, changes, db).await
}

async fn move_to(
    tenant: Uuid,
    id: Uuid,
    from: &[ImportState],
    to: ImportState,
    changes: row::ActiveModel,
    db: &impl ConnectionTrait,
) -> Result<bool, StoreError> {
    let changes = row::ActiveModel {
        state: Set(to.as_str().to_owned()),
        ..changes
    };
    let moved = row::Entity::update_many()
        .set(changes)
        .filter(row::Column::Id.eq(id))
        .filter(row::Column::TenantId.eq(tenant))
        .filter(row::Column::State.is_in(from.iter().map(|state| state.as_str())))
        .exec(db)
        .await?;
    Ok(moved.rows_affected == 1)
}

/// The import with that key.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn load(tenant: Uuid, id: Uuid, db: &impl ConnectionTrait) -> Result<Import, StoreError> {
    let found = own(tenant, id).one(db).await?;
    found.ok_or(StoreError::NotFound)?.try_into()
}

/// The imports of a tenant, the newest first unless asked otherwise; the search looks at the name of the file.
///
/// # Errors
///
/// [`StoreError::ForeignCursor`], [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn list(
    tenant: Uuid,
    request: &PageRequest<ImportSort>,
    db: &impl ConnectionTrait,
) -> Result<Page<Import>, StoreError> {
    let mut select = row::Entity::find().filter(row::Column::TenantId.eq(tenant));
    for word in request.words() {
        select = select.filter(crate::list::contains_in_any_case(
            row::Column::FileName,
            &word,
        ));
    }
    let rows = page(select, Key::Age, row::Column::Id, request, db).await?;
    let items: Result<_, _> = rows.items.into_iter().map(Import::try_from).collect();
    Ok(Page {
        items: items?,
        next: rows.next,
        total: rows.total,
    })
}

/// The imports of all tenants that were under way when the process ended.
///
/// # Errors
///
/// [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn list_under_way(db: &impl ConnectionTrait) -> Result<Vec<Import>, StoreError> {
    let rows = row::Entity::find()
        .filter(row::Column::State.is_in(UNDER_WAY.map(ImportState::as_str)))
        .all(db)
        .await?;
    rows.into_iter().map(Import::try_from).collect()
}

/// Forgets an import with its rows; the contacts stay as they are. `false` while it is being done or taken back.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn delete(tenant: Uuid, id: Uuid, db: &impl ConnectionTrait) -> Result<bool, StoreError> {
    load(tenant, id, db).await?;
    let deleted = row::Entity::delete_many()
        .filter(row::Column::Id.eq(id))
        .filter(row::Column::TenantId.eq(tenant))
        .filter(row::Column::State.is_not_in(UNDER_WAY.map(ImportState::as_str)))
        .exec(db)
        .await?;
    Ok(deleted.rows_affected == 1)
}

/// Forgets imports that nobody committed for a day, and all that are older than [`KEPT`]; returns how many.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn sweep(now: OffsetDateTime, db: &impl ConnectionTrait) -> Result<u64, StoreError> {
    let planned = [
        ImportState::Reading,
        ImportState::Checked,
        ImportState::Stale,
    ];
    let forgotten = row::Entity::delete_many()
        .filter(
            Condition::any()
                .add(row::Column::CreatedAt.lt(UnixMicros::from(now - KEPT)))
                .add(
                    Condition::all()
                        .add(row::Column::State.is_in(planned.map(ImportState::as_str)))
                        .add(row::Column::CreatedAt.lt(UnixMicros::from(now - UNDO))),
                ),
        )
        .exec(db)
        .await?;
    Ok(forgotten.rows_affected)
}

fn own(tenant: Uuid, id: Uuid) -> Select<row::Entity> {
    row::Entity::find_by_id(id).filter(row::Column::TenantId.eq(tenant))
}

/// Counts rows as done or taken back.
async fn progress(
    import: Uuid,
    rows: usize,
    kept: usize,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    row::Entity::update_many()
        .col_expr(
            row::Column::Progress,
            Expr::col(row::Column::Progress).add(i64::try_from(rows).unwrap_or(0)),
        )
        .col_expr(
            row::Column::Kept,
            Expr::col(row::Column::Kept).add(i64::try_from(kept).unwrap_or(0)),
        )
        .filter(row::Column::Id.eq(import))
        .exec(db)
        .await?;
    Ok(())
}

fn corrupt(column: &'static str) -> StoreError {
    StoreError::Corrupt {
        table: "contact_imports",
        column,
    }
}

impl TryFrom<row::Model> for Import {
    type Error = StoreError;

    fn try_from(row: row::Model) -> Result<Self, StoreError> {
        let acted_by = row.acted_by.unwrap_or_else(|| row.made_by.clone());
        Ok(Self {
            id: row.id,
            tenant_id: row.tenant_id,
            file: ImportFile {
                made_by: row.made_by,
                name: row.file_name,
                encoding: row.encoding,
                separator: row.separator,
                columns: serde_json::from_str(&row.columns).map_err(|_| corrupt("columns"))?,
                country: row.country,
            },
            state: row.state.parse().map_err(|_| corrupt("state"))?,
            acted_by,
            counts: ImportCounts {
                created: row.created.unsigned_abs(),
                updated: row.updated.unsigned_abs(),
                unchanged: row.unchanged.unsigned_abs(),
                refused: row.refused.unsigned_abs(),
            },
            progress: row.progress.unsigned_abs(),
            kept: row.kept.unsigned_abs(),
            created_at: row.created_at.into(),
            committed_at: row.committed_at.map(OffsetDateTime::from),
            undone_at: row.undone_at.map(OffsetDateTime::from),
        })
    }
}
