//! People before anybody can sign in: the first administrator, and those made on the command line.

use store::{
    Database, Secret, StoreError, begin, commit,
    tenant::NewTenant,
    user::{NewUser, User},
};
use time::OffsetDateTime;

use crate::{
    config::PortalConfig,
    password::{PasswordError, hash_now, one_time_password},
};

/// Somebody to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// E-mail address, with which they sign in.
    pub email: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// May create tenants.
    pub installation_administrator: bool,
}

/// Somebody was made. The password is told once and must be replaced at the first sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneTimePassword {
    /// E-mail address.
    pub email: String,
    /// The one-time password.
    pub password: Secret,
}

/// Why somebody was not made.
#[derive(Debug, thiserror::Error)]
pub enum PersonError {
    /// The e-mail address is taken.
    #[error("somebody with this e-mail address exists already")]
    Exists,
    /// The e-mail address or a name cannot be used.
    #[error("{field}: {message}")]
    Invalid {
        /// Which.
        field: String,
        /// Why, for a person.
        message: String,
    },
    /// The password could not be hashed.
    #[error("the password could not be hashed")]
    Password,
    /// The database did not do it.
    #[error("the database failed: {0}")]
    Store(#[source] StoreError),
}

/// Makes the first administrator and the first tenant if nobody is there yet.
///
/// # Errors
///
/// [`PersonError`]; then nothing was made.
pub async fn first_run(
    config: &PortalConfig,
    now: OffsetDateTime,
    db: &Database,
) -> Result<Option<OneTimePassword>, PersonError> {
    if store::user::count(db).await? > 0 {
        return Ok(None);
    }
    let administrator = Person {
        email: FIRST_ADMINISTRATOR.to_owned(),
        first_name: "First".to_owned(),
        last_name: "Administrator".to_owned(),
        installation_administrator: true,
    };
    let password = Secret::new(one_time_password());
    let transaction = begin(db).await?;
    let user = insert(&administrator, &password, now, &transaction).await?;
    let tenant = NewTenant {
        slug: FIRST_TENANT_SLUG,
        name: FIRST_TENANT,
        sip_domain: &config.sip_domain(FIRST_TENANT_SLUG),
        demonstration: false,
        owner: user.id,
    };
    store::tenant::insert(&tenant, now, &transaction).await?;
    commit(transaction).await?;
    Ok(Some(OneTimePassword {
        email: user.email,
        password,
    }))
}

/// Makes somebody who can sign in.
///
/// # Errors
///
/// [`PersonError`]; then nothing was made.
pub async fn add_user(
    person: &Person,
    now: OffsetDateTime,
    db: &Database,
) -> Result<OneTimePassword, PersonError> {
    check(person)?;
    let password = Secret::new(one_time_password());
    let user = insert(person, &password, now, db).await?;
    Ok(OneTimePassword {
        email: user.email,
        password,
    })
}

async fn insert(
    person: &Person,
    password: &Secret,
    now: OffsetDateTime,
    db: &impl store::ConnectionTrait,
) -> Result<User, PersonError> {
    let new = NewUser {
        email: person.email.trim(),
        first_name: person.first_name.trim(),
        last_name: person.last_name.trim(),
        installation_administrator: person.installation_administrator,
        password_phc: &Secret::new(hash_now(password.reveal())?),
    };
    match store::user::insert(&new, now, db).await {
        Err(StoreError::Conflict { .. }) => Err(PersonError::Exists),
        inserted => Ok(inserted?),
    }
}

fn check(person: &Person) -> Result<(), PersonError> {
    let mut fields = crate::validate::Fields::default();
    fields.email("e-mail", &person.email);
    fields.text("first name", &person.first_name, 100);
    fields.text("last name", &person.last_name, 100);
    match fields.first() {
        None => Ok(()),
        Some(wrong) => Err(PersonError::Invalid {
            field: wrong.field,
            message: wrong.message,
        }),
    }
}

impl From<StoreError> for PersonError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<PasswordError> for PersonError {
    fn from(_: PasswordError) -> Self {
        Self::Password
    }
}

const FIRST_ADMINISTRATOR: &str = "admin@localhost";
const FIRST_TENANT: &str = "My company";
const FIRST_TENANT_SLUG: &str = "my-company";
