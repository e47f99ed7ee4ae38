//! Two phones behind translators of their own.

use media_io::{IceServers, Role};

use crate::network::{Network, PASSWORD, Translation, server, stun, turn};
use crate::side::{Port, Side};

/// The network, or `None` and the reason on standard error.
fn network(translation: Translation) -> Option<Network> {
    Network::new(translation)
        .inspect_err(|reason| eprintln!("skipped, no translated network here: {reason}"))
        .ok()
}

async fn call(network: &Network, servers: IceServers) -> [Side; 2] {
    let mut ports = [1, 2].map(|side| network.at_phone(side, Port::open));
    let [alice, bob] = &mut ports;
    let (of_alice, of_bob) = tokio::join!(alice.gather(servers.clone()), bob.gather(servers));
    for port in &ports {
        assert_eq!(port.failures, [""; 0]);
    }
    let [alice, bob] = ports;
    let (alice, bob) = (alice.talk(500.0), bob.talk(900.0));
    alice.agree(&of_alice, &of_bob, Role::Controlling);
    bob.agree(&of_bob, &of_alice, Role::Controlled);
    [alice, bob]
}

#[tokio::test]
async fn behind_translators_that_keep_ports_both_hear_each_other_directly_by_what_stun_told() {
    let Some(network) = network(Translation::Kept) else {
        return;
    };
    let [mut alice, mut bob] = call(&network, stun()).await;
    let (to_bob, to_alice) = tokio::join!(alice.path(), bob.path());
    assert_eq!(
        (to_bob.0.ip().to_string().as_str(), to_bob.1),
        ("10.77.2.2", false)
    );
    assert_eq!(
        (to_alice.0.ip().to_string().as_str(), to_alice.1),
        ("10.77.1.2", false)
    );
    tokio::join!(alice.hear(900.0), bob.hear(500.0));
}

#[tokio::test]
async fn behind_symmetric_translators_both_hear_each_other_by_turn() {
    let Some(network) = network(Translation::Random) else {
        return;
    };
    let [mut alice, mut bob] = call(&network, turn(PASSWORD)).await;
    let (to_bob, to_alice) = tokio::join!(alice.path(), bob.path());
    for (remote, is_relayed) in [to_bob, to_alice] {
        let is_by_peers_server = remote.ip() == server().ip();
        assert!(is_relayed || is_by_peers_server, "{remote} is no relay");
    }
    tokio::join!(alice.hear(900.0), bob.hear(500.0));
}

#[tokio::test]
async fn a_wrong_password_is_said_and_the_call_has_the_other_candidates() {
    let Some(network) = network(Translation::Kept) else {
        return;
    };
    let mut port = network.at_phone(1, Port::open);
    let servers = IceServers {
        stun: stun().stun,
        ..turn("another")
    };
    let local = port.gather(servers).await;
    let said = "the TURN server 10.77.1.1:3478 does not accept the user name or password";
    assert_eq!(port.failures, [said]);
    let kinds = |kind: &str| local.candidates.iter().filter(|c| c.contains(kind)).count();
    assert_eq!(
        [kinds("typ host"), kinds("typ srflx"), kinds("typ relay")],
        [1, 1, 0]
    );
    assert_eq!(local.default.ip().to_string(), "10.77.1.2");
}

#[tokio::test]
async fn addresses_of_calls_that_are_over_are_given_back() {
    let Some(network) = network(Translation::Kept) else {
        return;
    };
    // The quota is four.
    for _ in 0..12 {
        let mut port = network.at_phone(1, Port::open);
        let local = port.gather(turn(PASSWORD)).await;
        assert!(
            local.candidates.iter().any(|c| c.contains("typ relay")),
            "{:?}",
            port.failures
        );
        port.sockets.close().await;
    }
}
