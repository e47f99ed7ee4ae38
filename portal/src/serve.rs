//! Serving: listeners, connections with deadlines and bounds, and a stop that waits only briefly.
//!
//! A connection is a task of its own and holds nothing that others wait for but one of many places. Nobody holds a place for long who
//! says nothing (deadlines of the handshake and of the header), takes nothing (the system gives up on what is not acknowledged), or
//! comes too often (places of one source).
//!
//! With a certificate the same port speaks HTTP/2 and HTTP/1.1, whichever the client prefers, and answers plain HTTP with where to go.

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{Router, extract::ConnectInfo};
use hyper::{
    Request,
    body::Incoming,
    header::{HOST, HeaderValue},
    http::uri::Authority,
    server::conn::{http1, http2},
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use rustls::ServerConfig;
use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    select,
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{debug, warn};

use crate::{app::App, limits, redirect, router::router, scrape};

/// Where the portal listens.
#[derive(Debug)]
pub struct Listeners {
    /// For the portal itself.
    pub portal: TcpListener,
    /// Its certificate: then the portal speaks HTTPS. The protocols `h2` and `http/1.1` are to be named in it.
    pub tls: Option<Arc<ServerConfig>>,
    /// Where whoever comes is sent to the public address.
    pub redirect: Vec<TcpListener>,
    /// Where anybody may read the metrics, and nothing else.
    pub metrics: Option<TcpListener>,
}

impl From<TcpListener> for Listeners {
    fn from(portal: TcpListener) -> Self {
        Self {
            portal,
            tls: None,
            redirect: Vec::new(),
            metrics: None,
        }
    }
}

/// Serves the portal until `stop` is cancelled, then waits a few seconds for requests that are under way.
///
/// # Errors
///
/// Never at present: a connection that fails ends alone, and a failing `accept` is tried again.
pub async fn serve(
    listeners: impl Into<Listeners>,
    app: App,
    stop: CancellationToken,
) -> io::Result<()> {
    let listeners = listeners.into();
    let tasks = TaskTracker::new();
    tasks.spawn(app.clone().follow_proxy());
    tasks.spawn(app.clone().follow_calls());
    tasks.spawn(app.clone().tell_directories());
    tasks.spawn(app.clone().sweep());
    tasks.spawn(app.clone().send_mail());
    tasks.spawn(app.clone().send_webhooks());
    tasks.spawn(app.clone().watch_presence());
    tasks.spawn(app.clone().resume_imports());
    let mut doors = JoinSet::new();
    for (listener, door) in doors_of(listeners, &app) {
        let door = Arc::new(door);
        doors.spawn(admit(listener, door, tasks.clone(), stop.clone()));
    }
    while doors.join_next().await.is_some() {}
    app.stop.cancel();
    tasks.close();
    if timeout(GRACE, tasks.wait()).await.is_err() {
        debug!("requests were still under way at the stop");
    }
    Ok(())
}

/// What is behind a listener.
struct Door {
    router: Router,
    tls: Option<Behind>,
    places: Arc<Semaphore>,
    sources: Sources,
    app: App,
}

/// The certificate, and what is answered to those who do not know of it.
struct Behind {
    acceptor: TlsAcceptor,
    plain: Router,
}

fn doors_of(listeners: Listeners, app: &App) -> Vec<(TcpListener, Door)> {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let sources = Sources::default();
    let door = |router, tls| Door {
        router,
        tls,
        places: Arc::clone(&places),
        sources: sources.clone(),
        app: app.clone(),
    };
    let redirect = redirect::router(&app.config.public_url);
    let behind = listeners.tls.map(|config| Behind {
        acceptor: TlsAcceptor::from(config),
        plain: redirect.clone(),
    });
    let mut doors = vec![(listeners.portal, door(router(app.clone()), behind))];
    for listener in listeners.redirect {
        doors.push((listener, door(redirect.clone(), None)));
    }
    if let Some(listener) = listeners.metrics {
        // Of its own, so that a full portal can still be looked at.
        let door = Door {
            places: Arc::new(Semaphore::new(MAX_SCRAPES)),
            sources: Sources::default(),
            ..door(scrape::router(app.clone()), None)
        };
        doors.push((listener, door));
    }
    doors
}

/// Takes connections until `stop`.
async fn admit(
    listener: TcpListener,
    door: Arc<Door>,
    tasks: TaskTracker,
    stop: CancellationToken,
) {
    loop {
        let accepted = select! {
            () = stop.cancelled() => return,
            accepted = accept(&listener, &door.places) => accepted,
        };
        let (stream, peer, place) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                warn!(%error, "a connection was not accepted");
                sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let is_proxy = door
            .app
            .config
            .trusted_proxies
            .contains(&peer.ip().to_canonical());
        let Some(share) = door.sources.share(peer, is_proxy) else {
            debug!("a connection too many from one source was closed");
            continue;
        };
        let (door, stop) = (Arc::clone(&door), stop.clone());
        tasks.spawn(async move {
            door.connection(stream, peer, stop).await;
            drop((place, share));
        });
    }
}

/// The next connection, when there is a place for it: until then it waits in the system's queue.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = Arc::clone(places)
        .acquire_owned()
        .await
        .map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    stream.set_nodelay(true)?;
    // Whoever does not take what is sent to him would hold his place for ever.
    SockRef::from(&stream).set_tcp_user_timeout(Some(UNTAKEN))?;
    Ok((stream, peer, place))
}

impl Door {
    async fn connection(&self, stream: TcpStream, peer: SocketAddr, stop: CancellationToken) {
        let Some(Behind { acceptor, plain }) = &self.tls else {
            return http1(stream, peer, self.router.clone(), stop).await;
        };
        match timeout(HEADER_TIMEOUT, speaks_tls(&stream)).await {
            Ok(Ok(true)) => {}
            Ok(Ok(false)) => return http1(stream, peer, plain.clone(), stop).await,
            Ok(Err(_)) | Err(_) => return,
        }
        match timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await {
            Ok(Ok(stream)) if stream.get_ref().1.alpn_protocol() == Some(b"h2") => {
                http2(stream, peer, self.router.clone(), stop).await;
            }
            Ok(Ok(stream)) => http1(stream, peer, self.router.clone(), stop).await,
            Ok(Err(error)) => debug!(%error, "a handshake failed"),
            Err(_) => debug!("a handshake took too long"),
        }
    }
}

/// Whether the client begins a handshake (RFC 8446 section 5.1) and not a request in clear.
async fn speaks_tls(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0];
    stream.peek(&mut first).await?;
    Ok(!first[0].is_ascii_alphabetic())
}

async fn http1<S>(stream: S, peer: SocketAddr, router: Router, stop: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(MAX_HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        debug!(%error, "a connection ended early");
    }
}

async fn http2<S>(stream: S, peer: SocketAddr, router: Router, stop: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        name_host(&mut request);
        router.call(request)
    });
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_header_list_size(MAX_HEADER_LIST_BYTES)
        .max_concurrent_streams(MAX_STREAMS)
        .keep_alive_interval(PING)
        .keep_alive_timeout(HEADER_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let ended = select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        debug!(%error, "a connection ended early");
    }
}

/// HTTP/2 says `:authority` instead of `Host` (RFC 9113 section 8.3.1); what looks at the one is to see the other.
fn name_host(request: &mut Request<Incoming>) {
    let authority = request.uri().authority().map(Authority::as_str);
    if let Some(host) = authority.and_then(|text| HeaderValue::from_str(text).ok()) {
        request.headers_mut().entry(HOST).or_insert(host);
    }
}

/// How many connections each source has.
#[derive(Clone, Debug, Default)]
struct Sources(Arc<Mutex<HashMap<limits::Source, usize>>>);

/// One connection of a source; given back when dropped.
struct Share {
    sources: Sources,
    source: Option<limits::Source>,
}

impl Sources {
    /// A place among those of the peer, unless it has too many. A proxy speaks for many.
    fn share(&self, peer: SocketAddr, is_proxy: bool) -> Option<Share> {
        let source = (!is_proxy).then(|| limits::Source::from(peer.ip()));
        if let Some(source) = source {
            let mut counts = self.lock();
            let count = counts.entry(source).or_default();
            if *count >= MAX_OF_SOURCE {
                return None;
            }
            *count += 1;
        }
        Some(Share {
            sources: self.clone(),
            source,
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<limits::Source, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let Some(source) = self.source else { return };
        let mut counts = self.sources.lock();
        if let Some(count) = counts.get_mut(&source) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&source);
            }
        }
    }
}

const MAX_CONNECTIONS: usize = 4096;
/// A quarter of all: one source alone shuts nobody out.
const MAX_OF_SOURCE: usize = MAX_CONNECTIONS / 4;
const MAX_SCRAPES: usize = 64;
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_HEADER_BYTES: usize = 16 * 1024;
const MAX_HEADER_LIST_BYTES: u32 = 16 * 1024;
const MAX_STREAMS: u32 = 100;
const PING: Duration = Duration::from_secs(20);
const UNTAKEN: Duration = Duration::from_secs(30);
const GRACE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_has_a_share_of_the_places_and_a_proxy_any_number() {
        let sources = Sources::default();
        let peer = |text: &str| text.parse::<SocketAddr>().unwrap();
        let one = peer("192.0.2.1:1000");
        let mut held: Vec<_> = (0..MAX_OF_SOURCE)
            .map(|_| sources.share(one, false).expect("a place"))
            .collect();
        assert!(sources.share(peer("192.0.2.1:2000"), false).is_none());
        assert!(sources.share(peer("192.0.2.2:1000"), false).is_some());
        assert!(sources.share(one, true).is_some());
        held.pop();
        assert!(sources.share(one, false).is_some());
        held.clear();
        assert!(sources.lock().is_empty());
    }
}
