use store::binding::{self, Binding, BindingKey};
use store::{ConnectionTrait, Database};
use uuid::Uuid;

use crate::ground::{Ground, NOW, after_minutes, on_both};

on_both! {
    bindings_come_back_as_they_were_saved,
    a_refresh_replaces_and_a_removal_removes,
    dead_bindings_are_not_loaded_and_can_be_removed,
    a_row_that_cannot_be_read_is_left_out,
    a_large_batch_is_saved_whole,
}

const LIMIT: u64 = 100_000;

fn new_binding(user: &str, minutes: i64) -> Binding {
    Binding {
        aor: format!("sip:{user}@acme.tandem.example"),
        key: format!("<urn:uuid:{user}>;1"),
        tenant_id: Uuid::from_u128(1),
        account_id: Uuid::from_u128(2),
        contact: format!("<sip:{user}@192.0.2.1:5060;transport=tcp>;q=0.7"),
        instance: Some(format!("urn:uuid:{user}")),
        reg_id: Some(1),
        call_id: "4711@phone".into(),
        cseq: u32::MAX,
        q_thousandths: 700,
        path: vec!["<sip:edge.example;lr>".into(), "\"a, b\" <sip:c;lr>".into()],
        transport: "TCP".into(),
        local: "198.51.100.1:5060".parse().unwrap(),
        peer: "[2001:db8::1]:40000".parse().unwrap(),
        user_agent: None,
        registered_at: NOW,
        expires_at: after_minutes(minutes),
    }
}

async fn load(db: &Database) -> Vec<Binding> {
    binding::load_all(NOW, LIMIT, db).await.unwrap()
}

async fn bindings_come_back_as_they_were_saved(ground: Ground) {
    let plain = Binding {
        instance: None,
        reg_id: None,
        path: vec![],
        user_agent: Some("desk phone".into()),
        ..new_binding("bob", 5)
    };
    let saved = [new_binding("alice", 10), plain];
    binding::save(&saved, &[], &ground.db).await.unwrap();
    assert_eq!(load(&ground.db).await, saved);
    assert_eq!(
        binding::load_all(NOW, 1, &ground.db).await.unwrap(),
        saved[..1]
    );
}

async fn a_refresh_replaces_and_a_removal_removes(ground: Ground) {
    let (alice, bob) = (new_binding("alice", 10), new_binding("bob", 9));
    binding::save(&[alice.clone(), bob.clone()], &[], &ground.db)
        .await
        .unwrap();
    let refreshed = Binding {
        cseq: 5,
        expires_at: after_minutes(60),
        peer: bob.local,
        ..alice
    };
    let removed = BindingKey {
        aor: bob.aor,
        key: bob.key,
    };
    let unknown = BindingKey {
        aor: "sip:x@y".into(),
        key: "z".into(),
    };
    binding::save(
        std::slice::from_ref(&refreshed),
        &[removed, unknown],
        &ground.db,
    )
    .await
    .unwrap();
    assert_eq!(load(&ground.db).await, [refreshed]);
    binding::save(&[], &[], &ground.db).await.unwrap();
}

async fn dead_bindings_are_not_loaded_and_can_be_removed(ground: Ground) {
    let (dead, alive) = (new_binding("dead", 0), new_binding("alive", 1));
    binding::save(&[dead, alive.clone()], &[], &ground.db)
        .await
        .unwrap();
    assert_eq!(load(&ground.db).await, [alive]);
    assert_eq!(binding::delete_expired(NOW, &ground.db).await.unwrap(), 1);
    assert_eq!(binding::delete_expired(NOW, &ground.db).await.unwrap(), 0);
}

async fn a_row_that_cannot_be_read_is_left_out(ground: Ground) {
    let (good, bad) = (new_binding("good", 5), new_binding("bad", 5));
    binding::save(&[good.clone(), bad], &[], &ground.db)
        .await
        .unwrap();
    let spoil = "UPDATE bindings SET peer_address = 'nowhere' WHERE aor LIKE 'sip:bad@%'";
    ground.db.execute_unprepared(spoil).await.unwrap();
    assert_eq!(load(&ground.db).await, [good]);
}

async fn a_large_batch_is_saved_whole(ground: Ground) {
    let many: Vec<_> = (0..1_201).map(|n| new_binding(&n.to_string(), 5)).collect();
    binding::save(&many, &[], &ground.db).await.unwrap();
    assert_eq!(load(&ground.db).await.len(), many.len());
    let keys = many
        .into_iter()
        .map(|Binding { aor, key, .. }| BindingKey { aor, key });
    binding::save(&[], &keys.collect::<Vec<_>>(), &ground.db)
        .await
        .unwrap();
    assert!(load(&ground.db).await.is_empty());
}
