//! What happens by itself when phones are left alone for a minute: registrations and sessions are refreshed. All at once, because a
//! minute is long for a test.

use std::time::Duration;

use tests::{until, until_within};

use crate::peer::{Baresip, Carrier, Linphonec, Peer};
use crate::sipp::session::{
    the_callee_is_refreshed_by_reinvite, the_caller_is_refreshed_by_update,
};
use crate::stage::{OURS, Registrar, Stage, THEIRS};

/// Longer than the shortest registration that the server grants.
const MINUTE: Duration = Duration::from_secs(75);

#[tokio::test]
async fn registrations_and_sessions_are_refreshed() {
    tokio::join!(
        linphonec_refreshes_its_call_and_its_registration(Carrier::Tcp),
        linphonec_refreshes_its_call_and_its_registration(Carrier::Tls),
        baresip_refreshes_its_registration(),
        the_caller_is_refreshed_by_update(),
        the_callee_is_refreshed_by_reinvite(),
    );
}

async fn linphonec_refreshes_its_call_and_its_registration(carrier: Carrier) {
    let stage = Stage::new(Registrar::Tandem, carrier).await;
    let phone = stage.our_phone(OURS).await;
    let mut identity = stage.identity(THEIRS).await;
    identity.expires_secs = 60;
    let mut peer = Linphonec::start(identity).await;
    until("linphonec registers", async || peer.is_registered()).await;
    peer.dial(&stage.address(OURS)).await;
    phone.ok(&["answer", "--timeout", "30"]).await;
    phone.until_phase("connected").await;
    until_within(MINUTE, "linphonec refreshes its call", async || {
        peer.sessions_refreshed() > 0
    })
    .await;
    until_within(MINUTE, "linphonec registers again", async || {
        peer.registrations() > 1
    })
    .await;
    assert_eq!(phone.phase().await, "connected");
    phone.hears("heard.wav", Linphonec::SAYS_HZ).await;
    peer.hang_up().await;
    phone.until_phase("none").await;
}

async fn baresip_refreshes_its_registration() {
    let stage = Stage::new(Registrar::Tandem, Carrier::Udp).await;
    let mut identity = stage.identity(THEIRS).await;
    identity.expires_secs = 60;
    let peer = Baresip::start(identity).await;
    until_within(MINUTE, "baresip registers again", async || {
        peer.registrations() > 1
    })
    .await;
    stage.server.bindings_are_kept(1).await;
}
