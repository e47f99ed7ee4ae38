use store::second_factor::{self, HalfSignIn};
use store::session::{self, NewSession, SessionLifetime, SignedInBy};
use store::sign_on::{self, ATTEMPT_LIFE, Attempt, NewAttempt, SignOnFields, SignOnSettings};
use store::{NewPeople, Role, Secret, StoreError, begin, membership, tenant};
use time::Duration;
use uuid::Uuid;

use crate::ground::{Ground, NOW, new_user, on_both};

const ISSUER: &str = "https://login.acme.example";

on_both! {
    settings_are_kept_with_their_secret_sealed,
    a_secret_stays_for_the_client_that_it_was_entered_for,
    another_client_ends_what_its_provider_vouched_for,
    a_second_factor_counts_while_the_provider_is_trusted_with_it,
    what_a_provider_vouched_for_counts_until_its_settings_change,
    a_domain_leads_to_one_tenant,
    a_subject_is_one_member_until_it_leaves,
    a_sign_in_comes_back_once_to_its_browser,
}

fn fields() -> SignOnFields {
    SignOnFields {
        name: "Acme login".to_owned(),
        issuer: ISSUER.to_owned(),
        client_id: "tandem".to_owned(),
        domains: vec!["acme.example".to_owned(), "acme.test".to_owned()],
        new_people: NewPeople::ReadOnly,
        trusts_addresses: true,
        trusts_second_factor: false,
        required: true,
    }
}

async fn set(
    fields: &SignOnFields,
    secret: Option<&str>,
    ground: &Ground,
) -> Result<SignOnSettings, StoreError> {
    let secret = secret.map(Secret::new);
    let (tenant, vault) = (ground.tenant.id, &ground.vault);
    sign_on::set_settings(tenant, fields, secret.as_ref(), None, vault, &ground.db).await
}

async fn settings_are_kept_with_their_secret_sealed(ground: Ground) {
    let Ground {
        db, vault, tenant, ..
    } = &ground;
    let load = async || sign_on::load_settings(tenant.id, vault, db).await.unwrap();
    assert_eq!(load().await, None);
    let made = set(&fields(), Some("s3cret"), &ground).await.unwrap();
    assert_eq!(load().await, Some(made.clone()));
    assert_eq!(made.client_secret, Some(Secret::new("s3cret")));
    assert_eq!(made.domains, ["acme.example", "acme.test"]);
    assert_eq!((made.version, made.new_people), (1, NewPeople::ReadOnly));
    assert!(made.required && made.trusts_addresses && !made.trusts_second_factor);
    let of = tenant::load(tenant.id, db).await.unwrap();
    assert!(of.sign_on_required);

    let stale = sign_on::set_settings(tenant.id, &fields(), None, Some(7), vault, db).await;
    assert!(matches!(
        stale,
        Err(StoreError::StaleVersion { current: 1 })
    ));
    let nowhere = sign_on::set_settings(Uuid::nil(), &fields(), None, None, vault, db).await;
    assert!(matches!(nowhere, Err(StoreError::NotFound)));

    sign_on::delete_settings(tenant.id, db).await.unwrap();
    assert_eq!(load().await, None);
    assert!(
        !tenant::load(tenant.id, db).await.unwrap().sign_on_required,
        "nobody must go where there is no way"
    );
    let again = sign_on::delete_settings(tenant.id, db).await;
    assert!(matches!(again, Err(StoreError::NotFound)));
}

async fn a_secret_stays_for_the_client_that_it_was_entered_for(ground: Ground) {
    set(&fields(), Some("s3cret"), &ground).await.unwrap();
    let renamed = SignOnFields {
        name: "Other words".to_owned(),
        ..fields()
    };
    let kept = set(&renamed, None, &ground).await.unwrap();
    assert_eq!(kept.client_secret, Some(Secret::new("s3cret")));
    assert_eq!((kept.name.as_str(), kept.version), ("Other words", 2));
    let replaced = set(&renamed, Some("newer"), &ground).await.unwrap();
    assert_eq!(replaced.client_secret, Some(Secret::new("newer")));
    let elsewhere = SignOnFields {
        issuer: "https://evil.example".to_owned(),
        ..fields()
    };
    let lost = set(&elsewhere, None, &ground).await.unwrap();
    assert_eq!(lost.client_secret, None);
}

async fn another_client_ends_what_its_provider_vouched_for(ground: Ground) {
    let Ground {
        db, user, tenant, ..
    } = &ground;
    let lifetime = SessionLifetime {
        absolute: Duration::hours(1),
        idle: Duration::hours(1),
    };
    let vouched = NewSession {
        user: user.id,
        by: SignedInBy::Provider {
            tenant: tenant.id,
            authenticated_at: None,
            second_factor: false,
        },
        browser: "",
        address: "192.0.2.7",
    };
    let lives = async |token: &Secret| {
        let found = session::find(token.reveal(), &lifetime, NOW, db).await;
        found.unwrap().is_some()
    };
    set(&fields(), None, &ground).await.unwrap();
    let token = session::insert(&vouched, &lifetime, NOW, db).await.unwrap();
    let renamed = SignOnFields {
        name: "Other words".to_owned(),
        ..fields()
    };
    set(&renamed, None, &ground).await.unwrap();
    assert!(lives(&token).await);
    let elsewhere = SignOnFields {
        client_id: "another".to_owned(),
        ..fields()
    };
    let half = HalfSignIn {
        user: user.id,
        sign_on_tenant: Some(tenant.id),
    };
    let wait = async || {
        second_factor::insert_half_sign_in(&half, NOW, db)
            .await
            .unwrap()
    };
    let waits = async |half: &Secret| {
        let found = second_factor::find_half_sign_in(half.reveal(), NOW, db).await;
        found.unwrap().is_some()
    };
    let half = wait().await;
    set(&renamed, None, &ground).await.unwrap();
    assert!(waits(&half).await);
    set(&elsewhere, None, &ground).await.unwrap();
    assert!(!lives(&token).await && !waits(&half).await);
    let (token, half) = (
        session::insert(&vouched, &lifetime, NOW, db).await.unwrap(),
        wait().await,
    );
    sign_on::delete_settings(tenant.id, db).await.unwrap();
    assert!(!lives(&token).await && !waits(&half).await);
}

async fn a_second_factor_counts_while_the_provider_is_trusted_with_it(ground: Ground) {
    let Ground {
        db, user, tenant, ..
    } = &ground;
    let lifetime = SessionLifetime {
        absolute: Duration::hours(1),
        idle: Duration::hours(1),
    };
    let trusting = SignOnFields {
        trusts_second_factor: true,
        ..fields()
    };
    let begin = async |second_factor| {
        let vouched = NewSession {
            user: user.id,
            by: SignedInBy::Provider {
                tenant: tenant.id,
                authenticated_at: None,
                second_factor,
            },
            browser: "",
            address: "192.0.2.7",
        };
        session::insert(&vouched, &lifetime, NOW, db).await.unwrap()
    };
    let lives = async |token: &Secret| {
        let found = session::find(token.reveal(), &lifetime, NOW, db).await;
        found.unwrap().is_some()
    };
    let trusts = async || sign_on::trusts_second_factor(tenant.id, db).await.unwrap();
    assert!(!trusts().await);
    set(&trusting, None, &ground).await.unwrap();
    assert!(trusts().await);
    let (with, without) = (begin(true).await, begin(false).await);
    set(&trusting, None, &ground).await.unwrap();
    assert!(lives(&with).await);
    set(&fields(), None, &ground).await.unwrap();
    assert!(!trusts().await);
    assert!(!lives(&with).await);
    assert!(lives(&without).await, "it rests on nothing that is gone");
}

async fn what_a_provider_vouched_for_counts_until_its_settings_change(ground: Ground) {
    let Ground { db, tenant, .. } = &ground;
    let counts = async |version| {
        let transaction = begin(db).await.unwrap();
        let counts = sign_on::still_vouches(tenant.id, version, &transaction).await;
        counts.unwrap()
    };
    assert!(!counts(1).await);
    let made = set(&fields(), None, &ground).await.unwrap();
    assert!(counts(made.version).await);
    let changed = set(&fields(), None, &ground).await.unwrap();
    assert!(!counts(made.version).await);
    assert!(counts(changed.version).await);
    sign_on::delete_settings(tenant.id, db).await.unwrap();
    assert!(!counts(changed.version).await);
}

async fn a_domain_leads_to_one_tenant(ground: Ground) {
    let Ground {
        db, vault, tenant, ..
    } = &ground;
    let other = ground.other_tenant().await;
    set(&fields(), None, &ground).await.unwrap();
    let of = async |domain: &str| {
        let found = sign_on::offer_of_domain(domain, db).await.unwrap();
        found.map(|offer| (offer.tenant.id, offer.name, offer.issuer))
    };
    let expected = (tenant.id, "Acme login".to_owned(), ISSUER.to_owned());
    assert_eq!(of("ACME.example").await, Some(expected.clone()));
    assert_eq!(of("umbrella.example").await, None);
    let by_slug = sign_on::offer_of_slug("acme", db).await.unwrap().unwrap();
    assert_eq!(by_slug.tenant.id, tenant.id);
    assert_eq!(sign_on::offer_of_slug("umbrella", db).await.unwrap(), None);
    assert_eq!(sign_on::offer_of_slug("nowhere", db).await.unwrap(), None);

    let taken = sign_on::set_settings(other.id, &fields(), None, None, vault, db).await;
    assert!(matches!(
        taken,
        Err(StoreError::Conflict { field: "domains" })
    ));
    assert_eq!(of("acme.example").await, Some(expected));
    let fewer = SignOnFields {
        domains: vec!["acme.test".to_owned()],
        ..fields()
    };
    set(&fewer, None, &ground).await.unwrap();
    assert_eq!(of("acme.example").await, None);
    sign_on::set_settings(
        other.id,
        &SignOnFields {
            domains: vec!["acme.example".to_owned()],
            ..fields()
        },
        None,
        None,
        vault,
        db,
    )
    .await
    .unwrap();
}

async fn a_subject_is_one_member_until_it_leaves(ground: Ground) {
    let Ground { db, tenant, .. } = &ground;
    let member = new_user("bob@acme.example", db).await;
    let bind =
        async |subject: &str| sign_on::bind(tenant.id, ISSUER, subject, member.id, NOW, db).await;
    let find = async |tenant: Uuid, issuer: &str, subject: &str| {
        sign_on::find_identity(tenant, issuer, subject, db)
            .await
            .unwrap()
    };
    assert!(bind("s-1").await.is_err(), "only members are bound");
    membership::insert(tenant.id, member.id, Role::ReadOnly, NOW, db)
        .await
        .unwrap();
    assert!(!sign_on::is_used(tenant.id, ISSUER, db).await.unwrap());
    bind("s-1").await.unwrap();
    assert!(sign_on::is_used(tenant.id, ISSUER, db).await.unwrap());
    assert_eq!(find(tenant.id, ISSUER, "s-1").await, Some(member.id));
    assert_eq!(find(tenant.id, ISSUER, "S-1").await, None);
    assert_eq!(find(tenant.id, "https://evil.example", "s-1").await, None);
    assert_eq!(find(Uuid::nil(), ISSUER, "s-1").await, None);
    assert!(matches!(
        bind("s-2").await,
        Err(StoreError::Conflict { field: "email" })
    ));
    membership::delete(tenant.id, member.id, db).await.unwrap();
    assert_eq!(find(tenant.id, ISSUER, "s-1").await, None);
}

async fn a_sign_in_comes_back_once_to_its_browser(ground: Ground) {
    let Ground {
        db, user, tenant, ..
    } = &ground;
    let begin = async |state: &str| {
        let new = NewAttempt {
            state: &Secret::new(state),
            browser: "browser",
            tenant: tenant.id,
            confirms: Some(user.id),
            next: Some("/t/acme"),
        };
        sign_on::insert_attempt(&new, NOW, db).await.unwrap();
    };
    let take = async |state: &str, browser: &str, now| {
        sign_on::take_attempt(state, browser, now, db)
            .await
            .unwrap()
    };
    begin("first").await;
    assert_eq!(take("first", "another browser", NOW).await, None);
    assert_eq!(take("second", "browser", NOW).await, None);
    assert_eq!(take("first", "browser", NOW + ATTEMPT_LIFE).await, None);
    let expected = Attempt {
        tenant: tenant.id,
        confirms: Some(user.id),
        next: Some("/t/acme".to_owned()),
    };
    assert_eq!(take("first", "browser", NOW).await, Some(expected));
    assert_eq!(take("first", "browser", NOW).await, None);
    begin("late").await;
    let swept = sign_on::delete_expired(NOW + ATTEMPT_LIFE, db).await;
    assert_eq!(swept.unwrap(), 1);
    assert_eq!(take("late", "browser", NOW).await, None);
}
