//! The client's side: answers challenges (RFC 3261, section 22.2; RFC 7616, section 3.4).
//!
//! Of several challenges the topmost counts that we can answer (RFC 8760, section 2.4). What a
//! realm asked for first is the least that we give it from then on: whoever can put words into a
//! server's mouth must not get an answer that is easier to break.

use crate::header::AuthFields;
use crate::ids::Ids;
use crate::message::{Fields, Request, Response};
use crate::private::Private;

use super::algorithm::{Algorithm, Exchange, Protection};
use super::challenge::{Challenge, ChallengeProtection};

/// Servers whose nonces are remembered; the one that was used longest ago is forgotten.
const MAX_SESSIONS: usize = 8;

/// Realms whose first challenge is remembered; further ones are not answered.
const MAX_REALMS: usize = 16;

/// Who we are to a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The user name for authentication, which need not be the user of the address-of-record.
    pub username: String,
    /// The password.
    pub password: Private<String>,
    /// The only realm to answer; `None` answers any.
    pub realm: Option<String>,
}

/// Why a challenge is not answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DigestError {
    /// The response is no 401 or 407, or has no challenge.
    #[error("no challenge")]
    NoChallenge,
    /// A challenge header cannot be read.
    #[error("malformed challenge")]
    Malformed,
    /// No challenge has an algorithm and protection that we know.
    #[error("no supported challenge")]
    Unsupported,
    /// Every challenge is for another realm than the configured one.
    #[error("challenged for realm {realm:?}, which is not ours")]
    ForeignRealm {
        /// The topmost challenge's realm.
        realm: String,
    },
    /// Every challenge for the realm is weaker than the first one was.
    #[error("challenged with {algorithm}, which is weaker than what the server offered first")]
    Downgrade {
        /// The topmost challenge's algorithm.
        algorithm: Algorithm,
    },
    /// Challenged for more realms than anybody has.
    #[error("challenged for too many realms")]
    TooManyRealms,
    /// The server has refused these credentials: user name or password is wrong.
    #[error("the server refused user name or password")]
    Refused,
}

/// A nonce in use.
#[derive(Clone, Debug)]
struct Session {
    challenge: Challenge,
    header: &'static str,
    /// How often the nonce was used.
    count: u32,
    /// Where the nonce came from.
    source: NonceSource,
    /// Stays the same for `-sess`, whose secret depends on it.
    cnonce: String,
}

/// Where a nonce came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NonceSource {
    /// A challenge: its first use comes at once, so that it cannot be too old.
    Challenge,
    /// The `nextnonce` of an earlier response: by its first use it may be.
    Announcement,
}

/// How hard an answer is to break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Strength {
    strong_hash: bool,
    with_qop: bool,
}

impl Strength {
    fn of(challenge: &Challenge) -> Self {
        Self {
            strong_hash: !challenge.algorithm.is_weak(),
            with_qop: challenge.protection != ChallengeProtection::Legacy,
        }
    }

    fn is_at_least(self, other: Self) -> bool {
        self.strong_hash >= other.strong_hash && self.with_qop >= other.with_qop
    }
}

/// What a client remembers between requests: nonces, how often it used them, and what each realm
/// asked for first.
#[derive(Clone, Debug, Default)]
pub struct DigestClient {
    /// Latest used last.
    sessions: Vec<Session>,
    /// Never forgotten, bounded by [`MAX_REALMS`].
    first: Vec<(String, Strength)>,
}

/// Answers the topmost challenge of `response` that we can answer: the name and the value of the
/// header to set on the next try of `request`. That try needs the next CSeq number.
///
/// # Errors
///
/// [`DigestError::Refused`] if `request` has already carried an answer with a fresh nonce; every
/// other variant means that the response cannot be answered at all.
pub fn answer_challenges(
    response: &Response,
    request: &Request,
    credentials: &Credentials,
    client: &mut DigestClient,
    ids: &mut Ids,
) -> Result<(&'static str, String), DigestError> {
    client.answer(response, request, credentials, ids)
}

impl DigestClient {
    /// Nothing remembered.
    pub fn new() -> Self {
        Self::default()
    }

    /// Credentials for a request to a server that has challenged us before, so that it need not
    /// do so again: the header name and value, `None` if none has.
    pub fn anticipate(
        &mut self,
        request: &Request,
        credentials: &Credentials,
    ) -> Option<(&'static str, String)> {
        let session = self.sessions.last_mut()?;
        session.count += 1;
        Some((session.header, session.write(request, credentials)))
    }

    /// Reads Authentication-Info or Proxy-Authentication-Info of the response to `request`, which
    /// we had signed: takes the nonce that the server wants to see next (RFC 7616, section 3.5).
    pub fn handle_info(&mut self, response: &Response, request: &Request) {
        for (info, header) in [
            ("Authentication-Info", "Authorization"),
            ("Proxy-Authentication-Info", "Proxy-Authorization"),
        ] {
            let Some(next) = response.header(info).and_then(next_nonce) else {
                continue;
            };
            let answers = |session: &&mut Session| {
                session.header == header
                    && sent_credentials(request, header, &session.challenge.realm)
                        .and_then(|sent| Some(sent.value("nonce")? == session.challenge.nonce))
                        .unwrap_or_default()
            };
            if let Some(session) = self.sessions.iter_mut().find(answers) {
                session.challenge.nonce = next;
                session.count = 0;
                session.source = NonceSource::Announcement;
            }
        }
    }

    /// Forgets all nonces, for example after the password changed. What each realm asked for first
    /// stays known.
    pub fn forget(&mut self) {
        self.sessions.clear();
    }

    fn answer(
        &mut self,
        response: &Response,
        request: &Request,
        credentials: &Credentials,
        ids: &mut Ids,
    ) -> Result<(&'static str, String), DigestError> {
        let (challenge_header, header) = match response.status.code() {
            401 => ("WWW-Authenticate", "Authorization"),
            407 => ("Proxy-Authenticate", "Proxy-Authorization"),
            _ => return Err(DigestError::NoChallenge),
        };
        let challenge = self.choose(response, challenge_header, credentials)?;
        if !challenge.stale && self.was_fresh(request, header, &challenge.realm) {
            return Err(DigestError::Refused);
        }
        self.remember_first(&challenge)?;
        self.sessions
            .retain(|session| session.challenge.realm != challenge.realm);
        if self.sessions.len() >= MAX_SESSIONS {
            self.sessions.remove(0);
        }
        let session = Session {
            challenge,
            header,
            count: 1,
            source: NonceSource::Challenge,
            cnonce: ids.cnonce(),
        };
        let value = session.write(request, credentials);
        self.sessions.push(session);
        Ok((header, value))
    }

    /// Whether `request` carried an answer for `realm` with a nonce used for the first time: then
    /// it cannot have been too old, and the credentials are wrong. A nonce that was used before
    /// may have expired at a server that does not say `stale`.
    fn was_fresh(&self, request: &Request, header: &str, realm: &str) -> bool {
        let Some(sent) = sent_credentials(request, header, realm) else {
            return false;
        };
        let known = self
            .sessions
            .iter()
            .find(|session| session.challenge.realm == realm);
        let is_announced = known.is_some_and(|session| {
            session.source == NonceSource::Announcement
                && sent
                    .value("nonce")
                    .is_some_and(|nonce| nonce == session.challenge.nonce)
        });
        let is_first = match sent.value("nc") {
            Some(count) => u32::from_str_radix(&count, 16) == Ok(1),
            // Without a count a nonce is used again only by `anticipate`.
            None => known.is_none_or(|session| session.count == 1),
        };
        is_first && !is_announced
    }

    /// The topmost challenge that we can answer and may answer.
    fn choose(
        &self,
        response: &Response,
        header: &str,
        credentials: &Credentials,
    ) -> Result<Challenge, DigestError> {
        // The refusal that says most: a downgrade, a foreign realm, nothing that we know, nothing.
        let mut refusal = DigestError::NoChallenge;
        for value in response.headers_named(header) {
            for fields in AuthFields::parse_list(value).ok_or(DigestError::Malformed)? {
                match self.judge(&fields, credentials) {
                    Ok(challenge) => return Ok(challenge),
                    Err(error) if rank(&error) > rank(&refusal) => refusal = error,
                    Err(_) => {}
                }
            }
        }
        Err(refusal)
    }

    fn judge(
        &self,
        fields: &AuthFields,
        credentials: &Credentials,
    ) -> Result<Challenge, DigestError> {
        let challenge = Challenge::from_fields(fields).ok_or(DigestError::Unsupported)?;
        if credentials
            .realm
            .as_ref()
            .is_some_and(|own| *own != challenge.realm)
        {
            return Err(DigestError::ForeignRealm {
                realm: challenge.realm,
            });
        }
        let first = self
            .first
            .iter()
            .find(|(realm, _)| *realm == challenge.realm);
        if first.is_some_and(|(_, least)| !Strength::of(&challenge).is_at_least(*least)) {
            return Err(DigestError::Downgrade {
                algorithm: challenge.algorithm,
            });
        }
        Ok(challenge)
    }

    fn remember_first(&mut self, challenge: &Challenge) -> Result<(), DigestError> {
        if self
            .first
            .iter()
            .any(|(realm, _)| *realm == challenge.realm)
        {
            return Ok(());
        }
        if self.first.len() == MAX_REALMS {
            return Err(DigestError::TooManyRealms);
        }
        self.first
            .push((challenge.realm.clone(), Strength::of(challenge)));
        Ok(())
    }
}

fn rank(refusal: &DigestError) -> u8 {
    match refusal {
        DigestError::Downgrade { .. } => 3,
        DigestError::ForeignRealm { .. } => 2,
        DigestError::Unsupported => 1,
        _ => 0,
    }
}

/// The credentials for `realm` that we put into a request.
fn sent_credentials(request: &Fields, header: &str, realm: &str) -> Option<AuthFields> {
    request
        .headers_named(header)
        .filter_map(AuthFields::parse)
        .find(|fields| fields.value("realm").is_some_and(|sent| sent == realm))
}

/// The header has the parameters of a challenge, but no scheme.
fn next_nonce(info: &str) -> Option<String> {
    let fields = AuthFields::parse(&format!("Digest {info}"))?;
    let next = fields.value("nextnonce")?;
    (!next.is_empty()).then(|| next.into_owned())
}

impl Session {
    fn write(&self, request: &Request, credentials: &Credentials) -> String {
        let Challenge {
            realm,
            nonce,
            opaque,
            algorithm,
            protection,
            ..
        } = &self.challenge;
        let uri = request.uri.as_str();
        let nonce_count = format!("{:08x}", self.count);
        let protection = match protection {
            ChallengeProtection::Legacy => Protection::None,
            ChallengeProtection::Auth => Protection::Auth,
            ChallengeProtection::AuthInt => Protection::AuthInt {
                body: request.body(),
            },
        };
        let exchange = Exchange {
            algorithm: *algorithm,
            protection,
            method: request.method.as_str(),
            uri,
            nonce,
            nonce_count: &nonce_count,
            cnonce: &self.cnonce,
        };
        let secret = algorithm.secret(&credentials.username, realm, &credentials.password.0);

        let mut fields = AuthFields::new("Digest");
        fields.push_quoted("username", &credentials.username);
        fields.push_quoted("realm", realm);
        fields.push_quoted("nonce", nonce);
        fields.push_quoted("uri", uri);
        fields.push_quoted("response", exchange.response(&secret).as_str());
        fields.push("algorithm", algorithm.name());
        if let Some(opaque) = opaque {
            fields.push_quoted("opaque", opaque);
        }
        if protection.name().is_some() || algorithm.is_session() {
            fields.push_quoted("cnonce", &self.cnonce);
        }
        if let Some(qop) = protection.name() {
            fields.push("qop", qop);
            fields.push("nc", nonce_count);
        }
        fields.to_string()
    }
}
