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
        Self::ALL.into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
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
        matches!(self, Self::Md5Sess | Self::Sha256Sess | Self::Sha512_256Sess)
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
        let Self { algorithm, protection, method, uri, nonce, nonce_count, cnonce } = *self;
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
