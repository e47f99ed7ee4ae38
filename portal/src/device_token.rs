//! Access tokens of devices: JSON Web Tokens (RFC 7519), signed with EdDSA and nothing else.
//!
//! The key is made on the first start and kept in the data folder. A token names the device and the
//! generation of its credential, so that a reset ends every token at once although they are not stored.
//! The algorithm is pinned: what the token's own header says only ever makes it fail.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    time::Duration,
};

use ed25519_dalek::{SigningKey, pkcs8::EncodePrivateKey};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use rand::Rng;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;
use zeroize::Zeroizing;

/// Why there are no tokens.
#[derive(Debug, thiserror::Error)]
pub enum TokenKeyError {
    /// The key file cannot be read or written.
    #[error("the key for device tokens in {path} cannot be used: {source}")]
    File {
        /// Where it should be.
        path: String,
        /// What happened.
        source: io::Error,
    },
    /// The key file does not hold a key of ours.
    #[error("{path} is not a key for device tokens")]
    NotAKey {
        /// The file.
        path: String,
    },
}

/// The token is not one of ours, or no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a valid device token")]
pub(crate) struct InvalidToken;

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    iss: String,
    aud: String,
    /// The device.
    pub(crate) sub: Uuid,
    /// The generation of the device's credential.
    pub(crate) generation: u64,
    iat: i64,
    nbf: i64,
    exp: i64,
    jti: Uuid,
}

/// Issues and checks access tokens.
pub(crate) struct DeviceTokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    issuer: String,
}

impl DeviceTokens {
    /// With the key of `data_dir`, made now if there is none.
    pub(crate) fn open(data_dir: &Path, issuer: &str) -> Result<Self, TokenKeyError> {
        let path = data_dir.join(KEY_FILE);
        let failed = |source| TokenKeyError::File {
            path: path.display().to_string(),
            source,
        };
        let seed = match fs::read(&path) {
            Ok(bytes) => Zeroizing::new(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                create_key(&path).map_err(failed)?
            }
            Err(error) => return Err(failed(error)),
        };
        let not_a_key = || TokenKeyError::NotAKey {
            path: path.display().to_string(),
        };
        let seed: [u8; 32] = seed.as_slice().try_into().map_err(|_| not_a_key())?;
        Self::from_key(&SigningKey::from_bytes(&seed), issuer).ok_or_else(not_a_key)
    }

    fn from_key(key: &SigningKey, issuer: &str) -> Option<Self> {
        // An error only if another crate was faster, with the same provider: any will do.
        let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
        let der = key.to_pkcs8_der().ok()?;
        let mut validation = Validation::new(ALGORITHM);
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[issuer]);
        validation.set_required_spec_claims(&["exp", "nbf", "aud", "iss", "sub"]);
        validation.validate_nbf = true;
        validation.leeway = LEEWAY_SECS;
        Some(Self {
            encoding: EncodingKey::from_ed_der(der.as_bytes()),
            decoding: DecodingKey::from_ed_der(key.verifying_key().as_bytes()),
            validation,
            issuer: issuer.to_owned(),
        })
    }

    /// A token for this generation of the device's credential, good for [`LIFE`].
    pub(crate) fn issue(
        &self,
        device: Uuid,
        generation: u64,
        now: OffsetDateTime,
    ) -> Result<String, jsonwebtoken::errors::Error> {
        let now = now.unix_timestamp();
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: AUDIENCE.to_owned(),
            sub: device,
            generation,
            iat: now,
            nbf: now,
            exp: now.saturating_add_unsigned(LIFE.as_secs()),
            jti: Uuid::new_v4(),
        };
        let mut header = Header::new(ALGORITHM);
        header.kid = Some(KEY_ID.to_owned());
        jsonwebtoken::encode(&header, &claims, &self.encoding)
    }

    /// What a token says, if it is one of ours and its time is not over.
    pub(crate) fn verify(&self, token: &str) -> Result<Claims, InvalidToken> {
        let token = jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation)
            .map_err(|_| InvalidToken)?;
        match token.header.kid.as_deref() {
            Some(KEY_ID) => Ok(token.claims),
            _ => Err(InvalidToken),
        }
    }
}

/// Writes a new seed beside `path` and links it there, so that a half-written key is never found and
/// two processes that start together end with the same one.
fn create_key(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut seed = Zeroizing::new(vec![0; 32]);
    rand::rng().fill_bytes(&mut seed);
    let draft = path.with_extension(format!("{}.new", Uuid::new_v4().simple()));
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)?;
    let linked = file
        .write_all(&seed)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::hard_link(&draft, path));
    fs::remove_file(&draft)?;
    match linked {
        Ok(()) => Ok(seed),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::read(path).map(Zeroizing::new)
        }
        Err(error) => Err(error),
    }
}

/// How long a token is good.
pub(crate) const LIFE: Duration = Duration::from_secs(10 * 60);
const ALGORITHM: Algorithm = Algorithm::EdDSA;
const AUDIENCE: &str = "device";
const KEY_ID: &str = "device-1";
const KEY_FILE: &str = "device-token.key";
const LEEWAY_SECS: u64 = 5;

#[cfg(test)]
mod tests;
