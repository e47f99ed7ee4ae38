//! Somebody who has come back from a tenant's provider: which member they are, and what becomes of it.

use api::{SignOnReason, SignedOn};
use axum::{
    Json,
    response::{IntoResponse, Response},
};
use axum_extra::extract::{CookieJar, cookie::Cookie};
use serde_json::json;
use store::{
    NewPeople, Role, StoreError, Transaction, begin, commit,
    membership::Member,
    second_factor,
    session::SignedInBy,
    sign_on::{self, SignOnSettings},
    tenant::Tenant,
    user::{NewUser, User},
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    app::App,
    audit::Deed,
    error::ApiError,
    extract::SESSION_COOKIE,
    handlers::{
        members::wire_member,
        session::{Proved, Voucher, Way, begin_half, begin_session, session_of},
    },
    sign_on::{Identity, Trouble},
    validate::Fields,
    visit::Visit,
};

/// Somebody who has come back from a tenant's provider.
pub(super) struct Came<'a> {
    pub(super) tenant: &'a Tenant,
    pub(super) settings: &'a SignOnSettings,
    pub(super) visit: &'a Visit,
    pub(super) now: OffsetDateTime,
}

impl Came<'_> {
    /// Tells the person, and the tenant's audit log, why they cannot come.
    pub(super) async fn refuse(
        &self,
        whom: &str,
        trouble: Trouble,
        app: &App,
    ) -> Result<Response, ApiError> {
        let whom: String = whom.chars().take(254).collect();
        let why = json!({"reason": trouble.reason, "said": trouble.said});
        let deed = Deed::new("sign_on.refuse", &whom).made(&why);
        self.visit
            .note_in(Some(self.tenant.id), &whom, &deed, self.now, &app.db)
            .await?;
        Err(trouble.into())
    }

    /// The member that the provider vouches for; bound to its subject at the first time.
    pub(super) async fn member(&self, identity: &Identity, app: &App) -> Result<User, ApiError> {
        let (tenant, issuer) = (self.tenant.id, &self.settings.issuer);
        let subject = &identity.subject;
        let transaction = begin(&app.db).await?;
        let bound = sign_on::find_identity(tenant, issuer, subject, &transaction).await?;
        if let Some(user) = bound {
            return Ok(store::user::load(user, &transaction).await?);
        }
        let email = self.address(identity)?;
        let found = store::user::find_by_email(&email, &transaction).await?;
        let user = match found {
            Some((user, _)) => {
                let role = store::membership::find_role(tenant, user.id, &transaction).await?;
                role.ok_or(SignOnReason::NotMember)?;
                user
            }
            None if self.settings.new_people == NewPeople::ReadOnly => {
                self.join(&email, identity, &transaction, app).await?
            }
            None => return Err(SignOnReason::NotMember.into()),
        };
        match sign_on::bind(tenant, issuer, subject, user.id, self.now, &transaction).await {
            Err(StoreError::Conflict { .. }) => return Err(SignOnReason::OtherSubject.into()),
            bound => bound?,
        }
        let deed = Deed::new("member.bind", &user.email)
            .of(user.id)
            .made(&json!({"issuer": issuer, "subject": subject}));
        self.visit
            .note_in(Some(tenant), &user.email, &deed, self.now, &transaction)
            .await?;
        commit(transaction).await?;
        app.webhooks.wake();
        Ok(user)
    }

    /// The address of somebody who comes for the first time, if it counts.
    fn address(&self, identity: &Identity) -> Result<String, ApiError> {
        let mut fields = Fields::default();
        let told = identity.person.email.as_deref();
        let told = told.ok_or(SignOnReason::NoAddress)?;
        let email = fields.email("email", told);
        fields.finish().map_err(|_| SignOnReason::NoAddress)?;
        let verified = identity.person.email_verified;
        if !verified.unwrap_or(self.settings.trusts_addresses) {
            return Err(SignOnReason::UnverifiedAddress.into());
        }
        let domain = email.rsplit_once('@').map(|(_, domain)| domain);
        let domain = domain.unwrap_or_default().to_lowercase();
        if !self.settings.domains.contains(&domain) {
            return Err(SignOnReason::ForeignDomain.into());
        }
        Ok(email)
    }

    /// Makes somebody a member who reads. They have no password; who wants one asks for it by mail.
    async fn join(
        &self,
        email: &str,
        identity: &Identity,
        transaction: &Transaction,
        app: &App,
    ) -> Result<User, ApiError> {
        // Hashing a new one would keep every other write waiting.
        let nothing = app.passwords.of_nobody();
        let (first_name, last_name) = names(identity, email);
        let new = NewUser {
            email,
            first_name: &first_name,
            last_name: &last_name,
            installation_administrator: false,
            password_phc: &nothing,
        };
        let user = store::user::insert(&new, self.now, transaction).await?;
        store::user::set_password(user.id, &nothing, transaction).await?;
        let (tenant, role) = (self.tenant.id, Role::ReadOnly);
        store::membership::insert(tenant, user.id, role, self.now, transaction).await?;
        let user = store::user::load(user.id, transaction).await?;
        let member = Member {
            user: user.clone(),
            role,
        };
        let deed = Deed::new("member.create", email)
            .of(user.id)
            .made(&wire_member(member, false));
        self.visit
            .note_in(Some(tenant), email, &deed, self.now, transaction)
            .await?;
        Ok(user)
    }

    pub(super) async fn signed_in(
        &self,
        user: User,
        identity: &Identity,
        next: Option<String>,
        jar: CookieJar,
        app: &App,
    ) -> Result<Response, ApiError> {
        let elsewhere = self.has_second_factor(identity);
        if !elsewhere
            && second_factor::confirmed_at(user.id, &app.db)
                .await?
                .is_some()
        {
            return self.wait_for_code(&user, next, app).await;
        }
        let by = SignedInBy::Provider {
            tenant: self.tenant.id,
            authenticated_at: identity.authenticated_at,
            second_factor: elsewhere,
        };
        let proved = Proved {
            user,
            by,
            way: self.way(),
        };
        let begun = begin_session(proved, self.visit, jar, self.now, app).await?;
        Ok(begun.with(|session| {
            Json(SignedOn {
                session: Some(session),
                half: None,
                next,
            })
            .into_response()
        }))
    }

    fn way(&self) -> Way<'static> {
        Way::Provider {
            tenant: self.tenant.id,
            version: self.settings.version,
        }
    }

    /// Whether the provider asked for a second factor, and is trusted with that.
    fn has_second_factor(&self, identity: &Identity) -> bool {
        self.settings.trusts_second_factor && identity.several_factors
    }

    /// The person has a second factor of their own, which is asked for after the provider.
    async fn wait_for_code(
        &self,
        user: &User,
        next: Option<String>,
        app: &App,
    ) -> Result<Response, ApiError> {
        let half = begin_half(user, self.way(), self.now, app).await?;
        Ok(Json(SignedOn {
            session: None,
            half: Some(half),
            next,
        })
        .into_response())
    }

    /// The provider vouched anew for whose session it is. It asks for no less than a sign-in: with a code to come, what begins then takes the
    /// place of this session.
    pub(super) async fn confirmed(
        &self,
        user: User,
        identity: &Identity,
        expected: Uuid,
        next: Option<String>,
        jar: &CookieJar,
        app: &App,
    ) -> Result<Response, ApiError> {
        let token = jar.get(SESSION_COOKIE).map(Cookie::value);
        let token = token.ok_or(ApiError::Unauthenticated)?;
        let lifetime = app.session_lifetime();
        let session = store::session::find(token, &lifetime, self.now, &app.db).await?;
        let session = session.ok_or(ApiError::Unauthenticated)?;
        let same = user.id == expected
            && session.user_id == expected
            && session.sign_on_tenant == Some(self.tenant.id);
        if !same {
            return Err(SignOnReason::OtherPerson.into());
        }
        let own_factor = second_factor::confirmed_at(user.id, &app.db).await?;
        if own_factor.is_some() && !self.has_second_factor(identity) {
            return self.wait_for_code(&user, next, app).await;
        }
        let at = identity.authenticated_at.ok_or(SignOnReason::TooOld)?;
        match store::session::confirm(token, at, &app.db).await {
            Err(StoreError::NotFound) => return Err(ApiError::Unauthenticated),
            confirmed => confirmed?,
        }
        let voucher = Voucher {
            tenant: self.tenant.id,
            second_factor: session.second_factor_elsewhere,
        };
        let session = session_of(user, Some(voucher), app).await?;
        Ok(Json(SignedOn {
            session: Some(session),
            half: None,
            next,
        })
        .into_response())
    }
}

/// First and last name as the provider tells them, or what stands before the `@`.
fn names(identity: &Identity, email: &str) -> (String, String) {
    let person = &identity.person;
    let clean = |told: &Option<String>| {
        let mut fields = Fields::default();
        let text: String = told.as_deref()?.chars().take(100).collect();
        let text = fields.text("name", &text, 100);
        fields.finish().is_ok().then_some(text)
    };
    if let Some(first) = clean(&person.given_name) {
        return (first, clean(&person.family_name).unwrap_or_default());
    }
    let whole = clean(&person.name).unwrap_or_else(|| {
        let local = email.split('@').next();
        local.unwrap_or_default().to_owned()
    });
    match whole.split_once(' ') {
        Some((first, last)) => (first.to_owned(), last.trim().to_owned()),
        None => (whole, String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sign_on::Person;

    #[test]
    fn names_are_made_of_what_is_told() {
        let text = |text: &str| Some(text.to_owned());
        let told = |given_name, family_name, name| {
            let identity = Identity {
                subject: "s".to_owned(),
                person: Person {
                    given_name,
                    family_name,
                    name,
                    ..Person::default()
                },
                authenticated_at: None,
                several_factors: false,
            };
            names(&identity, "ada.l@example.com")
        };
        let both = |first: &str, last: &str| (first.to_owned(), last.to_owned());
        let names = told(text("Ada"), text("Lovelace"), text("Other Name"));
        assert_eq!(names, both("Ada", "Lovelace"));
        assert_eq!(
            told(None, None, text("Ada  King Noel")),
            both("Ada", "King Noel")
        );
        assert_eq!(told(text("\u{202e}ada"), None, None), both("ada.l", ""));
        assert_eq!(told(None, None, None), both("ada.l", ""));
    }
}
