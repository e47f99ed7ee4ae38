use store::user::{self, NewUser};
use store::{Secret, StoreError};
use uuid::Uuid;

use crate::ground::{Ground, NOW, new_user, on_both};

on_both! {
    an_address_is_found_and_taken_in_any_case,
    a_chosen_password_ends_the_one_time_password,
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
