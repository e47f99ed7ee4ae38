//! Two sides that do ICE, or do not, or say it wrongly.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use sdp::{
    Candidate, IceCredentials, IceRefusal, IceRole, LocalIce, LocalMedia, MediaIce, OfferAnswer,
    SessionDescription,
};

const HERE: &str = "192.0.2.1:4000";
const THERE: &str = "192.0.2.2:5000";

fn phone(address: &str, name: &str) -> LocalMedia {
    let address: std::net::SocketAddr = address.parse().unwrap();
    let text = format!(
        "1 1 UDP 2130706431 {} {} typ host",
        address.ip(),
        address.port()
    );
    let ice = LocalIce {
        credentials: IceCredentials::new(name, &name.repeat(10)),
        candidates: vec![Candidate::parse(&text).unwrap()],
    };
    LocalMedia {
        ice: Some(ice),
        ..LocalMedia::audio(address)
    }
}

fn without_ice(address: &str) -> LocalMedia {
    LocalMedia::audio(address.parse().unwrap())
}

fn exchange() -> OfferAnswer {
    OfferAnswer::new("192.0.2.9".parse().unwrap(), 7)
}

/// An offer as it arrives when somebody on the way edits it.
fn offer(edit: impl Fn(String) -> String) -> SessionDescription {
    let text = exchange().offer(&phone(HERE, "alice")).to_string();
    SessionDescription::parse(edit(text).as_bytes()).unwrap()
}

fn taken(offer: &SessionDescription) -> (SessionDescription, MediaIce) {
    let (answer, agreed) = exchange()
        .accept_offer(offer, &phone(THERE, "bobby"))
        .unwrap();
    (answer, agreed.ice)
}

#[test]
fn both_sides_hear_each_others_credentials_and_candidates_and_share_the_port() {
    let (mut alice, mut bob) = (exchange(), exchange());
    let offer = alice.offer(&phone(HERE, "alice"));
    assert!(offer.to_string().contains("a=ice-options:ice2\r\n"));
    let (answer, at_bob) = bob.accept_offer(&offer, &phone(THERE, "bobby")).unwrap();
    let at_alice = alice.accept_answer(&answer).unwrap();
    assert!(at_alice.rtcp_mux && at_bob.rtcp_mux);
    let (MediaIce::Agreed(a), MediaIce::Agreed(b)) = (&at_alice.ice, &at_bob.ice) else {
        panic!("{at_alice:?}");
    };
    assert_eq!((&a.local, &a.remote), (&b.remote, &b.local));
    assert_eq!(a.local.ufrag, "alice");
    assert_eq!(
        (a.role, b.role),
        (IceRole::Controlling, IceRole::Controlled)
    );
    assert_eq!(a.candidates[0].udp_address(), Some(THERE.parse().unwrap()));
    assert_eq!(b.candidates[0].udp_address(), Some(HERE.parse().unwrap()));
}

#[test]
fn a_side_without_ice_is_spoken_with_at_its_announced_address() {
    let (mut alice, mut bob) = (exchange(), exchange());
    let offer = alice.offer(&phone(HERE, "alice"));
    let (answer, at_bob) = bob.accept_offer(&offer, &without_ice(THERE)).unwrap();
    assert!(!answer.to_string().contains("ice-"), "{answer}");
    let at_alice = alice.accept_answer(&answer).unwrap();
    assert_eq!(
        (&at_alice.ice, &at_bob.ice),
        (&MediaIce::Off, &MediaIce::Off)
    );
    assert_eq!(at_alice.remote, THERE.parse().unwrap());
}

#[test]
fn an_address_that_was_changed_on_the_way_is_said_to_both_and_breaks_nothing() {
    let offer = offer(|text| text.replace("m=audio 4000", "m=audio 7000"));
    let (answer, ice) = taken(&offer);
    assert_eq!(ice, MediaIce::Refused(IceRefusal::Mismatch));
    let text = answer.to_string();
    assert!(
        text.contains("a=ice-mismatch\r\n") && !text.contains("ice-ufrag"),
        "{text}"
    );
    let mut alice = exchange();
    alice.offer(&phone(HERE, "alice"));
    let agreed = alice.accept_answer(&answer).unwrap();
    assert_eq!(agreed.ice, MediaIce::Refused(IceRefusal::MismatchThere));
}

#[test]
fn wrong_words_are_refused_and_the_call_goes_on_without_ice() {
    for (from, to, refusal) in [
        ("a=ice-pwd", "a=x-pwd", IceRefusal::Incomplete),
        ("a=ice-ufrag", "a=x-ufrag", IceRefusal::Incomplete),
        (
            "a=ice-ufrag:alice",
            "a=ice-ufrag:ali",
            IceRefusal::Credentials,
        ),
        (
            "a=ice-ufrag:alice",
            "a=ice-ufrag:al ice",
            IceRefusal::Credentials,
        ),
        (
            "a=ice-pwd:alicealice",
            "a=ice-pwd:",
            IceRefusal::Credentials,
        ),
        (
            "a=candidate:1 1 UDP",
            "a=candidate:1 1",
            IceRefusal::Mismatch,
        ),
    ] {
        let cut = |text: String| match from {
            "a=ice-pwd:alicealice" => text.replace(
                &format!("a=ice-pwd:{}", "alice".repeat(10)),
                "a=ice-pwd:short",
            ),
            _ => text.replace(from, to),
        };
        let (answer, ice) = taken(&offer(cut));
        assert_eq!(ice, MediaIce::Refused(refusal), "{to}");
        assert!(!answer.to_string().contains("ice-ufrag"), "{to}");
    }
}

#[test]
fn a_lite_agent_leaves_the_choice_to_us() {
    let (_, ice) = taken(&offer(|text| {
        text.replace("t=0 0\r\n", "t=0 0\r\na=ice-lite\r\n")
    }));
    let MediaIce::Agreed(agreed) = ice else {
        panic!("{ice:?}");
    };
    assert_eq!(agreed.role, IceRole::Controlling);
}

#[test]
fn credentials_of_the_session_count_and_names_and_rtcp_are_passed_over() {
    let (_, ice) = taken(&offer(|text| {
        let pwd = "alice".repeat(10);
        text.replace(&format!("a=ice-ufrag:alice\r\na=ice-pwd:{pwd}\r\n"), "")
            .replace(
                "t=0 0\r\n",
                &format!("t=0 0\r\na=ice-ufrag:alice\r\na=ice-pwd:{pwd}\r\n"),
            )
            + "a=candidate:2 2 UDP 1 192.0.2.1 4001 typ host\r\n"
            + "a=candidate:3 1 UDP 1 x.local 4000 typ host\r\n"
            + "a=candidate:4 1 TCP 1 192.0.2.1 9 typ host tcptype active\r\n"
    }));
    let MediaIce::Agreed(agreed) = ice else {
        panic!("{ice:?}");
    };
    assert_eq!(agreed.remote.ufrag, "alice");
    assert_eq!(agreed.candidates.len(), 1);
}

#[test]
fn hold_keeps_the_credentials_and_a_restart_brings_new_ones_on_both_sides() {
    let (mut alice, mut bob) = (exchange(), exchange());
    let offer = alice.offer(&phone(HERE, "alice"));
    let (answer, _) = bob.accept_offer(&offer, &phone(THERE, "bobby")).unwrap();
    alice.accept_answer(&answer).unwrap();

    let hold = alice.offer(&phone(HERE, "fresh"));
    let (answer, at_bob) = bob.accept_offer(&hold, &phone(THERE, "newer")).unwrap();
    let at_alice = alice.accept_answer(&answer).unwrap();
    let (MediaIce::Agreed(a), MediaIce::Agreed(b)) = (at_alice.ice, at_bob.ice) else {
        panic!("both do ICE");
    };
    assert_eq!(
        (a.local.ufrag.as_str(), a.remote.ufrag.as_str()),
        ("alice", "bobby")
    );
    assert_eq!(
        (b.local.ufrag.as_str(), b.remote.ufrag.as_str()),
        ("bobby", "alice")
    );

    let restart = alice.offer_anew(&phone(HERE, "fresh"));
    let (answer, at_bob) = bob.accept_offer(&restart, &phone(THERE, "newer")).unwrap();
    let at_alice = alice.accept_answer(&answer).unwrap();
    let (MediaIce::Agreed(a), MediaIce::Agreed(b)) = (at_alice.ice, at_bob.ice) else {
        panic!("both do ICE");
    };
    assert_eq!(
        (a.local.ufrag.as_str(), a.remote.ufrag.as_str()),
        ("fresh", "newer")
    );
    assert_eq!(
        (b.local.ufrag.as_str(), b.remote.ufrag.as_str()),
        ("newer", "fresh")
    );
}

#[test]
fn fresh_credentials_are_long_enough_and_differ() {
    let [one, same, other] = [1, 1, 2].map(|seed: u8| {
        IceCredentials::generate(|bytes| {
            let mut next = seed;
            for byte in bytes {
                next = next.wrapping_mul(73).wrapping_add(29);
                *byte = next;
            }
        })
    });
    assert_eq!(one, same);
    assert!(one.ufrag != other.ufrag && one.password != other.password);
    assert_eq!((one.ufrag.len(), one.password.len()), (8, 24));
    let phone = LocalMedia {
        ice: Some(LocalIce {
            credentials: one.clone(),
            ..phone(HERE, "alice").ice.unwrap()
        }),
        ..phone(HERE, "alice")
    };
    let (_, ice) = taken(&exchange().offer(&phone));
    assert!(matches!(ice, MediaIce::Agreed(agreed) if agreed.remote == one));
}

#[test]
fn the_password_is_in_no_debug_output() {
    let mut alice = exchange();
    let offer = alice.offer(&phone(HERE, "alice"));
    let (_, ice) = taken(&offer);
    let printed = format!("{alice:?} {offer:?} {ice:?} {:?}", phone(HERE, "alice"));
    assert!(!printed.contains("alicealice"), "{printed}");
}

#[test]
fn remote_candidates_are_read_by_component() {
    let offer = offer(|text| text + "a=remote-candidates:1 192.0.2.2 5000 2 192.0.2.2 5001 3\r\n");
    let read = offer.media[0].remote_candidates();
    assert_eq!(
        read,
        [
            (1, "192.0.2.2:5000".parse().unwrap()),
            (2, "192.0.2.2:5001".parse().unwrap())
        ]
    );
    assert!(matches!(taken(&offer).1, MediaIce::Agreed(_)));
}
