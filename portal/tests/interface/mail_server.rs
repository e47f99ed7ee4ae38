//! A real mail server as a process of its own (`scripts/smtp_server.py`), and certificates for it.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

/// A running mail server; it ends when this is dropped.
pub(crate) struct MailServer {
    pub(crate) port: u16,
    output: Lines<BufReader<ChildStdout>>,
    _input: ChildStdin,
    _child: Child,
}

impl MailServer {
    /// Started with these arguments.
    pub(crate) async fn start(arguments: &[&str]) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let python = root.join(".venv/bin/python");
        assert!(
            python.exists(),
            "{} is missing: run scripts/setup",
            python.display()
        );
        let mut child = Command::new(python)
            .arg(root.join("scripts/smtp_server.py"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = output.next_line().await.unwrap();
        let port = port.expect("the mail server says its port; without aiosmtpd run scripts/setup");
        Self {
            port: port.parse().unwrap(),
            output,
            _input: child.stdin.take().unwrap(),
            _child: child,
        }
    }

    /// With TLS of this kind, for whoever knows the password.
    pub(crate) async fn secured(tls: &str, trust: &Trust, password: &str, mood: &str) -> Self {
        Self::start(&[
            "--tls",
            tls,
            "--certificate",
            trust.path("server.crt").to_str().unwrap(),
            "--key",
            trust.path("server.key").to_str().unwrap(),
            "--user",
            "phones",
            "--password",
            password,
            "--mood",
            mood,
        ])
        .await
    }

    /// The next mail that it takes.
    pub(crate) async fn mail(&mut self) -> Value {
        let line = self.output.next_line().await.unwrap().unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

/// An authority, and a certificate of it for `localhost`.
pub(crate) struct Trust {
    folder: TempDir,
    /// The authority, in PEM.
    pub(crate) authority: String,
}

impl Trust {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority_key = KeyPair::generate().unwrap();
        let certificate = authority.self_signed(&authority_key).unwrap();
        let issuer = Issuer::new(authority, authority_key);
        let key = KeyPair::generate().unwrap();
        let server = CertificateParams::new(vec!["localhost".to_owned()])
            .unwrap()
            .signed_by(&key, &issuer)
            .unwrap();
        let trust = Self {
            folder,
            authority: certificate.pem(),
        };
        std::fs::write(trust.path("server.crt"), server.pem()).unwrap();
        std::fs::write(trust.path("server.key"), key.serialize_pem()).unwrap();
        trust
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}
