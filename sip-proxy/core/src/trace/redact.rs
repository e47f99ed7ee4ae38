//! A message as people may see it: without what would let them act as somebody else.
//!
//! Cut are the credentials of all four header fields that carry them, passwords in addresses, push tokens (RFC 8599) however they are
//! escaped, keys of media, and every body that is no session description: a MESSAGE is private, the digits of an INFO may be a code.

use std::borrow::Cow;
use std::fmt::Write as _;

/// What stands where something was cut.
const CUT: &str = "***";

/// Longest text that is kept, in bytes.
const MAX_TEXT_BYTES: usize = 8_192;

/// Header fields whose values are credentials, or help to find them out.
const SECRET_HEADERS: [&str; 7] = [
    "authorization",
    "proxy-authorization",
    "www-authenticate",
    "proxy-authenticate",
    "authentication-info",
    "proxy-authentication-info",
    "identity",
];

/// Parameters that let their holder wake somebody's device, and the header fields of an address that carry credentials.
const SECRET_PARAMS: [&str; 3] = ["pn-prid", "pn-param", "authorization"];

/// Lines of a session description that are keys.
const SECRET_LINES: [&str; 5] = ["a=crypto:", "a=key-mgmt:", "a=ice-pwd:", "a=key:", "k="];

/// The longest of them.
const MAX_SECRET_NAME: usize = 11;

/// The message as text, lines ending with LF.
pub(super) fn redact(message: &[u8]) -> String {
    let text = normal(message);
    let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
    let mut out = String::with_capacity(text.len());
    let mut contents = Vec::new();
    for (number, line) in head.trim_end_matches('\n').split('\n').enumerate() {
        let (name, value) = match line.split_once(':') {
            Some((name, value)) if number > 0 => (name.trim(), value.trim()),
            _ => ("", line),
        };
        let lower = name.to_ascii_lowercase();
        match lower.as_str() {
            "content-type" | "c" => contents.push(value.to_ascii_lowercase()),
            // What it is packed into hides what it is.
            "content-encoding" | "e" => contents.push(String::new()),
            _ => {}
        }
        if !name.is_empty() {
            out.push_str(name);
            out.push_str(": ");
        }
        if SECRET_HEADERS.contains(&lower.as_str()) {
            out.push_str(&scheme(value));
            out.push_str(CUT);
        } else {
            out.push_str(&without_secrets(value));
        }
        out.push('\n');
    }
    let is_sdp = |content: &String| content.starts_with("application/sdp");
    let shown = !contents.is_empty() && contents.iter().all(is_sdp);
    push_body(body, shown, &mut out);
    shorten(printable(&out))
}

/// The start line without secrets.
pub(super) fn first_line(message: &[u8]) -> String {
    let end = message
        .iter()
        .position(|byte| matches!(byte, b'\r' | b'\n'));
    let line = String::from_utf8_lossy(&message[..end.unwrap_or(message.len())]);
    shorten(printable(&without_secrets(&line)))
}

/// The method of a request, or of a response's CSeq.
pub(super) fn method(message: &[u8]) -> String {
    let text = normal(message);
    let mut lines = text.split('\n');
    let first = lines.next().and_then(|line| line.split(' ').next());
    let method = match first.unwrap_or_default() {
        "SIP/2.0" => lines.find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let is_cseq = name.trim().eq_ignore_ascii_case("cseq");
            is_cseq.then(|| value.split_ascii_whitespace().nth(1))?
        }),
        method => Some(method),
    };
    let is_method = |method: &&str| method.bytes().all(|byte| byte.is_ascii_alphabetic());
    method.filter(is_method).unwrap_or_default().to_owned()
}

/// Every line ends with one LF, and a folded line is one line: nothing hides behind an unusual line end.
fn normal(message: &[u8]) -> String {
    let text = String::from_utf8_lossy(message);
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let (head, body) = match text.split_once("\n\n") {
        Some((head, body)) => (head, Some(body)),
        None => (&*text, None),
    };
    let mut text = head.replace("\n ", " ").replace("\n\t", " ");
    if let Some(body) = body {
        text.push_str("\n\n");
        text.push_str(body);
    }
    text
}

/// The scheme that credentials begin with, and a blank; nothing if they do not.
fn scheme(credentials: &str) -> String {
    match credentials.split_once(' ') {
        Some((scheme, _)) if scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            format!("{scheme} ")
        }
        _ => String::new(),
    }
}

fn push_body(body: &str, shown: bool, out: &mut String) {
    if body.is_empty() {
        return;
    }
    out.push('\n');
    if !shown {
        let _ = writeln!(out, "[{} bytes]", body.len());
        return;
    }
    for line in body.lines() {
        let start: String = line
            .chars()
            .filter(|c| !c.is_whitespace())
            .take(MAX_SECRET_NAME)
            .collect();
        let start = start.to_ascii_lowercase();
        match SECRET_LINES
            .iter()
            .find(|secret| start.starts_with(**secret))
        {
            Some(secret) => {
                let _ = writeln!(out, "{secret}{CUT}");
            }
            None => {
                out.push_str(line);
                out.push('\n');
            }
        }
    }
}

/// A value without passwords and push tokens.
fn without_secrets(value: &str) -> Cow<'_, str> {
    let lower = value.to_ascii_lowercase();
    if SECRET_PARAMS.iter().any(|name| lower.contains(name)) {
        return Cow::Owned(without_passwords(&without_params(value)));
    }
    // `%70n-prid` is the same parameter; nobody writes it so but to hide it.
    let unescaped = unescape(&lower);
    if SECRET_PARAMS.iter().any(|name| unescaped.contains(name)) {
        return Cow::Borrowed(CUT);
    }
    if value.contains('@') {
        return Cow::Owned(without_passwords(value));
    }
    Cow::Borrowed(value)
}

fn without_params(value: &str) -> String {
    let mut out = String::new();
    let mut rest = value;
    loop {
        let lower = rest.to_ascii_lowercase();
        let found = SECRET_PARAMS
            .iter()
            .filter_map(|name| lower.find(name).map(|at| at + name.len()))
            .min();
        let Some(end) = found else {
            out.push_str(rest);
            return out;
        };
        out.push_str(&rest[..end]);
        rest = &rest[end..];
        let value = rest.trim_start();
        let Some(value) = value.strip_prefix('=') else {
            continue;
        };
        out.push('=');
        out.push_str(CUT);
        rest = after_value(value.trim_start());
    }
}

/// What follows a parameter's value, which may be quoted.
fn after_value(value: &str) -> &str {
    if let Some(quoted) = value.strip_prefix('"') {
        let mut escaped = false;
        for (at, c) in quoted.char_indices() {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => return &quoted[at + 1..],
                _ => {}
            }
        }
        return "";
    }
    let end = value.find([';', '>', '?', ',', ' ', '\t']);
    &value[end.unwrap_or(value.len())..]
}

/// `sip:user:password@host` without the password, wherever it stands.
fn without_passwords(value: &str) -> String {
    let mut out = String::new();
    for (number, part) in value.split('@').enumerate() {
        if number > 0 {
            out.push('@');
        }
        out.push_str(part);
        let user_at = out.rfind(['<', ' ', ',', '"']).map_or(0, |at| at + 1);
        let is_last = value.len() == offset(value, part) + part.len();
        let user = &out[user_at..];
        let mut colons = user.match_indices(':').map(|(at, _)| at);
        if let (false, Some(_), Some(password)) = (is_last, colons.next(), colons.next()) {
            out.truncate(user_at + password + 1);
            out.push_str(CUT);
        }
    }
    out
}

/// Where `part` begins in `whole`, of which it is a slice.
fn offset(whole: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize)
}

fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        let digits = more.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let escaped = digits.and_then(|two| u8::from_str_radix(two, 16).ok());
        match escaped {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &more[2..];
            }
            _ => {
                bytes.push(*first);
                rest = more;
            }
        }
    }
    String::from_utf8_lossy(&bytes).to_ascii_lowercase()
}

/// Nothing that would steer a terminal or a page.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\t' => c,
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect()
}

fn shorten(mut text: String) -> String {
    if text.len() > MAX_TEXT_BYTES {
        let end = (0..=MAX_TEXT_BYTES)
            .rev()
            .find(|at| text.is_char_boundary(*at));
        text.truncate(end.unwrap_or(0));
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stands in every place where a secret may be.
    const CANARY: &str = "c4n4ry";

    #[test]
    fn no_secret_is_seen_wherever_it_stands() {
        for line in [
            "Authorization: Digest username=\"u\", response=\"c4n4ry\"",
            "AUTHORIZATION : Digest c4n4ry",
            "Proxy-Authorization:Digest response=\"c4n4ry\"",
            "Proxy-Authorization: Digest username=\"u\",\r\n  response=\"c4n4ry\"",
            "Proxy-Authorization: c4n4ry=1",
            "Authentication-Info: nextnonce=\"c4n4ry\"",
            "WWW-Authenticate: Digest nonce=\"c4n4ry\"",
            "Contact: <sip:a@b;pn-provider=x;pn-prid=c4n4ry:%26;pn-param=c4n4ry>;expires=1",
            "m: <sip:a@b;PN-PRID=c4n4ry>",
            "Contact: <sip:a@b;%70n-prid=c4n4ry>",
            "Contact: <sip:a@b;pn%2dprid=c4n4ry>",
            "Contact: <sip:a@b;pn-prid = \"c4n4ry \\\" c4n4ry\">",
            "Contact: <sip:a@b;pn-prid=\r\n c4n4ry>",
            "Contact: \"x\" <sip:a:c4n4ry@b>, <sips:d:c4n4ry@e>",
            "To: sip:a:c4n4ry@b",
            "Refer-To: <sip:a:c4n4ry@b?Replaces=1%40c>",
            "Refer-To: <sip:a@b?Authorization=Digest%20response%3Dc4n4ry&Replaces=1%40c>",
            "Refer-To: <sip:a@b?Replaces=1&Proxy-Authorization=c4n4ry>",
            "Alert-Info: <http://a:c4n4ry@b/ring>",
            "X: y\nAuthorization: Digest c4n4ry",
            "X: y\rAuthorization: Digest c4n4ry",
            "Authorization\t: c4n4ry",
            "Authorization: Bearer c4n4ry",
            "Identity: c4n4ry;info=<https://a.test/cert>",
        ] {
            let text = format!("REGISTER sip:x SIP/2.0\r\n{line}\r\nCall-ID: 1\r\n\r\n");
            let seen = redact(text.as_bytes());
            assert!(!seen.contains(CANARY), "{line}: {seen}");
            assert!(
                seen.contains(CUT) && seen.ends_with("Call-ID: 1\n"),
                "{line}: {seen}"
            );
        }
        let request = b"INVITE sip:a:c4n4ry@b;pn-prid=c4n4ry SIP/2.0\r\n\r\n";
        assert_eq!(redact(request), "INVITE sip:a:***@b;pn-prid=*** SIP/2.0\n");
        assert_eq!(
            first_line(request),
            "INVITE sip:a:***@b;pn-prid=*** SIP/2.0"
        );
    }

    #[test]
    fn no_key_and_no_private_body_is_seen() {
        let description = "v=0\r\na=crypto:1 AES inline:c4n4ry\r\nA=CRYPTO:c4n4ry\r\na=key-mgmt:mikey c4n4ry\r\n\
                           a=ice-pwd:c4n4ry\r\nk=clear:c4n4ry\r\na=key:c4n4ry\r\na=x\ra=crypto:c4n4ry\r\na= crypto:c4n4ry\r\n\
                           a=fingerprint:sha-256 AB\r\n";
        let text = |content_type: &str, body: &str| {
            format!("INVITE sip:x SIP/2.0\r\nContent-Type: {content_type}\r\n\r\n{body}")
        };
        let seen = redact(text("application/sdp", description).as_bytes());
        assert!(!seen.contains(CANARY), "{seen}");
        assert!(seen.contains("a=fingerprint:sha-256 AB"), "{seen}");
        for content_type in ["text/plain", "application/dtmf-relay", "multipart/mixed"] {
            let seen = redact(text(content_type, "Signal=c4n4ry").as_bytes());
            assert!(
                !seen.contains(CANARY) && seen.contains("[13 bytes]"),
                "{seen}"
            );
        }
        for more in ["Content-Encoding: gzip", "e: gzip", "c: text/plain"] {
            let packed = format!(
                "INVITE sip:x SIP/2.0\r\nContent-Type: application/sdp\r\n{more}\r\n\r\nc4n4ry"
            );
            assert!(!redact(packed.as_bytes()).contains(CANARY), "{more}");
        }
        let without_type = redact(b"MESSAGE sip:x SIP/2.0\r\n\r\nc4n4ry");
        assert!(!without_type.contains(CANARY));
    }

    #[test]
    fn ordinary_lines_stay_as_they_are() {
        let text = "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP [::1]:5060;branch=z9hG4bK1\r\nFrom: \"A: @\" <sip:a@b:5060>;tag=1\r\n\
                    Contact: <sip:a@b:5060;transport=tcp>\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(
            redact(text.as_bytes()),
            text.replace("\r\n", "\n").trim_end().to_owned() + "\n"
        );
        assert_eq!(
            redact(b"\x1b[2J\xff\xe2\x80\xae"),
            "\u{fffd}[2J\u{fffd}\u{fffd}\n"
        );
    }

    #[test]
    fn the_method_of_a_response_is_in_its_cseq() {
        assert_eq!(
            method(b"BYE sip:a SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\n"),
            "BYE"
        );
        assert_eq!(
            method(b"SIP/2.0 200 OK\r\nCSEQ : 1 INVITE\r\n\r\n"),
            "INVITE"
        );
        assert_eq!(method(b"SIP/2.0 200 OK\r\n\r\n"), "");
    }

    #[test]
    fn long_texts_end_somewhere() {
        let seen = redact("ä".repeat(20_000).as_bytes());
        assert!(seen.len() < MAX_TEXT_BYTES + 8);
    }
}
