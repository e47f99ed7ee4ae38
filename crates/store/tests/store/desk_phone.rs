//! Desk phones: an address that replaces the activation, settings that are fetched, and every way in which it ends.

use store::activation::{self, DEFAULT_LIFETIME, Phone, Presented};
use store::desk_phone::{self, Addressed, DeskPhone};
use store::device::{self, Applied, Device};
use store::standing::{self, Which};
use store::{DeskPhoneMake, Secret, StoreError};
use uuid::Uuid;

use crate::ground::{Ground, NOW, after_minutes, on_both};

on_both! {
    a_device_becomes_a_desk_phone_and_fetches_its_settings,
    an_activated_softphone_loses_its_key_to_the_desk_phone,
    an_address_ends_with_reset_replacement_and_deletion,
    a_fetch_that_a_reset_overtakes_does_nothing,
    another_tenant_has_no_such_device,
    what_is_no_address_finds_nothing,
}

async fn new_device(ground: &Ground) -> Uuid {
    let account = ground.account("100").await;
    ground.device("Desk", &[&account]).await.id
}

async fn replace(ground: &Ground, device: Uuid, make: DeskPhoneMake) -> Secret {
    desk_phone::replace(ground.tenant.id, device, make, NOW, &ground.db)
        .await
        .unwrap()
}

async fn find(ground: &Ground, token: &Secret) -> Option<Addressed> {
    desk_phone::find(token.reveal(), &ground.db).await.unwrap()
}

async fn load(ground: &Ground, device: Uuid) -> Device {
    device::load(ground.tenant.id, device, &ground.db)
        .await
        .unwrap()
}

/// The device is a desk phone that has its settings.
pub(crate) async fn fetched(ground: &Ground, device: Uuid) -> Addressed {
    let token = replace(ground, device, DeskPhoneMake::Yealink).await;
    let phone = find(ground, &token).await.unwrap();
    let first = desk_phone::set_fetched(&phone, Some("Yealink"), NOW, &ground.db).await;
    assert!(first.unwrap());
    phone
}

async fn a_device_becomes_a_desk_phone_and_fetches_its_settings(ground: Ground) {
    let (tenant, db) = (ground.tenant.id, &ground.db);
    let id = new_device(&ground).await;
    let token = replace(&ground, id, DeskPhoneMake::Snom).await;
    assert_eq!(token.reveal().len(), 43);
    let known = DeskPhone {
        make: DeskPhoneMake::Snom,
        made_at: NOW,
        fetched_at: None,
    };
    let made = load(&ground, id).await;
    assert_eq!(made.desk_phone, Some(known));
    assert_eq!(
        (made.activated_at, made.platform.as_deref()),
        (None, Some("snom"))
    );

    let phone = find(&ground, &token).await.unwrap();
    assert_eq!(
        (phone.device_id, phone.tenant_id, phone.make),
        (id, tenant, DeskPhoneMake::Snom)
    );
    let set_fetched = async |agent, minutes| {
        let now = after_minutes(minutes);
        desk_phone::set_fetched(&phone, agent, now, db)
            .await
            .unwrap()
    };
    assert!(set_fetched(Some("snomD785"), 1).await);
    assert!(!set_fetched(None, 2).await, "it is the device already");
    let after = load(&ground, id).await;
    assert_eq!(after.activated_at, Some(after_minutes(1)));
    assert_eq!(after.last_seen_at, Some(after_minutes(2)));
    assert_eq!(after.app_version.as_deref(), Some("snomD785"));
    assert_eq!(after.applied_version, Some(after.configuration_version));
    let fetched_at = Some(after_minutes(2));
    assert_eq!(
        after.desk_phone,
        Some(DeskPhone {
            fetched_at,
            ..known
        })
    );

    let account = after.accounts[0].id;
    let password = Secret::new("another");
    let set = store::account::set_password(tenant, account, &password, &ground.vault, db).await;
    set.unwrap();
    let pending = standing::list_devices(tenant, Which::All, db)
        .await
        .unwrap();
    assert_eq!(pending[0].applied, Applied::Older);
    assert!(pending[0].desk_phone && pending[0].activated);
    set_fetched(None, 3).await;
    let applied = standing::list_devices(tenant, Which::All, db)
        .await
        .unwrap();
    assert_eq!(applied[0].applied, Applied::Current);
}

async fn an_activated_softphone_loses_its_key_to_the_desk_phone(ground: Ground) {
    let id = new_device(&ground).await;
    crate::activation::activate(&ground, id).await;
    replace(&ground, id, DeskPhoneMake::Yealink).await;
    let credential = device::find_credential(id, &ground.db).await.unwrap();
    assert_eq!(credential, None);
    let after = load(&ground, id).await;
    assert_eq!((after.activated_at, after.app_version), (None, None));
    let shown = activation::load(ground.tenant.id, id, &ground.vault, NOW, &ground.db).await;
    assert!(matches!(shown, Err(StoreError::NotFound)));
}

async fn an_address_ends_with_reset_replacement_and_deletion(ground: Ground) {
    let Ground {
        tenant, vault, db, ..
    } = &ground;
    let id = new_device(&ground).await;
    let first = replace(&ground, id, DeskPhoneMake::Yealink).await;
    let second = replace(&ground, id, DeskPhoneMake::Grandstream).await;
    assert_eq!(find(&ground, &first).await, None, "replaced");
    let phone = find(&ground, &second).await.unwrap();
    desk_phone::set_fetched(&phone, Some("Grandstream"), NOW, db)
        .await
        .unwrap();

    let life = DEFAULT_LIFETIME;
    let reset = activation::replace(tenant.id, id, life, vault, NOW, db).await;
    assert_eq!(find(&ground, &second).await, None, "reset");
    let after = load(&ground, id).await;
    assert_eq!((after.desk_phone, after.activated_at), (None, None));
    assert_eq!((after.platform, after.app_version), (None, None));
    let activation::ActivationState::Open { token, .. } = reset.unwrap().state else {
        panic!("a new activation is open");
    };
    let softphone = Phone {
        public_key: [7; 32],
        app_version: "0.1.0",
        platform: "linux",
    };
    let presented = Presented::Token(token);
    activation::redeem(&presented, &softphone, vault, NOW, db)
        .await
        .unwrap();

    let third = replace(&ground, id, DeskPhoneMake::Baresip).await;
    device::delete(tenant.id, id, db).await.unwrap();
    assert_eq!(find(&ground, &third).await, None, "deleted");
}

async fn a_fetch_that_a_reset_overtakes_does_nothing(ground: Ground) {
    let id = new_device(&ground).await;
    let token = replace(&ground, id, DeskPhoneMake::Yealink).await;
    let phone = find(&ground, &token).await.unwrap();
    replace(&ground, id, DeskPhoneMake::Yealink).await;
    let transaction = store::begin(&ground.db).await.unwrap();
    let late = desk_phone::set_fetched(&phone, None, NOW, &transaction).await;
    assert!(matches!(late, Err(StoreError::NotFound)));
    drop(transaction);
    assert_eq!(load(&ground, id).await.activated_at, None);
}

async fn another_tenant_has_no_such_device(ground: Ground) {
    let id = new_device(&ground).await;
    let other = ground.other_tenant().await.id;
    let make = DeskPhoneMake::Yealink;
    let foreign = desk_phone::replace(other, id, make, NOW, &ground.db).await;
    assert!(matches!(foreign, Err(StoreError::NotFound)));
    assert_eq!(load(&ground, id).await.desk_phone, None);
}

async fn what_is_no_address_finds_nothing(ground: Ground) {
    let id = new_device(&ground).await;
    let token = replace(&ground, id, DeskPhoneMake::Yealink).await;
    for text in ["", "x", &token.reveal()[1..], "' OR 1=1 --"] {
        assert_eq!(find(&ground, &Secret::new(text)).await, None, "{text}");
    }
}
