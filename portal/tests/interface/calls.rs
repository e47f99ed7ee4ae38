//! Calls: who sees which, how they are found, exported, erased and how long they are kept.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use store::call::{self, Call, Party};
use store::{CallDirection, CallOutcome, CallReason, CallSource};
use time::Duration;
use uuid::Uuid;

use crate::phone::Channel;
use crate::world::{World, now};

/// A call of so many minutes ago that was answered for a minute.
pub(crate) fn call(minutes_ago: i64, caller: &str, callee: &str) -> Call {
    let started_at = now() - Duration::minutes(minutes_ago);
    let party = |number: &str| Party {
        address: Some(format!("sip:{number}@acme.test")),
        number: Some(number.to_owned()),
        ..Party::default()
    };
    Call {
        id: call::new_id(started_at),
        call_id: Uuid::from_u128(1),
        source: CallSource::Proxy,
        direction: CallDirection::Internal,
        started_at,
        answered_at: Some(started_at),
        ended_at: Some(started_at + Duration::minutes(1)),
        outcome: CallOutcome::Answered,
        reason: Some(CallReason::CallerHungUp),
        status: Some(200),
        link: None,
        caller: party(caller),
        callee: party(callee),
        dialled: callee.to_owned(),
        sip_call_id: Some("traced".to_owned()),
    }
}

impl World {
    pub(crate) async fn append_calls(&self, calls: &[Call]) {
        let calls: Vec<_> = calls
            .iter()
            .map(|call| (self.tenant, call.clone()))
            .collect();
        call::append(&calls, &self.db).await.unwrap();
    }
}

fn numbers(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap();
    let number = |item: &Value| item["callee"]["number"].as_str().unwrap().to_owned();
    items.iter().map(number).collect()
}

#[tokio::test]
async fn calls_are_listed_newest_first_page_by_page() {
    let world = World::start().await;
    let account = world.account("101").await;
    let device = world.device(&[&account]).await;
    let mut calls: Vec<_> = (1..=5)
        .map(|minute| call(minute, "102", &format!("20{minute}")))
        .collect();
    let id = |value: &Value| value["id"].as_str().unwrap().parse().unwrap();
    calls[2].caller.account_id = Some(id(&account));
    calls[2].caller.device_id = Some(id(&device));
    calls[3].outcome = CallOutcome::Missed;
    world.append_calls(&calls).await;
    let path = world.path("calls?limit=2");
    let first = world.owner.get(&path).await.expect(StatusCode::OK).body;
    assert_eq!(numbers(&first), ["201", "202"]);
    let next = first["next"].as_str().unwrap();
    let rest = world.owner.get(&format!("{path}&after={next}")).await.body;
    assert_eq!(numbers(&rest), ["203", "204"]);
    let caller = &rest["items"][0]["caller"];
    assert_eq!(caller["device"]["id"], device["id"]);
    assert_eq!(caller["account"]["id"], account["id"]);
    assert_eq!(caller["contact"]["id"], device["contact"]["id"]);
    assert_eq!(rest["items"][0]["duration_secs"], 60);

    let contact = device["contact"]["id"].as_str().unwrap();
    let account = account["id"].as_str().unwrap();
    let from = (now() - Duration::seconds(150))
        .format(&time::format_description::well_known::Rfc3339)
        .unwrap();
    for (query, expected) in [
        (format!("contact_id={contact}"), &["203"][..]),
        (format!("account_id={account}"), &["203"]),
        ("outcome=missed".to_owned(), &["204"]),
        ("direction=incoming".to_owned(), &[]),
        ("search=205".to_owned(), &["205"]),
        (format!("from={from}"), &["201", "202"]),
        (
            format!("until={from}&outcome=answered&search=20"),
            &["203", "205"],
        ),
    ] {
        let path = world.path(&format!("calls?{query}"));
        let page = world.owner.get(&path).await.expect(StatusCode::OK).body;
        assert_eq!(numbers(&page), expected, "{query}");
    }
}

#[tokio::test]
async fn a_query_that_makes_no_sense_says_which_part() {
    let world = World::start().await;
    let wrong = async |query: &str| {
        let path = world.path(&format!("calls?{query}"));
        let answer = world.owner.get(&path).await;
        answer.wrong_fields()
    };
    assert_eq!(wrong("from=yesterday").await, ["from"]);
    let span = "from=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z";
    assert_eq!(wrong(span).await, ["until"]);
    assert_eq!(
        wrong(&format!("search={}", "1".repeat(101))).await,
        ["search"]
    );
    assert_eq!(wrong("outcome=funny").await, ["outcome"]);
    assert_eq!(wrong("after=x").await, ["after"]);
    assert_eq!(wrong("limit=0").await, ["limit"]);
    let path = world.path("calls?contact_id=7");
    world.owner.get(&path).await.expect(StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_call_is_shown_with_its_parts_and_what_was_said() {
    let world = World::start().await;
    let (first, mut second) = (call(2, "101", "102"), call(1, "101", "103"));
    second.sip_call_id = None;
    world.append_calls(&[first.clone(), second.clone()]).await;
    let show = async |id: Uuid| {
        let path = world.path(&format!("calls/{id}"));
        world.owner.get(&path).await.expect(StatusCode::OK).body
    };
    let shown = show(first.id).await;
    assert_eq!(shown["call"]["callee"]["number"], "102");
    assert_eq!(shown["chain"].as_array().unwrap().len(), 2);
    let message = &shown["ladder"]["messages"][0];
    assert_eq!(message["first_line"], "INVITE sip:1002@acme.test SIP/2.0");
    let shown = show(second.id).await;
    assert_eq!(shown["ladder"], Value::Null);
    let nothing = world.path(&format!("calls/{}", Uuid::from_u128(9)));
    world
        .owner
        .get(&nothing)
        .await
        .expect(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_export_has_every_call_and_no_formula() {
    let world = World::start().await;
    let mut calls: Vec<_> = (1..=450).map(|minute| call(minute, "101", "102")).collect();
    calls[0].caller.name = Some("=HYPERLINK(\"http://evil.example\")".to_owned());
    calls[0].caller.number = Some("+4930\"1".to_owned());
    world.append_calls(&calls).await;
    let answer = world.owner.get(&world.path("calls/export")).await;
    let answer = answer.expect(StatusCode::OK);
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
    assert!(answer.header("content-disposition").contains(".csv"));
    let text = answer.text();
    assert!(text.starts_with("\u{feff}started,"), "{}", &text[..40]);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 451);
    assert!(lines[1].contains("'=HYPERLINK"), "{}", lines[1]);
    assert!(lines[1].contains("\"'+4930\"\"1\""), "{}", lines[1]);
    let one = world.path("calls/export?search=4930");
    assert_eq!(world.owner.get(&one).await.text().lines().count(), 2);
    let entries = world.owner.get(&world.path("audit")).await.body;
    assert_eq!(entries["items"][0]["action"], "call.export");
    assert_eq!(entries["items"][0]["changes"]["search"][1], "4930");
}

#[tokio::test]
async fn calls_are_erased_one_by_one_or_all_of_a_person() {
    let world = World::start().await;
    let calls = [
        call(1, "101", "102"),
        call(2, "101", "+4930"),
        call(3, "+4930", "101"),
    ];
    let mut ongoing = call(4, "101", "+4930");
    (ongoing.outcome, ongoing.ended_at) = (CallOutcome::Ongoing, None);
    world.append_calls(&calls).await;
    world.append_calls(&[ongoing.clone()]).await;
    let all = world.path("calls");
    let refused = world.owner.delete(&all).await;
    let fields = refused.wrong_fields();
    assert_eq!(fields, ["search"]);
    let one = |id: Uuid| world.path(&format!("calls/{id}"));
    let going_on = world.owner.delete(&one(ongoing.id)).await;
    assert_eq!(
        going_on.expect(StatusCode::CONFLICT).body["detail"],
        "This call is still going on. Please erase it when it has ended."
    );
    world
        .owner
        .delete(&one(calls[0].id))
        .await
        .expect(StatusCode::NO_CONTENT);
    world
        .owner
        .delete(&one(calls[0].id))
        .await
        .expect(StatusCode::NOT_FOUND);
    let erased = world.owner.delete(&world.path("calls?search=4930")).await;
    assert_eq!(erased.expect(StatusCode::OK).body, json!({ "count": 2 }));
    let left = world.owner.get(&all).await.body;
    assert_eq!(left["items"].as_array().unwrap().len(), 1);
    assert_eq!(left["items"][0]["outcome"], "ongoing");
    let entries = world.owner.get(&world.path("audit")).await.body;
    assert_eq!(entries["items"][0]["action"], "call.erase_many");
    assert_eq!(entries["items"][1]["action"], "call.erase");
}

#[tokio::test]
async fn how_long_calls_are_kept_is_the_tenants_choice() {
    let world = World::start().await;
    let path = world.path("settings/retention");
    let shown = world.owner.get(&path).await.expect(StatusCode::OK);
    assert_eq!(shown.body, json!({ "days": 365 }));
    let tag = shown.header("etag").to_owned();
    let set = async |days: u32, tag: &str| {
        let body = Some(json!({ "days": days }));
        let headers = [("if-match", tag)];
        world.owner.send(Method::PUT, &path, body, &headers).await
    };
    let refused = set(3_651, &tag).await;
    let fields = refused.wrong_fields();
    assert_eq!(fields, ["days"]);
    let changed = set(30, &tag).await.expect(StatusCode::OK);
    assert_eq!(changed.body, json!({ "days": 30 }));
    set(60, &tag).await.expect(StatusCode::PRECONDITION_FAILED);
    let entries = world.owner.get(&world.path("audit")).await.body;
    assert_eq!(entries["items"][0]["action"], "retention.update");
    assert_eq!(entries["items"][0]["changes"], json!({ "days": [365, 30] }));
}

#[tokio::test]
async fn who_looks_learns_that_there_are_other_calls() {
    let world = World::start().await;
    let path = world.path("live");
    let mut live = Channel::open(&path, &world.owner).await.unwrap();
    let snapshot = live.next().await.unwrap();
    assert_eq!(snapshot["type"], "snapshot");
    world.proxy.write_calls(world.tenant);
    let frame = live.next().await.unwrap();
    assert_eq!(
        (&frame["type"], &frame["lists"]),
        (&json!("delta"), &json!(["calls"]))
    );
}
