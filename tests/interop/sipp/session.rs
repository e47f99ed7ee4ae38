//! Session timers (RFC 4028): refused when too short, refreshed by whoever has to.

use tests::free_port;

use super::scenario::{NOTHING, OFFER};
use super::{BOB, Exchange};

const TIMER: &str = "Supported: timer\n";

#[tokio::test]
async fn an_interval_that_is_too_short_is_refused_with_the_shortest_one() {
    let exchange = Exchange::new().await;
    let caller = exchange
        .alice_calls(BOB.0)
        .invite(&format!("{TIMER}Session-Expires: 30\nMin-SE: 30\n"), OFFER)
        .maybe(100)
        .expect_with(422, "Min-SE", "90")
        .refused();
    exchange.register_bob(free_port()).await;
    exchange.play(&caller).await;
}

#[tokio::test]
async fn the_caller_refreshes_by_update_and_by_reinvite() {
    let exchange = Exchange::new().await;
    let timer = format!("{TIMER}Session-Expires: 90;refresher=uac\n");
    let caller = exchange
        .alice_calls(BOB.0)
        .calls(&timer, OFFER)
        .maybe(180)
        .expect_with(200, "Session-Expires", "90;refresher=uac")
        .ack(NOTHING)
        .request("UPDATE", &timer, NOTHING)
        .expect_with(200, "Session-Expires", "90;refresher=uac")
        .invite_again(&timer, OFFER)
        .maybe(100)
        .expect_with(200, "Session-Expires", "90;refresher=uac")
        .ack(NOTHING)
        .hangs_up();
    let callee = exchange
        .bob_is_called()
        .answer("200 OK", NOTHING, OFFER)
        .asked("ACK")
        .hung_up_on();
    exchange.play_both(&caller, &callee).await;
}

/// Half a session of 90 seconds passes, then the proxy refreshes a caller that knows UPDATE.
pub(crate) async fn the_caller_is_refreshed_by_update() {
    let exchange = Exchange::new().await;
    let headers = format!(
        "{TIMER}Allow: INVITE, ACK, BYE, CANCEL, UPDATE\nSession-Expires: 90;refresher=uas\n"
    );
    let caller = exchange
        .alice_calls(BOB.0)
        .calls(&headers, OFFER)
        .maybe(180)
        .expect_with(200, "Session-Expires", "90;refresher=uas")
        .ack(NOTHING)
        .asked_with("UPDATE", "Session-Expires", "90;refresher=uac")
        .reply(
            "200 OK",
            "Require: timer\nSession-Expires: 90;refresher=uac\n",
            NOTHING,
        )
        .hangs_up();
    let callee = exchange
        .bob_is_called()
        .answer("200 OK", NOTHING, OFFER)
        .asked("ACK")
        .hung_up_on();
    exchange.play_both(&caller, &callee).await;
}

/// Half a session of 90 seconds passes, then the proxy refreshes a callee that does not know UPDATE.
pub(crate) async fn the_callee_is_refreshed_by_reinvite() {
    let exchange = Exchange::new().await;
    let timer = "Require: timer\nSession-Expires: 90;refresher=uac\n";
    let caller = exchange
        .alice_calls(BOB.0)
        .calls(NOTHING, OFFER)
        .maybe(180)
        .expect(200)
        .ack(NOTHING)
        .hung_up_on();
    let callee = exchange
        .bob_is_called()
        .answer(
            "200 OK",
            &format!("Allow: INVITE, ACK, BYE, CANCEL\n{timer}"),
            OFFER,
        )
        .asked("ACK")
        .asked_with("INVITE", "Session-Expires", "90;refresher=uac")
        .reply("200 OK", timer, OFFER)
        .asked("ACK")
        .hangs_up();
    exchange.play_both(&caller, &callee).await;
}
