//! Many datagrams to one peer leave together and arrive one by one, in order.

use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::UdpGroSegment;
use sip::Transport;
use sip_io::Listeners;
use tokio::net::UdpSocket;

use super::*;

/// Bytes of body: some alike, shorter, longer, and more than a segment may have.
const BODIES: [usize; 16] = [
    0, 0, 0, 7, 7, 3, 3, 900, 900, 900, 2_000, 2_000, 20, 20, 20, 1,
];

/// Has the loop send them to two peers in turn, more and more of them to one, and takes them.
async fn sends(address: &str, limits: Limits) {
    let listeners = Listeners::on(format!("{address}:0").parse().unwrap());
    let server = Running::on(listeners, Behaviour::Tell, limits, 64);
    let near = format!("{address}:0");
    let peers = [
        UdpSocket::bind(&near).await.unwrap(),
        UdpSocket::bind(&near).await.unwrap(),
    ];
    let mut buffer = [0; 4096];
    for every in 2..=BODIES.len() {
        let to = |number| &peers[usize::from(number % every == 0)];
        for (number, &body_bytes) in BODIES.iter().enumerate() {
            let peer = to(number).local_addr().unwrap();
            let bytes = response(body_bytes);
            server.send(Transport::Udp, peer, bytes).await;
        }
        for (number, &body_bytes) in BODIES.iter().enumerate() {
            let length = timeout(PATIENCE, to(number).recv(&mut buffer)).await;
            let length = length.expect("each of them, in order").unwrap();
            assert_eq!(buffer[..length], *response(body_bytes), "{number}");
        }
    }
    server.finish().await;
}

#[tokio::test]
async fn what_leaves_together_arrives_one_by_one_and_in_order() {
    sends("127.0.0.1", Limits::default()).await;
    sends("[::1]", Limits::default()).await;
}

#[tokio::test]
async fn without_segments_the_same_arrives() {
    let limits = Limits {
        segments: false,
        ..Limits::default()
    };
    sends("127.0.0.1", limits).await;
}

#[tokio::test]
async fn a_piece_leaves_from_the_address_that_was_asked() {
    let listeners = Listeners::on("0.0.0.0:0".parse().unwrap());
    let server = Running::on(listeners, Behaviour::Tell, Limits::default(), 64);
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    // Of the first address only the kernel knows that it is gone.
    for (host, heard_from) in [
        ([192, 0, 2, 1], [127, 0, 0, 1]),
        ([127, 0, 0, 9], [127, 0, 0, 9]),
    ] {
        let flow = Flow {
            transport: Transport::Udp,
            local: (host, server.udp.port()).into(),
            peer: socket.local_addr().unwrap(),
            generation: 0,
        };
        for _ in 0..40 {
            let destination = flow.into();
            let bytes = response(5);
            server.ask(Ask::Send { destination, bytes }).await;
        }
        let mut buffer = [0; 4096];
        for _ in 0..40 {
            let received = timeout(PATIENCE, socket.recv_from(&mut buffer)).await;
            let (length, from) = received.expect("each of them").unwrap();
            assert_eq!(buffer[..length], *response(5));
            assert_eq!(from, (heard_from, server.udp.port()).into());
        }
    }
    server.finish().await;
}

#[tokio::test]
async fn what_goes_to_one_peer_leaves_together_although_others_are_sent_to_meanwhile() {
    let listeners = Listeners::on("127.0.0.1:0".parse().unwrap());
    let server = Running::on(listeners, Behaviour::Tell, Limits::default(), 64);
    let mut peers = Vec::new();
    for _ in 0..2 {
        let peer = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        // A receiver that takes what came together as one.
        setsockopt(&peer, UdpGroSegment, &true).unwrap();
        peers.push(peer);
    }
    for _ in 0..20 {
        for peer in &peers {
            let address = peer.local_addr().unwrap();
            server.send(Transport::Udp, address, response(7)).await;
        }
    }
    let expected = response(7).repeat(20);
    for peer in &peers {
        let mut received = Vec::new();
        let mut pieces = 0;
        while received.len() < expected.len() {
            let mut buffer = vec![0; 65_536];
            let length = timeout(PATIENCE, peer.recv(&mut buffer)).await;
            let length = length.expect("each of them").unwrap();
            received.extend_from_slice(&buffer[..length]);
            pieces += 1;
        }
        assert_eq!(received, expected);
        assert!(pieces <= 5, "{pieces} pieces of 20 datagrams");
    }
    server.finish().await;
}
