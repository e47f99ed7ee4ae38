//! Digits as telephone-events (RFC 4733) over bad networks.

use media::Codec;

use crate::world::*;

#[test]
fn two_hundred_digits_arrive_through_loss_while_both_talk() {
    let network = Network {
        loss_percent: 10,
        duplicate_percent: 5,
        delay_ms: 20,
        jitter_ms: 30,
        ..Network::default()
    };
    let mut world = World::new(network, Codec::Pcma);
    let labels = "0123456789*#ABCD";
    let typed: String = (0..200)
        .map(|n| labels.as_bytes()[n * 7 % 16] as char)
        .collect();
    world.press(&typed);
    assert_eq!(world.parties[1].digits(), typed);
}
