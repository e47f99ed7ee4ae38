//! The server's side: makes challenges and judges the answers (RFC 3261, section 22.4).
//!
//! A nonce is `time ‖ random ‖ HMAC(key, time ‖ random ‖ realm)`, so that nothing needs to be
//! remembered about a challenge: an attacker can ask for as many as he likes. Only a nonce that
//! was used with the right password is remembered, with its highest count, until it expires.
//!
//! Whether the user exists must not show: the caller looks the user of [`DigestServer::claim`] up
//! and passes [`DigestServer::secret_of_nobody`] where there is none; both ways then do the same
//! arithmetic and end the same.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::SocketAddr;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::header::AuthFields;
use crate::ids::{Ids, hex};
use crate::message::Request;
use crate::uri::Uri;

use super::algorithm::{Algorithm, Exchange, Protection};

/// How long a nonce is good for, in seconds.
const NONCE_LIFETIME_SECS: u64 = 300;

/// How far a nonce may lie in the future: another server of the group may have made it.
const CLOCK_SKEW_SECS: u64 = 5;

/// Nonces in use that are remembered unless the owner says otherwise.
const MAX_NONCES: usize = 65_536;

/// Bytes of the HMAC that go into a nonce: few, because a challenge must not be much longer than the
/// request it answers, and enough for five minutes of guessing.
const MAC_BYTES: usize = 8;

/// What can be offered, best first; a client takes the first that it knows (RFC 8760, section 2.4).
const OFFERED: [Algorithm; 2] = [Algorithm::Sha256, Algorithm::Md5];

/// What a server keeps of a password: `H(username:realm:password)` for each algorithm.
#[derive(Clone, Copy)]
pub struct DigestSecret {
    /// For `MD5`.
    pub md5_ha1: [u8; 16],
    /// For `SHA-256`.
    pub sha256_ha1: [u8; 32],
}

impl DigestSecret {
    /// The secret of a user.
    pub fn from_password(username: &str, realm: &str, password: &str) -> Self {
        use md5::Digest as _;

        let text = format!("{username}:{realm}:{password}");
        Self {
            md5_ha1: md5::Md5::digest(&text).into(),
            sha256_ha1: Sha256::digest(&text).into(),
        }
    }

    fn for_algorithm(&self, algorithm: Algorithm) -> Option<String> {
        match algorithm {
            Algorithm::Md5 => Some(hex(&self.md5_ha1)),
            Algorithm::Sha256 => Some(hex(&self.sha256_ha1)),
            Algorithm::Md5Sess
            | Algorithm::Sha256Sess
            | Algorithm::Sha512_256
            | Algorithm::Sha512_256Sess => None,
        }
    }
}

impl std::fmt::Debug for DigestSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DigestSecret(***)")
    }
}

/// The outcome of [`DigestServer::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The request comes from `username`.
    Ok {
        /// As the client wrote it.
        username: String,
    },
    /// The very message that was proven last with this nonce came again: only from [`DigestServer::verify_copies`].
    Repeated {
        /// As the client wrote it.
        username: String,
    },
    /// No credentials for this realm: challenge.
    Missing,
    /// Right password, but the nonce is too old: challenge with `stale`.
    Stale,
    /// Wrong password, unknown user, foreign or used nonce: challenge, say nothing more.
    Wrong,
    /// Unreadable, incomplete or repeated credentials: 400.
    Malformed,
}

/// Who a request says it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// No credentials for this realm.
    Missing,
    /// Unreadable, incomplete or repeated credentials.
    Malformed,
    /// Credentials of this user, not verified.
    User(String),
}

/// When a nonce was made, and its random part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct NonceId {
    issued_secs: u64,
    random: u32,
}

/// The last use of a nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Use {
    count: u32,
    /// Which message it was; `None` where copies do not matter.
    message: Option<u64>,
}

/// Makes challenges and judges answers.
pub struct DigestServer {
    key: [u8; 32],
    ids: Ids,
    max_nonces: usize,
    /// The last use of each nonce in use.
    uses: BTreeMap<NonceId, Use>,
    /// Nonces up to this one may have been forgotten before their time.
    forgotten: Option<NonceId>,
    /// Algorithms to offer and accept, best first.
    offered: Vec<Algorithm>,
}

impl std::fmt::Debug for DigestServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DigestServer")
            .field("nonces", &self.uses.len())
            .finish_non_exhaustive()
    }
}

impl DigestServer {
    /// A server whose nonces are signed with `key`. The same key in several processes makes their
    /// nonces good for each other.
    pub fn new(key: [u8; 32], ids: Ids) -> Self {
        Self {
            key,
            ids,
            offered: OFFERED.to_vec(),
            max_nonces: MAX_NONCES,
            uses: BTreeMap::new(),
            forgotten: None,
        }
    }

    /// The same server, remembering at most `max_nonces` nonces in use; beyond that the oldest are
    /// called stale before their time.
    #[must_use]
    pub fn with_max_nonces(self, max_nonces: usize) -> Self {
        Self { max_nonces, ..self }
    }

    /// The same server, offering and accepting only these algorithms of MD5 and SHA-256, in this
    /// order.
    #[must_use]
    pub fn with_algorithms(self, algorithms: &[Algorithm]) -> Self {
        let known = algorithms
            .iter()
            .copied()
            .filter(|algorithm| OFFERED.contains(algorithm));
        Self {
            offered: known.collect(),
            ..self
        }
    }

    /// Values for WWW-Authenticate or Proxy-Authenticate, one header each, best first.
    pub fn challenges(&mut self, realm: &str, stale: bool, now_unix_secs: u64) -> Vec<String> {
        let id = NonceId {
            issued_secs: now_unix_secs,
            random: self.ids.u32(),
        };
        let nonce = self.nonce(id, realm);
        self.offered
            .iter()
            .map(|algorithm| challenge(*algorithm, realm, &nonce, stale))
            .collect()
    }

    /// Who `request` says it comes from, so that the caller can look the secret up.
    pub fn claim(&self, request: &Request, realm: &str) -> Claim {
        match find_credentials(request, realm) {
            Found::None => Claim::Missing,
            Found::Malformed => Claim::Malformed,
            Found::Some(answer) => Claim::User(answer.username),
        }
    }

    /// A secret that no password matches, always the same for one user.
    pub fn secret_of_nobody(&self, username: &str, realm: &str) -> DigestSecret {
        let password = hex(&self.mac(&[b"nobody", username.as_bytes(), realm.as_bytes()]));
        DigestSecret::from_password(username, realm, &password)
    }

    /// Judges the credentials for `realm` that `request` carries, in Authorization or
    /// Proxy-Authorization, against the secret of the user they name.
    pub fn verify(
        &mut self,
        request: &Request,
        realm: &str,
        secret: &DigestSecret,
        now_unix_secs: u64,
    ) -> Verdict {
        self.judge(request, realm, secret, None, now_unix_secs)
    }

    /// As [`verify`](Self::verify), for a server that keeps no transactions: a message that came from `source` and was
    /// proven last with its nonce is [`Verdict::Repeated`] when it comes from there again, with the same Via,
    /// Call-ID and `CSeq`. Nothing but the answer to the first copy may be said to it.
    pub fn verify_copies(
        &mut self,
        request: &Request,
        realm: &str,
        secret: &DigestSecret,
        source: SocketAddr,
        now_unix_secs: u64,
    ) -> Verdict {
        let message = Some(message_hash(request, source));
        self.judge(request, realm, secret, message, now_unix_secs)
    }

    fn judge(
        &mut self,
        request: &Request,
        realm: &str,
        secret: &DigestSecret,
        message: Option<u64>,
        now_unix_secs: u64,
    ) -> Verdict {
        let answer = match find_credentials(request, realm) {
            Found::None => return Verdict::Missing,
            Found::Malformed => return Verdict::Malformed,
            Found::Some(answer) => answer,
        };
        let nonce = self.own_nonce(&answer.nonce, realm);
        // Always computed, so that time tells nothing about which check failed.
        let is_offered = answer
            .algorithm
            .is_some_and(|algorithm| self.offered.contains(&algorithm));
        let is_right = is_offered & answer.is_right(request, secret);
        let Some(nonce) = nonce.filter(|_| is_right && answer.is_about(request)) else {
            return Verdict::Wrong;
        };
        if nonce.issued_secs > now_unix_secs + CLOCK_SKEW_SECS {
            return Verdict::Wrong;
        }
        self.forget_expired(now_unix_secs);
        if nonce.issued_secs + NONCE_LIFETIME_SECS < now_unix_secs
            || self.forgotten.is_some_and(|last| nonce <= last)
        {
            return Verdict::Stale;
        }
        let username = answer.username;
        let this = Use {
            count: answer.count,
            message,
        };
        match self.uses.get(&nonce) {
            Some(last) if message.is_some() && *last == this => {
                return Verdict::Repeated { username };
            }
            Some(last) if answer.count <= last.count => return Verdict::Wrong,
            _ => self.remember(nonce, this),
        }
        Verdict::Ok { username }
    }

    fn remember(&mut self, nonce: NonceId, this: Use) {
        self.uses.insert(nonce, this);
        if self.uses.len() > self.max_nonces
            && let Some((oldest, _)) = self.uses.pop_first()
        {
            self.forgotten = self.forgotten.max(Some(oldest));
        }
    }

    fn forget_expired(&mut self, now_unix_secs: u64) {
        while let Some(oldest) = self.uses.first_entry()
            && oldest.key().issued_secs + NONCE_LIFETIME_SECS < now_unix_secs
        {
            oldest.remove();
        }
    }

    fn nonce(&self, id: NonceId, realm: &str) -> String {
        let head = format!("{:08x}{:08x}", id.issued_secs, id.random);
        let mac = self.mac(&[head.as_bytes(), realm.as_bytes()]);
        format!("{head}{}", hex(&mac))
    }

    /// The time and random part of a nonce, if we made it for `realm`.
    fn own_nonce(&self, nonce: &str, realm: &str) -> Option<NonceId> {
        let (head, _) = nonce.split_at_checked(16)?;
        let issued_secs = u64::from_str_radix(head.get(..8)?, 16).ok()?;
        let random = u32::from_str_radix(head.get(8..)?, 16).ok()?;
        let id = NonceId {
            issued_secs,
            random,
        };
        let own = self.nonce(id, realm);
        bool::from(own.as_bytes().ct_eq(nonce.as_bytes())).then_some(id)
    }

    fn mac(&self, parts: &[&[u8]]) -> [u8; MAC_BYTES] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes any key length");
        for part in parts {
            mac.update(&part.len().to_be_bytes());
            mac.update(part);
        }
        let mut short = [0; MAC_BYTES];
        short.copy_from_slice(&mac.finalize().into_bytes()[..MAC_BYTES]);
        short
    }
}

fn challenge(algorithm: Algorithm, realm: &str, nonce: &str, stale: bool) -> String {
    let mut fields = AuthFields::new("Digest");
    fields.push_quoted("realm", realm);
    fields.push_quoted("nonce", nonce);
    fields.push("algorithm", algorithm.name());
    fields.push_quoted("qop", "auth");
    if stale {
        fields.push("stale", "true");
    }
    fields.to_string()
}

/// Credentials of a client, read but not judged.
struct Answer {
    username: String,
    nonce: String,
    uri: String,
    response: String,
    /// `None` for one that we did not offer.
    algorithm: Option<Algorithm>,
    cnonce: String,
    nonce_count: String,
    count: u32,
}

enum Found {
    None,
    Malformed,
    Some(Answer),
}

/// The only digest credentials for `realm`. Others may stand beside them: a request can pass
/// several servers that each want their own.
fn find_credentials(request: &Request, realm: &str) -> Found {
    let mut found = Found::None;
    let values = ["Authorization", "Proxy-Authorization"]
        .into_iter()
        .flat_map(|header| request.headers_named(header));
    for value in values {
        let Some(fields) = AuthFields::parse(value) else {
            if is_digest(value) {
                return Found::Malformed;
            }
            continue;
        };
        if !fields.is_scheme("Digest") || fields.value("realm").is_none_or(|own| own != realm) {
            continue;
        }
        found = match (found, Answer::read(&fields)) {
            (Found::None, Some(answer)) => Found::Some(answer),
            _ => return Found::Malformed,
        };
    }
    found
}

/// What tells a copy of a message from another message with the same credentials.
fn message_hash(request: &Request, source: SocketAddr) -> u64 {
    let mut hasher = DefaultHasher::new();
    source.hash(&mut hasher);
    for name in ["Via", "From", "Call-ID", "CSeq"] {
        request.header(name).hash(&mut hasher);
    }
    hasher.finish()
}

fn is_digest(value: &str) -> bool {
    let scheme = value.split_ascii_whitespace().next().unwrap_or_default();
    scheme.eq_ignore_ascii_case("Digest")
}

impl Answer {
    fn read(fields: &AuthFields) -> Option<Self> {
        let text = |name| fields.value(name).map(std::borrow::Cow::into_owned);
        let algorithm = match text("algorithm") {
            None => Some(Algorithm::Md5),
            Some(name) => Algorithm::find(&name).filter(|known| OFFERED.contains(known)),
        };
        // We always offer qop, so a client that knows it must use it; one that does not know it
        // could be replayed.
        let is_auth = text("qop").is_some_and(|qop| qop.eq_ignore_ascii_case("auth"));
        let nonce_count = text("nc").unwrap_or_default();
        let count = match u32::from_str_radix(&nonce_count, 16) {
            Ok(count) if nonce_count.len() == 8 => count,
            _ if is_auth => return None,
            _ => 0,
        };
        let username = text("username")?;
        if username.contains(|c: char| c.is_control()) {
            return None;
        }
        Some(Self {
            username,
            nonce: text("nonce")?,
            uri: text("uri")?,
            response: text("response")?,
            algorithm: algorithm.filter(|_| is_auth),
            cnonce: text("cnonce").unwrap_or_default(),
            nonce_count,
            count,
        })
    }

    fn is_right(&self, request: &Request, secret: &DigestSecret) -> bool {
        let algorithm = self.algorithm.unwrap_or(Algorithm::Sha256);
        let exchange = Exchange {
            algorithm,
            protection: Protection::Auth,
            method: request.method.as_str(),
            uri: &self.uri,
            nonce: &self.nonce,
            nonce_count: &self.nonce_count,
            cnonce: &self.cnonce,
        };
        let secret = secret.for_algorithm(algorithm).unwrap_or_default();
        let own = exchange.response(&secret);
        let equal: bool = own.as_bytes().ct_eq(self.response.as_bytes()).into();
        equal && self.algorithm.is_some()
    }

    /// Whether the credentials were made for this Request-URI.
    fn is_about(&self, request: &Request) -> bool {
        self.uri == request.uri.as_str()
            || self
                .uri
                .parse::<Uri>()
                .is_ok_and(|uri| uri.is_equivalent(&request.uri))
    }
}
