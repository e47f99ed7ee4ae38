use store::contact::{self, Contact, ContactFields, ContactFilter};
use store::device::{self, DeviceFields};
use store::{ConnectionTrait, PageRequest, StoreError, begin, commit};
use uuid::Uuid;

use crate::ground::{Ground, NOW, account_fields, contact_fields, on_both, search};

on_both! {
    a_contact_is_stored_changed_and_deleted,
    contacts_are_found_by_parts_of_words,
    signs_with_a_meaning_in_sql_have_none_in_a_search,
    a_word_that_many_have_finds_the_first_of_them,
    what_lies_together_at_the_end_of_a_long_list_is_found,
    finds_are_paged_in_every_order_and_with_filters,
    a_changed_or_deleted_contact_is_not_found_by_its_old_name,
    pages_show_every_contact_once_and_in_order,
    numbers_and_addresses_are_bounded,
    a_contact_with_devices_stays_and_its_changes_reach_them,
    a_contact_has_the_extensions_of_its_devices_once_and_in_the_order_of_lines,
    a_contact_of_another_tenant_is_not_found,
}

async fn found(ground: &Ground, words: &str) -> Vec<String> {
    let page = contact::list(
        ground.tenant.id,
        &ContactFilter::default(),
        &search(words),
        &ground.db,
    )
    .await
    .unwrap();
    page.items.iter().map(Contact::name).collect()
}

async fn a_contact_is_stored_changed_and_deleted(ground: Ground) {
    let (db, tenant) = (&ground.db, ground.tenant.id);
    let made = ground.contact("Grace", "Hopper").await;
    assert_eq!(contact::load(tenant, made.id, db).await.unwrap(), made);
    assert_eq!(made.name(), "Grace Hopper");
    assert_eq!(made.numbers[0].number, "+493012345678");

    let mut fields = contact_fields("Grace", "Murray");
    fields.numbers.clear();
    fields.emails.extend(contact_fields("", "second").emails);
    fields.in_directory = false;
    let changed = contact::update(tenant, made.id, &fields, Some(1), db)
        .await
        .unwrap();
    assert_eq!(
        (changed.version, changed.numbers.len(), changed.in_directory),
        (2, 0, false)
    );
    let addresses: Vec<_> = changed
        .emails
        .iter()
        .map(|email| email.address.as_str())
        .collect();
    assert_eq!(addresses, ["Murray@example.org", "second@example.org"]);
    let stale = contact::update(tenant, made.id, &fields, Some(1), db).await;
    assert!(matches!(
        stale,
        Err(StoreError::StaleVersion { current: 2 })
    ));

    contact::delete(tenant, made.id, db).await.unwrap();
    assert!(matches!(
        contact::load(tenant, made.id, db).await,
        Err(StoreError::NotFound)
    ));
}

async fn contacts_are_found_by_parts_of_words(ground: Ground) {
    for (first_name, last_name) in [("Grace", "Hopper"), ("Änne", "Groß"), ("Li", "O'Neil")] {
        ground.contact(first_name, last_name).await;
    }
    for (words, expected) in [
        ("oppe", "Grace Hopper"),
        ("HOPPER grace", "Grace Hopper"),
        ("hopper@exam", "Grace Hopper"),
        ("änn", "Änne Groß"),
        ("ÄN", "Änne Groß"),
        ("roß@example.org", "Änne Groß"),
        ("o'n", "Li O'Neil"),
        ("li o'neil", "Li O'Neil"),
        ("o'", "Li O'Neil"),
    ] {
        assert_eq!(found(&ground, words).await, [expected], "{words}");
    }
    assert_eq!(found(&ground, "3012345").await.len(), 3);
    assert_eq!(found(&ground, "mauchly gr").await.len(), 2);
    assert_eq!(found(&ground, "  ").await.len(), 3);
    assert!(found(&ground, "grace neil").await.is_empty());
}

async fn signs_with_a_meaning_in_sql_have_none_in_a_search(ground: Ground) {
    ground.contact("Grace", "Hopper").await;
    ground.contact("Per%cent", "Under_score").await;
    ground.contact("Back\\slash", "Quo\"te").await;
    for (words, expected) in [
        ("%", Some("Per%cent Under_score")),
        ("r%c", Some("Per%cent Under_score")),
        ("r_s", Some("Per%cent Under_score")),
        ("_", Some("Per%cent Under_score")),
        ("k\\s", Some("Back\\slash Quo\"te")),
        ("o\"t", Some("Back\\slash Quo\"te")),
        ("\"", Some("Back\\slash Quo\"te")),
        ("h_pper", None),
        ("hop* OR gra*", None),
        ("text:grace", None),
        ("'; DROP TABLE contacts; --", None),
    ] {
        assert_eq!(
            found(&ground, words).await.first().map(String::as_str),
            expected,
            "{words}"
        );
    }
}

async fn a_word_that_many_have_finds_the_first_of_them(ground: Ground) {
    let other = ground.other_tenant().await.id;
    let transaction = begin(&ground.db).await.unwrap();
    for number in 0..1_100 {
        let fields = contact_fields("Many", &format!("Same{number:04}"));
        contact::insert(ground.tenant.id, &fields, NOW, &transaction)
            .await
            .unwrap();
    }
    let fields = contact_fields("Many", "Other");
    contact::insert(other, &fields, NOW, &transaction)
        .await
        .unwrap();
    commit(transaction).await.unwrap();
    for words in ["same", "many same", "ma same", "+493 ECKERT", "sa"] {
        let names = found(&ground, words).await;
        assert_eq!(names.len(), 50, "{words}");
        assert_eq!(
            (names[0].as_str(), names[49].as_str()),
            ("Many Same0000", "Many Same0049")
        );
    }
    assert_eq!(found(&ground, "many 1077").await, ["Many Same1077"]);
    assert!(found(&ground, "many other").await.is_empty());
    let theirs = contact::list(
        other,
        &ContactFilter::default(),
        &search("many"),
        &ground.db,
    )
    .await
    .unwrap();
    assert_eq!(theirs.items[0].name(), "Many Other");
    assert_eq!(theirs.items.len(), 1);
}

/// More names than a search walks along before it asks the index, and more matches than are rare.
async fn what_lies_together_at_the_end_of_a_long_list_is_found(ground: Ground) {
    let (db, tenant) = (&ground.db, ground.tenant.id);
    let people: Vec<_> = (0..7_100)
        .map(|number| {
            let first_name = if number < 6_050 { "Early" } else { "Late" };
            let mut fields = contact_fields(first_name, &format!("Same{number:04}"));
            fields.job_title = (number % 10 == 0).then(|| "Tenth".to_owned());
            fields
        })
        .collect();
    for some in people.chunks(500) {
        let made: Vec<_> = some.iter().map(|fields| (Uuid::now_v7(), fields)).collect();
        contact::insert_many(tenant, &made, NOW, db).await.unwrap();
    }
    let everybody = ContactFilter::default();
    let late: Vec<_> = (6_050..7_100).collect();
    let tenth: Vec<_> = (0..7_100).step_by(10).collect();
    for (words, sort, numbers) in [
        ("late", "name", &late),
        ("late", "-name", &late),
        ("la same", "name", &late),
        ("tenth", "name", &tenth),
        ("tenth", "-name", &tenth),
    ] {
        let mut request = PageRequest {
            limit: 200,
            sort: sort.parse().unwrap(),
            total: true,
            ..search(words)
        };
        let mut names = Vec::new();
        loop {
            let page = contact::list(tenant, &everybody, &request, db);
            let page = page.await.unwrap();
            let count = page.total.map(|total| total.count);
            assert_eq!(count, Some(numbers.len() as u64), "{words}");
            names.extend(page.items.into_iter().map(|contact| contact.last_name));
            match page.next {
                None => break,
                after => request.after = after,
            }
        }
        let mut expected: Vec<_> = numbers.iter().map(|n| format!("Same{n:04}")).collect();
        if sort == "-name" {
            expected.reverse();
        }
        assert_eq!(names, expected, "{words} {sort}");
    }
}

async fn finds_are_paged_in_every_order_and_with_filters(ground: Ground) {
    let (db, tenant) = (&ground.db, ground.tenant.id);
    let transaction = begin(db).await.unwrap();
    for number in 0..1_050 {
        let mut fields = contact_fields("Many", &format!("Same{number:04}"));
        fields.in_directory = number % 2 == 0;
        contact::insert(tenant, &fields, NOW, &transaction)
            .await
            .unwrap();
    }
    commit(transaction).await.unwrap();
    let (everybody, last) = (ContactFilter::default(), search("same1049"));
    let page = contact::list(tenant, &everybody, &last, db).await.unwrap();
    let moved = page.items[0].id;
    let first = contact_fields("Many", "A Same");
    contact::update(tenant, moved, &first, None, db)
        .await
        .unwrap();
    let shown = ContactFilter {
        in_directory: Some(true),
        ..everybody
    };
    for (words, sort, filter, count, ends) in [
        ("same", "name", everybody, 1_050, ["A Same", "Same1048"]),
        ("same", "-name", everybody, 1_050, ["Same1048", "A Same"]),
        ("same010", "name", everybody, 10, ["Same0100", "Same0109"]),
        ("same010", "-name", everybody, 10, ["Same0109", "Same0100"]),
        ("same010", "name", shown, 5, ["Same0100", "Same0108"]),
        (
            "same010",
            "created_at",
            everybody,
            10,
            ["Same0100", "Same0109"],
        ),
    ] {
        let mut request = PageRequest {
            limit: 4,
            sort: sort.parse().unwrap(),
            total: true,
            ..search(words)
        };
        if count > 1_000 {
            request.limit = 200;
        }
        let mut names = Vec::new();
        loop {
            let page = contact::list(tenant, &filter, &request, db).await.unwrap();
            assert_eq!(page.total.map(|total| total.count), Some(count), "{words}");
            names.extend(page.items.into_iter().map(|contact| contact.last_name));
            match page.next {
                None => break,
                after => request.after = after,
            }
        }
        assert_eq!(u64::try_from(names.len()).unwrap(), count, "{words} {sort}");
        let mut once = names.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), names.len(), "{words} {sort}");
        // All were made at the same moment.
        let names = if sort == "created_at" { once } else { names };
        let found_ends = [names.first(), names.last()].map(|name| name.unwrap().as_str());
        assert_eq!(found_ends, ends, "{words} {sort}");
    }
}

async fn a_changed_or_deleted_contact_is_not_found_by_its_old_name(ground: Ground) {
    let (db, tenant) = (&ground.db, ground.tenant.id);
    let made = ground.contact("Grace", "Hopper").await;
    let fields = contact_fields("Grace", "Murray");
    contact::update(tenant, made.id, &fields, None, db)
        .await
        .unwrap();
    assert!(found(&ground, "hopper").await.is_empty());
    assert_eq!(found(&ground, "murray").await, ["Grace Murray"]);
    contact::delete(tenant, made.id, db).await.unwrap();
    assert!(found(&ground, "murray").await.is_empty());
    if ground.folder.path().join("tandem.db").exists() {
        let check = "INSERT INTO contact_search_index (contact_search_index, rank) \
                     VALUES ('integrity-check', 1)";
        db.execute_unprepared(check)
            .await
            .expect("index and text agree");
    }
}

async fn pages_show_every_contact_once_and_in_order(ground: Ground) {
    let (db, tenant) = (&ground.db, ground.tenant.id);
    for (first_name, last_name) in [
        ("B", "Same"),
        ("a", "same"),
        ("Z", "Last"),
        ("a", "Same"),
        ("ä", "zuletzt"),
        ("x", "Äußerst"),
        ("c", "1st"),
    ] {
        ground.contact(first_name, last_name).await;
    }
    for limit in [1, 2, 3, 7, 50] {
        let mut request = PageRequest {
            limit,
            ..PageRequest::default()
        };
        let mut ids = Vec::new();
        let mut names = Vec::new();
        loop {
            let page = contact::list(tenant, &ContactFilter::default(), &request, db)
                .await
                .unwrap();
            assert!(page.items.len() <= usize::try_from(limit).unwrap());
            ids.extend(page.items.iter().map(|contact| contact.id));
            names.extend(
                page.items
                    .iter()
                    .map(|contact| contact.last_name.to_lowercase()),
            );
            let Some(next) = page.next else { break };
            request.after = Some(next.to_string().parse().unwrap());
        }
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 7, "limit {limit}");
        assert_eq!(
            names,
            ["1st", "last", "same", "same", "same", "zuletzt", "äußerst"]
        );
    }
}

async fn numbers_and_addresses_are_bounded(ground: Ground) {
    let (db, tenant) = (&ground.db, ground.tenant.id);
    let good = contact_fields("Grace", "Hopper");
    let without = ContactFields {
        emails: vec![],
        ..good.clone()
    };
    let error = contact::insert(tenant, &without, NOW, db)
        .await
        .unwrap_err();
    assert!(matches!(
        error,
        StoreError::Count {
            field: "emails",
            ..
        }
    ));
    let numbers = vec![good.numbers[0].clone(); contact::MAX_NUMBERS + 1];
    let error = contact::insert(tenant, &ContactFields { numbers, ..good }, NOW, db)
        .await
        .unwrap_err();
    assert!(matches!(
        error,
        StoreError::Count {
            field: "numbers",
            ..
        }
    ));
}

async fn a_contact_with_devices_stays_and_its_changes_reach_them(ground: Ground) {
    let (db, tenant) = (&ground.db, ground.tenant.id);
    let made = ground.device("Desk", &[&ground.account("100").await]).await;
    let Err(StoreError::InUse(by)) = contact::delete(tenant, made.contact.id, db).await else {
        panic!("deleted although in use");
    };
    assert_eq!((by.items[0].id, by.count), (made.id, 1));
    let fields = contact_fields("Other", "Name");
    let changed = contact::update(tenant, made.contact.id, &fields, None, db)
        .await
        .unwrap();
    assert_eq!(changed.devices[0].id, made.id);
    let made = device::load(tenant, made.id, db).await.unwrap();
    assert_eq!(
        (made.configuration_version, made.contact.name.as_str()),
        (2, "Other Name")
    );
}

async fn a_contact_has_the_extensions_of_its_devices_once_and_in_the_order_of_lines(
    ground: Ground,
) {
    let (db, tenant) = (&ground.db, ground.tenant.id);
    let (first, second) = (ground.account("201").await, ground.account("109").await);
    let outside = ground.provider("Telephone company").await.id;
    let outside = ground
        .account_of(tenant, &account_fields(outside, "4930123"))
        .await;
    let laptop = ground.device("Laptop", &[&outside, &first, &second]).await;
    let other = DeviceFields {
        name: "Mobile".to_owned(),
        contact_id: laptop.contact.id,
        account_ids: vec![first.id],
    };
    device::insert(tenant, &other, NOW, db).await.unwrap();
    ground.contact("Nobody", "Else").await;

    let (filter, request) = (ContactFilter::default(), PageRequest::default());
    let page = contact::list(tenant, &filter, &request, db).await.unwrap();
    let extensions = page.items.into_iter().map(|contact| contact.extensions);
    let extensions: Vec<_> = extensions.collect();
    assert_eq!(
        extensions,
        [vec![], vec!["201".to_owned(), "109".to_owned()]]
    );
}

async fn a_contact_of_another_tenant_is_not_found(ground: Ground) {
    let db = &ground.db;
    let other = ground.other_tenant().await.id;
    let made = ground.contact("Grace", "Hopper").await;
    let fields = contact_fields("X", "Y");
    assert!(matches!(
        contact::load(other, made.id, db).await,
        Err(StoreError::NotFound)
    ));
    assert!(matches!(
        contact::delete(other, made.id, db).await,
        Err(StoreError::NotFound)
    ));
    let changed = contact::update(other, made.id, &fields, None, db).await;
    assert!(matches!(changed, Err(StoreError::NotFound)));
    for request in [PageRequest::default(), search("hopper"), search("ho")] {
        assert!(
            contact::list(other, &ContactFilter::default(), &request, db)
                .await
                .unwrap()
                .items
                .is_empty()
        );
    }
    assert_eq!(
        contact::load(ground.tenant.id, made.id, db).await.unwrap(),
        made
    );
}
