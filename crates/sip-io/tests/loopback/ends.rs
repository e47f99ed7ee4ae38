//! What cannot be sent, what leaves last, and how the loop lives with its owner.

use std::time::Duration;

use sip::{Flow, TransmitId, Transport};
use sip_io::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, timeout};

use crate::{Ask, Behaviour, PATIENCE, Running, Told, read_some, request, response};

#[tokio::test]
async fn a_message_for_a_closed_port_or_flow_fails() {
    let mut probe = Running::start(Behaviour::Tell).await;
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let peer = free.local_addr().unwrap();
    drop(free);
    probe.send(Transport::Tcp, peer, request(1)).await;
    assert_eq!(probe.told().await, Told::Failed(TransmitId(1)));
    let flow = Flow {
        transport: Transport::Tcp,
        local: peer,
        peer,
        generation: 1,
    };
    probe
        .ask(Ask::Send {
            destination: flow.into(),
            bytes: request(2),
        })
        .await;
    assert_eq!(probe.told().await, Told::Failed(TransmitId(2)));
    probe.send(Transport::Tls, peer, request(3)).await;
    assert_eq!(probe.told().await, Told::Failed(TransmitId(3)));
    probe
        .send(
            Transport::Udp,
            "[2001:db8::1]:5060".parse().unwrap(),
            request(4),
        )
        .await;
    assert_eq!(probe.told().await, Told::Failed(TransmitId(4)));
    probe.finish().await;
}

#[tokio::test]
async fn a_flow_that_is_closed_has_said_everything_before() {
    let mut probe = Running::start(Behaviour::Tell).await;
    let mut stream = TcpStream::connect(probe.tcp).await.unwrap();
    stream.write_all(&request(1)).await.unwrap();
    let (flow, _) = probe.received().await;
    probe
        .ask(Ask::Send {
            destination: flow.into(),
            bytes: response(30_000),
        })
        .await;
    probe.ask(Ask::Close(flow)).await;
    let mut all = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut all))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(all, response(30_000));
    assert_eq!(probe.told().await, Told::Closed(flow));
    probe.finish().await;
}

#[tokio::test]
async fn the_last_messages_leave_before_the_loop_ends() {
    let probe = Running::start(Behaviour::Echo { body_bytes: 20_000 }).await;
    let mut stream = TcpStream::connect(probe.tcp).await.unwrap();
    stream.write_all(&request(1)).await.unwrap();
    let first = read_some(&mut stream).await;
    probe.finish().await;
    let mut rest = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut rest))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(first.len() + rest.len(), response(20_000).len());
}

#[tokio::test]
async fn an_application_that_does_not_read_loses_events_and_not_the_loop() {
    let probe = Running::with(Behaviour::Tell, Limits::default(), 1).await;
    let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let stream = TcpStream::connect(probe.tcp).await.unwrap();
    for number in 0..5 {
        udp.send_to(&request(number), probe.udp).await.unwrap();
    }
    // Commands still pass: the loop waits for nobody.
    for _ in 0..200 {
        probe.ask(Ask::Wake(Duration::from_secs(1_000))).await;
    }
    drop(stream);
    let Running {
        events, stop, task, ..
    } = probe;
    while events.is_empty() {
        tokio::task::yield_now().await;
    }
    stop.cancel();
    let machine = timeout(PATIENCE, task).await.unwrap().unwrap();
    assert!(machine.refused <= 5);
}

#[tokio::test(start_paused = true)]
async fn time_outs_close_together_are_handled_together_and_a_lone_one_at_once() {
    let mut probe = Running::start(Behaviour::Tell).await;
    let mut waits = Vec::new();
    for after in [10, 1, 100] {
        let start = Instant::now();
        probe.ask(Ask::Wake(Duration::from_millis(after))).await;
        assert_eq!(probe.events.recv().await, Some(Told::Woken));
        waits.push(start.elapsed().as_millis());
    }
    // The runtime's timers count whole milliseconds.
    assert!((10..=11).contains(&waits[0]), "{waits:?}");
    assert!((5..=6).contains(&waits[1]), "{waits:?}");
    assert!((100..=101).contains(&waits[2]), "{waits:?}");
    probe.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_paused_clock_pauses_the_machine() {
    let mut probe = Running::start(Behaviour::Tell).await;
    let start = Instant::now();
    let hour = Duration::from_secs(3_600);
    probe.ask(Ask::Wake(hour)).await;
    assert_eq!(probe.events.recv().await, Some(Told::Woken));
    let elapsed = start.elapsed();
    assert!(
        elapsed >= hour && elapsed < hour + Duration::from_secs(1),
        "{elapsed:?}"
    );
    probe.finish().await;
}
