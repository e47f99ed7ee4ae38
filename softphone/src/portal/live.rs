//! The live channel: a WebSocket (RFC 6455) over the portal client's own connection.
//!
//! The upgrade is made with the same HTTP client as everything else, so certificates, proxies and
//! time limits are the same; only the frames are the WebSocket library's.

use std::time::Duration;

use api::{DeviceFrame, DeviceReport, DeviceToken, DeviceUpload};
use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::{Method, StatusCode, Upgraded, header};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error as WebSocketError, Message};

use super::client::{PortalClient, PortalError};

/// The portal sends a ping every 20 s; after this long without anything the channel is dead.
const SILENCE: Duration = Duration::from_secs(65);

/// Longest wait for the upgrade, and for a frame to leave.
const STEP: Duration = Duration::from_secs(20);

/// Longest frame that is read.
const MAX_FRAME_BYTES: usize = 64 * 1024;

/// An open live channel.
pub(super) struct LiveChannel {
    socket: WebSocketStream<Upgraded>,
}

/// Why a channel ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum LiveError {
    #[error("the portal closed the live channel")]
    Closed,
    #[error("the portal fell silent")]
    Silent,
    #[error("the live channel broke: {0}")]
    Broken(WebSocketError),
}

impl LiveChannel {
    pub(super) async fn open(
        client: &PortalClient,
        token: &DeviceToken,
    ) -> Result<Self, PortalError> {
        let key = generate_key();
        let request = client
            .request(Method::GET, "/device/live")
            .bearer_auth(&token.access_token.0)
            .header(header::CONNECTION, "Upgrade")
            .header(header::UPGRADE, "websocket")
            .header(header::SEC_WEBSOCKET_VERSION, "13")
            .header(header::SEC_WEBSOCKET_KEY, &key);
        let answer = timeout(STEP, request.send())
            .await
            .map_err(|_| client.not_a_portal("the live channel does not open".to_owned()))?
            .map_err(|error| client.failed(&error))?;
        if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Err(client.refused(answer).await);
        }
        let accepted = answer.headers().get(header::SEC_WEBSOCKET_ACCEPT);
        if accepted.is_none_or(|accepted| accepted != derive_accept_key(key.as_bytes()).as_str()) {
            return Err(client.not_a_portal("a live channel that is none".to_owned()));
        }
        let stream = answer
            .upgrade()
            .await
            .map_err(|error| client.failed(&error))?;
        let mut config = WebSocketConfig::default();
        config.read_buffer_size = 4 * 1024;
        config.max_message_size = Some(MAX_FRAME_BYTES);
        config.max_frame_size = Some(MAX_FRAME_BYTES);
        let socket = WebSocketStream::from_raw_socket(stream, Role::Client, Some(config)).await;
        Ok(Self { socket })
    }

    /// The next frame that says something; pings are answered on the way.
    ///
    /// Safe to cancel: a frame is either returned or still to come.
    pub(super) async fn next(&mut self) -> Result<DeviceFrame, LiveError> {
        loop {
            let message = timeout(SILENCE, self.socket.next())
                .await
                .map_err(|_| LiveError::Silent)?
                .ok_or(LiveError::Closed)?
                .map_err(LiveError::Broken)?;
            match message {
                Message::Text(text) => match serde_json::from_str(&text) {
                    Ok(frame) => return Ok(frame),
                    // A newer portal may say more than we know.
                    Err(_) => tracing::debug!("a live frame was not understood"),
                },
                Message::Close(_) => return Err(LiveError::Closed),
                _ => {}
            }
        }
    }

    pub(super) async fn report(&mut self, report: DeviceReport) -> Result<(), LiveError> {
        let upload = DeviceUpload::Report(report);
        let text = serde_json::to_string(&upload).expect("plain values become JSON");
        timeout(STEP, self.socket.send(Message::text(text)))
            .await
            .map_err(|_| LiveError::Silent)?
            .map_err(LiveError::Broken)
    }
}
