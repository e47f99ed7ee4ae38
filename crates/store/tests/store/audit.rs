use sea_orm::ConnectionTrait as _;
use store::audit::{self, AuditFilter, NewAuditEntry};
use store::{PageRequest, begin, commit};
use uuid::Uuid;

use crate::ground::{Ground, after_minutes, on_both};

on_both! {
    entries_are_paged_newest_first_and_stay_in_their_tenant,
    entries_are_found_by_what_was_done_to_what_and_by_whom,
    an_entry_that_was_altered_or_removed_breaks_the_chain,
    entries_made_at_the_same_time_all_get_into_the_chain,
}

async fn entries_are_paged_newest_first_and_stay_in_their_tenant(ground: Ground) {
    let (db, tenant) = (&ground.db, ground.tenant.id);
    let other = ground.other_tenant().await.id;
    for minute in 0..5 {
        let new = NewAuditEntry {
            actor: "ada@example.org",
            action: "account.update",
            subject: &minute.to_string(),
            ..NewAuditEntry::default()
        };
        audit::append(Some(tenant), &new, after_minutes(minute), db)
            .await
            .unwrap();
        audit::append(None, &new, after_minutes(minute), db)
            .await
            .unwrap();
    }
    let mut request = PageRequest {
        limit: 2,
        ..PageRequest::default()
    };
    let mut subjects = Vec::new();
    loop {
        let page = audit::list(tenant, &AuditFilter::default(), &request, db)
            .await
            .unwrap();
        subjects.extend(
            page.items
                .into_iter()
                .map(|entry| (entry.subject, entry.at)),
        );
        let Some(next) = page.next else { break };
        request.after = Some(next);
    }
    let expected = [4, 3, 2, 1, 0].map(|minute| (minute.to_string(), after_minutes(minute)));
    assert_eq!(subjects, expected);
    assert!(
        audit::list(other, &AuditFilter::default(), &request, db)
            .await
            .unwrap()
            .items
            .is_empty()
    );
}

/// Notes that `actor` has done `action` to `object`, `minute` minutes after the beginning.
async fn append(ground: &Ground, actor: &str, action: &str, object: Option<Uuid>, minute: i64) {
    let new = NewAuditEntry {
        actor,
        action,
        subject: "Reception",
        object,
        source: Some("192.0.2.7"),
        changes: Some(r#"{"name":["Front desk","Reception"]}"#),
        ..NewAuditEntry::default()
    };
    audit::append(
        Some(ground.tenant.id),
        &new,
        after_minutes(minute),
        &ground.db,
    )
    .await
    .unwrap();
}

async fn entries_are_found_by_what_was_done_to_what_and_by_whom(ground: Ground) {
    let object = Uuid::from_u128(7);
    append(
        &ground,
        "Ada@example.org",
        "account.update",
        Some(object),
        0,
    )
    .await;
    append(
        &ground,
        "bob@example.org",
        "account.delete",
        Some(object),
        1,
    )
    .await;
    append(&ground, "bob@example.org", "device.update", None, 2).await;
    let found = async |filter: AuditFilter, search: &str| {
        let request = PageRequest {
            search: Some(search.to_owned()),
            ..PageRequest::default()
        };
        let page = audit::list(ground.tenant.id, &filter, &request, &ground.db).await;
        let entries = page.unwrap().items.into_iter();
        entries.map(|entry| entry.action).collect::<Vec<_>>()
    };
    let filter = AuditFilter::default();
    assert_eq!(found(filter.clone(), "ada RECEP").await, ["account.update"]);
    assert_eq!(found(filter, "ada bob").await, Vec::<String>::new());
    let filter = AuditFilter {
        action: Some("account.".to_owned()),
        from: Some(after_minutes(1)),
        ..AuditFilter::default()
    };
    assert_eq!(found(filter, "").await, ["account.delete"]);
    let filter = AuditFilter {
        object: Some(object),
        until: Some(after_minutes(1)),
        ..AuditFilter::default()
    };
    assert_eq!(found(filter, "").await, ["account.update"]);
    let by = |actor: &str| AuditFilter {
        actor: Some(actor.to_owned()),
        ..AuditFilter::default()
    };
    assert_eq!(
        found(by("bob@example.org"), "").await,
        ["device.update", "account.delete"]
    );
    assert_eq!(found(by("bob"), "").await, Vec::<String>::new());
}

async fn an_entry_that_was_altered_or_removed_breaks_the_chain(ground: Ground) {
    let verified = async || {
        audit::verify(Some(ground.tenant.id), &ground.db)
            .await
            .unwrap()
    };
    assert_eq!(
        (verified().await.entries, verified().await.broken_at),
        (0, None)
    );
    for minute in 0..4 {
        append(&ground, "ada@example.org", "account.update", None, minute).await;
    }
    let whole = verified().await;
    assert_eq!((whole.entries, whole.broken_at), (4, None));
    assert_eq!(whole.hash.len(), 32);

    let change = async |statement: &str| {
        ground.db.execute_unprepared(statement).await.unwrap();
        verified().await.broken_at
    };
    let set = "UPDATE audit_entries SET changes = '{}' WHERE sequence = 3";
    assert_eq!(change(set).await, Some(3));
    let back = r#"UPDATE audit_entries SET changes = '{"name":["Front desk","Reception"]}' WHERE sequence = 3"#;
    assert_eq!(change(back).await, None);
    let last = "DELETE FROM audit_entries WHERE sequence = 4";
    assert_eq!(change(last).await, Some(4));
    let first = "DELETE FROM audit_entries WHERE sequence = 1";
    assert_eq!(change(first).await, Some(1));
}

async fn entries_made_at_the_same_time_all_get_into_the_chain(ground: Ground) {
    let tenant = Some(ground.tenant.id);
    let appends = (0..8).map(|_| {
        let db = ground.db.clone();
        tokio::spawn(async move {
            let new = NewAuditEntry {
                action: "device.activate",
                ..NewAuditEntry::default()
            };
            let transaction = begin(&db).await.unwrap();
            audit::append(tenant, &new, after_minutes(0), &transaction)
                .await
                .unwrap();
            commit(transaction).await.unwrap();
        })
    });
    for append in appends.collect::<Vec<_>>() {
        append.await.unwrap();
    }
    let verified = audit::verify(tenant, &ground.db).await.unwrap();
    assert_eq!((verified.entries, verified.broken_at), (8, None));
}
