//! One connection: a single task between a [`Link`] and the loop.
//!
//! ```text
//!   link ─► frames ─► inbound lane (waits when the loop is busy)
//!             │ └ ping: pong into the queue
//!             └ paused while the queue is above its mark or the loop has enough of this peer
//!   loop ─► Outbound (never waits; full: the connection ends) ─► link
//! ```
//!
//! Reading stops before writing does: what the peer does not read stops what it may send. When the
//! peer has nothing more to say, or says what cannot be read, the messages before that are still
//! answered. The task tells of the close last, so that every loop hears of it after all messages.
//!
//! Deadlines (each ends the connection): a message is complete within `Limits::message`, whatever
//! its bytes trickle in; the first one of an incoming connection too; a message leaves within
//! [`WRITE_DEADLINE`]; a stranger sends a message every `Limits::stranger_idle`, and keep-alives
//! are none; anybody else sends something every `Limits::idle`.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use sip::{Flow, Frame};
use tokio::time::{Instant, Sleep, sleep_until, timeout};
use tracing::debug;

use crate::inbound::{Entrance, Inbound};
use crate::link::{Link, LinkError};
use crate::listeners::Limits;
use crate::outbound::{Outbound, Overflow, Phase, Standing, View};

/// Answer to a keep-alive (RFC 5626, section 3.5.1).
const PONG: Bytes = Bytes::from_static(b"\r\n");

/// How long one message may take to leave before the peer counts as gone.
const WRITE_DEADLINE: Duration = Duration::from_secs(30);

/// How long the loop and the peer may take with what the peer said before its last word.
const LAST_ANSWERS: Duration = Duration::from_secs(5);

/// How long saying goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
enum End {
    #[error("closed by the peer")]
    ByPeer,
    #[error("closed by us")]
    ByUs,
    #[error("aborted by us")]
    Aborted,
    #[error("nothing received for too long")]
    Silent,
    #[error("a message was not completed in time")]
    Incomplete,
    #[error("the peer does not read")]
    Unread,
    #[error(transparent)]
    Link(#[from] LinkError),
}

/// Who opened a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opener {
    Peer,
    Us,
}

/// One open connection.
pub(crate) struct Connection<L> {
    flow: Flow,
    link: L,
    outbound: Outbound,
    entrance: Entrance,
    limits: Arc<Limits>,
    /// What is being written, and how long it was.
    writing: Option<(Bytes, usize)>,
    write_by: Option<Instant>,
    /// By when the first message must be complete.
    first_by: Option<Instant>,
    /// By when the message that has begun must be complete.
    message_by: Option<Instant>,
    last_message: Instant,
    last_bytes: Instant,
}

impl<L: Link> Connection<L> {
    pub(crate) fn new(
        flow: Flow,
        link: L,
        opener: Opener,
        outbound: Outbound,
        entrance: Entrance,
        limits: Arc<Limits>,
    ) -> Self {
        let now = Instant::now();
        Self {
            flow,
            link,
            outbound,
            entrance,
            writing: None,
            write_by: None,
            first_by: (opener == Opener::Peer).then_some(now + limits.message),
            message_by: None,
            last_message: now,
            last_bytes: now,
            limits,
        }
    }

    /// Serves the connection until it ends, then tells the loops.
    #[expect(
        clippy::manual_async_fn,
        reason = "an asynchronous function would hold the connection twice"
    )]
    pub(crate) fn run(mut self) -> impl Future<Output = ()> + Send {
        async move {
            self.serve_to_the_end().await;
            let Self {
                flow,
                link,
                outbound,
                entrance,
                ..
            } = self;
            drop(link);
            entrance.closed(flow, outbound.standing()).await;
        }
    }

    async fn serve_to_the_end(&mut self) {
        let end = self.serve().await;
        debug!(reason = %end, peer = %self.flow.peer, "connection closed");
        if matches!(end, End::ByPeer | End::Link(_)) {
            let answered = poll_fn(|context| self.poll_answered(context));
            // Who does not read them in time goes without.
            let _ = timeout(LAST_ANSWERS, answered).await;
        }
        // Whatever is still queued will not leave.
        self.outbound.abort();
        if !matches!(
            end,
            End::Aborted | End::Unread | End::Link(LinkError::Io(_))
        ) {
            // The peer may be gone already; nothing is left to lose.
            let _ = timeout(GOODBYE, self.say_goodbye(&end)).await;
        }
    }

    /// Ready once everything that was received is answered and the answers are written.
    fn poll_answered(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let written = self.poll_write(context);
        let view = self.outbound.look(context);
        let is_over = written.is_err() || view.phase == Phase::Aborted;
        match is_over || (view.turns == 0 && view.bytes == 0) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }

    /// Closes our side. What cannot be read is read to its end first: closing with bytes unread
    /// would take away from the peer the answers that it has not read yet.
    async fn say_goodbye(&mut self, end: &End) {
        let closed = poll_fn(|context| self.link.poll_close(context)).await;
        if closed.is_ok() && matches!(end, End::Link(_)) {
            poll_fn(|context| self.link.poll_discard(context)).await;
        }
    }

    async fn serve(&mut self) -> End {
        let mut timer = pin!(sleep_until(self.last_bytes + self.limits.message));
        loop {
            match poll_fn(|context| self.poll(timer.as_mut(), context)).await {
                Ok((Frame::Message(bytes), standing)) => {
                    let Ok(room) = self.entrance.room(&bytes, standing).await else {
                        return End::Aborted;
                    };
                    room.send(Inbound::Received {
                        flow: self.flow,
                        bytes,
                        turn: Some(self.outbound.turn()),
                    });
                }
                Ok((Frame::Ping, _)) => {
                    if self.outbound.push(PONG) == Err(Overflow) {
                        return End::Unread;
                    }
                }
                Ok((Frame::Pong, _)) => {}
                Err(end) => return end,
            }
        }
    }

    /// The next frame, with writing and deadlines seen to meanwhile.
    fn poll(
        &mut self,
        timer: Pin<&mut Sleep>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(Frame, Standing), End>> {
        if let Err(end) = self.poll_write(context) {
            return Poll::Ready(Err(end));
        }
        // After writing, which makes room, and before reading, so that no change goes unnoticed.
        let view = self.outbound.look(context);
        match view.phase {
            Phase::Aborted => return Poll::Ready(Err(End::Aborted)),
            Phase::Closing if self.writing.is_none() && view.bytes == 0 => {
                return Poll::Ready(Err(End::ByUs));
            }
            Phase::Open | Phase::Closing => {}
        }
        if view.has_turn
            && view.bytes <= self.limits.pause_reading_above_bytes
            && let Poll::Ready(frame) = self.poll_read(context)
        {
            return Poll::Ready(frame.map(|frame| (frame, view.standing)));
        }
        self.poll_deadline(view, timer, context).map(Err)
    }

    /// Writes as much as the peer takes.
    fn poll_write(&mut self, context: &mut Context<'_>) -> Result<(), End> {
        loop {
            let (message, length) = match &mut self.writing {
                Some((message, length)) => (message, *length),
                None => match self.outbound.pop() {
                    Some(message) => {
                        let length = message.len();
                        self.write_by = Some(Instant::now() + WRITE_DEADLINE);
                        let writing = self.writing.insert((message, length));
                        (&mut writing.0, length)
                    }
                    None => return Ok(()),
                },
            };
            match self.link.poll_send(message, context) {
                Poll::Ready(sent) => sent?,
                Poll::Pending => return Ok(()),
            }
            self.writing = None;
            self.write_by = None;
            self.outbound.written(length);
        }
    }

    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<Result<Frame, End>> {
        let frame = match self.link.poll_frame(context) {
            Poll::Ready(Ok(Some(frame))) => frame,
            Poll::Ready(Ok(None)) => return Poll::Ready(Err(End::ByPeer)),
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error.into())),
            Poll::Pending => {
                // Blank lines complete nothing: they do not prolong the wait for a message.
                if !self.link.is_inside_message() {
                    self.message_by = None;
                } else if self.message_by.is_none() {
                    self.message_by = Some(Instant::now() + self.limits.message);
                }
                return Poll::Pending;
            }
        };
        self.last_bytes = Instant::now();
        if matches!(frame, Frame::Message(_)) {
            self.last_message = self.last_bytes;
            self.first_by = None;
            self.message_by = None;
        }
        Poll::Ready(Ok(frame))
    }

    /// Ends the connection when a deadline has passed. The timer is only moved to an earlier time:
    /// most deadlines are replaced long before they come.
    fn poll_deadline(
        &self,
        view: View,
        mut timer: Pin<&mut Sleep>,
        context: &mut Context<'_>,
    ) -> Poll<End> {
        loop {
            let (deadline, late) = self.deadline(view);
            if timer.deadline() > deadline {
                timer.as_mut().reset(deadline);
            }
            if timer.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            if deadline <= Instant::now() {
                return Poll::Ready(late);
            }
            timer.as_mut().reset(deadline);
        }
    }

    /// The first deadline, and what it means when it has passed.
    fn deadline(&self, view: View) -> (Instant, End) {
        let silent = match view.standing {
            Standing::Stranger => self.last_message + self.limits.stranger_idle,
            Standing::Trusted => self.last_bytes + self.limits.idle,
        };
        let incomplete = [self.first_by, self.message_by].into_iter().flatten();
        let candidates = incomplete.map(|by| (by, End::Incomplete));
        candidates
            .chain(self.write_by.map(|by| (by, End::Unread)))
            .fold((silent, End::Silent), |first, next| {
                if next.0 < first.0 { next } else { first }
            })
    }
}
