//! How a tenant sends mail: settings, a test, previews, and what became of its mails.

use api::{
    Mail, MailFilters, MailPreview, MailSettings, MailSettingsInput, MailTest, MailTestInput, Page,
    PageQuery,
};
use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;
use serde_json::json;
use std::time::Instant;
use store::{
    Language, MailKind, MailReason, Secret, begin, commit,
    mail::{self as stored, AppLinks, MailFilter, MailServerFields, MailSettingsFields, MailSort},
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::Refused;
use crate::{
    access::Caller,
    app::App,
    audit::Deed,
    egress,
    error::ApiError,
    extract::{Asked, Body, IfMatch, Paging},
    mail::{self, Letter, Parcel, QueueError, TestLetter},
    validate::Fields,
    wire,
};

/// How the tenant sends mail. The password is never told.
#[utoipa::path(get, operation_id = "mail_settings_show", path = "/tenants/{tenant}/mail", tag = "mail",
    params(("tenant" = Uuid, Path)),
    responses((status = 200, body = MailSettings), Refused), security(("session" = [])))]
pub(crate) async fn show(State(app): State<App>, caller: Caller) -> Result<Response, ApiError> {
    let settings = stored::load_settings(caller.tenant.id, &app.vault, &app.db).await?;
    Ok(answer(settings, &app))
}

/// Change how the tenant sends mail. A password is kept only for the host and user name that it was entered for.
#[utoipa::path(put, operation_id = "mail_settings_update", path = "/tenants/{tenant}/mail", tag = "mail",
    params(("tenant" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    request_body = MailSettingsInput,
    responses((status = 200, body = MailSettings), Refused), security(("session" = [])))]
pub(crate) async fn update(
    State(app): State<App>,
    caller: Caller,
    IfMatch(expected): IfMatch,
    Body(input): Body<MailSettingsInput>,
) -> Result<Response, ApiError> {
    let (tenant, now) = (caller.tenant.id, OffsetDateTime::now_utc());
    let (fields, password) = check(input, &app)?;
    let transaction = begin(&app.db).await?;
    let has_server = app.config.mail.server.is_some();
    let before = stored::load_settings(tenant, &app.vault, &transaction).await?;
    let settings = stored::set_settings(
        tenant,
        &fields,
        password.as_ref(),
        expected,
        &app.vault,
        &transaction,
    )
    .await?;
    let (before, after) = (
        mail::wire::settings(before, has_server),
        mail::wire::settings(settings.clone(), has_server),
    );
    let mut deed = Deed::new("mail_settings.update", &caller.tenant.name).changed(&before, &after);
    if password.is_some() {
        deed = deed.replaced("password");
    }
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    Ok(answer(settings, &app))
}

/// Send a test mail now, and tell what the server said at each step.
#[utoipa::path(post, operation_id = "mail_test", path = "/tenants/{tenant}/mail/test", tag = "mail",
    params(("tenant" = Uuid, Path)), request_body = MailTestInput,
    responses((status = 200, body = MailTest), Refused), security(("session" = [])))]
pub(crate) async fn test(
    State(app): State<App>,
    caller: Caller,
    Body(input): Body<MailTestInput>,
) -> Result<Json<MailTest>, ApiError> {
    let mut fields = Fields::default();
    let address = fields.email("address", &input.address);
    fields.finish()?;
    let (tenant, now) = (&caller.tenant, OffsetDateTime::now_utc());
    app.limits.test_mails.take(tenant.id, Instant::now())?;
    let settings = stored::load_settings(tenant.id, &app.vault, &app.db).await?;
    let letter = Letter::Test(TestLetter {
        tenant: tenant.name.clone(),
        sender: caller.person.user.email.clone(),
    });
    let content = app.mail.writer.write(&letter, settings.language);
    let content = content.map_err(QueueError::from)?;
    let transaction = begin(&app.db).await?;
    let deed = Deed::new("mail_settings.test", &tenant.name).made(&json!({ "address": address }));
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    let route = mail::route(Some(tenant.id), &app).await?;
    let parcel = Parcel {
        id: Uuid::now_v7(),
        tenant: Some(tenant.id),
        recipient: &address,
        content: &content,
    };
    let delivering = mail::deliver_now(&parcel, &route, mail::HURRIED, &app);
    let (steps, reason) = match tokio::time::timeout(TEST_PATIENCE, delivering).await {
        Ok(delivery) => (
            delivery.steps,
            delivery.outcome.err().map(|failure| failure.reason),
        ),
        Err(_) => (Vec::new(), Some(MailReason::Timeout)),
    };
    Ok(Json(MailTest {
        sent: reason.is_none(),
        way: mail::wire::way(&route),
        reason: reason.map(mail::wire::reason),
        steps: steps.into_iter().map(mail::wire::step).collect(),
    }))
}

/// A preview's place in the path.
#[derive(Deserialize)]
pub(crate) struct Which {
    kind: String,
    language: String,
}

/// How mails of a kind look, with invented data.
#[utoipa::path(get, operation_id = "mail_preview", path = "/tenants/{tenant}/mail/previews/{kind}/{language}", tag = "mail",
    params(("tenant" = Uuid, Path), ("kind" = api::MailKind, Path), ("language" = api::Language, Path)),
    responses((status = 200, body = MailPreview), Refused), security(("session" = [])))]
pub(crate) async fn preview(
    State(app): State<App>,
    _: Caller,
    Path(which): Path<Which>,
) -> Result<Json<MailPreview>, ApiError> {
    let kind: MailKind = which.kind.parse().map_err(|_| ApiError::NotFound)?;
    let language: Language = which.language.parse().map_err(|_| ApiError::NotFound)?;
    let letter = mail::sample(kind, &app.config.public_url);
    let content = app.mail.writer.write(&letter, language);
    let content = content.map_err(QueueError::from)?;
    Ok(Json(MailPreview {
        html: mail::for_page(&content),
        subject: content.subject,
        text: content.text,
    }))
}

/// The tenant's mails and what became of them, the newest first; the search looks at the address.
#[utoipa::path(get, operation_id = "mails_list", path = "/tenants/{tenant}/mails", tag = "mail",
    params(("tenant" = Uuid, Path), PageQuery, MailFilters),
    responses((status = 200, body = Page<Mail>), Refused), security(("session" = [])))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Paging(request): Paging<MailSort>,
    Asked(filters): Asked<MailFilters>,
) -> Result<Json<Page<Mail>>, ApiError> {
    let mut fields = Fields::default();
    let filter = MailFilter {
        states: fields.words("state", filters.state.as_deref()),
        kinds: fields.words("kind", filters.kind.as_deref()),
    };
    fields.finish()?;
    let mails = stored::list(Some(caller.tenant.id), &filter, &request, &app.db).await?;
    Ok(wire::page(mails, mail::wire::mail))
}

fn answer(settings: stored::MailSettings, app: &App) -> Response {
    let version = settings.version;
    let body = mail::wire::settings(settings, app.config.mail.server.is_some());
    wire::tagged(StatusCode::OK, version, body)
}

fn check(
    input: MailSettingsInput,
    app: &App,
) -> Result<(MailSettingsFields, Option<Secret>), ApiError> {
    let mut fields = Fields::default();
    let mut password = None;
    let server = input.server.map(|server| {
        let host = fields.host("server.host", &server.host);
        let host = host.trim_matches(['[', ']']).to_owned();
        fields.port("server.port", Some(server.port));
        let security = mail::wire::stored_security(server.security);
        check_host(&host, security, &mut fields, app);
        password = fields
            .sip_password("server.password", server.password.as_deref())
            .map(Secret::new);
        let username = fields.optional_text("server.username", server.username.as_deref(), 254);
        if password.is_some() && username.is_none() {
            fields.wrong(
                "server.username",
                "Please enter the user name of this password.",
            );
        }
        MailServerFields {
            host,
            port: server.port,
            security,
            sender_name: fields.optional_text(
                "server.sender_name",
                server.sender_name.as_deref(),
                100,
            ),
            sender_address: fields.email("server.sender_address", &server.sender_address),
            username,
        }
    });
    let reply_to = input.reply_to.filter(|address| !address.trim().is_empty());
    let checked = MailSettingsFields {
        language: mail::wire::stored_language(input.language),
        reply_to: reply_to.map(|address| fields.email("reply_to", &address)),
        apps: AppLinks {
            windows: app_link("apps.windows", input.apps.windows.as_deref(), &mut fields),
            macos: app_link("apps.macos", input.apps.macos.as_deref(), &mut fields),
            linux: app_link("apps.linux", input.apps.linux.as_deref(), &mut fields),
            android: app_link("apps.android", input.apps.android.as_deref(), &mut fields),
            ios: app_link("apps.ios", input.apps.ios.as_deref(), &mut fields),
        },
        server,
    };
    fields.finish()?;
    Ok((checked, password))
}

/// What is plain to see is said at once; names are looked up when mail is sent.
fn check_host(host: &str, security: store::MailSecurity, fields: &mut Fields, app: &App) {
    let address = egress::literal(host);
    let is_local = host == "localhost" || address.is_some_and(|address| address.is_loopback());
    if security == store::MailSecurity::None && !is_local {
        fields.wrong(
            "server.security",
            "Without TLS mail can go to this machine only. Please choose TLS or STARTTLS.",
        );
    }
    if address.is_some_and(|address| !app.config.egress.allows(address)) {
        fields.wrong(
            "server.host",
            "This address is inside a private network. The operator of this installation can allow it (egress.allow).",
        );
    }
}

fn app_link(field: &str, value: Option<&str>, fields: &mut Fields) -> Option<String> {
    let link = fields.optional_text(field, value, 500)?;
    let rest = link.strip_prefix("https://");
    if rest.is_none_or(|rest| rest.is_empty() || rest.contains([' ', '"', '<', '>'])) {
        fields.wrong(field, "Please enter an address that begins with https://.");
    }
    Some(link)
}

impl From<QueueError> for ApiError {
    fn from(error: QueueError) -> Self {
        match error {
            QueueError::Store(store::StoreError::Count { .. }) => Self::Conflict {
                field: "",
                message: "Too many mails are waiting to be sent. Please look at the mail settings.",
            },
            QueueError::Store(error) => error.into(),
            QueueError::Content(error) => {
                tracing::error!(%error, "a mail could not be written");
                Self::Internal
            }
        }
    }
}

/// Shorter than a request may take.
const TEST_PATIENCE: std::time::Duration = std::time::Duration::from_secs(25);
