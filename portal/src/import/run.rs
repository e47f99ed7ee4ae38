//! An import done or taken back, some rows in each transaction, until it is through. A process that ends meanwhile goes on at its next start.

use std::time::Duration;

use api::LiveList;
use serde_json::json;
use store::{
    Reference, StoreError,
    audit::NewAuditEntry,
    begin, commit,
    import::{self, Import, ImportState, Step},
    webhook::EventKind,
};
use time::OffsetDateTime;
use tokio::{select, time::sleep};
use tracing::error;

use crate::{app::App, handlers::imports, live::Written, webhook};

/// Between two attempts while the database fails.
const RETRY: Duration = Duration::from_secs(5);

impl App {
    /// Goes on with the imports that were under way when the process ended.
    pub(crate) async fn resume_imports(self) {
        match import::list_under_way(&self.db).await {
            Ok(imports) => {
                for import in imports {
                    tokio::spawn(self.clone().run_import(import));
                }
            }
            Err(error) => error!(%error, "imports that were under way are not known"),
        }
    }

    /// Takes an import to its end.
    pub(crate) async fn run_import(self, mut import: Import) {
        loop {
            let (tenant, id) = (import.tenant_id, import.id);
            match self.step(&import).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    error!(%error, "an import does not get on");
                    select! {
                        () = self.stop.cancelled() => return,
                        () = sleep(RETRY) => {}
                    }
                }
            }
            if self.stop.is_cancelled() {
                return;
            }
            match import::load(tenant, id, &self.db).await {
                Ok(now) => import = now,
                Err(StoreError::NotFound) => return,
                Err(error) => error!(%error, "an import does not get on"),
            }
        }
    }

    /// Some rows, or the next state. `false` if there is nothing more to do.
    async fn step(&self, import: &Import) -> Result<bool, StoreError> {
        let now = OffsetDateTime::now_utc();
        let transaction = begin(&self.db).await?;
        let (step, end) = match import.state {
            ImportState::Committing => (
                import::apply_some(import, now, &transaction).await?,
                ImportState::Committed,
            ),
            ImportState::Reverting => (
                import::take_back_some(import, &transaction).await?,
                ImportState::Stale,
            ),
            ImportState::Undoing => (
                import::take_back_some(import, &transaction).await?,
                ImportState::Undone,
            ),
            _ => return Ok(false),
        };
        let tenant = import.tenant_id;
        match step {
            Step::Went {
                created,
                updated,
                devices,
                ..
            } => {
                let action = match end {
                    ImportState::Committed => "contact.import",
                    _ => "contact.import_undo",
                };
                let changes = changes(&created, &updated);
                let entry = NewAuditEntry {
                    actor: &import.acted_by,
                    action,
                    subject: &import.file.name,
                    object: Some(import.id),
                    changes: Some(&changes),
                    ..NewAuditEntry::default()
                };
                store::audit::append(Some(tenant), &entry, now, &transaction).await?;
                commit(transaction).await?;
                let written = Written::devices(devices).and_list(LiveList::Contacts);
                self.announce(tenant, written).await;
                Ok(true)
            }
            Step::Finished => {
                let from = [import.state];
                let moved =
                    import::advance(tenant, import.id, &from, end, now, &transaction).await?;
                if moved && end == ImportState::Committed {
                    let (kind, id) = (EventKind::ImportCommitted, Some(import.id));
                    let shown =
                        imports::shown(import::load(tenant, import.id, &transaction).await?);
                    webhook::tell(tenant, kind, id, &shown, now, &transaction).await?;
                }
                commit(transaction).await?;
                self.webhooks.wake();
                Ok(false)
            }
            Step::Changed => {
                drop(transaction);
                let (from, to) = ([ImportState::Committing], ImportState::Reverting);
                import::advance(tenant, import.id, &from, to, now, &self.db).await
            }
            Step::Stopped => Ok(false),
        }
    }
}

/// Which contacts, for the audit log.
fn changes(created: &[Reference], updated: &[Reference]) -> String {
    let names = |contacts: &[Reference]| {
        let names = contacts.iter().map(|contact| contact.name.as_str());
        names.collect::<Vec<_>>().join(", ")
    };
    json!({
        "created": [null, names(created)],
        "updated": [null, names(updated)],
    })
    .to_string()
}
