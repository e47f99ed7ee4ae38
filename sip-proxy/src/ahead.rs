//! Accounts read before anybody asks: all of them after the start, in pages, and again before what the cores remember is over. Looking
//! one up costs a request a wait and the store as much as twenty that are read in a page.
//!
//! ```text
//!   store ─► page ─► without those that changed meanwhile ─► the shard of each domain
//!                                  ▲
//!   portal ─► Control ─► Changes ──┴──────────────────────► every shard
//! ```
//!
//! An account that cannot be read is left to look-ups, which say so.
//!
//! Invariant: no core is told what was read before a change after it was told of the change ([`Changes`]).
//!
//! Not here: look-ups of single accounts (`account.rs`), how long what is known counts (`sip_proxy_core`).

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sip::Aor;
use sip_proxy_core::{Account, AccountCachePolicy, Command, Share};
use store::account::{Position, load_some_credentials};
use store::{Database, StoreError, Vault};
use tokio::time::{Instant, sleep, sleep_until};
use tracing::warn;

use crate::account::usable;
use crate::control::Control;

/// Pauses between pages after the first time round, so that nobody notices.
const PAUSE: Duration = Duration::from_millis(100);

/// Changes that are noted one by one while a page is read; with more of them none of the page counts.
const MAX_CHANGES: usize = 1_000;

/// Keeps the cores supplied until it is dropped or they have stopped.
pub(crate) async fn serve(shares: Vec<Share>, control: Arc<Control>, vault: Vault, db: Database) {
    let policy = AccountCachePolicy::default();
    let mut pause = Duration::ZERO;
    loop {
        let began = Instant::now();
        let reader = Reader {
            shares: &shares,
            control: &control,
            vault: &vault,
            db: &db,
        };
        match reader.read_all(policy.capacity * shares.len(), pause).await {
            Ok(Told::All) => {}
            Ok(Told::Nobody) => return,
            // Look-ups say it louder if it goes on.
            Err(error) => warn!(%error, "accounts could not be read ahead"),
        }
        pause = PAUSE;
        sleep_until(began + policy.lifetime / 4 * 3).await;
    }
}

/// Whether there is still a core to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    All,
    Nobody,
}

struct Reader<'a> {
    shares: &'a [Share],
    control: &'a Control,
    vault: &'a Vault,
    db: &'a Database,
}

impl Reader<'_> {
    async fn read_all(&self, most: usize, pause: Duration) -> Result<Told, StoreError> {
        let mut count = 0;
        let mut from = Some(Position::START);
        while let Some(position) = from
            && count < most
        {
            self.control.changes().begin();
            let (page, next) = load_some_credentials(position, self.vault, self.db).await?;
            count += page.len();
            let accounts = page.into_iter().flatten().filter_map(|found| {
                let aor = Aor::parse(&found.aor)?;
                usable(found, aor)
            });
            if self.tell(accounts.collect()).await == Told::Nobody {
                return Ok(Told::Nobody);
            }
            from = next;
            sleep(pause).await;
        }
        self.control.changes().end();
        Ok(Told::All)
    }

    /// Tells each shard what is its own.
    async fn tell(&self, accounts: Vec<Account>) -> Told {
        let mut parts = vec![Vec::new(); self.shares.len()];
        for account in accounts {
            let owner = self
                .shares
                .iter()
                .find(|share| share.owns(account.aor.host()));
            if let Some(part) = owner.and_then(|owner| parts.get_mut(owner.index())) {
                part.push(account);
            }
        }
        for (shard, mut part) in parts.into_iter().enumerate() {
            let Some(core) = self.control.core(shard).filter(|_| !part.is_empty()) else {
                continue;
            };
            let Ok(room) = core.room().await else {
                return Told::Nobody;
            };
            self.control.changes().look(|has_changed| {
                part.retain(|account| !has_changed(&account.aor));
                room.send(Command::AccountsRead(part));
            });
        }
        Told::All
    }
}

/// Which accounts have changed since the page that is being read was begun.
#[derive(Debug, Default)]
pub(crate) struct Changes(Mutex<Noted>);

#[derive(Debug, Default)]
enum Noted {
    /// Nothing is being read.
    #[default]
    Idle,
    These(HashSet<Aor>),
    TooMany,
}

impl Changes {
    fn begin(&self) {
        *self.noted() = Noted::These(HashSet::new());
    }

    fn end(&self) {
        *self.noted() = Noted::Idle;
    }

    /// To be called before the cores are told of the change.
    pub(crate) fn note(&self, aor: &Aor) {
        let mut noted = self.noted();
        if let Noted::These(these) = &mut *noted {
            these.insert(aor.clone());
            if these.len() > MAX_CHANGES {
                *noted = Noted::TooMany;
            }
        }
    }

    /// Tells `what` of a change before it has ended, or not at all: until then no change is noted.
    fn look(&self, what: impl FnOnce(&dyn Fn(&Aor) -> bool)) {
        let noted = self.noted();
        what(&|aor| match &*noted {
            Noted::These(these) => these.contains(aor),
            Noted::Idle | Noted::TooMany => true,
        });
    }

    /// A poisoned lock holds whole values all the same: every change under it is one assignment or insertion.
    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use store::account::Imported;
    use store::tenant::NewTenant;
    use store::user::NewUser;
    use store::{Secret, StoreConfig};
    use time::OffsetDateTime;
    use tokio::sync::mpsc;

    use crate::core_handle::CoreHandle;
    use crate::probe::Prober;

    use super::*;

    fn aor(user: usize) -> Aor {
        Aor::parse(&format!("sip:{user}@acme.test")).unwrap()
    }

    fn changed(changes: &Changes, users: std::ops::Range<usize>) -> Vec<usize> {
        let mut found = Vec::new();
        changes.look(|has_changed| found.extend(users.filter(|user| has_changed(&aor(*user)))));
        found
    }

    async fn make_tenant(domain: &str, vault: &Vault, db: &Database) {
        let now = OffsetDateTime::now_utc();
        let email = format!("owner@{domain}");
        let owner = NewUser {
            email: &email,
            first_name: "A",
            last_name: "B",
            installation_administrator: false,
            password_phc: &Secret::new("none"),
        };
        let owner = store::user::insert(&owner, now, db).await.unwrap();
        let tenant = NewTenant {
            slug: domain.split('.').next().unwrap(),
            name: domain,
            sip_domain: domain,
            demonstration: false,
            owner: owner.id,
        };
        let tenant = store::tenant::insert(&tenant, now, db).await.unwrap();
        let accounts: Vec<_> = (0..700)
            .map(|user| Imported {
                username: format!("{user}"),
                password: Secret::new("secret"),
            })
            .collect();
        store::account::import(tenant.id, &accounts, vault, now, db)
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn every_shard_is_told_the_accounts_of_its_own_domains() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        let db = store::connect(&url, &StoreConfig::default()).await.unwrap();
        let vault = Vault::open_or_create(&folder.path().join("key")).unwrap();
        let shares: Vec<_> = Share::all(NonZeroUsize::new(2).unwrap()).collect();
        let domain_of = |share: &Share| {
            let mut domains = (0..).map(|number| format!("tenant-{number}.test"));
            domains.find(|domain| share.owns(domain)).unwrap()
        };
        let domains: Vec<_> = shares.iter().map(domain_of).collect();
        for domain in &domains {
            make_tenant(domain, &vault, &db).await;
        }
        let (cores, mut inboxes): (Vec<_>, Vec<_>) = shares
            .iter()
            .map(|_| mpsc::channel(16))
            .map(|(commands, inbox)| (CoreHandle::new(commands), inbox))
            .unzip();
        let control = Control::new(
            cores,
            Prober::new(None, sip_proxy_core::Reach::everywhere()),
        );
        let reader = Reader {
            shares: &shares,
            control: &control,
            vault: &vault,
            db: &db,
        };
        let read = reader.read_all(10_000, Duration::ZERO).await;
        assert_eq!(read.unwrap(), Told::All);
        for (inbox, domain) in inboxes.iter_mut().zip(&domains) {
            let mut users = HashSet::new();
            while let Ok(Command::AccountsRead(accounts)) = inbox.try_recv() {
                for account in accounts {
                    assert_eq!(account.aor.host(), domain);
                    users.insert(account.aor.user().to_owned());
                }
            }
            assert_eq!(users.len(), 700);
        }
    }

    #[test]
    fn what_changes_while_a_page_is_read_is_left_out_of_it() {
        let changes = Changes::default();
        changes.note(&aor(0));
        changes.begin();
        changes.note(&aor(1));
        assert_eq!(changed(&changes, 0..3), [1]);
        changes.begin();
        assert_eq!(changed(&changes, 0..3), [0; 0]);
    }

    #[test]
    fn with_too_many_changes_nothing_of_the_page_counts() {
        let changes = Changes::default();
        changes.begin();
        for user in 0..=MAX_CHANGES {
            changes.note(&aor(user));
        }
        let beyond = MAX_CHANGES + 1;
        assert_eq!(changed(&changes, beyond..beyond + 1), [beyond]);
    }
}
