//! What a secured leg does to packets (RFC 3711): the seam to SRTP, which the relay itself knows nothing of.

/// Bytes that must be free behind a packet: an authentication tag, an index of SRTCP, a key identifier.
pub const PROTECTION_ROOM: usize = 160;

/// Whether a packet is of the media or of its reports; they have different keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PacketKind {
    /// RTP, protected as SRTP.
    Rtp,
    /// A compound RTCP packet, protected as SRTCP.
    Rtcp,
}

/// Why a packet cannot be protected or unprotected. It is dropped and counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtectionError {
    /// It is forged, damaged, replayed, or of other keys.
    #[error("the packet is not authentic")]
    NotAuthentic,
    /// The keys may not be used for more packets, or there are none yet.
    #[error("there is no usable key")]
    NoKey,
    /// It does not fit.
    #[error("no room to protect the packet")]
    NoRoom,
}

/// Keys and counters of one leg, for both ways. Packets are changed where they lie.
pub trait Protection: Send {
    /// Authenticates and decrypts `buffer[..len]`; says how long the plain packet is.
    ///
    /// # Errors
    ///
    /// [`ProtectionError`]; what is in the buffer then must not be used.
    fn unprotect(
        &mut self,
        kind: PacketKind,
        buffer: &mut [u8],
        len: usize,
    ) -> Result<usize, ProtectionError>;

    /// Encrypts `buffer[..len]`, with at least [`PROTECTION_ROOM`] bytes behind it; says how long it is now.
    ///
    /// # Errors
    ///
    /// [`ProtectionError`]; what is in the buffer then must not be sent.
    fn protect(
        &mut self,
        kind: PacketKind,
        buffer: &mut [u8],
        len: usize,
    ) -> Result<usize, ProtectionError>;
}
