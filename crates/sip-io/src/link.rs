//! One way of carrying messages over a connection: frames in, whole messages out.
//!
//! The seam for every stream transport. A [`Link`] is what a connection is once it is open, that
//! is after any handshake; the task in `connection.rs` polls it and owns deadlines, queue and
//! bounds, so that a link only translates. [`ByteLink`] cuts a byte stream as RFC 3261, section
//! 18.3, has it: TCP is `ByteLink<TcpStream>`, TLS is the same around its own stream.
//!
//! A link that waits holds no buffer: bytes are read into one buffer of the thread and leave it
//! within the same poll. Only an incomplete message is kept.
//!
//! What is not here: opening and handshakes, which are futures given to `Driver::open`.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use sip::{Frame, FramingError, StreamFramer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What is read at once.
const READ_BYTES: usize = 16 * 1024;

thread_local! {
    /// Where every link of this thread reads to.
    static READ_BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BYTES]);
}

/// Why a link cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    #[error("framing lost: {0}")]
    Framing(#[from] FramingError),
    #[error("not the WebSocket protocol: {0}")]
    WebSocket(Box<tokio_tungstenite::tungstenite::Error>),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// An open connection that carries SIP messages.
pub(crate) trait Link: Send + 'static {
    /// The next frame; `None` when the peer has closed in order.
    ///
    /// A keep-alive that the transport answers by itself is no frame.
    fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Frame>, LinkError>>;

    /// Writes `message`, taking away from its front what is written. Ready once it is empty and
    /// nothing of it waits in the link; after `Pending` to be called again with the same bytes.
    fn poll_send(
        &mut self,
        message: &mut Bytes,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), LinkError>>;

    /// Says goodbye to the peer as the transport demands.
    fn poll_close(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Reads and forgets, until the peer has closed.
    fn poll_discard(&mut self, context: &mut Context<'_>) -> Poll<()>;

    /// Whether a message has begun and not ended: what the deadline for slow senders watches.
    fn is_inside_message(&self) -> bool;
}

/// A byte stream, cut by Content-Length.
#[derive(Debug)]
pub(crate) struct ByteLink<S> {
    stream: S,
    framer: StreamFramer,
}

impl<S> ByteLink<S> {
    /// A stream that the peer has opened.
    pub(crate) fn accepted(stream: S) -> Self {
        Self {
            stream,
            framer: StreamFramer::accepted(),
        }
    }

    /// A stream that we have opened.
    pub(crate) fn opened(stream: S) -> Self {
        Self {
            stream,
            framer: StreamFramer::opened(),
        }
    }
}

impl<S: AsyncRead + Unpin> ByteLink<S> {
    /// Passes on what the stream has; how many bytes that were.
    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        READ_BUFFER.with_borrow_mut(|buffer| {
            let mut read = ReadBuf::new(buffer);
            ready!(Pin::new(&mut self.stream).poll_read(context, &mut read))?;
            self.framer.push(read.filled());
            Poll::Ready(Ok(read.filled().len()))
        })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Link for ByteLink<S> {
    fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Frame>, LinkError>> {
        loop {
            if let Some(frame) = self.framer.next_frame()? {
                return Poll::Ready(Ok(Some(frame)));
            }
            if ready!(self.poll_read(context))? == 0 {
                return Poll::Ready(Ok(None));
            }
        }
    }

    fn poll_send(
        &mut self,
        message: &mut Bytes,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), LinkError>> {
        while !message.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(context, message))?;
            if written == 0 {
                return Poll::Ready(Err(io::Error::from(io::ErrorKind::WriteZero).into()));
            }
            message.advance(written);
        }
        Pin::new(&mut self.stream)
            .poll_flush(context)
            .map_err(Into::into)
    }

    fn poll_close(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_discard(&mut self, context: &mut Context<'_>) -> Poll<()> {
        poll_discard(&mut self.stream, context)
    }

    fn is_inside_message(&self) -> bool {
        self.framer.is_inside_message()
    }
}

/// Reads and forgets what `stream` has, until it ends or fails.
pub(crate) fn poll_discard<S: AsyncRead + Unpin>(
    stream: &mut S,
    context: &mut Context<'_>,
) -> Poll<()> {
    READ_BUFFER.with_borrow_mut(|buffer| {
        loop {
            let mut read = ReadBuf::new(buffer);
            let result = ready!(Pin::new(&mut *stream).poll_read(context, &mut read));
            if result.is_err() || read.filled().is_empty() {
                return Poll::Ready(());
            }
        }
    })
}
