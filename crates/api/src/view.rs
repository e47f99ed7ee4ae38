//! Saved views of lists.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// A list that can have views.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ViewList {
    /// Contacts.
    Contacts,
    /// Devices.
    Devices,
    /// SIP accounts.
    Accounts,
    /// Service providers.
    Providers,
    /// Members of the tenant.
    Members,
    /// Calls.
    Calls,
    /// Mails.
    Mails,
    /// The audit log.
    Audit,
}

/// Whose views.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ViewQuery {
    /// Only views of this list.
    pub list: Option<ViewList>,
}

/// A saved view of a list, of the caller alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct View {
    /// Identifier.
    pub id: Uuid,
    /// The list.
    pub list: ViewList,
    /// What the person calls it.
    pub name: String,
    /// What is searched for; may be empty.
    pub search: String,
    /// The order, as in the list's `sort`; empty for the usual one.
    pub sort: String,
    /// The values of each filter.
    pub filters: BTreeMap<String, Vec<String>>,
    /// The columns that are shown, in order; absent for the usual ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<String>>,
}

/// A view to save; one of the same list and name is replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ViewInput {
    /// The list.
    pub list: ViewList,
    /// What the person calls it, 1 to 60 characters.
    pub name: String,
    /// What is searched for, at most 100 characters.
    #[serde(default)]
    pub search: String,
    /// The order, as in the list's `sort`, at most 60 characters.
    #[serde(default)]
    pub sort: String,
    /// The values of each filter: at most 20 filters with at most 100 values.
    #[serde(default)]
    pub filters: BTreeMap<String, Vec<String>>,
    /// The columns that are shown, in order, at most 50.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<String>>,
}

/// The views of the caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Views {
    /// By list and name.
    pub items: Vec<View>,
}
