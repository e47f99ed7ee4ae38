//! Signatures of what is told (Standard Webhooks 1.0, "Signature scheme"): HMAC-SHA256 over identifier, time and body with dots between them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use store::{Secret, webhook::SECRET_START};
use zeroize::Zeroizing;

/// The value of `webhook-signature`: one signature by each secret, with spaces between them. A secret that is none signs nothing.
pub(super) fn signatures(secrets: &[Secret], id: &str, timestamp: i64, body: &[u8]) -> String {
    let signatures = secrets
        .iter()
        .filter_map(|secret| signature(secret, id, timestamp, body));
    signatures.collect::<Vec<_>>().join(" ")
}

fn signature(secret: &Secret, id: &str, timestamp: i64, body: &[u8]) -> Option<String> {
    let encoded = secret.reveal().strip_prefix(SECRET_START)?;
    let key = Zeroizing::new(STANDARD.decode(encoded).ok()?);
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    let code = mac.finalize().into_bytes();
    Some(format!("{VERSION},{}", STANDARD.encode(code)))
}

/// A symmetric signature.
const VERSION: &str = "v1";

#[cfg(test)]
mod tests {
    use super::*;

    /// The example that the standard and its libraries use.
    const PUBLISHED: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const TIMESTAMP: i64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn secret(text: &str) -> Secret {
        Secret::new(text)
    }

    #[test]
    fn the_published_example_is_signed_as_published() {
        let signed = signatures(&[secret(PUBLISHED)], ID, TIMESTAMP, BODY);
        assert_eq!(signed, SIGNATURE);
    }

    #[test]
    fn every_secret_signs_and_everything_counts() {
        let other = secret("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX");
        let both = signatures(&[secret(PUBLISHED), other.clone()], ID, TIMESTAMP, BODY);
        let alone = signatures(&[other], ID, TIMESTAMP, BODY);
        assert_eq!(both, format!("{SIGNATURE} {alone}"));
        let own = [secret(PUBLISHED)];
        for changed in [
            signatures(&own, "msg_another", TIMESTAMP, BODY),
            signatures(&own, ID, TIMESTAMP + 1, BODY),
            signatures(&own, ID, TIMESTAMP, b"{}"),
        ] {
            assert_ne!(changed, SIGNATURE);
        }
    }

    #[test]
    fn what_is_no_secret_signs_nothing() {
        for text in ["", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_%"] {
            let signed = signatures(&[secret(text)], ID, TIMESTAMP, BODY);
            assert_eq!(signed, "", "{text}");
        }
    }
}
