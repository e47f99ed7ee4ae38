//! Looking accounts up for the proxy's core.

use sip::{Aor, DigestSecret};
use sip_proxy_core::{Account, LookupFailed, Owner};
use store::{Database, Vault};
use tracing::error;

/// The account of `aor` at this proxy, or `None` if there is none that may be used.
pub(crate) async fn find(
    aor: &Aor,
    vault: &Vault,
    db: &Database,
) -> Result<Option<Account>, LookupFailed> {
    let found = store::account::find_credentials(aor.user(), aor.host(), vault, db)
        .await
        .map_err(|error| {
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
            aor: aor.clone(),
            auth_username: account.username,
            secret,
            display_name: account.display_name,
        })
    }))
}
