//! The person's own second factor: turn on by a first code, new recovery codes, turn off.

use api::{FirstCode, RecoveryCodes, SecondFactor, SecondFactorKey};
use axum::{Json, extract::State, http::StatusCode};
use store::{Secret, StoreError, begin, commit, second_factor};
use time::OffsetDateTime;
use tracing::error;

use super::{Refused, session::end_others};
use crate::{
    access::{Person, demands_second_factor},
    app::App,
    audit::Deed,
    error::ApiError,
    extract::Body,
    mail::SecurityEvent,
    notice,
    password::random_text,
    proof, qr, totp,
    validate::Fields,
    visit::Visit,
};

/// Whether a code is asked for at each sign-in.
#[utoipa::path(get, operation_id = "second_factor_show", path = "/session/second-factor", tag = "session",
    responses((status = 200, body = SecondFactor), Refused), security(("session" = [])))]
pub(crate) async fn show(
    State(app): State<App>,
    caller: Person,
) -> Result<Json<SecondFactor>, ApiError> {
    let user = caller.user.id;
    Ok(Json(SecondFactor {
        since: second_factor::confirmed_at(user, &app.db).await?,
        recovery_codes_left: second_factor::count_recovery_codes(user, &app.db).await?,
        required: is_required(&caller, &app).await?,
    }))
}

/// A new key for the app. It counts once its first code was sent to `POST /session/second-factor/confirmation`.
#[utoipa::path(post, operation_id = "second_factor_begin", path = "/session/second-factor", tag = "session",
    responses((status = 201, body = SecondFactorKey), Refused), security(("session" = [])))]
pub(crate) async fn begin_with_key(
    State(app): State<App>,
    caller: Person,
) -> Result<(StatusCode, Json<SecondFactorKey>), ApiError> {
    let key = totp::new_key();
    let now = OffsetDateTime::now_utc();
    match second_factor::begin_with(caller.user.id, &key, &app.vault, now, &app.db).await {
        Err(StoreError::Conflict { .. }) => {
            return Err(ApiError::Conflict {
                field: "",
                message: "Your second factor is turned on already. Turn it off to use another app.",
            });
        }
        begun => begun?,
    }
    // The names of an app's entry are parted by a colon.
    let issuer = issuer(&app).replace(':', " ");
    let account = caller.user.email.replace(':', "");
    let shown = totp::uri(&key, &issuer, &account).map_err(|error| {
        error!(%error, "a new key could not be shown");
        ApiError::Internal
    })?;
    let uri = shown.reveal().to_owned();
    let qr_svg = qr::svg(&uri).map_err(|error| {
        error!(%error, "a new key could not be shown");
        ApiError::Internal
    })?;
    let body = SecondFactorKey {
        key: key.reveal().to_owned(),
        uri,
        qr_svg,
    };
    Ok((StatusCode::CREATED, Json(body)))
}

/// Turn the second factor on by the first code that the app shows. All other sessions of the person end.
#[utoipa::path(post, operation_id = "second_factor_confirm", path = "/session/second-factor/confirmation", tag = "session",
    request_body = FirstCode, responses((status = 200, body = RecoveryCodes), Refused), security(("session" = [])))]
pub(crate) async fn confirm(
    State(app): State<App>,
    caller: Person,
    visit: Visit,
    Body(first): Body<FirstCode>,
) -> Result<Json<RecoveryCodes>, ApiError> {
    let step = proof::first_code(&caller.user, &first.code, caller.source, &app).await?;
    let mut fields = Fields::default();
    if step.is_none() {
        fields.wrong(
            "code",
            "This is not the code that the app should show now. Please check the time of your phone.",
        );
    }
    fields.finish()?;
    let step = step.ok_or(ApiError::NotFound)?;
    let (user, now) = (caller.user.id, OffsetDateTime::now_utc());
    let codes = new_codes();
    let transaction = begin(&app.db).await?;
    if !second_factor::confirm(user, step, now, &transaction).await? {
        return Err(ApiError::NotFound);
    }
    second_factor::set_recovery_codes(user, &kept(&codes), &transaction).await?;
    end_others(&caller, &transaction).await?;
    let event = SecurityEvent::SecondFactorOn;
    notice::queue(event, &caller.user, &visit, now, &app, &transaction).await?;
    let deed = Deed::new("second_factor.create", &caller.user.email).of(user);
    caller.note_in(None, &deed, now, &transaction).await?;
    commit(transaction).await?;
    app.mail.wake();
    Ok(Json(RecoveryCodes { codes }))
}

/// Turn the second factor off. All other sessions of the person end.
#[utoipa::path(delete, operation_id = "second_factor_delete", path = "/session/second-factor", tag = "session",
    responses((status = 204), Refused), security(("session" = [])))]
pub(crate) async fn delete(
    State(app): State<App>,
    caller: Person,
    visit: Visit,
) -> Result<StatusCode, ApiError> {
    if is_required(&caller, &app).await? {
        return Err(ApiError::Conflict {
            field: "",
            message: "One of your tenants asks its administrators for a second factor.",
        });
    }
    let (user, now) = (caller.user.id, OffsetDateTime::now_utc());
    let transaction = begin(&app.db).await?;
    if !second_factor::delete(user, &transaction).await? {
        commit(transaction).await?;
        return Ok(StatusCode::NO_CONTENT);
    }
    end_others(&caller, &transaction).await?;
    let event = SecurityEvent::SecondFactorOff;
    notice::queue(event, &caller.user, &visit, now, &app, &transaction).await?;
    let deed = Deed::new("second_factor.delete", &caller.user.email).of(user);
    caller.note_in(None, &deed, now, &transaction).await?;
    commit(transaction).await?;
    app.mail.wake();
    Ok(StatusCode::NO_CONTENT)
}

/// New recovery codes. The old ones end.
#[utoipa::path(post, operation_id = "recovery_codes_replace", path = "/session/second-factor/recovery-codes", tag = "session",
    responses((status = 200, body = RecoveryCodes), Refused), security(("session" = [])))]
pub(crate) async fn replace_codes(
    State(app): State<App>,
    caller: Person,
    visit: Visit,
) -> Result<Json<RecoveryCodes>, ApiError> {
    let (user, now) = (caller.user.id, OffsetDateTime::now_utc());
    let codes = new_codes();
    let transaction = begin(&app.db).await?;
    if second_factor::confirmed_at(user, &transaction)
        .await?
        .is_none()
    {
        return Err(ApiError::Conflict {
            field: "",
            message: "Your second factor is not turned on.",
        });
    }
    second_factor::set_recovery_codes(user, &kept(&codes), &transaction).await?;
    let event = SecurityEvent::RecoveryCodes;
    notice::queue(event, &caller.user, &visit, now, &app, &transaction).await?;
    let deed = Deed::new("recovery_codes.create", &caller.user.email).of(user);
    caller.note_in(None, &deed, now, &transaction).await?;
    commit(transaction).await?;
    app.mail.wake();
    Ok(Json(RecoveryCodes { codes }))
}

/// Whether a tenant of the person demands it.
async fn is_required(caller: &Person, app: &App) -> Result<bool, StoreError> {
    let tenants = store::tenant::list_by_user(caller.user.id, &app.db).await?;
    let mut tenants = tenants.iter();
    Ok(tenants.any(|(tenant, role)| demands_second_factor(tenant, *role)))
}

/// What the app shows above the codes: the portal's host, which tells installations apart.
fn issuer(app: &App) -> String {
    let host = app.config.public_url.split("://").nth(1);
    format!("Tandem {}", host.unwrap_or_default())
}

/// In groups of four, to be written down.
fn new_codes() -> Vec<String> {
    let code = |_| {
        let signs = random_text(RECOVERY_CODE_SIGNS);
        let groups: Vec<_> = signs
            .as_bytes()
            .chunks(4)
            .map(|group| String::from_utf8_lossy(group).into_owned())
            .collect();
        groups.join("-")
    };
    (0..RECOVERY_CODES).map(code).collect()
}

/// As they are looked up.
fn kept(codes: &[String]) -> Vec<Secret> {
    let plain = codes.iter().map(|code| proof::plain(code));
    plain.map(Secret::new).collect()
}

const RECOVERY_CODES: usize = 10;
/// 79 bits.
const RECOVERY_CODE_SIGNS: usize = 16;
