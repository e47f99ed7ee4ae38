use store::tenant::{self, NewTenant};
use store::{PageRequest, Role, StoreError, membership, provider};

use crate::ground::{Ground, NOW, new_user, on_both, search};

on_both! {
    a_tenant_comes_with_its_owner_and_tandems_own_provider,
    a_taken_slug_is_a_conflict_and_leaves_nothing_behind,
    tenants_are_listed_by_name_and_by_user,
    members_are_paged_and_unique,
}

async fn a_tenant_comes_with_its_owner_and_tandems_own_provider(ground: Ground) {
    let Ground {
        db, tenant, user, ..
    } = &ground;
    assert_eq!(tenant::load(tenant.id, db).await.unwrap(), *tenant);
    let found = tenant::find_by_slug("acme", db).await.unwrap();
    assert_eq!(found.as_ref(), Some(tenant));
    assert_eq!(tenant::find_by_slug("nobody", db).await.unwrap(), None);
    let role = membership::find_role(tenant.id, user.id, db).await.unwrap();
    assert_eq!(role, Some(Role::Owner));
    let own = provider::load_own(tenant.id, db).await.unwrap();
    assert!(own.own);
    assert_eq!(own.server, "acme.tandem.example");
}

async fn a_taken_slug_is_a_conflict_and_leaves_nothing_behind(ground: Ground) {
    let Ground { db, user, .. } = &ground;
    for (slug, sip_domain) in [("acme", "new.example"), ("new", "ACME.tandem.example")] {
        let new = NewTenant {
            slug,
            name: "New",
            sip_domain,
            demonstration: true,
            owner: user.id,
        };
        let error = tenant::insert(&new, NOW, db).await.unwrap_err();
        assert!(
            matches!(error, StoreError::Conflict { field: "slug" }),
            "{error}"
        );
    }
    assert_eq!(tenant::count(db).await.unwrap(), 1);
    assert_eq!(tenant::list_by_user(user.id, db).await.unwrap().len(), 1);
}

async fn tenants_are_listed_by_name_and_by_user(ground: Ground) {
    let Ground {
        db, tenant, user, ..
    } = &ground;
    let other = ground.other_tenant().await;
    let listed = tenant::list(&PageRequest::default(), db).await.unwrap();
    assert_eq!(listed.items, [tenant.clone(), other.clone()]);
    assert_eq!(listed.next, None);
    let found = tenant::list(&search("BREL"), db).await.unwrap();
    assert_eq!(found.items, std::slice::from_ref(&other));

    let guest = new_user("guest@example.org", db).await;
    membership::insert(other.id, guest.id, Role::ReadOnly, NOW, db)
        .await
        .unwrap();
    let guests = tenant::list_by_user(guest.id, db).await.unwrap();
    assert_eq!(guests, [(other, Role::ReadOnly)]);
    assert_eq!(tenant::list_by_user(user.id, db).await.unwrap().len(), 2);
    let role = membership::find_role(tenant.id, guest.id, db)
        .await
        .unwrap();
    assert_eq!(role, None);
}

async fn members_are_paged_and_unique(ground: Ground) {
    let Ground {
        db, tenant, user, ..
    } = &ground;
    let mut expected = vec![user.id];
    for name in ["b", "c"] {
        let member = new_user(&format!("{name}@example.org"), db).await;
        membership::insert(tenant.id, member.id, Role::Administrator, NOW, db)
            .await
            .unwrap();
        expected.push(member.id);
    }
    expected.sort();
    let twice = membership::insert(tenant.id, user.id, Role::ReadOnly, NOW, db).await;
    assert!(
        matches!(twice, Err(StoreError::Conflict { field: "email" })),
        "{twice:?}"
    );

    let first = PageRequest {
        limit: 2,
        ..PageRequest::default()
    };
    let page = membership::list(tenant.id, &membership::MemberFilter::default(), &first, db)
        .await
        .unwrap();
    let rest = PageRequest {
        after: page.next.clone(),
        ..PageRequest::default()
    };
    let rest = membership::list(tenant.id, &membership::MemberFilter::default(), &rest, db)
        .await
        .unwrap();
    assert_eq!(
        (page.items.len(), rest.items.len(), rest.next),
        (2, 1, None)
    );
    let listed: Vec<_> = page
        .items
        .iter()
        .chain(&rest.items)
        .map(|m| m.user.id)
        .collect();
    assert_eq!(listed, expected);
}
