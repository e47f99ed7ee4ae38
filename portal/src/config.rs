//! What the portal must be told.

use std::{fmt::Debug, net::IpAddr, path::PathBuf, pin::Pin, sync::Arc, time::Duration};

use ipnet::IpNet;
use lettre::transport::smtp::client::Certificate;
use rustls::pki_types::{CertificateDer, pem::PemObject as _};

use crate::{egress::Egress, mail::SmtpServer, webhook::WebhookTimes};

/// Configuration of the portal.
#[derive(Clone, Debug)]
pub struct PortalConfig {
    /// Where people and devices reach the portal: scheme, host and port, without a path.
    pub public_url: String,
    /// A tenant's SIP domain is its slug, a dot and this.
    pub sip_base_domain: String,
    /// Where devices send SIP: a URI such as `sip:192.0.2.1:5060;lr`.
    pub sip_outbound_proxy: String,
    /// The same for devices that are to use TLS, such as `sip:192.0.2.1:5061;transport=tls;lr`; `None` if TLS is not spoken.
    pub sip_outbound_proxy_tls: Option<String>,
    /// Where SIP is listened for, as phones are told it; for the page of addresses to allow.
    pub sip_listeners: Vec<(sip::Transport, sip::HostPort)>,
    /// Ports at which HTTP leads to `public_url`.
    pub redirect_ports: Vec<u16>,
    /// Folder of the key that signs device tokens; made with mode 0600 when it is not there.
    pub data_dir: PathBuf,
    /// How long an activation can be used; at most 30 days.
    pub activation_life: Duration,
    /// A session ends after this time without a request.
    pub session_idle: Duration,
    /// A session ends after this time in any case.
    pub session_life: Duration,
    /// Proxies whose `X-Forwarded-For` is believed; from anybody else the header is ignored.
    pub trusted_proxies: TrustedProxies,
    /// Whether each request is a line in the log.
    pub log_requests: bool,
    /// What the process around the portal knows; without it there are no metrics, and the proxy is not asked whether it is well.
    pub surroundings: Option<Arc<dyn Surroundings>>,
    /// Who names this may read the metrics from anywhere. Nobody but programs of this machine may otherwise.
    pub metrics_token: Option<store::Secret>,
    /// How mail is sent for tenants without a server of their own.
    pub mail: MailConfig,
    /// Where the portal may connect to on behalf of tenants.
    pub egress: Egress,
    /// How long is waited for the receivers of webhooks.
    pub webhooks: WebhookTimes,
    authorities: Vec<CertificateDer<'static>>,
    /// What people agree to who sign up; without it nobody may.
    pub sign_up: Option<SignUpConfig>,
}

/// How people sign up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignUpConfig {
    /// The address of the terms.
    pub terms: String,
    /// The address of the privacy statement.
    pub privacy: String,
    /// How hard the puzzle is that a browser solves; each further bit takes twice as long. At most 32.
    pub puzzle_bits: u8,
}

/// What only the process around the portal knows.
pub trait Surroundings: Debug + Send + Sync {
    /// Everything that is measured, in the text format of Prometheus.
    fn metrics(&self) -> Answer<'_, String>;

    /// Whether the SIP proxy does its work.
    fn proxy_is_well(&self) -> Answer<'_, bool>;
}

/// What is answered in a moment.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Networks of reverse proxies before the portal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Whether a proxy is at this address.
    #[must_use]
    pub fn contains(&self, address: &IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }
}

impl FromIterator<IpNet> for TrustedProxies {
    fn from_iter<T: IntoIterator<Item = IpNet>>(networks: T) -> Self {
        Self(networks.into_iter().collect())
    }
}

/// Mail of the installation.
#[derive(Clone, Debug, Default)]
pub struct MailConfig {
    /// The server; without one, mails of tenants that have none lie in the mailbox of the data folder.
    pub server: Option<InstallationMail>,
    authorities: Vec<Certificate>,
}

/// The installation's mail server and sender.
#[derive(Clone, Debug)]
pub struct InstallationMail {
    /// The server. It may be anywhere: egress rules are for tenants.
    pub server: SmtpServer,
    /// The name that receivers see; the tenant's unless it is set.
    pub sender_name: Option<String>,
    /// The address that mails come from.
    pub sender_address: String,
}

/// The file is not one of certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("these are no certificates in PEM")]
pub struct AuthoritiesError;

impl MailConfig {
    /// Trusts these authorities (PEM) beside the system's when a mail server's certificate is checked.
    ///
    /// # Errors
    ///
    /// [`AuthoritiesError`] if there is no certificate in it.
    pub fn trust(&mut self, pem: &[u8]) -> Result<(), AuthoritiesError> {
        self.authorities
            .push(Certificate::from_pem(pem).map_err(|_| AuthoritiesError)?);
        Ok(())
    }

    pub(crate) fn authorities(&self) -> &[Certificate] {
        &self.authorities
    }
}

impl PortalConfig {
    /// The usual values for a portal at `public_url` whose devices send SIP to `sip_outbound_proxy`.
    pub fn new(
        public_url: impl Into<String>,
        sip_outbound_proxy: impl Into<String>,
        data_dir: impl Into<PathBuf>,
    ) -> Self {
        Self {
            public_url: public_url.into().trim_end_matches('/').to_owned(),
            sip_base_domain: "tandem.localhost".to_owned(),
            sip_outbound_proxy: sip_outbound_proxy.into(),
            sip_outbound_proxy_tls: None,
            sip_listeners: Vec::new(),
            redirect_ports: Vec::new(),
            data_dir: data_dir.into(),
            activation_life: 7 * DAY,
            session_idle: 12 * HOUR,
            session_life: 30 * DAY,
            trusted_proxies: TrustedProxies::default(),
            log_requests: false,
            surroundings: None,
            metrics_token: None,
            mail: MailConfig::default(),
            egress: Egress::new([]),
            webhooks: WebhookTimes::default(),
            authorities: Vec::new(),
            sign_up: None,
        }
    }

    /// Trusts these authorities (PEM) beside the system's when the certificate of a server that a tenant named is checked, mail servers aside.
    ///
    /// # Errors
    ///
    /// [`AuthoritiesError`] if there is no certificate in it.
    pub fn trust(&mut self, pem: &[u8]) -> Result<(), AuthoritiesError> {
        let read = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
        let read = read.map_err(|_| AuthoritiesError)?;
        if read.is_empty() {
            return Err(AuthoritiesError);
        }
        self.authorities.extend(read);
        Ok(())
    }

    pub(crate) fn authorities(&self) -> &[CertificateDer<'static>] {
        &self.authorities
    }

    /// The SIP domain of the tenant with this slug.
    pub fn sip_domain(&self, slug: &str) -> String {
        format!("{slug}.{}", self.sip_base_domain)
    }

    pub(crate) fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }
}

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
