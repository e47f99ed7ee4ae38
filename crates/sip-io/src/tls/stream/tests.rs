use std::cell::Cell;
use std::rc::Rc;

use rustls::{ClientConfig, HandshakeKind, SupportedProtocolVersion};
use rustls_pki_types::ServerName;
use rustls_pki_types::pem::PemObject;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio_rustls::{TlsConnector, client};

use crate::tls::TlsServer;
use crate::tls::tests::server_of;

use super::*;

/// A socket that counts how often something was written to it.
struct Counting {
    socket: DuplexStream,
    writes: Rc<Cell<usize>>,
}

impl AsyncRead for Counting {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        reader: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(context, reader)
    }
}

impl AsyncWrite for Counting {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(context, bytes);
        self.writes
            .set(self.writes.get() + usize::from(written.is_ready()));
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

type Server = ServerStream<Counting>;
type Client = client::TlsStream<DuplexStream>;

/// A server, and a client of some versions that believes it.
struct Pair {
    server: TlsServer,
    client: Arc<ClientConfig>,
    writes: Rc<Cell<usize>>,
}

impl Pair {
    fn new(versions: &[&'static SupportedProtocolVersion]) -> Self {
        let (server, authority) = server_of("one.test");
        let mut roots = rustls::RootCertStore::empty();
        let pem = authority.pem();
        let certificate = rustls_pki_types::CertificateDer::from_pem_slice(pem.as_bytes());
        roots.add(certificate.unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self {
            server,
            client: Arc::new(client),
            writes: Rc::default(),
        }
    }

    /// Connects over a network that holds `room` bytes in each direction.
    async fn connect(&self, room: usize) -> (Client, Server) {
        let (near, far) = duplex(room);
        let name = ServerName::try_from("one.test").unwrap();
        let connector = TlsConnector::from(self.client.clone());
        self.writes.set(0);
        let socket = Counting {
            socket: far,
            writes: self.writes.clone(),
        };
        let (client, server) = tokio::join!(
            connector.connect(name, near),
            ServerStream::accept(self.server.config.clone(), socket)
        );
        (client.unwrap(), server.unwrap())
    }
}

fn kind(client: &Client) -> HandshakeKind {
    client.get_ref().1.handshake_kind().unwrap()
}

fn tickets(client: &Client) -> u32 {
    client.get_ref().1.tls13_tickets_received()
}

/// Has both say `text` at the same time, and hear it.
async fn talk(client: &mut Client, server: &mut Server, text: &[u8]) {
    let (mut from_client, mut to_client) = tokio::io::split(client);
    let (mut from_server, mut to_server) = tokio::io::split(server);
    let (mut heard, mut answered) = (vec![0; text.len()], vec![0; text.len()]);
    let (first, second, third, fourth) = tokio::join!(
        async {
            to_client.write_all(text).await?;
            to_client.flush().await
        },
        async {
            to_server.write_all(text).await?;
            to_server.flush().await
        },
        from_client.read_exact(&mut answered),
        from_server.read_exact(&mut heard),
    );
    first.and(second).unwrap();
    third.and(fourth).unwrap();
    assert!(heard == text && answered == text);
}

#[tokio::test]
async fn the_ticket_leaves_with_the_first_answer_and_resumes_the_session() {
    let pair = Pair::new(&[&rustls::version::TLS13]);
    for expected in [HandshakeKind::Full, HandshakeKind::Resumed] {
        let (mut client, mut server) = pair.connect(64 * 1024).await;
        assert_eq!(pair.writes.get(), 1, "the server's flight");
        server.write_all(b"answer").await.unwrap();
        assert_eq!(pair.writes.get(), 2, "ticket and answer");
        let mut answer = [0; 6];
        client.read_exact(&mut answer).await.unwrap();
        assert_eq!((&answer, tickets(&client)), (b"answer", 1));
        assert_eq!(kind(&client), expected);
    }
}

#[tokio::test]
async fn who_says_nothing_gets_the_ticket_with_our_goodbye() {
    let pair = Pair::new(&[&rustls::version::TLS13]);
    let (mut client, mut server) = pair.connect(64 * 1024).await;
    server.shutdown().await.unwrap();
    server.shutdown().await.unwrap();
    assert_eq!(client.read(&mut [0]).await.unwrap(), 0, "closed in order");
    assert_eq!(tickets(&client), 1);
    assert_eq!(pair.writes.get(), 2, "goodbye is said once");
}

#[tokio::test]
async fn a_handshake_of_1_2_waits_for_nothing() {
    let pair = Pair::new(&[&rustls::version::TLS12]);
    for expected in [HandshakeKind::Full, HandshakeKind::Resumed] {
        let (mut client, mut server) = pair.connect(64 * 1024).await;
        assert_eq!(kind(&client), expected);
        talk(&mut client, &mut server, b"text").await;
    }
}

#[tokio::test]
async fn bytes_arrive_whole_over_a_network_that_takes_them_in_crumbs() {
    let text: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        for (room, length) in [(7, 5_000), (1_000, 100_000), (100_000, 400_000)] {
            let pair = Pair::new(&[version]);
            let (mut client, mut server) = pair.connect(room).await;
            talk(&mut client, &mut server, &text[..length]).await;
            talk(&mut client, &mut server, b"more").await;
            assert!(server.session.outgoing.is_empty() && server.session.begun().is_empty());
        }
    }
}

#[tokio::test]
async fn a_reader_without_much_room_gets_the_rest_later() {
    let pair = Pair::new(&[&rustls::version::TLS13]);
    let (mut client, mut server) = pair.connect(64 * 1024).await;
    client.write_all(&[1; 10_000]).await.unwrap();
    client.shutdown().await.unwrap();
    let mut heard = Vec::new();
    let mut some = [0; 999];
    loop {
        match server.read(&mut some).await.unwrap() {
            0 => break,
            count => heard.extend_from_slice(&some[..count]),
        }
    }
    assert_eq!(heard, [1; 10_000]);
}

#[tokio::test]
async fn a_connection_that_is_cut_does_not_look_like_a_goodbye() {
    let pair = Pair::new(&[&rustls::version::TLS13]);
    let (client, mut server) = pair.connect(64 * 1024).await;
    drop(client);
    let cut = server.read(&mut [0; 10]).await.unwrap_err();
    assert_eq!(cut.kind(), io::ErrorKind::UnexpectedEof);
}

#[tokio::test]
async fn what_came_before_a_forged_record_counts_and_then_the_peer_is_told() {
    let pair = Pair::new(&[&rustls::version::TLS13]);
    let (mut client, mut server) = pair.connect(64 * 1024).await;
    client.write_all(b"good").await.unwrap();
    let forged = [&[23, 3, 3, 0, 20][..], &[9; 20]].concat();
    client.get_mut().0.write_all(&forged).await.unwrap();
    let mut heard = [0; 10];
    assert_eq!(server.read(&mut heard).await.unwrap(), 4);
    let refused = server.read(&mut heard).await.unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::InvalidData);
    assert_eq!(pair.writes.get(), 2, "the alert");
    let told = client.read(&mut heard).await.unwrap_err();
    assert!(told.to_string().contains("BadRecordMac"), "{told}");
    assert!(server.write_all(b"more").await.is_err());
    server.shutdown().await.unwrap();
}

#[tokio::test]
async fn what_is_no_handshake_is_refused() {
    let pair = Pair::new(&[&rustls::version::TLS13]);
    for (bytes, kind) in [
        (
            &b"REGISTER sip:one.test SIP/2.0\r\n"[..],
            io::ErrorKind::InvalidData,
        ),
        (&[22, 3, 1, 255, 255, 1][..], io::ErrorKind::InvalidData),
        (&[22, 3, 1, 1, 0, 1][..], io::ErrorKind::UnexpectedEof),
        (&[][..], io::ErrorKind::UnexpectedEof),
    ] {
        let (mut near, far) = duplex(64 * 1024);
        near.write_all(bytes).await.unwrap();
        near.shutdown().await.unwrap();
        let refused = ServerStream::accept(pair.server.config.clone(), far).await;
        assert_eq!(refused.unwrap_err().kind(), kind, "{bytes:?}");
    }
}

#[tokio::test]
async fn a_handshake_message_that_never_ends_is_not_kept() {
    let pair = Pair::new(&[&rustls::version::TLS13]);
    let (mut near, far) = duplex(1 << 20);
    // Of a hello of 60 kB, in records of 16.
    let mut hello = vec![1, 0, 0xea, 0x60];
    hello.resize(0xea60 + 4, 3);
    for record in hello.chunks(16_000).take(3) {
        let length = u16::try_from(record.len()).unwrap().to_be_bytes();
        near.write_all(&[22, 3, 1, length[0], length[1]])
            .await
            .unwrap();
        near.write_all(record).await.unwrap();
    }
    let refused = ServerStream::accept(pair.server.config.clone(), far).await;
    assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::InvalidData);
}
