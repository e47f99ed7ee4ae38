//! What is counted while the portal works, and the line of each request in the log.
//!
//! Names follow the conventions of Prometheus; `docs/operations.md` lists them. A label has few values: methods, routes as they are
//! written in the router, statuses, and words of this file. Nothing of a person, a tenant or a device is in one.

use std::time::Instant;

use axum::{
    extract::{MatchedPath, Request, State},
    http::{Method, StatusCode},
    middleware::Next,
    response::Response,
};
use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use tracing::info;

use crate::app::App;

/// Something that waits to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Queue {
    /// Mail.
    Mail,
    /// Calls of webhooks.
    Webhooks,
}

/// Says how many wait in a queue at this moment.
pub(crate) fn set_queue_length(queue: Queue, length: u64) {
    let name = match queue {
        Queue::Mail => "mail",
        Queue::Webhooks => "webhooks",
    };
    gauge!(QUEUE_LENGTH, "queue" => name).set(as_float(length));
}

/// Tells what the portal's names mean. To be called once, after a recorder was installed.
pub fn describe_metrics() {
    describe_counter!(REQUESTS, "Requests by operation and status.");
    describe_histogram!(
        DURATION,
        Unit::Seconds,
        "Time from a request's header to its answer's."
    );
    describe_counter!(SIGN_INS, "Attempts to sign in by outcome.");
    describe_counter!(ACTIVATIONS, "Attempts to activate a device by outcome.");
    describe_gauge!(LIVE_PAGES, "Pages that follow a tenant's statuses.");
    describe_gauge!(LIVE_DEVICES, "Devices with a live channel.");
    describe_counter!(LIVE_FRAMES, "Frames handed to live pages.");
    describe_counter!(
        SLOW,
        "Times that a page read too slowly and got a snapshot."
    );
    describe_gauge!(QUEUE_LENGTH, "What waits to be sent, by queue.");
    // A name that is there from the start can be watched before the first time.
    for outcome in ["accepted", "refused", "limited"] {
        counter!(SIGN_INS, "outcome" => outcome).increment(0);
        counter!(ACTIVATIONS, "outcome" => outcome).increment(0);
    }
    counter!(LIVE_FRAMES).increment(0);
    counter!(SLOW).increment(0);
    gauge!(LIVE_PAGES).set(0.0);
    gauge!(LIVE_DEVICES).set(0.0);
    for queue in [Queue::Mail, Queue::Webhooks] {
        set_queue_length(queue, 0);
    }
}

/// Around every request.
pub(crate) async fn measure(State(app): State<App>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = method_of(request.method());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or(PAGES, MatchedPath::as_str)
        .to_owned();
    let response = next.run(request).await;
    let (took, status) = (began.elapsed(), response.status());
    note(method, &route, status);
    histogram!(DURATION, "operation" => format!("{method} {route}")).record(took);
    if app.config.log_requests {
        // The route and not the path: what stands in the place of its variables is nobody's here.
        info!(target: "portal::requests", method, route, status = status.as_u16(),
            took_ms = took.as_secs_f64() * 1e3, "request");
    }
    response
}

fn note(method: &'static str, route: &str, status: StatusCode) {
    let operation = format!("{method} {route}");
    counter!(REQUESTS, "operation" => operation, "status" => status.as_str().to_owned())
        .increment(1);
    let attempt = match (method, route) {
        ("POST", "/api/v1/session") => SIGN_INS,
        ("POST", "/api/v1/device/activation") => ACTIVATIONS,
        _ => return,
    };
    let outcome = match status {
        StatusCode::TOO_MANY_REQUESTS => "limited",
        status if status.is_success() => "accepted",
        _ => "refused",
    };
    counter!(attempt, "outcome" => outcome).increment(1);
}

/// Methods can be invented, so those that nobody uses are one.
fn method_of(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}

/// One that is there and is counted until it is dropped.
#[derive(Debug)]
pub(crate) struct Present(&'static str);

impl Present {
    pub(crate) fn page() -> Self {
        Self::counted(LIVE_PAGES)
    }

    pub(crate) fn device() -> Self {
        Self::counted(LIVE_DEVICES)
    }

    fn counted(name: &'static str) -> Self {
        gauge!(name).increment(1.0);
        Self(name)
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        gauge!(self.0).decrement(1.0);
    }
}

/// A page has got a frame.
pub(crate) fn frame_delivered() {
    counter!(LIVE_FRAMES).increment(1);
}

/// A page was too slow and lost frames.
pub(crate) fn page_was_slow() {
    counter!(SLOW).increment(1);
}

#[expect(clippy::cast_precision_loss, reason = "no queue is that long")]
fn as_float(length: u64) -> f64 {
    length as f64
}

const REQUESTS: &str = "tandem_http_requests_total";
const DURATION: &str = "tandem_http_request_duration_seconds";
const SIGN_INS: &str = "tandem_sign_ins_total";
const ACTIVATIONS: &str = "tandem_activations_total";
const LIVE_PAGES: &str = "tandem_live_pages";
const LIVE_DEVICES: &str = "tandem_live_devices";
const LIVE_FRAMES: &str = "tandem_live_frames_total";
const SLOW: &str = "tandem_live_slow_pages_total";
const QUEUE_LENGTH: &str = "tandem_queue_length";
/// Everything that no route matches.
const PAGES: &str = "pages";
