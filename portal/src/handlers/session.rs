//! Signing in, signing out, and the own password.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::LazyLock;
use std::time::Instant;

use api::{PasswordChange, Session, SessionTenant, SessionUser, SignIn};
use axum::{Json, extract::State, http::StatusCode};
use axum_extra::extract::{
    CookieJar,
    cookie::{Cookie, SameSite},
};
use store::{Secret, begin, commit, user::User};
use time::OffsetDateTime;

use super::Refused;
use crate::{
    access::Person,
    app::App,
    audit::Deed,
    error::ApiError,
    extract::{Body, ClientAddress, SESSION_COOKIE},
    limits,
    validate::Fields,
    wire,
};

/// Sign in. Unknown address and wrong password get the same answer after the same time.
#[utoipa::path(post, operation_id = "session_sign_in", path = "/session", tag = "session", request_body = SignIn,
    responses((status = 200, body = Session), Refused))]
pub(crate) async fn sign_in(
    State(app): State<App>,
    ClientAddress(source): ClientAddress,
    jar: CookieJar,
    Body(sign_in): Body<SignIn>,
) -> Result<(CookieJar, Json<Session>), ApiError> {
    let place = limits::Source::from(source);
    let key = (place, account_key(&sign_in.email));
    let tried = Instant::now();
    app.limits.sign_in.take(place, tried)?;
    app.limits.account.take(key, tried)?;
    let now = OffsetDateTime::now_utc();
    let user = check(sign_in, &app).await?.ok_or(ApiError::SignInRefused)?;
    app.limits.sign_in.give_back(&place);
    app.limits.account.give_back(&key);

    let transaction = begin(&app.db).await?;
    let token = store::session::insert(user.id, &app.session_lifetime(), now, &transaction).await?;
    let token = token.reveal().to_owned();
    let person = Person {
        user,
        token: token.clone(),
        source,
    };
    note(&person, "session.create", now, &transaction).await?;
    commit(transaction).await?;
    let session = session_of(person.user, &app).await?;
    Ok((jar.add(cookie(token, &app)), Json(session)))
}

/// Somebody with this address and this password.
async fn check(sign_in: SignIn, app: &App) -> Result<Option<User>, ApiError> {
    if sign_in.email.len() > 254 || sign_in.password.len() > MAX_PASSWORD_BYTES {
        return Ok(None);
    }
    let found = store::user::find_by_email(&sign_in.email, &app.db).await?;
    let (user, phc) = found.unzip();
    let phc = phc.map(|phc| phc.reveal().to_owned());
    let right = app.passwords.verify(sign_in.password, phc).await?;
    Ok(user.filter(|_| right))
}

/// The e-mail address as a key of bounded size.
fn account_key(email: &str) -> u64 {
    static KEYS: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    let mut hasher = KEYS.build_hasher();
    hasher.write(email.trim().to_lowercase().as_bytes());
    hasher.finish()
}

/// Who is signed in.
#[utoipa::path(get, operation_id = "session_show", path = "/session", tag = "session",
    responses((status = 200, body = Session), Refused), security(("session" = [])))]
pub(crate) async fn show(
    State(app): State<App>,
    caller: Person,
) -> Result<Json<Session>, ApiError> {
    session_of(caller.user, &app).await.map(Json)
}

/// Sign out. Well also without a session.
#[utoipa::path(delete, operation_id = "session_sign_out", path = "/session", tag = "session", responses((status = 204), Refused))]
pub(crate) async fn sign_out(
    State(app): State<App>,
    jar: CookieJar,
) -> Result<(CookieJar, StatusCode), ApiError> {
    if let Some(cookie) = jar.get(SESSION_COOKIE) {
        store::session::delete(cookie.value(), &app.db).await?;
    }
    let gone = Cookie::build((SESSION_COOKIE, "")).path("/");
    Ok((jar.remove(gone), StatusCode::NO_CONTENT))
}

/// Replace the own password. All other sessions of the person end.
#[utoipa::path(put, operation_id = "session_change_password", path = "/session/password", tag = "session", request_body = PasswordChange,
    responses((status = 204), Refused), security(("session" = [])))]
pub(crate) async fn change_password(
    State(app): State<App>,
    caller: Person,
    Body(change): Body<PasswordChange>,
) -> Result<StatusCode, ApiError> {
    let mut fields = Fields::default();
    if change.new.chars().count() < MIN_PASSWORD {
        fields.wrong(
            "new",
            format!("Please use at least {MIN_PASSWORD} characters."),
        );
    } else if change.new.len() > MAX_PASSWORD_BYTES {
        fields.wrong("new", "Please use a shorter password.");
    } else if change.new == change.current {
        fields.wrong(
            "new",
            "Please choose another password than the current one.",
        );
    }
    fields.finish()?;

    app.limits.password.take(caller.user.id, Instant::now())?;
    let phc = store::user::load_password(caller.user.id, &app.db).await?;
    if !app
        .passwords
        .verify(change.current, Some(phc.reveal().to_owned()))
        .await?
    {
        let mut fields = Fields::default();
        fields.wrong("current", "This is not your current password.");
        return fields.finish().map(|()| StatusCode::NO_CONTENT);
    }
    app.limits.password.give_back(&caller.user.id);

    let phc = Secret::new(app.passwords.hash(change.new).await?);
    let now = OffsetDateTime::now_utc();
    let transaction = begin(&app.db).await?;
    store::user::set_password(caller.user.id, &phc, &transaction).await?;
    store::session::delete_others(caller.user.id, &caller.token, &transaction).await?;
    note(&caller, "password.update", now, &transaction).await?;
    commit(transaction).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn session_of(user: User, app: &App) -> Result<Session, ApiError> {
    let tenants = store::tenant::list_by_user(user.id, &app.db).await?;
    Ok(Session {
        must_set_password: user.must_set_password,
        tenants: tenants
            .into_iter()
            .map(|(tenant, role)| SessionTenant {
                id: tenant.id,
                slug: tenant.slug,
                name: tenant.name,
                demonstration: tenant.demonstration,
                role: wire::role(role),
            })
            .collect(),
        user: SessionUser {
            id: user.id,
            email: user.email,
            first_name: user.first_name,
            last_name: user.last_name,
            installation_administrator: user.installation_administrator,
        },
    })
}

fn cookie(token: String, app: &App) -> Cookie<'static> {
    Cookie::build((SESSION_COOKIE, token))
        .path("/")
        .http_only(true)
        .secure(app.config.is_https())
        .same_site(SameSite::Strict)
        .max_age(app.session_lifetime().absolute)
        .build()
}

/// Notes in the log of the installation what the person has done to their own account.
async fn note(
    person: &Person,
    action: &'static str,
    now: OffsetDateTime,
    db: &impl store::ConnectionTrait,
) -> Result<(), store::StoreError> {
    let deed = Deed::new(action, &person.user.email).of(person.user.id);
    person.note_in(None, &deed, now, db).await
}

const MIN_PASSWORD: usize = 12;
const MAX_PASSWORD_BYTES: usize = 800;
