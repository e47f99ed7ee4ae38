//! One path to the program under test, for whole messages.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tests::Trust;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::secret::connector;

/// How long a busy machine may take for an answer; only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

/// A connected path.
pub(crate) enum Link {
    /// Datagrams.
    Udp(UdpSocket),
    /// A stream, with what was read beyond the last message.
    Stream {
        /// As Via names it.
        transport: &'static str,
        stream: Box<dyn Duplex>,
        read: Vec<u8>,
    },
    /// A message in each frame.
    WebSocket {
        /// As Via names it.
        transport: &'static str,
        socket: Box<WebSocketStream<Box<dyn Duplex>>>,
    },
}

impl Link {
    /// Datagrams to and from `peer`.
    pub(crate) async fn udp(peer: &str) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.connect(peer).await.unwrap();
        Self::Udp(socket)
    }

    /// A connection to `peer`.
    pub(crate) async fn tcp(peer: &str) -> Self {
        Self::over_tcp(TcpStream::connect(peer).await.unwrap())
    }

    /// A connection under TLS to `peer`, who is certified by `trust`.
    pub(crate) async fn tls(peer: &str, trust: &Trust) -> Self {
        Self::stream("TLS", Box::new(secured(peer, trust).await))
    }

    /// A WebSocket in clear to `peer`.
    pub(crate) async fn ws(peer: &str) -> Self {
        let stream = TcpStream::connect(peer).await.unwrap();
        Self::web_socket("WS", Box::new(stream), peer).await
    }

    /// A secure WebSocket to `peer`, who is certified by `trust`.
    pub(crate) async fn wss(peer: &str, trust: &Trust) -> Self {
        let stream = secured(peer, trust).await;
        Self::web_socket("WSS", Box::new(stream), peer).await
    }

    /// A TCP connection that is open already.
    pub(crate) fn over_tcp(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        Self::stream("TCP", Box::new(stream))
    }

    /// A stream that is open already, by the name that Via has for it.
    pub(crate) fn stream(transport: &'static str, stream: Box<dyn Duplex>) -> Self {
        Self::Stream {
            transport,
            stream,
            read: Vec::new(),
        }
    }

    async fn web_socket(transport: &'static str, stream: Box<dyn Duplex>, peer: &str) -> Self {
        let mut upgrade = format!("ws://{peer}/").into_client_request().unwrap();
        let protocol = "sip".parse().unwrap();
        upgrade
            .headers_mut()
            .insert("Sec-WebSocket-Protocol", protocol);
        let (socket, _) = client_async(upgrade, stream).await.unwrap();
        Self::WebSocket {
            transport,
            socket: Box::new(socket),
        }
    }

    /// As Via names it.
    pub(crate) fn via_transport(&self) -> &'static str {
        match self {
            Self::Udp(_) => "UDP",
            Self::Stream { transport, .. } | Self::WebSocket { transport, .. } => transport,
        }
    }

    /// Sends one message; a peer that has closed is noticed by [`receive`](Self::receive).
    pub(crate) async fn send(&mut self, message: &[u8]) {
        match self {
            Self::Udp(socket) => {
                socket.send(message).await.unwrap();
            }
            Self::Stream { stream, .. } => {
                // Fails if the peer has closed.
                let _ = stream.write_all(message).await;
            }
            Self::WebSocket { socket, .. } => {
                let _ = socket.send(Message::binary(message.to_vec())).await;
            }
        }
    }

    /// The next message, `None` if the peer has closed the connection.
    pub(crate) async fn receive(&mut self) -> Option<String> {
        let received = async {
            match self {
                Self::Udp(socket) => {
                    let mut buffer = vec![0; 65_535];
                    let length = socket.recv(&mut buffer).await.unwrap();
                    buffer.truncate(length);
                    Some(buffer)
                }
                Self::Stream { stream, read, .. } => next_framed(stream, read).await,
                Self::WebSocket { socket, .. } => next_frame(socket).await,
            }
        };
        let bytes = timeout(PATIENCE, received)
            .await
            .expect("an answer to what was sent last, or the end of the connection")?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }
}

async fn secured(peer: &str, trust: &Trust) -> impl Duplex + 'static {
    let stream = TcpStream::connect(peer).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let name = "localhost".try_into().unwrap();
    connector(trust).connect(name, stream).await.unwrap()
}

async fn next_frame(socket: &mut WebSocketStream<Box<dyn Duplex>>) -> Option<Vec<u8>> {
    loop {
        match socket.next().await? {
            Ok(Message::Text(text)) => return Some(text.as_bytes().to_vec()),
            Ok(Message::Binary(bytes)) => return Some(bytes.to_vec()),
            Ok(Message::Close(_)) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

/// Frames by blank line and Content-Length, as RFC 3261, section 18.3 says.
async fn next_framed(stream: &mut Box<dyn Duplex>, read: &mut Vec<u8>) -> Option<Vec<u8>> {
    loop {
        let blank = read
            .iter()
            .take_while(|byte| b"\r\n".contains(byte))
            .count();
        read.drain(..blank);
        if let Some(length) = length_of_first(read) {
            return Some(read.drain(..length).collect());
        }
        let mut buffer = [0; 4_096];
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(length) => read.extend_from_slice(&buffer[..length]),
        }
    }
}

fn length_of_first(read: &[u8]) -> Option<usize> {
    let head = read.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&read[..head]);
    let body = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse::<usize>().ok())
        .unwrap_or(0);
    (read.len() >= head + body).then_some(head + body)
}
