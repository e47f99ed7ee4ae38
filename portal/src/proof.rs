//! Proof of who somebody is. Every password of a person and every second factor is checked here and nowhere else, so that all guesses
//! count in the same buckets wherever they are made.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    net::IpAddr,
    sync::LazyLock,
    time::Instant,
};

use store::{Secret, second_factor, user::User};
use time::OffsetDateTime;
use tracing::error;
use uuid::Uuid;

use crate::{
    app::{App, Limits},
    error::ApiError,
    limits, totp,
};

/// Somebody with this address and this password, or nobody. Takes the same time for all addresses.
pub(crate) async fn by_address(
    email: &str,
    password: String,
    source: IpAddr,
    app: &App,
) -> Result<Option<User>, ApiError> {
    let attempt = Attempt::begin(email, None, source, &app.limits)?;
    if email.len() > MAX_EMAIL_BYTES || password.len() > MAX_PASSWORD_BYTES {
        return Ok(None);
    }
    let found = store::user::find_by_email(email, &app.db).await?;
    let (user, phc) = found.unzip();
    let phc = phc.map(|phc: Secret| phc.reveal().to_owned());
    let right = app.passwords.verify(password, phc).await?;
    if right {
        attempt.was_good();
    }
    Ok(user.filter(|_| right))
}

/// Whether this is the password of somebody whose session it is.
pub(crate) async fn own_password(
    user: &User,
    password: String,
    source: IpAddr,
    app: &App,
) -> Result<bool, ApiError> {
    let attempt = Attempt::begin(&user.email, Some(user.id), source, &app.limits)?;
    if password.len() > MAX_PASSWORD_BYTES {
        return Ok(false);
    }
    let phc = store::user::load_password(user.id, &app.db).await?;
    let phc = Some(phc.reveal().to_owned());
    let right = app.passwords.verify(password, phc).await?;
    if right {
        attempt.was_good();
    }
    Ok(right)
}

/// Whether this is the password that somebody chose who has signed up and still has to confirm it.
pub(crate) async fn chosen_password(
    email: &str,
    phc: &Secret,
    password: String,
    source: IpAddr,
    app: &App,
) -> Result<bool, ApiError> {
    let attempt = Attempt::begin(email, None, source, &app.limits)?;
    if password.len() > MAX_PASSWORD_BYTES {
        return Ok(false);
    }
    let phc = Some(phc.reveal().to_owned());
    let right = app.passwords.verify(password, phc).await?;
    if right {
        attempt.was_good();
    }
    Ok(right)
}

/// What stood in for the second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Second {
    /// A code of the app.
    App,
    /// A recovery code, which is used up.
    Recovery,
}

/// Whether this is a code of the user's second factor. It is used up, whichever kind it is.
pub(crate) async fn second_factor(
    user: &User,
    typed: &str,
    source: IpAddr,
    app: &App,
) -> Result<Option<Second>, ApiError> {
    let attempt = Attempt::begin(&user.email, Some(user.id), source, &app.limits)?;
    let used = use_up(user.id, typed, app).await?;
    if used.is_some() {
        attempt.was_good();
    }
    Ok(used)
}

/// The time step of the first code of an app whose key is not confirmed yet.
pub(crate) async fn first_code(
    user: &User,
    typed: &str,
    source: IpAddr,
    app: &App,
) -> Result<Option<u64>, ApiError> {
    let attempt = Attempt::begin(&user.email, Some(user.id), source, &app.limits)?;
    let factor = second_factor::find(user.id, &app.vault, &app.db).await?;
    let Some(factor) = factor.filter(|factor| factor.confirmed_at.is_none()) else {
        return Err(ApiError::NotFound);
    };
    let step = step_of(typed, &factor.secret)?;
    if step.is_some() {
        attempt.was_good();
    }
    Ok(step)
}

async fn use_up(user: Uuid, typed: &str, app: &App) -> Result<Option<Second>, ApiError> {
    if typed.len() > MAX_CODE_BYTES {
        return Ok(None);
    }
    let factor = second_factor::find(user, &app.vault, &app.db).await?;
    let Some(factor) = factor.filter(|factor| factor.confirmed_at.is_some()) else {
        return Ok(None);
    };
    if let Some(step) = step_of(typed, &factor.secret)? {
        let unused = second_factor::use_step(user, step, &app.db).await?;
        return Ok(unused.then_some(Second::App));
    }
    let code = plain(typed);
    let unused = second_factor::use_recovery_code(user, &code, &app.db).await?;
    Ok(unused.then_some(Second::Recovery))
}

fn step_of(typed: &str, key: &Secret) -> Result<Option<u64>, ApiError> {
    totp::step_of(typed, key, OffsetDateTime::now_utc()).map_err(|error| {
        error!(%error, "a second factor could not be checked");
        ApiError::Internal
    })
}

/// A recovery code as it is kept, whatever somebody puts between its groups.
pub(crate) fn plain(typed: &str) -> String {
    let signs = typed.chars().filter(char::is_ascii_alphanumeric);
    signs.map(|sign| sign.to_ascii_lowercase()).collect()
}

/// An attempt that counts unless it turns out well.
struct Attempt<'a> {
    limits: &'a Limits,
    source: limits::Source,
    account: (limits::Source, u64),
    user: Option<Uuid>,
}

impl<'a> Attempt<'a> {
    fn begin(
        email: &str,
        user: Option<Uuid>,
        source: IpAddr,
        limits: &'a Limits,
    ) -> Result<Self, ApiError> {
        let source = limits::Source::from(source);
        let account = (source, email_key(email));
        let now = Instant::now();
        limits.sign_in.take(source, now)?;
        limits.account.take(account, now)?;
        if let Some(user) = user {
            limits.person.take(user, now)?;
        }
        Ok(Self {
            limits,
            source,
            account,
            user,
        })
    }

    fn was_good(self) {
        self.limits.sign_in.give_back(&self.source);
        self.limits.account.give_back(&self.account);
        if let Some(user) = self.user {
            self.limits.person.give_back(&user);
        }
    }
}

/// The e-mail address as a key of bounded size.
pub(crate) fn email_key(email: &str) -> u64 {
    static KEYS: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    let mut hasher = KEYS.build_hasher();
    hasher.write(email.trim().to_lowercase().as_bytes());
    hasher.finish()
}

const MAX_EMAIL_BYTES: usize = 254;
pub(crate) const MAX_PASSWORD_BYTES: usize = 800;
/// A recovery code with whatever stands between its groups.
const MAX_CODE_BYTES: usize = 64;
