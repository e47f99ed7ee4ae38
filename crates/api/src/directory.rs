//! The company directory, as a device gets it: whole once, changes from then on.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{ContactEmail, ContactNumber};

/// Which changes of the directory are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DirectoryQuery {
    /// The `position` of the answer before; a whole list begins without it.
    pub since: Option<String>,
    /// Changes to return, 1 to 1000; 500 when absent.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<u32>,
}

/// What is to be done to a copy of the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DirectoryChanges {
    /// This is the beginning of a whole list: whatever is known is to be forgotten once the list was read to its end. It is so without
    /// `since`, and when what changed since then is not known any more.
    pub whole: bool,
    /// People who are new or of whom something changed; each replaces what is known of the same `id`.
    pub entries: Vec<DirectoryEntry>,
    /// People who are not in the directory any more.
    pub removed: Vec<Uuid>,
    /// Pass this as `since` to read on, now or later.
    pub position: String,
    /// There is more to read right now.
    pub more: bool,
}

/// Somebody in the company directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DirectoryEntry {
    /// The contact.
    pub id: Uuid,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Company.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// Job title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_title: Option<String>,
    /// By what the person is called from inside.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub internal: Vec<InternalNumber>,
    /// Telephone numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub numbers: Vec<ContactNumber>,
    /// E-mail addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<ContactEmail>,
}

/// By what somebody is called from inside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InternalNumber {
    /// What is dialled: the user of the address.
    pub number: String,
    /// Address-of-record, `sip:user@domain`.
    pub address: String,
}
