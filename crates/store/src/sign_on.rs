//! Sign-on through a tenant's OpenID provider: how it is reached, which domains lead to it, who its subjects are, and sign-ins under way.
//!
//! The client secret is sealed and read only by who speaks with the provider. What the provider says is judged elsewhere.

mod attempt;
mod identity;

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use uuid::Uuid;

use crate::list::{check_updated, check_version};
use crate::row::{sign_on_domain as domain_row, sign_on_settings as row, tenant as tenant_row};
use crate::tenant::Tenant;
use crate::{
    Db, NewPeople, Place, Secret, StoreError, Transaction, Vault, begin, commit, second_factor,
    session, tenant,
};

pub use attempt::{
    ATTEMPT_LIFE, Attempt, NewAttempt, delete_expired, insert_attempt, take_attempt,
};
pub use identity::{bind, find_identity, is_used};

/// How many domains lead to one tenant at most.
pub const MAX_DOMAINS: usize = 20;

/// How people of a tenant sign in through its provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignOnSettings {
    /// What people know the provider by.
    pub name: String,
    /// The provider's issuer identifier (OpenID Connect Discovery 1.0 section 3), to the letter.
    pub issuer: String,
    /// What the provider knows us by.
    pub client_id: String,
    /// What we prove to the provider by that it is us; `None` for a public client.
    pub client_secret: Option<Secret>,
    /// Domains of the e-mail addresses that may come, in lower case and in order.
    pub domains: Vec<String>,
    /// What becomes of somebody who is no member yet.
    pub new_people: NewPeople,
    /// Whether an address counts of which the provider does not say that it was verified.
    pub trusts_addresses: bool,
    /// Whether a second factor counts that the provider asked for.
    pub trusts_second_factor: bool,
    /// Whether all but owners must come this way.
    pub required: bool,
    /// Grows with each change.
    pub version: u64,
}

/// What the settings are made of, but for the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignOnFields {
    /// What people know the provider by.
    pub name: String,
    /// The provider's issuer identifier.
    pub issuer: String,
    /// What the provider knows us by.
    pub client_id: String,
    /// Domains in lower case, each once.
    pub domains: Vec<String>,
    /// What becomes of somebody who is no member yet.
    pub new_people: NewPeople,
    /// Whether an address counts of which the provider does not say that it was verified.
    pub trusts_addresses: bool,
    /// Whether a second factor counts that the provider asked for.
    pub trusts_second_factor: bool,
    /// Whether all but owners must come this way.
    pub required: bool,
}

/// How people of the tenant sign in through its provider, or `None` if they do not.
///
/// # Errors
///
/// [`StoreError::NotFound`] if there is no such tenant, [`StoreError::Vault`], [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn load_settings(
    tenant: Uuid,
    vault: &Vault,
    db: &impl ConnectionTrait,
) -> Result<Option<SignOnSettings>, StoreError> {
    let of = tenant::load(tenant, db).await?;
    let Some(row) = row::Entity::find_by_id(tenant).one(db).await? else {
        return Ok(None);
    };
    let domains = domain_row::Entity::find()
        .filter(domain_row::Column::TenantId.eq(tenant))
        .order_by_asc(domain_row::Column::Domain)
        .all(db)
        .await?;
    let secret = row.client_secret_sealed.as_deref();
    let secret = secret.map(|sealed| vault.open_text(sealed, &place(tenant, row.secret_version)));
    let new_people = row.new_people.parse().map_err(|_| StoreError::Corrupt {
        table: "sign_on_settings",
        column: "new_people",
    })?;
    Ok(Some(SignOnSettings {
        client_secret: secret.transpose()?,
        name: row.name,
        issuer: row.issuer,
        client_id: row.client_id,
        domains: domains.into_iter().map(|row| row.domain).collect(),
        new_people,
        trusts_addresses: row.trusts_addresses,
        trusts_second_factor: row.trusts_second_factor,
        required: of.sign_on_required,
        version: row.version.unsigned_abs(),
    }))
}

/// Sets how people of the tenant sign in through its provider. Without `secret` the stored one stays while issuer and client do: a secret
/// is never sent to a provider that it was not entered for. With another issuer or client all sessions end that the provider vouched for, and
/// those that rest on its second factor when it is not trusted with that any more.
///
/// # Errors
///
/// [`StoreError::Conflict`] with `domains` if one leads to another tenant, [`StoreError::NotFound`] if there is no such tenant,
/// [`StoreError::StaleVersion`] if `expected` is given and is not the version, [`StoreError::Vault`], [`StoreError::Database`].
pub async fn set_settings(
    tenant: Uuid,
    fields: &SignOnFields,
    secret: Option<&Secret>,
    expected: Option<u64>,
    vault: &Vault,
    db: &impl Db,
) -> Result<SignOnSettings, StoreError> {
    let transaction = begin(db).await?;
    let before = row::Entity::find_by_id(tenant).one(&transaction).await?;
    let version = before.as_ref().map_or(0, |row| row.version);
    check_version(version, expected)?;
    let same_client = before
        .as_ref()
        .is_some_and(|row| row.issuer == fields.issuer && row.client_id == fields.client_id);
    let secret_version = before.as_ref().map_or(0, |row| row.secret_version) + 1;
    let mut values = changes(fields);
    if secret.is_some() || !same_client {
        let place = place(tenant, secret_version);
        let sealed = secret.map(|secret| vault.seal_text(secret, &place));
        values.client_secret_sealed = Set(sealed);
        values.secret_version = Set(secret_version);
    }
    if before.is_some() {
        let updated = row::Entity::update_many()
            .set(values)
            .col_expr(row::Column::Version, Expr::cust("version + 1"))
            .filter(row::Column::TenantId.eq(tenant))
            .filter(row::Column::Version.eq(version))
            .exec(&transaction)
            .await?;
        check_updated(updated.rows_affected, version)?;
    } else {
        tenant::load(tenant, &transaction).await?;
        values.tenant_id = Set(tenant);
        values.version = Set(1);
        row::Entity::insert(values)
            .exec_without_returning(&transaction)
            .await?;
    }
    if !same_client {
        end_all(tenant, &transaction).await?;
    }
    let trusted = before.is_some_and(|row| row.trusts_second_factor);
    if trusted && !fields.trusts_second_factor {
        session::delete_by_second_factor_elsewhere(tenant, &transaction).await?;
    }
    set_domains(tenant, &fields.domains, &transaction).await?;
    require(tenant, fields.required, &transaction).await?;
    let set = load_settings(tenant, vault, &transaction).await?;
    commit(transaction).await?;
    set.ok_or(StoreError::NotFound)
}

/// From now on people of the tenant sign in by passwords. Sessions that the provider vouched for end; who its subjects are stays known.
///
/// # Errors
///
/// [`StoreError::NotFound`] if they did not sign in through a provider, [`StoreError::Database`].
pub async fn delete_settings(tenant: Uuid, db: &impl Db) -> Result<(), StoreError> {
    let transaction = begin(db).await?;
    let deleted = row::Entity::delete_by_id(tenant).exec(&transaction).await?;
    if deleted.rows_affected == 0 {
        return Err(StoreError::NotFound);
    }
    set_domains(tenant, &[], &transaction).await?;
    require(tenant, false, &transaction).await?;
    end_all(tenant, &transaction).await?;
    commit(transaction).await
}

/// Whether the provider of the tenant is the one that vouched for somebody when the settings had this version: nothing was changed since,
/// and nothing is until the end of the transaction.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn still_vouches(
    tenant: Uuid,
    version: u64,
    db: &Transaction,
) -> Result<bool, StoreError> {
    let found = row::Entity::find_by_id(tenant)
        .filter(row::Column::Version.eq(version.cast_signed()))
        .lock_shared()
        .one(db)
        .await?;
    Ok(found.is_some())
}

/// Whether a second factor counts that the tenant's provider asked for.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn trusts_second_factor(
    tenant: Uuid,
    db: &impl ConnectionTrait,
) -> Result<bool, StoreError> {
    let found = row::Entity::find_by_id(tenant).one(db).await?;
    Ok(found.is_some_and(|row| row.trusts_second_factor))
}

/// Ends whatever the provider vouched for. What is under way goes first: a session that begins by it meanwhile is there to be ended after it.
async fn end_all(tenant: Uuid, db: &impl ConnectionTrait) -> Result<(), StoreError> {
    attempt::delete_by_tenant(tenant, db).await?;
    second_factor::delete_half_sign_ins_by_sign_on(tenant, db).await?;
    session::delete_by_sign_on(tenant, db).await
}

/// A tenant whose people can sign in through its provider, with the provider's name and issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The tenant.
    pub tenant: Tenant,
    /// What people know the provider by.
    pub name: String,
    /// The provider's issuer identifier.
    pub issuer: String,
}

/// The sign-on of the tenant with this slug, if it has one.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn offer_of_slug(
    slug: &str,
    db: &impl ConnectionTrait,
) -> Result<Option<Offer>, StoreError> {
    match tenant::find_by_slug(slug, db).await? {
        Some(tenant) => offer(tenant, db).await,
        None => Ok(None),
    }
}

/// The sign-on that the domain of an e-mail address leads to, if there is one.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn offer_of_domain(
    domain: &str,
    db: &impl ConnectionTrait,
) -> Result<Option<Offer>, StoreError> {
    let found = domain_row::Entity::find_by_id(domain.to_lowercase())
        .one(db)
        .await?;
    let Some(found) = found else { return Ok(None) };
    let tenant = tenant::load(found.tenant_id, db).await?;
    offer(tenant, db).await
}

/// The sign-on of the tenant, if it has one.
///
/// # Errors
///
/// [`StoreError::Database`].
pub async fn offer(tenant: Tenant, db: &impl ConnectionTrait) -> Result<Option<Offer>, StoreError> {
    let found = row::Entity::find_by_id(tenant.id).one(db).await?;
    Ok(found.map(|row| Offer {
        tenant,
        name: row.name,
        issuer: row.issuer,
    }))
}

async fn set_domains(
    tenant: Uuid,
    domains: &[String],
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    domain_row::Entity::delete_many()
        .filter(domain_row::Column::TenantId.eq(tenant))
        .exec(db)
        .await?;
    if domains.is_empty() {
        return Ok(());
    }
    let rows = domains.iter().map(|domain| {
        domain_row::ActiveModel::from(domain_row::Model {
            domain: domain.clone(),
            tenant_id: tenant,
        })
    });
    domain_row::Entity::insert_many(rows)
        .exec_without_returning(db)
        .await?;
    Ok(())
}

async fn require(
    tenant: Uuid,
    required: bool,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    tenant_row::Entity::update_many()
        .set(tenant_row::ActiveModel {
            sign_on_required: Set(required),
            ..Default::default()
        })
        .filter(tenant_row::Column::Id.eq(tenant))
        .exec(db)
        .await?;
    Ok(())
}

fn changes(fields: &SignOnFields) -> row::ActiveModel {
    row::ActiveModel {
        name: Set(fields.name.clone()),
        issuer: Set(fields.issuer.clone()),
        client_id: Set(fields.client_id.clone()),
        new_people: Set(fields.new_people.as_str().to_owned()),
        trusts_addresses: Set(fields.trusts_addresses),
        trusts_second_factor: Set(fields.trusts_second_factor),
        ..Default::default()
    }
}

fn place(tenant: Uuid, version: i64) -> Place {
    Place {
        table: "sign_on_settings",
        id: tenant,
        column: "client_secret_sealed",
        version,
    }
}
