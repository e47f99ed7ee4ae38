//! WebSockets as a browser opens them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use rustls::pki_types::ServerName;
use sip::{Destination, Method, Transport};
use sip_io::{Listeners, Origins};
use testkit::certificates::Subject;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, Request, StatusCode};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::peer::{Peer, Told, any_port};
use crate::tls::Trust;

fn server(origins: Origins) -> Peer {
    Peer::start(Listeners {
        ws: vec![(any_port("127.0.0.1"), origins)],
        ..Listeners::default()
    })
}

/// A browser's request with these fields.
fn upgrade(address: SocketAddr, fields: &[(&'static str, &'static str)]) -> Request<()> {
    let mut request = format!("ws://{address}/").into_client_request().unwrap();
    for (name, value) in fields {
        request
            .headers_mut()
            .insert(*name, HeaderValue::from_static(value));
    }
    request
}

async fn open(
    server: &Peer,
    fields: &[(&'static str, &'static str)],
) -> Result<WebSocketStream<TcpStream>, Error> {
    let address = server.address(Transport::Ws);
    let stream = TcpStream::connect(address).await.unwrap();
    let (socket, response) = client_async(upgrade(address, fields), stream).await?;
    assert_eq!(response.headers()["sec-websocket-protocol"], "sip");
    Ok(socket)
}

const SIP: (&str, &str) = ("Sec-WebSocket-Protocol", "sip");

async fn next<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut WebSocketStream<S>) -> Message {
    timeout(Duration::from_secs(20), socket.next())
        .await
        .unwrap()
        .unwrap()
        .unwrap()
}

/// A browser's OPTIONS, without Content-Length.
fn options(number: usize) -> String {
    format!(
        "OPTIONS sip:example.test SIP/2.0\r\n\
         Via: SIP/2.0/WS df7jal23ls0d.invalid;branch=z9hG4bK{number}\r\n\
         From: <sip:a@example.test>;tag=1\r\n\
         To: <sip:example.test>\r\n\
         Call-ID: {number}@df7jal23ls0d.invalid\r\n\
         CSeq: {number} OPTIONS\r\n\
         Max-Forwards: 70\r\n\r\n"
    )
}

#[tokio::test]
async fn a_request_in_one_frame_is_answered_in_one_frame() {
    let server = server(Origins::Any);
    let mut socket = open(&server, &[SIP]).await.unwrap();
    for number in 1..4 {
        socket.send(options(number).into()).await.unwrap();
        let Message::Text(text) = next(&mut socket).await else {
            panic!("no text frame");
        };
        assert!(text.starts_with("SIP/2.0 200 OK\r\n"), "{text}");
        assert!(text.contains(&format!("CSeq: {number} OPTIONS")));
    }
}

#[tokio::test]
async fn bytes_that_are_no_utf_8_go_both_ways_in_binary_frames() {
    let server = server(Origins::Any);
    let mut socket = open(&server, &[SIP]).await.unwrap();
    let mut bytes = Vec::new();
    for line in options(1).split_inclusive("\r\n") {
        bytes.extend_from_slice(line.as_bytes());
        if line.starts_with("Call-ID") {
            bytes.truncate(bytes.len() - 2);
            bytes.extend_from_slice(b"\xE9\r\n");
        }
    }
    socket.send(Bytes::from(bytes).into()).await.unwrap();
    let Message::Binary(answer) = next(&mut socket).await else {
        panic!("no binary frame");
    };
    assert!(answer.starts_with(b"SIP/2.0 200 OK\r\n"));
    assert!(answer.contains(&0xE9));
}

#[tokio::test]
async fn pings_and_blank_lines_keep_the_connection_alive() {
    let server = server(Origins::Any);
    let mut socket = open(&server, &[SIP]).await.unwrap();
    socket.send(Message::Ping("?".into())).await.unwrap();
    assert_eq!(next(&mut socket).await, Message::Pong("?".into()));
    socket.send("\r\n\r\n".into()).await.unwrap();
    assert_eq!(next(&mut socket).await, "\r\n".into());
}

#[tokio::test]
async fn without_the_subprotocol_or_from_another_origin_nobody_comes_in() {
    let server = server(Origins::Only(["https://phone.example".to_owned()].into()));
    let refused = |outcome: Result<_, Error>| match outcome {
        Err(Error::Http(response)) => response.status(),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("let in"),
    };
    assert_eq!(refused(open(&server, &[]).await), StatusCode::BAD_REQUEST);
    let other = ("Sec-WebSocket-Protocol", "xmpp, msrp");
    assert_eq!(
        refused(open(&server, &[other]).await),
        StatusCode::BAD_REQUEST
    );
    let page = [SIP, ("Origin", "https://example.org")];
    assert_eq!(refused(open(&server, &page).await), StatusCode::FORBIDDEN);
    let page = [SIP, ("Origin", "https://phone.example")];
    open(&server, &page).await.unwrap();
}

#[tokio::test]
async fn a_frame_beyond_the_limit_ends_the_connection() {
    let mut server = server(Origins::Any);
    let mut socket = open(&server, &[SIP]).await.unwrap();
    let long = options(1).replace("\r\n\r\n", &format!("\r\n\r\n{}", "x".repeat(70_000)));
    // The server may close before all of it is written.
    let _ = socket.send(long.into()).await;
    assert!(matches!(server.told().await, Told::Closed(_)));
}

#[tokio::test]
async fn a_browser_is_reached_on_the_connection_it_opened_and_never_dialled() {
    let mut server = server(Origins::Any);
    let mut socket = open(&server, &[SIP]).await.unwrap();
    socket.send(options(1).into()).await.unwrap();
    next(&mut socket).await;
    let Told::Request(Method::OPTIONS, flow) = server.told().await else {
        panic!("no request");
    };
    server.send(flow).await;
    let Message::Text(text) = next(&mut socket).await else {
        panic!("no text frame");
    };
    assert!(text.starts_with("OPTIONS sip:example.test SIP/2.0\r\nVia: SIP/2.0/WS "));

    socket.close(None).await.unwrap();
    assert_eq!(server.told().await, Told::Closed(flow));
    let address = Destination::Address {
        transport: flow.transport,
        peer: flow.peer,
        domain: None,
    };
    server.send(address).await;
    // The request on the flow that closed, and the one that nobody dials for.
    assert_eq!(server.told().await, Told::Failed);
    assert_eq!(server.told().await, Told::Failed);
}

#[tokio::test]
async fn the_same_under_tls() {
    let trust = Trust::new();
    let subject = Subject {
        dns: vec!["example.test".to_owned()],
        ..Subject::default()
    };
    let mut server = Peer::start(Listeners {
        wss: vec![(any_port("::1"), trust.server(&subject), Origins::Any)],
        ..Listeners::default()
    });
    let address = server.address(Transport::Wss);
    let stream = TcpStream::connect(address).await.unwrap();
    let versions = [&rustls::version::TLS13];
    let connector = TlsConnector::from(Arc::new(trust.foreign_client(&versions)));
    let name = ServerName::try_from("example.test").unwrap();
    let stream = connector.connect(name, stream).await.unwrap();
    let (mut socket, _) = client_async(upgrade(address, &[SIP]), stream)
        .await
        .unwrap();
    let wss = options(1).replace("/WS ", "/WSS ");
    socket.send(wss.into()).await.unwrap();
    assert!(matches!(next(&mut socket).await, Message::Text(_)));
    let Told::Request(_, flow) = server.told().await else {
        panic!("no request");
    };
    assert_eq!(flow.transport, Transport::Wss);
}
