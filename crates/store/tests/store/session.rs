use store::browser::{self, Acquaintance, MAX_BROWSERS};
use store::session::{self, MAX_SESSIONS, NewSession, SessionLifetime, SignedInBy};
use store::{Secret, StoreError};
use time::Duration;
use uuid::Uuid;

use crate::ground::{Ground, NOW, after_minutes, new_user, on_both};

const LIFETIME: SessionLifetime = SessionLifetime {
    absolute: Duration::hours(8),
    idle: Duration::minutes(30),
};

fn by(user: Uuid) -> NewSession<'static> {
    NewSession {
        user,
        by: SignedInBy::Own,
        browser: "Firefox, Linux",
        address: "192.0.2.7",
    }
}

on_both! {
    a_session_is_found_by_its_token_only,
    a_session_ends_when_idle_or_old,
    a_session_in_use_stays_until_its_absolute_end,
    other_sessions_of_a_user_can_be_ended,
    a_user_has_a_bounded_number_of_sessions,
    own_sessions_are_listed_and_ended_by_their_id,
    a_session_is_confirmed_until_it_ends,
    what_a_provider_vouched_for_is_good_for_its_tenant,
    a_browser_is_new_once,
}

async fn a_session_is_found_by_its_token_only(ground: Ground) {
    let Ground { db, user, .. } = &ground;
    let token = session::insert(&by(user.id), &LIFETIME, NOW, db)
        .await
        .unwrap();
    let token = token.reveal();
    assert_eq!(token.len(), 43);
    let found = session::find(token, &LIFETIME, NOW, db)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.user_id, user.id);
    assert_eq!(found.expires_at, NOW + LIFETIME.absolute);
    for wrong in ["", &token[1..], &token.to_lowercase()] {
        assert_eq!(
            session::find(wrong, &LIFETIME, NOW, db).await.unwrap(),
            None
        );
    }
    session::delete(token, db).await.unwrap();
    assert_eq!(
        session::find(token, &LIFETIME, NOW, db).await.unwrap(),
        None
    );
}

async fn a_session_ends_when_idle_or_old(ground: Ground) {
    let Ground { db, user, .. } = &ground;
    let token = session::insert(&by(user.id), &LIFETIME, NOW, db)
        .await
        .unwrap();
    let idle = session::find(token.reveal(), &LIFETIME, after_minutes(30), db).await;
    assert_eq!(idle.unwrap(), None);
    assert_eq!(
        session::delete_expired(after_minutes(479), db)
            .await
            .unwrap(),
        0
    );
    assert_eq!(
        session::delete_expired(after_minutes(480), db)
            .await
            .unwrap(),
        1
    );
}

async fn a_session_in_use_stays_until_its_absolute_end(ground: Ground) {
    let Ground { db, user, .. } = &ground;
    let token = session::insert(&by(user.id), &LIFETIME, NOW, db)
        .await
        .unwrap();
    for minutes in (0..480).step_by(20) {
        let found = session::find(token.reveal(), &LIFETIME, after_minutes(minutes), db).await;
        assert!(found.unwrap().is_some(), "after {minutes} minutes");
    }
    let old = session::find(token.reveal(), &LIFETIME, after_minutes(480), db).await;
    assert_eq!(old.unwrap(), None);
}

async fn other_sessions_of_a_user_can_be_ended(ground: Ground) {
    let Ground { db, user, .. } = &ground;
    let mut tokens = Vec::new();
    for _ in 0..3 {
        tokens.push(
            session::insert(&by(user.id), &LIFETIME, NOW, db)
                .await
                .unwrap(),
        );
    }
    session::delete_others(user.id, tokens[1].reveal(), db)
        .await
        .unwrap();
    for (token, alive) in tokens.iter().zip([false, true, false]) {
        let found = session::find(token.reveal(), &LIFETIME, NOW, db)
            .await
            .unwrap();
        assert_eq!(found.is_some(), alive);
    }
    session::delete_by_user(user.id, db).await.unwrap();
    let found = session::find(tokens[1].reveal(), &LIFETIME, NOW, db)
        .await
        .unwrap();
    assert_eq!(found, None);
}

async fn a_user_has_a_bounded_number_of_sessions(ground: Ground) {
    let Ground { db, user, .. } = &ground;
    let mut tokens = Vec::new();
    for second in 0..=i64::try_from(MAX_SESSIONS).unwrap() {
        let now = NOW + Duration::seconds(second);
        tokens.push(
            session::insert(&by(user.id), &LIFETIME, now, db)
                .await
                .unwrap(),
        );
    }
    let now = after_minutes(1);
    let first = session::find(tokens[0].reveal(), &LIFETIME, now, db)
        .await
        .unwrap();
    assert_eq!(first, None, "the oldest made room");
    for token in &tokens[1..] {
        assert!(
            session::find(token.reveal(), &LIFETIME, now, db)
                .await
                .unwrap()
                .is_some()
        );
    }
}

async fn own_sessions_are_listed_and_ended_by_their_id(ground: Ground) {
    let Ground { db, user, .. } = &ground;
    let other = new_user("other@example.org", db).await;
    let begin = async |user, minutes| {
        let now = after_minutes(minutes);
        session::insert(&by(user), &LIFETIME, now, db)
            .await
            .unwrap()
    };
    let (idle, first, foreign) = (
        begin(user.id, -30).await,
        begin(user.id, 0).await,
        begin(other.id, 1).await,
    );
    begin(user.id, 2).await;
    let list = async || {
        let listed = session::list(user.id, &LIFETIME, NOW, db).await.unwrap();
        listed.iter().map(|one| one.id).collect::<Vec<_>>()
    };
    let id = async |token: &Secret| {
        let found = session::find(token.reveal(), &LIFETIME, NOW, db).await;
        found.unwrap().map(|session| session.id)
    };
    let listed = session::list(user.id, &LIFETIME, NOW, db).await.unwrap();
    assert_eq!(listed.len(), 2, "an idle session is over");
    assert_eq!(id(&idle).await, None);
    assert_eq!(listed[0].created_at, after_minutes(2), "last used first");
    assert_eq!(listed[0].browser.as_deref(), Some("Firefox, Linux"));
    assert_eq!(listed[0].address.as_deref(), Some("192.0.2.7"));
    assert_eq!(Some(listed[1].id), id(&first).await);

    let foreign_id = id(&foreign).await.unwrap();
    for wrong in [foreign_id, Uuid::nil()] {
        let refused = session::delete_one(user.id, wrong, db).await;
        assert!(matches!(refused, Err(StoreError::NotFound)));
    }
    session::delete_one(user.id, listed[1].id, db)
        .await
        .unwrap();
    assert_eq!(id(&first).await, None);
    assert_eq!(list().await, [listed[0].id]);
    assert!(id(&foreign).await.is_some());
}

async fn a_session_is_confirmed_until_it_ends(ground: Ground) {
    let Ground { db, user, .. } = &ground;
    let token = session::insert(&by(user.id), &LIFETIME, NOW, db)
        .await
        .unwrap();
    let confirmed = async || {
        let found = session::find(token.reveal(), &LIFETIME, NOW, db).await;
        found.unwrap().unwrap().confirmed_at
    };
    assert_eq!(confirmed().await, Some(NOW), "a sign-in is a confirmation");
    let later = after_minutes(20);
    session::confirm(token.reveal(), later, db).await.unwrap();
    assert_eq!(confirmed().await, Some(later));
    session::delete(token.reveal(), db).await.unwrap();
    let refused = session::confirm(token.reveal(), later, db).await;
    assert!(matches!(refused, Err(StoreError::NotFound)));
}

async fn a_browser_is_new_once(ground: Ground) {
    let Ground { db, user, .. } = &ground;
    let other = new_user("other@example.org", db).await;
    let (first, second) = (browser::token(), browser::token());
    let mut minute = 0;
    let mut meet = async |user, token: &Secret| {
        minute += 1;
        let now = after_minutes(minute);
        browser::meet(user, token.reveal(), now, db).await.unwrap()
    };
    assert_eq!(meet(user.id, &first).await, Acquaintance::First);
    assert_eq!(meet(user.id, &first).await, Acquaintance::Known);
    assert_eq!(meet(user.id, &second).await, Acquaintance::New);
    assert_eq!(meet(user.id, &second).await, Acquaintance::Known);
    assert_eq!(meet(other.id, &first).await, Acquaintance::First);
    for _ in 1..MAX_BROWSERS {
        meet(user.id, &browser::token()).await;
    }
    assert_eq!(meet(user.id, &second).await, Acquaintance::Known);
    assert_eq!(meet(user.id, &first).await, Acquaintance::New, "forgotten");
    browser::forget(user.id, db).await.unwrap();
    assert_eq!(meet(user.id, &second).await, Acquaintance::First);
}

async fn what_a_provider_vouched_for_is_good_for_its_tenant(ground: Ground) {
    let Ground {
        db, user, tenant, ..
    } = &ground;
    let find = async |token: &Secret| {
        session::find(token.reveal(), &LIFETIME, NOW, db)
            .await
            .unwrap()
    };
    let own = session::insert(&by(user.id), &LIFETIME, NOW, db)
        .await
        .unwrap();
    for (authenticated_at, second_factor) in [(None, false), (Some(after_minutes(-3)), true)] {
        let vouched = NewSession {
            by: SignedInBy::Provider {
                tenant: tenant.id,
                authenticated_at,
                second_factor,
            },
            ..by(user.id)
        };
        let token = session::insert(&vouched, &LIFETIME, NOW, db).await.unwrap();
        let found = find(&token).await.unwrap();
        assert_eq!(found.sign_on_tenant, Some(tenant.id));
        assert_eq!(found.confirmed_at, authenticated_at);
        assert_eq!(found.second_factor_elsewhere, second_factor);
        session::delete_by_sign_on(Uuid::nil(), db).await.unwrap();
        assert!(find(&token).await.is_some());
        session::delete_by_sign_on(tenant.id, db).await.unwrap();
        assert_eq!(find(&token).await, None);
    }
    let own = find(&own).await.unwrap();
    assert_eq!((own.sign_on_tenant, own.confirmed_at), (None, Some(NOW)));
}
