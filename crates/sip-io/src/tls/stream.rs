//! The server's side of a TLS connection, as a stream of bytes.
//!
//! ```text
//!   socket ─► one buffer of the thread ─► session ─► who reads
//!   who writes ─► session, behind what waits there ─► socket, in one go
//! ```
//!
//! What TLS 1.3 has to say after the handshake, its ticket, may go at any time (RFC 8446, section 4.6.1): it waits for the first
//! bytes that are written, so that it costs no segment, system call and wake-up of its own. Who never sends a message gets it with
//! our goodbye.
//!
//! Not here: deadlines (`connection.rs`, `opening.rs`), the client's side (tokio-rustls), what is shown to clients (`mod.rs`).

use std::cell::RefCell;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::session::{PLAIN, RECORD, Say, Session};

#[cfg(test)]
mod tests;

thread_local! {
    /// Where the streams of this thread read to.
    static RECEIVED: RefCell<Vec<u8>> = RefCell::new(vec![0; 2 * RECORD]);
}

/// A connection with a client, over `S`.
pub(crate) struct ServerStream<S> {
    socket: S,
    session: Session,
    said_goodbye: bool,
    /// What ended the reading behind what was read.
    failed: Option<io::Error>,
}

impl<S> fmt::Debug for ServerStream<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("ServerStream");
        debug.finish_non_exhaustive()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> ServerStream<S> {
    /// Makes the handshake. To be given a deadline.
    ///
    /// # Errors
    ///
    /// Those of the socket, and what the library refuses; the peer is told then, if it takes that at once.
    pub(crate) async fn accept(config: Arc<ServerConfig>, socket: S) -> io::Result<Self> {
        let session = Session::new(config).map_err(io::Error::other)?;
        let mut stream = Self {
            socket,
            session,
            said_goodbye: false,
            failed: None,
        };
        poll_fn(|context| stream.poll_handshake(context)).await?;
        Ok(stream)
    }

    fn poll_handshake(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if !self.session.may_wait() {
                ready!(self.poll_send(context))?;
            }
            if !self.session.is_handshaking() {
                return Poll::Ready(Ok(()));
            }
            ready!(self.poll_receive(&mut ReadBuf::new(&mut []), context))?;
            if self.session.has_ended() {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
        }
    }

    /// Reads once and works off what has come. Plain text goes to `reader` as far as that has room. Ready when anything has come.
    fn poll_receive(
        &mut self,
        reader: &mut ReadBuf<'_>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let received = RECEIVED.with_borrow_mut(|buffer| {
            let begun = self.session.begun();
            let before = begun.len();
            buffer[..before].copy_from_slice(begun);
            let mut read = ReadBuf::new(&mut buffer[before..]);
            ready!(Pin::new(&mut self.socket).poll_read(context, &mut read))?;
            let end = before + read.filled().len();
            if end == before {
                // Without a goodbye: somebody else may have cut the connection.
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
            Poll::Ready(self.session.receive(&mut buffer[..end], reader))
        });
        if let Poll::Ready(Err(_)) = received {
            // An alert may say why; who does not take it at once goes without.
            let _ = self.poll_send(context);
        }
        received
    }

    /// Writes what waits to leave.
    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outgoing = &mut self.session.outgoing;
        let mut sent = 0;
        let result = loop {
            if sent == outgoing.len() {
                break Poll::Ready(Ok(()));
            }
            match Pin::new(&mut self.socket).poll_write(context, &outgoing[sent..]) {
                Poll::Ready(Ok(0)) => break Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(count)) => sent += count,
                Poll::Ready(Err(error)) => break Poll::Ready(Err(error)),
                Poll::Pending => break Poll::Pending,
            }
        };
        if sent > 0 {
            // An idle stream holds no buffer.
            *outgoing = outgoing.split_off(sent);
        }
        result
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for ServerStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        reader: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = reader.filled().len();
        if self.session.read(reader) || reader.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        if let Some(error) = self.failed.take() {
            return Poll::Ready(Err(error));
        }
        while reader.filled().len() == before && !self.session.has_ended() {
            let received = ready!(self.poll_receive(reader, context));
            match received {
                // What came before counts.
                Err(error) if reader.filled().len() > before => self.failed = Some(error),
                received => received?,
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for ServerStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.session.outgoing.len() >= RECORD {
            ready!(self.poll_send(context))?;
        }
        let (now, _) = bytes.split_at(bytes.len().min(PLAIN));
        self.session.say(Say::Text(now))?;
        // What does not leave at once waits for a flush or for what comes next.
        if let Poll::Ready(sent) = self.poll_send(context) {
            sent?;
        }
        Poll::Ready(Ok(now.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_send(context))?;
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.said_goodbye {
            self.said_goodbye = true;
            // A session that has failed has said why.
            let _ = self.session.say(Say::Goodbye);
        }
        ready!(self.poll_send(context))?;
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}
