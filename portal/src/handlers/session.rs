//! Signing in, in one step or two, signing out, the own password, and proving anew who one is.

use api::{
    Confirmation, HalfSignIn, PasswordChange, SecondStep, Session, SessionSignOn, SessionTenant,
    SessionUser, SignIn, SignOnReason,
};
use axum::{
    Json,
    extract::State,
    http::{HeaderName, StatusCode, header::SET_COOKIE},
    response::{AppendHeaders, IntoResponse, Response},
};

use axum_extra::extract::{
    CookieJar,
    cookie::{Cookie, SameSite},
};
use store::{
    Secret, StoreError, Transaction, begin,
    browser::{self, Acquaintance},
    commit, link, second_factor,
    session::{NewSession, SignedInBy},
    sign_on,
    user::User,
};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::Refused;
use crate::{
    access::{Person, demands_second_factor, demands_sign_on},
    app::App,
    audit::Deed,
    error::ApiError,
    extract::{Body, SESSION_COOKIE},
    mail::SecurityEvent,
    notice, proof,
    validate::Fields,
    visit::Visit,
    wire,
};

/// Sign in. Unknown address and wrong password get the same answer after the same time. Who has a second factor goes on with
/// `POST /session/second-step`.
#[utoipa::path(post, operation_id = "session_sign_in", path = "/session", tag = "session", request_body = SignIn,
    responses((status = 200, body = Session), (status = 202, body = HalfSignIn), Refused))]
pub(crate) async fn sign_in(
    State(app): State<App>,
    visit: Visit,
    jar: CookieJar,
    Body(sign_in): Body<SignIn>,
) -> Result<Response, ApiError> {
    let SignIn { email, password } = sign_in;
    let user = proof::by_address(&email, password, visit.address, &app).await?;
    let user = user.ok_or(ApiError::SignInRefused)?;
    let now = OffsetDateTime::now_utc();
    if second_factor::confirmed_at(user.id, &app.db)
        .await?
        .is_some()
    {
        let half = begin_half(&user, Way::Own, now, &app).await?;
        return Ok((StatusCode::ACCEPTED, Json(half)).into_response());
    }
    let begun = begin_session(Proved::own(user), &visit, jar, now, &app).await?;
    Ok(begun.into_response())
}

/// Somebody has proved all but the second factor in this way.
pub(super) async fn begin_half(
    user: &User,
    way: Way<'_>,
    now: OffsetDateTime,
    app: &App,
) -> Result<HalfSignIn, ApiError> {
    let half = second_factor::HalfSignIn {
        user: user.id,
        sign_on_tenant: match way {
            Way::Provider { tenant, .. } => Some(tenant),
            Way::Own | Way::Half(_) => None,
        },
    };
    let transaction = begin(&app.db).await?;
    if !way.still_holds(user, now, &transaction).await? {
        return Err(way.refusal());
    }
    let token = second_factor::insert_half_sign_in(&half, now, &transaction).await?;
    commit(transaction).await?;
    Ok(HalfSignIn {
        token: token.reveal().to_owned(),
        expires_at: now + second_factor::HALF_SIGN_IN_LIFE,
    })
}

/// Go on with a sign-in by a code of the second factor.
#[utoipa::path(post, operation_id = "session_second_step", path = "/session/second-step", tag = "session", request_body = SecondStep,
    responses((status = 200, body = Session), Refused))]
pub(crate) async fn second_step(
    State(app): State<App>,
    visit: Visit,
    jar: CookieJar,
    Body(step): Body<SecondStep>,
) -> Result<Response, ApiError> {
    let now = OffsetDateTime::now_utc();
    let half = second_factor::find_half_sign_in(&step.token, now, &app.db).await?;
    let half = half.ok_or(ApiError::SecondStepRefused)?;
    let user = store::user::load(half.user, &app.db).await?;
    let used = proof::second_factor(&user, &step.code, visit.address, &app).await?;
    used.ok_or(ApiError::SecondStepRefused)?;
    let by = match half.sign_on_tenant {
        None => SignedInBy::Own,
        Some(tenant) => SignedInBy::Provider {
            tenant,
            authenticated_at: Some(now),
            second_factor: false,
        },
    };
    let proved = Proved {
        user,
        by,
        way: Way::Half(&step.token),
    };
    let begun = begin_session(proved, &visit, jar, now, &app).await?;
    Ok(begun.into_response())
}

/// What somebody has proved, which a session is to rest on.
pub(super) struct Proved<'a> {
    /// Who, as they were before it was proved.
    pub(super) user: User,
    pub(super) by: SignedInBy,
    pub(super) way: Way<'a>,
}

/// How it was proved.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way<'a> {
    /// By what is the person's own, in one step.
    Own,
    /// By a code, after all else: the token of the sign-in that waited for it.
    Half(&'a str),
    /// By the provider of a tenant, as it was set up in this version of the settings.
    Provider { tenant: Uuid, version: u64 },
}

impl Proved<'_> {
    /// By what is the person's own, in one step.
    pub(super) fn own(user: User) -> Self {
        Self {
            user,
            by: SignedInBy::Own,
            way: Way::Own,
        }
    }
}

impl Way<'_> {
    /// Proving takes time: a password that was replaced meanwhile, a second factor or a provider that is another now and a half that ended
    /// count no more.
    async fn still_holds(
        self,
        user: &User,
        now: OffsetDateTime,
        db: &Transaction,
    ) -> Result<bool, StoreError> {
        if !store::user::still_proves(user.id, user.version, db).await? {
            return Ok(false);
        }
        match self {
            Self::Own => Ok(true),
            Self::Half(token) => second_factor::take_half_sign_in(token, now, db).await,
            Self::Provider { tenant, version } => sign_on::still_vouches(tenant, version, db).await,
        }
    }

    fn refusal(self) -> ApiError {
        match self {
            Self::Own => ApiError::SignInRefused,
            Self::Half(_) => ApiError::SecondStepRefused,
            Self::Provider { .. } => SignOnReason::Lost.into(),
        }
    }
}

/// A session that has begun: its cookies, and what is told of it.
pub(super) struct Begun {
    cookies: [(HeaderName, String); 2],
    pub(super) session: Session,
}

impl Begun {
    /// The cookies together with another body.
    pub(super) fn with(self, body: impl FnOnce(Session) -> Response) -> Response {
        (AppendHeaders(self.cookies), body(self.session)).into_response()
    }
}

impl IntoResponse for Begun {
    fn into_response(self) -> Response {
        self.with(|session| Json(session).into_response())
    }
}

/// Somebody has proved everything that is asked of them.
pub(super) async fn begin_session(
    proved: Proved<'_>,
    visit: &Visit,
    jar: CookieJar,
    now: OffsetDateTime,
    app: &App,
) -> Result<Begun, ApiError> {
    let transaction = begin(&app.db).await?;
    let Proved { user, by, way } = proved;
    if !way.still_holds(&user, now, &transaction).await? {
        return Err(way.refusal());
    }
    // The browser gets another cookie: what it had before would live on without anybody knowing of it.
    if let Some(before) = jar.get(SESSION_COOKIE) {
        store::session::delete(before.value(), &transaction).await?;
    }
    let new = NewSession {
        user: user.id,
        by,
        browser: &visit.browser,
        address: &visit.address.to_string(),
    };
    let token = store::session::insert(&new, &app.session_lifetime(), now, &transaction).await?;
    second_factor::delete_half_sign_ins(user.id, &transaction).await?;
    let known = jar.get(BROWSER_COOKIE).map(Cookie::value);
    let known = known.filter(|token| is_token(token)).map(str::to_owned);
    let known = known.unwrap_or_else(|| browser::token().reveal().to_owned());
    let met = browser::meet(user.id, &known, now, &transaction).await?;
    if met == Acquaintance::New {
        notice::queue(
            SecurityEvent::NewSignIn,
            &user,
            visit,
            now,
            app,
            &transaction,
        )
        .await?;
    }
    let deed = Deed::new("session.create", &user.email).of(user.id);
    visit
        .note_in(None, &user.email, &deed, now, &transaction)
        .await?;
    commit(transaction).await?;
    app.mail.wake();
    let cookies = [
        (SET_COOKIE, session_cookie(token.reveal().to_owned(), app)),
        (SET_COOKIE, browser_cookie(known, app)),
    ];
    let voucher = match by {
        SignedInBy::Own => None,
        SignedInBy::Provider {
            tenant,
            second_factor,
            ..
        } => Some(Voucher {
            tenant,
            second_factor,
        }),
    };
    let session = session_of(user, voucher, app).await?;
    Ok(Begun { cookies, session })
}

/// Who is signed in.
#[utoipa::path(get, operation_id = "session_show", path = "/session", tag = "session",
    responses((status = 200, body = Session), Refused), security(("session" = [])))]
pub(crate) async fn show(
    State(app): State<App>,
    caller: Person,
) -> Result<Json<Session>, ApiError> {
    let session = caller.session()?;
    let voucher = session.sign_on.map(|tenant| Voucher {
        tenant,
        second_factor: session.second_factor_elsewhere,
    });
    session_of(caller.user, voucher, &app).await.map(Json)
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

/// Prove anew who one is, for ten minutes. What was refused with `confirmation-required` is then carried out.
#[utoipa::path(post, operation_id = "session_confirm", path = "/session/confirmation", tag = "session", request_body = Confirmation,
    responses((status = 204), Refused), security(("session" = [])))]
pub(crate) async fn confirm(
    State(app): State<App>,
    caller: Person,
    Body(confirmation): Body<Confirmation>,
) -> Result<StatusCode, ApiError> {
    let Confirmation { password, code } = confirmation;
    let mut fields = Fields::default();
    if !proof::own_password(&caller.user, password, caller.source, &app).await? {
        fields.wrong("password", "This is not your password.");
    } else if second_factor::confirmed_at(caller.user.id, &app.db)
        .await?
        .is_some()
    {
        let code = code.unwrap_or_default();
        let used = proof::second_factor(&caller.user, &code, caller.source, &app).await?;
        if used.is_none() {
            fields.wrong("code", "This code is wrong, or was used already.");
        }
    }
    fields.finish()?;
    let now = OffsetDateTime::now_utc();
    let token = caller.session()?.token.reveal();
    match store::session::confirm(token, now, &app.db).await {
        Err(StoreError::NotFound) => Err(ApiError::Unauthenticated),
        confirmed => Ok(confirmed.map(|()| StatusCode::NO_CONTENT)?),
    }
}

/// Replace the own password. All other sessions of the person end.
#[utoipa::path(put, operation_id = "session_change_password", path = "/session/password", tag = "session", request_body = PasswordChange,
    responses((status = 204), Refused), security(("session" = [])))]
pub(crate) async fn change_password(
    State(app): State<App>,
    caller: Person,
    visit: Visit,
    Body(change): Body<PasswordChange>,
) -> Result<StatusCode, ApiError> {
    let mut fields = Fields::default();
    fields.new_password("new", &change.new);
    if change.current.as_ref() == Some(&change.new) {
        fields.wrong(
            "new",
            "Please choose another password than the current one.",
        );
    }
    fields.finish()?;
    match change.current {
        Some(current) => {
            if !proof::own_password(&caller.user, current, caller.source, &app).await? {
                return not_current();
            }
        }
        None => replaces_one_time_password(&caller, &change.new, &app).await?,
    }

    let phc = Secret::new(app.passwords.hash(change.new).await?);
    let now = OffsetDateTime::now_utc();
    let transaction = begin(&app.db).await?;
    let (user, version) = (caller.user.id, caller.user.version);
    // A password that was replaced while this one was checked and hashed replaces no other.
    if !store::user::still_proves(user, version, &transaction).await? {
        return not_current();
    }
    store::user::set_password(user, &phc, &transaction).await?;
    end_others(&caller, &transaction).await?;
    // Who replaces a one-time password has just been given it.
    if !caller.user.must_set_password {
        let event = SecurityEvent::PasswordChanged;
        notice::queue(event, &caller.user, &visit, now, &app, &transaction).await?;
    }
    let deed = Deed::new("password.update", &caller.user.email).of(user);
    caller.note_in(None, &deed, now, &transaction).await?;
    commit(transaction).await?;
    app.mail.wake();
    Ok(StatusCode::NO_CONTENT)
}

/// Whoever has signed in with a one-time password a moment ago has proved it: it is not asked for again in that session. That the new
/// password is another one has to be asked of the hash.
async fn replaces_one_time_password(caller: &Person, new: &str, app: &App) -> Result<(), ApiError> {
    let session = caller.session()?;
    let mut fields = Fields::default();
    let is_proved = session.sign_on.is_none() && session.is_confirmed(OffsetDateTime::now_utc());
    if !caller.user.must_set_password || !is_proved {
        fields.wrong("current", "Please enter your current password.");
        return fields.finish();
    }
    let phc = store::user::load_password(caller.user.id, &app.db).await?;
    let phc = Some(phc.reveal().to_owned());
    if app.passwords.verify(new.to_owned(), phc).await? {
        fields.wrong(
            "new",
            "Please choose another password than the current one.",
        );
    }
    fields.finish()
}

fn not_current() -> Result<StatusCode, ApiError> {
    let mut fields = Fields::default();
    fields.wrong("current", "This is not your current password.");
    fields.finish().map(|()| StatusCode::NO_CONTENT)
}

/// What the person proves by has changed: who got in by what it was before is out, and what they asked for by mail is void.
pub(super) async fn end_others(caller: &Person, db: &Transaction) -> Result<(), ApiError> {
    let (user, token) = (caller.user.id, caller.session()?.token.reveal());
    store::session::delete_others(user, token, db).await?;
    second_factor::delete_half_sign_ins(user, db).await?;
    link::delete_by_user(user, db).await?;
    Ok(())
}

/// The provider that vouched for a session.
#[derive(Clone, Copy, Debug)]
pub(super) struct Voucher {
    pub(super) tenant: Uuid,
    /// It asked for a second factor, and is trusted with that.
    pub(super) second_factor: bool,
}

/// What is told of a session. One that a tenant's provider vouched for shows that tenant and no other.
pub(super) async fn session_of(
    user: User,
    voucher: Option<Voucher>,
    app: &App,
) -> Result<Session, ApiError> {
    let sign_on = voucher.map(|voucher| voucher.tenant);
    let elsewhere = voucher.is_some_and(|voucher| voucher.second_factor);
    let mut tenants = store::tenant::list_by_user(user.id, &app.db).await?;
    tenants.retain(|(tenant, _)| sign_on.is_none_or(|only| tenant.id == only));
    let since = second_factor::confirmed_at(user.id, &app.db).await?;
    let offer = match (sign_on, tenants.first()) {
        (Some(_), Some((tenant, _))) => sign_on::offer(tenant.clone(), &app.db).await?,
        _ => None,
    };
    Ok(Session {
        must_set_password: user.must_set_password && sign_on.is_none(),
        second_factor: since.is_some(),
        sign_on: offer.map(|offer| SessionSignOn {
            tenant_id: offer.tenant.id,
            provider: offer.name,
        }),
        tenants: tenants
            .into_iter()
            .map(|(tenant, role)| SessionTenant {
                second_factor_missing: since.is_none()
                    && !elsewhere
                    && demands_second_factor(&tenant, role),
                sign_on_missing: sign_on.is_none() && demands_sign_on(&tenant, role),
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
            installation_administrator: user.installation_administrator && sign_on.is_none(),
        },
    })
}

/// Base64url: it can stand in a header as it is.
pub(super) fn is_token(text: &str) -> bool {
    let known = |sign: u8| sign.is_ascii_alphanumeric() || b"-_".contains(&sign);
    text.len() == 43 && text.bytes().all(known)
}

fn session_cookie(token: String, app: &App) -> String {
    cookie(
        (SESSION_COOKIE, token),
        "/",
        app.session_lifetime().absolute,
        app,
    )
}

/// Recognises the browser at the next sign-in; it opens nothing.
fn browser_cookie(token: String, app: &App) -> String {
    cookie(
        (BROWSER_COOKIE, token),
        "/api/v1/session",
        BROWSER_LIFE,
        app,
    )
}

pub(super) fn cookie(
    named: (&'static str, String),
    path: &'static str,
    life: Duration,
    app: &App,
) -> String {
    Cookie::build(named)
        .path(path)
        .http_only(true)
        .secure(app.config.is_https())
        .same_site(SameSite::Strict)
        .max_age(life)
        .build()
        .to_string()
}

const BROWSER_COOKIE: &str = "tandem_browser";
/// Browsers keep no cookie longer.
const BROWSER_LIFE: Duration = Duration::days(400);
