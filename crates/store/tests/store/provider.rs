use store::account::AccountFields;
use store::provider::{self, ProviderFields};
use store::{PageRequest, SipTransport, StoreError, device};

use crate::ground::{Ground, account_fields, on_both, provider_fields, search};

on_both! {
    a_provider_is_stored_changed_and_deleted,
    a_stale_change_is_refused,
    of_two_changes_of_the_same_version_one_is_refused,
    of_tandems_own_provider_only_the_name_changes,
    a_provider_with_accounts_stays,
    a_change_reaches_the_devices_of_the_provider,
    a_provider_of_another_tenant_is_not_found,
    ways_of_accounts_are_listed_once_for_each_provider_of_the_tenant,
}

async fn a_provider_is_stored_changed_and_deleted(ground: Ground) {
    let (db, tenant) = (&ground.db, ground.tenant.id);
    let made = ground.provider("Zebra Telecom").await;
    assert_eq!(provider::load(tenant, made.id, db).await.unwrap(), made);
    assert_eq!(
        (made.port, made.transport, made.own),
        (Some(5061), SipTransport::Tls, false)
    );

    let fields = ProviderFields {
        name: "Aardvark".into(),
        server: "SIP.Aardvark.example".into(),
        port: None,
        transport: SipTransport::Udp,
        outbound_proxy: None,
    };
    let changed = provider::update(tenant, made.id, &fields, Some(1), db)
        .await
        .unwrap();
    assert_eq!((changed.version, changed.port), (2, None));
    assert_eq!(changed.server, "sip.aardvark.example");

    let listed = provider::list(
        tenant,
        &provider::ProviderFilter::default(),
        &PageRequest::default(),
        db,
    )
    .await
    .unwrap();
    let names: Vec<_> = listed
        .items
        .iter()
        .map(|provider| provider.name.as_str())
        .collect();
    assert_eq!(names, ["Aardvark", "Tandem"]);
    assert_eq!(
        provider::list(
            tenant,
            &provider::ProviderFilter::default(),
            &search("vark"),
            db
        )
        .await
        .unwrap()
        .items,
        [changed]
    );

    provider::delete(tenant, made.id, db).await.unwrap();
    assert!(matches!(
        provider::load(tenant, made.id, db).await,
        Err(StoreError::NotFound)
    ));
}

async fn a_stale_change_is_refused(ground: Ground) {
    let (db, tenant) = (&ground.db, ground.tenant.id);
    let id = ground.provider("P").await.id;
    let fields = provider_fields("Q");
    provider::update(tenant, id, &fields, None, db)
        .await
        .unwrap();
    let error = provider::update(tenant, id, &fields, Some(1), db)
        .await
        .unwrap_err();
    assert!(
        matches!(error, StoreError::StaleVersion { current: 2 }),
        "{error}"
    );
}

async fn of_two_changes_of_the_same_version_one_is_refused(ground: Ground) {
    let (db, tenant) = (&ground.db, ground.tenant.id);
    let id = ground.provider("P").await.id;
    let mut changes = tokio::task::JoinSet::new();
    for n in 0..10 {
        let db = db.clone();
        changes.spawn(async move {
            let fields = provider_fields(&format!("P{n}"));
            provider::update(tenant, id, &fields, Some(1), &db).await
        });
    }
    let results = changes.join_all().await;
    let done = results.iter().filter(|result| result.is_ok()).count();
    assert_eq!(done, 1, "{results:?}");
    for error in results.iter().filter_map(|result| result.as_ref().err()) {
        assert!(
            matches!(error, StoreError::StaleVersion { current: 2 }),
            "{error}"
        );
    }
}

async fn of_tandems_own_provider_only_the_name_changes(ground: Ground) {
    let (db, tenant) = (&ground.db, ground.tenant.id);
    let own = ground.own_provider().await;
    let changed = provider::update(tenant, own.id, &provider_fields("House"), None, db)
        .await
        .unwrap();
    assert_eq!(changed.name, "House");
    assert_eq!((changed.server, changed.port), (own.server, None));
    assert_eq!(changed.outbound_proxy, None);
    let deleted = provider::delete(tenant, own.id, db).await;
    assert!(matches!(deleted, Err(StoreError::Protected)));
}

async fn a_provider_with_accounts_stays(ground: Ground) {
    let (db, tenant) = (&ground.db, ground.tenant.id);
    let made = ground.provider("P").await;
    let account = ground
        .account_of(tenant, &account_fields(made.id, "100"))
        .await;
    assert_eq!(
        provider::load(tenant, made.id, db)
            .await
            .unwrap()
            .account_count,
        1
    );
    let listed = provider::list(
        tenant,
        &provider::ProviderFilter::default(),
        &search("P"),
        db,
    )
    .await
    .unwrap();
    assert_eq!(listed.items[0].account_count, 1);
    let Err(StoreError::InUse(by)) = provider::delete(tenant, made.id, db).await else {
        panic!("deleted although in use");
    };
    assert_eq!(
        (by.items[0].id, by.items[0].name.as_str(), by.count),
        (account.id, "Line 100", 1)
    );
}

async fn a_change_reaches_the_devices_of_the_provider(ground: Ground) {
    let (db, tenant) = (&ground.db, ground.tenant.id);
    let made = ground.provider("P").await;
    let account = ground
        .account_of(tenant, &account_fields(made.id, "100"))
        .await;
    let reached = ground.device("Reached", &[&account]).await;
    let unreached = ground
        .device("Unreached", &[&ground.account("101").await])
        .await;
    provider::update(tenant, made.id, &provider_fields("Q"), None, db)
        .await
        .unwrap();
    let version = async |id| {
        device::load(tenant, id, db)
            .await
            .unwrap()
            .configuration_version
    };
    assert_eq!(version(reached.id).await, 2);
    assert_eq!(version(unreached.id).await, 1);
    let ids = device::list_ids_by_provider(tenant, made.id, db)
        .await
        .unwrap();
    assert_eq!(ids, [reached.id]);
}

async fn a_provider_of_another_tenant_is_not_found(ground: Ground) {
    let db = &ground.db;
    let other = ground.other_tenant().await.id;
    let id = ground.provider("P").await.id;
    assert!(matches!(
        provider::load(other, id, db).await,
        Err(StoreError::NotFound)
    ));
    assert!(matches!(
        provider::delete(other, id, db).await,
        Err(StoreError::NotFound)
    ));
    let changed = provider::update(other, id, &provider_fields("Q"), None, db).await;
    assert!(matches!(changed, Err(StoreError::NotFound)));
    let listed = provider::list(
        other,
        &provider::ProviderFilter::default(),
        &PageRequest::default(),
        db,
    )
    .await
    .unwrap();
    assert!(listed.items.iter().all(|provider| provider.own));
    assert_eq!(ground.provider("P").await.version, 1);
}

async fn ways_of_accounts_are_listed_once_for_each_provider_of_the_tenant(ground: Ground) {
    let (db, tenant) = (&ground.db, ground.tenant.id);
    let (first, second) = (ground.provider("A").await.id, ground.provider("B").await.id);
    for (username, provider, transport) in [
        ("1", first, Some(SipTransport::Tcp)),
        ("2", first, Some(SipTransport::Tcp)),
        ("3", first, Some(SipTransport::Tls)),
        ("4", second, None),
        ("5", second, Some(SipTransport::Udp)),
    ] {
        let fields = AccountFields {
            transport,
            ..account_fields(provider, username)
        };
        ground.account_of(tenant, &fields).await;
    }
    let mut listed = provider::list_account_transports(tenant, db).await.unwrap();
    listed.sort_by_key(|(of, _)| *of != first);
    let expected = [
        (first, SipTransport::Tcp),
        (first, SipTransport::Tls),
        (second, SipTransport::Udp),
    ];
    assert_eq!(listed, expected);
    let elsewhere = provider::list_account_transports(uuid::Uuid::nil(), db).await;
    assert_eq!(elsewhere.unwrap(), []);
}
