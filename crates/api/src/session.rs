//! Signing in and the session of a browser.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Role;

/// E-mail and password.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// E-mail address, in any case.
    pub email: String,
    /// The password, or the one-time password.
    #[schema(format = Password)]
    pub password: String,
}

/// A new password, proven by the current one.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// The password used until now.
    #[schema(format = Password)]
    pub current: String,
    /// At least 12 characters.
    #[schema(format = Password, min_length = 12, max_length = 200)]
    pub new: String,
}

/// Who is signed in, and where they may go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// The person.
    pub user: SessionUser,
    /// The tenants they are a member of, by name.
    pub tenants: Vec<SessionTenant>,
    /// Nothing but replacing the password is possible.
    pub must_set_password: bool,
}

/// The signed-in person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SessionUser {
    /// Identifier.
    pub id: Uuid,
    /// E-mail address.
    pub email: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// May create tenants.
    pub installation_administrator: bool,
}

/// A tenant the person belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SessionTenant {
    /// Identifier.
    pub id: Uuid,
    /// Short name for addresses.
    pub slug: String,
    /// Name for people.
    pub name: String,
    /// Made by the demonstration; may be deleted without loss.
    pub demonstration: bool,
    /// What the person may do there.
    pub role: Role,
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIn")
            .field("password", &"***")
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for PasswordChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordChange").finish_non_exhaustive()
    }
}
