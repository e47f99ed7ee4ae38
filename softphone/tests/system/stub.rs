//! A portal of a hundred lines: enough HTTP and WebSocket to see what a device says.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use api::{DeviceActivated, DeviceActivation, DeviceConfiguration, DeviceFrame, DeviceToken};
use api::{DeviceTokenRequest, DeviceUpload, Secret, device_token_statement};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::VerifyingKey;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, mpsc};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::{Message, protocol::Role};
use uuid::Uuid;

pub(crate) const TOKEN: &str = "AbCdEfGhIjKlMnOpQrStUw";
pub(crate) const CODE: &str = "ABCDEFGHJKMNPQRS";

/// How the portal behaves and what it has seen.
#[derive(Clone)]
pub(crate) struct Stub {
    pub(crate) address: String,
    state: Arc<Mutex<State>>,
    frames: broadcast::Sender<Frame>,
}

#[derive(Clone)]
enum Frame {
    Say(DeviceFrame),
    HangUp,
}

struct State {
    configuration: DeviceConfiguration,
    used: bool,
    revoked: bool,
    key: Option<VerifyingKey>,
    /// What comes in place of the next answers to activations, the last first: a status, or 0 for nothing.
    lost_answers: Vec<u16>,
    nonces: Vec<String>,
    requests: Vec<String>,
    uploads: mpsc::UnboundedSender<DeviceUpload>,
    lives: mpsc::UnboundedSender<()>,
}

/// What a test can wait for.
pub(crate) struct Seen {
    pub(crate) uploads: mpsc::UnboundedReceiver<DeviceUpload>,
    pub(crate) lives: mpsc::UnboundedReceiver<()>,
}

impl Stub {
    pub(crate) async fn start(configuration: DeviceConfiguration) -> (Self, Seen) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (uploads, upload_receiver) = mpsc::unbounded_channel();
        let (lives, live_receiver) = mpsc::unbounded_channel();
        let state = State {
            configuration,
            used: false,
            revoked: false,
            key: None,
            lost_answers: Vec::new(),
            nonces: Vec::new(),
            requests: Vec::new(),
            uploads,
            lives,
        };
        let state = Arc::new(Mutex::new(state));
        let stub = Self {
            address,
            state,
            frames: broadcast::channel(16).0,
        };
        let serving = stub.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let stub = serving.clone();
                tokio::spawn(async move { stub.serve(stream).await });
            }
        });
        (
            stub,
            Seen {
                uploads: upload_receiver,
                lives: live_receiver,
            },
        )
    }

    pub(crate) fn link(&self) -> String {
        format!("{}/activate#{TOKEN}", self.address)
    }

    pub(crate) fn configure(&self, configuration: DeviceConfiguration) {
        let version = configuration.version;
        self.state.lock().unwrap().configuration = configuration;
        let _ = self
            .frames
            .send(Frame::Say(DeviceFrame::Configuration { version }));
    }

    pub(crate) fn revoke(&self) {
        self.state.lock().unwrap().revoked = true;
        let _ = self.frames.send(Frame::Say(DeviceFrame::Revoked));
    }

    /// Without a word on the live channel.
    pub(crate) fn revoke_in_silence(&self) {
        self.state.lock().unwrap().revoked = true;
        let _ = self.frames.send(Frame::HangUp);
    }

    pub(crate) fn hang_up_live(&self) {
        let _ = self.frames.send(Frame::HangUp);
    }

    /// The next two activations are carried out, but the phone does not learn of it.
    pub(crate) fn lose_answers(&self) {
        self.state.lock().unwrap().lost_answers = vec![503, 0];
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.state.lock().unwrap().requests.clone()
    }

    async fn serve(&self, mut stream: TcpStream) {
        while let Some(request) = read_request(&mut stream).await {
            self.state
                .lock()
                .unwrap()
                .requests
                .push(request.line.clone());
            if request.line == "GET /api/v1/device/live" {
                self.live(stream, &request).await;
                return;
            }
            let (status, headers, body) = self.answer(&request);
            if status == 0 {
                return;
            }
            let head = format!(
                "HTTP/1.1 {status} X\r\nContent-Length: {}\r\n{headers}\r\n",
                body.len()
            );
            if stream.write_all((head + &body).as_bytes()).await.is_err() {
                return;
            }
        }
    }

    fn answer(&self, request: &Request) -> (u16, String, String) {
        let mut state = self.state.lock().unwrap();
        let none = String::new;
        match request.line.as_str() {
            "POST /api/v1/device/activation" => {
                let body: DeviceActivation = serde_json::from_slice(&request.body).unwrap();
                let right =
                    body.token.as_deref() == Some(TOKEN) || body.code.as_deref() == Some(CODE);
                let key = URL_SAFE_NO_PAD.decode(&body.public_key).unwrap();
                let key = VerifyingKey::from_bytes(&key.try_into().unwrap()).unwrap();
                let others = state.used && state.key != Some(key);
                if !right || others {
                    return (404, none(), problem("activation-refused", 404));
                }
                state.used = true;
                state.key = Some(key);
                if let Some(status) = state.lost_answers.pop() {
                    return (status, none(), none());
                }
                let activated = DeviceActivated {
                    device_id: state.configuration.device.id,
                    access_token: Secret("token".to_owned()),
                    expires_in_secs: 600,
                    configuration: state.configuration.clone(),
                };
                (200, none(), serde_json::to_string(&activated).unwrap())
            }
            "POST /api/v1/device/token" => {
                let body: DeviceTokenRequest = serde_json::from_slice(&request.body).unwrap();
                if state.revoked || body.device_id != state.configuration.device.id {
                    return (401, none(), problem("device-revoked", 401));
                }
                let statement = device_token_statement(body.device_id, body.issued_at, &body.nonce);
                let signature = URL_SAFE_NO_PAD.decode(&body.signature).unwrap();
                let signature = ed25519_dalek::Signature::from_slice(&signature).unwrap();
                state
                    .key
                    .unwrap()
                    .verify_strict(statement.as_bytes(), &signature)
                    .unwrap();
                assert!(!state.nonces.contains(&body.nonce), "a nonce is used once");
                state.nonces.push(body.nonce);
                let token = DeviceToken {
                    access_token: Secret("token".to_owned()),
                    expires_in_secs: 600,
                };
                (200, none(), serde_json::to_string(&token).unwrap())
            }
            line if !line.contains(" /api/v1/") => {
                (404, none(), "<html>not here</html>".to_owned())
            }
            _ if request.header("authorization") != "Bearer token" || state.revoked => {
                (401, none(), problem("about:blank", 401))
            }
            "GET /api/v1/device/configuration" => {
                let tag = format!("\"{}\"", state.configuration.version);
                if request.header("if-none-match") == tag {
                    return (304, format!("ETag: {tag}\r\n"), none());
                }
                let body = serde_json::to_string(&state.configuration).unwrap();
                (200, format!("ETag: {tag}\r\n"), body)
            }
            "POST /api/v1/device/report" => {
                let report = serde_json::from_slice(&request.body).unwrap();
                let _ = state.uploads.send(DeviceUpload::Report(report));
                (204, none(), none())
            }
            _ => (404, none(), problem("about:blank", 404)),
        }
    }

    async fn live(&self, mut stream: TcpStream, request: &Request) {
        let mut frames = self.frames.subscribe();
        let accept = derive_accept_key(request.header("sec-websocket-key").as_bytes());
        let head = format!(
            "HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
        let (version, uploads) = {
            let state = self.state.lock().unwrap();
            let _ = state.lives.send(());
            (state.configuration.version, state.uploads.clone())
        };
        let hello = serde_json::to_string(&DeviceFrame::Configuration { version }).unwrap();
        socket.send(Message::text(hello)).await.unwrap();
        loop {
            tokio::select! {
                frame = frames.recv() => match frame.unwrap() {
                    Frame::Say(frame) => {
                        let text = serde_json::to_string(&frame).unwrap();
                        socket.send(Message::text(text)).await.unwrap();
                    }
                    Frame::HangUp => return,
                },
                message = socket.next() => match message {
                    Some(Ok(Message::Text(text))) => {
                        let _ = uploads.send(serde_json::from_str(&text).unwrap());
                    }
                    Some(Ok(_)) => {}
                    _ => return,
                },
            }
        }
    }
}

struct Request {
    /// Method and path.
    line: String,
    headers: HashMap<String, String>,
    body: Vec<u8>,
}

impl Request {
    fn header(&self, name: &str) -> String {
        self.headers.get(name).cloned().unwrap_or_default()
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<Request> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.lines();
    let line = lines.next()?.trim_end_matches(" HTTP/1.1").to_owned();
    let headers: HashMap<_, _> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers
        .get("content-length")
        .map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Request {
        line,
        headers,
        body,
    })
}

fn problem(kind: &str, status: u16) -> String {
    json!({
        "type": kind, "title": "No", "status": status, "detail": "No.", "request_id": "1",
    })
    .to_string()
}

pub(crate) fn configuration(version: u64, lines: &[(u128, &str)]) -> DeviceConfiguration {
    let name = |name: &str| api::ConfiguredName {
        name: name.to_owned(),
    };
    DeviceConfiguration {
        version,
        device: api::ConfiguredDevice {
            id: Uuid::from_u128(1),
            name: "Desk".to_owned(),
        },
        contact: name("Alice"),
        tenant: name("Example Ltd"),
        lines: lines
            .iter()
            .map(|&(id, username)| api::Line {
                account_id: Uuid::from_u128(id),
                name: format!("Line {username}"),
                display_name: None,
                username: username.to_owned(),
                domain: "127.0.0.1".to_owned(),
                port: Some(9),
                auth_username: None,
                password: Some(Secret(MARKER.to_owned())),
                enter_on_device: false,
                transport: api::Transport::Udp,
                outbound_proxy: None,
                codecs: vec![api::Codec::Opus],
                dialing_rules: Vec::new(),
            })
            .collect(),
    }
}

/// A password that must be seen nowhere.
pub(crate) const MARKER: &str = "marker-password-0815";
