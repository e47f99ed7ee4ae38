//! TLS 1.2 and 1.3 for both sides of a connection (RFC 8446, RFC 5246).
//!
//! A server shows the certificate of its files, and the new one as soon as they change. A client
//! always verifies: the chain up to an authority it knows, and the name by RFC 5922. There is no
//! switch to leave that out, and a connection that cannot be verified carries no message.
//!
//! The cryptography is named here, whatever the process has as its default.
//!
//! `identity.rs` has the rules of names, `files.rs` reads and watches the server's files, `session.rs` and `stream.rs` are the server's
//! side of a connection.

mod files;
mod identity;
mod session;
mod stream;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs, ring};
use rustls::server::ResolvesServerCert;
use rustls::{CertificateError, ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use sip::CertificateProblem;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client};
use tracing::warn;

pub use files::CertificateFiles;
use files::WatchedFiles;
use identity::SipVerifier;
use stream::ServerStream;

/// Versions that are spoken, the better one first.
const VERSIONS: &[&rustls::SupportedProtocolVersion] =
    &[&rustls::version::TLS13, &rustls::version::TLS12];

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read, or holds no such thing.
    #[error("no {what} in {path}: {source}")]
    File {
        /// What was looked for.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// What is wrong with it.
        source: rustls_pki_types::pem::Error,
    },
    /// The file holds no certificate.
    #[error("no certificate in {path}")]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// The key is not that of the certificate, or of a kind that is not supported.
    #[error("the key in {path} does not go with the certificate: {source}")]
    Key {
        /// The key's file.
        path: PathBuf,
        /// What is wrong with it.
        source: rustls::Error,
    },
    /// Nothing would ever be trusted.
    #[error("this system has no list of certificate authorities; name a file of them")]
    NoAuthorities,
    /// The library refuses the settings.
    #[error(transparent)]
    Library(#[from] rustls::Error),
}

/// Which authorities a client believes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Authorities {
    /// Those of the operating system.
    #[default]
    System,
    /// Those in this PEM file, and nobody else.
    File(PathBuf),
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// What a server uses: key exchange and signatures by aws-lc-rs, which is faster at both, all that a session does with its keys by
/// ring, which is faster at that.
///
/// The suites that hash by SHA-256 come first: all are as safe as a server's key of 256 bits, and a handshake is mostly hashing, which
/// processors do for SHA-256 but seldom for SHA-384.
fn for_servers() -> CryptoProvider {
    let mut suites = ring::default_provider().cipher_suites;
    suites.sort_by_key(|suite| {
        let name = suite.suite().as_str().unwrap_or_default();
        name.ends_with("SHA384")
    });
    CryptoProvider {
        cipher_suites: suites,
        ..aws_lc_rs::default_provider()
    }
}

/// The server's side: one certificate for all names. Cheap to clone.
#[derive(Clone, Debug)]
pub struct TlsServer {
    config: Arc<ServerConfig>,
    watched: Arc<WatchedFiles>,
}

impl TlsServer {
    /// Reads certificate and key, and reads them again when the files change.
    ///
    /// # Errors
    ///
    /// [`TlsError`] if the files hold no certificate and its key.
    pub fn new(files: CertificateFiles) -> Result<Self, TlsError> {
        let provider = Arc::new(for_servers());
        let watched = Arc::new(WatchedFiles::open(files, Arc::clone(&provider))?);
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(VERSIONS)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&watched) as Arc<dyn ResolvesServerCert>);
        // Sessions are resumed from what the client keeps: nothing is kept here for those who left.
        config.ticketer = ring::Ticketer::new()?;
        // A phone has one connection and gets another ticket with each.
        config.send_tls13_tickets = 1;
        config.ignore_client_order = true;
        Ok(Self {
            config: Arc::new(config),
            watched,
        })
    }

    /// The same certificate and cryptography for other protocols than SIP, the better one first (ALPN, RFC 7301), for who drives
    /// the handshake without us.
    #[must_use]
    pub fn for_protocols(&self, protocols: &[&[u8]]) -> Arc<ServerConfig> {
        let mut config = ServerConfig::clone(&self.config);
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        Arc::new(config)
    }

    /// Looks at the files now instead of with the next handshake, and logs what it finds if they have changed.
    pub fn look_again(&self) {
        self.watched.look_now();
    }

    /// Makes the handshake. To be given a deadline.
    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<ServerStream<TcpStream>> {
        ServerStream::accept(Arc::clone(&self.config), stream).await
    }
}

/// The client's side: whom it believes. Cheap to clone.
#[derive(Clone, Debug)]
pub struct TlsClient(Arc<ClientConfig>);

impl TlsClient {
    /// Reads the authorities.
    ///
    /// # Errors
    ///
    /// [`TlsError`] if there are none.
    pub fn new(authorities: &Authorities) -> Result<Self, TlsError> {
        let provider = provider();
        let verifier = SipVerifier::new(roots(authorities)?, &provider);
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(VERSIONS)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }

    /// Makes the handshake with a server of `domain`, or with nobody but `peer` if there is none.
    /// To be given a deadline.
    pub(crate) async fn connect(
        &self,
        domain: Option<&str>,
        peer: SocketAddr,
        stream: TcpStream,
    ) -> io::Result<client::TlsStream<TcpStream>> {
        let name = match domain {
            Some(domain) => ServerName::try_from(domain.to_owned())
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?,
            None => ServerName::IpAddress(peer.ip().into()),
        };
        TlsConnector::from(Arc::clone(&self.0))
            .connect(name, stream)
            .await
    }
}

fn roots(authorities: &Authorities) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    match authorities {
        Authorities::System => {
            let found = rustls_native_certs::load_native_certs();
            for error in found.errors {
                warn!(%error, "certificate authorities left out");
            }
            roots.add_parsable_certificates(found.certs);
        }
        Authorities::File(path) => {
            let certificates = certificates(path)?;
            for certificate in certificates {
                roots.add(certificate)?;
            }
        }
    }
    if roots.is_empty() {
        return Err(TlsError::NoAuthorities);
    }
    Ok(roots)
}

/// All certificates of a PEM file, at least one.
fn certificates(path: &PathBuf) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let wrong = |source| TlsError::File {
        what: "certificate",
        path: path.clone(),
        source,
    };
    let certificates = CertificateDer::pem_file_iter(path)
        .map_err(wrong)?
        .collect::<Result<Vec<_>, _>>()
        .map_err(wrong)?;
    if certificates.is_empty() {
        return Err(TlsError::NoCertificate { path: path.clone() });
    }
    Ok(certificates)
}

/// What is wrong with the peer's certificate, if that is why a handshake failed.
pub(crate) fn problem(error: &io::Error) -> Option<CertificateProblem> {
    let tls = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    let rustls::Error::InvalidCertificate(certificate) = tls else {
        return None;
    };
    Some(match certificate {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            CertificateProblem::Expired
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            CertificateProblem::NotYetValid
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            CertificateProblem::WrongName
        }
        CertificateError::UnknownIssuer => CertificateProblem::UnknownIssuer,
        _ => CertificateProblem::Invalid,
    })
}

#[cfg(test)]
mod tests {
    use rustls::{CipherSuite, ClientConnection, Connection, HandshakeKind, ServerConnection};
    use testkit::certificates::{Authority, Subject};

    use super::*;

    /// A handshake without a network, and what the client sees of it.
    fn shake_hands(client: &TlsClient, server: &TlsServer) -> (CipherSuite, HandshakeKind, u32) {
        let name = ServerName::try_from("one.test").unwrap();
        let mut client: Connection = ClientConnection::new(Arc::clone(&client.0), name)
            .unwrap()
            .into();
        let mut server: Connection = ServerConnection::new(Arc::clone(&server.config))
            .unwrap()
            .into();
        while client.is_handshaking() || client.wants_write() || server.wants_write() {
            pass(&mut client, &mut server);
            pass(&mut server, &mut client);
        }
        let Connection::Client(client) = client else {
            unreachable!("it was made as one")
        };
        let suite = client.negotiated_cipher_suite().unwrap().suite();
        let tickets = client.tls13_tickets_received();
        (suite, client.handshake_kind().unwrap(), tickets)
    }

    fn pass(from: &mut Connection, to: &mut Connection) {
        let mut bytes = Vec::new();
        while from.wants_write() {
            from.write_tls(&mut bytes).unwrap();
        }
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            to.read_tls(&mut rest).unwrap();
            to.process_new_packets().unwrap();
        }
    }

    /// A server by this name, and the authority that says so.
    pub(super) fn server_of(name: &str) -> (TlsServer, Authority) {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new("test authority").unwrap();
        let subject = Subject {
            dns: vec![name.to_owned()],
            ..Subject::default()
        };
        let issued = authority.issue(&subject).unwrap();
        let (chain, key) = issued.write(folder.path(), "server").unwrap();
        let server = TlsServer::new(CertificateFiles { chain, key }).unwrap();
        (server, authority)
    }

    #[test]
    fn a_handshake_hashes_by_sha_256_and_leaves_one_ticket_that_resumes_the_session() {
        let (server, authority) = server_of("one.test");
        let folder = tempfile::tempdir().unwrap();
        let roots = authority.write(folder.path()).unwrap();
        let client = TlsClient::new(&Authorities::File(roots)).unwrap();
        let light = CipherSuite::TLS13_AES_128_GCM_SHA256;
        let prefers_other = client.0.crypto_provider().cipher_suites.first();
        assert_ne!(
            prefers_other.map(rustls::SupportedCipherSuite::suite),
            Some(light)
        );
        let first = shake_hands(&client, &server);
        assert_eq!(first, (light, HandshakeKind::Full, 1));
        for _ in 0..2 {
            let next = shake_hands(&client, &server);
            assert_eq!(next, (light, HandshakeKind::Resumed, 1));
        }
    }
}
