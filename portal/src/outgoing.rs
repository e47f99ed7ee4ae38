//! Requests to servers that tenants name: HTTP/1.1 (RFC 9112) over TLS, only to addresses that the egress policy gave, verified by the name that was
//! asked for. No redirect is followed, no proxy of the environment is asked, and of an answer only a beginning is read.
//!
//! Whoever asks gives the whole of it a deadline: here is none.

use std::{io, net::SocketAddr, sync::OnceLock};

use axum::body::Body;
use futures_util::StreamExt as _;
use hyper::{
    Method, Request, StatusCode, Uri,
    client::conn::http1,
    header::{HOST, HeaderMap, HeaderValue, USER_AGENT},
};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName},
};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use tracing::warn;

use crate::egress::{Egress, EgressError};

/// Asks servers that tenants name.
pub(crate) struct Outgoing {
    egress: Egress,
    /// Trusted beside the system's.
    authorities: Vec<CertificateDer<'static>>,
    tls: OnceLock<Arc<ClientConfig>>,
}

/// What is asked.
pub(crate) struct Asked<'a> {
    /// An absolute `https` address.
    pub(crate) uri: &'a Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// How the body begins.
    pub(crate) beginning: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutgoingError {
    #[error("the address has no host, or is not https")]
    Address,
    #[error(transparent)]
    Egress(#[from] EgressError),
    #[error("nobody answers: {0}")]
    Unreachable(#[source] io::Error),
    #[error("TLS: {0}")]
    Tls(#[source] io::Error),
    #[error("HTTP: {0}")]
    Http(#[source] hyper::Error),
}

impl Outgoing {
    pub(crate) fn new(egress: Egress, authorities: Vec<CertificateDer<'static>>) -> Self {
        Self {
            egress,
            authorities,
            tls: OnceLock::new(),
        }
    }

    /// Sends a POST, and reads at most `limit` bytes of the answer's body. Cancelled, it may have arrived or not.
    pub(crate) async fn post(
        &self,
        asked: Asked<'_>,
        limit: usize,
    ) -> Result<Answered, OutgoingError> {
        let request = request(asked.uri, asked.headers, asked.body)?;
        let stream = self.connect(asked.uri).await?;
        let (mut sender, connection) = http1::Builder::new()
            .max_buf_size(MAX_HEAD_BYTES)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(OutgoingError::Http)?;
        let exchange = async {
            let response = sender
                .send_request(request)
                .await
                .map_err(OutgoingError::Http)?;
            let (head, body) = response.into_parts();
            Ok(Answered {
                status: head.status,
                headers: head.headers,
                beginning: beginning(Body::new(body), limit).await,
            })
        };
        let mut exchange = Box::pin(exchange);
        let mut connection = Box::pin(connection);
        // The connection moves the bytes; it ends before the answer is read when the server closes.
        tokio::select! {
            answered = &mut exchange => answered,
            _ = &mut connection => exchange.await,
        }
    }

    /// To the first address that answers.
    async fn connect(&self, uri: &Uri) -> Result<TlsStream<TcpStream>, OutgoingError> {
        let host = uri.host().ok_or(OutgoingError::Address)?;
        let addresses = self
            .egress
            .resolve(host, uri.port_u16().unwrap_or(HTTPS))
            .await?;
        let name = host.trim_matches(['[', ']']).to_owned();
        let name = ServerName::try_from(name).map_err(|_| OutgoingError::Address)?;
        let stream = open(&addresses).await.map_err(OutgoingError::Unreachable)?;
        TlsConnector::from(self.tls()?)
            .connect(name, stream)
            .await
            .map_err(OutgoingError::Tls)
    }

    /// Reading the system's authorities takes a while, so it is done when somebody is asked first.
    fn tls(&self) -> Result<Arc<ClientConfig>, OutgoingError> {
        if let Some(known) = self.tls.get() {
            return Ok(Arc::clone(known));
        }
        let mut roots = RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        for error in found.errors {
            warn!(%error, "certificate authorities left out");
        }
        roots.add_parsable_certificates(found.certs);
        roots.add_parsable_certificates(self.authorities.iter().cloned());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| OutgoingError::Tls(io::Error::other(error)))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Arc::clone(self.tls.get_or_init(|| Arc::new(config))))
    }
}

async fn open(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// In origin form, with the host as it was asked for (RFC 9112 section 3.2.1).
fn request(uri: &Uri, headers: HeaderMap, body: Vec<u8>) -> Result<Request<Body>, OutgoingError> {
    let is_https = uri.scheme_str() == Some("https");
    let authority = uri.authority().filter(|_| is_https);
    let authority = authority.ok_or(OutgoingError::Address)?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut request = Request::new(Body::from(body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = path.parse().map_err(|_| OutgoingError::Address)?;
    *request.headers_mut() = headers;
    let host = HeaderValue::from_str(authority.as_str()).map_err(|_| OutgoingError::Address)?;
    request.headers_mut().insert(HOST, host);
    request
        .headers_mut()
        .insert(USER_AGENT, HeaderValue::from_static(AGENT));
    Ok(request)
}

/// At most `limit` bytes; a body that breaks off counts as far as it came.
async fn beginning(body: Body, limit: usize) -> Vec<u8> {
    let mut stream = body.into_data_stream();
    let mut bytes = Vec::new();
    while bytes.len() < limit {
        match stream.next().await {
            Some(Ok(chunk)) => bytes.extend(chunk.iter().take(limit - bytes.len())),
            _ => break,
        }
    }
    bytes
}

const AGENT: &str = concat!("Tandem/", env!("CARGO_PKG_VERSION"));
const HTTPS: u16 = 443;
const MAX_HEAD_BYTES: usize = 16 * 1024;
