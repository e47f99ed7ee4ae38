//! `directory`: the people of the company, as the phone knows them. Read from disk, so it needs neither a running phone nor the portal.

use serde_json::{Value, json};
use softphone_core::Person;

use crate::cli;
use crate::failure::Failure;
use crate::profile::ProfileFolder;
use crate::terminal::Terminal;

pub(super) async fn directory(
    asked: cli::Directory,
    folder: &ProfileFolder,
    terminal: Terminal,
) -> Result<(), Failure> {
    let device = folder.load()?.device_id;
    let directory = folder.load_directory(device).to_directory();
    let people = directory.search(&asked.search.join(" "));
    let list: Vec<_> = people.iter().map(|person| person_json(person)).collect();
    let text: Vec<_> = people.iter().map(|person| person_text(person)).collect();
    let text = match (text.is_empty(), directory.is_empty()) {
        (false, _) => text.join("\n"),
        (true, false) => "Nobody in the company directory fits".to_owned(),
        (true, true) => "The company directory is empty, or was not read yet".to_owned(),
    };
    terminal.result(&json!({ "people": list }), &text);
    Ok(())
}

fn person_json(person: &Person) -> Value {
    let internal = person
        .internal
        .iter()
        .map(|internal| json!({ "number": internal.number, "address": internal.address }));
    let numbers = person
        .numbers
        .iter()
        .map(|number| json!({ "number": number.number, "label": number.label }));
    json!({
        "name": person.name,
        "company": person.company,
        "job_title": person.job_title,
        "internal": internal.collect::<Vec<_>>(),
        "numbers": numbers.collect::<Vec<_>>(),
        "emails": person.emails,
    })
}

/// One line: the name, what else is known, numbers, addresses.
fn person_text(person: &Person) -> String {
    let about: Vec<&str> = [&person.job_title, &person.company]
        .into_iter()
        .filter_map(|text| text.as_deref())
        .collect();
    let about = if about.is_empty() {
        String::new()
    } else {
        format!(" ({})", about.join(", "))
    };
    let internal = person
        .internal
        .iter()
        .map(|internal| internal.number.clone());
    let numbers = person
        .numbers
        .iter()
        .map(|number| format!("{} {}", number.label, number.number));
    let reached: Vec<_> = internal
        .chain(numbers)
        .chain(person.emails.iter().cloned())
        .collect();
    format!("{}{about}: {}", person.name, reached.join(", "))
}
