//! The portal over HTTPS, behind a reverse proxy, and with clients that are slow or send too much.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use hyper_util::rt::{TokioExecutor, TokioIo};
use reqwest::{Certificate as Root, Client, StatusCode, redirect};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::json;
use testkit::certificates::{Authority, Issued, Subject};
use tests::{Server, until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A server with a certificate, and who believes it.
struct Secured {
    server: Server,
    authority: Authority,
    folder: tempfile::TempDir,
}

fn issued(authority: &Authority) -> Issued {
    let subject = Subject {
        dns: vec!["localhost".to_owned()],
        addresses: vec!["127.0.0.1".parse().expect("an address")],
        ..Subject::default()
    };
    authority.issue(&subject).expect("a certificate")
}

impl Secured {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let authority = Authority::new("Tests").expect("an authority");
        let (chain, key) = issued(&authority)
            .write(folder.path(), "portal")
            .expect("files");
        let config = format!(
            "[http]\npublic_url = \"https://localhost\"\ncertificate = {chain:?}\nkey = {key:?}\n\
             redirect_listen = [\"127.0.0.1:0\"]\n"
        );
        Self {
            server: Server::start_configured(&config).await,
            authority,
            folder,
        }
    }

    fn address(&self) -> &str {
        self.server.said("Portal listens on")
    }

    fn client(&self) -> Client {
        let root = Root::from_pem(self.authority.pem().as_bytes()).expect("a certificate");
        Client::builder()
            .tls_certs_only([root])
            .redirect(redirect::Policy::none())
            .build()
            .expect("a client")
    }

    /// A handshake by hand.
    async fn connect(&self, protocols: &[&[u8]]) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        let root = CertificateDer::from_pem_slice(self.authority.pem().as_bytes());
        roots.add(root.expect("PEM")).expect("a certificate");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        let stream = TcpStream::connect(self.address())
            .await
            .expect("a connection");
        let name = ServerName::try_from("localhost").expect("a name");
        TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
            .expect("a handshake")
    }

    async fn shown(&self) -> Vec<u8> {
        let stream = self.connect(&[]).await;
        let shown = stream
            .get_ref()
            .1
            .peer_certificates()
            .expect("a certificate");
        shown[0].to_vec()
    }
}

#[tokio::test]
async fn the_portal_speaks_https_and_sends_others_there() {
    let secured = Secured::start().await;
    let (client, address) = (secured.client(), secured.address());
    let answer = client.get(format!("https://{address}/readyz")).send().await;
    let answer = answer.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(answer.headers().contains_key("strict-transport-security"));
    assert_eq!(answer.text().await.expect("text"), "ready\n");

    // In clear, at the redirecting port and at the secure one.
    for clear in [secured.server.said("Redirection listens on"), address] {
        let answer = client
            .get(format!("http://{clear}/tenants?a=b"))
            .send()
            .await;
        let answer = answer.expect("an answer");
        assert_eq!(answer.status(), StatusCode::PERMANENT_REDIRECT);
        assert_eq!(
            answer.headers()["location"],
            "https://localhost/tenants?a=b"
        );
    }

    // Signing in sets a cookie that never travels in clear.
    let administrator = json!({"email": "admin@localhost", "password": "wrong"});
    let url = format!("https://{address}/api/v1/session");
    let refused = client.post(url).json(&administrator).send().await;
    assert_eq!(
        refused.expect("an answer").status(),
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn http2_is_spoken_with_who_wants_it() {
    let secured = Secured::start().await;
    let stream = secured.connect(&[b"h2", b"http/1.1"]).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let handshake =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.expect("a handshake");
    tokio::spawn(connection);
    // A page of this site writes: `:authority` counts as Host does.
    let request = Request::post("https://127.0.0.1:1/api/v1/session")
        .header("origin", "https://127.0.0.1:1")
        .header("content-type", "application/json")
        .body(r#"{"email": "a@b", "password": "c"}"#.to_owned());
    let answer = sender.send_request(request.expect("a request")).await;
    assert_eq!(
        answer.expect("an answer").status(),
        StatusCode::UNAUTHORIZED
    );
    let large = Request::get("https://localhost/healthz")
        .header("x-large", "x".repeat(20_000))
        .body(String::new());
    let refused = sender.send_request(large.expect("a request")).await;
    let refused = refused.map(|answer| answer.status());
    assert_ne!(refused.ok(), Some(StatusCode::OK), "a header of 20 kB");
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_without_a_restart_and_a_broken_one_never() {
    let secured = Secured::start().await;
    let first = secured.shown().await;
    let renewed = issued(&secured.authority);
    let key = secured.folder.path().join("portal.key");
    let old_key = std::fs::read(&key).expect("the key");
    let hang_up = || {
        let told = std::process::Command::new("kill")
            .args(["-HUP", &secured.server.process().to_string()])
            .status();
        assert!(told.expect("kill runs").success());
    };

    std::fs::write(&key, "no key at all").expect("a file");
    hang_up();
    until("the broken key is told", async || {
        secured
            .server
            .log()
            .contains("the old certificate stays in use")
    })
    .await;
    assert_eq!(secured.shown().await, first);
    let log = secured.server.log();
    assert!(
        log.contains("no private key in") && log.contains("portal.key"),
        "{log}"
    );

    std::fs::write(&key, old_key).expect("a file");
    renewed
        .write(secured.folder.path(), "portal")
        .expect("files");
    hang_up();
    until("the new certificate is shown", async || {
        secured.shown().await != first
    })
    .await;
}

#[tokio::test]
async fn only_a_proxy_that_is_trusted_speaks_for_others() {
    for (config, expected) in [
        (
            "[http]\ntrusted_proxies = [\"127.0.0.0/8\"]\n",
            StatusCode::UNAUTHORIZED,
        ),
        ("", StatusCode::TOO_MANY_REQUESTS),
    ] {
        let server = Server::start_configured(config).await;
        let client = Client::new();
        let try_from = async |source: &str| {
            let answer = client
                .post(format!("{}/api/v1/session", server.portal_url))
                .header("x-forwarded-for", format!("203.0.113.99, {source}"))
                .json(&json!({"email": "somebody@example.com", "password": "guess"}))
                .send();
            answer.await.expect("an answer").status()
        };
        let mut tries = 0;
        while try_from("203.0.113.1").await != StatusCode::TOO_MANY_REQUESTS {
            tries += 1;
            assert!(tries < 100, "guessing is never limited");
        }
        assert_eq!(try_from("203.0.113.2").await, expected, "{config:?}");
    }
}

/// What a server says to `request`, to the end of the connection.
async fn answer_to(address: &str, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    // The server may answer and close before it has read everything.
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn headers_and_bodies_have_their_limits() {
    let server = Server::start().await;
    let address = server.portal_url.trim_start_matches("http://");
    let header = format!(
        "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Large: {}\r\n\r\n",
        "x".repeat(20_000)
    );
    let answer = answer_to(address, header.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    let body = json!({"email": "x".repeat(1_100_000), "password": ""});
    let answer = Client::new()
        .post(format!("{}/api/v1/session", server.portal_url))
        .json(&body)
        .send()
        .await;
    assert_eq!(
        answer.expect("an answer").status(),
        StatusCode::PAYLOAD_TOO_LARGE
    );
}

#[tokio::test]
async fn slow_clients_hold_nobody_up_and_are_sent_away() {
    let server = Server::start().await;
    let address = server.portal_url.trim_start_matches("http://").to_owned();
    let mut slow = Vec::new();
    for _ in 0..200 {
        let mut stream = TcpStream::connect(&address).await.expect("a connection");
        stream
            .write_all(b"GET / HTTP/1.1\r\nHo")
            .await
            .expect("a part of a header");
        slow.push(stream);
    }
    let client = Client::builder().timeout(Duration::from_secs(5)).build();
    let answer = client
        .expect("a client")
        .get(format!("{}/readyz", server.portal_url))
        .send();
    assert_eq!(answer.await.expect("an answer").status(), StatusCode::OK);
    // The deadline is ten seconds for all of them together.
    let sent_away = tokio::time::timeout(Duration::from_secs(30), async {
        for stream in &mut slow {
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
        }
    });
    sent_away.await.expect("every slow connection is closed");
}

#[tokio::test]
async fn one_source_alone_shuts_nobody_out() {
    let server = Server::start().await;
    let address: std::net::SocketAddr = server
        .portal_url
        .trim_start_matches("http://")
        .parse()
        .expect("an address");
    let mut held = Vec::new();
    for _ in 0..1_100 {
        held.push(TcpStream::connect(address).await.expect("a connection"));
    }
    let mut last = held.pop().expect("a connection");
    assert_eq!(last.read(&mut [0]).await.expect("closed in order"), 0);
    // At once, not by the deadline that all of them have.
    let first = held[0].try_read(&mut [0]).map_err(|error| error.kind());
    assert_eq!(first, Err(std::io::ErrorKind::WouldBlock));
    let elsewhere = TcpSocket::new_v4().expect("a socket");
    elsewhere
        .bind("127.0.0.2:0".parse().expect("an address"))
        .expect("a source");
    let mut stream = elsewhere.connect(address).await.expect("a connection");
    let request = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn a_certificate_that_cannot_be_read_keeps_the_server_from_starting() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("tandem.toml");
    let text = "[http]\npublic_url = 'https://localhost'\ncertificate = 'missing.crt'\nkey = 'missing.key'\n";
    std::fs::write(&config, text).expect("a file");
    let data = folder.path().join("data");
    let mut command = tests::serve_command(&data, "127.0.0.1:0", "127.0.0.1:0");
    let ended = tests::output_of(command.arg("--config").arg(Path::new(&config))).await;
    assert!(!ended.status.success());
    assert!(ended.stderr.contains("missing.crt"), "{}", ended.stderr);
}
