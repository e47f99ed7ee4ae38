//! The loop that keeps a device in touch with its portal.
//!
//! ```text
//! token ─► configuration ─► report ─► live channel ─┬─ configuration frame: fetch again
//!   ▲                                               ├─ directory frame: fetch what changed
//!   │                                               ├─ report changed: send it
//!   └────────── back off, with jitter ◄── broken ───┴─ revoked: tell, and end
//! ```
//!
//! The phone does not depend on it: it works with the configuration it has while the portal is
//! away.

use std::ops::ControlFlow;
use std::time::Duration;

use api::{DeviceConfiguration, DeviceFrame, DeviceReport, DeviceToken, DirectoryChanges};
use ed25519_dalek::SigningKey;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::client::{PortalClient, PortalError};
use super::live::{LiveChannel, LiveError};

/// First wait after a failure; doubled with each further one.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// Longest wait between attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// A channel that lived this long starts the waits from the beginning.
const STEADY: Duration = Duration::from_secs(30);

/// A token is renewed this long before it ends.
const RENEW_BEFORE: Duration = Duration::from_secs(30);

/// Pieces of the company directory that are read in one go; with more the next frame goes on.
const MAX_PIECES: usize = 1_000;

/// Who we are at the portal.
pub struct DeviceIdentity {
    /// The device.
    pub device_id: Uuid,
    /// Its key.
    pub device_key: SigningKey,
    /// Version of the configuration in use.
    pub version: u64,
    /// How far the company directory was read, if it was.
    pub directory: Option<String>,
}

/// What the application hears about the portal.
#[derive(Debug)]
pub enum PortalEvent {
    /// The live channel is open.
    Connected,
    /// The portal is away; another attempt comes by itself.
    Disconnected {
        /// In plain words.
        reason: String,
    },
    /// A new configuration to apply and to save.
    Configuration(Box<DeviceConfiguration>),
    /// Changes of the company directory to take in and to save, in order.
    Directory(Vec<DirectoryChanges>),
    /// The device was deactivated: sign out and wipe. Nothing follows.
    Revoked,
}

/// Runs until `stop`, or until the device is revoked or nobody listens any more.
///
/// `reports` always holds the newest report; older ones that were not sent are skipped.
pub async fn run(
    client: PortalClient,
    identity: DeviceIdentity,
    reports: watch::Receiver<DeviceReport>,
    events: mpsc::Sender<PortalEvent>,
    stop: CancellationToken,
) {
    let mut session = Session {
        client,
        identity,
        reports,
        events,
        token: None,
    };
    let mut wait = FIRST_WAIT;
    loop {
        let started = Instant::now();
        let ended = tokio::select! {
            () = stop.cancelled() => return,
            ended = session.connect() => ended,
        };
        match ended {
            ControlFlow::Break(()) => return,
            ControlFlow::Continue(reason) => {
                tracing::debug!(%reason, "portal away");
                if session
                    .tell(PortalEvent::Disconnected { reason })
                    .await
                    .is_break()
                {
                    return;
                }
            }
        }
        if started.elapsed() > STEADY {
            wait = FIRST_WAIT;
        }
        // Many phones lose a portal at the same moment; they must not come back at the same one.
        let jitter = wait.mul_f64(rand::random_range(0.0..0.5));
        tokio::select! {
            () = stop.cancelled() => return,
            () = sleep(wait + jitter) => {}
        }
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

struct Session {
    client: PortalClient,
    identity: DeviceIdentity,
    reports: watch::Receiver<DeviceReport>,
    events: mpsc::Sender<PortalEvent>,
    token: Option<(DeviceToken, Instant)>,
}

/// Goes on with an attempt, or ends the whole session.
type Step<T> = ControlFlow<(), T>;

impl Session {
    /// One attempt, for as long as it lasts. Continues with the reason why it ended.
    async fn connect(&mut self) -> Step<String> {
        match self.stay_connected().await {
            Ok(never) => match never {},
            Err(Ended::Gone) => ControlFlow::Break(()),
            Err(Ended::Failed(PortalError::Revoked)) => {
                let _ = self.tell(PortalEvent::Revoked).await;
                ControlFlow::Break(())
            }
            Err(Ended::Failed(error)) => {
                if error == PortalError::Unauthorized {
                    self.token = None;
                }
                ControlFlow::Continue(error.to_string())
            }
            Err(Ended::Closed(reason)) => ControlFlow::Continue(reason),
        }
    }

    async fn stay_connected(&mut self) -> Result<std::convert::Infallible, Ended> {
        self.update_configuration().await?;
        let token = self.token().await?;
        let report = self.reports.borrow_and_update().clone();
        self.client.report(&token, &report).await?;
        let mut channel = LiveChannel::open(&self.client, &token).await?;
        self.told(PortalEvent::Connected).await?;
        loop {
            tokio::select! {
                frame = channel.next() => match frame? {
                    DeviceFrame::Revoked => return Err(PortalError::Revoked.into()),
                    DeviceFrame::Configuration { version } => {
                        if version != self.identity.version {
                            self.update_configuration().await?;
                        }
                    }
                    DeviceFrame::Directory { position } => {
                        if self.identity.directory.as_ref() != Some(&position) {
                            self.update_directory().await?;
                        }
                    }
                },
                changed = self.reports.changed() => {
                    changed.map_err(|_| Ended::Gone)?;
                    let report = self.reports.borrow_and_update().clone();
                    channel.report(report).await?;
                }
            }
        }
    }

    async fn update_configuration(&mut self) -> Result<(), Ended> {
        let token = self.token().await?;
        let known = self.identity.version;
        if let Some(configuration) = self.client.configuration(&token, known).await? {
            self.identity.version = configuration.version;
            self.told(PortalEvent::Configuration(Box::new(configuration)))
                .await?;
        }
        Ok(())
    }

    /// Reads to the end, and tells all of it at once: half a list is none.
    async fn update_directory(&mut self) -> Result<(), Ended> {
        let mut read = Vec::new();
        let mut position = self.identity.directory.clone();
        while read.len() < MAX_PIECES {
            let token = self.token().await?;
            let changes = self.client.directory(&token, position.as_deref()).await?;
            let Some(changes) = changes else { break };
            position = Some(changes.position.clone());
            let more = changes.more;
            read.push(changes);
            if !more {
                break;
            }
        }
        if !read.is_empty() {
            self.identity.directory = position;
            self.told(PortalEvent::Directory(read)).await?;
        }
        Ok(())
    }

    async fn token(&mut self) -> Result<DeviceToken, PortalError> {
        if let Some((token, expires)) = &self.token
            && *expires > Instant::now() + RENEW_BEFORE
        {
            return Ok(token.clone());
        }
        let identity = &self.identity;
        let token = self
            .client
            .token(identity.device_id, &identity.device_key)
            .await?;
        let expires = Instant::now() + Duration::from_secs(token.expires_in_secs.min(3600));
        self.token = Some((token.clone(), expires));
        Ok(token)
    }

    async fn told(&self, event: PortalEvent) -> Result<(), Ended> {
        self.events.send(event).await.map_err(|_| Ended::Gone)
    }

    async fn tell(&self, event: PortalEvent) -> Step<()> {
        match self.events.send(event).await {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    }
}

/// Why one attempt ended.
enum Ended {
    /// The application is gone.
    Gone,
    Failed(PortalError),
    Closed(String),
}

impl From<PortalError> for Ended {
    fn from(error: PortalError) -> Self {
        Self::Failed(error)
    }
}

impl From<LiveError> for Ended {
    fn from(error: LiveError) -> Self {
        Self::Closed(error.to_string())
    }
}
