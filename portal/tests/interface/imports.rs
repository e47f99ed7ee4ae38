//! Contacts in files over HTTP, and many contacts at once.

use reqwest::StatusCode;
use serde_json::{Value, json};
use store::Role;

use crate::world::{Answer, World};

/// Waits until an import is neither done nor taken back any more.
async fn through(world: &World, id: &str) -> Value {
    let path = world.path(&format!("contacts/imports/{id}"));
    loop {
        let import = world.owner.get(&path).await.expect(StatusCode::OK).body;
        if !["committing", "undoing", "reverting"].contains(&import["state"].as_str().unwrap()) {
            return import;
        }
        tokio::task::yield_now().await;
    }
}

async fn checked(world: &World, query: &str, file: impl Into<Vec<u8>>) -> Value {
    let path = world.path(&format!("contacts/imports{query}"));
    let made = world.owner.upload(&path, file).await;
    made.expect(StatusCode::CREATED).body
}

async fn act(world: &World, id: &str, what: &str) -> Answer {
    let path = world.path(&format!("contacts/imports/{id}/{what}"));
    world.owner.post(&path, json!({})).await
}

async fn contacts(world: &World) -> Vec<Value> {
    let listed = world.owner.get(&world.path("contacts")).await;
    listed.expect(StatusCode::OK).body["items"]
        .as_array()
        .unwrap()
        .clone()
}

#[tokio::test]
async fn a_file_is_checked_committed_and_taken_back() {
    let world = World::start().await;
    world.contact("Alice").await;
    let file = "Vorname;Nachname;E-Mail;Firma;Notiz\r\n\
        Alice;Example;someone@example.com;Example Ltd;x\r\n\
        Jörg;Müller;joerg@example.com;;\r\n\
        ;Ohne;ohne@example.com;;\r\n";
    let windows = encoded(file);
    let import = checked(&world, "?file_name=leute.csv", windows).await;
    let id = import["id"].as_str().unwrap().to_owned();
    assert_eq!(
        json!([
            import["state"],
            import["encoding"],
            import["separator"],
            import["file_name"]
        ]),
        json!(["checked", "windows-1252", "semicolon", "leute.csv"])
    );
    let counts = json!([
        import["rows"],
        import["create"],
        import["update"],
        import["unchanged"],
        import["refused"]
    ]);
    assert_eq!(counts, json!([3, 1, 1, 0, 1]));
    assert_eq!(import["columns"][4], json!({"heading": "Notiz"}));
    assert_eq!(contacts(&world).await.len(), 1, "nothing is changed yet");

    let rows = world.path(&format!("contacts/imports/{id}/rows"));
    let rows_of = async |query: &str| {
        let page = world.owner.get(&format!("{rows}{query}")).await;
        page.expect(StatusCode::OK).body["items"].clone()
    };
    let all = rows_of("").await;
    assert_eq!(all[0]["changes"], json!({"company": [null, "Example Ltd"]}));
    assert_eq!(
        json!([all[1]["row"], all[1]["line"], all[1]["name"]]),
        json!([2, 3, "Jörg Müller"])
    );
    let refused = rows_of("?result=refused").await;
    assert_eq!(refused[0]["errors"][0]["field"], "Vorname");

    act(&world, &id, "undo").await.expect(StatusCode::CONFLICT);
    act(&world, &id, "commit")
        .await
        .expect(StatusCode::ACCEPTED);
    let done = through(&world, &id).await;
    assert_eq!(
        json!([done["state"], done["progress"]]),
        json!(["committed", 2])
    );
    let now = contacts(&world).await;
    assert_eq!(now.len(), 2);
    assert_eq!(
        json!([now[0]["company"], now[1]["last_name"]]),
        json!(["Example Ltd", "Müller"])
    );
    act(&world, &id, "commit")
        .await
        .expect(StatusCode::CONFLICT);

    act(&world, &id, "undo").await.expect(StatusCode::ACCEPTED);
    assert_eq!(through(&world, &id).await["state"], "undone");
    let back = contacts(&world).await;
    assert_eq!((back.len(), back[0].get("company")), (1, None));
    let one = world.path(&format!("contacts/imports/{id}"));
    world
        .owner
        .delete(&one)
        .await
        .expect(StatusCode::NO_CONTENT);
    world.owner.get(&one).await.expect(StatusCode::NOT_FOUND);
}

/// Windows-1252 of a text with German letters.
fn encoded(text: &str) -> Vec<u8> {
    text.chars()
        .map(|symbol| u8::try_from(u32::from(symbol)).unwrap())
        .collect()
}

#[tokio::test]
async fn an_import_whose_contacts_have_changed_is_refused_whole() {
    let world = World::start().await;
    let alice = world.contact("Alice").await;
    let file = "email,company\nsomeone@example.com,New\n";
    let id = checked(&world, "", file).await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = world.path(&format!("contacts/{}", alice["id"].as_str().unwrap()));
    let input = json!({"first_name": "Alice", "last_name": "Changed",
        "emails": [{"address": "someone@example.com", "label": "work"}]});
    world.owner.put(&path, input).await.expect(StatusCode::OK);
    let refused = act(&world, &id, "commit")
        .await
        .expect(StatusCode::CONFLICT);
    assert!(
        refused.text().contains("have changed since"),
        "{}",
        refused.text()
    );
    assert_eq!(contacts(&world).await[0].get("company"), None);
}

#[tokio::test]
async fn files_that_cannot_be_are_refused_and_it_is_said_why() {
    let world = World::start().await;
    let path = world.path("contacts/imports");
    let upload = async |query: &str, file: Vec<u8>| {
        world.owner.upload(&format!("{path}{query}"), file).await
    };
    assert_eq!(upload("", Vec::new()).await.wrong_fields(), ["file"]);
    let no_address = upload("", b"a,b\n1,2\n".to_vec()).await;
    assert!(no_address.text().contains("a, b"), "{}", no_address.text());
    assert_eq!(no_address.wrong_fields(), ["columns"]);
    let workbook = upload("", b"PK\x03\x04\x14\0\x08\0email\0".to_vec()).await;
    assert!(
        workbook.text().contains("save the file as CSV"),
        "{}",
        workbook.text()
    );
    assert_eq!(workbook.wrong_fields(), ["file"]);
    let large = upload("", vec![b'x'; 5 * 1024 * 1024 + 1]).await;
    let large = large.expect(StatusCode::PAYLOAD_TOO_LARGE);
    assert!(large.text().contains("5 MB"), "{}", large.text());
    let many = format!("email\n{}", "a@b.example\n".repeat(20_001));
    let many = upload("", many.into_bytes()).await;
    let many = many.expect(StatusCode::PAYLOAD_TOO_LARGE);
    assert!(many.text().contains("20000 rows"), "{}", many.text());
    let json = world.owner.post(&path, json!({})).await;
    json.expect(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let listed = world.owner.get(&path).await.body;
    assert_eq!(listed["items"], json!([]), "nothing is left of them");
    let said = checked(
        &world,
        "?separator=tab&columns=,email_1",
        "x\ty\n1\tq@example.com\n",
    )
    .await;
    assert_eq!(
        said["columns"][1],
        json!({"heading": "y", "field": "email_1"})
    );
}

#[tokio::test]
async fn a_file_is_looked_at_without_keeping_anything_of_it() {
    let world = World::start().await;
    let path = world.path("contacts/imports/preview");
    let look = async |query: &str, file: Vec<u8>| {
        world.owner.upload(&format!("{path}{query}"), file).await
    };
    let file = "Vorname;Notiz;E-Mail\nJörg;x\n\nZoë;\"a\nb\";zoe@example.com\n";
    let seen = look("", encoded(file)).await.expect(StatusCode::OK).body;
    assert_eq!(
        seen,
        json!({"encoding": "windows-1252", "separator": "semicolon", "rows": 2, "columns": [
            {"heading": "Vorname", "field": "first_name", "samples": ["Jörg", "Zoë"], "numbers": [null, null]},
            {"heading": "Notiz", "samples": ["x", "a\nb"], "numbers": [null, null]},
            {"heading": "E-Mail", "field": "email_1", "samples": ["", "zoe@example.com"], "numbers": [null, null]},
        ]})
    );
    let said = look("?encoding=utf-16&separator=tab", b"a\0\t\0b\0".to_vec()).await;
    let said = said.expect(StatusCode::OK).body;
    assert_eq!(
        json!([said["columns"][1]["heading"], said["rows"]]),
        json!(["b", 0]),
        "what names nobody is shown all the same"
    );
    let long = format!("email\n{}\n", "x".repeat(300)) + &"a@b.example\n".repeat(9);
    let long = look("", long.into_bytes())
        .await
        .expect(StatusCode::OK)
        .body;
    let samples = long["columns"][0]["samples"].as_array().unwrap();
    assert_eq!(
        (samples.len(), samples[0].as_str().unwrap().len()),
        (5, 100)
    );
    assert_eq!(long["rows"], 10);
    assert_eq!(look("", Vec::new()).await.wrong_fields(), ["file"]);
    let wrong = look("?encoding=utf-8", b"a\0,\0b\0".to_vec()).await;
    assert_eq!(wrong.wrong_fields(), ["file"]);
    let many = format!("email\n{}", "a@b.example\n".repeat(20_001));
    let many = look("", many.into_bytes()).await;
    many.expect(StatusCode::PAYLOAD_TOO_LARGE);
    let listed = world.owner.get(&world.path("contacts/imports")).await.body;
    assert_eq!(listed["items"], json!([]));
}

#[tokio::test]
async fn numbers_without_a_country_code_are_where_one_says() {
    let world = World::start().await;
    let file = "email,first_name,last_name,phone\n\
        ada@example.com,Ada,Byron,030 1234567\n\
        bob@example.com,Bob,Brown,+43 (0)1 234567\n\
        eve@example.com,Eve,Green,1234567\n";
    let preview = world.path("contacts/imports/preview");
    let look = async |query: &str| world.owner.upload(&format!("{preview}{query}"), file).await;
    let seen = look("?country=DE").await.expect(StatusCode::OK).body;
    assert_eq!(
        seen["columns"][3]["numbers"],
        json!(["+49301234567", "+431234567", null])
    );
    let seen = look("").await.expect(StatusCode::OK).body;
    assert_eq!(
        seen["columns"][3]["numbers"],
        json!([null, "+431234567", null]),
        "nobody said it"
    );
    assert_eq!(look("?country=XX").await.wrong_fields(), ["country"]);
    // It has no numbers of its own.
    assert_eq!(look("?country=AQ").await.wrong_fields(), ["country"]);
    let path = world.path("contacts/imports?country=de");
    let refused = world.owner.upload(&path, file).await;
    assert_eq!(refused.wrong_fields(), ["country"]);

    let import = checked(&world, "?country=DE", file).await;
    assert_eq!(
        json!([import["country"], import["create"], import["refused"]]),
        json!(["DE", 2, 1])
    );
    let id = import["id"].as_str().unwrap();
    let rows = world.path(&format!("contacts/imports/{id}/rows"));
    let rows = world.owner.get(&rows).await.expect(StatusCode::OK).body;
    let number = json!([{"number": "+49301234567", "label": "work"}]);
    assert_eq!(rows["items"][0]["changes"]["numbers"][1], number);
    assert_eq!(rows["items"][2]["errors"][0]["field"], "phone");
    act(&world, id, "commit").await.expect(StatusCode::ACCEPTED);
    through(&world, id).await;
    let kept: Vec<_> = contacts(&world).await.into_iter().collect();
    let numbers: Vec<_> = kept
        .iter()
        .map(|one| &one["numbers"][0]["number"])
        .collect();
    assert_eq!(json!(numbers), json!(["+431234567", "+49301234567"]));
}

#[tokio::test]
async fn an_export_comes_back_unchanged_and_no_cell_is_a_formula() {
    let world = World::start().await;
    for number in 0..3 {
        let input = json!({"first_name": "=1+1", "last_name": format!("N{number}"), "company": "Ä, \"B\"",
            "in_directory": number == 1,
            "numbers": [{"number": format!("+4930123456{number}"), "label": "work"},
                {"number": "+491701234567", "label": "mobile"}],
            "emails": [{"address": format!("n{number}@example.com"), "label": "home"}]});
        let made = world.owner.post(&world.path("contacts"), input).await;
        made.expect(StatusCode::CREATED);
    }
    let reader = world.member("reader@example.com", Role::ReadOnly).await;
    let exported = reader
        .get(&world.path("contacts/export"))
        .await
        .expect(StatusCode::OK);
    assert!(
        exported
            .header("content-disposition")
            .contains("contacts.csv")
    );
    let text = exported.text();
    assert!(text.starts_with("\u{feff}id,first_name,last_name"));
    assert_eq!(text.lines().count(), 4);
    assert!(
        text.contains(",'=1+1,") && text.contains(",'+49301234560,"),
        "{text}"
    );
    let back = checked(&world, "", exported.bytes).await;
    assert_eq!(json!([back["rows"], back["unchanged"]]), json!([3, 3]));
    let some = reader
        .get(&world.path("contacts/export?in_directory=true&sort=-name"))
        .await;
    assert_eq!(some.text().lines().count(), 2);

    let template = reader
        .get(&world.path("contacts/imports/template.csv"))
        .await;
    let example = checked(&world, "", template.expect(StatusCode::OK).bytes).await;
    assert_eq!(json!([example["rows"], example["create"]]), json!([1, 1]));
}

#[tokio::test]
async fn many_contacts_are_changed_at_once_and_what_was_left_is_told() {
    let world = World::start().await;
    let device = world.device(&[&world.account("101").await]).await;
    let used = device["contact"]["id"].clone();
    for name in ["Bob", "Carol", "Dan"] {
        world.contact(name).await;
    }
    let path = world.path("contacts/bulk");
    let bulk = async |input: Value| {
        world
            .owner
            .post(&path, input)
            .await
            .expect(StatusCode::OK)
            .body
    };
    let matching = json!({"search": "example", "filters": {"has_device": ["false"]}});
    let hidden = bulk(json!({"action": "hide_from_directory", "matching": matching})).await;
    assert_eq!(
        json!([hidden["done_count"], hidden["refused_count"]]),
        json!([3, 0])
    );
    let again = bulk(json!({"action": "hide_from_directory", "matching": {}})).await;
    assert_eq!(
        json!([again["done_count"], again["unchanged_count"]]),
        json!([1, 3])
    );
    let shown = bulk(json!({"action": "show_in_directory", "ids": [used]})).await;
    assert_eq!(shown["done"], json!([used]));

    let gone = "00000000-0000-0000-0000-000000000001";
    let result = bulk(json!({"action": "delete", "ids": [used, gone]})).await;
    let refused = result["refused"].as_array().unwrap();
    let of = |reason: &str| refused.iter().find(|one| one["reason"] == reason).unwrap();
    assert_eq!(of("in_use")["dependents"][0]["name"], "Laptop");
    assert_eq!(of("not_found")["id"], gone);
    let all = bulk(json!({"action": "delete", "matching": {}})).await;
    assert_eq!(
        json!([all["done_count"], all["refused_count"]]),
        json!([3, 1])
    );
    assert_eq!(contacts(&world).await.len(), 1);
    let log = world
        .owner
        .get(&world.path("audit?action=contact.delete&total=true"))
        .await;
    assert_eq!(log.body["total"]["count"], 3);

    for (input, field) in [
        (json!({"action": "delete"}), "ids"),
        (json!({"action": "delete", "ids": []}), "ids"),
        (
            json!({"action": "delete", "ids": [used], "matching": {}}),
            "ids",
        ),
        (
            json!({"action": "delete", "matching": {"filters": {"x": ["1"]}}}),
            "matching.filters.x",
        ),
    ] {
        assert_eq!(world.owner.post(&path, input).await.wrong_fields(), [field]);
    }
}

#[tokio::test]
async fn who_has_an_import_done_or_taken_back_is_named_not_who_uploaded_it() {
    let world = World::start().await;
    let bob = world.member("bob@example.com", Role::Administrator).await;
    let file = "First name,Last name,E-mail\nGrace,Hopper,grace@example.com\n";
    let import = checked(&world, "", file).await;
    let id = import["id"].as_str().unwrap();
    let path = |what: &str| world.path(&format!("contacts/imports/{id}/{what}"));
    let committed = bob.post(&path("commit"), json!({})).await;
    committed.expect(StatusCode::ACCEPTED);
    through(&world, id).await;
    let undone = bob.post(&path("undo"), json!({})).await;
    undone.expect(StatusCode::ACCEPTED);
    through(&world, id).await;
    let noted = world.owner.get(&world.path("audit?action=contact.")).await;
    let noted = noted.expect(StatusCode::OK).body["items"].clone();
    let who: Vec<_> = noted
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            (
                entry["action"].as_str().unwrap(),
                entry["actor"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        who,
        [
            ("contact.import_undo", "bob@example.com"),
            ("contact.import_undo", "bob@example.com"),
            ("contact.import", "bob@example.com"),
            ("contact.import_commit", "bob@example.com"),
            ("contact.import_check", "owner@example.com"),
        ]
    );
}

#[tokio::test]
async fn a_company_that_has_files_read_without_end_waits_and_keeps_nobody_else_from_it() {
    let world = World::start().await;
    let path = world.path("contacts/imports");
    let preview = world.path("contacts/imports/preview");
    let file = "Phone\r\n+4930123\r\n";
    for turn in 0..60 {
        // A file that is refused was read too.
        let of = [&path, &preview][turn % 2];
        let answer = world.owner.upload(of, file).await;
        assert_ne!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{turn}");
    }
    for of in [&path, &preview] {
        let refused = world.owner.upload(of, file).await;
        let refused = refused.expect(StatusCode::TOO_MANY_REQUESTS);
        assert!(!refused.header("retry-after").is_empty());
    }
    let other = world.tenant_named("Other", &world.owner).await;
    let other = format!("/api/v1/tenants/{other}/contacts/imports/preview");
    let answer = world.owner.upload(&other, file).await;
    answer.expect(StatusCode::OK);
}
