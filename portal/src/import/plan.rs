//! What a row of a file would do to the contacts: make one, change one, nothing, or be refused.
//!
//! A row is of the contact whose id it has or, without an id, of the one with one of its addresses. A cell that is empty leaves what is
//! there, unless the row has an id: then the file came from here, and an empty cell was emptied. Numbers and addresses that have no
//! column in the file stay.

use std::collections::HashMap;

use api::FieldError;
use store::{
    EmailLabel,
    contact::{Contact, ContactEmail, ContactFields, ContactNumber, MAX_EMAILS, MAX_NUMBERS},
    import::{ImportCounts, ImportResult, NewImportRow},
};
use uuid::Uuid;

use super::{
    columns::Field,
    national::{self, Country, NoAreaCode},
    read::Cells,
};
use crate::validate::Fields;

/// A row with what its cells fill.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    number: u64,
    line: u64,
    cells: HashMap<Field, String>,
    /// What the contact is found by.
    pub(crate) id: Option<Uuid>,
    pub(crate) addresses: Vec<String>,
}

/// Plans rows in the order of the file and remembers which contacts and addresses they had.
#[derive(Debug)]
pub(crate) struct Planner<'a> {
    columns: &'a [(String, Option<Field>)],
    /// Where numbers are that do not say it.
    country: Option<Country>,
    contacts: HashMap<Uuid, u64>,
    addresses: HashMap<String, u64>,
    pub(crate) counts: ImportCounts,
}

impl<'a> Planner<'a> {
    pub(crate) fn new(columns: &'a [(String, Option<Field>)], country: Option<Country>) -> Self {
        Self {
            columns,
            country,
            contacts: HashMap::new(),
            addresses: HashMap::new(),
            counts: ImportCounts::default(),
        }
    }

    pub(crate) fn draft(&self, row: Cells) -> Draft {
        let columns = self.columns.iter().map(|(_, field)| *field);
        let cells: HashMap<Field, String> = columns
            .zip(row.cells)
            .filter_map(|(field, cell)| Some((field?, unguarded(cell.trim()).to_owned())))
            .collect();
        let addresses = (0..MAX_EMAILS).filter_map(|at| cells.get(&Field::Email(at)));
        Draft {
            number: row.number,
            line: row.line,
            id: cells.get(&Field::Id).and_then(|id| id.parse().ok()),
            addresses: addresses
                .filter(|address| !address.is_empty())
                .map(|address| address.to_ascii_lowercase())
                .collect(),
            cells,
        }
    }

    /// `found` has at least the contacts with the draft's id and addresses.
    pub(crate) fn plan(&mut self, draft: &Draft, found: &[Contact], new_id: Uuid) -> NewImportRow {
        let mut fields = Fields::default();
        let contact = self.contact(draft, found, &mut fields);
        self.note(draft, contact, &mut fields);
        let before = contact.map(fields_of);
        let after = self.merged(draft, before.as_ref(), &mut fields);
        let errors = fields.into_errors();
        let result = match &before {
            _ if !errors.is_empty() => ImportResult::Refused,
            None => ImportResult::Create,
            Some(before) if *before == after => ImportResult::Unchanged,
            Some(_) => ImportResult::Update,
        };
        let count = match result {
            ImportResult::Create => &mut self.counts.created,
            ImportResult::Update => &mut self.counts.updated,
            ImportResult::Unchanged => &mut self.counts.unchanged,
            ImportResult::Refused => &mut self.counts.refused,
        };
        *count += 1;
        let writes = matches!(result, ImportResult::Create | ImportResult::Update);
        let name = format!("{} {}", after.first_name, after.last_name);
        NewImportRow {
            number: draft.number,
            line: draft.line,
            result,
            name: name.trim().chars().take(201).collect(),
            contact: match result {
                ImportResult::Create => Some(new_id),
                _ => contact.map(|contact| contact.id),
            },
            version: contact.map(|contact| contact.version).filter(|_| writes),
            before: before.filter(|_| writes),
            fields: writes.then_some(after),
            errors: told(errors),
        }
    }

    /// Whom the row is of.
    fn contact<'c>(
        &self,
        draft: &Draft,
        found: &'c [Contact],
        fields: &mut Fields,
    ) -> Option<&'c Contact> {
        let said = draft.cells.get(&Field::Id).filter(|id| !id.is_empty());
        if said.is_some() {
            let known = found.iter().find(|contact| Some(contact.id) == draft.id);
            if known.is_none() {
                fields.wrong(&self.heading(Field::Id), "No contact has this id.");
            }
            return known;
        }
        let has_address = |contact: &&Contact| {
            let mut addresses = contact.emails.iter();
            addresses.any(|email| {
                draft
                    .addresses
                    .contains(&email.address.to_ascii_lowercase())
            })
        };
        let matching: Vec<&Contact> = found.iter().filter(has_address).collect();
        let is_named_so = |contact: &&&Contact| {
            let cell = |field| draft.cells.get(&field).map_or("", String::as_str);
            contact.first_name == cell(Field::FirstName)
                && contact.last_name == cell(Field::LastName)
        };
        match matching.as_slice() {
            [] => None,
            [one] => Some(one),
            several => {
                let named: Vec<_> = several.iter().filter(is_named_so).collect();
                if let [one] = named.as_slice() {
                    return Some(one);
                }
                fields.wrong(
                    &self.heading(Field::Email(0)),
                    "Several contacts have this address. Please name the one with its id.",
                );
                several.first().copied()
            }
        }
    }

    /// A contact or an address that an earlier row has cannot be meant twice.
    fn note(&mut self, draft: &Draft, contact: Option<&Contact>, fields: &mut Fields) {
        if let Some(contact) = contact {
            let row = *self.contacts.entry(contact.id).or_insert(draft.number);
            if row != draft.number {
                fields.wrong("", format!("Row {row} is of the same contact."));
                return;
            }
        }
        for address in &draft.addresses {
            let row = *self
                .addresses
                .entry(address.clone())
                .or_insert(draft.number);
            if row != draft.number {
                let heading = self.heading(Field::Email(0));
                fields.wrong(&heading, format!("Row {row} has this address already."));
                return;
            }
        }
    }

    /// The contact as it would be.
    fn merged(
        &self,
        draft: &Draft,
        before: Option<&ContactFields>,
        fields: &mut Fields,
    ) -> ContactFields {
        let mut text = |field: Field, before: Option<&String>| {
            let cell = draft.cells.get(&field).map_or("", String::as_str);
            match before {
                Some(before) if cell.is_empty() => before.clone(),
                _ => fields.text(&self.heading(field), cell, 100),
            }
        };
        let first_name = text(Field::FirstName, before.map(|before| &before.first_name));
        let last_name = text(Field::LastName, before.map(|before| &before.last_name));
        let mut optional = |field: Field, before: Option<&String>| {
            let Some(cell) = draft.cells.get(&field) else {
                return before.cloned();
            };
            if cell.is_empty() && draft.id.is_none() {
                return before.cloned();
            }
            fields.optional_text(&self.heading(field), Some(cell), 100)
        };
        let company = before.and_then(|before| before.company.as_ref());
        let company = optional(Field::Company, company);
        let job_title = before.and_then(|before| before.job_title.as_ref());
        let job_title = optional(Field::JobTitle, job_title);
        ContactFields {
            first_name,
            last_name,
            company,
            job_title,
            in_directory: self.in_directory(draft, before, fields),
            numbers: self.numbers(draft, before, fields),
            emails: self.emails(draft, before, fields),
        }
    }

    fn in_directory(
        &self,
        draft: &Draft,
        before: Option<&ContactFields>,
        fields: &mut Fields,
    ) -> bool {
        let before = before.is_none_or(|before| before.in_directory);
        let cell = draft
            .cells
            .get(&Field::InDirectory)
            .map_or("", String::as_str);
        match cell.to_lowercase().as_str() {
            "" => before,
            "true" | "yes" | "1" | "x" | "ja" | "wahr" => true,
            "false" | "no" | "0" | "nein" | "falsch" => false,
            _ => {
                fields.wrong(&self.heading(Field::InDirectory), "Please use yes or no.");
                before
            }
        }
    }

    fn numbers(
        &self,
        draft: &Draft,
        before: Option<&ContactFields>,
        fields: &mut Fields,
    ) -> Vec<ContactNumber> {
        let before = before.map_or(&[][..], |before| &before.numbers);
        let mut given: Vec<ContactNumber> = Vec::new();
        for at in 0..MAX_NUMBERS {
            let cell = draft.cells.get(&Field::Number(at));
            let Some(cell) = cell.filter(|cell| !cell.is_empty()) else {
                continue;
            };
            let number = self.number(Field::Number(at), cell, fields);
            let known = before.iter().find(|known| known.number == number);
            let label = draft.cells.get(&Field::NumberLabel(at));
            let label = match label.filter(|label| !label.is_empty()) {
                Some(label) => fields.text(&self.heading(Field::NumberLabel(at)), label, 40),
                None => known.map_or_else(|| WORK.to_owned(), |known| known.label.clone()),
            };
            given.push(ContactNumber { number, label });
        }
        let columns = self.count(|field| matches!(field, Field::Number(_)));
        let numbers = joined(given, before, columns, draft.id.is_some(), |one, other| {
            one.number == other.number
        });
        let distinct: Vec<_> = numbers.iter().map(|number| &number.number).collect();
        fields.list(&self.heading(Field::Number(0)), &distinct, 0, MAX_NUMBERS);
        numbers
    }

    /// The number in E.164.
    fn number(&self, field: Field, cell: &str, fields: &mut Fields) -> String {
        let heading = self.heading(field);
        match national::with_country_code(cell, self.country) {
            Ok(number) => fields.e164(&heading, &number),
            Err(NoAreaCode) => {
                fields.wrong(
                    &heading,
                    "Please enter the number with its area code, as it is dialled within the country, or with + and the country code.",
                );
                cell.to_owned()
            }
        }
    }

    fn emails(
        &self,
        draft: &Draft,
        before: Option<&ContactFields>,
        fields: &mut Fields,
    ) -> Vec<ContactEmail> {
        let before = before.map_or(&[][..], |before| &before.emails);
        let same = |one: &ContactEmail, other: &ContactEmail| {
            one.address.eq_ignore_ascii_case(&other.address)
        };
        let mut given: Vec<ContactEmail> = Vec::new();
        for at in 0..MAX_EMAILS {
            let cell = draft.cells.get(&Field::Email(at));
            let Some(cell) = cell.filter(|cell| !cell.is_empty()) else {
                continue;
            };
            let mut email = ContactEmail {
                address: fields.email(&self.heading(Field::Email(at)), cell),
                label: EmailLabel::Work,
            };
            if let Some(known) = before.iter().find(|known| same(known, &email)) {
                email = known.clone();
            }
            let label = draft.cells.get(&Field::EmailLabel(at));
            if let Some(label) = label.filter(|label| !label.is_empty()) {
                email.label = self.label(Field::EmailLabel(at), label, fields);
            }
            given.push(email);
        }
        let columns = self.count(|field| matches!(field, Field::Email(_)));
        let emails = joined(given, before, columns, draft.id.is_some(), same);
        let distinct: Vec<_> = emails
            .iter()
            .map(|email| email.address.to_lowercase())
            .collect();
        fields.list(&self.heading(Field::Email(0)), &distinct, 1, MAX_EMAILS);
        emails
    }

    fn label(&self, field: Field, label: &str, fields: &mut Fields) -> EmailLabel {
        match label.to_lowercase().as_str() {
            "work" | "business" | "arbeit" | "geschäftlich" | "dienstlich" => EmailLabel::Work,
            "home" | "private" | "privat" | "zuhause" => EmailLabel::Home,
            _ => {
                fields.wrong(&self.heading(field), "Please use work or home.");
                EmailLabel::Work
            }
        }
    }

    fn count(&self, is_one: impl Fn(&Field) -> bool) -> usize {
        let fields = self.columns.iter().filter_map(|(_, field)| field.as_ref());
        fields.filter(|field| is_one(field)).count()
    }

    /// The heading of a field's column; of a field without one, what the heading would be.
    fn heading(&self, field: Field) -> String {
        let column = self
            .columns
            .iter()
            .find(|(_, filled)| *filled == Some(field));
        column.map_or_else(|| field.to_string(), |(heading, _)| heading.clone())
    }
}

/// The first of what is wrong with a row: each is written down with its heading, and a file can have a million of them.
fn told(errors: Vec<FieldError>) -> Vec<(String, String)> {
    let more = errors.len().saturating_sub(MAX_ERRORS);
    let mut told: Vec<_> = errors
        .into_iter()
        .take(MAX_ERRORS)
        .map(|error| (error.field, error.message))
        .collect();
    if more > 0 {
        told.push((String::new(), format!("And {more} more in this row.")));
    }
    told
}

const MAX_ERRORS: usize = 5;

/// What a number is for if nobody says it.
const WORK: &str = "work";

/// What the row gives, in the place of what was there if the file has a column for each of these and came from here; else what the row
/// does not have stays.
fn joined<T: Clone>(
    given: Vec<T>,
    before: &[T],
    columns: usize,
    from_here: bool,
    same: impl Fn(&T, &T) -> bool,
) -> Vec<T> {
    if from_here && columns >= before.len() {
        return given;
    }
    // In the order that was there: only what is new comes at the end.
    let (known, new): (Vec<T>, Vec<T>) = given
        .into_iter()
        .partition(|given| before.iter().any(|before| same(before, given)));
    let kept = before.iter().map(|before| {
        let given = known.iter().find(|given| same(given, before));
        given.unwrap_or(before).clone()
    });
    kept.chain(new).collect()
}

fn fields_of(contact: &Contact) -> ContactFields {
    ContactFields {
        first_name: contact.first_name.clone(),
        last_name: contact.last_name.clone(),
        company: contact.company.clone(),
        job_title: contact.job_title.clone(),
        in_directory: contact.in_directory,
        numbers: contact.numbers.clone(),
        emails: contact.emails.clone(),
    }
}

/// The cell without the apostrophe that keeps spreadsheets from taking it for a formula.
fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@']) => rest,
        _ => cell,
    }
}

#[cfg(test)]
mod tests;
