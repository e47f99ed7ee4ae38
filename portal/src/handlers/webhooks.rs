//! Webhooks: where a tenant's other programs are told of what happens, and what became of it.

use std::time::Instant;

use api::{
    LiveList, NewWebhook, Page, PageQuery, Webhook, WebhookDelivery, WebhookDeliveryDetail,
    WebhookDeliveryFilters, WebhookInput, WebhookSecretInput, WebhookTest,
};
use axum::{Json, extract::State, http::StatusCode, response::Response};
use hyper::Uri;
use store::{
    StoreError, begin, commit,
    webhook::{
        self, DeliveryFilter, DeliverySort, EventKind, NewEvent, WebhookFields, WebhookSort,
    },
};
use time::{Duration, OffsetDateTime};

use super::Refused;
use crate::{
    access::Caller,
    app::App,
    audit::Deed,
    egress,
    error::ApiError,
    extract::{Asked, Body, Id, IfMatch, Paging},
    live::Written,
    validate::Fields,
    webhook::wire as shown,
    wire,
};

/// The webhooks, without their secrets; the search looks at name and address.
#[utoipa::path(get, operation_id = "webhooks_list", path = "/tenants/{tenant}/webhooks", tag = "integrations",
    params(("tenant" = Uuid, Path), PageQuery),
    responses((status = 200, body = Page<Webhook>), Refused), security(("session" = [])))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Paging(request): Paging<WebhookSort>,
) -> Result<Json<Page<Webhook>>, ApiError> {
    let listed = webhook::list(caller.tenant.id, &request, &app.db).await?;
    Ok(wire::page(listed, shown::webhook))
}

/// Make a webhook. The secret that signs what is sent is told only here.
#[utoipa::path(post, operation_id = "webhooks_create", path = "/tenants/{tenant}/webhooks", tag = "integrations",
    params(("tenant" = Uuid, Path)), request_body = WebhookInput,
    responses((status = 201, body = NewWebhook), Refused), security(("session" = [])))]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Body(input): Body<WebhookInput>,
) -> Result<(StatusCode, Json<NewWebhook>), ApiError> {
    let fields = check(&input, &app)?;
    let (tenant, now) = (caller.tenant.id, OffsetDateTime::now_utc());
    let transaction = begin(&app.db).await?;
    let made = webhook::insert(tenant, &fields, &app.vault, now, &transaction).await;
    let (made, secret) = match made {
        Err(StoreError::Count { .. }) => {
            return Err(ApiError::Conflict {
                field: "",
                message: "This tenant has 20 webhooks. Please remove one that is not used any more.",
            });
        }
        made => made?,
    };
    let webhook = shown::webhook(made);
    let deed = Deed::new("webhook.create", &webhook.name)
        .of(webhook.id)
        .made(&noted(&webhook));
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    changed(&caller, &app);
    let body = NewWebhook {
        webhook,
        secret: secret.reveal().to_owned(),
    };
    Ok((StatusCode::CREATED, Json(body)))
}

/// The webhook for the audit log, which more people may read than webhooks: of the address only the receiver's, for what follows is
/// often all that proves who may send there.
fn noted(webhook: &Webhook) -> Webhook {
    let url = webhook.url.parse::<Uri>().unwrap_or_default();
    let receiver = url.authority().map_or("", |authority| authority.as_str());
    Webhook {
        url: format!("{}://{receiver}/…", url.scheme_str().unwrap_or("https")),
        ..webhook.clone()
    }
}

/// One webhook.
#[utoipa::path(get, operation_id = "webhooks_show", path = "/tenants/{tenant}/webhooks/{id}", tag = "integrations",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path)),
    responses((status = 200, body = Webhook), Refused), security(("session" = [])))]
pub(crate) async fn show(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<Response, ApiError> {
    let found = webhook::load(caller.tenant.id, id, &app.db).await?;
    let version = found.version;
    Ok(wire::tagged(StatusCode::OK, version, shown::webhook(found)))
}

/// Change a webhook. Switched off, it forgets what waits for it.
#[utoipa::path(put, operation_id = "webhooks_update", path = "/tenants/{tenant}/webhooks/{id}", tag = "integrations",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path), ("If-Match" = Option<String>, Header)), request_body = WebhookInput,
    responses((status = 200, body = Webhook), Refused), security(("session" = [])))]
pub(crate) async fn update(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    IfMatch(expected): IfMatch,
    Body(input): Body<WebhookInput>,
) -> Result<Response, ApiError> {
    let fields = check(&input, &app)?;
    let (tenant, now) = (caller.tenant.id, OffsetDateTime::now_utc());
    let transaction = begin(&app.db).await?;
    let before = shown::webhook(webhook::load(tenant, id, &transaction).await?);
    let after = webhook::update(tenant, id, &fields, expected, now, &transaction).await?;
    let version = after.version;
    let body = shown::webhook(after);
    let (was, is) = (noted(&before), noted(&body));
    let mut deed = Deed::new("webhook.update", &body.name)
        .of(id)
        .changed(&was, &is);
    if before.url != body.url && was.url == is.url {
        deed = deed.replaced("url");
    }
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    changed(&caller, &app);
    Ok(wire::tagged(StatusCode::OK, version, body))
}

/// Delete a webhook with all that waits for it and its history.
#[utoipa::path(delete, operation_id = "webhooks_delete", path = "/tenants/{tenant}/webhooks/{id}", tag = "integrations",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path)),
    responses((status = 204), Refused), security(("session" = [])))]
pub(crate) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<StatusCode, ApiError> {
    let (tenant, now) = (caller.tenant.id, OffsetDateTime::now_utc());
    let transaction = begin(&app.db).await?;
    let gone = shown::webhook(webhook::load(tenant, id, &transaction).await?);
    webhook::delete(tenant, id, &transaction).await?;
    let deed = Deed::new("webhook.delete", &gone.name)
        .of(id)
        .removed(&noted(&gone));
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    changed(&caller, &app);
    Ok(StatusCode::NO_CONTENT)
}

/// Replace the secret of a webhook. The new one is told only here; the one before signs too for a while.
#[utoipa::path(post, operation_id = "webhooks_replace_secret", path = "/tenants/{tenant}/webhooks/{id}/secret", tag = "integrations",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path)), request_body = WebhookSecretInput,
    responses((status = 200, body = NewWebhook), Refused), security(("session" = [])))]
pub(crate) async fn replace_secret(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Body(input): Body<WebhookSecretInput>,
) -> Result<Json<NewWebhook>, ApiError> {
    let mut fields = Fields::default();
    if input.overlap_hours > MAX_OVERLAP_HOURS {
        let message = format!("Please enter 0 to {MAX_OVERLAP_HOURS} hours.");
        fields.wrong("overlap_hours", message);
    }
    fields.finish()?;
    let (tenant, now) = (caller.tenant.id, OffsetDateTime::now_utc());
    let until =
        (input.overlap_hours > 0).then(|| now + Duration::hours(input.overlap_hours.into()));
    let transaction = begin(&app.db).await?;
    let (after, secret) =
        webhook::replace_secret(tenant, id, until, &app.vault, &transaction).await?;
    let webhook = shown::webhook(after);
    let deed = Deed::new("webhook.update", &webhook.name)
        .of(id)
        .replaced("secret");
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    changed(&caller, &app);
    Ok(Json(NewWebhook {
        webhook,
        secret: secret.reveal().to_owned(),
    }))
}

/// Send a test event to a webhook that is on.
#[utoipa::path(post, operation_id = "webhooks_test", path = "/tenants/{tenant}/webhooks/{id}/test", tag = "integrations",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path)),
    responses((status = 202, body = WebhookDelivery), Refused), security(("session" = [])))]
pub(crate) async fn test(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<(StatusCode, Json<WebhookDelivery>), ApiError> {
    let (tenant, now) = (caller.tenant.id, OffsetDateTime::now_utc());
    let transaction = begin(&app.db).await?;
    let found = webhook::load(tenant, id, &transaction).await?;
    check_on(&found)?;
    app.limits.webhook_tests.take(tenant, Instant::now())?;
    let told = WebhookTest {
        webhook_id: id,
        name: found.name,
        asked_by: caller.person.user.email.clone(),
    };
    let data = serde_json::to_string(&told).map_err(|_| ApiError::Internal)?;
    let event = NewEvent {
        kind: EventKind::WebhookTest,
        object: Some(id),
        data: Some(&data),
    };
    let delivery = webhook::tell_one(tenant, id, &event, now, &transaction).await?;
    let body = shown::delivery(webhook::load_delivery(tenant, delivery, &transaction).await?);
    let deed = Deed::new("webhook.test", &told.name).of(id);
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    app.webhooks.wake();
    Ok((StatusCode::ACCEPTED, Json(body)))
}

/// What became of the events that a webhook was told, or is to be told, the newest first. Kept for 14 days, and at most 1,000 of a webhook.
#[utoipa::path(get, operation_id = "webhook_deliveries_list", path = "/tenants/{tenant}/webhooks/{id}/deliveries", tag = "integrations",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path), PageQuery, WebhookDeliveryFilters),
    responses((status = 200, body = Page<WebhookDelivery>), Refused), security(("session" = [])))]
pub(crate) async fn list_deliveries(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Paging(request): Paging<DeliverySort>,
    Asked(filters): Asked<WebhookDeliveryFilters>,
) -> Result<Json<Page<WebhookDelivery>>, ApiError> {
    let mut fields = Fields::default();
    let filter = DeliveryFilter {
        states: fields.words("state", filters.state.as_deref()),
        events: fields.words("event", filters.event.as_deref()),
    };
    fields.finish()?;
    let tenant = caller.tenant.id;
    let listed = webhook::list_deliveries(tenant, id, &filter, &request, &app.db).await?;
    Ok(wire::page(listed, shown::delivery))
}

/// One delivery, with what is sent.
#[utoipa::path(get, operation_id = "webhook_deliveries_show", path = "/tenants/{tenant}/webhook-deliveries/{id}", tag = "integrations",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path)),
    responses((status = 200, body = WebhookDeliveryDetail), Refused), security(("session" = [])))]
pub(crate) async fn show_delivery(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<Json<WebhookDeliveryDetail>, ApiError> {
    let found = webhook::load_delivery(caller.tenant.id, id, &app.db).await?;
    Ok(Json(shown::detail(found)))
}

/// Send the event of a delivery again, to a webhook that is on: with the identifier that it had, so that the receiver can tell.
#[utoipa::path(post, operation_id = "webhook_deliveries_redeliver", path = "/tenants/{tenant}/webhook-deliveries/{id}/redelivery", tag = "integrations",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path)),
    responses((status = 202, body = WebhookDelivery), Refused), security(("session" = [])))]
pub(crate) async fn redeliver(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<(StatusCode, Json<WebhookDelivery>), ApiError> {
    let (tenant, now) = (caller.tenant.id, OffsetDateTime::now_utc());
    let transaction = begin(&app.db).await?;
    let before = webhook::load_delivery(tenant, id, &transaction).await?;
    let of = webhook::load(tenant, before.webhook_id, &transaction).await?;
    check_on(&of)?;
    app.limits.webhook_tests.take(tenant, Instant::now())?;
    let again = webhook::redeliver(tenant, id, now, &transaction).await?;
    let body = shown::delivery(again);
    let deed = Deed::new("webhook.redeliver", &of.name).of(of.id);
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    app.webhooks.wake();
    Ok((StatusCode::ACCEPTED, Json(body)))
}

/// Whoever follows webhooks learns that they are others.
fn changed(caller: &Caller, app: &App) {
    app.webhooks.changed();
    let written = Written::list(LiveList::Webhooks);
    app.live.written(caller.tenant.id, written);
}

fn check_on(webhook: &webhook::Webhook) -> Result<(), ApiError> {
    if webhook.enabled {
        return Ok(());
    }
    Err(ApiError::Conflict {
        field: "",
        message: "This webhook is off. Please switch it on first.",
    })
}

fn check(input: &WebhookInput, app: &App) -> Result<WebhookFields, ApiError> {
    let mut fields = Fields::default();
    let events: Vec<EventKind> = input
        .events
        .iter()
        .map(|event| shown::stored_event(*event))
        .collect();
    fields.list("events", &events, 1, MAX_EVENTS);
    if events.contains(&EventKind::WebhookTest) {
        let message = "Tests need not be chosen: every webhook is told of its own.";
        fields.wrong("events", message);
    }
    let checked = WebhookFields {
        name: fields.text("name", &input.name, 100),
        url: url(&input.url, app, &mut fields),
        events,
        enabled: input.enabled,
    };
    fields.finish()?;
    Ok(checked)
}

/// An address that can be told. Where a name leads is looked at each time it is used.
fn url(given: &str, app: &App, fields: &mut Fields) -> String {
    let text = fields.text("url", given, MAX_URL);
    if text.is_empty() {
        return text;
    }
    let is_plain = text.is_ascii() && !text.contains(['#', '@', '\\', ' ']);
    let parsed = text.parse::<Uri>().ok().filter(|_| is_plain);
    let host = parsed
        .as_ref()
        .filter(|uri| uri.scheme_str() == Some("https"))
        .and_then(Uri::host)
        .filter(|host| !host.is_empty());
    match host {
        None => fields.wrong(
            "url",
            "Please enter an address that begins with https://, such as https://example.com/events, without a user name or #.",
        ),
        Some(host) if egress::literal(host).is_some_and(|ip| !app.config.egress.allows(ip)) => {
            fields.wrong("url", format!("{}.", egress::EgressError::Forbidden));
        }
        Some(_) => {}
    }
    text
}

const MAX_URL: usize = 2_000;
/// More than there are.
const MAX_EVENTS: usize = 50;
/// A week.
const MAX_OVERLAP_HOURS: u32 = 168;
