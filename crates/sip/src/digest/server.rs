//! The server's side: makes challenges and judges the answers (RFC 3261, section 22.4).
//!
//! Nothing is remembered about a challenge (`nonce.rs`). Only a nonce that was used with the right
//! password is remembered, with its last use, until it expires. Its count must grow with every
//! use. One that does not is a replay, with one exception: a server that keeps no transaction for
//! a request sees its retransmissions (RFC 3261, section 17.1.2.2 sends a request eleven times if
//! need be), and [`DigestServer::verify_copies`] tells such a copy, same source, same Via, same
//! `CSeq`, from a replay. A count that was passed over by a request that overtook another is lost;
//! its owner is challenged again, which costs him one round trip.
//!
//! A datagram comes from wherever its sender says. So a nonce names the address that it was sent to,
//! and [`DigestServer::verify_copies`] judges a password that comes by datagram only with a nonce that
//! was sent to that very address: nobody can guess, nor be taken for a guesser, where he is not.
//! Whoever has got another address since is told that his nonce is stale, which RFC 7616, section
//! 3.3 allows for any nonce that is not valid and which his phone mends without asking him. A
//! connection has proven its address when it was made.
//!
//! Whether the user exists must not show: the caller looks the user of [`DigestServer::claim`] up
//! and passes [`DigestServer::secret_of_nobody`] where there is none; both ways then do the same
//! arithmetic and end the same.

use std::net::{IpAddr, SocketAddr};

use sha2::Sha256;

use crate::flow::Flow;
use crate::header::name::NameId;
use crate::ids::Ids;
use crate::keyed::{KeyedHash, KeyedNumber, same};
use crate::message::Request;
use crate::uri::Uri;

use super::algorithm::{Algorithm, Exchange, HexHash, Protection, hash_joined};
use super::challenges::Challenges;
use super::credentials::{self, Answer, Found};
use super::nonce::{Nonce, NonceId, NonceText, Signer};
use super::request_hashes::RequestHashes;
use super::uses::{Remembered, Use, Uses};

/// How long a nonce is good for, in seconds.
const NONCE_LIFETIME_SECS: u64 = 300;

/// How far a nonce may lie in the future: another server of the group may have made it.
const CLOCK_SKEW_SECS: u64 = 5;

/// Nonces in use that are remembered unless the owner says otherwise.
const MAX_NONCES: usize = 65_536;

/// Offered unless the owner says otherwise, best first; a client takes the first that it knows
/// (RFC 8760, section 2.4).
const OFFERED: [Algorithm; 2] = [Algorithm::Sha256, Algorithm::Md5];

/// What a server keeps of a password: `H(username:realm:password)` for each hash.
#[derive(Clone, Copy)]
pub struct DigestSecret {
    /// For `MD5` and `MD5-sess`.
    pub md5_ha1: [u8; 16],
    /// For `SHA-256` and `SHA-256-sess`.
    pub sha256_ha1: [u8; 32],
    /// For `SHA-512-256` and `SHA-512-256-sess`.
    pub sha512_256_ha1: [u8; 32],
}

impl DigestSecret {
    /// The secret of a user.
    pub fn from_password(username: &str, realm: &str, password: &str) -> Self {
        let parts = [username, realm, password].map(str::as_bytes);
        Self {
            md5_ha1: hash_joined::<md5::Md5>(&parts).into(),
            sha256_ha1: hash_joined::<Sha256>(&parts).into(),
            sha512_256_ha1: hash_joined::<sha2::Sha512_256>(&parts).into(),
        }
    }

    fn for_algorithm(&self, algorithm: Algorithm) -> HexHash {
        match algorithm {
            Algorithm::Md5 | Algorithm::Md5Sess => HexHash::new(&self.md5_ha1),
            Algorithm::Sha256 | Algorithm::Sha256Sess => HexHash::new(&self.sha256_ha1),
            Algorithm::Sha512_256 | Algorithm::Sha512_256Sess => HexHash::new(&self.sha512_256_ha1),
        }
    }
}

impl std::fmt::Debug for DigestSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DigestSecret(***)")
    }
}

/// The outcome of [`DigestServer::verify`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The request comes from the user whom it names.
    Ok,
    /// The very message that was proven last with this nonce came again: only from
    /// [`DigestServer::verify_copies`].
    Repeated,
    /// No credentials for this realm: challenge.
    Missing,
    /// Not judged, for a datagram brought a nonce that we have not made: challenge. Nobody has
    /// proven to be where it comes from. Only from [`DigestServer::verify_copies`] and
    /// [`Presented::unheard`].
    Unheard,
    /// Right password, but the nonce is too old; or not judged, for a datagram brought a nonce that
    /// was sent elsewhere: challenge with `stale`.
    Stale,
    /// Wrong password, unknown user, foreign or used nonce: challenge, say nothing more.
    Wrong,
    /// Unreadable, incomplete or repeated credentials: 400.
    Malformed,
}

/// Who a request says it comes from.
pub enum Claim<'a> {
    /// No credentials for this realm.
    Missing,
    /// Unreadable, incomplete or repeated credentials.
    Malformed,
    /// Credentials of a user, not verified.
    User(Presented<'a>),
}

/// Credentials as a request carries them, read once and not judged.
pub struct Presented<'a> {
    answer: Answer<'a>,
    nonce: Option<Nonce>,
}

impl Presented<'_> {
    /// Whose they are said to be, as the client wrote it.
    pub fn username(&self) -> &str {
        &self.answer.username
    }

    /// Why [`DigestServer::verify_copies`] will not even judge them if they came on `flow`, so that
    /// the secret need not be looked up: [`Verdict::Unheard`] or [`Verdict::Stale`].
    pub fn unheard(&self, flow: &Flow) -> Option<Verdict> {
        if flow.transport.is_reliable() {
            return None;
        }
        match self.nonce {
            None => Some(Verdict::Unheard),
            Some(nonce) if nonce.source != flow.peer.ip().into() => Some(Verdict::Stale),
            Some(_) => None,
        }
    }
}

/// Stands for every message of a caller to whom copies do not matter.
const ANY_MESSAGE: [u32; 2] = [0; 2];

/// Makes challenges and judges answers.
pub struct DigestServer {
    signer: Signer,
    /// Numbers messages.
    messages: KeyedNumber,
    request_hashes: RequestHashes,
    ids: Ids,
    max_nonces: usize,
    uses: Uses,
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
    /// nonces good for each other, and a replay to another of them good too: share a key only
    /// where all requests of one client come to one server.
    pub fn new(key: [u8; 32], ids: Ids) -> Self {
        Self {
            signer: Signer::new(key),
            messages: KeyedNumber::new(KeyedHash::new(key).short([&b"messages"[..]])),
            request_hashes: RequestHashes::default(),
            ids,
            offered: OFFERED.to_vec(),
            max_nonces: MAX_NONCES,
            uses: Uses::default(),
        }
    }

    /// The same server, remembering at most `max_nonces` nonces in use, at least two; beyond that the older half is called stale before
    /// its time.
    #[must_use]
    pub fn with_max_nonces(self, max_nonces: usize) -> Self {
        Self { max_nonces, ..self }
    }

    /// The same server, offering and accepting only these algorithms, in this order.
    #[must_use]
    pub fn with_algorithms(self, algorithms: &[Algorithm]) -> Self {
        Self {
            offered: algorithms.to_vec(),
            ..self
        }
    }

    /// Values for WWW-Authenticate or Proxy-Authenticate, one header each, best first, to be sent
    /// to `source`.
    pub fn challenges<'a>(
        &'a mut self,
        realm: &'a str,
        stale: bool,
        source: IpAddr,
        now_unix_secs: u64,
    ) -> Challenges<'a> {
        let nonce = self.fresh_nonce(realm, source, now_unix_secs);
        Challenges::new(realm, nonce, stale, &self.offered)
    }

    /// A value for Authentication-Info in the 2xx to a proven request: the nonce that the client
    /// shall use next, so that its next request is not challenged (RFC 7616, section 3.5).
    pub fn next_nonce(&mut self, realm: &str, source: IpAddr, now_unix_secs: u64) -> String {
        let nonce = self.fresh_nonce(realm, source, now_unix_secs);
        ["nextnonce=\"", &nonce, "\""].concat()
    }

    /// Who `request` says it comes from, in Authorization or Proxy-Authorization for `realm`, so that
    /// the caller can look the secret up.
    pub fn claim<'a>(&self, request: &'a Request, realm: &str) -> Claim<'a> {
        match credentials::find(request, realm) {
            Found::None => Claim::Missing,
            Found::Malformed => Claim::Malformed,
            Found::Some(answer) => {
                let nonce = self.signer.read(&answer.nonce, realm);
                Claim::User(Presented { answer, nonce })
            }
        }
    }

    /// A secret that no password matches, always the same for one user.
    pub fn secret_of_nobody(&self, username: &str, realm: &str) -> DigestSecret {
        let noise = self.signer.noise(username, realm);
        let mut md5_ha1 = [0; 16];
        md5_ha1.copy_from_slice(&noise[..16]);
        DigestSecret {
            md5_ha1,
            sha256_ha1: noise,
            sha512_256_ha1: noise,
        }
    }

    /// Judges the credentials that `request` carries for `realm` against the secret of the user they
    /// name, wherever it comes from.
    pub fn verify(
        &mut self,
        request: &Request,
        realm: &str,
        secret: &DigestSecret,
        now_unix_secs: u64,
    ) -> Verdict {
        match self.claim(request, realm) {
            Claim::Missing => Verdict::Missing,
            Claim::Malformed => Verdict::Malformed,
            Claim::User(presented) => self.judge(request, &presented, secret, None, now_unix_secs),
        }
    }

    /// As [`verify`](Self::verify), for a server that keeps no transactions, with what `request` has
    /// [`claim`](Self::claim)ed: a message that came on `flow` and was proven last with its nonce is
    /// [`Verdict::Repeated`] when it comes from there again, with the same Via, From, Call-ID and
    /// `CSeq`. Nothing but the answer to the first copy may be said to it. What comes by datagram is
    /// judged only with a nonce that was sent to its source.
    pub fn verify_copies(
        &mut self,
        request: &Request,
        presented: &Presented<'_>,
        secret: &DigestSecret,
        flow: &Flow,
        now_unix_secs: u64,
    ) -> Verdict {
        let unheard = presented.unheard(flow);
        unheard.unwrap_or_else(|| {
            let source = Some(flow.peer);
            self.judge(request, presented, secret, source, now_unix_secs)
        })
    }

    fn judge(
        &mut self,
        request: &Request,
        presented: &Presented<'_>,
        secret: &DigestSecret,
        source: Option<SocketAddr>,
        now_unix_secs: u64,
    ) -> Verdict {
        let Presented { answer, nonce } = presented;
        // Always computed, so that time tells nothing about which check failed.
        let is_offered = answer
            .algorithm
            .is_some_and(|algorithm| self.offered.contains(&algorithm));
        let is_right = is_offered & self.is_right(answer, request, secret);
        let Some(Nonce { id: nonce, .. }) = nonce.filter(|_| is_right && is_about(answer, request))
        else {
            return Verdict::Wrong;
        };
        if nonce.issued_secs() > now_unix_secs + CLOCK_SKEW_SECS {
            return Verdict::Wrong;
        }
        if is_expired(nonce, now_unix_secs) {
            return Verdict::Stale;
        }
        let this = Use {
            count: answer.count,
            message: source.map_or(ANY_MESSAGE, |source| self.message(request, source)),
        };
        match self.uses.find(nonce) {
            Remembered::Forgotten => Verdict::Stale,
            Remembered::Used(last) if this.message != ANY_MESSAGE && *last == this => {
                Verdict::Repeated
            }
            Remembered::Used(last) if this.count <= last.count => Verdict::Wrong,
            Remembered::Used(last) => {
                *last = this;
                Verdict::Ok
            }
            Remembered::Unused => {
                let bounds = (
                    self.max_nonces.max(2) / 2,
                    NONCE_LIFETIME_SECS + CLOCK_SKEW_SECS,
                );
                self.uses.insert(nonce, this, bounds, now_unix_secs);
                Verdict::Ok
            }
        }
    }

    fn is_right(&mut self, answer: &Answer<'_>, request: &Request, secret: &DigestSecret) -> bool {
        let algorithm = answer.algorithm.unwrap_or(Algorithm::Sha256);
        let exchange = Exchange {
            algorithm,
            protection: Protection::Auth,
            method: request.method.as_str(),
            uri: &answer.uri,
            nonce: &answer.nonce,
            nonce_count: &answer.nonce_count,
            cnonce: &answer.cnonce,
        };
        let request_hash = self.request_hashes.of(&exchange);
        let own = exchange.response_with(&secret.for_algorithm(algorithm), &request_hash);
        same(own.as_bytes(), answer.response.as_bytes()) && answer.algorithm.is_some()
    }

    fn fresh_nonce(&mut self, realm: &str, source: IpAddr, now_unix_secs: u64) -> NonceText {
        let nonce = Nonce {
            id: NonceId::new(now_unix_secs, &mut self.ids),
            source: source.into(),
        };
        self.signer.write(nonce, realm)
    }

    /// What tells a copy of a message from another message with the same credentials.
    fn message(&self, request: &Request, source: SocketAddr) -> [u32; 2] {
        let ip = match source.ip() {
            IpAddr::V4(ip) => ip.to_ipv6_mapped(),
            IpAddr::V6(ip) => ip,
        };
        let text = |name| {
            request
                .headers()
                .first_of(name)
                .unwrap_or_default()
                .as_bytes()
        };
        let number = self.messages.of([
            &ip.octets()[..],
            &source.port().to_be_bytes(),
            text(NameId::VIA),
            text(NameId::FROM),
            text(NameId::CALL_ID),
            text(NameId::CSEQ),
        ]);
        let [a, b, c, d, e, f, g, h] = number.max(1).to_be_bytes();
        [
            u32::from_be_bytes([a, b, c, d]),
            u32::from_be_bytes([e, f, g, h]),
        ]
    }
}

fn is_expired(nonce: NonceId, now_unix_secs: u64) -> bool {
    nonce.issued_secs() + NONCE_LIFETIME_SECS < now_unix_secs
}

/// Whether the credentials were made for this Request-URI.
fn is_about(answer: &Answer<'_>, request: &Request) -> bool {
    answer.uri == request.uri.as_str()
        || answer
            .uri
            .parse::<Uri>()
            .is_ok_and(|uri| uri.is_equivalent(&request.uri))
}
