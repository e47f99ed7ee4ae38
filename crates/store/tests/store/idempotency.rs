use store::idempotency::{self, Answer, Asked, Attempt, MAX_ANSWER_BYTES, MAX_KEYS, Reservation};
use store::{StoreError, begin, commit};
use time::{Duration, OffsetDateTime};

use crate::ground::{Ground, NOW, after_minutes, on_both};

on_both! {
    a_request_that_comes_again_gets_the_answer_of_the_first,
    a_key_belongs_to_one_request_of_one_person_in_one_tenant,
    a_refused_request_gives_its_key_back,
    an_attempt_that_was_given_up_is_taken_over_and_cannot_be_done_any_more,
    what_is_done_is_not_done_again_even_if_its_answer_is_not_known,
    of_many_at_the_same_time_one_is_first,
    keys_are_forgotten_after_a_day_and_when_there_are_too_many,
    answers_lie_sealed,
}

async fn reserve(ground: &Ground, key: &str, request: &str, now: OffsetDateTime) -> Reservation {
    let asked = Asked {
        user: ground.user.id,
        tenant: Some(ground.tenant.id),
        key,
        request: request.as_bytes(),
    };
    idempotency::reserve(&asked, &ground.vault, now, &ground.db)
        .await
        .unwrap()
}

#[track_caller]
fn first(reservation: Reservation) -> Attempt {
    match reservation {
        Reservation::First(attempt) => attempt,
        other => panic!("{other:?}"),
    }
}

fn answer() -> Answer {
    Answer {
        status: 201,
        etag: Some("\"1\"".to_owned()),
        body: b"{\"name\":\"Grace Hopper\"}".to_vec(),
    }
}

async fn finish(ground: &Ground, attempt: Attempt) {
    idempotency::mark_done(attempt, &ground.db).await.unwrap();
    idempotency::keep(attempt, &answer(), &ground.vault, &ground.db)
        .await
        .unwrap();
}

async fn a_request_that_comes_again_gets_the_answer_of_the_first(ground: Ground) {
    let attempt = first(reserve(&ground, "k", "POST a", NOW).await);
    assert_eq!(
        reserve(&ground, "k", "POST a", NOW).await,
        Reservation::InProgress
    );
    finish(&ground, attempt).await;
    let kept = Reservation::Done(Some(answer()));
    assert_eq!(
        reserve(&ground, "k", "POST a", after_minutes(60)).await,
        kept
    );
    // What is done is not given back.
    idempotency::release(attempt, &ground.db).await.unwrap();
    assert_eq!(
        reserve(&ground, "k", "POST a", after_minutes(61)).await,
        kept
    );
}

async fn a_key_belongs_to_one_request_of_one_person_in_one_tenant(ground: Ground) {
    finish(&ground, first(reserve(&ground, "k", "POST a", NOW).await)).await;
    assert_eq!(
        reserve(&ground, "k", "POST b", NOW).await,
        Reservation::Different
    );
    first(reserve(&ground, "l", "POST b", NOW).await);
    let other = ground.other_tenant().await.id;
    for tenant in [None, Some(other)] {
        let asked = Asked {
            user: ground.user.id,
            tenant,
            key: "k",
            request: b"POST a",
        };
        let reserved = idempotency::reserve(&asked, &ground.vault, NOW, &ground.db).await;
        first(reserved.unwrap());
    }
}

async fn a_refused_request_gives_its_key_back(ground: Ground) {
    let attempt = first(reserve(&ground, "k", "POST wrong", NOW).await);
    idempotency::release(attempt, &ground.db).await.unwrap();
    first(reserve(&ground, "k", "POST right", NOW).await);
}

async fn an_attempt_that_was_given_up_is_taken_over_and_cannot_be_done_any_more(ground: Ground) {
    let slow = first(reserve(&ground, "k", "POST a", NOW).await);
    assert_eq!(
        reserve(&ground, "k", "POST a", after_minutes(1)).await,
        Reservation::InProgress
    );
    let fast = first(reserve(&ground, "k", "POST a", after_minutes(2)).await);
    let refused = idempotency::mark_done(slow, &ground.db).await;
    assert!(
        matches!(refused, Err(StoreError::Superseded)),
        "{refused:?}"
    );
    // Nor does it take the key away from the other.
    idempotency::release(slow, &ground.db).await.unwrap();
    finish(&ground, fast).await;
}

async fn what_is_done_is_not_done_again_even_if_its_answer_is_not_known(ground: Ground) {
    let attempt = first(reserve(&ground, "k", "POST a", NOW).await);
    let transaction = begin(&ground.db).await.unwrap();
    idempotency::mark_done(attempt, &transaction).await.unwrap();
    commit(transaction).await.unwrap();
    // The answer may still come, or whoever had it is dead.
    for (minute, expected) in [(1, Reservation::InProgress), (2, Reservation::Done(None))] {
        let now = after_minutes(minute);
        assert_eq!(reserve(&ground, "k", "POST a", now).await, expected);
    }
    let long = Answer {
        body: vec![b' '; MAX_ANSWER_BYTES + 1],
        ..answer()
    };
    idempotency::keep(attempt, &long, &ground.vault, &ground.db)
        .await
        .unwrap();
    assert_eq!(
        reserve(&ground, "k", "POST a", NOW).await,
        Reservation::Done(None)
    );
}

async fn of_many_at_the_same_time_one_is_first(ground: Ground) {
    let asking = (0..8).map(|_| reserve(&ground, "k", "POST a", NOW));
    let reserved = futures_util::future::join_all(asking).await;
    let firsts = reserved
        .iter()
        .filter(|reservation| matches!(reservation, Reservation::First(_)));
    assert_eq!(firsts.count(), 1, "{reserved:?}");
    let others = reserved
        .iter()
        .filter(|reservation| **reservation == Reservation::InProgress);
    assert_eq!(others.count(), 7, "{reserved:?}");
}

async fn keys_are_forgotten_after_a_day_and_when_there_are_too_many(ground: Ground) {
    let db = &ground.db;
    finish(&ground, first(reserve(&ground, "k", "POST a", NOW).await)).await;
    let day = NOW + Duration::hours(24);
    let early = idempotency::delete_expired(day - Duration::seconds(1), db).await;
    assert_eq!(early.unwrap(), 0);
    // Not swept yet, but over.
    finish(&ground, first(reserve(&ground, "k", "POST b", day).await)).await;
    let late = idempotency::delete_expired(day + Duration::hours(24), db).await;
    assert_eq!(late.unwrap(), 1);

    for number in 0..=MAX_KEYS {
        let now = NOW + Duration::seconds(i64::try_from(number).unwrap());
        first(reserve(&ground, &number.to_string(), "POST a", now).await);
    }
    // The oldest is free again, the youngest is not.
    let now = NOW + Duration::minutes(17);
    let youngest = MAX_KEYS.to_string();
    assert_eq!(
        reserve(&ground, &youngest, "POST other", now).await,
        Reservation::Different
    );
    first(reserve(&ground, "0", "POST other", now).await);
}

async fn answers_lie_sealed(ground: Ground) {
    use sea_orm::{ConnectionTrait as _, Statement};

    finish(
        &ground,
        first(reserve(&ground, "my key", "POST secret", NOW).await),
    )
    .await;
    let sql = "SELECT key_hash, request_hash, answer_sealed FROM idempotency_keys";
    let statement = Statement::from_string(ground.db.get_database_backend(), sql);
    let row = ground.db.query_one_raw(statement).await.unwrap().unwrap();
    for column in ["key_hash", "request_hash", "answer_sealed"] {
        let bytes: Vec<u8> = row.try_get("", column).unwrap();
        for plain in ["my key", "secret", "Hopper"] {
            let found = bytes
                .windows(plain.len())
                .any(|window| window == plain.as_bytes());
            assert!(!found, "{plain} is in {column}");
        }
    }
}
