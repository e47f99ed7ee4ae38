//! The company directory, for devices.

use api::{DirectoryChanges, DirectoryQuery};
use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{ETAG, IF_NONE_MATCH},
    },
    response::{IntoResponse, Response},
};
use store::{
    StoreError,
    directory::{self, Position},
};

use super::Refused;
use crate::{access::Device, app::App, error::ApiError, wire};

/// What changed in the company directory since the device asked last, or 304 if it has the newest. The entity tag is the position of the
/// directory as a whole: who sends the `position` it has as `If-None-Match` gets nothing if nothing changed.
#[utoipa::path(get, operation_id = "provisioning_directory", path = "/device/directory", tag = "device",
    params(DirectoryQuery, ("If-None-Match" = Option<String>, Header)),
    responses((status = 200, body = DirectoryChanges), (status = 304), Refused),
    security(("device" = [])))]
pub(crate) async fn changes(
    State(app): State<App>,
    Device(credential): Device,
    query: Result<Query<DirectoryQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Query(query) = query.map_err(|rejection| ApiError::Malformed {
        status: StatusCode::BAD_REQUEST,
        detail: rejection.body_text(),
    })?;
    // What is no position of ours any more is as good as none: the device gets a whole list.
    let since: Option<Position> = query.since.and_then(|text| text.parse().ok());
    let tenant = credential.tenant_id;
    // Read before the changes: a tag that is too old costs one question more, one that is too new would hide a change.
    let newest = directory::position(tenant, &app.db)
        .await
        .map_err(or_revoked)?;
    let tag = format!("\"{newest}\"");
    let known = headers
        .get(IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|tags| tags.split(',').any(|known| known.trim() == tag));
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let limit = query.limit.unwrap_or(DEFAULT_CHANGES);
        let changes = directory::changes(tenant, since.as_ref(), limit, &app.db);
        Json(wire::directory_changes(changes.await.map_err(or_revoked)?)).into_response()
    };
    if let Ok(tag) = HeaderValue::try_from(tag) {
        response.headers_mut().insert(ETAG, tag);
    }
    Ok(response)
}

/// The tenant is gone, and its devices with it.
fn or_revoked(error: StoreError) -> ApiError {
    match error {
        StoreError::NotFound => ApiError::DeviceRevoked,
        other => other.into(),
    }
}

const DEFAULT_CHANGES: u32 = 500;
