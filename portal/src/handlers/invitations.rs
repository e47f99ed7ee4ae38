//! Invitations into a tenant: who was invited, and accepting.

use std::time::Instant;

use api::{
    AcceptInvitation, Invitation, InvitationInput, InvitationLink, InvitationToken, Page,
    PageQuery, ShownInvitation,
};
use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use axum_extra::extract::CookieJar;
use store::{
    Language, Secret, StoreError, Transaction, begin, commit,
    invitation::{self, InvitationSort, NewInvitation},
    membership::Member,
    user::{NewUser, User},
};
use time::OffsetDateTime;

use super::{
    Refused,
    members::wire_member,
    session::{Proved, begin_session, session_of},
};
use crate::{
    access::{Caller, Person},
    app::App,
    audit::Deed,
    error::ApiError,
    extract::{Body, Id, Paging, Source},
    mail::{self, Addressed, InvitationLetter, Letter},
    validate::Fields,
    visit::Visit,
    wire,
};

/// Who was invited and has not come yet.
#[utoipa::path(get, operation_id = "invitations_list", path = "/tenants/{tenant}/invitations", tag = "tenants",
    params(("tenant" = Uuid, Path), PageQuery),
    responses((status = 200, body = Page<Invitation>), Refused), security(("session" = [])))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Paging(request): Paging<InvitationSort>,
) -> Result<Json<Page<Invitation>>, ApiError> {
    let listed = invitation::list(caller.tenant.id, &request, &app.db).await?;
    Ok(wire::page(listed, wire::invitation))
}

/// Invite somebody by mail. The link in it works once, for seven days.
#[utoipa::path(post, operation_id = "invitations_create", path = "/tenants/{tenant}/invitations", tag = "tenants",
    params(("tenant" = Uuid, Path), ("Idempotency-Key" = Option<String>, Header)), request_body = InvitationInput,
    responses((status = 201, body = Invitation), Refused), security(("session" = [])))]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Body(input): Body<InvitationInput>,
) -> Result<(StatusCode, Json<Invitation>), ApiError> {
    let mut fields = Fields::default();
    let email = fields.email("email", &input.email);
    if store::membership::is_member(caller.tenant.id, &email, &app.db).await? {
        fields.wrong("email", "This person is a member already.");
    }
    fields.finish()?;
    app.limits
        .invitations
        .take(caller.tenant.id, Instant::now())?;
    let now = OffsetDateTime::now_utc();
    let new = NewInvitation {
        email: &email,
        role: wire::stored_role(input.role),
        invited_by: &caller.person.name(),
    };
    let transaction = begin(&app.db).await?;
    let (made, token) = match invitation::insert(caller.tenant.id, &new, now, &transaction).await {
        Err(StoreError::Conflict { .. }) => {
            return Err(ApiError::Conflict {
                field: "email",
                message: "This person is invited already. You can send the invitation again.",
            });
        }
        made => made?,
    };
    let language = input.language.map(mail::wire::stored_language);
    send(&made, &token, language, &caller, now, &app, &transaction).await?;
    let body = wire::invitation(made);
    let deed = Deed::new("invitation.create", &body.email)
        .of(body.id)
        .made(&body);
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    app.mail.wake();
    Ok((StatusCode::CREATED, Json(body)))
}

/// Send an invitation again, with a new link. The old one ends.
#[utoipa::path(post, operation_id = "invitations_resend", path = "/tenants/{tenant}/invitations/{id}/mail", tag = "tenants",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path)),
    responses((status = 200, body = Invitation), Refused), security(("session" = [])))]
pub(crate) async fn resend(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<Json<Invitation>, ApiError> {
    app.limits
        .invitations
        .take(caller.tenant.id, Instant::now())?;
    let now = OffsetDateTime::now_utc();
    let transaction = begin(&app.db).await?;
    let (renewed, token) = invitation::renew(caller.tenant.id, id, now, &transaction).await?;
    send(&renewed, &token, None, &caller, now, &app, &transaction).await?;
    let deed = Deed::new("invitation.send", &renewed.email).of(id);
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    app.mail.wake();
    Ok(Json(wire::invitation(renewed)))
}

/// Make a new link for an invitation, to be passed on by other means than mail. It is told this once, and the link before ends.
#[utoipa::path(post, operation_id = "invitations_link", path = "/tenants/{tenant}/invitations/{id}/link", tag = "tenants",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path)),
    responses((status = 200, body = InvitationLink), Refused), security(("session" = [])))]
pub(crate) async fn link(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<Json<InvitationLink>, ApiError> {
    app.limits
        .invitations
        .take(caller.tenant.id, Instant::now())?;
    let now = OffsetDateTime::now_utc();
    let transaction = begin(&app.db).await?;
    let (renewed, token) = invitation::renew(caller.tenant.id, id, now, &transaction).await?;
    let deed = Deed::new("invitation.link", &renewed.email).of(id);
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    Ok(Json(InvitationLink {
        invitation: wire::invitation(renewed),
        link: link_of(&token, &app),
    }))
}

/// Take an invitation back.
#[utoipa::path(delete, operation_id = "invitations_delete", path = "/tenants/{tenant}/invitations/{id}", tag = "tenants",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path)),
    responses((status = 204), Refused), security(("session" = [])))]
pub(crate) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<StatusCode, ApiError> {
    let now = OffsetDateTime::now_utc();
    let transaction = begin(&app.db).await?;
    let gone = invitation::delete(caller.tenant.id, id, &transaction).await?;
    let body = wire::invitation(gone);
    let deed = Deed::new("invitation.delete", &body.email)
        .of(id)
        .removed(&body);
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What an invitation is for. Whoever holds its link may ask.
#[utoipa::path(post, operation_id = "invitation_show", path = "/invitation", tag = "session", request_body = InvitationToken,
    responses((status = 200, body = ShownInvitation), Refused))]
pub(crate) async fn show(
    State(app): State<App>,
    Source(source): Source,
    Body(asked): Body<InvitationToken>,
) -> Result<Json<ShownInvitation>, ApiError> {
    let tried = Instant::now();
    app.limits.links.check(&source, tried)?;
    let now = OffsetDateTime::now_utc();
    let Some(found) = invitation::find(&asked.token, now, &app.db).await? else {
        app.limits.links.take(source, tried)?;
        return Err(ApiError::LinkRefused);
    };
    let tenant = store::tenant::load(found.tenant_id, &app.db).await?;
    let known = store::user::find_by_email(&found.email, &app.db).await?;
    Ok(Json(ShownInvitation {
        tenant: tenant.name,
        email: found.email,
        role: wire::role(found.role),
        invited_by: found.invited_by,
        has_access: known.is_some(),
        expires_at: found.expires_at,
    }))
}

/// Accept an invitation with a name and a password of one's own. Who has access already signs in and joins.
#[utoipa::path(post, operation_id = "invitation_accept", path = "/invitation/acceptance", tag = "session", request_body = AcceptInvitation,
    responses((status = 200, body = api::Session), Refused))]
pub(crate) async fn accept(
    State(app): State<App>,
    Source(source): Source,
    visit: Visit,
    jar: CookieJar,
    Body(input): Body<AcceptInvitation>,
) -> Result<Response, ApiError> {
    let tried = Instant::now();
    app.limits.links.check(&source, tried)?;
    let mut fields = Fields::default();
    let first_name = fields.text("first_name", &input.first_name, 100);
    let last_name = fields.text("last_name", &input.last_name, 100);
    fields.new_password("password", &input.password);
    fields.finish()?;
    let now = OffsetDateTime::now_utc();
    let found = invitation::find(&input.token, now, &app.db).await?;
    if found.is_none() {
        app.limits.links.take(source, tried)?;
        return Err(ApiError::LinkRefused);
    }
    let phc = Secret::new(app.passwords.hash(input.password).await?);
    let transaction = begin(&app.db).await?;
    let taken = invitation::take(&input.token, now, &transaction).await?;
    let taken = taken.ok_or(ApiError::LinkRefused)?;
    let new = NewUser {
        email: &taken.email,
        first_name: &first_name,
        last_name: &last_name,
        installation_administrator: false,
        password_phc: &phc,
    };
    let made = match store::user::insert(&new, now, &transaction).await {
        Err(StoreError::Conflict { .. }) => {
            return Err(ApiError::Conflict {
                field: "",
                message: "You have access already. Please sign in to accept.",
            });
        }
        made => made?,
    };
    store::user::set_password(made.id, &phc, &transaction).await?;
    let user = store::user::load(made.id, &transaction).await?;
    let member = join(&taken, &user, now, &transaction).await?;
    let deed = Deed::new("invitation.accept", &user.email)
        .of(user.id)
        .showing(&member);
    visit
        .note_in(Some(taken.tenant_id), &user.email, &deed, now, &transaction)
        .await?;
    commit(transaction).await?;
    app.webhooks.wake();
    let begun = begin_session(Proved::own(user), &visit, jar, now, &app).await?;
    Ok(begun.into_response())
}

/// Accept an invitation with the access one has. It must be for the address of who is signed in.
#[utoipa::path(post, operation_id = "invitation_join", path = "/invitation/joining", tag = "session", request_body = InvitationToken,
    responses((status = 200, body = api::Session), Refused), security(("session" = [])))]
pub(crate) async fn join_signed_in(
    State(app): State<App>,
    caller: Person,
    Body(asked): Body<InvitationToken>,
) -> Result<Response, ApiError> {
    let now = OffsetDateTime::now_utc();
    let transaction = begin(&app.db).await?;
    let taken = invitation::take(&asked.token, now, &transaction).await?;
    let taken = taken.ok_or(ApiError::LinkRefused)?;
    if !store::user::is_same_address(&taken.email, &caller.user.email) {
        return Err(ApiError::Conflict {
            field: "",
            message: "This invitation is for somebody else. Please sign in with the address that it was sent to.",
        });
    }
    let member = join(&taken, &caller.user, now, &transaction).await?;
    let deed = Deed::new("invitation.accept", &caller.user.email)
        .of(caller.user.id)
        .showing(&member);
    caller
        .note_in(Some(taken.tenant_id), &deed, now, &transaction)
        .await?;
    commit(transaction).await?;
    app.webhooks.wake();
    let session = session_of(caller.user, None, &app).await?;
    Ok(Json(session).into_response())
}

/// Makes the user a member, and gives what others see of that.
async fn join(
    taken: &invitation::Invitation,
    user: &User,
    now: OffsetDateTime,
    db: &Transaction,
) -> Result<api::Member, ApiError> {
    match store::membership::insert(taken.tenant_id, user.id, taken.role, now, db).await {
        Err(StoreError::Conflict { .. }) => {
            return Err(ApiError::Conflict {
                field: "",
                message: "You are a member already.",
            });
        }
        inserted => inserted?,
    }
    let second_factor = store::second_factor::confirmed_at(user.id, db).await?;
    let member = Member {
        user: user.clone(),
        role: taken.role,
    };
    Ok(wire_member(member, second_factor.is_some()))
}

/// The token stands in the fragment, which reaches no log.
fn link_of(token: &Secret, app: &App) -> String {
    format!("{}/invitation#{}", app.config.public_url, token.reveal())
}

/// Mails the link.
async fn send(
    invitation: &invitation::Invitation,
    token: &Secret,
    language: Option<Language>,
    caller: &Caller,
    now: OffsetDateTime,
    app: &App,
    db: &Transaction,
) -> Result<(), ApiError> {
    let language = match language {
        Some(language) => language,
        None => {
            let settings = store::mail::load_settings(caller.tenant.id, &app.vault, db);
            settings.await?.language
        }
    };
    let letter = Letter::Invitation(InvitationLetter {
        tenant: caller.tenant.name.clone(),
        inviter: invitation.invited_by.clone(),
        link: link_of(token, app),
        expires: invitation.expires_at,
    });
    let addressed = Addressed {
        tenant: Some(caller.tenant.id),
        device: None,
        recipient: &invitation.email,
        language,
    };
    mail::queue(&letter, &addressed, now, app, db).await?;
    Ok(())
}
