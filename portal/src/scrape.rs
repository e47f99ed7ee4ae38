//! Who may read the metrics: on a listener of their own anybody who reaches it; on the portal's a program of this machine, or who
//! names the token.

use std::net::SocketAddr;

use axum::{
    Router,
    extract::{ConnectInfo, State},
    http::{
        HeaderMap, StatusCode,
        header::{AUTHORIZATION, CONTENT_TYPE, FORWARDED},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use subtle::ConstantTimeEq as _;
use tracing::error;

use crate::{
    app::App,
    handlers::health,
    metrics::{Queue, set_queue_length},
};

/// The listener of its own: the metrics, and whether the server is well.
pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .with_state(app)
}

async fn metrics(State(app): State<App>) -> Response {
    match &app.config.surroundings {
        Some(surroundings) => {
            count_queues(&app).await;
            text(surroundings.metrics().await)
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// What waits is counted when somebody asks: rows that another process took count as well.
async fn count_queues(app: &App) {
    for (queue, counted) in [
        (Queue::Mail, store::mail::count_waiting(&app.db).await),
        (
            Queue::Webhooks,
            store::webhook::count_waiting(&app.db).await,
        ),
    ] {
        match counted {
            Ok(length) => set_queue_length(queue, length),
            Err(error) => error!(%error, ?queue, "what waits was not counted"),
        }
    }
}

/// The same on the portal's listener. Whoever may not see them is not told that there are any.
pub(crate) async fn guarded(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Response {
    if is_of_this_machine(peer, &headers, &app) || names_the_token(&headers, &app) {
        metrics(State(app)).await
    } else {
        StatusCode::NOT_FOUND.into_response()
    }
}

/// What a reverse proxy on this machine passes on comes from anywhere.
fn is_of_this_machine(peer: SocketAddr, headers: &HeaderMap, app: &App) -> bool {
    let address = peer.ip().to_canonical();
    let forwarded = headers.contains_key(FORWARDED) || headers.contains_key("x-forwarded-for");
    address.is_loopback() && !forwarded && !app.config.trusted_proxies.contains(&address)
}

fn names_the_token(headers: &HeaderMap, app: &App) -> bool {
    let named = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    let (Some(named), Some(token)) = (named, &app.config.metrics_token) else {
        return false;
    };
    named.ct_eq(token.reveal().as_bytes()).into()
}

fn text(metrics: String) -> Response {
    ([(CONTENT_TYPE, FORMAT)], metrics).into_response()
}

const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";
