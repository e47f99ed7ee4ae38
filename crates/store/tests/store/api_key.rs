use store::api_key::{self, API_KEY_START, ApiKey, MAX_API_KEYS, NewApiKey};
use store::{PageRequest, Role, Secret, StoreError, membership};
use time::Duration;
use uuid::Uuid;

use crate::ground::{Ground, NOW, after_minutes, new_user, on_both};

on_both! {
    a_key_is_found_by_its_text_only,
    a_key_ends_at_its_time,
    when_a_key_was_used_is_noted_to_the_minute,
    keys_are_of_a_tenant,
    a_key_goes_with_its_membership,
    a_tenant_has_a_bounded_number_of_keys,
    somebodys_keys_are_named_while_they_work,
}

async fn make(name: &str, ground: &Ground) -> (ApiKey, Secret) {
    let scopes = ["contacts:write".to_owned(), "calls:read".to_owned()];
    let new = NewApiKey {
        user: ground.user.id,
        name,
        scopes: &scopes,
        expires_at: Some(NOW + Duration::days(30)),
        second_factor_elsewhere: false,
    };
    api_key::insert(ground.tenant.id, &new, NOW, &ground.db)
        .await
        .unwrap()
}

async fn a_key_is_found_by_its_text_only(ground: Ground) {
    let (made, key) = make("Sync", &ground).await;
    let text = key.reveal();
    assert!(text.starts_with(API_KEY_START) && text.len() == 47);
    assert!(text.starts_with(&made.prefix) && made.prefix.len() == 12);
    assert_eq!(made.scopes, ["contacts:write", "calls:read"]);
    assert_eq!(made.made_by, ground.user.email);
    let find = async |text: &str| api_key::find(text, NOW, &ground.db).await.unwrap();
    assert_eq!(find(text).await.unwrap().id, made.id);
    for wrong in [
        "",
        API_KEY_START,
        &made.prefix,
        &text[1..],
        &text[..46],
        &text.to_uppercase(),
    ] {
        assert_eq!(find(wrong).await, None, "{wrong}");
    }
}

async fn a_key_ends_at_its_time(ground: Ground) {
    let (made, key) = make("Sync", &ground).await;
    let end = made.expires_at.unwrap();
    let find = async |now| api_key::find(key.reveal(), now, &ground.db).await.unwrap();
    assert!(find(end - Duration::microseconds(1)).await.is_some());
    assert_eq!(find(end).await, None);
}

async fn when_a_key_was_used_is_noted_to_the_minute(ground: Ground) {
    let (made, key) = make("Sync", &ground).await;
    assert_eq!(made.last_used_at, None);
    for (now, noted) in [
        (NOW, NOW),
        (NOW + Duration::seconds(59), NOW),
        (after_minutes(1), after_minutes(1)),
    ] {
        api_key::find(key.reveal(), now, &ground.db).await.unwrap();
        let page = PageRequest::default();
        let listed = api_key::list(ground.tenant.id, &page, &ground.db)
            .await
            .unwrap();
        assert_eq!(listed.items[0].last_used_at, Some(noted));
    }
}

async fn keys_are_of_a_tenant(ground: Ground) {
    let Ground { db, tenant, .. } = &ground;
    let other = ground.other_tenant().await;
    let (made, key) = make("Sync", &ground).await;
    let names = async |tenant: Uuid| {
        let listed = api_key::list(tenant, &PageRequest::default(), db).await;
        let listed = listed.unwrap().items.into_iter();
        listed.map(|key| key.name).collect::<Vec<_>>()
    };
    assert_eq!(names(tenant.id).await, ["Sync"]);
    assert!(names(other.id).await.is_empty());
    let foreign = api_key::delete(other.id, made.id, db).await;
    assert!(matches!(foreign, Err(StoreError::NotFound)));
    assert_eq!(
        api_key::delete(tenant.id, made.id, db).await.unwrap().id,
        made.id
    );
    assert_eq!(api_key::find(key.reveal(), NOW, db).await.unwrap(), None);
    let again = api_key::delete(tenant.id, made.id, db).await;
    assert!(matches!(again, Err(StoreError::NotFound)));
}

async fn a_key_goes_with_its_membership(ground: Ground) {
    let Ground { db, tenant, .. } = &ground;
    let member = new_user("bob@example.org", db).await;
    let new = NewApiKey {
        user: member.id,
        name: "Sync",
        scopes: &[],
        expires_at: None,
        second_factor_elsewhere: false,
    };
    let early = api_key::insert(tenant.id, &new, NOW, db).await;
    assert!(early.is_err(), "only members have keys");
    membership::insert(tenant.id, member.id, Role::ReadOnly, NOW, db)
        .await
        .unwrap();
    let (_, key) = api_key::insert(tenant.id, &new, NOW, db).await.unwrap();
    let long_after = NOW + Duration::days(4000);
    assert!(
        api_key::find(key.reveal(), long_after, db)
            .await
            .unwrap()
            .is_some()
    );
    membership::delete(tenant.id, member.id, db).await.unwrap();
    assert_eq!(api_key::find(key.reveal(), NOW, db).await.unwrap(), None);
}

async fn a_tenant_has_a_bounded_number_of_keys(ground: Ground) {
    for number in 0..MAX_API_KEYS {
        make(&format!("Key {number}"), &ground).await;
    }
    let new = NewApiKey {
        user: ground.user.id,
        name: "One more",
        scopes: &[],
        expires_at: None,
        second_factor_elsewhere: false,
    };
    let refused = api_key::insert(ground.tenant.id, &new, NOW, &ground.db).await;
    assert!(matches!(
        refused,
        Err(StoreError::Count {
            field: "api_keys",
            ..
        })
    ));
}

async fn somebodys_keys_are_named_while_they_work(ground: Ground) {
    let Ground { db, user, .. } = &ground;
    let (first, _) = make("Sync", &ground).await;
    let later = NewApiKey {
        user: user.id,
        name: "Script",
        scopes: &[],
        expires_at: first.expires_at,
        second_factor_elsewhere: false,
    };
    api_key::insert(ground.tenant.id, &later, after_minutes(1), db)
        .await
        .unwrap();
    let other = new_user("other@example.org", db).await;
    let names = async |user: Uuid, now| {
        let keys = api_key::list_by_user(user, now, db).await.unwrap();
        let pairs = keys.into_iter().map(|key| (key.name, key.tenant));
        pairs.collect::<Vec<_>>()
    };
    let tenant = ground.tenant.name.clone();
    let expected = ["Sync", "Script"].map(|name| (name.to_owned(), tenant.clone()));
    assert_eq!(names(user.id, NOW).await, expected);
    assert_eq!(names(user.id, first.expires_at.unwrap()).await, []);
    assert_eq!(names(other.id, NOW).await, []);
}
