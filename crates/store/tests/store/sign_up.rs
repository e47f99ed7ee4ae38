use store::Secret;
use store::sign_up::{self, NewSignUp, SIGN_UP_LIFE};
use time::Duration;

use crate::ground::{Ground, NOW, after_minutes, on_both};

on_both! {
    a_sign_up_is_confirmed_once,
    a_newer_sign_up_of_the_same_address_ends_the_older,
    what_nobody_confirms_vanishes,
    a_puzzle_counts_once,
}

fn new<'a>(email: &'a str, phc: &'a Secret) -> NewSignUp<'a> {
    NewSignUp {
        email,
        first_name: "Nora",
        last_name: "New",
        company: Some("New & Co"),
        phone: "+493012345678",
        country: "DE",
        news: true,
        terms: "https://example.com/terms",
        privacy: "https://example.com/privacy",
        password_phc: phc,
    }
}

async fn sign_up(email: &str, ground: &Ground) -> Secret {
    let phc = Secret::new("$argon2id$hash");
    sign_up::insert(&new(email, &phc), NOW, &ground.db)
        .await
        .unwrap()
}

async fn a_sign_up_is_confirmed_once(ground: Ground) {
    let Ground { db, tenant, .. } = &ground;
    let token = sign_up(" Nora@new.example ", &ground).await;
    assert_eq!(token.reveal().len(), 43);
    let confirm = async |token: &str, now| sign_up::confirm(token, now, db).await.unwrap();
    assert_eq!(confirm("another", NOW).await, None);
    assert_eq!(confirm(token.reveal(), NOW + SIGN_UP_LIFE).await, None);
    let find = async |token: &str, now| sign_up::find(token, now, db).await.unwrap();
    assert_eq!(find("another", NOW).await, None);
    assert_eq!(find(token.reveal(), NOW + SIGN_UP_LIFE).await, None);
    let (email, phc) = find(token.reveal(), after_minutes(5)).await.unwrap();
    assert_eq!(
        (email.as_str(), phc.reveal()),
        ("Nora@new.example", "$argon2id$hash")
    );
    let found = confirm(token.reveal(), after_minutes(5)).await.unwrap();
    assert_eq!(found.email, "Nora@new.example");
    assert_eq!(found.password_phc.reveal(), "$argon2id$hash");
    assert_eq!((found.country.as_str(), found.news), ("DE", true));
    assert_eq!(found.company.as_deref(), Some("New & Co"));
    assert_eq!(confirm(token.reveal(), after_minutes(5)).await, None);
    assert_eq!(find(token.reveal(), after_minutes(5)).await, None);
    sign_up::belongs_to(found.id, tenant.id, db).await.unwrap();
    let long_after = NOW + Duration::days(400);
    assert_eq!(sign_up::delete_expired(long_after, db).await.unwrap(), 0);
}

async fn a_newer_sign_up_of_the_same_address_ends_the_older(ground: Ground) {
    let first = sign_up("nora@new.example", &ground).await;
    let other = sign_up("other@new.example", &ground).await;
    let second = sign_up("NORA@new.example", &ground).await;
    let confirm = async |token: &Secret| {
        let found = sign_up::confirm(token.reveal(), NOW, &ground.db).await;
        found.unwrap().is_some()
    };
    assert!(!confirm(&first).await);
    assert!(confirm(&second).await);
    assert!(confirm(&other).await);
    sign_up("nora@new.example", &ground).await;
    let gone = sign_up::delete_expired(NOW + SIGN_UP_LIFE, &ground.db).await;
    assert_eq!(gone.unwrap(), 1, "what was confirmed stays");
}

async fn what_nobody_confirms_vanishes(ground: Ground) {
    let Ground { db, .. } = &ground;
    sign_up("nora@new.example", &ground).await;
    let just_before = NOW + SIGN_UP_LIFE - Duration::seconds(1);
    assert_eq!(sign_up::delete_expired(just_before, db).await.unwrap(), 0);
    let gone = sign_up::delete_expired(NOW + SIGN_UP_LIFE, db).await;
    assert_eq!(gone.unwrap(), 1);
}

async fn a_puzzle_counts_once(ground: Ground) {
    let Ground { db, .. } = &ground;
    let solve = async |puzzle: &str| {
        sign_up::use_puzzle(puzzle, after_minutes(10), db)
            .await
            .unwrap()
    };
    assert!(solve("one").await);
    assert!(!solve("one").await);
    assert!(solve("two").await);
    let gone = sign_up::delete_expired(after_minutes(10), db).await;
    assert_eq!(gone.unwrap(), 2);
}
