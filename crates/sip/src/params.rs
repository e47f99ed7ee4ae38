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
pub struct Params(Vec<Param>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Param {
    name: String,
    value: Option<String>,
}

impl Params {
    /// No parameters.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the parameter is there, with a value or without.
    pub fn contains(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// The value exactly as written, quotes included; `None` if the parameter is absent or has no
    /// value ([`Params::contains`] tells which).
    pub fn value(&self, name: &str) -> Option<&str> {
        self.find(name)?.value.as_deref()
    }

    /// The value without its quotes and escapes.
    pub fn unquoted(&self, name: &str) -> Option<Cow<'_, str>> {
        self.value(name).map(scan::unquote)
    }

    /// Names and values in order, as written.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.0
            .iter()
            .map(|param| (param.name.as_str(), param.value.as_deref()))
    }

    /// Sets `name=value` where the parameter stands now, else at the end. The value must be what
    /// is to be written: a token, a host, or a quoted string.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.put(name, Some(value.into()));
    }

    /// Sets a parameter without a value.
    pub fn set_flag(&mut self, name: &str) {
        self.put(name, None);
    }

    /// Sets `name="value"` with the escapes that the value needs.
    pub fn set_quoted(&mut self, name: &str, value: &str) {
        self.put(name, Some(scan::quote(value)));
    }

    /// Removes every parameter of this name.
    pub fn remove(&mut self, name: &str) {
        self.0
            .retain(|param| !param.name.eq_ignore_ascii_case(name));
    }

    /// Reads `;name=value…` as header fields write it: blanks around `;` and `=` are allowed,
    /// values may be quoted, empty and repeated parameters are not.
    pub(crate) fn parse_header(text: &str) -> Option<Self> {
        let mut params = Self::new();
        let mut rest = scan::trim(text);
        while !rest.is_empty() {
            rest = rest.strip_prefix(';')?;
            let end = scan::find_unquoted(rest, b";")?.unwrap_or(rest.len());
            let (name, value) = match rest[..end].split_once('=') {
                Some((name, value)) => (scan::trim(name), Some(scan::trim(value))),
                None => (scan::trim(&rest[..end]), None),
            };
            let legal = scan::is_token(name) && value.is_none_or(scan::is_param_value);
            if !legal || params.contains(name) || params.0.len() == MAX_PARAMS {
                return None;
            }
            params.0.push(Param {
                name: name.to_owned(),
                value: value.map(str::to_owned),
            });
            rest = &rest[end..];
        }
        Some(params)
    }

    /// Reads `a=b;c` as URIs write it: no blanks, no quotes.
    pub(crate) fn parse_uri(text: &str) -> Option<Self> {
        let read = |part: &str| {
            let (name, value) = match part.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (part, None),
            };
            (!name.is_empty()).then(|| Param {
                name: name.to_owned(),
                value,
            })
        };
        let params: Vec<_> = text.split(';').map(read).collect::<Option<_>>()?;
        (params.len() <= MAX_PARAMS).then_some(Self(params))
    }

    fn find(&self, name: &str) -> Option<&Param> {
        self.0
            .iter()
            .find(|param| param.name.eq_ignore_ascii_case(name))
    }

    fn put(&mut self, name: &str, value: Option<String>) {
        match self
            .0
            .iter_mut()
            .find(|param| param.name.eq_ignore_ascii_case(name))
        {
            Some(param) => param.value = value,
            None => self.0.push(Param {
                name: name.to_owned(),
                value,
            }),
        }
    }
}

impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|param| match &param.value {
            Some(value) => write!(f, ";{}={value}", param.name),
            None => write!(f, ";{}", param.name),
        })
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
        assert!(Params::parse_uri(&header(MAX_PARAMS)[1..]).is_some());
        assert_eq!(Params::parse_uri(&header(MAX_PARAMS + 1)[1..]), None);
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
