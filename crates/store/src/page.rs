//! Pages of a list: a bounded number of rows, and where the next page begins.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

/// The most rows that a page can have.
pub const MAX_PAGE: u32 = 200;

const DEFAULT_PAGE: u32 = 50;

/// Which rows of a list are wanted.
#[derive(Clone, Debug)]
pub struct PageRequest {
    /// How many rows at most; cut to 1 … [`MAX_PAGE`].
    pub limit: u32,
    /// Where the page before ended.
    pub after: Option<Cursor>,
    /// Only rows that contain each of these words, whatever their case.
    pub search: Option<String>,
}

impl Default for PageRequest {
    fn default() -> Self {
        Self {
            limit: DEFAULT_PAGE,
            after: None,
            search: None,
        }
    }
}

impl PageRequest {
    pub(crate) fn rows(&self) -> u64 {
        u64::from(self.limit.clamp(1, MAX_PAGE))
    }

    /// The words to search for, in lower case.
    pub(crate) fn words(&self) -> Vec<String> {
        let search = self.search.as_deref().unwrap_or_default().to_lowercase();
        search
            .split_whitespace()
            .map(str::to_owned)
            .take(MAX_WORDS)
            .collect()
    }
}

/// More words than that are not searched for.
const MAX_WORDS: usize = 8;

/// Some rows of a list in order.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Where the next page begins, or `None` after the last row.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// Cuts `rows`, which were asked for with one row too many, to the page and its cursor.
    pub(crate) fn cut(
        mut rows: Vec<T>,
        request: &PageRequest,
        cursor: impl Fn(&T) -> Cursor,
    ) -> Self {
        let limit = usize::try_from(request.rows()).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(cursor);
        Self { items: rows, next }
    }

    /// The same page with every row turned into something else.
    pub fn map<U>(self, convert: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(convert).collect(),
            next: self.next,
        }
    }
}

/// The last row of a page, as opaque text in interfaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub(crate) name: String,
    pub(crate) id: Uuid,
}

/// The text is not a cursor that we gave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of this list")]
pub struct CursorError;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [self.id.as_bytes(), self.name.as_bytes()].concat();
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| CursorError)?;
        let (id, name) = bytes.split_at_checked(16).ok_or(CursorError)?;
        Ok(Self {
            name: std::str::from_utf8(name)
                .map_err(|_| CursorError)?
                .to_owned(),
            id: Uuid::from_slice(id).map_err(|_| CursorError)?,
        })
    }
}

/// A row by id and name, where another row mentions it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The row's key.
    pub id: Uuid,
    /// The row's name.
    pub name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_its_text_and_foreign_text_is_refused() {
        let cursor = Cursor {
            name: "müller änne".into(),
            id: Uuid::from_u128(7),
        };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for text in ["", "AAAA", "!", "AAAAAAAAAAAAAAAAAAAAAP__"] {
            assert_eq!(text.parse::<Cursor>(), Err(CursorError), "{text}");
        }
    }

    #[test]
    fn only_a_page_with_more_behind_it_has_a_next() {
        let cursor = |n: &u8| Cursor {
            name: n.to_string(),
            id: Uuid::nil(),
        };
        let request = PageRequest {
            limit: 2,
            ..PageRequest::default()
        };
        assert_eq!(Page::cut(vec![1, 2], &request, cursor).next, None);
        let page = Page::cut(vec![1, 2, 3], &request, cursor);
        assert_eq!(page.items, [1, 2]);
        assert_eq!(page.next, Some(cursor(&2)));
    }
}
