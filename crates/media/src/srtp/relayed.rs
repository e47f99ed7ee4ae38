//! A secured leg of the relay.

use super::{SrtpError, SrtpSession};
use crate::relay::{PacketKind, Protection, ProtectionError};

impl Protection for SrtpSession {
    fn unprotect(
        &mut self,
        kind: PacketKind,
        buffer: &mut [u8],
        len: usize,
    ) -> Result<usize, ProtectionError> {
        let packet = buffer.get_mut(..len).ok_or(ProtectionError::NoRoom)?;
        let opened = match kind {
            PacketKind::Rtp => self.unprotect_rtp(packet),
            PacketKind::Rtcp => self.unprotect_rtcp(packet),
        };
        opened.map_err(ProtectionError::from)
    }

    fn protect(
        &mut self,
        kind: PacketKind,
        buffer: &mut [u8],
        len: usize,
    ) -> Result<usize, ProtectionError> {
        let protected = match kind {
            PacketKind::Rtp => self.protect_rtp(buffer, len),
            PacketKind::Rtcp => self.protect_rtcp(buffer, len),
        };
        protected.map_err(ProtectionError::from)
    }
}

impl From<SrtpError> for ProtectionError {
    fn from(error: SrtpError) -> Self {
        match error {
            SrtpError::NoRoom { .. } => Self::NoRoom,
            SrtpError::KeyExhausted => Self::NoKey,
            _ => Self::NotAuthentic,
        }
    }
}

#[cfg(test)]
mod tests {
    use sdp::{MasterKey, SrtpSuite};

    use super::*;
    use crate::relay::PROTECTION_ROOM;

    #[test]
    fn a_packet_goes_from_one_secured_leg_to_another_in_one_buffer() {
        let key =
            |seed| MasterKey::generate(SrtpSuite::AesCm128HmacSha1_80, |bytes| bytes.fill(seed));
        let mut caller = SrtpSession::new(&key(1), &key(2));
        let mut towards_caller = SrtpSession::new(&key(2), &key(1));
        let mut towards_callee = SrtpSession::new(&key(3), &key(4));
        let mut callee = SrtpSession::new(&key(4), &key(3));
        let rtp = [0x80, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 7, 1, 2, 3, 4];
        let rtcp = [0x80, 201, 0, 1, 0, 0, 0, 7];
        for (kind, plain) in [(PacketKind::Rtp, &rtp[..]), (PacketKind::Rtcp, &rtcp[..])] {
            let mut buffer = plain.to_vec();
            buffer.resize(plain.len() + PROTECTION_ROOM, 0);
            let sent = caller.protect(kind, &mut buffer, plain.len()).unwrap();
            let opened = towards_caller.unprotect(kind, &mut buffer, sent).unwrap();
            assert_eq!(buffer[..opened], *plain);
            let sent = towards_callee.protect(kind, &mut buffer, opened).unwrap();
            let mut repeated = buffer.clone();
            let opened = callee.unprotect(kind, &mut buffer, sent).unwrap();
            assert_eq!(buffer[..opened], *plain);
            assert_eq!(
                callee.unprotect(kind, &mut repeated, sent),
                Err(ProtectionError::NotAuthentic)
            );
            let beyond = buffer.len() + 1;
            assert_eq!(
                callee.unprotect(kind, &mut buffer, beyond),
                Err(ProtectionError::NoRoom)
            );
        }
    }
}
