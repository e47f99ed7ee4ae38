use store::Database;
use store::binding::{self, Position, Registration};

use crate::ground::{Ground, on_both};

on_both! {
    registrations_come_back_as_they_were_saved,
    a_change_replaces_and_a_removal_removes,
    dead_registrations_are_not_loaded_and_can_be_removed,
    a_large_batch_is_saved_whole,
}

const NOW: u32 = 1_800_000_000;

const ALICE: &str = "sip:alice@acme.tandem.example";
const BOB: &str = "sip:bob@acme.tandem.example";

fn registration<'a>(aor: &'a str, bindings: &'a [u8], secs: u32) -> Registration<'a> {
    Registration {
        aor,
        bindings: Some(bindings),
        expires_unix_secs: NOW + secs,
    }
}

async fn load(db: &Database) -> Vec<Vec<u8>> {
    let (mut all, mut from) = (Vec::new(), Some(Position::START));
    while let Some(position) = from {
        let (some, next) = binding::load_some(position, NOW, db).await.unwrap();
        all.extend(some);
        from = next;
    }
    all.sort_unstable();
    all
}

async fn registrations_come_back_as_they_were_saved(ground: Ground) {
    let saved = vec![
        registration(ALICE, &[0, 255, 7], 600),
        registration(BOB, b"b", 60),
    ];
    binding::save(saved, &ground.db).await.unwrap();
    assert_eq!(load(&ground.db).await, [vec![0, 255, 7], b"b".to_vec()]);
}

async fn a_change_replaces_and_a_removal_removes(ground: Ground) {
    let saved = vec![registration(ALICE, b"1", 600), registration(BOB, b"2", 60)];
    binding::save(saved, &ground.db).await.unwrap();
    let gone = Registration {
        bindings: None,
        ..registration(BOB, b"", 0)
    };
    binding::save(vec![registration(ALICE, b"3", 700), gone], &ground.db)
        .await
        .unwrap();
    assert_eq!(load(&ground.db).await, [b"3"]);
    binding::save(vec![], &ground.db).await.unwrap();
    assert_eq!(load(&ground.db).await, [b"3"]);
}

async fn dead_registrations_are_not_loaded_and_can_be_removed(ground: Ground) {
    let saved = vec![
        registration(ALICE, b"alive", 1),
        registration(BOB, b"dead", 0),
    ];
    binding::save(saved, &ground.db).await.unwrap();
    assert_eq!(load(&ground.db).await, [b"alive"]);
    assert_eq!(binding::delete_expired(NOW, &ground.db).await.unwrap(), 1);
    assert_eq!(binding::delete_expired(NOW, &ground.db).await.unwrap(), 0);
    assert_eq!(load(&ground.db).await, [b"alive"]);
}

async fn a_large_batch_is_saved_whole(ground: Ground) {
    let users: Vec<_> = (0..1_201)
        .map(|user| format!("sip:{user}@acme.tandem.example"))
        .collect();
    let many = |bindings: Option<&'static [u8]>| -> Vec<_> {
        let all = users.iter().map(|aor| Registration {
            bindings,
            ..registration(aor, b"", 60)
        });
        all.collect()
    };
    binding::save(many(Some(b"x")), &ground.db).await.unwrap();
    assert_eq!(load(&ground.db).await.len(), 1_201);
    let (first, next) = binding::load_some(Position::START, NOW, &ground.db)
        .await
        .unwrap();
    assert!(first.len() < 1_201 && next.is_some());
    binding::save(many(None), &ground.db).await.unwrap();
    assert_eq!(load(&ground.db).await.len(), 0);
}
