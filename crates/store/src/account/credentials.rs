//! Accounts of Tandem's own provider as its proxy needs them: some by their addresses, or all in pages.

use std::collections::HashMap;

use sea_orm::sea_query::Query;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    QuerySelect, Select,
};
use uuid::Uuid;

use super::aor;
use super::password::{open, password_place};
use crate::row::{account as row, provider as provider_row, tenant as tenant_row};
use crate::{Secret, StoreError, Vault};

/// Rows that are read at once.
const PAGE: u64 = 500;

/// What the proxy needs to authenticate and route to one of its own accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The account.
    pub account_id: Uuid,
    /// Its tenant.
    pub tenant_id: Uuid,
    /// `sip:user@domain`.
    pub aor: String,
    /// The user name for digest.
    pub username: String,
    /// The realm for digest: the tenant's SIP domain.
    pub realm: String,
    /// The password; `None` if the person enters it on the device, so that nobody can register.
    pub password: Option<Secret>,
    /// The name that callees see.
    pub display_name: Option<String>,
    /// Whether the account may be used.
    pub enabled: bool,
}

/// The account of Tandem's own provider with the address-of-record `sip:user@domain`, or `None`.
/// `user` is compared exactly, `domain` in any case.
///
/// # Errors
///
/// [`StoreError::Vault`] if the password does not open, [`StoreError::Database`].
pub async fn find_credentials(
    user: &str,
    domain: &str,
    vault: &Vault,
    db: &impl ConnectionTrait,
) -> Result<Option<Credentials>, StoreError> {
    let mut found = find_many_credentials(&[user], domain, vault, db).await?;
    found.remove(user).transpose()
}

/// The accounts of Tandem's own provider with the addresses-of-record `sip:user@domain`, by user; at most a few
/// thousand at once. Who is not there does not exist. `users` are compared exactly, `domain` in any case.
///
/// # Errors
///
/// [`StoreError::Database`]. For one account [`StoreError::Vault`] if its password does not open.
pub async fn find_many_credentials(
    users: &[&str],
    domain: &str,
    vault: &Vault,
    db: &impl ConnectionTrait,
) -> Result<HashMap<String, Result<Credentials, StoreError>>, StoreError> {
    let domain = domain.to_lowercase();
    let tenant = Query::select()
        .column(tenant_row::Column::Id)
        .from(tenant_row::Entity)
        .and_where(tenant_row::Column::SipDomain.eq(domain.as_str()))
        .take();
    let own = Query::select()
        .column(provider_row::Column::Id)
        .from(provider_row::Entity)
        .and_where(provider_row::Column::Own.eq(true))
        .and_where(provider_row::Column::TenantId.in_subquery(tenant))
        .take();
    // As many as a power of two, the last one several times: few statements, which every connection prepares once.
    let padding = users.len().next_power_of_two() - users.len();
    let last = users.last().copied();
    let users = users.iter().copied();
    let padded = users.chain(
        last.into_iter()
            .flat_map(|last| std::iter::repeat_n(last, padding)),
    );
    let rows = stored()
        .filter(row::Column::ProviderId.in_subquery(own))
        .filter(row::Column::Username.is_in(padded))
        .into_model::<Stored>()
        .all(db)
        .await?;
    let read = |row: Stored| (row.username.clone(), credentials(row, &domain, vault));
    Ok(rows.into_iter().map(read).collect())
}

/// Where a reader of all accounts is: behind the account with this key.
#[derive(Clone, Copy, Debug)]
pub struct Position(Uuid);

impl Position {
    /// Before the first account.
    pub const START: Self = Self(Uuid::nil());
}

/// The next accounts of all tenants behind `from` that may be used and have a password, and where to go on; `None` after the last.
/// At most 500 at once, and none of them while there are only accounts at other providers. Who makes and deletes accounts meanwhile may
/// be missed or not.
///
/// # Errors
///
/// [`StoreError::Database`]. For one account [`StoreError::Vault`] if its password does not open.
pub async fn load_some_credentials(
    from: Position,
    vault: &Vault,
    db: &impl ConnectionTrait,
) -> Result<(Vec<Result<Credentials, StoreError>>, Option<Position>), StoreError> {
    let rows = stored()
        .filter(row::Column::Id.gt(from.0))
        .filter(row::Column::Enabled.eq(true))
        .filter(row::Column::PasswordSealed.is_not_null())
        .order_by_asc(row::Column::Id)
        .limit(PAGE)
        .into_model::<Stored>()
        .all(db)
        .await?;
    let next = rows.last().map(|last| Position(last.id));
    let domains = domains(&rows, db).await?;
    let own = rows.into_iter().filter_map(|row| {
        let domain = domains.get(&row.provider_id)?;
        Some(credentials(row, domain, vault))
    });
    Ok((own.collect(), next))
}

/// What is read of an account for the proxy.
#[derive(FromQueryResult)]
struct Stored {
    id: Uuid,
    tenant_id: Uuid,
    provider_id: Uuid,
    username: String,
    auth_username: Option<String>,
    password_sealed: Option<Vec<u8>>,
    secret_version: i64,
    display_name: Option<String>,
    enabled: bool,
}

fn stored() -> Select<row::Entity> {
    use row::Column::{
        AuthUsername, DisplayName, Enabled, Id, PasswordSealed, ProviderId, SecretVersion,
        TenantId, Username,
    };
    row::Entity::find().select_only().columns([
        Id,
        TenantId,
        ProviderId,
        Username,
        AuthUsername,
        PasswordSealed,
        SecretVersion,
        DisplayName,
        Enabled,
    ])
}

fn credentials(row: Stored, realm: &str, vault: &Vault) -> Result<Credentials, StoreError> {
    let place = password_place(row.id, row.secret_version);
    Ok(Credentials {
        account_id: row.id,
        tenant_id: row.tenant_id,
        aor: aor(&row.username, realm),
        password: open(row.password_sealed.as_deref(), &place, vault)?,
        username: row.auth_username.unwrap_or(row.username),
        realm: realm.to_owned(),
        display_name: row.display_name,
        enabled: row.enabled,
    })
}

/// The SIP domains of the providers of these accounts that are Tandem's own.
async fn domains(
    rows: &[Stored],
    db: &impl ConnectionTrait,
) -> Result<HashMap<Uuid, String>, StoreError> {
    let mut providers: Vec<_> = rows.iter().map(|row| row.provider_id).collect();
    providers.sort_unstable();
    providers.dedup();
    let own: Vec<(Uuid, Uuid)> = provider_row::Entity::find()
        .select_only()
        .columns([provider_row::Column::Id, provider_row::Column::TenantId])
        .filter(provider_row::Column::Id.is_in(providers))
        .filter(provider_row::Column::Own.eq(true))
        .into_tuple()
        .all(db)
        .await?;
    let tenants: HashMap<Uuid, String> = tenant_row::Entity::find()
        .select_only()
        .columns([tenant_row::Column::Id, tenant_row::Column::SipDomain])
        .filter(tenant_row::Column::Id.is_in(own.iter().map(|(_, tenant)| *tenant)))
        .into_tuple::<(Uuid, String)>()
        .all(db)
        .await?
        .into_iter()
        .collect();
    let domain = |(provider, tenant)| Some((provider, tenants.get(&tenant)?.to_lowercase()));
    Ok(own.into_iter().filter_map(domain).collect())
}
