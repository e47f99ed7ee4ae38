//! The arithmetic of digest authentication (RFC 7616, section 3.4; names of RFC 8760).

use std::fmt;

use md5::Md5;
use sha2::{Digest as _, Sha256, Sha512_256};

use crate::ids::hex;

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

    /// `H(data)` as lower-case hexadecimal.
    pub(super) fn hash(self, data: &[u8]) -> String {
        match self {
            Self::Md5 | Self::Md5Sess => hex(&Md5::digest(data)),
            Self::Sha256 | Self::Sha256Sess => hex(&Sha256::digest(data)),
            Self::Sha512_256 | Self::Sha512_256Sess => hex(&Sha512_256::digest(data)),
        }
    }

    /// `H(username ":" realm ":" password)`: what a server keeps instead of the password.
    pub(super) fn secret(self, username: &str, realm: &str, password: &str) -> String {
        self.hash(format!("{username}:{realm}:{password}").as_bytes())
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
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
    pub(super) fn response(&self, secret: &str) -> String {
        let Self {
            algorithm,
            protection,
            method,
            uri,
            nonce,
            nonce_count,
            cnonce,
        } = *self;
        let ha1 = if algorithm.is_session() {
            algorithm.hash(format!("{secret}:{nonce}:{cnonce}").as_bytes())
        } else {
            secret.to_owned()
        };
        let ha2 = match protection {
            Protection::None | Protection::Auth => {
                algorithm.hash(format!("{method}:{uri}").as_bytes())
            }
            Protection::AuthInt { body } => {
                let body = algorithm.hash(body);
                algorithm.hash(format!("{method}:{uri}:{body}").as_bytes())
            }
        };
        let text = match protection.name() {
            None => format!("{ha1}:{nonce}:{ha2}"),
            Some(qop) => format!("{ha1}:{nonce}:{nonce_count}:{cnonce}:{qop}:{ha2}"),
        };
        algorithm.hash(text.as_bytes())
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
                exchange.response(&secret),
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
        let secret = Algorithm::Md5.secret("alice", "example.com", "secret");
        // By hand: H(H(H(secret) : n : c) : n : 00000001 : c : auth : H(REGISTER : uri)).
        let md5 = |text: String| Algorithm::Md5.hash(text.as_bytes());
        let ha2 = md5("REGISTER:sip:example.com".to_owned());
        let session = md5(format!("{secret}:n:c"));
        let expected = md5(format!("{session}:n:00000001:c:auth:{ha2}"));
        let with_session = Exchange {
            algorithm: Algorithm::Md5Sess,
            ..exchange
        };
        assert_eq!(with_session.response(&secret), expected);
        assert_eq!(
            Exchange {
                protection: Protection::None,
                ..exchange
            }
            .response(&secret),
            md5(format!("{secret}:n:{ha2}"))
        );
        let integrity = Exchange {
            protection: Protection::AuthInt { body: b"v=0" },
            ..exchange
        };
        let ha2 = md5(format!(
            "REGISTER:sip:example.com:{}",
            md5("v=0".to_owned())
        ));
        assert_eq!(
            integrity.response(&secret),
            md5(format!("{secret}:n:00000001:c:auth-int:{ha2}"))
        );
    }

    #[test]
    fn names_are_those_of_rfc_8760() {
        assert_eq!(Algorithm::find("sha-256"), Some(Algorithm::Sha256));
        assert_eq!(Algorithm::find("SHA256"), None);
        assert_eq!(Algorithm::Sha512_256.to_string(), "SHA-512-256");
    }
}
