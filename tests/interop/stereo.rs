//! A phone that speaks stereo, through a network that loses packets: our phone hears both of its channels.

use tests::{Side, seconds_of, share_of_tone, until};

use crate::lossy::Lossy;
use crate::peer::{Baresip, Carrier, Peer as _};
use crate::stage::{OURS, OURS_HZ, Registrar, Stage, THEIRS};

/// What baresip says left and right, in hertz.
const SIDES_HZ: [f64; 2] = [440.0, 700.0];
/// How much is listened to before it is measured, in seconds.
const ENOUGH: f64 = 8.0;

#[tokio::test]
async fn both_channels_of_baresip_in_stereo_are_heard_alike_through_ten_percent_loss() {
    let stage = Stage::new(Registrar::Tandem, Carrier::Udp).await;
    let phone = stage.our_phone(OURS).await;
    let mut identity = stage.identity(THEIRS).await;
    let lossy = Lossy::before(&identity.proxy, 7).await;
    identity.proxy.clone_from(&lossy.address);
    identity.stereo = Some(SIDES_HZ);
    let mut baresip = Baresip::start(identity).await;
    until("baresip registers", async || baresip.is_registered()).await;
    baresip.dial(&stage.address(OURS)).await;
    phone.ok(&["answer", "--timeout", "30"]).await;
    phone.until_phase("connected").await;

    let heard = phone.file("heard.wav");
    phone.hears_all(&heard, Side::Left, &SIDES_HZ, &[]).await;
    until("enough is heard", async || seconds_of(&heard) > ENOUGH).await;
    baresip.hang_up().await;
    phone.until_phase("none").await;
    until("its call is over", async || baresip.calls_ended() == 1).await;

    let [left, right] = SIDES_HZ.map(|hz| share_of_tone(&heard, hz));
    assert!(lossy.stereo_percent() > 90, "{} %", lossy.stereo_percent());
    assert!((3..=20).contains(&lossy.loss_percent()));
    // Half of the sound each.
    for share in [left, right] {
        assert!((0.35..0.6).contains(&share), "left {left}, right {right}");
    }
    assert!(share_of_tone(&baresip.heard(), OURS_HZ) > 0.25);
    baresip.quit().await;
}
