//! What descriptions say for ICE (RFC 8839): credentials, candidates, and whether both sides do it.
//!
//! A peer that does not do ICE, or says it wrongly, is spoken with at `c=` and `m=` as ever: nothing here refuses a
//! call. Passwords print as stars.
//!
//! Not here: the checks (`stun`). Candidates for RTCP are not used: who does ICE with us shares the port (RFC 5761).

mod candidate;

use std::fmt;
use std::net::SocketAddr;

use zeroize::Zeroizing;

use crate::{Attribute, MediaDescription, SessionDescription};

pub use candidate::{Candidate, CandidateKind};

/// Candidates of one media line that are looked at.
const MAX_CANDIDATES: usize = 32;
/// Shortest and longest fragment and password (RFC 8839 section 5.4). It allows fragments of 256 characters; nobody's are longer
/// than 32, and what carries ICE out cannot take those (docs/decisions/0028).
const UFRAG_CHARS: std::ops::RangeInclusive<usize> = 4..=96;
const PASSWORD_CHARS: std::ops::RangeInclusive<usize> = 22..=256;

/// How long ours are.
const FRESH_UFRAG_CHARS: usize = 8;
const FRESH_PASSWORD_CHARS: usize = 24;
/// The letters of both.
const ICE_CHARS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The short-term credentials of one side.
#[derive(Clone, PartialEq, Eq)]
pub struct IceCredentials {
    /// `a=ice-ufrag`.
    pub ufrag: String,
    /// `a=ice-pwd`.
    pub password: Zeroizing<String>,
}

/// What we offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalIce {
    /// Those that the dialog has already are kept unless ICE restarts; so these should be fresh.
    pub credentials: IceCredentials,
    /// All of them; `c=` and `m=` must name one.
    pub candidates: Vec<Candidate>,
}

/// Whether media finds its way by ICE.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum MediaIce {
    /// One side does not do it: media goes to the announced address.
    #[default]
    Off,
    /// Both sides do.
    Agreed(Box<AgreedIce>),
    /// The peer wants to, and it cannot be: media goes to the announced address.
    Refused(IceRefusal),
}

/// What two sides told each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgreedIce {
    /// Ours.
    pub local: IceCredentials,
    /// The peer's.
    pub remote: IceCredentials,
    /// Our part by this offer and answer: who offered decides, and who speaks with a lite agent.
    pub role: IceRole,
    /// The peer's candidates for RTP, those with an address that UDP can be sent to.
    pub candidates: Vec<Candidate>,
}

/// Who decides which pair is used (RFC 8445 section 6.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IceRole {
    /// We.
    Controlling,
    /// The peer.
    Controlled,
}

/// Why a description that speaks of ICE is taken as if it did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IceRefusal {
    /// Only one of the two is there.
    #[error("ice-ufrag or ice-pwd is missing")]
    Incomplete,
    /// Too short, too long, or with other characters than letters, digits, `+` and `/`.
    #[error("ice-ufrag or ice-pwd is malformed")]
    Credentials,
    /// Somebody on the way changed `c=` or `m=`.
    #[error(
        "the address of the media is not among the candidates: something on the way changed it"
    )]
    Mismatch,
    /// The peer says that somebody changed ours.
    #[error("the other side saw our address changed on the way (ice-mismatch)")]
    MismatchThere,
}

/// What a description says for ICE.
#[derive(Debug, PartialEq, Eq)]
struct Described {
    credentials: IceCredentials,
    candidates: Vec<Candidate>,
    is_lite: bool,
}

/// Writes what we offer under our media line.
pub(crate) fn write(local: &LocalIce, media: &mut MediaDescription) {
    let IceCredentials { ufrag, password } = &local.credentials;
    let attributes = &mut media.attributes;
    attributes.push(Attribute::with_value("ice-ufrag", ufrag));
    attributes.push(Attribute::with_value("ice-pwd", password.as_str()));
    for candidate in &local.candidates {
        attributes.push(Attribute::with_value("candidate", candidate.to_string()));
    }
    if !media.has_rtcp_mux() {
        media.attributes.push(Attribute::flag("rtcp-mux"));
    }
}

/// RFC 8445 and not its predecessor; stands at the session.
pub(crate) fn options() -> Attribute {
    Attribute::with_value("ice-options", "ice2")
}

/// What we make of an offer; an answer is written by [`write_answer`].
pub(crate) fn accept(
    session: &SessionDescription,
    media: &MediaDescription,
    ours: Option<&LocalIce>,
) -> MediaIce {
    agree(
        session,
        media,
        ours.map(|ours| &ours.credentials),
        IceRole::Controlled,
    )
}

/// Our side of it in an answer.
pub(crate) fn write_answer(
    agreed: &MediaIce,
    ours: Option<&LocalIce>,
    media: &mut MediaDescription,
) {
    match (agreed, ours) {
        (MediaIce::Agreed(_), Some(ours)) => write(ours, media),
        (MediaIce::Refused(IceRefusal::Mismatch), Some(_)) => {
            media.attributes.push(Attribute::flag("ice-mismatch"));
        }
        _ => {}
    }
}

/// What the answer to an offer of ours agrees to.
pub(crate) fn conclude(
    offered: &MediaDescription,
    session: &SessionDescription,
    answered: &MediaDescription,
) -> MediaIce {
    let ours = credentials_of(offered);
    if ours.is_some() && answered.attributes.contains("ice-mismatch") {
        return MediaIce::Refused(IceRefusal::MismatchThere);
    }
    agree(session, answered, ours.as_ref(), IceRole::Controlling)
}

fn agree(
    session: &SessionDescription,
    media: &MediaDescription,
    ours: Option<&IceCredentials>,
    role: IceRole,
) -> MediaIce {
    let Some(local) = ours else {
        return MediaIce::Off;
    };
    match read(session, media) {
        Ok(None) => MediaIce::Off,
        Err(refusal) => MediaIce::Refused(refusal),
        Ok(Some(theirs)) => MediaIce::Agreed(Box::new(AgreedIce {
            local: local.clone(),
            remote: theirs.credentials,
            role: if theirs.is_lite {
                IceRole::Controlling
            } else {
                role
            },
            candidates: theirs.candidates,
        })),
    }
}

/// What a description of ours says.
pub(crate) fn credentials_of(ours: &MediaDescription) -> Option<IceCredentials> {
    let attributes = &ours.attributes;
    let (ufrag, password) = attributes
        .value("ice-ufrag")
        .zip(attributes.value("ice-pwd"))?;
    Some(IceCredentials::new(ufrag, password))
}

fn read(
    session: &SessionDescription,
    media: &MediaDescription,
) -> Result<Option<Described>, IceRefusal> {
    let value = |name| {
        let of_session = || session.attributes.value(name);
        media
            .attributes
            .value(name)
            .or_else(of_session)
            .map(str::trim)
    };
    let credentials = match (value("ice-ufrag"), value("ice-pwd")) {
        (Some(ufrag), Some(password)) => IceCredentials::new(ufrag, password),
        (None, None) => return Ok(None),
        _ => return Err(IceRefusal::Incomplete),
    };
    if !credentials.is_well_formed() {
        return Err(IceRefusal::Credentials);
    }
    let written = media.attributes.values("candidate").take(MAX_CANDIDATES);
    let all: Vec<_> = written.filter_map(Candidate::parse).collect();
    let candidates: Vec<_> = all
        .iter()
        .filter(|candidate| candidate.component == 1 && candidate.udp_address().is_some())
        .cloned()
        .collect();
    // A name may be that address, and who trickles names none of them yet (RFC 8840 section 4.1.1).
    let has_name = all
        .iter()
        .any(|known| known.address.parse::<std::net::IpAddr>().is_err());
    let is_trickling = value("ice-options").is_some_and(|options| {
        options
            .split_ascii_whitespace()
            .any(|option| option == "trickle")
    });
    if !has_name && !is_trickling && !names_default(session, media, &candidates) {
        return Err(IceRefusal::Mismatch);
    }
    Ok(Some(Described {
        credentials,
        candidates,
        is_lite: session.attributes.contains("ice-lite"),
    }))
}

/// `c=` and `m=` must be one of the candidates (RFC 8839 section 4.2.5); who holds in the old way names nothing.
fn names_default(
    session: &SessionDescription,
    media: &MediaDescription,
    candidates: &[Candidate],
) -> bool {
    session.address_of(media).is_none_or(|ip| {
        let default = SocketAddr::new(ip, media.port);
        ip.is_unspecified()
            || candidates
                .iter()
                .any(|candidate| candidate.udp_address() == Some(default))
    })
}

impl IceCredentials {
    /// New ones, from random bytes: 48 and 144 bits of them, where 24 and 128 are asked for (RFC 8445 section 5.3).
    #[must_use]
    pub fn generate(mut fill: impl FnMut(&mut [u8])) -> Self {
        let mut bytes = Zeroizing::new([0; FRESH_UFRAG_CHARS + FRESH_PASSWORD_CHARS]);
        fill(&mut bytes[..]);
        let char = |byte: &u8| char::from(ICE_CHARS[usize::from(byte % 64)]);
        let (ufrag, password) = bytes.split_at(FRESH_UFRAG_CHARS);
        Self {
            ufrag: ufrag.iter().map(char).collect(),
            password: Zeroizing::new(password.iter().map(char).collect()),
        }
    }

    /// As they were written or made.
    #[must_use]
    pub fn new(ufrag: &str, password: &str) -> Self {
        Self {
            ufrag: ufrag.to_owned(),
            password: Zeroizing::new(password.to_owned()),
        }
    }

    fn is_well_formed(&self) -> bool {
        let fits = |text: &str, len: std::ops::RangeInclusive<usize>| {
            len.contains(&text.len()) && text.bytes().all(is_ice_char)
        };
        fits(&self.ufrag, UFRAG_CHARS) && fits(&self.password, PASSWORD_CHARS)
    }
}

impl fmt::Debug for IceCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IceCredentials({}, ***)", self.ufrag)
    }
}

/// `ice-char` of RFC 8839 section 5.1.
fn is_ice_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/'
}

impl MediaDescription {
    /// Where the offerer's checks have led to, by component (`a=remote-candidates`, RFC 8839 section 5.2).
    #[must_use]
    pub fn remote_candidates(&self) -> Vec<(u16, SocketAddr)> {
        let value = self.attributes.value("remote-candidates");
        let words: Vec<_> = value.unwrap_or_default().split_ascii_whitespace().collect();
        let read = |triple: &[&str]| {
            let [component, address, port] = triple else {
                return None;
            };
            let address = SocketAddr::new(address.parse().ok()?, port.parse().ok()?);
            Some((component.parse().ok()?, address))
        };
        words
            .chunks(3)
            .take(MAX_CANDIDATES)
            .filter_map(read)
            .collect()
    }
}
