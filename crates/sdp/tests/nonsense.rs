//! Offers whose codecs come with parameters that make no sense: an answer with what can be used, or a refusal that says why.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use sdp::{LocalMedia, Origin, PayloadFormat, SessionDescription, answer};

/// We also speak redundancy, Opus first.
fn ours() -> LocalMedia {
    let opus = PayloadFormat::opus(96);
    LocalMedia {
        formats: vec![
            PayloadFormat::red(63, &opus),
            opus,
            PayloadFormat::static_format(9).unwrap(),
            PayloadFormat::pcmu(),
            PayloadFormat::pcma(),
        ],
        ..LocalMedia::audio("192.0.2.2:6000".parse().unwrap())
    }
}

/// What is spoken and how digits are sent, or why there is no call.
fn outcome(media: &str) -> String {
    let text = format!("v=0\no=- 1 1 IN IP4 192.0.2.7\ns=-\nc=IN IP4 192.0.2.7\nt=0 0\n{media}");
    let offer = match SessionDescription::parse(text.as_bytes()) {
        Ok(offer) => offer,
        Err(error) => return format!("unreadable: {error}"),
    };
    let origin = Origin::new("192.0.2.2".parse().unwrap(), 42, 1);
    match answer(&offer, &ours(), &origin) {
        Ok((reply, agreed)) => {
            // What we answer can be read again.
            SessionDescription::parse(reply.to_string().as_bytes()).unwrap();
            let named = |format: &PayloadFormat| format!("{} {format}", format.number);
            let mut text: Vec<_> = agreed.send.iter().map(named).collect();
            text.extend(agreed.telephone_event.as_ref().map(named));
            text.extend(agreed.ptime.map(|ptime| format!("ptime {ptime}")));
            text.join(", ")
        }
        Err(error) => format!("refused: {error}"),
    }
}

#[test]
fn parameters_of_a_codec_that_make_no_sense_leave_the_codec() {
    let opus = "m=audio 3000 RTP/AVP 96 0\na=rtpmap:96 opus/48000/2\n";
    for lines in [
        "a=fmtp:96 ;;;=;=1;useinbandfec;stereo=\u{7}\n",
        "a=fmtp:96 maxaveragebitrate=99999999999999999999;maxplaybackrate=-1;useinbandfec=2\n",
        "a=fmtp:96 maxaveragebitrate=1;ptime=0;minptime=100000\n",
        "a=fmtp:\na=fmtp:96\n",
        "a=fmtp:200 useinbandfec=1\na=fmtp:x y\n",
        "a=ptime:0\n",
        "a=ptime:-20\na=maxptime:0\n",
        "a=ptime:4294967296\na=maxptime:99999999999999\n",
        "a=ptime:twenty\n",
    ] {
        let agreed = outcome(&format!("{opus}{lines}"));
        assert_eq!(agreed, "96 opus/48000/2, 0 PCMU/8000", "{lines:?}");
    }
}

#[test]
fn formats_that_make_no_sense_are_left_out_and_with_nothing_else_the_call_is_refused() {
    const NONE: &str = "refused: no common payload format";
    for (numbers, lines, agreed) in [
        ("96", "a=rtpmap:96 opus/0/2", NONE),
        ("96", "a=rtpmap:96 opus/8000", NONE),
        ("96", "a=rtpmap:96 opus", NONE),
        ("96", "a=rtpmap:96 /48000/2", NONE),
        ("96", "a=mid:no-rtpmap", NONE),
        // RFC 3551 section 4.5.2: the clock of G.722 is written as 8000.
        ("9", "a=rtpmap:9 G722/16000", NONE),
        ("9 0", "a=rtpmap:9 G722/16000", "0 PCMU/8000"),
        ("300", "a=mid:1", NONE),
        ("-1 x 0", "a=mid:1", "0 PCMU/8000"),
        ("128 0", "a=rtpmap:128 opus/48000/2", "0 PCMU/8000"),
        // With the marker it would look like RTCP.
        ("72 0", "a=rtpmap:72 opus/48000/2", "0 PCMU/8000"),
        ("0", "a=rtpmap:0 PCMU/0", "0 PCMU/8000"),
        // Who binds a static number says so.
        ("0", "a=rtpmap:0 opus/48000/2", "0 opus/48000/2"),
    ] {
        let media = format!("m=audio 3000 RTP/AVP {numbers}\n{lines}\n");
        assert_eq!(outcome(&media), agreed, "{media:?}");
    }
}

#[test]
fn a_number_that_means_two_things_means_the_first() {
    let opus = "a=rtpmap:96 opus/48000/2\n";
    let event = "a=rtpmap:96 telephone-event/48000\n";
    for (numbers, lines, agreed) in [
        ("96 96", [opus, event], "96 opus/48000/2"),
        ("96 0", [event, opus], "0 PCMU/8000"),
        ("0 0 8 0 8", ["", ""], "0 PCMU/8000, 8 PCMA/8000"),
    ] {
        let media = format!("m=audio 3000 RTP/AVP {numbers}\n{}", lines.concat());
        assert_eq!(outcome(&media), agreed, "{media:?}");
    }
}

#[test]
fn digits_that_cannot_be_sent_as_offered_are_not_sent_as_events() {
    for lines in [
        "a=rtpmap:101 telephone-event/0\n",
        "a=rtpmap:101 telephone-event/4294967295\n",
        "a=rtpmap:101 telephone-event/8000\na=fmtp:101 16-9999,-,15-0,x\n",
    ] {
        let media = format!("m=audio 3000 RTP/AVP 0 101\n{lines}");
        assert_eq!(outcome(&media), "0 PCMU/8000", "{lines:?}");
    }
    let alone = "m=audio 3000 RTP/AVP 101\na=rtpmap:101 telephone-event/8000\n";
    assert_eq!(outcome(alone), "refused: no common payload format");
}

#[test]
fn redundancy_of_itself_or_of_nothing_is_left_out() {
    let audio = "m=audio 3000 RTP/AVP 63 96\na=rtpmap:96 opus/48000/2\n";
    for lines in [
        "a=rtpmap:63 red/48000/2\na=fmtp:63 63/63/63\n",
        "a=rtpmap:63 red/48000/2\na=fmtp:63 96/0/////999\n",
        "a=rtpmap:63 red/48000/2\n",
        "a=rtpmap:63 red/8000\na=fmtp:63 96/96\n",
    ] {
        let media = format!("{audio}{lines}");
        assert_eq!(outcome(&media), "96 opus/48000/2", "{lines:?}");
    }
    let sensible = "a=rtpmap:63 red/48000/2\na=fmtp:63 96/96\n";
    let agreed = outcome(&format!("{audio}{sensible}"));
    assert_eq!(agreed, "96 opus/48000/2, 63 red/48000/2");
}
