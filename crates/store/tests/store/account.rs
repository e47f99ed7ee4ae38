use store::account::{self, AccountFields};
use store::{ConnectionTrait, PageRequest, Secret, StoreError, Vault, VaultError, device};
use uuid::Uuid;

use crate::ground::{Ground, NOW, account_fields, on_both, search};

on_both! {
    an_account_is_stored_and_its_password_is_sealed,
    a_username_is_unique_at_its_provider,
    the_proxy_finds_credentials_by_address_of_record,
    a_password_is_kept_replaced_or_erased,
    a_sealed_password_moved_to_another_row_does_not_open,
    without_the_key_a_password_does_not_open,
    a_change_reaches_the_devices_of_the_account,
    an_account_in_use_stays,
    rotation_replaces_passwords_at_tandems_own_proxy_only,
    accounts_are_listed_and_found,
    an_account_of_another_tenant_is_not_found,
    a_provider_of_another_tenant_is_an_unknown_reference,
    imported_accounts_are_all_made_or_none,
    all_usable_accounts_of_tandems_own_providers_are_read_in_pages,
}

async fn password(ground: &Ground, id: Uuid) -> Option<String> {
    let stored = account::load_password(ground.tenant.id, id, &ground.vault, &ground.db).await;
    stored.unwrap().map(|password| password.reveal().to_owned())
}

async fn an_account_is_stored_and_its_password_is_sealed(ground: Ground) {
    let (db, tenant) = (&ground.db, ground.tenant.id);
    let made = ground.account("alice").await;
    assert_eq!(account::load(tenant, made.id, db).await.unwrap(), made);
    assert_eq!(made.aor(), "sip:alice@acme.tandem.example");
    assert!(made.own && made.enabled && made.has_password && made.devices.is_empty());
    assert_eq!(password(&ground, made.id).await.unwrap(), "secret-alice");
    for entry in std::fs::read_dir(ground.folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(12).any(|window| window == b"secret-alice"));
    }
}

async fn a_username_is_unique_at_its_provider(ground: Ground) {
    let (db, tenant, vault) = (&ground.db, ground.tenant.id, &ground.vault);
    let first = ground.account("alice").await;
    let fields = account_fields(first.provider.id, "alice");
    let error = account::insert(tenant, &fields, None, vault, NOW, db)
        .await
        .unwrap_err();
    assert!(
        matches!(error, StoreError::Conflict { field: "username" }),
        "{error}"
    );
    let second = ground.account("bob").await;
    let error = account::update(tenant, second.id, &fields, None, None, vault, db)
        .await
        .unwrap_err();
    assert!(
        matches!(error, StoreError::Conflict { field: "username" }),
        "{error}"
    );

    let elsewhere = account_fields(ground.provider("P").await.id, "alice");
    ground.account_of(tenant, &elsewhere).await;
}

async fn the_proxy_finds_credentials_by_address_of_record(ground: Ground) {
    let (db, tenant, vault) = (&ground.db, ground.tenant.id, &ground.vault);
    let own = ground.own_provider().await.id;
    let fields = AccountFields {
        auth_username: Some("auth-alice".into()),
        ..account_fields(own, "alice")
    };
    let made = ground.account_of(tenant, &fields).await;
    let found = account::find_credentials("alice", "ACME.tandem.example", vault, db)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((found.account_id, found.tenant_id), (made.id, tenant));
    assert_eq!(found.aor, "sip:alice@acme.tandem.example");
    assert_eq!(found.username, "auth-alice");
    assert_eq!(found.realm, "acme.tandem.example");
    assert_eq!(found.password.unwrap().reveal(), "secret-alice");
    assert!(found.enabled);

    ground
        .account_of(
            tenant,
            &account_fields(ground.provider("P").await.id, "carol"),
        )
        .await;
    for (user, domain) in [
        ("Alice", "acme.tandem.example"),
        ("auth-alice", "acme.tandem.example"),
        ("alice", "umbrella.tandem.example"),
        ("carol", "acme.tandem.example"),
        ("carol", "sip.provider.example"),
        ("", ""),
    ] {
        let found = account::find_credentials(user, domain, vault, db)
            .await
            .unwrap();
        assert_eq!(found, None, "{user}@{domain}");
    }
}

async fn a_password_is_kept_replaced_or_erased(ground: Ground) {
    let (db, tenant, vault) = (&ground.db, ground.tenant.id, &ground.vault);
    let made = ground.account("alice").await;
    let fields = account_fields(made.provider.id, "alice");
    let kept = account::update(tenant, made.id, &fields, None, Some(1), vault, db)
        .await
        .unwrap();
    assert_eq!(kept.version, 2);
    assert_eq!(password(&ground, made.id).await.unwrap(), "secret-alice");

    let new = Secret::new("new");
    account::update(tenant, made.id, &fields, Some(&new), Some(2), vault, db)
        .await
        .unwrap();
    assert_eq!(password(&ground, made.id).await.unwrap(), "new");

    let stale = account::update(tenant, made.id, &fields, None, Some(2), vault, db).await;
    assert!(
        matches!(stale, Err(StoreError::StaleVersion { current: 3 })),
        "{stale:?}"
    );

    let entered = AccountFields {
        enter_on_device: true,
        ..fields
    };
    let erased = account::update(tenant, made.id, &entered, None, None, vault, db)
        .await
        .unwrap();
    assert!(!erased.has_password);
    assert_eq!(password(&ground, made.id).await, None);
}

async fn a_sealed_password_moved_to_another_row_does_not_open(ground: Ground) {
    let (db, tenant, vault) = (&ground.db, ground.tenant.id, &ground.vault);
    let alice = ground.account("alice").await;
    ground.account("bob").await;
    let swap = "UPDATE sip_accounts SET password_sealed = \
                (SELECT password_sealed FROM sip_accounts WHERE username = 'bob') \
                WHERE username = 'alice'";
    db.execute_unprepared(swap).await.unwrap();
    let opened = account::load_password(tenant, alice.id, vault, db).await;
    assert!(
        matches!(opened, Err(StoreError::Vault(VaultError::Refused))),
        "{opened:?}"
    );
    let found = account::find_credentials("bob", "acme.tandem.example", vault, db)
        .await
        .unwrap();
    assert_eq!(found.unwrap().password.unwrap().reveal(), "secret-bob");
}

async fn without_the_key_a_password_does_not_open(ground: Ground) {
    let alice = ground.account("alice").await;
    let stranger = Vault::open_or_create(&ground.folder.path().join("other.key")).unwrap();
    let opened = account::load_password(ground.tenant.id, alice.id, &stranger, &ground.db).await;
    assert!(
        matches!(opened, Err(StoreError::Vault(VaultError::UnknownKey))),
        "{opened:?}"
    );
}

async fn a_change_reaches_the_devices_of_the_account(ground: Ground) {
    let (db, tenant, vault) = (&ground.db, ground.tenant.id, &ground.vault);
    let alice = ground.account("alice").await;
    let reached = ground.device("Reached", &[&alice]).await;
    let unreached = ground
        .device("Unreached", &[&ground.account("bob").await])
        .await;
    let fields = account_fields(alice.provider.id, "alice");
    let changed = account::update(tenant, alice.id, &fields, None, None, vault, db)
        .await
        .unwrap();
    assert_eq!(changed.devices[0].id, reached.id);
    account::set_password(tenant, alice.id, &Secret::new("x"), vault, db)
        .await
        .unwrap();
    let load = async |id| device::load(tenant, id, db).await.unwrap();
    let after = load(reached.id).await;
    assert_eq!((after.configuration_version, after.version), (3, 1));
    assert_eq!(load(unreached.id).await.configuration_version, 1);
}

async fn an_account_in_use_stays(ground: Ground) {
    let (db, tenant) = (&ground.db, ground.tenant.id);
    let alice = ground.account("alice").await;
    let device = ground.device("Desk", &[&alice]).await;
    let Err(StoreError::InUse(by)) = account::delete(tenant, alice.id, db).await else {
        panic!("deleted although in use");
    };
    assert_eq!(
        (by.items[0].id, by.items[0].name.as_str()),
        (device.id, "Desk")
    );
    device::delete(tenant, device.id, db).await.unwrap();
    account::delete(tenant, alice.id, db).await.unwrap();
    assert!(matches!(
        account::load(tenant, alice.id, db).await,
        Err(StoreError::NotFound)
    ));
}

async fn rotation_replaces_passwords_at_tandems_own_proxy_only(ground: Ground) {
    let (db, tenant, vault) = (&ground.db, ground.tenant.id, &ground.vault);
    let own = ground.account("alice").await;
    let entered = AccountFields {
        enter_on_device: true,
        ..account_fields(own.provider.id, "bob")
    };
    let entered = account::insert(tenant, &entered, None, vault, NOW, db)
        .await
        .unwrap();
    let third = account_fields(ground.provider("P").await.id, "carol");
    let third = ground.account_of(tenant, &third).await;
    let lost = ground.device("Lost", &[&own, &entered, &third]).await;
    let sibling = ground.device("Sibling", &[&own]).await;

    let rotated = account::rotate_passwords(tenant, lost.id, vault, db)
        .await
        .unwrap();

    assert_eq!(rotated.len(), 1);
    assert_eq!(
        (rotated[0].account_id, rotated[0].aor.as_str()),
        (own.id, "sip:alice@acme.tandem.example")
    );
    let mut reached: Vec<_> = rotated[0].devices.iter().map(|device| device.id).collect();
    reached.sort();
    assert_eq!(reached, [lost.id.min(sibling.id), lost.id.max(sibling.id)]);
    assert_ne!(password(&ground, own.id).await.unwrap(), "secret-alice");
    assert_eq!(password(&ground, entered.id).await, None);
    assert_eq!(password(&ground, third.id).await.unwrap(), "secret-carol");
    let sibling = device::load(tenant, sibling.id, db).await.unwrap();
    assert_eq!(sibling.configuration_version, 2);
}

async fn accounts_are_listed_and_found(ground: Ground) {
    let (db, tenant) = (&ground.db, ground.tenant.id);
    for username in ["103", "101", "102", "104", "105"] {
        ground.account(username).await;
    }
    let mut request = PageRequest {
        limit: 2,
        ..PageRequest::default()
    };
    let mut listed = Vec::new();
    loop {
        let page = account::list(tenant, &account::AccountFilter::default(), &request, db)
            .await
            .unwrap();
        listed.extend(page.items.into_iter().map(|account| account.username));
        match page.next {
            Some(next) => request.after = Some(next),
            None => break,
        }
    }
    assert_eq!(listed, ["101", "102", "103", "104", "105"]);
    let found = account::list(
        tenant,
        &account::AccountFilter::default(),
        &search("line 04"),
        db,
    )
    .await
    .unwrap();
    assert_eq!(found.items[0].username, "104");
    assert!(
        account::list(tenant, &account::AccountFilter::default(), &search("%"), db)
            .await
            .unwrap()
            .items
            .is_empty()
    );
    assert!(
        account::list(
            tenant,
            &account::AccountFilter::default(),
            &search("l_ne"),
            db
        )
        .await
        .unwrap()
        .items
        .is_empty()
    );
}

async fn an_account_of_another_tenant_is_not_found(ground: Ground) {
    let (db, vault) = (&ground.db, &ground.vault);
    let other = ground.other_tenant().await.id;
    let alice = ground.account("alice").await;
    let fields = account_fields(alice.provider.id, "alice");
    let x = Secret::new("x");
    let refused = [
        account::load(other, alice.id, db).await.err(),
        account::load_password(other, alice.id, vault, db)
            .await
            .err(),
        account::update(other, alice.id, &fields, None, None, vault, db)
            .await
            .err(),
        account::set_password(other, alice.id, &x, vault, db)
            .await
            .err(),
        account::delete(other, alice.id, db).await.err(),
    ];
    for error in refused {
        assert!(matches!(error, Some(StoreError::NotFound)), "{error:?}");
    }
    let listed = account::list(
        other,
        &account::AccountFilter::default(),
        &PageRequest::default(),
        db,
    )
    .await
    .unwrap();
    assert!(listed.items.is_empty());
}

async fn a_provider_of_another_tenant_is_an_unknown_reference(ground: Ground) {
    let (db, vault) = (&ground.db, &ground.vault);
    let other = ground.other_tenant().await.id;
    let fields = account_fields(ground.own_provider().await.id, "alice");
    let error = account::insert(other, &fields, None, vault, NOW, db)
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            StoreError::UnknownReference {
                field: "provider_id"
            }
        ),
        "{error}"
    );
}

async fn imported_accounts_are_all_made_or_none(ground: Ground) {
    let (db, tenant, vault) = (&ground.db, ground.tenant.id, &ground.vault);
    let listed = |users: std::ops::Range<u32>| -> Vec<_> {
        users
            .map(|user| account::Imported {
                username: user.to_string(),
                password: Secret::new(format!("secret-{user}")),
            })
            .collect()
    };
    account::import(tenant, &listed(1_000..2_200), vault, NOW, db)
        .await
        .unwrap();
    let error = account::import(tenant, &listed(2_199..2_300), vault, NOW, db)
        .await
        .unwrap_err();
    assert!(
        matches!(error, StoreError::Conflict { field: "username" }),
        "{error}"
    );

    let find = async |user| {
        account::find_credentials(user, "acme.tandem.example", vault, db)
            .await
            .unwrap()
    };
    let users = ["1007", "2199", "2200"];
    let many = account::find_many_credentials(&users, "ACME.tandem.example", vault, db);
    let mut many: Vec<_> = many.await.unwrap().into_iter().collect();
    many.sort_by(|one, other| one.0.cmp(&other.0));
    let found = many.into_iter().map(|(user, found)| {
        let found = found.unwrap();
        (user, found.aor, found.password.unwrap().reveal().to_owned())
    });
    let expected = ["1007", "2199"].map(|user| {
        let aor = format!("sip:{user}@acme.tandem.example");
        (user.to_owned(), aor, format!("secret-{user}"))
    });
    assert_eq!(found.collect::<Vec<_>>(), expected);
    let last = find("2199").await.expect("it was imported");
    assert!(last.enabled && last.password == Some(Secret::new("secret-2199")));
    assert_eq!(find("2200").await, None);
}

async fn all_usable_accounts_of_tandems_own_providers_are_read_in_pages(ground: Ground) {
    let (db, tenant, vault) = (&ground.db, ground.tenant.id, &ground.vault);
    let listed: Vec<_> = (1_000..2_200)
        .map(|user| account::Imported {
            username: user.to_string(),
            password: Secret::new(format!("secret-{user}")),
        })
        .collect();
    account::import(tenant, &listed, vault, NOW, db)
        .await
        .unwrap();
    let elsewhere = account_fields(ground.provider("P").await.id, "alice");
    ground.account_of(tenant, &elsewhere).await;
    let own = ground.own_provider().await.id;
    let without_password = account_fields(own, "bob");
    account::insert(tenant, &without_password, None, vault, NOW, db)
        .await
        .unwrap();

    let mut found = Vec::new();
    let mut from = Some(account::Position::START);
    while let Some(position) = from {
        let (page, next) = account::load_some_credentials(position, vault, db)
            .await
            .unwrap();
        assert!(page.len() <= 500);
        found.extend(page.into_iter().map(Result::unwrap));
        from = next;
    }
    found.sort_by(|one, other| one.username.cmp(&other.username));
    let told = found.iter().map(|found| {
        let password = found.password.as_ref().unwrap();
        (found.aor.clone(), password.reveal().to_owned())
    });
    let expected = listed.iter().map(|listed| {
        let aor = format!("sip:{}@acme.tandem.example", listed.username);
        (aor, listed.password.reveal().to_owned())
    });
    assert!(told.eq(expected), "{} were found", found.len());
    let one = account::find_credentials("1500", "acme.tandem.example", vault, db);
    assert_eq!(one.await.unwrap().as_ref(), found.get(500));
}
