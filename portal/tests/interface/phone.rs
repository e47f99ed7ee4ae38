//! A softphone as the portal sees it: a key, requests, a live channel.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer, SigningKey};
use futures_util::{SinkExt, StreamExt};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{self, Message, client::IntoClientRequest},
};
use uuid::Uuid;

use crate::world::{Answer, Caller, World, now};

/// A phone with a key of its own.
pub(crate) struct Phone {
    base: String,
    key: SigningKey,
}

impl Phone {
    pub(crate) fn new(world: &World) -> Self {
        Self {
            base: world.base.clone(),
            key: SigningKey::from_bytes(&rand::random()),
        }
    }

    pub(crate) fn public_key(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.key.verifying_key().as_bytes())
    }

    /// Presents a code or, with `token`, the token of a link.
    pub(crate) async fn activate(&self, kind: &str, secret: &str) -> Answer {
        let body = json!({kind: secret, "public_key": self.public_key(),
            "platform": "linux", "app_version": "0.1.0"});
        Caller::new(&self.base, None)
            .post("/api/v1/device/activation", body)
            .await
    }

    /// Asks for a token with this nonce, signed just now or, with `late_secs`, some time ago.
    pub(crate) async fn token(&self, device: Uuid, nonce: &str, late_secs: i64) -> Answer {
        let issued_at = now().unix_timestamp() - late_secs;
        let statement = api::device_token_statement(device, issued_at, nonce);
        let signature = self.key.sign(statement.as_bytes()).to_bytes();
        let body = json!({"device_id": device, "issued_at": issued_at, "nonce": nonce,
            "signature": URL_SAFE_NO_PAD.encode(signature)});
        Caller::new(&self.base, None)
            .post("/api/v1/device/token", body)
            .await
    }
}

/// What a phone knows after its activation.
pub(crate) struct Activated {
    pub(crate) phone: Phone,
    pub(crate) id: Uuid,
    pub(crate) configuration: Value,
    pub(crate) caller: Caller,
}

/// Activates `device` by its code.
pub(crate) async fn activate(device: &Value, world: &World) -> Activated {
    let shown = world
        .owner
        .get(&world.activation_path(device))
        .await
        .expect(StatusCode::OK);
    let phone = Phone::new(world);
    let answer = phone
        .activate("code", shown.body["code"].as_str().unwrap())
        .await;
    let body = answer.expect(StatusCode::OK).body;
    Activated {
        phone,
        id: body["device_id"].as_str().unwrap().parse().unwrap(),
        configuration: body["configuration"].clone(),
        caller: Caller::device(&world.base, body["access_token"].as_str().unwrap()),
    }
}

impl Activated {
    /// What the phone says when everything is well.
    pub(crate) fn report(&self, version: u64, state: &str) -> Value {
        let lines: Vec<_> = self.configuration["lines"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| json!({"account_id": line["account_id"], "state": state}))
            .collect();
        json!({"applied_version": version, "app_version": "0.1.0", "platform": "linux", "lines": lines})
    }

    pub(crate) fn version(&self) -> u64 {
        self.configuration["version"].as_u64().unwrap()
    }

    pub(crate) async fn live(&self) -> Channel {
        Channel::open("/api/v1/device/live", &self.caller)
            .await
            .unwrap()
    }
}

/// A WebSocket with JSON frames.
pub(crate) struct Channel(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Channel {
    /// Opens the channel at `path`, or answers the status of the refusal.
    pub(crate) async fn open(path: &str, caller: &Caller) -> Result<Self, u16> {
        Self::open_from(path, caller, None).await
    }

    /// The same from a page of `origin`.
    pub(crate) async fn open_from(
        path: &str,
        caller: &Caller,
        origin: Option<&str>,
    ) -> Result<Self, u16> {
        let url = format!("{}{path}", caller.base.replace("http://", "ws://"));
        let mut request = url.into_client_request().unwrap();
        let headers = request.headers_mut();
        if let Some(session) = &caller.session {
            headers.insert(
                "cookie",
                format!("tandem_session={session}").parse().unwrap(),
            );
        }
        if let Some(token) = &caller.bearer {
            headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
        }
        if let Some(origin) = origin {
            headers.insert("origin", origin.parse().unwrap());
        }
        match connect_async(request).await {
            Ok((stream, _)) => Ok(Self(stream)),
            Err(tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) async fn send(&mut self, frame: Value) {
        self.0.send(Message::text(frame.to_string())).await.unwrap();
    }

    /// The next frame, or `None` when the channel is closed.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        loop {
            let message = timeout(PATIENCE, self.0.next())
                .await
                .expect("a frame in time");
            match message {
                Some(Ok(Message::Text(text))) => return Some(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// Reads until a frame fulfils the condition.
    pub(crate) async fn until(&mut self, condition: impl Fn(&Value) -> bool) -> Value {
        loop {
            let frame = self.next().await.expect("an open channel");
            if condition(&frame) {
                return frame;
            }
        }
    }
}

const PATIENCE: Duration = Duration::from_secs(20);
