//! The judgement of a request by its row of the table.

use std::{collections::HashMap, sync::LazyLock, time::Instant};

use axum::{
    extract::{FromRequestParts, MatchedPath, Request, State},
    http::{Method, header::AUTHORIZATION, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use axum_extra::extract::CookieJar;
use serde_json::Value;
use store::{
    Role, Secret, StoreError, api_key::API_KEY_START, device::DeviceCredential, tenant::Tenant,
};
use time::OffsetDateTime;
use tracing::error;
use uuid::Uuid;

use super::{
    Access, Area, Caller, Device, KeyInUse, Means, OpenSession, Person, Rule, Scope, Who,
    table::rules,
};
use crate::{
    app::App,
    description::openapi_json,
    error::ApiError,
    extract::{self, ClientAddress, SESSION_COOKIE},
    limits,
    request::to_its_end,
};

/// Passes the request on with its caller, or refuses it.
pub(crate) async fn authorize(State(app): State<App>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let written = match judge(&mut parts, &app).await {
        Ok(rule) => written(rule, &parts),
        Err(refused) => return refused.into_response(),
    };
    let work = next.run(Request::from_parts(parts, body));
    let Some(tenant) = written else {
        return work.await;
    };
    // What was committed has effects that must not be missed because somebody closed a page.
    to_its_end(async move {
        let response = work.await;
        if response.status().is_success() {
            app.directory_news.look_at(tenant);
            app.webhooks.wake();
        }
        response
    })
    .await
}

/// The tenant of which something may be written.
fn written(rule: &Rule, parts: &Parts) -> Option<Uuid> {
    let caller = parts.extensions.get::<Caller>()?;
    matches!(rule.who, Who::Member(_, Access::Write)).then_some(caller.tenant.id)
}

async fn judge(parts: &mut Parts, app: &App) -> Result<&'static Rule, ApiError> {
    let Some(rule) = rule_of(parts) else {
        error!(
            path = parts.uri.path(),
            "an operation has no row in the table of rights"
        );
        return Err(ApiError::Forbidden);
    };
    parts.extensions.insert(*rule);
    match rule.who {
        Who::Public => {}
        Who::Session => {
            let person = person(parts, app).await?;
            confirmed(rule, &person)?;
            parts.extensions.insert(person);
        }
        Who::SignedIn => {
            let person = signed_in(parts, app).await?;
            if person.sign_on().is_some() && !rule.vouched {
                return Err(ApiError::OwnPasswordRequired);
            }
            confirmed(rule, &person)?;
            parts.extensions.insert(person);
        }
        Who::Installation => {
            let person = signed_in(parts, app).await?;
            if !person.user.installation_administrator {
                return Err(ApiError::Forbidden);
            }
            confirmed(rule, &person)?;
            parts.extensions.insert(person);
        }
        Who::Device => {
            let device = Device(device(parts, app).await?);
            parts.extensions.insert(device);
        }
        Who::Member(area, access) => {
            let caller = member(rule, area, access, parts, app).await?;
            if rule.installation && !caller.person.user.installation_administrator {
                return Err(ApiError::Forbidden);
            }
            confirmed(rule, &caller.person)?;
            parts.extensions.insert(caller);
        }
    }
    Ok(rule)
}

/// Asked last, so that nobody proves anything for what they may not do anyway.
fn confirmed(rule: &Rule, person: &Person) -> Result<(), ApiError> {
    if !rule.confirmed || person.session()?.is_confirmed(OffsetDateTime::now_utc()) {
        return Ok(());
    }
    Err(ApiError::ConfirmationRequired)
}

/// By method and path as they stand in the description.
fn rule_of(parts: &Parts) -> Option<&'static Rule> {
    static BY_ROUTE: LazyLock<HashMap<(Method, String), &'static Rule>> = LazyLock::new(by_route);
    let path = parts.extensions.get::<MatchedPath>()?.as_str().to_owned();
    // HEAD is answered by what answers GET.
    let method = match parts.method {
        Method::HEAD => Method::GET,
        ref other => other.clone(),
    };
    BY_ROUTE.get(&(method, path)).copied()
}

fn by_route() -> HashMap<(Method, String), &'static Rule> {
    let description: Value = serde_json::from_str(&openapi_json()).unwrap_or_default();
    let paths = description["paths"].as_object().into_iter().flatten();
    let operations = paths.flat_map(|(path, operations)| {
        let operations = operations.as_object().into_iter().flatten();
        operations.map(move |(method, operation)| (method, path, &operation["operationId"]))
    });
    operations
        .filter_map(|(method, path, operation)| {
            let rule = rules().iter().find(|rule| operation == rule.operation)?;
            let method = method.to_uppercase().parse().ok()?;
            Some(((method, path.clone()), rule))
        })
        .collect()
}

/// Whose session the cookie names.
async fn person(parts: &mut Parts, app: &App) -> Result<Person, ApiError> {
    let jar = CookieJar::from_headers(&parts.headers);
    let token = jar
        .get(SESSION_COOKIE)
        .map(|cookie| cookie.value().to_owned())
        .ok_or(ApiError::Unauthenticated)?;
    let now = OffsetDateTime::now_utc();
    let lifetime = app.session_lifetime();
    let found = store::session::find_with_user(&token, &lifetime, now, &app.db);
    let (session, mut user) = found.await?.ok_or(ApiError::Unauthenticated)?;
    // Whoever a tenant's provider vouches for, it is for the tenant: nobody administers the installation by it.
    user.installation_administrator &= session.sign_on_tenant.is_none();
    let ClientAddress(source) = ClientAddress::from_request_parts(parts, app).await?;
    Ok(Person {
        user,
        means: Means::Session(OpenSession {
            id: session.id,
            token: Secret::new(token),
            confirmed_at: session.confirmed_at,
            sign_on: session.sign_on_tenant,
            second_factor_elsewhere: session.second_factor_elsewhere,
        }),
        source,
        attempt: None,
    })
}

async fn signed_in(parts: &mut Parts, app: &App) -> Result<Person, ApiError> {
    let person = person(parts, app).await?;
    if person.user.must_set_password && person.sign_on().is_none() {
        return Err(ApiError::PasswordChangeRequired);
    }
    Ok(person)
}

/// On whose behalf the key of the request works, if it has one and the key reaches this.
async fn by_key(
    rule: &Rule,
    area: Area,
    access: Access,
    parts: &mut Parts,
    app: &App,
) -> Result<Option<Person>, ApiError> {
    let Some(key) = bearer(parts).filter(|token| token.starts_with(API_KEY_START)) else {
        return Ok(None);
    };
    let key = key.to_owned();
    let ClientAddress(source) = ClientAddress::from_request_parts(parts, app).await?;
    let (place, now) = (limits::Source::from(source), OffsetDateTime::now_utc());
    app.limits.api_keys.check(&place, Instant::now())?;
    let Some(found) = store::api_key::find(&key, now, &app.db).await? else {
        app.limits.api_keys.take(place, Instant::now())?;
        return Err(ApiError::KeyRefused);
    };
    if found.tenant_id != extract::parameter::<Uuid>(parts, "tenant", app).await? {
        return Err(ApiError::NotFound);
    }
    let mut scopes = found.scopes.iter().filter_map(|text| text.parse().ok());
    let covered = scopes.any(|scope: Scope| scope.covers(area, access));
    if rule.people_only || rule.confirmed || !covered {
        return Err(ApiError::KeyForbidden);
    }
    let user = store::user::load(found.user_id, &app.db).await?;
    Ok(Some(Person {
        user,
        means: Means::Key(KeyInUse {
            name: found.name,
            second_factor_elsewhere: found.second_factor_elsewhere,
        }),
        source,
        attempt: None,
    }))
}

async fn member(
    rule: &Rule,
    area: Area,
    access: Access,
    parts: &mut Parts,
    app: &App,
) -> Result<Caller, ApiError> {
    let person = match by_key(rule, area, access, parts, app).await? {
        Some(person) => person,
        None => signed_in(parts, app).await?,
    };
    let id: Uuid = extract::parameter(parts, "tenant", app).await?;
    if person.sign_on().is_some_and(|only| only != id) {
        return Err(ApiError::NotFound);
    }
    let (tenant, role) = store::membership::find(id, person.user.id, &app.db)
        .await?
        .ok_or(ApiError::NotFound)?;
    if !area.allows(access, role) {
        return Err(ApiError::Forbidden);
    }
    if demands_sign_on(&tenant, role) && is_by_password(&person) {
        return Err(ApiError::SignOnRequired);
    }
    if lacks_second_factor(&tenant, role, &person, app).await? {
        return Err(ApiError::SecondFactorRequired);
    }
    Ok(Caller {
        tenant,
        person,
        role,
    })
}

/// Whether the tenant demands a second factor of this member, who has none.
async fn lacks_second_factor(
    tenant: &Tenant,
    role: Role,
    person: &Person,
    app: &App,
) -> Result<bool, StoreError> {
    if !demands_second_factor(tenant, role) {
        return Ok(false);
    }
    let elsewhere = match &person.means {
        Means::Session(session) => session.second_factor_elsewhere,
        // Sessions end with that trust; keys stay and do not work meanwhile.
        Means::Key(key) => {
            key.second_factor_elsewhere
                && store::sign_on::trusts_second_factor(tenant.id, &app.db).await?
        }
    };
    if elsewhere {
        return Ok(false);
    }
    let since = store::second_factor::confirmed_at(person.user.id, &app.db).await?;
    Ok(since.is_none())
}

/// Of those who can change things, if it is set so.
pub(crate) fn demands_second_factor(tenant: &Tenant, role: Role) -> bool {
    tenant.second_factor_required && role != Role::ReadOnly
}

/// Of all but owners, if it is set so: somebody must be able to come when the provider does not work.
pub(crate) fn demands_sign_on(tenant: &Tenant, role: Role) -> bool {
    tenant.sign_on_required && role != Role::Owner
}

fn is_by_password(person: &Person) -> bool {
    matches!(&person.means, Means::Session(session) if session.sign_on.is_none())
}

/// The token that the request bears (RFC 6750 section 2.1).
fn bearer(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

/// Which device the access token names.
async fn device(parts: &Parts, app: &App) -> Result<DeviceCredential, ApiError> {
    let token = bearer(parts).ok_or(ApiError::TokenRefused)?;
    let claims = app
        .tokens
        .verify(token)
        .map_err(|_| ApiError::TokenRefused)?;
    store::device::find_credential(claims.sub, &app.db)
        .await?
        .filter(|credential| credential.generation == claims.generation)
        .ok_or(ApiError::DeviceRevoked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_table_is_of_an_operation_that_exists() {
        let mut known: Vec<_> = by_route()
            .into_values()
            .map(|rule| rule.operation)
            .collect();
        known.sort_unstable();
        let mut listed: Vec<_> = rules().iter().map(|rule| rule.operation).collect();
        listed.sort_unstable();
        assert_eq!(known, listed);
    }
}
