//! The provider through which people of a tenant sign in.

use std::time::Instant;

use api::{NewPeople, SignOnInput, SignOnProvider, SignOnSettings, SignOnTest, SignOnTestInput};
use axum::{Json, extract::State, http::StatusCode, response::Response};
use store::{
    ConnectionTrait, Secret, StoreError, begin, commit,
    sign_on::{self as stored, MAX_DOMAINS, SignOnFields},
};
use time::OffsetDateTime;

use super::{Refused, sign_on::redirect_address};
use crate::{
    access::Caller,
    app::App,
    audit::Deed,
    error::ApiError,
    extract::{Body, IfMatch},
    sign_on::{Client, check_address, try_out},
    validate::Fields,
    wire,
};

/// Through which provider people sign in. Its secret is never told.
#[utoipa::path(get, operation_id = "sign_on_settings_show", path = "/tenants/{tenant}/settings/sign-on", tag = "settings",
    params(("tenant" = Uuid, Path)),
    responses((status = 200, body = SignOnSettings), Refused), security(("session" = [])))]
pub(crate) async fn show(State(app): State<App>, caller: Caller) -> Result<Response, ApiError> {
    let settings = stored::load_settings(caller.tenant.id, &app.vault, &app.db).await?;
    answer(settings, &caller, &app, &app.db).await
}

/// Let people sign in through a provider. A client secret is kept only for the issuer and client that it was entered for.
#[utoipa::path(put, operation_id = "sign_on_settings_update", path = "/tenants/{tenant}/settings/sign-on", tag = "settings",
    params(("tenant" = Uuid, Path), ("If-Match" = Option<String>, Header)), request_body = SignOnInput,
    responses((status = 200, body = SignOnSettings), Refused), security(("session" = [])))]
pub(crate) async fn update(
    State(app): State<App>,
    caller: Caller,
    IfMatch(expected): IfMatch,
    Body(input): Body<SignOnInput>,
) -> Result<Response, ApiError> {
    let (tenant, now) = (caller.tenant.id, OffsetDateTime::now_utc());
    let transaction = begin(&app.db).await?;
    let before = stored::load_settings(tenant, &app.vault, &transaction).await?;
    let kept = before.as_ref().map_or(&[][..], |before| &before.domains);
    let (fields, secret) = check(&input, kept, &caller)?;
    let newly_required = fields.required && !before.as_ref().is_some_and(|before| before.required);
    if newly_required && !stored::is_used(tenant, &fields.issuer, &transaction).await? {
        return Err(ApiError::Conflict {
            field: "password_allowed",
            message: "Nobody has signed in through this provider yet. Please do so once first, so that you know that it works.",
        });
    }
    let set = stored::set_settings(
        tenant,
        &fields,
        secret.as_ref(),
        expected,
        &app.vault,
        &transaction,
    );
    let after = match set.await {
        Err(StoreError::Conflict { field: "domains" }) => {
            return Err(ApiError::Conflict {
                field: "domains",
                message: "One of these domains belongs to another tenant of this installation.",
            });
        }
        set => set?,
    };
    let shown = provider(&after);
    let deed = Deed::new("sign_on.update", &caller.tenant.name);
    let deed = match &before {
        Some(before) => deed.changed(&provider(before), &shown),
        None => deed.made(&shown),
    };
    let deed = match secret {
        Some(_) => deed.replaced("client_secret"),
        None => deed,
    };
    let response = answer(Some(after), &caller, &app, &transaction).await?;
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    Ok(response)
}

/// Let people sign in by passwords only. Sessions that the provider vouched for end.
#[utoipa::path(delete, operation_id = "sign_on_settings_delete", path = "/tenants/{tenant}/settings/sign-on", tag = "settings",
    params(("tenant" = Uuid, Path)),
    responses((status = 204), Refused), security(("session" = [])))]
pub(crate) async fn delete(State(app): State<App>, caller: Caller) -> Result<StatusCode, ApiError> {
    let (tenant, now) = (caller.tenant.id, OffsetDateTime::now_utc());
    let transaction = begin(&app.db).await?;
    let before = stored::load_settings(tenant, &app.vault, &transaction).await?;
    let Some(before) = before else {
        return Ok(StatusCode::NO_CONTENT);
    };
    stored::delete_settings(tenant, &transaction).await?;
    let deed = Deed::new("sign_on.delete", &caller.tenant.name).removed(&provider(&before));
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Try a provider, saved or not, without signing anybody in: what is well, and what is wrong first.
#[utoipa::path(post, operation_id = "sign_on_settings_test", path = "/tenants/{tenant}/settings/sign-on/test", tag = "settings",
    params(("tenant" = Uuid, Path)), request_body = SignOnTestInput,
    responses((status = 200, body = SignOnTest), Refused), security(("session" = [])))]
pub(crate) async fn test(
    State(app): State<App>,
    caller: Caller,
    Body(input): Body<SignOnTestInput>,
) -> Result<Json<SignOnTest>, ApiError> {
    let mut fields = Fields::default();
    let issuer = issuer(&input.issuer, &mut fields);
    let client_id = fields.text("client_id", &input.client_id, 255);
    let entered = secret(input.client_secret.as_deref(), &mut fields);
    fields.finish()?;
    let tenant = caller.tenant.id;
    app.limits.sign_on_tests.take(tenant, Instant::now())?;
    let kept = stored::load_settings(tenant, &app.vault, &app.db).await?;
    let kept = kept.filter(|kept| kept.issuer == issuer && kept.client_id == client_id);
    let secret = entered.or_else(|| kept.and_then(|kept| kept.client_secret));
    let client = Client {
        id: &client_id,
        secret: secret.as_ref(),
        redirect: &redirect_address(&app),
    };
    Ok(Json(try_out(&issuer, &client, &app.config.egress).await))
}

fn check(
    input: &SignOnInput,
    kept: &[String],
    caller: &Caller,
) -> Result<(SignOnFields, Option<Secret>), ApiError> {
    let mut fields = Fields::default();
    let secret = secret(input.client_secret.as_deref(), &mut fields);
    let checked = SignOnFields {
        name: fields.text("name", &input.name, 60),
        issuer: issuer(&input.issuer, &mut fields),
        client_id: fields.text("client_id", &input.client_id, 255),
        domains: domains(&input.domains, kept, caller, &mut fields),
        new_people: match input.new_people {
            NewPeople::Nobody => store::NewPeople::Nobody,
            NewPeople::ReadOnly => store::NewPeople::ReadOnly,
        },
        trusts_addresses: input.trusts_addresses,
        trusts_second_factor: input.trusts_second_factor,
        required: !input.password_allowed,
    };
    fields.finish()?;
    Ok((checked, secret))
}

/// To the letter: the provider's tokens must say the same.
fn issuer(value: &str, fields: &mut Fields) -> String {
    let issuer = fields.text("issuer", value, 500);
    let plain = check_address(&issuer).is_ok_and(|url| url.query().is_none());
    if !issuer.is_empty() && !plain {
        fields.wrong(
            "issuer",
            "Please enter the provider's issuer: an address that begins with https://, without ? and #.",
        );
    }
    issuer
}

fn secret(value: Option<&str>, fields: &mut Fields) -> Option<Secret> {
    let value = value.map(str::trim).filter(|value| !value.is_empty())?;
    Some(Secret::new(fields.text("client_secret", value, 512)))
}

/// Domains lead people from the page on which they sign in to the tenant's provider, so they must be the tenant's: the owner has an address
/// there, or administers the installation; and nobody owns those of public mail services.
/// Those that are the tenant's already stay so.
fn domains(
    values: &[String],
    kept: &[String],
    caller: &Caller,
    fields: &mut Fields,
) -> Vec<String> {
    let mut domains: Vec<String> = Vec::with_capacity(values.len().min(MAX_DOMAINS));
    fields.list("domains", values, 1, MAX_DOMAINS);
    for value in values.iter().take(MAX_DOMAINS) {
        let domain = fields.domain("domains", value);
        if !kept.contains(&domain)
            && let Some(why) = not_theirs(&domain, caller)
        {
            fields.wrong("domains", format!("{domain}: {why}"));
        }
        if !domains.contains(&domain) {
            domains.push(domain);
        }
    }
    domains
}

fn not_theirs(domain: &str, caller: &Caller) -> Option<&'static str> {
    let user = &caller.person.user;
    if user.installation_administrator {
        return None;
    }
    if PUBLIC_MAIL.contains(&domain) {
        return Some("This domain belongs to a public mail service.");
    }
    let own = user.email.rsplit_once('@');
    let own = own.is_some_and(|(_, own)| own.eq_ignore_ascii_case(domain));
    (!own).then_some(
        "Your own e-mail address is not of this domain. Somebody whose is, or an administrator of the installation, can add it.",
    )
}

async fn answer(
    settings: Option<stored::SignOnSettings>,
    caller: &Caller,
    app: &App,
    db: &impl ConnectionTrait,
) -> Result<Response, ApiError> {
    let version = settings.as_ref().map_or(0, |settings| settings.version);
    let proven = match &settings {
        Some(settings) => stored::is_used(caller.tenant.id, &settings.issuer, db).await?,
        None => false,
    };
    let body = SignOnSettings {
        redirect_address: redirect_address(app),
        sign_in_address: format!("{}/sign-on/{}", app.config.public_url, caller.tenant.slug),
        provider: settings.as_ref().map(provider),
        proven,
        version,
    };
    Ok(wire::tagged(StatusCode::OK, version, body))
}

fn provider(settings: &stored::SignOnSettings) -> SignOnProvider {
    SignOnProvider {
        name: settings.name.clone(),
        issuer: settings.issuer.clone(),
        client_id: settings.client_id.clone(),
        has_client_secret: settings.client_secret.is_some(),
        domains: settings.domains.clone(),
        new_people: match settings.new_people {
            store::NewPeople::Nobody => NewPeople::Nobody,
            store::NewPeople::ReadOnly => NewPeople::ReadOnly,
        },
        trusts_addresses: settings.trusts_addresses,
        trusts_second_factor: settings.trusts_second_factor,
        password_allowed: !settings.required,
    }
}

/// The largest of those that give an address to anybody.
const PUBLIC_MAIL: &[&str] = &[
    "163.com",
    "aol.com",
    "freenet.de",
    "gmail.com",
    "gmx.at",
    "gmx.ch",
    "gmx.de",
    "gmx.net",
    "googlemail.com",
    "hotmail.com",
    "icloud.com",
    "live.com",
    "mail.com",
    "mail.ru",
    "me.com",
    "msn.com",
    "outlook.com",
    "outlook.de",
    "proton.me",
    "protonmail.com",
    "qq.com",
    "t-online.de",
    "web.de",
    "yahoo.com",
    "yahoo.de",
    "yandex.com",
    "yandex.ru",
    "zoho.com",
];
