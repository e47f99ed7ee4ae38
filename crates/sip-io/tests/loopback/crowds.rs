//! Who does not read, or comes in numbers, is nobody else's trouble.

use std::net::SocketAddr;
use std::time::Duration;

use sip::Transport;
use sip_io::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::{Ask, Behaviour, PATIENCE, Running, Told, read_some, request, response};

/// A peer that pipelines requests and never reads the answers.
async fn deaf_peer(tcp: SocketAddr) -> JoinHandle<TcpStream> {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(tcp).await.unwrap();
    tokio::spawn(async move {
        let burst: Vec<u8> = (0..2_000)
            .flat_map(|number| request(number).to_vec())
            .collect();
        // Ends when the connection is closed or both sides' buffers are full; either is fine.
        let _ = timeout(Duration::from_secs(2), stream.write_all(&burst)).await;
        stream
    })
}

#[tokio::test]
async fn a_peer_that_never_reads_stops_nobody_else() {
    let echo = Running::start(Behaviour::Echo { body_bytes: 4_000 }).await;
    let deaf = deaf_peer(echo.tcp).await;
    let mut probe = Running::start(Behaviour::Tell).await;
    for number in 0..50 {
        let (transport, peer) = if number % 2 == 0 {
            (Transport::Udp, echo.udp)
        } else {
            (Transport::Tcp, echo.tcp)
        };
        probe.send(transport, peer, request(number)).await;
        assert_eq!(probe.received().await.1.len(), response(4_000).len());
    }
    // Reading from it pauses before its queue overflows: it may still come to its senses.
    let deaf = deaf.await.unwrap();
    let echo = echo.finish().await;
    assert_eq!(echo.closed, 0);
    drop(deaf);
    probe.finish().await;
}

#[tokio::test]
async fn connections_that_keep_the_loop_busy_leave_datagrams_their_turn() {
    let echo = Running::start(Behaviour::Echo { body_bytes: 3 }).await;
    let (stop, mut talkers) = (CancellationToken::new(), Vec::new());
    for _ in 0..64 {
        let stream = TcpStream::connect(echo.tcp).await.unwrap();
        let (mut reader, mut writer) = stream.into_split();
        let burst: Vec<u8> = (0..50)
            .flat_map(|number| request(number).to_vec())
            .collect();
        let talk = async move { while writer.write_all(&burst).await.is_ok() {} };
        let listen = async move {
            let mut buffer = vec![0; 64 * 1024];
            while reader
                .read(&mut buffer)
                .await
                .is_ok_and(|length| length > 0)
            {}
        };
        let stop = stop.clone();
        talkers.push(tokio::spawn(async move {
            stop.run_until_cancelled(async { tokio::join!(talk, listen) })
                .await;
        }));
    }
    let phone = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    phone.connect(echo.udp).await.unwrap();
    let mut buffer = [0; 200];
    for number in 0..20 {
        phone.send(&request(number)).await.unwrap();
        // Never sent again: what is overlooked is answered when the loop comes to rest, and it does not.
        timeout(PATIENCE, phone.recv(&mut buffer))
            .await
            .expect("an answer while the connections go on")
            .unwrap();
    }
    stop.cancel();
    for talker in talkers {
        talker.await.unwrap();
    }
    echo.finish().await;
}

#[tokio::test]
async fn a_queue_that_overflows_closes_its_connection() {
    let mut probe = Running::with(
        Behaviour::Tell,
        Limits {
            outbound_bytes: 100_000,
            ..Limits::default()
        },
        4_096,
    )
    .await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(probe.tcp).await.unwrap();
    stream.write_all(&request(1)).await.unwrap();
    let (flow, _) = probe.received().await;
    let closed = loop {
        probe
            .ask(Ask::Send {
                destination: flow.into(),
                bytes: response(50_000),
            })
            .await;
        match probe.events.try_recv() {
            Ok(Told::Closed(closed)) => break closed,
            Ok(Told::Failed(_)) => {}
            Ok(other) => panic!("{other:?}"),
            Err(_) => tokio::task::yield_now().await,
        }
    };
    assert_eq!(closed, flow);
    // The flow is gone for good, also if somebody else gets the same address.
    while probe.events.try_recv().is_ok() {}
    probe
        .ask(Ask::Send {
            destination: flow.into(),
            bytes: request(9),
        })
        .await;
    assert!(matches!(probe.told().await, Told::Failed(_)));
    probe.finish().await;
}

#[tokio::test]
async fn connections_beyond_the_bound_are_closed_at_once() {
    let limits = Limits {
        strangers_per_source: 2,
        ..Limits::default()
    };
    let mut probe = Running::with(Behaviour::Tell, limits, 64).await;
    let mut open = Vec::new();
    for number in 0..2 {
        open.push(probe.stranger(number).await);
    }
    let mut third = TcpStream::connect(probe.tcp).await.unwrap();
    assert_eq!(read_some(&mut third).await, b"");
    // A place that becomes free is given away again.
    drop(open.pop());
    assert!(matches!(probe.told().await, Told::Closed(_)));
    probe.stranger(4).await;
    probe.finish().await;
}

#[tokio::test]
async fn where_there_are_too_many_strangers_the_oldest_makes_room() {
    let limits = Limits {
        strangers: 2,
        ..Limits::default()
    };
    let mut probe = Running::with(Behaviour::Tell, limits, 64).await;
    let mut open = Vec::new();
    for number in 0..2 {
        open.push(probe.stranger(number).await);
    }
    let mut third = TcpStream::connect(probe.tcp).await.unwrap();
    assert_eq!(probe.told().await, Told::Closed(open[0].0));
    assert_eq!(read_some(&mut open[0].1).await, b"");
    third.write_all(&request(2)).await.unwrap();
    open.push((probe.received().await.0, third));
    for (flow, stream) in &mut open[1..] {
        stream.write_all(&request(9)).await.unwrap();
        assert_eq!(probe.received().await, (*flow, request(9)));
    }
    probe.finish().await;
}
