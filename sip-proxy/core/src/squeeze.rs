//! Contacts and Call-IDs in fewer bytes: most of them are tokens in base64url or hexadecimal, addresses that are known already, and
//! words that every phone uses.
//!
//! | first byte | means | followed by |
//! |---|---|---|
//! | 0 to 63 | so many bytes and one | the bytes |
//! | 64 to 127 | a word of [`WORDS`] | |
//! | [`END`] | the text is over | |
//! | [`HEX`] | hexadecimal digits in lower case | how many, half a byte for each |
//! | [`BASE64URL`] | letters, digits, `-` and `_` | how many, six bits for each |
//! | [`UUID`] | one in lower case | its 16 bytes |
//! | [`USER`] | the user of the address-of-record and `@` | |
//! | [`PEER`], [`PEER_IP`] | where it is reached, with and without port | |
//! | [`IPV4`], [`IPV4_PORT`] | another address | its 4 bytes, and 2 of the port |
//!
//! In memory only: a row on disk is in the clear, so all of this may change with every release.
//!
//! Invariants: [`expand`] gives back byte for byte what [`squeeze`] was given, and neither panics.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::Range;

use crate::reader::Reader;

const FIRST_WORD: u8 = 64;
const END: u8 = 0x80;
const HEX: u8 = 0x81;
const BASE64URL: u8 = 0x82;
const UUID: u8 = 0x83;
const USER: u8 = 0x84;
const PEER: u8 = 0x85;
const PEER_IP: u8 = 0x86;
const IPV4: u8 = 0x87;
const IPV4_PORT: u8 = 0x88;

/// What stands often in contacts, grouped as [`words_at`] says; of two that begin alike the longer one comes first.
const WORDS: [&[u8]; 39] = [
    b"<sip:",
    b"<sips:",
    b">;+sip.instance=\"<urn:uuid:",
    b">;reg-id=1;+sip.instance=\"<urn:uuid:",
    b">\";reg-id=1",
    b">\"",
    b">",
    b";pn-provider=apns",
    b";pn-provider=fcm",
    b";pn-provider=webpush",
    b";pn-param=",
    b";pn-prid=",
    b";pn-silent=1",
    b";pn-timeout=0",
    b";transport=tcp",
    b";transport=TCP",
    b";transport=tls",
    b";transport=TLS",
    b";transport=udp",
    b";transport=UDP",
    b";transport=ws",
    b";text",
    b";+sip.instance=\"<urn:uuid:",
    b";+sip.pnsreg",
    b";reg-id=1",
    b";reg-id=",
    b";rinstance=",
    b";ob",
    b";lr",
    b";q=",
    b";line=",
    b";audio",
    b";video",
    b";alias=",
    b";methods=\"",
    b", <sip:",
    b".invalid",
    b".voip",
    b":APA91b",
];

/// The words that may stand where a text goes on with these bytes.
fn words_at(rest: &[u8]) -> Range<usize> {
    match (rest.first(), rest.get(1)) {
        (Some(b'<'), _) => 0..2,
        (Some(b'>'), _) => 2..7,
        (Some(b';'), Some(b'p')) => 7..14,
        (Some(b';'), Some(b't')) => 14..22,
        (Some(b';'), Some(b'+')) => 22..24,
        (Some(b';'), Some(b'r')) => 24..27,
        (Some(b';'), _) => 27..35,
        (Some(b','), _) => 35..36,
        (Some(b'.'), _) => 36..38,
        (Some(b':'), _) => 38..39,
        _ => 0..0,
    }
}

/// A run of tokens shorter than this takes no less in six bits for each.
const MIN_RUN: usize = 8;

/// As many hexadecimal digits in a row are no chance.
const MIN_HEX: usize = 16;

/// The longest run that one byte counts.
const MAX_RUN: usize = 255;

const MAX_LITERAL: usize = 64;

/// A UUID as text.
const UUID_LEN: usize = 36;
const UUID_HYPHENS: [usize; 4] = [8, 13, 18, 23];

const BASE64_CHARS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const HEX_CHARS: &[u8; 16] = b"0123456789abcdef";

/// For a byte that is none of them.
const NO_VALUE: u8 = u8::MAX;

const BASE64_VALUES: [u8; 256] = values(BASE64_CHARS);
const HEX_VALUES: [u8; 256] = values(HEX_CHARS);

const fn values(chars: &[u8]) -> [u8; 256] {
    let mut values = [NO_VALUE; 256];
    let mut value: u8 = 0;
    while (value as usize) < chars.len() {
        values[chars[value as usize] as usize] = value;
        value += 1;
    }
    values
}

fn base64_value(byte: u8) -> u8 {
    BASE64_VALUES[usize::from(byte)]
}

fn hex_value(byte: u8) -> u8 {
    HEX_VALUES[usize::from(byte)]
}

fn is_base64(byte: u8) -> bool {
    base64_value(byte) != NO_VALUE
}

fn is_hex(byte: u8) -> bool {
    hex_value(byte) != NO_VALUE
}

/// What is known without being told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'a> {
    /// The user of the address-of-record.
    pub(crate) user: &'a [u8],
    /// Where requests to the device go.
    pub(crate) peer: Option<SocketAddr>,
}

/// What a text can begin with that takes less than itself.
enum Token {
    Word(u8),
    Hex,
    Base64url,
    Uuid,
    User,
    Peer,
    PeerIp,
    Ipv4(Ipv4Addr, Option<u16>),
}

/// Adds `text` in short to `out`.
pub(crate) fn squeeze(text: &[u8], context: Context<'_>, out: &mut Vec<u8>) {
    let mut literal = 0;
    let mut at = 0;
    while at < text.len() {
        let (len, token) = next(text, at, context);
        if let Some(token) = token {
            put_literal(&text[literal..at], out);
            put(&token, &text[at..at + len], out);
            literal = at + len;
        }
        at += len;
    }
    put_literal(&text[literal..], out);
    out.push(END);
}

/// What stands at `at`, and how long it is; without a token it is taken as it is.
fn next(text: &[u8], at: usize, context: Context<'_>) -> (usize, Option<Token>) {
    let rest = &text[at..];
    let before = at.checked_sub(1).map_or(b' ', |before| text[before]);
    if before == b':'
        && let Some(behind) = rest.strip_prefix(context.user)
        && behind.first() == Some(&b'@')
    {
        return (context.user.len() + 1, Some(Token::User));
    }
    if !is_base64(rest[0]) {
        let found = words_at(rest).find(|word| rest.starts_with(WORDS[*word]));
        let word = found.and_then(|word| Some((WORDS[word].len(), u8::try_from(word).ok()?)));
        return match word {
            Some((len, word)) => (len, Some(Token::Word(word))),
            None => (1, None),
        };
    }
    if !is_base64(before) {
        if rest[0].is_ascii_digit()
            && let Some((len, ip, port)) = address(rest)
        {
            return (len, Some(address_token(ip, port, context.peer)));
        }
        if is_uuid(rest) {
            return (UUID_LEN, Some(Token::Uuid));
        }
    }
    run(rest)
}

/// A row of letters and digits up to where another kind is shorter.
fn run(rest: &[u8]) -> (usize, Option<Token>) {
    let mut digits = 0;
    let mut len = 0;
    for &byte in &rest[..rest.len().min(MAX_RUN)] {
        if !is_base64(byte) {
            break;
        }
        if is_hex(byte) {
            digits += 1;
            if digits == MIN_HEX && digits <= len {
                len = len + 1 - MIN_HEX;
                digits = 0;
                break;
            }
        } else if digits == len && len >= MIN_HEX {
            break;
        } else {
            digits = 0;
        }
        len += 1;
    }
    match len {
        MIN_HEX.. if digits == len => (len, Some(Token::Hex)),
        MIN_RUN.. => (len, Some(Token::Base64url)),
        _ => (len, None),
    }
}

fn is_uuid(rest: &[u8]) -> bool {
    rest.len() >= UUID_LEN
        && UUID_HYPHENS.iter().all(|at| rest[*at] == b'-')
        && (0..UUID_LEN).all(|at| is_hex(rest[at]) || UUID_HYPHENS.contains(&at))
}

/// An IPv4 address in its one spelling, and a port if one follows: its length, itself.
fn address(rest: &[u8]) -> Option<(usize, Ipv4Addr, Option<u16>)> {
    let mut octets = [0; 4];
    let mut at = 0;
    for (index, octet) in octets.iter_mut().enumerate() {
        if index > 0 {
            rest.get(at).filter(|byte| **byte == b'.')?;
            at += 1;
        }
        let (len, number) = decimal(&rest[at..])?;
        *octet = u8::try_from(number).ok()?;
        at += len;
    }
    // What goes on like a name is one.
    if rest
        .get(at)
        .is_some_and(|byte| is_base64(*byte) || *byte == b'.')
    {
        return None;
    }
    let ip = Ipv4Addr::from(octets);
    let port = rest.get(at).filter(|byte| **byte == b':').and_then(|_| {
        let (len, number) = decimal(&rest[at + 1..])?;
        Some((len, u16::try_from(number).ok()?))
    });
    match port {
        Some((len, port)) => Some((at + 1 + len, ip, Some(port))),
        None => Some((at, ip, None)),
    }
}

/// A number of up to five digits as it is written back, without zeros before it.
fn decimal(rest: &[u8]) -> Option<(usize, u32)> {
    let digits = rest.iter().take(6).take_while(|byte| byte.is_ascii_digit());
    let len = digits.clone().count();
    if len == 0 || len > 5 || (len > 1 && rest[0] == b'0') {
        return None;
    }
    let number = digits.fold(0, |number, digit| number * 10 + u32::from(digit - b'0'));
    Some((len, number))
}

fn address_token(ip: Ipv4Addr, port: Option<u16>, peer: Option<SocketAddr>) -> Token {
    match peer {
        Some(SocketAddr::V4(peer)) if *peer.ip() == ip && port == Some(peer.port()) => Token::Peer,
        Some(SocketAddr::V4(peer)) if *peer.ip() == ip && port.is_none() => Token::PeerIp,
        _ => Token::Ipv4(ip, port),
    }
}

fn put_literal(text: &[u8], out: &mut Vec<u8>) {
    for part in text.chunks(MAX_LITERAL) {
        out.push(u8::try_from(part.len() - 1).unwrap_or(0));
        out.extend(part);
    }
}

fn put(token: &Token, text: &[u8], out: &mut Vec<u8>) {
    match token {
        Token::Word(word) => out.push(FIRST_WORD + word),
        Token::Hex => {
            out.extend([HEX, u8::try_from(text.len()).unwrap_or(0)]);
            put_hex(text, out);
        }
        Token::Base64url => {
            out.extend([BASE64URL, u8::try_from(text.len()).unwrap_or(0)]);
            put_base64(text, out);
        }
        Token::Uuid => {
            out.push(UUID);
            for part in text.split(|byte| *byte == b'-') {
                put_hex(part, out);
            }
        }
        Token::User => out.push(USER),
        Token::Peer => out.push(PEER),
        Token::PeerIp => out.push(PEER_IP),
        Token::Ipv4(ip, port) => {
            out.push(port.map_or(IPV4, |_| IPV4_PORT));
            out.extend(ip.octets());
            out.extend(port.iter().flat_map(|port| port.to_le_bytes()));
        }
    }
}

fn put_hex(text: &[u8], out: &mut Vec<u8>) {
    out.extend(text.chunks(2).map(|pair| {
        let low = pair.get(1).map_or(0, |low| hex_value(*low));
        hex_value(pair[0]) << 4 | low
    }));
}

fn put_base64(text: &[u8], out: &mut Vec<u8>) {
    for four in text.chunks(4) {
        let value = |at: usize| four.get(at).map_or(0, |byte| base64_value(*byte));
        let [a, b, c, d] = [value(0), value(1), value(2), value(3)];
        let bytes = [a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d];
        out.extend(&bytes[..base64_bytes(four.len())]);
    }
}

/// Bytes that so many characters of six bits take.
fn base64_bytes(chars: usize) -> usize {
    (chars * 6).div_ceil(8)
}

/// Adds a text that was squeezed in the same context to `out`; `None` if it ends before its end.
pub(crate) fn expand(from: &mut Reader<'_>, context: Context<'_>, out: &mut Vec<u8>) -> Option<()> {
    loop {
        match from.byte()? {
            END => return Some(()),
            HEX => {
                let len = from.byte()?.into();
                take_hex(from, len, out)?;
            }
            BASE64URL => {
                let len = from.byte()?.into();
                take_base64(from, len, out)?;
            }
            UUID => {
                for (index, len) in [8, 4, 4, 4, 12].into_iter().enumerate() {
                    out.extend((index > 0).then_some(b'-'));
                    take_hex(from, len, out)?;
                }
            }
            USER => {
                out.extend(context.user);
                out.push(b'@');
            }
            PEER => write_address(context.peer?.ip(), Some(context.peer?.port()), out),
            PEER_IP => write_address(context.peer?.ip(), None, out),
            IPV4 => write_address(from.array::<4>()?.into(), None, out),
            IPV4_PORT => {
                let ip = from.array::<4>()?.into();
                write_address(ip, Some(u16::from_le_bytes(from.array()?)), out);
            }
            literal @ 0..FIRST_WORD => out.extend(from.bytes(usize::from(literal) + 1)?),
            word => out.extend(*WORDS.get(usize::from(word - FIRST_WORD))?),
        }
    }
}

fn write_address(ip: IpAddr, port: Option<u16>, out: &mut Vec<u8>) {
    // Writing to memory does not fail.
    let _ = match port {
        Some(port) => write!(out, "{ip}:{port}"),
        None => write!(out, "{ip}"),
    };
}

fn take_hex(from: &mut Reader<'_>, len: usize, out: &mut Vec<u8>) -> Option<()> {
    let bytes = from.bytes(len.div_ceil(2))?;
    let char = |value: u8| HEX_CHARS[usize::from(value & 15)];
    let end = out.len() + len;
    out.extend(bytes.iter().flat_map(|byte| [char(byte >> 4), char(*byte)]));
    out.truncate(end);
    Some(())
}

fn take_base64(from: &mut Reader<'_>, len: usize, out: &mut Vec<u8>) -> Option<()> {
    let bytes = from.bytes(base64_bytes(len))?;
    let char = |value: u8| BASE64_CHARS[usize::from(value & 63)];
    let end = out.len() + len;
    let (threes, rest) = bytes.as_chunks::<3>();
    let four = |&[a, b, c]: &[u8; 3]| {
        [
            char(a >> 2),
            char(a << 4 | b >> 4),
            char(b << 2 | c >> 6),
            char(c),
        ]
    };
    out.extend(threes.iter().flat_map(four));
    if let Some(&a) = rest.first() {
        out.extend(four(&[a, rest.get(1).copied().unwrap_or(0), 0]));
    }
    out.truncate(end);
    Some(())
}

#[cfg(test)]
mod tests;
