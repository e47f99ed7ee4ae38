//! The audit log of a tenant.

use api::{AuditEntry, AuditQuery, AuditVerification, Page, PageQuery};
use axum::{
    Json,
    body::Body,
    extract::State,
    http::header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use store::{
    Role,
    audit::{self, AuditFilter, AuditSort},
    begin, commit,
};
use time::OffsetDateTime;

use super::Refused;
use crate::{
    access::Caller,
    app::App,
    audit::{Deed, changes_for},
    audit_export,
    error::ApiError,
    extract::{Asked, Paging},
    validate::Fields,
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
    let filter = filter(&query)?;
    let entries = audit::list(caller.tenant.id, &filter, &request, &app.db).await?;
    Ok(wire::page(entries, |found| entry(found, caller.role)))
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

/// All entries that the filters leave in, newest first, as CSV in UTF-8 with a byte order mark: a row for each field that changed; times
/// are UTC. `limit` and `after` are not looked at.
#[utoipa::path(get, operation_id = "audit_export", path = "/tenants/{tenant}/audit/export", tag = "audit",
    params(("tenant" = Uuid, Path), PageQuery, AuditQuery),
    responses((status = 200, content_type = "text/csv", body = String), Refused), security(("session" = [])))]
pub(crate) async fn export(
    State(app): State<App>,
    caller: Caller,
    Paging(request): Paging<AuditSort>,
    Asked(query): Asked<AuditQuery>,
) -> Result<Response, ApiError> {
    let now = OffsetDateTime::now_utc();
    let filter = filter(&query)?;
    let transaction = begin(&app.db).await?;
    let deed = Deed::new("audit.export", "audit log").made(&query);
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    let name = format!("audit-{}-{}.csv", caller.tenant.slug, now.date());
    let rows = audit_export::rows(&caller, filter, request.search, app);
    let disposition = format!("attachment; filename=\"{name}\"");
    Ok((
        [
            (CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
            (CONTENT_DISPOSITION, disposition),
        ],
        Body::from_stream(rows),
    )
        .into_response())
}

fn filter(query: &AuditQuery) -> Result<AuditFilter, ApiError> {
    let mut fields = Fields::default();
    let filter = AuditFilter {
        actor: fields.search("actor", query.actor.as_deref()),
        action: fields.search("action", query.action.as_deref()),
        object: query.object,
        from: query.from,
        until: query.until,
    };
    fields.finish()?;
    Ok(filter)
}

fn entry(entry: audit::AuditEntry, role: Role) -> AuditEntry {
    let changes = changes_for(role, &entry);
    AuditEntry {
        id: entry.id,
        at: entry.at,
        actor: entry.actor,
        action: entry.action,
        subject: entry.subject,
        detail: entry.detail,
        object: entry.object,
        source: entry.source,
        changes,
        sequence: entry.sequence,
    }
}
