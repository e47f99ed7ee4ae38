//! Signing in through a tenant's provider: finding it, going there, coming back.
//!
//! The provider sends the browser back to a page of ours, which hands `state` and `code` to [`complete`] in a body: so the cookie that binds
//! the sign-in to its browser can be `SameSite=Strict`, and no page of another site can finish a sign-in here (login CSRF).

mod came;

use std::{sync::Arc, time::Instant};

use api::{
    SignOnAnswer, SignOnBegin, SignOnBegun, SignOnConfirm, SignOnLookup, SignOnOffer, SignOnOffers,
    SignOnReason, SignedOn,
};
use axum::{
    Json,
    extract::State,
    http::header::SET_COOKIE,
    response::{AppendHeaders, IntoResponse, Response},
};
use axum_extra::extract::{CookieJar, cookie::Cookie};
use store::{
    browser,
    sign_on::{self, ATTEMPT_LIFE, Attempt, NewAttempt, Offer, SignOnSettings},
};
use time::OffsetDateTime;
use url::Url;
use uuid::Uuid;

use came::Came;

use super::{
    Refused,
    session::{cookie, is_token},
};
use crate::{
    access::Person,
    app::App,
    error::ApiError,
    extract::{Body, Source},
    sign_on::{Bond, Client, Expected, Identity, Provider, Request, Trouble, verify, word},
    validate::Fields,
    visit::Visit,
};

/// Find the provider of a tenant by its short name, or by the domain of an e-mail address.
#[utoipa::path(post, operation_id = "sign_on_lookup", path = "/session/sign-on/lookup", tag = "session", request_body = SignOnLookup,
    responses((status = 200, body = SignOnOffers), Refused))]
pub(crate) async fn lookup(
    State(app): State<App>,
    Source(source): Source,
    Body(asked): Body<SignOnLookup>,
) -> Result<Json<SignOnOffers>, ApiError> {
    app.limits.sign_on.take(source, Instant::now())?;
    let mut fields = Fields::default();
    let name = fields.text("name", &asked.name, 254);
    fields.finish()?;
    let found = match name.rsplit_once('@') {
        Some((_, domain)) => sign_on::offer_of_domain(domain, &app.db).await?,
        None => sign_on::offer_of_slug(&name.to_lowercase(), &app.db).await?,
    };
    Ok(Json(SignOnOffers {
        items: found.into_iter().map(offer).collect(),
    }))
}

/// Begin to sign in through a tenant's provider. The answer says where the browser goes.
#[utoipa::path(post, operation_id = "sign_on_begin", path = "/session/sign-on", tag = "session", request_body = SignOnBegin,
    responses((status = 200, body = SignOnBegun), Refused))]
pub(crate) async fn begin(
    State(app): State<App>,
    Source(source): Source,
    jar: CookieJar,
    Body(input): Body<SignOnBegin>,
) -> Result<Response, ApiError> {
    app.limits.sign_on.take(source, Instant::now())?;
    let email = input.email.filter(|email| email.contains('@'));
    let found = sign_on::offer_of_slug(&input.tenant, &app.db).await?;
    let found = found.ok_or(SignOnReason::TurnedOff)?;
    let begins = Begins {
        tenant: found.tenant.id,
        email: email.as_deref(),
        next: path(input.next.as_deref()),
        confirms: None,
    };
    go(&begins, &jar, &app).await
}

/// Begin to prove anew who one is, at the provider that vouched for the session.
#[utoipa::path(post, operation_id = "sign_on_confirm", path = "/session/sign-on/confirmation", tag = "session",
    request_body = SignOnConfirm, responses((status = 200, body = SignOnBegun), Refused), security(("session" = [])))]
pub(crate) async fn confirm(
    State(app): State<App>,
    Source(source): Source,
    caller: Person,
    jar: CookieJar,
    Body(input): Body<SignOnConfirm>,
) -> Result<Response, ApiError> {
    app.limits.sign_on.take(source, Instant::now())?;
    let begins = Begins {
        tenant: caller.sign_on().ok_or(SignOnReason::TurnedOff)?,
        email: Some(&caller.user.email),
        next: path(input.next.as_deref()),
        confirms: Some(caller.user.id),
    };
    go(&begins, &jar, &app).await
}

/// Come back from the provider. Who has a second factor of their own goes on with `POST /session/second-step`.
#[utoipa::path(post, operation_id = "sign_on_complete", path = "/session/sign-on/completion", tag = "session",
    request_body = SignOnAnswer, responses((status = 200, body = SignedOn), Refused))]
pub(crate) async fn complete(
    State(app): State<App>,
    visit: Visit,
    jar: CookieJar,
    Body(answer): Body<SignOnAnswer>,
) -> Result<Response, ApiError> {
    app.limits
        .sign_on
        .take(visit.address.into(), Instant::now())?;
    let now = OffsetDateTime::now_utc();
    let browser = own_cookie(&jar).ok_or(SignOnReason::Lost)?;
    let attempt = sign_on::take_attempt(&answer.state, &browser, now, &app.db).await?;
    let attempt = attempt.ok_or(SignOnReason::Lost)?;
    let tenant = store::tenant::load(attempt.tenant, &app.db).await?;
    let settings = sign_on::load_settings(tenant.id, &app.vault, &app.db).await?;
    let settings = settings.ok_or(SignOnReason::TurnedOff)?;
    let bond = Bond::new(&browser, &answer.state);
    let came = Came {
        tenant: &tenant,
        settings: &settings,
        visit: &visit,
        now,
    };
    let identity = match vouched(&answer, &bond, &attempt, &settings, now, &app).await {
        Ok(identity) => identity,
        Err(trouble) => return came.refuse("", trouble, &app).await,
    };
    let user = match came.member(&identity, &app).await {
        Err(ApiError::SignOnRefused(trouble)) => {
            let whom = identity.person.email.as_deref();
            let whom = whom.unwrap_or(&identity.subject);
            return came.refuse(whom, trouble, &app).await;
        }
        found => found?,
    };
    match attempt.confirms {
        Some(expected) => {
            came.confirmed(user, &identity, expected, attempt.next, &jar, &app)
                .await
        }
        None => {
            came.signed_in(user, &identity, attempt.next, jar, &app)
                .await
        }
    }
}

/// A sign-in, or a confirmation, that begins.
struct Begins<'a> {
    tenant: Uuid,
    email: Option<&'a str>,
    next: Option<&'a str>,
    confirms: Option<Uuid>,
}

/// Notes the attempt and says where the browser goes.
async fn go(begins: &Begins<'_>, jar: &CookieJar, app: &App) -> Result<Response, ApiError> {
    let settings = sign_on::load_settings(begins.tenant, &app.vault, &app.db).await?;
    let settings = settings.ok_or(SignOnReason::TurnedOff)?;
    let provider = provider(begins.tenant, &settings, app).await?;
    // Sign-ins that are begun side by side share what the browser keeps.
    let kept = own_cookie(jar).unwrap_or_else(|| browser::token().reveal().to_owned());
    let state = browser::token();
    let attempt = NewAttempt {
        state: &state,
        browser: &kept,
        tenant: begins.tenant,
        confirms: begins.confirms,
        next: begins.next,
    };
    sign_on::insert_attempt(&attempt, OffsetDateTime::now_utc(), &app.db).await?;
    let bond = Bond::new(&kept, state.reveal());
    let request = Request {
        state: &state,
        nonce: &bond.nonce,
        challenge: &bond.challenge(),
        email: begins.email,
        anew: begins.confirms.is_some(),
    };
    let redirect = redirect_address(app);
    let address = provider.address(&request, &client(&settings, &redirect));
    let named = (SIGN_ON_COOKIE, kept);
    let cookies = AppendHeaders([(SET_COOKIE, cookie(named, COOKIE_PATH, ATTEMPT_LIFE, app))]);
    Ok((cookies, Json(SignOnBegun { address })).into_response())
}

/// The provider as it describes itself now. When many begin at once, as it did a moment ago: whoever comes in numbers asks much of the
/// provider by us, and must not keep others out.
async fn provider(
    tenant: Uuid,
    settings: &SignOnSettings,
    app: &App,
) -> Result<Arc<Provider>, ApiError> {
    let (issuer, tried) = (&settings.issuer, Instant::now());
    match app.limits.provider_descriptions.take(tenant, tried) {
        Ok(()) => {
            let provider = Arc::new(Provider::discover(issuer, &app.config.egress).await?);
            let known = &app.known_providers;
            known.remember(issuer, Arc::clone(&provider), Instant::now());
            Ok(provider)
        }
        Err(wait) => Ok(app.known_providers.recall(issuer, tried).ok_or(wait)?),
    }
}

/// Whom the provider vouches for.
async fn vouched(
    answer: &SignOnAnswer,
    bond: &Bond,
    attempt: &Attempt,
    settings: &SignOnSettings,
    now: OffsetDateTime,
    app: &App,
) -> Result<Identity, Trouble> {
    let egress = &app.config.egress;
    let provider = Provider::discover(&settings.issuer, egress).await?;
    provider.check_sender(answer.iss.as_deref())?;
    let code = match (&answer.error, &answer.code) {
        (None, Some(code)) => code,
        (error, _) => {
            let said = error.as_deref().map(word);
            return Err(Trouble {
                reason: SignOnReason::ProviderRefused,
                said,
            });
        }
    };
    let redirect = redirect_address(app);
    let client = client(settings, &redirect);
    let tokens = provider
        .exchange(code, &bond.verifier, &client, egress)
        .await?;
    let keys = provider.keys(egress).await?;
    let expected = Expected {
        issuer: &settings.issuer,
        client_id: &settings.client_id,
        nonce: &bond.nonce,
        algorithms: &provider.algorithms(),
        anew: attempt.confirms.is_some(),
    };
    let (id, access) = (tokens.id.reveal(), tokens.access.reveal());
    let mut identity = verify(id, access, &keys, &expected, now)?;
    if identity.person.email.is_none()
        && let Some(told) = provider
            .person(&identity.subject, &tokens.access, egress)
            .await?
    {
        identity.person = told;
    }
    Ok(identity)
}

fn offer(offer: Offer) -> SignOnOffer {
    let host = Url::parse(&offer.issuer).ok();
    let host = host.and_then(|url| url.host_str().map(str::to_owned));
    SignOnOffer {
        tenant: offer.tenant.slug,
        tenant_name: offer.tenant.name,
        provider: offer.name,
        host: host.unwrap_or_default(),
    }
}

fn client<'a>(settings: &'a SignOnSettings, redirect: &'a str) -> Client<'a> {
    Client {
        id: &settings.client_id,
        secret: settings.client_secret.as_ref(),
        redirect,
    }
}

/// Where providers send people back to: a page, which asks [`complete`].
pub(super) fn redirect_address(app: &App) -> String {
    format!("{}/signed-on", app.config.public_url)
}

/// A path of these pages, and nothing that leads elsewhere.
fn path(next: Option<&str>) -> Option<&str> {
    let plain = |next: &&str| {
        next.starts_with('/')
            && !next.starts_with("//")
            && !next.contains('\\')
            && next.len() <= 500
            && !next.chars().any(char::is_control)
    };
    next.filter(plain)
}

fn own_cookie(jar: &CookieJar) -> Option<String> {
    let kept = jar.get(SIGN_ON_COOKIE).map(Cookie::value);
    kept.filter(|kept| is_token(kept)).map(str::to_owned)
}

const SIGN_ON_COOKIE: &str = "tandem_sign_on";
const COOKIE_PATH: &str = "/api/v1/session/sign-on";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_come_back_to_pages_of_ours_only() {
        for good in ["/", "/t/acme/devices?search=a#b"] {
            assert_eq!(path(Some(good)), Some(good));
        }
        for bad in [
            "",
            "t/acme",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a\nb",
        ] {
            assert_eq!(path(Some(bad)), None, "{bad}");
        }
        assert_eq!(path(None), None);
    }
}
