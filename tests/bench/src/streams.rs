//! TCP or TLS connections with one registration each, kept open so that what they cost can be weighed.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore, StreamOwned};
use serde_json::json;
use sip::{Ids, Request, Response};

use crate::message::{Account, Sender};

/// How long a server may take for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Which connections.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(long)]
    target: SocketAddr,
    #[arg(long)]
    domain: String,
    #[arg(long)]
    password: String,
    /// How many connections, each of an account of its own: u000000, u000001, ….
    #[arg(long)]
    count: usize,
    /// Speaks TLS and trusts this certificate authority.
    #[arg(long)]
    authority: Option<PathBuf>,
    /// The name the server's certificate must have.
    #[arg(long, default_value = "localhost")]
    name: String,
    /// Later connections resume the session of the first.
    #[arg(long)]
    resume: bool,
}

/// Opens all connections, prints what came of it, keeps them until standard input ends.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let tls = arguments
        .authority
        .as_ref()
        .map(|authority| client_config(authority, arguments.resume))
        .transpose()?;
    let mut ids = Ids::from_seed([4; 32]);
    let started = Instant::now();
    let (mut open, mut resumed, mut failed) = (Vec::new(), 0, 0);
    for index in 0..arguments.count {
        let account = Account::new(
            &format!("u{index:06}"),
            &arguments.domain,
            &arguments.password,
        );
        match connect(arguments, tls.as_ref(), account, &mut ids) {
            Ok((stream, is_resumed)) => {
                resumed += usize::from(is_resumed);
                open.push(stream);
            }
            Err(error) => {
                failed += 1;
                eprintln!("connection {index}: {error}");
            }
        }
    }
    let report = json!({"open": open.len(), "failed": failed, "resumed": resumed, "seconds": started.elapsed().as_secs_f64()});
    println!("{report}");
    io::stdout().flush()?;
    io::copy(&mut io::stdin().lock(), &mut io::sink())?;
    Ok(())
}

/// A client that believes one authority, with the library for cryptography that the server has too.
pub(crate) fn believing(authority: &Path) -> io::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_file(authority).map_err(io::Error::other)?;
    roots.add(certificate).map_err(io::Error::other)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn client_config(
    authority: &Path,
    resume: bool,
) -> Result<Arc<ClientConfig>, Box<dyn std::error::Error>> {
    let mut config = believing(authority)?;
    if !resume {
        config.resumption = Resumption::disabled();
    }
    Ok(Arc::new(config))
}

/// A stream, plain or not.
trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

fn connect(
    arguments: &Arguments,
    tls: Option<&Arc<ClientConfig>>,
    mut account: Account,
    ids: &mut Ids,
) -> Result<(Box<dyn Stream>, bool), Box<dyn std::error::Error>> {
    let tcp = TcpStream::connect(arguments.target)?;
    tcp.set_nodelay(true)?;
    tcp.set_read_timeout(Some(PATIENCE))?;
    let address = tcp.local_addr()?;
    let Some(config) = tls else {
        let mut stream = tcp;
        register(&mut stream, "TCP", address, &mut account, ids)?;
        return Ok((Box::new(stream), false));
    };
    let name = ServerName::try_from(arguments.name.clone())?;
    let mut stream = StreamOwned::new(ClientConnection::new(config.clone(), name)?, tcp);
    register(&mut stream, "TLS", address, &mut account, ids)?;
    let is_resumed = stream.conn.handshake_kind() == Some(HandshakeKind::Resumed);
    Ok((Box::new(stream), is_resumed))
}

fn register(
    stream: &mut dyn Stream,
    transport: &'static str,
    address: SocketAddr,
    account: &mut Account,
    ids: &mut Ids,
) -> io::Result<()> {
    let from = Sender { transport, address };
    let contact = format!(
        "Contact: <sip:{}@{address};transport={}>\r\n",
        account.user,
        transport.to_ascii_lowercase()
    );
    let request = account.register(from, &contact, 1, ids);
    let challenge = ask(stream, &request)?;
    let again = account
        .answer(&challenge, &request, from, ids)
        .ok_or_else(|| unexpected(&challenge))?;
    let granted = ask(stream, &again)?;
    if granted.status.code() == 200 {
        Ok(())
    } else {
        Err(unexpected(&granted))
    }
}

fn unexpected(response: &Response) -> io::Error {
    io::Error::other(format!("answered with {}", response.status.code()))
}

/// Sends a request and reads one message without a body.
fn ask(stream: &mut dyn Stream, request: &Request) -> io::Result<Response> {
    stream.write_all(&request.to_bytes())?;
    stream.flush()?;
    let mut received = Vec::new();
    let mut some = [0; 4_096];
    while !received.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.read(&mut some)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            len => received.extend_from_slice(&some[..len]),
        }
    }
    crate::message::response(&received).ok_or_else(|| io::ErrorKind::InvalidData.into())
}
