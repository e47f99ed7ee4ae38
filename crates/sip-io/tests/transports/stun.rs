//! STUN on the SIP port, and both families.

use std::net::SocketAddr;
use std::time::Duration;

use sip::{Target, Transport};
use sip_io::Listeners;
use tokio::net::UdpSocket;
use tokio::time::timeout;

use crate::peer::{Peer, Told, any_port};

const BINDING_REQUEST: [u8; 20] = [
    0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
];

async fn asked(server: SocketAddr, datagram: &[u8]) -> (Vec<u8>, SocketAddr) {
    let socket = UdpSocket::bind(any_port(&server.ip().to_string()))
        .await
        .unwrap();
    socket.send_to(datagram, server).await.unwrap();
    let mut buffer = [0; 512];
    let received = timeout(Duration::from_secs(20), socket.recv_from(&mut buffer));
    let (length, _) = received.await.unwrap().unwrap();
    (buffer[..length].to_vec(), socket.local_addr().unwrap())
}

#[tokio::test]
async fn a_phone_that_asks_on_the_sip_port_is_told_its_address() {
    let server = Peer::start(Listeners::on(any_port("127.0.0.1")));
    let (answer, own) = asked(server.address(Transport::Udp), &BINDING_REQUEST).await;
    assert_eq!(answer[..4], [1, 1, 0, 12]);
    assert_eq!(answer[4..20], BINDING_REQUEST[4..]);
    assert_eq!(answer[20..26], [0, 0x20, 0, 8, 0, 1]);
    let port = u16::from_be_bytes([answer[26], answer[27]]) ^ 0x2112;
    assert_eq!(port, own.port());
    assert_eq!(answer[28..], [127 ^ 0x21, 0x12, 0xA4, 1 ^ 0x42]);
}

#[tokio::test]
async fn stun_over_ipv6_and_beside_sip_on_the_same_port() {
    let server = Peer::start(Listeners::on(any_port("::1")));
    let (answer, _) = asked(server.address(Transport::Udp), &BINDING_REQUEST).await;
    assert_eq!(answer[20..26], [0, 0x20, 0, 20, 0, 2]);

    let options = "OPTIONS sip:example.test SIP/2.0\r\n\
                   Via: SIP/2.0/UDP [::1];rport;branch=z9hG4bK1\r\n\
                   From: <sip:a@example.test>;tag=1\r\nTo: <sip:example.test>\r\n\
                   Call-ID: 1\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n\r\n";
    let (answer, own) = asked(server.address(Transport::Udp), options.as_bytes()).await;
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("SIP/2.0 200 OK\r\n"), "{answer}");
    // RFC 3581: the answer goes where the request came from, and says so.
    assert!(
        answer.contains(&format!("rport={}", own.port())),
        "{answer}"
    );
    assert!(answer.contains("received=::1") || answer.contains("received=[::1]"));
}

#[tokio::test]
async fn requests_cross_over_udp_and_tcp_in_both_families() {
    for ip in ["127.0.0.1", "::1"] {
        let mut server = Peer::start(Listeners::on(any_port(ip)));
        let mut client = Peer::start(Listeners::on(any_port(ip)));
        for transport in [Transport::Udp, Transport::Tcp] {
            let target = Target::new(transport, server.address(transport));
            client.send(target).await;
            match client.told().await {
                Told::Response(200, flow) => assert_eq!(flow.transport, transport),
                other => panic!("{other:?}"),
            }
            assert!(matches!(server.told().await, Told::Request(..)));
        }
    }
}
