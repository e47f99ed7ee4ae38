//! The configuration file, refused as a whole or complete.
//!
//! Every key has a default, so that an empty file is a good one. What the command line says wins over the file.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU8;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sip_proxy::TracePolicy;

use crate::cli::{DataArguments, ServeArguments};
use crate::http::HttpConfig;
use crate::mail::{EgressConfig, MailConfig, MailConfigError};
use crate::observe::{LogConfig, MetricsConfig};
use crate::sign_up::{SignUpConfig, SignUpConfigError};
use crate::sip_limits::{BansConfig, CallsConfig};
use crate::sip_listen::{TlsConfig, WebSocketConfig, more_listeners};
use crate::sip_numbers::NumbersConfig;
use crate::sip_trusted::trusted_networks;
use crate::unknown_key::explained;

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("the configuration {path} cannot be read: {source}")]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("the configuration {path} is not understood: {what}")]
    Parse { path: PathBuf, what: String },
    #[error(
        "http.public_url is {url:?}: https:// or http://, a host and perhaps a port are expected"
    )]
    PublicUrl { url: String },
    #[error("http.redirect_listen needs an http.public_url that begins with https://")]
    RedirectWhere,
    #[error("http.certificate and http.key belong together: name both files")]
    HalfHttpCertificate,
    #[error(
        "http.trusted_proxies names {named:?}: an address is expected, or a network as 10.0.0.0/24"
    )]
    TrustedProxy { named: String },
    #[error("metrics.token is too short: make one of at least 16 signs, or leave it out")]
    ShortToken,
    #[error("sip.tls.certificate and sip.tls.key belong together: name both files")]
    HalfCertificate,
    #[error("TLS needs sip.tls.certificate and sip.tls.key")]
    NoCertificate,
    #[error("sip.numbers.{key} is {value:?}: digits are expected, with + before a country code")]
    Numbers { key: String, value: String },
    #[error(
        "sip.numbers.domains names {domain:?}: a SIP domain is expected, in lower case and quotes"
    )]
    NumbersDomain { domain: String },
    #[error(
        "sip.trusted_networks names {named:?}: an address is expected, or a network as 192.0.2.0/28"
    )]
    TrustedNetwork { named: String },
    #[error(
        "sip.trusted_networks names {network:?}, which is everybody: name the networks that ask for passwords themselves"
    )]
    TrustsEverybody { network: String },
    #[error(transparent)]
    Mail(#[from] MailConfigError),
    #[error(transparent)]
    SignUp(#[from] SignUpConfigError),
    #[error("sip.digest is empty: name MD5, SHA-256 or both")]
    NoDigest,
    #[error(
        "sip.public_host is needed when sip.listen is {listen}: phones must be told an address they can reach"
    )]
    PublicHost { listen: SocketAddr },
}

/// Everything `tandem.toml` may say.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// Folder of database and keys.
    pub(crate) data_dir: PathBuf,
    /// Database to use instead of the SQLite file in the data directory.
    #[serde(serialize_with = "masked")]
    pub(crate) database_url: Option<String>,
    pub(crate) http: HttpConfig,
    pub(crate) mail: MailConfig,
    pub(crate) egress: EgressConfig,
    pub(crate) sign_up: SignUpConfig,
    pub(crate) sip: SipConfig,
    pub(crate) log: LogConfig,
    pub(crate) metrics: MetricsConfig,
}

/// The proxy's address and names.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SipConfig {
    /// Where the proxy listens, on UDP and TCP.
    pub(crate) listen: SocketAddr,
    /// Further addresses for UDP and TCP, as `[::]:5060` beside an IPv4 one.
    pub(crate) also_listen: Vec<SocketAddr>,
    /// Threads that share the work; the tenants are spread over them.
    pub(crate) shards: NonZeroU8,
    /// Whether datagrams of one size to one peer leave as segments of one send (UDP segmentation offload). It saves a good part
    /// of the work behind an edge proxy or a trunk; a capture on this machine may show what leaves together as one datagram.
    pub(crate) segments: bool,
    /// SIP over TLS.
    pub(crate) tls: TlsConfig,
    /// SIP over WebSockets.
    pub(crate) websocket: WebSocketConfig,
    /// Host name or address that phones reach the proxy by; the listening address unless it is set.
    pub(crate) public_host: Option<String>,
    /// A tenant's SIP domain is its short name, a dot and this.
    pub(crate) base_domain: String,
    /// Digest algorithms to offer and accept, the best first: `SHA-256`, `MD5`. MD5 alone unless it is set, because phones that know
    /// nothing else, such as baresip 1.0, give up as soon as another one is named.
    pub(crate) digest: Vec<DigestAlgorithm>,
    /// When a registration is confirmed: `durable`, once it is on disk, or `memory-first`, at once; a crash then may lose the last five seconds,
    /// and of what was merely renewed the last minute.
    pub(crate) registrar: RegistrarMode,
    /// Networks, as `192.0.2.0/28`, or addresses from which nobody is asked for a password: those of a session border controller or an
    /// edge proxy that asks for it itself. Whoever can send from there can call and be called as any account.
    pub(crate) trusted_networks: Vec<String>,
    /// File of certificate authorities (PEM) that are believed instead of the system's when a provider is tried over TLS.
    pub(crate) provider_authorities: Option<PathBuf>,
    /// When guessing of passwords has its source ignored.
    pub(crate) bans: BansConfig,
    /// How much an account may call.
    pub(crate) calls: CallsConfig,
    /// Which numbers may be called.
    pub(crate) numbers: NumbersConfig,
    /// What is kept of calls to look at.
    pub(crate) trace: TraceConfig,
}

/// What is said in calls, kept in memory without passwords and keys being shown: who called whom, so off unless it is wanted.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TraceConfig {
    /// The last calls that are kept, those under way among them; 0 keeps nothing.
    pub(crate) calls: usize,
    /// Messages of one call.
    pub(crate) messages_per_call: usize,
    /// Messages of all calls together, in bytes.
    pub(crate) bytes: usize,
}

/// When a registration is confirmed.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RegistrarMode {
    Durable,
    MemoryFirst,
}

/// A digest algorithm by the name of RFC 8760.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) enum DigestAlgorithm {
    #[serde(rename = "MD5")]
    Md5,
    #[serde(rename = "SHA-256")]
    Sha256,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("tandem-data"),
            database_url: None,
            http: HttpConfig::default(),
            mail: MailConfig::default(),
            egress: EgressConfig::default(),
            sign_up: SignUpConfig::default(),
            sip: SipConfig::default(),
            log: LogConfig::default(),
            metrics: MetricsConfig::default(),
        }
    }
}

impl Default for SipConfig {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 5060).into(),
            also_listen: Vec::new(),
            shards: NonZeroU8::MIN,
            segments: true,
            tls: TlsConfig::default(),
            websocket: WebSocketConfig::default(),
            public_host: None,
            base_domain: "tandem.localhost".to_owned(),
            digest: vec![DigestAlgorithm::Md5],
            registrar: RegistrarMode::Durable,
            trusted_networks: Vec::new(),
            provider_authorities: None,
            bans: BansConfig::default(),
            calls: CallsConfig::default(),
            numbers: NumbersConfig::default(),
            trace: TraceConfig::default(),
        }
    }
}

impl Default for TraceConfig {
    fn default() -> Self {
        let usual = TracePolicy::default();
        Self {
            calls: 0,
            messages_per_call: usual.max_messages,
            bytes: usual.max_bytes,
        }
    }
}

impl TraceConfig {
    /// As the proxy wants it; `None` if nothing is kept.
    pub(crate) fn policy(self) -> Option<TracePolicy> {
        let policy = TracePolicy {
            max_calls: self.calls,
            max_messages: self.messages_per_call,
            max_bytes: self.bytes,
        };
        (self.calls > 0).then_some(policy)
    }
}

impl Config {
    /// The file, if one is named, and on top of it what the command line says.
    pub(crate) fn load(arguments: &ServeArguments) -> Result<Self, ConfigError> {
        let mut config = Self::for_data(&arguments.data)?;
        config.http.listen = arguments.http.unwrap_or(config.http.listen);
        config.sip.listen = arguments.sip.unwrap_or(config.sip.listen);
        config.http.public_url = arguments.public_url.clone().or(config.http.public_url);
        config.check()?;
        Ok(config)
    }

    /// The file, if one is named, and on top of it what the command line says about the data.
    pub(crate) fn for_data(arguments: &DataArguments) -> Result<Self, ConfigError> {
        let mut config = match &arguments.config {
            Some(path) => Self::read(path)?,
            None => Self::default(),
        };
        config.overlay(arguments);
        Ok(config)
    }

    /// The address of the database, which for SQLite lies in the data directory.
    pub(crate) fn database_url(&self) -> String {
        match &self.database_url {
            Some(url) => url.clone(),
            None => format!(
                "sqlite://{}?mode=rwc",
                self.data_dir.join("tandem.db").display()
            ),
        }
    }

    fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.to_path_buf(),
            source,
        })?;
        toml::from_str(&text).map_err(|error| ConfigError::Parse {
            path: path.to_path_buf(),
            what: explained(&text, &error),
        })
    }

    fn overlay(&mut self, arguments: &DataArguments) {
        if let Some(data_dir) = &arguments.data_dir {
            self.data_dir.clone_from(data_dir);
        }
        if arguments.database_url.is_some() {
            self.database_url.clone_from(&arguments.database_url);
        }
    }

    fn check(&self) -> Result<(), ConfigError> {
        self.http.check()?;
        let token = self.metrics.token.as_ref();
        if token.is_some_and(|token| token.len() < MIN_TOKEN_LENGTH) {
            return Err(ConfigError::ShortToken);
        }
        if self.sip.digest.is_empty() {
            return Err(ConfigError::NoDigest);
        }
        if self.sip.listen.ip().is_unspecified() && self.sip.public_host.is_none() {
            return Err(ConfigError::PublicHost {
                listen: self.sip.listen,
            });
        }
        self.egress.policy()?;
        self.sign_up.offer()?;
        self.sip.numbers.plans()?;
        trusted_networks(&self.sip.trusted_networks)?;
        more_listeners(&self.sip.also_listen, &self.sip.tls, &self.sip.websocket)?;
        Ok(())
    }
}

/// What is shorter can be guessed.
const MIN_TOKEN_LENGTH: usize = 16;

/// A secret, or a database address, which can hold one.
pub(crate) fn masked<S: serde::Serializer>(
    url: &Option<String>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match url {
        Some(_) => serializer.serialize_some("***"),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_is_the_defaults() {
        let config: Config = toml::from_str("").unwrap();
        assert_eq!(config.http.listen.port(), 8080);
        config.check().unwrap();
    }

    #[test]
    fn calls_are_traced_only_if_it_is_asked_for() {
        let policy = |text| toml::from_str::<Config>(text).unwrap().sip.trace.policy();
        assert_eq!(policy(""), None);
        let policy = policy("[sip.trace]\ncalls = 50").unwrap();
        assert_eq!(policy.max_calls, 50);
        assert_eq!(policy.max_bytes, TracePolicy::default().max_bytes);
    }

    #[test]
    fn a_printed_configuration_hides_what_is_secret() {
        let text = "database_url = 'postgres://tandem:hunter2@db/tandem'\n\
                    [metrics]\ntoken = 'hunter2 and more letters'";
        let config: Config = toml::from_str(text).unwrap();
        config.check().unwrap();
        let printed = toml::to_string(&config).unwrap();
        assert!(!printed.contains("hunter2"), "{printed}");
        assert!(printed.contains("***"), "{printed}");
    }

    #[test]
    fn listening_everywhere_needs_a_name_for_the_phones() {
        let config: Config = toml::from_str("[sip]\nlisten = \"0.0.0.0:5060\"").unwrap();
        assert!(matches!(
            config.check(),
            Err(ConfigError::PublicHost { .. })
        ));
    }
}
