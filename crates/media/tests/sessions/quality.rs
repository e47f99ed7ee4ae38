//! What two sessions tell about the quality of their call.

use std::time::Duration;

use media::quality::one_way::Fault;
use media::{CallQuality, Codec, Direction, MediaParameters, Microphone};

use crate::world::*;

/// What both think of their call after so many more seconds.
fn qualities(call: &mut World, seconds: u64) -> [CallQuality; 2] {
    call.run(Duration::from_secs(seconds));
    call.stats().map(|stats| stats.quality)
}

fn every_tenth_of_alice(sender: usize, number: u64) -> bool {
    sender == 0 && number % 10 == 9
}

#[test]
fn a_good_call_has_the_best_score_in_both_directions_and_no_fault() {
    for (codec, best) in [(Codec::Pcma, 4.41), (Codec::G722, 4.5), (Codec::Opus, 4.5)] {
        for quality in qualities(&mut World::new(Network::default(), codec), 12) {
            for direction in [quality.heard.unwrap(), quality.sent.unwrap()] {
                assert_eq!(direction.loss_percent, 0.0);
                let mos = direction.rating.mos();
                assert!((mos - best).abs() < 0.01, "{codec:?}: {direction:?}");
            }
            assert_eq!((quality.reported, quality.fault), (None, None));
        }
    }
}

#[test]
fn loss_in_one_direction_lowers_one_score_here_and_the_other_there() {
    let mut call = World::new(Network::default(), Codec::Pcma);
    // Of Alice's packets every tenth.
    call.network.is_lost = every_tenth_of_alice;
    let [alice, bob] = qualities(&mut call, 60);
    for hurt in [alice.sent.unwrap(), bob.heard.unwrap()] {
        assert!((9.0..11.0).contains(&hurt.loss_percent), "{hurt:?}");
        assert!((3.2..3.6).contains(&hurt.rating.mos()), "{hurt:?}");
    }
    for whole in [alice.heard.unwrap(), bob.sent.unwrap()] {
        assert!(whole.rating.mos() > 4.4);
    }
}

#[test]
fn a_peer_that_asked_is_told_how_it_is_heard() {
    let mut call = World::new(Network::default(), Codec::Pcma);
    call.network.is_lost = every_tenth_of_alice;
    let asking = MediaParameters {
        voip_metrics: true,
        ..parameters(Codec::Pcma, ALICE)
    };
    let now = call.now;
    let bob = &mut call.parties[1].session;
    bob.set_parameters(asking, now).unwrap();
    let [alice, bob] = qualities(&mut call, 60);
    assert_eq!(bob.reported, None, "alice was not asked");
    let told = alice.reported.unwrap();
    assert!((24..=28).contains(&told.loss_rate), "{told:?}");
    assert!(told.burst_density > 20, "never 16 in a row: {told:?}");
    let heard = bob.heard.unwrap().rating;
    assert!((f64::from(told.mos_cq.unwrap()) / 10.0 - heard.mos()).abs() < 0.1);
    assert_eq!(
        alice.sent.unwrap().rating.value(),
        f64::from(told.r_factor.unwrap())
    );
}

#[test]
fn one_way_audio_is_explained_on_both_sides_and_heals() {
    let mut call = World::new(Network::default(), Codec::Opus);
    call.network.is_lost = |sender, _| sender == 1;
    let [alice, bob] = qualities(&mut call, 20);
    assert_eq!(alice.fault, Some(Fault::NothingArrives));
    assert_eq!(alice.heard, None);
    assert_eq!(bob.fault, Some(Fault::NotReceived));
    call.network.is_lost = |_, _| false;
    let [alice, bob] = qualities(&mut call, 10);
    assert_eq!((alice.fault, bob.fault), (None, None));
}

#[test]
fn mute_and_hold_are_no_faults() {
    let mut call = World::new(Network::default(), Codec::Pcmu);
    qualities(&mut call, 2);
    call.parties[0].session.set_microphone(Microphone::Muted);
    let held = |direction, remote| MediaParameters {
        direction,
        ..parameters(Codec::Pcmu, remote)
    };
    call.agree(
        held(Direction::SendOnly, BOB),
        held(Direction::RecvOnly, ALICE),
    );
    let [alice, _] = qualities(&mut call, 20);
    assert_eq!(alice.fault, None);
}
