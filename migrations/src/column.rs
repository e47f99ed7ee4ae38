//! Column types that every table shares; see the conventions in the crate's front page.

use sea_orm_migration::prelude::*;

/// A required UUID.
pub(crate) fn id(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).uuid().not_null().take()
}

/// The UUID that is the row's primary key.
pub(crate) fn key(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).uuid().not_null().primary_key().take()
}

/// Required text.
pub(crate) fn text(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).text().not_null().take()
}

/// Text that may be absent.
pub(crate) fn optional_text(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).text().null().take()
}

/// Required text that is compared byte by byte, whatever the locale of the database.
pub(crate) fn sort_text(name: &'static str, manager: &SchemaManager<'_>) -> ColumnDef {
    match manager.get_database_backend() {
        sea_orm::DbBackend::Postgres => ColumnDef::new(name)
            .custom(r#"text COLLATE "C""#)
            .not_null()
            .take(),
        _ => text(name),
    }
}

/// The same, and it may be absent.
pub(crate) fn optional_sort_text(name: &'static str, manager: &SchemaManager<'_>) -> ColumnDef {
    match manager.get_database_backend() {
        sea_orm::DbBackend::Postgres => ColumnDef::new(name)
            .custom(r#"text COLLATE "C""#)
            .null()
            .take(),
        _ => optional_text(name),
    }
}

/// Required 64-bit integer: counts, versions, and times in microseconds since the Unix epoch.
pub(crate) fn integer(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().not_null().take()
}

/// 64-bit integer that may be absent.
pub(crate) fn optional_integer(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().null().take()
}

/// Required truth value.
pub(crate) fn boolean(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).boolean().not_null().take()
}

/// Required bytes.
pub(crate) fn bytes(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).blob().not_null().take()
}

/// Bytes that may be absent.
pub(crate) fn optional_bytes(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).blob().null().take()
}

/// A UUID that may be absent.
pub(crate) fn optional_id(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).uuid().null().take()
}
