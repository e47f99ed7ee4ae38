//! Two parties on one machine, and a stranger.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use media_io::{IceServers, Role};
use tokio::net::UdpSocket;

use crate::side::{Port, Side, parameters};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Alice hears 900 Hz and Bob 500 Hz.
async fn connected() -> [Side; 2] {
    let (mut alice, mut bob) = (Port::open(HERE), Port::open(HERE));
    let of_alice = alice.gather(IceServers::default()).await;
    let of_bob = bob.gather(IceServers::default()).await;
    let (mut alice, mut bob) = (alice.talk(500.0), bob.talk(900.0));
    alice.agree(&of_alice, &of_bob, Role::Controlling);
    bob.agree(&of_bob, &of_alice, Role::Controlled);
    assert_eq!(alice.path().await, (bob.address, false));
    assert_eq!(bob.path().await, (alice.address, false));
    [alice, bob]
}

#[tokio::test]
async fn both_hear_each_other_by_the_pair_that_the_checks_chose() {
    let [mut alice, mut bob] = connected().await;
    tokio::join!(alice.hear(900.0), bob.hear(500.0));
    let stats = alice.session.stop().await;
    assert_eq!(stats.packets_lost, 0);
}

#[tokio::test]
async fn forged_stun_and_media_of_a_stranger_are_neither_answered_nor_heard() {
    let [alice, mut bob] = connected().await;
    let stranger = UdpSocket::bind((HERE, 0)).await.unwrap();
    // A Binding request of RFC 5769, with integrity by a password that is not ours; one without; RTP.
    let forged = include_bytes!("../../../../tests/data/protocol-vectors/rfc5769-2_1.bin");
    let bare = [&[0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42][..], &[7; 12]].concat();
    let rtp = [&[0x80, 96, 0, 1][..], &[0; 8], &[1; 40]].concat();
    for datagram in [&forged[..], &bare, &rtp] {
        for _ in 0..10 {
            stranger.send_to(datagram, alice.address).await.unwrap();
        }
    }
    bob.hear(500.0).await;
    let stats = alice.stats_when(|stats| stats.packets_received > 100).await;
    assert_eq!(stats.packets_lost, 0);
    let mut buffer = [0; 100];
    let answered = stranger.try_recv_from(&mut buffer);
    assert!(answered.is_err(), "a stranger gets no answer: {answered:?}");
}

#[tokio::test]
async fn a_peer_without_ice_is_heard_at_its_announced_address() {
    let (mut alice, bob) = (Port::open(HERE), Port::open(HERE));
    alice.gather(IceServers::default()).await;
    let (mut alice, mut bob) = (alice.talk(500.0), bob.talk(900.0));
    alice
        .session
        .set_parameters(parameters(bob.address))
        .unwrap();
    bob.session
        .set_parameters(parameters(alice.address))
        .unwrap();
    tokio::join!(alice.hear(900.0), bob.hear(500.0));
}

#[tokio::test]
async fn a_server_that_answers_tells_the_address_and_one_that_does_not_keeps_nobody_waiting() {
    let mut port = Port::open(HERE);
    let silent = UdpSocket::bind((HERE, 0)).await.unwrap();
    port.sockets.ask(IceServers {
        stun: Some(silent.local_addr().unwrap()),
        turn: None,
    });
    let host: SocketAddr = port.sockets.rtp_address();
    let local = port.local();
    assert_eq!((local.default, local.candidates.len()), (host, 1));
    let mut buffer = [0; 100];
    let asked = async {
        tokio::select! {
            received = silent.recv_from(&mut buffer) => received.unwrap(),
            event = port.sockets.ice_event() => panic!("{event:?}"),
        }
    };
    let (len, from) = asked.await;
    assert_eq!((len, from), (28, host), "a request with a fingerprint");
}
