//! A socket that is bound to all addresses of the machine answers from the one that was asked (RFC 3581, section 4).

use sip::Transport;
use sip_io::Listeners;
use tokio::net::UdpSocket;

use super::*;

/// A loop that answers on all addresses of a family.
fn anywhere(address: &str) -> Running {
    let listeners = Listeners::on(address.parse().unwrap());
    Running::on(
        listeners,
        Behaviour::Echo { body_bytes: 0 },
        Limits::default(),
        64,
    )
}

/// Sends `count` requests to `address` at once and takes what comes from there and nowhere else.
async fn ask(from: &str, address: SocketAddr, count: usize) {
    let socket = UdpSocket::bind(from).await.unwrap();
    socket.connect(address).await.unwrap();
    for number in 0..count {
        socket.send(&request(number)).await.unwrap();
    }
    let mut buffer = [0; 4096];
    for _ in 0..count {
        let length = timeout(PATIENCE, socket.recv(&mut buffer)).await;
        let length = length.expect("an answer from where it was sent").unwrap();
        assert!(buffer[..length].starts_with(b"SIP/2.0 200"));
    }
}

#[tokio::test]
async fn answers_leave_from_the_address_that_was_asked() {
    let server = anywhere("0.0.0.0:0");
    let at = |host: u8| SocketAddr::from(([127, 0, 0, host], server.udp.port()));
    tokio::join!(
        ask("127.0.0.1:0", at(2), 100),
        ask("127.0.0.1:0", at(3), 100),
        ask("127.0.0.4:0", at(1), 100),
    );
    server.finish().await;

    let server = anywhere("[::]:0");
    let address = SocketAddr::new("::1".parse().unwrap(), server.udp.port());
    ask("[::1]:0", address, 100).await;
    server.finish().await;
}

#[tokio::test]
async fn a_flow_names_the_address_that_was_asked_and_can_be_used_later() {
    let listeners = Listeners::on("0.0.0.0:0".parse().unwrap());
    let mut server = Running::on(listeners, Behaviour::Tell, Limits::default(), 64);
    let address = SocketAddr::from(([127, 0, 0, 9], server.udp.port()));
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(address).await.unwrap();
    socket.send(&request(1)).await.unwrap();
    let (flow, _) = server.received().await;
    assert_eq!(flow.local, address);

    let own = socket.local_addr().unwrap();
    // Before it what leaves from anywhere, which a socket that is connected does not take.
    server.send(Transport::Udp, own, response(7)).await;
    server
        .ask(Ask::Send {
            destination: flow.into(),
            bytes: response(3),
        })
        .await;
    let mut buffer = [0; 4096];
    let length = timeout(PATIENCE, socket.recv(&mut buffer)).await;
    let length = length.expect("a message on the flow").unwrap();
    assert_eq!(buffer[..length], *response(3));
    server.finish().await;
}

#[tokio::test]
async fn what_came_to_an_address_that_is_gone_is_answered_from_another() {
    let listeners = Listeners::on("0.0.0.0:0".parse().unwrap());
    let server = Running::on(listeners, Behaviour::Tell, Limits::default(), 64);
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for (host, number) in [
        ([192, 0, 2, 1], 1),
        ([127, 0, 0, 1], 2),
        ([192, 0, 2, 2], 3),
    ] {
        let flow = Flow {
            transport: Transport::Udp,
            local: (host, server.udp.port()).into(),
            peer: socket.local_addr().unwrap(),
            generation: 0,
        };
        server
            .ask(Ask::Send {
                destination: flow.into(),
                bytes: response(number),
            })
            .await;
    }
    let mut buffer = [0; 4096];
    for number in 1..=3 {
        let length = timeout(PATIENCE, socket.recv(&mut buffer)).await;
        let length = length.expect("each of them, in order").unwrap();
        assert_eq!(buffer[..length], *response(number));
    }
    server.finish().await;
}
