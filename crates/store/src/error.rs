//! What can go wrong in a function of the store.

use sea_orm::{DbErr, SqlErr};

use crate::VaultError;
use crate::dependents::Dependents;

/// Why a function of the store failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database did not do what it was asked. The text is for the log, not for people.
    #[error("database: {0}")]
    Database(#[source] DbErr),
    /// Another row already has the value of `field`.
    #[error("{field} is taken")]
    Conflict {
        /// The field as the interface calls it.
        field: &'static str,
    },
    /// There is no such row, or it belongs to another tenant.
    #[error("not found")]
    NotFound,
    /// `field` names a row that does not exist in this tenant.
    #[error("{field} names nothing that exists")]
    UnknownReference {
        /// The field as the interface calls it.
        field: &'static str,
    },
    /// The row cannot be deleted while others use it.
    #[error("in use by {} others", .0.count)]
    InUse(Dependents),
    /// The row was changed since the caller read it.
    #[error("changed meanwhile, the version is now {current}")]
    StaleVersion {
        /// The row's version now.
        current: u64,
    },
    /// A page was to begin where one of another order ended.
    #[error("the cursor is of a list in another order")]
    ForeignCursor,
    /// The same request was taken over by another attempt, which goes on with it.
    #[error("the request was taken over by another attempt")]
    Superseded,
    /// `field` lists too few or too many things.
    #[error("{field} must list 1 to {max}")]
    Count {
        /// The field as the interface calls it.
        field: &'static str,
        /// How many it may list.
        max: usize,
    },
    /// The row is part of the installation and cannot be deleted.
    #[error("this cannot be deleted")]
    Protected,
    /// The tenant would have no owner any more.
    #[error("the last owner")]
    LastOwner,
    /// A row holds what no version of this program writes.
    #[error("{table}.{column} holds what cannot be read")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
    /// A secret could not be unsealed.
    #[error("secret: {0}")]
    Vault(#[from] VaultError),
}

/// A unique constraint: its name (PostgreSQL says that), its last column (SQLite says that), the field.
const UNIQUE: &[(&str, &str, &str)] = &[
    ("tenants_slug_key", "tenants.slug", "slug"),
    ("tenants_sip_domain_key", "tenants.sip_domain", "slug"),
    ("users_email_key_key", "users.email_key", "email"),
    ("memberships_pkey", "memberships.user_id", "email"),
    (
        "sip_accounts_username_key",
        "sip_accounts.username",
        "username",
    ),
    (
        "device_accounts_account_key",
        "device_accounts.account_id",
        "account_ids",
    ),
    ("invitations_email_key", "invitations.email_key", "email"),
    ("sign_on_domains_pkey", "sign_on_domains.domain", "domains"),
    (
        "sign_on_identities_user_key",
        "sign_on_identities.user_id",
        "email",
    ),
    ("device_nonces_pkey", "device_nonces.nonce", "nonce"),
];

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(message)) => {
                let known = UNIQUE
                    .iter()
                    .find(|(name, column, _)| message.contains(name) || message.contains(column));
                Self::Conflict {
                    field: known.map_or("id", |(_, _, field)| field),
                }
            }
            _ => Self::Database(error),
        }
    }
}
