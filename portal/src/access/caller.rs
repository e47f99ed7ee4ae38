//! Who is asking, as the judgement found it. A handler whose operation asks for nobody has no caller.

use std::net::IpAddr;

use axum::{extract::FromRequestParts, http::request::Parts};
use store::{
    ConnectionTrait, Role, Secret, StoreError, audit::NewAuditEntry, device::DeviceCredential,
    idempotency::Attempt, tenant::Tenant, user::User,
};
use time::OffsetDateTime;
use tracing::error;
use uuid::Uuid;

use super::CONFIRMATION_LIFE;
use crate::{app::App, audit::Deed, error::ApiError, webhook};

/// Somebody with a session, or a program with a key of theirs.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) user: User,
    pub(crate) means: Means,
    /// Where the request came from.
    pub(crate) source: IpAddr,
    /// The request may come again and is to be carried out once; see `idempotency`.
    pub(crate) attempt: Option<Attempt>,
}

/// What a request proved by on whose behalf it comes.
#[derive(Clone, Debug)]
pub(crate) enum Means {
    /// The person is at a browser.
    Session(OpenSession),
    /// A program has a key.
    Key(KeyInUse),
}

/// The key that a request came with.
#[derive(Clone, Debug)]
pub(crate) struct KeyInUse {
    /// What people call it.
    pub(crate) name: String,
    /// Its maker had given a second factor to the tenant's provider.
    pub(crate) second_factor_elsewhere: bool,
}

/// The session that a request came with.
#[derive(Clone, Debug)]
pub(crate) struct OpenSession {
    pub(crate) id: Uuid,
    pub(crate) token: Secret,
    /// When its person last proved to be the one who signed in.
    pub(crate) confirmed_at: Option<OffsetDateTime>,
    /// The only tenant that it is good for, since that tenant's provider vouched for the person.
    pub(crate) sign_on: Option<Uuid>,
    /// That provider asked for a second factor, and is trusted with that.
    pub(crate) second_factor_elsewhere: bool,
}

impl OpenSession {
    /// Whether a confirmation still holds.
    pub(crate) fn is_confirmed(&self, now: OffsetDateTime) -> bool {
        self.confirmed_at
            .is_some_and(|at| now < at + CONFIRMATION_LIFE)
    }
}

/// Somebody who may do in the tenant of the path what was asked.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) tenant: Tenant,
    pub(crate) person: Person,
    /// In the tenant.
    pub(crate) role: Role,
}

/// An activated device.
#[derive(Clone, Debug)]
pub(crate) struct Device(pub(crate) DeviceCredential);

impl Caller {
    /// Notes in the audit log of the tenant what the caller has done, and for its webhooks. Call it last in the transaction of
    /// the deed: from then on nobody else's deed in this tenant can be noted until the transaction ends.
    pub(crate) async fn note(
        &self,
        deed: &Deed<'_>,
        now: OffsetDateTime,
        db: &impl ConnectionTrait,
    ) -> Result<(), StoreError> {
        let tenant = Some(self.tenant.id);
        self.person.note_in(tenant, deed, now, db).await
    }
}

impl Person {
    /// The session. Only operations that keys reach are asked without one, and they need none.
    pub(crate) fn session(&self) -> Result<&OpenSession, ApiError> {
        match &self.means {
            Means::Session(session) => Ok(session),
            Means::Key(_) => Err(ApiError::Forbidden),
        }
    }

    /// The only tenant that the request is good for, if a tenant's provider vouched for the person.
    pub(crate) fn sign_on(&self) -> Option<Uuid> {
        match &self.means {
            Means::Session(session) => session.sign_on,
            Means::Key(_) => None,
        }
    }

    /// Who did something, for the audit log.
    pub(crate) fn actor(&self) -> String {
        match &self.means {
            Means::Session(_) => self.user.email.clone(),
            Means::Key(key) => format!("{} ({})", self.user.email, key.name),
        }
    }

    /// What others call the person.
    pub(crate) fn name(&self) -> String {
        let User {
            first_name,
            last_name,
            ..
        } = &self.user;
        format!("{first_name} {last_name}").trim().to_owned()
    }

    /// Notes in the audit log of a tenant, or with `None` of the installation, what the person has done, and for the tenant's webhooks.
    /// Call it last in the transaction of the deed.
    pub(crate) async fn note_in(
        &self,
        tenant: Option<Uuid>,
        deed: &Deed<'_>,
        now: OffsetDateTime,
        db: &impl ConnectionTrait,
    ) -> Result<(), StoreError> {
        if let Some(attempt) = self.attempt {
            store::idempotency::mark_done(attempt, db).await?;
        }
        if let Some(tenant) = tenant {
            webhook::tell_deed(tenant, deed, now, db).await?;
        }
        let source = self.source.to_string();
        let entry = NewAuditEntry {
            actor: &self.actor(),
            source: Some(&source),
            ..deed.entry()
        };
        store::audit::append(tenant, &entry, now, db).await
    }
}

/// What the judgement put beside the request. A handler that asks for more than its row of the table gives
/// is a mistake of ours; it is refused.
macro_rules! judged {
    ($($kind:ty),+) => { $(
        impl FromRequestParts<App> for $kind {
            type Rejection = ApiError;

            async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, ApiError> {
                parts.extensions.get::<Self>().cloned().ok_or_else(|| {
                    error!(path = parts.uri.path(), "a handler asks for a caller that its row does not give");
                    ApiError::Internal
                })
            }
        }
    )+ };
}

judged!(Person, Caller, Device);
