use time::OffsetDateTime;

use super::*;
use crate::import::read::Sheet;

fn ada() -> Contact {
    Contact {
        id: Uuid::from_u128(1),
        first_name: "Ada".into(),
        last_name: "Lovelace".into(),
        company: Some("Analytical".into()),
        job_title: None,
        in_directory: true,
        numbers: vec![
            ContactNumber {
                number: "+441111111".into(),
                label: "mobile".into(),
            },
            ContactNumber {
                number: "+442222222".into(),
                label: "work".into(),
            },
        ],
        emails: vec![ContactEmail {
            address: "Ada@example.com".into(),
            label: EmailLabel::Home,
        }],
        devices: Vec::new(),
        extensions: Vec::new(),
        created_at: OffsetDateTime::UNIX_EPOCH,
        version: 4,
    }
}

/// The rows that the file makes, with these contacts there.
fn planned(text: &str, found: &[Contact]) -> Vec<NewImportRow> {
    planned_in(None, text, found)
}

/// The same where numbers that do not say it are in a country.
fn planned_in(country: Option<&str>, text: &str, found: &[Contact]) -> Vec<NewImportRow> {
    let country = country.map(|country| country.parse().unwrap());
    let mut fields = Fields::default();
    let mut sheet = Sheet::open(text, b',', None, &mut fields).unwrap();
    let columns = sheet.columns.clone();
    let mut planner = Planner::new(&columns, country);
    let mut rows = Vec::new();
    while let Some(cells) = sheet.next().unwrap() {
        let draft = planner.draft(cells);
        rows.push(planner.plan(&draft, found, Uuid::from_u128(99)));
    }
    rows
}

#[track_caller]
fn refused(row: &NewImportRow, heading: &str, message: &str) {
    assert_eq!(row.result, ImportResult::Refused);
    assert_eq!(row.errors[0].0, heading);
    assert!(row.errors[0].1.contains(message), "{}", row.errors[0].1);
}

#[test]
fn who_is_new_is_made_with_what_the_row_says() {
    let rows = planned(
        "Vorname,Nachname,E-Mail,Telefon,Telefon Art\nGrace,Hopper,grace@example.com,'+49 30 1234567,privat\n",
        &[],
    );
    assert_eq!(
        (rows[0].result, rows[0].contact),
        (ImportResult::Create, Some(Uuid::from_u128(99)))
    );
    let fields = rows[0].fields.clone().unwrap();
    assert_eq!(fields.numbers[0].number, "+49301234567");
    assert_eq!(fields.numbers[0].label, "privat");
    assert_eq!(fields.emails[0].label, EmailLabel::Work);
    assert!(fields.in_directory);
}

#[test]
fn a_number_without_a_country_code_is_in_the_country_that_was_said() {
    let file = "email,first_name,last_name,phone\na@example.com,A,B,030 1234567\nc@example.com,C,D,1234567\n";
    let rows = planned_in(Some("DE"), file, &[]);
    let fields = rows[0].fields.clone().unwrap();
    assert_eq!(fields.numbers[0].number, "+49301234567");
    refused(&rows[1], "phone", "with its area code");
    refused(&planned(file, &[])[0], "phone", "country code");

    let known = "email,phone\nada@example.com,0222 2222\n";
    let mut contact = ada();
    contact.numbers[1].number = "+492222222".into();
    let rows = planned_in(Some("DE"), known, &[contact]);
    assert_eq!(rows[0].result, ImportResult::Unchanged, "it is that number");
}

#[test]
fn who_is_there_is_found_by_an_address_in_any_case_and_keeps_what_the_file_does_not_say() {
    let rows = planned("email,company,number\nADA@EXAMPLE.COM,Engines,\n", &[ada()]);
    assert_eq!(
        (rows[0].result, rows[0].version),
        (ImportResult::Update, Some(4))
    );
    let fields = rows[0].fields.clone().unwrap();
    assert_eq!(fields.company.as_deref(), Some("Engines"));
    assert_eq!(
        (fields.first_name.as_str(), fields.numbers),
        ("Ada", ada().numbers)
    );
    assert_eq!(fields.emails, ada().emails, "its case and label stay");
    assert_eq!(
        rows[0].before.as_ref().unwrap().company.as_deref(),
        Some("Analytical")
    );
}

#[test]
fn a_row_that_says_what_is_there_changes_nothing() {
    for text in [
        "email\nada@example.com\n",
        "email,first_name,company\nada@example.com,Ada,Analytical\n",
        "email,number_1\nada@example.com,+442222222\n",
        "email,company\nada@example.com,\n",
    ] {
        assert_eq!(
            planned(text, &[ada()])[0].result,
            ImportResult::Unchanged,
            "{text}"
        );
    }
}

#[test]
fn a_new_number_is_added_and_with_an_id_it_takes_the_place_of_the_old_one() {
    let numbers = |text: &str| {
        let fields = planned(text, &[ada()])[0].fields.clone().unwrap();
        let numbers = fields.numbers.into_iter();
        numbers.map(|number| number.number).collect::<Vec<_>>()
    };
    assert_eq!(
        numbers("email,number_1\nada@example.com,+443333333\n"),
        ["+441111111", "+442222222", "+443333333"]
    );
    let id = Uuid::from_u128(1);
    assert_eq!(
        numbers(&format!("id,number_1,number_2\n{id},+443333333,\n")),
        ["+443333333"]
    );
    assert_eq!(
        numbers(&format!("id,number_1\n{id},+443333333\n")),
        ["+441111111", "+442222222", "+443333333"],
        "the file has no column for the second"
    );
}

#[test]
fn with_an_id_an_empty_cell_empties() {
    let id = Uuid::from_u128(1);
    let rows = planned(
        &format!("id,company,email\n{id},,ada@example.com\n"),
        &[ada()],
    );
    assert_eq!(rows[0].fields.clone().unwrap().company, None);
    let rows = planned(&format!("id,email\n{id},\n"), &[ada()]);
    refused(&rows[0], "email", "at least 1");
}

#[test]
fn what_is_wrong_is_told_by_heading() {
    let rows = planned(
        "Vorname,Nachname,E-Mail,Telefon,Verzeichnis\n,Hopper,grace,0301234567,vielleicht\n",
        &[],
    );
    let headings: Vec<_> = rows[0]
        .errors
        .iter()
        .map(|(heading, _)| heading.as_str())
        .collect();
    assert_eq!(headings, ["Vorname", "Verzeichnis", "Telefon", "E-Mail"]);
    assert_eq!(rows[0].fields, None);
    refused(&planned("id\n7\n", &[ada()])[0], "id", "No contact");
}

#[test]
fn nobody_is_meant_twice() {
    let rows = planned(
        "email,first_name,last_name\nada@example.com,,\nADA@example.com,,\nnew@example.com,A,B\nnew@example.com,C,D\n",
        &[ada()],
    );
    refused(&rows[1], "", "Row 1");
    assert_eq!(rows[2].result, ImportResult::Create);
    refused(&rows[3], "email", "Row 3");
}

#[test]
fn of_several_with_one_address_the_name_decides() {
    let other = Contact {
        id: Uuid::from_u128(2),
        first_name: "Byron".into(),
        ..ada()
    };
    let found = [ada(), other];
    let rows = planned(
        "email,first_name,last_name\nada@example.com,Byron,Lovelace\n",
        &found,
    );
    assert_eq!(rows[0].contact, Some(Uuid::from_u128(2)));
    let rows = planned("email,company\nada@example.com,X\n", &found);
    refused(&rows[0], "email", "Several contacts");
}

#[test]
fn of_a_row_in_which_everything_is_wrong_the_first_things_are_told() {
    let headings: Vec<_> = (0..20).map(|at| format!("Phone {}", at + 1)).collect();
    let text = format!(
        "First name,Last name,E-mail,{}\nAda,L,a@b.example,{}\n",
        headings.join(","),
        vec!["x"; 20].join(",")
    );
    let row = &planned(&text, &[])[0];
    assert_eq!(row.result, ImportResult::Refused);
    assert_eq!(row.errors.len(), MAX_ERRORS + 1);
    let (field, last) = row.errors.last().unwrap();
    assert_eq!(field, "");
    assert!(
        last.starts_with("And ") && last.ends_with(" more in this row."),
        "{last}"
    );
}
