//! The client's side: answers challenges (RFC 3261, section 22.2; RFC 7616, section 3.4).

use crate::header::AuthFields;
use crate::ids::Ids;
use crate::message::{Request, Response};
use crate::private::Private;

use super::algorithm::{Exchange, Protection};
use super::challenge::{Challenge, ChallengeProtection};

/// Servers whose nonces are remembered; the one that was used longest ago is forgotten.
const MAX_SESSIONS: usize = 8;

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
    /// Stays the same for `-sess`, whose secret depends on it.
    cnonce: String,
}

/// What a client remembers between requests: nonces and how often it used them.
#[derive(Clone, Debug, Default)]
pub struct DigestClient {
    /// Latest used last.
    sessions: Vec<Session>,
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

    /// Forgets all nonces, for example after the password changed.
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
        let challenge = choose(response, challenge_header, credentials)?;
        if !challenge.stale && self.was_fresh(request, header, &challenge.realm) {
            return Err(DigestError::Refused);
        }
        self.sessions
            .retain(|session| session.challenge.realm != challenge.realm);
        if self.sessions.len() >= MAX_SESSIONS {
            self.sessions.remove(0);
        }
        let session = Session {
            challenge,
            header,
            count: 1,
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
        let sent = request
            .headers_named(header)
            .filter_map(AuthFields::parse)
            .find(|fields| fields.value("realm").is_some_and(|sent| sent == realm));
        sent.is_some_and(|fields| match fields.value("nc") {
            Some(count) => u32::from_str_radix(&count, 16) == Ok(1),
            // Without a count a nonce is used again only by `anticipate`.
            None => self
                .sessions
                .iter()
                .all(|session| session.challenge.realm != realm || session.count == 1),
        })
    }
}

/// The topmost challenge that we can answer and may answer.
fn choose(
    response: &Response,
    header: &str,
    credentials: &Credentials,
) -> Result<Challenge, DigestError> {
    let mut best = Err(DigestError::NoChallenge);
    for value in response.headers_named(header) {
        let list = AuthFields::parse_list(value).ok_or(DigestError::Malformed)?;
        for fields in list {
            let Some(challenge) = Challenge::from_fields(&fields) else {
                if best == Err(DigestError::NoChallenge) {
                    best = Err(DigestError::Unsupported);
                }
                continue;
            };
            if credentials
                .realm
                .as_ref()
                .is_none_or(|realm| *realm == challenge.realm)
            {
                return Ok(challenge);
            }
            if !matches!(best, Err(DigestError::ForeignRealm { .. })) {
                best = Err(DigestError::ForeignRealm {
                    realm: challenge.realm,
                });
            }
        }
    }
    best
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
        let uri = request.uri.to_string();
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
            uri: &uri,
            nonce,
            nonce_count: &nonce_count,
            cnonce: &self.cnonce,
        };
        let secret = algorithm.secret(&credentials.username, realm, &credentials.password.0);

        let mut fields = AuthFields::new("Digest");
        fields.push_quoted("username", &credentials.username);
        fields.push_quoted("realm", realm);
        fields.push_quoted("nonce", nonce);
        fields.push_quoted("uri", &uri);
        fields.push_quoted("response", &exchange.response(&secret));
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
