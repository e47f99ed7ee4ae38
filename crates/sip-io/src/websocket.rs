//! SIP over WebSocket, the server's side (RFC 7118, RFC 6455).
//!
//! One message in one frame: the rules of datagrams hold for its end. A text frame with nothing but
//! line ends is a keep-alive (RFC 7118, section 6). Ping and close are answered by the library.
//! Outgoing messages are text where they are UTF-8 and binary where they are not.
//!
//! Invariant: only a client that offers the subprotocol `sip`, from an origin that is allowed, is
//! let in; everybody else gets an HTTP refusal.
//!
//! What is not here: dialling. A browser's Contact names a host under `.invalid`; it is only ever
//! reached on the connection that it opened.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::{Sink, Stream};
use sip::{Frame, MAX_MESSAGE_BYTES};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async_with_config};

use crate::link::{Link, LinkError, poll_discard};

/// The subprotocol (RFC 7118, section 4.1).
const SUBPROTOCOL: &str = "sip";

/// What is read at once: most messages fit, and a connection that waits keeps it.
const READ_BYTES: usize = 4 * 1024;

/// Web pages that may connect. A browser says which page it shows; other clients say nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origins {
    /// Any page, and clients that show none.
    #[default]
    Any,
    /// These, as in `https://phone.example.com`, and clients that show none.
    Only(Arc<[String]>),
}

impl Origins {
    fn allow(&self, origin: Option<&HeaderValue>) -> bool {
        match (self, origin) {
            (Self::Any, _) | (Self::Only(_), None) => true,
            (Self::Only(allowed), Some(origin)) => allowed
                .iter()
                .any(|allowed| allowed.as_bytes().eq_ignore_ascii_case(origin.as_bytes())),
        }
    }
}

/// An open WebSocket.
pub(crate) struct WebSocketLink<S>(WebSocketStream<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocketLink<S> {
    /// Makes the handshake. To be given a deadline.
    pub(crate) async fn accept(stream: S, origins: Origins) -> io::Result<Self> {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BYTES)
            .write_buffer_size(0)
            .max_write_buffer_size(4 * MAX_MESSAGE_BYTES)
            .max_message_size(Some(MAX_MESSAGE_BYTES))
            .max_frame_size(Some(MAX_MESSAGE_BYTES));
        #[expect(
            clippy::result_large_err,
            reason = "the library's own type for the answer to a refused handshake"
        )]
        let admit = |request: &Request, response: Response| admit(request, response, &origins);
        accept_hdr_async_with_config(stream, admit, Some(config))
            .await
            .map(Self)
            .map_err(into_io)
    }
}

#[expect(
    clippy::result_large_err,
    reason = "the library's own type for the answer to a refused handshake"
)]
fn admit(
    request: &Request,
    mut response: Response,
    origins: &Origins,
) -> Result<Response, ErrorResponse> {
    let headers = request.headers();
    if !origins.allow(headers.get(header::ORIGIN)) {
        return Err(refusal(StatusCode::FORBIDDEN));
    }
    let offered = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
    let speaks_sip = offered
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|protocol| protocol.trim().eq_ignore_ascii_case(SUBPROTOCOL));
    if !speaks_sip {
        return Err(refusal(StatusCode::BAD_REQUEST));
    }
    response.headers_mut().insert(
        header::SEC_WEBSOCKET_PROTOCOL,
        HeaderValue::from_static(SUBPROTOCOL),
    );
    Ok(response)
}

fn refusal(status: StatusCode) -> ErrorResponse {
    let mut refusal = ErrorResponse::new(None);
    *refusal.status_mut() = status;
    refusal
}

/// What a frame says.
fn frame(payload: Bytes) -> Option<Frame> {
    if payload.iter().any(|byte| !matches!(byte, b'\r' | b'\n')) {
        return Some(Frame::Message(payload));
    }
    match payload.len() {
        0 => None,
        1 | 2 => Some(Frame::Pong),
        _ => Some(Frame::Ping),
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Link for WebSocketLink<S> {
    fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Frame>, LinkError>> {
        loop {
            let received = match ready!(Pin::new(&mut self.0).poll_next(context)) {
                None => return Poll::Ready(Ok(None)),
                Some(received) => received.map_err(into_link)?,
            };
            let payload = match received {
                Message::Text(text) => Bytes::from(text),
                Message::Binary(bytes) => bytes,
                Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_) => {
                    continue;
                }
            };
            if let Some(frame) = frame(payload) {
                return Poll::Ready(Ok(Some(frame)));
            }
        }
    }

    fn poll_send(
        &mut self,
        message: &mut Bytes,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), LinkError>> {
        let mut socket = Pin::new(&mut self.0);
        if !message.is_empty() {
            ready!(socket.as_mut().poll_ready(context)).map_err(into_io)?;
            let bytes = std::mem::take(message);
            let outgoing = match Utf8Bytes::try_from(bytes.clone()) {
                Ok(text) => Message::Text(text),
                Err(_) => Message::Binary(bytes),
            };
            socket.as_mut().start_send(outgoing).map_err(into_io)?;
        }
        socket
            .poll_flush(context)
            .map_err(|error| into_io(error).into())
    }

    fn poll_close(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_close(context).map_err(into_io)
    }

    fn poll_discard(&mut self, context: &mut Context<'_>) -> Poll<()> {
        poll_discard(self.0.get_mut(), context)
    }

    /// The library keeps a frame that has begun to itself.
    fn is_inside_message(&self) -> bool {
        false
    }
}

fn into_io(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        Error::ConnectionClosed | Error::AlreadyClosed => io::ErrorKind::ConnectionAborted.into(),
        error => io::Error::new(io::ErrorKind::InvalidData, error),
    }
}

/// What the peer did wrong, apart from what happened to the connection.
fn into_link(error: Error) -> LinkError {
    match error {
        Error::Io(_) | Error::ConnectionClosed | Error::AlreadyClosed => into_io(error).into(),
        error => LinkError::WebSocket(Box::new(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_alone_are_keep_alives() {
        assert!(matches!(frame("\r\n\r\n".into()), Some(Frame::Ping)));
        assert!(matches!(frame("\r\n".into()), Some(Frame::Pong)));
        assert!(frame(Bytes::new()).is_none());
        assert!(matches!(
            frame("\r\nOPTIONS sip:a@b SIP/2.0\r\n\r\n".into()),
            Some(Frame::Message(_))
        ));
    }

    #[test]
    fn pages_of_other_origins_are_refused_and_phones_are_not() {
        let only = Origins::Only(["https://phone.example.com".to_owned()].into());
        let page = HeaderValue::from_static("https://phone.example.com");
        let other = HeaderValue::from_static("https://example.org");
        assert!(only.allow(Some(&page)));
        assert!(only.allow(None));
        assert!(!only.allow(Some(&other)));
        assert!(Origins::Any.allow(Some(&other)));
    }
}
