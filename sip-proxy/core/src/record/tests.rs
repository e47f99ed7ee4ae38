use super::*;

fn sample(reached_by: Destination) -> NewBinding<'static> {
    NewBinding {
        contact: "\"A\" <sip:a@h;pn-prid=00:fc&x%2Fy>;+sip.instance=\"<urn:uuid:1>\"",
        uri: "sip:a@h;pn-prid=00:fc&x%2Fy",
        instance: "urn:uuid:1",
        reg_id: 7,
        is_outbound: true,
        q_thousandths: 500,
        call_id: "4711@phone",
        cseq: u32::MAX,
        path: "<sip:edge;lr>, <sip:next;lr>",
        user_agent: "Desk phone",
        reached_by,
        updated: 1_800_000_000,
        expires: 1_800_000_600,
    }
}

fn destinations() -> Vec<Destination> {
    let flow = |transport, local: &str, peer: &str, generation| {
        Destination::Flow(Flow {
            transport,
            local: local.parse().unwrap(),
            peer: peer.parse().unwrap(),
            generation,
        })
    };
    vec![
        flow(Transport::Udp, "192.0.2.5:5060", "198.51.100.7:4711", 0),
        flow(Transport::Wss, "[::1]:443", "[2001:db8::1]:40000", u64::MAX),
        flow(Transport::Tcp, "192.0.2.5:5060", "198.51.100.7:4711", 3),
        Destination::Address {
            transport: Transport::Udp,
            peer: "198.51.100.7:5062".parse().unwrap(),
            domain: None,
        },
    ]
}

#[test]
fn a_packed_binding_says_what_went_in() {
    for reached_by in destinations() {
        let new = sample(reached_by);
        let bytes = new.pack().unwrap();
        let (read, rest) = BindingRef::split(&bytes).unwrap();
        assert!(rest.is_empty() && read.is_sound());
        assert_eq!(read.reached_by(), Some(reached_by));
        assert_eq!(
            (read.contact(), read.uri(), read.instance()),
            (new.contact, new.uri, new.instance)
        );
        assert_eq!(
            (read.call_id(), read.path(), read.user_agent()),
            (new.call_id, new.path, new.user_agent)
        );
        assert_eq!(
            (read.cseq(), read.reg_id(), read.q_thousandths()),
            (u32::MAX, 7, 500)
        );
        assert_eq!((read.updated(), read.expires()), (new.updated, new.expires));
        assert!(read.is_outbound());
    }
}

#[test]
fn an_instance_that_is_escaped_in_the_contact_is_kept_beside_it() {
    let new = NewBinding {
        instance: "urn:x:\"q\"",
        ..sample(destinations()[0])
    };
    let bytes = new.pack().unwrap();
    assert_eq!(BindingRef::new(&bytes).instance(), "urn:x:\"q\"");
    assert_eq!(BindingRef::new(&bytes).contact(), new.contact);
}

#[test]
fn no_bytes_at_all_can_make_an_accessor_panic() {
    let good = sample(destinations()[1]).pack().unwrap();
    for cut in 0..good.len() {
        for flip in [0_u8, 0xff] {
            let mut bytes = good[..cut].to_vec();
            for at in [3, 22, 30, 34] {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= flip;
                }
            }
            let read = BindingRef::new(&bytes);
            let _ = (read.reached_by(), read.instance(), read.uri(), read.path());
            let _ = (read.is_sound(), BindingRef::split(&bytes));
        }
    }
}

#[test]
fn a_binding_that_is_too_large_is_not_packed() {
    let long = "x".repeat(MAX_BYTES);
    let new = NewBinding {
        path: &long,
        ..sample(destinations()[0])
    };
    assert_eq!(new.pack(), None);
}
