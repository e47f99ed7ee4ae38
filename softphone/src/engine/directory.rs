//! The company directory of the running phone: what the portal tells is taken in and kept on disk; whose names are shown, and whom a name
//! calls.

use std::mem;
use std::sync::Arc;

use api::DirectoryChanges;
use softphone_core::{CallView, Callee, Directory, LineId, Person};

use super::{Engine, News};
use crate::failure::{Failure, FailureKind};
use crate::profile::{ProfileError, StoredDirectory};

/// People that are named when a name fits several.
const MAX_NAMED: usize = 5;

/// The directory as it was taken in last, and what is still to be taken in.
#[derive(Default)]
pub(super) struct Company {
    stored: Arc<StoredDirectory>,
    people: Arc<Directory>,
    waiting: Vec<DirectoryChanges>,
    is_busy: bool,
}

impl Company {
    pub(super) fn new(stored: StoredDirectory) -> Self {
        Self {
            people: Arc::new(stored.to_directory()),
            stored: Arc::new(stored),
            ..Self::default()
        }
    }
}

/// A directory that was taken in.
pub(super) struct Renewed {
    stored: StoredDirectory,
    people: Directory,
    saved: Result<(), ProfileError>,
}

impl Engine {
    /// Takes changes in, behind those that came before.
    pub(super) fn renew_directory(&mut self, changes: Vec<DirectoryChanges>) {
        self.company.waiting.extend(changes);
        if self.company.is_busy || self.company.waiting.is_empty() {
            return;
        }
        self.company.is_busy = true;
        let changes = mem::take(&mut self.company.waiting);
        let (stored, device) = (Arc::clone(&self.company.stored), self.profile.device_id);
        let (folder, news) = (self.folder.clone(), self.news.clone());
        self.tasks.spawn(async move {
            let renewing = tokio::task::spawn_blocking(move || {
                let mut stored = Arc::unwrap_or_clone(stored);
                for change in changes {
                    stored.apply(change);
                }
                let saved = folder.save_directory(device, &stored);
                let people = stored.to_directory();
                Box::new(Renewed {
                    stored,
                    people,
                    saved,
                })
            });
            // The task panicked or the softphone ends: the old directory holds on.
            if let Ok(renewed) = renewing.await {
                // The engine may be gone.
                let _ = news.send(News::Directory(renewed)).await;
            }
        });
    }

    pub(super) fn handle_directory(&mut self, renewed: Renewed) {
        if let Err(error) = renewed.saved {
            // It is used all the same; the next start fetches what is missing on disk.
            tracing::error!(%error, "company directory not saved");
        }
        self.company.stored = Arc::new(renewed.stored);
        self.company.people = Arc::new(renewed.people);
        self.company.is_busy = false;
        tracing::info!(
            people = self.company.people.len(),
            "company directory renewed"
        );
        self.renew_directory(Vec::new());
    }

    /// The name by which the directory knows the other side.
    pub(super) fn directory_name(&self, call: &CallView) -> Option<String> {
        let person = self.company.people.find_caller(&call.address.0)?;
        Some(person.name.clone())
    }

    /// What is to be called for `text`, which may be a name, and the line that is fit for it, if that matters.
    pub(super) fn callee(&self, text: &str) -> Result<(String, Option<LineId>), Failure> {
        match self.company.people.find_callee(text) {
            Callee::Text => Ok((text.to_owned(), None)),
            Callee::One(person) => self.number_of(person),
            Callee::Several(people) => {
                let named: Vec<_> = people
                    .iter()
                    .take(MAX_NAMED)
                    .map(|person| person.name.as_str())
                    .collect();
                let more = if people.len() > MAX_NAMED {
                    ", …"
                } else {
                    ""
                };
                let text = format!(
                    "this name fits {} people of the company directory: {}{more}; say more of it, or the number",
                    people.len(),
                    named.join(", ")
                );
                Err(Failure::new(FailureKind::NotPossible, text))
            }
            Callee::Nobody => Err(Failure::new(
                FailureKind::NotFound,
                "nobody in the company directory has this name; `softphone directory` lists them",
            )),
        }
    }

    /// From inside if there is a line for it, else from outside.
    fn number_of(&self, person: &Person) -> Result<(String, Option<LineId>), Failure> {
        for internal in &person.internal {
            let domain = internal.address.rsplit('@').next().unwrap_or_default();
            let is_inside = |address: &str| {
                let host = address.rsplit('@').next().unwrap_or_default();
                host.eq_ignore_ascii_case(domain)
            };
            let mut lines = self.view.lines.iter();
            if let Some(line) = lines.find(|line| is_inside(&line.address.0)) {
                return Ok((internal.address.clone(), Some(line.id)));
            }
        }
        let number = person.numbers.first().map(|number| number.number.clone());
        number.map(|number| (number, None)).ok_or_else(|| {
            let text = format!("{} has no number in the company directory", person.name);
            Failure::new(FailureKind::NotPossible, text)
        })
    }
}
