use std::collections::BTreeMap;

use sip::{Ids, Transport};

use super::*;
use crate::record::NewBinding;

/// A device of a user, known by its URI.
fn device(user: u32, number: u32, updated: u32, expires: u32) -> Box<[u8]> {
    let uri = format!("sip:{user}@192.0.2.{number};pn-prid=0123456789abcdef0123{user:x}");
    NewBinding {
        contact: &format!("<{uri}>"),
        uri: &uri,
        instance: "",
        reg_id: 0,
        is_outbound: false,
        q_thousandths: 1_000,
        call_id: "1@phone",
        cseq: updated,
        path: "",
        user_agent: "Phone",
        reached_by: Destination::Flow(Flow {
            transport: Transport::Udp,
            local: ([192, 0, 2, 254], 5060).into(),
            peer: ([192, 0, 2, 1], 40_000).into(),
            generation: 0,
        }),
        updated,
        expires,
    }
    .pack()
    .unwrap()
}

fn aor(user: u32) -> Aor {
    Aor::parse(&format!("sip:{user}@acme{}.test", user % 5)).unwrap()
}

#[test]
fn whatever_comes_and_goes_exactly_what_is_bound_is_found() {
    let mut ids = Ids::from_seed([8; 32]);
    let mut bindings = Bindings::default();
    // The second at which a device's binding ends, by user and number.
    let mut model: BTreeMap<(u32, u32), u32> = BTreeMap::new();
    for now in 0..6_000 {
        let (user, number) = (ids.u32() % 200, ids.u32() % 3);
        let expires = now + 1 + ids.u32() % 500;
        let new = device(user, number, now, expires);
        let known = model.contains_key(&(user, number));
        let before = bindings.of(&aor(user));
        let changed = match ids.u32() % 4 {
            0 => {
                model.remove(&(user, number));
                bindings.change(&before, &aor(user), &[Edit::Remove(new)])
            }
            _ => {
                model.insert((user, number), expires);
                bindings.change(&before, &aor(user), &[Edit::Put(new)])
            }
        };
        let is_there = model.contains_key(&(user, number));
        assert_eq!(changed.is_news, known != is_there);
        if now % 7 == 0 {
            bindings.remove_expired(now);
            model.retain(|_, expires| *expires > now);
        }
        if now % 1_000 == 0 {
            bindings.remove_all(&aor(7));
            model.retain(|(user, _), _| *user != 7);
        }
        assert_eq!(bindings.len(), model.len());
        let user = ids.u32() % 200;
        let mut found: Vec<_> = bindings
            .of(&aor(user))
            .iter()
            .map(BindingRef::expires)
            .collect();
        found.sort_unstable();
        let of_user = model.range((user, 0)..(user + 1, 0));
        let mut expected: Vec<_> = of_user.map(|(_, expires)| *expires).collect();
        expected.sort_unstable();
        assert_eq!(found, expected, "{now}");
    }
    assert_eq!(bindings.list(0, usize::MAX).0.len(), model.len());
    bindings.remove_expired(u32::MAX);
    assert!(bindings.len() == 0 && bindings.names.is_empty());
}

#[test]
fn a_full_table_says_what_it_has_not_kept() {
    let mut bindings = Bindings::default();
    bindings.apply(&aor(1), &[Edit::Put(device(1, 1, 1, 9))]);
    bindings.slots.resize(place(MAX_SLOTS), None);
    let change = |bindings: &mut Bindings, user, updated| {
        let before = bindings.of(&aor(user));
        let edits = [Edit::Put(device(user, 1, updated, 9))];
        bindings.change(&before, &aor(user), &edits).after
    };
    assert!(!change(&mut bindings, 2, 1).is_kept());
    assert!(bindings.of(&aor(2)).is_kept(), "nothing is as it should be");
    assert!(change(&mut bindings, 1, 2).is_kept());
    assert_eq!(bindings.len(), 1);
}
