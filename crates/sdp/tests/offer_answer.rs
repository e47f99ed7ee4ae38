//! Offer/answer (RFC 3264): what two sides agree on, hold, and the life of one dialog.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use sdp::{
    AnswerError, Direction, LocalMedia, Negotiated, OfferAnswer, Origin, PayloadFormat,
    SessionDescription, answer, negotiate, offer,
};

fn local(receive: &str) -> LocalMedia {
    LocalMedia::audio(receive.parse().unwrap())
}

fn only(formats: Vec<PayloadFormat>) -> LocalMedia {
    LocalMedia {
        formats,
        ..local("192.0.2.2:6000")
    }
}

fn origin() -> Origin {
    Origin::new("192.0.2.1".parse().unwrap(), 42, 1)
}

/// An offer from `192.0.2.7` with these lines after the session level.
fn offered(media: &str) -> SessionDescription {
    let text = format!("v=0\no=- 1 1 IN IP4 192.0.2.7\ns=-\nc=IN IP4 192.0.2.7\nt=0 0\n{media}");
    SessionDescription::parse(text.as_bytes()).unwrap()
}

fn answered(media: &str, ours: &LocalMedia) -> (SessionDescription, Negotiated) {
    answer(&offered(media), ours, &origin()).unwrap()
}

fn names(formats: &[PayloadFormat]) -> Vec<String> {
    formats
        .iter()
        .map(|format| format!("{} {format}", format.number))
        .collect()
}

#[test]
fn the_usual_offer_reads_as_drawn() {
    let text = offer(&local("192.0.2.1:4000"), &origin()).to_string();
    let expected = "\
v=0\r
o=- 42 1 IN IP4 192.0.2.1\r
s=-\r
c=IN IP4 192.0.2.1\r
t=0 0\r
m=audio 4000 RTP/AVP 96 0 8 101 102\r
a=rtpmap:96 opus/48000/2\r
a=fmtp:96 useinbandfec=1\r
a=rtpmap:0 PCMU/8000\r
a=rtpmap:8 PCMA/8000\r
a=rtpmap:101 telephone-event/48000\r
a=fmtp:101 0-15\r
a=rtpmap:102 telephone-event/8000\r
a=fmtp:102 0-15\r
a=ptime:20\r
a=rtcp-xr:voip-metrics\r
a=sendrecv\r
";
    assert_eq!(text, expected);
}

#[test]
fn two_of_us_agree_on_opus_with_events_at_its_clock() {
    let alice = local("192.0.2.1:4000");
    let bob = local("[2001:db8::2]:5000");
    let sent = offer(&alice, &origin());
    let (reply, at_bob) = answer(&sent, &bob, &origin()).unwrap();
    let at_alice = negotiate(&sent, &reply).unwrap();

    assert_eq!(at_bob.remote, "192.0.2.1:4000".parse().unwrap());
    assert_eq!(at_bob.remote_rtcp, "192.0.2.1:4001".parse().unwrap());
    assert_eq!(at_alice.remote, "[2001:db8::2]:5000".parse().unwrap());
    for side in [&at_alice, &at_bob] {
        assert_eq!(
            names(&side.send),
            ["96 opus/48000/2", "0 PCMU/8000", "8 PCMA/8000"]
        );
        assert_eq!(side.telephone_event.as_ref().unwrap().clock_rate, 48_000);
        assert_eq!(side.direction, Direction::SendRecv);
        assert_eq!(side.ptime, Some(20));
    }
}

/// Mono is what nothing means (RFC 7587 section 6.1), and what is said of stereo is said by each side for itself (section 7.1).
#[test]
fn of_stereo_we_say_nothing_whatever_an_offer_says() {
    for of_stereo in [
        "stereo=1; sprop-stereo=1",
        "sprop-stereo=1;stereo=1;useinbandfec=1",
        "stereo=0;sprop-stereo=0",
        "stereo=2;sprop-stereo=-1",
        "stereo=yes;stereo=1;stereo",
        "STEREO = 1 ; Sprop-Stereo",
        "stereo=99999999999999999999999;;=;sprop-stereo=\u{e9}",
    ] {
        let offer = format!(
            "m=audio 3000 RTP/AVP 107\na=rtpmap:107 opus/48000/2\na=fmtp:107 {of_stereo}\n"
        );
        let (reply, agreed) = answered(&offer, &local("192.0.2.2:6000"));
        let text = reply.to_string();
        let said: Vec<_> = text.lines().filter(|line| line.contains("107")).collect();
        assert_eq!(
            said,
            [
                "m=audio 6000 RTP/AVP 107",
                "a=rtpmap:107 opus/48000/2",
                "a=fmtp:107 useinbandfec=1"
            ],
            "{of_stereo}"
        );
        assert_eq!(agreed.send[0].parameters, of_stereo);
        assert_eq!(agreed.receive[0].parameters, "useinbandfec=1");
    }
}

#[test]
fn voip_metrics_go_to_who_wants_them_whatever_else_it_wants() {
    let wanted = |of_session: &str, of_media: &str| {
        let offer = format!("{of_session}m=audio 3000 RTP/AVP 0\n{of_media}");
        answered(&offer, &local("192.0.2.2:6000")).1.voip_metrics
    };
    let all = "a=rtcp-xr:rcvr-rtt=all:10000 stat-summary=loss,dup voip-metrics\n";
    assert!(wanted("", "a=rtcp-xr:voip-metrics\n"));
    assert!(wanted("", all));
    assert!(wanted(all, ""));
    for nothing in ["a=rtcp-xr\n", "a=rtcp-xr:\n", "a=rtcp-xr:voip-metrics-2\n"] {
        assert!(!wanted("", nothing), "{nothing:?}");
    }
    assert!(
        !wanted(all, "a=rtcp-xr:stat-summary\n"),
        "the media decides"
    );
    assert!(!wanted("", ""));
}

#[test]
fn answer_keeps_the_offerers_order_and_numbers() {
    let (reply, negotiated) = answered(
        "m=audio 3000 RTP/AVP 8 111 99 126\na=rtpmap:111 opus/48000/2\na=rtpmap:99 speex/16000\n\
         a=rtpmap:126 telephone-event/8000\n",
        &local("192.0.2.2:6000"),
    );
    assert_eq!(reply.media[0].formats, ["8", "111", "126"]);
    assert_eq!(names(&negotiated.send), ["8 PCMA/8000", "111 opus/48000/2"]);
    assert_eq!(
        names(&negotiated.receive),
        ["8 PCMA/8000", "111 opus/48000/2"]
    );
    assert_eq!(negotiated.telephone_event.unwrap().number, 126);
}

#[test]
fn events_at_8000_beside_opus_are_accepted() {
    let (reply, negotiated) = answered(
        "m=audio 3000 RTP/AVP 96 101\na=rtpmap:96 opus/48000/2\na=rtpmap:101 telephone-event/8000\n",
        &local("192.0.2.2:6000"),
    );
    assert_eq!(reply.media[0].formats, ["96", "101"]);
    assert_eq!(negotiated.telephone_event.unwrap().clock_rate, 8_000);
}

#[test]
fn numbers_are_kept_apart_for_each_direction() {
    let sent = offer(&local("192.0.2.1:4000"), &origin());
    let reply = offered(
        "m=audio 3000 RTP/AVP 120 121\na=rtpmap:120 opus/48000/2\na=rtpmap:121 telephone-event/48000\n",
    );
    let negotiated = negotiate(&sent, &reply).unwrap();
    assert_eq!(names(&negotiated.send), ["120 opus/48000/2"]);
    assert_eq!(names(&negotiated.receive), ["96 opus/48000/2"]);
    assert_eq!(negotiated.telephone_event.unwrap().number, 121);
    assert_eq!(
        names(&negotiated.receive_telephone_events),
        ["101 telephone-event/48000"]
    );
}

#[test]
fn refused_offers_say_why() {
    let ours = only(vec![
        PayloadFormat::pcmu(),
        PayloadFormat::telephone_event(101, 8_000),
    ]);
    let cases = [
        ("m=audio 3000 RTP/AVP 8\n", AnswerError::NoCommonFormat),
        (
            "m=audio 3000 RTP/AVP 101\na=rtpmap:101 telephone-event/8000\n",
            AnswerError::NoCommonFormat,
        ),
        ("m=audio 3000 RTP/AVP 96\n", AnswerError::NoCommonFormat),
        ("m=audio 0 RTP/AVP 0\n", AnswerError::NoAudio),
        ("m=video 3000 RTP/AVP 31\n", AnswerError::NoAudio),
        ("m=audio 3000 RTP/SAVP 0\n", AnswerError::SecurityOff),
        ("m=audio 3000 TCP/RTP/AVP 0\n", AnswerError::NoAudio),
        ("", AnswerError::NoAudio),
        (
            "m=audio 3000 RTP/AVP 0\nc=IN IP4 host.example\n",
            AnswerError::NoAddress,
        ),
    ];
    for (media, error) in cases {
        assert_eq!(
            answer(&offered(media), &ours, &origin()),
            Err(error.clone()),
            "{media}"
        );
        assert_eq!(error.reply_status(), 488);
    }
}

#[test]
fn other_media_lines_stay_in_place_with_port_0() {
    let (reply, _) = answered(
        "m=video 3002 RTP/AVP 31\nm=audio 3000 RTP/SAVP 0\nm=audio 3004 RTP/AVP 0\nm=audio 3006 RTP/AVP 0\n",
        &local("192.0.2.2:6000"),
    );
    let lines: Vec<_> = reply
        .media
        .iter()
        .map(|m| format!("{} {} {}", m.media, m.port, m.protocol))
        .collect();
    assert_eq!(
        lines,
        [
            "video 0 RTP/AVP",
            "audio 0 RTP/SAVP",
            "audio 6000 RTP/AVP",
            "audio 0 RTP/AVP"
        ]
    );
}

#[test]
fn audio_beyond_the_eighth_line_is_not_looked_at() {
    let media = format!(
        "{}m=audio 3000 RTP/AVP 0\n",
        "m=video 0 RTP/AVP 31\n".repeat(8)
    );
    let result = answer(&offered(&media), &local("192.0.2.2:6000"), &origin());
    assert_eq!(result, Err(AnswerError::NoAudio));
}

#[test]
fn direction_is_what_both_sides_allow() {
    use Direction::{Inactive, RecvOnly, SendOnly, SendRecv};
    for (theirs, wanted, ours) in [
        ("sendrecv", SendRecv, SendRecv),
        ("sendonly", SendRecv, RecvOnly),
        ("recvonly", SendRecv, SendOnly),
        ("inactive", SendRecv, Inactive),
        ("sendonly", SendOnly, Inactive),
        ("recvonly", SendOnly, SendOnly),
    ] {
        let ours_wanted = LocalMedia {
            direction: wanted,
            ..local("192.0.2.2:6000")
        };
        let (reply, negotiated) = answered(
            &format!("m=audio 3000 RTP/AVP 0\na={theirs}\n"),
            &ours_wanted,
        );
        assert_eq!(negotiated.direction, ours, "{theirs}");
        assert_eq!(reply.direction_of(&reply.media[0]), ours, "{theirs}");
    }
}

#[test]
fn unspecified_address_means_held_in_the_old_way() {
    let held = "m=audio 3000 RTP/AVP 0\nc=IN IP4 0.0.0.0\n";
    let (reply, negotiated) = answered(held, &local("192.0.2.2:6000"));
    assert_eq!(negotiated.direction, Direction::RecvOnly);
    assert!(reply.to_string().contains("a=recvonly"));
}

#[test]
fn explicit_rtcp_port_and_address_are_used() {
    let (_, negotiated) = answered(
        "m=audio 3000 RTP/AVP 0\na=rtcp:53020 IN IP4 192.0.2.99\na=ptime:60\na=maxptime:40\n",
        &local("192.0.2.2:6000"),
    );
    assert_eq!(negotiated.remote_rtcp, "192.0.2.99:53020".parse().unwrap());
    assert_eq!(negotiated.ptime, Some(40));
}

#[test]
fn the_last_port_has_no_next_one() {
    let (_, negotiated) = answered("m=audio 65535 RTP/AVP 0\n", &local("192.0.2.2:6000"));
    assert_eq!(negotiated.remote_rtcp.port(), 65_535);
}

#[test]
fn answer_that_refuses_or_drops_our_line_is_no_session() {
    let sent = offer(&local("192.0.2.1:4000"), &origin());
    for media in ["", "m=audio 0 RTP/AVP 0\n", "m=video 3000 RTP/AVP 31\n"] {
        assert_eq!(
            negotiate(&sent, &offered(media)),
            Err(AnswerError::NoAudio),
            "{media:?}"
        );
    }
    let foreign = offered("m=audio 3000 RTP/AVP 18\n");
    assert_eq!(negotiate(&sent, &foreign), Err(AnswerError::NoCommonFormat));
}

/// Alice and Bob with their dialog states.
fn pair() -> (OfferAnswer, LocalMedia, OfferAnswer, LocalMedia) {
    let (alice, bob) = (local("192.0.2.1:4000"), local("192.0.2.2:5000"));
    (
        OfferAnswer::new(alice.address, 1),
        alice,
        OfferAnswer::new(bob.address, 2),
        bob,
    )
}

#[test]
fn hold_and_resume_raise_the_version_and_turn_the_direction() {
    let (mut at_alice, mut alice, mut at_bob, bob) = pair();
    let first = at_alice.offer(&alice);
    let (reply, _) = at_bob.accept_offer(&first, &bob).unwrap();
    at_alice.accept_answer(&reply).unwrap();

    alice.direction = Direction::SendOnly;
    let hold = at_alice.offer(&alice);
    assert_eq!(hold.origin.version, first.origin.version + 1);
    assert_eq!(hold.origin.session_id, first.origin.session_id);
    let (reply, held) = at_bob.accept_offer(&hold, &bob).unwrap();
    assert_eq!(held.direction, Direction::RecvOnly);
    assert_eq!(reply.origin.version, 2);
    assert_eq!(
        at_alice.accept_answer(&reply).unwrap().direction,
        Direction::SendOnly
    );

    alice.direction = Direction::SendRecv;
    let resume = at_alice.offer(&alice);
    let (reply, _) = at_bob.accept_offer(&resume, &bob).unwrap();
    assert_eq!(
        at_alice.accept_answer(&reply).unwrap().direction,
        Direction::SendRecv
    );
    assert_eq!(resume.origin.version, 3);
}

#[test]
fn an_unchanged_offer_keeps_its_version() {
    let (mut at_alice, alice, mut at_bob, bob) = pair();
    let first = at_alice.offer(&alice);
    let (reply, _) = at_bob.accept_offer(&first, &bob).unwrap();
    at_alice.accept_answer(&reply).unwrap();
    let refresh = at_alice.offer(&alice);
    assert_eq!(refresh, first);
    assert_eq!(at_bob.accept_offer(&refresh, &bob).unwrap().0, reply);
}

#[test]
fn a_new_offer_keeps_the_media_lines_of_the_peers_offer() {
    let mut at_bob = OfferAnswer::new("192.0.2.2".parse().unwrap(), 2);
    let bob = local("192.0.2.2:5000");
    let theirs = offered("m=video 3002 RTP/AVP 31\nm=audio 3000 RTP/AVP 0\n");
    at_bob.accept_offer(&theirs, &bob).unwrap();
    let hold = at_bob.offer(&LocalMedia {
        direction: Direction::SendOnly,
        ..bob
    });
    let lines: Vec<_> = hold
        .media
        .iter()
        .map(|m| format!("{} {}", m.media, m.port))
        .collect();
    assert_eq!(lines, ["video 0", "audio 5000"]);
    let reply = offered("m=video 0 RTP/AVP 31\nm=audio 3000 RTP/AVP 0\na=recvonly\n");
    assert_eq!(
        at_bob.accept_answer(&reply).unwrap().direction,
        Direction::SendOnly
    );
}

#[test]
fn crossing_offers_are_glare_until_one_is_abandoned() {
    let (mut at_alice, alice, mut at_bob, bob) = pair();
    let theirs = at_bob.offer(&bob);
    at_alice.offer(&alice);
    let glare = at_alice.accept_offer(&theirs, &alice).unwrap_err();
    assert_eq!(
        (glare.clone(), glare.reply_status()),
        (AnswerError::Glare, 491)
    );
    at_alice.abandon();
    assert!(at_alice.accept_offer(&theirs, &alice).is_ok());
}

#[test]
fn a_failed_reoffer_leaves_what_was_agreed() {
    let (mut at_alice, mut alice, mut at_bob, bob) = pair();
    let (reply, _) = at_bob.accept_offer(&at_alice.offer(&alice), &bob).unwrap();
    let agreed = at_alice.accept_answer(&reply).unwrap();
    alice.direction = Direction::Inactive;
    at_alice.offer(&alice);
    at_alice.abandon();
    assert_eq!(at_alice.negotiated(), Some(&agreed));
    assert_eq!(at_alice.accept_answer(&reply), Err(AnswerError::NoOffer));
}

#[test]
fn early_answers_may_differ_until_the_last_one_counts() {
    let (mut at_alice, alice, _, _) = pair();
    at_alice.offer(&alice);
    let early = offered("m=audio 3000 RTP/AVP 0\n");
    let last = offered("m=audio 3100 RTP/AVP 8\n");
    assert_eq!(
        at_alice.preview_answer(&early).unwrap().remote.port(),
        3_000
    );
    assert_eq!(at_alice.accept_answer(&last).unwrap().remote.port(), 3_100);
    assert!(!at_alice.is_offering());
}

#[test]
fn redundancy_is_agreed_on_by_the_offerers_numbers_and_comes_after_what_it_carries() {
    let opus = PayloadFormat::opus(96);
    let ours = only(vec![
        opus.clone(),
        PayloadFormat::pcma(),
        PayloadFormat::red(98, &opus),
    ]);
    let (answer, agreed) = answered(
        "m=audio 3000 RTP/AVP 63 111 8\na=rtpmap:111 opus/48000/2\na=rtpmap:63 red/48000/2\na=fmtp:63 111/111\n",
        &ours,
    );
    assert!(answer.to_string().contains("a=fmtp:63 111/111\r\n"));
    let expected = ["111 opus/48000/2", "8 PCMA/8000", "63 red/48000/2"];
    assert_eq!(
        (names(&agreed.send), names(&agreed.receive)),
        (
            expected.map(str::to_owned).to_vec(),
            expected.map(str::to_owned).to_vec()
        )
    );
    assert_eq!(agreed.send[2].redundancy_of(), Some(111));
}

#[test]
fn redundancy_of_something_that_is_not_spoken_is_left_out_and_is_no_audio_by_itself() {
    let ours = only(vec![
        PayloadFormat::pcma(),
        PayloadFormat::red(98, &PayloadFormat::opus(96)),
    ]);
    let (answer, agreed) = answered(
        "m=audio 3000 RTP/AVP 111 63 8\na=rtpmap:111 opus/48000/2\na=rtpmap:63 red/48000/2\na=fmtp:63 111/111\n",
        &ours,
    );
    assert!(!answer.to_string().contains("red"));
    assert_eq!(names(&agreed.send), ["8 PCMA/8000"]);
    let alone = offered("m=audio 3000 RTP/AVP 63\na=rtpmap:63 red/48000/2\na=fmtp:63 111/111\n");
    let refused = sdp::answer(&alone, &ours, &origin());
    assert_eq!(refused.unwrap_err(), AnswerError::NoCommonFormat);
}
