//! Service providers of a tenant.

use api::{Dependents, LiveList, Page, PageQuery, Provider, ProviderFilters, ProviderInput};
use axum::{Json, extract::State, http::StatusCode, response::Response};
use store::{
    begin, commit, dependents,
    provider::{ProviderFields, ProviderFilter, ProviderSort},
};
use time::OffsetDateTime;

use super::Refused;
use crate::{
    access::Caller,
    app::App,
    audit::Deed,
    error::ApiError,
    extract::{Asked, Body, Id, IfMatch, Paging},
    live::Written,
    validate::Fields,
    wire,
};

/// The providers; the search looks at name and server.
#[utoipa::path(get, operation_id = "providers_list", path = "/tenants/{tenant}/providers", tag = "providers",
    params(("tenant" = Uuid, Path), PageQuery, ProviderFilters),
    responses((status = 200, body = Page<Provider>), Refused), security(("session" = [])))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Paging(request): Paging<ProviderSort>,
    Asked(filters): Asked<ProviderFilters>,
) -> Result<Json<Page<Provider>>, ApiError> {
    let filter = filter(&filters)?;
    let providers = store::provider::list(caller.tenant.id, &filter, &request, &app.db).await?;
    Ok(wire::page(providers, |provider| {
        wire::provider(provider, &app.config)
    }))
}

/// Create a provider.
#[utoipa::path(post, operation_id = "providers_create", path = "/tenants/{tenant}/providers", tag = "providers",
    params(("tenant" = Uuid, Path), ("Idempotency-Key" = Option<String>, Header)), request_body = ProviderInput,
    responses((status = 201, body = Provider), Refused), security(("session" = [])))]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Body(input): Body<ProviderInput>,
) -> Result<Response, ApiError> {
    let fields = check(&input)?;
    let (tenant, now) = (caller.tenant.id, OffsetDateTime::now_utc());
    let transaction = begin(&app.db).await?;
    let provider = store::provider::insert(tenant, &fields, now, &transaction).await?;
    let (version, name) = (provider.version, provider.name.clone());
    let body = wire::provider(provider, &app.config);
    let deed = Deed::new("provider.create", &name).of(body.id).made(&body);
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    app.announce(tenant, Written::list(LiveList::Providers))
        .await;
    Ok(wire::tagged(StatusCode::CREATED, version, body))
}

/// One provider.
#[utoipa::path(get, operation_id = "providers_show", path = "/tenants/{tenant}/providers/{id}", tag = "providers",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path)),
    responses((status = 200, body = Provider), Refused), security(("session" = [])))]
pub(crate) async fn show(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<Response, ApiError> {
    let provider = store::provider::load(caller.tenant.id, id, &app.db).await?;
    let version = provider.version;
    let body = wire::provider(provider, &app.config);
    Ok(wire::tagged(StatusCode::OK, version, body))
}

/// Change a provider; of Tandem's own only the name.
#[utoipa::path(put, operation_id = "providers_update", path = "/tenants/{tenant}/providers/{id}", tag = "providers",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    request_body = ProviderInput,
    responses((status = 200, body = Provider), Refused), security(("session" = [])))]
pub(crate) async fn update(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    IfMatch(expected): IfMatch,
    Body(input): Body<ProviderInput>,
) -> Result<Response, ApiError> {
    let fields = check(&input)?;
    let (tenant, now) = (caller.tenant.id, OffsetDateTime::now_utc());
    let transaction = begin(&app.db).await?;
    let before = store::provider::load(tenant, id, &transaction).await?;
    let before = wire::provider(before, &app.config);
    let provider = store::provider::update(tenant, id, &fields, expected, &transaction).await?;
    let devices = store::device::list_ids_by_provider(tenant, id, &transaction).await?;
    let (version, name) = (provider.version, provider.name.clone());
    let body = wire::provider(provider, &app.config);
    let deed = Deed::new("provider.update", &name)
        .of(id)
        .changed(&before, &body);
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    // Its accounts may have other addresses-of-record now.
    let written = Written::anything().and_devices(devices);
    app.announce(tenant, written.and_list(LiveList::Providers))
        .await;
    Ok(wire::tagged(StatusCode::OK, version, body))
}

/// Delete a provider without accounts.
#[utoipa::path(delete, operation_id = "providers_delete", path = "/tenants/{tenant}/providers/{id}", tag = "providers",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path)),
    responses((status = 204), Refused), security(("session" = [])))]
pub(crate) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<StatusCode, ApiError> {
    let (tenant, now) = (caller.tenant.id, OffsetDateTime::now_utc());
    let transaction = begin(&app.db).await?;
    let provider = store::provider::load(tenant, id, &transaction).await?;
    store::provider::delete(tenant, id, &transaction).await?;
    let name = provider.name.clone();
    let body = wire::provider(provider, &app.config);
    let deed = Deed::new("provider.delete", &name).of(id).removed(&body);
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    app.announce(tenant, Written::list(LiveList::Providers))
        .await;
    Ok(StatusCode::NO_CONTENT)
}

/// What depends on a provider: its accounts, and the devices that have them.
#[utoipa::path(get, operation_id = "providers_dependents", path = "/tenants/{tenant}/providers/{id}/dependents", tag = "providers",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path)),
    responses((status = 200, body = Dependents), Refused), security(("session" = [])))]
pub(crate) async fn dependents(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<Json<Dependents>, ApiError> {
    let dependents = dependents::of_provider(caller.tenant.id, id, &app.db).await?;
    Ok(Json(wire::dependents(dependents)))
}

fn filter(filters: &ProviderFilters) -> Result<ProviderFilter, ApiError> {
    let mut fields = Fields::default();
    let filter = ProviderFilter {
        transports: fields.words("transport", filters.transport.as_deref()),
    };
    fields.finish()?;
    Ok(filter)
}

pub(super) fn check(input: &ProviderInput) -> Result<ProviderFields, ApiError> {
    let mut fields = Fields::default();
    let checked = ProviderFields {
        name: fields.text("name", &input.name, 100),
        server: fields.host("server", &input.server),
        port: fields.port("port", input.port),
        transport: wire::stored_transport(input.transport),
        outbound_proxy: fields.outbound_proxy("outbound_proxy", input.outbound_proxy.as_deref()),
    };
    fields.finish()?;
    Ok(checked)
}
