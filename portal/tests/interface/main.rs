//! The whole portal on an ephemeral port: what it answers to whom.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod access;
mod activation;
mod addresses;
mod api_keys;
mod audit;
mod calls;
mod canary;
mod desk_phone;
mod directory;
mod equip;
mod forged;
mod idempotency;
mod imports;
mod issuer;
mod lists;
mod live;
mod mail;
mod mail_server;
mod phone;
mod provider_tests;
mod provisioning;
mod receiver;
mod recovery;
mod resources;
mod second_factor;
mod sessions;
mod sign_in;
mod sign_on;
mod sign_up;
mod story;
mod team;
mod webhook_reference;
mod webhooks;
mod world;
