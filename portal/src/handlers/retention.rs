//! For how long a tenant keeps its calls.

use api::CallRetention;
use axum::{extract::State, http::StatusCode, response::Response};
use store::{begin, call, commit};
use time::OffsetDateTime;

use super::Refused;
use crate::{
    access::Caller,
    app::App,
    audit::Deed,
    error::ApiError,
    extract::{Body, IfMatch},
    validate::Fields,
    wire,
};

/// Ten years.
const MAX_DAYS: u32 = 3_650;

/// For how long calls are kept.
#[utoipa::path(get, operation_id = "retention_show", path = "/tenants/{tenant}/settings/retention", tag = "settings",
    params(("tenant" = Uuid, Path)),
    responses((status = 200, body = CallRetention), Refused), security(("session" = [])))]
pub(crate) async fn show(State(app): State<App>, caller: Caller) -> Result<Response, ApiError> {
    let retention = call::load_retention(caller.tenant.id, &app.db).await?;
    let body = CallRetention {
        days: retention.days,
    };
    Ok(wire::tagged(StatusCode::OK, retention.version, body))
}

/// Change for how long calls are kept. What is older goes within an hour.
#[utoipa::path(put, operation_id = "retention_update", path = "/tenants/{tenant}/settings/retention", tag = "settings",
    params(("tenant" = Uuid, Path), ("If-Match" = Option<String>, Header)), request_body = CallRetention,
    responses((status = 200, body = CallRetention), Refused), security(("session" = [])))]
pub(crate) async fn update(
    State(app): State<App>,
    caller: Caller,
    IfMatch(expected): IfMatch,
    Body(input): Body<CallRetention>,
) -> Result<Response, ApiError> {
    let mut fields = Fields::default();
    if input.days > MAX_DAYS {
        fields.wrong(
            "days",
            format!("Please enter 1 to {MAX_DAYS} days, or 0 to keep calls for ever."),
        );
    }
    fields.finish()?;
    let (tenant, now) = (caller.tenant.id, OffsetDateTime::now_utc());
    let transaction = begin(&app.db).await?;
    let before = call::load_retention(tenant, &transaction).await?;
    let after = call::set_retention(tenant, input.days, expected, &transaction).await?;
    let body = CallRetention { days: after.days };
    let before = CallRetention { days: before.days };
    let deed = Deed::new("retention.update", "calls").changed(&before, &body);
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    Ok(wire::tagged(StatusCode::OK, after.version, body))
}
