//! What our phone and another one do with each other, whichever the other is.

use std::path::Path;

use tests::{Phone, has_tone_after, share_of_tone, until};

use crate::peer::Peer;
use crate::stage::{OURS, OURS_HZ, Stage, THEIRS};

/// It calls us, we answer; both hear the other, press a digit; it holds, resumes and hangs up.
pub(crate) async fn it_calls_us<P: Peer>(stage: &Stage) {
    let phone = stage.our_phone(OURS).await;
    let mut peer: P = stage.their_phone(THEIRS).await;
    peer.dial(&stage.address(OURS)).await;
    phone.ok(&["answer", "--timeout", "30"]).await;
    phone.until_phase("connected").await;
    phone.hears("heard.wav", P::SAYS_HZ).await;
    stage.assert_security(&phone.ok(&["status"]).await["calls"][0]);

    peer.press('5').await;
    until("our phone hears the digit", async || {
        phone.digits().await == "5"
    })
    .await;
    phone.ok(&["dtmf", "7"]).await;
    until("the other phone hears the digit", async || {
        peer.digits() == "7"
    })
    .await;

    peer.hold().await;
    phone.until_phase("held-by-peer").await;
    peer.resume().await;
    phone.until_phase("connected").await;
    phone.hears("heard.wav", P::SAYS_HZ).await;

    peer.hang_up().await;
    phone.until_phase("none").await;
    let ended = phone.ok(&["status"]).await["ended"][0].clone();
    assert_eq!(ended["ended"], "remote_hang_up", "{ended}");
    until("its call is over", async || peer.calls_ended() == 1).await;
    assert_heard(&peer.heard(), OURS_HZ, "the other phone");
}

/// We call it, it answers; we hold and resume; both hear the other; we hang up.
pub(crate) async fn we_call_it<P: Peer>(stage: &Stage) {
    let phone = stage.our_phone(OURS).await;
    let mut peer: P = stage.their_phone(THEIRS).await;
    phone.ok(&["call", THEIRS, "--wait", "placed"]).await;
    until("the other phone rings", async || peer.calls_offered() == 1).await;
    phone.until_phase("ringing").await;
    peer.answer().await;
    phone.until_phase("connected").await;
    phone.hears("heard.wav", P::SAYS_HZ).await;
    stage.assert_security(&phone.ok(&["status"]).await["calls"][0]);

    phone.ok(&["hold"]).await;
    phone.until_phase("held").await;
    until("the other phone is held", async || {
        peer.times_held().is_none_or(|times| times == 1)
    })
    .await;
    phone.ok(&["resume"]).await;
    phone.until_phase("connected").await;
    phone.hears("heard.wav", P::SAYS_HZ).await;

    phone.ok(&["hangup"]).await;
    phone.until_phase("none").await;
    until("its call is over", async || peer.calls_ended() == 1).await;
    assert_heard(&peer.heard(), OURS_HZ, "the other phone");
    let media = phone.ok(&["status"]).await["ended"][0]["media"].clone();
    assert_eq!(media["codec"], stage.codec(), "{media}");
}

/// Calls that are given up or refused, on either side, leave nothing behind.
pub(crate) async fn nobody_answers<P: Peer>(stage: &Stage) {
    let phone = stage.our_phone(OURS).await;
    let mut peer: P = stage.their_phone(THEIRS).await;

    peer.dial(&stage.address(OURS)).await;
    phone.until_phase("ringing").await;
    peer.hang_up().await;
    phone.until_phase("none").await;
    until("its own call is given up", async || peer.calls_ended() == 1).await;

    peer.dial(&stage.address(OURS)).await;
    phone.until_phase("ringing").await;
    phone.ok(&["reject"]).await;
    until("its call is refused", async || peer.calls_ended() == 2).await;

    phone.ok(&["call", THEIRS, "--wait", "placed"]).await;
    until("the other phone rings", async || peer.calls_offered() == 1).await;
    phone.ok(&["hangup"]).await;
    until("it stops ringing", async || peer.calls_ended() == 3).await;
    phone.until_phase("none").await;

    phone.ok(&["call", THEIRS, "--wait", "placed"]).await;
    until("the other phone rings again", async || {
        peer.calls_offered() == 2
    })
    .await;
    peer.reject().await;
    phone.until_phase("none").await;

    let status = phone.ok(&["status"]).await;
    let ended: Vec<_> = status["ended"].as_array().into_iter().flatten().collect();
    let ways: Vec<_> = ended.iter().map(|call| &call["ended"]).collect();
    assert_eq!(
        ways,
        ["cancelled", "local_hang_up", "local_hang_up", "failed"],
        "{status}"
    );
    let refused = ended[3]["sip_status"].as_u64();
    assert!(matches!(refused, Some(486 | 603)), "{status}");
}

/// Our phones call each other; one holds, the other presses a digit.
pub(crate) async fn we_call_each_other(stage: &Stage) {
    let caller = stage.our_phone("1002").await;
    let callee = stage.our_phone(OURS).await;
    they_call_each_other(&caller, &callee).await;
}

/// The same of phones that are registered, the callee as [`OURS`].
pub(crate) async fn they_call_each_other(caller: &Phone, callee: &Phone) {
    caller.ok(&["call", OURS, "--wait", "placed"]).await;
    callee.ok(&["answer", "--timeout", "30"]).await;
    caller.until_phase("connected").await;
    callee.ok(&["hold"]).await;
    caller.until_phase("held-by-peer").await;
    callee.ok(&["resume"]).await;
    caller.until_phase("connected").await;
    caller.hears("heard.wav", OURS_HZ).await;
    caller.ok(&["dtmf", "7"]).await;
    until("the digit arrives", async || callee.digits().await == "7").await;
    callee.ok(&["hangup"]).await;
    caller.until_phase("none").await;
    callee.until_phase("none").await;
    assert_heard(&callee.file("heard.wav"), OURS_HZ, "the callee");
}

/// Our phones call each other; both hear the other and say how their sound is secured.
pub(crate) async fn we_secure_our_calls(stage: &Stage) {
    let caller = stage.our_phone("1002").await;
    let callee = stage.our_phone(OURS).await;
    caller.ok(&["call", OURS, "--wait", "placed"]).await;
    callee.ok(&["answer", "--timeout", "30"]).await;
    for phone in [&caller, &callee] {
        phone.until_phase("connected").await;
        phone.hears("heard.wav", OURS_HZ).await;
        stage.assert_security(&phone.ok(&["status"]).await["calls"][0]);
    }
    callee.ok(&["hold"]).await;
    caller.until_phase("held-by-peer").await;
    callee.ok(&["resume"]).await;
    caller.until_phase("connected").await;
    for phone in [&caller, &callee] {
        phone.hears("heard.wav", OURS_HZ).await;
    }
    callee.ok(&["hangup"]).await;
    caller.until_phase("none").await;
    let ended = caller.ok(&["status"]).await["ended"][0].clone();
    assert_eq!(ended["media"]["suite"], "AEAD_AES_256_GCM", "{ended}");
}

/// It registers, is refused with a wrong password, and takes its registration back when it ends.
///
/// The right password comes first: guessers from an address without a phone are banned, and not all of them stop at a refusal.
pub(crate) async fn it_registers<P: Peer>(stage: &Stage) {
    let mut identity = stage.identity(THEIRS).await;
    let peer = P::start(identity.clone()).await;
    until("the right password registers", async || {
        peer.is_registered()
    })
    .await;
    stage.server.bindings_are_kept(1).await;

    "wrong".clone_into(&mut identity.password);
    let stranger = P::start(identity).await;
    until("a wrong password is refused", async || {
        stranger.is_refused()
    })
    .await;
    assert!(!stranger.is_registered());
    drop(stranger);

    stage.server.bindings_are_kept(1).await;
    peer.quit().await;
    stage.server.bindings_are_kept(0).await;
}

/// The tone is what there is to hear. A busy machine tears it, and then it is not all.
pub(crate) fn assert_heard(path: &Path, frequency_hz: f64, who: &str) {
    let share = share_of_tone(path, frequency_hz);
    assert!(
        share > 0.25 && has_tone_after(path, frequency_hz, 0.0),
        "{who}: only {share:.2} of the sound is the tone of {frequency_hz} Hz"
    );
}
