//! A thousand digits through a network that loses one packet in ten, to baresip and from it: none missing, none twice.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use tests::{Phone, happens, until, until_within};

use crate::lossy::Lossy;
use crate::peer::{Baresip, Carrier, Identity, Peer as _};
use crate::stage::{Registrar, Stage};

/// Digits in each direction in one call: our phone tells of so many.
const DIGITS: usize = 63;
/// Pairs of phones that talk at the same time, and their calls one after another: 1,008 digits in each direction.
const PAIRS: usize = 4;
const CALLS: usize = 4;

/// How long these digits may take.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_thousand_digits_arrive_in_each_direction_through_ten_percent_loss_none_missing_and_none_twice()
 {
    let stage = Stage::new(Registrar::Tandem, Carrier::Udp).await;
    let [first, second, third, fourth]: [_; PAIRS] = std::array::from_fn(|pair| talk(&stage, pair));
    tokio::join!(first, second, third, fourth);
}

/// The calls of a pair.
async fn talk(stage: &Stage, pair: usize) {
    let (ours, theirs) = (format!("100{pair}"), format!("300{pair}"));
    let phone = stage.our_phone(&ours).await;
    let identity = stage.identity(&theirs).await;
    for call in 0..CALLS {
        let address = stage.address(&ours);
        press_in_a_call(&phone, &address, identity.clone(), pair * CALLS + call).await;
    }
}

/// Both press keys at the same time, from the first moment of the call on.
async fn press_in_a_call(phone: &Phone, address: &str, mut identity: Identity, number: usize) {
    let lossy = Lossy::before(&identity.proxy, number as u64).await;
    identity.proxy.clone_from(&lossy.address);
    let mut baresip = Baresip::start(identity).await;
    until("baresip registers", async || baresip.is_registered()).await;
    let [theirs, ours] = [keys(2 * number), keys(2 * number + 1)];
    baresip.dial(address).await;
    phone.ok(&["answer", "--timeout", "30"]).await;
    until("the call begins", async || baresip.calls_answered() == 1).await;
    baresip.press_all(&theirs).await;
    phone.until_phase("connected").await;
    phone.ok(&["dtmf", &ours]).await;

    until_within(PATIENCE, "baresip has sent its digits", async || {
        lossy.events_sent() >= DIGITS
    })
    .await;
    assert_eq!(lossy.digits_sent(), theirs, "what baresip sent");
    until_within(PATIENCE, "our digits have left", async || {
        lossy.digits_arrived().len() >= DIGITS
    })
    .await;
    are_heard("our phone hears", &theirs, async || phone.digits().await).await;
    assert_eq!(lossy.digits_arrived(), ours, "what a capture says");
    let known = known_to_baresip(&lossy.arrived());
    are_heard("baresip hears", &known, async || baresip.digits()).await;
    assert!((6..=14).contains(&lossy.loss_percent()));

    baresip.hang_up().await;
    phone.until_phase("none").await;
    baresip.quit().await;
}

/// Waits for the digits; what has been heard instead is told.
async fn are_heard(who: &str, digits: &str, mut heard: impl AsyncFnMut() -> String) {
    let mut so_far = String::new();
    let all = async || {
        so_far = heard().await;
        so_far.len() >= digits.len()
    };
    happens(PATIENCE, all).await;
    assert_eq!(so_far, digits, "{who}");
}

/// What baresip 1.0 makes of the events that reached it. It looks at the number of an event and not at its timestamp: it knows none of
/// which only the end arrived, and takes two of the same number for one if no end came between them. Both happen to about one digit
/// in five thousand.
fn known_to_baresip(arrived: &[(char, bool, bool)]) -> String {
    let mut known = String::new();
    let mut sounding = None;
    for &(label, has_begun, has_ended) in arrived {
        if has_begun && sounding.replace(label) != Some(label) {
            known.push(label);
        }
        if has_ended {
            sounding = None;
        }
    }
    known
}

/// Keys in an order of their own for each seed, with repetitions.
fn keys(seed: usize) -> String {
    let mut chance = ChaCha8Rng::seed_from_u64(seed as u64);
    let next = |_| char::from(b"0123456789*#"[chance.next_u32() as usize % 12]);
    (0..DIGITS).map(next).collect()
}
