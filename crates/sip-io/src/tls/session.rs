//! The server's side of a TLS session: records in, plain text out, and back. No socket.
//!
//! The library keeps no bytes of its own (its *unbuffered* interface), so a session that waits holds what it must: the beginning of
//! a record, and records that have not left.
//!
//! Bounded: see [`Session::receive`].

use std::io;
use std::sync::Arc;

use rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncodeTlsData, EncryptError, InsufficientSizeError,
    UnbufferedStatus,
};
use rustls::{ProtocolVersion, ServerConfig};
use tokio::io::ReadBuf;

/// The largest record there is, with its header and what encryption adds (RFC 5246, section 6.2.3).
pub(super) const RECORD: usize = 5 + 16 * 1024 + 2 * 1024;

/// Plain text in one record at most.
pub(super) const PLAIN: usize = 16 * 1024;

/// What encryption adds to a short record, roughly; more is asked for.
const ADDED: usize = 32;

/// What most flights and messages take.
const USUAL: usize = 512;

/// What we have to say ourselves.
#[derive(Clone, Copy, Debug)]
pub(super) enum Say<'a> {
    Nothing,
    Text(&'a [u8]),
    Goodbye,
}

/// A session with a client.
pub(super) struct Session {
    library: Box<UnbufferedServerConnection>,
    /// The beginning of what has not come as a whole.
    begun: Vec<u8>,
    /// Has come, but its reader had no room.
    plain: Vec<u8>,
    /// Records that wait to leave.
    pub(super) outgoing: Vec<u8>,
    has_ended: bool,
    has_failed: bool,
}

impl Session {
    pub(super) fn new(config: Arc<ServerConfig>) -> Result<Self, rustls::Error> {
        Ok(Self {
            library: Box::new(UnbufferedServerConnection::new(config)?),
            begun: Vec::new(),
            plain: Vec::new(),
            outgoing: Vec::new(),
            has_ended: false,
            has_failed: false,
        })
    }

    pub(super) fn is_handshaking(&self) -> bool {
        self.library.is_handshaking()
    }

    /// Whether the peer does not wait for what is there to leave. In TLS 1.3 only tickets are left when the handshake is over.
    pub(super) fn may_wait(&self) -> bool {
        let version = self.library.protocol_version();
        !self.is_handshaking() && version == Some(ProtocolVersion::TLSv1_3)
    }

    /// Whether the peer has said goodbye.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Gives out plain text that has come, as far as there is room; whether there was any.
    pub(super) fn read(&mut self, reader: &mut ReadBuf<'_>) -> bool {
        if self.plain.is_empty() {
            return false;
        }
        let count = self.plain.len().min(reader.remaining());
        reader.put_slice(&self.plain[..count]);
        // An idle session holds no buffer.
        self.plain = self.plain.split_off(count);
        true
    }

    /// What has not come as a whole, to be followed by more of it in what [`receive`](Self::receive) is given.
    pub(super) fn begun(&self) -> &[u8] {
        &self.begun
    }

    /// Works off `received`, which begins with [`begun`](Self::begun).
    ///
    /// # Errors
    ///
    /// What the library refuses, with the alert for the peer in `outgoing`; more than a record, or half a handshake, that is
    /// incomplete; more to be answered than the peer reads.
    pub(super) fn receive(
        &mut self,
        received: &mut [u8],
        reader: &mut ReadBuf<'_>,
    ) -> io::Result<()> {
        let done = self.work(received, reader, Say::Nothing)?;
        let rest = &received[done..];
        if rest.len() > RECORD || (self.outgoing.len() > 2 * RECORD && !self.is_handshaking()) {
            return Err(invalid("more at once than is allowed"));
        }
        if !rest.is_empty() || !self.begun.is_empty() {
            self.begun = rest.to_vec();
        }
        Ok(())
    }

    /// Puts what we say behind what waits in `outgoing`.
    ///
    /// # Errors
    ///
    /// If the session has failed or may not go on with its keys.
    pub(super) fn say(&mut self, say: Say<'_>) -> io::Result<()> {
        let mut begun = std::mem::take(&mut self.begun);
        let done = self.work(&mut begun, &mut ReadBuf::new(&mut []), say)?;
        begun.drain(..done);
        self.begun = begun;
        Ok(())
    }

    /// How much of `received` is done with.
    fn work(
        &mut self,
        received: &mut [u8],
        reader: &mut ReadBuf<'_>,
        say: Say<'_>,
    ) -> io::Result<usize> {
        if self.has_failed {
            return Err(invalid("the session has failed"));
        }
        let outgoing = &mut self.outgoing;
        let mut done = 0;
        loop {
            let UnbufferedStatus { discard, state } =
                self.library.process_tls_records(&mut received[done..]);
            match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(record) = traffic.next_record() {
                        let record = record.map_err(invalid)?;
                        done += record.discard;
                        let room = record.payload.len().min(reader.remaining());
                        let (now, later) = record.payload.split_at(room);
                        reader.put_slice(now);
                        self.plain.extend_from_slice(later);
                    }
                }
                Ok(ConnectionState::EncodeTlsData(mut record)) => {
                    append_made(&mut record, outgoing)?;
                }
                // It is written as soon as it has to be.
                Ok(ConnectionState::TransmitTlsData(made)) => made.done(),
                Ok(ConnectionState::PeerClosed) => self.has_ended = true,
                Ok(ConnectionState::WriteTraffic(mut traffic)) => {
                    let refused = |refused| match refused {
                        EncryptError::InsufficientSize(more) => Refused::Space(more),
                        EncryptError::EncryptExhausted => Refused::Exhausted,
                    };
                    match say {
                        Say::Nothing => {}
                        Say::Text(text) => append(outgoing, text.len() + ADDED, |space| {
                            traffic.encrypt(text, space).map_err(refused)
                        })?,
                        Say::Goodbye => append(outgoing, ADDED, |space| {
                            traffic.queue_close_notify(space).map_err(refused)
                        })?,
                    }
                    return Ok(done + discard);
                }
                Ok(ConnectionState::BlockedHandshake | ConnectionState::Closed) => {
                    return Ok(done + discard);
                }
                Ok(_) => return Err(invalid("early data, which is not offered")),
                Err(error) => {
                    done += discard;
                    self.has_failed = true;
                    // The alert that tells the peer.
                    if let Ok(ConnectionState::EncodeTlsData(mut alert)) = self
                        .library
                        .process_tls_records(&mut received[done..])
                        .state
                    {
                        append_made(&mut alert, outgoing)?;
                    }
                    return Err(invalid(error));
                }
            }
            done += discard;
        }
    }
}

fn append_made(
    record: &mut EncodeTlsData<'_, ServerConnectionData>,
    outgoing: &mut Vec<u8>,
) -> io::Result<()> {
    append(outgoing, 0, |space| match record.encode(space) {
        Ok(count) => Ok(count),
        Err(EncodeError::InsufficientSize(more)) => Err(Refused::Space(more)),
        Err(EncodeError::AlreadyEncoded) => Ok(0),
    })
}

/// Why a record was not made.
enum Refused {
    Space(InsufficientSizeError),
    Exhausted,
}

/// Has `make` put a record behind what is in `outgoing`. It is asked again with as much space as it wants.
fn append(
    outgoing: &mut Vec<u8>,
    space: usize,
    mut make: impl FnMut(&mut [u8]) -> Result<usize, Refused>,
) -> io::Result<()> {
    let before = outgoing.len();
    if before == 0 {
        // A resumed handshake's flight, and most messages, grow no further.
        outgoing.reserve(USUAL);
    }
    outgoing.resize(before + space, 0);
    loop {
        match make(&mut outgoing[before..]) {
            Ok(count) => {
                outgoing.truncate(before + count);
                return Ok(());
            }
            Err(Refused::Space(InsufficientSizeError { required_size }))
                if before + required_size > outgoing.len() =>
            {
                outgoing.resize(before + required_size, 0);
            }
            Err(_) => {
                outgoing.truncate(before);
                return Err(io::Error::other("the keys of the session are used up"));
            }
        }
    }
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
