//! What a trial tells: its steps, and how it ended.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sip::{CertificateProblem, Private, Response, Transport};
use ua::RegistrationFailure;

/// Longest realm that is told, in characters.
const MAX_REALM: usize = 100;

/// Challenges of one response that are told.
const MAX_ALGORITHMS: usize = 8;

/// Something happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeEvent {
    /// When.
    pub at: Instant,
    /// What.
    pub step: ProbeStep,
}

/// What happens in a trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeStep {
    /// The name of the server, or of the proxy before it, is looked up.
    LookingUp {
        /// The name, or an address.
        host: String,
    },
    /// It was found.
    Found {
        /// Servers in the order in which they are tried.
        servers: Vec<(Transport, SocketAddr)>,
        /// How many more were found that may not be reached.
        forbidden: usize,
    },
    /// A server is tried.
    Trying {
        /// How.
        transport: Transport,
        /// Where.
        peer: SocketAddr,
    },
    /// A message left.
    Sent(ProbeMessage),
    /// A message came.
    Received(ProbeMessage),
    /// The server asks for a password.
    Challenged {
        /// For whom the password is.
        realm: String,
        /// By which algorithms, in its order.
        algorithms: Vec<String>,
    },
    /// The server has proved who it is, and nobody in between can read along (TLS).
    Secured {
        /// Where.
        peer: SocketAddr,
    },
    /// The server has not proved who it is, so nothing was sent to it.
    Untrusted {
        /// Where.
        peer: SocketAddr,
        /// Why.
        problem: CertificateProblem,
    },
    /// The connection was refused or broke.
    Unreachable {
        /// Where.
        peer: SocketAddr,
    },
    /// The account is registered.
    Registered {
        /// For how long the server would keep it.
        expires: Duration,
    },
    /// It is over.
    Ended(ProbeResult),
}

/// How a trial ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeResult {
    /// Registered and unregistered.
    Good,
    /// Registered, but the server did not confirm that it is no longer.
    StillRegistered,
    /// All addresses are of networks that may not be reached.
    Forbidden,
    /// Why it was not registered.
    Failed(RegistrationFailure),
}

/// A message as it may be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeMessage {
    /// How.
    pub transport: Transport,
    /// The other side.
    pub peer: SocketAddr,
    /// The start line without secrets.
    pub first_line: Private<String>,
    /// The whole message without secrets, lines ending with LF.
    pub text: Private<String>,
}

/// The start line names the protocol (RFC 3261 section 7).
pub(super) fn is_sip(bytes: &[u8]) -> bool {
    let line = bytes.split(|byte| matches!(byte, b'\r' | b'\n')).next();
    let line = line.unwrap_or_default();
    line.starts_with(b"SIP/2.0 ") || line.ends_with(b" SIP/2.0")
}

/// What the server wants to know, if it is that.
pub(super) fn challenge(response: &Response) -> Option<ProbeStep> {
    let asked = match response.status.code() {
        401 => response.www_authenticate(),
        407 => response.proxy_authenticate(),
        _ => return None,
    };
    let asked = asked.ok()?;
    let realm = asked.iter().find_map(|fields| fields.value("realm"))?;
    let algorithms = asked.iter().take(MAX_ALGORITHMS).map(|fields| {
        let named = fields.value("algorithm");
        named.map_or_else(|| "MD5".to_owned(), |name| name.chars().take(20).collect())
    });
    Some(ProbeStep::Challenged {
        realm: realm.chars().take(MAX_REALM).collect(),
        algorithms: algorithms.collect(),
    })
}
