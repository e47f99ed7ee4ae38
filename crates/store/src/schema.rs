//! Which steps of the schema a database has, without changing it.

use migrations::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

/// A database's schema compared with this program's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SchemaState {
    /// Steps that were applied, in order.
    pub applied: Vec<String>,
    /// Steps of this program that the database lacks.
    pub missing: Vec<String>,
    /// Steps that this program does not know: a newer one was here.
    pub unknown: Vec<String>,
}

impl SchemaState {
    /// Looks at the database.
    ///
    /// # Errors
    ///
    /// What the database says.
    pub async fn of(db: &impl ConnectionTrait) -> Result<Self, DbErr> {
        let applied = applied(db).await?;
        let known: Vec<_> = Migrator::migrations()
            .iter()
            .map(|step| step.name().to_owned())
            .collect();
        let not_in = |steps: &[String], other: &[String]| {
            let lacking = steps.iter().filter(|step| !other.contains(step));
            lacking.cloned().collect::<Vec<_>>()
        };
        Ok(Self {
            missing: not_in(&known, &applied),
            unknown: not_in(&applied, &known),
            applied,
        })
    }

    /// It is this program's.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.missing.is_empty() && self.unknown.is_empty()
    }
}

async fn applied(db: &impl ConnectionTrait) -> Result<Vec<String>, DbErr> {
    if !has_table(STEPS, db).await? {
        return Ok(Vec::new());
    }
    let sql = format!("SELECT version FROM {STEPS} ORDER BY version");
    let statement = Statement::from_string(db.get_database_backend(), sql);
    db.query_all_raw(statement)
        .await?
        .iter()
        .map(|row| row.try_get_by_index(0))
        .collect()
}

pub(crate) async fn has_table(table: &str, db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    let backend = db.get_database_backend();
    let sql = match backend {
        DbBackend::Postgres => "SELECT 1 WHERE to_regclass($1) IS NOT NULL",
        _ => "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $1",
    };
    let statement = Statement::from_sql_and_values(backend, sql, [table.into()]);
    Ok(db.query_one_raw(statement).await?.is_some())
}

/// Where the steps are remembered.
const STEPS: &str = "seaql_migrations";
