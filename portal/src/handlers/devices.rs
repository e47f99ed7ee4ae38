//! Devices of a tenant.

use api::{Device, DeviceFilters, DeviceInput, LiveList, Page, PageQuery};
use axum::{Json, extract::State, http::StatusCode, response::Response};
use store::{
    account, activation, begin, commit,
    device::{self, DeviceFields, DeviceFilter, DeviceSort, MAX_ACCOUNTS},
};
use time::OffsetDateTime;
use uuid::Uuid;

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

/// The devices; the search looks at the name.
#[utoipa::path(get, operation_id = "devices_list", path = "/tenants/{tenant}/devices", tag = "devices",
    params(("tenant" = Uuid, Path), PageQuery, DeviceFilters),
    responses((status = 200, body = Page<Device>), Refused), security(("session" = [])))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Paging(request): Paging<DeviceSort>,
    Asked(filters): Asked<DeviceFilters>,
) -> Result<Json<Page<Device>>, ApiError> {
    let filter = filter(&filters, &caller, &app)?;
    let devices = device::list(caller.tenant.id, &filter, &request, &app.db).await?;
    Ok(wire::page(devices, |device| {
        wire::device(device, &app.presence)
    }))
}

/// Create a device and its activation.
#[utoipa::path(post, operation_id = "devices_create", path = "/tenants/{tenant}/devices", tag = "devices",
    params(("tenant" = Uuid, Path), ("Idempotency-Key" = Option<String>, Header)), request_body = DeviceInput,
    responses((status = 201, body = Device), Refused), security(("session" = [])))]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Body(input): Body<DeviceInput>,
) -> Result<Response, ApiError> {
    let fields = check(input)?;
    let (tenant, now) = (caller.tenant.id, OffsetDateTime::now_utc());
    let life = app.activation_life();
    let transaction = begin(&app.db).await?;
    let device = device::insert(tenant, &fields, now, &transaction).await?;
    activation::replace(tenant, device.id, life, &app.vault, now, &transaction).await?;
    let (version, name) = (device.version, device.name.clone());
    let body = wire::device(device, &app.presence);
    let deed = Deed::new("device.create", &name).of(body.id).made(&body);
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    let written = Written::devices([body.id]).and_list(LiveList::Contacts);
    app.announce(tenant, written).await;
    Ok(wire::tagged(StatusCode::CREATED, version, body))
}

/// One device.
#[utoipa::path(get, operation_id = "devices_show", path = "/tenants/{tenant}/devices/{id}", tag = "devices",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path)),
    responses((status = 200, body = Device), Refused), security(("session" = [])))]
pub(crate) async fn show(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<Response, ApiError> {
    let device = device::load(caller.tenant.id, id, &app.db).await?;
    let version = device.version;
    let body = wire::device(device, &app.presence);
    Ok(wire::tagged(StatusCode::OK, version, body))
}

/// Change a device; it learns of it at once. Accounts that an activated device has no more get new passwords, as it knows the old ones.
#[utoipa::path(put, operation_id = "devices_update", path = "/tenants/{tenant}/devices/{id}", tag = "devices",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    request_body = DeviceInput,
    responses((status = 200, body = Device), Refused), security(("session" = [])))]
pub(crate) async fn update(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    IfMatch(expected): IfMatch,
    Body(input): Body<DeviceInput>,
) -> Result<Response, ApiError> {
    let (tenant, now) = (caller.tenant.id, OffsetDateTime::now_utc());
    let fields = check(input)?;
    let transaction = begin(&app.db).await?;
    let before = device::load(tenant, id, &transaction).await?;
    let given_up = given_up(&before, &fields);
    let before = wire::device(before, &app.presence);
    let device = device::update(tenant, id, &fields, expected, &transaction).await?;
    let rotated = account::rotate(tenant, &given_up, &app.vault, &transaction).await?;
    let (version, name) = (device.version, device.name.clone());
    let body = wire::device(device, &app.presence);
    let deed = Deed::new("device.update", &name)
        .of(id)
        .changed(&before, &body);
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    app.take_off(tenant, id, rotated).await;
    Ok(wire::tagged(StatusCode::OK, version, body))
}

/// The accounts that the phone knows the passwords of and is to have no more.
fn given_up(before: &device::Device, fields: &DeviceFields) -> Vec<Uuid> {
    let known = before.activated_at.map_or(&[][..], |_| &before.accounts);
    known
        .iter()
        .map(|account| account.id)
        .filter(|id| !fields.account_ids.contains(id))
        .collect()
}

/// Delete a device: it is signed out, and its accounts get new passwords.
#[utoipa::path(delete, operation_id = "devices_delete", path = "/tenants/{tenant}/devices/{id}", tag = "devices",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path)),
    responses((status = 204), Refused), security(("session" = [])))]
pub(crate) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<StatusCode, ApiError> {
    let (tenant, now) = (caller.tenant.id, OffsetDateTime::now_utc());
    let transaction = begin(&app.db).await?;
    let device = device::load(tenant, id, &transaction).await?;
    let rotated = account::rotate_passwords(tenant, id, &app.vault, &transaction).await?;
    device::delete(tenant, id, &transaction).await?;
    let name = device.name.clone();
    let body = wire::device(device.clone(), &app.presence);
    let deed = Deed::new("device.delete", &name).of(id).removed(&body);
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    app.sign_out(tenant, &device, rotated).await;
    Ok(StatusCode::NO_CONTENT)
}

fn filter(filters: &DeviceFilters, caller: &Caller, app: &App) -> Result<DeviceFilter, ApiError> {
    let mut fields = Fields::default();
    let mut filter = DeviceFilter {
        statuses: fields.words("status", filters.status.as_deref()),
        sub_statuses: fields.words("sub_status", filters.sub_status.as_deref()),
        platforms: fields.choices("platform", filters.platform.as_deref()),
        contacts: fields.ids("contact", filters.contact.as_deref()),
        ..DeviceFilter::default()
    };
    fields.finish()?;
    if !(filter.statuses.is_empty() && filter.sub_statuses.is_empty()) {
        filter.online = app.presence.online(&caller.tenant.sip_domain);
    }
    Ok(filter)
}

fn check(input: DeviceInput) -> Result<DeviceFields, ApiError> {
    let mut fields = Fields::default();
    fields.list("account_ids", &input.account_ids, 1, MAX_ACCOUNTS);
    let checked = DeviceFields {
        name: fields.text("name", &input.name, 100),
        contact_id: input.contact_id,
        account_ids: input.account_ids,
    };
    fields.finish()?;
    Ok(checked)
}
