//! The company directory: who is behind an address, and whom a name means.
//!
//! | the other side's address | is found by |
//! |---|---|
//! | `sip:101@acme.example` | the same address-of-record, host in any case |
//! | `+49 30 1234567`, `00493012345…`, `011 49…`, `4930…` | the number in E.164 |
//! | `030 1234567`, `0301234567`, `(212) 555-0123` | the national number, with or without a trunk prefix `0`, `8` or `1` |
//!
//! A national number (ITU-T E.164 section 6.2.1: what follows the country code) is the same in several countries. If people of several
//! fit, none is shown: a wrong name is worse than none. Numbers of fewer than [`MIN_NATIONAL`] digits are extensions of somebody's.

use std::collections::{BTreeMap, HashMap};

use sip::Uri;

/// Shorter numbers are not looked for among national ones.
const MIN_NATIONAL: usize = 7;

/// Words of a search that count.
const MAX_WORDS: usize = 8;

/// Somebody in the directory. The texts are plain already ([`plain_text`](crate::plain_text)).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// Identifier.
    pub id: u128,
    /// First and last name.
    pub name: String,
    /// Company.
    pub company: Option<String>,
    /// Job title.
    pub job_title: Option<String>,
    /// By what the person is called from inside.
    pub internal: Vec<Internal>,
    /// Telephone numbers in E.164, with `+`.
    pub numbers: Vec<Number>,
    /// E-mail addresses.
    pub emails: Vec<String>,
}

/// By what somebody is called from inside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Internal {
    /// What is dialled.
    pub number: String,
    /// Address-of-record, `sip:user@domain`.
    pub address: String,
}

/// A telephone number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Number {
    /// E.164, with `+`.
    pub number: String,
    /// What it is for.
    pub label: String,
}

/// Whom a text means that somebody wants to call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Callee<'a> {
    /// It is a number or an address, or it may be one that nobody in the directory has.
    Text,
    /// This person.
    One(&'a Person),
    /// All of these fit; at least two.
    Several(Vec<&'a Person>),
    /// It can only be a name, and nobody has it.
    Nobody,
}

/// The people by everything that they are found by.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    people: BTreeMap<u128, Person>,
    by_address: HashMap<String, u128>,
    by_number: HashMap<String, Vec<u128>>,
    by_national: HashMap<String, Vec<u128>>,
}

impl Directory {
    /// A directory of these people.
    pub fn new(people: impl IntoIterator<Item = Person>) -> Self {
        let mut directory = Self::default();
        for person in people {
            for internal in &person.internal {
                if let Some(key) = internal.address.parse().ok().and_then(|uri| address(&uri)) {
                    directory.by_address.entry(key).or_insert(person.id);
                }
            }
            for number in &person.numbers {
                let digits = digits(&number.number);
                if let Some(national) = national(&digits) {
                    let known = directory.by_national.entry(national.to_owned());
                    known.or_default().push(person.id);
                }
                let known = directory.by_number.entry(digits);
                known.or_default().push(person.id);
            }
            directory.people.insert(person.id, person);
        }
        directory
    }

    /// How many people are in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.people.len()
    }

    /// Nobody is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.people.is_empty()
    }

    /// Who is behind the address of a call, if only one person can be.
    #[must_use]
    pub fn find_caller(&self, uri: &str) -> Option<&Person> {
        let uri: Uri = uri.parse().ok()?;
        let known = address(&uri).and_then(|key| self.by_address.get(&key));
        if let Some(id) = known {
            return self.people.get(id);
        }
        let user = uri.user_decoded();
        self.find_number(user.as_deref().or(uri.telephone_number())?)
    }

    /// Whose number that is, however it is written, if only one person's.
    fn find_number(&self, written: &str) -> Option<&Person> {
        let number = written.split(';').next().unwrap_or_default();
        let allowed = |symbol: char| symbol.is_ascii_digit() || "+ -.()/".contains(symbol);
        if !number.chars().all(allowed) {
            return None;
        }
        let digits = digits(number);
        let mut found = self.people_with(&self.by_number, &digits);
        if number.trim_start().starts_with('+') {
            return only(&found);
        }
        for prefix in ["00", "011"] {
            let rest = digits.strip_prefix(prefix).unwrap_or_default();
            found.extend(self.people_with(&self.by_number, rest));
        }
        if found.is_empty() {
            found = self.people_with(&self.by_national, &digits);
            for trunk in ["0", "8", "1"] {
                let rest = digits.strip_prefix(trunk).unwrap_or_default();
                found.extend(self.people_with(&self.by_national, rest));
            }
        }
        only(&found)
    }

    fn people_with(&self, index: &HashMap<String, Vec<u128>>, key: &str) -> Vec<&Person> {
        let ids = index.get(key).into_iter().flatten();
        ids.filter_map(|id| self.people.get(id)).collect()
    }

    /// The people in whose name, company, job title, numbers and e-mail addresses every word of `text` occurs, by name. Everybody if there
    /// is no word.
    #[must_use]
    pub fn search(&self, text: &str) -> Vec<&Person> {
        let words = words(text);
        let fits = |person: &&Person| {
            let text = person.text();
            words.iter().all(|word| text.contains(word.as_str()))
        };
        by_name(self.people.values().filter(fits).collect())
    }

    /// Whom `text` means. Numbers and addresses mean themselves, and so does the user name of somebody in the directory. A name means
    /// who is called exactly so; else those in whose names words begin like all of its words.
    #[must_use]
    pub fn find_callee(&self, text: &str) -> Callee<'_> {
        let text = text.trim();
        let is_number = |symbol: char| symbol.is_ascii_digit() || "+*# -.()/".contains(symbol);
        let is_address = text.contains(['@', ':']) || text.chars().all(is_number);
        let is_internal = |person: &Person| {
            let mut internal = person.internal.iter();
            internal.any(|internal| internal.number == text)
        };
        if is_address || self.people.values().any(is_internal) {
            return Callee::Text;
        }
        let wanted = words(text);
        let exact = |person: &&Person| words(&person.name) == wanted;
        let mut found: Vec<_> = self.people.values().filter(exact).collect();
        if found.is_empty() {
            let begins = |person: &&Person| {
                let parts = words(&person.name);
                wanted
                    .iter()
                    .all(|word| parts.iter().any(|part| part.starts_with(word.as_str())))
            };
            found = self.people.values().filter(begins).collect();
        }
        match found.as_slice() {
            [] if text.contains(char::is_whitespace) => Callee::Nobody,
            [] => Callee::Text,
            [one] => Callee::One(one),
            _ => Callee::Several(by_name(found)),
        }
    }
}

impl Person {
    /// All that a search looks at, in lower case.
    fn text(&self) -> String {
        let mut parts = vec![self.name.as_str()];
        parts.extend(self.company.as_deref());
        parts.extend(self.job_title.as_deref());
        parts.extend(
            self.internal
                .iter()
                .map(|internal| internal.number.as_str()),
        );
        parts.extend(self.numbers.iter().map(|number| number.number.as_str()));
        parts.extend(self.emails.iter().map(String::as_str));
        parts.join("\n").to_lowercase()
    }
}

/// The person, if all of these are the same.
fn only<'a>(found: &[&'a Person]) -> Option<&'a Person> {
    let first = found.first()?;
    let is_one = found.iter().all(|person| person.id == first.id);
    is_one.then_some(*first)
}

fn by_name(mut people: Vec<&Person>) -> Vec<&Person> {
    people.sort_by_cached_key(|person| (person.name.to_lowercase(), person.id));
    people
}

fn words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let words = lower.split_whitespace().take(MAX_WORDS);
    words.map(str::to_owned).collect()
}

/// How an address-of-record is compared: the user exactly, the host in any case (RFC 3261 section 19.1.4).
fn address(uri: &Uri) -> Option<String> {
    let user = uri.user_decoded()?;
    let host = uri.host()?.to_string().to_ascii_lowercase();
    Some(format!("{user}@{host}"))
}

fn digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}

/// What follows the country code, if that is long enough to be told from an extension.
fn national(digits: &str) -> Option<&str> {
    let national = digits.get(country_code_len(digits)..)?;
    (national.len() >= MIN_NATIONAL).then_some(national)
}

/// Length of the country code that the digits of an international number begin with, by the list of assigned codes (annex to ITU
/// Operational Bulletin No. 1114): one digit in zones 1 and 7, two for these, three for all others.
fn country_code_len(digits: &str) -> usize {
    const OF_TWO: &[&str] = &[
        "20", "27", "28", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45",
        "46", "47", "48", "49", "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62",
        "63", "64", "65", "66", "81", "82", "83", "84", "86", "89", "90", "91", "92", "93", "94",
        "95", "98",
    ];
    if digits.starts_with(['1', '7']) {
        1
    } else if OF_TWO.iter().any(|code| digits.starts_with(code)) {
        2
    } else {
        3
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(id: u128, name: &str, internal: &[&str], numbers: &[&str]) -> Person {
        let internal = internal.iter().map(|user| Internal {
            number: (*user).to_owned(),
            address: format!("sip:{user}@acme.example"),
        });
        let numbers = numbers.iter().map(|number| Number {
            number: (*number).to_owned(),
            label: "work".to_owned(),
        });
        Person {
            id,
            name: name.to_owned(),
            company: Some("Acme".to_owned()),
            internal: internal.collect(),
            numbers: numbers.collect(),
            ..Person::default()
        }
    }

    fn directory() -> Directory {
        Directory::new([
            person(1, "Ann Example", &["101"], &["+493012345678"]),
            person(2, "Ben Example", &["102", "front.desk"], &["+12125550123"]),
            person(3, "Annika Müller", &[], &["+390612345678", "+4989111222"]),
            person(4, "Ann", &["104"], &["+4989111222"]),
        ])
    }

    fn caller(uri: &str) -> Option<String> {
        let directory = directory();
        directory.find_caller(uri).map(|person| person.name.clone())
    }

    #[test]
    fn a_caller_is_found_by_its_address_or_its_number_in_any_spelling() {
        for (uri, name) in [
            ("sip:101@acme.example", Some("Ann Example")),
            (
                "sip:101@ACME.example:5070;transport=tcp",
                Some("Ann Example"),
            ),
            ("sip:front.desk@acme.example", Some("Ben Example")),
            // Somebody else's 101.
            ("sip:101@other.example", None),
            (
                "sip:+493012345678@provider.example;user=phone",
                Some("Ann Example"),
            ),
            ("sip:00493012345678@provider.example", Some("Ann Example")),
            ("sip:011493012345678@provider.example", Some("Ann Example")),
            ("sip:493012345678@provider.example", Some("Ann Example")),
            ("sip:03012345678@provider.example", Some("Ann Example")),
            ("sip:3012345678@provider.example", Some("Ann Example")),
            ("sip:+49-30-1234.5678@provider.example", Some("Ann Example")),
            ("tel:+49-30-12345678", Some("Ann Example")),
            (
                "sip:+493012345678;ext=9@provider.example",
                Some("Ann Example"),
            ),
            ("sip:2125550123@provider.example", Some("Ben Example")),
            ("sip:12125550123@provider.example", Some("Ben Example")),
            // Italy dials the 0 of its numbers.
            ("sip:0612345678@provider.example", Some("Annika Müller")),
            // A plus says that the country code follows.
            ("sip:+3012345678@provider.example", None),
            // Two people have it.
            ("sip:+4989111222@provider.example", None),
            // Not the whole number.
            ("sip:12345678@provider.example", None),
            ("sip:0123@provider.example", None),
            ("sip:anonymous@anonymous.invalid", None),
            ("nonsense", None),
            ("", None),
        ] {
            assert_eq!(caller(uri).as_deref(), name, "{uri}");
        }
    }

    #[test]
    fn of_two_countries_with_the_same_national_number_none_is_guessed() {
        let both = Directory::new([
            person(1, "Berlin", &[], &["+49301234567"]),
            person(2, "Vienna", &[], &["+43301234567"]),
        ]);
        assert_eq!(both.find_caller("sip:0301234567@p.example"), None);
        let found = both.find_caller("sip:0043301234567@p.example");
        assert_eq!(found.map(|person| person.name.as_str()), Some("Vienna"));
    }

    #[test]
    fn names_are_called_only_if_they_mean_one_person() {
        let directory = directory();
        let called = |text: &str| match directory.find_callee(text) {
            Callee::Text => "as it is".to_owned(),
            Callee::One(person) => person.name.clone(),
            Callee::Several(people) => {
                let names = people.iter().map(|person| person.name.as_str());
                names.collect::<Vec<_>>().join(", ")
            }
            Callee::Nobody => "nobody".to_owned(),
        };
        for (text, whom) in [
            ("101", "as it is"),
            ("+49 (30) 123", "as it is"),
            ("ann@example.org", "as it is"),
            ("sip:ann", "as it is"),
            // An account's user name is not a person's name.
            ("front.desk", "as it is"),
            ("ann example", "Ann Example"),
            ("ANN", "Ann"),
            ("exa ben", "Ben Example"),
            ("müller", "Annika Müller"),
            ("exam", "Ann Example, Ben Example"),
            ("Zoe", "as it is"),
            ("Zoe Nobody", "nobody"),
        ] {
            assert_eq!(called(text), whom, "{text}");
        }
    }

    #[test]
    fn a_search_looks_at_everything_and_sorts_by_name() {
        let directory = directory();
        let found = |text: &str| -> Vec<String> {
            let people = directory.search(text).into_iter();
            people.map(|person| person.name.clone()).collect()
        };
        assert_eq!(
            found(""),
            ["Ann", "Ann Example", "Annika Müller", "Ben Example"]
        );
        assert_eq!(found("acme 5550123"), ["Ben Example"]);
        assert_eq!(found("MÜLL"), ["Annika Müller"]);
        assert!(found("nothing of it").is_empty());
    }
}
