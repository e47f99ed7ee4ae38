use store::contact::{self, ContactFields, ContactFilter, Refusal};
use store::import::{
    self, Import, ImportCounts, ImportFile, ImportResult, ImportRowFilter, ImportRowState,
    ImportState, NewImportRow, Step,
};
use store::{PageRequest, StoreError, begin, commit};
use uuid::Uuid;

use crate::ground::{Ground, NOW, after_minutes, contact_fields, on_both, search};

on_both! {
    an_import_makes_and_changes_contacts_in_steps_and_is_taken_back,
    what_changed_meanwhile_stops_an_import_and_takes_back_what_was_done,
    a_contact_with_an_address_of_the_file_that_came_meanwhile_stops_it,
    what_was_changed_after_the_import_stays_when_it_is_taken_back,
    an_import_that_another_takes_further_is_left_alone,
    of_two_who_begin_one_does_and_is_named,
    imports_are_of_one_tenant_bounded_and_forgotten,
    many_contacts_are_deleted_and_hidden_but_for_those_in_use,
}

fn file(name: &str) -> ImportFile {
    ImportFile {
        made_by: "ada@example.org".to_owned(),
        name: name.to_owned(),
        encoding: "utf-8".to_owned(),
        separator: "comma".to_owned(),
        columns: vec![
            ("E-Mail".to_owned(), Some("email_1".to_owned())),
            ("x".to_owned(), None),
        ],
        country: Some("DE".to_owned()),
    }
}

fn creates(number: u64, fields: ContactFields) -> NewImportRow {
    NewImportRow {
        number,
        line: number + 1,
        result: ImportResult::Create,
        name: fields.last_name.clone(),
        contact: Some(Uuid::new_v4()),
        version: None,
        fields: Some(fields),
        before: None,
        errors: Vec::new(),
    }
}

fn updates(number: u64, contact: &contact::Contact, fields: ContactFields) -> NewImportRow {
    let before = ContactFields {
        company: contact.company.clone(),
        ..contact_fields(&contact.first_name, &contact.last_name)
    };
    NewImportRow {
        result: ImportResult::Update,
        contact: Some(contact.id),
        version: Some(contact.version),
        before: Some(before),
        ..creates(number, fields)
    }
}

/// An import of these rows, begun.
async fn begun(ground: &Ground, rows: &[NewImportRow]) -> Import {
    let (db, tenant) = (&ground.db, ground.tenant.id);
    let id = import::start(tenant, &file("a.csv"), NOW, db)
        .await
        .unwrap();
    import::add_rows(id, rows, db).await.unwrap();
    let counts = ImportCounts {
        created: rows.len() as u64,
        ..ImportCounts::default()
    };
    let checked = import::finish(tenant, id, &counts, db).await.unwrap();
    assert_eq!(
        (checked.state, checked.counts),
        (ImportState::Checked, counts)
    );
    assert_eq!(checked.file, file("a.csv"));
    advance(ground, id, ImportState::Checked, ImportState::Committing).await;
    import::load(tenant, id, db).await.unwrap()
}

async fn advance(ground: &Ground, id: Uuid, from: ImportState, to: ImportState) {
    let moved = import::advance(ground.tenant.id, id, &[from], to, NOW, &ground.db).await;
    assert!(moved.unwrap());
}

/// One step in a transaction; what changed is dropped.
async fn step(ground: &Ground, id: Uuid) -> Step {
    let import = import::load(ground.tenant.id, id, &ground.db)
        .await
        .unwrap();
    let transaction = begin(&ground.db).await.unwrap();
    let step = match import.state {
        ImportState::Committing => import::apply_some(&import, NOW, &transaction).await,
        _ => import::take_back_some(&import, &transaction).await,
    };
    let step = step.unwrap();
    if step != Step::Changed {
        commit(transaction).await.unwrap();
    }
    step
}

async fn states(ground: &Ground, id: Uuid) -> Vec<ImportRowState> {
    let (all, request) = (ImportRowFilter::default(), PageRequest::default());
    let page = import::list_rows(ground.tenant.id, id, &all, &request, &ground.db).await;
    page.unwrap()
        .items
        .into_iter()
        .map(|row| row.state)
        .collect()
}

async fn names(ground: &Ground) -> Vec<String> {
    let (all, request) = (ContactFilter::default(), PageRequest::default());
    let page = contact::list(ground.tenant.id, &all, &request, &ground.db).await;
    let contacts = page.unwrap().items.into_iter();
    contacts
        .map(|contact| {
            format!(
                "{} {}",
                contact.last_name,
                contact.company.unwrap_or_default()
            )
        })
        .collect()
}

async fn an_import_makes_and_changes_contacts_in_steps_and_is_taken_back(ground: Ground) {
    let (db, tenant) = (&ground.db, ground.tenant.id);
    let grace = ground
        .device("Hopper", &[&ground.account("100").await])
        .await
        .contact;
    let grace = contact::load(tenant, grace.id, db).await.unwrap();
    let mut fields = contact_fields("Grace", "Hopper");
    fields.company = Some("Navy".to_owned());
    let mut rows = vec![updates(1, &grace, fields)];
    rows.extend((2..=250).map(|n| creates(n, contact_fields("New", &format!("N{n:03}")))));
    let id = begun(&ground, &rows).await.id;
    assert!(import::is_current(id, db).await.unwrap());

    let Step::Went {
        created,
        updated,
        devices,
        kept,
    } = step(&ground, id).await
    else {
        panic!("there are rows");
    };
    assert_eq!(
        (created.len(), updated.len(), devices.len(), kept),
        (199, 1, 1, 0)
    );
    assert_eq!(updated[0].name, "Grace Hopper");
    assert_eq!(import::load(tenant, id, db).await.unwrap().progress, 200);
    assert!(matches!(step(&ground, id).await, Step::Went { .. }));
    assert_eq!(step(&ground, id).await, Step::Finished);
    let found = contact::load(tenant, grace.id, db).await.unwrap();
    assert_eq!((found.company.as_deref(), found.version), (Some("Navy"), 2));
    let made = contact::list(tenant, &ContactFilter::default(), &search("n249"), db).await;
    assert_eq!(made.unwrap().items[0].emails[0].address, "N249@example.org");
    advance(&ground, id, ImportState::Committing, ImportState::Committed).await;

    advance(&ground, id, ImportState::Committed, ImportState::Undoing).await;
    assert!(matches!(step(&ground, id).await, Step::Went { .. }));
    assert!(matches!(step(&ground, id).await, Step::Went { .. }));
    assert_eq!(step(&ground, id).await, Step::Finished);
    assert_eq!(names(&ground).await, ["Hopper Eckert–Mauchly"]);
    let found = contact::list(tenant, &ContactFilter::default(), &search("navy"), db).await;
    assert!(
        found.unwrap().items.is_empty(),
        "it is not found by what it was"
    );
    assert!(
        states(&ground, id)
            .await
            .iter()
            .all(|state| *state == ImportRowState::Undone)
    );
}

async fn what_changed_meanwhile_stops_an_import_and_takes_back_what_was_done(ground: Ground) {
    let (db, tenant) = (&ground.db, ground.tenant.id);
    let grace = ground.contact("Grace", "Hopper").await;
    let mut rows: Vec<_> = (1..=200)
        .map(|n| creates(n, contact_fields("New", &format!("N{n:03}"))))
        .collect();
    rows.push(updates(201, &grace, contact_fields("Grace", "Murray")));
    let id = begun(&ground, &rows).await.id;
    assert!(matches!(step(&ground, id).await, Step::Went { .. }));
    contact::update(tenant, grace.id, &contact_fields("G", "Hopper"), None, db)
        .await
        .unwrap();
    assert!(!import::is_current(id, db).await.unwrap());
    assert_eq!(step(&ground, id).await, Step::Changed);
    advance(&ground, id, ImportState::Committing, ImportState::Reverting).await;
    while step(&ground, id).await != Step::Finished {}
    assert_eq!(names(&ground).await, ["Hopper Eckert–Mauchly"]);
}

async fn a_contact_with_an_address_of_the_file_that_came_meanwhile_stops_it(ground: Ground) {
    let id = begun(&ground, &[creates(1, contact_fields("Grace", "Hopper"))])
        .await
        .id;
    let mut same = contact_fields("Other", "Name");
    same.emails[0].address = "HOPPER@example.org".to_owned();
    contact::insert(ground.tenant.id, &same, NOW, &ground.db)
        .await
        .unwrap();
    assert_eq!(step(&ground, id).await, Step::Changed);
}

async fn what_was_changed_after_the_import_stays_when_it_is_taken_back(ground: Ground) {
    let (db, tenant) = (&ground.db, ground.tenant.id);
    let grace = ground.contact("Grace", "Hopper").await;
    let rows = [
        updates(1, &grace, contact_fields("Grace", "Murray")),
        creates(2, contact_fields("Changed", "B")),
        creates(3, contact_fields("Deleted", "C")),
        creates(4, contact_fields("Left", "D")),
    ];
    let id = begun(&ground, &rows).await.id;
    step(&ground, id).await;
    let of = |row: usize| rows[row].contact.unwrap();
    for id in [grace.id, of(1)] {
        contact::update(tenant, id, &contact_fields("By hand", "H"), None, db)
            .await
            .unwrap();
    }
    contact::delete(tenant, of(2), db).await.unwrap();
    advance(&ground, id, ImportState::Committing, ImportState::Committed).await;
    advance(&ground, id, ImportState::Committed, ImportState::Undoing).await;
    let Step::Went { kept, created, .. } = step(&ground, id).await else {
        panic!("there are rows");
    };
    assert_eq!((kept, created.len()), (2, 1));
    use ImportRowState::{Kept, Undone};
    assert_eq!(states(&ground, id).await, [Kept, Kept, Undone, Undone]);
    let kept = ImportRowFilter {
        states: vec![Kept],
        ..ImportRowFilter::default()
    };
    let request = PageRequest::default();
    let page = import::list_rows(tenant, id, &kept, &request, db)
        .await
        .unwrap();
    assert!(page.items[0].plan.errors[0].1.contains("changed after"));
    assert_eq!(names(&ground).await.len(), 2);
}

async fn an_import_that_another_takes_further_is_left_alone(ground: Ground) {
    let before = begun(&ground, &[creates(1, contact_fields("Grace", "Hopper"))]).await;
    advance(
        &ground,
        before.id,
        ImportState::Committing,
        ImportState::Reverting,
    )
    .await;
    let transaction = begin(&ground.db).await.unwrap();
    let step = import::apply_some(&before, NOW, &transaction)
        .await
        .unwrap();
    assert_eq!(step, Step::Stopped);
    commit(transaction).await.unwrap();
    let under_way = import::list_under_way(&ground.db).await.unwrap();
    assert_eq!(
        (under_way.len(), under_way[0].state),
        (1, ImportState::Reverting)
    );
    assert!(
        !import::delete(ground.tenant.id, before.id, &ground.db)
            .await
            .unwrap()
    );
    let again = import::advance(
        ground.tenant.id,
        before.id,
        &[ImportState::Committing],
        ImportState::Committed,
        NOW,
        &ground.db,
    );
    assert!(!again.await.unwrap());
}

async fn of_two_who_begin_one_does_and_is_named(ground: Ground) {
    let (db, tenant) = (&ground.db, ground.tenant.id);
    let id = import::start(tenant, &file("a.csv"), NOW, db)
        .await
        .unwrap();
    import::finish(tenant, id, &ImportCounts::default(), db)
        .await
        .unwrap();
    let by = async || import::load(tenant, id, db).await.unwrap().acted_by;
    assert_eq!(by().await, file("a.csv").made_by);
    let kept = import::load(tenant, id, db).await.unwrap().file;
    assert_eq!(kept, file("a.csv"));
    let begin = async |actor: &str| {
        let (from, to) = (ImportState::Checked, ImportState::Committing);
        import::act(tenant, id, from, to, actor, db).await.unwrap()
    };
    assert!(begin("bob@example.com (Nightly)").await);
    assert!(!begin("eve@example.com").await);
    assert_eq!(by().await, "bob@example.com (Nightly)");
}

async fn imports_are_of_one_tenant_bounded_and_forgotten(ground: Ground) {
    let (db, tenant) = (&ground.db, ground.tenant.id);
    let other = ground.other_tenant().await.id;
    let first = import::start(tenant, &file("first.csv"), NOW, db)
        .await
        .unwrap();
    assert!(matches!(
        import::load(other, first, db).await,
        Err(StoreError::NotFound)
    ));
    assert!(matches!(
        import::list_rows(
            other,
            first,
            &ImportRowFilter::default(),
            &PageRequest::default(),
            db
        )
        .await,
        Err(StoreError::NotFound)
    ));
    for _ in 1..import::MAX_IMPORTS {
        import::start(tenant, &file("more.csv"), after_minutes(60), db)
            .await
            .unwrap();
    }
    let refused = import::start(tenant, &file("x.csv"), NOW, db).await;
    assert!(matches!(
        refused,
        Err(StoreError::Count {
            field: "imports",
            ..
        })
    ));
    assert_eq!(
        import::sweep(after_minutes(24 * 60 + 1), db).await.unwrap(),
        1
    );
    assert!(matches!(
        import::load(tenant, first, db).await,
        Err(StoreError::NotFound)
    ));
    let listed = import::list(tenant, &search("MORE"), db).await.unwrap();
    assert_eq!(listed.items.len(), 49);
}

async fn many_contacts_are_deleted_and_hidden_but_for_those_in_use(ground: Ground) {
    let (db, tenant) = (&ground.db, ground.tenant.id);
    let free = ground.contact("Free", "A").await;
    let used = ground.device("Used", &[&ground.account("100").await]).await;
    let person = used.contact.id;
    let nobody = Uuid::nil();
    let other = ground.other_tenant().await.id;
    let all = [free.id, person, nobody];
    let (hidden, left) = contact::set_in_directory(tenant, &all, false, db)
        .await
        .unwrap();
    assert_eq!((hidden.len(), left.len()), (2, 1));
    let again = contact::set_in_directory(tenant, &all, false, db)
        .await
        .unwrap();
    assert_eq!(
        (again.0.len(), again.1[0].why == Refusal::NotFound),
        (0, true)
    );
    let found = store::device::load(tenant, used.id, db).await.unwrap();
    assert_eq!(found.configuration_version, used.configuration_version + 1);
    assert_eq!(contact::delete_many(other, &all, db).await.unwrap().0, []);
    let (deleted, left) = contact::delete_many(tenant, &all, db).await.unwrap();
    assert_eq!((deleted.len(), deleted[0].id), (1, free.id));
    let in_use = left.iter().find(|left| left.id == person).unwrap();
    assert!(matches!(&in_use.why, Refusal::InUse(contact) if contact.devices.len() == 1));
    let everybody = ContactFilter::default();
    let ids = contact::list_ids(tenant, &everybody, None, None, 10, db).await;
    assert_eq!(ids.unwrap(), [person]);
    let after = contact::list_ids(tenant, &everybody, None, Some(person), 10, db).await;
    assert!(after.unwrap().is_empty());
}
