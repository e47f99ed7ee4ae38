//! The answers, one file per resource.
//!
//! A handler checks the input, does one thing in the store, notes it in the audit log within the same
//! transaction, and lets the others know after the commit.

pub(crate) mod accounts;
pub(crate) mod activation;
pub(crate) mod addresses;
pub(crate) mod api_keys;
pub(crate) mod audit;
pub(crate) mod calls;
pub(crate) mod contacts;
pub(crate) mod contacts_bulk;
pub(crate) mod desk_phone;
pub(crate) mod device_live;
pub(crate) mod devices;
pub(crate) mod directory;
pub(crate) mod equip;
pub(crate) mod health;
pub(crate) mod import_preview;
pub(crate) mod imports;
pub(crate) mod instructions;
pub(crate) mod invitations;
pub(crate) mod live;
pub(crate) mod mail;
pub(crate) mod mailbox;
pub(crate) mod members;
pub(crate) mod provider_tests;
pub(crate) mod providers;
pub(crate) mod provisioning;
pub(crate) mod recovery;
pub(crate) mod retention;
pub(crate) mod search;
pub(crate) mod second_factor;
pub(crate) mod session;
pub(crate) mod sessions;
pub(crate) mod sign_on;
pub(crate) mod sign_on_settings;
pub(crate) mod sign_up;
pub(crate) mod tenants;
mod upload;
pub(crate) mod views;
pub(crate) mod webhooks;

use api::Problem;
use utoipa::IntoResponses;

/// Every refusal, for the description.
#[derive(IntoResponses)]
#[response(
    status = "default",
    description = "Not carried out; see the problem's type and detail",
    content_type = "application/problem+json"
)]
pub(crate) struct Refused(
    #[expect(dead_code, reason = "names the type in the description")] Problem,
);
