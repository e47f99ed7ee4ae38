use store::user::{self, NewUser};
use store::{Secret, StoreError, begin, commit, second_factor};
use uuid::Uuid;

use crate::ground::{Ground, NOW, after_minutes, new_user, on_both};

on_both! {
    an_address_is_found_and_taken_in_any_case,
    a_chosen_password_ends_the_one_time_password,
    a_proof_counts_until_password_or_second_factor_change,
    a_proof_that_is_relied_on_makes_a_new_password_wait,
}

async fn an_address_is_found_and_taken_in_any_case(ground: Ground) {
    let db = &ground.db;
    let user = new_user("Jörg.Über@Example.org", db).await;
    let (found, _) = user::find_by_email(" jörg.ÜBER@example.ORG ", db)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found, user);
    assert_eq!(found.email, "Jörg.Über@Example.org");
    assert!(
        user::find_by_email("nobody@example.org", db)
            .await
            .unwrap()
            .is_none()
    );

    let again = NewUser {
        email: "JÖRG.über@example.org",
        first_name: "",
        last_name: "",
        installation_administrator: false,
        password_phc: &Secret::new("x"),
    };
    let error = user::insert(&again, NOW, db).await.unwrap_err();
    assert!(
        matches!(error, StoreError::Conflict { field: "email" }),
        "{error}"
    );
    assert_eq!(user::count(db).await.unwrap(), 2);
}

async fn a_chosen_password_ends_the_one_time_password(ground: Ground) {
    let Ground { db, user, .. } = &ground;
    assert!(user.must_set_password);
    user::set_password(user.id, &Secret::new("$chosen"), db)
        .await
        .unwrap();
    assert!(!user::load(user.id, db).await.unwrap().must_set_password);
    let stored = user::load_password(user.id, db).await.unwrap();
    assert_eq!(stored.reveal(), "$chosen");

    user::set_one_time_password(user.id, &Secret::new("$once"), db)
        .await
        .unwrap();
    let (found, stored) = user::find_by_email("ada@example.org", db)
        .await
        .unwrap()
        .unwrap();
    assert!(found.must_set_password);
    assert_eq!(stored.reveal(), "$once");

    let nobody = user::set_password(Uuid::nil(), &Secret::new("x"), db).await;
    assert!(matches!(nobody, Err(StoreError::NotFound)));
    assert!(matches!(
        user::load(Uuid::nil(), db).await,
        Err(StoreError::NotFound)
    ));
}

async fn a_proof_counts_until_password_or_second_factor_change(ground: Ground) {
    let Ground {
        db, vault, user, ..
    } = &ground;
    let id = user.id;
    let version = async || user::load(id, db).await.unwrap().version;
    let counts = async |version| {
        let transaction = begin(db).await.unwrap();
        let counts = user::still_proves(id, version, &transaction).await;
        counts.unwrap()
    };
    let proved = version().await;
    assert_eq!(proved, user.version);
    user::set_email(id, "countess@example.org", db)
        .await
        .unwrap();
    second_factor::begin_with(id, &Secret::new("KEY"), vault, NOW, db)
        .await
        .unwrap();
    assert!(counts(proved).await, "neither is a proof");

    user::set_password(id, &Secret::new("$chosen"), db)
        .await
        .unwrap();
    assert!(!counts(proved).await);
    let proved = version().await;
    assert!(counts(proved).await);
    second_factor::confirm(id, 1, after_minutes(1), db)
        .await
        .unwrap();
    assert!(!counts(proved).await, "a second factor was turned on");
    let proved = version().await;
    second_factor::delete(id, db).await.unwrap();
    assert!(!counts(proved).await, "it was turned off");
    let proved = version().await;
    user::set_one_time_password(id, &Secret::new("$once"), db)
        .await
        .unwrap();
    assert!(!counts(proved).await);
}

async fn a_proof_that_is_relied_on_makes_a_new_password_wait(ground: Ground) {
    let Ground { db, user, .. } = &ground;
    let relying = begin(db).await.unwrap();
    let counts = user::still_proves(user.id, user.version, &relying).await;
    assert!(counts.unwrap());
    let chosen = Secret::new("$chosen");
    let mut replaced = Box::pin(user::set_password(user.id, &chosen, db));
    tokio::select! {
        biased;
        _ = &mut replaced => panic!("the password changed under who relied on it"),
        found = user::load(user.id, db) => assert_eq!(found.unwrap().version, user.version),
    }
    commit(relying).await.unwrap();
    replaced.await.unwrap();
    let found = user::load(user.id, db).await.unwrap();
    assert_eq!(found.version, user.version + 1);
}
