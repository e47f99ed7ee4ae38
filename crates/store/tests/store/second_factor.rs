use store::second_factor::{self, HALF_SIGN_IN_LIFE, HalfSignIn};
use store::{Secret, StoreError, tenant};
use uuid::Uuid;

use crate::ground::{Ground, NOW, after_minutes, new_user, on_both};

on_both! {
    a_key_counts_from_its_first_code_on,
    no_step_counts_twice,
    a_recovery_code_counts_once_and_for_its_owner_only,
    a_sign_in_waits_for_its_second_step_for_a_while,
    a_tenant_demands_a_second_factor_or_not,
}

fn key(text: &str) -> Secret {
    Secret::new(text)
}

async fn a_key_counts_from_its_first_code_on(ground: Ground) {
    let Ground {
        db, vault, user, ..
    } = &ground;
    let found = async || second_factor::find(user.id, vault, db).await.unwrap();
    assert!(found().await.is_none());
    for text in ["FIRST", "SECOND"] {
        second_factor::begin_with(user.id, &key(text), vault, NOW, db)
            .await
            .unwrap();
        let begun = found().await.unwrap();
        assert_eq!(begun.secret.reveal(), text);
        assert_eq!(begun.confirmed_at, None);
    }
    let since = async || second_factor::confirmed_at(user.id, db).await.unwrap();
    assert_eq!(since().await, None);
    assert!(
        second_factor::confirm(user.id, 7, after_minutes(1), db)
            .await
            .unwrap()
    );
    assert!(
        !second_factor::confirm(user.id, 8, after_minutes(2), db)
            .await
            .unwrap()
    );
    assert_eq!(since().await, Some(after_minutes(1)));
    let other = new_user("other@example.org", db).await;
    let confirmed = second_factor::list_confirmed([user.id, other.id], db).await;
    assert_eq!(confirmed.unwrap(), [user.id]);
    let again = second_factor::begin_with(user.id, &key("THIRD"), vault, NOW, db).await;
    assert!(matches!(
        again,
        Err(StoreError::Conflict {
            field: "second_factor"
        })
    ));
    assert_eq!(found().await.unwrap().secret.reveal(), "SECOND");

    assert!(second_factor::delete(user.id, db).await.unwrap());
    assert!(!second_factor::delete(user.id, db).await.unwrap());
    assert_eq!(since().await, None);
}

async fn no_step_counts_twice(ground: Ground) {
    let Ground {
        db, vault, user, ..
    } = &ground;
    second_factor::begin_with(user.id, &key("KEY"), vault, NOW, db)
        .await
        .unwrap();
    second_factor::confirm(user.id, 100, NOW, db).await.unwrap();
    let mut used = Vec::new();
    for step in [100, 101, 101, 100, 99, 102] {
        used.push(second_factor::use_step(user.id, step, db).await.unwrap());
    }
    assert_eq!(used, [false, true, false, false, false, true]);
    let race = futures_of(user.id, db).await;
    assert_eq!(race.iter().filter(|won| **won).count(), 1);
}

/// The same step from two sides at the same time.
async fn futures_of(user: Uuid, db: &store::Database) -> [bool; 2] {
    let (first, second) = tokio::join!(
        second_factor::use_step(user, 200, db),
        second_factor::use_step(user, 200, db)
    );
    [first.unwrap(), second.unwrap()]
}

async fn a_recovery_code_counts_once_and_for_its_owner_only(ground: Ground) {
    let Ground { db, user, .. } = &ground;
    let other = new_user("other@example.org", db).await;
    let codes = ["one", "two", "three"].map(Secret::new);
    second_factor::set_recovery_codes(user.id, &codes, db)
        .await
        .unwrap();
    let left = async || {
        second_factor::count_recovery_codes(user.id, db)
            .await
            .unwrap()
    };
    let used = async |user, code| {
        second_factor::use_recovery_code(user, code, db)
            .await
            .unwrap()
    };
    assert_eq!(left().await, 3);
    assert!(!used(other.id, "two").await);
    assert!(!used(user.id, "four").await);
    assert!(used(user.id, "two").await);
    assert!(!used(user.id, "two").await);
    assert_eq!(left().await, 2);
    second_factor::set_recovery_codes(user.id, &["five"].map(Secret::new), db)
        .await
        .unwrap();
    assert!(!used(user.id, "one").await, "the old ones end");
    second_factor::delete(user.id, db).await.unwrap();
    assert_eq!(left().await, 0);
}

async fn a_sign_in_waits_for_its_second_step_for_a_while(ground: Ground) {
    let Ground {
        db, user, tenant, ..
    } = &ground;
    let half = HalfSignIn {
        user: user.id,
        sign_on_tenant: Some(tenant.id),
    };
    let insert = async || {
        let token = second_factor::insert_half_sign_in(&half, NOW, db)
            .await
            .unwrap();
        token.reveal().to_owned()
    };
    let find = async |token: &str, now| {
        second_factor::find_half_sign_in(token, now, db)
            .await
            .unwrap()
    };
    let (first, second) = (insert().await, insert().await);
    assert_eq!(find(&first, NOW).await, None, "another took its place");
    assert_eq!(find(&second, NOW).await, Some(half));
    assert_eq!(find(&second, NOW + HALF_SIGN_IN_LIFE).await, None);
    assert_eq!(find("", NOW).await, None);
    let take = async |token: &str, now| {
        second_factor::take_half_sign_in(token, now, db)
            .await
            .unwrap()
    };
    assert!(!take(&first, NOW).await);
    assert!(!take(&second, NOW + HALF_SIGN_IN_LIFE).await);
    assert!(take(&second, NOW).await);
    assert!(!take(&second, NOW).await, "it goes on once");
    insert().await;
    let swept = second_factor::delete_expired(NOW + HALF_SIGN_IN_LIFE, db).await;
    assert_eq!(swept.unwrap(), 1);
    let third = insert().await;
    second_factor::delete_half_sign_ins(user.id, db)
        .await
        .unwrap();
    assert_eq!(find(&third, NOW).await, None);
}

async fn a_tenant_demands_a_second_factor_or_not(ground: Ground) {
    let Ground { db, tenant, .. } = &ground;
    assert!(!tenant.second_factor_required);
    for required in [true, false] {
        tenant::require_second_factor(tenant.id, required, db)
            .await
            .unwrap();
        let loaded = tenant::load(tenant.id, db).await.unwrap();
        assert_eq!(loaded.second_factor_required, required);
    }
    let nowhere = tenant::require_second_factor(Uuid::nil(), true, db).await;
    assert!(matches!(nowhere, Err(StoreError::NotFound)));
}
