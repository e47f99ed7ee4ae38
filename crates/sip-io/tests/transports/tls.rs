//! TLS: who is believed, and what is said when nobody is.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, HandshakeKind, RootCertStore, SupportedProtocolVersion};
use sip::{CertificateProblem, ResolveId, ResolveRequest, Security, Target, Transport};
use sip_io::{Authorities, CertificateFiles, Limits, Listeners, NameServers, TlsClient, TlsServer};
use tempfile::TempDir;
use testkit::certificates::{Authority, Subject, Validity};
use testkit::name_server::{NameServer, Zone};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::peer::{Peer, Told, any_port};

/// An authority and a folder for what it issues.
pub(crate) struct Trust {
    folder: TempDir,
    authority: Authority,
}

impl Trust {
    pub(crate) fn new() -> Self {
        Self::in_authority("test authority")
    }

    fn in_authority(name: &str) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            authority: Authority::new(name).unwrap(),
        }
    }

    pub(crate) fn server(&self, subject: &Subject) -> TlsServer {
        let issued = self.authority.issue(subject).unwrap();
        let (chain, key) = issued.write(self.folder.path(), "server").unwrap();
        TlsServer::new(CertificateFiles { chain, key }).unwrap()
    }

    fn client(&self) -> TlsClient {
        let path = self.authority.write(self.folder.path()).unwrap();
        TlsClient::new(&Authorities::File(path)).unwrap()
    }

    pub(crate) fn foreign_client(
        &self,
        versions: &[&'static SupportedProtocolVersion],
    ) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        let pem = self.authority.pem();
        roots
            .add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap())
            .unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth()
    }
}

fn for_domain(domain: &str) -> Subject {
    Subject {
        uris: vec![format!("sip:{domain}")],
        ..Subject::default()
    }
}

fn server(tls: TlsServer) -> Peer {
    Peer::start(Listeners {
        tls: vec![(any_port("127.0.0.1"), tls)],
        ..Listeners::default()
    })
}

/// A name server that sends everybody who asks for `example.test` to `address`.
fn names(address: SocketAddr) -> NameServer {
    let zone = Zone::default()
        .srv(
            "_sips._tcp.example.test",
            (0, 0, address.port()),
            "host.example.test",
        )
        .address("host.example.test", address.ip());
    NameServer::start(zone).unwrap()
}

/// A client, and where it finds `example.test`.
async fn client(tls: TlsClient, names: &NameServer) -> (Peer, Target) {
    let mut client = Peer::start(Listeners {
        tls_client: Some(tls),
        name_servers: NameServers::At(vec![names.address()]),
        ..Listeners::default()
    });
    let request = ResolveRequest {
        id: ResolveId(1),
        host: "example.test".parse().unwrap(),
        port: None,
        transport: None,
        security: Security::Tls,
    };
    let found = client.resolve(request).await;
    (client, found[0])
}

/// What a client that asks for `example.test` is told by a server with `tls`.
async fn outcome(tls: TlsServer, believes: TlsClient) -> (Vec<Told>, Peer) {
    let server = server(tls);
    let names = names(server.address(Transport::Tls));
    let (mut client, target) = client(believes, &names).await;
    client.send(target).await;
    let mut told = vec![client.told().await];
    if matches!(told[0], Told::Untrusted(_)) {
        told.push(client.told().await);
    }
    (told, server)
}

#[tokio::test]
async fn a_server_of_the_domain_that_was_asked_for_is_believed() {
    let trust = Trust::new();
    let (told, mut server) =
        outcome(trust.server(&for_domain("example.test")), trust.client()).await;
    let [Told::Response(200, flow)] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert_eq!(flow.transport, Transport::Tls);
    assert!(matches!(server.told().await, Told::Request(..)));
}

#[tokio::test]
async fn nothing_is_sent_to_a_server_that_proves_nothing() {
    let trust = Trust::new();
    // What SRV points to is not what was asked for.
    let other_name = for_domain("host.example.test");
    let common_name = Subject {
        common_name: Some("example.test".to_owned()),
        ..Subject::default()
    };
    let expired = Subject {
        validity: Validity::Expired,
        ..for_domain("example.test")
    };
    for (subject, expected) in [
        (other_name, CertificateProblem::WrongName),
        (common_name, CertificateProblem::WrongName),
        (expired, CertificateProblem::Expired),
    ] {
        let (told, mut server) = outcome(trust.server(&subject), trust.client()).await;
        assert_eq!(told, [Told::Untrusted(expected), Told::Failed]);
        assert_eq!(server.heard(), None);
    }
}

#[tokio::test]
async fn an_authority_that_nobody_named_is_not_believed() {
    let (ours, theirs) = (Trust::new(), Trust::in_authority("another authority"));
    let (told, _server) = outcome(theirs.server(&for_domain("example.test")), ours.client()).await;
    assert_eq!(
        told,
        [
            Told::Untrusted(CertificateProblem::UnknownIssuer),
            Told::Failed
        ]
    );
}

#[tokio::test]
async fn without_a_domain_the_certificate_must_be_for_the_address() {
    let trust = Trust::new();
    for (ip, named, expected) in [
        ("::1", "::1", None),
        ("127.0.0.1", "127.0.0.1", None),
        (
            "127.0.0.1",
            "127.0.0.2",
            Some(CertificateProblem::WrongName),
        ),
    ] {
        let subject = Subject {
            addresses: vec![named.parse().unwrap()],
            ..for_domain("example.test")
        };
        let server = Peer::start(Listeners {
            tls: vec![(any_port(ip), trust.server(&subject))],
            ..Listeners::default()
        });
        let mut client = Peer::start(Listeners {
            tls_client: Some(trust.client()),
            ..Listeners::default()
        });
        client
            .send(Target::new(Transport::Tls, server.address(Transport::Tls)))
            .await;
        match (client.told().await, expected) {
            (Told::Response(200, _), None) => {}
            (Told::Untrusted(problem), Some(expected)) => assert_eq!(problem, expected),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn requests_for_one_domain_share_a_connection_and_those_for_its_address_do_not() {
    let trust = Trust::new();
    let subject = Subject {
        addresses: vec!["127.0.0.1".parse().unwrap()],
        ..for_domain("example.test")
    };
    let server = server(trust.server(&subject));
    let address = server.address(Transport::Tls);
    let names = names(address);
    let (mut client, target) = client(trust.client(), &names).await;
    let mut flows = Vec::new();
    for target in [target, target, Target::new(Transport::Tls, address)] {
        client.send(target).await;
        match client.told().await {
            Told::Response(200, flow) => flows.push(flow),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(flows[0], flows[1]);
    assert_ne!(flows[0], flows[2]);
}

#[tokio::test]
async fn both_versions_are_spoken_and_sessions_are_resumed() {
    let trust = Trust::new();
    let subject = Subject {
        dns: vec!["example.test".to_owned()],
        ..Subject::default()
    };
    let server = server(trust.server(&subject));
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let config = Arc::new(trust.foreign_client(&[version]));
        for expected in [HandshakeKind::Full, HandshakeKind::Resumed] {
            let stream = TcpStream::connect(server.address(Transport::Tls))
                .await
                .unwrap();
            let name = ServerName::try_from("example.test").unwrap();
            let mut stream = TlsConnector::from(Arc::clone(&config))
                .connect(name, stream)
                .await
                .unwrap();
            assert_eq!(stream.get_ref().1.handshake_kind(), Some(expected));
            // The tickets of TLS 1.3 come after the handshake, in front of the pong.
            tokio::io::AsyncWriteExt::write_all(&mut stream, b"\r\n\r\n")
                .await
                .unwrap();
            let mut pong = [0; 2];
            stream.read_exact(&mut pong).await.unwrap();
        }
    }
}

#[tokio::test]
async fn who_does_not_finish_the_handshake_is_cut_off() {
    let trust = Trust::new();
    let server = Peer::start(Listeners {
        tls: vec![(
            any_port("127.0.0.1"),
            trust.server(&for_domain("example.test")),
        )],
        limits: Limits {
            handshake: Duration::from_millis(200),
            ..Limits::default()
        },
        ..Listeners::default()
    });
    let mut stream = TcpStream::connect(server.address(Transport::Tls))
        .await
        .unwrap();
    let mut rest = Vec::new();
    let ended = timeout(Duration::from_secs(20), stream.read_to_end(&mut rest)).await;
    assert!(ended.is_ok());
    assert!(rest.is_empty());
}

#[tokio::test]
async fn handshakes_that_nobody_finishes_make_room_for_those_that_somebody_does() {
    let trust = Trust::new();
    let subject = Subject {
        dns: vec!["example.test".to_owned()],
        ..Subject::default()
    };
    let server = Peer::start(Listeners {
        tls: vec![(any_port("127.0.0.1"), trust.server(&subject))],
        limits: Limits {
            handshake: Duration::from_secs(3_600),
            half_open: 4,
            ..Limits::default()
        },
        ..Listeners::default()
    });
    let address = server.address(Transport::Tls);
    let mut silent = Vec::new();
    for _ in 0..8 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    let config = trust.foreign_client(&[&rustls::version::TLS13]);
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("example.test").unwrap();
    let opened = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await;
    opened.unwrap();
    for stream in &mut silent[..4] {
        let mut rest = Vec::new();
        let ended = timeout(Duration::from_secs(20), stream.read_to_end(&mut rest)).await;
        assert!(ended.is_ok());
    }
}
