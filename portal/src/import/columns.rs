//! Which column of a file fills which field of a contact: by its heading, in English or German, or as the caller says.

use std::fmt;
use std::str::FromStr;

use store::contact::{MAX_EMAILS, MAX_NUMBERS};

/// A field of a contact that a column can fill. Numbers and addresses are counted from 0 here and from 1 in headings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Field {
    Id,
    FirstName,
    LastName,
    Company,
    JobTitle,
    InDirectory,
    Number(usize),
    NumberLabel(usize),
    Email(usize),
    EmailLabel(usize),
}

/// As exports and interfaces spell them, and how else they are recognised: English first, then German, without spaces and signs.
const NAMES: &[(Field, &str, &[&str])] = &[
    (Field::Id, "id", &["contactid", "kontaktid"]),
    (
        Field::FirstName,
        "first_name",
        &["firstname", "givenname", "forename", "vorname"],
    ),
    (
        Field::LastName,
        "last_name",
        &[
            "lastname",
            "surname",
            "familyname",
            "nachname",
            "familienname",
        ],
    ),
    (
        Field::Company,
        "company",
        &["organization", "organisation", "firma", "unternehmen"],
    ),
    (
        Field::JobTitle,
        "job_title",
        &[
            "jobtitle",
            "title",
            "role",
            "position",
            "funktion",
            "berufsbezeichnung",
        ],
    ),
    (
        Field::InDirectory,
        "in_directory",
        &[
            "indirectory",
            "directory",
            "imverzeichnis",
            "verzeichnis",
            "imtelefonbuch",
        ],
    ),
];

/// Beginnings of headings that can be counted.
const NUMBERS: &[&str] = &[
    "number",
    "phonenumber",
    "phone",
    "telephone",
    "telefonnummer",
    "rufnummer",
    "nummer",
    "telefon",
];
const EMAILS: &[&str] = &[
    "emailaddress",
    "email",
    "mailaddress",
    "mail",
    "emailadresse",
    "mailadresse",
];
const LABELS: &[&str] = &["label", "type", "art", "typ", "bezeichnung"];

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(at) => write!(f, "number_{}", at + 1),
            Self::NumberLabel(at) => write!(f, "number_{}_label", at + 1),
            Self::Email(at) => write!(f, "email_{}", at + 1),
            Self::EmailLabel(at) => write!(f, "email_{}_label", at + 1),
            other => {
                let known = NAMES.iter().find(|(field, ..)| field == other);
                f.write_str(known.map_or("", |(_, name, _)| name))
            }
        }
    }
}

/// The heading fills no field that we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UnknownField;

impl FromStr for Field {
    type Err = UnknownField;

    fn from_str(heading: &str) -> Result<Self, UnknownField> {
        let plain: String = heading
            .chars()
            .filter(|symbol| symbol.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect();
        let named = NAMES.iter().find(|(_, name, others)| {
            name.replace('_', "") == plain || others.contains(&plain.as_str())
        });
        if let Some((field, ..)) = named {
            return Ok(*field);
        }
        counted(&plain, EMAILS, MAX_EMAILS, Self::Email, Self::EmailLabel)
            .or_else(|| {
                counted(
                    &plain,
                    NUMBERS,
                    MAX_NUMBERS,
                    Self::Number,
                    Self::NumberLabel,
                )
            })
            .ok_or(UnknownField)
    }
}

/// `email`, `email2`, `email2label`.
fn counted(
    plain: &str,
    beginnings: &[&str],
    most: usize,
    value: fn(usize) -> Field,
    label: fn(usize) -> Field,
) -> Option<Field> {
    beginnings.iter().find_map(|beginning| {
        let rest = plain.strip_prefix(beginning)?;
        let end = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (digits, rest) = rest.split_at(end);
        let at = match digits {
            "" => 1,
            digits => digits.parse().ok()?,
        };
        let at = usize::checked_sub(at, 1).filter(|at| *at < most)?;
        match rest {
            "" => Some(value(at)),
            rest if LABELS.contains(&rest) => Some(label(at)),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_recognised_in_both_languages() {
        for (heading, field) in [
            ("first_name", Field::FirstName),
            ("First name", Field::FirstName),
            ("VORNAME", Field::FirstName),
            ("Nachname", Field::LastName),
            ("Firma", Field::Company),
            ("Im Verzeichnis", Field::InDirectory),
            ("E-Mail", Field::Email(0)),
            ("E-Mail-Adresse 2", Field::Email(1)),
            ("email_2_label", Field::EmailLabel(1)),
            ("Telefon 3", Field::Number(2)),
            ("Telefonnummer", Field::Number(0)),
            ("Rufnummer 1 (Art)", Field::NumberLabel(0)),
            ("number_20", Field::Number(19)),
        ] {
            assert_eq!(heading.parse(), Ok(field), "{heading}");
        }
        for heading in [
            "",
            "Notes",
            "number_0",
            "number_21",
            "email_x",
            "Fax",
            "number99999999999999999999",
        ] {
            assert_eq!(heading.parse::<Field>(), Err(UnknownField), "{heading}");
        }
    }

    #[test]
    fn what_we_write_we_recognise() {
        let counted = (0..20).flat_map(|at| {
            [
                Field::Number(at),
                Field::NumberLabel(at),
                Field::Email(at),
                Field::EmailLabel(at),
            ]
        });
        for field in NAMES.iter().map(|(field, ..)| *field).chain(counted) {
            assert_eq!(field.to_string().parse(), Ok(field), "{field}");
        }
    }
}
