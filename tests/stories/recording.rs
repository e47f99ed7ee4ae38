//! Calls that are kept in files.

use std::path::PathBuf;

use tests::{Phone, Server, Side, has_tones, text_of, write_tone};

const ALICE_HZ: f64 = 440.0;
const BOB_HZ: f64 = 1_000.0;

/// Alice and Bob, who answers at once; each says a tone. Bob keeps all calls in `kept`.
async fn two(server: &Server) -> [Phone; 2] {
    let tenant = server.administrator().await.tenant("acme").await;
    let mut phones = [Phone::new(), Phone::new()];
    for (phone, (extension, hz)) in phones
        .iter_mut()
        .zip([("1001", ALICE_HZ), ("1002", BOB_HZ)])
    {
        phone
            .activate(&server.portal_url, &tenant.device(extension).await.code)
            .await;
        write_tone(&phone.file("says.wav"), hz, 120.0);
        let (says, heard) = (phone.file("says.wav"), phone.file("heard.wav"));
        let kept = phone.file("kept");
        let sound = ["--play", text_of(&says), "--record", text_of(&heard)];
        match extension {
            "1001" => phone.run(&sound).await,
            _ => {
                let keep = ["--auto-answer", "--record-calls", text_of(&kept)];
                phone.run(&[&keep[..], &sound[..]].concat()).await;
            }
        }
    }
    phones
}

#[tokio::test]
async fn a_part_of_a_call_is_recorded_own_side_left_far_side_right() {
    let server = Server::start().await;
    let phones = two(&server).await;
    let [alice, bob] = &phones;
    alice.ok(&["call", "1002"]).await;
    let file = alice.file("part.wav");
    let begun = alice
        .ok(&["record", "1", "start", "--to", text_of(&file)])
        .await;
    assert_eq!(begun["file"], text_of(&file));
    alice
        .hears_all(&file, Side::Left, &[ALICE_HZ], &[BOB_HZ])
        .await;
    alice
        .hears_all(&file, Side::Right, &[BOB_HZ], &[ALICE_HZ])
        .await;
    let again = alice.command(&["record", "1", "start"]).await;
    assert!(!again.status.success(), "twice at once: {}", again.stdout);
    alice.ok(&["record", "1", "stop"]).await;
    let complete = hound::WavReader::open(&file)
        .expect("a complete file")
        .duration();
    alice.ok(&["hangup"]).await;
    alice
        .ok(&["status", "--wait", "idle", "--timeout", "20"])
        .await;
    let status = alice.ok(&["status"]).await;
    let kept = &status["ended"][0]["media"]["recordings"];
    assert_eq!(*kept, serde_json::json!([text_of(&file)]), "{status}");
    let after = hound::WavReader::open(&file)
        .expect("the same file")
        .duration();
    assert_eq!(complete, after, "nothing came after the end");

    bob.until_phase("none").await;
    let status = bob.ok(&["status"]).await;
    let own = status["ended"][0]["media"]["recordings"][0]
        .as_str()
        .expect("bob keeps all calls");
    assert!(own.starts_with(text_of(&bob.file("kept"))), "{own}");
    let bytes = std::fs::read(own).expect("his file is there");
    assert!(bytes.starts_with(b"OggS"), "as Ogg Opus");
}

#[tokio::test]
async fn what_a_killed_phone_has_recorded_plays() {
    let server = Server::start().await;
    let mut phones = two(&server).await;
    let file = phones[0].file("killed.opus");
    phones[0].ok(&["call", "1002"]).await;
    // What is played takes part once its file is open.
    phones[1].hears("heard.wav", ALICE_HZ).await;
    phones[0].hears("heard.wav", BOB_HZ).await;
    phones[0]
        .ok(&["record", "1", "start", "--to", text_of(&file)])
        .await;
    let seconds = |least: u64| {
        let file = file.clone();
        // 96 kbit/s.
        async move || std::fs::metadata(&file).is_ok_and(|file| file.len() > 12_000 * least)
    };
    tests::until("two seconds are on the disk", seconds(2)).await;
    phones[0].kill().await;

    // The proof is in the hearing: it is music for another phone.
    let [_, bob] = &mut phones;
    bob.kill().await;
    let (says, heard) = (bob.file("says.wav"), bob.file("heard-again.wav"));
    let bob_again = [
        "--hold-music",
        text_of(&file),
        "--play",
        text_of(&says),
        "--record",
        text_of(&heard),
    ];
    bob.run(&bob_again).await;
    let log = bob.log();
    assert!(!log.contains("calls on hold hear silence"), "{log}");
    let [alice, bob] = &mut phones;
    let heard = alice.file("music.wav");
    alice
        .run(&["--auto-answer", "--record", text_of(&heard)])
        .await;
    bob.ok(&["call", "1001"]).await;
    bob.ok(&["hold"]).await;
    // Both sides of the recording together.
    alice
        .hears_all(&heard, Side::Left, &[ALICE_HZ, BOB_HZ], &[])
        .await;
}

#[tokio::test]
async fn a_full_disk_is_told_and_the_call_goes_on() {
    let server = Server::start().await;
    let phones = two(&server).await;
    let [alice, bob] = &phones;
    alice.ok(&["call", "1002"]).await;
    let full: PathBuf = alice.file("full.wav");
    std::os::unix::fs::symlink("/dev/full", &full).expect("a link can be made");
    let below_a_file = alice.file("says.wav").join("x.opus");
    for (file, why) in [(&full, "No space left"), (&below_a_file, "cannot be made")] {
        let refused = alice
            .command(&["record", "1", "start", "--to", text_of(file)])
            .await;
        assert!(!refused.status.success());
        assert!(refused.stdout.contains(why), "{}", refused.stdout);
        tests::until("it is in the log", async || alice.log().contains(why)).await;
    }
    assert_eq!(alice.phase().await, "connected");
    bob.hears("heard.wav", ALICE_HZ).await;
    let good = alice.file("good.wav");
    alice
        .ok(&["record", "1", "start", "--to", text_of(&good)])
        .await;
    alice.ok(&["stop"]).await;
    tests::until("the file is complete", async || {
        hound::WavReader::open(&good).is_ok()
    })
    .await;
    assert!(!has_tones(&good, Side::Right, &[ALICE_HZ], &[]));
}
