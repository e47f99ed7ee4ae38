//! What crosses a connection: messages whole and in pieces, line ends, lost framing.

use std::time::Duration;

use sip::Transport;
use sip_io::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use crate::{Ask, Behaviour, PATIENCE, Running, Told, read_some, request, response};

#[tokio::test]
async fn request_and_response_cross_over_udp_and_tcp() {
    let echo = Running::start(Behaviour::Echo { body_bytes: 3 }).await;
    let mut probe = Running::start(Behaviour::Tell).await;
    for (transport, peer) in [(Transport::Udp, echo.udp), (Transport::Tcp, echo.tcp)] {
        probe.send(transport, peer, request(1)).await;
        let (flow, bytes) = probe.received().await;
        assert_eq!(
            (flow.transport, flow.peer, bytes),
            (transport, peer, response(3))
        );
        assert_eq!(flow.generation > 0, transport == Transport::Tcp);
        // Both ways of naming the peer use the same connection.
        probe
            .ask(Ask::Send {
                destination: flow.into(),
                bytes: request(2),
            })
            .await;
        assert_eq!(probe.received().await, (flow, response(3)));
        probe.send(transport, peer, request(3)).await;
        assert_eq!(probe.received().await, (flow, response(3)));
    }
    probe.finish().await;
    echo.finish().await;
}

#[tokio::test]
async fn pipelined_and_split_requests_arrive_in_order() {
    let mut probe = Running::with(Behaviour::Tell, Limits::default(), 1_024).await;
    let mut stream = TcpStream::connect(probe.tcp).await.unwrap();
    let all: Vec<u8> = (0..500)
        .flat_map(|number| request(number).to_vec())
        .collect();
    let writer = tokio::spawn(async move {
        for piece in all.chunks(97) {
            stream.write_all(piece).await.unwrap();
        }
        stream
    });
    for number in 0..500 {
        assert_eq!(probe.received().await.1, request(number));
    }
    drop(writer.await.unwrap());
    assert!(matches!(probe.told().await, Told::Closed(_)));
    probe.finish().await;
}

#[tokio::test]
async fn keep_alives_are_answered_and_told_to_nobody() {
    let mut probe = Running::start(Behaviour::Tell).await;
    let mut stream = TcpStream::connect(probe.tcp).await.unwrap();
    stream.write_all(b"\r\n\r\n").await.unwrap();
    assert_eq!(read_some(&mut stream).await, b"\r\n");
    let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    udp.send_to(b"\r\n\r\n", probe.udp).await.unwrap();
    udp.send_to(&request(1), probe.udp).await.unwrap();
    let (flow, bytes) = probe.received().await;
    assert_eq!((flow.peer, bytes), (udp.local_addr().unwrap(), request(1)));
    probe.finish().await;
}

#[tokio::test]
async fn lost_framing_closes_the_connection() {
    let mut probe = Running::start(Behaviour::Tell).await;
    let mut stream = TcpStream::connect(probe.tcp).await.unwrap();
    stream.write_all(&request(1)).await.unwrap();
    let (flow, _) = probe.received().await;
    stream
        .write_all(b"OPTIONS sip:a@b SIP/2.0\r\nContent-Length: -1\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(probe.told().await, Told::Closed(flow));
    assert_eq!(read_some(&mut stream).await, b"");
    probe.finish().await;
}

/// What a server that echoes sends to a peer that says all this at once, until it closes.
async fn answers_to(all: &[u8]) -> Vec<u8> {
    let echo = Running::start(Behaviour::Echo { body_bytes: 3 }).await;
    let mut stream = TcpStream::connect(echo.tcp).await.unwrap();
    stream.write_all(all).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answers = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut answers)).await;
    read.unwrap().unwrap();
    echo.finish().await;
    answers
}

#[tokio::test]
async fn messages_before_lost_framing_are_answered_before_the_connection_closes() {
    let requests: Vec<u8> = (0..50)
        .flat_map(|number| request(number).to_vec())
        .collect();
    let lost = b"OPTIONS sip:a@b SIP/2.0\r\nContent-Length: -1\r\n\r\n";
    // More than is read at once, so that some of it is unread when framing is lost.
    let unread = vec![b'x'; 100_000];
    let answers = answers_to(&[&requests[..], lost, &unread].concat()).await;
    assert_eq!(answers, response(3).repeat(50));
}

#[tokio::test]
async fn who_has_nothing_more_to_say_still_hears_the_answers() {
    let requests: Vec<u8> = (0..50)
        .flat_map(|number| request(number).to_vec())
        .collect();
    assert_eq!(answers_to(&requests).await, response(3).repeat(50));
}

#[tokio::test]
async fn a_message_that_is_not_completed_closes_the_connection() {
    let limits = Limits {
        message: Duration::from_millis(50),
        ..Limits::default()
    };
    let mut probe = Running::with(Behaviour::Tell, limits, 64).await;
    // Nothing at all after connecting, and only line ends.
    let mut silent = TcpStream::connect(probe.tcp).await.unwrap();
    assert_eq!(read_some(&mut silent).await, b"");
    assert!(matches!(probe.told().await, Told::Closed(_)));
    // Half a message after a whole one.
    let mut slow = TcpStream::connect(probe.tcp).await.unwrap();
    slow.write_all(&request(1)).await.unwrap();
    let (flow, _) = probe.received().await;
    slow.write_all(b"OPTIONS sip:a@b").await.unwrap();
    assert_eq!(probe.told().await, Told::Closed(flow));
    probe.finish().await;
}
