use store::invitation::{self, INVITATION_LIFE, NewInvitation};
use store::link::{self, LINK_LIFE, NewLink, UsedLink};
use store::{LinkPurpose, PageRequest, Role, StoreError, membership, user};
use time::Duration;
use uuid::Uuid;

use crate::ground::{Ground, NOW, after_minutes, new_user, on_both};

on_both! {
    an_invitation_is_accepted_once,
    of_many_who_accept_at_the_same_time_one_does,
    an_invitation_is_renewed_listed_and_taken_back,
    a_link_works_once_for_its_purpose_and_its_time,
    of_many_who_use_a_link_at_the_same_time_one_does,
    a_newer_link_ends_the_older_of_the_same_purpose,
    a_tenant_keeps_an_owner,
    two_owners_cannot_go_at_the_same_time,
    an_address_is_changed_to_one_that_is_free,
}

fn grace(role: Role) -> NewInvitation<'static> {
    NewInvitation {
        email: " Grace@Example.org ",
        role,
        invited_by: "Ada Lovelace",
    }
}

async fn an_invitation_is_accepted_once(ground: Ground) {
    let Ground { db, tenant, .. } = &ground;
    let new = grace(Role::Administrator);
    let (made, token) = invitation::insert(tenant.id, &new, NOW, db).await.unwrap();
    assert_eq!(made.email, "Grace@Example.org");
    let again = NewInvitation {
        email: "grace@example.ORG",
        ..new
    };
    let again = invitation::insert(tenant.id, &again, NOW, db).await;
    assert!(matches!(
        again,
        Err(StoreError::Conflict { field: "email" })
    ));
    let other = ground.other_tenant().await;
    invitation::insert(other.id, &new, NOW, db).await.unwrap();

    let find = async |token: &str, now| invitation::find(token, now, db).await.unwrap();
    assert_eq!(find(token.reveal(), NOW).await, Some(made.clone()));
    assert_eq!(find(token.reveal(), NOW + INVITATION_LIFE).await, None);
    assert_eq!(find("", NOW).await, None);
    let take = async || invitation::take(token.reveal(), NOW, db).await.unwrap();
    assert_eq!(take().await, Some(made));
    assert_eq!(take().await, None);
}

async fn of_many_who_accept_at_the_same_time_one_does(ground: Ground) {
    let Ground { db, tenant, .. } = &ground;
    let (made, token) = invitation::insert(tenant.id, &grace(Role::Owner), NOW, db)
        .await
        .unwrap();
    let mut race = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (db, token) = (db.clone(), token.clone());
        race.spawn(async move { invitation::take(token.reveal(), NOW, &db).await.unwrap() });
    }
    let taken: Vec<_> = race.join_all().await.into_iter().flatten().collect();
    assert_eq!(taken, [made]);
}

async fn an_invitation_is_renewed_listed_and_taken_back(ground: Ground) {
    let Ground { db, tenant, .. } = &ground;
    let other = ground.other_tenant().await;
    let (made, first) = invitation::insert(tenant.id, &grace(Role::Owner), NOW, db)
        .await
        .unwrap();
    let later = after_minutes(60 * 24 * 8);
    let foreign = invitation::renew(other.id, made.id, later, db).await;
    assert!(matches!(foreign, Err(StoreError::NotFound)));
    let (renewed, second) = invitation::renew(tenant.id, made.id, later, db)
        .await
        .unwrap();
    assert_eq!(renewed.expires_at, later + INVITATION_LIFE);
    assert_eq!(
        invitation::find(first.reveal(), later, db).await.unwrap(),
        None
    );
    assert!(
        invitation::find(second.reveal(), later, db)
            .await
            .unwrap()
            .is_some()
    );

    let request = PageRequest::default();
    let listed = invitation::list(tenant.id, &request, db).await.unwrap();
    assert_eq!(listed.items, std::slice::from_ref(&renewed));
    assert_eq!(
        invitation::list(other.id, &request, db)
            .await
            .unwrap()
            .items,
        []
    );
    let old = renewed.expires_at + Duration::days(30);
    assert_eq!(
        invitation::delete_expired(old - Duration::seconds(1), db)
            .await
            .unwrap(),
        0
    );
    let foreign = invitation::delete(other.id, made.id, db).await;
    assert!(matches!(foreign, Err(StoreError::NotFound)));
    invitation::delete(tenant.id, made.id, db).await.unwrap();
    assert_eq!(
        invitation::find(second.reveal(), later, db).await.unwrap(),
        None
    );
    invitation::insert(tenant.id, &grace(Role::Owner), NOW, db)
        .await
        .unwrap();
    assert_eq!(invitation::delete_expired(old, db).await.unwrap(), 1);
}

fn reset(user: Option<Uuid>) -> NewLink<'static> {
    NewLink {
        purpose: LinkPurpose::PasswordReset,
        user,
        value: Some("value"),
    }
}

async fn a_link_works_once_for_its_purpose_and_its_time(ground: Ground) {
    let Ground { db, user, .. } = &ground;
    let token = link::insert(&reset(Some(user.id)), NOW, db).await.unwrap();
    let take = async |purpose, now| link::take(purpose, token.reveal(), now, db).await.unwrap();
    let works = async |purpose, now| link::works(purpose, token.reveal(), now, db).await.unwrap();
    assert!(
        works(LinkPurpose::PasswordReset, NOW).await,
        "looking takes nothing"
    );
    assert!(!works(LinkPurpose::EmailChange, NOW).await);
    assert!(!works(LinkPurpose::PasswordReset, NOW + LINK_LIFE).await);
    assert_eq!(take(LinkPurpose::EmailChange, NOW).await, None);
    assert_eq!(
        take(LinkPurpose::PasswordReset, NOW + LINK_LIFE).await,
        None
    );
    let used = UsedLink {
        user: user.id,
        value: Some("value".to_owned()),
    };
    assert_eq!(take(LinkPurpose::PasswordReset, NOW).await, Some(used));
    assert_eq!(take(LinkPurpose::PasswordReset, NOW).await, None);

    let nobody = link::insert(&reset(None), NOW, db).await.unwrap();
    let taken = link::take(LinkPurpose::PasswordReset, nobody.reveal(), NOW, db).await;
    assert_eq!(taken.unwrap(), None);
    link::insert(&reset(Some(user.id)), NOW, db).await.unwrap();
    assert_eq!(link::delete_expired(NOW + LINK_LIFE, db).await.unwrap(), 1);
}

async fn of_many_who_use_a_link_at_the_same_time_one_does(ground: Ground) {
    let Ground { db, user, .. } = &ground;
    let token = link::insert(&reset(Some(user.id)), NOW, db).await.unwrap();
    let mut race = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (db, token) = (db.clone(), token.clone());
        race.spawn(async move {
            let taken = link::take(LinkPurpose::PasswordReset, token.reveal(), NOW, &db);
            taken.await.unwrap()
        });
    }
    let used: Vec<_> = race.join_all().await.into_iter().flatten().collect();
    assert_eq!(used.len(), 1);
}

async fn a_newer_link_ends_the_older_of_the_same_purpose(ground: Ground) {
    let Ground { db, user, .. } = &ground;
    let other = new_user("other@example.org", db).await;
    let change = NewLink {
        purpose: LinkPurpose::EmailChange,
        ..reset(Some(user.id))
    };
    let mut tokens = Vec::new();
    for new in [
        reset(Some(user.id)),
        change,
        reset(Some(other.id)),
        reset(Some(user.id)),
    ] {
        tokens.push((new.purpose, link::insert(&new, NOW, db).await.unwrap()));
    }
    link::delete_by_user(other.id, db).await.unwrap();
    let mut works = Vec::new();
    for (purpose, token) in &tokens {
        works.push(
            link::take(*purpose, token.reveal(), NOW, db)
                .await
                .unwrap()
                .is_some(),
        );
    }
    assert_eq!(works, [false, true, false, true]);
}

async fn a_tenant_keeps_an_owner(ground: Ground) {
    let Ground {
        db, tenant, user, ..
    } = &ground;
    let is_last = |result: Result<Role, StoreError>| matches!(result, Err(StoreError::LastOwner));
    let set = async |user, role| membership::set_role(tenant.id, user, role, db).await;
    assert!(is_last(set(user.id, Role::ReadOnly).await));
    assert!(is_last(membership::delete(tenant.id, user.id, db).await));
    assert_eq!(set(user.id, Role::Owner).await.unwrap(), Role::Owner);
    let other = new_user("other@example.org", db).await;
    assert!(matches!(
        set(other.id, Role::Owner).await,
        Err(StoreError::NotFound)
    ));
    assert!(
        !membership::is_member(tenant.id, "OTHER@example.org", db)
            .await
            .unwrap()
    );
    membership::insert(tenant.id, other.id, Role::Administrator, NOW, db)
        .await
        .unwrap();
    assert!(
        membership::is_member(tenant.id, "OTHER@example.org", db)
            .await
            .unwrap()
    );
    assert!(is_last(membership::delete(tenant.id, user.id, db).await));
    assert_eq!(
        set(other.id, Role::Owner).await.unwrap(),
        Role::Administrator
    );
    assert_eq!(
        membership::delete(tenant.id, user.id, db).await.unwrap(),
        Role::Owner
    );
    assert!(is_last(set(other.id, Role::Administrator).await));
}

async fn two_owners_cannot_go_at_the_same_time(ground: Ground) {
    let Ground {
        db, tenant, user, ..
    } = &ground;
    let other = new_user("other@example.org", db).await;
    membership::insert(tenant.id, other.id, Role::Owner, NOW, db)
        .await
        .unwrap();
    let (first, second) = tokio::join!(
        membership::delete(tenant.id, user.id, db),
        membership::set_role(tenant.id, other.id, Role::ReadOnly, db)
    );
    assert!(first.is_ok() != second.is_ok());
}

async fn an_address_is_changed_to_one_that_is_free(ground: Ground) {
    let Ground { db, user, .. } = &ground;
    new_user("other@example.org", db).await;
    let taken = user::set_email(user.id, "Other@example.org", db).await;
    assert!(matches!(
        taken,
        Err(StoreError::Conflict { field: "email" })
    ));
    user::set_email(user.id, " Ada.Lovelace@Example.org", db)
        .await
        .unwrap();
    let found = user::find_by_email("ada.lovelace@example.org", db)
        .await
        .unwrap();
    assert_eq!(found.unwrap().0.id, user.id);
    let nobody = user::set_email(Uuid::nil(), "x@example.org", db).await;
    assert!(matches!(nobody, Err(StoreError::NotFound)));
}
