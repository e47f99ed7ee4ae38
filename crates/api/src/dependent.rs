//! What is in the way of a deletion.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// What depends on something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DependentKind {
    /// A SIP account.
    Account,
    /// A device.
    Device,
}

/// What would become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DependentEffect {
    /// It would be without what it belongs to, so it has to go first.
    Removed,
    /// It would keep its other accounts.
    LosesAccount,
    /// It would have no account left.
    SignsOut,
}

/// Something that depends on what is to be deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Dependent {
    /// What it is.
    pub kind: DependentKind,
    /// Identifier.
    pub id: Uuid,
    /// Name.
    pub name: String,
    /// What would become of it.
    pub effect: DependentEffect,
}

/// All that depends on something. While there is anything, it cannot be deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Dependents {
    /// The first 20, accounts before devices, by name.
    pub items: Vec<Dependent>,
    /// How many there are.
    pub count: u64,
}
