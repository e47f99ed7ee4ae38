//! Two phones, activated from the portal, call each other and hear each other.

use tests::{Phone, Server, share_of_tone, text_of, write_tone};

const ALICE_HZ: f64 = 440.0;
const BOB_HZ: f64 = 1_000.0;

#[tokio::test]
async fn each_hears_what_the_other_says() {
    let server = Server::start().await;
    let tenant = server.administrator().await.tenant("acme").await;
    let (mut alice, mut bob) = (Phone::new(), Phone::new());
    for (phone, extension, frequency_hz) in
        [(&mut alice, "1001", ALICE_HZ), (&mut bob, "1002", BOB_HZ)]
    {
        phone
            .activate(&server.portal_url, &tenant.device(extension).await.code)
            .await;
        write_tone(&phone.file("says.wav"), frequency_hz, 8.0);
        let (says, heard) = (phone.file("says.wav"), phone.file("heard.wav"));
        phone
            .run(&[
                "--auto-answer",
                "--play",
                text_of(&says),
                "--record",
                text_of(&heard),
            ])
            .await;
    }

    let call = alice
        .ok(&["call", "1002", "--wait", "ended", "--duration", "4"])
        .await;

    assert_eq!(call["media"]["codec"], "opus", "{call}");
    assert_eq!(call["media"]["packets_lost"], 0, "{call}");
    assert!(
        call["media"]["packets_received"].as_u64() > Some(150),
        "{call}"
    );
    assert!(
        share_of_tone(&alice.file("heard.wav"), BOB_HZ) > 0.9,
        "alice hears bob"
    );
    assert!(
        share_of_tone(&bob.file("heard.wav"), ALICE_HZ) > 0.9,
        "bob hears alice"
    );
    assert!(
        share_of_tone(&alice.file("heard.wav"), ALICE_HZ) < 0.01,
        "alice does not hear herself"
    );
}

#[tokio::test]
async fn the_called_person_answers_and_hangs_up_by_hand() {
    let server = Server::start().await;
    let tenant = server.administrator().await.tenant("acme").await;
    let (mut alice, mut bob) = (Phone::new(), Phone::new());
    for (phone, extension) in [(&mut alice, "1001"), (&mut bob, "1002")] {
        phone
            .activate(&server.portal_url, &tenant.device(extension).await.code)
            .await;
        phone.run(&[]).await;
    }

    let call = async {
        alice
            .ok(&["call", "1002", "--wait", "ended", "--timeout", "30"])
            .await
    };
    let answer = async {
        bob.ok(&["status", "--wait", "ringing", "--timeout", "20"])
            .await;
        bob.ok(&["answer"]).await;
        bob.ok(&["status", "--wait", "talking", "--timeout", "20"])
            .await;
        bob.ok(&["hangup"]).await;
    };
    let (call, ()) = tokio::join!(call, answer);

    assert_eq!(call["ended"], "remote_hang_up", "{call}");
    assert_eq!(
        alice.ok(&["status"]).await["calls"]
            .as_array()
            .map(Vec::len),
        Some(0)
    );
}
