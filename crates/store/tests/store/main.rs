//! The store on both databases: every scenario runs on SQLite and on PostgreSQL.

mod account;
mod activation;
mod audit;
mod binding;
mod connect;
mod contact;
mod device;
mod ground;
mod provider;
mod session;
mod tenant;
mod user;
