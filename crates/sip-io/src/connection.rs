//! One TCP connection: a reader task, a writer task, and the queue between loop and writer.
//!
//! ```text
//!   socket ─► read ─► framer ─► inbound channel (waits when the loop is busy)
//!               │        └ ping: pong into the queue
//!               └ paused while the queue is above its mark
//!   loop ─► Outbound::push (never waits; full: the connection closes) ─► write ─► socket
//! ```
//!
//! The two tasks share a token: whichever ends takes the other along. The reader is the last to
//! report, so that the loop hears of the close after all messages.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use sip::{Flow, Frame, StreamFramer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use crate::driver::Inbound;
use crate::listeners::Limits;

/// Answer to a keep-alive (RFC 5626, section 3.5.1).
const PONG: Bytes = Bytes::from_static(b"\r\n");

/// What is read at once.
const READ_BYTES: usize = 16 * 1024;

/// Messages of one connection that may be with the loop at the same time: nobody who pipelines
/// keeps others waiting, and answers cannot pile up before the reader notices.
pub(crate) const TURNS: usize = 8;

/// How long one message may take to leave before the peer counts as gone.
const WRITE_DEADLINE: Duration = Duration::from_secs(30);

/// The queue into a connection, as the loop and the reader see it.
#[derive(Clone, Debug)]
pub(crate) struct Outbound {
    queue: mpsc::UnboundedSender<Item>,
    level: Arc<Level>,
    limit: usize,
}

#[derive(Debug)]
enum Item {
    Message(Bytes),
    Close,
}

/// Bytes that wait for the socket.
#[derive(Debug, Default)]
struct Level {
    bytes: AtomicUsize,
    sank: Notify,
}

/// What did not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Overflow;

impl Outbound {
    /// The two ends of a new queue for `limit` bytes.
    pub(crate) fn new(limit: usize) -> (Self, Writer) {
        let (queue, messages) = mpsc::unbounded_channel();
        let level = Arc::new(Level::default());
        let writer = Writer {
            messages,
            level: Arc::clone(&level),
        };
        (
            Self {
                queue,
                level,
                limit,
            },
            writer,
        )
    }

    /// Queues `bytes` without waiting.
    ///
    /// # Errors
    ///
    /// [`Overflow`] if the peer has not read enough, or the writer is gone.
    pub(crate) fn push(&self, bytes: Bytes) -> Result<(), Overflow> {
        let length = bytes.len();
        let before = self.level.bytes.fetch_add(length, Ordering::AcqRel);
        if before + length > self.limit || self.queue.send(Item::Message(bytes)).is_err() {
            self.level.bytes.fetch_sub(length, Ordering::AcqRel);
            return Err(Overflow);
        }
        Ok(())
    }

    /// Closes the connection once everything queued so far is written.
    pub(crate) fn close(&self) {
        // Fails only when the writer is gone, and the connection with it.
        let _ = self.queue.send(Item::Close);
    }

    /// Waits until no more than `mark` bytes are queued.
    async fn drained_to(&self, mark: usize) {
        loop {
            let sank = self.level.sank.notified();
            if self.level.bytes.load(Ordering::Acquire) <= mark {
                return;
            }
            sank.await;
        }
    }
}

/// The writing end of the queue.
#[derive(Debug)]
pub(crate) struct Writer {
    messages: mpsc::UnboundedReceiver<Item>,
    level: Arc<Level>,
}

impl Writer {
    /// Writes until told to close, the peer is gone, or `closed` is cancelled.
    pub(crate) async fn run(mut self, mut socket: OwnedWriteHalf, closed: CancellationToken) {
        let _close = closed.clone().drop_guard();
        while let Some(Some(Item::Message(bytes))) =
            closed.run_until_cancelled(self.messages.recv()).await
        {
            let write = timeout(WRITE_DEADLINE, socket.write_all(&bytes));
            match closed.run_until_cancelled(write).await {
                Some(Ok(Ok(()))) => {
                    self.level.bytes.fetch_sub(bytes.len(), Ordering::AcqRel);
                    self.level.sank.notify_one();
                }
                Some(Ok(Err(error))) => {
                    debug!(%error, "cannot write");
                    return;
                }
                Some(Err(_)) => {
                    debug!("the peer does not read");
                    return;
                }
                None => return,
            }
        }
        // The peer may be gone already; nothing is left to lose.
        let _ = socket.shutdown().await;
    }
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
enum End {
    #[error("closed by the peer")]
    ByPeer,
    #[error("closed by us")]
    ByUs,
    #[error("nothing received for too long")]
    Silent,
    #[error("a message was not completed in time")]
    Incomplete,
    #[error("the peer does not read")]
    Overflow,
    #[error("framing lost: {0}")]
    Framing(#[from] sip::FramingError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The reading side of one connection.
pub(crate) struct Reader {
    pub(crate) flow: Flow,
    pub(crate) socket: OwnedReadHalf,
    pub(crate) outbound: Outbound,
    pub(crate) inbound: mpsc::Sender<Inbound>,
    pub(crate) closed: CancellationToken,
    pub(crate) limits: Limits,
    /// Messages of this connection that may be with the loop at the same time.
    pub(crate) turns: Arc<Semaphore>,
    /// By when the first message must be complete.
    pub(crate) first_message: Option<Instant>,
}

impl Reader {
    /// Reads until the connection ends, then tells the loop.
    pub(crate) async fn run(mut self) {
        let closed = self.closed.clone();
        let end = closed
            .run_until_cancelled(self.read())
            .await
            .unwrap_or(End::ByUs);
        debug!(reason = %end, peer = %self.flow.peer, "connection closed");
        closed.cancel();
        // Fails only when the loop is gone, who then does not care.
        let _ = self.inbound.send(Inbound::Closed { flow: self.flow }).await;
    }

    async fn read(&mut self) -> End {
        match self.read_frames().await {
            Ok(end) => end,
            Err(end) => end,
        }
    }

    async fn read_frames(&mut self) -> Result<End, End> {
        let mut framer = match self.first_message {
            Some(_) => StreamFramer::accepted(),
            None => StreamFramer::opened(),
        };
        let mut buffer = vec![0; READ_BYTES];
        let mut message_by = self.first_message;
        loop {
            self.outbound
                .drained_to(self.limits.pause_reading_above_bytes)
                .await;
            let (by, late) = match message_by {
                Some(by) => (by, End::Incomplete),
                None => (Instant::now() + self.limits.idle, End::Silent),
            };
            let length = timeout_at(by, self.socket.read(&mut buffer))
                .await
                .map_err(|_| late)??;
            if length == 0 {
                return Ok(End::ByPeer);
            }
            framer.push(&buffer[..length]);
            if self.pass_on(&mut framer).await? > 0 {
                self.first_message = None;
                message_by = None;
            }
            // Blank lines complete nothing: they do not prolong the wait for the first message.
            if !framer.is_inside_message() {
                message_by = self.first_message;
            } else if message_by.is_none() {
                message_by = Some(Instant::now() + self.limits.message);
            }
        }
    }

    /// Passes on what is complete; how many messages that were. Waits before each message until
    /// the peer has read the answers to those before it.
    async fn pass_on(&mut self, framer: &mut StreamFramer) -> Result<usize, End> {
        let mut messages = 0;
        while let Some(frame) = framer.next_frame()? {
            match frame {
                Frame::Message(bytes) => {
                    messages += 1;
                    self.outbound
                        .drained_to(self.limits.pause_reading_above_bytes)
                        .await;
                    let turn = Arc::clone(&self.turns).acquire_owned().await;
                    let received = Inbound::Received {
                        flow: self.flow,
                        bytes,
                        turn: turn.ok(),
                    };
                    self.inbound.send(received).await.map_err(|_| End::ByUs)?;
                }
                Frame::Ping => self.outbound.push(PONG).map_err(|Overflow| End::Overflow)?,
                Frame::Pong => {}
            }
        }
        Ok(messages)
    }
}
