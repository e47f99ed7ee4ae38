use std::collections::HashMap;

use store::device::{self, Applied, DeviceFields, Report};
use store::mail::{self, NewMail};
use store::standing::{DeviceStanding, Which, list_accounts, list_devices};
use store::{MailKind, MailState, Secret, activation};
use time::Duration;
use uuid::Uuid;

use crate::ground::{Ground, NOW, account_fields, on_both, provider_fields};

on_both! {
    a_device_stands_as_its_row_says,
    an_account_stands_under_its_address_of_record,
    a_mail_is_told_until_the_device_is_activated,
    only_those_asked_for_are_told,
}

impl Ground {
    async fn standings(&self, which: Which<'_>) -> HashMap<Uuid, DeviceStanding> {
        let found = list_devices(self.tenant.id, which, &self.db).await.unwrap();
        found.into_iter().map(|found| (found.id, found)).collect()
    }

    async fn standing(&self, device: Uuid) -> DeviceStanding {
        let mut found = self.standings(Which::These(&[device])).await;
        assert_eq!(found, self.standings(Which::All).await);
        found.remove(&device).unwrap()
    }
}

async fn a_device_stands_as_its_row_says(ground: Ground) {
    let (b, a) = (ground.account("b").await, ground.account("a").await);
    let made = ground.device("Desk", &[&b, &a]).await;
    let standing = ground.standing(made.id).await;
    assert_eq!(standing.accounts, [b.id, a.id], "in order");
    assert!(!standing.activated);

    crate::activation::activate(&ground, made.id).await;
    let standing = ground.standing(made.id).await;
    assert_eq!(
        (standing.activated, standing.applied),
        (true, Applied::Nothing)
    );
    let report = Report {
        applied_version: made.configuration_version,
        app_version: "1.2",
        platform: "linux",
    };
    device::report(ground.tenant.id, made.id, &report, NOW, &ground.db)
        .await
        .unwrap();
    let standing = ground.standing(made.id).await;
    assert_eq!(
        (standing.activated, standing.applied),
        (true, Applied::Current)
    );

    let fields = DeviceFields {
        name: "Desk".into(),
        contact_id: made.contact.id,
        account_ids: vec![a.id],
    };
    device::update(ground.tenant.id, made.id, &fields, None, &ground.db)
        .await
        .unwrap();
    let standing = ground.standing(made.id).await;
    assert_eq!(standing.accounts, [a.id]);
    assert_eq!(standing.applied, Applied::Older);
}

async fn an_account_stands_under_its_address_of_record(ground: Ground) {
    let own = ground.account("101").await;
    let provider = ground.provider("Carrier").await;
    let fields = account_fields(provider.id, "4930");
    let other = ground.account_of(ground.tenant.id, &fields).await;
    let found = list_accounts(ground.tenant.id, Which::All, &ground.db)
        .await
        .unwrap();
    let found: HashMap<_, _> = found
        .into_iter()
        .map(|found| (found.id, found.aor))
        .collect();
    assert_eq!(found[&own.id], "sip:101@acme.tandem.example");
    assert_eq!(
        found[&other.id],
        format!("sip:4930@{}", provider_fields("Carrier").server)
    );
}

async fn a_mail_is_told_until_the_device_is_activated(ground: Ground) {
    let made = ground.device("Desk", &[&ground.account("a").await]).await;
    let life = Duration::days(1);
    activation::replace(
        ground.tenant.id,
        made.id,
        life,
        &ground.vault,
        NOW,
        &ground.db,
    )
    .await
    .unwrap();
    assert_eq!(ground.standing(made.id).await.instructions, None);
    let new = NewMail {
        tenant: Some(ground.tenant.id),
        device: Some(made.id),
        kind: MailKind::Activation,
        recipient: "ada@example.org",
        content: &Secret::new("a link"),
    };
    let queued = mail::enqueue(&new, &ground.vault, NOW, &ground.db)
        .await
        .unwrap();
    let standing = ground.standing(made.id).await;
    assert_eq!(standing.instructions, Some(MailState::Queued));
    let device = activation::find_device(queued.id, &ground.db)
        .await
        .unwrap();
    assert_eq!(device, Some(made.id));
    mail::set_sent(queued.id, NOW, &ground.db).await.unwrap();
    let standing = ground.standing(made.id).await;
    assert_eq!(standing.instructions, Some(MailState::Sent));

    crate::activation::activate(&ground, made.id).await;
    assert_eq!(ground.standing(made.id).await.instructions, None);
    let nobody = activation::find_device(Uuid::from_u128(1), &ground.db).await;
    assert_eq!(nobody.unwrap(), None);
}

async fn only_those_asked_for_are_told(ground: Ground) {
    let (a, b) = (ground.account("a").await, ground.account("b").await);
    let one = ground.device("One", &[&a]).await;
    let other = ground.device("Other", &[&b]).await;
    let some = ground.standings(Which::These(&[one.id])).await;
    assert_eq!(some.keys().collect::<Vec<_>>(), [&one.id]);
    assert_eq!(ground.standings(Which::All).await.len(), 2);
    let umbrella = ground.other_tenant().await.id;
    let ids = [one.id, other.id];
    for which in [Which::All, Which::These(&ids)] {
        let foreign = list_devices(umbrella, which, &ground.db).await.unwrap();
        assert!(foreign.is_empty());
    }
    let accounts = [a.id];
    let which = Which::These(&accounts);
    let found = list_accounts(ground.tenant.id, which, &ground.db)
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
    let foreign = list_accounts(umbrella, which, &ground.db).await.unwrap();
    assert!(foreign.is_empty());
}
