//! The audit log of a tenant.

use api::{AuditEntry, Page, PageQuery};
use axum::{Json, extract::State};

use super::Refused;
use crate::{
    app::App,
    error::ApiError,
    extract::{Paging, Reader},
    wire,
};

/// Who changed what, newest first.
#[utoipa::path(get, operation_id = "audit_list", path = "/tenants/{tenant}/audit", tag = "tenants",
    params(("tenant" = Uuid, Path), PageQuery),
    responses((status = 200, body = Page<AuditEntry>), Refused), security(("session" = [])))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Reader,
    Paging(request): Paging,
) -> Result<Json<Page<AuditEntry>>, ApiError> {
    let entries = store::audit::list(caller.tenant.id, &request, &app.db).await?;
    Ok(wire::page(entries, |entry| AuditEntry {
        id: entry.id,
        at: entry.at,
        actor: entry.actor,
        action: entry.action,
        subject: entry.subject,
        detail: entry.detail,
    }))
}
