//! The activation of a device: shown to the administrator, as text and as QR code, and reset.

use api::Activation;
use axum::{
    Json,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use store::{StoreError, account, activation, begin, commit, device};
use time::OffsetDateTime;
use tracing::error;
use uuid::Uuid;

use super::Refused;
use crate::{
    access::Caller,
    app::App,
    audit::Deed,
    error::ApiError,
    extract::Id,
    qr::{self, QrError},
    wire,
};

/// How to activate the device. Link and code are there only while they can be used.
#[utoipa::path(get, operation_id = "activation_show", path = "/tenants/{tenant}/devices/{id}/activation", tag = "devices",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path)),
    responses((status = 200, body = Activation), Refused), security(("session" = [])))]
pub(crate) async fn show(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<Json<Activation>, ApiError> {
    load(&caller, id, &app).await.map(Json)
}

/// A new link and code. An activated device is signed out at once, and the address of a desk phone ends.
#[utoipa::path(post, operation_id = "activation_reset", path = "/tenants/{tenant}/devices/{id}/activation", tag = "devices",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path)),
    responses((status = 201, body = Activation), Refused), security(("session" = [])))]
pub(crate) async fn reset(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<(StatusCode, Json<Activation>), ApiError> {
    let (tenant, now) = (caller.tenant.id, OffsetDateTime::now_utc());
    let (life, vault) = (app.activation_life(), &app.vault);
    let transaction = begin(&app.db).await?;
    // Whoever uses the old activation at this moment either learns no passwords or ones that are rotated below.
    activation::hold(tenant, id, &transaction).await?;
    let device = device::load(tenant, id, &transaction).await?;
    let rotated = if device.activated_at.is_some() {
        account::rotate_passwords(tenant, id, vault, &transaction).await?
    } else {
        Vec::new()
    };
    let activation = activation::replace(tenant, id, life, vault, now, &transaction).await?;
    let after = device::load(tenant, id, &transaction).await?;
    let deed = Deed::new("device.reset", &device.name)
        .of(id)
        .showing(&wire::device(after, &app.presence));
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    app.sign_out(tenant, &device, rotated).await;
    Ok((
        StatusCode::CREATED,
        Json(wire::activation(&activation, &app)),
    ))
}

/// The link as a QR code.
#[utoipa::path(get, operation_id = "activation_qr_svg", path = "/tenants/{tenant}/devices/{id}/activation/qr.svg", tag = "devices",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path)),
    responses((status = 200, body = String, content_type = "image/svg+xml"), Refused),
    security(("session" = [])))]
pub(crate) async fn qr_svg(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<Response, ApiError> {
    let link = link(&caller, id, &app).await?;
    Ok(([(CONTENT_TYPE, "image/svg+xml")], qr::svg(&link)?).into_response())
}

/// The link as a QR code.
#[utoipa::path(get, operation_id = "activation_qr_png", path = "/tenants/{tenant}/devices/{id}/activation/qr.png", tag = "devices",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "image/png"), Refused),
    security(("session" = [])))]
pub(crate) async fn qr_png(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<Response, ApiError> {
    let link = link(&caller, id, &app).await?;
    Ok(([(CONTENT_TYPE, "image/png")], qr::png(&link)?).into_response())
}

async fn link(caller: &Caller, id: Uuid, app: &App) -> Result<String, ApiError> {
    let activation = load(caller, id, app).await?;
    activation.link.ok_or(ApiError::NothingToActivate)
}

async fn load(caller: &Caller, id: Uuid, app: &App) -> Result<Activation, ApiError> {
    let (tenant, now) = (caller.tenant.id, OffsetDateTime::now_utc());
    match activation::load(tenant, id, &app.vault, now, &app.db).await {
        Ok(found) => Ok(wire::activation(&found, app)),
        Err(StoreError::NotFound) => match device::load(tenant, id, &app.db).await?.desk_phone {
            Some(_) => Err(ApiError::IsDeskPhone),
            None => Err(ApiError::NotFound),
        },
        Err(error) => Err(error.into()),
    }
}

impl From<QrError> for ApiError {
    fn from(error: QrError) -> Self {
        error!(%error, "an activation cannot be shown as a QR code");
        Self::Internal
    }
}
