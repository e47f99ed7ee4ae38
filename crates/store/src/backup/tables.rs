//! Which tables are in a backup, in an order in which no row refers to one that comes later.

use sea_orm::sea_query::ColumnType;
use sea_orm::{ColumnTrait, EntityTrait, IdenStatic, Iterable};

use crate::row;

/// A table as it is written and read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// What a column holds, in either database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Boolean,
    Bytes,
    Integer,
    Text,
    Uuid,
}

const NAMES: &[(&str, Kind)] = &[
    ("boolean", Kind::Boolean),
    ("bytes", Kind::Bytes),
    ("integer", Kind::Integer),
    ("text", Kind::Text),
    ("uuid", Kind::Uuid),
];

impl Kind {
    pub(super) fn name(self) -> &'static str {
        NAMES
            .iter()
            .find_map(|(name, kind)| (*kind == self).then_some(*name))
            .unwrap_or_default()
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        NAMES
            .iter()
            .find_map(|(known, kind)| (*known == name).then_some(*kind))
    }

    fn of(column: &ColumnType) -> Self {
        match column {
            ColumnType::Boolean => Self::Boolean,
            ColumnType::Uuid => Self::Uuid,
            ColumnType::BigInteger => Self::Integer,
            ColumnType::Binary(_) | ColumnType::VarBinary(_) | ColumnType::Blob => Self::Bytes,
            // What else a row holds is text, or its test fails.
            _ => Self::Text,
        }
    }
}

/// Every table of the schema but [`LEFT_OUT`]. A new table is named here, below those that it refers to.
pub(super) fn all() -> Vec<Table> {
    vec![
        table::<row::tenant::Entity>(),
        table::<row::user::Entity>(),
        table::<row::membership::Entity>(),
        table::<row::known_browser::Entity>(),
        table::<row::second_factor::Entity>(),
        table::<row::recovery_code::Entity>(),
        table::<row::invitation::Entity>(),
        table::<row::api_key::Entity>(),
        table::<row::sign_up::Entity>(),
        table::<row::sign_on_settings::Entity>(),
        table::<row::sign_on_domain::Entity>(),
        table::<row::sign_on_identity::Entity>(),
        table::<row::provider::Entity>(),
        table::<row::account::Entity>(),
        table::<row::contact::Entity>(),
        table::<row::contact_number::Entity>(),
        table::<row::contact_email::Entity>(),
        table::<row::contact_search::Entity>(),
        table::<row::device::Entity>(),
        table::<row::device_account::Entity>(),
        table::<row::activation::Entity>(),
        table::<row::desk_phone::Entity>(),
        table::<row::device_nonce::Entity>(),
        table::<row::registration::Entity>(),
        table::<row::audit_entry::Entity>(),
        table::<row::audit_chain::Entity>(),
        table::<row::mail_settings::Entity>(),
        table::<row::mail::Entity>(),
        table::<row::call::Entity>(),
        table::<row::call_number::Entity>(),
        table::<row::view::Entity>(),
        table::<row::contact_import::Entity>(),
        table::<row::contact_import_row::Entity>(),
        table::<row::webhook::Entity>(),
    ]
}

/// What is in no backup, and why.
#[cfg(test)]
pub(super) const LEFT_OUT: &[(&str, &str)] = &[
    ("seaql_migrations", "the head of the file has the steps"),
    (
        "sessions",
        "a session that was ended since must not come back: people sign in again",
    ),
    (
        "solved_puzzles",
        "they last an hour: whoever signs up solves another",
    ),
    (
        "sign_on_attempts",
        "they last a few minutes: people sign in again",
    ),
    (
        "half_sign_ins",
        "they last a few minutes: people sign in again",
    ),
    (
        "idempotency_keys",
        "answers to requests that come again within a day: what they made since the backup is not there",
    ),
    (
        "one_time_links",
        "a link that was used since must not work again: people ask for another",
    ),
    (
        "directories",
        "the database numbers the contacts anew when they are inserted, in another epoch: devices that know newer numbers must not \
         take them for those",
    ),
    ("directory_entries", "as the directories"),
    (
        "webhook_events",
        "what waited to be told was told since: a restore must not tell it again",
    ),
    ("webhook_deliveries", "as the events"),
    (
        "webhook_watches",
        "who was there at the time of the backup says nothing of now: it is noted anew",
    ),
    ("webhook_present", "as the watches"),
];

fn table<E: EntityTrait>() -> Table {
    let columns = E::Column::iter().map(|column| Column {
        name: column.as_str().to_owned(),
        kind: Kind::of(column.def().get_column_type()),
    });
    Table {
        name: E::default().table_name().to_owned(),
        columns: columns.collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use sea_orm::{ConnectionTrait, Statement};

    use super::*;
    use crate::{Database, StoreConfig, connect};

    const SQLITE: &str = "SELECT t.name, c.name AS col, lower(c.type) AS kind FROM sqlite_master AS t \
         JOIN pragma_table_info(t.name) AS c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' \
         AND t.name NOT LIKE '%_search_index%'";
    const POSTGRESQL: &str = "SELECT c.table_name::text AS name, c.column_name::text AS col, c.data_type::text AS kind \
         FROM information_schema.columns AS c WHERE c.table_schema = current_schema()";

    /// Tables, their columns and how the database calls what is in them.
    type Schema = BTreeMap<String, BTreeMap<String, String>>;

    async fn schema(sql: &str, db: &Database) -> Schema {
        let statement = Statement::from_string(db.get_database_backend(), sql);
        let mut schema = Schema::new();
        for row in db.query_all_raw(statement).await.unwrap() {
            let text = |column| row.try_get::<String>("", column).unwrap();
            let columns = schema.entry(text("name")).or_default();
            columns.insert(text("col"), text("kind"));
        }
        schema
    }

    fn is_right(kind: Kind, said: &str) -> bool {
        let words: &[&str] = match kind {
            Kind::Boolean => &["boolean"],
            Kind::Bytes => &["blob", "bytea"],
            Kind::Integer => &["bigint", "integer"],
            Kind::Text => &["text", "varchar"],
            Kind::Uuid => &["uuid_text", "uuid"],
        };
        words.contains(&said)
    }

    fn compare(schema: &Schema) {
        let listed: BTreeSet<_> = all().into_iter().map(|table| table.name).collect();
        let left_out = LEFT_OUT.iter().map(|(name, _)| (*name).to_owned());
        let known: BTreeSet<_> = listed.iter().cloned().chain(left_out).collect();
        let there: BTreeSet<_> = schema.keys().cloned().collect();
        assert_eq!(
            known, there,
            "every table is in backups or left out for a reason: tables.rs"
        );
        for table in all() {
            let there = &schema[&table.name];
            let names: BTreeSet<_> = table.columns.iter().map(|column| &column.name).collect();
            assert_eq!(names, there.keys().collect(), "columns of {}", table.name);
            for column in &table.columns {
                let said = &there[&column.name];
                assert!(
                    is_right(column.kind, said),
                    "{}.{} is {said}, not {:?}: the backup cannot carry it yet",
                    table.name,
                    column.name,
                    column.kind
                );
            }
        }
    }

    #[tokio::test]
    async fn every_table_and_column_of_the_schema_is_in_backups_or_left_out_for_a_reason() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("tandem.db").display());
        let db = connect(&url, &StoreConfig::default()).await.unwrap();
        compare(&schema(SQLITE, &db).await);
        if let Some(url) = testkit::postgres::database_url() {
            let db = connect(&url, &StoreConfig::default()).await.unwrap();
            compare(&schema(POSTGRESQL, &db).await);
        }
    }
}
