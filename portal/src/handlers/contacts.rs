//! Contacts of a tenant.

use api::{Contact, ContactFilters, ContactInput, Dependents, LiveList, Page, PageQuery};
use axum::{Json, extract::State, http::StatusCode, response::Response};
use store::{
    begin, commit,
    contact::{
        self, ContactEmail, ContactFields, ContactFilter, ContactNumber, ContactSort, MAX_EMAILS,
        MAX_NUMBERS,
    },
    dependents,
};
use time::OffsetDateTime;

use super::Refused;
use crate::{
    access::Caller,
    app::App,
    audit::Deed,
    effects::ids,
    error::ApiError,
    extract::{Asked, Body, Id, IfMatch, Paging},
    live::Written,
    validate::Fields,
    wire,
};

/// The contacts; the search looks at names, company, numbers in any spelling, and addresses.
#[utoipa::path(get, operation_id = "contacts_list", path = "/tenants/{tenant}/contacts", tag = "contacts",
    params(("tenant" = Uuid, Path), PageQuery, ContactFilters),
    responses((status = 200, body = Page<Contact>), Refused), security(("session" = [])))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Paging(request): Paging<ContactSort>,
    Asked(filters): Asked<ContactFilters>,
) -> Result<Json<Page<Contact>>, ApiError> {
    let filter = filter(&filters)?;
    let contacts = contact::list(caller.tenant.id, &filter, &request, &app.db).await?;
    Ok(wire::page(contacts, wire::contact))
}

/// Create a contact.
#[utoipa::path(post, operation_id = "contacts_create", path = "/tenants/{tenant}/contacts", tag = "contacts",
    params(("tenant" = Uuid, Path), ("Idempotency-Key" = Option<String>, Header)), request_body = ContactInput,
    responses((status = 201, body = Contact), Refused), security(("session" = [])))]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Body(input): Body<ContactInput>,
) -> Result<Response, ApiError> {
    let fields = check(&input)?;
    let (tenant, now) = (caller.tenant.id, OffsetDateTime::now_utc());
    let transaction = begin(&app.db).await?;
    let contact = contact::insert(tenant, &fields, now, &transaction).await?;
    let (version, name) = (contact.version, contact.name());
    let body = wire::contact(contact);
    let deed = Deed::new("contact.create", &name).of(body.id).made(&body);
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    app.announce(tenant, Written::list(LiveList::Contacts))
        .await;
    Ok(wire::tagged(StatusCode::CREATED, version, body))
}

/// One contact.
#[utoipa::path(get, operation_id = "contacts_show", path = "/tenants/{tenant}/contacts/{id}", tag = "contacts",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path)),
    responses((status = 200, body = Contact), Refused), security(("session" = [])))]
pub(crate) async fn show(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<Response, ApiError> {
    let contact = contact::load(caller.tenant.id, id, &app.db).await?;
    Ok(wire::tagged(
        StatusCode::OK,
        contact.version,
        wire::contact(contact),
    ))
}

/// Change a contact.
#[utoipa::path(put, operation_id = "contacts_update", path = "/tenants/{tenant}/contacts/{id}", tag = "contacts",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    request_body = ContactInput,
    responses((status = 200, body = Contact), Refused), security(("session" = [])))]
pub(crate) async fn update(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    IfMatch(expected): IfMatch,
    Body(input): Body<ContactInput>,
) -> Result<Response, ApiError> {
    let fields = check(&input)?;
    let (tenant, now) = (caller.tenant.id, OffsetDateTime::now_utc());
    let transaction = begin(&app.db).await?;
    let before = wire::contact(contact::load(tenant, id, &transaction).await?);
    let contact = contact::update(tenant, id, &fields, expected, &transaction).await?;
    let (version, name, devices) = (contact.version, contact.name(), ids(&contact.devices));
    let body = wire::contact(contact);
    let deed = Deed::new("contact.update", &name)
        .of(id)
        .changed(&before, &body);
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    let written = Written::devices(devices).and_list(LiveList::Contacts);
    app.announce(tenant, written).await;
    Ok(wire::tagged(StatusCode::OK, version, body))
}

/// Delete a contact without devices.
#[utoipa::path(delete, operation_id = "contacts_delete", path = "/tenants/{tenant}/contacts/{id}", tag = "contacts",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path)),
    responses((status = 204), Refused), security(("session" = [])))]
pub(crate) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<StatusCode, ApiError> {
    let (tenant, now) = (caller.tenant.id, OffsetDateTime::now_utc());
    let transaction = begin(&app.db).await?;
    let contact = contact::load(tenant, id, &transaction).await?;
    contact::delete(tenant, id, &transaction).await?;
    let name = contact.name();
    let deed = Deed::new("contact.delete", &name)
        .of(id)
        .removed(&wire::contact(contact));
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    app.announce(tenant, Written::list(LiveList::Contacts))
        .await;
    Ok(StatusCode::NO_CONTENT)
}

/// What depends on a contact: the devices of the person.
#[utoipa::path(get, operation_id = "contacts_dependents", path = "/tenants/{tenant}/contacts/{id}/dependents", tag = "contacts",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path)),
    responses((status = 200, body = Dependents), Refused), security(("session" = [])))]
pub(crate) async fn dependents(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<Json<Dependents>, ApiError> {
    let dependents = dependents::of_contact(caller.tenant.id, id, &app.db).await?;
    Ok(Json(wire::dependents(dependents)))
}

pub(super) fn filter(filters: &ContactFilters) -> Result<ContactFilter, ApiError> {
    let mut fields = Fields::default();
    let filter = ContactFilter {
        in_directory: fields.flag("in_directory", filters.in_directory.as_deref()),
        has_device: fields.flag("has_device", filters.has_device.as_deref()),
    };
    fields.finish()?;
    Ok(filter)
}

pub(super) fn check(input: &ContactInput) -> Result<ContactFields, ApiError> {
    let mut fields = Fields::default();
    let checked = ContactFields {
        first_name: fields.text("first_name", &input.first_name, 100),
        last_name: fields.text("last_name", &input.last_name, 100),
        company: fields.optional_text("company", input.company.as_deref(), 100),
        job_title: fields.optional_text("job_title", input.job_title.as_deref(), 100),
        in_directory: input.in_directory,
        numbers: check_numbers(input, &mut fields),
        emails: check_emails(input, &mut fields),
    };
    fields.finish()?;
    Ok(checked)
}

fn check_numbers(input: &ContactInput, fields: &mut Fields) -> Vec<ContactNumber> {
    let numbers: Vec<_> = input
        .numbers
        .iter()
        .take(MAX_NUMBERS + 1)
        .enumerate()
        .map(|(index, number)| ContactNumber {
            number: fields.e164(&format!("numbers[{index}].number"), &number.number),
            label: fields.text(&format!("numbers[{index}].label"), &number.label, 40),
        })
        .collect();
    let given: Vec<_> = numbers.iter().map(|number| &number.number).collect();
    fields.list("numbers", &given, 0, MAX_NUMBERS);
    numbers
}

fn check_emails(input: &ContactInput, fields: &mut Fields) -> Vec<ContactEmail> {
    let emails: Vec<_> = input
        .emails
        .iter()
        .take(MAX_EMAILS + 1)
        .enumerate()
        .map(|(index, email)| ContactEmail {
            address: fields.email(&format!("emails[{index}].address"), &email.address),
            label: wire::stored_email_label(email.label),
        })
        .collect();
    let given: Vec<_> = emails
        .iter()
        .map(|email| email.address.to_lowercase())
        .collect();
    fields.list("emails", &given, 1, MAX_EMAILS);
    emails
}
