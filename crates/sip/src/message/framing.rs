//! Messages out of a byte stream, and keep-alives between them (RFC 3261, section 18.3; RFC 5626,
//! section 4.4.1).
//!
//! On a stream only Content-Length says where a message ends. Once it is missing, doubtful or far
//! too large, nobody knows where the next message starts: that is a [`FramingError`], and the
//! connection must be closed. Any other fault is left to `parse_message`, which can answer it. Of
//! a message that is merely too large the head alone comes out, whose body then is missing, and
//! the stream goes on after it.
//!
//! Frames do not depend on how the bytes were cut into pieces on their way, with one exception:
//! a ping on a connection that we opened is told from two pongs only if it arrives in one piece.

use bytes::{Buf, Bytes, BytesMut};
use memchr::memmem;

use crate::message::parse::{self, MAX_MESSAGE_BYTES};

/// The longest body that is passed over because its message is too large to be kept.
const MAX_SKIPPED_BYTES: usize = 1024 * 1024;

/// What comes out of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// One message, to be read by `parse_message`.
    Message(Bytes),
    /// CRLF CRLF: to be answered with CRLF.
    Ping,
    /// CRLF: the answer to our ping.
    Pong,
}

/// The stream cannot be cut into messages any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FramingError {
    /// A head longer than [`MAX_MESSAGE_BYTES`], or a body of more than a megabyte.
    #[error("message too large")]
    TooLarge,
    /// Content-Length is missing, no number, or there are two that differ.
    #[error("unusable Content-Length")]
    ContentLength,
}

/// Which end of the connection opened it; only that end sends pings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opener {
    Peer,
    Us,
}

/// Cuts the bytes of one connection into frames.
///
/// Holds one incomplete message and what was pushed last, so it is bounded as long as the caller
/// takes all frames after each push. After an error it gives nothing but that error.
#[derive(Debug)]
pub struct StreamFramer {
    buffer: BytesMut,
    opener: Opener,
    /// No header ends before this offset.
    searched: usize,
    /// Head and body of the message at the start of the buffer, once the head is complete.
    expected: Option<usize>,
    /// Bytes after `expected` that nobody will see.
    unseen: usize,
    /// How many of those are still to come.
    skip: usize,
    failed: Option<FramingError>,
}

impl StreamFramer {
    /// For a connection that the peer has opened: two line ends between messages are a ping, one
    /// alone means nothing.
    pub fn accepted() -> Self {
        Self::new(Opener::Peer)
    }

    /// For a connection that we have opened: a line end between messages is a pong, two that
    /// arrive together are a ping all the same.
    pub fn opened() -> Self {
        Self::new(Opener::Us)
    }

    fn new(opener: Opener) -> Self {
        Self {
            buffer: BytesMut::new(),
            opener,
            searched: 0,
            expected: None,
            unseen: 0,
            skip: 0,
            failed: None,
        }
    }

    /// Takes bytes as they arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.failed.is_none() {
            let skipped = self.skip.min(bytes.len());
            self.skip -= skipped;
            self.buffer.extend_from_slice(&bytes[skipped..]);
        }
    }

    /// Whether a message has begun and not ended: what a deadline for slow senders watches.
    pub fn is_inside_message(&self) -> bool {
        self.skip > 0 || !b"\r\n\r".starts_with(&self.buffer)
    }

    /// The next complete frame, or `None` until more bytes come.
    ///
    /// # Errors
    ///
    /// [`FramingError`], for good: close the connection.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FramingError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let frame = self.cut();
        if let Err(error) = frame {
            self.failed = Some(error);
            self.buffer = BytesMut::new();
        }
        frame
    }

    fn cut(&mut self) -> Result<Option<Frame>, FramingError> {
        if let Some(frame) = self.cut_keep_alive() {
            return Ok(Some(frame));
        }
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
            return Ok(None);
        }
        if b"\r\n".starts_with(&self.buffer) {
            return Ok(None);
        }
        let Some(expected) = self.message_len()? else {
            return Ok(None);
        };
        if self.buffer.len() < expected {
            return Ok(None);
        }
        self.expected = None;
        self.searched = 0;
        let message = self.take(expected);
        let here = self.unseen.min(self.buffer.len());
        self.buffer.advance(here);
        self.skip = std::mem::take(&mut self.unseen) - here;
        Ok(Some(Frame::Message(message)))
    }

    /// The first `length` bytes. Neither a message nor an idle framer keeps more memory than it
    /// has bytes.
    fn take(&mut self, length: usize) -> Bytes {
        if length == self.buffer.len() {
            return std::mem::take(&mut self.buffer).freeze();
        }
        let message = Bytes::copy_from_slice(&self.buffer[..length]);
        self.buffer.advance(length);
        message
    }

    fn cut_keep_alive(&mut self) -> Option<Frame> {
        if self.buffer.starts_with(b"\r\n\r\n") {
            self.buffer.advance(4);
            return Some(Frame::Ping);
        }
        // Of a ping that is still under way one line end may be here already: it stays, unless
        // only pongs are to be expected or something else follows.
        let alone = self.buffer.len() == 2 || self.buffer.as_ref() == b"\r\n\r";
        if self.buffer.starts_with(b"\r\n") && (self.opener == Opener::Us || !alone) {
            self.buffer.advance(2);
            if self.opener == Opener::Us {
                return Some(Frame::Pong);
            }
        }
        None
    }

    /// The length of the message at the start of the buffer, once its head is complete.
    fn message_len(&mut self) -> Result<Option<usize>, FramingError> {
        if let Some(expected) = self.expected {
            return Ok(Some(expected));
        }
        let found = memmem::find(&self.buffer[self.searched..], b"\r\n\r\n");
        let Some(head) = found.map(|at| self.searched + at + 4) else {
            self.searched = self.buffer.len().saturating_sub(3);
            return match self.buffer.len() > MAX_MESSAGE_BYTES {
                true => Err(FramingError::TooLarge),
                false => Ok(None),
            };
        };
        let body =
            parse::framed_body_len(&self.buffer[..head]).ok_or(FramingError::ContentLength)?;
        if head > MAX_MESSAGE_BYTES || body > MAX_SKIPPED_BYTES {
            return Err(FramingError::TooLarge);
        }
        if head + body > MAX_MESSAGE_BYTES {
            self.unseen = body;
            self.expected = Some(head);
        } else {
            self.expected = Some(head + body);
        }
        Ok(self.expected)
    }
}

#[cfg(test)]
mod tests;
