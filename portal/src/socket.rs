//! WebSockets (RFC 6455) of pages and devices: bounds, pings, and giving up on a peer that is gone.

use std::time::Duration;

use axum::{
    extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade},
    response::Response,
};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, Interval, MissedTickBehavior, interval_at, timeout},
};

use crate::{app::App, error::ApiError};

/// An open WebSocket with its place among all.
pub(crate) struct Socket {
    inner: WebSocket,
    pings: Interval,
    unanswered: u32,
    _place: OwnedSemaphorePermit,
}

/// The peer is gone, or will be after this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gone;

/// What a socket tells its owner.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Received {
    /// A message.
    Text(Utf8Bytes),
    /// Time passed; the peer was pinged.
    Pinged,
}

/// Answers an upgrade; `run` owns the socket then.
pub(crate) fn open<F>(
    upgrade: WebSocketUpgrade,
    app: &App,
    run: impl FnOnce(Socket) -> F + Send + 'static,
) -> Result<Response, ApiError>
where
    F: Future<Output = ()> + Send + 'static,
{
    let place = app
        .sockets
        .clone()
        .try_acquire_owned()
        .map_err(|_| ApiError::Overloaded)?;
    Ok(upgrade
        .max_message_size(MAX_MESSAGE_BYTES)
        .max_frame_size(MAX_MESSAGE_BYTES)
        .read_buffer_size(READ_BUFFER_BYTES)
        .on_upgrade(|inner| {
            let mut pings = interval_at(Instant::now() + PING, PING);
            pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
            run(Socket {
                inner,
                pings,
                unanswered: 0,
                _place: place,
            })
        }))
}

impl Socket {
    /// Sends a text; a peer that does not take it in time is gone.
    pub(crate) async fn send(&mut self, text: impl Into<Utf8Bytes>) -> Result<(), Gone> {
        self.write(Message::Text(text.into())).await
    }

    /// The next message or tick. Safe to cancel.
    pub(crate) async fn receive(&mut self) -> Result<Received, Gone> {
        loop {
            let message = tokio::select! {
                message = self.inner.recv() => message,
                _ = self.pings.tick() => {
                    if self.unanswered >= MAX_UNANSWERED {
                        return Err(Gone);
                    }
                    self.unanswered += 1;
                    self.write(Message::Ping(Vec::new().into())).await?;
                    return Ok(Received::Pinged);
                }
            };
            self.unanswered = 0;
            match message {
                Some(Ok(Message::Text(text))) => return Ok(Received::Text(text)),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                // Nobody here speaks binary.
                Some(Ok(Message::Binary(_) | Message::Close(_)) | Err(_)) | None => {
                    return Err(Gone);
                }
            }
        }
    }

    /// Says goodbye with a code of RFC 6455 section 7.4.
    pub(crate) async fn close(mut self, code: u16, reason: &'static str) {
        let frame = CloseFrame {
            code,
            reason: Utf8Bytes::from_static(reason),
        };
        // Whether it arrives does not matter any more.
        let _ = self.write(Message::Close(Some(frame))).await;
    }

    async fn write(&mut self, message: Message) -> Result<(), Gone> {
        match timeout(WRITE_TIMEOUT, self.inner.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Gone),
        }
    }
}

/// The server goes away (RFC 6455 section 7.4.1).
pub(crate) const GOING_AWAY: u16 = 1001;
/// The session has ended (policy violation, RFC 6455 section 7.4.1).
pub(crate) const POLICY: u16 = 1008;
const MAX_MESSAGE_BYTES: usize = 64 * 1024;
const READ_BUFFER_BYTES: usize = 4 * 1024;
const PING: Duration = Duration::from_secs(20);
const MAX_UNANSWERED: u32 = 2;
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
