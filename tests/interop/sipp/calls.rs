//! Calls: plain ones, and those that end in an unusual way.

use super::scenario::{NOTHING, OFFER};
use super::{BOB, Exchange};

#[tokio::test]
async fn a_call_goes_through_the_proxy() {
    let exchange = Exchange::new().await;
    let caller = exchange
        .alice_calls(BOB.0)
        .calls(NOTHING, OFFER)
        .expect(180)
        .expect_with(200, "body", "m=audio 9000")
        .ack(NOTHING)
        .hangs_up();
    let callee = exchange
        .bob_is_called()
        .answer("180 Ringing", NOTHING, NOTHING)
        .answer("200 OK", NOTHING, OFFER)
        .asked("ACK")
        .hung_up_on();
    exchange.play_both(&caller, &callee).await;
}

/// RFC 3261, section 13.2.1: the offer is in the 200, the answer in the ACK.
#[tokio::test]
async fn the_callee_makes_the_offer_if_the_caller_does_not() {
    let exchange = Exchange::new().await;
    let caller = exchange
        .alice_calls(BOB.0)
        .calls(NOTHING, NOTHING)
        .maybe(180)
        .expect_with(200, "body", "m=audio 9000")
        .ack(OFFER)
        .hangs_up();
    let callee = exchange
        .bob_is_called()
        .answer("200 OK", NOTHING, OFFER)
        .asked_with("ACK", "body", "m=audio 9000")
        .hung_up_on();
    exchange.play_both(&caller, &callee).await;
}

#[tokio::test]
async fn our_phone_makes_the_offer_if_the_caller_does_not() {
    let exchange = Exchange::new().await;
    let phone = exchange.our_phone("1001").await;
    let caller = exchange
        .alice_calls("1001")
        .calls(NOTHING, NOTHING)
        .maybe(180)
        .expect_with(200, "body", "PCMU/8000")
        .ack(OFFER)
        .hangs_up();
    exchange.play(&caller).await;
    phone.until_phase("none").await;
    let ended = phone.ok(&["status"]).await["ended"][0].clone();
    assert_eq!(ended["ended"], "remote_hang_up", "{ended}");
    assert_eq!(ended["media"]["codec"], "PCMU", "{ended}");
}

/// RFC 3261, section 13.2.2.4: every 2xx is acknowledged, and the dialogs that are too many are ended.
#[tokio::test]
async fn of_two_devices_that_answer_a_forked_call_the_second_is_hung_up() {
    let exchange = Exchange::new().await;
    let caller = exchange
        .alice_calls(BOB.0)
        .calls(NOTHING, OFFER)
        .maybe(180)
        .expect(200)
        .ack(NOTHING)
        .hung_up_on();
    let callee = exchange
        .bob_is_called()
        .answer("200 OK", NOTHING, OFFER)
        .asked_with("ACK", "To", "tag=[0-9]+t")
        .answer_as("x", "200 OK", NOTHING, OFFER)
        .asked_with("ACK", "To", "tag=[0-9]+x")
        .asked_with("BYE", "To", "tag=[0-9]+x")
        .reply("200 OK", NOTHING, NOTHING)
        .hangs_up();
    exchange.play_both(&caller, &callee).await;
}

#[tokio::test]
async fn a_redirection_is_not_followed() {
    let exchange = Exchange::new().await;
    let caller = exchange
        .alice_calls(BOB.0)
        .calls(NOTHING, OFFER)
        .expect(480)
        .refused();
    let callee = exchange
        .bob_is_called()
        .answer("302 Moved Temporarily", NOTHING, NOTHING)
        .asked("ACK");
    exchange.play_both(&caller, &callee).await;
}

#[tokio::test]
async fn a_busy_callee_is_what_the_caller_hears() {
    let exchange = Exchange::new().await;
    let caller = exchange
        .alice_calls(BOB.0)
        .calls(NOTHING, OFFER)
        .expect(486)
        .refused();
    let callee = exchange
        .bob_is_called()
        .answer("486 Busy Here", NOTHING, NOTHING)
        .asked("ACK");
    exchange.play_both(&caller, &callee).await;
}

#[tokio::test]
async fn a_call_given_up_while_it_rings_is_cancelled_on_the_other_side() {
    let exchange = Exchange::new().await;
    let caller = exchange.alice_calls(BOB.0).calls(NOTHING, OFFER).gives_up();
    let callee = exchange
        .bob_is_called()
        .answer("180 Ringing", NOTHING, NOTHING)
        .asked("CANCEL")
        .reply("200 OK", NOTHING, NOTHING)
        .answer("487 Request Terminated", NOTHING, NOTHING)
        .asked("ACK");
    exchange.play_both(&caller, &callee).await;
}

/// The CANCEL and the 200 cross: the call that nobody wants any more is acknowledged and hung up.
#[tokio::test]
async fn a_callee_that_answers_when_it_is_cancelled_is_hung_up() {
    let exchange = Exchange::new().await;
    let caller = exchange.alice_calls(BOB.0).calls(NOTHING, OFFER).gives_up();
    let callee = exchange
        .bob_is_called()
        .answer("180 Ringing", NOTHING, NOTHING)
        .asked("CANCEL")
        .answer("200 OK", NOTHING, OFFER)
        .asked("ACK")
        .hung_up_on();
    exchange.play_both(&caller, &callee).await;
}

const RELIABLE: &str = "Supported: 100rel\nAllow: INVITE, ACK, BYE, CANCEL, PRACK, UPDATE\n";

/// RFC 3262 on both sides of the proxy, and on each by itself: early media is promised and acknowledged before the answer.
#[tokio::test]
async fn progress_with_a_description_is_reliable_on_both_sides() {
    let exchange = Exchange::new().await;
    let caller = exchange
        .alice_calls(BOB.0)
        .calls(RELIABLE, OFFER)
        .expect_reliably(183, NOTHING)
        .expect(200)
        .expect(200)
        .ack(NOTHING)
        .hangs_up();
    let callee = exchange
        .bob_is_called()
        .answer("183 Session Progress", "Require: 100rel\nRSeq: 7\n", OFFER)
        .asked_with("PRACK", "RAck", "7 [0-9]+ INVITE")
        .reply("200 OK", NOTHING, NOTHING)
        .answer("200 OK", NOTHING, NOTHING)
        .asked("ACK")
        .hung_up_on();
    exchange.play_both(&caller, &callee).await;
}

/// RFC 3311: the session changes before it is answered.
#[tokio::test]
async fn an_offer_in_an_early_dialog_passes_from_side_to_side() {
    let exchange = Exchange::new().await;
    let held = OFFER.replace("9000", "9002");
    let caller = exchange
        .alice_calls(BOB.0)
        .calls(RELIABLE, OFFER)
        .expect_reliably(183, NOTHING)
        .expect(200)
        .request("UPDATE", NOTHING, &held)
        .expect_with(200, "body", "m=audio 9000")
        .expect(200)
        .ack(NOTHING)
        .hangs_up();
    let callee = exchange
        .bob_is_called()
        .answer(
            "183 Session Progress",
            &format!("{RELIABLE}Require: 100rel\nRSeq: 7\n"),
            OFFER,
        )
        .asked("PRACK")
        .reply("200 OK", NOTHING, NOTHING)
        .asked_with("UPDATE", "body", "m=audio 9002")
        .reply("200 OK", NOTHING, OFFER)
        .answer("200 OK", NOTHING, NOTHING)
        .asked("ACK")
        .hung_up_on();
    exchange.play_both(&caller, &callee).await;
}

/// RFC 3515, 5589: the proxy carries the transfer out, tells the referrer, and brings the other side a new offer.
#[tokio::test]
async fn a_referrer_is_told_how_its_transfer_goes() {
    let exchange = Exchange::new().await;
    let phone = exchange.our_phone("1001").await;
    let refer = format!("Refer-To: <sip:1001@{}>\n", exchange.tenant.domain);
    let caller = exchange
        .alice_calls(BOB.0)
        .calls(NOTHING, OFFER)
        .maybe(180)
        .expect(200)
        .ack(NOTHING)
        .request("REFER", &refer, NOTHING)
        .expect(202)
        .notified("SIP/2.0 100")
        .notified("SIP/2.0 180")
        .notified("SIP/2.0 200")
        .hung_up_on();
    let callee = exchange
        .bob_is_called()
        .answer("200 OK", NOTHING, OFFER)
        .asked("ACK")
        .asked_with("INVITE", "body", "telephone-event")
        .reply("200 OK", NOTHING, OFFER)
        .asked("ACK")
        .hangs_up();
    exchange.play_both(&caller, &callee).await;
    phone.until_phase("none").await;
    let ended = phone.ok(&["status"]).await["ended"][0].clone();
    assert_eq!(ended["ended"], "remote_hang_up", "{ended}");
}
