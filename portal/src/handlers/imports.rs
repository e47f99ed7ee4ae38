//! Imports of contacts: a file is uploaded and it is told what it would do; then it is done as it was told, and for a day it can be taken
//! back.

use std::{collections::BTreeMap, time::Instant};

use api::{
    ContactInput, Import, ImportColumn, ImportQuery, ImportRow, ImportRowFilters, Page, PageQuery,
};
use axum::{Json, extract::State, http::StatusCode, response::Response};
use serde_json::Value;
use store::{
    StoreError, begin, commit,
    contact::{self, ContactFields},
    import::{
        self, ImportFile, ImportRowFilter, ImportRowSort, ImportSort, ImportState, NewImportRow,
    },
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Refused,
    contacts_bulk::file,
    upload::{AnyBytes, Upload},
};
use crate::{
    access::Caller,
    app::App,
    audit::{self, Deed},
    error::ApiError,
    extract::{Asked, Id, Paging},
    import::{
        columns::Field,
        export::template as template_of,
        file::{byte, decode, separator},
        national::Country,
        plan::Planner,
        read::{MAX_ROWS, Sheet, TooManyRows},
    },
    validate::Fields,
    wire,
};

/// A larger file is refused.
pub(crate) const MAX_FILE_BYTES: usize = 5 * 1024 * 1024;

/// Rows that are compared with the contacts at once.
const BATCH: usize = 200;

/// Upload a file of contacts and learn what it would do. Nothing is changed yet.
#[utoipa::path(post, operation_id = "imports_create", path = "/tenants/{tenant}/contacts/imports", tag = "contacts",
    params(("tenant" = Uuid, Path), ImportQuery), request_body(content = AnyBytes, content_type = "text/csv"),
    responses((status = 201, body = Import), Refused), security(("session" = [])))]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Asked(query): Asked<ImportQuery>,
    Upload(bytes): Upload,
) -> Result<(StatusCode, Json<Import>), ApiError> {
    app.limits.uploads.take(caller.tenant.id, Instant::now())?;
    let mut fields = Fields::default();
    let name = fields.optional_text("file_name", query.file_name.as_deref(), 200);
    let country = country(query.country.as_deref(), &mut fields);
    let read = decode(&bytes, query.encoding);
    let separator = query.separator.unwrap_or_else(|| separator(&read.text));
    let chosen = query.columns.as_deref();
    let sheet = Sheet::open(&read.text, byte(separator), chosen, &mut fields);
    let sheet = sheet.filter(|sheet| sheet.names_somebody(&mut fields));
    fields.finish()?;
    let sheet = sheet.ok_or(ApiError::Internal)?;
    let new = ImportFile {
        made_by: caller.person.user.email.clone(),
        name: name.unwrap_or_else(|| "contacts.csv".to_owned()),
        encoding: word(&read.encoding),
        separator: word(&separator),
        columns: sheet
            .columns
            .iter()
            .map(|(heading, field)| (heading.clone(), field.map(|field| field.to_string())))
            .collect(),
        country: country.and(query.country),
    };
    let (tenant, now) = (caller.tenant.id, OffsetDateTime::now_utc());
    let id = match import::start(tenant, &new, now, &app.db).await {
        Err(StoreError::Count { max, .. }) => return Err(too_many_imports(max)),
        started => started?,
    };
    let checked = match check(tenant, id, sheet, country, &app).await {
        Ok(checked) => checked,
        Err(refused) => {
            import::delete(tenant, id, &app.db).await?;
            return Err(refused);
        }
    };
    let body = shown(checked);
    let transaction = begin(&app.db).await?;
    let deed = Deed::new("contact.import_check", &body.file_name).of(id);
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    Ok((StatusCode::CREATED, Json(body)))
}

/// The imports, newest first unless asked otherwise.
#[utoipa::path(get, operation_id = "imports_list", path = "/tenants/{tenant}/contacts/imports", tag = "contacts",
    params(("tenant" = Uuid, Path), PageQuery),
    responses((status = 200, body = Page<Import>), Refused), security(("session" = [])))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Paging(request): Paging<ImportSort>,
) -> Result<Json<Page<Import>>, ApiError> {
    let imports = import::list(caller.tenant.id, &request, &app.db).await?;
    Ok(wire::page(imports, shown))
}

/// One import, with how far it is.
#[utoipa::path(get, operation_id = "imports_show", path = "/tenants/{tenant}/contacts/imports/{id}", tag = "contacts",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path)),
    responses((status = 200, body = Import), Refused), security(("session" = [])))]
pub(crate) async fn show(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<Json<Import>, ApiError> {
    let import = import::load(caller.tenant.id, id, &app.db).await?;
    Ok(Json(shown(import)))
}

/// What each row of the file would do or did, in the order of the file.
#[utoipa::path(get, operation_id = "imports_rows", path = "/tenants/{tenant}/contacts/imports/{id}/rows", tag = "contacts",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path), PageQuery, ImportRowFilters),
    responses((status = 200, body = Page<ImportRow>), Refused), security(("session" = [])))]
pub(crate) async fn rows(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Paging(request): Paging<ImportRowSort>,
    Asked(filters): Asked<ImportRowFilters>,
) -> Result<Json<Page<ImportRow>>, ApiError> {
    let mut fields = Fields::default();
    let filter = ImportRowFilter {
        results: fields.words("result", filters.result.as_deref()),
        states: fields.words("state", filters.state.as_deref()),
    };
    fields.finish()?;
    let rows = import::list_rows(caller.tenant.id, id, &filter, &request, &app.db).await?;
    Ok(wire::page(rows, row))
}

/// Do what was told. Refused if contacts have changed since; `GET` tells how far it is.
#[utoipa::path(post, operation_id = "imports_commit", path = "/tenants/{tenant}/contacts/imports/{id}/commit", tag = "contacts",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path)),
    responses((status = 202, body = Import), Refused), security(("session" = [])))]
pub(crate) async fn commit_import(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<(StatusCode, Json<Import>), ApiError> {
    let (tenant, now) = (caller.tenant.id, OffsetDateTime::now_utc());
    let transaction = begin(&app.db).await?;
    let found = import::load(tenant, id, &transaction).await?;
    if found.state == ImportState::Stale {
        return Err(stale());
    }
    if found.state != ImportState::Checked {
        return Err(not_now("This import was done already."));
    }
    if !import::is_current(id, &transaction).await? {
        let (from, to) = ([ImportState::Checked], ImportState::Stale);
        import::advance(tenant, id, &from, to, now, &transaction).await?;
        commit(transaction).await?;
        return Err(stale());
    }
    let (from, to) = (ImportState::Checked, ImportState::Committing);
    act(&caller, id, from, to, &transaction).await?;
    let deed = Deed::new("contact.import_commit", &found.file.name).of(id);
    caller.note(&deed, now, &transaction).await?;
    let begun = import::load(tenant, id, &transaction).await?;
    commit(transaction).await?;
    tokio::spawn(app.run_import(begun.clone()));
    Ok((StatusCode::ACCEPTED, Json(shown(begun))))
}

/// Whoever comes a moment too late learns it.
async fn act(
    caller: &Caller,
    id: Uuid,
    from: ImportState,
    to: ImportState,
    db: &impl store::ConnectionTrait,
) -> Result<(), ApiError> {
    let actor = caller.person.actor();
    match import::act(caller.tenant.id, id, from, to, &actor, db).await? {
        true => Ok(()),
        false => Err(not_now(
            "Somebody else has begun with this import just now.",
        )),
    }
}

/// Take an import back, within 24 hours. Contacts that were changed since stay; the rows say which.
#[utoipa::path(post, operation_id = "imports_undo", path = "/tenants/{tenant}/contacts/imports/{id}/undo", tag = "contacts",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path)),
    responses((status = 202, body = Import), Refused), security(("session" = [])))]
pub(crate) async fn undo(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<(StatusCode, Json<Import>), ApiError> {
    let (tenant, now) = (caller.tenant.id, OffsetDateTime::now_utc());
    let transaction = begin(&app.db).await?;
    let found = import::load(tenant, id, &transaction).await?;
    if found.state != ImportState::Committed {
        return Err(not_now("Only an import that was done can be taken back."));
    }
    if found.committed_at.is_some_and(|at| now > at + import::UNDO) {
        return Err(not_now(
            "An import can be taken back for 24 hours, and these have passed.",
        ));
    }
    let (from, to) = (ImportState::Committed, ImportState::Undoing);
    act(&caller, id, from, to, &transaction).await?;
    let deed = Deed::new("contact.import_undo", &found.file.name).of(id);
    caller.note(&deed, now, &transaction).await?;
    let begun = import::load(tenant, id, &transaction).await?;
    commit(transaction).await?;
    tokio::spawn(app.run_import(begun.clone()));
    Ok((StatusCode::ACCEPTED, Json(shown(begun))))
}

/// Forget an import and its rows; the contacts stay as they are, and it can no longer be taken back.
#[utoipa::path(delete, operation_id = "imports_delete", path = "/tenants/{tenant}/contacts/imports/{id}", tag = "contacts",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path)),
    responses((status = 204), Refused), security(("session" = [])))]
pub(crate) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<StatusCode, ApiError> {
    let (tenant, now) = (caller.tenant.id, OffsetDateTime::now_utc());
    let transaction = begin(&app.db).await?;
    let found = import::load(tenant, id, &transaction).await?;
    if !import::delete(tenant, id, &transaction).await? {
        return Err(not_now(
            "This import is under way. Please wait until it is through.",
        ));
    }
    let deed = Deed::new("contact.import_delete", &found.file.name).of(id);
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A file with all headings and an example, to be filled.
#[utoipa::path(get, operation_id = "imports_template", path = "/tenants/{tenant}/contacts/imports/template.csv", tag = "contacts",
    params(("tenant" = Uuid, Path)),
    responses((status = 200, content_type = "text/csv", body = String), Refused), security(("session" = [])))]
pub(crate) async fn template() -> Result<Response, ApiError> {
    let text = template_of(EXAMPLE).map_err(|_| ApiError::Internal)?;
    Ok(file("contacts-template.csv", text))
}

const EXAMPLE: &[(Field, &str)] = &[
    (Field::FirstName, "Erika"),
    (Field::LastName, "Mustermann"),
    (Field::Company, "Example Ltd"),
    (Field::JobTitle, "Reception"),
    (Field::InDirectory, "yes"),
    (Field::Email(0), "erika@example.com"),
    (Field::EmailLabel(0), "work"),
    (Field::Number(0), "+493012345678"),
    (Field::NumberLabel(0), "work"),
    (Field::Number(1), "+4917212345678"),
    (Field::NumberLabel(1), "mobile"),
];

/// Plans all rows and writes the plan down, some at a time.
async fn check(
    tenant: Uuid,
    id: Uuid,
    mut sheet: Sheet<'_>,
    country: Option<Country>,
    app: &App,
) -> Result<import::Import, ApiError> {
    let columns = sheet.columns.clone();
    let mut planner = Planner::new(&columns, country);
    loop {
        let mut drafts = Vec::with_capacity(BATCH);
        while drafts.len() < BATCH {
            match sheet.next() {
                Ok(Some(row)) => drafts.push(planner.draft(row)),
                Ok(None) => break,
                Err(TooManyRows) => return Err(too_many_rows()),
            }
        }
        if drafts.is_empty() {
            break;
        }
        let ids: Vec<Uuid> = drafts.iter().filter_map(|draft| draft.id).collect();
        let addresses: Vec<String> = drafts
            .iter()
            .filter(|draft| draft.id.is_none())
            .flat_map(|draft| draft.addresses.clone())
            .collect();
        let mut found = contact::load_many(tenant, &ids, &app.db).await?;
        found.extend(contact::find_by_emails(tenant, &addresses, &app.db).await?);
        found.sort_by_key(|contact| contact.id);
        found.dedup_by_key(|contact| contact.id);
        let planned: Vec<NewImportRow> = drafts
            .iter()
            .map(|draft| planner.plan(draft, &found, Uuid::now_v7()))
            .collect();
        import::add_rows(id, &planned, &app.db).await?;
    }
    Ok(import::finish(tenant, id, &planner.counts, &app.db).await?)
}

/// Where numbers are that do not say it.
pub(super) fn country(said: Option<&str>, fields: &mut Fields) -> Option<Country> {
    let country = said?.parse().ok();
    if country.is_none() {
        fields.wrong("country", "Please choose a country.");
    }
    country
}

pub(super) fn too_many_rows() -> ApiError {
    too_large(&format!(
        "The file has more than {MAX_ROWS} rows. Please split it."
    ))
}

pub(super) fn too_large(detail: &str) -> ApiError {
    ApiError::Malformed {
        status: StatusCode::PAYLOAD_TOO_LARGE,
        detail: detail.to_owned(),
    }
}

fn too_many_imports(max: usize) -> ApiError {
    let mut fields = Fields::default();
    let message = format!("There are {max} imports already. Please delete one first.");
    fields.wrong("file", message);
    fields.finish().err().unwrap_or(ApiError::Internal)
}

fn not_now(message: &'static str) -> ApiError {
    ApiError::Conflict { field: "", message }
}

fn stale() -> ApiError {
    not_now(
        "Contacts have changed since the file was checked, so nothing was imported. \
         Please upload the file again.",
    )
}

/// The word that an interface has for a value.
fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        _ => String::new(),
    }
}

/// The value that an interface has for a word.
fn value<T: serde::de::DeserializeOwned>(word: &str, usual: T) -> T {
    serde_json::from_value(Value::String(word.to_owned())).unwrap_or(usual)
}

/// An import as everybody sees it.
pub(crate) fn shown(import: import::Import) -> Import {
    let counts = import.counts;
    let until = import.committed_at.map(|at| at + import::UNDO);
    Import {
        id: import.id,
        file_name: import.file.name,
        made_by: import.file.made_by,
        state: value(import.state.as_str(), api::ImportState::Stale),
        encoding: value(&import.file.encoding, api::ImportEncoding::Utf8),
        separator: value(&import.file.separator, api::ImportSeparator::Comma),
        columns: import
            .file
            .columns
            .into_iter()
            .map(|(heading, field)| ImportColumn { heading, field })
            .collect(),
        country: import.file.country,
        rows: counts.created + counts.updated + counts.unchanged + counts.refused,
        create: counts.created,
        update: counts.updated,
        unchanged: counts.unchanged,
        refused: counts.refused,
        progress: import.progress,
        kept: import.kept,
        created_at: import.created_at,
        committed_at: import.committed_at,
        undo_until: until.filter(|_| import.state == ImportState::Committed),
    }
}

fn row(row: import::ImportRow) -> ImportRow {
    let after = row.plan.fields.as_ref().map(input);
    let before = row.plan.before.as_ref().map(input);
    ImportRow {
        row: row.plan.number,
        line: row.plan.line,
        result: value(row.plan.result.as_str(), api::ImportResult::Refused),
        state: value(row.state.as_str(), api::ImportRowState::Waiting),
        name: row.plan.name,
        contact_id: row.plan.contact,
        changes: changes(before.as_ref(), after.as_ref()),
        errors: row
            .plan
            .errors
            .into_iter()
            .map(|(field, message)| api::FieldError { field, message })
            .collect(),
    }
}

fn changes(
    before: Option<&ContactInput>,
    after: Option<&ContactInput>,
) -> BTreeMap<String, [Value; 2]> {
    match after {
        None => BTreeMap::new(),
        Some(after) => audit::differences(before, after),
    }
}

fn input(fields: &ContactFields) -> ContactInput {
    ContactInput {
        first_name: fields.first_name.clone(),
        last_name: fields.last_name.clone(),
        company: fields.company.clone(),
        job_title: fields.job_title.clone(),
        in_directory: fields.in_directory,
        numbers: wire::numbers(fields.numbers.clone()),
        emails: wire::emails(fields.emails.clone()),
    }
}
