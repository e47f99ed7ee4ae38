//! Keys with which programs use the interface on behalf of who made them.

use api::{ApiKey, ApiKeyInput, NewApiKey, Page, PageQuery};
use axum::{Json, extract::State, http::StatusCode};
use store::{
    StoreError,
    api_key::{self, ApiKeySort, NamedKey},
    begin, commit,
};
use time::{Duration, OffsetDateTime};

use super::Refused;
use crate::{
    access::{Caller, Scope},
    app::App,
    audit::Deed,
    error::ApiError,
    extract::{Body, Id, Paging},
    notice,
    validate::Fields,
    visit::Visit,
    wire,
};

/// Ten years.
const MAX_DAYS: u32 = 3_650;

/// The keys of the tenant, without what opens anything.
#[utoipa::path(get, operation_id = "api_keys_list", path = "/tenants/{tenant}/api-keys", tag = "integrations",
    params(("tenant" = Uuid, Path), PageQuery),
    responses((status = 200, body = Page<ApiKey>), Refused), security(("session" = [])))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Paging(request): Paging<ApiKeySort>,
) -> Result<Json<Page<ApiKey>>, ApiError> {
    let listed = api_key::list(caller.tenant.id, &request, &app.db).await?;
    Ok(wire::page(listed, wire::api_key))
}

/// Make a key. It can do what its scopes say and its maker may do, at most; it is told only here.
///
/// Its maker gets a mail that says so.
#[utoipa::path(post, operation_id = "api_keys_create", path = "/tenants/{tenant}/api-keys", tag = "integrations",
    params(("tenant" = Uuid, Path)), request_body = ApiKeyInput,
    responses((status = 201, body = NewApiKey), Refused), security(("session" = [])))]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    visit: Visit,
    Body(input): Body<ApiKeyInput>,
) -> Result<(StatusCode, Json<NewApiKey>), ApiError> {
    let mut fields = Fields::default();
    let name = fields.text("name", &input.name, 100);
    fields.list("scopes", &input.scopes, 1, MAX_SCOPES);
    for (index, text) in input.scopes.iter().enumerate() {
        let field = format!("scopes[{index}]");
        match text.parse::<Scope>() {
            Err(_) => fields.wrong(&field, "This is no scope, such as contacts:read."),
            Ok(scope) if !scope.area.allows(scope.access, caller.role) => {
                fields.wrong(&field, "Your own role does not allow this.");
            }
            Ok(_) => {}
        }
    }
    if input.days.is_some_and(|days| days == 0 || days > MAX_DAYS) {
        fields.wrong("days", format!("Please enter 1 to {MAX_DAYS} days."));
    }
    fields.finish()?;
    let now = OffsetDateTime::now_utc();
    let new = api_key::NewApiKey {
        user: caller.person.user.id,
        name: &name,
        scopes: &input.scopes,
        expires_at: input.days.map(|days| now + Duration::days(days.into())),
        second_factor_elsewhere: caller.person.session()?.second_factor_elsewhere,
    };
    let transaction = begin(&app.db).await?;
    let (made, key) = match api_key::insert(caller.tenant.id, &new, now, &transaction).await {
        Err(StoreError::Count { .. }) => {
            return Err(ApiError::Conflict {
                field: "",
                message: "This tenant has 100 keys. Please remove some that are not used any more.",
            });
        }
        made => made?,
    };
    let told = NamedKey {
        name: name.clone(),
        tenant: caller.tenant.name.clone(),
    };
    let user = &caller.person.user;
    notice::key_made(told, user, &visit, now, &app, &transaction).await?;
    let shown = wire::api_key(made);
    let deed = Deed::new("api_key.create", &name).of(shown.id).made(&shown);
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    app.mail.wake();
    let body = NewApiKey {
        api_key: shown,
        key: key.reveal().to_owned(),
    };
    Ok((StatusCode::CREATED, Json(body)))
}

/// End a key at once.
#[utoipa::path(delete, operation_id = "api_keys_delete", path = "/tenants/{tenant}/api-keys/{id}", tag = "integrations",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path)),
    responses((status = 204), Refused), security(("session" = [])))]
pub(crate) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<StatusCode, ApiError> {
    let now = OffsetDateTime::now_utc();
    let transaction = begin(&app.db).await?;
    let gone = wire::api_key(api_key::delete(caller.tenant.id, id, &transaction).await?);
    let deed = Deed::new("api_key.delete", &gone.name)
        .of(id)
        .removed(&gone);
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    Ok(StatusCode::NO_CONTENT)
}

const MAX_SCOPES: usize = 30;
