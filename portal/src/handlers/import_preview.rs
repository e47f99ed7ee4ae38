//! A file of contacts that is only looked at: how it would be read, and what is in its columns. Nothing of it is kept.

use std::time::Instant;

use api::{ImportPreview, ImportPreviewColumn, ImportQuery};
use axum::{Json, extract::State};

use super::{
    Refused,
    imports::{country, too_many_rows},
    upload::{AnyBytes, Upload},
};
use crate::{
    access::Caller,
    app::App,
    error::ApiError,
    extract::Asked,
    import::{
        columns::Field,
        file::{byte, decode, separator},
        national::{self, Country},
        read::{Sheet, TooManyRows},
    },
    validate::Fields,
};

/// Rows of which the cells are shown.
const SHOWN_ROWS: u64 = 5;
/// Characters of a cell that are shown.
const SHOWN_CHARACTERS: usize = 100;

/// See how a file would be read: its encoding, its separator, and what each column has and would fill. Nothing is kept.
#[utoipa::path(post, operation_id = "imports_preview", path = "/tenants/{tenant}/contacts/imports/preview", tag = "contacts",
    params(("tenant" = Uuid, Path), ImportQuery), request_body(content = AnyBytes, content_type = "text/csv"),
    responses((status = 200, body = ImportPreview), Refused), security(("session" = [])))]
pub(crate) async fn preview(
    State(app): State<App>,
    caller: Caller,
    Asked(query): Asked<ImportQuery>,
    Upload(bytes): Upload,
) -> Result<Json<ImportPreview>, ApiError> {
    app.limits.uploads.take(caller.tenant.id, Instant::now())?;
    let mut fields = Fields::default();
    let country = country(query.country.as_deref(), &mut fields);
    let read = decode(&bytes, query.encoding);
    let separator = query.separator.unwrap_or_else(|| separator(&read.text));
    let chosen = query.columns.as_deref();
    let sheet = Sheet::open(&read.text, byte(separator), chosen, &mut fields);
    fields.finish()?;
    let mut sheet = sheet.ok_or(ApiError::Internal)?;
    let mut columns: Vec<_> = sheet.columns.iter().map(column).collect();
    let mut rows = 0;
    while let Some(row) = sheet.next().map_err(|TooManyRows| too_many_rows())? {
        if row.number <= SHOWN_ROWS {
            let cells = row.cells.iter().map(String::as_str);
            for (column, cell) in columns.iter_mut().zip(cells.chain(std::iter::repeat(""))) {
                let sample: String = cell.trim().chars().take(SHOWN_CHARACTERS).collect();
                column.numbers.push(number(&sample, country));
                column.samples.push(sample);
            }
        }
        rows = row.number;
    }
    Ok(Json(ImportPreview {
        encoding: read.encoding,
        separator,
        columns,
        rows,
    }))
}

fn column((heading, field): &(String, Option<Field>)) -> ImportPreviewColumn {
    ImportPreviewColumn {
        heading: heading.clone(),
        field: field.map(|field| field.to_string()),
        samples: Vec::new(),
        numbers: Vec::new(),
    }
}

/// What would be kept of a number.
fn number(sample: &str, country: Option<Country>) -> Option<String> {
    let number = national::with_country_code(sample, country).ok()?;
    let mut fields = Fields::default();
    let number = fields.e164("number", &number);
    fields.finish().ok().map(|()| number)
}
