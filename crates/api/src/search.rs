//! One search over everything of a tenant.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// What is searched for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SearchQuery {
    /// Parts of names, addresses or numbers; numbers in any spelling. At most 100 characters.
    pub q: String,
    /// Items of each kind, 1 to 20; 5 when absent.
    #[param(minimum = 1, maximum = 20)]
    pub limit: Option<u32>,
}

/// What can be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FoundKind {
    /// A person.
    Contact,
    /// A device.
    Device,
    /// A SIP account.
    Account,
    /// A service provider.
    Provider,
    /// A member of the tenant.
    Member,
}

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Found {
    /// What it is.
    pub kind: FoundKind,
    /// Identifier.
    pub id: Uuid,
    /// Name.
    pub name: String,
    /// What tells it from others of that name, or why it was found; may be empty.
    pub detail: String,
}

/// What was found of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FoundGroup {
    /// What these are.
    pub kind: FoundKind,
    /// The best first.
    pub items: Vec<Found>,
}

/// What was found. Kinds of which nothing was found, or which the caller may not read, are left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SearchResult {
    /// One group for each kind.
    pub groups: Vec<FoundGroup>,
}
