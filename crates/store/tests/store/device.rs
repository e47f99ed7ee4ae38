use store::device::{self, DeviceFields, MAX_NONCES, Report};
use store::provider::ProviderFields;
use store::{
    Codec, ConnectionTrait, PageRequest, SipTransport, StoreError, account, activation, provider,
};
use uuid::Uuid;

use crate::ground::{Ground, NOW, account_fields, after_minutes, on_both, provider_fields, search};

on_both! {
    a_device_keeps_its_accounts_in_order,
    a_device_has_one_to_four_different_accounts,
    the_database_itself_refuses_a_fifth_account_and_references_across_tenants,
    references_to_another_tenant_are_unknown,
    a_device_of_another_tenant_is_not_found,
    the_configuration_has_lines_with_passwords,
    a_nonce_is_spent_once,
    the_nonces_of_a_device_are_bounded,
    a_report_clears_the_pending_update,
}

fn fields(ground_contact: Uuid, accounts: &[Uuid]) -> DeviceFields {
    DeviceFields {
        name: "Desk".into(),
        contact_id: ground_contact,
        account_ids: accounts.to_vec(),
    }
}

async fn a_device_keeps_its_accounts_in_order(ground: Ground) {
    let (db, tenant) = (&ground.db, ground.tenant.id);
    let (b, a) = (ground.account("b").await, ground.account("a").await);
    let made = ground.device("Desk", &[&b, &a]).await;
    assert_eq!(device::load(tenant, made.id, db).await.unwrap(), made);
    assert_eq!(made.contact.name, "Grace Desk");
    let aors: Vec<_> = made
        .accounts
        .iter()
        .map(|account| account.aor.as_str())
        .collect();
    assert_eq!(
        aors,
        ["sip:b@acme.tandem.example", "sip:a@acme.tandem.example"]
    );

    let changes = fields(made.contact.id, &[a.id, b.id]);
    let changed = device::update(tenant, made.id, &changes, Some(1), db)
        .await
        .unwrap();
    assert_eq!((changed.version, changed.configuration_version), (2, 2));
    assert_eq!(changed.accounts[0].id, a.id);
    let stale = device::update(tenant, made.id, &changes, Some(1), db).await;
    assert!(matches!(
        stale,
        Err(StoreError::StaleVersion { current: 2 })
    ));

    let other = ground.device("Kitchen", &[&a]).await;
    let listed = device::list(
        tenant,
        &device::DeviceFilter::default(),
        &PageRequest::default(),
        db,
    )
    .await
    .unwrap();
    assert_eq!(listed.items, [changed.clone(), other]);
    assert_eq!(
        device::list(tenant, &device::DeviceFilter::default(), &search("ESK"), db)
            .await
            .unwrap()
            .items,
        [changed]
    );
    let a = account::load(tenant, a.id, db).await.unwrap();
    let names: Vec<_> = a
        .devices
        .iter()
        .map(|device| device.name.as_str())
        .collect();
    assert_eq!(names, ["Desk", "Kitchen"]);
}

async fn a_device_has_one_to_four_different_accounts(ground: Ground) {
    let (db, tenant) = (&ground.db, ground.tenant.id);
    let contact = ground.contact("Grace", "Hopper").await.id;
    let mut ids = Vec::new();
    for username in ["1", "2", "3", "4", "5"] {
        ids.push(ground.account(username).await.id);
    }
    for wrong in [&ids[..0], &ids[..5]] {
        let error = device::insert(tenant, &fields(contact, wrong), NOW, db)
            .await
            .unwrap_err();
        assert!(
            matches!(
                error,
                StoreError::Count {
                    field: "account_ids",
                    max: 4
                }
            ),
            "{error}"
        );
    }
    let twice = [ids[0], ids[1], ids[0]];
    let error = device::insert(tenant, &fields(contact, &twice), NOW, db)
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            StoreError::Conflict {
                field: "account_ids"
            }
        ),
        "{error}"
    );
    let made = device::insert(tenant, &fields(contact, &ids[..4]), NOW, db)
        .await
        .unwrap();
    assert_eq!(made.accounts.len(), 4);
    let error = device::update(tenant, made.id, &fields(contact, &ids), None, db)
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            StoreError::Count {
                field: "account_ids",
                max: 4
            }
        ),
        "{error}"
    );
    assert_eq!(device::load(tenant, made.id, db).await.unwrap(), made);
}

async fn the_database_itself_refuses_a_fifth_account_and_references_across_tenants(ground: Ground) {
    let db = &ground.db;
    let (a, b) = (ground.account("a").await, ground.account("b").await);
    ground.device("Desk", &[&a]).await;
    let line = |tenant: &str, position: u8| {
        format!(
            "INSERT INTO device_accounts (tenant_id, device_id, position, account_id) \
             SELECT {tenant}, (SELECT id FROM devices), {position}, id \
             FROM sip_accounts WHERE username = '{}'",
            b.username
        )
    };
    let own = "(SELECT id FROM tenants WHERE slug = 'acme')";
    let foreign = "(SELECT id FROM tenants WHERE slug = 'umbrella')";
    ground.other_tenant().await;
    assert!(db.execute_unprepared(&line(own, 4)).await.is_err());
    assert!(db.execute_unprepared(&line(foreign, 1)).await.is_err());
    db.execute_unprepared(&line(own, 3)).await.unwrap();
}

async fn references_to_another_tenant_are_unknown(ground: Ground) {
    let db = &ground.db;
    let other = ground.other_tenant().await.id;
    let contact = ground.contact("Grace", "Hopper").await.id;
    let account = ground.account("100").await.id;
    let error = device::insert(other, &fields(contact, &[account]), NOW, db)
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            StoreError::UnknownReference {
                field: "contact_id"
            }
        ),
        "{error}"
    );

    let own = provider::load_own(other, db).await.unwrap().id;
    let foreign = ground
        .account_of(other, &account_fields(own, "200"))
        .await
        .id;
    let mixed = fields(contact, &[account, foreign]);
    let error = device::insert(ground.tenant.id, &mixed, NOW, db)
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            StoreError::UnknownReference {
                field: "account_ids"
            }
        ),
        "{error}"
    );
}

async fn a_device_of_another_tenant_is_not_found(ground: Ground) {
    let (db, vault) = (&ground.db, &ground.vault);
    let other = ground.other_tenant().await.id;
    let made = ground.device("Desk", &[&ground.account("100").await]).await;
    let same = fields(made.contact.id, &[made.accounts[0].id]);
    let report = Report {
        applied_version: 1,
        app_version: "1",
        platform: "x",
    };
    let week = activation::DEFAULT_LIFETIME;
    let refused = [
        device::load(other, made.id, db).await.err(),
        device::update(other, made.id, &same, None, db).await.err(),
        device::delete(other, made.id, db).await.err(),
        device::load_configuration(other, made.id, vault, db)
            .await
            .err(),
        device::report(other, made.id, &report, NOW, db).await.err(),
        account::rotate_passwords(other, made.id, vault, db)
            .await
            .err(),
        activation::replace(other, made.id, week, vault, NOW, db)
            .await
            .err(),
        activation::load(other, made.id, vault, NOW, db).await.err(),
    ];
    for error in refused {
        assert!(matches!(error, Some(StoreError::NotFound)), "{error:?}");
    }
    let listed = device::list(
        other,
        &device::DeviceFilter::default(),
        &PageRequest::default(),
        db,
    )
    .await
    .unwrap();
    assert!(listed.items.is_empty());
    assert_eq!(
        device::load(ground.tenant.id, made.id, db).await.unwrap(),
        made
    );
}

async fn the_configuration_has_lines_with_passwords(ground: Ground) {
    let (db, tenant, vault) = (&ground.db, ground.tenant.id, &ground.vault);
    let own = ground.account("alice").await;
    let third = ground.provider("P").await;
    let third = ground
        .account_of(tenant, &account_fields(third.id, "4930"))
        .await;
    let made = ground.device("Desk", &[&third, &own]).await;
    let configuration = device::load_configuration(tenant, made.id, vault, db)
        .await
        .unwrap();
    assert_eq!(
        (configuration.version, configuration.device_id),
        (1, made.id)
    );
    assert_eq!(configuration.contact_name, "Grace Desk");
    assert_eq!(configuration.tenant_name, "ACME");
    let [first, second] = configuration.lines.as_slice() else {
        panic!("two lines expected");
    };
    assert_eq!(first.domain, "sip.provider.example");
    assert_eq!(
        (first.port, first.transport),
        (Some(5061), SipTransport::Tls)
    );
    assert_eq!(
        first.outbound_proxy.as_deref(),
        Some("sip:edge.provider.example;lr")
    );
    assert_eq!(first.codecs, [Codec::Opus, Codec::Pcmu]);
    assert_eq!(second.account_id, own.id);
    assert_eq!((second.own, second.transport), (true, SipTransport::Udp));
    assert_eq!(second.password.as_ref().unwrap().reveal(), "secret-alice");
    assert!(!format!("{configuration:?}").contains("secret-"));

    let changes = ProviderFields {
        server: "new.example".into(),
        ..provider_fields("P")
    };
    provider::update(tenant, third.provider.id, &changes, None, db)
        .await
        .unwrap();
    let configuration = device::load_configuration(tenant, made.id, vault, db)
        .await
        .unwrap();
    assert_eq!(
        (
            configuration.version,
            configuration.lines[0].domain.as_str()
        ),
        (2, "new.example")
    );
}

async fn a_nonce_is_spent_once(ground: Ground) {
    let db = &ground.db;
    let accounts = [ground.account("1").await, ground.account("2").await];
    let (one, two) = (
        ground.device("1", &[&accounts[0]]).await,
        ground.device("2", &[&accounts[1]]).await,
    );
    let end = after_minutes(4);
    device::spend_nonce(one.id, "n", end, NOW, db)
        .await
        .unwrap();
    let again = device::spend_nonce(one.id, "n", end, after_minutes(3), db).await;
    assert!(
        matches!(again, Err(StoreError::Conflict { field: "nonce" })),
        "{again:?}"
    );
    device::spend_nonce(two.id, "n", end, NOW, db)
        .await
        .unwrap();
    device::spend_nonce(one.id, "m", end, NOW, db)
        .await
        .unwrap();
    device::spend_nonce(one.id, "n", after_minutes(8), end, db)
        .await
        .unwrap();

    let mut race = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let db = db.clone();
        race.spawn(async move {
            device::spend_nonce(one.id, "race", end, NOW, &db)
                .await
                .is_ok()
        });
    }
    let wins = race.join_all().await.into_iter().filter(|won| *won).count();
    assert_eq!(wins, 1);
}

async fn the_nonces_of_a_device_are_bounded(ground: Ground) {
    let db = &ground.db;
    let id = ground.device("1", &[&ground.account("1").await]).await.id;
    for n in 0..MAX_NONCES {
        device::spend_nonce(id, &n.to_string(), after_minutes(4), NOW, db)
            .await
            .unwrap();
    }
    let full = device::spend_nonce(id, "x", after_minutes(4), NOW, db).await;
    assert!(
        matches!(full, Err(StoreError::Count { field: "nonce", .. })),
        "{full:?}"
    );
    device::spend_nonce(id, "x", after_minutes(8), after_minutes(4), db)
        .await
        .unwrap();
}

async fn a_report_clears_the_pending_update(ground: Ground) {
    let (db, tenant, vault) = (&ground.db, ground.tenant.id, &ground.vault);
    let id = ground.device("1", &[&ground.account("1").await]).await.id;
    let report = Report {
        applied_version: 1,
        app_version: "1.2",
        platform: "linux",
    };
    let early = device::report(tenant, id, &report, NOW, db).await;
    assert!(matches!(early, Err(StoreError::NotFound)), "not activated");

    crate::activation::activate(&ground, id).await;
    let activated = device::load(tenant, id, db).await.unwrap();
    assert_eq!(
        (activated.applied_version, activated.activated_at),
        (None, Some(NOW))
    );
    device::report(tenant, id, &report, after_minutes(1), db)
        .await
        .unwrap();
    let reported = device::load(tenant, id, db).await.unwrap();
    assert_eq!(
        reported.applied_version,
        Some(reported.configuration_version)
    );
    assert_eq!(reported.app_version.as_deref(), Some("1.2"));
    assert_eq!(reported.platform.as_deref(), Some("linux"));
    device::set_seen(tenant, id, after_minutes(2), db)
        .await
        .unwrap();
    let seen = device::load(tenant, id, db).await.unwrap();
    assert_eq!(
        (seen.last_seen_at, seen.version),
        (Some(after_minutes(2)), 1)
    );
    device::load_configuration(tenant, id, vault, db)
        .await
        .unwrap();
}
