//! The picture that a subscriber has, from all documents so far (RFC 4235, section 4.3).

use super::{DialogEntry, DialogInfo, EntryState, Scope};

/// Dialogs that are remembered; further ones are not.
const MAX_DIALOGS: usize = 256;

/// A document is missing: the subscriber has to refresh its subscription for a full one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("version {version} where {expected} comes next")]
pub struct Gap {
    /// The document's.
    pub version: u32,
    /// What would have followed.
    pub expected: u32,
}

/// All dialogs of one entity, as far as its notifier has told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DialogTable {
    version: Option<u32>,
    dialogs: Vec<DialogEntry>,
}

impl DialogTable {
    /// Nothing known.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The dialogs that are not over.
    #[must_use]
    pub fn dialogs(&self) -> &[DialogEntry] {
        &self.dialogs
    }

    /// Takes a document in. One that is older than what is known changes nothing.
    ///
    /// # Errors
    ///
    /// [`Gap`] if a partial document does not follow the last one; the picture stays as it is.
    pub fn apply(&mut self, info: &DialogInfo) -> Result<(), Gap> {
        match (info.scope, self.version) {
            (_, Some(known)) if info.version <= known => return Ok(()),
            (Scope::Full, _) => self.dialogs.clear(),
            (Scope::Partial, known) => {
                let expected = known.map_or(0, |known| known.saturating_add(1));
                if known.is_none() || info.version != expected {
                    return Err(Gap {
                        version: info.version,
                        expected,
                    });
                }
            }
        }
        self.version = Some(info.version);
        for dialog in &info.dialogs {
            self.take(dialog);
        }
        Ok(())
    }

    fn take(&mut self, dialog: &DialogEntry) {
        self.dialogs.retain(|known| known.id != dialog.id);
        if dialog.state != EntryState::Terminated && self.dialogs.len() < MAX_DIALOGS {
            self.dialogs.push(dialog.clone());
        }
    }
}
