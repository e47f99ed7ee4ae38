//! Via: the way a response goes back (RFC 3261, section 20.42; RFC 3581).

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;

use crate::decimal::{push_decimal, push_ipv4};
use crate::header::scan;
use crate::host::{HostPort, parse_host_port};
use crate::params::{Params, ParamsRef};
use crate::transport::Transport;

/// What every branch of RFC 3261 starts with; others are from RFC 2543.
const MAGIC_COOKIE: &str = "z9hG4bK";

/// How nearly every Via begins.
const NAME_AND_VERSION: &str = "SIP/2.0/";

/// One element of the Via list: one hop of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Via {
    /// The transport as written; it may be one that we do not speak.
    pub protocol: String,
    /// What the sender believes to be its own address.
    pub sent_by: HostPort,
    /// `branch`, `received`, `rport` and others.
    pub params: Params,
}

/// The `rport` parameter (RFC 3581).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rport {
    /// Not there: answer to the port in `sent_by`.
    Absent,
    /// There without a value: the sender asks for the answer to come back where it sent from.
    Requested,
    /// Filled in by the server.
    Port(u16),
}

impl Via {
    /// A Via for a request of our own.
    pub fn new(transport: Transport, sent_by: HostPort, branch: &str) -> Self {
        let mut params = Params::new();
        params.set("branch", branch);
        Self {
            protocol: transport.as_str().to_owned(),
            sent_by,
            params,
        }
    }

    /// Reads one element.
    pub fn parse(text: &str) -> Option<Self> {
        let via = ViaRef::parse(text)?;
        Some(Self {
            protocol: via.protocol.to_owned(),
            sent_by: via.sent_by()?,
            params: via.params.to_owned(),
        })
    }

    /// The transport, if it is one that we speak.
    pub fn transport(&self) -> Option<Transport> {
        self.protocol.parse().ok()
    }

    /// The branch as written, also one of RFC 2543.
    pub fn branch(&self) -> Option<&str> {
        self.params.value("branch")
    }

    /// The branch if it identifies the transaction by itself: the magic cookie with something
    /// behind it (RFC 3261, section 17.2.3).
    pub fn transaction_branch(&self) -> Option<&str> {
        self.branch().filter(|branch| has_cookie(branch))
    }

    /// The address that the request came from, with or without brackets around IPv6; `None` if it
    /// is absent or no address.
    pub fn received(&self) -> Option<IpAddr> {
        let value = self.params.value("received")?;
        let bare = value
            .strip_prefix('[')
            .and_then(|value| value.strip_suffix(']'));
        bare.unwrap_or(value).parse().ok()
    }

    /// Whether the sender asks for, or a server has given, the port the request came from. A value
    /// that is no port counts as a request.
    pub fn rport(&self) -> Rport {
        match self.params.value("rport") {
            Some(port) => port.parse().map_or(Rport::Requested, Rport::Port),
            None if self.params.contains("rport") => Rport::Requested,
            None => Rport::Absent,
        }
    }

    /// Notes where the request came from: `received` always, `rport` if asked for.
    pub fn stamp(&mut self, source: SocketAddr) {
        self.params
            .set("received", source.ip().to_canonical().to_string());
        if self.rport() != Rport::Absent {
            self.params.set("rport", source.port().to_string());
        }
    }
}

/// Where the parts of an element stand that was written.
pub(crate) struct Stamped {
    /// Without blanks.
    pub(crate) sent_by: Range<usize>,
    pub(crate) branch: Option<Range<usize>>,
}

/// One element of the Via list, read in place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ViaRef<'a> {
    /// The whole element.
    text: &'a str,
    pub(crate) protocol: &'a str,
    /// Legal, as written.
    sent_by: &'a str,
    params: ParamsRef<'a>,
    /// Those of them that we look at ourselves, in order.
    known: [Option<KnownParam<'a>>; 3],
    /// Whether the element is written as we write it ourselves, as nearly all are.
    is_plain: bool,
}

/// A parameter that a stamp or a transaction is about: its name, and its value as written.
#[derive(Clone, Copy, Debug)]
struct KnownParam<'a> {
    kind: Known,
    name: &'a str,
    value: Option<&'a str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    Branch,
    Received,
    Rport,
}

impl Known {
    fn find(name: &str) -> Option<Self> {
        let (known, kind) = match name.len() {
            5 => ("rport", Self::Rport),
            6 => ("branch", Self::Branch),
            8 => ("received", Self::Received),
            _ => return None,
        };
        let is_it = name == known || name.eq_ignore_ascii_case(known);
        is_it.then_some(kind)
    }
}

impl<'a> ViaRef<'a> {
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let behind_ours = text.strip_prefix(NAME_AND_VERSION);
        let rest = match behind_ours {
            Some(rest) => rest,
            None => behind_version(text)?,
        };
        let rest = scan::trim(rest);
        let (protocol, rest) = rest.split_at(scan::token_len(rest.as_bytes()));
        let behind = rest.strip_prefix([' ', '\t'])?;
        let has_blank = find_blank(behind).is_some();
        let is_plain = !has_blank
            && rest.starts_with(' ')
            && behind_ours.is_some_and(|all| all.len() == protocol.len() + rest.len());
        let (sent_by, params) =
            behind.split_at(memchr::memchr(b';', behind.as_bytes()).unwrap_or(behind.len()));
        let (mut known, mut count) = ([None; 3], 0);
        let params = ParamsRef::parse_and_see(params, |name, value| {
            // Each name stands once in what is legal.
            if let (Some(kind), Some(free)) = (Known::find(name), known.get_mut(count)) {
                *free = Some(KnownParam { kind, name, value });
                count += 1;
            }
        })?;
        let via = Self {
            text,
            protocol,
            sent_by: scan::trim(sent_by),
            params,
            known,
            is_plain,
        };
        let is_legal = match has_blank {
            false => parse_host_port(via.sent_by).is_ok(),
            true => via.sent_by().is_some(),
        };
        is_legal.then_some(via)
    }

    /// As written, if no blank is in it.
    pub(crate) fn plain_sent_by(&self) -> Option<&'a str> {
        find_blank(self.sent_by).is_none().then_some(self.sent_by)
    }

    /// Blanks are allowed around the colon before the port.
    pub(crate) fn sent_by(&self) -> Option<HostPort> {
        if find_blank(self.sent_by).is_none() {
            return self.sent_by.parse().ok();
        }
        let (host, port) = self.sent_by.rsplit_once(':')?;
        format!("{}:{}", scan::trim(host), scan::trim(port))
            .parse()
            .ok()
    }

    /// Writes the element with a note of where the request came from, as [`Via::stamp`] makes it.
    pub(crate) fn write_stamped(&self, source: SocketAddr, out: &mut String) -> Option<Stamped> {
        if self.is_plain {
            return Some(self.write_stamped_plain(source, out));
        }
        let mut plain = [NAME_AND_VERSION, self.protocol, " "].concat();
        plain.extend(self.sent_by.split([' ', '\t']));
        plain.push_str(self.params.to_owned().as_str());
        let via = ViaRef::parse(&plain)?;
        Some(via.write_stamped_plain(source, out))
    }

    /// As [`write_stamped`](Self::write_stamped), of an element that is written as we write it: what stands before, between and
    /// behind the notes is copied as it is.
    fn write_stamped_plain(&self, source: SocketAddr, out: &mut String) -> Stamped {
        let sent_by = out.len() + NAME_AND_VERSION.len() + self.protocol.len() + 1;
        let mut stamped = Stamped {
            sent_by: sent_by..sent_by + self.sent_by.len(),
            branch: None,
        };
        let mut is_noted = false;
        // How much of the element is copied.
        let mut copied = 0;
        for KnownParam { kind, name, value } in self.known.iter().flatten() {
            let start = name.as_ptr().addr() - self.text.as_ptr().addr();
            let name_end = start + name.len();
            let end = name_end + value.map_or(0, |value| 1 + value.len());
            if *kind == Known::Branch {
                let behind = out.len() - copied;
                stamped.branch = value.map(|_| behind + name_end + 1..behind + end);
                continue;
            }
            out.push_str(&self.text[copied..name_end]);
            out.push('=');
            if *kind == Known::Received {
                is_noted = true;
                push_ip(source.ip(), out);
            } else {
                push_decimal(source.port().into(), out);
            }
            copied = end;
        }
        out.push_str(&self.text[copied..]);
        if !is_noted {
            out.push_str(";received=");
            push_ip(source.ip(), out);
        }
        stamped
    }

    /// The branch as written, also one of RFC 2543.
    pub(crate) fn branch(&self) -> Option<&'a str> {
        let mut known = self.known.iter().flatten();
        known.find(|param| param.kind == Known::Branch)?.value
    }
}

/// What stands behind the version, where blanks stand before it (RFC 3261, section 25.1, `SLASH`).
fn behind_version(text: &str) -> Option<&str> {
    let (name, rest) = text.split_once('/')?;
    let (version, rest) = rest.split_once('/')?;
    let is_ours = scan::trim(name).eq_ignore_ascii_case("SIP") && scan::trim(version) == "2.0";
    is_ours.then_some(rest)
}

fn find_blank(text: &str) -> Option<usize> {
    memchr::memchr2(b' ', b'\t', text.as_bytes())
}

fn push_ip(ip: IpAddr, text: &mut String) {
    match ip.to_canonical() {
        IpAddr::V4(ip) => push_ipv4(ip, text),
        IpAddr::V6(ip) => text.push_str(&ip.to_string()),
    }
}

/// Whether a branch identifies the transaction by itself ([`Via::transaction_branch`]).
pub(crate) fn has_cookie(branch: &str) -> bool {
    let parts = branch.split_at_checked(MAGIC_COOKIE.len());
    parts
        .is_some_and(|(cookie, rest)| cookie.eq_ignore_ascii_case(MAGIC_COOKIE) && !rest.is_empty())
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "SIP/2.0/{} {}{}",
            self.protocol, self.sent_by, self.params
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_may_stand_between_all_parts() {
        let via = Via::parse(
            "SIP  / 2.0  / TCP     spindle.example.com : 5070  ; branch  =   z9hG4bK9ikj8",
        )
        .unwrap();
        assert_eq!(
            via.to_string(),
            "SIP/2.0/TCP spindle.example.com:5070;branch=z9hG4bK9ikj8"
        );
        assert_eq!(via.transport(), Some(Transport::Tcp));
    }

    #[test]
    fn ipv6_and_unknown_transports_are_read() {
        let via = Via::parse(
            "SIP/2.0/UNKNOWN [2001:db8::9:1]:5060;branch=z9hG4bKas3;received=[2001:db8::9:255]",
        )
        .unwrap();
        assert_eq!((via.protocol.as_str(), via.transport()), ("UNKNOWN", None));
        assert_eq!(via.sent_by.to_string(), "[2001:db8::9:1]:5060");
        assert_eq!(via.received(), Some("2001:db8::9:255".parse().unwrap()));
        let bare = Via::parse("SIP/2.0/UDP [::1];received=2001:db8::9:255").unwrap();
        assert_eq!(bare.received(), via.received());
    }

    #[test]
    fn only_a_cookie_with_something_behind_it_identifies_a_transaction() {
        let branch = |text: &str| {
            Via::parse(&format!("SIP/2.0/UDP h{text}"))
                .unwrap()
                .transaction_branch()
                .map(str::to_owned)
        };
        assert_eq!(branch(";branch=z9hG4bKa"), Some("z9hG4bKa".to_owned()));
        assert_eq!(branch(";branch=z9hG4bK"), None);
        assert_eq!(branch(";branch=old"), None);
        assert_eq!(branch(";branch=z9hG4b\u{e9}x"), None);
        assert_eq!(branch(""), None);
    }

    #[test]
    fn a_stamp_replaces_what_the_sender_claimed() {
        let mut via = Via::parse("SIP/2.0/UDP h;rport;received=1.2.3.4;branch=z9hG4bKa").unwrap();
        assert_eq!(via.rport(), Rport::Requested);
        via.stamp("192.0.2.1:4000".parse().unwrap());
        assert_eq!(
            via.to_string(),
            "SIP/2.0/UDP h;rport=4000;received=192.0.2.1;branch=z9hG4bKa"
        );
        let mut silent = Via::parse("SIP/2.0/UDP h").unwrap();
        silent.stamp("[2001:db8::1]:4000".parse().unwrap());
        assert_eq!(silent.to_string(), "SIP/2.0/UDP h;received=2001:db8::1");
        assert_eq!(silent.rport(), Rport::Absent);
    }

    #[test]
    fn a_stamp_in_place_is_the_same_and_tells_where_the_parts_stand() {
        for source in [
            "192.0.2.1:4000",
            "[2001:db8::1]:4000",
            "[::ffff:192.0.2.255]:5",
        ] {
            let source = source.parse().unwrap();
            for text in [
                "SIP/2.0/UDP h",
                "SIP/2.0/UDP h;rport",
                "SIP/2.0/UDP h;branch=z9hG4bKa;rport",
                "SIP/2.0/UDP h;rport;branch=z9hG4bKa",
                "SIP/2.0/UDP h;received=192.0.2.77;branch=z9hG4bKa;rport=77;y",
                "SIP/2.0/UDP h;branch",
                "SIP/2.0/TCP H : 5070 ;rport;branch=z9hG4bKa",
                "SIP/2.0/UDP\th;branch=a",
                "SIP/2.0/UDP  h;branch=a",
                "SIP/2.0/ UDP h;branch=a",
                " SIP / 2.0/UDP h;branch=a",
                "sip/2.0/UDP h;branch=a",
                "SIP/2.0/UDP h ;branch=a",
                "SIP/2.0/UDP h;branch= a;rport",
                "SIP/2.0/UDP h;branch=a; rport ;x",
                "SIP/2.0/UDP h;branch=a ",
                "SIP/2.0/UDP h;x=\"; rport\";branch=a",
                "SIP/2.0/UDP [2001:db8::2]:1;RPORT=7;received=1.2.3.4;x=\";\";branch=z9hG4bKa;y",
            ] {
                let mut via = Via::parse(text).unwrap();
                via.stamp(source);
                let mut out = "Via: ".to_owned();
                let stamped = ViaRef::parse(text)
                    .unwrap()
                    .write_stamped(source, &mut out)
                    .unwrap();
                assert_eq!(out["Via: ".len()..], via.to_string(), "{text}");
                let sent_by: HostPort = out[stamped.sent_by].parse().unwrap();
                assert_eq!(sent_by, via.sent_by, "{text}");
                assert_eq!(stamped.branch.map(|place| &out[place]), via.branch());
            }
        }
    }

    #[test]
    fn what_is_no_via_is_refused() {
        for text in [
            "",
            "SIP/2.0/UDP",
            "SIP/2.0/UDP ",
            "SIP/7.0/UDP h",
            "HTTP/2.0/UDP h",
            "SIP/2.0/UDPh",
            "SIP/2.0/ h",
            "SIP/2.0/U/D h",
            "SIP/2.0/UDP <h",
            "SIP/2.0/UDP h;x=<a",
            "SIP/2.0/UDP h;x=\"a",
            "SIP/2.0/UDP h;;",
            "SIP/2.0/UDP h;branch=",
            "SIP/2.0/UDP h i",
        ] {
            assert_eq!(Via::parse(text), None, "{text}");
            assert!(ViaRef::parse(text).is_none(), "{text}");
        }
    }
}
