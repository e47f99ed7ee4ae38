//! The company directory, followed by somebody who asks only for what changed.

use std::collections::BTreeMap;

use store::account::{self, AccountFields};
use store::contact;
use store::device::{self, DeviceFields};
use store::directory::{self, Changes, Entry, Position};
use store::{Database, StoreError, begin, commit};
use uuid::Uuid;

use crate::ground::{Ground, NOW, account_fields, contact_fields, on_both};

on_both! {
    only_changes_are_told,
    who_leaves_the_directory_is_named,
    internal_numbers_follow_devices_and_accounts,
    a_whole_list_comes_in_pieces_while_it_changes,
    a_position_that_means_nothing_here_gives_a_whole_list,
    forgotten_departures_give_a_whole_list,
    nothing_is_missed_between_writers_at_the_same_time,
    a_change_that_was_taken_back_is_not_told,
}

/// A copy of a tenant's directory, as a device has it.
struct Copy {
    tenant: Uuid,
    entries: BTreeMap<Uuid, Entry>,
    position: Option<Position>,
}

impl Copy {
    fn of(tenant: Uuid) -> Self {
        Self {
            tenant,
            entries: BTreeMap::new(),
            position: None,
        }
    }

    /// One answer, taken in.
    async fn read(&mut self, limit: u32, db: &Database) -> Changes {
        let since = self.position.as_ref();
        let changes = directory::changes(self.tenant, since, limit, db).await;
        let changes = changes.unwrap();
        if changes.whole {
            self.entries.clear();
        }
        for entry in &changes.entries {
            self.entries.insert(entry.contact.id, entry.clone());
        }
        for id in &changes.removed {
            self.entries.remove(id);
        }
        self.position = Some(changes.position);
        changes
    }

    /// Reads to the end; answers how many changes were told.
    async fn catch_up(&mut self, db: &Database) -> usize {
        let mut told = 0;
        loop {
            let changes = self.read(3, db).await;
            told += changes.entries.len() + changes.removed.len();
            if !changes.more {
                return told;
            }
        }
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = self
            .entries
            .values()
            .map(|entry| entry.contact.name())
            .collect();
        names.sort();
        names
    }

    fn numbers(&self, contact: Uuid) -> Vec<&str> {
        let internal = &self.entries[&contact].internal;
        internal.iter().map(|own| own.number.as_str()).collect()
    }

    /// The same as somebody has who reads a whole list now.
    async fn check(&self, db: &Database) {
        let mut fresh = Self::of(self.tenant);
        fresh.catch_up(db).await;
        assert_eq!(self.entries, fresh.entries);
        assert_eq!(self.position, fresh.position);
        let newest = directory::position(self.tenant, db).await.unwrap();
        assert_eq!(self.position, Some(newest));
    }
}

async fn only_changes_are_told(ground: Ground) {
    let (tenant, db) = (ground.tenant.id, &ground.db);
    for name in ["Ann", "Ben", "Cleo", "Dan"] {
        ground.contact(name, "Example").await;
    }
    let mut hidden = contact_fields("Zoe", "Hidden");
    hidden.in_directory = false;
    contact::insert(tenant, &hidden, NOW, db).await.unwrap();
    let other = ground.other_tenant().await;
    let foreign = contact_fields("For", "Eign");
    contact::insert(other.id, &foreign, NOW, db).await.unwrap();

    let mut copy = Copy::of(tenant);
    assert_eq!(copy.catch_up(db).await, 4);
    assert_eq!(
        copy.names(),
        ["Ann Example", "Ben Example", "Cleo Example", "Dan Example"]
    );
    assert_eq!(copy.catch_up(db).await, 0);

    let ben = copy
        .entries
        .values()
        .find(|entry| entry.contact.first_name == "Ben");
    let id = ben.unwrap().contact.id;
    let renamed = contact_fields("Benedict", "Example");
    contact::update(tenant, id, &renamed, None, db)
        .await
        .unwrap();
    let changes = copy.read(3, db).await;
    assert_eq!((changes.whole, changes.more), (false, false));
    assert_eq!(changes.entries[0].contact.name(), "Benedict Example");
    assert_eq!((changes.entries.len(), changes.removed.len()), (1, 0));
    copy.check(db).await;
}

async fn who_leaves_the_directory_is_named(ground: Ground) {
    let (tenant, db) = (ground.tenant.id, &ground.db);
    let [ann, ben] = [
        ground.contact("Ann", "One").await,
        ground.contact("Ben", "Two").await,
    ];
    let mut copy = Copy::of(tenant);
    copy.catch_up(db).await;

    let mut fields = contact_fields("Ann", "One");
    fields.in_directory = false;
    contact::update(tenant, ann.id, &fields, None, db)
        .await
        .unwrap();
    contact::delete(tenant, ben.id, db).await.unwrap();
    let changes = copy.read(10, db).await;
    assert_eq!(changes.removed, [ann.id, ben.id]);
    assert!(changes.entries.is_empty());

    // A change of somebody who is not shown is nobody's business.
    fields.last_name = "Secret".to_owned();
    contact::update(tenant, ann.id, &fields, None, db)
        .await
        .unwrap();
    assert_eq!(copy.catch_up(db).await, 0);
    fields.in_directory = true;
    contact::update(tenant, ann.id, &fields, None, db)
        .await
        .unwrap();
    assert_eq!(copy.catch_up(db).await, 1);
    assert_eq!(copy.names(), ["Ann Secret"]);
    copy.check(db).await;
}

async fn internal_numbers_follow_devices_and_accounts(ground: Ground) {
    let (tenant, db) = (ground.tenant.id, &ground.db);
    let [one, two] = [ground.account("101").await, ground.account("102").await];
    let trunk = ground.provider("Trunk").await;
    let outside = account_fields(trunk.id, "4930999");
    let outside = ground.account_of(tenant, &outside).await;
    let desk = ground.device("Desk", &[&one, &outside]).await;
    let mobile = ground.device("Mobile", &[&two, &one]).await;
    let (owner, other) = (desk.contact.id, mobile.contact.id);
    let mut copy = Copy::of(tenant);
    copy.catch_up(db).await;
    assert_eq!(copy.numbers(owner), ["101"], "not the provider's number");
    assert_eq!(copy.numbers(other), ["102", "101"]);
    let aor = &copy.entries[&owner].internal[0].aor;
    assert_eq!(aor, "sip:101@acme.tandem.example");

    let moved = DeviceFields {
        name: "Mobile".to_owned(),
        contact_id: owner,
        account_ids: vec![two.id, one.id],
    };
    device::update(tenant, mobile.id, &moved, None, db)
        .await
        .unwrap();
    copy.catch_up(db).await;
    assert_eq!(copy.numbers(owner).len(), 2, "each once");
    assert!(copy.numbers(other).is_empty());

    let renumbered = AccountFields {
        username: "201".to_owned(),
        ..account_fields(one.provider.id, "101")
    };
    account::update(tenant, one.id, &renumbered, None, None, &ground.vault, db)
        .await
        .unwrap();
    copy.catch_up(db).await;
    assert!(copy.numbers(owner).contains(&"201"));

    // What no entry shows changes none.
    let renamed = AccountFields {
        name: "Another name".to_owned(),
        ..renumbered
    };
    account::update(tenant, one.id, &renamed, None, None, &ground.vault, db)
        .await
        .unwrap();
    assert_eq!(copy.catch_up(db).await, 0);

    device::delete(tenant, mobile.id, db).await.unwrap();
    device::delete(tenant, desk.id, db).await.unwrap();
    copy.catch_up(db).await;
    assert!(copy.numbers(owner).is_empty());
    copy.check(db).await;
}

async fn a_whole_list_comes_in_pieces_while_it_changes(ground: Ground) {
    let (tenant, db) = (ground.tenant.id, &ground.db);
    let mut ids = Vec::new();
    for number in 0..8 {
        ids.push(ground.contact("Person", &number.to_string()).await.id);
    }
    // Before anybody reads: no tombstone of this one is told in a whole list.
    contact::delete(tenant, ids[0], db).await.unwrap();
    let mut copy = Copy::of(tenant);
    let first = copy.read(3, db).await;
    assert_eq!(
        (first.whole, first.more, first.entries.len()),
        (true, true, 3)
    );
    // One that was told already, and one that is still to come.
    contact::delete(tenant, ids[1], db).await.unwrap();
    contact::delete(tenant, ids[7], db).await.unwrap();
    let renamed = contact_fields("Changed", "2");
    contact::update(tenant, ids[2], &renamed, None, db)
        .await
        .unwrap();
    let mut removed = Vec::new();
    loop {
        let changes = copy.read(3, db).await;
        assert!(!changes.whole);
        removed.extend(changes.removed);
        if !changes.more {
            break;
        }
    }
    assert_eq!(removed, [ids[1], ids[7]]);
    assert_eq!(copy.entries.len(), 5);
    copy.check(db).await;
}

async fn a_position_that_means_nothing_here_gives_a_whole_list(ground: Ground) {
    let (tenant, db) = (ground.tenant.id, &ground.db);
    let other = ground.other_tenant().await;
    for _ in 0..3 {
        let foreign = contact_fields("For", "Eign");
        contact::insert(other.id, &foreign, NOW, db).await.unwrap();
    }
    ground.contact("Ann", "Example").await;
    let foreign = directory::position(other.id, db).await.unwrap();
    let changes = directory::changes(tenant, Some(&foreign), 10, db)
        .await
        .unwrap();
    assert!(changes.whole);
    assert_eq!(changes.entries.len(), 1);
    let nobody = directory::changes(Uuid::nil(), None, 10, db).await;
    assert!(matches!(nobody, Err(StoreError::NotFound)));
}

async fn forgotten_departures_give_a_whole_list(ground: Ground) {
    let (tenant, db) = (ground.tenant.id, &ground.db);
    let mut ids = Vec::new();
    for number in 0..5 {
        ids.push(ground.contact("Person", &number.to_string()).await.id);
    }
    let mut early = Copy::of(tenant);
    early.catch_up(db).await;
    let mut reading = Copy::of(tenant);
    reading.read(2, db).await;
    for id in &ids[..3] {
        contact::delete(tenant, *id, db).await.unwrap();
    }
    let mut late = Copy::of(tenant);
    late.catch_up(db).await;
    contact::delete(tenant, ids[3], db).await.unwrap();

    directory::forget(1, db).await.unwrap();
    assert!(early.read(10, db).await.whole);
    assert!(reading.read(10, db).await.whole);
    let changes = late.read(10, db).await;
    assert_eq!((changes.whole, changes.removed), (false, vec![ids[3]]));
    for copy in [&early, &reading, &late] {
        copy.check(db).await;
    }
    directory::forget(1, db).await.unwrap();
    assert_eq!(late.catch_up(db).await, 0);
}

async fn nothing_is_missed_between_writers_at_the_same_time(ground: Ground) {
    const WRITERS: usize = 4;
    const WRITES: usize = 12;
    let tenant = ground.tenant.id;
    let mut shared = Vec::new();
    for number in 0..WRITERS {
        shared.push(ground.contact("Shared", &number.to_string()).await.id);
    }
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let (db, shared) = (ground.db.clone(), shared.clone());
        writers.spawn(async move {
            for write in 0..WRITES {
                let transaction = begin(&db).await.unwrap();
                let name = format!("{writer}-{write}");
                // Two in different orders, which would lock each other out without the directory's lock in front.
                for place in [writer + write, writer + write + 1] {
                    let fields = contact_fields("Shared", &name);
                    let id = shared[place % WRITERS];
                    contact::update(tenant, id, &fields, None, &transaction)
                        .await
                        .unwrap();
                }
                let fields = contact_fields("New", &name);
                contact::insert(tenant, &fields, NOW, &transaction)
                    .await
                    .unwrap();
                if write % 3 == 0 {
                    // Rolled back.
                    continue;
                }
                commit(transaction).await.unwrap();
            }
        });
    }
    let mut copy = Copy::of(tenant);
    let mut last = false;
    while !last {
        last = writers.is_empty();
        copy.catch_up(&ground.db).await;
        if let Some(joined) = writers.try_join_next() {
            joined.unwrap();
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(copy.entries.len(), WRITERS + WRITERS * WRITES * 2 / 3);
    copy.check(&ground.db).await;
}

async fn a_change_that_was_taken_back_is_not_told(ground: Ground) {
    let (tenant, db) = (ground.tenant.id, &ground.db);
    ground.contact("Ann", "Example").await;
    let mut copy = Copy::of(tenant);
    copy.catch_up(db).await;
    let transaction = begin(db).await.unwrap();
    let fields = contact_fields("Never", "There");
    contact::insert(tenant, &fields, NOW, &transaction)
        .await
        .unwrap();
    drop(transaction);
    assert_eq!(copy.catch_up(db).await, 0);
    copy.check(db).await;
}
