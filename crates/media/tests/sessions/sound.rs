//! What both hear over good and bad networks.

use std::time::Duration;

use media::{Codec, MediaParameters};

use crate::world::*;

#[test]
fn both_hear_each_other_in_every_codec() {
    for codec in Codec::ALL {
        let mut world = World::new(
            Network {
                delay_ms: 30,
                ..Network::default()
            },
            codec,
        );
        world.run(Duration::from_secs(5));
        assert!(
            world.parties[0].share(700.0, 2.0) > 0.98,
            "{codec:?}: alice hears bob"
        );
        assert!(
            world.parties[1].share(400.0, 2.0) > 0.98,
            "{codec:?}: bob hears alice"
        );
        for stats in world.stats() {
            assert_eq!(
                (
                    stats.packets_sent,
                    stats.packets_lost,
                    stats.datagrams_dropped
                ),
                (250, 0, 0)
            );
            assert_eq!(
                (stats.send_codec, stats.receive_codec),
                (Some(codec), Some(codec))
            );
            assert!((248..=250).contains(&stats.packets_received));
            assert_eq!(stats.received.concealed_ms, 0.0);
        }
    }
}

#[test]
fn reports_measure_the_round_trip_and_loss_that_the_other_side_sees() {
    let network = Network {
        delay_ms: 60,
        loss_percent: 10,
        ..Network::default()
    };
    let mut world = World::new(network, Codec::Pcmu);
    world.run(Duration::from_secs(60));
    for stats in world.stats() {
        let round_trip = stats.round_trip.expect("reports were exchanged");
        // The simulated step is 20 ms.
        assert!(
            round_trip >= Duration::from_millis(110) && round_trip <= Duration::from_millis(170),
            "{round_trip:?}"
        );
        assert!(
            (200..=400).contains(&stats.remote_packets_lost.unwrap()),
            "{:?}",
            stats.remote_packets_lost
        );
        assert!(
            (7.0..13.0).contains(&stats.loss_percent()),
            "{}",
            stats.loss_percent()
        );
    }
}

#[test]
fn whole_copies_replace_nearly_every_lost_packet() {
    for codec in [Codec::Opus, Codec::Pcma] {
        let network = Network {
            loss_percent: 10,
            delay_ms: 40,
            ..Network::default()
        };
        let mut world = World::new(network, codec);
        let with_copies = |peer| MediaParameters {
            send_redundancy: Some(63),
            receive_redundancy: Some(63),
            ..parameters(codec, peer)
        };
        world.agree(with_copies(BOB), with_copies(ALICE));
        world.run(Duration::from_secs(60));
        for stats in world.stats() {
            let (recovered, lost) = (stats.received.recovered, stats.packets_lost);
            assert!(
                lost > 200 && recovered * 100 >= lost * 90,
                "{codec:?}: {recovered} of {lost}"
            );
        }
    }
}

#[test]
fn copies_reach_back_over_three_packets_lost_in_a_row() {
    let network = Network {
        delay_ms: 40,
        is_lost: |_, number| number % 30 < 3,
        ..Network::default()
    };
    let mut world = World::new(network, Codec::Opus);
    let with_copies = |peer| MediaParameters {
        send_redundancy: Some(63),
        receive_redundancy: Some(63),
        ..parameters(Codec::Opus, peer)
    };
    world.agree(with_copies(BOB), with_copies(ALICE));
    world.run(Duration::from_secs(60));
    for stats in world.stats() {
        let (recovered, lost) = (stats.received.recovered, stats.packets_lost);
        assert!(
            lost > 200 && recovered * 100 >= lost * 85,
            "{recovered} of {lost}"
        );
    }
}

#[test]
fn a_bad_network_is_survived_with_redundancy_once_loss_is_reported() {
    let network = Network {
        loss_percent: 10,
        duplicate_percent: 5,
        delay_ms: 40,
        jitter_ms: 50,
        ..Network::default()
    };
    let mut world = World::new(network, Codec::Opus);
    world.run(Duration::from_secs(60));
    for (n, stats) in world.stats().iter().enumerate() {
        // Bob's tone passes for voice in libopus, which adds copies to nothing else.
        let least = [100, 0][n];
        assert!(
            stats.received.recovered >= least,
            "{} recovered of {}",
            stats.received.recovered,
            stats.packets_lost
        );
        assert!(stats.packets_duplicate > 0);
        assert!(stats.playout.target_delay_ms < 120.0);
        let silent = world.parties[n].heard[96_000..]
            .chunks(960)
            .filter(|frame| frame.iter().all(|&s| s == 0))
            .count();
        assert_eq!(silent, 0, "nothing of the bad network is a hole");
    }
}

#[test]
fn the_same_seed_gives_the_same_call() {
    let network = Network {
        loss_percent: 10,
        duplicate_percent: 5,
        delay_ms: 20,
        jitter_ms: 30,
        ..Network::default()
    };
    let run = || {
        let mut world = World::new(network, Codec::Opus);
        world.run(Duration::from_secs(5));
        let [alice, bob] = world.parties;
        (alice.heard, bob.heard)
    };
    assert!(run() == run());
}

#[test]
fn a_narrow_path_gets_less_until_nothing_is_lost_any_more() {
    let network = Network {
        delay_ms: 20,
        kbit_per_second: Some(40),
        ..Network::default()
    };
    let mut world = World::new(network, Codec::Opus);
    let with_copies = |peer| MediaParameters {
        send_redundancy: Some(63),
        receive_redundancy: Some(63),
        ..parameters(Codec::Opus, peer)
    };
    world.agree(with_copies(BOB), with_copies(ALICE));
    world.run(Duration::from_secs(90));
    let before = world.stats();
    world.run(Duration::from_secs(20));
    for (before, after) in before.iter().zip(world.stats()) {
        assert!(before.packets_lost > 50, "{}", before.packets_lost);
        let lost = after.packets_lost - before.packets_lost;
        assert!(lost < 50, "{lost} of 1000 packets are still lost");
        let waits = after.round_trip.unwrap();
        assert!(waits < Duration::from_millis(200), "{waits:?}");
    }
}
