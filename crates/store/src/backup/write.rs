//! Writing a backup while the server goes on.

use std::io::Write;

use futures_util::TryStreamExt;
use sea_orm::sea_query::{Alias, Query};
use sea_orm::{
    AccessMode, DbBackend, DbErr, IsolationLevel, QueryResult, StreamTrait, TransactionOptions,
    TransactionTrait,
};
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use super::format::{self, Writer};
use super::tables::{self, Kind, Table};
use super::{Attachment, BackupError, Summary};
use crate::{Database, SchemaState};

/// Writes all rows as they are at one moment, and `files` beside them, to `out`. `sealed_by` names the keys of the sealed secrets.
///
/// # Errors
///
/// [`BackupError::OtherSchema`] if the database has another schema than this program;
/// [`BackupError::Io`] and [`BackupError::Database`], after which `out` holds a part of a backup that no restore takes.
pub async fn write<W: Write>(
    out: W,
    files: &[Attachment],
    sealed_by: Vec<String>,
    now: OffsetDateTime,
    db: &Database,
) -> Result<(W, Summary), BackupError> {
    let snapshot = db.begin_with_options(one_moment(db)).await?;
    let schema = SchemaState::of(&snapshot).await?;
    if !schema.is_current() {
        return Err(BackupError::OtherSchema);
    }
    let mut summary = Summary {
        made_at: now,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        database: match db.get_database_backend() {
            DbBackend::Postgres => "postgresql".to_owned(),
            _ => "sqlite".to_owned(),
        },
        steps: schema.applied,
        sealed_by,
        files: files.iter().map(|file| file.name.clone()).collect(),
        tables: Vec::new(),
    };
    let mut writer = Writer::new(out, &summary)?;
    for file in files {
        writer.file(file)?;
    }
    for table in tables::all() {
        writer.table(&table)?;
        let mut query = Query::select();
        query.from(Alias::new(&table.name));
        for column in &table.columns {
            query.column(Alias::new(&column.name));
        }
        let statement = db.get_database_backend().build(&query);
        let mut rows = snapshot.stream_raw(statement).await?;
        while let Some(row) = rows.try_next().await? {
            writer.row(values(&row, &table)?)?;
        }
    }
    let (out, counts) = writer.end()?;
    summary.tables = counts;
    Ok((out, summary))
}

/// In SQLite any transaction that reads sees one moment, without keeping a writer waiting.
fn one_moment(db: &Database) -> TransactionOptions {
    match db.get_database_backend() {
        DbBackend::Postgres => TransactionOptions {
            isolation_level: Some(IsolationLevel::RepeatableRead),
            access_mode: Some(AccessMode::ReadOnly),
            sqlite_transaction_mode: None,
        },
        _ => TransactionOptions::default(),
    }
}

fn values(row: &QueryResult, table: &Table) -> Result<Vec<Value>, DbErr> {
    let value = |(index, kind)| match kind {
        Kind::Boolean => Ok(row.try_get_by_index::<Option<bool>>(index)?.into()),
        Kind::Bytes => {
            let bytes = row.try_get_by_index::<Option<Vec<u8>>>(index)?;
            Ok(bytes.map_or(Value::Null, |bytes| format::bytes(&bytes)))
        }
        Kind::Integer => Ok(row.try_get_by_index::<Option<i64>>(index)?.into()),
        Kind::Text => Ok(row.try_get_by_index::<Option<String>>(index)?.into()),
        Kind::Uuid => {
            let uuid = row.try_get_by_index::<Option<Uuid>>(index)?;
            Ok(uuid.map(|uuid| uuid.to_string()).into())
        }
    };
    table
        .columns
        .iter()
        .map(|column| column.kind)
        .enumerate()
        .map(value)
        .collect()
}
