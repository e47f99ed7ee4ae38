//! STUN on the SIP port: who we seem to be, for phones behind a NAT (RFC 5389; RFC 5626, section 5.4).
//!
//! ```text
//!   0                   1                   2                   3
//!   type (0b00…)        | length of the rest | magic cookie | transaction id (96 bits) | attributes
//! ```
//!
//! The first two bits of a STUN message are zero; no SIP message begins like that. Only Binding
//! requests are answered, each by itself and nothing remembered. A keep-alive needs no credentials,
//! so a request that has some is answered as if it had none. Pure.
//!
//! Without attributes a request has 20 bytes and its answer 32 (IPv4) or 44 (IPv6): what everybody
//! who offers STUN gives away. The source's token bucket bounds it.

use std::net::{IpAddr, SocketAddr};

use bytes::{BufMut, Bytes, BytesMut};

const HEADER_BYTES: usize = 20;
const COOKIE: u32 = 0x2112_A442;
/// The first half of the cookie, which ports are combined with.
const PORT_MASK: u16 = 0x2112;
const BINDING_REQUEST: u16 = 0x0001;
const BINDING_SUCCESS: u16 = 0x0101;
const BINDING_ERROR: u16 = 0x0111;

const XOR_MAPPED_ADDRESS: u16 = 0x0020;
const ERROR_CODE: u16 = 0x0009;
const UNKNOWN_ATTRIBUTES: u16 = 0x000A;
const FINGERPRINT: u16 = 0x8028;

/// What the cyclic redundancy check of a fingerprint is combined with.
const FINGERPRINT_MASK: u32 = 0x5354_554E;

/// Attributes that must be understood and are, if only to be passed over: MAPPED-ADDRESS, USERNAME,
/// MESSAGE-INTEGRITY, ERROR-CODE, UNKNOWN-ATTRIBUTES, REALM, NONCE, XOR-MAPPED-ADDRESS.
const UNDERSTOOD: [u16; 8] = [
    0x0001, 0x0006, 0x0008, 0x0009, 0x000A, 0x0014, 0x0015, 0x0020,
];

/// Unknown attributes that an error names.
const MAX_UNKNOWN: usize = 8;

/// Names one request.
pub(crate) type TransactionId = [u8; 12];

/// A STUN message, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stun {
    /// Somebody asks who he is.
    Request {
        transaction: TransactionId,
        /// Attributes that must be understood and are not.
        unknown: Vec<u16>,
    },
    /// Somebody has told who we are.
    Success {
        transaction: TransactionId,
        mapped: Option<SocketAddr>,
    },
    /// Anything else: not to be answered.
    Other,
}

/// Reads a STUN message; `None` if `datagram` is none.
pub(crate) fn parse(datagram: &[u8]) -> Option<Stun> {
    let (header, attributes) = datagram.split_at_checked(HEADER_BYTES)?;
    let length = usize::from(u16_at(header, 2)?);
    if header[0] & 0xC0 != 0 || u32_at(header, 4)? != COOKIE || !length.is_multiple_of(4) {
        return None;
    }
    if length != attributes.len() {
        return Some(Stun::Other);
    }
    let transaction: TransactionId = header.get(8..)?.try_into().ok()?;
    let mut unknown = Vec::new();
    let mut mapped = None;
    let mut at = HEADER_BYTES;
    while at < datagram.len() {
        let (Some(kind), Some(size)) = (u16_at(datagram, at), u16_at(datagram, at + 2)) else {
            return Some(Stun::Other);
        };
        let value_at = at + 4;
        let Some(value) = datagram.get(value_at..value_at + usize::from(size)) else {
            return Some(Stun::Other);
        };
        match kind {
            FINGERPRINT if u32_at(value, 0) != Some(fingerprint(&datagram[..at])) => {
                return Some(Stun::Other);
            }
            XOR_MAPPED_ADDRESS => mapped = unmask(value, &transaction),
            kind if kind < 0x8000 && !UNDERSTOOD.contains(&kind) && unknown.len() < MAX_UNKNOWN => {
                unknown.push(kind);
            }
            _ => {}
        }
        at = value_at + usize::from(size).next_multiple_of(4);
    }
    Some(match u16_at(header, 0)? {
        BINDING_REQUEST => Stun::Request {
            transaction,
            unknown,
        },
        BINDING_SUCCESS => Stun::Success {
            transaction,
            mapped,
        },
        _ => Stun::Other,
    })
}

/// A request without attributes.
#[cfg(test)]
pub(crate) fn request(transaction: TransactionId) -> Bytes {
    message(BINDING_REQUEST, transaction, &[])
}

/// The answer to a request that came from `peer`.
pub(crate) fn answer(transaction: TransactionId, unknown: &[u16], peer: SocketAddr) -> Bytes {
    if unknown.is_empty() {
        return success(transaction, peer);
    }
    let mut attributes = BytesMut::new();
    // 420 Unknown Attribute: class 4, number 20, no text.
    attributes.put_u16(ERROR_CODE);
    attributes.put_u16(4);
    attributes.put_u32(0x0000_0414);
    let size = u16::try_from(2 * unknown.len().min(MAX_UNKNOWN)).unwrap_or(0);
    attributes.put_u16(UNKNOWN_ATTRIBUTES);
    attributes.put_u16(size);
    for kind in unknown.iter().take(MAX_UNKNOWN) {
        attributes.put_u16(*kind);
    }
    if !size.is_multiple_of(4) {
        attributes.put_u16(0);
    }
    message(BINDING_ERROR, transaction, &attributes)
}

fn success(transaction: TransactionId, peer: SocketAddr) -> Bytes {
    let mut value = BytesMut::new();
    // An IPv4 peer of an IPv6 socket is told what it knows itself as.
    let ip = peer.ip().to_canonical();
    value.put_u8(0);
    value.put_u8(if ip.is_ipv4() { 1 } else { 2 });
    value.put_u16(peer.port() ^ PORT_MASK);
    let octets = match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    value.extend(octets.iter().zip(mask(&transaction)).map(|(a, b)| a ^ b));
    let mut attributes = BytesMut::new();
    attributes.put_u16(XOR_MAPPED_ADDRESS);
    attributes.put_u16(u16::try_from(value.len()).unwrap_or(0));
    attributes.extend_from_slice(&value);
    message(BINDING_SUCCESS, transaction, &attributes)
}

fn message(kind: u16, transaction: TransactionId, attributes: &[u8]) -> Bytes {
    let mut message = BytesMut::with_capacity(HEADER_BYTES + attributes.len());
    message.put_u16(kind);
    message.put_u16(u16::try_from(attributes.len()).unwrap_or(0));
    message.put_u32(COOKIE);
    message.extend_from_slice(&transaction);
    message.extend_from_slice(attributes);
    message.freeze()
}

/// What addresses are combined with, so that no NAT rewrites them.
fn mask(transaction: &TransactionId) -> impl Iterator<Item = u8> {
    COOKIE.to_be_bytes().into_iter().chain(*transaction)
}

fn unmask(value: &[u8], transaction: &TransactionId) -> Option<SocketAddr> {
    let port = u16_at(value, 2)? ^ PORT_MASK;
    let octets: Vec<u8> = value
        .get(4..)?
        .iter()
        .zip(mask(transaction))
        .map(|(a, b)| a ^ b)
        .collect();
    let ip = match value.get(1)? {
        1 => IpAddr::from(<[u8; 4]>::try_from(octets.as_slice()).ok()?),
        2 => IpAddr::from(<[u8; 16]>::try_from(octets.as_slice()).ok()?),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

/// The value of a FINGERPRINT attribute behind `before`.
fn fingerprint(before: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for &byte in before {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            let carry = crc & 1;
            crc >>= 1;
            if carry == 1 {
                crc ^= 0xEDB8_8320;
            }
        }
    }
    !crc ^ FINGERPRINT_MASK
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_be_bytes(bytes.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests;
