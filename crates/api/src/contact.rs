//! Contacts: the people of a tenant.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// What an e-mail address is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EmailLabel {
    /// At work.
    Work,
    /// At home.
    Home,
}

/// A telephone number of a contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactNumber {
    /// E.164, `+` and up to 15 digits.
    pub number: String,
    /// What it is, such as `work` or `mobile`; at most 40 characters.
    pub label: String,
}

/// An e-mail address of a contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactEmail {
    /// The address.
    pub address: String,
    /// What it is for.
    pub label: EmailLabel,
}

/// A person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Contact {
    /// Identifier.
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
    /// Shown in the company directory.
    pub in_directory: bool,
    /// Telephone numbers.
    pub numbers: Vec<ContactNumber>,
    /// E-mail addresses, at least one.
    pub emails: Vec<ContactEmail>,
    /// Devices of the person.
    pub devices: Vec<ContactDevice>,
    /// What is dialled within the company to reach the person: the user names of the accounts at Tandem's own provider that the devices
    /// have.
    #[serde(default)]
    pub extensions: Vec<String>,
    /// Row version, the value of the `ETag`.
    pub version: u64,
}

/// A device of a contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ContactDevice {
    /// Identifier.
    pub id: Uuid,
    /// Name.
    pub name: String,
}

/// A contact to create or the new values of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactInput {
    /// First name, 1 to 100 characters.
    pub first_name: String,
    /// Last name, 1 to 100 characters.
    pub last_name: String,
    /// Company.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// Job title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_title: Option<String>,
    /// Show in the company directory; true when absent.
    #[serde(default = "shown")]
    pub in_directory: bool,
    /// Telephone numbers, at most 20.
    #[serde(default)]
    pub numbers: Vec<ContactNumber>,
    /// E-mail addresses, 1 to 20.
    pub emails: Vec<ContactEmail>,
}

fn shown() -> bool {
    true
}
