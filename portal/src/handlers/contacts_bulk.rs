//! Many contacts at once: deleted, shown, hidden, or given out as a file.

use std::time::{Duration, Instant};

use api::{
    BulkAction, BulkInput, BulkRefusal, BulkRefused, BulkResult, ContactFilters, LiveList,
    PageQuery,
};
use axum::{
    Json,
    body::Body as Stream,
    extract::State,
    http::header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use store::{
    begin, commit,
    contact::{self, Contact, ContactFilter, ContactSort, Refusal, Refused as Left},
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Refused, contacts::filter};
use crate::{
    access::Caller,
    app::App,
    audit::Deed,
    effects::ids,
    error::ApiError,
    extract::{Asked, Body, Paging},
    import::export,
    live::Written,
    validate::Fields,
    wire,
};

/// Contacts in one transaction: others who write wait for as long as these take.
const BATCH: u64 = 100;
/// Identifiers in one request, and rows that an answer names.
const MAX_NAMED: usize = 1_000;
/// After that the answer says where to go on.
const TIME: Duration = Duration::from_secs(10);

/// Delete many contacts, or show or hide them in the company directory. Contacts with devices are not deleted.
#[utoipa::path(post, operation_id = "contacts_bulk", path = "/tenants/{tenant}/contacts/bulk", tag = "contacts",
    params(("tenant" = Uuid, Path)), request_body = BulkInput,
    responses((status = 200, body = BulkResult), Refused), security(("session" = [])))]
pub(crate) async fn bulk(
    State(app): State<App>,
    caller: Caller,
    Body(input): Body<BulkInput>,
) -> Result<Json<BulkResult>, ApiError> {
    let wanted = check(&input)?;
    let tenant = caller.tenant.id;
    let mut result = BulkResult {
        done: Vec::new(),
        done_count: 0,
        unchanged_count: 0,
        refused: Vec::new(),
        refused_count: 0,
        next: None,
    };
    if let Some(ids) = &input.ids {
        for some in ids.chunks(usize::try_from(BATCH).unwrap_or(usize::MAX)) {
            batch(input.action, some, &caller, &app, &mut result).await?;
        }
        return Ok(Json(result));
    }
    let (filter, search) = (wanted.filter, wanted.search.as_deref());
    let (begun, mut after) = (Instant::now(), input.after);
    loop {
        let some = contact::list_ids(tenant, &filter, search, after, BATCH, &app.db).await?;
        let Some(last) = some.last() else { break };
        after = Some(*last);
        batch(input.action, &some, &caller, &app, &mut result).await?;
        if begun.elapsed() > TIME {
            result.next = after;
            break;
        }
    }
    Ok(Json(result))
}

/// The contacts that a list would show, in its order, as CSV that comes back unchanged through an import.
#[utoipa::path(get, operation_id = "contacts_export", path = "/tenants/{tenant}/contacts/export", tag = "contacts",
    params(("tenant" = Uuid, Path), PageQuery, ContactFilters),
    responses((status = 200, content_type = "text/csv", body = String), Refused), security(("session" = [])))]
pub(crate) async fn export(
    State(app): State<App>,
    caller: Caller,
    Paging(request): Paging<ContactSort>,
    Asked(filters): Asked<ContactFilters>,
) -> Result<Response, ApiError> {
    let tenant = caller.tenant.id;
    let (numbers, emails) = contact::most_parts(tenant, &app.db).await?;
    let wanted = export::Wanted {
        tenant,
        filter: filter(&filters)?,
        request: store::PageRequest {
            after: None,
            total: false,
            ..request
        },
        parts: (numbers.max(2), emails.max(1)),
    };
    Ok(file(
        "contacts.csv",
        Stream::from_stream(export::rows(wanted, app)),
    ))
}

/// A file to keep.
pub(crate) fn file(name: &str, content: impl Into<Stream>) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (CONTENT_DISPOSITION, disposition),
    ];
    (headers, content.into()).into_response()
}

/// Which contacts, unless they are named.
#[derive(Default)]
struct Matching {
    filter: ContactFilter,
    search: Option<String>,
}

fn check(input: &BulkInput) -> Result<Matching, ApiError> {
    let mut fields = Fields::default();
    let mut wanted = Matching::default();
    match (&input.ids, &input.matching) {
        (Some(ids), None) => fields.list("ids", ids, 1, MAX_NAMED),
        (None, Some(matching)) => {
            wanted.search = fields.search("matching.search", matching.search.as_deref());
            for (name, values) in &matching.filters {
                let values = values.join(",");
                let field = format!("matching.filters.{name}");
                match name.as_str() {
                    "in_directory" => {
                        wanted.filter.in_directory = fields.flag(&field, Some(&values));
                    }
                    "has_device" => wanted.filter.has_device = fields.flag(&field, Some(&values)),
                    _ => fields.wrong(&field, "Please use in_directory or has_device."),
                }
            }
        }
        _ => fields.wrong("ids", "Please give either the contacts or what they match."),
    }
    fields.finish()?;
    Ok(wanted)
}

/// Some of the contacts, in a transaction of their own, each noted in the audit log.
async fn batch(
    action: BulkAction,
    some: &[Uuid],
    caller: &Caller,
    app: &App,
    result: &mut BulkResult,
) -> Result<(), ApiError> {
    let (tenant, now) = (caller.tenant.id, OffsetDateTime::now_utc());
    let transaction = begin(&app.db).await?;
    let (before, left) = match action {
        BulkAction::Delete => contact::delete_many(tenant, some, &transaction).await?,
        BulkAction::ShowInDirectory => {
            contact::set_in_directory(tenant, some, true, &transaction).await?
        }
        BulkAction::HideFromDirectory => {
            contact::set_in_directory(tenant, some, false, &transaction).await?
        }
    };
    for contact in &before {
        let name = contact.name();
        let body = wire::contact(contact.clone());
        let deed = match action {
            BulkAction::Delete => Deed::new("contact.delete", &name).removed(&body),
            BulkAction::ShowInDirectory | BulkAction::HideFromDirectory => {
                let after = api::Contact {
                    in_directory: action == BulkAction::ShowInDirectory,
                    ..body.clone()
                };
                Deed::new("contact.update", &name).changed(&body, &after)
            }
        };
        caller.note(&deed.of(contact.id), now, &transaction).await?;
    }
    commit(transaction).await?;
    let devices = before.iter().flat_map(|contact| ids(&contact.devices));
    let written = Written::devices(devices).and_list(LiveList::Contacts);
    app.announce(tenant, written).await;
    count(some.len(), &before, left, result);
    Ok(())
}

fn count(asked: usize, done: &[Contact], left: Vec<Left>, result: &mut BulkResult) {
    let counted = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    result.done_count += counted(done.len());
    result.refused_count += counted(left.len());
    result.unchanged_count += counted(asked.saturating_sub(done.len() + left.len()));
    let room = MAX_NAMED.saturating_sub(result.done.len());
    result
        .done
        .extend(done.iter().take(room).map(|contact| contact.id));
    let room = MAX_NAMED.saturating_sub(result.refused.len());
    result
        .refused
        .extend(left.into_iter().take(room).map(refused));
}

fn refused(left: Left) -> BulkRefused {
    match left.why {
        Refusal::NotFound => BulkRefused {
            id: left.id,
            name: String::new(),
            reason: BulkRefusal::NotFound,
            dependents: Vec::new(),
        },
        Refusal::InUse(contact) => BulkRefused {
            id: left.id,
            name: contact.name(),
            reason: BulkRefusal::InUse,
            dependents: contact
                .devices
                .into_iter()
                .map(|device| api::Dependent {
                    kind: api::DependentKind::Device,
                    id: device.id,
                    name: device.name,
                    effect: api::DependentEffect::SignsOut,
                })
                .collect(),
        },
    }
}
