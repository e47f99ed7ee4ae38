//! Tones that a person hears in a call.

use tests::{Phone, Server, Side, text_of, write_tone};

const ALICE_HZ: f64 = 1_000.0;
/// Of the German call-waiting tone.
const WAITING_HZ: f64 = 425.0;

#[tokio::test]
async fn who_talks_hears_that_somebody_else_calls_and_the_other_side_does_not() {
    let server = Server::start().await;
    let tenant = server.administrator().await.tenant("acme").await;
    let mut phones = [Phone::new(), Phone::new(), Phone::new()];
    for (at, phone) in phones.iter_mut().enumerate() {
        let extension = ["1001", "1002", "1003"][at];
        phone
            .activate(&server.portal_url, &tenant.device(extension).await.code)
            .await;
        let (says, heard) = (phone.file("says.wav"), phone.file("heard.wav"));
        write_tone(&says, ALICE_HZ, 120.0);
        let heard = ["--tones", "DE", "--record", text_of(&heard)];
        let own: &[&str] = match at {
            0 => &["--play", text_of(&says)],
            1 => &["--auto-answer"],
            _ => &[],
        };
        phone.run(&[&heard[..], own].concat()).await;
    }
    let [alice, bob, carol] = &phones;
    alice.ok(&["call", "1002"]).await;
    bob.hears("heard.wav", ALICE_HZ).await;
    // Bob says nothing, so that the soft tone stands out.
    carol.ok(&["call", "1001", "--wait", "placed"]).await;
    alice
        .ok(&["status", "--wait", "ringing", "--timeout", "20"])
        .await;
    alice
        .hears_all(&alice.file("heard.wav"), Side::Left, &[WAITING_HZ], &[])
        .await;
    carol.ok(&["hangup"]).await;
    bob.hears("heard.wav", ALICE_HZ).await;
    let has_waiting = tests::has_tones(&bob.file("heard.wav"), Side::Left, &[WAITING_HZ], &[]);
    assert!(!has_waiting, "bob does not hear it");
}
