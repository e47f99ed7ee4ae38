//! What devices ask: activation, access token, configuration, report.

use std::{net::IpAddr, time::Instant};

use api::{
    DeviceActivated, DeviceActivation, DeviceConfiguration, DeviceReport, DeviceToken,
    DeviceTokenRequest, Secret, device_token_statement,
};
use axum::{
    Json,
    extract::State,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{ETAG, IF_NONE_MATCH},
    },
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signature, VerifyingKey};
use store::{
    ActivationCode, ActivationToken, ConnectionTrait, StoreError,
    activation::{self, Phone, Presented},
    audit::NewAuditEntry,
    begin, commit,
    device::{self, DeviceCredential, Report},
    webhook::EventKind,
};
use time::OffsetDateTime;
use tracing::error;
use uuid::Uuid;

use super::Refused;
use crate::{
    access::Device,
    app::App,
    device_token::LIFE,
    error::ApiError,
    extract::{Body, ClientAddress, Source},
    limits,
    live::Written,
    validate::Fields,
    webhook, wire,
};

/// Activate a device, once. Every activation that cannot be used gets the same answer.
///
/// For ten minutes the same phone, with the same key, may ask again: its answer may have been lost.
#[utoipa::path(post, operation_id = "provisioning_activate", path = "/device/activation", tag = "device", request_body = DeviceActivation,
    responses((status = 200, body = DeviceActivated), Refused))]
pub(crate) async fn activate(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    Body(input): Body<DeviceActivation>,
) -> Result<Json<DeviceActivated>, ApiError> {
    let (public_key, platform, app_version) = check(&input)?;
    let (tried, source) = (Instant::now(), limits::Source::from(address));
    app.limits.activation.check(&source, tried)?;
    app.limits.all_activations.check(&(), tried)?;
    let phone = Phone {
        public_key,
        app_version: &app_version,
        platform: &platform,
    };
    let now = OffsetDateTime::now_utc();
    let Some(activated) = redeem(&input, &phone, address, now, &app).await? else {
        // Whether they can be counted does not matter: at the latest the next one waits.
        let _ = app.limits.activation.take(source, tried);
        let _ = app.limits.all_activations.take((), tried);
        return Err(ApiError::ActivationRefused);
    };
    Ok(Json(activated))
}

/// What a phone says of itself must be well before the activation is spent.
fn check(input: &DeviceActivation) -> Result<([u8; 32], String, String), ApiError> {
    let mut fields = Fields::default();
    let key = public_key(&input.public_key);
    if key.is_none() {
        fields.wrong(
            "public_key",
            "This is not an Ed25519 public key in base64url.",
        );
    }
    if input.token.is_some() == input.code.is_some() {
        fields.wrong("token", "Please give either the token or the code.");
    }
    let platform = fields.text("platform", &input.platform, 100);
    let app_version = fields.text("app_version", &input.app_version, 100);
    fields.finish()?;
    Ok((key.unwrap_or_default(), platform, app_version))
}

fn public_key(text: &str) -> Option<[u8; 32]> {
    let bytes: [u8; 32] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
    let key = VerifyingKey::from_bytes(&bytes).ok()?;
    (!key.is_weak()).then_some(bytes)
}

/// What was presented, if it can be an activation at all.
fn presented(input: &DeviceActivation) -> Option<Presented> {
    match (&input.token, &input.code) {
        (Some(token), _) => ActivationToken::parse(token).map(Presented::Token),
        (None, Some(code)) => ActivationCode::parse(code).map(Presented::Code),
        (None, None) => None,
    }
}

/// The device that the phone is from now on, or `None` if the activation cannot be used. All that the phone is told is there before the
/// activation is spent.
async fn redeem(
    input: &DeviceActivation,
    phone: &Phone<'_>,
    source: IpAddr,
    now: OffsetDateTime,
    app: &App,
) -> Result<Option<DeviceActivated>, ApiError> {
    let Some(presented) = presented(input) else {
        return Ok(None);
    };
    let transaction = begin(&app.db).await?;
    let redeemed = match activation::redeem(&presented, phone, &app.vault, now, &transaction).await
    {
        Err(StoreError::NotFound) => return Ok(None),
        redeemed => redeemed?,
    };
    let activated = activated(&redeemed.credential, now, app, &transaction).await?;
    if redeemed.again {
        return Ok(Some(activated));
    }
    let (tenant, id) = (redeemed.credential.tenant_id, activated.device_id);
    let device = device::load(tenant, id, &transaction).await?;
    let source = source.to_string();
    let entry = NewAuditEntry {
        actor: ACTOR,
        action: "device.activate",
        subject: &device.name,
        object: Some(id),
        source: Some(&source),
        ..NewAuditEntry::default()
    };
    let (kind, shown) = (
        EventKind::DeviceActivated,
        wire::device(device.clone(), &app.presence),
    );
    webhook::tell(tenant, kind, Some(id), &shown, now, &transaction).await?;
    store::audit::append(Some(tenant), &entry, now, &transaction).await?;
    commit(transaction).await?;
    app.webhooks.wake();
    app.live.written(tenant, Written::devices([id]));
    Ok(Some(activated))
}

/// What an activated phone is told.
async fn activated(
    credential: &DeviceCredential,
    now: OffsetDateTime,
    app: &App,
    db: &impl ConnectionTrait,
) -> Result<DeviceActivated, ApiError> {
    Ok(DeviceActivated {
        device_id: credential.device_id,
        access_token: access_token(credential, now, app)?,
        expires_in_secs: LIFE.as_secs(),
        configuration: load_configuration(credential, app, db).await?,
    })
}

/// A new access token, by proof of the device's key.
#[utoipa::path(post, operation_id = "provisioning_token", path = "/device/token", tag = "device", request_body = DeviceTokenRequest,
    responses((status = 200, body = DeviceToken), Refused))]
pub(crate) async fn token(
    State(app): State<App>,
    Source(source): Source,
    Body(request): Body<DeviceTokenRequest>,
) -> Result<Json<DeviceToken>, ApiError> {
    let tried = Instant::now();
    app.limits.device_token.check(&source, tried)?;
    let now = OffsetDateTime::now_utc();
    let credential = prove(&request, now, &app).await.inspect_err(|_| {
        let _ = app.limits.device_token.take(source, tried);
    })?;
    Ok(Json(DeviceToken {
        access_token: access_token(&credential, now, &app)?,
        expires_in_secs: LIFE.as_secs(),
    }))
}

/// The device whose key signed the request just now, for the first time.
async fn prove(
    request: &DeviceTokenRequest,
    now: OffsetDateTime,
    app: &App,
) -> Result<DeviceCredential, ApiError> {
    let credential = device::find_credential(request.device_id, &app.db)
        .await?
        .filter(|credential| is_signed(request, credential))
        .ok_or(ApiError::DeviceRevoked)?;
    if now.unix_timestamp().abs_diff(request.issued_at) > CLOCK_TOLERANCE_SECS {
        return Err(ApiError::Malformed {
            status: StatusCode::UNAUTHORIZED,
            detail: "The device's clock is more than two minutes wrong.".to_owned(),
        });
    }
    if !(16..=64).contains(&request.nonce.len()) {
        return Err(ApiError::TokenRefused);
    }
    let expires_at = now + NONCE_LIFE;
    match device::spend_nonce(request.device_id, &request.nonce, expires_at, now, &app.db).await {
        Err(StoreError::Conflict { .. } | StoreError::Count { .. }) => Err(ApiError::TokenRefused),
        spent => {
            spent?;
            Ok(credential)
        }
    }
}

fn is_signed(request: &DeviceTokenRequest, credential: &DeviceCredential) -> bool {
    let statement = device_token_statement(request.device_id, request.issued_at, &request.nonce);
    let signature = URL_SAFE_NO_PAD
        .decode(&request.signature)
        .ok()
        .and_then(|bytes| Signature::from_slice(&bytes).ok());
    let key = VerifyingKey::from_bytes(&credential.public_key).ok();
    matches!((key, signature), (Some(key), Some(signature))
        if key.verify_strict(statement.as_bytes(), &signature).is_ok())
}

fn access_token(
    credential: &DeviceCredential,
    now: OffsetDateTime,
    app: &App,
) -> Result<Secret, ApiError> {
    app.tokens
        .issue(credential.device_id, credential.generation, now)
        .map(Secret)
        .map_err(|error| {
            error!(%error, "a device token could not be signed");
            ApiError::Internal
        })
}

/// The configuration, or 304 if the device has it already.
#[utoipa::path(get, operation_id = "provisioning_configuration", path = "/device/configuration", tag = "device",
    params(("If-None-Match" = Option<String>, Header)),
    responses((status = 200, body = DeviceConfiguration), (status = 304), Refused),
    security(("device" = [])))]
pub(crate) async fn configuration(
    State(app): State<App>,
    Device(credential): Device,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let configuration = load_configuration(&credential, &app, &app.db).await?;
    let tag = format!("\"{}\"", configuration.version);
    let known = headers
        .get(IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|tags| tags.split(',').any(|known| known.trim() == tag));
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Json(configuration).into_response()
    };
    if let Ok(tag) = HeaderValue::try_from(tag) {
        response.headers_mut().insert(ETAG, tag);
    }
    Ok(response)
}

async fn load_configuration(
    credential: &DeviceCredential,
    app: &App,
    db: &impl ConnectionTrait,
) -> Result<DeviceConfiguration, ApiError> {
    let (tenant, id) = (credential.tenant_id, credential.device_id);
    match device::load_configuration(tenant, id, &app.vault, db).await {
        // Deleted since the token was checked.
        Err(StoreError::NotFound) => Err(ApiError::DeviceRevoked),
        loaded => Ok(wire::configuration(loaded?, &app.config)),
    }
}

/// What the device says of itself: the applied version and the state of its lines.
#[utoipa::path(post, operation_id = "provisioning_report", path = "/device/report", tag = "device", request_body = DeviceReport,
    responses((status = 204), Refused), security(("device" = [])))]
pub(crate) async fn report(
    State(app): State<App>,
    Device(credential): Device,
    Body(report): Body<DeviceReport>,
) -> Result<StatusCode, ApiError> {
    apply_report(&report, credential.tenant_id, credential.device_id, &app).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Notes what a device said, by either way.
pub(crate) async fn apply_report(
    report: &DeviceReport,
    tenant: Uuid,
    id: Uuid,
    app: &App,
) -> Result<(), ApiError> {
    let mut fields = Fields::default();
    if report.lines.len() > device::MAX_ACCOUNTS {
        fields.wrong("lines", "A device has at most four lines.");
    }
    let app_version = fields.text("app_version", &report.app_version, 100);
    let platform = fields.text("platform", &report.platform, 100);
    fields.finish()?;
    let said = Report {
        applied_version: report.applied_version,
        app_version: &app_version,
        platform: &platform,
    };
    match device::report(tenant, id, &said, OffsetDateTime::now_utc(), &app.db).await {
        Err(StoreError::NotFound) => return Err(ApiError::DeviceRevoked),
        noted => noted?,
    }
    app.presence.reported(id, &report.lines);
    app.live.written(tenant, Written::devices([id]));
    Ok(())
}

/// Who acts when a device does.
const ACTOR: &str = "device";
const CLOCK_TOLERANCE_SECS: u64 = 120;
/// Longer than a request can be good: what is forgotten then is refused by its time.
const NONCE_LIFE: time::Duration = time::Duration::minutes(5);
