//! Desk phones: a device becomes one and gets an address, and the phone fetches its settings there.
//!
//! The address is a secret: it is told once, only its hash is kept, and neither logs nor metrics have it
//! ([`crate::request`], [`crate::metrics`]).

use std::{net::IpAddr, time::Instant};

use api::{DeskPhoneAddress, DeskPhoneInput, Secret};
use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH, USER_AGENT},
    },
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use store::{
    ConnectionTrait, StoreError, account, activation,
    audit::NewAuditEntry,
    begin, commit,
    desk_phone::{self, Addressed},
    device,
    webhook::EventKind,
};
use time::OffsetDateTime;
use url::{Host, Url};

use super::Refused;
use crate::{
    access::Caller,
    app::App,
    audit::Deed,
    desk_phone::{File, Settings, file, is_name},
    error::ApiError,
    extract::{Body, ClientAddress, Id},
    limits,
    live::Written,
    webhook, wire,
};

/// What the paths of all addresses begin with.
pub(crate) const PREFIX: &str = "/desk/";

/// Make the device a desk phone. Its address is told once; link, code and an address of before are void, and a device that is activated is
/// signed out at once.
#[utoipa::path(post, operation_id = "desk_phone_set_up", path = "/tenants/{tenant}/devices/{id}/desk-phone", tag = "devices",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path)), request_body = DeskPhoneInput,
    responses((status = 201, body = DeskPhoneAddress), Refused), security(("session" = [])))]
pub(crate) async fn set_up(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Body(input): Body<DeskPhoneInput>,
) -> Result<(StatusCode, Json<DeskPhoneAddress>), ApiError> {
    let (tenant, now) = (caller.tenant.id, OffsetDateTime::now_utc());
    let make = wire::stored_make(input.make);
    let transaction = begin(&app.db).await?;
    activation::hold(tenant, id, &transaction).await?;
    let before = device::load(tenant, id, &transaction).await?;
    if !may_carry_secrets(&app.config.public_url) {
        return Err(ApiError::Conflict {
            field: "",
            message: "The portal's address is plain HTTP, so passwords would travel readable. Please give the portal an https address \
                      first (http.public_url).",
        });
    }
    let rotated = if before.activated_at.is_some() {
        account::rotate_passwords(tenant, id, &app.vault, &transaction).await?
    } else {
        Vec::new()
    };
    let token = desk_phone::replace(tenant, id, make, now, &transaction).await?;
    let after = device::load(tenant, id, &transaction).await?;
    let shown = |device| wire::device(device, &app.presence);
    let deed = Deed::new("device.desk_phone", &before.name)
        .of(id)
        .changed(&shown(before.clone()), &shown(after))
        .replaced("address");
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    app.sign_out(tenant, &before, rotated).await;
    let address = Secret(address(&app.config.public_url, token.reveal()));
    Ok((StatusCode::CREATED, Json(DeskPhoneAddress { address })))
}

/// Passwords stay readable to the phone alone: by TLS, or because nothing leaves the machine.
fn may_carry_secrets(public_url: &str) -> bool {
    let Ok(url) = Url::parse(public_url) else {
        return false;
    };
    let local = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    };
    url.scheme() == "https" || local
}

fn address(public_url: &str, token: &str) -> String {
    format!("{public_url}{PREFIX}{token}/")
}

/// The settings of a desk phone as its make reads them, or 304 if it has them already. Every address that is not one gets the same
/// answer.
pub(crate) async fn settings(
    State(app): State<App>,
    ClientAddress(source): ClientAddress,
    method: Method,
    rest: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let rest = rest.map(|Path(rest)| rest).unwrap_or_default();
    let (token, name) = rest.split_once('/').unwrap_or((&rest, ""));
    let found = match is_token(token) {
        true => desk_phone::find(token, &app.db).await?,
        false => None,
    };
    let Some(phone) = found else {
        // Only after it was found wrong: a phone with an old address must not keep the others of its building from theirs.
        let source = limits::Source::from(source);
        app.limits.desk_phones.take(source, Instant::now())?;
        return Err(ApiError::NotFound);
    };
    if !is_name(phone.make, name) {
        return Err(ApiError::NotFound);
    }
    let file = if method == Method::HEAD {
        load(&phone, token, &app, &app.db).await?
    } else {
        fetch(&phone, token, source, &headers, &app).await?
    };
    Ok(answer(file, &headers))
}

/// The file, and that it was fetched is noted.
async fn fetch(
    phone: &Addressed,
    token: &str,
    source: IpAddr,
    headers: &HeaderMap,
    app: &App,
) -> Result<File, ApiError> {
    let now = OffsetDateTime::now_utc();
    let (tenant, id) = (phone.tenant_id, phone.device_id);
    let transaction = begin(&app.db).await?;
    let agent = agent(headers);
    let first = desk_phone::set_fetched(phone, agent.as_deref(), now, &transaction).await?;
    let file = load(phone, token, app, &transaction).await?;
    if first {
        let device = device::load(tenant, id, &transaction).await?;
        let source = source.to_string();
        let entry = NewAuditEntry {
            actor: "device",
            action: "device.activate",
            subject: &device.name,
            object: Some(id),
            source: Some(&source),
            ..NewAuditEntry::default()
        };
        let (kind, shown) = (
            EventKind::DeviceActivated,
            wire::device(device.clone(), &app.presence),
        );
        webhook::tell(tenant, kind, Some(id), &shown, now, &transaction).await?;
        store::audit::append(Some(tenant), &entry, now, &transaction).await?;
    }
    commit(transaction).await?;
    if first {
        app.webhooks.wake();
    }
    app.live.written(tenant, Written::devices([id]));
    Ok(file)
}

async fn load(
    phone: &Addressed,
    token: &str,
    app: &App,
    db: &impl ConnectionTrait,
) -> Result<File, ApiError> {
    let (tenant, id) = (phone.tenant_id, phone.device_id);
    let loaded = device::load_configuration(tenant, id, &app.vault, db).await;
    // Deleted since its address was found: then that does not exist either.
    let configuration = match loaded {
        Err(StoreError::NotFound) => return Err(ApiError::NotFound),
        loaded => wire::configuration(loaded?, &app.config),
    };
    let address = address(&app.config.public_url, token);
    Ok(file(phone.make, &Settings::of(configuration, address)))
}

fn answer(file: File, headers: &HeaderMap) -> Response {
    let digest = Sha256::digest(file.text.as_bytes());
    let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(digest));
    let known = headers
        .get(IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|tags| tags.split(',').any(|known| known.trim() == tag));
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(CONTENT_TYPE, file.media_type)], file.text).into_response()
    };
    if let Ok(tag) = HeaderValue::try_from(tag) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

/// What can be the secret part of an address at all.
fn is_token(text: &str) -> bool {
    let sign = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    text.len() == TOKEN_LENGTH && text.bytes().all(sign)
}

/// What the phone calls itself.
fn agent(headers: &HeaderMap) -> Option<String> {
    let said = String::from_utf8_lossy(headers.get(USER_AGENT)?.as_bytes());
    let printable = said.chars().filter(|sign| !sign.is_control());
    let shortened: String = printable.take(MAX_AGENT).collect();
    let said = shortened.trim();
    (!said.is_empty()).then(|| said.to_owned())
}

const TOKEN_LENGTH: usize = 43;
const MAX_AGENT: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_travel_by_tls_or_not_at_all() {
        for safe in [
            "https://phones.example.com",
            "https://192.0.2.1:8443",
            "http://127.0.0.1:8080",
            "http://[::1]:8080",
            "http://localhost",
            "http://portal.localhost:8080",
        ] {
            assert!(may_carry_secrets(safe), "{safe}");
        }
        for readable in [
            "http://phones.example.com",
            "http://192.168.1.10",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "portal",
            "",
        ] {
            assert!(!may_carry_secrets(readable), "{readable}");
        }
    }

    #[test]
    fn what_a_phone_calls_itself_is_short_and_printable() {
        let of = |value: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(USER_AGENT, HeaderValue::from_bytes(value).unwrap());
            agent(&headers)
        };
        let yealink = "Yealink SIP-T46U 108.86.0.20 80:5e:c0:00:00:01";
        assert_eq!(of(yealink.as_bytes()).as_deref(), Some(yealink));
        assert_eq!(of(b" a\tb\xff ").as_deref(), Some("ab\u{FFFD}"));
        assert_eq!(of(b" \t "), None);
        assert_eq!(agent(&HeaderMap::new()), None);
        let long = "ä".repeat(500);
        assert_eq!(of(long.as_bytes()).unwrap().chars().count(), MAX_AGENT);
    }
}
