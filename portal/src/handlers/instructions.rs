//! The mail that takes a device's activation to its person.

use std::time::Instant;

use api::{Activation, InstructionsInput};
use axum::{Json, extract::State, http::StatusCode};
use serde_json::json;
use store::{
    Transaction,
    activation::{self, ActivationState},
    begin, commit, contact, device,
    device::Device,
    mail::AppLinks,
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::Refused;
use crate::{
    access::Caller,
    app::App,
    audit::Deed,
    error::ApiError,
    extract::{Body, Id},
    live::Written,
    mail::{self, ActivationLetter, Addressed, AppLink, Letter},
    validate::Fields,
    wire,
};

/// Send the activation of a device to an address of its contact. One that cannot be used any more is made anew. Link and code are
/// kept back from then on.
#[utoipa::path(post, operation_id = "instructions_send", path = "/tenants/{tenant}/devices/{id}/instructions", tag = "devices",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path)), request_body = InstructionsInput,
    responses((status = 202, body = Activation), Refused), security(("session" = [])))]
pub(crate) async fn send(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Body(input): Body<InstructionsInput>,
) -> Result<(StatusCode, Json<Activation>), ApiError> {
    let (tenant, now) = (&caller.tenant, OffsetDateTime::now_utc());
    let transaction = begin(&app.db).await?;
    let device = device::load(tenant.id, id, &transaction).await?;
    let contact = contact::load(tenant.id, device.contact.id, &transaction).await?;
    let mut known = contact.emails.iter().map(|email| &email.address);
    let Some(recipient) = known.find(|known| known.eq_ignore_ascii_case(input.address.trim()))
    else {
        let mut fields = Fields::default();
        fields.wrong("address", "Please choose one of the person's addresses.");
        return Err(fields.finish().err().unwrap_or(ApiError::Internal));
    };
    if device.activated_at.is_some() {
        return Err(ApiError::Conflict {
            field: "",
            message: "This device is activated. Reset it first, which signs it out.",
        });
    }
    app.limits
        .device_instructions
        .take(device.id, Instant::now())?;
    app.limits.instructions.take(tenant.id, Instant::now())?;
    let settings = store::mail::load_settings(tenant.id, &app.vault, &transaction).await?;
    let activation = usable(tenant.id, &device, now, &app, &transaction).await?;
    let ActivationState::Open { token, code } = &activation.state else {
        return Err(ApiError::Internal);
    };
    let letter = Letter::Activation(ActivationLetter {
        name: contact.first_name.clone(),
        tenant: tenant.name.clone(),
        device: device.name.clone(),
        link: wire::link(&app.config.public_url, &token.text()),
        code: code.grouped(),
        expires: activation.expires_at,
        apps: app_links(settings.apps),
    });
    let language = input.language.map(mail::wire::stored_language);
    let addressed = Addressed {
        tenant: Some(tenant.id),
        device: Some(device.id),
        recipient,
        language: language.unwrap_or(settings.language),
    };
    mail::queue(&letter, &addressed, now, &app, &transaction).await?;
    let deed = Deed::new("device.instructions", &device.name)
        .of(id)
        .made(&json!({ "address": recipient }));
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    app.mail.wake();
    app.announce(tenant.id, Written::devices([id])).await;
    let shown = activation::load(tenant.id, id, &app.vault, now, &app.db).await?;
    Ok((StatusCode::ACCEPTED, Json(wire::activation(&shown, &app))))
}

/// Show link and code again, although a mail has them.
#[utoipa::path(post, operation_id = "activation_show_again", path = "/tenants/{tenant}/devices/{id}/activation/show", tag = "devices",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path)),
    responses((status = 200, body = Activation), Refused), security(("session" = [])))]
pub(crate) async fn show_again(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<Json<Activation>, ApiError> {
    let (tenant, now) = (caller.tenant.id, OffsetDateTime::now_utc());
    let transaction = begin(&app.db).await?;
    let device = device::load(tenant, id, &transaction).await?;
    activation::unhide(tenant, id, &transaction).await?;
    let shown = activation::load(tenant, id, &app.vault, now, &transaction).await?;
    let deed = Deed::new("device.show_activation", &device.name).of(id);
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    Ok(Json(wire::activation(&shown, &app)))
}

/// The activation, made anew if it cannot be used any more.
async fn usable(
    tenant: Uuid,
    device: &Device,
    now: OffsetDateTime,
    app: &App,
    transaction: &Transaction,
) -> Result<activation::Activation, ApiError> {
    let found = activation::load(tenant, device.id, &app.vault, now, transaction).await;
    match found {
        Ok(found) if matches!(found.state, ActivationState::Open { .. }) => Ok(found),
        Ok(_) | Err(store::StoreError::NotFound) => {
            let life = app.activation_life();
            Ok(activation::replace(tenant, device.id, life, &app.vault, now, transaction).await?)
        }
        Err(error) => Err(error.into()),
    }
}

fn app_links(apps: AppLinks) -> Vec<AppLink> {
    [
        ("Windows", apps.windows),
        ("macOS", apps.macos),
        ("Linux", apps.linux),
        ("Android", apps.android),
        ("iOS", apps.ios),
    ]
    .into_iter()
    .filter_map(|(name, url)| Some(AppLink { name, url: url? }))
    .collect()
}
