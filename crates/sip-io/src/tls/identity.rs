//! Whether a server is the one that was asked for (RFC 5922, section 7).
//!
//! Its identities are the hosts of `sip:` URIs among the alternative names of its certificate that
//! have no user part; only if there is none, the DNS names. An identity is the domain or it is not:
//! the common name does not count, a wildcard stands for nothing (section 7.2), `sips:` URIs are no
//! identities. Where an address was dialled and no domain, the certificate must be for the address.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use sip::Uri;
use webpki::EndEntityCert;

/// Verifies chain and name.
#[derive(Debug)]
pub(super) struct SipVerifier {
    roots: RootCertStore,
    algorithms: WebPkiSupportedAlgorithms,
}

impl SipVerifier {
    pub(super) fn new(roots: RootCertStore, provider: &CryptoProvider) -> Self {
        Self {
            roots,
            algorithms: provider.signature_verification_algorithms,
        }
    }
}

impl ServerCertVerifier for SipVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let parsed = ParsedCertificate::try_from(end_entity)?;
        verify_server_cert_signed_by_trust_anchor(
            &parsed,
            &self.roots,
            intermediates,
            now,
            self.algorithms.all,
        )?;
        verify_name(end_entity, server_name)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn verify_name(certificate: &CertificateDer<'_>, wanted: &ServerName<'_>) -> Result<(), Error> {
    let certificate = EndEntityCert::try_from(certificate)
        .map_err(|error| CertificateError::Other(OtherError(std::sync::Arc::new(error))))?;
    let ServerName::DnsName(domain) = wanted else {
        return certificate
            .verify_is_valid_for_subject_name(wanted)
            .map_err(|_| not_for(wanted, Vec::new()));
    };
    let presented = identities(
        certificate.valid_uri_names().map(str::to_owned),
        certificate.valid_dns_names().map(str::to_owned),
    );
    let is_domain = |identity: &String| same_domain(identity, domain.as_ref());
    if presented.iter().any(is_domain) {
        Ok(())
    } else {
        Err(not_for(wanted, presented))
    }
}

fn not_for(wanted: &ServerName<'_>, presented: Vec<String>) -> Error {
    CertificateError::NotValidForNameContext {
        expected: wanted.to_owned(),
        presented,
    }
    .into()
}

/// The SIP domains that a certificate is for (section 7.1).
fn identities(
    uris: impl Iterator<Item = String>,
    dns: impl Iterator<Item = String>,
) -> Vec<String> {
    let of_uris: Vec<_> = uris.filter_map(|uri| domain_of(&uri)).collect();
    if of_uris.is_empty() {
        dns.collect()
    } else {
        of_uris
    }
}

/// The host of a `sip:` URI without user.
fn domain_of(uri: &str) -> Option<String> {
    let uri: Uri = uri.parse().ok()?;
    let is_domain = *uri.scheme() == sip::Scheme::Sip && uri.user().is_none();
    is_domain.then(|| uri.host().map(ToString::to_string))?
}

fn same_domain(identity: &str, domain: &str) -> bool {
    let whole = |name: &str| name.trim_end_matches('.').to_ascii_lowercase();
    !identity.contains('*') && whole(identity) == whole(domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_for(domain: &str, uris: &[&str], dns: &[&str]) -> bool {
        let owned = |names: &[&str]| {
            let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
            names.into_iter()
        };
        identities(owned(uris), owned(dns))
            .iter()
            .any(|identity| same_domain(identity, domain))
    }

    #[test]
    fn a_sip_uri_is_the_identity_and_then_dns_names_do_not_count() {
        assert!(is_for("example.com", &["sip:Example.COM"], &[]));
        assert!(is_for("example.com", &[], &["example.com"]));
        assert!(!is_for(
            "www.example.com",
            &["sip:example.com"],
            &["www.example.com"]
        ));
    }

    #[test]
    fn uris_with_user_or_of_other_schemes_are_no_identities() {
        assert!(!is_for("example.com", &["sip:alice@example.com"], &[]));
        assert!(!is_for("example.com", &["sips:example.com"], &[]));
        assert!(!is_for("example.com", &["https://example.com"], &[]));
        // They do not hide the DNS names either.
        assert!(is_for(
            "example.com",
            &["https://example.com"],
            &["example.com"]
        ));
    }

    #[test]
    fn a_wildcard_or_a_part_of_the_name_is_not_the_name() {
        assert!(!is_for("sip.example.com", &[], &["*.example.com"]));
        assert!(!is_for("sip.example.com", &["sip:*.example.com"], &[]));
        assert!(!is_for("sip.example.com", &[], &["example.com"]));
        assert!(!is_for("example.com", &[], &["sip.example.com"]));
    }

    #[test]
    fn without_alternative_names_nobody_is_meant() {
        assert!(!is_for("example.com", &[], &[]));
    }
}
