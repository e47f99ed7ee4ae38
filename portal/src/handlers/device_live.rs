//! The live channel of a device: the version to have, where the directory is, and the end of the device's rights.

use api::{DeviceFrame, DeviceUpload};
use axum::{
    extract::{State, WebSocketUpgrade},
    response::Response,
};
use store::{
    device::{self, DeviceCredential},
    directory,
};
use time::OffsetDateTime;
use tokio::select;
use tracing::{debug, error};

use super::{Refused, provisioning::apply_report};
use crate::{
    access::Device,
    app::App,
    device_channel::{DeviceChannel, Signal},
    error::ApiError,
    socket::{self, GOING_AWAY, Gone, POLICY, Received, Socket},
};

/// Changes of the configuration, and reports. See `DeviceFrame` and `DeviceUpload`.
#[utoipa::path(get, operation_id = "device_live_live", path = "/device/live", tag = "device",
    responses((status = 101, description = "A WebSocket"), Refused), security(("device" = [])))]
pub(crate) async fn live(
    State(app): State<App>,
    Device(credential): Device,
    upgrade: WebSocketUpgrade,
) -> Result<Response, ApiError> {
    let channel = app
        .channels
        .open(credential.device_id, credential.tenant_id)
        .ok_or(ApiError::Overloaded)?;
    let connection = Connection::new(credential, channel, app.clone());
    socket::open(upgrade, &app, async move |socket| {
        connection.run(socket).await;
    })
}

/// A device that is there; when dropped it is gone again.
struct Connection {
    credential: DeviceCredential,
    channel: DeviceChannel,
    app: App,
}

impl Connection {
    fn new(credential: DeviceCredential, channel: DeviceChannel, app: App) -> Self {
        app.presence.channel_opened(credential.device_id);
        app.live
            .device_moved(credential.tenant_id, credential.device_id);
        Self {
            credential,
            channel,
            app,
        }
    }

    async fn run(mut self, mut socket: Socket) {
        self.announce_present_state().await;
        let mut told = Signal::default();
        loop {
            let signal = *self.channel.signals.borrow_and_update();
            if tell(&mut socket, signal, told).await.is_err() {
                return;
            }
            told = signal;
            if signal.revoked {
                return socket.close(POLICY, "revoked").await;
            }
            if let Err(Gone) = self.wait(&mut socket).await {
                return;
            }
            if self.app.stop.is_cancelled() {
                return socket.close(GOING_AWAY, "restarting").await;
            }
        }
    }

    /// Asked after the channel was opened, so that a change or a reset just before is not missed.
    async fn announce_present_state(&self) {
        let DeviceCredential {
            device_id,
            tenant_id,
            generation,
            ..
        } = self.credential;
        let db = &self.app.db;
        match device::find_credential(device_id, db).await {
            Ok(Some(current)) if current.generation == generation => {}
            Ok(_) => return self.app.channels.revoke(device_id),
            Err(error) => return error!(%error, "a device's rights could not be read"),
        }
        let now = OffsetDateTime::now_utc();
        if let Err(error) = device::set_seen(tenant_id, device_id, now, db).await {
            error!(%error, "a device was not noted as seen");
        }
        match device::load(tenant_id, device_id, db).await {
            Ok(device) => self
                .app
                .channels
                .announce(device_id, device.configuration_version),
            Err(error) => error!(%error, "a device's version could not be read"),
        }
        match directory::position(tenant_id, db).await {
            Ok(position) => self.app.channels.announce_directory(tenant_id, position),
            Err(error) => error!(%error, "the position of a directory could not be read"),
        }
    }

    /// Takes reports until there is something to tell.
    async fn wait(&mut self, socket: &mut Socket) -> Result<(), Gone> {
        loop {
            select! {
                () = self.app.stop.cancelled() => return Ok(()),
                changed = self.channel.signals.changed() => return changed.map_err(|_| Gone),
                received = socket.receive() => match received? {
                    Received::Text(text) => self.take(&text).await,
                    Received::Pinged => {}
                },
            }
        }
    }

    async fn take(&self, text: &str) {
        let DeviceCredential {
            device_id,
            tenant_id,
            ..
        } = self.credential;
        let Ok(DeviceUpload::Report(report)) = serde_json::from_str(text) else {
            return debug!(device = %device_id, "a device sent what is not a report");
        };
        if let Err(error) = apply_report(&report, tenant_id, device_id, &self.app).await {
            debug!(?error, device = %device_id, "a device's report was not taken");
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.app.presence.channel_closed(self.credential.device_id);
        let DeviceCredential {
            device_id,
            tenant_id,
            ..
        } = self.credential;
        self.app.live.device_moved(tenant_id, device_id);
    }
}

/// Says what is new in `signal`. Version zero is none: the present one could not be read.
async fn tell(socket: &mut Socket, signal: Signal, told: Signal) -> Result<(), Gone> {
    let mut frames = Vec::new();
    if signal.version != told.version {
        let version = signal.version;
        frames.push(DeviceFrame::Configuration { version });
    }
    if let Some(position) = signal
        .directory
        .filter(|_| signal.directory != told.directory)
    {
        let position = position.to_string();
        frames.push(DeviceFrame::Directory { position });
    }
    if signal.revoked {
        frames = vec![DeviceFrame::Revoked];
    }
    for frame in frames {
        let text = serde_json::to_string(&frame).map_err(|_| Gone)?;
        socket.send(text).await?;
    }
    Ok(())
}
