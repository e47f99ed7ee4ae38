//! Contacts as CSV (RFC 4180) that spreadsheets open and that comes back unchanged through the import: page by page, so that one page is in
//! memory however many there are.

use std::io;

use futures_util::Stream;
use futures_util::stream::try_unfold;
use store::{
    Cursor, MAX_PAGE, PageRequest,
    contact::{self, Contact, ContactFilter, ContactSort},
};
use tracing::error;
use uuid::Uuid;

use super::columns::Field;
use crate::{app::App, call_export::guarded};

/// Where the export is.
enum Place {
    Beginning,
    After(Cursor),
    End,
}

/// Which contacts, in which order.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) tenant: Uuid,
    pub(crate) filter: ContactFilter,
    pub(crate) request: PageRequest<ContactSort>,
    /// How many numbers and addresses have columns.
    pub(crate) parts: (usize, usize),
}

/// The text, one page of rows after the other.
pub(crate) fn rows(wanted: Wanted, app: App) -> impl Stream<Item = io::Result<Vec<u8>>> + Send {
    try_unfold(Place::Beginning, move |place| {
        let (wanted, app) = (wanted.clone(), app.clone());
        async move {
            let fields = fields(wanted.parts);
            let (mut writer, after) = match place {
                Place::Beginning => (beginning(&fields)?, None),
                Place::After(cursor) => (csv::Writer::from_writer(Vec::new()), Some(cursor)),
                Place::End => return Ok(None),
            };
            let request = PageRequest {
                limit: MAX_PAGE,
                after,
                ..wanted.request.clone()
            };
            let page = contact::list(wanted.tenant, &wanted.filter, &request, &app.db)
                .await
                .map_err(|error| {
                    error!(%error, "an export of contacts was cut off");
                    io::Error::other("the database failed")
                })?;
            for contact in &page.items {
                let cells = fields.iter().map(|field| guarded(&cell(contact, *field)));
                writer.write_record(cells)?;
            }
            let text = writer.into_inner().map_err(io::Error::other)?;
            Ok(Some((text, page.next.map_or(Place::End, Place::After))))
        }
    })
}

/// A file with the headings and one person, to be filled.
pub(crate) fn template(example: &[(Field, &str)]) -> io::Result<Vec<u8>> {
    let fields: Vec<Field> = example.iter().map(|(field, _)| *field).collect();
    let mut writer = beginning(&fields)?;
    writer.write_record(example.iter().map(|(_, cell)| guarded(cell)))?;
    writer.into_inner().map_err(io::Error::other)
}

/// The byte order mark tells spreadsheets that it is UTF-8.
fn beginning(fields: &[Field]) -> io::Result<csv::Writer<Vec<u8>>> {
    let mut writer = csv::Writer::from_writer("\u{feff}".as_bytes().to_vec());
    writer.write_record(fields.iter().map(Field::to_string))?;
    Ok(writer)
}

fn fields((numbers, emails): (usize, usize)) -> Vec<Field> {
    let mut fields = vec![
        Field::Id,
        Field::FirstName,
        Field::LastName,
        Field::Company,
        Field::JobTitle,
        Field::InDirectory,
    ];
    fields.extend((0..emails).flat_map(|at| [Field::Email(at), Field::EmailLabel(at)]));
    fields.extend((0..numbers).flat_map(|at| [Field::Number(at), Field::NumberLabel(at)]));
    fields
}

fn cell(contact: &Contact, field: Field) -> String {
    let number = |at: usize| contact.numbers.get(at);
    let email = |at: usize| contact.emails.get(at);
    match field {
        Field::Id => contact.id.to_string(),
        Field::FirstName => contact.first_name.clone(),
        Field::LastName => contact.last_name.clone(),
        Field::Company => contact.company.clone().unwrap_or_default(),
        Field::JobTitle => contact.job_title.clone().unwrap_or_default(),
        Field::InDirectory => if contact.in_directory { "yes" } else { "no" }.to_owned(),
        Field::Number(at) => number(at).map_or_else(String::new, |one| one.number.clone()),
        Field::NumberLabel(at) => number(at).map_or_else(String::new, |one| one.label.clone()),
        Field::Email(at) => email(at).map_or_else(String::new, |one| one.address.clone()),
        Field::EmailLabel(at) => email(at).map_or_else(String::new, |one| one.label.to_string()),
    }
}
