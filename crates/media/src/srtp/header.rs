//! The readable part of packets: where it ends, and what it says. And the field that names a key.

use sdp::Mki;

use super::SrtpError;
use super::cipher::RTCP_HEADER_BYTES;

/// Length of an RTP header without contributing sources and extension.
const RTP_HEADER_BYTES: usize = 12;
/// Longest field that names a key.
pub(super) const MAX_MKI_BYTES: usize = 128;

/// Length of the header, SSRC and sequence number of a packet that ends `behind` bytes before its end.
pub(super) fn rtp_header(packet: &[u8], behind: usize) -> Result<(usize, u32, u16), SrtpError> {
    let too_short = SrtpError::TooShort {
        len_bytes: packet.len(),
    };
    let end = packet.len().checked_sub(behind).ok_or(too_short)?;
    let fixed: &[u8; RTP_HEADER_BYTES] = packet
        .get(..end)
        .and_then(|packet| packet.first_chunk())
        .ok_or(too_short)?;
    if fixed[0] >> 6 != 2 {
        return Err(SrtpError::Malformed);
    }
    let mut header = RTP_HEADER_BYTES + 4 * usize::from(fixed[0] & 0x0f);
    if fixed[0] & 0x10 != 0 {
        let extension = packet[..end].get(header..header + 4).ok_or(too_short)?;
        let words = u16::from_be_bytes([extension[2], extension[3]]);
        header += 4 + 4 * usize::from(words);
    }
    if header > end {
        return Err(too_short);
    }
    let sequence = u16::from_be_bytes([fixed[2], fixed[3]]);
    let ssrc = u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]);
    Ok((header, ssrc, sequence))
}

/// SSRC of the packet's sender.
pub(super) fn rtcp_header(packet: &[u8]) -> Result<u32, SrtpError> {
    let fixed: &[u8; RTCP_HEADER_BYTES] = packet.first_chunk().ok_or(SrtpError::TooShort {
        len_bytes: packet.len(),
    })?;
    if fixed[0] >> 6 != 2 {
        return Err(SrtpError::Malformed);
    }
    Ok(u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]))
}

/// The field that names the key; empty without one.
pub(super) fn write_mki(mki: Option<Mki>, field: &mut [u8; MAX_MKI_BYTES]) -> &[u8] {
    let Some(mki) = mki else { return &[] };
    let len = usize::from(mki.len_bytes).min(MAX_MKI_BYTES);
    let value = mki.value.to_be_bytes();
    let digits = len.min(value.len());
    field[len - digits..len].copy_from_slice(&value[value.len() - digits..]);
    &field[..len]
}
