//! Sending those who came without TLS to the public address.
//!
//! The public address is configured and never taken from the request: nobody is sent anywhere else.

use axum::{
    Router,
    http::{
        HeaderValue, StatusCode, Uri,
        header::{CONTENT_TYPE, LOCATION},
        uri::PathAndQuery,
    },
    response::{IntoResponse, Response},
};

/// Answers everything with where to go: the same path at `public_url`.
pub(crate) fn router(public_url: &str) -> Router {
    let public_url = public_url.to_owned();
    Router::new().fallback(async move |uri: Uri| answer(&public_url, &uri))
}

fn answer(public_url: &str, uri: &Uri) -> Response {
    let path = uri
        .path_and_query()
        .map(PathAndQuery::as_str)
        .filter(|path| path.starts_with('/'))
        .unwrap_or("/");
    let text = "The portal is reached by HTTPS only.\n";
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    match HeaderValue::try_from(format!("{public_url}{path}")) {
        // 308 keeps method and body (RFC 9110 section 15.4.9).
        Ok(place) => {
            let headers = [(LOCATION, place), (CONTENT_TYPE, plain)];
            (StatusCode::PERMANENT_REDIRECT, headers, text).into_response()
        }
        Err(_) => (StatusCode::BAD_REQUEST, text).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_comes_is_sent_to_the_public_address_and_nowhere_else() {
        for (asked, place) in [
            ("/", "https://phones.example/"),
            ("/a/b?c=d", "https://phones.example/a/b?c=d"),
            ("http://evil.example/x", "https://phones.example/x"),
            ("*", "https://phones.example/"),
        ] {
            let answered = answer("https://phones.example", &asked.parse().unwrap());
            assert_eq!(answered.status(), StatusCode::PERMANENT_REDIRECT);
            assert_eq!(answered.headers()[LOCATION], place, "{asked}");
        }
    }
}
