//! The handshake that yields SRTP keys (DTLS-SRTP: RFC 5763, RFC 5764), by `dimpl`, DTLS 1.2.
//!
//! ```text
//!  certificate ─► Handshake ◄─► datagrams of 20–63 (RFC 7983)
//!                    │ the peer's certificate has the fingerprint of its description
//!                    ▼
//!                 keys of both directions
//! ```
//!
//! Invariant: no key leaves before the certificate was found to be the one that signalling announced. Who may send
//! datagrams here is the owner's business. Random numbers of the handshake come from the system, not from a seed:
//! nobody must be able to repeat it.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::digest;
use dimpl::{Config, Dtls, DtlsCertificate, Output, SrtpProfile};
use sdp::{DtlsRole, Fingerprint, FingerprintHash, MasterKey, SrtpSuite};
use zeroize::Zeroizing;

/// The first repetition comes after this, later ones after twice the time before (RFC 6347 section 4.2.4.1 allows less than
/// its second where delays are short): the peer may not be listening yet when we begin.
const FIRST_REPETITION: Duration = Duration::from_millis(200);
/// How often a flight is repeated.
const REPETITIONS: usize = 7;
/// A handshake that takes longer has failed.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Attempts of a handshake that broke off.
const MAX_ATTEMPTS: u8 = 4;
/// Datagrams that wait to be sent; a flight has fewer.
const MAX_DATAGRAMS: usize = 32;
/// Largest datagram of a handshake.
const DATAGRAM_BYTES: usize = 2_048;

/// A certificate of our own making with its key, for as many calls as one likes.
#[derive(Clone)]
pub struct DtlsIdentity {
    certificate: Arc<[u8]>,
    private_key: Arc<Zeroizing<Vec<u8>>>,
    fingerprint: Fingerprint,
}

impl DtlsIdentity {
    /// From a self-signed ECDSA certificate (P-256 or P-384) and its private key (PKCS #8), both DER.
    #[must_use]
    pub fn new(certificate: &[u8], private_key: Zeroizing<Vec<u8>>) -> Self {
        Self {
            fingerprint: fingerprint_of(certificate, FingerprintHash::Sha256),
            certificate: certificate.into(),
            private_key: Arc::new(private_key),
        }
    }

    /// What descriptions of ours say about the certificate.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }
}

impl fmt::Debug for DtlsIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DtlsIdentity({})", self.fingerprint)
    }
}

/// How a handshake came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DtlsOutcome {
    /// The peer is who signalling says.
    Connected {
        /// What we protect with.
        local: MasterKey,
        /// What the peer protects with.
        remote: MasterKey,
    },
    /// No keys.
    Failed(DtlsError),
}

/// Why there are no keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DtlsError {
    /// Somebody else is on the media path, or the peer is misconfigured.
    #[error("the other side's certificate is not the one that was announced")]
    WrongCertificate,
    /// No answer, or no common version, suite or profile.
    #[error("the handshake for secured media did not come about")]
    Handshake,
}

/// One handshake, and what repeats its last flight to a peer that missed it.
pub struct DtlsHandshake {
    identity: DtlsIdentity,
    role: DtlsRole,
    fingerprints: Vec<Fingerprint>,
    config: Arc<Config>,
    dtls: Option<Dtls>,
    attempts: u8,
    /// Nothing is begun anew after this.
    give_up: Instant,
    is_certificate_right: bool,
    is_connected: bool,
    keys: Option<(MasterKey, MasterKey)>,
    is_over: bool,
    deadline: Option<Instant>,
    datagrams: VecDeque<Vec<u8>>,
    outcome: Option<DtlsOutcome>,
}

impl DtlsHandshake {
    /// Begins, or waits for the peer to begin.
    #[must_use]
    pub fn new(
        identity: DtlsIdentity,
        role: DtlsRole,
        fingerprints: Vec<Fingerprint>,
        now: Instant,
    ) -> Self {
        let config = Config::builder()
            .flight_start_rto(FIRST_REPETITION)
            .flight_retries(REPETITIONS)
            .handshake_timeout(TIMEOUT)
            .build()
            .expect("the constants are within their limits");
        let mut handshake = Self {
            identity,
            role,
            fingerprints,
            config: Arc::new(config),
            dtls: None,
            attempts: 0,
            give_up: now + TIMEOUT,
            is_certificate_right: false,
            is_connected: false,
            keys: None,
            is_over: false,
            deadline: None,
            datagrams: VecDeque::new(),
            outcome: None,
        };
        handshake.begin(now);
        handshake
    }

    /// Our part in it.
    #[must_use]
    pub fn role(&self) -> DtlsRole {
        self.role
    }

    /// Whose certificate it must be.
    #[must_use]
    pub fn fingerprints(&self) -> &[Fingerprint] {
        &self.fingerprints
    }

    /// A datagram whose first byte says that it is DTLS.
    pub fn handle_datagram(&mut self, datagram: &[u8], now: Instant) {
        self.advance(now, |dtls| {
            dtls.handle_timeout(now)?;
            dtls.handle_packet(datagram)
        });
    }

    /// The deadline has come. Afterwards it is later than `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.deadline = None;
            self.advance(now, |dtls| dtls.handle_timeout(now));
        }
    }

    /// When to call [`Self::handle_timeout`]; `None`: not before a datagram comes.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadline
    }

    /// The next datagram to send.
    pub fn poll_output(&mut self) -> Option<Vec<u8>> {
        self.datagrams.pop_front()
    }

    /// How it came out: once.
    pub fn poll_outcome(&mut self) -> Option<DtlsOutcome> {
        self.outcome.take()
    }

    fn begin(&mut self, now: Instant) {
        self.attempts += 1;
        self.is_certificate_right = false;
        self.is_connected = false;
        self.keys = None;
        let certificate = DtlsCertificate {
            certificate: self.identity.certificate.to_vec(),
            private_key: self.identity.private_key.to_vec(),
        };
        let mut dtls = Dtls::new_12(Arc::clone(&self.config), certificate, now);
        dtls.set_active(self.role == DtlsRole::Client);
        self.dtls = Some(dtls);
        self.advance(now, |dtls| dtls.handle_timeout(now));
    }

    fn advance(&mut self, now: Instant, step: impl FnOnce(&mut Dtls) -> Result<(), dimpl::Error>) {
        let Some(dtls) = &mut self.dtls else { return };
        let result = step(dtls);
        if result.is_err() {
            self.break_off(now);
            return;
        }
        self.drain(now);
    }

    /// Every error of the machine is its end: before the keys it begins anew a few times, because anybody on the way can
    /// break a handshake; afterwards nothing is left to do.
    fn break_off(&mut self, now: Instant) {
        self.dtls = None;
        self.deadline = None;
        if self.is_over {
            return;
        }
        if self.attempts < MAX_ATTEMPTS && now < self.give_up {
            self.begin(now);
        } else {
            self.finish(DtlsOutcome::Failed(DtlsError::Handshake));
        }
    }

    fn drain(&mut self, now: Instant) {
        let mut buffer = [0; DATAGRAM_BYTES];
        while let Some(dtls) = &mut self.dtls {
            match dtls.poll_output(&mut buffer) {
                Output::Packet(datagram) if self.datagrams.len() < MAX_DATAGRAMS => {
                    self.datagrams.push_back(datagram.to_vec());
                }
                Output::PeerCert(certificate) => {
                    let is_right = is_announced(certificate, &self.fingerprints);
                    self.is_certificate_right = is_right;
                    if !is_right {
                        self.dtls = None;
                        self.finish(DtlsOutcome::Failed(DtlsError::WrongCertificate));
                    }
                }
                Output::KeyingMaterial(material, profile) => {
                    self.keys = keys(&material, profile, self.role);
                }
                Output::Timeout(deadline) => {
                    // Far ahead means never; at once would spin.
                    let is_near = deadline > now && deadline - now <= TIMEOUT;
                    self.deadline = is_near.then_some(deadline);
                    break;
                }
                Output::BufferTooSmall { .. } => {
                    self.break_off(now);
                }
                Output::CloseNotify => self.dtls = None,
                Output::Connected => self.is_connected = true,
                // More than a flight has, or something else than the handshake.
                _ => {}
            }
        }
        if !self.is_certificate_right || !self.is_connected {
            return;
        }
        match self.keys.take() {
            Some((local, remote)) => self.finish(DtlsOutcome::Connected { local, remote }),
            // Connected, but not for media (RFC 5764 section 4.1.1).
            None => self.finish(DtlsOutcome::Failed(DtlsError::Handshake)),
        }
    }

    fn finish(&mut self, outcome: DtlsOutcome) {
        if !std::mem::replace(&mut self.is_over, true) {
            self.outcome = Some(outcome);
        }
    }
}

impl fmt::Debug for DtlsHandshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DtlsHandshake")
            .field("role", &self.role)
            .field("fingerprints", &self.fingerprints)
            .field("is_over", &self.is_over)
            .finish_non_exhaustive()
    }
}

fn is_announced(certificate: &[u8], announced: &[Fingerprint]) -> bool {
    announced
        .iter()
        .any(|announced| fingerprint_of(certificate, announced.hash()) == *announced)
}

fn fingerprint_of(certificate: &[u8], hash: FingerprintHash) -> Fingerprint {
    let algorithm = match hash {
        FingerprintHash::Sha256 => &digest::SHA256,
        FingerprintHash::Sha384 => &digest::SHA384,
        FingerprintHash::Sha512 => &digest::SHA512,
    };
    Fingerprint::new(hash, digest::digest(algorithm, certificate).as_ref())
        .expect("a hash has the length of its function")
}

/// RFC 5764 section 4.2: both keys, then both salts, those of the client first.
fn keys(material: &[u8], profile: SrtpProfile, role: DtlsRole) -> Option<(MasterKey, MasterKey)> {
    let suite = match profile {
        SrtpProfile::AES128_CM_SHA1_80 => SrtpSuite::AesCm128HmacSha1_80,
        SrtpProfile::AEAD_AES_128_GCM => SrtpSuite::AeadAes128Gcm,
        SrtpProfile::AEAD_AES_256_GCM => SrtpSuite::AeadAes256Gcm,
        _ => return None,
    };
    let (client_key, rest) = material.split_at_checked(suite.key_bytes())?;
    let (server_key, rest) = rest.split_at_checked(suite.key_bytes())?;
    let (client_salt, rest) = rest.split_at_checked(suite.salt_bytes())?;
    let server_salt = rest.get(..suite.salt_bytes())?;
    let client = MasterKey::new(suite, client_key, client_salt)?;
    let server = MasterKey::new(suite, server_key, server_salt)?;
    Some(match role {
        DtlsRole::Client => (client, server),
        DtlsRole::Server => (server, client),
    })
}
