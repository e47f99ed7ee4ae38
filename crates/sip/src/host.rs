//! Hosts and ports as they stand in URIs and Via headers (RFC 3261, section 25.1).
//!
//! IPv6 addresses stand in brackets. Two slips that are common enough to be tolerated on input
//! and are never written: a bare IPv6 address in a `received` parameter (that is even the
//! grammar's form, see `header/via.rs`), and three colons before an embedded IPv4 address
//! (RFC 5118, section 4.10).

use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use crate::decimal::{push_decimal, push_ipv4};
use crate::header::scan::{self, Kind};

/// Where a URI or a Via header points.
///
/// Names are equal whatever their case; the spelling is kept.
#[derive(Clone, Debug)]
pub enum Host {
    /// A name to be resolved.
    Name(String),
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address.
    V6(Ipv6Addr),
}

/// A host and, if written, a port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostPort {
    /// The host.
    pub host: Host,
    /// The port; `None` if the default of the transport is meant.
    pub port: Option<u16>,
}

/// Why a text is no host, or no host with a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// Neither a name nor an address.
    #[error("malformed host")]
    Host,
    /// Not a number between 0 and 65535.
    #[error("malformed port")]
    Port,
}

impl Host {
    /// The address, unless this is a name.
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Name(_) => None,
            Self::V4(address) => Some((*address).into()),
            Self::V6(address) => Some((*address).into()),
        }
    }
}

impl PartialEq for Host {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Name(a), Self::Name(b)) => a.eq_ignore_ascii_case(b),
            (Self::V4(a), Self::V4(b)) => a == b,
            (Self::V6(a), Self::V6(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Host {}

impl Hash for Host {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Name(name) => {
                for byte in name.bytes() {
                    state.write_u8(byte.to_ascii_lowercase());
                }
            }
            Self::V4(address) => address.hash(state),
            Self::V6(address) => address.hash(state),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::V4(address) => address.fmt(f),
            Self::V6(address) => write!(f, "[{address}]"),
        }
    }
}

/// A host read in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HostRef<'a> {
    Name(&'a str),
    Address(IpAddr),
}

impl<'a> HostRef<'a> {
    pub(crate) fn parse(text: &'a str) -> Result<Self, HostError> {
        match Self::split(text)? {
            (host, "") => Ok(host),
            _ => Err(HostError::Host),
        }
    }

    /// The host at the start of the text, and what stands behind it.
    fn split(text: &'a str) -> Result<(Self, &'a str), HostError> {
        if let Some(inner) = text.strip_prefix('[') {
            let (inner, rest) = inner.split_once(']').ok_or(HostError::Host)?;
            let address = parse_v6(inner).ok_or(HostError::Host)?;
            return Ok((Self::Address(address.into()), rest));
        }
        if let Some((address, rest)) = split_v4(text) {
            return Ok((Self::Address(address.into()), rest));
        }
        let bytes = text.as_bytes();
        let (mut end, mut has_dot) = (0, false);
        loop {
            let label = scan::run(&bytes[end..], &LABEL);
            let is_last = bytes.get(end + label) != Some(&b'.');
            // No label is empty, but for the one behind a dot at the end.
            if label == 0 && (end == 0 || !is_last) {
                return Err(HostError::Host);
            }
            end += label;
            if is_last {
                break;
            }
            has_dot = true;
            end += 1;
        }
        let (name, rest) = text.split_at(end);
        let mut bytes = name.bytes();
        // Digits with dots can only be an address, and this is none; digits alone may be a name.
        match has_dot && bytes.all(|byte| matches!(byte, b'0'..=b'9' | b'.')) {
            true => Err(HostError::Host),
            false => Ok((Self::Name(name), rest)),
        }
    }
}

/// The IPv4 address at the start of the text, and what stands behind it; `None` also if it is only the beginning of a name.
fn split_v4(text: &str) -> Option<(Ipv4Addr, &str)> {
    let bytes = text.as_bytes();
    let mut octets = [0; 4];
    let mut at = 0;
    for (place, octet) in octets.iter_mut().enumerate() {
        if place > 0 {
            (bytes.get(at) == Some(&b'.')).then_some(())?;
            at += 1;
        }
        let (first, mut value) = (at, 0);
        while let Some(digit @ b'0'..=b'9') = bytes.get(at) {
            if value == 0 && at > first {
                return None;
            }
            value = 10 * value + u16::from(digit - b'0');
            *octet = u8::try_from(value).ok()?;
            at += 1;
        }
        (at > first).then_some(())?;
    }
    match bytes.get(at) {
        Some(&byte) if byte == b'.' || LABEL[usize::from(byte)] => None,
        _ => Some((octets.into(), &text[at..])),
    }
}

impl<'a> From<&'a Host> for HostRef<'a> {
    fn from(host: &'a Host) -> Self {
        match host {
            Host::Name(name) => Self::Name(name),
            Host::V4(address) => Self::Address((*address).into()),
            Host::V6(address) => Self::Address((*address).into()),
        }
    }
}

impl Hash for HostRef<'_> {
    /// Names by all but their case: that is one bit of each letter, and no other byte of a name differs from another in it.
    fn hash<H: Hasher>(&self, state: &mut H) {
        const CASE: u64 = u64::from_ne_bytes([0x20; 8]);
        match self {
            Self::Name(name) => {
                for chunk in name.as_bytes().chunks(8) {
                    let mut bytes = [0; 8];
                    bytes[..chunk.len()].copy_from_slice(chunk);
                    state.write_u64(u64::from_ne_bytes(bytes) | CASE);
                }
                state.write_usize(name.len());
            }
            Self::Address(address) => address.hash(state),
        }
    }
}

impl From<HostRef<'_>> for Host {
    fn from(host: HostRef<'_>) -> Self {
        match host {
            HostRef::Name(name) => Self::Name(name.to_owned()),
            HostRef::Address(address) => address.into(),
        }
    }
}

impl FromStr for Host {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        HostRef::parse(text).map(Self::from)
    }
}

/// What stands between the dots of a name.
const LABEL: Kind = {
    let mut table = [false; 256];
    let mut byte: u8 = 0;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        byte += 1;
    }
    table
};

fn parse_v6(text: &str) -> Option<Ipv6Addr> {
    match text.parse() {
        Ok(address) => Some(address),
        Err(_) if text.contains(":::") => text.replacen(":::", "::", 1).parse().ok(),
        Err(_) => None,
    }
}

impl From<IpAddr> for Host {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => Self::V6(address),
        }
    }
}

impl HostPort {
    /// A host with a port, or without.
    pub fn new(host: Host, port: Option<u16>) -> Self {
        Self { host, port }
    }

    /// Adds it as it is written.
    pub(crate) fn push_to(&self, text: &mut String) {
        match &self.host {
            Host::Name(name) => text.push_str(name),
            Host::V4(address) => push_ipv4(*address, text),
            Host::V6(_) => text.push_str(&self.host.to_string()),
        }
        if let Some(port) = self.port {
            text.push(':');
            push_decimal(port.into(), text);
        }
    }
}

impl From<Host> for HostPort {
    fn from(host: Host) -> Self {
        Self { host, port: None }
    }
}

impl From<SocketAddr> for HostPort {
    fn from(address: SocketAddr) -> Self {
        Self {
            host: address.ip().into(),
            port: Some(address.port()),
        }
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.host.fmt(f)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// Host and port, read in place.
pub(crate) fn parse_host_port(text: &str) -> Result<(HostRef<'_>, Option<u16>), HostError> {
    let (host, rest) = HostRef::split(text)?;
    let port = match rest.strip_prefix(':') {
        Some(digits) => Some(parse_port(digits).ok_or(HostError::Port)?),
        None if rest.is_empty() => None,
        None => return Err(HostError::Host),
    };
    Ok((host, port))
}

impl FromStr for HostPort {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (host, port) = parse_host_port(text)?;
        let host = host.into();
        Ok(Self { host, port })
    }
}

pub(crate) fn parse_port(digits: &str) -> Option<u16> {
    let mut port: u16 = 0;
    for byte in digits.bytes() {
        let digit = byte.is_ascii_digit().then(|| byte - b'0')?;
        port = port.checked_mul(10)?.checked_add(digit.into())?;
    }
    (!digits.is_empty()).then_some(port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports_are_read() {
        let cases = [
            ("example.com", "example.com", None),
            ("EXAMPLE.com:5070", "example.com", Some(5070)),
            ("192.0.2.1:5060", "192.0.2.1", Some(5060)),
            ("a:0", "a", Some(0)),
            ("a:0065535", "a", Some(65_535)),
            ("[2001:db8::1]", "[2001:db8::1]", None),
            ("[2001:db8::1]:5070", "[2001:db8::1]", Some(5070)),
            ("[2001:db8::10:5070]", "[2001:db8::10:5070]", None),
            ("[2001:db8:::192.0.2.1]", "[2001:db8::192.0.2.1]", None),
            ("hlau_4100", "hlau_4100", None),
            ("example.com.", "example.com.", None),
            ("1.2.3.4a", "1.2.3.4a", None),
            ("1.2.3.4.example", "1.2.3.4.example", None),
            ("12", "12", None),
        ];
        for (text, host, port) in cases {
            let expected = HostPort {
                host: host.parse().unwrap(),
                port,
            };
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_host_or_port_is_refused() {
        for text in [
            "",
            "a b",
            "2001:db8::10",
            "[::1",
            "[::1]x",
            "a:",
            "a:+1",
            "a:65536",
            "1.2.3",
            "256.1.1.1",
            "a..b",
            ".a",
            "a..",
            "1.",
            "1.2.3.4.",
            "01.2.3.4",
            "a@b",
        ] {
            assert!(text.parse::<HostPort>().is_err(), "{text}");
        }
    }

    /// All texts of a few bytes that matter.
    #[test]
    fn an_address_is_what_the_standard_library_takes_for_one() {
        const BYTES: &[u8] = b"0129.a:";
        let mut texts = vec![String::new()];
        for _ in 0..4 {
            let longer = |text: &String, byte: &u8| format!("{text}{}", char::from(*byte));
            let grown = texts
                .iter()
                .flat_map(|text| BYTES.iter().map(move |byte| longer(text, byte)));
            texts = std::iter::once(String::new()).chain(grown).collect();
        }
        for start in ["", "1.2.", "1.2.3.", "10.20.30.40", "255.25"] {
            for text in texts.iter().map(|text| format!("{start}{text}")) {
                let expected = text
                    .parse()
                    .ok()
                    .map(|address: Ipv4Addr| IpAddr::from(address));
                let address = match HostRef::parse(&text) {
                    Ok(HostRef::Address(address)) => Some(address),
                    Ok(HostRef::Name(_)) | Err(_) => None,
                };
                assert_eq!(address, expected, "{text}");
            }
        }
    }

    #[test]
    fn an_ipv6_host_is_written_in_brackets_once() {
        let address: SocketAddr = "[2001:db8::1]:5060".parse().unwrap();
        assert_eq!(HostPort::from(address).to_string(), "[2001:db8::1]:5060");
    }
}
