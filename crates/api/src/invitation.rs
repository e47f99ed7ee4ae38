//! Invitations into a tenant, and what else is done by a link in a mail.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{Language, Role};

/// Somebody who was invited and has not come yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Invitation {
    /// Identifier.
    pub id: Uuid,
    /// Where the link was mailed to.
    pub email: String,
    /// What the member will be allowed to do.
    pub role: Role,
    /// Name of who invited.
    pub invited_by: String,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// Until when the link works.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
    /// The link does not work any more.
    pub expired: bool,
}

/// A new link of an invitation, told this once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InvitationLink {
    /// The invitation, with its new time.
    pub invitation: Invitation,
    /// What whoever was invited opens; whoever else has it can join in their place.
    pub link: String,
}

/// Somebody to invite.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationInput {
    /// Where the link is mailed to.
    pub email: String,
    /// What the member will be allowed to do.
    pub role: Role,
    /// Of the mail; the tenant's unless it is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
}

/// What the link of an invitation carries in its fragment.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationToken {
    /// 43 characters.
    pub token: String,
}

/// An invitation, as it is shown to who was invited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShownInvitation {
    /// Name of the tenant.
    pub tenant: String,
    /// Where the link was mailed to.
    pub email: String,
    /// What the member will be allowed to do.
    pub role: Role,
    /// Name of who invited.
    pub invited_by: String,
    /// This address has access to the portal already: sign in, then join.
    pub has_access: bool,
    /// Until when the link works.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
}

/// Who accepts an invitation without access so far.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptInvitation {
    /// Of the link.
    pub token: String,
    /// First name, 1 to 100 characters.
    pub first_name: String,
    /// Last name, 1 to 100 characters.
    pub last_name: String,
    /// At least 12 characters.
    #[schema(format = Password, min_length = 12, max_length = 200)]
    pub password: String,
}

/// Who has forgotten the password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordReset {
    /// Where the link is mailed to, if somebody has access with it.
    pub email: String,
}

/// A new password, proven by the link of a mail.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// Of the link.
    pub token: String,
    /// At least 12 characters.
    #[schema(format = Password, min_length = 12, max_length = 200)]
    pub password: String,
}

/// Another e-mail address to sign in with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EmailChange {
    /// The new address.
    pub email: String,
}

/// What the link of a mail carries in its fragment.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkToken {
    /// 43 characters.
    pub token: String,
}

/// Types that hold what opens something print nothing of it.
macro_rules! hidden {
    ($($kind:ident),+) => { $(
        impl fmt::Debug for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($kind)).finish_non_exhaustive()
            }
        }
    )+ };
}

hidden!(
    InvitationLink,
    InvitationToken,
    AcceptInvitation,
    NewPassword,
    LinkToken
);
