use bytes::Bytes;
use sip::{Ids, Message};

use super::*;
use crate::binding::Renewed;
use crate::bound::Shown;
use crate::gruu::Gruus;
use crate::row::{Blocks, Row};
use crate::shelved::Placed;

fn any<T: Copy>(of: &[T], ids: &mut Ids) -> T {
    of[ids.u32() as usize % of.len()]
}

fn once_in(count: u32, ids: &mut Ids) -> bool {
    ids.u32().is_multiple_of(count)
}

/// Contacts; at one of the marks an `expires` is put in, if at any.
const CONTACTS: [&str; 15] = [
    "<sip:a@192.0.2.9:5060#>#",
    "<sip:a@192.0.2.9:5062>#",
    "<sip:a@192.0.2.9:5060#;pn-provider=fcm;pn-param=p;pn-prid=APA91bHun4MxP5egoKMwt2KZFBaFUH-1RYqx>#;q=0.5#",
    "<sip:a@phone.example>#;+sip.instance=\"<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>\"#",
    "<sip:a@phone.example;transport=tcp;ob>#;reg-id=1;+sip.instance=\"<urn:uuid:1>\"#;x#",
    "<sip:a@phone.example>#;REG-ID=2#;+sip.instance=\"\"",
    "\"sip:a@h;x=1\" <sip:a@h#;x=1>#;x=\"a>#;b\"#",
    "\"Zo\u{eb} \\\"A\\\"\" <sip:a@h>#",
    "<sip:a@h>#;x=\"a;b#;c\"#;y=\"#\"#",
    "A <sip:a@h>#",
    "sip:a@h#",
    "<sip:a@h> # ; x = 1",
    "<sip:a@h>#;+sip.instance=\"x\\\"y\"",
    "<sip:a@h>;x=1#a",
    "<sip:a@h>#, <sip:b@h>",
];

const EXPIRES: [&str; 17] = [
    "",
    "",
    "",
    "",
    "",
    "60",
    "300",
    "600",
    "600",
    "1200",
    "3600",
    "1200",
    "59",
    "0",
    "soon",
    "99999999999",
    "007200",
];

/// What differs from one REGISTER of a device to its next, or does not.
#[derive(Clone, Copy)]
struct Phone {
    contact: &'static str,
    call_id: &'static str,
    user_agent: &'static str,
    supported: &'static str,
    flow: Flow,
}

impl Phone {
    fn any(ids: &mut Ids) -> Self {
        let address = |host: u8, port: u16| SocketAddr::from(([192, 0, 2, host], port));
        let v6 = SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, 9], 5060));
        let flow = |transport, peer, generation| Flow {
            transport,
            local: address(1, 5060),
            peer,
            generation,
        };
        let flows = [
            flow(Transport::Udp, address(9, 5060), 0),
            flow(Transport::Udp, address(9, 40_000), 0),
            flow(Transport::Tls, address(9, 5060), u64::from(ids.u32() % 3)),
            flow(Transport::Udp, v6, 0),
        ];
        Self {
            contact: any(&CONTACTS, ids),
            call_id: any(&["1@phone", "0123456789abcdef0123456789abcdef"], ids),
            user_agent: any(&["", "", "Phone", "Other phone"], ids),
            supported: any(
                &["", "", "outbound", "path, gruu, outbound", "gruu", "\"x"],
                ids,
            ),
            flow: any(&flows, ids),
        }
    }

    /// The same, but for what may change from one to the next.
    fn moved(self, ids: &mut Ids) -> Self {
        let other = Self::any(ids);
        match ids.u32() % 30 {
            0 => Self {
                contact: other.contact,
                ..self
            },
            1..=6 => Self {
                call_id: other.call_id,
                ..self
            },
            7 => Self {
                user_agent: other.user_agent,
                ..self
            },
            8 => Self {
                supported: other.supported,
                ..self
            },
            9 => Self {
                flow: other.flow,
                ..self
            },
            _ => self,
        }
    }

    fn contact(self, ids: &mut Ids) -> String {
        let mut parts = self.contact.split('#');
        let at = ids.u32() as usize % parts.clone().count();
        let value = any(&EXPIRES, ids);
        let mut text = parts.next().unwrap_or_default().to_owned();
        for (mark, part) in (1_usize..).zip(parts) {
            if mark == at && !value.is_empty() {
                text.push_str(any(&[";expires=", ";expires=", ";Expires="], ids));
                text.push_str(value);
            }
            text.push_str(part);
        }
        text
    }

    fn register(self, cseq: u32, ids: &mut Ids) -> Request {
        let mut lines = String::new();
        let mut line = |name: &str, value: &str| {
            if !value.is_empty() {
                lines.push_str(&format!("{name}: {value}\r\n"));
            }
        };
        let via = "SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK1";
        line("Via", via);
        line("Via", if once_in(40, ids) { via } else { "" });
        line("From", "<sip:a@acme.test>;tag=1");
        line("To", "<sip:a@acme.test>");
        line(
            "Call-ID",
            if once_in(9, ids) {
                "another"
            } else {
                self.call_id
            },
        );
        line("CSeq", &format!("{cseq} REGISTER"));
        match ids.u32() % 30 {
            0 => line("Contact", "*"),
            1 => {}
            _ => line("Contact", &self.contact(ids)),
        }
        line("Expires", any(&EXPIRES, ids));
        line("User-Agent", self.user_agent);
        line("Supported", self.supported);
        line(
            "Path",
            if once_in(50, ids) {
                "<sip:192.0.2.7;lr;ob>"
            } else {
                ""
            },
        );
        line(
            "Require",
            any(&["", "gruu", "x"], ids)
                .repeat(usize::from(once_in(50, ids)))
                .as_str(),
        );
        let text = format!("REGISTER sip:acme.test SIP/2.0\r\n{lines}Content-Length: 0\r\n\r\n");
        match sip::parse_message(Bytes::from(text)) {
            Ok(Message::Request(request)) => *request,
            other => panic!("{other:?}"),
        }
    }
}

struct Side {
    bindings: Bindings,
    gruus: Gruus,
    policy: RegistrarPolicy,
    /// How often one of several bindings was renewed.
    with_others: u32,
}

impl Side {
    fn new() -> Self {
        Self {
            bindings: Bindings::default(),
            gruus: Gruus::new(&mut Ids::from_seed([4; 32])),
            policy: RegistrarPolicy {
                max_bindings: 3,
                ..RegistrarPolicy::default()
            },
            with_others: 0,
        }
    }

    fn telling<'a>(
        gruus: &'a mut Gruus,
        aor: &'a Aor,
        slot: Option<u32>,
        now_secs: u32,
    ) -> Telling<'a> {
        Telling {
            aor,
            slot,
            gruus,
            now_secs,
        }
    }

    /// The answer, and whether a binding has begun or ended.
    fn on_whole(
        &mut self,
        request: &Request,
        flow: Flow,
        aor: &Aor,
        now_secs: u32,
    ) -> (Bytes, bool) {
        let plan = decide(request, aor, flow, &self.policy, &self.bindings, now_secs);
        let (after, is_news) = match plan {
            Err(refusal) => {
                let response = refused(request, "t", &refusal, &self.policy);
                return (response.to_bytes(), false);
            }
            Ok(Plan { edits, before }) if edits.is_empty() => (before, false),
            Ok(Plan { edits, before }) => {
                let changed = self.bindings.change(&before, aor, &edits);
                (changed.after, changed.is_news)
            }
        };
        let telling = Self::telling(&mut self.gruus, aor, after.slot(), now_secs);
        let response = granted(request, "t", after.iter().map(Shown::from), telling);
        (response.to_bytes(), is_news)
    }

    /// The answer, if it is one that says again what is bound.
    fn on_again(
        &mut self,
        request: &Request,
        flow: Flow,
        aor: &Aor,
        now_secs: u32,
    ) -> Option<Bytes> {
        let again = Again::read(request, flow, now_secs)?;
        let dates = |bound: &Placed<'_, '_>| again.dates(bound, &self.policy);
        let found = self.bindings.find(aor)?;
        let slot = found.slot;
        let Renewed { only } = self.bindings.renew(found, again.call_id, dates)?;
        self.with_others += u32::from(only.is_none());
        let response = match only {
            Some(shown) => {
                let telling = Self::telling(&mut self.gruus, aor, Some(slot), now_secs);
                granted(request, "t", std::iter::once(shown), telling)
            }
            None => {
                let bound = self.bindings.of(aor);
                let telling = Self::telling(&mut self.gruus, aor, Some(slot), now_secs);
                granted(request, "t", bound.iter().map(Shown::from), telling)
            }
        };
        Some(response.to_bytes())
    }

    fn row(&self, aor: &Aor) -> Row {
        self.bindings.row(aor, &[], &mut Blocks::for_rows(1))
    }
}

#[test]
fn who_says_again_what_is_bound_is_answered_and_kept_as_if_all_was_read() {
    let mut ids = Ids::from_seed([6; 32]);
    let aors = ["a", "b", "c"].map(|user| Aor::parse(&format!("sip:{user}@acme.test")).unwrap());
    let (mut quick, mut whole) = (Side::new(), Side::new());
    let mut phones = aors.clone().map(|_| Phone::any(&mut ids));
    let (mut again, mut with_expires) = (0, 0);
    let mut now_secs = 1_000;
    for cseq in 1..12_000 {
        let number = ids.u32() as usize % aors.len();
        let aor = &aors[number];
        let phone = phones[number].moved(&mut ids);
        let max_bindings = any(&[3, 3, 3, 2], &mut ids);
        for side in [&mut quick, &mut whole] {
            side.policy.max_bindings = max_bindings;
        }
        let request = phone.register(cseq - ids.u32() % 3, &mut ids);
        let (expected, is_news) = whole.on_whole(&request, phone.flow, aor, now_secs);
        let text = String::from_utf8_lossy(&request.to_bytes()).into_owned();
        let answer = match quick.on_again(&request, phone.flow, aor, now_secs) {
            Some(answer) => {
                again += 1;
                let own = request.header("Contact").unwrap_or_default();
                with_expires += u32::from(own.contains(";expires="));
                assert!(!is_news, "{text}");
                answer
            }
            None => quick.on_whole(&request, phone.flow, aor, now_secs).0,
        };
        assert_eq!(answer, expected, "{text}");
        assert!(quick.row(aor) == whole.row(aor), "{text}");
        assert_eq!(quick.bindings.next_expiry(), whole.bindings.next_expiry());
        if expected.starts_with(b"SIP/2.0 200") {
            phones[number] = phone;
        }
        if once_in(25, &mut ids) {
            phones[number] = Phone::any(&mut ids);
            quick.bindings.remove_all(aor);
            whole.bindings.remove_all(aor);
        }
        now_secs += any(&[0, 0, 0, 1, 5, 20, 100], &mut ids);
        let [mut ended, mut others] =
            [&mut quick, &mut whole].map(|side| side.bindings.remove_expired(now_secs));
        ended.sort_unstable();
        others.sort_unstable();
        assert_eq!(ended, others);
    }
    let with_others = quick.with_others;
    assert!(
        again > 1_000 && with_expires > 150 && with_others > 150,
        "{again} {with_expires} {with_others}"
    );
}
