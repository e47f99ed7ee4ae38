//! Handshakes for secured media with OpenSSL's own programs: both sides must come to the same keys.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use media::srtp::{DtlsHandshake, DtlsOutcome, SrtpSuite};
use media_io::new_identity;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use sdp::{DtlsRole, Fingerprint};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::net::UdpSocket;
use tokio::process::{Child, Command};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(30);

const PROFILES: [(&str, SrtpSuite); 3] = [
    ("SRTP_AES128_CM_SHA1_80", SrtpSuite::AesCm128HmacSha1_80),
    ("SRTP_AEAD_AES_128_GCM", SrtpSuite::AeadAes128Gcm),
    ("SRTP_AEAD_AES_256_GCM", SrtpSuite::AeadAes256Gcm),
];

/// Writes `cert.pem` and `key.pem`, and gives the fingerprint of the certificate.
async fn certificate(folder: &Path) -> Fingerprint {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let certificate = CertificateParams::default().self_signed(&key).unwrap();
    std::fs::write(folder.join("cert.pem"), certificate.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
    let printed = Command::new("openssl")
        .args([
            "x509",
            "-in",
            "cert.pem",
            "-noout",
            "-fingerprint",
            "-sha256",
        ])
        .current_dir(folder)
        .output()
        .await
        .expect("openssl is installed: run scripts/setup");
    let printed = String::from_utf8(printed.stdout).unwrap();
    let (_, digits) = printed.trim().split_once('=').unwrap();
    Fingerprint::parse(&format!("sha-256 {digits}")).unwrap()
}

fn openssl(folder: &Path, program: &[&str], profile: &str, suite: SrtpSuite) -> Child {
    let length = 2 * (suite.key_bytes() + suite.salt_bytes());
    Command::new("openssl")
        .args(program)
        .args(["-dtls1_2", "-cert", "cert.pem", "-key", "key.pem"])
        .args(["-use_srtp", profile])
        .args(["-keymatexport", "EXTRACTOR-dtls_srtp"])
        .args(["-keymatexportlen", &length.to_string()])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// Until it came out. `peer` is where to send, or the first who sends.
async fn run(
    handshake: &mut DtlsHandshake,
    socket: &UdpSocket,
    mut peer: Option<SocketAddr>,
) -> DtlsOutcome {
    let mut buffer = [0; 2_048];
    loop {
        while let Some(datagram) = handshake.poll_output() {
            // Nobody may be listening yet; it is repeated.
            let _ = socket.send_to(&datagram, peer.unwrap()).await;
        }
        if let Some(outcome) = handshake.poll_outcome() {
            return outcome;
        }
        let wait = handshake.poll_timeout().map_or(PATIENCE, |deadline| {
            deadline.saturating_duration_since(Instant::now())
        });
        if let Ok(Ok((len, source))) = timeout(wait, socket.recv_from(&mut buffer)).await {
            peer = peer.or(Some(source));
            handshake.handle_datagram(&buffer[..len], Instant::now());
        }
        handshake.handle_timeout(Instant::now());
    }
}

/// Both keys, then both salts, those of the client first, as OpenSSL prints them.
fn material(outcome: &DtlsOutcome, role: DtlsRole, suite: SrtpSuite) -> String {
    let DtlsOutcome::Connected { local, remote } = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!((local.suite(), remote.suite()), (suite, suite));
    let (client, server) = match role {
        DtlsRole::Client => (local, remote),
        DtlsRole::Server => (remote, local),
    };
    let parts = [client.key(), server.key(), client.salt(), server.salt()];
    parts.concat().iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02X}").unwrap();
        text
    })
}

async fn exported(output: impl AsyncRead + Unpin) -> String {
    let mut lines = BufReader::new(output).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        if let Some(material) = line.trim().strip_prefix("Keying material: ") {
            return material.to_owned();
        }
    }
    panic!("openssl printed no keys");
}

#[tokio::test]
async fn openssl_as_client_has_our_keys() {
    for (profile, suite) in PROFILES {
        let folder = tempfile::tempdir().unwrap();
        let theirs = certificate(folder.path()).await;
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let ours = new_identity().unwrap();
        let role = DtlsRole::Server;
        let mut handshake = DtlsHandshake::new(ours, role, vec![theirs], Instant::now());
        let address = socket.local_addr().unwrap().to_string();
        let program = ["s_client", "-connect", &address];
        let mut client = openssl(folder.path(), &program, profile, suite);
        let done = run(&mut handshake, &socket, None);
        let outcome = timeout(PATIENCE, done).await.unwrap();
        let printed = exported(client.stdout.take().unwrap());
        let printed = timeout(PATIENCE, printed).await.unwrap();
        assert_eq!(material(&outcome, role, suite), printed, "{profile}");
    }
}

#[tokio::test]
async fn openssl_as_server_has_our_keys() {
    for (profile, suite) in PROFILES {
        let folder = tempfile::tempdir().unwrap();
        let theirs = certificate(folder.path()).await;
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        // Free a moment ago; OpenSSL cannot say which one it took.
        let free = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let accept = address.to_string();
        let program = ["s_server", "-accept", &accept, "-Verify", "1"];
        let mut server = openssl(folder.path(), &program, profile, suite);
        let ours = new_identity().unwrap();
        let role = DtlsRole::Client;
        let mut handshake = DtlsHandshake::new(ours, role, vec![theirs], Instant::now());
        let done = run(&mut handshake, &socket, Some(address));
        let outcome = timeout(PATIENCE, done).await.unwrap();
        let printed = exported(server.stdout.take().unwrap());
        let printed = timeout(PATIENCE, printed).await.unwrap();
        assert_eq!(material(&outcome, role, suite), printed, "{profile}");
    }
}
