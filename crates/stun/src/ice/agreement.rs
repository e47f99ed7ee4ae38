//! What both sides told each other: credentials, candidates, roles.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use is::{Candidate, IceCreds, Protocol};

use crate::Secret;

/// Candidates of a peer that are used; each costs checks to an address of the peer's choice (RFC 8445 section 19.5.1).
pub const MAX_REMOTE_CANDIDATES: usize = 16;

/// Letters of user name fragments and passwords (RFC 8839 section 5.4: `ice-char`).
const ICE_CHARS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// Of a user name, which is both fragments: the agent cannot write a longer one, and panics (docs/decisions/0028).
const MAX_USERNAME_BYTES: usize = 128;
/// 48 bits, where 24 are asked for (RFC 8445 section 5.3).
const UFRAG_CHARS: usize = 8;
/// 144 bits, where 128 are asked for.
const PASSWORD_CHARS: usize = 24;

/// The short-term credentials of one side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// User name fragment.
    pub ufrag: String,
    /// Password.
    pub password: Secret,
}

/// Who decides which pair is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// We: who made the first offer, and who speaks with a lite agent.
    Controlling,
    /// The peer.
    Controlled,
}

/// What an offer and its answer agreed.
#[derive(Clone, PartialEq, Eq)]
pub struct Agreement {
    /// Ours.
    pub local: Credentials,
    /// The peer's.
    pub remote: Credentials,
    /// Of the first offer; a later one does not change it.
    pub role: Role,
    /// Values of the peer's `a=candidate`.
    pub candidates: Vec<String>,
}

impl Credentials {
    /// Fresh ones, from random bytes.
    #[must_use]
    pub fn random(mut fill: impl FnMut(&mut [u8])) -> Self {
        let mut text = |chars: usize| {
            let mut bytes = vec![0; chars];
            fill(&mut bytes);
            let char = |byte: &u8| char::from(ICE_CHARS[usize::from(byte % 64)]);
            bytes.iter().map(char).collect::<String>()
        };
        Self {
            ufrag: text(UFRAG_CHARS),
            password: Secret::new(text(PASSWORD_CHARS)),
        }
    }

    pub(super) fn for_agent(&self) -> IceCreds {
        IceCreds {
            ufrag: self.ufrag.clone(),
            pass: self.password.reveal().to_owned(),
        }
    }
}

impl Agreement {
    /// Checks can be made with these credentials.
    pub(super) fn is_usable(&self) -> bool {
        let colon = 1;
        self.local.ufrag.len() + colon + self.remote.ufrag.len() <= MAX_USERNAME_BYTES
    }

    /// The peer's candidates that a check may be sent to: UDP, the first component, an address of one host. What cannot
    /// be read or used is passed over (RFC 8839 section 5.1).
    pub(super) fn usable_candidates(&self, host: SocketAddr) -> impl Iterator<Item = Candidate> {
        self.candidates
            .iter()
            .filter_map(|value| Candidate::from_sdp_string(&format!("candidate:{value}")).ok())
            .filter(move |candidate| {
                let is_udp = candidate.proto() == Protocol::Udp;
                is_udp && is_usable(candidate.addr(), host)
            })
            .take(MAX_REMOTE_CANDIDATES)
    }
}

/// Nobody from outside makes us speak with our own machine, or with many at once.
fn is_usable(remote: SocketAddr, host: SocketAddr) -> bool {
    let ip = remote.ip();
    let is_broadcast = matches!(ip, IpAddr::V4(ip) if ip.is_broadcast());
    let is_foreign_loopback = ip.is_loopback() && !host.ip().is_loopback();
    remote.port() != 0
        && ip.is_ipv4() == host.is_ipv4()
        && !(ip.is_unspecified() || ip.is_multicast() || is_broadcast || is_foreign_loopback)
}

/// The value of the attribute, without what belongs to trickling.
pub(super) fn attribute(candidate: &Candidate) -> String {
    let text = candidate.to_sdp_string();
    let text = text.strip_prefix("candidate:").unwrap_or(&text);
    let end = text.find(" ufrag ").unwrap_or(text.len());
    text[..end].to_owned()
}

impl fmt::Debug for Agreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agreement")
            .field("local", &self.local)
            .field("remote", &self.remote)
            .field("role", &self.role)
            .field("candidates", &self.candidates.len())
            .finish()
    }
}
