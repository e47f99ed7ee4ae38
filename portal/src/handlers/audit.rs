//! The audit log of a tenant.

use api::{AuditEntry, AuditQuery, AuditVerification, Page, PageQuery};
use axum::{Json, extract::State};
use store::audit::{self, AuditFilter, AuditSort};

use super::Refused;
use crate::{
    access::Caller,
    app::App,
    error::ApiError,
    extract::{Asked, Paging},
    wire,
};

/// Who changed what, newest first; the search looks at who and at what.
#[utoipa::path(get, operation_id = "audit_list", path = "/tenants/{tenant}/audit", tag = "audit",
    params(("tenant" = Uuid, Path), PageQuery, AuditQuery),
    responses((status = 200, body = Page<AuditEntry>), Refused), security(("session" = [])))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Paging(request): Paging<AuditSort>,
    Asked(query): Asked<AuditQuery>,
) -> Result<Json<Page<AuditEntry>>, ApiError> {
    let filter = AuditFilter {
        action: query.action,
        object: query.object,
        from: query.from,
        until: query.until,
    };
    let entries = audit::list(caller.tenant.id, &filter, &request, &app.db).await?;
    Ok(wire::page(entries, entry))
}

/// Whether the log is whole: no entry was altered or removed since it was made.
#[utoipa::path(get, operation_id = "audit_verify", path = "/tenants/{tenant}/audit/verification", tag = "audit",
    params(("tenant" = Uuid, Path)),
    responses((status = 200, body = AuditVerification), Refused), security(("session" = [])))]
pub(crate) async fn verify(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<AuditVerification>, ApiError> {
    let verified = audit::verify(Some(caller.tenant.id), &app.db).await?;
    Ok(Json(AuditVerification {
        entries: verified.entries,
        broken_at: verified.broken_at,
        hash: verified
            .hash
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
    }))
}

fn entry(entry: audit::AuditEntry) -> AuditEntry {
    AuditEntry {
        id: entry.id,
        at: entry.at,
        actor: entry.actor,
        action: entry.action,
        subject: entry.subject,
        detail: entry.detail,
        object: entry.object,
        source: entry.source,
        changes: entry
            .changes
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default(),
        sequence: entry.sequence,
    }
}
