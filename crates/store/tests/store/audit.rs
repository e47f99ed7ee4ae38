use store::PageRequest;
use store::audit::{self, NewAuditEntry};

use crate::ground::{Ground, after_minutes, on_both};

on_both! {
    entries_are_paged_newest_first_and_stay_in_their_tenant,
}

async fn entries_are_paged_newest_first_and_stay_in_their_tenant(ground: Ground) {
    let (db, tenant) = (&ground.db, ground.tenant.id);
    let other = ground.other_tenant().await.id;
    for minute in 0..5 {
        let new = NewAuditEntry {
            actor: "ada@example.org",
            action: "account.update",
            subject: &minute.to_string(),
            detail: "",
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
        let page = audit::list(tenant, &request, db).await.unwrap();
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
        audit::list(other, &request, db)
            .await
            .unwrap()
            .items
            .is_empty()
    );
}
