//! A person with a phone, made in one go.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{Account, AccountInput, Contact, ContactInput, Device};

/// A contact, an account and a device of theirs: all are made, or none. The contact may be there already: then `contact_id` says who it is,
/// and `contact` is absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EquipInput {
    /// The person, who is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<ContactInput>,
    /// The person, who is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact_id: Option<Uuid>,
    /// What the phone is called at.
    pub account: EquipAccount,
    /// The phone.
    pub device: EquipDevice,
}

/// The account of the phone: one that is there or one that is made, never both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EquipAccount {
    /// One that is there and on no device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub existing: Option<Uuid>,
    /// One that is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<AccountInput>,
}

/// The phone, but for what follows from the rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EquipDevice {
    /// Name for people, 1 to 100 characters.
    pub name: String,
}

/// What was made. The device waits for its activation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Equipped {
    /// The person.
    pub contact: Contact,
    /// The account, now on the device.
    pub account: Account,
    /// The device.
    pub device: Device,
}

/// A user name that no account of the provider has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NextUsername {
    /// The next free number, such as `204` after `201` to `203`.
    pub username: String,
}
