//! Looking accounts up for the proxy's core, in groups: what is asked for while the store answers is asked for together.
//!
//! Invariant: every look-up is answered, also when the store fails.

use std::collections::HashMap;

use sip::{Aor, DigestSecret};
use sip_proxy_core::{Account, Command, LookupFailed, Owner, Ticket};
use store::account::Credentials;
use store::{Database, StoreError, Vault};
use tokio::sync::mpsc;
use tracing::error;

/// Look-ups in one group.
const GROUP: usize = 256;

/// What one look-up has found.
type Found = Result<Option<Account>, LookupFailed>;

/// Answers look-ups until nobody can ask any more.
pub(crate) async fn serve(
    mut asked: mpsc::Receiver<(Ticket, Aor)>,
    commands: mpsc::Sender<Command>,
    vault: Vault,
    db: Database,
) {
    let mut group = Vec::new();
    while asked.recv_many(&mut group, GROUP).await > 0 {
        let mut by_domain: HashMap<String, Vec<(Ticket, Aor)>> = HashMap::new();
        for (ticket, aor) in group.drain(..) {
            let domain = aor.host().to_owned();
            by_domain.entry(domain).or_default().push((ticket, aor));
        }
        for (domain, asked) in by_domain {
            for (ticket, account) in find(&domain, asked, &vault, &db).await {
                let answer = Command::AccountLoaded { ticket, account };
                // The core has stopped if nobody takes the answer.
                let _ = commands.send(answer).await;
            }
        }
    }
}

/// The accounts of one domain that may be used.
async fn find(
    domain: &str,
    asked: Vec<(Ticket, Aor)>,
    vault: &Vault,
    db: &Database,
) -> Vec<(Ticket, Found)> {
    let users: Vec<_> = asked.iter().map(|(_, aor)| aor.user()).collect();
    let found = store::account::find_many_credentials(&users, domain, vault, db).await;
    let mut found = match found {
        Ok(found) => found,
        Err(error) => {
            error!(%error, "accounts could not be looked up");
            let failed = |(ticket, _)| (ticket, Err(LookupFailed));
            return asked.into_iter().map(failed).collect();
        }
    };
    let judged = |(ticket, aor): (Ticket, Aor)| {
        let account = found.remove(aor.user()).transpose();
        (ticket, judge(account, aor))
    };
    asked.into_iter().map(judged).collect()
}

fn judge(found: Result<Option<Credentials>, StoreError>, aor: Aor) -> Found {
    let found = found.map_err(|error| {
        error!(%error, "an account could not be looked up");
        LookupFailed
    })?;
    Ok(found.filter(|account| account.enabled).and_then(|account| {
        let secret = DigestSecret::from_password(
            &account.username,
            &account.realm,
            account.password?.reveal(),
        );
        Some(Account {
            owner: Owner {
                tenant: account.tenant_id.as_u128(),
                account: account.account_id.as_u128(),
            },
            aor,
            auth_username: account.username,
            secret,
            display_name: account.display_name,
        })
    }))
}
