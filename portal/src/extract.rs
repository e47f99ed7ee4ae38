//! What a handler asks for: the body, the object's id, the version the caller has seen, the caller.
//!
//! Who is calling is judged before any of this is read: see [`access`](crate::access).

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    str::FromStr,
};

use api::PageQuery;
use axum::{
    Json,
    extract::{ConnectInfo, FromRequest, FromRequestParts, Query, RawPathParams, Request},
    http::{HeaderMap, StatusCode, header::IF_MATCH, request::Parts},
};
use serde::de::DeserializeOwned;
use store::{ByName, PageRequest, SortColumn};
use uuid::Uuid;

use crate::{app::App, error::ApiError, limits, validate::Fields};

/// The cookie with the session's token.
pub(crate) const SESSION_COOKIE: &str = "tandem_session";

/// A JSON body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<App> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        match Json::from_request(request, app).await {
            Ok(Json(value)) => Ok(Self(value)),
            Err(rejection) => Err(ApiError::Malformed {
                status: rejection.status(),
                detail: rejection.body_text(),
            }),
        }
    }
}

/// The object's id in the path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Id(pub(crate) Uuid);

impl FromRequestParts<App> for Id {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        parameter(parts, "id", app).await.map(Self)
    }
}

/// A parameter of the path; what cannot be one names nothing.
pub(crate) async fn parameter<T: FromStr>(
    parts: &mut Parts,
    name: &str,
    app: &App,
) -> Result<T, ApiError> {
    let parameters = RawPathParams::from_request_parts(parts, app)
        .await
        .map_err(|_| ApiError::NotFound)?;
    parameters
        .iter()
        .find_map(|(known, value)| (known == name).then_some(value))
        .and_then(|value| value.parse().ok())
        .ok_or(ApiError::NotFound)
}

/// The version the caller has seen, if the write depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IfMatch(pub(crate) Option<u64>);

impl FromRequestParts<App> for IfMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, ApiError> {
        let Some(value) = parts.headers.get(IF_MATCH) else {
            return Ok(Self(None));
        };
        match value.to_str().map(str::trim) {
            Ok("*") => Ok(Self(None)),
            // A tag that is not ours matches nothing.
            Ok(tag) => unquoted(tag)
                .map(|version| Self(Some(version)))
                .ok_or(ApiError::Stale),
            Err(_) => Err(ApiError::Stale),
        }
    }
}

fn unquoted(tag: &str) -> Option<u64> {
    tag.strip_prefix('"')?.strip_suffix('"')?.parse().ok()
}

/// Which page of a list, in an order that the list knows.
#[derive(Clone, Debug)]
pub(crate) struct Paging<S = ByName>(pub(crate) PageRequest<S>);

impl<S: SortColumn> FromRequestParts<App> for Paging<S> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let Asked(query) = Asked::<PageQuery>::from_request_parts(parts, app).await?;
        let mut fields = Fields::default();
        let sort = fields.sort("sort", query.sort.as_deref());
        let limit = fields.limit(query.limit);
        let after = fields.after(query.after.as_deref());
        let search = fields.search("search", query.search.as_deref());
        fields.finish()?;
        Ok(Self(PageRequest {
            limit,
            after,
            search,
            sort,
            total: query.total.unwrap_or(false),
        }))
    }
}

/// Parameters of the query. Those that `T` does not know are left alone: they are somebody else's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Asked<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        match Query::<T>::from_request_parts(parts, app).await {
            Ok(Query(query)) => Ok(Self(query)),
            Err(rejection) => Err(ApiError::Malformed {
                status: StatusCode::BAD_REQUEST,
                detail: rejection.body_text(),
            }),
        }
    }
}

/// Where the request came from, for limits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source(pub(crate) limits::Source);

impl FromRequestParts<App> for Source {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let ClientAddress(address) = ClientAddress::from_request_parts(parts, app).await?;
        Ok(Self(address.into()))
    }
}

/// The address that the request came from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClientAddress(pub(crate) IpAddr);

impl FromRequestParts<App> for ClientAddress {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let peer = parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| {
                peer.ip()
            });
        let address = if app.config.trusted_proxies.contains(&peer.to_canonical()) {
            forwarded_for(&parts.headers).unwrap_or(peer)
        } else {
            peer
        };
        Ok(Self(address.to_canonical()))
    }
}

/// The address that the nearest proxy saw; what stands before it anybody may have written.
fn forwarded_for(headers: &HeaderMap) -> Option<IpAddr> {
    let value = headers.get_all("x-forwarded-for").iter().next_back()?;
    value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_nearest_proxy_is_believed() {
        let mut headers = HeaderMap::new();
        assert_eq!(forwarded_for(&headers), None);
        headers.append("x-forwarded-for", "203.0.113.9".parse().unwrap());
        headers.append(
            "x-forwarded-for",
            "198.51.100.1, 192.0.2.7".parse().unwrap(),
        );
        assert_eq!(forwarded_for(&headers), Some("192.0.2.7".parse().unwrap()));
        headers.append("x-forwarded-for", "unknown".parse().unwrap());
        assert_eq!(forwarded_for(&headers), None);
    }

    #[test]
    fn versions_stand_in_quotes() {
        assert_eq!(unquoted("\"17\""), Some(17));
        for tag in ["17", "\"\"", "\"x\"", "W/\"17\"", "\"-1\""] {
            assert_eq!(unquoted(tag), None, "{tag}");
        }
    }
}
