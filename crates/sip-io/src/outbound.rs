//! The queue into one connection: bounded in bytes, written by the loop, emptied by the task.
//!
//! ```text
//!   loop ─► push (never waits; full: the connection ends) ─► queue ─► task ─► link
//!   loop ◄─ message with its Turn ◄──────────────────────────────── task ◄─┘
//!              └ dropped when handled: the task may pass on another
//! ```
//!
//! The only lock of this crate is the one round this queue. It is held for a few instructions and
//! belongs to one connection; loop and task are on the same thread when the runtime has only one.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

/// Messages of one connection that may be with the loop at the same time: nobody who pipelines
/// keeps others waiting, and answers cannot pile up before the task notices.
const TURNS: usize = 8;

/// The same for a peer that has not proved who it is.
const STRANGERS_TURNS: usize = 2;

/// What did not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Overflow;

/// Whether a connection goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Open,
    /// Ends once everything queued is written.
    Closing,
    /// Ends at once.
    Aborted,
}

/// Whether the peer has proved who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Stranger,
    Trusted,
}

/// One connection's queue, as the loop and the task share it.
#[derive(Clone, Debug)]
pub(crate) struct Outbound(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limit: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    queue: VecDeque<Bytes>,
    /// Bytes in the queue and of the message that is being written.
    bytes: usize,
    phase: Phase,
    standing: Standing,
    /// Messages that are with the loop.
    turns: usize,
    /// Wakes the task.
    waker: Option<Waker>,
}

/// What the task has to know before it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) phase: Phase,
    pub(crate) standing: Standing,
    pub(crate) bytes: usize,
    /// Messages that are with the loop.
    pub(crate) turns: usize,
    /// Whether the loop takes another message of this connection.
    pub(crate) has_turn: bool,
}

impl Outbound {
    /// A queue for `limit` bytes.
    pub(crate) fn new(limit: usize, standing: Standing) -> Self {
        Self(Arc::new(Shared {
            limit,
            state: Mutex::new(State {
                queue: VecDeque::new(),
                bytes: 0,
                phase: Phase::Open,
                standing,
                turns: 0,
                waker: None,
            }),
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics half-way, so the state is whole.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state and wakes the task.
    fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let mut state = self.state();
        let result = change(&mut state);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        result
    }

    /// Queues `bytes` without waiting.
    ///
    /// # Errors
    ///
    /// [`Overflow`] if the peer has not read enough, or the connection ends.
    pub(crate) fn push(&self, bytes: Bytes) -> Result<(), Overflow> {
        let limit = self.0.limit;
        self.change(|state| {
            if state.phase != Phase::Open || state.bytes + bytes.len() > limit {
                return Err(Overflow);
            }
            state.bytes += bytes.len();
            state.queue.push_back(bytes);
            Ok(())
        })
    }

    /// Closes the connection once everything queued so far is written.
    pub(crate) fn close(&self) {
        self.change(|state| {
            if state.phase == Phase::Open {
                state.phase = Phase::Closing;
            }
        });
    }

    /// Ends the connection at once.
    pub(crate) fn abort(&self) {
        self.change(|state| state.phase = Phase::Aborted);
    }

    pub(crate) fn set_standing(&self, standing: Standing) {
        self.change(|state| state.standing = standing);
    }

    pub(crate) fn standing(&self) -> Standing {
        self.state().standing
    }

    /// What is to be done now; any change wakes the task of `context`.
    pub(crate) fn look(&self, context: &Context<'_>) -> View {
        let mut state = self.state();
        match &mut state.waker {
            Some(waker) => waker.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
        let turns = match state.standing {
            Standing::Stranger => STRANGERS_TURNS,
            Standing::Trusted => TURNS,
        };
        View {
            phase: state.phase,
            standing: state.standing,
            bytes: state.bytes,
            turns: state.turns,
            has_turn: state.turns < turns,
        }
    }

    /// Waits until the connection is to end.
    pub(crate) async fn ended(&self) {
        poll_fn(|context| match self.look(context).phase {
            Phase::Closing | Phase::Aborted => Poll::Ready(()),
            Phase::Open => Poll::Pending,
        })
        .await;
    }

    /// The next message to write. It counts until [`written`](Self::written) is called.
    pub(crate) fn pop(&self) -> Option<Bytes> {
        self.state().queue.pop_front()
    }

    /// A message of `bytes` bytes has left.
    pub(crate) fn written(&self, bytes: usize) {
        let mut state = self.state();
        state.bytes -= bytes;
        if state.queue.is_empty() {
            // An idle connection holds no buffer.
            state.queue = VecDeque::new();
        }
    }

    /// One more message is with the loop.
    pub(crate) fn turn(&self) -> Turn {
        self.state().turns += 1;
        Turn(self.clone())
    }
}

/// A message that is with the loop; given back when dropped.
#[derive(Debug)]
pub(crate) struct Turn(Outbound);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.change(|state| state.turns -= 1);
    }
}
