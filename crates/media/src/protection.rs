//! What stands between the wire and a session: nothing, SRTP, or SRTP that waits for its keys.
//!
//! Invariant: once keys or a handshake were agreed, nothing plain passes in either direction until signalling agrees
//! to something else.

use std::time::Instant;

use sdp::{KeyExchange, MediaSecurity, SrtpSuite};

use crate::rtp::MAX_DATAGRAM_BYTES;
use crate::srtp::{DtlsError, DtlsHandshake, DtlsIdentity, DtlsOutcome, SrtpError, SrtpSession};

/// What SRTP adds to our own packets: 16 bytes of tag, 4 of index.
const OVERHEAD_BYTES: usize = 20;

/// Why secured media cannot go on. Nothing is sent or heard until a new agreement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecurityFailure {
    /// The handshake yielded no keys.
    #[error(transparent)]
    Handshake(#[from] DtlsError),
    /// A handshake was agreed to although there is no certificate.
    #[error("there is no certificate of ours for a handshake")]
    NoCertificate,
    /// The key protected as many packets as it may.
    #[error("the key of this call is used up; hold and resume the call to get a new one")]
    KeyExhausted,
}

/// That media is secured from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Secured {
    /// How the keys were agreed on.
    pub by: KeyExchange,
    /// How packets are protected.
    pub suite: SrtpSuite,
}

/// See the module header.
pub(crate) struct Protection {
    state: State,
    handshake: Option<Box<DtlsHandshake>>,
    buffer: Box<[u8; MAX_DATAGRAM_BYTES + OVERHEAD_BYTES]>,
}

enum State {
    Plain,
    /// Waits for the handshake, or for a new agreement.
    Closed,
    Secured(Box<SrtpSession>),
}

impl Protection {
    pub(crate) fn new() -> Self {
        Self {
            state: State::Plain,
            handshake: None,
            buffer: Box::new([0; MAX_DATAGRAM_BYTES + OVERHEAD_BYTES]),
        }
    }

    /// Goes over to what was agreed; what is the same as before goes on.
    pub(crate) fn agree(
        &mut self,
        security: &MediaSecurity,
        identity: Option<&DtlsIdentity>,
        now: Instant,
    ) -> Result<Option<Secured>, SecurityFailure> {
        match security {
            MediaSecurity::Plain => {
                self.handshake = None;
                self.state = State::Plain;
                Ok(None)
            }
            MediaSecurity::Sdes { local, remote } => {
                self.handshake = None;
                match &mut self.state {
                    State::Secured(srtp) => srtp.set_keys(local, remote),
                    state => *state = State::Secured(Box::new(SrtpSession::new(local, remote))),
                }
                Ok(Some(Secured {
                    by: KeyExchange::Sdes,
                    suite: local.suite(),
                }))
            }
            MediaSecurity::Dtls { role, fingerprints } => {
                let is_same = |handshake: &DtlsHandshake| {
                    handshake.role() == *role && handshake.fingerprints() == fingerprints
                };
                if self.handshake.as_deref().is_some_and(is_same) {
                    return Ok(None);
                }
                self.state = State::Closed;
                self.handshake = None;
                let identity = identity.ok_or(SecurityFailure::NoCertificate)?.clone();
                let handshake = DtlsHandshake::new(identity, *role, fingerprints.clone(), now);
                self.handshake = Some(Box::new(handshake));
                Ok(None)
            }
        }
    }

    /// Whether what comes is proven to come from the peer.
    pub(crate) fn authenticates(&self) -> bool {
        !matches!(self.state, State::Plain)
    }

    /// Whether anything may be sent.
    pub(crate) fn is_open(&self) -> bool {
        !matches!(self.state, State::Closed)
    }

    /// The plain RTP packet in a datagram; `room` is where it is decrypted.
    pub(crate) fn open_rtp<'a>(
        &mut self,
        datagram: &'a [u8],
        room: &'a mut Vec<u8>,
    ) -> Option<&'a [u8]> {
        self.open(datagram, room, SrtpSession::unprotect_rtp)
    }

    /// The plain RTCP packet in a datagram.
    pub(crate) fn open_rtcp<'a>(
        &mut self,
        datagram: &'a [u8],
        room: &'a mut Vec<u8>,
    ) -> Option<&'a [u8]> {
        self.open(datagram, room, SrtpSession::unprotect_rtcp)
    }

    fn open<'a>(
        &mut self,
        datagram: &'a [u8],
        room: &'a mut Vec<u8>,
        unprotect: impl FnOnce(&mut SrtpSession, &mut [u8]) -> Result<usize, SrtpError>,
    ) -> Option<&'a [u8]> {
        let srtp = match &mut self.state {
            State::Plain => return Some(datagram),
            State::Closed => return None,
            State::Secured(srtp) => srtp,
        };
        room.clear();
        room.extend_from_slice(datagram);
        let len = unprotect(srtp, room)
            .inspect_err(|error| tracing::trace!(%error, "secured packet dropped"))
            .ok()?;
        room.get(..len)
    }

    /// The datagram for an RTP packet; `None` if it cannot be sent now.
    pub(crate) fn close_rtp<'a>(
        &'a mut self,
        packet: &'a [u8],
    ) -> Result<Option<&'a [u8]>, SecurityFailure> {
        self.close(packet, SrtpSession::protect_rtp)
    }

    /// The datagram for an RTCP packet; `None` if it cannot be sent now.
    pub(crate) fn close_rtcp<'a>(
        &'a mut self,
        packet: &'a [u8],
    ) -> Result<Option<&'a [u8]>, SecurityFailure> {
        self.close(packet, SrtpSession::protect_rtcp)
    }

    fn close<'a>(
        &'a mut self,
        packet: &'a [u8],
        protect: impl FnOnce(&mut SrtpSession, &mut [u8], usize) -> Result<usize, SrtpError>,
    ) -> Result<Option<&'a [u8]>, SecurityFailure> {
        let srtp = match &mut self.state {
            State::Plain => return Ok(Some(packet)),
            State::Closed => return Ok(None),
            State::Secured(srtp) => srtp,
        };
        let Some(room) = self.buffer.get_mut(..packet.len()) else {
            return Ok(None);
        };
        room.copy_from_slice(packet);
        match protect(srtp, &mut self.buffer[..], packet.len()) {
            Ok(len) => Ok(self.buffer.get(..len)),
            Err(SrtpError::KeyExhausted) => {
                self.state = State::Closed;
                Err(SecurityFailure::KeyExhausted)
            }
            Err(_) => Ok(None),
        }
    }

    /// A datagram of the handshake came, from where it may come.
    pub(crate) fn handle_handshake(&mut self, datagram: &[u8], now: Instant) -> Option<()> {
        self.handshake.as_mut()?.handle_datagram(datagram, now);
        Some(())
    }

    /// When the handshake wants to be asked again.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.handshake.as_ref()?.poll_timeout()
    }

    /// The next datagram of the handshake.
    pub(crate) fn poll_handshake(&mut self, now: Instant) -> Option<Vec<u8>> {
        let handshake = self.handshake.as_mut()?;
        handshake.handle_timeout(now);
        handshake.poll_output()
    }

    /// How the handshake came out, once.
    pub(crate) fn poll_outcome(&mut self) -> Option<Result<Secured, SecurityFailure>> {
        match self.handshake.as_mut()?.poll_outcome()? {
            DtlsOutcome::Connected { local, remote } => {
                self.state = State::Secured(Box::new(SrtpSession::new(&local, &remote)));
                Some(Ok(Secured {
                    by: KeyExchange::Dtls,
                    suite: local.suite(),
                }))
            }
            DtlsOutcome::Failed(error) => Some(Err(error.into())),
        }
    }
}
