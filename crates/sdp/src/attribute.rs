//! Attributes: `a=name` and `a=name:value`, in the order they were written.

use std::fmt;

/// Attributes whose values are secret: they are written where they belong and printed nowhere else.
const SECRET: [&str; 3] = ["crypto", "key-mgmt", "ice-pwd"];

/// One `a=` line.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Attribute {
    /// What stands before the colon.
    pub name: String,
    /// What stands after it; `None` for a property attribute without a colon.
    pub value: Option<String>,
}

impl Attribute {
    /// An attribute without a value, like `a=sendonly`.
    #[must_use]
    pub fn flag(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: None,
        }
    }

    /// An attribute with a value, like `a=ptime:20`.
    #[must_use]
    pub fn with_value(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: Some(value.into()),
        }
    }
}

impl fmt::Debug for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_secret = |name: &&str| name.eq_ignore_ascii_case(self.name.trim());
        let value = match &self.value {
            Some(_) if SECRET.iter().any(is_secret) => Some("***"),
            value => value.as_deref(),
        };
        f.debug_struct("Attribute")
            .field("name", &self.name)
            .field("value", &value)
            .finish()
    }
}

/// An ordered list of attributes; unknown ones are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes(pub Vec<Attribute>);

impl Attributes {
    /// All attributes, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Attribute> {
        self.0.iter()
    }

    /// Appends one.
    pub fn push(&mut self, attribute: Attribute) {
        self.0.push(attribute);
    }

    /// An attribute of this name is present, with or without a value.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.0
            .iter()
            .any(|attribute| attribute.name.eq_ignore_ascii_case(name))
    }

    /// The value of the first attribute of this name that has one.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .filter(|attribute| attribute.name.eq_ignore_ascii_case(name))
            .find_map(|attribute| attribute.value.as_deref())
    }

    /// The values of all attributes of this name, in order.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |attribute| attribute.name.eq_ignore_ascii_case(name))
            .filter_map(|attribute| attribute.value.as_deref())
    }

    /// Removes every attribute of this name.
    pub fn remove(&mut self, name: &str) {
        self.0
            .retain(|attribute| !attribute.name.eq_ignore_ascii_case(name));
    }
}

impl<'a> IntoIterator for &'a Attributes {
    type Item = &'a Attribute;
    type IntoIter = std::slice::Iter<'a, Attribute>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
