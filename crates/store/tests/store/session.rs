use store::session::{self, MAX_SESSIONS, SessionLifetime};
use time::Duration;

use crate::ground::{Ground, NOW, after_minutes, on_both};

const LIFETIME: SessionLifetime = SessionLifetime {
    absolute: Duration::hours(8),
    idle: Duration::minutes(30),
};

on_both! {
    a_session_is_found_by_its_token_only,
    a_session_ends_when_idle_or_old,
    a_session_in_use_stays_until_its_absolute_end,
    other_sessions_of_a_user_can_be_ended,
    a_user_has_a_bounded_number_of_sessions,
}

async fn a_session_is_found_by_its_token_only(ground: Ground) {
    let Ground { db, user, .. } = &ground;
    let token = session::insert(user.id, &LIFETIME, NOW, db).await.unwrap();
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
    let token = session::insert(user.id, &LIFETIME, NOW, db).await.unwrap();
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
    let token = session::insert(user.id, &LIFETIME, NOW, db).await.unwrap();
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
        tokens.push(session::insert(user.id, &LIFETIME, NOW, db).await.unwrap());
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
        tokens.push(session::insert(user.id, &LIFETIME, now, db).await.unwrap());
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
