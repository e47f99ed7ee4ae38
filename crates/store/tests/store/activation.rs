use store::activation::{
    self, ActivationState, DEFAULT_LIFETIME, MAX_LIFETIME, Phone, Presented, REPEAT_TIME,
};
use store::device::{self, DeviceCredential};
use store::{ActivationCode, ActivationToken, ConnectionTrait, StoreError, begin, commit};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::ground::{Ground, NOW, on_both};

on_both! {
    a_device_is_activated_by_token_or_by_code,
    of_two_hundred_with_the_same_activation_one_succeeds,
    whatever_is_wrong_the_answer_is_the_same,
    the_same_phone_may_ask_again_for_a_while,
    who_holds_an_activation_sees_whether_it_was_used,
    a_reset_takes_the_key_away_at_once,
    an_activation_can_be_shown_until_it_is_used,
    expired_secrets_are_erased,
    an_activation_lives_thirty_days_at_most,
    a_deleted_device_cannot_be_activated,
    the_secrets_of_an_activation_open_at_its_row_only,
}

const PHONE: Phone<'_> = Phone {
    public_key: [7; 32],
    app_version: "0.1.0",
    platform: "linux",
};

async fn new_device(ground: &Ground) -> Uuid {
    ground
        .device("Desk", &[&ground.account("100").await])
        .await
        .id
}

async fn replace(ground: &Ground, device: Uuid) -> (ActivationToken, ActivationCode) {
    let Ground {
        tenant, vault, db, ..
    } = ground;
    let made = activation::replace(tenant.id, device, DEFAULT_LIFETIME, vault, NOW, db).await;
    match made.unwrap().state {
        ActivationState::Open { token, code } => (token, code),
        state => panic!("{state:?}"),
    }
}

async fn redeem(
    ground: &Ground,
    presented: &Presented,
    now: OffsetDateTime,
) -> Result<DeviceCredential, StoreError> {
    let redeemed = activation::redeem(presented, &PHONE, &ground.vault, now, &ground.db).await?;
    assert!(!redeemed.again);
    Ok(redeemed.credential)
}

async fn state(ground: &Ground, device: Uuid, now: OffsetDateTime) -> ActivationState {
    let Ground {
        tenant, vault, db, ..
    } = ground;
    let loaded = activation::load(tenant.id, device, vault, now, db).await;
    loaded.unwrap().state
}

/// How many activations still have a secret to show.
async fn sealed_copies(ground: &Ground) -> u64 {
    let touch = "UPDATE activations SET created_at = created_at \
                 WHERE token_sealed IS NOT NULL OR code_sealed IS NOT NULL";
    let result = ground.db.execute_unprepared(touch).await.unwrap();
    result.rows_affected()
}

pub(crate) async fn activate(ground: &Ground, device: Uuid) -> DeviceCredential {
    let (token, _) = replace(ground, device).await;
    redeem(ground, &Presented::Token(token), NOW).await.unwrap()
}

async fn a_device_is_activated_by_token_or_by_code(ground: Ground) {
    let device = new_device(&ground).await;
    for by_code in [false, true] {
        let (token, code) = replace(&ground, device).await;
        let presented = if by_code {
            Presented::Code(ActivationCode::parse(&code.grouped().to_lowercase()).unwrap())
        } else {
            Presented::Token(ActivationToken::parse(&token.text()).unwrap())
        };
        let credential = redeem(&ground, &presented, NOW).await.unwrap();
        assert_eq!(
            (credential.device_id, credential.tenant_id),
            (device, ground.tenant.id)
        );
        assert_eq!(credential.public_key, PHONE.public_key);
        let found = device::find_credential(device, &ground.db).await.unwrap();
        assert_eq!(found, Some(credential));
        let activated = device::load(ground.tenant.id, device, &ground.db)
            .await
            .unwrap();
        assert_eq!(activated.activated_at, Some(NOW));
        assert_eq!(activated.platform.as_deref(), Some("linux"));
    }
}

async fn of_two_hundred_with_the_same_activation_one_succeeds(ground: Ground) {
    let device = new_device(&ground).await;
    let (token, code) = replace(&ground, device).await;
    let mut race = tokio::task::JoinSet::new();
    for n in 0..200u8 {
        let (db, vault) = (ground.db.clone(), ground.vault.clone());
        let presented = if n % 2 == 0 {
            Presented::Token(token.clone())
        } else {
            Presented::Code(code.clone())
        };
        race.spawn(async move {
            let phone = Phone {
                public_key: [n; 32],
                ..PHONE
            };
            activation::redeem(&presented, &phone, &vault, NOW, &db).await
        });
    }
    let results = race.join_all().await;
    let winners: Vec<_> = results
        .iter()
        .filter_map(|result| result.as_ref().ok())
        .collect();
    assert_eq!(winners.len(), 1, "{results:?}");
    for error in results.iter().filter_map(|result| result.as_ref().err()) {
        assert!(matches!(error, StoreError::NotFound), "{error}");
    }
    let stored = device::find_credential(device, &ground.db).await.unwrap();
    assert_eq!(stored.as_ref(), Some(&winners[0].credential));
}

async fn whatever_is_wrong_the_answer_is_the_same(ground: Ground) {
    let device = new_device(&ground).await;
    let (replaced, _) = replace(&ground, device).await;
    let (used, used_code) = replace(&ground, device).await;
    let (db, vault) = (&ground.db, &ground.vault);
    let faster = Phone {
        public_key: [8; 32],
        ..PHONE
    };
    activation::redeem(&Presented::Code(used_code), &faster, vault, NOW, db)
        .await
        .unwrap();
    let other = ground
        .device("Other", &[&ground.account("101").await])
        .await
        .id;
    let (expired, _) = replace(&ground, other).await;
    for (presented, now) in [
        (Presented::Token(replaced), NOW),
        (Presented::Token(used), NOW),
        (Presented::Token(expired), NOW + DEFAULT_LIFETIME),
        (Presented::Token(ActivationToken::random()), NOW),
        (Presented::Code(ActivationCode::random()), NOW),
    ] {
        let refused = redeem(&ground, &presented, now).await;
        assert!(matches!(refused, Err(StoreError::NotFound)), "{refused:?}");
    }
    assert_eq!(
        device::find_credential(other, &ground.db).await.unwrap(),
        None
    );
}

async fn a_reset_takes_the_key_away_at_once(ground: Ground) {
    let device = new_device(&ground).await;
    let before = activate(&ground, device).await;
    let (token, _) = replace(&ground, device).await;
    assert_eq!(
        device::find_credential(device, &ground.db).await.unwrap(),
        None
    );
    let revoked = device::load(ground.tenant.id, device, &ground.db)
        .await
        .unwrap();
    assert_eq!(revoked.activated_at, None);

    let after = redeem(&ground, &Presented::Token(token), NOW)
        .await
        .unwrap();
    assert!(
        after.generation > before.generation,
        "tokens for the old key are void"
    );
}

async fn an_activation_can_be_shown_until_it_is_used(ground: Ground) {
    let device = new_device(&ground).await;
    let never = activation::load(ground.tenant.id, device, &ground.vault, NOW, &ground.db).await;
    assert!(matches!(never, Err(StoreError::NotFound)));

    let (token, code) = replace(&ground, device).await;
    let shown = ActivationState::Open {
        token: token.clone(),
        code,
    };
    assert_eq!(state(&ground, device, NOW).await, shown);
    assert_eq!(
        state(&ground, device, NOW + DEFAULT_LIFETIME).await,
        ActivationState::Expired
    );
    assert_eq!(sealed_copies(&ground).await, 1);

    redeem(&ground, &Presented::Token(token), NOW)
        .await
        .unwrap();
    assert_eq!(state(&ground, device, NOW).await, ActivationState::Used);
    assert_eq!(sealed_copies(&ground).await, 0);
}

async fn expired_secrets_are_erased(ground: Ground) {
    let device = new_device(&ground).await;
    let (token, _) = replace(&ground, device).await;
    let end = NOW + DEFAULT_LIFETIME;
    let before = activation::erase_expired(end - Duration::SECOND, &ground.db).await;
    assert_eq!(before.unwrap(), 0);
    assert_eq!(activation::erase_expired(end, &ground.db).await.unwrap(), 1);
    assert_eq!(activation::erase_expired(end, &ground.db).await.unwrap(), 0);
    assert_eq!(sealed_copies(&ground).await, 0);
    assert_eq!(state(&ground, device, end).await, ActivationState::Expired);
    assert!(
        redeem(&ground, &Presented::Token(token), end)
            .await
            .is_err()
    );
}

async fn an_activation_lives_thirty_days_at_most(ground: Ground) {
    let device = new_device(&ground).await;
    let Ground {
        tenant, vault, db, ..
    } = &ground;
    let year = Duration::days(365);
    let made = activation::replace(tenant.id, device, year, vault, NOW, db)
        .await
        .unwrap();
    assert_eq!(made.expires_at, NOW + MAX_LIFETIME);
}

async fn a_deleted_device_cannot_be_activated(ground: Ground) {
    let device = new_device(&ground).await;
    let (token, _) = replace(&ground, device).await;
    device::delete(ground.tenant.id, device, &ground.db)
        .await
        .unwrap();
    let refused = redeem(&ground, &Presented::Token(token), NOW).await;
    assert!(matches!(refused, Err(StoreError::NotFound)));
    assert_eq!(sealed_copies(&ground).await, 0);
}

async fn the_secrets_of_an_activation_open_at_its_row_only(ground: Ground) {
    let device = new_device(&ground).await;
    replace(&ground, device).await;
    let swap = "UPDATE activations SET token_sealed = code_sealed";
    ground.db.execute_unprepared(swap).await.unwrap();
    let Ground {
        tenant, vault, db, ..
    } = &ground;
    let shown = activation::load(tenant.id, device, vault, NOW, db).await;
    assert!(matches!(shown, Err(StoreError::Vault(_))), "{shown:?}");
}

async fn the_same_phone_may_ask_again_for_a_while(ground: Ground) {
    let device = new_device(&ground).await;
    let (token, code) = replace(&ground, device).await;
    let ask = async |public_key, now| {
        let phone = Phone {
            public_key,
            ..PHONE
        };
        let presented = Presented::Token(token.clone());
        activation::redeem(&presented, &phone, &ground.vault, now, &ground.db).await
    };
    let first = ask([7; 32], NOW).await.unwrap();
    assert!(!first.again);
    let just_in_time = NOW + REPEAT_TIME - Duration::microseconds(1);
    let second = ask([7; 32], just_in_time).await.unwrap();
    assert!(second.again);
    assert_eq!(second.credential, first.credential);
    let activated = device::load(ground.tenant.id, device, &ground.db).await;
    assert_eq!(activated.unwrap().activated_at, Some(NOW));
    for (key, now) in [([8; 32], NOW), ([7; 32], NOW + REPEAT_TIME)] {
        let refused = ask(key, now).await;
        assert!(matches!(refused, Err(StoreError::NotFound)), "{refused:?}");
    }
    let by_code = Presented::Code(code);
    let by_code = activation::redeem(&by_code, &PHONE, &ground.vault, NOW, &ground.db).await;
    assert!(by_code.unwrap().again, "either secret is the activation's");
    replace(&ground, device).await;
    let reset = ask([7; 32], NOW).await;
    assert!(matches!(reset, Err(StoreError::NotFound)), "{reset:?}");
}

async fn who_holds_an_activation_sees_whether_it_was_used(ground: Ground) {
    let (device, tenant, db) = (new_device(&ground).await, ground.tenant.id, &ground.db);
    let (token, _) = replace(&ground, device).await;
    let using = begin(db).await.unwrap();
    let presented = Presented::Token(token);
    activation::redeem(&presented, &PHONE, &ground.vault, NOW, &using)
        .await
        .unwrap();
    let resetting = async {
        let transaction = begin(db).await.unwrap();
        activation::hold(tenant, device, &transaction)
            .await
            .unwrap();
        let found = device::load(tenant, device, &transaction).await;
        found.unwrap().activated_at
    };
    let committing = async {
        // Time for the other to read, if nothing kept it.
        for _ in 0..20 {
            device::load(tenant, device, db).await.unwrap();
        }
        commit(using).await.unwrap();
    };
    let (activated_at, ()) = tokio::join!(resetting, committing);
    assert_eq!(activated_at, Some(NOW));
}
