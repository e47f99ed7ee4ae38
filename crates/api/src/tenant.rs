//! Tenants and their members.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// What a member may do in a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything, and the members.
    Owner,
    /// Everything but the members.
    Administrator,
    /// Look, not touch.
    ReadOnly,
}

/// A company on this installation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Tenant {
    /// Identifier.
    pub id: Uuid,
    /// Short name for addresses and for the SIP domain.
    pub slug: String,
    /// Name for people.
    pub name: String,
    /// Made by the demonstration.
    pub demonstration: bool,
    /// Domain of the tenant's own SIP addresses.
    pub sip_domain: String,
    /// What the caller may do there; absent for an installation administrator who is no member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

/// A tenant to create.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantInput {
    /// Name for people, 1 to 100 characters.
    pub name: String,
    /// Lower-case letters, digits and hyphens; made from the name when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    /// Mark the tenant as made by the demonstration.
    #[serde(default)]
    pub demonstration: bool,
}

/// A person with a role in a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Member {
    /// Identifier of the user.
    pub user_id: Uuid,
    /// E-mail address.
    pub email: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// What the person may do.
    pub role: Role,
    /// A code is asked for at each sign-in.
    pub second_factor: bool,
}

/// Another role for a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberChange {
    /// What the person may do from now on.
    pub role: Role,
}

/// What a tenant asks of its members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantSecurity {
    /// Owners and administrators need a second factor before they see anything.
    pub second_factor_required: bool,
}

/// A member to add.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberInput {
    /// E-mail address of an existing user.
    pub email: String,
    /// What the person may do.
    pub role: Role,
}
