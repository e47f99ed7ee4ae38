//! `tandem backup` and `tandem restore`: everything in one file, and back.
//!
//! A backup is made while the server runs; for a restore it must be stopped, which the lock of the data directory tells. A file is read
//! to its end before anything is done with it, and after it was written.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use store::backup::{self, Archive, Attachment, BackupError, Summary};
use store::{StoreConfig, Vault, VaultError};
use tempfile::NamedTempFile;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::cli::{BackupArguments, RestoreArguments};
use crate::config::{Config, ConfigError};
use crate::data_dir::{DataDir, DataDirError};
use crate::key_files::{self, KeyError, Staged};

/// Why there is no backup, or nothing was restored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    #[error("{path} is there already: name another file")]
    Exists { path: PathBuf },
    #[error("{path} cannot be written: {source}")]
    Write { path: PathBuf, source: io::Error },
    #[error("the backup {path} cannot be used: {source}")]
    Archive { path: PathBuf, source: BackupError },
    #[error("no backup was made: {0}")]
    NotMade(BackupError),
    #[error("the database cannot be used: {0}")]
    Connect(#[from] store::ConnectError),
    #[error("nothing was restored: {0}")]
    NotRestored(BackupError),
    #[error("nothing was restored: {0}; --replace puts the backup in its place")]
    NotEmpty(BackupError),
    #[error(
        "nothing was restored: others are using the database, {count} connections: stop the servers first"
    )]
    InUse { count: i64 },
    #[error(transparent)]
    Keys(#[from] KeyError),
    #[error("the keys cannot be used: {0}")]
    Vault(#[from] VaultError),
    #[error("there are no keys in the backup: put your copy of master.key into {data_dir} instead")]
    NoKeys { data_dir: PathBuf },
    #[error(
        "the secrets in the backup are sealed with the key {missing}, which {data_dir} does not have. {way} \
         With --lose-secrets the rest is restored, and SIP passwords must be set anew"
    )]
    Unsealable {
        missing: String,
        data_dir: PathBuf,
        way: &'static str,
    },
}

/// `tandem backup`.
pub(crate) async fn back_up(arguments: BackupArguments) -> Result<(), Failure> {
    if let Some(path) = &arguments.list {
        print!("{}", told(open(path)?.summary()));
        return Ok(());
    }
    let Some(to) = &arguments.to else {
        return Ok(());
    };
    let config = Config::for_data(&arguments.data)?;
    let files = if arguments.with_keys {
        let passphrase = key_files::passphrase(arguments.passphrase_file.as_deref(), true)?;
        key_files::sealed(&config.data_dir, &passphrase)?
    } else {
        Vec::new()
    };
    let sealed_by = Vault::open_file(&config.data_dir.join(MASTER_KEY))?.key_names();
    let db = store::open_existing(&config.database_url(), &StoreConfig::default()).await?;
    let now = OffsetDateTime::now_utc();
    if to == Path::new("-") {
        let written = backup::write(io::stdout(), &files, sealed_by, now, &db).await;
        let (_, summary) = written.map_err(Failure::NotMade)?;
        eprint!("{}", told(&summary));
    } else {
        let summary = into_file(to, &files, sealed_by, now, &db).await?;
        print!("{}", told(&summary));
    }
    if !arguments.with_keys {
        eprintln!(
            "The keys are not in it. Keep a copy of {} apart: without it the sealed secrets are lost.",
            config.data_dir.join(MASTER_KEY).display()
        );
    }
    Ok(())
}

/// Writes beside the place, reads that to its end, and puts it in place.
async fn into_file(
    to: &Path,
    files: &[Attachment],
    sealed_by: Vec<String>,
    now: OffsetDateTime,
    db: &store::Database,
) -> Result<Summary, Failure> {
    let unwritten = |source| Failure::Write {
        path: to.to_owned(),
        source,
    };
    let exists = || Failure::Exists {
        path: to.to_owned(),
    };
    if to.exists() {
        return Err(exists());
    }
    let folder = match to.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    // For its owner only, and gone if anything fails.
    let mut file = NamedTempFile::new_in(folder).map_err(unwritten)?;
    let written = backup::write(file.as_file_mut(), files, sealed_by, now, db).await;
    let (_, summary) = written.map_err(Failure::NotMade)?;
    file.flush().map_err(unwritten)?;
    file.as_file().sync_all().map_err(unwritten)?;
    Archive::open(file.path()).map_err(Failure::NotMade)?;
    file.persist_noclobber(to)
        .map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists => exists(),
            _ => unwritten(error.error),
        })?;
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(unwritten)?;
    Ok(summary)
}

/// `tandem restore`.
pub(crate) async fn restore(arguments: RestoreArguments) -> Result<(), Failure> {
    let archive = open(&arguments.from)?;
    let config = Config::for_data(&arguments.data)?;
    let data_dir = DataDir::open(&config.data_dir)?;
    let _lock = data_dir.lock()?;
    let mut staged = keys(&arguments, &archive, data_dir.path())?;
    let alone = StoreConfig {
        max_connections: 1,
        ..StoreConfig::default()
    };
    let db = store::open(&config.database_url(), &alone).await?;
    let others = store::other_connections(&db).await;
    match others.map_err(|error| Failure::NotRestored(error.into()))? {
        0 => {}
        count => return Err(Failure::InUse { count }),
    }
    archive
        .restore(
            arguments.replace,
            || staged.place(),
            OffsetDateTime::now_utc(),
            &db,
        )
        .await
        .map_err(|error| match error {
            BackupError::NotEmpty { .. } => Failure::NotEmpty(error),
            _ => Failure::NotRestored(error),
        })?;
    staged.keep();
    db.close()
        .await
        .map_err(|error| Failure::NotRestored(error.into()))?;
    print!("{}", told(archive.summary()));
    println!("All of it was restored. Nobody is signed in any more.");
    Ok(())
}

/// The key files to put in place, none if those that are there will do.
fn keys(
    arguments: &RestoreArguments,
    archive: &Archive,
    data_dir: &Path,
) -> Result<Staged, Failure> {
    if arguments.with_keys {
        if archive.files().is_empty() {
            return Err(Failure::NoKeys {
                data_dir: data_dir.to_owned(),
            });
        }
        let passphrase = key_files::passphrase(arguments.passphrase_file.as_deref(), false)?;
        let files = archive.files();
        return Ok(Staged::write(
            files,
            &passphrase,
            data_dir,
            arguments.replace,
        )?);
    }
    let path = data_dir.join(MASTER_KEY);
    let there = match path.exists() {
        true => Vault::open_file(&path)?.key_names(),
        false => Vec::new(),
    };
    let mut sealed_by = archive.summary().sealed_by.iter();
    match sealed_by.find(|name| !there.contains(name)) {
        Some(missing) if !arguments.lose_secrets => Err(Failure::Unsealable {
            missing: missing.clone(),
            data_dir: data_dir.to_owned(),
            way: match archive.files().is_empty() {
                true => "Put your copy of master.key there first.",
                false => "The backup has it: add --with-keys.",
            },
        }),
        _ => Ok(Staged::default()),
    }
}

fn open(path: &Path) -> Result<Archive, Failure> {
    Archive::open(path).map_err(|source| Failure::Archive {
        path: path.to_owned(),
        source,
    })
}

/// What a backup says of itself, for people.
fn told(summary: &Summary) -> String {
    let made_at = summary.made_at.format(&Rfc3339).unwrap_or_default();
    let mut text = format!(
        "Backup of {made_at} by tandem {} from {}, schema of {} steps\n",
        summary.program,
        summary.database,
        summary.steps.len()
    );
    for (table, rows) in &summary.tables {
        // Writing to a text does not fail.
        let _ = writeln!(text, "{rows:>10}  {table}");
    }
    let keys = match summary.files.as_slice() {
        [] => "none".to_owned(),
        files => files.join(", "),
    };
    let sealed_by = summary.sealed_by.join(", ");
    let _ = writeln!(
        text,
        "Keys in it: {keys}; secrets are sealed with {sealed_by}"
    );
    text
}

const MASTER_KEY: &str = "master.key";
