//! Which protection two sides agree on: by keys in the description (SDES, RFC 4568), by a DTLS handshake
//! (RFC 5763), or none.
//!
//! | policy | offered as | a plain answer or offer |
//! |---|---|---|
//! | off | `RTP/AVP` | is what we want |
//! | optional | `RTP/AVP` with keys or fingerprint (RFC 8643) | is taken |
//! | required | `RTP/SAVP` with keys, or `UDP/TLS/RTP/SAVP` with fingerprint | is refused |
//!
//! Peers write the profile in many ways, so it only tells whether the writer insists; what counts is whether
//! keys or a fingerprint are there.

use super::{CryptoAttribute, CryptoError, DtlsRole, Fingerprint, MasterKey, Setup};
use crate::{AnswerError, Attribute, MediaDescription, SessionDescription};

/// Attributes `crypto` that are looked at in one media line.
const MAX_CRYPTO: usize = 16;

/// Whether media must be secured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SecurityPolicy {
    /// Neither offered nor accepted.
    #[default]
    Off,
    /// Wherever the peer can.
    Optional,
    /// No call without it.
    Required,
}

/// How we offer to agree on keys. Both are accepted when offered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum KeyExchange {
    /// In the description; as secret as the signalling.
    #[default]
    Sdes,
    /// By a handshake between the two ends.
    Dtls,
}

/// What we can do to secure media.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocalSecurity {
    /// Whether it must be.
    pub policy: SecurityPolicy,
    /// What we offer.
    pub offer: KeyExchange,
    /// Keys that nobody has seen, at most one per suite, preferred first. Empty: no SDES.
    pub keys: Vec<MasterKey>,
    /// Of our certificate. `None`: no DTLS.
    pub fingerprint: Option<Fingerprint>,
}

/// How the media is protected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum MediaSecurity {
    /// Not at all.
    #[default]
    Plain,
    /// With these keys, of the same suite.
    Sdes {
        /// What we protect with.
        local: MasterKey,
        /// What the peer protects with.
        remote: MasterKey,
    },
    /// With the keys that a handshake will yield.
    Dtls {
        /// Our part in it.
        role: DtlsRole,
        /// The peer's certificate must have one of these; never empty.
        fingerprints: Vec<Fingerprint>,
    },
}

/// What an answer of ours agrees to, and how it is written.
pub(crate) struct Accepted {
    pub(crate) security: MediaSecurity,
    attributes: Vec<Attribute>,
}

impl Accepted {
    fn plain() -> Self {
        Self {
            security: MediaSecurity::Plain,
            attributes: Vec::new(),
        }
    }

    /// Writes our side of it under our media line.
    pub(crate) fn write(&self, media: &mut MediaDescription) {
        for attribute in &self.attributes {
            media.attributes.push(attribute.clone());
        }
    }
}

/// How strictly a profile is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Profile {
    Plain,
    Secure,
    Dtls,
}

impl Profile {
    fn of(media: &MediaDescription) -> Option<Self> {
        let known = [
            ("RTP/AVP", Self::Plain),
            ("RTP/AVPF", Self::Plain),
            ("RTP/SAVP", Self::Secure),
            ("RTP/SAVPF", Self::Secure),
            ("UDP/TLS/RTP/SAVP", Self::Dtls),
            ("UDP/TLS/RTP/SAVPF", Self::Dtls),
        ];
        let profile = |(name, _): &(&str, _)| media.protocol.eq_ignore_ascii_case(name);
        known.into_iter().find(profile).map(|(_, profile)| profile)
    }
}

impl MediaDescription {
    /// RTP, plain or secured, in a profile that we know.
    #[must_use]
    pub fn is_rtp(&self) -> bool {
        Profile::of(self).is_some()
    }
}

/// Makes an offer out of our media line.
pub(crate) fn offer(security: &LocalSecurity, media: &mut MediaDescription) {
    if security.policy == SecurityPolicy::Off {
        return;
    }
    let is_required = security.policy == SecurityPolicy::Required;
    let fingerprint = security
        .fingerprint
        .filter(|_| security.offer == KeyExchange::Dtls || security.keys.is_empty());
    let protocol = match fingerprint {
        Some(fingerprint) => {
            for attribute in dtls_attributes(fingerprint, Setup::ActPass) {
                media.attributes.push(attribute);
            }
            // One handshake for both (RFC 5764 section 4.1).
            media.attributes.push(Attribute::flag("rtcp-mux"));
            "UDP/TLS/RTP/SAVP"
        }
        None => {
            for (tag, key) in (1..).zip(&security.keys) {
                media.attributes.push(crypto_attribute(tag, key));
            }
            "RTP/SAVP"
        }
    };
    if is_required {
        protocol.clone_into(&mut media.protocol);
    }
}

/// What we make of an offered media line. `role` is our part in the handshake that there was already.
pub(crate) fn accept(
    session: &SessionDescription,
    media: &MediaDescription,
    ours: &LocalSecurity,
    role: Option<DtlsRole>,
) -> Result<Accepted, AnswerError> {
    let profile = Profile::of(media).ok_or(AnswerError::NoAudio)?;
    if ours.policy == SecurityPolicy::Off {
        return match profile {
            Profile::Plain => Ok(Accepted::plain()),
            Profile::Secure | Profile::Dtls => Err(AnswerError::SecurityOff),
        };
    }
    let mut reason = None;
    if profile != Profile::Dtls {
        match accept_key(media, &ours.keys) {
            Ok(accepted) => return Ok(accepted),
            Err(error) => reason = error,
        }
    }
    if let Some(accepted) = accept_handshake(session, media, ours, role) {
        return Ok(accepted);
    }
    match profile {
        Profile::Plain if ours.policy == SecurityPolicy::Optional => Ok(Accepted::plain()),
        Profile::Plain if reason.is_none() => Err(AnswerError::SecurityRequired),
        _ => Err(AnswerError::NoCommonSecurity { reason }),
    }
}

/// The first offered key that fits; else why the first of them does not.
fn accept_key(
    media: &MediaDescription,
    ours: &[MasterKey],
) -> Result<Accepted, Option<CryptoError>> {
    let mut reason = None;
    for value in media.attributes.values("crypto").take(MAX_CRYPTO) {
        let theirs = CryptoAttribute::parse(value).and_then(|theirs| {
            let suite = theirs.key.suite();
            let local = ours.iter().find(|key| key.suite() == suite);
            Ok((theirs, local.ok_or(CryptoError::UnknownSuite)?.clone()))
        });
        match theirs {
            Ok((theirs, local)) => {
                return Ok(Accepted {
                    attributes: vec![crypto_attribute(theirs.tag, &local)],
                    security: MediaSecurity::Sdes {
                        local,
                        remote: theirs.key,
                    },
                });
            }
            Err(error) => reason = reason.or(Some(error)),
        }
    }
    Err(reason)
}

fn accept_handshake(
    session: &SessionDescription,
    media: &MediaDescription,
    ours: &LocalSecurity,
    role: Option<DtlsRole>,
) -> Option<Accepted> {
    let fingerprint = ours.fingerprint?;
    let fingerprints = fingerprints(session, media);
    // Who says nothing in an offer begins (RFC 4145 section 4.1).
    let setup = match setup(session, media).unwrap_or(Setup::Active) {
        Setup::ActPass if role == Some(DtlsRole::Server) => Setup::Passive,
        Setup::ActPass | Setup::Passive => Setup::Active,
        Setup::Active => Setup::Passive,
        Setup::HoldConn => return None,
    };
    if fingerprints.is_empty() {
        return None;
    }
    let role = match setup {
        Setup::Active => DtlsRole::Client,
        _ => DtlsRole::Server,
    };
    Some(Accepted {
        security: MediaSecurity::Dtls { role, fingerprints },
        attributes: dtls_attributes(fingerprint, setup).into(),
    })
}

/// What the answer to an offer of ours agrees to.
pub(crate) fn conclude(
    offered: &MediaDescription,
    session: &SessionDescription,
    answered: &MediaDescription,
) -> Result<MediaSecurity, AnswerError> {
    let ours = Profile::of(offered).ok_or(AnswerError::NoOffer)?;
    let theirs = Profile::of(answered).ok_or(AnswerError::NoAudio)?;
    let no_common = |reason| AnswerError::NoCommonSecurity { reason };
    let mut offered_keys = offered.attributes.values("crypto").peekable();
    if offered_keys.peek().is_some()
        && let Some(value) = answered.attributes.value("crypto")
    {
        let remote = CryptoAttribute::parse(value).map_err(|reason| no_common(Some(reason)))?;
        let local = offered_keys
            .filter_map(|value| CryptoAttribute::parse(value).ok())
            .find(|local| local.tag == remote.tag && local.key.suite() == remote.key.suite())
            .ok_or(no_common(Some(CryptoError::UnknownSuite)))?;
        return Ok(MediaSecurity::Sdes {
            local: local.key,
            remote: remote.key,
        });
    }
    let fingerprints = fingerprints(session, answered);
    if offered.attributes.contains("fingerprint") && !fingerprints.is_empty() {
        let role = match setup(session, answered) {
            Some(Setup::Active) => DtlsRole::Server,
            Some(Setup::HoldConn) => return Err(no_common(None)),
            // Who says nothing in an answer waits (RFC 4145 section 4.1).
            Some(Setup::Passive | Setup::ActPass) | None => DtlsRole::Client,
        };
        return Ok(MediaSecurity::Dtls { role, fingerprints });
    }
    match (ours, theirs) {
        (Profile::Plain, Profile::Plain) => Ok(MediaSecurity::Plain),
        (Profile::Plain, _) => Err(no_common(None)),
        _ => Err(AnswerError::SecurityRequired),
    }
}

/// Our keys as they stand in a description of ours take the place of those of the same suite.
pub(crate) fn keep_keys(security: &mut LocalSecurity, ours: &MediaDescription) {
    for value in ours.attributes.values("crypto") {
        let Ok(before) = CryptoAttribute::parse(value) else {
            continue;
        };
        let suite = before.key.suite();
        if let Some(key) = security.keys.iter_mut().find(|key| key.suite() == suite) {
            *key = before.key;
        }
    }
}

fn crypto_attribute(tag: u32, key: &MasterKey) -> Attribute {
    let key = key.clone();
    let value = CryptoAttribute { tag, key }.to_value();
    Attribute::with_value("crypto", value.as_str())
}

fn dtls_attributes(fingerprint: Fingerprint, setup: Setup) -> [Attribute; 2] {
    [
        Attribute::with_value("fingerprint", fingerprint.to_string()),
        Attribute::with_value("setup", setup.as_str()),
    ]
}

/// Those of the strongest function that is there (RFC 8122 section 5.1); of the media, else of the session.
fn fingerprints(session: &SessionDescription, media: &MediaDescription) -> Vec<Fingerprint> {
    let of = |attributes: &crate::Attributes| -> Vec<Fingerprint> {
        let values = attributes.values("fingerprint").take(MAX_CRYPTO);
        values.filter_map(Fingerprint::parse).collect()
    };
    let mut found = of(&media.attributes);
    if !media.attributes.contains("fingerprint") {
        found = of(&session.attributes);
    }
    let strongest = found.iter().map(Fingerprint::hash).max();
    found.retain(|fingerprint| Some(fingerprint.hash()) == strongest);
    found
}

/// Of the media, else of the session. One that cannot be read holds the connection.
fn setup(session: &SessionDescription, media: &MediaDescription) -> Option<Setup> {
    let value = media
        .attributes
        .value("setup")
        .or_else(|| session.attributes.value("setup"))?;
    Some(Setup::parse(value).unwrap_or(Setup::HoldConn))
}
