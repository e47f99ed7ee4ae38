use std::net::SocketAddr;

use sip::{Aor, Destination, Flow, Ids};

use super::*;
use crate::binding::Bindings;
use crate::bound::Edit;
use crate::record::{NewBinding, TRANSPORTS};
use crate::row::Blocks;

fn any<T: Copy>(of: &[T], ids: &mut Ids) -> T {
    of[ids.u32() as usize % of.len()]
}

fn address(ids: &mut Ids) -> SocketAddr {
    let port = ids.bytes::<2>();
    let port = u16::from_le_bytes(port);
    match ids.u32() % 3 {
        0 => (ids.bytes::<16>(), port).into(),
        _ => (ids.bytes::<4>(), port).into(),
    }
}

/// A binding of a device that may be any.
fn binding(user: &str, ids: &mut Ids) -> Box<[u8]> {
    let peer = address(ids);
    let transport = any(&TRANSPORTS, ids);
    let reached_by = match ids.u32() % 2 {
        0 => Destination::Flow(Flow {
            transport,
            local: address(ids),
            peer,
            generation: match transport.is_reliable() {
                true => ids.u64(),
                false => 0,
            },
        }),
        _ => Destination::Address {
            transport,
            peer,
            domain: None,
        },
    };
    let uri = match ids.u32() % 3 {
        0 => format!(
            "sip:{user}@{peer};pn-provider=fcm;pn-prid={}",
            ids.call_id()
        ),
        1 => format!("sips:{}@phone.example;ob", ids.tag()),
        _ => format!("sip:{}", peer.ip()),
    };
    let instance = any(
        &["", "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "x\"y"],
        ids,
    );
    let contact = format!(
        "\"Zoë\" <{uri}>;+sip.instance=\"<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>\""
    );
    NewBinding {
        contact: any(&[contact.as_str(), &uri], ids),
        uri: &uri,
        instance,
        reg_id: any(&[0, 1, u32::MAX], ids),
        is_outbound: ids.u32().is_multiple_of(2),
        q_thousandths: any(&[0, 500, 1_000], ids),
        call_id: any(&["4711@phone", "0123456789abcdef0123456789abcdef"], ids),
        cseq: ids.u32() >> (ids.u32() % 32),
        path: any(&["", "<sip:edge;lr>, <sip:next;lr>"], ids),
        user_agent: any(&["", "Desk phone", "Other phone"], ids),
        reached_by,
        updated: ids.u32(),
        expires: ids.u32(),
    }
    .pack()
    .unwrap()
}

#[test]
fn a_record_comes_back_as_it_was() {
    let mut ids = Ids::from_seed([3; 32]);
    let mut names = Names::default();
    for number in 0..1_000 {
        let user = format!("{number}");
        let aor = Aor::parse(&format!("sip:{user}@acme{}.test", number % 7)).unwrap();
        let edits: Vec<_> = (0..=ids.u32() % 4)
            .map(|_| Edit::Put(binding(&user, &mut ids)))
            .collect();
        let mut blocks = Blocks::for_rows(1);
        let row = Bindings::default().row(&aor, &edits, &mut blocks);
        let row = row.bindings.unwrap();
        let mut packed = Vec::new();
        pack(&row, &mut names, &mut packed).unwrap();
        assert_eq!(unpack(&packed, &names), row, "{aor}");
        assert_eq!(super::aor(&packed, &names), aor.as_str().as_bytes());
        assert_eq!(count(&packed), bindings_in(&row).count());
        for cut in (0..packed.len()).step_by(number + 1) {
            assert!(unpack(&packed[..cut], &names).is_empty());
        }
        release(&packed, &mut names);
    }
    assert!(names.is_empty(), "what nobody keeps is gone");
}
