//! Taking a backup: read to its end first, then all of it or nothing.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use migrations::{Migrator, MigratorTrait};
use sea_orm::sea_query::{Alias, Expr, Query};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement, Value};
use time::OffsetDateTime;

use super::format::{Item, Reader};
use super::tables::{self, Kind, Table};
use super::{Attachment, BackupError, Summary};
use crate::{Database, SchemaState, StoreError, Transaction, begin, mail};

/// SQLite takes 32,766 values in a statement.
const VALUES_AT_ONCE: usize = 16_000;

/// A backup that was read to its end and is whole.
#[derive(Debug)]
pub struct Archive {
    path: PathBuf,
    summary: Summary,
    files: Vec<Attachment>,
}

impl Archive {
    /// Reads the file at `path`.
    ///
    /// # Errors
    ///
    /// [`BackupError::NotABackup`], [`BackupError::Damaged`], [`BackupError::Newer`] or [`BackupError::Io`].
    pub fn open(path: &Path) -> Result<Self, BackupError> {
        let mut reader = reader(path)?;
        let mut files = Vec::new();
        loop {
            match reader.next()? {
                Item::File(file) => files.push(file),
                Item::Table(_) | Item::Row(_) => {}
                Item::End => break,
            }
        }
        Ok(Self {
            path: path.to_owned(),
            summary: reader.summary().clone(),
            files,
        })
    }

    /// What is in it.
    #[must_use]
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// The files beside the rows.
    #[must_use]
    pub fn files(&self) -> &[Attachment] {
        &self.files
    }

    /// Puts all rows into `db`, which [`open`](crate::open) has opened, in place of everything in it if `replace` says so. Mails that waited
    /// then are not sent again: they may have left since. All or
    /// nothing: `before_commit` is called when all has gone well, and if it fails nothing has changed.
    ///
    /// # Errors
    ///
    /// [`BackupError::Newer`] if the backup's schema is newer than this program's; [`BackupError::NotEmpty`] without `replace`;
    /// [`BackupError::OtherSchema`] if what is to be replaced has a newer schema; else what went wrong.
    pub async fn restore(
        &self,
        replace: bool,
        before_commit: impl FnOnce() -> io::Result<()>,
        now: OffsetDateTime,
        db: &Database,
    ) -> Result<(), BackupError> {
        let steps = self.steps()?;
        let transaction = begin(db).await.map_err(unwrapped)?;
        let there = SchemaState::of(&transaction).await?;
        if !there.unknown.is_empty() {
            return Err(BackupError::OtherSchema);
        }
        if !replace {
            refuse_rows(&there, &transaction).await?;
        }
        if !there.applied.is_empty() {
            Migrator::down(&transaction, None).await?;
        }
        Migrator::up(&transaction, Some(steps)).await?;
        self.fill(&transaction).await?;
        Migrator::up(&transaction, None).await?;
        mail::supersede_all(now, &transaction)
            .await
            .map_err(unwrapped)?;
        before_commit()?;
        Ok(transaction.commit().await?)
    }

    /// How many steps make the schema of the backup.
    fn steps(&self) -> Result<u32, BackupError> {
        let steps = &self.summary.steps;
        let known: Vec<_> = Migrator::migrations()
            .iter()
            .map(|step| step.name().to_owned())
            .collect();
        let count = u32::try_from(steps.len()).unwrap_or(u32::MAX);
        known
            .starts_with(steps)
            .then_some(count)
            .ok_or_else(|| BackupError::Newer {
                program: self.summary.program.clone(),
            })
    }

    async fn fill(&self, db: &Transaction) -> Result<(), BackupError> {
        let mut reader = reader(&self.path)?;
        let mut batch: Option<Batch> = None;
        loop {
            match reader.next()? {
                Item::File(_) => {}
                Item::Row(row) => {
                    if let Some(batch) = &mut batch {
                        batch.take(row, db).await?;
                    }
                }
                Item::Table(table) => {
                    if let Some(done) = batch.replace(Batch::new(table)) {
                        done.end(db).await?;
                    }
                }
                Item::End => break,
            }
        }
        if let Some(done) = batch {
            done.end(db).await?;
        }
        Ok(())
    }
}

fn reader(path: &Path) -> Result<Reader<BufReader<File>>, BackupError> {
    Reader::new(BufReader::new(File::open(path)?))
}

async fn refuse_rows(there: &SchemaState, db: &Transaction) -> Result<(), BackupError> {
    if there.applied.is_empty() {
        return Ok(());
    }
    for Table { name: table, .. } in tables::all() {
        let mut one = Query::select();
        one.expr(Expr::val(1)).from(Alias::new(&table)).limit(1);
        // A table that an older schema lacks has no rows.
        let exists = there.missing.is_empty() || has_table(&table, db).await?;
        if exists && db.query_one(&one).await?.is_some() {
            return Err(BackupError::NotEmpty { table });
        }
    }
    Ok(())
}

async fn has_table(table: &str, db: &Transaction) -> Result<bool, DbErr> {
    crate::schema::has_table(table, db).await
}

/// Rows of one table that are inserted together.
struct Batch {
    table: Table,
    rows: Vec<Vec<Value>>,
}

impl Batch {
    fn new(table: Table) -> Self {
        Self {
            table,
            rows: Vec::new(),
        }
    }

    async fn take(&mut self, row: Vec<Value>, db: &Transaction) -> Result<(), DbErr> {
        self.rows.push(row);
        if self.rows.len() * self.table.columns.len() >= VALUES_AT_ONCE {
            self.insert(db).await?;
        }
        Ok(())
    }

    async fn insert(&mut self, db: &Transaction) -> Result<(), DbErr> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let mut insert = Query::insert();
        let columns = self.table.columns.iter();
        insert
            .into_table(Alias::new(&self.table.name))
            .columns(columns.map(|column| Alias::new(&column.name)));
        for row in self.rows.drain(..) {
            // The reader has counted them.
            insert.values_panic(row.into_iter().map(Expr::val));
        }
        db.execute(&insert).await.map(drop)
    }

    /// The rest, and where PostgreSQL counts keys itself, from where it goes on.
    async fn end(mut self, db: &Transaction) -> Result<(), DbErr> {
        self.insert(db).await?;
        if db.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        let table = &self.table.name;
        for column in &self.table.columns {
            if column.kind == Kind::Integer {
                // Names in a backup are lower-case letters, digits and underscores. A column without a sequence is left alone.
                let column = &column.name;
                let sql = format!(
                    "SELECT setval(pg_get_serial_sequence('{table}', '{column}'), max(\"{column}\")) FROM \"{table}\" \
                     HAVING pg_get_serial_sequence('{table}', '{column}') IS NOT NULL"
                );
                let statement = Statement::from_string(DbBackend::Postgres, sql);
                db.query_all_raw(statement).await?;
            }
        }
        Ok(())
    }
}

/// What the store says, in the words of a backup.
fn unwrapped(error: StoreError) -> BackupError {
    match error {
        StoreError::Database(error) => BackupError::Database(error),
        other => BackupError::Io(io::Error::other(other)),
    }
}
