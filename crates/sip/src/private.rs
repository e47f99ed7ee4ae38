//! People's data on its way past a log.
//!
//! Hidden always, not by a build feature: a phone number in a log is a breach in test systems too.

use std::fmt;

/// A number, address, name or secret that may only reach a log if asked for.
///
/// `{}` and `{:?}` both print `***`. To see the value, take it out by hand: `value.0`, which a
/// reviewer can search for.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Private<T>(pub T);

impl<T> fmt::Debug for Private<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl<T> fmt::Display for Private<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl<T> From<T> for Private<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_values_print_as_stars() {
        let number = Private("+4930123456");
        assert_eq!(
            format!("{number} {number:?} {:?}", Some(&number)),
            "*** *** Some(***)"
        );
    }
}
