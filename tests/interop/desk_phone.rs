//! A desk phone as the portal sets it up: baresip with the file that it would fetch.

use tests::{Phone, Server, text_of, until, write_tone};

use crate::conversation::assert_heard;
use crate::peer::{Baresip, Peer as _};
use crate::stage::{OURS, OURS_HZ, THEIRS};

#[tokio::test]
async fn a_desk_phone_registers_with_its_file_is_online_and_takes_a_call() {
    let server = Server::start().await;
    let tenant = server.administrator().await.tenant("acme").await;
    let mut phone = Phone::new();
    let ours = tenant.device(OURS).await;
    phone.activate(&server.portal_url, &ours.code).await;
    write_tone(&phone.file("says.wav"), OURS_HZ, 60.0);
    let (says, heard) = (phone.file("says.wav"), phone.file("heard.wav"));
    let sound = ["--play", text_of(&says), "--record", text_of(&heard)];
    phone.run(&sound).await;

    let desk = tenant.device(THEIRS).await;
    let address = tenant.make_desk_phone(&desk.id, "baresip").await;
    let file = format!("{address}accounts");
    let fetched = reqwest::get(&file).await.expect("the portal answers");
    assert_eq!(fetched.status(), 200);
    let accounts = fetched.text().await.expect("a file is text");
    assert_eq!(tenant.shown(&desk.id).await["status"], "offline");

    let mut peer = Baresip::start_on(&accounts).await;
    until("the desk phone registers", async || peer.is_registered()).await;
    until("the portal shows it online", async || {
        tenant.shown(&desk.id).await["status"] == "online"
    })
    .await;

    phone.ok(&["call", THEIRS, "--wait", "placed"]).await;
    until("the desk phone rings", async || peer.calls_offered() == 1).await;
    peer.answer().await;
    phone.until_phase("connected").await;
    phone.hears("heard.wav", Baresip::SAYS_HZ).await;
    phone.ok(&["hangup"]).await;
    until("its call is over", async || peer.calls_ended() == 1).await;
    assert_heard(&peer.heard(), OURS_HZ, "the desk phone");

    tenant.reset(&desk.id).await;
    let again = reqwest::get(&file).await.expect("the portal answers");
    assert_eq!(again.status(), 404);
    until("nobody is registered any more", async || {
        !tenant.is_online(&desk.account).await
    })
    .await;
    let call = phone.command(&["call", THEIRS, "--wait", "ended"]).await;
    assert!(!call.status.success(), "{}", call.stdout);
    peer.quit().await;
}
