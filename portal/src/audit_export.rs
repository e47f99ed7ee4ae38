//! The audit log as CSV (RFC 4180), page by page, newest first: a row for each field that changed, so that a spreadsheet can filter them.

use std::io;

use futures_util::Stream;
use futures_util::stream::try_unfold;
use serde_json::Value;
use store::{
    Cursor, MAX_PAGE, PageRequest, Role,
    audit::{self, AuditEntry, AuditFilter},
};
use time::{OffsetDateTime, UtcOffset, macros::format_description};
use tracing::error;

use crate::{access::Caller, app::App, audit::changes_for, call_export::guarded};

const HEADINGS: [&str; 11] = [
    "number", "time", "who", "address", "action", "subject", "object", "detail", "field", "before",
    "after",
];

/// Where the export is.
enum Place {
    Beginning,
    After(Cursor),
    End,
}

/// The text, one page of entries after the other.
pub(crate) fn rows(
    caller: &Caller,
    filter: AuditFilter,
    search: Option<String>,
    app: App,
) -> impl Stream<Item = io::Result<Vec<u8>>> + Send + use<> {
    let (tenant, role) = (caller.tenant.id, caller.role);
    try_unfold(Place::Beginning, move |place| {
        let (filter, search, app) = (filter.clone(), search.clone(), app.clone());
        async move {
            let (mut writer, after) = match place {
                Place::Beginning => (beginning()?, None),
                Place::After(cursor) => (csv::Writer::from_writer(Vec::new()), Some(cursor)),
                Place::End => return Ok(None),
            };
            let request = PageRequest {
                limit: MAX_PAGE,
                after,
                search,
                ..PageRequest::default()
            };
            let page = audit::list(tenant, &filter, &request, &app.db)
                .await
                .map_err(|error| {
                    error!(%error, "an export of the audit log was cut off");
                    io::Error::other("the database failed")
                })?;
            for entry in &page.items {
                for row in lines(entry, role) {
                    writer.write_record(row.map(|cell| guarded(&cell)))?;
                }
            }
            let text = writer.into_inner().map_err(io::Error::other)?;
            Ok(Some((text, page.next.map_or(Place::End, Place::After))))
        }
    })
}

/// With a byte order mark, by which spreadsheets know that it is UTF-8.
fn beginning() -> io::Result<csv::Writer<Vec<u8>>> {
    let mut writer = csv::Writer::from_writer("\u{feff}".as_bytes().to_vec());
    writer.write_record(HEADINGS)?;
    Ok(writer)
}

/// One for each field that changed; one without a field for an entry that names none.
fn lines(entry: &AuditEntry, role: Role) -> Vec<[String; HEADINGS.len()]> {
    let changes = changes_for(role, entry);
    let line = |[field, before, after]: [String; 3]| {
        [
            entry
                .sequence
                .map_or_else(String::new, |number| number.to_string()),
            time(entry.at),
            entry.actor.clone(),
            entry.source.clone().unwrap_or_default(),
            entry.action.clone(),
            entry.subject.clone(),
            entry.object.map_or_else(String::new, |id| id.to_string()),
            entry.detail.clone(),
            field,
            before,
            after,
        ]
    };
    if changes.is_empty() {
        return vec![line([const { String::new() }; 3])];
    }
    changes
        .into_iter()
        .map(|(field, pair)| line([field, text(&pair[0]), text(&pair[1])]))
        .collect()
}

/// A value as people read it; lists and objects as JSON.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// To the second, UTC.
fn time(at: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    at.to_offset(UtcOffset::UTC)
        .format(format)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn entry(changes: Option<&str>) -> AuditEntry {
        AuditEntry {
            id: Uuid::nil(),
            at: OffsetDateTime::UNIX_EPOCH,
            actor: "ada@example.org".to_owned(),
            action: "contact.update".to_owned(),
            subject: "=Grace".to_owned(),
            detail: String::new(),
            object: None,
            source: None,
            changes: changes.map(str::to_owned),
            sequence: Some(7),
        }
    }

    #[test]
    fn every_field_that_changed_has_a_line() {
        let changed = entry(Some(
            r#"{"company":[null,"Acme"],"emails":[["a"],["a","b"]]}"#,
        ));
        let fields: Vec<_> = lines(&changed, Role::Owner)
            .into_iter()
            .map(|line| line[8..].join("|"))
            .collect();
        assert_eq!(fields, ["company||Acme", r#"emails|["a"]|["a","b"]"#]);
    }

    #[test]
    fn an_entry_without_fields_has_one_line() {
        for changes in [None, Some("{}"), Some("broken")] {
            let lines = lines(&entry(changes), Role::Owner);
            assert_eq!(lines.len(), 1);
            assert_eq!(lines[0][..2], ["7", "1970-01-01 00:00:00"]);
        }
    }
}
