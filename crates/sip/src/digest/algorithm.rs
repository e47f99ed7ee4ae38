//! The arithmetic of digest authentication (RFC 7616, section 3.4; names of RFC 8760).
//!
//! Nothing here allocates: a server computes this for every request that carries credentials.

use std::fmt;

use md5::Md5;
use sha2::{Digest, Sha256, Sha512_256};

use crate::ids::write_hex;

/// A digest algorithm by the name that messages use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// `MD5`: what a challenge without algorithm means.
    Md5,
    /// `MD5-sess`
    Md5Sess,
    /// `SHA-256`
    Sha256,
    /// `SHA-256-sess`
    Sha256Sess,
    /// `SHA-512-256`
    Sha512_256,
    /// `SHA-512-256-sess`
    Sha512_256Sess,
}

impl Algorithm {
    const ALL: [Self; 6] = [
        Self::Md5,
        Self::Md5Sess,
        Self::Sha256,
        Self::Sha256Sess,
        Self::Sha512_256,
        Self::Sha512_256Sess,
    ];

    /// The algorithm called `name`, in any case.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    /// The name as RFC 8760 writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Md5Sess => "MD5-sess",
            Self::Sha256 => "SHA-256",
            Self::Sha256Sess => "SHA-256-sess",
            Self::Sha512_256 => "SHA-512-256",
            Self::Sha512_256Sess => "SHA-512-256-sess",
        }
    }

    /// Whether the secret is mixed with nonce and client nonce once per session.
    pub(super) fn is_session(self) -> bool {
        matches!(
            self,
            Self::Md5Sess | Self::Sha256Sess | Self::Sha512_256Sess
        )
    }

    /// Whether the hash is one that is broken.
    pub(super) fn is_weak(self) -> bool {
        matches!(self, Self::Md5 | Self::Md5Sess)
    }

    /// `H(part ":" part ":" …)`.
    pub(super) fn hash(self, parts: &[&[u8]]) -> HexHash {
        match self {
            Self::Md5 | Self::Md5Sess => HexHash::new(&hash_joined::<Md5>(parts)),
            Self::Sha256 | Self::Sha256Sess => HexHash::new(&hash_joined::<Sha256>(parts)),
            Self::Sha512_256 | Self::Sha512_256Sess => {
                HexHash::new(&hash_joined::<Sha512_256>(parts))
            }
        }
    }

    /// `H(username ":" realm ":" password)`: what a server keeps instead of the password.
    pub(super) fn secret(self, username: &str, realm: &str, password: &str) -> HexHash {
        self.hash(&[username.as_bytes(), realm.as_bytes(), password.as_bytes()])
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The hash of the parts with a colon between them.
pub(super) fn hash_joined<D: Digest>(parts: &[&[u8]]) -> md5::digest::Output<D> {
    let mut hash = D::new();
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            hash.update(b":");
        }
        hash.update(part);
    }
    hash.finalize()
}

/// A hash in lower-case hexadecimal.
#[derive(Clone, Copy)]
pub(super) struct HexHash {
    digits: [u8; 64],
    len: usize,
}

impl HexHash {
    /// Of at most 32 bytes, the longest hash here.
    pub(super) fn new(bytes: &[u8]) -> Self {
        let mut digits = [0; 64];
        write_hex(bytes, &mut digits);
        Self {
            digits,
            len: 2 * bytes.len().min(32),
        }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.digits[..self.len]
    }

    pub(super) fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).expect("hexadecimal digits are ASCII")
    }
}

/// Quality of protection with what it brings into the hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protection<'a> {
    /// No qop: RFC 2069.
    None,
    /// `auth`
    Auth,
    /// `auth-int`, which covers the body.
    AuthInt { body: &'a [u8] },
}

impl Protection<'_> {
    pub(super) fn name(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Auth => Some("auth"),
            Self::AuthInt { .. } => Some("auth-int"),
        }
    }
}

/// Everything that goes into one response.
#[derive(Clone, Copy)]
pub(super) struct Exchange<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) protection: Protection<'a>,
    pub(super) method: &'a str,
    pub(super) uri: &'a str,
    pub(super) nonce: &'a str,
    /// As on the wire: eight hexadecimal digits.
    pub(super) nonce_count: &'a str,
    pub(super) cnonce: &'a str,
}

impl Exchange<'_> {
    /// The `response` value for a user whose `H(username:realm:password)` is `secret`.
    pub(super) fn response(&self, secret: &HexHash) -> HexHash {
        self.response_with(secret, &self.request_hash())
    }

    /// `H(A2)`: of what is asked for.
    pub(super) fn request_hash(&self) -> HexHash {
        let [method, uri] = [self.method, self.uri].map(str::as_bytes);
        let algorithm = self.algorithm;
        match self.protection {
            Protection::None | Protection::Auth => algorithm.hash(&[method, uri]),
            Protection::AuthInt { body } => {
                algorithm.hash(&[method, uri, algorithm.hash(&[body]).as_bytes()])
            }
        }
    }

    /// As [`response`](Self::response), with the [`request_hash`](Self::request_hash) that is known.
    pub(super) fn response_with(&self, secret: &HexHash, request_hash: &HexHash) -> HexHash {
        let (algorithm, protection) = (self.algorithm, self.protection);
        let [nonce, nonce_count, cnonce] =
            [self.nonce, self.nonce_count, self.cnonce].map(str::as_bytes);
        let ha1 = if algorithm.is_session() {
            algorithm.hash(&[secret.as_bytes(), nonce, cnonce])
        } else {
            *secret
        };
        let (ha1, ha2) = (ha1.as_bytes(), request_hash.as_bytes());
        match protection.name() {
            None => algorithm.hash(&[ha1, nonce, ha2]),
            Some(qop) => algorithm.hash(&[ha1, nonce, nonce_count, cnonce, qop.as_bytes(), ha2]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vectors() -> Vec<serde_json::Value> {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/data/protocol-vectors/digest.json"
        );
        let text = std::fs::read(path).unwrap();
        let file: serde_json::Value = serde_json::from_slice(&text).unwrap();
        file["vectors"].as_array().unwrap().clone()
    }

    #[test]
    fn printed_vectors_come_out() {
        let vectors = vectors();
        assert!(vectors.len() >= 4);
        for vector in vectors {
            let text = |name: &str| vector[name].as_str().unwrap();
            let algorithm = Algorithm::find(text("algorithm")).unwrap();
            assert_eq!(text("qop"), "auth");
            let exchange = Exchange {
                algorithm,
                protection: Protection::Auth,
                method: text("method"),
                uri: text("uri"),
                nonce: text("nonce"),
                nonce_count: text("nc"),
                cnonce: text("cnonce"),
            };
            let secret = algorithm.secret(text("username"), text("realm"), text("password"));
            assert_eq!(
                exchange.response(&secret).as_str(),
                text("response"),
                "{}",
                text("source")
            );
        }
    }

    #[test]
    fn session_and_body_change_the_response() {
        let exchange = Exchange {
            algorithm: Algorithm::Md5,
            protection: Protection::Auth,
            method: "REGISTER",
            uri: "sip:example.com",
            nonce: "n",
            nonce_count: "00000001",
            cnonce: "c",
        };
        for (plain, session) in [
            (Algorithm::Md5, Algorithm::Md5Sess),
            (Algorithm::Sha256, Algorithm::Sha256Sess),
            (Algorithm::Sha512_256, Algorithm::Sha512_256Sess),
        ] {
            let secret = plain.secret("alice", "example.com", "secret");
            // By hand: H(H(H(secret) : n : c) : n : 00000001 : c : auth : H(REGISTER : uri)).
            let h = |text: String| plain.hash(&[text.as_bytes()]).as_str().to_owned();
            let response = |exchange: Exchange<'_>| exchange.response(&secret).as_str().to_owned();
            let ha1 = secret.as_str();
            let ha2 = h("REGISTER:sip:example.com".to_owned());
            let mixed = h(format!("{ha1}:n:c"));
            assert_eq!(
                response(Exchange {
                    algorithm: session,
                    ..exchange
                }),
                h(format!("{mixed}:n:00000001:c:auth:{ha2}"))
            );
            let exchange = Exchange {
                algorithm: plain,
                ..exchange
            };
            assert_eq!(
                response(Exchange {
                    protection: Protection::None,
                    ..exchange
                }),
                h(format!("{ha1}:n:{ha2}"))
            );
            let body = h("v=0".to_owned());
            let ha2 = h(format!("REGISTER:sip:example.com:{body}"));
            let integrity = Protection::AuthInt { body: b"v=0" };
            assert_eq!(
                response(Exchange {
                    protection: integrity,
                    ..exchange
                }),
                h(format!("{ha1}:n:00000001:c:auth-int:{ha2}"))
            );
        }
    }

    #[test]
    fn names_are_those_of_rfc_8760() {
        assert_eq!(Algorithm::find("sha-256"), Some(Algorithm::Sha256));
        assert_eq!(Algorithm::find("SHA256"), None);
        assert_eq!(Algorithm::Sha512_256.to_string(), "SHA-512-256");
    }
}
