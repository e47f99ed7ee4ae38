//! The person's own sessions: where they are signed in, and ending that.

use api::{OwnSession, OwnSessions};
use axum::{Json, extract::State, http::StatusCode};
use store::{begin, commit, session};
use time::OffsetDateTime;

use super::Refused;
use crate::{access::Person, app::App, audit::Deed, error::ApiError, extract::Id};

/// Where the person is signed in.
#[utoipa::path(get, operation_id = "sessions_list", path = "/sessions", tag = "session",
    responses((status = 200, body = OwnSessions), Refused), security(("session" = [])))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Person,
) -> Result<Json<OwnSessions>, ApiError> {
    let now = OffsetDateTime::now_utc();
    let lifetime = app.session_lifetime();
    let sessions = session::list(caller.user.id, &lifetime, now, &app.db).await?;
    let current = caller.session()?.id;
    let items = sessions.into_iter().map(|session| OwnSession {
        id: session.id,
        current: session.id == current,
        browser: session.browser.filter(|browser| !browser.is_empty()),
        address: session.address,
        created_at: session.created_at,
        last_seen_at: session.last_seen_at,
    });
    Ok(Json(OwnSessions {
        items: items.collect(),
    }))
}

/// End one of the own sessions.
#[utoipa::path(delete, operation_id = "sessions_end", path = "/sessions/{id}", tag = "session", params(("id" = Uuid, Path)),
    responses((status = 204), Refused), security(("session" = [])))]
pub(crate) async fn end(
    State(app): State<App>,
    caller: Person,
    Id(id): Id,
) -> Result<StatusCode, ApiError> {
    let now = OffsetDateTime::now_utc();
    let transaction = begin(&app.db).await?;
    let ended = session::delete_one(caller.user.id, id, &transaction).await?;
    let browser = ended.browser.unwrap_or_default();
    let deed = Deed::new("session.delete", &browser).of(caller.user.id);
    caller.note_in(None, &deed, now, &transaction).await?;
    commit(transaction).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sign out everywhere else: end all own sessions but the one that asks, and sign-ins under way.
#[utoipa::path(delete, operation_id = "sessions_end_others", path = "/sessions", tag = "session",
    responses((status = 204), Refused), security(("session" = [])))]
pub(crate) async fn end_others(
    State(app): State<App>,
    caller: Person,
) -> Result<StatusCode, ApiError> {
    let now = OffsetDateTime::now_utc();
    let transaction = begin(&app.db).await?;
    super::session::end_others(&caller, &transaction).await?;
    let deed = Deed::new("sessions.delete", &caller.user.email).of(caller.user.id);
    caller.note_in(None, &deed, now, &transaction).await?;
    commit(transaction).await?;
    Ok(StatusCode::NO_CONTENT)
}
