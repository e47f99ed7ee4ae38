//! SIP accounts made on the command line, many at once.

use store::account::Imported;
use store::audit::NewAuditEntry;
use store::{Database, Secret, StoreError, Vault, begin, commit};
use time::OffsetDateTime;

use crate::validate::Fields;

/// Who is named in the log of changes when the command line did it.
const COMMAND_LINE: &str = "command line";

/// Why accounts were not made; then none was.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// There is no tenant of that short name.
    #[error("there is no tenant {slug:?}")]
    UnknownTenant {
        /// The short name.
        slug: String,
    },
    /// A line is not an account.
    #[error("line {line}: {message}")]
    Invalid {
        /// Which line, from 1.
        line: usize,
        /// Why, for a person.
        message: String,
    },
    /// A user name is taken, or stands in the list twice.
    #[error("one of these user names exists already, or stands in the list twice")]
    Exists,
    /// The database did not do it.
    #[error("the database failed: {0}")]
    Store(#[source] StoreError),
}

/// Makes the accounts that `text` lists, one a line: a user name, a comma, a password. Returns how many.
///
/// # Errors
///
/// [`ImportError`]; then nothing was made.
pub async fn import_accounts(
    slug: &str,
    text: &str,
    vault: &Vault,
    now: OffsetDateTime,
    db: &Database,
) -> Result<usize, ImportError> {
    let accounts = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.is_empty())
        .map(|(index, line)| {
            account(line).map_err(|message| ImportError::Invalid {
                line: index + 1,
                message,
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let transaction = begin(db).await?;
    let tenant = store::tenant::find_by_slug(slug, &transaction)
        .await?
        .ok_or_else(|| ImportError::UnknownTenant {
            slug: slug.to_owned(),
        })?;
    store::account::import(tenant.id, &accounts, vault, now, &transaction).await?;
    let subject = format!("{} accounts", accounts.len());
    let entry = NewAuditEntry {
        actor: COMMAND_LINE,
        action: "account.import",
        subject: &subject,
        ..NewAuditEntry::default()
    };
    store::audit::append(Some(tenant.id), &entry, now, &transaction).await?;
    commit(transaction).await?;
    Ok(accounts.len())
}

fn account(line: &str) -> Result<Imported, String> {
    let (username, password) = line
        .split_once(',')
        .ok_or("Please give a user name, a comma and a password.")?;
    let mut fields = Fields::default();
    let username = fields.sip_username("username", username);
    let password = fields.sip_password("password", Some(password));
    match (fields.first(), password) {
        (Some(wrong), _) => Err(wrong.message),
        (None, None) => Err("Please give a password behind the comma.".to_owned()),
        (None, Some(password)) => Ok(Imported {
            username,
            password: Secret::new(password),
        }),
    }
}

impl From<StoreError> for ImportError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict { .. } => Self::Exists,
            error => Self::Store(error),
        }
    }
}
