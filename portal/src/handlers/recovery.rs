//! What is done by a link in a mail: a new password, another e-mail address.
//!
//! Asking for a new password is answered alike for every address, after the same work: for nobody it is done too, and taken back.

use std::time::Instant;

use api::{EmailChange, LinkToken, NewPassword, PasswordReset};
use axum::{extract::State, http::StatusCode};
use store::{
    LinkPurpose, Secret, StoreError, begin, commit,
    link::{self, LINK_LIFE, NewLink},
    second_factor,
};
use time::OffsetDateTime;

use super::Refused;
use crate::{
    access::Person,
    app::App,
    audit::Deed,
    error::ApiError,
    extract::{Body, Source},
    limits::Mailed,
    mail::{AddressChangedLetter, Letter, LinkLetter, SecurityEvent},
    notice,
    proof::email_key,
    validate::Fields,
    visit::Visit,
};

/// Ask for a link to a new password. The answer says nothing about whether the address is known.
#[utoipa::path(post, operation_id = "password_reset_begin", path = "/password-reset", tag = "session", request_body = PasswordReset,
    responses((status = 202), Refused))]
pub(crate) async fn begin_reset(
    State(app): State<App>,
    Source(source): Source,
    visit: Visit,
    Body(asked): Body<PasswordReset>,
) -> Result<StatusCode, ApiError> {
    let mut fields = Fields::default();
    let email = fields.email("email", &asked.email);
    fields.finish()?;
    let tried = Instant::now();
    app.limits.mailed_links.take(source, tried)?;
    let mailed = (Mailed::PasswordReset, email_key(&email));
    app.limits.mailed_to.take(mailed, tried)?;
    let now = OffsetDateTime::now_utc();
    let transaction = begin(&app.db).await?;
    let found = store::user::find_by_email(&email, &transaction).await?;
    let user = found.map(|(user, _)| user);
    let new = NewLink {
        purpose: LinkPurpose::PasswordReset,
        user: user.as_ref().map(|user| user.id),
        value: None,
    };
    let token = link::insert(&new, now, &transaction).await?;
    let letter = Letter::PasswordReset(LinkLetter {
        name: user
            .as_ref()
            .map(|user| user.first_name.clone())
            .unwrap_or_default(),
        link: format!("{}/new-password#{}", app.config.public_url, token.reveal()),
        expires: now + LINK_LIFE,
    });
    let address = user.as_ref().map_or(&email, |user| &user.email);
    notice::send(&letter, address, &visit, now, &app, &transaction).await?;
    let deed = Deed::new("password.reset", address).of(new.user.unwrap_or_default());
    visit
        .note_in(None, address, &deed, now, &transaction)
        .await?;
    if user.is_some() {
        commit(transaction).await?;
    }
    app.mail.wake();
    Ok(StatusCode::ACCEPTED)
}

/// Choose a new password by the link. All sessions of the person end; a second factor stays as it is.
#[utoipa::path(post, operation_id = "password_reset_complete", path = "/password-reset/completion", tag = "session", request_body = NewPassword,
    responses((status = 204), Refused))]
pub(crate) async fn complete_reset(
    State(app): State<App>,
    Source(source): Source,
    visit: Visit,
    Body(input): Body<NewPassword>,
) -> Result<StatusCode, ApiError> {
    let mut fields = Fields::default();
    fields.new_password("password", &input.password);
    fields.finish()?;
    let tried = Instant::now();
    // Counted before anything is done: passwords are hashed two at a time, and whoever signs in waits for those.
    app.limits.links.take(source, tried)?;
    let (now, purpose) = (OffsetDateTime::now_utc(), LinkPurpose::PasswordReset);
    if !link::works(purpose, &input.token, now, &app.db).await? {
        return Err(ApiError::LinkRefused);
    }
    let phc = Secret::new(app.passwords.hash(input.password).await?);
    let transaction = begin(&app.db).await?;
    let used = link::take(purpose, &input.token, now, &transaction).await?;
    let used = used.ok_or(ApiError::LinkRefused)?;
    app.limits.links.give_back(&source);
    let user = store::user::load(used.user, &transaction).await?;
    store::user::set_password(user.id, &phc, &transaction).await?;
    store::session::delete_by_user(user.id, &transaction).await?;
    second_factor::delete_half_sign_ins(user.id, &transaction).await?;
    link::delete_by_user(user.id, &transaction).await?;
    let event = SecurityEvent::PasswordChanged;
    notice::queue(event, &user, &visit, now, &app, &transaction).await?;
    let deed = Deed::new("password.update", &user.email).of(user.id);
    visit
        .note_in(None, &user.email, &deed, now, &transaction)
        .await?;
    commit(transaction).await?;
    app.mail.wake();
    Ok(StatusCode::NO_CONTENT)
}

/// Ask for another e-mail address. It is the person's once the link that is sent there was followed; the one that counts is told.
#[utoipa::path(put, operation_id = "email_change_begin", path = "/session/email", tag = "session", request_body = EmailChange,
    responses((status = 202), Refused), security(("session" = [])))]
pub(crate) async fn begin_email_change(
    State(app): State<App>,
    caller: Person,
    visit: Visit,
    Body(input): Body<EmailChange>,
) -> Result<StatusCode, ApiError> {
    let mut fields = Fields::default();
    let email = fields.email("email", &input.email);
    if store::user::is_same_address(&email, &caller.user.email) {
        fields.wrong("email", "This is your address already.");
    }
    fields.finish()?;
    let mailed = (Mailed::AddressChange, email_key(&email));
    app.limits.mailed_to.take(mailed, Instant::now())?;
    let now = OffsetDateTime::now_utc();
    let transaction = begin(&app.db).await?;
    let new = NewLink {
        purpose: LinkPurpose::EmailChange,
        user: Some(caller.user.id),
        value: Some(&email),
    };
    let token = link::insert(&new, now, &transaction).await?;
    // Whose an address is that somebody else has already is not told: the link says it to who reads its mail.
    let letter = Letter::ConfirmAddress(LinkLetter {
        name: caller.user.first_name.clone(),
        link: format!("{}/new-address#{}", app.config.public_url, token.reveal()),
        expires: now + LINK_LIFE,
    });
    notice::send(&letter, &email, &visit, now, &app, &transaction).await?;
    let event = SecurityEvent::AddressAskedFor;
    notice::queue(event, &caller.user, &visit, now, &app, &transaction).await?;
    let deed = Deed::new("email.change", &caller.user.email).of(caller.user.id);
    caller.note_in(None, &deed, now, &transaction).await?;
    commit(transaction).await?;
    app.mail.wake();
    Ok(StatusCode::ACCEPTED)
}

/// Confirm the new e-mail address by the link. The old address is told.
#[utoipa::path(post, operation_id = "email_change_complete", path = "/email-confirmation", tag = "session", request_body = LinkToken,
    responses((status = 204), Refused))]
pub(crate) async fn complete_email_change(
    State(app): State<App>,
    Source(source): Source,
    visit: Visit,
    Body(input): Body<LinkToken>,
) -> Result<StatusCode, ApiError> {
    let tried = Instant::now();
    app.limits.links.check(&source, tried)?;
    let now = OffsetDateTime::now_utc();
    let transaction = begin(&app.db).await?;
    let taken = link::take(LinkPurpose::EmailChange, &input.token, now, &transaction).await?;
    let Some((user, address)) = taken.and_then(|used| Some((used.user, used.value?))) else {
        app.limits.links.take(source, tried)?;
        return Err(ApiError::LinkRefused);
    };
    let before = store::user::load(user, &transaction).await?;
    match store::user::set_email(user, &address, &transaction).await {
        Err(StoreError::Conflict { .. }) => {
            return Err(ApiError::Conflict {
                field: "",
                message: "Somebody else has access with this address.",
            });
        }
        set => set?,
    }
    // A link to a new password may lie in the old mailbox.
    link::delete_by_user(user, &transaction).await?;
    let letter = Letter::AddressChanged(AddressChangedLetter {
        name: before.first_name.clone(),
        old_address: before.email.clone(),
        new_address: address.clone(),
    });
    notice::send(&letter, &before.email, &visit, now, &app, &transaction).await?;
    let changed = |email: &str| serde_json::json!({"email": email});
    let deed = Deed::new("email.update", &address)
        .of(user)
        .changed(&changed(&before.email), &changed(&address));
    visit
        .note_in(None, &before.email, &deed, now, &transaction)
        .await?;
    commit(transaction).await?;
    app.mail.wake();
    Ok(StatusCode::NO_CONTENT)
}
