//! Who is not listened to.

use std::time::Duration;

use media::{Codec, SessionEvent};

use crate::world::*;

#[test]
fn a_peer_behind_address_translation_is_found_and_strangers_are_not_heard() {
    let mut world = World::new(Network::default(), Codec::Pcmu);
    // Bob announces a private address; his datagrams come from another.
    world.agree(
        parameters(Codec::Pcmu, "10.0.0.5:5000"),
        parameters(Codec::Pcmu, ALICE),
    );
    world.run(Duration::from_secs(1));
    assert!(
        world.parties[1].share(400.0, 0.2) > 0.9,
        "bob hears alice once his address is proven"
    );
    assert!(
        matches!(world.parties[0].events[..], [SessionEvent::Started { source }] if source == address(BOB))
    );
    let before = world.stats()[0].packets_received;
    for n in 0..20 {
        world.forge(0, STRANGER, &plain_packet(n));
    }
    assert_eq!(world.stats()[0].packets_received, before);
    assert!(world.stats()[0].datagrams_dropped >= 20);
}
