//! Which of several shards a domain belongs to.
//!
//! Accounts, bindings, subscriptions and the calls that its accounts begin belong to one shard for each domain: whatever tenants do among
//! themselves, transfers, pickup and watched lines included, happens in one machine. A call to another domain asks that domain's shard for
//! the callee's contacts and lives where its caller does.
//!
//! ```text
//!   Call-ID that a shard has made ──► that shard
//!   REGISTER, any response        ──► the shard of To's domain
//!   any other request             ──► the shard of From's domain
//! ```
//!
//! In a dialog that a caller has made, From of his requests and To of his responses name him. In one that we have made towards a callee the
//! Call-ID says whose it is.
//!
//! Invariant: [`select`] says the same for every message of a dialog, from raw bytes, and what it says of a domain is what
//! [`Share::owner`] says.

use std::hash::{DefaultHasher, Hasher};

/// How a Call-ID begins that a shard has made; its number and a hyphen follow.
const MARK: &[u8] = b"shard-";

/// Lines of a head that are looked at; more than any honest message has.
const MAX_LINES: usize = 128;

/// One of several shards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    index: usize,
    count: usize,
}

impl Default for Share {
    /// The only one.
    fn default() -> Self {
        Self { index: 0, count: 1 }
    }
}

impl Share {
    /// All of them.
    pub fn all(count: std::num::NonZeroUsize) -> impl Iterator<Item = Self> {
        let count = count.get();
        (0..count).map(move |index| Self { index, count })
    }

    /// Which one it is.
    #[must_use]
    pub fn index(self) -> usize {
        self.index
    }

    /// Whether there is no other one.
    pub(crate) fn is_alone(self) -> bool {
        self.count == 1
    }

    /// The index of the shard that a domain belongs to.
    #[must_use]
    pub fn owner(self, domain: &str) -> usize {
        let count = u64::try_from(self.count).unwrap_or(u64::MAX);
        usize::try_from(of_domain(domain.as_bytes()) % count).unwrap_or(0)
    }

    /// Whether a domain belongs to this shard.
    #[must_use]
    pub fn owns(self, domain: &str) -> bool {
        self.count == 1 || self.owner(domain) == self.index
    }

    /// What its Call-IDs begin with.
    pub(crate) fn call_id_prefix(self) -> String {
        match self.count {
            1 => String::new(),
            _ => format!("shard-{}-", self.index),
        }
    }
}

fn of_domain(domain: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for byte in domain {
        hasher.write_u8(byte.to_ascii_lowercase());
    }
    hasher.finish()
}

/// The shard that a message belongs to, to be taken modulo the number of shards. Believes nothing and never fails: a message that is no
/// message goes somewhere.
#[must_use]
pub fn select(message: &[u8]) -> u64 {
    let head = Head::of(message);
    let is_register = message.starts_with(b"REGISTER ");
    if let Some(made_by) = head.call_id.and_then(maker)
        && !is_register
    {
        return made_by;
    }
    let by_to = is_register || message.starts_with(b"SIP/2.0 ");
    let party = if by_to { head.to } else { head.from };
    of_domain(party.map_or(&[], domain))
}

/// The shard that has made a Call-ID.
fn maker(call_id: &[u8]) -> Option<u64> {
    let rest = call_id.strip_prefix(MARK)?;
    let end = rest.iter().position(|byte| *byte == b'-')?;
    str::from_utf8(&rest[..end]).ok()?.parse().ok()
}

/// The values that decide, each with the lines it is folded over.
#[derive(Default)]
struct Head<'a> {
    from: Option<&'a [u8]>,
    to: Option<&'a [u8]>,
    call_id: Option<&'a [u8]>,
}

impl<'a> Head<'a> {
    fn of(message: &'a [u8]) -> Self {
        let mut head = Self::default();
        let mut at = message
            .iter()
            .take_while(|byte| b"\r\n".contains(byte))
            .count();
        for _ in 0..MAX_LINES {
            let rest = &message[at..];
            let end = field_end(rest);
            let field = rest[..end].trim_ascii_end();
            if field.is_empty() {
                break;
            }
            head.note(field);
            at += end;
        }
        head
    }

    fn note(&mut self, field: &'a [u8]) {
        // Most header fields are others.
        let place = match field.first() {
            Some(b'f' | b'F') => (&mut self.from, &b"From"[..], b'f'),
            Some(b't' | b'T') => (&mut self.to, &b"To"[..], b't'),
            Some(b'c' | b'C' | b'i' | b'I') => (&mut self.call_id, &b"Call-ID"[..], b'i'),
            _ => return,
        };
        let (value, long, short) = place;
        let Some(colon) = field.iter().position(|byte| *byte == b':') else {
            return;
        };
        let name = field[..colon].trim_ascii_end();
        let is_it = name.eq_ignore_ascii_case(long) || name.eq_ignore_ascii_case(&[short]);
        if is_it && value.is_none() {
            *value = Some(field[colon + 1..].trim_ascii());
        }
    }
}

/// Where the first header field ends, with the lines that it is folded over and its line end.
fn field_end(text: &[u8]) -> usize {
    let mut end = 0;
    loop {
        let Some(line) = text[end..].iter().position(|byte| *byte == b'\n') else {
            return text.len();
        };
        end += line + 1;
        let is_blank = text[..end].trim_ascii().is_empty();
        if is_blank || !text.get(end).is_some_and(|next| b" \t".contains(next)) {
            return end;
        }
    }
}

/// The host of a name-addr or addr-spec.
fn domain(value: &[u8]) -> &[u8] {
    let uri = match bracketed(value) {
        Some(uri) => uri,
        // Without brackets parameters are the header's (RFC 3261, section 20).
        None => value.split(|byte| *byte == b';').next().unwrap_or_default(),
    };
    let rest = match uri.iter().position(|byte| *byte == b':') {
        Some(scheme) => &uri[scheme + 1..],
        None => uri,
    };
    let host = match rest.iter().rposition(|byte| *byte == b'@') {
        Some(at) => &rest[at + 1..],
        None => rest,
    };
    let end = match host.first() {
        Some(b'[') => host
            .iter()
            .position(|byte| *byte == b']')
            .map(|end| end + 1),
        _ => host.iter().position(|byte| b":;?> \t\r\n".contains(byte)),
    };
    &host[..end.unwrap_or(host.len())]
}

/// What stands between angle brackets, those in a quoted name aside.
fn bracketed(value: &[u8]) -> Option<&[u8]> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (at, byte) in value.iter().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_quoted => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            b'<' if !is_quoted => {
                let rest = &value[at + 1..];
                let end = rest.iter().position(|byte| *byte == b'>');
                return Some(&rest[..end.unwrap_or(rest.len())]);
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;

    fn message(start: &str, from: &str, to: &str, call_id: &str) -> Vec<u8> {
        format!("{start}\r\nVia: SIP/2.0/UDP h\r\nFrom: {from}\r\nTo: {to}\r\nCall-ID: {call_id}\r\n\r\nTo: <sip:x@body>\r\n")
            .into_bytes()
    }

    #[test]
    fn a_domain_is_found_however_it_is_written() {
        for value in [
            "<sip:a@acme.test>;tag=1",
            "sip:a@Acme.Test;tag=1",
            "\"b <sip:x@y>, \\\"\" <sips:a@acme.test:5061;transport=tls>",
            "A B<sip:acme.test>",
            "\r\n <sip:a;b=c@acme.test?x=y>",
            "sip:user%40x@acme.test",
        ] {
            let found = domain(value.as_bytes().trim_ascii());
            assert!(found.eq_ignore_ascii_case(b"acme.test"), "{value}");
        }
        assert_eq!(domain(b"<sip:a@[2001:db8::1]:5060>"), b"[2001:db8::1]");
        assert_eq!(domain(b""), b"");
    }

    #[test]
    fn all_messages_of_a_dialog_go_where_its_caller_is() {
        let (caller, callee) = ("<sip:a@one.test>;tag=1", "<sip:b@two.test>;tag=2");
        let own = of_domain(b"one.test");
        let bye = "BYE sip:proxy SIP/2.0";
        // The caller's leg: his requests and his answers to ours.
        for (start, from, to) in [
            ("INVITE sip:b@two.test SIP/2.0", caller, "<sip:b@two.test>"),
            (bye, caller, callee),
            ("SIP/2.0 200 OK", callee, caller),
            (
                "REGISTER sip:one.test SIP/2.0",
                "<sip:boss@two.test>",
                caller,
            ),
        ] {
            assert_eq!(select(&message(start, from, to, "x")), own, "{start}");
        }
        // The callee's leg, which we have made.
        for (start, from, to) in [(bye, callee, caller), ("SIP/2.0 180 R", caller, callee)] {
            assert_eq!(
                select(&message(start, from, to, "shard-7-ab")),
                7,
                "{start}"
            );
        }
        let register = message(
            "REGISTER sip:one.test SIP/2.0",
            caller,
            caller,
            "shard-7-ab",
        );
        assert_eq!(select(&register), own);
    }

    #[test]
    fn folded_short_and_odd_fields_decide_too() {
        let short =
            b"INVITE sip:b SIP/2.0\nf : \n <sip:a@one.test>;tag=1\nt: <sip:b@two.test>\ni: 1\n\n";
        assert_eq!(select(short), of_domain(b"one.test"));
        let leading = [b"\r\n\r\n".as_slice(), short].concat();
        assert_eq!(select(&leading), of_domain(b"one.test"));
        for nonsense in [
            &b""[..],
            b"\r\n\r\n",
            b"x",
            b"Call-ID: shard--",
            b"From\r\n\r\n",
        ] {
            assert_eq!(select(nonsense), of_domain(b""), "{nonsense:?}");
        }
    }

    #[test]
    fn every_domain_has_one_owner() {
        let shares: Vec<_> = Share::all(NonZeroUsize::new(3).unwrap()).collect();
        for number in 0..50 {
            let domain = format!("tenant-{number}.test");
            let owners = shares.iter().filter(|share| share.owns(&domain));
            assert_eq!(owners.count(), 1, "{domain}");
        }
        assert!(Share::default().owns("acme.test"));
        assert_eq!(Share::default().call_id_prefix(), "");
        assert_eq!(maker(shares[2].call_id_prefix().as_bytes()), Some(2));
    }
}
