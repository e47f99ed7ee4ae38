//! A certificate for DTLS-SRTP: self-signed, because its fingerprint is in the description (RFC 5763 section 5).

use media::srtp::DtlsIdentity;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ECDSA_P256_SHA256};

/// Makes a new one. It tells nothing about its owner; one per start of a phone is enough.
///
/// # Errors
///
/// [`IdentityError`] if the system yields no random numbers.
pub fn new_identity() -> Result<DtlsIdentity, IdentityError> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(IdentityError)?;
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    parameters
        .distinguished_name
        .push(DnType::CommonName, "phone");
    let certificate = parameters.self_signed(&key).map_err(IdentityError)?;
    let private_key = key.serialize_der().into();
    Ok(DtlsIdentity::new(certificate.der(), private_key))
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
#[error("no certificate for secured media could be made: {0}")]
pub struct IdentityError(rcgen::Error);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_identity_is_another_one() {
        let [one, other] = [new_identity().unwrap(), new_identity().unwrap()];
        assert_ne!(one.fingerprint(), other.fingerprint());
    }
}
