//! The audit log as it is looked at and taken away.

use reqwest::StatusCode;
use serde_json::json;
use store::Role;

use crate::world::World;

#[tokio::test]
async fn the_log_is_exported_field_by_field_and_holds_no_formulas() {
    let world = World::start().await;
    let input = json!({"first_name": "=1+1", "last_name": "Example",
        "emails": [{"address": "a@b.example", "label": "home"}]});
    let made = world.owner.post(&world.path("contacts"), input).await;
    made.expect(StatusCode::CREATED);
    world.account("101").await;

    let reader = world.member("reader@example.com", Role::ReadOnly).await;
    let path = world.path("audit/export?action=contact.");
    let exported = reader.get(&path).await.expect(StatusCode::OK);
    assert_eq!(exported.header("content-type"), "text/csv; charset=utf-8");
    let disposition = exported.header("content-disposition");
    assert!(disposition.starts_with("attachment; filename=\"audit-acme-"));

    let text = exported.text();
    let mut lines = text.strip_prefix('\u{feff}').unwrap().lines();
    assert_eq!(
        lines.next(),
        Some("number,time,who,address,action,subject,object,detail,field,before,after")
    );
    let lines: Vec<_> = lines.collect();
    assert!(lines.iter().all(|line| line.contains(",contact.create,")));
    let first_name = lines.iter().find(|line| line.contains(",first_name,"));
    assert!(first_name.unwrap().ends_with(",first_name,,'=1+1"));
    assert!(first_name.unwrap().contains(",'=1+1 Example,"));

    let noted = reader.get(&world.path("audit?limit=1")).await.body;
    assert_eq!(noted["items"][0]["action"], "audit.export");
    assert_eq!(noted["items"][0]["actor"], "reader@example.com");
    assert_eq!(
        noted["items"][0]["changes"]["action"],
        json!([null, "contact."])
    );
}

#[tokio::test]
async fn the_log_of_many_pages_is_exported_whole() {
    let world = World::start().await;
    for number in 0..210 {
        world.contact(&format!("Person {number}")).await;
    }
    let path = world.path("audit/export?search=person");
    let text = world.owner.get(&path).await.expect(StatusCode::OK).text();
    let names = text.lines().filter(|line| line.contains(",first_name,"));
    assert_eq!(names.count(), 210);
}

#[tokio::test]
async fn entries_are_found_by_who_made_them() {
    let world = World::start().await;
    let administrator = world.member("admin@example.com", Role::Administrator).await;
    let input = json!({"name": "Sub", "server": "sip.example.com"});
    let made = administrator.post(&world.path("providers"), input).await;
    made.expect(StatusCode::CREATED);
    let by = async |actor: &str| {
        let path = world.path(&format!("audit?actor={actor}"));
        let listed = world.owner.get(&path).await.expect(StatusCode::OK);
        listed.body["items"].as_array().unwrap().len()
    };
    assert_eq!(by("admin@example.com").await, 1);
    assert_eq!(by("admin").await, 0);
}

#[tokio::test]
async fn of_what_a_member_may_not_look_at_the_log_tells_only_which_fields_were_changed() {
    let world = World::start().await;
    let server = json!({"host": "mail.acme.example", "port": 465, "security": "tls", "username": "postman",
        "password": "secret", "sender_address": "phones@acme.example"});
    let settings = json!({"language": "en", "server": server});
    let set = world.owner.put(&world.path("mail"), settings).await;
    set.expect(StatusCode::OK);
    let (list, export) = (
        world.path("audit?action=mail_settings."),
        world.path("audit/export"),
    );

    let reader = world.member("reader@example.com", Role::ReadOnly).await;
    let mail = reader.get(&world.path("mail")).await;
    mail.expect(StatusCode::FORBIDDEN);
    let seen = reader.get(&list).await.expect(StatusCode::OK);
    let entry = &seen.body["items"][0];
    assert_eq!(entry["actor"], "owner@example.com");
    assert_eq!(entry["changes"]["server"], json!(["***", "***"]));
    let exported = reader.get(&export).await.expect(StatusCode::OK).text();
    assert!(exported.contains(",server,***,***"), "{exported}");
    for text in [seen.text(), exported] {
        let known = ["mail.acme.example", "postman", "phones@"];
        assert!(!known.iter().any(|word| text.contains(word)), "{text}");
    }

    let administrator = world.member("admin@example.com", Role::Administrator).await;
    for path in [&list, &export] {
        let text = administrator.get(path).await.expect(StatusCode::OK).text();
        assert!(
            text.contains("mail.acme.example") && text.contains("postman"),
            "{text}"
        );
    }
}
