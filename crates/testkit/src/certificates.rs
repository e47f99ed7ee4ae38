//! An authority of our own, and certificates by it, for tests of TLS.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair,
    SanType, date_time_ymd,
};

/// What a certificate says of its owner.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    /// `sip:` URIs as alternative names.
    pub uris: Vec<String>,
    /// DNS alternative names.
    pub dns: Vec<String>,
    /// Addresses as alternative names.
    pub addresses: Vec<IpAddr>,
    /// The common name.
    pub common_name: Option<String>,
    /// Whether its time is over.
    pub validity: Validity,
}

/// Whether a certificate may be used today.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Validity {
    /// Yes.
    #[default]
    Valid,
    /// It ended in 2021.
    Expired,
}

/// A certificate and its key, as PEM files hold them.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The chain, the owner's certificate first.
    pub chain_pem: String,
    /// The private key (PKCS #8).
    pub key_pem: String,
}

impl Issued {
    /// Writes `NAME.crt` and `NAME.key` into `folder`; their paths.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn write(&self, folder: &Path, name: &str) -> io::Result<(PathBuf, PathBuf)> {
        let chain = folder.join(format!("{name}.crt"));
        let key = folder.join(format!("{name}.key"));
        fs::write(&chain, &self.chain_pem)?;
        fs::write(&key, &self.key_pem)?;
        Ok((chain, key))
    }
}

/// A certificate authority that nobody else trusts.
#[derive(Debug)]
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    /// A new one with a key of its own.
    ///
    /// # Errors
    ///
    /// If no key can be made.
    pub fn new(name: &str) -> Result<Self, rcgen::Error> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name = named(name);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        Ok(Self { issuer })
    }

    /// The authority's own certificate.
    #[must_use]
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// Writes the authority's certificate into `folder`; its path.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn write(&self, folder: &Path) -> io::Result<PathBuf> {
        let path = folder.join("authority.crt");
        fs::write(&path, self.pem())?;
        Ok(path)
    }

    /// A certificate for `subject`.
    ///
    /// # Errors
    ///
    /// If a name cannot be written into a certificate.
    pub fn issue(&self, subject: &Subject) -> Result<Issued, rcgen::Error> {
        let mut params = CertificateParams::new(subject.dns.clone())?;
        params.distinguished_name = subject
            .common_name
            .as_deref()
            .map_or_else(DistinguishedName::new, named);
        for uri in &subject.uris {
            params
                .subject_alt_names
                .push(SanType::URI(uri.as_str().try_into()?));
        }
        for address in &subject.addresses {
            params.subject_alt_names.push(SanType::IpAddress(*address));
        }
        if subject.validity == Validity::Expired {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2021, 1, 1);
        }
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Issued {
            chain_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
        })
    }
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}
