//! How a header field is read that may stand once, must, or is a list.

use crate::header::name::NameId;
use crate::header::{HeaderError, scan};
use crate::message::Fields;

impl Fields {
    pub(in crate::header) fn required<'a, T>(
        &'a self,
        name: NameId,
        parse: impl Fn(&'a str) -> Option<T>,
    ) -> Result<T, HeaderError> {
        self.optional(name, parse)?.ok_or(HeaderError::Missing {
            name: name.as_str(),
        })
    }

    /// Each element of a list, read and let go; how many there were.
    pub(crate) fn check_list<'a, T>(
        &'a self,
        name: NameId,
        mut parse: impl FnMut(&'a str) -> Option<T>,
    ) -> Result<usize, HeaderError> {
        let mut count = 0;
        for element in self.headers().all_of(name).flat_map(scan::elements) {
            element.and_then(&mut parse).ok_or(HeaderError::Malformed {
                name: name.as_str(),
            })?;
            count += 1;
        }
        Ok(count)
    }

    pub(in crate::header) fn optional<'a, T>(
        &'a self,
        name: NameId,
        parse: impl Fn(&'a str) -> Option<T>,
    ) -> Result<Option<T>, HeaderError> {
        let Some(value) = self.headers().first_of(name) else {
            return Ok(None);
        };
        if self.headers().repeat(name) {
            return Err(HeaderError::Repeated {
                name: name.as_str(),
            });
        }
        parse(value).map(Some).ok_or(HeaderError::Malformed {
            name: name.as_str(),
        })
    }

    pub(in crate::header) fn list<'a, T>(
        &'a self,
        name: NameId,
        parse: impl Fn(&'a str) -> Option<T>,
    ) -> Result<Vec<T>, HeaderError> {
        let mut list = Vec::new();
        for value in self.headers().all_of(name) {
            for element in scan::elements(value) {
                let read = element.and_then(&parse);
                list.push(read.ok_or(HeaderError::Malformed {
                    name: name.as_str(),
                })?);
            }
        }
        Ok(list)
    }

    /// Empty elements are passed over: `Supported:` alone is legal, `a,,b` harmless.
    pub(in crate::header) fn tokens(&self, name: NameId) -> Result<Vec<&str>, HeaderError> {
        let mut tokens = self.list(name, Some)?;
        tokens.retain(|token| !token.is_empty());
        match tokens.iter().all(|token| scan::is_token(token)) {
            true => Ok(tokens),
            false => Err(HeaderError::Malformed {
                name: name.as_str(),
            }),
        }
    }
}
