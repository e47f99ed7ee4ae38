//! Whether the portal lives, and whether it can work.

use axum::{extract::State, http::StatusCode};
use store::PageRequest;
use tracing::error;

use crate::app::App;

/// 200 as long as the process answers.
pub(crate) async fn alive() -> &'static str {
    "ok"
}

/// 200 if the database answers, else 503.
pub(crate) async fn ready(State(app): State<App>) -> (StatusCode, &'static str) {
    let one = PageRequest {
        limit: 1,
        ..PageRequest::default()
    };
    match store::tenant::list(&one, &app.db).await {
        Ok(_) => (StatusCode::OK, "ready"),
        Err(error) => {
            error!(%error, "the database does not answer");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "the database does not answer",
            )
        }
    }
}
