use testkit::sim_net::SimNet;

use super::*;

const ALL: [Algorithm; 3] = [Algorithm::Md5, Algorithm::Sha256, Algorithm::Sha512_256];

fn aor(user: u32) -> Aor {
    Aor::parse(&format!("sip:{user}@acme.test")).unwrap()
}

fn holding(capacity: usize) -> AccountCachePolicy {
    AccountCachePolicy {
        capacity,
        ..AccountCachePolicy::default()
    }
}

#[test]
fn absence_is_remembered_for_its_own_time() {
    let now = SimNet::start();
    let mut accounts = Accounts::new(AccountCachePolicy::default(), &ALL);
    assert_eq!(
        accounts.find(&aor(1), now).map(|known| known.is_some()),
        None
    );
    accounts.remember(&aor(1), None, now);
    let known = |after| {
        let at = now + Duration::from_secs(after);
        accounts.find(&aor(1), at).map(|known| known.is_some())
    };
    assert_eq!((known(59), known(60)), (Some(false), None));
}

#[test]
fn the_table_never_outgrows_its_capacity() {
    let now = SimNet::start();
    let policy = holding(3);
    let mut accounts = Accounts::new(policy, &ALL);
    for user in 0..10 {
        accounts.remember(&aor(user), None, now);
        accounts.remember(&aor(0), None, now);
    }
    assert!(accounts.len <= 3 && accounts.ring.len() <= 6);
    assert!(accounts.find(&aor(0), now).is_some());
    accounts.forget(&aor(0));
    assert!(accounts.find(&aor(0), now).is_none());
    accounts.forget_all();
    assert!(accounts.find(&aor(9), now).is_none());
}

#[test]
fn one_that_is_loaded_again_and_again_does_not_make_the_table_grow() {
    let now = SimNet::start();
    let policy = holding(3);
    let mut accounts = Accounts::new(policy, &ALL);
    accounts.remember(&aor(0), None, now);
    for _ in 0..100 {
        accounts.remember(&aor(1), None, now);
    }
    assert!(accounts.ring.len() <= 6);
    assert!(accounts.find(&aor(1), now).is_some());
}

#[test]
fn who_is_over_leaves_his_room_to_who_is_read_ahead() {
    let mut now = SimNet::start();
    let policy = holding(3);
    let mut accounts = Accounts::new(policy, &ALL);
    for user in 0..3 {
        accounts.remember(&aor(user), Some(&account(user, "x", None)), now);
    }
    now += policy.lifetime;
    accounts.remember_ahead(&account(9, "x", None), now);
    assert!(accounts.find(&aor(9), now).flatten().is_some());
}

#[test]
fn who_is_read_ahead_takes_nobodys_room_and_counts_anew() {
    let mut now = SimNet::start();
    let policy = holding(3);
    let mut accounts = Accounts::new(policy, &ALL);
    accounts.remember(&aor(1), Some(&account(1, "1", None)), now);
    accounts.remember(&aor(2), None, now);
    for user in 3..6 {
        accounts.remember_ahead(&account(user, "x", None), now);
    }
    let known = |accounts: &Accounts, now| {
        let is_there = |user: &u32| accounts.find(&aor(*user), now).flatten().is_some();
        (1..6).filter(is_there).collect::<Vec<_>>()
    };
    assert_eq!(known(&accounts, now), [1, 3]);
    assert!(
        accounts
            .find(&aor(2), now)
            .is_some_and(|known| known.is_none())
    );
    now += policy.lifetime / 2;
    for user in 1..6 {
        accounts.remember_ahead(&account(user, "x", None), now);
    }
    // The absence of the second has lasted its time, and who is read first has the room.
    assert_eq!(known(&accounts, now), [1, 2, 3]);
    now += policy.lifetime / 2;
    assert_eq!(known(&accounts, now), [1, 2, 3]);
    assert_eq!(
        accounts.find(&aor(1), now).unwrap().unwrap().auth_username,
        "x"
    );
    now += policy.lifetime / 2;
    assert_eq!(known(&accounts, now), [0; 0]);
    assert!(accounts.len <= 3 && accounts.ring.len() <= 6);
}

fn account(user: u32, auth_username: &str, display_name: Option<&str>) -> Account {
    Account {
        owner: Owner {
            tenant: 1 << 100,
            account: user.into(),
        },
        aor: aor(user),
        auth_username: auth_username.to_owned(),
        secret: DigestSecret::from_password(auth_username, "acme.test", "secret"),
        display_name: display_name.map(str::to_owned),
    }
}

fn same(one: &Account, other: &Account) -> bool {
    let parts = |account: &Account| {
        let DigestSecret {
            md5_ha1,
            sha256_ha1,
            sha512_256_ha1,
        } = account.secret;
        let names = (account.auth_username.clone(), account.display_name.clone());
        let hashes = (md5_ha1, sha256_ha1, sha512_256_ha1);
        (account.owner, account.aor.clone(), names, hashes)
    };
    parts(one) == parts(other)
}

#[test]
fn an_account_is_found_as_it_was_told() {
    let now = SimNet::start();
    let mut accounts = Accounts::new(AccountCachePolicy::default(), &ALL);
    let told = [
        account(1, "1", None),
        account(2, "somebody else", None),
        account(3, "3", Some("")),
        account(4, "", Some("Zoë Doe")),
    ];
    for account in &told {
        accounts.remember(&account.aor, Some(account), now);
    }
    for account in &told {
        let found = accounts.find(&account.aor, now).unwrap().unwrap();
        assert!(same(&found.to_account(), account), "{}", account.aor);
    }
    let changed = account(2, "2", Some("Two"));
    accounts.remember(&changed.aor, Some(&changed), now);
    let found = accounts.find(&changed.aor, now).unwrap().unwrap();
    assert!(same(&found.to_account(), &changed) && accounts.len == 4);
}

#[test]
fn only_hashes_that_may_be_asked_for_are_kept() {
    let now = SimNet::start();
    let mut accounts = Accounts::new(AccountCachePolicy::default(), &[Algorithm::Sha256Sess]);
    let told = account(1, "other", Some("One"));
    accounts.remember(&told.aor, Some(&told), now);
    let found = accounts.find(&told.aor, now).unwrap().unwrap();
    assert_eq!(found.secret.sha256_ha1, told.secret.sha256_ha1);
    assert_eq!(found.secret.md5_ha1, [0; 16]);
    assert_eq!(
        (found.auth_username, found.display_name),
        (&*told.auth_username, told.display_name.as_deref())
    );
}

#[test]
fn who_is_over_makes_room_and_numbers_go_round() {
    let mut now = SimNet::start();
    let policy = holding(100);
    let mut accounts = Accounts::new(policy, &ALL);
    accounts.first = NUMBERS - 7;
    for user in 0..50 {
        let account = account(user, "x", None);
        accounts.remember(&account.aor, Some(&account), now);
    }
    for user in 0..50 {
        let aor = aor(user);
        let found = accounts.find(&aor, now).unwrap().unwrap();
        assert_eq!(found.owner.account, u128::from(user));
    }
    assert_eq!(accounts.first, NUMBERS - 7);
    now += policy.lifetime;
    accounts.remember(&aor(60), None, now);
    assert_eq!((accounts.len, accounts.ring.len()), (1, 1));
    assert!(accounts.find(&aor(60), now).unwrap().is_none());
}
