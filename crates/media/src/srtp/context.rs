//! Both directions of one secured stream: which source is at which index, and how long keys last.

use std::fmt;

use sdp::{MasterKey, Mki};

use super::cipher::{Cipher, INDEX_BYTES, Position, RTCP_HEADER_BYTES};
use super::header::{MAX_MKI_BYTES, rtcp_header, rtp_header, write_mki};
use super::keys::{Traffic, derive};
use super::window::{Guess, ReplayWindow};
use crate::rtp::MAX_DATAGRAM_BYTES;

/// Sources of one direction that are told apart; a call has one, and a new one after each restart of the peer.
const MAX_SOURCES: usize = 32;
/// Packets that one master key may protect (RFC 3711 section 9.2).
const MAX_RTP_PACKETS: u64 = 1 << 48;
/// The same for RTCP, whose index has 31 bits.
const MAX_RTCP_INDEX: u64 = (1 << 31) - 1;

/// Why a packet was not protected or not accepted. Packets from the network: count and drop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SrtpError {
    /// Shorter than its header and tag.
    #[error("secured packet of {len_bytes} bytes is too short")]
    TooShort {
        /// Size of the packet.
        len_bytes: usize,
    },
    /// Not version 2 of RTP or RTCP.
    #[error("not a packet of RTP version 2")]
    Malformed,
    /// The tag is not that of the key: changed on its way, from somebody else, or under another key.
    #[error("packet cannot be authenticated")]
    Forged,
    /// Seen before, or older than the window. When sending: this number was used up.
    #[error("packet was seen before")]
    Replayed,
    /// RTCP without encryption, which was not agreed.
    #[error("RTCP is not encrypted")]
    Unencrypted,
    /// It names another key than the one that was agreed.
    #[error("packet names an unknown key")]
    UnknownKey,
    /// More sources than are told apart.
    #[error("too many sources")]
    TooManySources,
    /// The buffer has no room for the tag.
    #[error("buffer has no room: {needed_bytes} bytes are needed")]
    NoRoom {
        /// Length of the protected packet.
        needed_bytes: usize,
    },
    /// The key has protected as many packets as it may: a new one must be agreed.
    #[error("the master key is used up; the call needs a new one")]
    KeyExhausted,
}

/// A secured stream: protects what is sent, checks and opens what comes, in place.
pub struct SrtpSession {
    outbound: Context,
    inbound: Context,
}

/// One direction.
struct Context {
    master: MasterKey,
    mki: Option<Mki>,
    rtp: Cipher,
    rtcp: Cipher,
    sources: Vec<Source>,
    /// Only counted when sending.
    rtp_packets: u64,
    /// The next to send.
    rtcp_index: u64,
}

struct Source {
    ssrc: u32,
    rtp: Option<ReplayWindow>,
    rtcp: Option<ReplayWindow>,
}

impl SrtpSession {
    /// We protect with `local`, the peer with `remote`.
    #[must_use]
    pub fn new(local: &MasterKey, remote: &MasterKey) -> Self {
        Self {
            outbound: Context::new(local),
            inbound: Context::new(remote),
        }
    }

    /// Goes over to other keys. A direction whose key is the same goes on as it is.
    pub fn set_keys(&mut self, local: &MasterKey, remote: &MasterKey) {
        for (context, key) in [(&mut self.outbound, local), (&mut self.inbound, remote)] {
            if context.master != *key {
                *context = Context::new(key);
            }
        }
    }

    /// Most bytes that protection adds to a packet, of RTP or of RTCP.
    #[must_use]
    pub fn overhead_bytes(&self) -> usize {
        self.outbound.rtcp_overhead()
    }

    /// Protects the RTP packet in `buffer[..len]` and says how long it is now.
    ///
    /// # Errors
    ///
    /// [`SrtpError::NoRoom`], [`SrtpError::KeyExhausted`], [`SrtpError::Replayed`] for a sequence number that was
    /// sent already, [`SrtpError::Malformed`] and [`SrtpError::TooShort`] if it is not RTP. The packet is then as
    /// it was and must not be sent.
    pub fn protect_rtp(&mut self, buffer: &mut [u8], len: usize) -> Result<usize, SrtpError> {
        self.outbound.protect_rtp(buffer, len)
    }

    /// Protects the compound RTCP packet in `buffer[..len]` and says how long it is now.
    ///
    /// # Errors
    ///
    /// As [`Self::protect_rtp`].
    pub fn protect_rtcp(&mut self, buffer: &mut [u8], len: usize) -> Result<usize, SrtpError> {
        self.outbound.protect_rtcp(buffer, len)
    }

    /// Checks and decrypts a datagram in place. The plain RTP packet is its start, of the length that is returned.
    ///
    /// # Errors
    ///
    /// [`SrtpError`] says why it is not to be believed; its bytes are then undefined.
    pub fn unprotect_rtp(&mut self, packet: &mut [u8]) -> Result<usize, SrtpError> {
        self.inbound.unprotect_rtp(packet)
    }

    /// Checks and decrypts a datagram in place. The plain compound RTCP packet is its start.
    ///
    /// # Errors
    ///
    /// As [`Self::unprotect_rtp`].
    pub fn unprotect_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, SrtpError> {
        self.inbound.unprotect_rtcp(packet)
    }
}

impl fmt::Debug for SrtpSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SrtpSession")
            .field("local", &self.outbound.master)
            .field("remote", &self.inbound.master)
            .finish_non_exhaustive()
    }
}

impl Context {
    fn new(master: &MasterKey) -> Self {
        Self {
            mki: master.mki(),
            rtp: derive(master, Traffic::Rtp),
            rtcp: derive(master, Traffic::Rtcp),
            sources: Vec::new(),
            rtp_packets: 0,
            rtcp_index: 0,
            master: master.clone(),
        }
    }

    fn mki_bytes(&self) -> usize {
        self.mki.map_or(0, |mki| usize::from(mki.len_bytes))
    }

    fn rtcp_overhead(&self) -> usize {
        INDEX_BYTES + self.rtcp.tag_bytes() + self.mki_bytes()
    }

    fn protect_rtp(&mut self, buffer: &mut [u8], len: usize) -> Result<usize, SrtpError> {
        let room = self.rtp.tag_bytes() + self.mki_bytes();
        let (header, ssrc, sequence) = rtp_header(packet_in(buffer, len)?, 0)?;
        check_room(buffer, len + room)?;
        let index = match self.source(ssrc).and_then(|source| source.rtp) {
            None => sequence.into(),
            Some(window) => {
                let index = window.index(sequence)?;
                window.check(index).map_err(|_| SrtpError::Replayed)?;
                index
            }
        };
        if self.rtp_packets == MAX_RTP_PACKETS {
            return Err(SrtpError::KeyExhausted);
        }
        let source = self.source_or_new(ssrc)?;
        note(&mut source.rtp, index);
        self.rtp_packets += 1;
        let mut field = [0; MAX_MKI_BYTES];
        let mki = write_mki(self.mki, &mut field);
        self.rtp
            .protect_rtp(buffer, header, len, mki, Position { ssrc, index });
        Ok(len + room)
    }

    fn protect_rtcp(&mut self, buffer: &mut [u8], len: usize) -> Result<usize, SrtpError> {
        let ssrc = rtcp_header(packet_in(buffer, len)?)?;
        let protected = len + self.rtcp_overhead();
        check_room(buffer, protected)?;
        // One count for all sources: no index comes twice, and the limit of the key is that of the field.
        let index = self.rtcp_index;
        if index > MAX_RTCP_INDEX {
            return Err(SrtpError::KeyExhausted);
        }
        self.rtcp_index += 1;
        let mut field = [0; MAX_MKI_BYTES];
        let mki = write_mki(self.mki, &mut field);
        self.rtcp
            .protect_rtcp(buffer, len, mki, Position { ssrc, index });
        Ok(protected)
    }

    fn unprotect_rtp(&mut self, packet: &mut [u8]) -> Result<usize, SrtpError> {
        let behind = self.rtp.tag_bytes() + self.mki_bytes();
        let (header, ssrc, sequence) = rtp_header(packet, behind)?;
        let field_end = match self.rtp.keeps_forged() {
            true => packet.len() - self.rtp.tag_bytes(),
            false => packet.len(),
        };
        self.check_mki(packet, field_end)?;
        let Some(window) = self.source(ssrc).and_then(|source| source.rtp) else {
            return self.unprotect_first(packet, header, ssrc, sequence);
        };
        let index = window.index(sequence)?;
        window.check(index).map_err(|_| SrtpError::Replayed)?;
        let at = Position { ssrc, index };
        let len = self
            .rtp
            .unprotect_rtp(packet, header, self.mki_bytes(), at)
            .map_err(|_| SrtpError::Forged)?;
        note(&mut self.source_or_new(ssrc)?.rtp, index);
        Ok(len)
    }

    /// A source that was not heard yet is in its first or, if its first packets were lost right where the number
    /// wraps, in its second cycle.
    fn unprotect_first(
        &mut self,
        packet: &mut [u8],
        header: usize,
        ssrc: u32,
        sequence: u16,
    ) -> Result<usize, SrtpError> {
        if self.source(ssrc).is_none() && self.sources.len() == MAX_SOURCES {
            return Err(SrtpError::TooManySources);
        }
        let mki_bytes = self.mki_bytes();
        let mut copy = [0; MAX_DATAGRAM_BYTES];
        let copied = copy.get_mut(..packet.len());
        let may_wrap = sequence < 0x8000 && copied.is_some();
        if let Some(copied) = copied.filter(|_| may_wrap) {
            copied.copy_from_slice(packet);
        }
        let first = u64::from(sequence);
        let mut index = first;
        let at = Position { ssrc, index };
        let mut opened = self.rtp.unprotect_rtp(packet, header, mki_bytes, at);
        if opened.is_err() && may_wrap {
            packet.copy_from_slice(&copy[..packet.len()]);
            index = first + (1 << 16);
            let at = Position { ssrc, index };
            opened = self.rtp.unprotect_rtp(packet, header, mki_bytes, at);
        }
        let len = opened.map_err(|_| SrtpError::Forged)?;
        note(&mut self.source_or_new(ssrc)?.rtp, index);
        Ok(len)
    }

    fn unprotect_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, SrtpError> {
        let too_short = SrtpError::TooShort {
            len_bytes: packet.len(),
        };
        if packet.len() < RTCP_HEADER_BYTES + self.rtcp_overhead() {
            return Err(too_short);
        }
        let ssrc = rtcp_header(packet)?;
        let mki_bytes = self.mki_bytes();
        let field_end = match self.rtcp.keeps_forged() {
            true => packet.len() - self.rtcp.tag_bytes(),
            false => packet.len(),
        };
        self.check_mki(packet, field_end)?;
        let word = self.rtcp.rtcp_index(packet, mki_bytes).ok_or(too_short)?;
        let word = u32::from_be_bytes(word);
        if word >> 31 == 0 {
            return Err(SrtpError::Unencrypted);
        }
        let index = u64::from(word & 0x7fff_ffff);
        match self.source(ssrc) {
            Some(source) => {
                if let Some(window) = source.rtcp {
                    window.check(index).map_err(|_| SrtpError::Replayed)?;
                }
            }
            None if self.sources.len() == MAX_SOURCES => return Err(SrtpError::TooManySources),
            None => {}
        }
        let at = Position { ssrc, index };
        let len = self
            .rtcp
            .unprotect_rtcp(packet, mki_bytes, at)
            .map_err(|_| SrtpError::Forged)?;
        note(&mut self.source_or_new(ssrc)?.rtcp, index);
        Ok(len)
    }

    /// The field that names the key, which ends at `end`, names this one.
    fn check_mki(&self, packet: &[u8], end: usize) -> Result<(), SrtpError> {
        let mut field = [0; MAX_MKI_BYTES];
        let expected = write_mki(self.mki, &mut field);
        let found = end
            .checked_sub(expected.len())
            .and_then(|start| packet.get(start..end));
        match found {
            Some(found) if found == expected => Ok(()),
            _ => Err(SrtpError::UnknownKey),
        }
    }

    fn source(&self, ssrc: u32) -> Option<&Source> {
        self.sources.iter().find(|source| source.ssrc == ssrc)
    }

    /// Only for a source whose packet is genuine, or ours.
    fn source_or_new(&mut self, ssrc: u32) -> Result<&mut Source, SrtpError> {
        let known = self.sources.iter().position(|source| source.ssrc == ssrc);
        let at = match known {
            Some(at) => at,
            None if self.sources.len() == MAX_SOURCES => return Err(SrtpError::TooManySources),
            None => {
                self.sources.push(Source {
                    ssrc,
                    rtp: None,
                    rtcp: None,
                });
                self.sources.len() - 1
            }
        };
        Ok(&mut self.sources[at])
    }
}

impl ReplayWindow {
    fn index(&self, sequence: u16) -> Result<u64, SrtpError> {
        match self.guess(sequence) {
            Guess::Index(index) => Ok(index),
            Guess::TooOld => Err(SrtpError::Replayed),
            Guess::Exhausted => Err(SrtpError::KeyExhausted),
        }
    }
}

fn note(window: &mut Option<ReplayWindow>, index: u64) {
    match window {
        Some(window) => window.accept(index),
        None => *window = Some(ReplayWindow::starting_at(index)),
    }
}

fn packet_in(buffer: &[u8], len: usize) -> Result<&[u8], SrtpError> {
    buffer
        .get(..len)
        .ok_or(SrtpError::NoRoom { needed_bytes: len })
}

fn check_room(buffer: &[u8], needed_bytes: usize) -> Result<(), SrtpError> {
    if buffer.len() < needed_bytes {
        return Err(SrtpError::NoRoom { needed_bytes });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use sdp::SrtpSuite;

    use super::*;

    fn session() -> SrtpSession {
        let key = MasterKey::generate(SrtpSuite::AeadAes128Gcm, |bytes| bytes.fill(7));
        SrtpSession::new(&key, &key)
    }

    fn send(session: &mut SrtpSession, sequence: u16) -> Result<usize, SrtpError> {
        let mut buffer = [0; 64];
        buffer[0] = 0x80;
        buffer[2..4].copy_from_slice(&sequence.to_be_bytes());
        session.protect_rtp(&mut buffer, 20)
    }

    #[test]
    fn a_key_that_has_protected_all_it_may_ends_the_sending() {
        let mut session = session();
        session.outbound.rtp_packets = MAX_RTP_PACKETS - 1;
        assert!(send(&mut session, 1).is_ok());
        assert_eq!(send(&mut session, 2), Err(SrtpError::KeyExhausted));

        let mut buffer = [0; 64];
        buffer[..2].copy_from_slice(&[0x80, 201]);
        session.outbound.rtcp_index = MAX_RTCP_INDEX;
        assert!(session.protect_rtcp(&mut buffer, 8).is_ok());
        buffer[..2].copy_from_slice(&[0x80, 201]);
        assert_eq!(
            session.protect_rtcp(&mut buffer, 8),
            Err(SrtpError::KeyExhausted)
        );
    }

    #[test]
    fn the_last_index_of_a_source_is_not_followed_by_the_first() {
        let mut session = session();
        assert!(send(&mut session, 0xfffe).is_ok());
        let last = ReplayWindow::starting_at((1 << 48) - 2);
        session.outbound.sources[0].rtp = Some(last);
        assert!(send(&mut session, 0xffff).is_ok());
        assert_eq!(send(&mut session, 0), Err(SrtpError::KeyExhausted));
    }
}
