//! The database schema, forward and back, for SQLite and PostgreSQL.
//!
//! One file per step, named `mYYYYMMDD_NNNN_<verb>_<table>`; the list in [`Migrator`] is the order.
//! A step that was released is never edited: a new step follows it. `README.md` says how a breaking
//! change is split so that the old and the new program can run side by side.
//!
//! Conventions that hold for every table:
//!
//! - keys are UUID (version 7, made by the program), `uuid` in PostgreSQL and 16 bytes in SQLite;
//! - every `*_at` column counts microseconds since the Unix epoch, UTC, so that times compare the same
//!   way in both databases;
//! - a row that belongs to a tenant carries `tenant_id`, and references inside a tenant are made of
//!   `(tenant_id, id)`, so that the database itself refuses a reference across tenants;
//! - `version` counts the changes of a row for optimistic locking;
//! - `sort_name` is the lower-case name that lists are ordered and paged by, compared byte by byte.
//!
//! Queries are not here: they are in the crate `store`.

use sea_orm_migration::prelude::*;

mod column;
mod m20261121_0001_create_tenants;
mod m20261121_0002_create_users;
mod m20261121_0003_create_memberships;
mod m20261121_0004_create_sessions;
mod m20261121_0005_create_providers;
mod m20261121_0006_create_sip_accounts;
mod m20261121_0007_create_contacts;
mod m20261121_0008_create_contact_numbers;
mod m20261121_0009_create_contact_emails;
mod m20261121_0010_create_contact_search;
mod m20261121_0011_create_devices;
mod m20261121_0012_create_device_accounts;
mod m20261121_0013_create_activations;
mod m20261121_0014_create_device_nonces;
mod m20261121_0015_create_bindings;
mod m20261121_0016_create_audit_entries;
mod m20261121_0017_create_registrations;
mod m20261123_0018_create_calls;
mod m20261123_0019_add_call_retention_to_tenants;
mod m20261123_0022_create_mail_settings;
mod m20261123_0023_create_mails;
mod m20261123_0024_add_instructions_to_activations;
mod m20261123_0025_add_chain_to_audit_entries;
mod m20261123_0026_add_browser_to_sessions;
mod m20261123_0027_create_known_browsers;
mod m20261123_0028_create_second_factors;
mod m20261123_0029_create_invitations;
mod m20261123_0030_create_one_time_links;
mod m20261123_0031_create_api_keys;
mod m20261123_0034_add_orders_to_lists;
mod m20261123_0035_create_views;
mod m20261123_0036_create_contact_imports;
mod m20261123_0042_add_dialing_rules_to_sip_accounts;
mod m20261123_0043_create_directories;
mod m20261123_0044_keep_directories;
mod m20261123_0046_create_idempotency_keys;
mod m20261123_0050_create_sign_on;
mod m20261123_0051_create_sign_ups;
mod m20261123_0054_create_webhooks;
mod m20261123_0055_create_webhook_deliveries;
mod m20261123_0056_create_webhook_watches;
mod m20261123_0057_add_order_to_contact_search;
mod m20261123_0058_create_desk_phones;
mod m20261123_0059_add_second_factor_to_api_keys;
mod m20261123_0061_add_actor_to_imports;
mod m20261123_0062_add_country_to_imports;
mod m20261123_0063_keep_parts_of_contacts_together;

/// All steps in order; run it with [`MigratorTrait`].
#[derive(Clone, Copy, Debug)]
pub struct Migrator;

pub use sea_orm_migration::MigratorTrait;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261121_0001_create_tenants::Step),
            Box::new(m20261121_0002_create_users::Step),
            Box::new(m20261121_0003_create_memberships::Step),
            Box::new(m20261121_0004_create_sessions::Step),
            Box::new(m20261121_0005_create_providers::Step),
            Box::new(m20261121_0006_create_sip_accounts::Step),
            Box::new(m20261121_0007_create_contacts::Step),
            Box::new(m20261121_0008_create_contact_numbers::Step),
            Box::new(m20261121_0009_create_contact_emails::Step),
            Box::new(m20261121_0010_create_contact_search::Step),
            Box::new(m20261121_0011_create_devices::Step),
            Box::new(m20261121_0012_create_device_accounts::Step),
            Box::new(m20261121_0013_create_activations::Step),
            Box::new(m20261121_0014_create_device_nonces::Step),
            Box::new(m20261121_0015_create_bindings::Step),
            Box::new(m20261121_0016_create_audit_entries::Step),
            Box::new(m20261121_0017_create_registrations::Step),
            Box::new(m20261123_0018_create_calls::Step),
            Box::new(m20261123_0019_add_call_retention_to_tenants::Step),
            Box::new(m20261123_0022_create_mail_settings::Step),
            Box::new(m20261123_0023_create_mails::Step),
            Box::new(m20261123_0024_add_instructions_to_activations::Step),
            Box::new(m20261123_0025_add_chain_to_audit_entries::Step),
            Box::new(m20261123_0026_add_browser_to_sessions::Step),
            Box::new(m20261123_0027_create_known_browsers::Step),
            Box::new(m20261123_0028_create_second_factors::Step),
            Box::new(m20261123_0029_create_invitations::Step),
            Box::new(m20261123_0030_create_one_time_links::Step),
            Box::new(m20261123_0031_create_api_keys::Step),
            Box::new(m20261123_0034_add_orders_to_lists::Step),
            Box::new(m20261123_0035_create_views::Step),
            Box::new(m20261123_0036_create_contact_imports::Step),
            Box::new(m20261123_0042_add_dialing_rules_to_sip_accounts::Step),
            Box::new(m20261123_0043_create_directories::Step),
            Box::new(m20261123_0044_keep_directories::Step),
            Box::new(m20261123_0046_create_idempotency_keys::Step),
            Box::new(m20261123_0050_create_sign_on::Step),
            Box::new(m20261123_0051_create_sign_ups::Step),
            Box::new(m20261123_0054_create_webhooks::Step),
            Box::new(m20261123_0055_create_webhook_deliveries::Step),
            Box::new(m20261123_0056_create_webhook_watches::Step),
            Box::new(m20261123_0057_add_order_to_contact_search::Step),
            Box::new(m20261123_0058_create_desk_phones::Step),
            Box::new(m20261123_0059_add_second_factor_to_api_keys::Step),
            Box::new(m20261123_0061_add_actor_to_imports::Step),
            Box::new(m20261123_0062_add_country_to_imports::Step),
            Box::new(m20261123_0063_keep_parts_of_contacts_together::Step),
        ]
    }
}
