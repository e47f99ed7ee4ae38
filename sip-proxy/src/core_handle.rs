//! One shard of the core, as the tasks around it ask it.
//!
//! Questions go in as commands and are answered as events, in the order in which they were asked.
//!
//! Invariant: nobody here waits for the core while it waits for us; commands are taken in every turn of its loop.
//!
//! Not here: what is asked of all shards together (`control.rs`).

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use api::ControlError;
use sip_proxy_core::{Ban, Binding, CallTrace, Command, Counts, TracedCall};
use tokio::sync::{mpsc, oneshot};

/// A part of all bindings, and where to go on.
pub(crate) type Part = (Vec<Binding>, Option<u32>);

/// Who waits for an answer, by the number that the question carries.
type Askers<T> = Mutex<HashMap<u64, oneshot::Sender<T>>>;

/// A handle on one shard.
#[derive(Debug)]
pub(crate) struct CoreHandle {
    commands: mpsc::Sender<Command>,
    /// Who waits for the next counts; the core answers in order, so counts also prove that earlier commands are done.
    counts: Mutex<Vec<oneshot::Sender<Counts>>>,
    /// Who waits for the bans.
    bans: Mutex<Vec<oneshot::Sender<Vec<Ban>>>>,
    /// Who waits until everything is stored.
    flushing: Mutex<Vec<oneshot::Sender<()>>>,
    listings: Askers<Part>,
    callers: Askers<Vec<TracedCall>>,
    readers: Askers<Option<Box<CallTrace>>>,
    next_asker: AtomicU64,
}

impl CoreHandle {
    pub(crate) fn new(commands: mpsc::Sender<Command>) -> Self {
        Self {
            commands,
            counts: Mutex::default(),
            bans: Mutex::default(),
            flushing: Mutex::default(),
            listings: Mutex::default(),
            callers: Mutex::default(),
            readers: Mutex::default(),
            next_asker: AtomicU64::new(0),
        }
    }

    pub(crate) async fn counts(&self) -> Result<Counts, ControlError> {
        self.ask(&self.counts, Command::Count).await
    }

    pub(crate) async fn bans(&self) -> Result<Vec<Ban>, ControlError> {
        self.ask(&self.bans, Command::ListBans).await
    }

    /// Waits until everything that has changed is stored.
    pub(crate) async fn flush(&self) -> Result<(), ControlError> {
        self.ask(&self.flushing, Command::Flush).await
    }

    /// A part of all bindings, from a place on that the last part named.
    pub(crate) async fn list(&self, from: u32) -> Result<Part, ControlError> {
        let question = |asker| Command::ListBindings { asker, from };
        self.ask_by_number(&self.listings, question).await
    }

    pub(crate) async fn recent_calls(
        &self,
        tenant: u128,
        count: usize,
    ) -> Result<Vec<TracedCall>, ControlError> {
        let question = |asker| Command::ListCalls {
            asker,
            tenant,
            count,
        };
        self.ask_by_number(&self.callers, question).await
    }

    pub(crate) async fn trace(
        &self,
        tenant: u128,
        call_id: &str,
    ) -> Result<Option<Box<CallTrace>>, ControlError> {
        let question = |asker| Command::FindCall {
            asker,
            tenant,
            call_id: call_id.to_owned(),
        };
        self.ask_by_number(&self.readers, question).await
    }

    /// Has the core do something, and waits until it is done.
    pub(crate) async fn done(&self, command: Command) -> Result<(), ControlError> {
        self.command(command).await?;
        self.counts().await.map(|_| ())
    }

    /// Waits until the core takes another command, which then goes in without waiting.
    pub(crate) async fn room(&self) -> Result<mpsc::Permit<'_, Command>, ControlError> {
        let room = self.commands.reserve().await;
        room.map_err(|_| ControlError::Unreachable)
    }

    pub(crate) async fn command(&self, command: Command) -> Result<(), ControlError> {
        self.commands
            .send(command)
            .await
            .map_err(|_| ControlError::Unreachable)
    }

    pub(crate) fn answer_bans(&self, bans: &[Ban]) {
        for waiting in lock(&self.bans).drain(..) {
            // Who asked may have gone.
            let _ = waiting.send(bans.to_vec());
        }
    }

    pub(crate) fn answer_counts(&self, counts: Counts) {
        for waiting in lock(&self.counts).drain(..) {
            // Who asked may have gone.
            let _ = waiting.send(counts);
        }
    }

    pub(crate) fn answer_flush(&self) {
        for waiting in lock(&self.flushing).drain(..) {
            // Who asked may have gone.
            let _ = waiting.send(());
        }
    }

    pub(crate) fn answer_list(&self, asker: u64, bindings: Vec<Binding>, next: Option<u32>) {
        answer(&self.listings, asker, (bindings, next));
    }

    pub(crate) fn answer_calls(&self, asker: u64, calls: Vec<TracedCall>) {
        answer(&self.callers, asker, calls);
    }

    pub(crate) fn answer_trace(&self, asker: u64, trace: Option<Box<CallTrace>>) {
        answer(&self.readers, asker, trace);
    }

    async fn ask<T>(
        &self,
        waiting: &Mutex<Vec<oneshot::Sender<T>>>,
        question: Command,
    ) -> Result<T, ControlError> {
        let (answer, answered) = oneshot::channel();
        lock(waiting).push(answer);
        self.command(question).await?;
        answered.await.map_err(|_| ControlError::Unreachable)
    }

    async fn ask_by_number<T>(
        &self,
        waiting: &Askers<T>,
        question: impl FnOnce(u64) -> Command,
    ) -> Result<T, ControlError> {
        let (answer, answered) = oneshot::channel();
        let asker = self.next_asker.fetch_add(1, Ordering::Relaxed);
        lock(waiting).insert(asker, answer);
        self.command(question(asker)).await?;
        answered.await.map_err(|_| ControlError::Unreachable)
    }
}

fn answer<T>(waiting: &Askers<T>, asker: u64, with: T) {
    if let Some(waiting) = lock(waiting).remove(&asker) {
        // Who asked may have gone.
        let _ = waiting.send(with);
    }
}

/// A poisoned lock holds whole values all the same: every change under it is one assignment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
