//! Calls of a tenant: the list, one of them with all its parts, export, and erasing.
//!
//! Reading needs no more than membership; erasing is for administrators and is noted, with what was asked for and how many went.

use api::{CallDetail, CallQuery, CallsErased, LiveList, Page};
use axum::{
    Json,
    body::Body,
    extract::State,
    http::{
        StatusCode,
        header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use store::{StoreError, begin, call, commit};
use time::OffsetDateTime;
use tracing::warn;

use super::Refused;
use crate::{
    access::Caller, app::App, audit::Deed, call_export, call_query::Wanted, call_wire,
    error::ApiError, extract::Id, live::Written, validate::Fields, wire,
};

/// The calls, newest first unless asked otherwise.
#[utoipa::path(get, operation_id = "calls_list", path = "/tenants/{tenant}/calls", tag = "calls",
    params(("tenant" = Uuid, Path), CallQuery),
    responses((status = 200, body = Page<api::Call>), Refused), security(("session" = [])))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    wanted: Wanted,
) -> Result<Json<Page<api::Call>>, ApiError> {
    let Wanted { filter, page, .. } = wanted;
    let calls = call::list(caller.tenant.id, &filter, &page, &app.db).await?;
    Ok(wire::page(calls, call_wire::call))
}

/// Erase all calls that the filters leave in and that have ended. At least one filter is needed.
#[utoipa::path(delete, operation_id = "calls_erase", path = "/tenants/{tenant}/calls", tag = "calls",
    params(("tenant" = Uuid, Path), CallQuery),
    responses((status = 200, body = CallsErased), Refused), security(("session" = [])))]
pub(crate) async fn erase(
    State(app): State<App>,
    caller: Caller,
    wanted: Wanted,
) -> Result<Json<CallsErased>, ApiError> {
    let filter = &wanted.filter;
    if filter.is_empty() {
        let mut fields = Fields::default();
        fields.wrong(
            "search",
            "Please say which calls: by a person, a number, a time, an outcome or a direction.",
        );
        fields.finish()?;
    }
    let (tenant, now) = (caller.tenant.id, OffsetDateTime::now_utc());
    let transaction = begin(&app.db).await?;
    let count = call::delete_many(tenant, filter, &transaction).await?;
    let erased = count.to_string();
    let deed = Deed::new("call.erase_many", &erased).made(&wanted.query);
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    app.live.written(tenant, Written::list(LiveList::Calls));
    Ok(Json(CallsErased { count }))
}

/// One call, the parts that belong to it, and what was said while the proxy keeps that.
#[utoipa::path(get, operation_id = "calls_show", path = "/tenants/{tenant}/calls/{id}", tag = "calls",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path)),
    responses((status = 200, body = CallDetail), Refused), security(("session" = [])))]
pub(crate) async fn show(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<Json<CallDetail>, ApiError> {
    let tenant = caller.tenant.id;
    let found = call::load(tenant, id, &app.db).await?;
    let chain = call::list_chain(tenant, found.call.call_id, &app.db).await?;
    let ladder = match &found.call.sip_call_id {
        Some(sip_call_id) => app
            .proxy
            .call_ladder(tenant, sip_call_id)
            .await
            .unwrap_or_else(|error| {
                warn!(%error, "what was said in a call is not known");
                None
            }),
        None => None,
    };
    Ok(Json(CallDetail {
        call: call_wire::call(found),
        chain: chain.into_iter().map(call_wire::call).collect(),
        ladder,
    }))
}

/// Erase a call that has ended.
#[utoipa::path(delete, operation_id = "calls_delete", path = "/tenants/{tenant}/calls/{id}", tag = "calls",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path)),
    responses((status = 204), Refused), security(("session" = [])))]
pub(crate) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<StatusCode, ApiError> {
    let (tenant, now) = (caller.tenant.id, OffsetDateTime::now_utc());
    let transaction = begin(&app.db).await?;
    match call::delete(tenant, id, &transaction).await {
        Err(StoreError::Protected) => {
            return Err(ApiError::Conflict {
                field: "",
                message: "This call is still going on. Please erase it when it has ended.",
            });
        }
        deleted => deleted?,
    }
    let subject = id.to_string();
    let deed = Deed::new("call.erase", &subject).of(id);
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    app.live.written(tenant, Written::list(LiveList::Calls));
    Ok(StatusCode::NO_CONTENT)
}

/// All calls that the filters leave in, as CSV in UTF-8 with a byte order mark; times are UTC. `limit` and `after` are not looked at.
#[utoipa::path(get, operation_id = "calls_export", path = "/tenants/{tenant}/calls/export", tag = "calls",
    params(("tenant" = Uuid, Path), CallQuery),
    responses((status = 200, content_type = "text/csv", body = String), Refused), security(("session" = [])))]
pub(crate) async fn export(
    State(app): State<App>,
    caller: Caller,
    wanted: Wanted,
) -> Result<Response, ApiError> {
    let now = OffsetDateTime::now_utc();
    let deed = Deed::new("call.export", "calls").made(&wanted.query);
    let transaction = begin(&app.db).await?;
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    let name = format!("calls-{}-{}.csv", caller.tenant.slug, now.date());
    let rows = call_export::rows(caller.tenant.id, wanted.filter, app);
    Ok((
        [
            (CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
            (
                CONTENT_DISPOSITION,
                format!("attachment; filename=\"{name}\""),
            ),
        ],
        Body::from_stream(rows),
    )
        .into_response())
}
