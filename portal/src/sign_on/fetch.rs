//! Requests to a provider: to addresses that the egress policy allows and to no others, without redirects, with limits of time and size.

use std::{error::Error, time::Duration};

use api::SignOnReason;
use reqwest::{Client, RequestBuilder, StatusCode, redirect};
use serde::de::DeserializeOwned;
use url::Url;

use super::Trouble;
use crate::egress::{Egress, EgressError};

/// What came back.
pub(super) struct Fetched {
    pub(super) status: StatusCode,
    bytes: Vec<u8>,
}

impl Fetched {
    /// The JSON that it is, if all was well.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, Trouble> {
        if self.status != StatusCode::OK {
            return Err(Trouble::new(
                SignOnReason::Status,
                self.status.as_u16().to_string(),
            ));
        }
        self.any_json()
    }

    /// The JSON that it is, whatever the status.
    pub(super) fn any_json<T: DeserializeOwned>(&self) -> Result<T, Trouble> {
        serde_json::from_slice(&self.bytes)
            .map_err(|error| Trouble::new(SignOnReason::Unreadable, error.to_string()))
    }
}

/// Asks `url`; `request` makes the request of it.
pub(super) async fn fetch(
    url: &Url,
    egress: &Egress,
    request: impl FnOnce(&Client) -> RequestBuilder,
) -> Result<Fetched, Trouble> {
    let client = client(url, egress).await?;
    let request = request(&client).header("accept", "application/json");
    let mut response = request.send().await.map_err(|error| failed(&error))?;
    let status = response.status();
    let mut bytes = Vec::new();
    while let Some(part) = response.chunk().await.map_err(|error| failed(&error))? {
        bytes.extend_from_slice(&part);
        if bytes.len() > MAX_BYTES {
            return Err(Trouble::new(
                SignOnReason::Unreadable,
                format!("more than {MAX_BYTES} bytes"),
            ));
        }
    }
    Ok(Fetched { status, bytes })
}

/// Connects to the judged addresses of the host and to nothing else.
async fn client(url: &Url, egress: &Egress) -> Result<Client, Trouble> {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or(443);
    let addresses = egress
        .resolve(host, port)
        .await
        .map_err(|error| match error {
            EgressError::Unknown => Trouble::new(SignOnReason::UnknownHost, host),
            EgressError::Forbidden => Trouble::new(SignOnReason::ForbiddenHost, host),
        })?;
    let client = Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .connect_timeout(CONNECT_PATIENCE)
        .timeout(PATIENCE)
        .resolve_to_addrs(host, &addresses)
        .build();
    client.map_err(|error| failed(&error))
}

/// The innermost cause says what people can act on, such as that a certificate has expired.
fn failed(error: &reqwest::Error) -> Trouble {
    if error.is_timeout() {
        return SignOnReason::Timeout.into();
    }
    let mut cause: &dyn Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    Trouble::new(SignOnReason::Unreachable, cause.to_string())
}

const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
/// Three requests fit into the time of one of ours.
const PATIENCE: Duration = Duration::from_secs(8);
const MAX_BYTES: usize = 256 * 1024;
