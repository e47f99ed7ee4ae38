//! What a phone on hold hears.

use tests::{Phone, Server, Side, text_of, write_tone};

const ALICE_HZ: f64 = 440.0;
const BOB_HZ: f64 = 1_000.0;
const MUSIC_HZ: f64 = 1_660.0;

/// Alice and Bob, who answers at once; Alice has `music` for those on hold.
async fn two(server: &Server, music: impl AsyncFn(&Phone) -> String) -> [Phone; 2] {
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
        let music = music(phone).await;
        let answer = ["--play", text_of(&says), "--record", text_of(&heard)];
        let hold = ["--auto-answer", "--hold-music", &music];
        phone.run(&[&answer[..], &hold[..]].concat()).await;
    }
    phones
}

#[tokio::test]
async fn music_is_heard_on_hold_and_the_other_side_again_after_it() {
    let server = Server::start().await;
    let phones = two(&server, async |phone| {
        let file = phone.file("music.wav");
        write_tone(&file, MUSIC_HZ, 1.0);
        text_of(&file).to_owned()
    })
    .await;
    let [alice, bob] = &phones;
    alice.ok(&["call", "1002"]).await;
    bob.hears("heard.wav", ALICE_HZ).await;
    alice.ok(&["hold"]).await;
    bob.until_phase("held-by-peer").await;
    let heard = bob.file("heard.wav");
    bob.hears_all(&heard, Side::Left, &[MUSIC_HZ], &[ALICE_HZ])
        .await;
    // Round and round.
    bob.hears("heard.wav", MUSIC_HZ).await;
    bob.hears("heard.wav", MUSIC_HZ).await;
    alice.ok(&["resume"]).await;
    bob.until_phase("connected").await;
    bob.hears("heard.wav", ALICE_HZ).await;
    alice.hears("heard.wav", BOB_HZ).await;
}

#[tokio::test]
async fn a_file_that_is_no_music_is_said_at_the_start_and_calls_work_without() {
    let server = Server::start().await;
    let phones = two(&server, async |phone| {
        let file = phone.file("music.txt");
        std::fs::write(&file, "no music").expect("a file can be written");
        text_of(&file).to_owned()
    })
    .await;
    let [alice, bob] = &phones;
    let log = alice.log();
    assert!(log.contains("calls on hold hear silence"), "{log}");
    assert!(log.contains("is neither WAV nor Ogg Opus"), "{log}");
    alice.ok(&["call", "1002"]).await;
    bob.hears("heard.wav", ALICE_HZ).await;
    alice.ok(&["hold"]).await;
    bob.until_phase("held-by-peer").await;
    alice.ok(&["resume"]).await;
    bob.hears("heard.wav", ALICE_HZ).await;
}
