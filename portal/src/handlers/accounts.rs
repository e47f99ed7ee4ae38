//! SIP accounts of a tenant. A password goes in and never comes out.

use api::{Account, AccountFilters, AccountInput, Dependents, LiveList, Page, PageQuery};
use axum::{Json, extract::State, http::StatusCode, response::Response};
use store::{
    Secret, StoreError,
    account::{self, AccountFields, AccountFilter, AccountSort, DialingRule, MAX_RULES},
    begin, commit, dependents,
    provider::Provider,
};
use time::OffsetDateTime;
use uuid::Uuid;

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

/// The accounts; the search looks at name and user name.
#[utoipa::path(get, operation_id = "accounts_list", path = "/tenants/{tenant}/accounts", tag = "accounts",
    params(("tenant" = Uuid, Path), PageQuery, AccountFilters),
    responses((status = 200, body = Page<Account>), Refused), security(("session" = [])))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Paging(request): Paging<AccountSort>,
    Asked(filters): Asked<AccountFilters>,
) -> Result<Json<Page<Account>>, ApiError> {
    let filter = filter(&filters, &caller, &app)?;
    let accounts = account::list(caller.tenant.id, &filter, &request, &app.db).await?;
    Ok(wire::page(accounts, |account| {
        wire::account(account, &app.presence)
    }))
}

/// Create an account. At Tandem's own provider a password is made if none is given.
#[utoipa::path(post, operation_id = "accounts_create", path = "/tenants/{tenant}/accounts", tag = "accounts",
    params(("tenant" = Uuid, Path), ("Idempotency-Key" = Option<String>, Header)), request_body = AccountInput,
    responses((status = 201, body = Account), Refused), security(("session" = [])))]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Body(input): Body<AccountInput>,
) -> Result<Response, ApiError> {
    let (tenant, now) = (caller.tenant.id, OffsetDateTime::now_utc());
    let transaction = begin(&app.db).await?;
    let provider = load_provider(tenant, &input, &transaction).await?;
    let (fields, password) = check(&input, &provider, None)?;
    let vault = &app.vault;
    let account =
        account::insert(tenant, &fields, password.as_ref(), vault, now, &transaction).await?;
    let (version, own, aor) = (account.version, account.own, account.aor());
    let body = wire::account(account, &app.presence);
    let deed = Deed::new("account.create", &aor).of(body.id).made(&body);
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    if own {
        app.tell_proxy(app.proxy.account_changed(&aor)).await;
    }
    app.announce(tenant, Written::accounts([body.id])).await;
    Ok(wire::tagged(StatusCode::CREATED, version, body))
}

/// One account.
#[utoipa::path(get, operation_id = "accounts_show", path = "/tenants/{tenant}/accounts/{id}", tag = "accounts",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path)),
    responses((status = 200, body = Account), Refused), security(("session" = [])))]
pub(crate) async fn show(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<Response, ApiError> {
    let account = account::load(caller.tenant.id, id, &app.db).await?;
    let version = account.version;
    let body = wire::account(account, &app.presence);
    Ok(wire::tagged(StatusCode::OK, version, body))
}

/// Change an account. Without a password the one before stays.
#[utoipa::path(put, operation_id = "accounts_update", path = "/tenants/{tenant}/accounts/{id}", tag = "accounts",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    request_body = AccountInput,
    responses((status = 200, body = Account), Refused), security(("session" = [])))]
pub(crate) async fn update(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    IfMatch(expected): IfMatch,
    Body(input): Body<AccountInput>,
) -> Result<Response, ApiError> {
    let (tenant, now) = (caller.tenant.id, OffsetDateTime::now_utc());
    let transaction = begin(&app.db).await?;
    let before = account::load(tenant, id, &transaction).await?;
    let provider = load_provider(tenant, &input, &transaction).await?;
    let (fields, password) = check(&input, &provider, Some(&before))?;
    let (password, vault) = (password.as_ref(), &app.vault);
    let account =
        account::update(tenant, id, &fields, password, expected, vault, &transaction).await?;
    let aor = account.aor();
    let body = wire::account(account.clone(), &app.presence);
    let mut deed = Deed::new("account.update", &aor)
        .of(id)
        .changed(&wire::account(before.clone(), &app.presence), &body);
    if password.is_some() {
        deed = deed.replaced("password");
    }
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    tell_proxy(&before, &account, &app).await;
    let mut written = Written::accounts([id]).and_devices(ids(&account.devices));
    if !account.devices.is_empty() {
        written = written.and_list(LiveList::Contacts);
    }
    app.announce(tenant, written).await;
    Ok(wire::tagged(StatusCode::OK, account.version, body))
}

/// Delete an account that no device has.
#[utoipa::path(delete, operation_id = "accounts_delete", path = "/tenants/{tenant}/accounts/{id}", tag = "accounts",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path)),
    responses((status = 204), Refused), security(("session" = [])))]
pub(crate) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<StatusCode, ApiError> {
    let (tenant, now) = (caller.tenant.id, OffsetDateTime::now_utc());
    let transaction = begin(&app.db).await?;
    let account = account::load(tenant, id, &transaction).await?;
    account::delete(tenant, id, &transaction).await?;
    let aor = account.aor();
    let own = account.own;
    let body = wire::account(account, &app.presence);
    let deed = Deed::new("account.delete", &aor).of(id).removed(&body);
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    if own {
        app.tell_proxy(app.proxy.account_changed(&aor)).await;
        app.tell_proxy(app.proxy.drop_bindings(&aor)).await;
    }
    app.announce(tenant, Written::accounts([id])).await;
    Ok(StatusCode::NO_CONTENT)
}

/// What depends on an account: the devices that have it.
#[utoipa::path(get, operation_id = "accounts_dependents", path = "/tenants/{tenant}/accounts/{id}/dependents", tag = "accounts",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path)),
    responses((status = 200, body = Dependents), Refused), security(("session" = [])))]
pub(crate) async fn dependents(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<Json<Dependents>, ApiError> {
    let dependents = dependents::of_account(caller.tenant.id, id, &app.db).await?;
    Ok(Json(wire::dependents(dependents)))
}

fn filter(filters: &AccountFilters, caller: &Caller, app: &App) -> Result<AccountFilter, ApiError> {
    let mut fields = Fields::default();
    let mut filter = AccountFilter {
        providers: fields.ids("provider", filters.provider.as_deref()),
        contacts: fields.ids("contact", filters.contact.as_deref()),
        push: fields.flag("push", filters.push.as_deref()),
        statuses: fields.words("status", filters.status.as_deref()),
        ..AccountFilter::default()
    };
    fields.finish()?;
    if !filter.statuses.is_empty() {
        filter.online = app.presence.online(&caller.tenant.sip_domain);
    }
    Ok(filter)
}

/// An account that is called differently now leaves no bindings under the old name.
async fn tell_proxy(before: &account::Account, after: &account::Account, app: &App) {
    if !after.own {
        return;
    }
    let (old, new) = (before.aor(), after.aor());
    if old != new {
        app.tell_proxy(app.proxy.account_changed(&old)).await;
        app.tell_proxy(app.proxy.drop_bindings(&old)).await;
    }
    app.tell_proxy(app.proxy.account_changed(&new)).await;
}

pub(super) async fn load_provider(
    tenant: Uuid,
    input: &AccountInput,
    db: &impl store::ConnectionTrait,
) -> Result<Provider, ApiError> {
    match store::provider::load(tenant, input.provider_id, db).await {
        Err(StoreError::NotFound) => Err(ApiError::from(StoreError::UnknownReference {
            field: "provider_id",
        })),
        loaded => Ok(loaded?),
    }
}

pub(super) fn check(
    input: &AccountInput,
    provider: &Provider,
    before: Option<&account::Account>,
) -> Result<(AccountFields, Option<Secret>), ApiError> {
    let mut fields = Fields::default();
    let chosen = input.codecs.as_deref().unwrap_or_default();
    if input.codecs.is_some() {
        fields.list("codecs", chosen, 1, 4);
    }
    let checked = AccountFields {
        provider_id: provider.id,
        name: fields.text("name", &input.name, 100),
        username: fields.sip_username("username", &input.username),
        auth_username: fields.auth_username("auth_username", input.auth_username.as_deref()),
        enter_on_device: input.enter_on_device,
        transport: input.transport.map(wire::stored_transport),
        display_name: fields.optional_text("display_name", input.display_name.as_deref(), 100),
        codecs: wire::stored_codecs(chosen),
        dialing_rules: dialing_rules(input, &mut fields),
        push: input.push.unwrap_or(provider.own && !input.enter_on_device),
    };
    if before.is_some_and(|before| before.provider.id != provider.id) {
        fields.wrong(
            "provider_id",
            "The provider of an account cannot be changed.",
        );
    }
    if checked.push && checked.enter_on_device {
        fields.wrong(
            "push",
            "The proxy can wake a device only for an account whose password is stored here.",
        );
    }
    let has_password = before.is_some_and(|before| before.has_password);
    let password = password(input, provider, has_password, &mut fields);
    fields.finish()?;
    Ok((checked, password))
}

fn dialing_rules(input: &AccountInput, fields: &mut Fields) -> Vec<DialingRule> {
    let rules: Vec<_> = input
        .dialing_rules
        .iter()
        .take(MAX_RULES + 1)
        .enumerate()
        .map(|(index, rule)| {
            let at = |part: &str| format!("dialing_rules[{index}].{part}");
            if rule.minimum_length > MAX_NUMBER_LENGTH {
                fields.wrong(&at("minimum_length"), "No number is longer than 40 digits.");
            }
            DialingRule {
                starts_with: fields.dialed(&at("starts_with"), &rule.starts_with),
                replace_with: fields.dialed(&at("replace_with"), &rule.replace_with),
                minimum_length: rule.minimum_length,
            }
        })
        .collect();
    if rules.len() > MAX_RULES {
        fields.wrong(
            "dialing_rules",
            format!("Please use at most {MAX_RULES} rules."),
        );
    }
    rules
}

/// Digits of the longest number that can be called.
const MAX_NUMBER_LENGTH: u8 = 40;

/// The new password, if there is to be one.
fn password(
    input: &AccountInput,
    provider: &Provider,
    has_password: bool,
    fields: &mut Fields,
) -> Option<Secret> {
    let given = fields.sip_password("password", input.password.as_deref());
    if input.enter_on_device {
        if provider.own {
            fields.wrong(
                "enter_on_device",
                "Accounts of Tandem's own provider get their password by themselves.",
            );
        }
        return None;
    }
    if given.is_none() && !has_password {
        if provider.own {
            return Some(Secret::random_password());
        }
        fields.wrong(
            "password",
            "Please enter the password, or choose that it is entered on the device.",
        );
    }
    given.map(Secret::new)
}
