//! Whether an ID Token is good: OpenID Connect Core 1.0 section 3.1.3.7. Time and keys are arguments.
//!
//! Signatures are checked by `jsonwebtoken`. Only algorithms with a public key count: with a shared one, whoever checks could sign too.

use std::collections::HashSet;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation, decode, decode_header,
    jwk::{AlgorithmParameters, Jwk, PublicKeyUse},
};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use sha2::{Digest, Sha256, Sha384, Sha512};
use time::{Duration, OffsetDateTime};

/// Why a token is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Flaw {
    #[error("the token cannot be read")]
    Unreadable,
    #[error("the token is signed in a way that does not count")]
    Algorithm,
    #[error("the token is signed with a key that the provider does not publish")]
    Key,
    #[error("the token's signature is wrong")]
    Signature,
    #[error("the token is of another issuer")]
    Issuer,
    #[error("the token is for another client")]
    Audience,
    #[error("the token has expired; please check both clocks")]
    Expired,
    #[error("the token is from the future; please check both clocks")]
    Early,
    #[error("the token belongs to another sign-in")]
    Nonce,
    #[error("the access token is not the one that the token was made with")]
    AccessToken,
    #[error("the token names nobody")]
    Subject,
    #[error("the token does not say that the person signed in just now")]
    TooOld,
}

/// What a token must say.
pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) nonce: &'a str,
    /// What the provider said that it signs with.
    pub(crate) algorithms: &'a [String],
    /// The person had to prove now who they are.
    pub(crate) anew: bool,
}

/// Whom the provider vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Names the person for ever, among those of the issuer.
    pub(crate) subject: String,
    /// What else is told of the person.
    pub(crate) person: Person,
    /// When the person proved to the provider who they are.
    pub(crate) authenticated_at: Option<OffsetDateTime>,
    /// Whether the provider says that it asked for several factors (RFC 8176 section 2).
    pub(crate) several_factors: bool,
}

/// What may be told of a person (OpenID Connect Core 1.0 section 5.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Person {
    #[serde(default)]
    pub(crate) email: Option<String>,
    #[serde(default, deserialize_with = "truth")]
    pub(crate) email_verified: Option<bool>,
    #[serde(default)]
    pub(crate) given_name: Option<String>,
    #[serde(default)]
    pub(crate) family_name: Option<String>,
    #[serde(default)]
    pub(crate) name: Option<String>,
}

/// The public keys of a provider (RFC 7517 section 5). What we cannot read is left out, as the standard says.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Keys {
    #[serde(deserialize_with = "readable")]
    keys: Vec<Jwk>,
}

impl Keys {
    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Those that a token with this `kid` may be signed with; all of them for one without.
    fn named(&self, kid: Option<&str>) -> impl Iterator<Item = &Jwk> {
        self.keys
            .iter()
            .filter(move |key| kid.is_none() || key.common.key_id.as_deref() == kid)
    }
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    azp: Option<String>,
    exp: f64,
    iat: f64,
    nonce: Option<String>,
    at_hash: Option<String>,
    auth_time: Option<f64>,
    #[serde(default)]
    amr: HashSet<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// The person of an ID Token that came together with an access token.
pub(crate) fn verify(
    id_token: &str,
    access_token: &str,
    keys: &Keys,
    expected: &Expected<'_>,
    now: OffsetDateTime,
) -> Result<Identity, Flaw> {
    let (algorithm, value) = signed(id_token, keys, expected)?;
    let claims: Claims = Claims::deserialize(&value).map_err(|_| Flaw::Unreadable)?;
    let person = Person::deserialize(&value).map_err(|_| Flaw::Unreadable)?;
    if claims.iss != expected.issuer {
        return Err(Flaw::Issuer);
    }
    if !claims.is_for(expected.client_id) {
        return Err(Flaw::Audience);
    }
    claims.check_times(now)?;
    if claims.nonce.as_deref() != Some(expected.nonce) {
        return Err(Flaw::Nonce);
    }
    let hash = claims.at_hash.as_deref();
    if hash.is_some_and(|hash| hash != half_hash(algorithm, access_token)) {
        return Err(Flaw::AccessToken);
    }
    if claims.sub.is_empty() || claims.sub.len() > MAX_SUBJECT {
        return Err(Flaw::Subject);
    }
    let authenticated_at = claims.auth_time.and_then(moment);
    let authenticated_at = authenticated_at.filter(|at| *at <= now + LEEWAY);
    if expected.anew && authenticated_at.is_none_or(|at| now - at > JUST_NOW) {
        return Err(Flaw::TooOld);
    }
    Ok(Identity {
        subject: claims.sub,
        person,
        authenticated_at: authenticated_at.map(|at| at.min(now)),
        several_factors: claims.amr.contains("mfa"),
    })
}

/// The claims, if a key of the provider signed them in a way that counts.
fn signed(
    id_token: &str,
    keys: &Keys,
    expected: &Expected<'_>,
) -> Result<(Algorithm, Value), Flaw> {
    // `none` and what else is not known does not even parse.
    let header = decode_header(id_token).map_err(|_| Flaw::Algorithm)?;
    let name = ALGORITHMS
        .iter()
        .find_map(|(name, known)| (*known == header.alg).then_some(*name))
        .ok_or(Flaw::Algorithm)?;
    if !expected.algorithms.iter().any(|told| told == name) {
        return Err(Flaw::Algorithm);
    }
    let mut validation = Validation::new(header.alg);
    // All but the signature is judged above, with the words of the standard.
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    let mut flaw = Flaw::Key;
    for key in keys.named(header.kid.as_deref()).take(MAX_KEYS) {
        let Ok(key) = DecodingKey::from_jwk(key) else {
            continue;
        };
        match decode::<Value>(id_token, &key, &validation) {
            Ok(decoded) => return Ok((header.alg, decoded.claims)),
            Err(_) => flaw = Flaw::Signature,
        }
    }
    Err(flaw)
}

impl Claims {
    /// Section 3.1.3.7, 3 to 5.
    fn is_for(&self, client: &str) -> bool {
        let (among, alone) = match &self.aud {
            Audience::One(one) => (one == client, true),
            Audience::Several(all) => (all.iter().any(|one| one == client), all.len() == 1),
        };
        let party = self.azp.as_deref();
        among && (alone || party.is_some()) && party.is_none_or(|party| party == client)
    }

    /// Section 3.1.3.7, 9 and 10.
    fn check_times(&self, now: OffsetDateTime) -> Result<(), Flaw> {
        let ends = moment(self.exp).ok_or(Flaw::Unreadable)?;
        let made = moment(self.iat).ok_or(Flaw::Unreadable)?;
        if ends + LEEWAY <= now {
            return Err(Flaw::Expired);
        }
        if made > now + LEEWAY {
            return Err(Flaw::Early);
        }
        if now - made > MAX_AGE {
            return Err(Flaw::Expired);
        }
        Ok(())
    }
}

/// The left half of the access token's hash (section 3.1.3.6), with the hash of the token's algorithm.
fn half_hash(algorithm: Algorithm, access_token: &str) -> String {
    use Algorithm::{ES384, EdDSA, PS384, PS512, RS384, RS512};
    let token = access_token.as_bytes();
    let hash = match algorithm {
        RS384 | PS384 | ES384 => Sha384::digest(token).to_vec(),
        RS512 | PS512 | EdDSA => Sha512::digest(token).to_vec(),
        _ => Sha256::digest(token).to_vec(),
    };
    URL_SAFE_NO_PAD.encode(&hash[..hash.len() / 2])
}

/// Whether we can check signatures that the provider calls so.
pub(super) fn is_known(name: &str) -> bool {
    ALGORITHMS.iter().any(|(known, _)| *known == name)
}

/// NumericDate (RFC 7519 section 2), which may have a fraction.
fn moment(seconds: f64) -> Option<OffsetDateTime> {
    let plausible = (0.0..253_402_300_800.0).contains(&seconds);
    if !plausible {
        return None;
    }
    Some(OffsetDateTime::UNIX_EPOCH + Duration::seconds_f64(seconds))
}

/// Some providers write `"true"`.
fn truth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Bool(truth) => Some(truth),
        Value::String(text) if text == "true" => Some(true),
        Value::Null => None,
        _ => Some(false),
    })
}

fn readable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Jwk>, D::Error> {
    let all = Vec::<Value>::deserialize(deserializer)?;
    let keys = all.into_iter().filter_map(|key| Jwk::deserialize(key).ok());
    let signs = |key: &Jwk| {
        let signs = !matches!(
            key.common.public_key_use,
            Some(PublicKeyUse::Encryption | PublicKeyUse::Other(_))
        );
        let public = matches!(
            key.algorithm,
            AlgorithmParameters::EllipticCurve(_)
                | AlgorithmParameters::RSA(_)
                | AlgorithmParameters::OctetKeyPair(_)
        );
        signs && public
    };
    Ok(keys.filter(signs).take(MAX_PUBLISHED).collect())
}

const ALGORITHMS: &[(&str, Algorithm)] = &[
    ("RS256", Algorithm::RS256),
    ("RS384", Algorithm::RS384),
    ("RS512", Algorithm::RS512),
    ("PS256", Algorithm::PS256),
    ("PS384", Algorithm::PS384),
    ("PS512", Algorithm::PS512),
    ("ES256", Algorithm::ES256),
    ("ES384", Algorithm::ES384),
    ("EdDSA", Algorithm::EdDSA),
];

/// Clocks of others are not ours.
const LEEWAY: Duration = Duration::minutes(1);
/// A token is made for the sign-in that is under way.
const MAX_AGE: Duration = Duration::minutes(15);
/// Somebody who has just proved anew who they are takes no longer to come back; a provider that did not ask them tells an older time.
const JUST_NOW: Duration = Duration::minutes(2);
const MAX_SUBJECT: usize = 255;
const MAX_KEYS: usize = 10;
const MAX_PUBLISHED: usize = 100;

#[cfg(test)]
mod tests;
