//! How a backup looks: lines of JSON, packed by gzip.
//!
//! ```text
//! {"tandem_backup":1,"made_at":"…","program":"…","database":"sqlite","steps":[…],"sealed_by":[…]}
//! {"file":"master.key.age","bytes":"…"}                        any number of these
//! {"table":"tenants","columns":[["id","uuid"],["slug","text"],…]}
//! ["0192…","acme",…]                                           its rows
//! {"table":…}                                                  and so on
//! {"end":{"tenants":1,…},"sha256":"…"}                         of every byte before this line
//! ```
//!
//! Bytes are base64, UUIDs text, times the integers of their rows. What is absent is `null`.

use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use sea_orm::Value as Bound;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use super::tables::{Column, Kind, Table};
use super::{Attachment, BackupError, Summary};

const VERSION: u64 = 1;
/// A row is far shorter: a line of this length is no line of ours.
const MAX_LINE_BYTES: u64 = 64 * 1024 * 1024;

/// Writes a backup line by line.
pub(super) struct Writer<W: Write> {
    out: BufWriter<GzEncoder<W>>,
    digest: Sha256,
    tables: Vec<(String, u64)>,
}

impl<W: Write> Writer<W> {
    pub(super) fn new(out: W, summary: &Summary) -> Result<Self, BackupError> {
        let mut writer = Self {
            out: BufWriter::new(GzEncoder::new(out, Compression::fast())),
            digest: Sha256::new(),
            tables: Vec::new(),
        };
        let made_at = summary.made_at.format(&Rfc3339).map_err(io::Error::other)?;
        writer.line(&json!({
            "tandem_backup": VERSION, "made_at": made_at, "program": summary.program, "database": summary.database,
            "steps": summary.steps, "sealed_by": summary.sealed_by,
        }))?;
        Ok(writer)
    }

    pub(super) fn file(&mut self, file: &Attachment) -> Result<(), BackupError> {
        self.line(&json!({"file": file.name, "bytes": BASE64.encode(&file.bytes)}))
    }

    pub(super) fn table(&mut self, table: &Table) -> Result<(), BackupError> {
        self.tables.push((table.name.clone(), 0));
        let columns: Vec<_> = table
            .columns
            .iter()
            .map(|column| json!([column.name, column.kind.name()]))
            .collect();
        self.line(&json!({"table": table.name, "columns": columns}))
    }

    pub(super) fn row(&mut self, values: Vec<Value>) -> Result<(), BackupError> {
        if let Some((_, count)) = self.tables.last_mut() {
            *count += 1;
        }
        self.line(&Value::Array(values))
    }

    /// Ends the file; what it was written to, and the number of rows of each table.
    pub(super) fn end(mut self) -> Result<(W, Vec<(String, u64)>), BackupError> {
        let counts: Map<_, _> = self
            .tables
            .iter()
            .map(|(name, count)| (name.clone(), json!(count)))
            .collect();
        let digest = hex(&self.digest.clone().finalize());
        self.line(&json!({"end": counts, "sha256": digest}))?;
        let packed = self
            .out
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        Ok((packed.finish()?, self.tables))
    }

    fn line(&mut self, value: &Value) -> Result<(), BackupError> {
        let mut line = value.to_string();
        line.push('\n');
        self.digest.update(&line);
        Ok(self.out.write_all(line.as_bytes())?)
    }
}

/// What comes next in a backup.
pub(super) enum Item {
    File(Attachment),
    Table(Table),
    /// A row of the last table.
    Row(Vec<Bound>),
    /// Everything was there and as it was written.
    End,
}

/// Reads a backup line by line.
pub(super) struct Reader<R: Read> {
    lines: BufReader<MultiGzDecoder<R>>,
    digest: Sha256,
    number: u64,
    summary: Summary,
    columns: Option<Vec<Column>>,
}

impl<R: Read> Reader<R> {
    pub(super) fn new(input: R) -> Result<Self, BackupError> {
        let mut reader = Self {
            lines: BufReader::new(MultiGzDecoder::new(input)),
            digest: Sha256::new(),
            number: 0,
            summary: Summary {
                made_at: OffsetDateTime::UNIX_EPOCH,
                program: String::new(),
                database: String::new(),
                steps: Vec::new(),
                sealed_by: Vec::new(),
                files: Vec::new(),
                tables: Vec::new(),
            },
            columns: None,
        };
        let head = reader.line().map_err(|_| BackupError::NotABackup)?;
        reader.digest.update(&head);
        let head: Value = serde_json::from_slice(&head).map_err(|_| BackupError::NotABackup)?;
        let version = head["tandem_backup"]
            .as_u64()
            .ok_or(BackupError::NotABackup)?;
        let program = head["program"].as_str().unwrap_or_default().to_owned();
        if version > VERSION {
            return Err(BackupError::Newer { program });
        }
        reader.summary.program = program;
        reader
            .read_head(&head)
            .ok_or_else(|| reader.damaged("the head is not complete"))?;
        Ok(reader)
    }

    fn read_head(&mut self, head: &Value) -> Option<()> {
        let made_at = head["made_at"].as_str()?;
        self.summary.made_at = OffsetDateTime::parse(made_at, &Rfc3339).ok()?;
        self.summary.database = head["database"].as_str()?.to_owned();
        self.summary.steps = texts(&head["steps"])?;
        self.summary.sealed_by = texts(&head["sealed_by"])?;
        Some(())
    }

    /// What the backup has said of itself so far.
    pub(super) fn summary(&self) -> &Summary {
        &self.summary
    }

    pub(super) fn next(&mut self) -> Result<Item, BackupError> {
        let line = self.line()?;
        let value: Value = serde_json::from_slice(&line)
            .map_err(|error| self.damaged(format!("this is no JSON: {error}")))?;
        if value.get("end").is_some() {
            self.check_end(&value)?;
            return Ok(Item::End);
        }
        self.digest.update(&line);
        if let Value::Array(values) = value {
            let columns = self
                .columns
                .as_deref()
                .ok_or_else(|| self.damaged("a row before the first table"))?;
            let row = bound(&values, columns).map_err(|what| self.damaged(what))?;
            if let Some((_, count)) = self.summary.tables.last_mut() {
                *count += 1;
            }
            return Ok(Item::Row(row));
        }
        if let Some(file) = attachment(&value) {
            self.summary.files.push(file.name.clone());
            return Ok(Item::File(file));
        }
        let table = table(&value).ok_or_else(|| self.damaged("neither a table nor a row"))?;
        self.summary.tables.push((table.name.clone(), 0));
        self.columns = Some(table.columns.clone());
        Ok(Item::Table(table))
    }

    fn check_end(&mut self, end: &Value) -> Result<(), BackupError> {
        let said = end["sha256"].as_str().unwrap_or_default();
        if said != hex(&self.digest.clone().finalize()) {
            return Err(self.damaged("the checksum is another: the file was changed"));
        }
        let counted: Map<_, _> = self
            .summary
            .tables
            .iter()
            .map(|(name, count)| (name.clone(), json!(count)))
            .collect();
        if end["end"].as_object() != Some(&counted) {
            return Err(self.damaged("the number of rows is another"));
        }
        // The packing has a checksum of its own, which is compared at its end.
        let mut more = [0];
        match self.lines.read(&mut more) {
            Ok(0) => Ok(()),
            Ok(_) => Err(self.damaged("there is something after the end")),
            Err(error) => Err(self.unreadable(&error)),
        }
    }

    /// The next line with its end.
    fn line(&mut self) -> Result<Vec<u8>, BackupError> {
        self.number += 1;
        let mut line = Vec::new();
        let read = self
            .lines
            .by_ref()
            .take(MAX_LINE_BYTES)
            .read_until(b'\n', &mut line);
        match read {
            Ok(_) if line.ends_with(b"\n") => Ok(line),
            Ok(_) => Err(self.damaged("the file is cut off")),
            Err(error) => Err(self.unreadable(&error)),
        }
    }

    fn unreadable(&self, error: &io::Error) -> BackupError {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => self.damaged("the file is cut off"),
            _ => self.damaged(error.to_string()),
        }
    }

    fn damaged(&self, what: impl Into<String>) -> BackupError {
        BackupError::Damaged {
            line: self.number,
            what: what.into(),
        }
    }
}

fn attachment(value: &Value) -> Option<Attachment> {
    let name = value["file"].as_str()?;
    // It is put into the data directory: a name with a folder in it is not ours.
    let plain = !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0']);
    Some(Attachment {
        name: plain.then(|| name.to_owned())?,
        bytes: BASE64.decode(value["bytes"].as_str()?).ok()?,
    })
}

fn table(value: &Value) -> Option<Table> {
    let column = |column: &Value| {
        Some(Column {
            name: identifier(column[0].as_str()?)?,
            kind: Kind::named(column[1].as_str()?)?,
        })
    };
    let columns: Option<Vec<_>> = value["columns"].as_array()?.iter().map(column).collect();
    Some(Table {
        name: identifier(value["table"].as_str()?)?,
        columns: columns.filter(|columns| !columns.is_empty())?,
    })
}

/// A name as tables and columns have one.
fn identifier(name: &str) -> Option<String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    (!name.is_empty() && name.chars().all(fits)).then(|| name.to_owned())
}

fn texts(value: &Value) -> Option<Vec<String>> {
    value
        .as_array()?
        .iter()
        .map(|text| text.as_str().map(str::to_owned))
        .collect()
}

/// A row's values as the database takes them.
fn bound(values: &[Value], columns: &[Column]) -> Result<Vec<Bound>, String> {
    if values.len() != columns.len() {
        return Err(format!(
            "{} values for {} columns",
            values.len(),
            columns.len()
        ));
    }
    values
        .iter()
        .zip(columns)
        .map(|(value, column)| {
            let wrong = || format!("{} is no {}", column.name, column.kind.name());
            value_of(value, column.kind).ok_or_else(wrong)
        })
        .collect()
}

fn value_of(value: &Value, kind: Kind) -> Option<Bound> {
    if value.is_null() {
        return Some(match kind {
            Kind::Boolean => None::<bool>.into(),
            Kind::Bytes => None::<Vec<u8>>.into(),
            Kind::Integer => None::<i64>.into(),
            Kind::Text => None::<String>.into(),
            Kind::Uuid => None::<Uuid>.into(),
        });
    }
    Some(match kind {
        Kind::Boolean => value.as_bool()?.into(),
        Kind::Bytes => BASE64.decode(value.as_str()?).ok()?.into(),
        Kind::Integer => value.as_i64()?.into(),
        Kind::Text => value.as_str()?.into(),
        Kind::Uuid => value.as_str()?.parse::<Uuid>().ok()?.into(),
    })
}

/// Bytes as they stand in the file.
pub(super) fn bytes(bytes: &[u8]) -> Value {
    BASE64.encode(bytes).into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
