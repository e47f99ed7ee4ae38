//! `tandem serve --check-config`: whether the configuration would do, as far as that can be told without serving.
//!
//! Nothing is made or changed. Each finding says what to do; one that keeps the server from its work makes the command fail.

use std::fs;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use sip_proxy::{CertificateFiles, TlsServer};
use store::{SchemaState, StoreConfig, Vault};
use time::{Duration, OffsetDateTime};
use webpki::EndEntityCert;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::config::Config;
use crate::data_dir::DataDir;
use crate::http::host_of;
use crate::serve;

/// There is something to be mended before the server can work.
#[derive(Debug, thiserror::Error)]
#[error("the configuration will not do: {0} to be mended")]
pub(crate) struct WillNotDo(String);

enum Finding {
    /// The server would not start, or not work.
    Problem(String),
    /// It would, but somebody should know.
    Advice(String),
}

use Finding::{Advice, Problem};

/// Says on standard error what it finds.
pub(crate) async fn check(config: &Config) -> Result<(), WillNotDo> {
    let mut findings = Vec::new();
    certificates(config, &mut findings);
    data_dir(&config.data_dir, &mut findings);
    database(config, &mut findings).await;
    addresses(config, &mut findings);
    exposure(config, &mut findings);
    let mut problems = 0;
    for finding in findings {
        match finding {
            Problem(text) => {
                problems += 1;
                eprintln!("problem: {text}");
            }
            Advice(text) => eprintln!("advice: {text}"),
        }
    }
    match problems {
        0 => Ok(()),
        1 => Err(WillNotDo("one thing is".to_owned())),
        _ => Err(WillNotDo(format!("{problems} things are"))),
    }
}

fn certificates(config: &Config, findings: &mut Vec<Finding>) {
    if let Ok(Some(files)) = config.http.certificate() {
        let host = config.http.public_url.as_deref().and_then(host_of);
        certificate("http", &files, host, findings);
        match config.http.public_url.as_deref() {
            None => findings.push(Advice(
                "http.public_url is not set: links would name the listening address, which the certificate will hardly be for"
                    .to_owned(),
            )),
            Some(url) if url.starts_with("http://") => findings.push(Advice(format!(
                "http.public_url is {url}, but the portal speaks HTTPS: say https://"
            ))),
            Some(_) => {}
        }
    }
    let tls = &config.sip.tls;
    if let (Some(chain), Some(key)) = (&tls.certificate, &tls.key) {
        let files = CertificateFiles {
            chain: chain.clone(),
            key: key.clone(),
        };
        certificate("sip.tls", &files, None, findings);
    }
}

fn certificate(
    section: &str,
    files: &CertificateFiles,
    host: Option<&str>,
    findings: &mut Vec<Finding>,
) {
    if let Err(error) = TlsServer::new(files.clone()) {
        let advice = "name the files of the server's certificate and of its key, both readable for the server's user";
        return findings.push(Problem(format!("{section}.certificate: {error}; {advice}")));
    }
    let Ok(own) = CertificateDer::from_pem_file(&files.chain) else {
        return;
    };
    let path = files.chain.display();
    if let Some(host) = host
        && !is_for(&own, host)
    {
        findings.push(Problem(format!(
            "{section}.certificate: {path} is not for {host}, which http.public_url names: browsers and phones will refuse it; \
             get one for that name, or name another http.public_url"
        )));
    }
    let Ok((_, parsed)) = X509Certificate::from_der(&own) else {
        return;
    };
    let ends = parsed.validity().not_after.to_datetime();
    let left = ends - OffsetDateTime::now_utc();
    if left.is_negative() {
        findings.push(Problem(format!(
            "{section}.certificate: {path} ended on {}: renew it",
            ends.date()
        )));
    } else if left < SOON {
        findings.push(Advice(format!(
            "{section}.certificate: {path} ends on {}: renew it; the new one is taken up without a restart",
            ends.date()
        )));
    }
}

fn is_for(certificate: &CertificateDer<'_>, host: &str) -> bool {
    let Ok(name) = ServerName::try_from(host) else {
        return false;
    };
    EndEntityCert::try_from(certificate)
        .is_ok_and(|parsed| parsed.verify_is_valid_for_subject_name(&name).is_ok())
}

fn data_dir(path: &Path, findings: &mut Vec<Finding>) {
    let shown = path.display();
    let found = match fs::metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return findings.push(Advice(format!(
                "data_dir: {shown} is not there and will be made, with a new database and new keys"
            )));
        }
        Err(error) => {
            return findings.push(Problem(format!(
                "data_dir: {shown} cannot be seen: {error}"
            )));
        }
    };
    if !found.is_dir() {
        return findings.push(Problem(format!("data_dir: {shown} is no folder")));
    }
    if let Err(error) = tempfile::tempfile_in(path) {
        findings.push(Problem(format!(
            "data_dir: nothing can be written to {shown}: {error}; it must belong to the server's user"
        )));
    }
    let mode = std::os::unix::fs::PermissionsExt::mode(&found.permissions());
    if mode & 0o077 != 0 {
        findings.push(Advice(format!(
            "data_dir: {shown} is open to others; run: chmod 700 {shown}"
        )));
    }
    let key = path.join("master.key");
    if key.exists()
        && let Err(error) = Vault::open_file(&key)
    {
        findings.push(Problem(error.to_string()));
    }
}

async fn database(config: &Config, findings: &mut Vec<Finding>) {
    let file = config.data_dir.join("tandem.db");
    if config.database_url.is_none() && !file.exists() {
        return;
    }
    let quick = StoreConfig {
        max_connections: 1,
        acquire_timeout: PATIENCE,
        ..StoreConfig::default()
    };
    let schema = match store::open_existing(&config.database_url(), &quick).await {
        Ok(db) => SchemaState::of(&db)
            .await
            .map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    match schema {
        Err(error) => findings.push(Problem(format!(
            "database_url: {error}; is it running, and are name, user and password right?"
        ))),
        Ok(schema) if !schema.unknown.is_empty() => findings.push(Problem(
            "database_url: the database was used by a newer version of tandem: run that one, or restore a backup of before"
                .to_owned(),
        )),
        Ok(schema) if !schema.applied.is_empty() && !schema.missing.is_empty() => {
            findings.push(Advice(format!(
                "the schema of the database will be brought up to date, {} steps: make a backup with the old version first",
                schema.missing.len()
            )));
        }
        Ok(schema) => {
            let has_rows = !schema.applied.is_empty();
            if has_rows && !config.data_dir.join("master.key").exists() {
                findings.push(Problem(format!(
                    "{} is not there, but the database is: put the copy of it in its place, or sealed passwords are lost",
                    config.data_dir.join("master.key").display()
                )));
            }
        }
    }
}

/// Whether each address can be listened on, unless a server of this data directory does already.
fn addresses(config: &Config, findings: &mut Vec<Finding>) {
    if DataDir::is_in_use(&config.data_dir) {
        return findings.push(Advice(
            "a server runs on this data directory: whether addresses are free was not tried"
                .to_owned(),
        ));
    }
    let http = [("http.listen", config.http.listen)];
    let redirect = config.http.redirect_listen.iter();
    let metrics = config.metrics.listen.iter();
    let sip = [("sip.listen", config.sip.listen)];
    let all = http
        .into_iter()
        .chain(redirect.map(|address| ("http.redirect_listen", *address)))
        .chain(metrics.map(|address| ("metrics.listen", *address)))
        .chain(sip)
        .chain(named("sip.also_listen", &config.sip.also_listen))
        .chain(named("sip.tls.listen", &config.sip.tls.listen))
        .chain(named("sip.websocket.listen", &config.sip.websocket.listen))
        .chain(named(
            "sip.websocket.listen_secure",
            &config.sip.websocket.listen_secure,
        ));
    // Held to the end, so that one address named twice is seen.
    let mut held = Vec::new();
    for (key, address) in all {
        match TcpListener::bind(address) {
            Ok(listener) => held.push(listener),
            Err(error) => findings.push(Problem(format!(
                "{key}: {address} cannot be listened on: {error}; {}",
                serve::advice(&error)
            ))),
        }
    }
}

fn named<'a>(
    key: &'static str,
    addresses: &'a [SocketAddr],
) -> impl Iterator<Item = (&'static str, SocketAddr)> + 'a {
    addresses.iter().map(move |address| (key, *address))
}

fn exposure(config: &Config, findings: &mut Vec<Finding>) {
    let public = config.http.public_url.as_deref().unwrap_or_default();
    let is_open = !config.http.listen.ip().is_loopback();
    if is_open && config.http.certificate.is_none() {
        findings.push(Advice(if public.starts_with("https://") {
            "http.listen is open to the network without TLS: let only the reverse proxy reach it, or give it a certificate"
                .to_owned()
        } else {
            "http.listen is open to the network without TLS, so passwords travel in clear: set http.certificate and http.key"
                .to_owned()
        }));
    }
    let behind_proxy = public.starts_with("https://") && config.http.certificate.is_none();
    if behind_proxy && config.http.trusted_proxies.is_empty() {
        findings.push(Advice(
            "http.trusted_proxies is empty: behind a reverse proxy everybody counts as one source; name its address".to_owned(),
        ));
    }
}

const SOON: Duration = Duration::days(14);
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);
