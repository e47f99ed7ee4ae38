//! Around every request: its identifier, its origin, its answer's headers and the text of its problem.

use api::{Problem, problem_type};
use axum::{
    Json,
    extract::{Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, ORIGIN, REFERRER_POLICY,
            STRICT_TRANSPORT_SECURITY, UPGRADE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
        },
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use tracing::{Instrument, Span, debug, error, info_span};
use uuid::Uuid;

use crate::{app::App, error::ApiError, handlers::desk_phone};

/// Gives the request an identifier and finishes its answer.
pub(crate) async fn finish(State(app): State<App>, request: Request, next: Next) -> Response {
    let id = Uuid::now_v7().to_string();
    let path = request.uri().path().to_owned();
    let is_desk_phone = path.starts_with(desk_phone::PREFIX);
    // What stands behind it is a secret.
    let shown = if is_desk_phone {
        desk_phone::PREFIX
    } else {
        &path
    };
    let span = info_span!("request", request.id = %id, method = %request.method(), path = shown);
    let mut response = next.run(request).instrument(span.clone()).await;
    span.in_scope(|| debug!(status = response.status().as_u16(), "answered"));

    let is_api = path.starts_with("/api/");
    if let Some(problem) = problem_of(&mut response, is_api) {
        response = with_problem(response, problem, &id);
    }
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::try_from(id) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    if (is_api || is_desk_phone) && !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    secure(headers);
    if app.config.is_https() {
        headers.insert(
            STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000"),
        );
    }
    response
}

/// Goes on to the end even if the caller has left.
pub(crate) async fn to_its_end(work: impl Future<Output = Response> + Send + 'static) -> Response {
    tokio::spawn(work.instrument(Span::current()))
        .await
        .unwrap_or_else(|error| {
            error!(%error, "a request was not carried out to its end");
            ApiError::Internal.into_response()
        })
}

/// The problem an answer of ours carries, or one made of the status that a library chose.
fn problem_of(response: &mut Response, is_api: bool) -> Option<Problem> {
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        return Some(problem);
    }
    let status = response.status();
    let failed = status.is_client_error() || status.is_server_error();
    (is_api && failed).then(|| Problem {
        kind: problem_type::BLANK.to_owned(),
        title: status.canonical_reason().unwrap_or("Error").to_owned(),
        status: status.as_u16(),
        detail: "The request could not be understood.".to_owned(),
        request_id: String::new(),
        errors: Vec::new(),
        dependents: Vec::new(),
        dependents_count: None,
        reason: None,
    })
}

fn with_problem(response: Response, mut problem: Problem, id: &str) -> Response {
    id.clone_into(&mut problem.request_id);
    let (parts, _) = response.into_parts();
    let mut answer = (parts.status, Json(problem)).into_response();
    for (name, value) in &parts.headers {
        answer.headers_mut().entry(name).or_insert(value.clone());
    }
    answer.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    answer
}

fn secure(headers: &mut HeaderMap) {
    let fixed = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
        ),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// Scripts and styles come as files only; libraries set style attributes from scripts.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     style-src-attr 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; \
     connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; \
     frame-ancestors 'none'";

/// Refuses writes and live channels that a page of another site started.
///
/// A browser always names the origin of these; who names none is not a browser and has no cookies that
/// somebody else could use. The body must be JSON or CSV, which a foreign page cannot send unasked.
pub(crate) async fn same_origin(State(app): State<App>, request: Request, next: Next) -> Response {
    let reads = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    let headers = request.headers();
    if (!reads || headers.contains_key(UPGRADE)) && !is_same_origin(headers, &app.config.public_url)
    {
        return ApiError::ForeignOrigin.into_response();
    }
    if !reads && has_body(headers) && !is_of_a_program(headers) {
        return ApiError::Malformed {
            status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
            detail: "The body must be JSON (Content-Type: application/json).".to_owned(),
        }
        .into_response();
    }
    next.run(request).await
}

fn is_same_origin(headers: &HeaderMap, public_url: &str) -> bool {
    let Some(origin) = headers.get(ORIGIN) else {
        return true;
    };
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    if origin == public_url {
        return true;
    }
    // Reached under another name than the public one: then page and interface share that name.
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let authority = origin
        .parse::<Uri>()
        .ok()
        .and_then(|uri| uri.authority().cloned());
    matches!((authority, host), (Some(authority), Some(host)) if authority.as_str().eq_ignore_ascii_case(host))
}

fn has_body(headers: &HeaderMap) -> bool {
    use axum::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
    headers.contains_key(TRANSFER_ENCODING)
        || headers
            .get(CONTENT_LENGTH)
            .is_some_and(|length| length != "0")
}

/// JSON, or a file where the operation takes one. A foreign page can send neither without asking first.
fn is_of_a_program(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map(str::trim)
        .is_some_and(|media_type| {
            media_type.eq_ignore_ascii_case("application/json")
                || media_type.eq_ignore_ascii_case("text/csv")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLIC: &str = "https://portal.example";

    fn judge(origin: Option<&str>, host: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().unwrap());
        }
        is_same_origin(&headers, PUBLIC)
    }

    #[test]
    fn only_pages_of_this_site_may_write() {
        assert!(judge(None, "portal.example"));
        assert!(judge(Some("https://portal.example"), "backend:8080"));
        assert!(judge(Some("http://127.0.0.1:8080"), "127.0.0.1:8080"));
        for foreign in [
            "https://evil.example",
            "https://portal.example.evil.example",
            "https://portal.example:8443",
            "http://127.0.0.1:9090",
            "null",
            "",
            "portal.example@evil.example",
        ] {
            assert!(!judge(Some(foreign), "127.0.0.1:8080"), "{foreign}");
        }
    }
}
