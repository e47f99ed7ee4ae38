//! The mailbox: where mails lie when no server is set.
//!
//! Owners see their tenant's mails. Those of the installation, and so every mail that opens a user's access, are shown to
//! administrators of the installation alone.

use api::{MailboxItem, MailboxMail, Page, PageQuery};
use axum::{Json, extract::State};
use tracing::error;
use uuid::Uuid;

use super::Refused;
use crate::{
    access::{Caller, Person},
    app::App,
    error::ApiError,
    extract::{Asked, Id},
    mail::{self, Entry, MailboxError},
    validate::Fields,
};

/// The tenant's mails in the mailbox, the newest first.
#[utoipa::path(get, operation_id = "mailbox_list", path = "/tenants/{tenant}/mailbox", tag = "mail",
    params(("tenant" = Uuid, Path), PageQuery),
    responses((status = 200, body = Page<MailboxItem>), Refused), security(("session" = [])))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Asked(query): Asked<PageQuery>,
) -> Result<Json<Page<MailboxItem>>, ApiError> {
    page(Some(caller.tenant.id), &query, &app).await.map(Json)
}

/// A mail of the tenant's in the mailbox.
#[utoipa::path(get, operation_id = "mailbox_show", path = "/tenants/{tenant}/mailbox/{id}", tag = "mail",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path)),
    responses((status = 200, body = MailboxMail), Refused), security(("session" = [])))]
pub(crate) async fn show(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<Json<MailboxMail>, ApiError> {
    let entry = Entry {
        id,
        tenant: Some(caller.tenant.id),
    };
    one(entry, &app).await.map(Json)
}

/// All mails in the mailbox, the newest first.
#[utoipa::path(get, operation_id = "installation_mailbox_list", path = "/mailbox", tag = "mail",
    params(PageQuery),
    responses((status = 200, body = Page<MailboxItem>), Refused), security(("session" = [])))]
pub(crate) async fn list_all(
    State(app): State<App>,
    _: Person,
    Asked(query): Asked<PageQuery>,
) -> Result<Json<Page<MailboxItem>>, ApiError> {
    page(None, &query, &app).await.map(Json)
}

/// Any mail in the mailbox.
#[utoipa::path(get, operation_id = "installation_mailbox_show", path = "/mailbox/{id}", tag = "mail",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = MailboxMail), Refused), security(("session" = [])))]
pub(crate) async fn show_any(
    State(app): State<App>,
    _: Person,
    Id(id): Id,
) -> Result<Json<MailboxMail>, ApiError> {
    let all = app.mail.mailbox.list(None).await?;
    let entry = all.into_iter().find(|entry| entry.id == id);
    one(entry.ok_or(ApiError::NotFound)?, &app).await.map(Json)
}

/// The page after the mail that `after` names.
async fn page(
    tenant: Option<Uuid>,
    query: &PageQuery,
    app: &App,
) -> Result<Page<MailboxItem>, ApiError> {
    let mut fields = Fields::default();
    let limit = usize::try_from(fields.limit(query.limit)).unwrap_or(usize::MAX);
    let after: Option<Uuid> = fields.after(query.after.as_deref());
    fields.finish()?;
    let mut entries = app.mail.mailbox.list(tenant).await?;
    entries.retain(|entry| after.is_none_or(|after| entry.id < after));
    let more = entries.len() > limit;
    entries.truncate(limit);
    let mut items = Vec::with_capacity(entries.len());
    for entry in &entries {
        // Gone meanwhile: the newest have taken its place.
        if let Some(bytes) = app.mail.mailbox.get(*entry).await? {
            items.push(mail::wire::mailbox_item(*entry, &mail::read(&bytes)));
        }
    }
    let next = entries.last().filter(|_| more);
    Ok(Page {
        items,
        next: next.map(|entry| entry.id.to_string()),
        total: None,
    })
}

async fn one(entry: Entry, app: &App) -> Result<MailboxMail, ApiError> {
    let bytes = app.mail.mailbox.get(entry).await?;
    let bytes = bytes.ok_or(ApiError::NotFound)?;
    let read = mail::read(&bytes);
    Ok(mail::wire::mailbox_mail(entry, &bytes, read))
}

impl From<MailboxError> for ApiError {
    fn from(error: MailboxError) -> Self {
        error!(%error, "the mailbox cannot be read");
        Self::Internal
    }
}
