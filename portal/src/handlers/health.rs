//! Whether the portal lives, and whether it can work.

use std::time::Duration;

use axum::{extract::State, http::StatusCode};
use rustix::fs::statvfs;
use store::SchemaState;
use tokio::{join, time::timeout};
use tracing::error;

use crate::app::App;

/// 200 as long as the process answers.
pub(crate) async fn alive() -> &'static str {
    "ok"
}

/// 200 if everything that a request needs is there, else 503 and one line for each thing that is not.
pub(crate) async fn ready(State(app): State<App>) -> (StatusCode, String) {
    let (database, proxy) = join!(database(&app), proxy(&app));
    let wrong: Vec<_> = [database, proxy, disk(&app)]
        .into_iter()
        .flatten()
        .collect();
    if wrong.is_empty() {
        return (StatusCode::OK, "ready\n".to_owned());
    }
    (StatusCode::SERVICE_UNAVAILABLE, wrong.join("\n") + "\n")
}

async fn database(app: &App) -> Option<&'static str> {
    match timeout(PATIENCE, SchemaState::of(&app.db)).await {
        Ok(Ok(schema)) if schema.missing.is_empty() => None,
        Ok(Ok(_)) => Some("the database lacks steps of the schema: restart the server"),
        Ok(Err(error)) => {
            error!(%error, "the database does not answer");
            Some("the database does not answer")
        }
        Err(_) => Some("the database does not answer in time"),
    }
}

async fn proxy(app: &App) -> Option<&'static str> {
    let surroundings = app.config.surroundings.as_ref()?;
    match timeout(PATIENCE, surroundings.proxy_is_well()).await {
        Ok(true) => None,
        Ok(false) => Some("the SIP proxy has stopped"),
        Err(_) => Some("the SIP proxy does not answer in time"),
    }
}

fn disk(app: &App) -> Option<&'static str> {
    let free =
        statvfs(&app.config.data_dir).map(|found| found.f_bavail.saturating_mul(found.f_frsize));
    match free {
        Ok(free) if free < MIN_FREE_BYTES => Some("the disk of the data directory is nearly full"),
        Ok(_) => None,
        Err(error) => {
            error!(%error, "the data directory cannot be seen");
            Some("the data directory cannot be seen")
        }
    }
}

/// Longer than a busy database takes, shorter than who asks waits.
const PATIENCE: Duration = Duration::from_secs(3);
/// Room for the write-ahead log of a busy minute.
const MIN_FREE_BYTES: u64 = 64 * 1024 * 1024;
