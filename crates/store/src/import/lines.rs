//! The rows of an import: what each line of the file would do, and what became of it.

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{ImportResult, ImportRowState, load};
use crate::contact::{ContactEmail, ContactFields, ContactNumber};
use crate::list::{Key, page};
use crate::row::contact_import_row as row;
use crate::words::words;
use crate::{Db, Page, PageRequest, Sort, SortColumn, StoreError, begin, commit};

words! {
    /// What rows can be ordered by.
    ImportRowSort {
        /// The place in the file.
        Row = "row",
    }
}

impl SortColumn for ImportRowSort {
    const USUAL: Sort<Self> = Sort::ascending(Self::Row);
}

/// A row of an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportRow {
    /// What it is to do.
    pub plan: NewImportRow,
    /// How far it is.
    pub state: ImportRowState,
}

/// What a row is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewImportRow {
    /// Which row of the file, from 1, the headings not counted.
    pub number: u64,
    /// In which line of the file it begins, from 1.
    pub line: u64,
    /// What it is to do.
    pub result: ImportResult,
    /// What the contact is called, as far as the row says.
    pub name: String,
    /// The contact that it makes or changes, or that is so already.
    pub contact: Option<Uuid>,
    /// The version of the contact that was there.
    pub version: Option<u64>,
    /// What is to be written.
    pub fields: Option<ContactFields>,
    /// What the contact was.
    pub before: Option<ContactFields>,
    /// What is wrong: the heading of the column, or nothing if it is the row as a whole, and a sentence.
    pub errors: Vec<(String, String)>,
}

/// Which rows are wanted; a list without values leaves all in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportRowFilter {
    /// That are to do one of these.
    pub results: Vec<ImportResult>,
    /// That are so far.
    pub states: Vec<ImportRowState>,
}

/// Rows in one statement.
const ROWS: usize = 500;

/// Adds rows, all or none; a few hundred at a time, so that others who write need not wait long.
///
/// # Errors
///
/// [`StoreError::Database`], also if the import is not there.
pub async fn add_rows(import: Uuid, rows: &[NewImportRow], db: &impl Db) -> Result<(), StoreError> {
    let transaction = begin(db).await?;
    for some in rows.chunks(ROWS) {
        let some = some.iter().map(|row| to_row(import, row));
        row::Entity::insert_many(some)
            .exec_without_returning(&transaction)
            .await?;
    }
    commit(transaction).await
}

/// The rows of an import in the order of the file, unless asked otherwise; the search looks at the names.
///
/// # Errors
///
/// [`StoreError::NotFound`], [`StoreError::ForeignCursor`], [`StoreError::Database`], [`StoreError::Corrupt`].
pub async fn list_rows(
    tenant: Uuid,
    import: Uuid,
    filter: &ImportRowFilter,
    request: &PageRequest<ImportRowSort>,
    db: &impl ConnectionTrait,
) -> Result<Page<ImportRow>, StoreError> {
    load(tenant, import, db).await?;
    let mut select = row::Entity::find().filter(row::Column::ImportId.eq(import));
    if !filter.results.is_empty() {
        let results = filter.results.iter().map(|result| result.as_str());
        select = select.filter(row::Column::Result.is_in(results));
    }
    if !filter.states.is_empty() {
        let states = filter.states.iter().map(|state| state.as_str());
        select = select.filter(row::Column::State.is_in(states));
    }
    for word in request.words() {
        select = select.filter(crate::list::contains_in_any_case(row::Column::Name, &word));
    }
    let key = Key::Column(row::Column::Number);
    let rows = page(select, key, row::Column::Id, request, db).await?;
    let items: Result<_, _> = rows.items.into_iter().map(ImportRow::try_from).collect();
    Ok(Page {
        items: items?,
        next: rows.next,
        total: rows.total,
    })
}

fn to_row(import: Uuid, new: &NewImportRow) -> row::ActiveModel {
    row::ActiveModel::from(row::Model {
        id: Uuid::new_v4(),
        import_id: import,
        number: i64::try_from(new.number).unwrap_or(i64::MAX),
        line: i64::try_from(new.line).unwrap_or(i64::MAX),
        result: new.result.as_str().to_owned(),
        state: ImportRowState::Waiting.as_str().to_owned(),
        name: new.name.clone(),
        contact_id: new.contact,
        version: new.version.and_then(|version| i64::try_from(version).ok()),
        fields: new.fields.as_ref().map(text_of),
        before: new.before.as_ref().map(text_of),
        errors: json!(new.errors).to_string(),
    })
}

impl TryFrom<row::Model> for ImportRow {
    type Error = StoreError;

    fn try_from(row: row::Model) -> Result<Self, StoreError> {
        let fields = |text: Option<String>, column| {
            text.map(|text| fields_of(&text).ok_or_else(|| corrupt(column)))
                .transpose()
        };
        Ok(Self {
            plan: NewImportRow {
                number: row.number.unsigned_abs(),
                line: row.line.unsigned_abs(),
                result: row.result.parse().map_err(|_| corrupt("result"))?,
                name: row.name,
                contact: row.contact_id,
                version: row.version.map(i64::unsigned_abs),
                fields: fields(row.fields, "fields")?,
                before: fields(row.before, "before")?,
                errors: serde_json::from_str(&row.errors).map_err(|_| corrupt("errors"))?,
            },
            state: row.state.parse().map_err(|_| corrupt("state"))?,
        })
    }
}

fn corrupt(column: &'static str) -> StoreError {
    StoreError::Corrupt {
        table: "contact_import_rows",
        column,
    }
}

fn text_of(fields: &ContactFields) -> String {
    let numbers = fields.numbers.iter();
    let emails = fields.emails.iter();
    json!({
        "first_name": fields.first_name,
        "last_name": fields.last_name,
        "company": fields.company,
        "job_title": fields.job_title,
        "in_directory": fields.in_directory,
        "numbers": numbers.map(|number| [&number.number, &number.label]).collect::<Vec<_>>(),
        "emails": emails
            .map(|email| [email.address.as_str(), email.label.as_str()])
            .collect::<Vec<_>>(),
    })
    .to_string()
}

fn fields_of(text: &str) -> Option<ContactFields> {
    let value: Value = serde_json::from_str(text).ok()?;
    let text = |field: &str| value[field].as_str().map(str::to_owned);
    let pairs = |field: &str| -> Option<Vec<(String, String)>> {
        let pairs = value[field].as_array()?.iter();
        pairs
            .map(|pair| Some((pair[0].as_str()?.to_owned(), pair[1].as_str()?.to_owned())))
            .collect()
    };
    let emails = pairs("emails")?.into_iter().map(|(address, label)| {
        let label = label.parse().ok()?;
        Some(ContactEmail { address, label })
    });
    Some(ContactFields {
        first_name: text("first_name")?,
        last_name: text("last_name")?,
        company: text("company"),
        job_title: text("job_title"),
        in_directory: value["in_directory"].as_bool()?,
        numbers: pairs("numbers")?
            .into_iter()
            .map(|(number, label)| ContactNumber { number, label })
            .collect(),
        emails: emails.collect::<Option<_>>()?,
    })
}
