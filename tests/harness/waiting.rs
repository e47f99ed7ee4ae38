//! Waiting for something that another program does, without guessing how long it takes.

use std::net::{TcpListener, UdpSocket};
use std::time::Duration;

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(40);

/// Between two looks.
const INTERVAL: Duration = Duration::from_millis(50);

/// Waits until something is so.
///
/// # Panics
///
/// If it is not within forty seconds.
pub async fn until(what: &str, is_so: impl AsyncFnMut() -> bool) {
    until_within(PATIENCE, what, is_so).await;
}

/// Waits until something is so that takes its time.
///
/// # Panics
///
/// If it is not within `patience`.
pub async fn until_within(patience: Duration, what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let mut ticks = tokio::time::interval(INTERVAL);
    let waited = tokio::time::timeout(patience, async {
        while !is_so().await {
            ticks.tick().await;
        }
    });
    assert!(waited.await.is_ok(), "it did not happen: {what}");
}

/// A port that was free for UDP and TCP a moment ago, for programs that cannot choose one themselves.
///
/// # Panics
///
/// If there is none.
#[must_use]
pub fn free_port() -> u16 {
    for _ in 0..100 {
        let stream = TcpListener::bind("127.0.0.1:0").expect("a socket");
        let port = stream.local_addr().expect("its address").port();
        if UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free");
}
