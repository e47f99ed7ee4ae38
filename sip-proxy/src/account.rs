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
    match found {
        Ok(found) => judge_all(asked, found),
        Err(error) => {
            error!(%error, "accounts could not be looked up");
            let failed = |(ticket, _)| (ticket, Err(LookupFailed));
            asked.into_iter().map(failed).collect()
        }
    }
}

/// An answer for each look-up. One that was given up and asked for again stands in the group twice.
fn judge_all<T>(
    asked: Vec<(T, Aor)>,
    mut found: HashMap<String, Result<Credentials, StoreError>>,
) -> Vec<(T, Found)> {
    let mut judged: HashMap<Aor, Found> = HashMap::new();
    let answers = asked.into_iter().map(|(ticket, aor)| {
        let answer = judged.entry(aor).or_insert_with_key(|aor| {
            let account = found.remove(aor.user()).transpose();
            judge(account, aor.clone())
        });
        (ticket, answer.clone())
    });
    answers.collect()
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

#[cfg(test)]
mod tests {
    use store::Secret;

    use super::*;

    #[test]
    fn who_is_looked_up_twice_at_once_is_found_twice() {
        let credentials = Credentials {
            account_id: Default::default(),
            tenant_id: Default::default(),
            aor: "sip:1001@acme.test".to_owned(),
            username: "1001".to_owned(),
            realm: "acme.test".to_owned(),
            password: Some(Secret::new("secret")),
            display_name: None,
            enabled: true,
        };
        let aor = |user: &str| Aor::parse(&format!("sip:{user}@acme.test")).unwrap();
        let asked = vec![(1, aor("1001")), (2, aor("1002")), (3, aor("1001"))];
        let found = HashMap::from([("1001".to_owned(), Ok(credentials))]);
        let exist: Vec<_> = judge_all(asked, found)
            .into_iter()
            .map(|(ticket, account)| (ticket, account.unwrap().is_some()))
            .collect();
        assert_eq!(exist, [(1, true), (2, false), (3, true)]);
    }
}
