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

mod runs;

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Range;

use crate::reader::Reader;
use runs::{is_base64, is_hex, put_base64, put_hex, take_base64, take_hex};

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

/// Adds a text that was squeezed in the same context to `out`; `None` if it ends before its end.
pub(crate) fn expand(from: &mut Reader<'_>, context: Context<'_>, out: &mut Vec<u8>) -> Option<()> {
    loop {
        let kind = from.byte()?;
        match kind {
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
            PEER | PEER_IP | IPV4 | IPV4_PORT => {
                let (ip, port) = read_address(kind, from, context)?;
                write_address(ip, port, out);
            }
            literal @ 0..FIRST_WORD => out.extend(from.bytes(usize::from(literal) + 1)?),
            word => out.extend(*WORDS.get(usize::from(word - FIRST_WORD))?),
        }
    }
}

/// The address that a byte of this kind stands for.
fn read_address(
    kind: u8,
    from: &mut Reader<'_>,
    context: Context<'_>,
) -> Option<(Ipv4Addr, Option<u16>)> {
    match kind {
        IPV4 => Some((from.array::<4>()?.into(), None)),
        IPV4_PORT => {
            let ip = from.array::<4>()?.into();
            Some((ip, Some(u16::from_le_bytes(from.array()?))))
        }
        _ => match context.peer? {
            SocketAddr::V4(peer) => Some((*peer.ip(), (kind == PEER).then_some(peer.port()))),
            SocketAddr::V6(_) => None,
        },
    }
}

fn write_address(ip: Ipv4Addr, port: Option<u16>, out: &mut Vec<u8>) {
    let [first, rest @ ..] = ip.octets();
    write_decimal(first.into(), out);
    for octet in rest {
        out.push(b'.');
        write_decimal(octet.into(), out);
    }
    if let Some(port) = port {
        out.push(b':');
        write_decimal(port, out);
    }
}

fn write_decimal(number: u16, out: &mut Vec<u8>) {
    let mut digits = [0; 5];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        digits[at] = b"0123456789"[usize::from(rest % 10)];
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests;
