//! A thread of its own for the sound of all calls.
//!
//! One thread looks after every call: what is due every few milliseconds wakes it and nothing else,
//! and signalling, however busy it is, does not make sound late. Where a process has a pool of
//! threads, each of these wake-ups would wake a second one that looks for work. Where the system allows
//! it, the thread goes before the work of other programs too.
//!
//! Not here: what the tasks on it do. They never block; files and names are for blocking threads.

use std::io;
use std::thread;

use rustix::process::setpriority_process;
use tokio::runtime::{Builder, EnterGuard, Handle};
use tokio::sync::oneshot;
use tracing::debug;

/// Niceness of the thread: that of the sound servers.
const NICENESS: i32 = -11;

/// The handle of the thread. Dropping it ends the thread and whatever still runs there.
#[derive(Debug)]
pub struct MediaThread {
    handle: Handle,
    _alive: oneshot::Sender<()>,
}

impl MediaThread {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// What the system says if it gives no thread.
    pub fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (alive, ended) = oneshot::channel::<()>();
        thread::Builder::new()
            .name("media".to_owned())
            .spawn(move || {
                hurry();
                // Nothing is ever sent: it ends when the handle is dropped.
                let _ = runtime.block_on(ended);
                runtime.shutdown_background();
            })?;
        Ok(Self {
            handle,
            _alive: alive,
        })
    }

    /// Sockets that are opened and tasks that are spawned while the guard lives belong to the thread.
    pub fn enter(&self) -> EnterGuard<'_> {
        self.handle.enter()
    }
}

/// Asks the system to let the present thread go first.
fn hurry() {
    if let Err(error) = setpriority_process(None, NICENESS) {
        debug!(%error, "sound does not go before other work; a limit of niceness (LimitNICE=) would allow it");
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_spawned_inside_runs_on_the_thread_and_ends_with_it() {
        let media = MediaThread::start().unwrap();
        let (told, heard) = std::sync::mpsc::channel();
        let inside = media.enter();
        let task = tokio::spawn(async move {
            told.send(thread::current().name().map(str::to_owned)).ok();
            std::future::pending::<()>().await;
            drop(told);
        });
        drop(inside);
        let name = heard.recv_timeout(Duration::from_secs(10)).unwrap();
        assert_eq!(name.as_deref(), Some("media"));
        drop(media);
        let ended = heard.recv_timeout(Duration::from_secs(10));
        assert_eq!(ended, Err(std::sync::mpsc::RecvTimeoutError::Disconnected));
        drop(task);
    }

    #[test]
    fn sound_goes_before_other_work_where_that_is_allowed() {
        let niceness = |of: fn()| {
            let thread = thread::spawn(move || {
                of();
                rustix::process::getpriority_process(None).unwrap()
            });
            thread.join().unwrap()
        };
        let usual = niceness(|| ());
        let possible = niceness(|| {
            let _ = setpriority_process(None, NICENESS);
        });
        let media = MediaThread::start().unwrap();
        let (told, heard) = std::sync::mpsc::channel();
        let inside = media.enter();
        tokio::spawn(async move { told.send(rustix::process::getpriority_process(None)).ok() });
        drop(inside);
        let found = heard.recv_timeout(Duration::from_secs(10)).unwrap();
        assert_eq!(found, Ok(possible));
        assert_eq!(niceness(|| ()), usual, "and nothing else");
    }
}
