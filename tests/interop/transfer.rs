//! Transfers with other people's phones in each role, carried out by the proxy; with Kamailio between, by our phone itself.

use tests::{Phone, until};

use crate::peer::{Baresip, Carrier, Linphonec, Peer};
use crate::stage::{OURS, OURS_HZ, Registrar, Stage, THEIRS};

/// The number that calls are transferred to.
const TARGET: &str = "1002";

/// Calls our phone and talks to it.
async fn talk<P: Peer>(peer: &mut P, phone: &Phone, stage: &Stage) {
    peer.dial(&stage.address(OURS)).await;
    phone.ok(&["answer", "--timeout", "30"]).await;
    phone.until_phase("connected").await;
    phone.hears("heard.wav", P::SAYS_HZ).await;
}

/// Both of our phones talk to each other, and one hangs up.
async fn our_phones_talk(one: &Phone, other: &Phone) {
    one.until_phase("connected").await;
    other.until_phase("connected").await;
    one.hears("heard.wav", OURS_HZ).await;
    other.hears("heard.wav", OURS_HZ).await;
    other.ok(&["hangup"]).await;
    one.until_phase("none").await;
}

/// It calls us and sends us on to another phone of ours, unasked.
async fn it_transfers_us<P: Peer>(carrier: Carrier) {
    let stage = Stage::new(Registrar::Tandem, carrier).await;
    let (phone, target) = (stage.our_phone(OURS).await, stage.our_phone(TARGET).await);
    let mut peer: P = stage.their_phone(THEIRS).await;
    talk(&mut peer, &phone, &stage).await;
    peer.transfer(&stage.address(TARGET)).await;
    target.ok(&["answer", "--timeout", "30"]).await;
    until("its own call ends", async || peer.calls_ended() == 1).await;
    our_phones_talk(&phone, &target).await;
}

/// It talks to another phone, which sends it on to us.
async fn it_is_transferred_to_us<P: Peer, By: Peer>(carrier: Carrier) {
    let stage = Stage::new(Registrar::Tandem, carrier).await;
    let target = stage.our_phone(TARGET).await;
    let mut peer: P = stage.their_phone(THEIRS).await;
    let mut by: By = stage.their_phone("3002").await;
    by.dial(&stage.address(THEIRS)).await;
    until("it rings", async || peer.calls_offered() == 1).await;
    peer.answer().await;
    until("they talk", async || by.calls_answered() == 1).await;
    by.transfer(&stage.address(TARGET)).await;
    target.ok(&["answer", "--timeout", "30"]).await;
    target.until_phase("connected").await;
    until("the transferor's call ends", async || by.calls_ended() == 1).await;
    target.hears("heard.wav", P::SAYS_HZ).await;
    target.ok(&["hangup"]).await;
    until("its call ends", async || peer.calls_ended() == 1).await;
}

/// Another phone sends us on to it.
async fn we_are_transferred_to_it<P: Peer, By: Peer>(carrier: Carrier) {
    let stage = Stage::new(Registrar::Tandem, carrier).await;
    let phone = stage.our_phone(OURS).await;
    let mut peer: P = stage.their_phone(THEIRS).await;
    let mut by: By = stage.their_phone("3002").await;
    talk(&mut by, &phone, &stage).await;
    by.transfer(&stage.address(THEIRS)).await;
    until("it rings", async || peer.calls_offered() == 1).await;
    peer.answer().await;
    until("the transferor's call ends", async || by.calls_ended() == 1).await;
    phone.until_phase("connected").await;
    phone.hears("heard.wav", P::SAYS_HZ).await;
    peer.hang_up().await;
    phone.until_phase("none").await;
}

#[tokio::test]
async fn baresip_transfers_us() {
    it_transfers_us::<Baresip>(Carrier::Udp).await;
}

#[tokio::test]
async fn baresip_transfers_us_over_tls() {
    it_transfers_us::<Baresip>(Carrier::Tls).await;
}

#[tokio::test]
async fn linphonec_transfers_us() {
    it_transfers_us::<Linphonec>(Carrier::Tcp).await;
}

#[tokio::test]
async fn baresip_is_transferred_to_us() {
    it_is_transferred_to_us::<Baresip, Linphonec>(Carrier::Udp).await;
}

#[tokio::test]
async fn linphonec_is_transferred_to_us() {
    it_is_transferred_to_us::<Linphonec, Baresip>(Carrier::Tcp).await;
}

#[tokio::test]
async fn linphonec_is_transferred_to_us_over_tls() {
    it_is_transferred_to_us::<Linphonec, Baresip>(Carrier::Tls).await;
}

#[tokio::test]
async fn we_are_transferred_to_baresip() {
    we_are_transferred_to_it::<Baresip, Linphonec>(Carrier::Udp).await;
}

#[tokio::test]
async fn we_are_transferred_to_linphonec() {
    we_are_transferred_to_it::<Linphonec, Baresip>(Carrier::Udp).await;
}

#[tokio::test]
async fn we_are_transferred_to_linphonec_over_tls() {
    we_are_transferred_to_it::<Linphonec, Baresip>(Carrier::Tls).await;
}

/// linphonec talks to both of our phones, then joins them (RFC 3891, 5589).
async fn linphonec_joins_us(carrier: Carrier) {
    let stage = Stage::new(Registrar::Tandem, carrier).await;
    let (phone, target) = (stage.our_phone(OURS).await, stage.our_phone(TARGET).await);
    let mut peer: Linphonec = stage.their_phone(THEIRS).await;
    talk(&mut peer, &phone, &stage).await;
    peer.hold().await;
    phone.until_phase("held-by-peer").await;
    peer.dial(&stage.address(TARGET)).await;
    target.ok(&["answer", "--timeout", "30"]).await;
    target.hears("heard.wav", Linphonec::SAYS_HZ).await;
    peer.join(1, 2).await;
    until("both of its calls end", async || peer.calls_ended() == 2).await;
    our_phones_talk(&phone, &target).await;
}

#[tokio::test]
async fn linphonec_joins_the_two_that_it_talks_to() {
    linphonec_joins_us(Carrier::Udp).await;
}

#[tokio::test]
async fn linphonec_joins_the_two_that_it_talks_to_over_tcp() {
    linphonec_joins_us(Carrier::Tcp).await;
}

#[tokio::test]
async fn linphonec_joins_the_two_that_it_talks_to_over_tls() {
    linphonec_joins_us(Carrier::Tls).await;
}

/// baresip knows nothing of Replaces, and need not: the proxy joins the two.
#[tokio::test]
async fn linphonec_joins_us_with_baresip() {
    let stage = Stage::new(Registrar::Tandem, Carrier::Udp).await;
    let phone = stage.our_phone(OURS).await;
    let mut baresip: Baresip = stage.their_phone(THEIRS).await;
    let mut linphonec: Linphonec = stage.their_phone("3002").await;
    talk(&mut linphonec, &phone, &stage).await;
    linphonec.hold().await;
    phone.until_phase("held-by-peer").await;
    linphonec.dial(&stage.address(THEIRS)).await;
    until("baresip rings", async || baresip.calls_offered() == 1).await;
    baresip.answer().await;
    until("they talk", async || linphonec.calls_answered() == 2).await;
    linphonec.join(1, 2).await;
    until("both calls of linphonec end", async || {
        linphonec.calls_ended() == 2
    })
    .await;
    phone.until_phase("connected").await;
    phone.hears("heard.wav", Baresip::SAYS_HZ).await;
    baresip.hang_up().await;
    phone.until_phase("none").await;
}
