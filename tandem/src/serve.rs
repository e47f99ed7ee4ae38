//! `tandem serve`: opens everything, tells the person where it is, and ends it in order.
//!
//! Whatever can fail at the start fails before anything is served, with a text that says what to do. Addresses are printed on
//! standard output once they are known, one a line; logs go to standard error.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use portal::{App, Listeners, OneTimePassword, PortalConfig};
use sip_proxy::{
    Algorithm, Authorities, Control, Durability, Reach, Service, ServiceConfig, TlsServer,
    Transport,
};
use store::{Database, Secret, StoreConfig, Vault};
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::config::{Config, ConfigError, DigestAlgorithm, RegistrarMode};
use crate::data_dir::{DataDir, DataDirError};
use crate::observe::Telemetry;
use crate::sip_listen::more_listeners;
use crate::sip_trusted::trusted_networks;
use crate::supervisor;

/// Why the server does not start. The texts are for the person who started it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    #[error("the keys in {path} cannot be used: {source}")]
    Vault {
        path: String,
        source: store::VaultError,
    },
    #[error("the database cannot be used: {0}")]
    Connect(#[from] store::ConnectError),
    #[error("the portal cannot listen on {address}: {source}; {}", advice(source))]
    Listen {
        address: SocketAddr,
        source: io::Error,
    },
    #[error(transparent)]
    Proxy(#[from] sip_proxy::StartError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("sip.public_host {host:?} is neither a host name nor an address")]
    PublicHost { host: String },
    #[error(transparent)]
    Portal(#[from] portal::StartError),
    #[error("the first administrator cannot be made: {0}")]
    FirstRun(#[from] portal::PersonError),
    #[error("the portal's certificate cannot be used: {0}")]
    Certificate(#[from] sip_proxy::TlsError),
    #[error(transparent)]
    Metrics(#[from] crate::observe::NoMetrics),
    #[error("the server cannot be told to stop: {0}")]
    Signals(io::Error),
    #[error("the portal has stopped: {0}")]
    Served(io::Error),
}

/// Database and keys of a data directory.
pub(crate) async fn open_store(config: &Config) -> Result<(DataDir, Vault, Database), ServeError> {
    let data_dir = DataDir::open(&config.data_dir)?;
    let key = data_dir.path().join("master.key");
    let vault = Vault::open_or_create(&key).map_err(|source| ServeError::Vault {
        path: key.display().to_string(),
        source,
    })?;
    let db = store::connect(&config.database_url(), &StoreConfig::default()).await?;
    Ok((data_dir, vault, db))
}

/// Serves until the process is told to stop.
pub(crate) async fn serve(config: Config) -> Result<(), ServeError> {
    let data_dir = DataDir::open(&config.data_dir)?;
    let _lock = data_dir.lock()?;
    let (_, vault, db) = open_store(&config).await?;
    let certificate = config.http.certificate()?.map(TlsServer::new).transpose()?;
    let listeners = listeners(&config, certificate.as_ref()).await?;
    let places = Places::of(&listeners)?;
    let service = Service::bind(service_config(&config)?).await?;
    let mut portal_config = portal_config(&config, &places, &service)?;

    let stop = CancellationToken::new();
    let mut tasks = JoinSet::new();
    let sip = service.advertised().to_string();
    let secure: Vec<_> = [Transport::Tls, Transport::Ws, Transport::Wss]
        .into_iter()
        .filter_map(|transport| {
            let address = service.advertised_for(transport)?;
            Some((transport.as_str(), address.to_string()))
        })
        .collect();
    let proxy = service
        .start(vault.clone(), db.clone(), stop.clone(), &mut tasks)
        .await?;
    tasks.spawn(tell_counts(proxy.clone(), stop.clone()));
    tasks.spawn(supervisor::reload(certificate, stop.clone()));
    tasks.spawn(supervisor::watchdog(proxy.clone(), stop.clone()));
    let telemetry = Telemetry::start(proxy.clone(), db.clone())?;
    portal_config.surroundings = Some(Arc::new(telemetry));
    let first = first_administrator(&portal_config, &db).await?;
    let url = portal_config.public_url.clone();
    let app = App::new(db, vault, proxy, portal_config)?;

    places.tell(&url);
    println!("SIP: {sip} (UDP and TCP)");
    for (transport, address) in secure {
        println!("SIP over {transport}: {address}");
    }
    if let Some(first) = first {
        println!(
            "First administrator: {}, one-time password: {}",
            first.email,
            first.password.reveal()
        );
    }
    info!(http = %places.http, %sip, "serving");
    supervisor::ready(&url);
    let ended = until_told_to_stop(portal::serve(listeners, app, stop.clone()), &stop).await;
    stop.cancel();
    while tasks.join_next().await.is_some() {}
    info!("stopped");
    ended
}

/// Prints how full the proxy's tables are whenever the process gets SIGUSR1: nobody but its own user can ask.
async fn tell_counts(proxy: Arc<Control>, stop: CancellationToken) {
    let Ok(mut asked) = signal(SignalKind::user_defined1()) else {
        return;
    };
    while stop.run_until_cancelled(asked.recv()).await.is_some() {
        if let Ok(counts) = proxy.counts().await {
            println!("Tables: {counts:?}");
        }
    }
}

/// Serves until the process is told to stop, then lets requests that are under way finish.
async fn until_told_to_stop(
    served: impl Future<Output = io::Result<()>>,
    stop: &CancellationToken,
) -> Result<(), ServeError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(ServeError::Signals)?;
    let mut served = pin!(served);
    tokio::select! {
        served = &mut served => return served.map_err(ServeError::Served),
        _ = terminate.recv() => {}
        interrupted = tokio::signal::ctrl_c() => interrupted.map_err(ServeError::Signals)?,
    }
    supervisor::stopping();
    stop.cancel();
    served.await.map_err(ServeError::Served)
}

/// The first administrator, whose password is printed. Where what is printed is kept in the journal, somebody adds him by hand.
async fn first_administrator(
    config: &PortalConfig,
    db: &Database,
) -> Result<Option<OneTimePassword>, portal::PersonError> {
    if std::env::var_os(JOURNAL).is_none() {
        return portal::first_run(config, OffsetDateTime::now_utc(), db).await;
    }
    if store::user::count(db).await? == 0 {
        warn!("nobody can sign in yet: run tandem user add --installation-administrator");
    }
    Ok(None)
}

async fn listeners(
    config: &Config,
    certificate: Option<&TlsServer>,
) -> Result<Listeners, ServeError> {
    let mut redirect = Vec::new();
    for address in &config.http.redirect_listen {
        redirect.push(bind(*address).await?);
    }
    Ok(Listeners {
        portal: bind(config.http.listen).await?,
        tls: certificate.map(|certificate| certificate.for_protocols(&[b"h2", b"http/1.1"])),
        redirect,
        metrics: match config.metrics.listen {
            Some(address) => Some(bind(address).await?),
            None => None,
        },
    })
}

async fn bind(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| ServeError::Listen { address, source })
}

/// What to do when an address cannot be listened on.
pub(crate) fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "ports below 1024 need the capability CAP_NET_BIND_SERVICE, which the packaged unit has"
        }
        io::ErrorKind::AddrNotAvailable => "this machine does not have the address",
        _ => "is another server running there?",
    }
}

/// Where the listeners are in the end.
struct Places {
    http: SocketAddr,
    redirect: Vec<SocketAddr>,
    metrics: Option<SocketAddr>,
}

impl Places {
    fn of(listeners: &Listeners) -> Result<Self, ServeError> {
        let place = |listener: &TcpListener| listener.local_addr().map_err(ServeError::Served);
        Ok(Self {
            http: place(&listeners.portal)?,
            redirect: listeners
                .redirect
                .iter()
                .map(place)
                .collect::<Result<_, _>>()?,
            metrics: listeners.metrics.as_ref().map(place).transpose()?,
        })
    }

    fn tell(&self, url: &str) {
        println!("Portal: {url}");
        if !url.ends_with(&self.http.to_string()) {
            println!("Portal listens on: {}", self.http);
        }
        for address in &self.redirect {
            println!("Redirection listens on: {address}");
        }
        if let Some(address) = self.metrics {
            println!("Metrics: http://{address}/metrics");
        }
    }
}

fn service_config(config: &Config) -> Result<ServiceConfig, ServeError> {
    let parse = |host: &String| {
        host.parse()
            .map_err(|_| ServeError::PublicHost { host: host.clone() })
    };
    let public_host = config.sip.public_host.as_ref().map(parse).transpose()?;
    let algorithm = |digest: &DigestAlgorithm| match digest {
        DigestAlgorithm::Md5 => Algorithm::Md5,
        DigestAlgorithm::Sha256 => Algorithm::Sha256,
    };
    Ok(ServiceConfig {
        listen: config.sip.listen,
        shards: config.sip.shards.into(),
        more: more_listeners(
            &config.sip.also_listen,
            &config.sip.tls,
            &config.sip.websocket,
        )?,
        segments: config.sip.segments,
        algorithms: config.sip.digest.iter().map(algorithm).collect(),
        durability: match config.sip.registrar {
            RegistrarMode::Durable => Durability::Durable,
            RegistrarMode::MemoryFirst => Durability::MemoryFirst,
        },
        trusted: trusted_networks(&config.sip.trusted_networks)?,
        guessing: config.sip.bans.policy(),
        calling: config.sip.calls.policy(),
        numbers: config.sip.numbers.plans()?,
        trace: config.sip.trace.policy(),
        public_host,
        provider_authorities: match &config.sip.provider_authorities {
            Some(path) => Authorities::File(path.clone()),
            None => Authorities::System,
        },
        may_reach: {
            let egress = config.egress.policy().map_err(ConfigError::from)?;
            Reach::new(move |address| egress.allows(address))
        },
    })
}

fn portal_config(
    config: &Config,
    places: &Places,
    service: &Service,
) -> Result<PortalConfig, ConfigError> {
    let outbound_proxy = format!("sip:{};lr", service.advertised());
    let url = config.http.public_url(places.http);
    let mut portal = PortalConfig::new(url, outbound_proxy, &config.data_dir);
    portal.sip_outbound_proxy_tls = service
        .advertised_for(Transport::Tls)
        .map(|address| format!("sip:{address};transport=tls;lr"));
    portal.sip_listeners = service.listeners().to_vec();
    portal.redirect_ports = places.redirect.iter().map(SocketAddr::port).collect();
    portal.sip_base_domain.clone_from(&config.sip.base_domain);
    portal.trusted_proxies = config.http.trusted_proxies()?;
    portal.log_requests = config.log.requests;
    portal.metrics_token = config.metrics.token.as_deref().map(Secret::new);
    config.mail.apply(&mut portal)?;
    portal.egress = config.egress.policy()?;
    portal.sign_up = config.sign_up.offer()?;
    Ok(portal)
}

/// Set by systemd where standard output goes into the journal.
const JOURNAL: &str = "JOURNAL_STREAM";
