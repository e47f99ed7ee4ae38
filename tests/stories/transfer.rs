//! Three phones, one of which gives its call away: the two who stay hear each other.

use tests::{Phone, Server, text_of, write_tone};

const TONES_HZ: [f64; 3] = [440.0, 1_000.0, 1_700.0];

/// Alice, Bob and Carol, activated and running; each says a tone of its own. Bob answers at once.
async fn three(server: &Server) -> [Phone; 3] {
    let tenant = server.administrator().await.tenant("acme").await;
    let mut phones = [Phone::new(), Phone::new(), Phone::new()];
    for (at, phone) in phones.iter_mut().enumerate() {
        let extension = ["1001", "1002", "1003"][at];
        phone
            .activate(&server.portal_url, &tenant.device(extension).await.code)
            .await;
        write_tone(&phone.file("says.wav"), TONES_HZ[at], 60.0);
        let (says, heard) = (phone.file("says.wav"), phone.file("heard.wav"));
        let sound = ["--play", text_of(&says), "--record", text_of(&heard)];
        match at {
            1 => phone.run(&[&["--auto-answer"], &sound[..]].concat()).await,
            _ => phone.run(&sound).await,
        }
    }
    phones
}

/// Bob and Carol talk, and Alice is out of it.
async fn the_two_who_stay_hear_each_other([alice, bob, carol]: &[Phone; 3]) {
    alice
        .ok(&["status", "--wait", "idle", "--timeout", "20"])
        .await;
    bob.until_phase("connected").await;
    carol.until_phase("connected").await;
    bob.hears("heard.wav", TONES_HZ[2]).await;
    carol.hears("heard.wav", TONES_HZ[1]).await;
    carol.ok(&["hangup"]).await;
    bob.ok(&["status", "--wait", "idle", "--timeout", "20"])
        .await;
}

#[tokio::test]
async fn a_call_given_away_goes_on_between_the_others() {
    let server = Server::start().await;
    let phones = three(&server).await;
    let [alice, bob, carol] = &phones;
    alice.ok(&["call", "1002"]).await;
    bob.hears("heard.wav", TONES_HZ[0]).await;
    let transfer = alice.ok(&["transfer", "1003"]);
    let answer = async {
        carol
            .ok(&["status", "--wait", "ringing", "--timeout", "20"])
            .await;
        carol.ok(&["answer"]).await;
    };
    let (transferred, ()) = tokio::join!(transfer, answer);
    assert_eq!(transferred["ended"], "transferred", "{transferred}");
    the_two_who_stay_hear_each_other(&phones).await;
}

#[tokio::test]
async fn a_call_that_nobody_wants_comes_back() {
    let server = Server::start().await;
    let phones = three(&server).await;
    let [alice, bob, carol] = &phones;
    alice.ok(&["call", "1002"]).await;
    let transfer = alice.command(&["transfer", "1003"]);
    let reject = async {
        carol
            .ok(&["status", "--wait", "ringing", "--timeout", "20"])
            .await;
        carol.ok(&["reject"]).await;
    };
    let (refused, ()) = tokio::join!(transfer, reject);
    assert_eq!(refused.status.code(), Some(10), "{}", refused.stdout);
    assert_eq!(alice.phase().await, "connected");
    bob.hears("heard.wav", TONES_HZ[0]).await;
}

#[tokio::test]
async fn a_call_is_given_to_somebody_who_was_asked_first() {
    let server = Server::start().await;
    let phones = three(&server).await;
    let [alice, bob, carol] = &phones;
    alice.ok(&["call", "1002"]).await;
    let consult = alice.ok(&["consult", "1003"]);
    let answer = async {
        carol
            .ok(&["status", "--wait", "ringing", "--timeout", "20"])
            .await;
        carol.ok(&["answer"]).await;
    };
    tokio::join!(consult, answer);
    bob.until_phase("held-by-peer").await;
    carol.hears("heard.wav", TONES_HZ[0]).await;
    let transferred = alice.ok(&["transfer", "--consulted"]).await;
    assert_eq!(transferred["ended"], "transferred", "{transferred}");
    the_two_who_stay_hear_each_other(&phones).await;
}

#[tokio::test]
async fn a_call_is_given_to_somebody_who_still_rings() {
    let server = Server::start().await;
    let phones = three(&server).await;
    let [alice, bob, carol] = &phones;
    alice.ok(&["call", "1002"]).await;
    alice.ok(&["consult", "1003", "--wait", "placed"]).await;
    carol
        .ok(&["status", "--wait", "ringing", "--timeout", "20"])
        .await;
    bob.until_phase("held-by-peer").await;
    let transfer = alice.ok(&["transfer", "--consulted"]);
    let answer = async {
        alice.is_giving_away().await;
        carol.ok(&["answer"]).await;
    };
    let (transferred, ()) = tokio::join!(transfer, answer);
    assert_eq!(transferred["ended"], "transferred", "{transferred}");
    the_two_who_stay_hear_each_other(&phones).await;
}
