//! Opening the database and bringing its schema up to date.

use std::fs::OpenOptions;
use std::io;
use std::num::NonZero;
use std::path::Path;
use std::thread::available_parallelism;
use std::time::Duration;

use migrations::{Migrator, MigratorTrait};
use sea_orm::sqlx::ConnectOptions as _;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::{ConnectOptions, ConnectionTrait, DbBackend, DbErr, Statement};

use crate::Database;

/// How the database is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreConfig {
    /// Connections at most; 6 to 16 by default, two for each core and two more.
    pub max_connections: u32,
    /// How long a call waits for a free connection.
    pub acquire_timeout: Duration,
    /// SQLite: how long a writer waits for another one.
    pub busy_timeout: Duration,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            max_connections: connections(available_parallelism().map_or(1, NonZero::get)),
            acquire_timeout: Duration::from_secs(10),
            busy_timeout: Duration::from_secs(10),
        }
    }
}

/// For so many cores. Statements beyond what the machine can work on do not end sooner by being begun: with 16 connections on two cores the
/// slowest page in a hundred took half as long again as with six.
fn connections(cores: usize) -> u32 {
    let wanted = cores.saturating_mul(2).saturating_add(2);
    u32::try_from(wanted).unwrap_or(u32::MAX).clamp(6, 16)
}

/// Why the database could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The URL is of neither kind.
    #[error("the database URL must begin with sqlite: or postgres:")]
    Scheme,
    /// The SQLite file cannot be made.
    #[error("cannot create the database file: {0}")]
    File(#[source] io::Error),
    /// The database cannot be reached or opened.
    #[error("cannot open the database: {0}")]
    Open(#[source] DbErr),
    /// The schema cannot be brought up to date.
    #[error("cannot bring the database schema up to date: {0}")]
    Migrate(#[source] DbErr),
}

/// Opens the database at `url` and applies the migrations that it lacks.
///
/// `sqlite:PATH` (or `sqlite://PATH`, the path as it is) makes the file if it is absent, for its owner
/// only (0600), and uses a write-ahead log. `postgres://…` or `postgresql://…` must exist already.
///
/// # Errors
///
/// See [`ConnectError`]. An unreachable PostgreSQL is reported after `acquire_timeout`.
pub async fn connect(url: &str, config: &StoreConfig) -> Result<Database, ConnectError> {
    let db = open(url, config).await?;
    Migrator::up(&db, None)
        .await
        .map_err(ConnectError::Migrate)?;
    Ok(db)
}

/// Opens the database at `url` with the schema that it has, which may be none.
///
/// # Errors
///
/// See [`ConnectError`].
pub async fn open(url: &str, config: &StoreConfig) -> Result<Database, ConnectError> {
    if let Some(path) = sqlite_path(url) {
        create_private(path).map_err(ConnectError::File)?;
    }
    open_existing(url, config).await
}

/// The same, but a SQLite file that is absent is not made.
///
/// # Errors
///
/// See [`ConnectError`]; [`ConnectError::Open`] if there is no such file.
pub async fn open_existing(url: &str, config: &StoreConfig) -> Result<Database, ConnectError> {
    let path = sqlite_path(url);
    if path.is_none() && !is_postgres(url) {
        return Err(ConnectError::Scheme);
    }
    let mut options = ConnectOptions::new(if path.is_some() { SQLITE } else { url });
    options
        .max_connections(config.max_connections)
        .acquire_timeout(config.acquire_timeout)
        .connect_timeout(config.acquire_timeout)
        // Statements would be logged with their size and time, and nobody reads them.
        .sqlx_logging(false);
    if let Some(path) = path {
        let (path, busy_timeout) = (path.to_owned(), config.busy_timeout);
        options.map_sqlx_sqlite_opts(move |_| sqlite_options(&path, busy_timeout));
    }
    sea_orm::Database::connect(options)
        .await
        .map_err(ConnectError::Open)
}

/// How many connections a pool has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolUse {
    /// Open ones.
    pub open: u32,
    /// Those among them that nobody uses.
    pub idle: u32,
}

/// How many connections to the database are not of `db`, which must have one at most. Always none of SQLite: the lock of the data
/// directory keeps others out there.
///
/// # Errors
///
/// What the database says.
pub async fn other_connections(db: &Database) -> Result<i64, DbErr> {
    if db.get_database_backend() != DbBackend::Postgres {
        return Ok(0);
    }
    let sql = "SELECT count(*) FROM pg_stat_activity \
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    match db.query_one_raw(statement).await? {
        Some(row) => row.try_get_by_index(0),
        None => Ok(0),
    }
}

/// How the connections of `db` are used at this moment.
#[must_use]
pub fn pool_use(db: &Database) -> PoolUse {
    let (open, idle) = match db.get_database_backend() {
        DbBackend::Postgres => {
            let pool = db.get_postgres_connection_pool();
            (pool.size(), pool.num_idle())
        }
        _ => {
            let pool = db.get_sqlite_connection_pool();
            (pool.size(), pool.num_idle())
        }
    };
    PoolUse {
        open,
        idle: u32::try_from(idle).unwrap_or(u32::MAX),
    }
}

/// Pages that each connection keeps, in KiB. The system keeps the file's pages once for all of them.
const SQLITE_CACHE_KIB: u32 = 512;

/// Stands for every SQLite file: the options are built from the path.
const SQLITE: &str = "sqlite:file";

fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

/// Built anew rather than from the URL, in which `%` and `#` would have a meaning.
fn sqlite_options(path: &Path, busy_timeout: Duration) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        // What is committed is on disk: a confirmed registration must outlive a power cut.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(busy_timeout)
        .foreign_keys(true)
        .pragma("cache_size", format!("-{SQLITE_CACHE_KIB}"))
        .disable_statement_logging()
}

/// The file of a SQLite URL. What follows a `?` is ignored.
fn sqlite_path(url: &str) -> Option<&Path> {
    let path = url.strip_prefix("sqlite:")?;
    let path = path.strip_prefix("//").unwrap_or(path);
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    Some(Path::new(path))
}

/// Makes an empty file that only its owner can read. The log files beside it get the same mode.
fn create_private(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        opened => opened.map(drop),
    }
}

#[cfg(test)]
mod tests {
    use super::connections;

    #[test]
    fn connections_grow_with_the_cores_within_bounds() {
        let of = [1, 2, 4, 7, 64, usize::MAX].map(connections);
        assert_eq!(of, [6, 6, 10, 16, 16, 16]);
    }
}
