//! Waiting for something that another program does, without guessing how long it takes.

use std::net::{TcpListener, UdpSocket};
use std::time::Duration;

use tokio::time::MissedTickBehavior;

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
pub async fn until_within(patience: Duration, what: &str, is_so: impl AsyncFnMut() -> bool) {
    let happened = happens(patience, is_so).await;
    assert!(happened, "it did not happen: {what}");
}

/// Waits until something is so; if it is not within forty seconds, the panic says what is known of it then.
///
/// # Panics
///
/// See there.
pub async fn until_or_tell(
    what: &str,
    is_so: impl AsyncFnMut() -> bool,
    known: impl AsyncFnOnce() -> String,
) {
    if !happens(PATIENCE, is_so).await {
        panic!("it did not happen: {what}\n{}", known().await);
    }
}

/// Whether something becomes so within `patience`.
pub async fn happens(patience: Duration, mut is_so: impl AsyncFnMut() -> bool) -> bool {
    let mut ticks = tokio::time::interval(INTERVAL);
    // A look that takes long must not be followed by the next at once: then nothing else would run, not even the end of patience.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let waited = tokio::time::timeout(patience, async {
        while !is_so().await {
            ticks.tick().await;
        }
    });
    waited.await.is_ok()
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
