//! The web application: its files, and its first page for every address that is not a file.

use axum::{
    body::Body,
    http::{
        HeaderMap, HeaderValue, Method, StatusCode, Uri,
        header::{
            ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
            VARY,
        },
    },
    response::{Html, IntoResponse, Response},
};
use web_pages::PageFile;

use crate::error::ApiError;

/// Answers everything that no route matches.
pub(crate) async fn page(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path();
    if path.starts_with("/api/") || !matches!(method, Method::GET | Method::HEAD) {
        return ApiError::NotFound.into_response();
    }
    if !web_pages::is_built() {
        return (StatusCode::SERVICE_UNAVAILABLE, Html(NOT_BUILT)).into_response();
    }
    let accepted = headers
        .get(ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let path = path.trim_start_matches('/');
    if let Some(found) = web_pages::find(path, accepted) {
        return answer(found, &headers);
    }
    // A missing file must not be answered with a page: a script would fail with a riddle.
    if path.starts_with("assets/") {
        return StatusCode::NOT_FOUND.into_response();
    }
    match web_pages::index(accepted) {
        Some(index) => answer(index, &headers),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn answer(file: PageFile, headers: &HeaderMap) -> Response {
    let tag = format!("\"{}\"", file.etag);
    let known = headers
        .get(IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|tags| tags.split(',').any(|known| known.trim() == tag));
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Response::new(Body::from(file.bytes))
    };
    let keep = if file.immutable {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let answered = response.headers_mut();
    answered.insert(CONTENT_TYPE, HeaderValue::from_static(file.media_type));
    answered.insert(CACHE_CONTROL, HeaderValue::from_static(keep));
    answered.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(encoding) = file.encoding {
        answered.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    if let Ok(tag) = HeaderValue::try_from(tag) {
        answered.insert(ETAG, tag);
    }
    response
}

const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
    <title>Tandem</title><h1>The web pages are not built</h1>\
    <p>The interface under <code>/api/v1</code> works. To build the pages, run \
    <code>make setup</code>, or <code>npm ci &amp;&amp; npm run build</code> in the folder \
    <code>web</code>, and load this page again.</p></html>";
