//! Contacts in files, and many contacts at once.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{Dependent, FieldError};

/// The encoding of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub enum ImportEncoding {
    /// UTF-8, with or without a byte order mark.
    #[serde(rename = "utf-8")]
    Utf8,
    /// UTF-16 in either order of bytes.
    #[serde(rename = "utf-16")]
    Utf16,
    /// Windows-1252, which contains ISO 8859-1.
    #[serde(rename = "windows-1252")]
    Windows1252,
}

/// What stands between the cells of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImportSeparator {
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// A tab.
    Tab,
}

/// How an uploaded file is to be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ImportQuery {
    /// What the file is called, at most 200 characters.
    pub file_name: Option<String>,
    /// The encoding; recognised when absent.
    pub encoding: Option<ImportEncoding>,
    /// The separator; recognised when absent.
    pub separator: Option<ImportSeparator>,
    /// What each column fills, in their order, with commas between: `first_name`, `last_name`, `company`, `job_title`, `in_directory`,
    /// `number_1`, `number_1_label`, `email_1`, `email_1_label` … `20`, `id`, or nothing for a column that is left out. Recognised by the
    /// headings when absent.
    pub columns: Option<String>,
    /// In which country numbers are that have no country code, as ISO 3166-1 alpha-2, such as `DE`. Without it they are refused.
    pub country: Option<String>,
}

/// How far an import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImportState {
    /// Its rows are being read.
    Reading,
    /// It is known what it would do: it can be committed.
    Checked,
    /// It is being done.
    Committing,
    /// It was done.
    Committed,
    /// It is being taken back, because contacts have changed meanwhile.
    Reverting,
    /// Nothing of it was done: contacts have changed since it was checked.
    Stale,
    /// It is being taken back, because somebody asked for that.
    Undoing,
    /// It was taken back.
    Undone,
}

/// A column of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportColumn {
    /// Its heading.
    pub heading: String,
    /// What it fills; absent if nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

/// A column of a file that is only looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportPreviewColumn {
    /// Its heading.
    pub heading: String,
    /// What it would fill; absent if nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What it has in the first rows, at most 100 characters of each; a row that is too short has nothing in it.
    pub samples: Vec<String>,
    /// What would be kept of each of these if the column has telephone numbers; nothing for what is none.
    pub numbers: Vec<Option<String>>,
}

/// How a file would be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportPreview {
    /// The encoding.
    pub encoding: ImportEncoding,
    /// The separator.
    pub separator: ImportSeparator,
    /// Its columns.
    pub columns: Vec<ImportPreviewColumn>,
    /// How many rows it has, the headings not counted.
    pub rows: u64,
}

/// An import of contacts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Import {
    /// Identifier.
    pub id: Uuid,
    /// What the file is called.
    pub file_name: String,
    /// Who uploaded it: an e-mail address.
    pub made_by: String,
    /// How far it is.
    pub state: ImportState,
    /// The encoding that the file was read with.
    pub encoding: ImportEncoding,
    /// The separator that the file was read with.
    pub separator: ImportSeparator,
    /// Its columns.
    pub columns: Vec<ImportColumn>,
    /// In which country numbers without a country code are, as ISO 3166-1 alpha-2; absent if nobody said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// How many rows it has.
    pub rows: u64,
    /// How many make a contact.
    pub create: u64,
    /// How many change one.
    pub update: u64,
    /// How many are so already.
    pub unchanged: u64,
    /// How many are wrong and left out.
    pub refused: u64,
    /// How many of the rows that create or update were done, or taken back.
    pub progress: u64,
    /// How many could not be taken back.
    pub kept: u64,
    /// When it was uploaded.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub created_at: OffsetDateTime,
    /// When it was done.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub committed_at: Option<OffsetDateTime>,
    /// Until when it can be taken back.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub undo_until: Option<OffsetDateTime>,
}

/// What a row is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImportResult {
    /// Make a contact.
    Create,
    /// Change one.
    Update,
    /// Nothing: the contact is so already.
    Unchanged,
    /// Nothing: something is wrong with it.
    Refused,
}

/// How far a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImportRowState {
    /// It was not done.
    Waiting,
    /// It was done.
    Done,
    /// It was taken back.
    Undone,
    /// It was done and could not be taken back; `errors` says why.
    Kept,
}

/// Which rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ImportRowFilters {
    /// `create`, `update`, `unchanged`, `refused`.
    pub result: Option<String>,
    /// `waiting`, `done`, `undone`, `kept`.
    pub state: Option<String>,
}

/// A row of an import.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ImportRow {
    /// Which row, from 1, the headings not counted.
    pub row: u64,
    /// In which line of the file it begins.
    pub line: u64,
    /// What it is to do.
    pub result: ImportResult,
    /// How far it is.
    pub state: ImportRowState,
    /// What the contact is called.
    pub name: String,
    /// The contact that it makes or changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact_id: Option<Uuid>,
    /// Each field that changes: before and after.
    #[schema(value_type = Object)]
    pub changes: BTreeMap<String, [Value; 2]>,
    /// What is wrong, by the heading of the column; without one it is the row as a whole.
    pub errors: Vec<FieldError>,
}

/// What is to be done with many contacts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BulkAction {
    /// Delete those without devices.
    Delete,
    /// Show them in the company directory.
    ShowInDirectory,
    /// Hide them from the company directory.
    HideFromDirectory,
}

/// All contacts that a list with these would show.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkMatching {
    /// As in the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// As in the list: `in_directory`, `has_device`.
    #[serde(default)]
    pub filters: BTreeMap<String, Vec<String>>,
}

/// Contacts and what is to be done with them. Either `ids` or `matching`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkInput {
    /// What is to be done.
    pub action: BulkAction,
    /// With these, at most 1,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ids: Option<Vec<Uuid>>,
    /// With all of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matching: Option<BulkMatching>,
    /// With `matching`: goes on after the `next` of the answer before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Uuid>,
}

/// Why a contact was left as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BulkRefusal {
    /// There is none with this identifier.
    NotFound,
    /// It has devices.
    InUse,
}

/// A contact that was left as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BulkRefused {
    /// Identifier.
    pub id: Uuid,
    /// Name; empty if there is none.
    pub name: String,
    /// Why.
    pub reason: BulkRefusal,
    /// Its devices.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependents: Vec<Dependent>,
}

/// What became of many contacts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BulkResult {
    /// Those that were deleted or changed; of `matching` the first 1,000.
    pub done: Vec<Uuid>,
    /// How many were deleted or changed.
    pub done_count: u64,
    /// How many were so already.
    pub unchanged_count: u64,
    /// Those that were left, the first 1,000.
    pub refused: Vec<BulkRefused>,
    /// How many were left.
    pub refused_count: u64,
    /// There was no time for more: send the same again with this as `after`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Uuid>,
}
