//! A real HTTPS server that takes what webhooks are told, and answers as a test wants.

use std::{
    collections::VecDeque,
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::body::{Body, to_bytes};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use reqwest::header::HeaderMap;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use serde_json::Value;
use sha2::Sha256;
use tokio::{
    net::TcpListener,
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

use crate::mail_server::Trust;

/// A running receiver; it goes on until the test ends.
pub(crate) struct Receiver {
    pub(crate) port: u16,
    answers: Arc<Mutex<VecDeque<Answering>>>,
    received: UnboundedReceiver<Received>,
}

/// How a request is answered.
#[derive(Clone, Debug)]
pub(crate) enum Answering {
    Status(u16, &'static str),
    /// With a header.
    Header(u16, &'static str, String),
    /// Never.
    Silence,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Receiver {
    /// At `localhost`, with a certificate of this authority; takes everything unless it is told otherwise.
    pub(crate) async fn start(trust: &Trust) -> Self {
        let certificate = CertificateDer::from_pem_file(trust.path("server.crt")).unwrap();
        let key = PrivateKeyDer::from_pem_file(trust.path("server.key")).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let answers: Arc<Mutex<VecDeque<Answering>>> = Arc::default();
        let (sender, received) = mpsc::unbounded_channel();
        tokio::spawn(serve(
            listener,
            TlsAcceptor::from(Arc::new(config)),
            Arc::clone(&answers),
            sender,
        ));
        Self {
            port,
            answers,
            received,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("https://localhost:{}/events?from=tandem", self.port)
    }

    /// The next requests are answered so, one after the other.
    pub(crate) fn answer(&self, answers: impl IntoIterator<Item = Answering>) {
        self.answers.lock().unwrap().extend(answers);
    }

    /// The next request.
    pub(crate) async fn next(&mut self) -> Received {
        let next = timeout(PATIENCE, self.received.recv()).await;
        next.expect("a request in time").unwrap()
    }

    /// The next request that tells of this.
    pub(crate) async fn next_of(&mut self, kind: &str) -> Received {
        loop {
            let received = self.next().await;
            if received.json()["type"] == kind {
                return received;
            }
        }
    }

    /// Whether nothing came that was not asked for.
    pub(crate) fn is_quiet(&mut self) -> bool {
        self.received.try_recv().is_err()
    }
}

impl Received {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    /// Whether one of the signatures is of this secret, as a receiver finds out.
    pub(crate) fn is_signed_by(&self, secret: &str) -> bool {
        let key = STANDARD
            .decode(secret.strip_prefix("whsec_").unwrap())
            .unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        for part in ["webhook-id", "webhook-timestamp"] {
            mac.update(self.header(part).as_bytes());
            mac.update(b".");
        }
        mac.update(&self.body);
        let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        let signatures = self.header("webhook-signature");
        signatures.split(' ').any(|signature| signature == expected)
    }
}

async fn serve(
    listener: TcpListener,
    tls: TlsAcceptor,
    answers: Arc<Mutex<VecDeque<Answering>>>,
    received: UnboundedSender<Received>,
) {
    while let Ok((stream, _)) = listener.accept().await {
        let (tls, answers, received) = (tls.clone(), Arc::clone(&answers), received.clone());
        tokio::spawn(async move {
            let Ok(stream) = tls.accept(stream).await else {
                return;
            };
            let service = service_fn(|request| answer(request, &answers, &received));
            // A client that goes away is no mistake of the receiver.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    answers: &Mutex<VecDeque<Answering>>,
    received: &UnboundedSender<Received>,
) -> Result<Response<Body>, Infallible> {
    let (head, body) = request.into_parts();
    let body = to_bytes(Body::new(body), usize::MAX).await.unwrap();
    let answering = answers.lock().unwrap().pop_front();
    // Nobody may be waiting any more.
    let _ = received.send(Received {
        path: head.uri.to_string(),
        headers: head.headers,
        body: body.to_vec(),
    });
    let response = Response::builder();
    let response = match answering {
        None => response.status(204).body(Body::empty()),
        Some(Answering::Status(status, text)) => response.status(status).body(Body::from(text)),
        Some(Answering::Header(status, name, value)) => response
            .status(status)
            .header(name, value)
            .body(Body::empty()),
        Some(Answering::Silence) => std::future::pending().await,
    };
    Ok(response.unwrap())
}

const PATIENCE: Duration = Duration::from_secs(30);
