//! How others reach the relay's thread: commands in, values back.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc as std_mpsc};
use std::thread;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use media::relay::{
    CallId, HandshakeAgreement, LegId, LegStats, PairPool, Peer, Protection, Relay, RelayConfig,
    Side, Tap,
};
use nix::sys::epoll::{EpollEvent, EpollFlags};
use nix::sys::eventfd::{EfdFlags, EventFd};
use stun::LiteAgent;
use tokio::sync::{mpsc, oneshot};
use tracing::error;

use super::engine::{Command, Engine};
use super::sockets::{Sockets, WAKE};
use super::{LegRequest, LocalMedia, RelayIoError, RelayIoStats, RelayOptions};

/// Commands that may wait; who gives one more waits too.
const MAX_COMMANDS: usize = 1_024;

/// Starts a relay on a thread of its own. It ends with the last handle and the last call.
///
/// # Errors
///
/// [`RelayIoError`] if an address or port cannot be had.
pub fn start(options: &RelayOptions) -> Result<RelayHandle, RelayIoError> {
    let system = |error: nix::Error| RelayIoError::Start(error.into());
    let sockets = Sockets::bind(&options.addresses, options.port, options.range)?;
    let flags = EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC;
    let event = EventFd::from_value_and_flags(0, flags).map_err(system)?;
    let told = EpollEvent::new(EpollFlags::EPOLLIN, WAKE);
    sockets.epoll.add(&event, told).map_err(system)?;
    let waker = Arc::new(Waker(event));

    let config = RelayConfig {
        max_calls: options.max_calls,
        seed: rand::random(),
        since_unix_epoch: SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default(),
    };
    let pool = PairPool::new(
        options.range.rtp_ports(),
        options.pairs_per_owner,
        rand::random(),
    );
    let relay = Relay::new(&config, Instant::now());
    let (commands, waiting) = mpsc::channel(MAX_COMMANDS);
    let (ended, endings) = std_mpsc::channel();
    let engine_waker = waker.clone();
    let run = move || {
        let run = || Engine::new(relay, sockets, pool).run(waiting, &endings, &engine_waker);
        if catch_unwind(AssertUnwindSafe(run)).is_err() {
            error!("the relay panicked and has stopped: all relayed calls are silent");
        }
    };
    thread::Builder::new()
        .name("relay".to_owned())
        .spawn(run)
        .map_err(RelayIoError::Start)?;
    let line = Line {
        commands: Some(commands),
        ended,
        waker,
    };
    Ok(RelayHandle(Arc::new(line)))
}

/// Wakes the thread.
pub(super) struct Waker(EventFd);

impl Waker {
    fn wake(&self) {
        // It fails only if it has been called 2^64 times since the thread last looked.
        let _ = self.0.write(1);
    }

    /// The thread has heard.
    pub(super) fn rest(&self) {
        let _ = self.0.read();
    }
}

struct Line {
    /// Gone while the line is being dropped.
    commands: Option<mpsc::Sender<Command>>,
    /// Bounded by the number of calls: each ends once.
    ended: std_mpsc::Sender<CallId>,
    waker: Arc<Waker>,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.commands = None;
        self.waker.wake();
    }
}

/// Gives a relay commands. Clones are the same relay.
#[derive(Clone)]
pub struct RelayHandle(Arc<Line>);

impl RelayHandle {
    /// A call that has no streams yet.
    ///
    /// # Errors
    ///
    /// [`RelayIoError::Relay`] if the table is full, [`RelayIoError::Stopped`].
    pub async fn create_call(&self) -> Result<RelayedCall, RelayIoError> {
        let line = self.clone();
        self.ask(move |engine| {
            let id = engine.relay.create_call()?;
            // Made here, so that it ends if who asked does not wait for it.
            Ok(RelayedCall { id, relay: line })
        })
        .await?
    }

    /// The relay as a whole.
    ///
    /// # Errors
    ///
    /// [`RelayIoError::Stopped`].
    pub async fn stats(&self) -> Result<RelayIoStats, RelayIoError> {
        self.ask(|engine| engine.stats()).await
    }

    async fn ask<R: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Engine) -> R + Send + 'static,
    ) -> Result<R, RelayIoError> {
        let (answer, answered) = oneshot::channel();
        let command: Command = Box::new(move |engine| {
            let _ = answer.send(question(engine));
        });
        let commands = self.0.commands.as_ref().ok_or(RelayIoError::Stopped)?;
        let given = commands.send(command).await;
        given.map_err(|_| RelayIoError::Stopped)?;
        self.0.waker.wake();
        answered.await.map_err(|_| RelayIoError::Stopped)
    }
}

/// A call in the relay. Dropping it ends it, and closes its ports, at once.
pub struct RelayedCall {
    id: CallId,
    relay: RelayHandle,
}

impl Drop for RelayedCall {
    fn drop(&mut self) {
        // Without a thread there is no call either.
        let _ = self.relay.0.ended.send(self.id);
        self.relay.0.waker.wake();
    }
}

impl RelayedCall {
    /// One more stream, of caller and callee: its number, and where each is received.
    ///
    /// # Errors
    ///
    /// [`RelayIoError`]; nothing is left open then.
    pub async fn add_stream(
        &self,
        wanted: [LegRequest; 2],
    ) -> Result<(u8, [LocalMedia; 2]), RelayIoError> {
        let id = self.id;
        self.relay
            .ask(move |engine| engine.add_stream(id, wanted))
            .await?
    }

    /// Signalling says where a party is, for the first time or anew.
    ///
    /// # Errors
    ///
    /// [`RelayIoError`]; then everything is as before.
    pub async fn announce(&self, stream: u8, side: Side, peer: Peer) -> Result<(), RelayIoError> {
        let leg = self.leg(stream, side);
        self.relay
            .ask(move |engine| engine.announce(leg, peer))
            .await?
    }

    /// The party does ICE, with this lite agent of ours: its pair is the one that it nominates. Or with `None` it does not. To be
    /// told before [`RelayedCall::announce`]; other credentials than before are a restart.
    ///
    /// # Errors
    ///
    /// [`RelayIoError`]; then everything is as before.
    pub async fn set_ice(
        &self,
        stream: u8,
        side: Side,
        agent: Option<LiteAgent>,
    ) -> Result<(), RelayIoError> {
        let leg = self.leg(stream, side);
        let set = self
            .relay
            .ask(move |engine| engine.relay.set_ice(leg, agent));
        Ok(set.await??)
    }

    /// Secures a leg, gives it other keys, or with `None` makes it plain.
    ///
    /// # Errors
    ///
    /// [`RelayIoError`].
    pub async fn set_protection(
        &self,
        stream: u8,
        side: Side,
        protection: Option<Box<dyn Protection>>,
    ) -> Result<(), RelayIoError> {
        let leg = self.leg(stream, side);
        let set = self
            .relay
            .ask(move |engine| engine.relay.set_protection(leg, protection));
        Ok(set.await??)
    }

    /// Secures a leg by keys that a handshake on its port yields ([`RelayedCall::stats`] says how it stands). Nothing passes
    /// the leg until then.
    ///
    /// # Errors
    ///
    /// [`RelayIoError`].
    pub async fn set_handshake(
        &self,
        stream: u8,
        side: Side,
        agreement: HandshakeAgreement,
    ) -> Result<(), RelayIoError> {
        let leg = self.leg(stream, side);
        let set = self.relay.ask(move |engine| {
            let now = Instant::now();
            engine.relay.set_handshake(leg, agreement, now)
        });
        Ok(set.await??)
    }

    /// Lets somebody listen ([`super::tap`]), or with `None` nobody.
    ///
    /// # Errors
    ///
    /// [`RelayIoError`].
    pub async fn set_tap(&self, tap: Option<Box<dyn Tap>>) -> Result<(), RelayIoError> {
        let id = self.id;
        let set = self.relay.ask(move |engine| engine.relay.set_tap(id, tap));
        Ok(set.await??)
    }

    /// How each stream fares: caller, callee.
    ///
    /// # Errors
    ///
    /// [`RelayIoError`].
    pub async fn stats(&self) -> Result<Vec<[LegStats; 2]>, RelayIoError> {
        let id = self.id;
        let asked = self
            .relay
            .ask(move |engine| engine.relay.stats(id, Instant::now()));
        Ok(asked.await??)
    }

    fn leg(&self, stream: u8, side: Side) -> LegId {
        LegId {
            call: self.id,
            stream,
            side,
        }
    }
}
