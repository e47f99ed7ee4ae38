use store::call::{self, Call, CallFilter, Known, Party};
use store::contact::{self, ContactFields, ContactNumber};
use store::{
    CallDirection, CallLink, CallOutcome, CallReason, CallSource, Database, PageRequest, Reference,
    StoreError,
};
use time::Duration;
use uuid::Uuid;

use crate::ground::{Ground, NOW, after_minutes, contact_fields, on_both};

on_both! {
    calls_are_paged_newest_first_and_stay_in_their_tenant,
    what_is_told_again_replaces_what_was_told,
    a_filter_leaves_in_what_it_says,
    a_person_is_found_by_numbers_and_by_the_accounts_on_the_devices,
    a_part_of_a_number_is_found_however_it_is_written,
    a_name_with_many_numbers_finds_the_calls_of_all_of_them,
    parties_are_who_they_are_now,
    after_a_crash_what_went_on_is_interrupted,
    erasing_a_person_leaves_nothing_of_him_and_everything_of_others,
    a_call_that_goes_on_cannot_be_erased,
    each_tenant_keeps_its_calls_as_long_as_it_says,
    calls_of_a_tenant_that_is_not_there_are_refused_whole,
}

fn party(number: &str) -> Party {
    Party {
        address: Some(format!("sip:{number}@acme.tandem.example")),
        number: Some(number.to_owned()),
        ..Party::default()
    }
}

/// A call that began so many minutes after the beginning and was answered for a minute.
pub(crate) fn call(minute: i64, caller: &str, callee: &str) -> Call {
    let started_at = after_minutes(minute);
    Call {
        id: call::new_id(started_at),
        call_id: Uuid::from_u128(minute.unsigned_abs().into()),
        source: CallSource::Proxy,
        direction: CallDirection::Internal,
        started_at,
        answered_at: Some(started_at + Duration::seconds(5)),
        ended_at: Some(started_at + Duration::seconds(65)),
        outcome: CallOutcome::Answered,
        reason: Some(CallReason::CallerHungUp),
        status: Some(200),
        link: None,
        caller: party(caller),
        callee: party(callee),
        dialled: callee.to_owned(),
        sip_call_id: Some(format!("{minute}@phone")),
    }
}

async fn append(ground: &Ground, calls: &[Call]) {
    let tenant = ground.tenant.id;
    let calls: Vec<_> = calls.iter().map(|call| (tenant, call.clone())).collect();
    call::append(&calls, &ground.db).await.unwrap();
}

/// All calls that a filter leaves in, read in pages of two, by minute.
async fn minutes(tenant: Uuid, filter: &CallFilter, db: &Database) -> Vec<i64> {
    let mut request = PageRequest {
        limit: 2,
        ..PageRequest::default()
    };
    let mut minutes = Vec::new();
    loop {
        let page = call::list(tenant, filter, &request, db).await.unwrap();
        assert!(page.items.len() <= 2);
        minutes.extend(
            page.items
                .iter()
                .map(|known| (known.call.started_at - NOW).whole_minutes()),
        );
        let Some(next) = page.next else {
            return minutes;
        };
        request.after = Some(next);
    }
}

fn searching(search: &str) -> CallFilter {
    CallFilter {
        search: Some(search.to_owned()),
        ..CallFilter::default()
    }
}

async fn calls_are_paged_newest_first_and_stay_in_their_tenant(ground: Ground) {
    let other = ground.other_tenant().await.id;
    let calls: Vec<_> = [3, 0, 4, 1, 2]
        .map(|minute| call(minute, "1001", "1002"))
        .into();
    append(&ground, &calls).await;
    call::append(&[(other, call(9, "1001", "1002"))], &ground.db)
        .await
        .unwrap();
    let (tenant, db) = (ground.tenant.id, &ground.db);
    let all = CallFilter::default();
    assert_eq!(minutes(tenant, &all, db).await, [4, 3, 2, 1, 0]);
    assert_eq!(minutes(other, &searching("1002"), db).await, [9]);
    let found = call::load(tenant, calls[0].id, db).await.unwrap();
    assert_eq!(found.call, calls[0]);
    assert_eq!(found.caller, Known::default());
    let foreign = call::load(other, calls[0].id, db).await;
    assert!(matches!(foreign, Err(StoreError::NotFound)));
    assert!(
        call::list_chain(other, calls[0].call_id, db)
            .await
            .unwrap()
            .is_empty()
    );
}

async fn what_is_told_again_replaces_what_was_told(ground: Ground) {
    let mut told = call(1, "1001", "1002");
    let over = told.clone();
    (told.outcome, told.ended_at, told.reason, told.status) =
        (CallOutcome::Ongoing, None, None, None);
    append(&ground, &[told.clone()]).await;
    // Of several with one key in one group the last counts.
    let mut moved = over.clone();
    moved.call_id = Uuid::from_u128(77);
    moved.callee.device_id = Some(Uuid::from_u128(5));
    append(&ground, &[told, over, moved.clone()]).await;
    let found = call::load(ground.tenant.id, moved.id, &ground.db)
        .await
        .unwrap();
    assert_eq!(found.call, moved);
    let chain = call::list_chain(ground.tenant.id, moved.call_id, &ground.db);
    assert_eq!(chain.await.unwrap().len(), 1);
}

async fn a_filter_leaves_in_what_it_says(ground: Ground) {
    let (tenant, db) = (ground.tenant.id, &ground.db);
    let mut calls: Vec<_> = (0..6).map(|minute| call(minute, "1001", "1002")).collect();
    calls[1].outcome = CallOutcome::Missed;
    calls[3].outcome = CallOutcome::Missed;
    calls[3].direction = CallDirection::Incoming;
    calls[4].link = Some((
        CallLink::Transferred,
        "sip:1003@acme.tandem.example".to_owned(),
    ));
    append(&ground, &calls).await;
    let all = CallFilter::default;
    let cases: [(CallFilter, &[i64]); 5] = [
        (
            CallFilter {
                outcomes: vec![CallOutcome::Missed],
                ..all()
            },
            &[3, 1],
        ),
        (
            CallFilter {
                directions: vec![CallDirection::Incoming],
                ..all()
            },
            &[3],
        ),
        (
            CallFilter {
                from: Some(after_minutes(4)),
                ..all()
            },
            &[5, 4],
        ),
        (
            CallFilter {
                until: Some(after_minutes(2)),
                ..all()
            },
            &[1, 0],
        ),
        (
            CallFilter {
                from: Some(after_minutes(1)),
                until: Some(after_minutes(3)),
                outcomes: vec![CallOutcome::Missed],
                search: Some("1002".to_owned()),
                ..all()
            },
            &[1],
        ),
    ];
    for (filter, expected) in cases {
        assert_eq!(minutes(tenant, &filter, db).await, expected, "{filter:?}");
        let count = u64::try_from(expected.len()).unwrap();
        assert_eq!(call::count(tenant, &filter, db).await.unwrap(), count);
    }
    let linked = call::load(tenant, calls[4].id, db).await.unwrap();
    assert_eq!(linked.call.link, calls[4].link);
}

async fn a_person_is_found_by_numbers_and_by_the_accounts_on_the_devices(ground: Ground) {
    let (tenant, db) = (ground.tenant.id, &ground.db);
    let account = ground.account("1001").await;
    let other = ground.account("1002").await;
    let device = ground.device("Desk", &[&account]).await;
    let person = device.contact.id;
    let mut calls: Vec<_> = (0..5).map(|minute| call(minute, "555", "666")).collect();
    calls[0].caller.account_id = Some(account.id);
    calls[1].callee.account_id = Some(account.id);
    calls[2].caller.account_id = Some(other.id);
    calls[3].caller.number = Some("+493012345678".to_owned());
    append(&ground, &calls).await;
    let of = |contact| CallFilter {
        contact,
        ..CallFilter::default()
    };
    assert_eq!(minutes(tenant, &of(Some(person)), db).await, [3, 1, 0]);
    assert_eq!(
        minutes(tenant, &searching("grace desk"), db).await,
        [3, 1, 0]
    );
    assert_eq!(minutes(tenant, &searching("line 1002"), db).await, [2]);
    let account = CallFilter {
        account: Some(account.id),
        ..CallFilter::default()
    };
    assert_eq!(minutes(tenant, &account, db).await, [1, 0]);
    let both = CallFilter {
        account: account.account,
        ..searching("+49 30 12345678")
    };
    assert!(minutes(tenant, &both, db).await.is_empty());
    let nobody = of(Some(Uuid::from_u128(1)));
    assert!(minutes(tenant, &nobody, db).await.is_empty());
    let foreign = ground.other_tenant().await.id;
    assert!(minutes(foreign, &of(Some(person)), db).await.is_empty());
}

async fn a_part_of_a_number_is_found_however_it_is_written(ground: Ground) {
    let (tenant, db) = (ground.tenant.id, &ground.db);
    append(
        &ground,
        &[
            call(0, "1001", "+493012345678"),
            call(1, "+491701234", "1001"),
            call(2, "alice", "1002"),
        ],
    )
    .await;
    for (search, expected) in [
        ("030 / 1234", &[0][..]),
        ("0049-170", &[1]),
        ("1234", &[1, 0]),
        ("ALI", &[2]),
        ("100", &[2, 1, 0]),
        ("999", &[]),
        ("%", &[]),
        ("+", &[1, 0]),
    ] {
        assert_eq!(
            minutes(tenant, &searching(search), db).await,
            expected,
            "{search}"
        );
    }
}

async fn a_name_with_many_numbers_finds_the_calls_of_all_of_them(ground: Ground) {
    let (tenant, db) = (ground.tenant.id, &ground.db);
    for person in 0..3 {
        let numbers = (0..20).map(|number| ContactNumber {
            number: format!("+4930{person}{number:02}"),
            label: "work".to_owned(),
        });
        let fields = ContactFields {
            numbers: numbers.collect(),
            ..contact_fields("Many", &format!("Numbers{person}"))
        };
        contact::insert(tenant, &fields, NOW, db).await.unwrap();
    }
    let calls: Vec<_> = (0..60)
        .map(|minute| {
            call(
                minute,
                "1001",
                &format!("+4930{}{:02}", minute / 20, minute % 20),
            )
        })
        .chain([call(60, "1001", "+4940")])
        .collect();
    append(&ground, &calls).await;
    let expected: Vec<_> = (0..60).rev().collect();
    assert_eq!(minutes(tenant, &searching("many"), db).await, expected);
    let one = minutes(tenant, &searching("numbers1"), db).await;
    assert_eq!(one, expected[20..40]);
    assert_eq!(minutes(tenant, &searching("4930"), db).await, expected);
}

async fn parties_are_who_they_are_now(ground: Ground) {
    let account = ground.account("1001").await;
    let device = ground.device("Desk", &[&account]).await;
    let mut made = call(0, "1001", "+493012345678");
    made.caller.account_id = Some(account.id);
    made.caller.device_id = Some(device.id);
    let mut foreign = call(1, "+1", "1001");
    foreign.callee.account_id = Some(account.id);
    append(&ground, &[made.clone(), foreign.clone()]).await;
    let found = call::load(ground.tenant.id, made.id, &ground.db)
        .await
        .unwrap();
    let named = |id, name: &str| {
        Some(Reference {
            id,
            name: name.to_owned(),
        })
    };
    assert_eq!(found.caller.account, named(account.id, &account.name));
    assert_eq!(found.caller.device, named(device.id, "Desk"));
    assert_eq!(found.caller.contact, named(device.contact.id, "Grace Desk"));
    assert_eq!(found.callee.contact, named(device.contact.id, "Grace Desk"));
    assert_eq!((found.callee.account, found.callee.device), (None, None));
    let found = call::load(ground.tenant.id, foreign.id, &ground.db)
        .await
        .unwrap();
    assert_eq!(found.callee.contact, named(device.contact.id, "Grace Desk"));
    assert_eq!(
        found.callee.device, None,
        "it is not known which device it was"
    );
}

async fn after_a_crash_what_went_on_is_interrupted(ground: Ground) {
    let mut calls = [
        call(0, "1001", "1002"),
        call(1, "1001", "1002"),
        call(2, "1001", "1002"),
    ];
    for call in &mut calls[1..] {
        (call.outcome, call.ended_at, call.reason) = (CallOutcome::Ongoing, None, None);
    }
    calls[2].source = CallSource::Phone;
    append(&ground, &calls).await;
    assert_eq!(call::interrupt(&ground.db).await.unwrap(), 1);
    assert_eq!(call::interrupt(&ground.db).await.unwrap(), 0);
    let mut outcomes = Vec::new();
    for call in &calls {
        let found = call::load(ground.tenant.id, call.id, &ground.db)
            .await
            .unwrap();
        outcomes.push(found.call.outcome);
        assert_eq!(found.call.answered_at, call.answered_at);
    }
    let expected = [
        CallOutcome::Answered,
        CallOutcome::Interrupted,
        CallOutcome::Ongoing,
    ];
    assert_eq!(outcomes, expected);
}

async fn erasing_a_person_leaves_nothing_of_him_and_everything_of_others(ground: Ground) {
    let (tenant, db) = (ground.tenant.id, &ground.db);
    append(
        &ground,
        &[
            call(0, "1001", "+4930"),
            call(1, "+4930", "1002"),
            call(2, "1001", "1002"),
        ],
    )
    .await;
    assert_eq!(
        call::delete_many(tenant, &searching("+4930"), db)
            .await
            .unwrap(),
        2
    );
    assert_eq!(minutes(tenant, &CallFilter::default(), db).await, [2]);
    assert!(minutes(tenant, &searching("4930"), db).await.is_empty());
    assert_eq!(minutes(tenant, &searching("1001"), db).await, [2]);
}

async fn a_call_that_goes_on_cannot_be_erased(ground: Ground) {
    let (tenant, db) = (ground.tenant.id, &ground.db);
    let mut ongoing = call(0, "1001", "1002");
    (ongoing.outcome, ongoing.ended_at) = (CallOutcome::Ongoing, None);
    let over = call(1, "1001", "1002");
    append(&ground, &[ongoing.clone(), over.clone()]).await;
    let refused = call::delete(tenant, ongoing.id, db).await;
    assert!(matches!(refused, Err(StoreError::Protected)), "{refused:?}");
    let foreign = ground.other_tenant().await.id;
    let refused = call::delete(foreign, over.id, db).await;
    assert!(matches!(refused, Err(StoreError::NotFound)), "{refused:?}");
    call::delete(tenant, over.id, db).await.unwrap();
    assert_eq!(
        call::delete_many(tenant, &CallFilter::default(), db)
            .await
            .unwrap(),
        0
    );
    assert_eq!(minutes(tenant, &CallFilter::default(), db).await, [0]);
}

async fn each_tenant_keeps_its_calls_as_long_as_it_says(ground: Ground) {
    let (tenant, db) = (ground.tenant.id, &ground.db);
    let other = ground.other_tenant().await.id;
    let retention = call::load_retention(tenant, db).await.unwrap();
    assert_eq!(retention.days, 365);
    for days in [1, 10, 400] {
        let old = || call(-days * 1_440 - 1, "1001", "+4930");
        call::append(&[(tenant, old()), (other, old())], db)
            .await
            .unwrap();
    }
    assert_eq!(call::delete_expired(NOW, db).await.unwrap(), 2);
    let stale = call::set_retention(tenant, 5, Some(9), db).await;
    assert!(
        matches!(stale, Err(StoreError::StaleVersion { .. })),
        "{stale:?}"
    );
    let set = call::set_retention(tenant, 5, Some(retention.version), db)
        .await
        .unwrap();
    assert_eq!(set, call::load_retention(tenant, db).await.unwrap());
    call::set_retention(other, 0, None, db).await.unwrap();
    assert_eq!(call::delete_expired(NOW, db).await.unwrap(), 1);
    let all = CallFilter::default();
    assert_eq!(minutes(tenant, &all, db).await, [-1_441]);
    assert_eq!(minutes(other, &all, db).await, [-1_441, -14_401]);
    let far = NOW + Duration::days(4_000);
    assert_eq!(call::delete_expired(far, db).await.unwrap(), 1);
    assert!(minutes(tenant, &searching("4930"), db).await.is_empty());
    assert_eq!(minutes(other, &searching("4930"), db).await.len(), 2);
    let nobody = call::set_retention(Uuid::from_u128(1), 1, None, db).await;
    assert!(matches!(nobody, Err(StoreError::NotFound)));
}

async fn calls_of_a_tenant_that_is_not_there_are_refused_whole(ground: Ground) {
    let calls = [
        (ground.tenant.id, call(0, "1001", "1002")),
        (Uuid::from_u128(1), call(1, "1001", "1002")),
    ];
    let refused = call::append(&calls, &ground.db).await;
    assert!(refused.is_err());
    let all = CallFilter::default();
    assert!(minutes(ground.tenant.id, &all, &ground.db).await.is_empty());
}
