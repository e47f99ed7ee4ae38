//! One `a=candidate` (RFC 8839 section 5.1): an address that its writer may be reached at.
//!
//! ```text
//! 1          1         UDP       2130706431 192.0.2.1 4000 typ host
//! foundation component transport priority   address   port     type [raddr a rport p] [name value]…
//! ```

use std::fmt;
use std::net::SocketAddr;

/// Longest foundation (RFC 8839 section 5.1).
const MAX_FOUNDATION: usize = 32;
/// Highest component; 1 is RTP, 2 is RTCP.
const MAX_COMPONENT: u16 = 256;
/// Extensions that are kept.
const MAX_EXTENSIONS: usize = 8;

/// A candidate as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The same for candidates that are likely to fail together.
    pub foundation: String,
    /// 1 for RTP, 2 for RTCP.
    pub component: u16,
    /// `UDP`, or what this crate does not know.
    pub transport: String,
    /// 1–2³¹−1, the highest is checked first.
    pub priority: u32,
    /// An IP address, or a name.
    pub address: String,
    /// Port.
    pub port: u16,
    /// How its writer came by it.
    pub kind: CandidateKind,
    /// What it was derived from; for people who look for mistakes.
    pub related: Option<(String, u16)>,
    /// Names and values that follow.
    pub extensions: Vec<(String, String)>,
}

/// The types of RFC 8445.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CandidateKind {
    /// An address of the writer's own machine.
    Host,
    /// What a STUN server saw.
    ServerReflexive,
    /// What the peer saw.
    PeerReflexive,
    /// An address of the writer's TURN server.
    Relayed,
}

impl CandidateKind {
    const ALL: [(&str, Self); 4] = [
        ("host", Self::Host),
        ("srflx", Self::ServerReflexive),
        ("prflx", Self::PeerReflexive),
        ("relay", Self::Relayed),
    ];

    /// As it stands after `typ`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::ServerReflexive => "srflx",
            Self::PeerReflexive => "prflx",
            Self::Relayed => "relay",
        }
    }
}

impl Candidate {
    /// Reads the value of the attribute. `None` if it does not follow the grammar or is of an unknown type: the writer's
    /// other candidates count all the same.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let foundation = words.next().filter(|text| is_foundation(text))?.to_owned();
        let component = number(words.next()?).filter(|n| (1..=MAX_COMPONENT).contains(n))?;
        let transport = words.next()?.to_owned();
        let priority = number(words.next()?).filter(|n| (1..1 << 31).contains(n))?;
        let address = words.next()?.to_owned();
        let port = number(words.next()?)?;
        words.next().filter(|word| *word == "typ")?;
        let kind = words.next()?;
        let kind = CandidateKind::ALL.iter().find(|(name, _)| *name == kind)?.1;
        let mut pairs = Vec::new();
        while let Some(name) = words.next() {
            pairs.push((name.to_owned(), words.next()?.to_owned()));
        }
        let mut take = |name: &str| {
            let at = pairs.iter().position(|(known, _)| known == name)?;
            Some(pairs.remove(at).1)
        };
        let related = take("raddr").zip(take("rport"));
        let related = related.and_then(|(address, port)| Some((address, number(&port)?)));
        pairs.truncate(MAX_EXTENSIONS);
        Some(Self {
            foundation,
            component,
            transport,
            priority,
            address,
            port,
            kind,
            related,
            extensions: pairs,
        })
    }

    /// Where it is, for UDP to an IP address; a name is not looked up.
    #[must_use]
    pub fn udp_address(&self) -> Option<SocketAddr> {
        let is_udp = self.transport.eq_ignore_ascii_case("udp");
        let ip = self.address.parse().ok().filter(|_| is_udp)?;
        Some(SocketAddr::new(ip, self.port))
    }
}

/// As the attribute carries it.
impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            foundation,
            component,
            transport,
            priority,
            address,
            port,
            kind,
            ..
        } = self;
        let kind = kind.as_str();
        write!(
            f,
            "{foundation} {component} {transport} {priority} {address} {port} typ {kind}"
        )?;
        if let Some((address, port)) = &self.related {
            write!(f, " raddr {address} rport {port}")?;
        }
        self.extensions
            .iter()
            .try_for_each(|(name, value)| write!(f, " {name} {value}"))
    }
}

fn is_foundation(text: &str) -> bool {
    text.len() <= MAX_FOUNDATION && text.bytes().all(super::is_ice_char)
}

/// Digits alone: a sign would pass as a number too.
fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    let is_decimal = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_decimal)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn candidates_are_written_as_they_were_read() {
        for value in [
            "1 1 UDP 2130706431 192.0.2.1 4000 typ host",
            "2 1 UDP 1694498815 198.51.100.7 61000 typ srflx raddr 10.0.0.1 rport 4000",
            "a/+9 2 udp 16777215 2001:db8::1 4001 typ relay raddr 0.0.0.0 rport 9 generation 0",
            "3 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active",
            "4 1 UDP 2130706431 phone.local 4000 typ host",
        ] {
            let candidate = Candidate::parse(value).unwrap();
            assert_eq!(candidate.to_string(), value);
        }
    }

    #[test]
    fn only_udp_to_an_ip_address_is_a_place_to_send_to() {
        let place = |value: &str| Candidate::parse(value).unwrap().udp_address();
        let at = |text: &str| Some(text.parse().unwrap());
        assert_eq!(
            place("1 1 UDP 1 192.0.2.1 4000 typ host"),
            at("192.0.2.1:4000")
        );
        assert_eq!(
            place("1 1 udp 1 2001:db8::1 40 typ host"),
            at("[2001:db8::1]:40")
        );
        assert_eq!(place("1 1 TCP 1 192.0.2.1 4000 typ host"), None);
        assert_eq!(place("1 1 UDP 1 phone.local 4000 typ host"), None);
    }

    #[test]
    fn what_does_not_follow_the_grammar_is_none() {
        for value in [
            "",
            "1 1 UDP 1 192.0.2.1 4000",
            "1 1 UDP 1 192.0.2.1 4000 typ",
            "1 1 UDP 1 192.0.2.1 4000 typ strange",
            "1 1 UDP 1 192.0.2.1 4000 kind host",
            "1 0 UDP 1 192.0.2.1 4000 typ host",
            "1 257 UDP 1 192.0.2.1 4000 typ host",
            "1 1 UDP 0 192.0.2.1 4000 typ host",
            "1 1 UDP 2147483648 192.0.2.1 4000 typ host",
            "1 1 UDP +1 192.0.2.1 4000 typ host",
            "1 1 UDP 1 192.0.2.1 70000 typ host",
            "1 1 UDP 1 192.0.2.1 4000 typ host generation",
            "ü 1 UDP 1 192.0.2.1 4000 typ host",
            "123456789012345678901234567890123 1 UDP 1 192.0.2.1 4000 typ host",
        ] {
            assert_eq!(Candidate::parse(value), None, "{value}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(value in "\\PC{0,120}", rest in "( [a-z0-9.+-]{0,12}){0,12}") {
            let _ = Candidate::parse(&value);
            let _ = Candidate::parse(&format!("1 1 UDP 1 192.0.2.1 4000 typ host{rest}"));
        }
    }
}
