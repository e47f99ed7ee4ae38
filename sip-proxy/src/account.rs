//! Looking accounts up for the proxy's core, in groups: what is asked for while the store answers is asked for together. A look-up costs
//! the store nearly as much as a dozen, so the next ones of a crowd wait a moment for each other; a single one never waits.
//!
//! Invariant: every look-up is answered, also when the store fails.

use std::collections::HashMap;
use std::time::Duration;

use sip::{Aor, DigestSecret};
use sip_proxy_core::{Account, Command, LookupFailed, Owner, Ticket};
use store::account::Credentials;
use store::{Database, StoreError, Vault};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use tracing::error;

/// Look-ups in one group.
const GROUP: usize = 256;

/// Who asks so soon after another is one of a crowd.
const CROWD: Duration = Duration::from_millis(20);

/// How long the first of a group waits for others in a crowd.
const GATHER: Duration = Duration::from_millis(5);

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
    let mut before = None;
    while next_group(&mut asked, &mut group, before).await > 0 {
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
        before = Some(Instant::now());
    }
}

/// What is to be looked up together; `before` is when the group before was answered. How many there are: none if nobody can ask any
/// more.
async fn next_group<T>(
    asked: &mut mpsc::Receiver<T>,
    group: &mut Vec<T>,
    before: Option<Instant>,
) -> usize {
    let mut count = asked.recv_many(group, GROUP).await;
    if count > 0 && count < GROUP && before.is_some_and(|before| before.elapsed() < CROWD) {
        sleep(GATHER).await;
        while count < GROUP
            && let Ok(next) = asked.try_recv()
        {
            group.push(next);
            count += 1;
        }
    }
    count
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
    Ok(found.and_then(|account| usable(account, aor)))
}

/// What the core needs of an account, if it may be used.
pub(crate) fn usable(account: Credentials, aor: Aor) -> Option<Account> {
    let password = account.password.filter(|_| account.enabled)?;
    let secret = DigestSecret::from_password(&account.username, &account.realm, password.reveal());
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
}

#[cfg(test)]
mod tests {
    use store::Secret;

    use super::*;

    /// The first group of a look-up that comes some milliseconds after the last answer, if others follow it one millisecond apart.
    async fn group_after(pause_ms: u64) -> Vec<u8> {
        let (ask, mut asked) = mpsc::channel(16);
        let before = Instant::now();
        sleep(Duration::from_millis(pause_ms)).await;
        let others = tokio::spawn(async move {
            for number in 0..10 {
                ask.send(number).await.unwrap();
                sleep(Duration::from_millis(1)).await;
            }
        });
        let mut group = Vec::new();
        let count = next_group(&mut asked, &mut group, Some(before)).await;
        assert_eq!(count, group.len());
        others.abort();
        group
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowd_waits_for_each_other_and_a_single_one_for_nobody() {
        assert_eq!(group_after(25).await, [0]);
        assert!((4..=6).contains(&group_after(10).await.len()));
    }

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
