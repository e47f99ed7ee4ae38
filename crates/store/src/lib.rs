//! Rows in, domain values out: the database of the portal and the proxy.
//!
//! [`connect`] opens SQLite or PostgreSQL and brings the schema up to date. Each aggregate is a module
//! of free functions ([`tenant`], [`user`], [`account`], [`device`], [`call`], …) that take specific arguments
//! first and the database last. The database is `&impl ConnectionTrait` where one statement does, and
//! `&impl `[`Db`] where a function must be atomic; both a pool and a [`Transaction`] fit, so the caller
//! decides what else is atomic with it ([`begin`], [`commit`]).
//!
//! What holds here and nowhere else has to care for:
//!
//! - every function about a tenant's things takes the tenant's id and filters by it; what belongs to
//!   somebody else is [`StoreError::NotFound`];
//! - secrets are sealed by the [`Vault`] before they reach a row and are [`Secret`] when they leave it;
//! - what can be looked up by a secret (activation, session) is kept as a keyed hash only;
//! - time is an argument; nothing here reads a clock;
//! - lists are paged by the column that they are ordered by and the key, at most [`MAX_PAGE`] rows at once.
//!
//! Rows never leave the crate, and domain values are not serialisable: wire types are in `api`.

pub mod account;
pub mod activation;
pub mod api_key;
pub mod audit;
pub mod backup;
mod batch;
pub mod binding;
pub mod browser;
pub mod call;
mod code;
mod connect;
pub mod contact;
mod database;
pub mod dependents;
pub mod desk_phone;
pub mod device;
pub mod directory;
mod error;
mod id;
pub mod idempotency;
pub mod import;
pub mod invitation;
pub mod link;
mod list;
pub mod mail;
pub mod membership;
mod micros;
mod number;
mod online;
mod page;
pub mod provider;
mod row;
mod schema;
pub mod search;
pub mod second_factor;
mod secret;
pub mod session;
pub mod sign_on;
pub mod sign_up;
pub mod standing;
pub mod tenant;
mod token;
pub mod user;
mod vault;
pub mod view;
pub mod webhook;
mod words;

pub use code::{ActivationCode, ActivationToken};
pub use connect::{
    ConnectError, PoolUse, StoreConfig, connect, open, open_existing, other_connections, pool_use,
};
pub use database::{Database, Db, Transaction, begin, commit};
pub use error::StoreError;
pub use online::Online;
pub use page::{
    ByName, Cursor, CursorError, MAX_PAGE, MAX_TOTAL, Page, PageRequest, Reference, Sort,
    SortColumn, Total,
};
pub use schema::SchemaState;
pub use secret::Secret;
pub use vault::{Place, Vault, VaultError};
pub use words::{
    AccountStatus, CallDirection, CallLink, CallOutcome, CallReason, CallSource, Codec,
    DeskPhoneMake, DeviceStatus, DeviceSubStatus, EmailLabel, Language, LinkPurpose, MailKind,
    MailReason, MailSecurity, MailState, NewPeople, Role, SipTransport, UnknownWord, Word,
};

pub use sea_orm::ConnectionTrait;
