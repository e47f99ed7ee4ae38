//! Parameters of header fields and URIs: an ordered list of names, some with a value.
//!
//! Order, spelling and quotes are kept exactly, because parameters travel through us to peers
//! that compare them byte by byte (`+sip.instance`, `pn-prid`). Names compare without case. In a
//! header a parameter may stand once; in a URI a repeated one is kept and the first counts.

use std::borrow::Cow;
use std::fmt;

use crate::header::scan;

/// More are refused: repeated names are looked for by comparing each with each.
const MAX_PARAMS: usize = 64;

/// An ordered list of parameters, written `;name=value;flag`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Params(
    /// Exactly what is written; every parameter begins with its semicolon.
    String,
);

impl Params {
    /// No parameters.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As they are written.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the parameter is there, with a value or without.
    pub fn contains(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// The value exactly as written, quotes included; `None` if the parameter is absent or has no
    /// value ([`Params::contains`] tells which).
    pub fn value(&self, name: &str) -> Option<&str> {
        split_pair(self.find(name)?).1
    }

    /// The value without its quotes and escapes.
    pub fn unquoted(&self, name: &str) -> Option<Cow<'_, str>> {
        self.value(name).map(scan::unquote)
    }

    /// Names and values in order, as written.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.pieces().map(split_pair)
    }

    /// Sets `name=value` where the parameter stands now, else at the end. The value must be what
    /// is to be written: a token, a host, or a quoted string.
    pub fn set(&mut self, name: &str, value: impl AsRef<str>) {
        self.put(name, Some(value.as_ref()));
    }

    /// Sets a parameter without a value.
    pub fn set_flag(&mut self, name: &str) {
        self.put(name, None);
    }

    /// Sets `name="value"` with the escapes that the value needs.
    pub fn set_quoted(&mut self, name: &str, value: &str) {
        self.put(name, Some(&scan::quote(value)));
    }

    /// Removes every parameter of this name.
    pub fn remove(&mut self, name: &str) {
        if !self.contains(name) {
            return;
        }
        let is_kept = |piece: &&str| !split_pair(piece).0.eq_ignore_ascii_case(name);
        self.0 = self
            .pieces()
            .filter(is_kept)
            .flat_map(|piece| [";", piece])
            .collect();
    }

    /// Reads `;name=value…` as header fields write it: blanks around `;` and `=` are allowed,
    /// values may be quoted, empty and repeated parameters are not.
    pub(crate) fn parse_header(text: &str) -> Option<Self> {
        ParamsRef::parse(text).map(ParamsRef::to_owned)
    }

    /// Parameters as URIs write them, [`is_uri_params`] or empty.
    pub(crate) fn of_uri(text: &str) -> Self {
        match text.is_empty() {
            true => Self::new(),
            false => Self([";", text].concat()),
        }
    }

    /// The parameters without their semicolons.
    fn pieces(&self) -> impl Iterator<Item = &str> {
        let mut rest = self.0.as_str();
        std::iter::from_fn(move || {
            let text = rest.strip_prefix(';')?;
            let end = scan::find_unquoted(text, [b';', b';']).flatten();
            let end = end.unwrap_or(text.len());
            rest = &text[end..];
            Some(&text[..end])
        })
    }

    fn find(&self, name: &str) -> Option<&str> {
        self.pieces()
            .find(|piece| split_pair(piece).0.eq_ignore_ascii_case(name))
    }

    fn push(&mut self, name: &str, value: Option<&str>) {
        self.0.push(';');
        self.0.push_str(name);
        if let Some(value) = value {
            self.0.push('=');
            self.0.push_str(value);
        }
    }

    fn put(&mut self, name: &str, value: Option<&str>) {
        if !self.contains(name) {
            return self.push(name, value);
        }
        let before = std::mem::take(self);
        let mut is_done = false;
        for (known, old) in before.iter() {
            if !is_done && known.eq_ignore_ascii_case(name) {
                is_done = true;
                self.push(known, value);
            } else {
                self.push(known, old);
            }
        }
    }
}

/// Whether `text` is `a=b;c` as URIs write it: no blanks, no quotes.
pub(crate) fn is_uri_params(text: &str) -> bool {
    // Before the first byte as behind a semicolon: no parameter is empty, or nothing but a value.
    let (mut before, mut count) = (b';', 1);
    for byte in text.bytes() {
        if before == b';' && matches!(byte, b';' | b'=') {
            return false;
        }
        count += usize::from(byte == b';');
        before = byte;
    }
    before != b';' && count <= MAX_PARAMS
}

/// The parameters of a header field, read in place: legal, each name once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ParamsRef<'a>(&'a str);

impl<'a> ParamsRef<'a> {
    /// As [`Params::parse_header`].
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        Self::parse_and_see(text, |_, _| {})
    }

    /// The same, and the parameter of this name on the way: `Some(None)` if it has no value.
    pub(crate) fn parse_and_find(
        wanted: &str,
        text: &'a str,
    ) -> Option<(Self, Option<Option<&'a str>>)> {
        let mut found = None;
        let params = Self::parse_and_see(text, |name, value| {
            if name.eq_ignore_ascii_case(wanted) {
                found = Some(value);
            }
        })?;
        Some((params, found))
    }

    /// The same, and each parameter as it comes.
    pub(crate) fn parse_and_see(
        text: &'a str,
        mut see: impl FnMut(&'a str, Option<&'a str>),
    ) -> Option<Self> {
        let params = Self(scan::trim(text));
        // Nearly all headers have fewer; the names of the others are read again.
        let mut first = [""; 8];
        let (mut rest, mut count) = (params.0, 0);
        while !rest.is_empty() {
            let (name, value, behind) = split_param(rest)?;
            see(name, value);
            let is_name = |known: &str| known.eq_ignore_ascii_case(name);
            let is_repeated = first.iter().take(count).any(|known| is_name(known))
                || count > first.len() && {
                    let mut later = params.iter().take(count).skip(first.len());
                    later.any(|(known, _)| is_name(known))
                };
            if is_repeated || count == MAX_PARAMS {
                return None;
            }
            if let Some(free) = first.get_mut(count) {
                *free = name;
            }
            (rest, count) = (behind, count + 1);
        }
        Some(params)
    }

    /// Names and values in order, as written.
    pub(crate) fn iter(self) -> impl Iterator<Item = (&'a str, Option<&'a str>)> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let (name, value, behind) = split_param(rest)?;
            rest = behind;
            Some((name, value))
        })
    }

    pub(crate) fn to_owned(self) -> Params {
        let mut params = Params(String::with_capacity(self.0.len()));
        for (name, value) in self.iter() {
            params.push(name, value);
        }
        params
    }
}

/// Name and value of the parameter whose semicolon `text` starts with, and what stands behind it; `None` if it cannot be read.
fn split_param(text: &str) -> Option<(&str, Option<&str>, &str)> {
    let text = scan::trim_start(text.strip_prefix(';')?);
    let (name, rest) = text.split_at(scan::token_len(text.as_bytes()));
    let rest = scan::trim_start(rest);
    let (value, rest) = match rest.strip_prefix('=') {
        None => (None, rest),
        Some(rest) => {
            let rest = scan::trim_start(rest);
            let (value, rest) = rest.split_at(scan::param_value_len(rest)?);
            (Some(value), scan::trim_start(rest))
        }
    };
    let is_legal = !name.is_empty() && (rest.is_empty() || rest.starts_with(';'));
    is_legal.then_some((name, value, rest))
}

fn split_pair(piece: &str) -> (&str, Option<&str>) {
    match memchr::memchr(b'=', piece.as_bytes()) {
        Some(at) => (&piece[..at], Some(&piece[at + 1..])),
        None => (piece, None),
    }
}

impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_go_and_quotes_stay() {
        let params = Params::parse_header(" ; tag = 1 ;\ttext=\"a; \\\"b\\\"\";lr").unwrap();
        assert_eq!(params.to_string(), ";tag=1;text=\"a; \\\"b\\\"\";lr");
        assert_eq!(params.unquoted("TEXT").unwrap(), "a; \"b\"");
        assert!(params.contains("lr") && params.value("lr").is_none());
    }

    #[test]
    fn empty_repeated_and_broken_parameters_are_refused() {
        for text in [
            ";", ";;", ";a;", ";a=1;A=2", ";a=\"x", ";a=", ";a b", "a", ";a=b c", ";=1",
        ] {
            assert_eq!(Params::parse_header(text), None, "{text}");
        }
    }

    #[test]
    fn the_number_of_parameters_is_bounded() {
        let header = |count: usize| (0..count).map(|n| format!(";p{n}")).collect::<String>();
        assert!(Params::parse_header(&header(MAX_PARAMS)).is_some());
        assert_eq!(Params::parse_header(&header(MAX_PARAMS + 1)), None);
        assert!(is_uri_params(&header(MAX_PARAMS)[1..]));
        assert!(!is_uri_params(&header(MAX_PARAMS + 1)[1..]));
    }

    #[test]
    fn setting_keeps_the_place() {
        let mut params = Params::parse_header(";a=1;b;c=3").unwrap();
        params.set("B", "2");
        params.set_quoted("d", "x\"y");
        params.remove("a");
        assert_eq!(params.to_string(), ";b=2;c=3;d=\"x\\\"y\"");
    }
}
