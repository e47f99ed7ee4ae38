//! Calls as CSV (RFC 4180), page by page: however many there are, one page is in memory.
//!
//! The text begins with a byte order mark, by which spreadsheets know that it is UTF-8. A cell that a spreadsheet would take for a formula
//! begins with an apostrophe instead: names and numbers are what callers say of themselves.

use std::io;

use api::{Call, CallParty};
use futures_util::Stream;
use futures_util::stream::try_unfold;
use store::{
    Cursor, MAX_PAGE, PageRequest,
    call::{self, CallFilter},
};
use time::OffsetDateTime;
use time::macros::format_description;
use tracing::error;
use uuid::Uuid;

use crate::{app::App, call_wire};

const HEADINGS: [&str; 17] = [
    "started",
    "answered",
    "ended",
    "duration_seconds",
    "direction",
    "outcome",
    "reason",
    "sip_status",
    "caller_number",
    "caller_name",
    "caller_contact",
    "caller_account",
    "dialled",
    "callee_number",
    "callee_contact",
    "callee_account",
    "callee_device",
];

/// Where the export is.
enum Place {
    Beginning,
    After(Cursor),
    End,
}

/// The text, one page of rows after the other.
pub(crate) fn rows(
    tenant: Uuid,
    filter: CallFilter,
    app: App,
) -> impl Stream<Item = io::Result<Vec<u8>>> + Send {
    try_unfold(Place::Beginning, move |place| {
        let (filter, app) = (filter.clone(), app.clone());
        async move {
            let (mut writer, after) = match place {
                Place::Beginning => (beginning()?, None),
                Place::After(cursor) => (csv::Writer::from_writer(Vec::new()), Some(cursor)),
                Place::End => return Ok(None),
            };
            let request = PageRequest {
                limit: MAX_PAGE,
                after,
                ..PageRequest::default()
            };
            let page = call::list(tenant, &filter, &request, &app.db)
                .await
                .map_err(|error| {
                    error!(%error, "an export of calls was cut off");
                    io::Error::other("the database failed")
                })?;
            for known in page.items {
                writer.write_record(cells(&call_wire::call(known)).map(|cell| guarded(&cell)))?;
            }
            let text = writer.into_inner().map_err(io::Error::other)?;
            Ok(Some((text, page.next.map_or(Place::End, Place::After))))
        }
    })
}

fn beginning() -> io::Result<csv::Writer<Vec<u8>>> {
    let mut writer = csv::Writer::from_writer("\u{feff}".as_bytes().to_vec());
    writer.write_record(HEADINGS)?;
    Ok(writer)
}

fn cells(call: &Call) -> [String; HEADINGS.len()] {
    let number = |party: &CallParty| party.number.clone().unwrap_or_default();
    let named = |reference: &Option<api::CallReference>| {
        let reference = reference.as_ref();
        reference.map_or_else(String::new, |reference| reference.name.clone())
    };
    [
        time(Some(call.started_at)),
        time(call.answered_at),
        time(call.ended_at),
        call.duration_secs
            .map_or_else(String::new, |secs| secs.to_string()),
        call_wire::stored_direction(call.direction).to_string(),
        call_wire::stored_outcome(call.outcome).to_string(),
        call.reason.map_or_else(String::new, call_wire::reason_word),
        call.status
            .map_or_else(String::new, |status| status.to_string()),
        number(&call.caller),
        call.caller.name.clone().unwrap_or_default(),
        named(&call.caller.contact),
        named(&call.caller.account),
        call.dialled.clone(),
        number(&call.callee),
        named(&call.callee.contact),
        named(&call.callee.account),
        named(&call.callee.device),
    ]
}

/// As spreadsheets read it: `2026-11-23 08:00:00`, UTC.
fn time(at: Option<OffsetDateTime>) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    at.and_then(|at| at.to_offset(time::UtcOffset::UTC).format(format).ok())
        .unwrap_or_default()
}

/// What no spreadsheet takes for a formula.
pub(crate) fn guarded(cell: &str) -> String {
    match cell.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r') => format!("'{cell}"),
        _ => cell.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_begins_like_a_formula() {
        for cell in ["=1+1", "+49", "-1", "@x", "\tx", "\rx"] {
            assert_eq!(guarded(cell), format!("'{cell}"));
        }
        for cell in ["", "49", "a=b", "'x"] {
            assert_eq!(guarded(cell), cell);
        }
    }
}
