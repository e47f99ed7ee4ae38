//! Certificates for the servers of a test, by an authority that only the phones of that test believe.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use crate::server::Certificate;
use tempfile::TempDir;
use testkit::certificates::{Authority, Subject};

/// An authority, and the certificate of all servers on this machine.
#[derive(Debug)]
pub struct Trust {
    _folder: TempDir,
    /// The authority's own certificate (PEM).
    pub authority: PathBuf,
    /// Of the servers.
    pub certificate: Certificate,
}

impl Trust {
    /// A certificate for servers of these domains, which are reached by address or as `localhost`.
    #[must_use]
    pub fn new(domains: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let authority = Authority::new("Tests").expect("an authority can be made");
        let mut subject = Subject {
            uris: domains.iter().map(|name| format!("sip:{name}")).collect(),
            dns: domains.iter().map(|&name| name.to_owned()).collect(),
            addresses: vec![IpAddr::V4(Ipv4Addr::LOCALHOST)],
            common_name: Some("localhost".to_owned()),
            ..Subject::default()
        };
        subject.dns.push("localhost".to_owned());
        let issued = authority
            .issue(&subject)
            .expect("a certificate can be made");
        let (chain, key) = issued
            .write(folder.path(), "server")
            .expect("it can be written");
        let authority = authority.write(folder.path()).expect("it can be written");
        Self {
            _folder: folder,
            authority,
            certificate: Certificate { chain, key },
        }
    }
}
