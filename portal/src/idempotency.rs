//! Requests that create something, carried out once although their answer was lost and they came again
//! (draft-ietf-httpapi-idempotency-key-header-07).
//!
//! An operation offers this by naming the header field in its description. A request that was refused may be corrected and sent with the
//! same key; what was done is answered as it was the first time, for as long as the store remembers it.

use std::{collections::HashSet, sync::LazyLock};

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CONTENT_TYPE, ETAG},
        request::Parts,
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::Value;
use store::idempotency::{self, Answer, Asked, Attempt, Reservation};
use time::OffsetDateTime;
use tracing::error;
use uuid::Uuid;

use crate::{
    access::{Caller, Person, Rule},
    app::App,
    description::openapi_json,
    error::ApiError,
    request::to_its_end,
    router::MAX_BODY_BYTES,
};

pub(crate) const FIELD: &str = "idempotency-key";
/// How the field looks in the description: quotes may be left out.
pub(crate) const PATTERN: &str =
    r#"^ *("([ !#-\[\]-~]|\\["\\]){1,255}"|[!#-+\--\[\]-~][ !#-+\--\[\]-~]{0,254}) *$"#;
/// Longer keys are refused.
const MAX_KEY_BYTES: usize = 255;

/// Carries a request with a key out once; all others as they are.
pub(crate) async fn once(State(app): State<App>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let key = match offered(&parts).then(|| key(&parts.headers)).transpose() {
        Ok(key) => key.flatten(),
        Err(refused) => return refused.into_response(),
    };
    let Some(key) = key else {
        return next.run(Request::from_parts(parts, body)).await;
    };
    let Ok(body) = to_bytes(body, MAX_BODY_BYTES).await else {
        return ApiError::Malformed {
            status: StatusCode::PAYLOAD_TOO_LARGE,
            detail: "The body is too large.".to_owned(),
        }
        .into_response();
    };
    match reserve(&key, &parts, &body, &app).await {
        Ok(Reservation::First(attempt)) => {
            begin(attempt, &mut parts);
            let request = Request::from_parts(parts, Body::from(body));
            carry_out(request, attempt, next, app).await
        }
        Ok(Reservation::Done(Some(answer))) => again(answer),
        Ok(Reservation::Done(None)) => ApiError::AnswerLost.into_response(),
        Ok(Reservation::Different) => ApiError::KeyReused.into_response(),
        Ok(Reservation::InProgress) => ApiError::InProgress.into_response(),
        Err(refused) => refused.into_response(),
    }
}

/// Whether the operation names the header field in its description.
fn offered(parts: &Parts) -> bool {
    static OFFERING: LazyLock<HashSet<String>> = LazyLock::new(offering);
    let rule = parts.extensions.get::<Rule>();
    rule.is_some_and(|rule| OFFERING.contains(rule.operation))
}

fn offering() -> HashSet<String> {
    let description: Value = serde_json::from_str(&openapi_json()).unwrap_or_default();
    let paths = description["paths"].as_object().into_iter().flatten();
    let operations = paths.flat_map(|(_, methods)| methods.as_object().into_iter().flatten());
    operations
        .filter(|(_, operation)| {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            parameters
                .filter_map(|parameter| parameter["name"].as_str())
                .any(|name| name.eq_ignore_ascii_case(FIELD))
        })
        .filter_map(|(_, operation)| operation["operationId"].as_str().map(str::to_owned))
        .collect()
}

/// The key: a String of RFC 9651 section 3.3.3. Without quotes it is taken as it is, because many send it so.
fn key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let mut values = headers.get_all(FIELD).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    // A String has no tab, which `to_str` lets through.
    let text = value.to_str().ok().filter(|text| !text.contains('\t'));
    let text = text.map(|text| text.trim_matches(' '));
    let key = match (text, values.next()) {
        (Some(text), None) => match text.strip_prefix('"') {
            Some(rest) => unquoted(rest),
            None => Some(text.to_owned()).filter(|text| !text.contains(['"', '\\', ','])),
        },
        _ => None,
    };
    match key {
        Some(key) if (1..=MAX_KEY_BYTES).contains(&key.len()) => Ok(Some(key)),
        _ => Err(ApiError::Malformed {
            status: StatusCode::BAD_REQUEST,
            detail: format!(
                "Idempotency-Key must be one string in quotes of 1 to {MAX_KEY_BYTES} characters, such as a UUID."
            ),
        }),
    }
}

/// What stands before the closing quote, which must be the last sign.
fn unquoted(rest: &str) -> Option<String> {
    let mut text = String::new();
    let mut signs = rest.chars();
    while let Some(sign) = signs.next() {
        match sign {
            '"' => return signs.next().is_none().then_some(text),
            '\\' => text.push(signs.next().filter(|sign| matches!(sign, '"' | '\\'))?),
            _ => text.push(sign),
        }
    }
    None
}

async fn reserve(
    key: &str,
    parts: &Parts,
    body: &Bytes,
    app: &App,
) -> Result<Reservation, ApiError> {
    let (user, tenant) = asking(parts).ok_or_else(|| {
        error!(
            path = parts.uri.path(),
            "an operation for nobody offers idempotency keys"
        );
        ApiError::Internal
    })?;
    let head = format!("{} {}\n", parts.method, parts.uri);
    let asked = Asked {
        user,
        tenant,
        key,
        request: &[head.as_bytes(), body].concat(),
    };
    let now = OffsetDateTime::now_utc();
    Ok(idempotency::reserve(&asked, &app.vault, now, &app.db).await?)
}

/// Who asks, and in which tenant.
fn asking(parts: &Parts) -> Option<(Uuid, Option<Uuid>)> {
    let extensions = &parts.extensions;
    let caller = extensions.get::<Caller>();
    caller
        .map(|caller| (caller.person.user.id, Some(caller.tenant.id)))
        .or_else(|| Some((extensions.get::<Person>()?.user.id, None)))
}

/// From now on whoever notes a deed of this request marks the key in the same transaction.
fn begin(attempt: Attempt, parts: &mut Parts) {
    if let Some(caller) = parts.extensions.get_mut::<Caller>() {
        caller.person.attempt = Some(attempt);
    }
    if let Some(person) = parts.extensions.get_mut::<Person>() {
        person.attempt = Some(attempt);
    }
}

/// Goes on to the end even if the caller has left: that is when the answer will be asked for again.
async fn carry_out(request: Request, attempt: Attempt, next: Next, app: App) -> Response {
    let work = async move {
        let response = next.run(request).await;
        settle(response, attempt, &app).await
    };
    to_its_end(work).await
}

/// Keeps the answer, or gives the key back if there is nothing to be kept.
async fn settle(response: Response, attempt: Attempt, app: &App) -> Response {
    if !response.status().is_success() {
        if let Err(error) = idempotency::release(attempt, &app.db).await {
            error!(%error, "an idempotency key was not given back");
        }
        return response;
    }
    let (parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        return ApiError::AnswerLost.into_response();
    };
    let etag = parts.headers.get(ETAG).and_then(|tag| tag.to_str().ok());
    let answer = Answer {
        status: parts.status.as_u16(),
        etag: etag.map(str::to_owned),
        body: body.to_vec(),
    };
    if let Err(error) = idempotency::keep(attempt, &answer, &app.vault, &app.db).await {
        error!(%error, "an answer was not kept for its idempotency key");
    }
    Response::from_parts(parts, Body::from(body))
}

/// The answer as it was the first time.
fn again(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = (status, answer.body).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(tag) = answer.etag.and_then(|tag| HeaderValue::try_from(tag).ok()) {
        headers.insert(ETAG, tag);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Result<Option<String>, ()> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(FIELD, value.parse().unwrap());
        }
        key(&headers).map_err(drop)
    }

    #[test]
    fn a_key_is_a_string_with_or_without_quotes() {
        assert_eq!(read(&[]), Ok(None));
        for (value, expected) in [
            (r#""8e03978e-40d5""#, "8e03978e-40d5"),
            ("8e03978e-40d5", "8e03978e-40d5"),
            (r#" "a b" "#, "a b"),
            (r#""a\"b\\""#, r#"a"b\"#),
        ] {
            assert_eq!(read(&[value]), Ok(Some(expected.to_owned())), "{value}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let long = "x".repeat(MAX_KEY_BYTES + 1);
        for values in [
            &[""] as &[_],
            &[r#""""#],
            &[r#""a"#],
            &[r#""a"b"#],
            &[r#""a\n""#],
            &[r#"a"b"#],
            &["a, b"],
            &["a\tb"],
            &["a", "b"],
            &[long.as_str()],
        ] {
            assert_eq!(read(values), Err(()), "{values:?}");
        }
    }
}
