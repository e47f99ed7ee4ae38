//! The rows of a file, one after the other, with the columns that fill something.

use csv::{Reader, ReaderBuilder, StringRecord};

use super::columns::{Field, UnknownField};
use crate::validate::Fields;

/// More rows are refused.
pub(crate) const MAX_ROWS: u64 = 20_000;

/// More columns are not looked at.
const MAX_COLUMNS: usize = 200;

/// A file that is read.
#[derive(Debug)]
pub(crate) struct Sheet<'a> {
    text: &'a str,
    reader: Reader<&'a [u8]>,
    /// Each column: its heading and the field that it fills.
    pub(crate) columns: Vec<(String, Option<Field>)>,
    rows: u64,
}

/// A row of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cells {
    /// Which row, from 1, the headings not counted.
    pub(crate) number: u64,
    /// In which line of the file it begins.
    pub(crate) line: u64,
    pub(crate) cells: Vec<String>,
}

impl<'a> Sheet<'a> {
    /// Reads the headings. `chosen` says what the columns fill, in their order, if it is not to be recognised; what is wrong is told as
    /// the fields `file` and `columns`.
    pub(crate) fn open(
        text: &'a str,
        separator: u8,
        chosen: Option<&str>,
        fields: &mut Fields,
    ) -> Option<Self> {
        // Workbooks and pictures have zeros; so has a text that is read in the wrong encoding.
        if text.contains('\0') {
            fields.wrong(
                "file",
                "This is no text in this encoding. Please choose another one, or save the file as CSV in the program that made it.",
            );
            return None;
        }
        let mut reader = ReaderBuilder::new()
            .delimiter(separator)
            .flexible(true)
            .from_reader(text.as_bytes());
        let headings = reader.headers().ok()?.clone();
        if headings.iter().all(|heading| heading.trim().is_empty()) {
            fields.wrong("file", "The file has no headings in its first line.");
            return None;
        }
        let headings: Vec<String> = headings.iter().take(MAX_COLUMNS).map(readable).collect();
        let filled = match chosen {
            Some(chosen) => said(chosen, headings.len(), fields)?,
            None => recognised(&headings),
        };
        Some(Self {
            text,
            reader,
            columns: headings.into_iter().zip(filled).collect(),
            rows: 0,
        })
    }

    /// Whether the columns tell whom a row is of; if not, it is told as the field `columns`.
    pub(crate) fn names_somebody(&self, fields: &mut Fields) -> bool {
        let columns = self.columns.iter();
        let named = columns
            .clone()
            .any(|(_, field)| matches!(field, Some(Field::Id | Field::Email(_))));
        if !named {
            let headings: Vec<_> = columns.map(|(heading, _)| heading.as_str()).collect();
            let headings = headings.join(", ");
            fields.wrong(
                "columns",
                format!(
                    "No column has the e-mail address or the id. The file has the columns: {headings}. \
                     Please choose another separator or say which column is which."
                ),
            );
        }
        named
    }

    /// The next row with something in it. `None` at the end; an error if there are too many.
    pub(crate) fn next(&mut self) -> Result<Option<Cells>, TooManyRows> {
        let mut record = StringRecord::new();
        // The text is UTF-8 and rows may have any length, so nothing else can be wrong with it.
        while let Ok(true) = self.reader.read_record(&mut record) {
            if record.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            self.rows += 1;
            if self.rows > MAX_ROWS {
                return Err(TooManyRows);
            }
            let cells = record.iter().take(self.columns.len());
            return Ok(Some(Cells {
                number: self.rows,
                line: record.position().map_or(0, |position| self.line(position)),
                cells: cells.map(str::to_owned).collect(),
            }));
        }
        Ok(None)
    }
}

impl Sheet<'_> {
    /// Where the row is said to begin, the end of the line before and empty lines may still come first.
    fn line(&self, position: &csv::Position) -> u64 {
        let start = usize::try_from(position.byte()).unwrap_or(usize::MAX);
        let rest = self.text.as_bytes().get(start..).unwrap_or_default();
        let ends = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
        let skipped = ends.filter(|byte| **byte == b'\n').count();
        position.line() + u64::try_from(skipped).unwrap_or(0)
    }
}

/// The file has more than [`MAX_ROWS`] rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooManyRows;

fn readable(heading: &str) -> String {
    heading
        .trim()
        .chars()
        .filter(|symbol| !symbol.is_control())
        .take(100)
        .collect()
}

/// The first column of several that say the same counts.
fn recognised(headings: &[String]) -> Vec<Option<Field>> {
    let mut filled: Vec<Option<Field>> = Vec::with_capacity(headings.len());
    for heading in headings {
        let field = heading
            .parse()
            .ok()
            .filter(|field| !filled.contains(&Some(*field)));
        filled.push(field);
    }
    filled
}

fn said(chosen: &str, columns: usize, fields: &mut Fields) -> Option<Vec<Option<Field>>> {
    let mut filled: Vec<Option<Field>> = Vec::new();
    for name in chosen.split(',').map(str::trim).take(columns) {
        let field = match name {
            "" => None,
            name => match name.parse() {
                Ok(field) => Some(field),
                Err(UnknownField) => {
                    fields.wrong("columns", format!("There is no field {name:?}."));
                    return None;
                }
            },
        };
        if field.is_some() && filled.contains(&field) {
            fields.wrong(
                "columns",
                format!("{name} can be filled by one column only."),
            );
            return None;
        }
        filled.push(field);
    }
    filled.resize(columns, None);
    Some(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open<'a>(text: &'a str, chosen: Option<&str>) -> Result<Sheet<'a>, String> {
        let mut fields = Fields::default();
        let sheet = Sheet::open(text, b';', chosen, &mut fields);
        let sheet = sheet.filter(|sheet| sheet.names_somebody(&mut fields));
        sheet.ok_or_else(|| fields.first().map(|error| error.field).unwrap_or_default())
    }

    #[test]
    fn rows_have_their_number_and_their_line_and_empty_ones_do_not_count() {
        let text = "E-Mail;Vorname;Egal\n\na@b.de;\"An\nna\";x;y;z\n;;\nc@d.de\n";
        let mut sheet = open(text, None).unwrap();
        let fields: Vec<_> = sheet.columns.iter().map(|(_, field)| *field).collect();
        assert_eq!(
            fields,
            [Some(Field::Email(0)), Some(Field::FirstName), None]
        );
        let mut rows = Vec::new();
        while let Some(row) = sheet.next().unwrap() {
            rows.push((row.number, row.line, row.cells.join("|")));
        }
        assert_eq!(
            rows,
            [
                (1, 3, "a@b.de|An\nna|x".to_owned()),
                (2, 6, "c@d.de".to_owned())
            ]
        );
    }

    #[test]
    fn columns_are_what_the_caller_says() {
        let sheet = open("a;b;c\n", Some("last_name,,email_2")).unwrap();
        let fields: Vec<_> = sheet.columns.iter().map(|(_, field)| *field).collect();
        assert_eq!(fields, [Some(Field::LastName), None, Some(Field::Email(1))]);
        for (text, chosen, wrong) in [
            ("a;b\n", None, "columns"),
            ("", None, "file"),
            ("a;b\n", Some("email_1,nonsense"), "columns"),
            ("a;b\n", Some("email_1,email_1"), "columns"),
            ("a;b\n", Some("first_name"), "columns"),
        ] {
            assert_eq!(open(text, chosen).unwrap_err(), wrong, "{text} {chosen:?}");
        }
    }

    #[test]
    fn a_heading_that_is_there_twice_counts_once() {
        let sheet = open("email;mail;first_name\n", None).unwrap();
        let fields: Vec<_> = sheet.columns.iter().map(|(_, field)| *field).collect();
        assert_eq!(
            fields,
            [Some(Field::Email(0)), None, Some(Field::FirstName)]
        );
    }
}
