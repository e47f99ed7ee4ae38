//! A leg whose keys come from a handshake on the port of its media (DTLS-SRTP: RFC 5763, 5764).
//!
//! It begins once it is known where the party is: announced, or nominated by ICE; and only datagrams from there are given to
//! it. Until it has yielded keys nothing passes the leg in either direction.

use std::time::Instant;

use sdp::{DtlsRole, Fingerprint};

use super::protection::{PacketKind, Protection, ProtectionError};
use crate::srtp::{DtlsError, DtlsHandshake, DtlsIdentity, DtlsOutcome, SrtpSession};

/// What offer and answer of one leg agreed.
#[derive(Clone, Debug)]
pub struct HandshakeAgreement {
    /// Our certificate, whose fingerprint our description has.
    pub identity: DtlsIdentity,
    /// Our part, by `a=setup`.
    pub role: DtlsRole,
    /// One of these has the party's certificate.
    pub fingerprints: Vec<Fingerprint>,
}

/// How a handshake stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandshakeState {
    /// There are no keys yet.
    Going,
    /// Media is secured by its keys.
    Connected,
    /// There will be none: nothing passes until signalling agrees to something else.
    Failed(DtlsError),
}

/// See the module header.
pub(super) struct LegHandshake {
    agreement: HandshakeAgreement,
    begun: Option<DtlsHandshake>,
    state: HandshakeState,
    /// When it is to be asked, as its owner has noted.
    pub(super) noted: Option<Instant>,
}

impl LegHandshake {
    pub(super) fn new(agreement: HandshakeAgreement) -> Self {
        Self {
            agreement,
            begun: None,
            state: HandshakeState::Going,
            noted: None,
        }
    }

    pub(super) fn state(&self) -> HandshakeState {
        self.state
    }

    /// Whether that was agreed before: then it goes on.
    pub(super) fn is_about(&self, agreement: &HandshakeAgreement) -> bool {
        let ours = &self.agreement;
        ours.role == agreement.role
            && ours.fingerprints == agreement.fingerprints
            && ours.identity.fingerprint() == agreement.identity.fingerprint()
    }

    /// A datagram came from where the party is.
    pub(super) fn handle_datagram(&mut self, datagram: &[u8], now: Instant) {
        self.begun(now).handle_datagram(datagram, now);
    }

    /// It is known where the party is; the deadline may have come. The keys, once.
    pub(super) fn advance(&mut self, now: Instant) -> Option<Box<dyn Protection>> {
        let handshake = self.begun(now);
        handshake.handle_timeout(now);
        match handshake.poll_outcome()? {
            DtlsOutcome::Connected { local, remote } => {
                self.state = HandshakeState::Connected;
                Some(Box::new(SrtpSession::new(&local, &remote)))
            }
            DtlsOutcome::Failed(error) => {
                self.state = HandshakeState::Failed(error);
                None
            }
        }
    }

    pub(super) fn poll_output(&mut self) -> Option<Vec<u8>> {
        self.begun.as_mut()?.poll_output()
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.begun.as_ref()?.poll_timeout()
    }

    fn begun(&mut self, now: Instant) -> &mut DtlsHandshake {
        let HandshakeAgreement {
            identity,
            role,
            fingerprints,
        } = &self.agreement;
        self.begun.get_or_insert_with(|| {
            DtlsHandshake::new(identity.clone(), *role, fingerprints.clone(), now)
        })
    }
}

/// Stands where the keys will be.
pub(super) struct Closed;

impl Protection for Closed {
    fn unprotect(
        &mut self,
        _: PacketKind,
        _: &mut [u8],
        _: usize,
    ) -> Result<usize, ProtectionError> {
        Err(ProtectionError::NoKey)
    }

    fn protect(&mut self, _: PacketKind, _: &mut [u8], _: usize) -> Result<usize, ProtectionError> {
        Err(ProtectionError::NoKey)
    }
}
