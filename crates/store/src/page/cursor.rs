//! Where a page ended: the last row's key, its value in the column of the order, and which order that was.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

/// The last row of a page, as opaque text in interfaces. It belongs to one order of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    sort: String,
    pub(crate) value: Option<SortValue>,
    pub(crate) id: Uuid,
}

/// What a row has in the column of the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SortValue {
    Integer(i64),
    Text(String),
}

/// The text is not a cursor that we gave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of this list")]
pub struct CursorError;

impl Cursor {
    pub(crate) fn of(sort: String, value: Option<SortValue>, id: Uuid) -> Self {
        Self { sort, value, id }
    }

    /// Whether a page in this order can begin here.
    pub(crate) fn is_of(&self, sort: &impl fmt::Display) -> bool {
        self.sort == sort.to_string()
    }
}

const NOTHING: u8 = 0;
const INTEGER: u8 = 1;
const TEXT: u8 = 2;

/// Key, length of the order, order, kind of the value, value.
impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.id.as_bytes().to_vec();
        bytes.push(u8::try_from(self.sort.len()).map_err(|_| fmt::Error)?);
        bytes.extend(self.sort.as_bytes());
        match &self.value {
            None => bytes.push(NOTHING),
            Some(SortValue::Integer(number)) => {
                bytes.push(INTEGER);
                bytes.extend(number.to_be_bytes());
            }
            Some(SortValue::Text(text)) => {
                bytes.push(TEXT);
                bytes.extend(text.as_bytes());
            }
        }
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| CursorError)?;
        read(&bytes).ok_or(CursorError)
    }
}

fn read(bytes: &[u8]) -> Option<Cursor> {
    let (id, rest) = bytes.split_at_checked(16)?;
    let (length, rest) = rest.split_first()?;
    let (sort, rest) = rest.split_at_checked(usize::from(*length))?;
    let (kind, value) = rest.split_first()?;
    let value = match *kind {
        NOTHING if value.is_empty() => None,
        INTEGER => Some(SortValue::Integer(i64::from_be_bytes(
            value.try_into().ok()?,
        ))),
        TEXT => {
            let text = std::str::from_utf8(value).ok()?;
            // PostgreSQL knows no text with NUL in it.
            (!text.contains('\0')).then(|| Some(SortValue::Text(text.to_owned())))?
        }
        _ => return None,
    };
    Some(Cursor {
        sort: std::str::from_utf8(sort).ok()?.to_owned(),
        value,
        id: Uuid::from_slice(id).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_its_text() {
        for value in [
            None,
            Some(SortValue::Integer(-1)),
            Some(SortValue::Text("müller änne".into())),
            Some(SortValue::Text(String::new())),
        ] {
            let cursor = Cursor::of("-name".into(), value, Uuid::from_u128(7));
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
    }

    #[test]
    fn foreign_text_is_refused() {
        let cursor = Cursor::of("name".into(), None, Uuid::nil());
        let cut = &cursor.to_string()[..24];
        let nul = Cursor::of(
            "name".into(),
            Some(SortValue::Text("\0".into())),
            Uuid::nil(),
        );
        for text in [
            "",
            "AAAA",
            "!",
            "AAAAAAAAAAAAAAAAAAAAAP__",
            cut,
            &nul.to_string(),
        ] {
            assert_eq!(text.parse::<Cursor>(), Err(CursorError), "{text}");
        }
    }

    #[test]
    fn a_cursor_is_of_one_order() {
        let cursor = Cursor::of("-name".into(), None, Uuid::nil());
        assert!(cursor.is_of(&"-name") && !cursor.is_of(&"name"));
    }
}
