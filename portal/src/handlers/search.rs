//! One search over everything of a tenant that the caller may read.

use api::{FoundGroup, FoundKind, SearchQuery, SearchResult};
use axum::{Json, extract::State};
use store::search as stored;

use super::Refused;
use crate::{
    access::{Access, Area, Caller},
    app::App,
    error::ApiError,
    extract::Asked,
    validate::Fields,
};

const USUAL_LIMIT: u32 = 5;
const MAX_LIMIT: u32 = 20;

/// Everything with a name, the best of each kind first.
#[utoipa::path(get, operation_id = "search_find", path = "/tenants/{tenant}/search", tag = "search",
    params(("tenant" = Uuid, Path), SearchQuery),
    responses((status = 200, body = SearchResult), Refused), security(("session" = [])))]
pub(crate) async fn find(
    State(app): State<App>,
    caller: Caller,
    Asked(query): Asked<SearchQuery>,
) -> Result<Json<SearchResult>, ApiError> {
    let mut fields = Fields::default();
    let text = fields.optional_text("q", Some(&query.q), 100);
    fields.finish()?;
    let limit = query.limit.unwrap_or(USUAL_LIMIT).clamp(1, MAX_LIMIT);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut groups = Vec::new();
    for (area, kind, wire) in KINDS {
        if !area.allows(Access::Read, caller.role) {
            continue;
        }
        let Some(text) = &text else { continue };
        let found = stored::find(caller.tenant.id, *kind, text, limit, &app.db).await?;
        if !found.is_empty() {
            groups.push(group(*wire, found));
        }
    }
    Ok(Json(SearchResult { groups }))
}

/// What can be found, in the order in which it is shown, and what must be readable for it.
const KINDS: &[(Area, stored::FoundKind, FoundKind)] = &[
    (
        Area::Contacts,
        stored::FoundKind::Contact,
        FoundKind::Contact,
    ),
    (Area::Devices, stored::FoundKind::Device, FoundKind::Device),
    (
        Area::Accounts,
        stored::FoundKind::Account,
        FoundKind::Account,
    ),
    (
        Area::Providers,
        stored::FoundKind::Provider,
        FoundKind::Provider,
    ),
    (Area::Members, stored::FoundKind::Member, FoundKind::Member),
];

fn group(kind: FoundKind, found: Vec<stored::Found>) -> FoundGroup {
    let items = found.into_iter().map(|found| api::Found {
        kind,
        id: found.id,
        name: found.name,
        detail: found.detail,
    });
    FoundGroup {
        kind,
        items: items.collect(),
    }
}
