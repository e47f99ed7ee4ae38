//! Pages of a list: a bounded number of rows in an order, and where the next page begins.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::words::{UnknownWord, Word, words};

mod cursor;

pub(crate) use cursor::SortValue;
pub use cursor::{Cursor, CursorError};

/// The most rows that a page can have.
pub const MAX_PAGE: u32 = 200;

/// Up to so many rows of a list are counted exactly.
pub const MAX_TOTAL: u64 = 10_000;

const DEFAULT_PAGE: u32 = 50;

/// A column that a list can be ordered by; the words are the columns' names in the interface.
pub trait SortColumn: Word + fmt::Debug {
    /// The order of the list when none is asked for.
    const USUAL: Sort<Self>;
}

/// An order of a list: by a column and, where that is equal, by the row's key. Rows without a value in the column come last, whichever
/// the direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort<C> {
    /// The column.
    pub by: C,
    /// The largest value first.
    pub descending: bool,
}

impl<C> Sort<C> {
    /// The smallest value first.
    pub const fn ascending(by: C) -> Self {
        Self {
            by,
            descending: false,
        }
    }

    /// The largest value first.
    pub const fn descending(by: C) -> Self {
        Self {
            by,
            descending: true,
        }
    }
}

/// As interfaces spell it: `name`, `-name`.
impl<C: Word> fmt::Display for Sort<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.descending {
            f.write_str("-")?;
        }
        f.write_str(self.by.word())
    }
}

impl<C: Word> FromStr for Sort<C> {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let (descending, by) = match text.strip_prefix('-') {
            Some(by) => (true, by),
            None => (false, text),
        };
        Ok(Self {
            by: by.parse()?,
            descending,
        })
    }
}

words! {
    /// The order of lists that have only one.
    ByName {
        /// By name.
        Name = "name",
    }
}

impl SortColumn for ByName {
    const USUAL: Sort<Self> = Sort::ascending(Self::Name);
}

/// Which rows of a list are wanted, and in which order.
#[derive(Clone, Debug)]
pub struct PageRequest<C = ByName> {
    /// How many rows at most; cut to 1 … [`MAX_PAGE`].
    pub limit: u32,
    /// Where the page before ended.
    pub after: Option<Cursor>,
    /// Only rows that contain each of these words, whatever their case.
    pub search: Option<String>,
    /// The order.
    pub sort: Sort<C>,
    /// Whether to count the rows of all pages.
    pub total: bool,
}

impl<C: SortColumn> Default for PageRequest<C> {
    fn default() -> Self {
        Self {
            limit: DEFAULT_PAGE,
            after: None,
            search: None,
            sort: C::USUAL,
            total: false,
        }
    }
}

impl<C> PageRequest<C> {
    pub(crate) fn rows(&self) -> u64 {
        u64::from(self.limit.clamp(1, MAX_PAGE))
    }

    /// The words to search for, in lower case.
    pub(crate) fn words(&self) -> Vec<String> {
        words_of(self.search.as_deref().unwrap_or_default())
    }
}

/// The words of a search, in lower case.
pub(crate) fn words_of(search: &str) -> Vec<String> {
    search
        .to_lowercase()
        .split_whitespace()
        .map(str::to_owned)
        .take(MAX_WORDS)
        .collect()
}

/// More words than that are not searched for.
const MAX_WORDS: usize = 8;

/// How many rows a list has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Total {
    /// How many, at most [`MAX_TOTAL`].
    pub count: u64,
    /// Whether there are no more than that.
    pub exact: bool,
}

/// Some rows of a list in order.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Where the next page begins, or `None` after the last row.
    pub next: Option<Cursor>,
    /// How many rows there are on all pages, if that was asked.
    pub total: Option<Total>,
}

impl<T> Page<T> {
    /// Cuts `rows`, which were asked for with one row too many, to the page and its cursor.
    pub(crate) fn cut<C>(
        mut rows: Vec<T>,
        request: &PageRequest<C>,
        cursor: impl Fn(&T) -> Cursor,
    ) -> Self {
        let limit = usize::try_from(request.rows()).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(cursor);
        Self {
            items: rows,
            next,
            total: None,
        }
    }

    /// The same page with every row turned into something else.
    pub fn map<U>(self, convert: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(convert).collect(),
            next: self.next,
            total: self.total,
        }
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
    fn only_a_page_with_more_behind_it_has_a_next() {
        let cursor = |n: &u8| Cursor::of("name".to_owned(), None, Uuid::from_u128((*n).into()));
        let request: PageRequest = PageRequest {
            limit: 2,
            ..PageRequest::default()
        };
        assert_eq!(Page::cut(vec![1, 2], &request, cursor).next, None);
        let page = Page::cut(vec![1, 2, 3], &request, cursor);
        assert_eq!(page.items, [1, 2]);
        assert_eq!(page.next, Some(cursor(&2)));
    }

    #[test]
    fn an_order_is_a_column_and_perhaps_a_minus() {
        let down = Sort::descending(ByName::Name);
        assert_eq!(down.to_string(), "-name");
        assert_eq!("-name".parse(), Ok(down));
        assert_eq!("name".parse(), Ok(ByName::USUAL));
        for text in ["", "-", "--name", "Name", "name desc", "name; --"] {
            assert_eq!(text.parse::<Sort<ByName>>(), Err(UnknownWord), "{text}");
        }
    }
}
