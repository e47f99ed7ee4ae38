//! TLS on the test's side of a link.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tests::Trust;
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// Believes servers that `trust` has certified.
pub(crate) fn connector(trust: &Trust) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    for authority in CertificateDer::pem_file_iter(&trust.authority).unwrap() {
        roots.add(authority.unwrap()).unwrap();
    }
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

/// Is a server that `trust` has certified.
pub(crate) fn acceptor(trust: &Trust) -> TlsAcceptor {
    let chain = CertificateDer::pem_file_iter(&trust.certificate.chain)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let key = PrivateKeyDer::from_pem_file(&trust.certificate.key).unwrap();
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}
