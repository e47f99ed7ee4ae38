//! All rows in one file that either database can take: backup, restore, and the way from SQLite to PostgreSQL and back.
//!
//! [`write()`] reads within one transaction that sees one moment, so the server goes on meanwhile. [`Archive::open`] reads a file to
//! its end before anything is done with it: a file that is cut off, changed or of a newer program is refused there.
//! [`Archive::restore`] makes the schema of that time, fills it and brings it up to date, in one transaction: all or nothing.
//!
//! A secret is in the file as it is in its row, sealed; nothing is opened for it. The keys are not here: files of the caller's may be
//! added, already encrypted.
//!
//! `tables.rs` says which tables, `format.rs` how the file looks (`docs/decisions/0041-backup-format.md`).

mod format;
mod restore;
mod tables;
mod write;

use std::io;

use sea_orm::DbErr;
use time::OffsetDateTime;

pub use restore::Archive;
pub use write::write;

/// Why a backup was not written, or not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The file cannot be read or written.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The database did not do what it was asked. Nothing was changed.
    #[error("database: {0}")]
    Database(#[from] DbErr),
    /// The file begins otherwise.
    #[error("this is not a backup of Tandem's")]
    NotABackup,
    /// The file is cut off or was changed.
    #[error("the backup is damaged at line {line}: {what}")]
    Damaged {
        /// The line of the unpacked text, from 1.
        line: u64,
        /// What is wrong there.
        what: String,
    },
    /// The file was written by a newer program.
    #[error("the backup was written by a newer program, {program}: restore it with that one")]
    Newer {
        /// Its version.
        program: String,
    },
    /// There is something in the database.
    #[error("the database is not empty: {table} has rows")]
    NotEmpty {
        /// A table with rows.
        table: String,
    },
    /// The schema is not that of this program.
    #[error("the database has the schema of another version of this program")]
    OtherSchema,
}

/// A file that lies in a backup beside the rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Its name, without folders.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// What a backup says of itself; no row of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// When it was made.
    pub made_at: OffsetDateTime,
    /// The version of the program that made it.
    pub program: String,
    /// The database it was made from: `sqlite` or `postgresql`.
    pub database: String,
    /// The steps that its schema is made of.
    pub steps: Vec<String>,
    /// Names of the master keys that secrets may be sealed with ([`Vault::key_names`](crate::Vault::key_names)).
    pub sealed_by: Vec<String>,
    /// Names of the files beside the rows.
    pub files: Vec<String>,
    /// Tables and the number of their rows.
    pub tables: Vec<(String, u64)>,
}
