//! The mailbox of an installation that has no mail server: each mail is a file in the data folder, for its owner only, and a page shows them.
//!
//! A file is named by the mail's key, so names sort by time, and by whose it is. Bounded: beyond [`MAX_MAILS`] the oldest go. A mail that
//! is put in again after a crash replaces itself.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use tokio::task::spawn_blocking;
use uuid::Uuid;

/// How many mails are kept.
pub(crate) const MAX_MAILS: usize = 500;

/// A mail cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[error("the mailbox {}: {source}", folder.display())]
pub(crate) struct MailboxError {
    folder: PathBuf,
    source: io::Error,
}

/// The folder of mails.
#[derive(Clone, Debug)]
pub(crate) struct Mailbox {
    folder: PathBuf,
}

/// A mail in the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    pub(crate) id: Uuid,
    /// Whose it is; `None`: the installation's.
    pub(crate) tenant: Option<Uuid>,
}

impl Mailbox {
    /// In this data folder; made with the first mail.
    pub(crate) fn in_data(data_dir: &Path) -> Self {
        Self {
            folder: data_dir.join("mailbox"),
        }
    }

    /// Keeps a mail.
    pub(crate) async fn put(
        &self,
        id: Uuid,
        tenant: Option<Uuid>,
        mail: Vec<u8>,
    ) -> Result<(), MailboxError> {
        let entry = Entry { id, tenant };
        self.run(move |folder| {
            write(folder, &entry.file_name(), &mail)?;
            let mut entries = entries(folder)?;
            entries.sort_unstable_by(|a, b| b.cmp(a));
            for old in entries.iter().skip(MAX_MAILS) {
                fs::remove_file(folder.join(old.file_name()))?;
            }
            Ok(())
        })
        .await
    }

    /// The mails of a tenant, or with `None` all, the newest first.
    pub(crate) async fn list(&self, tenant: Option<Uuid>) -> Result<Vec<Entry>, MailboxError> {
        self.run(move |folder| {
            let mut entries = entries(folder)?;
            entries.retain(|entry| tenant.is_none() || entry.tenant == tenant);
            entries.sort_unstable_by(|a, b| b.cmp(a));
            Ok(entries)
        })
        .await
    }

    /// A mail as it was sent, or `None` if it is not there.
    pub(crate) async fn get(&self, entry: Entry) -> Result<Option<Vec<u8>>, MailboxError> {
        self.run(
            move |folder| match fs::read(folder.join(entry.file_name())) {
                Ok(mail) => Ok(Some(mail)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            },
        )
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> Result<T, MailboxError> {
        let folder = self.folder.clone();
        let done = spawn_blocking(move || work(&folder)).await;
        done.unwrap_or_else(|_| Err(io::Error::other("interrupted")))
            .map_err(|source| MailboxError {
                folder: self.folder.clone(),
                source,
            })
    }
}

impl Entry {
    fn file_name(&self) -> String {
        match self.tenant {
            Some(tenant) => format!("{}.{tenant}.eml", self.id),
            None => format!("{}.eml", self.id),
        }
    }

    fn parse(name: &str) -> Option<Self> {
        let mut parts = name.strip_suffix(".eml")?.split('.');
        let id = parts.next()?.parse().ok()?;
        let tenant = match parts.next() {
            Some(tenant) => Some(tenant.parse().ok()?),
            None => None,
        };
        parts.next().is_none().then_some(Self { id, tenant })
    }
}

/// The mails in the folder; files of other names are none.
fn entries(folder: &Path) -> io::Result<Vec<Entry>> {
    let files = match fs::read_dir(folder) {
        Ok(files) => files,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut entries = Vec::new();
    for file in files {
        entries.extend(file?.file_name().to_str().and_then(Entry::parse));
    }
    Ok(entries)
}

/// Whole or not at all: written beside its place and renamed.
fn write(folder: &Path, name: &str, mail: &[u8]) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    let new = folder.join(format!("{name}.new"));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&new)?.write_all(mail)?;
    fs::rename(new, folder.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn mails_are_for_their_owner_only_and_come_newest_first() {
        let data = tempfile::tempdir().unwrap();
        let mailbox = Mailbox::in_data(data.path());
        assert_eq!(mailbox.list(None).await.unwrap(), []);
        let tenant = Some(Uuid::from_u128(99));
        let first = (Uuid::from_u128(1), tenant);
        let second = (Uuid::from_u128(2), None);
        for (id, tenant) in [first, second, first] {
            mailbox.put(id, tenant, b"mail".to_vec()).await.unwrap();
        }
        let listed = |entries: Vec<Entry>| -> Vec<_> {
            entries
                .into_iter()
                .map(|entry| (entry.id, entry.tenant))
                .collect()
        };
        assert_eq!(listed(mailbox.list(None).await.unwrap()), [second, first]);
        assert_eq!(listed(mailbox.list(tenant).await.unwrap()), [first]);
        let entry = Entry {
            id: first.0,
            tenant,
        };
        assert_eq!(mailbox.get(entry).await.unwrap().unwrap(), b"mail");
        let foreign = Entry {
            id: first.0,
            tenant: Some(Uuid::from_u128(98)),
        };
        assert_eq!(mailbox.get(foreign).await.unwrap(), None);
        #[cfg(unix)]
        for (path, mode) in [
            (data.path().join("mailbox"), 0o700),
            (data.path().join("mailbox").join(entry.file_name()), 0o600),
        ] {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(
                fs::metadata(path).unwrap().permissions().mode() & 0o777,
                mode
            );
        }
    }

    #[tokio::test]
    async fn the_oldest_go_when_there_are_too_many() {
        let data = tempfile::tempdir().unwrap();
        let mailbox = Mailbox::in_data(data.path());
        let folder = data.path().join("mailbox");
        mailbox
            .put(Uuid::from_u128(0), None, Vec::new())
            .await
            .unwrap();
        for number in 1..u128::try_from(MAX_MAILS).unwrap() {
            write(&folder, &format!("{}.eml", Uuid::from_u128(number)), b"").unwrap();
        }
        fs::write(folder.join("readme.txt"), "not a mail").unwrap();
        mailbox
            .put(Uuid::from_u128(1000), None, Vec::new())
            .await
            .unwrap();
        let kept = mailbox.list(None).await.unwrap();
        assert_eq!(kept.len(), MAX_MAILS);
        assert_eq!(kept[0].id, Uuid::from_u128(1000));
        assert_eq!(kept.last().unwrap().id, Uuid::from_u128(1));
        assert!(folder.join("readme.txt").exists());
    }
}
