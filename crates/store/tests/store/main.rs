//! The store on both databases: every scenario runs on SQLite and on PostgreSQL.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod account;
mod activation;
mod api_key;
mod audit;
mod backup;
mod binding;
mod call;
mod connect;
mod contact;
mod desk_phone;
mod device;
mod directory;
mod ground;
mod idempotency;
mod import;
mod invitation;
mod lists;
mod mail;
mod provider;
mod second_factor;
mod session;
mod sign_on;
mod sign_up;
mod standing;
mod tenant;
mod user;
mod webhook;
