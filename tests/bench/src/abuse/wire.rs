//! Streams that carry SIP messages: TCP, TLS and WebSockets, blocking.
//!
//! Of a WebSocket only what the load needs is here: whole frames, masked with zero, which changes nothing.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use socket2::{Domain, Socket, Type};

/// How long a server may take for an answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where the abuse comes from; everybody else is at the usual address.
pub(crate) const ILL: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// The beginning of a handshake.
const UPGRADE: &str = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\n";

/// How messages are carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Over {
    Tcp,
    Tls,
    Ws,
}

impl Over {
    /// As a Via says it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Ws => "WS",
        }
    }

    /// What carries `message`.
    pub(crate) fn frame(self, message: &[u8]) -> Vec<u8> {
        if self != Self::Ws {
            return message.to_vec();
        }
        let mut frame = vec![0x81];
        match u16::try_from(message.len()) {
            Ok(length) if length < 126 => frame.push(0x80 | length.to_be_bytes()[1]),
            length => {
                frame.push(0x80 | 126);
                frame.extend(length.unwrap_or(u16::MAX).to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(message);
        frame
    }

    /// What begins a connection of this kind and says little: a TLS record that is long, or lines of a request.
    pub(crate) fn beginning(self) -> Vec<u8> {
        match self {
            Self::Tls => [&[22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3], &[0; 500][..]].concat(),
            Self::Tcp | Self::Ws => UPGRADE.replace("sip", &"x".repeat(2_000)).into_bytes(),
        }
    }
}

/// A stream, plain or not.
pub(crate) trait Stream: Read + Write + Send {
    fn tcp(&self) -> &TcpStream;
}

impl Stream for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Stream for StreamOwned<ClientConnection, TcpStream> {
    fn tcp(&self) -> &TcpStream {
        &self.sock
    }
}

/// A plain connection from `source`; a small `window` takes few answers that nobody reads.
pub(crate) fn connect(
    source: Ipv4Addr,
    target: SocketAddr,
    window: Option<usize>,
) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    if let Some(window) = window {
        socket.set_recv_buffer_size(window)?;
    }
    socket.bind(&SocketAddr::new(IpAddr::V4(source), 0).into())?;
    socket.connect_timeout(&target.into(), PATIENCE)?;
    let stream = TcpStream::from(socket);
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Makes a connection of `tcp`.
pub(crate) fn open(
    over: Over,
    tls: Option<&Arc<ClientConfig>>,
    mut tcp: TcpStream,
) -> io::Result<Box<dyn Stream>> {
    match over {
        Over::Tcp => Ok(Box::new(tcp)),
        Over::Tls => {
            let config = tls.ok_or_else(|| io::Error::other("TLS needs --authority"))?;
            let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
            let connection = ClientConnection::new(Arc::clone(config), name);
            let mut connection = connection.map_err(io::Error::other)?;
            connection.complete_io(&mut tcp)?;
            Ok(Box::new(StreamOwned::new(connection, tcp)))
        }
        Over::Ws => {
            tcp.write_all(format!("{UPGRADE}\r\n").as_bytes())?;
            let mut answer = Vec::new();
            while !answer.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                tcp.read_exact(&mut byte)?;
                answer.push(byte[0]);
            }
            match answer.starts_with(b"HTTP/1.1 101") {
                true => Ok(Box::new(tcp)),
                false => Err(io::Error::other("the upgrade was refused")),
            }
        }
    }
}

/// Reads one message without a body.
pub(crate) fn read_message(over: Over, stream: &mut dyn Stream) -> io::Result<Vec<u8>> {
    let mut received = Vec::new();
    let mut some = [0; 4_096];
    while !received.ends_with(b"\r\n\r\n") {
        match stream.read(&mut some)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            length => received.extend_from_slice(&some[..length]),
        }
    }
    let head = match (over, received.get(1)) {
        (Over::Ws, Some(126)) => 4,
        (Over::Ws, _) => 2,
        _ => 0,
    };
    received.drain(..head.min(received.len()));
    Ok(received)
}
