//! Five phones in one conversation, mixed by one of them.

use tests::{Phone, Server, Side, text_of, write_soft_tone};

/// What each says. Apart by so much that no distortion of one lies on another.
const TONES_HZ: [f64; 5] = [420.0, 700.0, 1_020.0, 1_340.0, 1_780.0];

/// Five phones, activated and running, each with a tone of its own. All but the first answer at once.
async fn five(server: &Server) -> [Phone; 5] {
    let tenant = server.administrator().await.tenant("acme").await;
    let mut phones = std::array::from_fn(|_| Phone::new());
    for (at, phone) in phones.iter_mut().enumerate() {
        let extension = format!("100{}", at + 1);
        phone
            .activate(&server.portal_url, &tenant.device(&extension).await.code)
            .await;
        write_soft_tone(&phone.file("says.wav"), TONES_HZ[at], 120.0);
        let (says, heard) = (phone.file("says.wav"), phone.file("heard.wav"));
        let sound = [
            "--play",
            text_of(&says),
            "--record",
            text_of(&heard),
            "--codecs",
            "pcma",
        ];
        match at {
            0 => phone.run(&sound).await,
            _ => phone.run(&[&["--auto-answer"], &sound[..]].concat()).await,
        }
    }
    phones
}

/// All tones but this one.
fn others(at: usize) -> Vec<f64> {
    let mut tones = TONES_HZ.to_vec();
    tones.remove(at);
    tones
}

#[tokio::test]
async fn each_of_five_hears_the_other_four_and_the_recording_has_all_also_when_killed() {
    let server = Server::start().await;
    let mut phones = five(&server).await;
    let host = &phones[0];
    for extension in ["1002", "1003", "1004", "1005"] {
        host.ok(&["call", extension]).await;
    }
    host.ok(&["conference", "start", "1", "2", "3", "4"]).await;
    let (whole, one) = (host.file("conference.wav"), host.file("call.wav"));
    host.ok(&["record", "conference", "start", "--to", text_of(&whole)])
        .await;
    host.ok(&["record", "2", "start", "--to", text_of(&one)])
        .await;
    for (at, phone) in phones.iter().enumerate().skip(1) {
        let heard = phone.file("heard.wav");
        phone
            .hears_all(&heard, Side::Left, &others(at), &[TONES_HZ[at]])
            .await;
    }
    // The call that was connected when the conference began came first and has the loudspeaker.
    let heard = host.file("heard-4.wav");
    host.hears_all(&heard, Side::Left, &others(0), &[TONES_HZ[0]])
        .await;
    let status = host.ok(&["status"]).await;
    assert_eq!(
        status["conference"]["calls"],
        serde_json::json!([1, 2, 3, 4])
    );
    assert_eq!(status["conference"]["recording"], text_of(&whole));

    host.hears_all(&whole, Side::Left, &TONES_HZ[..1], &TONES_HZ[1..])
        .await;
    host.hears_all(&whole, Side::Right, &TONES_HZ[1..], &TONES_HZ[..1])
        .await;
    host.hears_all(&one, Side::Right, &TONES_HZ[2..3], &others(2))
        .await;
    host.hears_all(&one, Side::Left, &others(2), &TONES_HZ[2..3])
        .await;
    phones[0].kill().await;
    let host = &phones[0];
    for (side, these) in [(Side::Left, &TONES_HZ[..1]), (Side::Right, &TONES_HZ[1..])] {
        assert!(
            tests::has_tones(&host.file("conference.wav"), side, these, &[]),
            "it plays after the phone was killed"
        );
    }
}

#[tokio::test]
async fn members_are_muted_held_split_and_sent_away_and_the_rest_goes_on() {
    let server = Server::start().await;
    let phones = five(&server).await;
    let [host, bob, carol, dave, _] = &phones;
    for extension in ["1002", "1003", "1004"] {
        host.ok(&["call", extension]).await;
    }
    host.ok(&["conference", "start", "1", "2"]).await;
    host.ok(&["conference", "add", "3"]).await;
    let [_, b, c, d, _] = TONES_HZ;
    let heard = |phone: &Phone| phone.file("heard.wav");
    carol
        .hears_all(&heard(carol), Side::Left, &[TONES_HZ[0], b, d], &[c])
        .await;

    host.ok(&["conference", "mute", "1"]).await;
    carol
        .hears_all(&heard(carol), Side::Left, &[TONES_HZ[0], d], &[b, c])
        .await;
    bob.hears_all(&heard(bob), Side::Left, &[TONES_HZ[0], c, d], &[b])
        .await;
    host.ok(&["mute"]).await;
    carol
        .hears_all(&heard(carol), Side::Left, &[d], &[TONES_HZ[0], b, c])
        .await;
    host.ok(&["unmute"]).await;
    host.ok(&["conference", "unmute", "1"]).await;

    host.ok(&["hold", "3"]).await;
    dave.until_phase("held-by-peer").await;
    carol
        .hears_all(&heard(carol), Side::Left, &[TONES_HZ[0], b], &[c, d])
        .await;
    host.ok(&["conference", "split", "3"]).await;
    host.ok(&["hangup", "2"]).await;
    carol.until_phase("none").await;
    // Two are left, which is an ordinary call.
    let status = host.ok(&["status"]).await;
    assert_eq!(status["conference"], serde_json::Value::Null, "{status}");
    bob.until_phase("connected").await;
    bob.hears("heard.wav", TONES_HZ[0]).await;

    host.ok(&["conference", "start", "1", "3"]).await;
    dave.until_phase("connected").await;
    dave.hears_all(&heard(dave), Side::Left, &[TONES_HZ[0], b], &[c, d])
        .await;
    host.ok(&["conference", "end"]).await;
    host.ok(&["status", "--wait", "idle", "--timeout", "20"])
        .await;
    dave.until_phase("none").await;
}
