//! Mails to people about what happened with their access, so that they notice when it was somebody else.

use store::{
    ConnectionTrait,
    api_key::{self, NamedKey},
    user::User,
};
use time::OffsetDateTime;

use crate::{
    app::App,
    error::ApiError,
    mail::{self, Addressed, Letter, SecurityEvent, SecurityNoticeLetter},
    visit::Visit,
};

/// Queues the notice, in the transaction `db` of what it is about. Call [`Outbox::wake`](crate::mail::Outbox::wake) after the commit.
pub(crate) async fn queue(
    event: SecurityEvent,
    user: &User,
    visit: &Visit,
    now: OffsetDateTime,
    app: &App,
    db: &impl ConnectionTrait,
) -> Result<(), ApiError> {
    // Keys are no sign-ins and do not end with a password; whoever changes it because of a stranger must know of them.
    let keys = match event {
        SecurityEvent::PasswordChanged => api_key::list_by_user(user.id, now, db).await?,
        _ => Vec::new(),
    };
    tell(event, keys, user, visit, now, app, db).await
}

/// Queues the notice that there is another key with which a program works on behalf of the user, as [`queue`] does.
pub(crate) async fn key_made(
    key: NamedKey,
    user: &User,
    visit: &Visit,
    now: OffsetDateTime,
    app: &App,
    db: &impl ConnectionTrait,
) -> Result<(), ApiError> {
    let event = SecurityEvent::ApiKeyMade;
    tell(event, vec![key], user, visit, now, app, db).await
}

async fn tell(
    event: SecurityEvent,
    keys: Vec<NamedKey>,
    user: &User,
    visit: &Visit,
    now: OffsetDateTime,
    app: &App,
    db: &impl ConnectionTrait,
) -> Result<(), ApiError> {
    let keys = keys.into_iter().map(|key| (key.name, key.tenant)).collect();
    let letter = Letter::SecurityNotice(SecurityNoticeLetter {
        name: user.first_name.clone(),
        event,
        keys,
        at: now,
        address: visit.address.to_string(),
        agent: visit.browser.clone(),
        link: format!("{}/security", app.config.public_url),
    });
    send(&letter, &user.email, visit, now, app, db).await
}

/// Queues a letter to a person that is no tenant's, in the language of their browser.
pub(crate) async fn send(
    letter: &Letter,
    address: &str,
    visit: &Visit,
    now: OffsetDateTime,
    app: &App,
    db: &impl ConnectionTrait,
) -> Result<(), ApiError> {
    let addressed = Addressed {
        tenant: None,
        device: None,
        recipient: address,
        language: visit.language,
    };
    mail::queue(letter, &addressed, now, app, db).await?;
    Ok(())
}
