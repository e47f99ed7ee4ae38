//! Views of lists that people save, each for themselves. Every role may.

use std::collections::BTreeMap;

use api::{View, ViewInput, ViewQuery, Views};
use axum::{Json, extract::State, http::StatusCode};
use store::{
    StoreError, begin, commit,
    view::{self, MAX_VIEWS, ViewFields, ViewList},
};
use time::OffsetDateTime;

use super::Refused;
use crate::{
    access::Caller,
    app::App,
    audit::Deed,
    error::ApiError,
    extract::{Asked, Body, Id},
    validate::Fields,
};

/// The caller's views by list and name.
#[utoipa::path(get, operation_id = "views_list", path = "/tenants/{tenant}/views", tag = "views",
    params(("tenant" = Uuid, Path), ViewQuery),
    responses((status = 200, body = Views), Refused), security(("session" = [])))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Asked(query): Asked<ViewQuery>,
) -> Result<Json<Views>, ApiError> {
    let (tenant, user) = (caller.tenant.id, caller.person.user.id);
    let views = view::list(tenant, user, query.list.map(stored_list), &app.db).await?;
    Ok(Json(Views {
        items: views.into_iter().map(wire).collect(),
    }))
}

/// Save a view; one of the same list and name is replaced.
#[utoipa::path(put, operation_id = "views_save", path = "/tenants/{tenant}/views", tag = "views",
    params(("tenant" = Uuid, Path)), request_body = ViewInput,
    responses((status = 200, body = View), Refused), security(("session" = [])))]
pub(crate) async fn save(
    State(app): State<App>,
    caller: Caller,
    Body(input): Body<ViewInput>,
) -> Result<Json<View>, ApiError> {
    let fields = check(input)?;
    let (tenant, user, now) = (
        caller.tenant.id,
        caller.person.user.id,
        OffsetDateTime::now_utc(),
    );
    let transaction = begin(&app.db).await?;
    let saved = match view::save(tenant, user, &fields, now, &transaction).await {
        Err(StoreError::Count { field, .. }) => return Err(too_many(field)),
        saved => wire(saved?),
    };
    let deed = Deed::new("view.save", &saved.name)
        .of(saved.id)
        .made(&saved);
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    Ok(Json(saved))
}

/// Delete a view of the caller.
#[utoipa::path(delete, operation_id = "views_delete", path = "/tenants/{tenant}/views/{id}", tag = "views",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path)),
    responses((status = 204), Refused), security(("session" = [])))]
pub(crate) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<StatusCode, ApiError> {
    let (tenant, now) = (caller.tenant.id, OffsetDateTime::now_utc());
    let transaction = begin(&app.db).await?;
    let gone = wire(view::delete(tenant, caller.person.user.id, id, &transaction).await?);
    let deed = Deed::new("view.delete", &gone.name).of(id).removed(&gone);
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    Ok(StatusCode::NO_CONTENT)
}

const MAX_FILTERS: usize = 20;
const MAX_VALUES: usize = 100;
const MAX_COLUMNS: usize = 50;

fn check(input: ViewInput) -> Result<ViewFields, ApiError> {
    let mut fields = Fields::default();
    let search = fields.optional_text("search", Some(&input.search), 100);
    let sort = fields.optional_text("sort", Some(&input.sort), 60);
    let checked = ViewFields {
        list: stored_list(input.list),
        name: fields.text("name", &input.name, 60),
        search: search.unwrap_or_default(),
        sort: sort.unwrap_or_default(),
        filters: check_filters(input.filters, &mut fields),
        columns: input.columns.map(|columns| {
            fields.list("columns", &columns, 1, MAX_COLUMNS);
            texts("columns", columns, MAX_COLUMNS, &mut fields)
        }),
    };
    fields.finish()?;
    Ok(checked)
}

fn check_filters(
    filters: BTreeMap<String, Vec<String>>,
    fields: &mut Fields,
) -> BTreeMap<String, Vec<String>> {
    if filters.len() > MAX_FILTERS {
        fields.wrong(
            "filters",
            format!("Please use at most {MAX_FILTERS} filters."),
        );
        return BTreeMap::new();
    }
    let mut checked = BTreeMap::new();
    for (name, values) in filters {
        let name = fields.text("filters", &name, 60);
        let field = format!("filters.{name}");
        fields.list(&field, &values, 0, MAX_VALUES);
        checked.insert(name, texts(&field, values, MAX_VALUES, fields));
    }
    checked
}

fn texts(field: &str, values: Vec<String>, most: usize, fields: &mut Fields) -> Vec<String> {
    let values = values.into_iter().take(most);
    values
        .map(|value| fields.text(field, &value, 100))
        .collect()
}

fn too_many(field: &str) -> ApiError {
    let mut fields = Fields::default();
    fields.wrong(
        field,
        format!("This list has {MAX_VIEWS} views already. Please delete one first."),
    );
    fields.finish().err().unwrap_or(ApiError::Internal)
}

fn wire(view: view::View) -> View {
    View {
        id: view.id,
        list: wire_list(view.fields.list),
        name: view.fields.name,
        search: view.fields.search,
        sort: view.fields.sort,
        filters: view.fields.filters,
        columns: view.fields.columns,
    }
}

fn wire_list(list: ViewList) -> api::ViewList {
    match list {
        ViewList::Contacts => api::ViewList::Contacts,
        ViewList::Devices => api::ViewList::Devices,
        ViewList::Accounts => api::ViewList::Accounts,
        ViewList::Providers => api::ViewList::Providers,
        ViewList::Members => api::ViewList::Members,
        ViewList::Calls => api::ViewList::Calls,
        ViewList::Mails => api::ViewList::Mails,
        ViewList::Audit => api::ViewList::Audit,
    }
}

fn stored_list(list: api::ViewList) -> ViewList {
    match list {
        api::ViewList::Contacts => ViewList::Contacts,
        api::ViewList::Devices => ViewList::Devices,
        api::ViewList::Accounts => ViewList::Accounts,
        api::ViewList::Providers => ViewList::Providers,
        api::ViewList::Members => ViewList::Members,
        api::ViewList::Calls => ViewList::Calls,
        api::ViewList::Mails => ViewList::Mails,
        api::ViewList::Audit => ViewList::Audit,
    }
}
