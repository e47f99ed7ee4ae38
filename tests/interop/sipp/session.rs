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
        .invite(&timer, OFFER)
        .maybe(100)
        .maybe(180)
        .expect_with(200, "Session-Expires", "90;refresher=uac")
        .ack(NOTHING)
        .request("UPDATE", &timer, NOTHING)
        .expect_with(200, "Session-Expires", "90;refresher=uac")
        .invite_again(&timer, OFFER)
        .maybe(100)
        .expect_with(200, "Session-Expires", "90;refresher=uac")
        .ack(NOTHING)
        .request("BYE", NOTHING, NOTHING)
        .expect(200);
    let callee = exchange
        .bob_is_called()
        .answer("200 OK", NOTHING, OFFER)
        .asked("ACK")
        .asked("BYE")
        .reply("200 OK", NOTHING, NOTHING);
    exchange.play_both(&caller, &callee).await;
}
