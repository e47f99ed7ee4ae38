//! The portal's HTTP interface, as far as a device uses it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use api::{
    DeviceActivated, DeviceActivation, DeviceConfiguration, DeviceReport, DeviceToken,
    DeviceTokenRequest, DirectoryChanges, Problem, device_token_statement, problem_type,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, header, redirect};
use serde::de::DeserializeOwned;
use softphone_core::plain_text;
use tokio::time::sleep;
use uuid::Uuid;

use super::link::{ActivationSecret, PortalAddress};
use super::{APP_VERSION, PLATFORM};

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// Longest wait for an answer as a whole.
const ANSWER: Duration = Duration::from_secs(20);

/// How often an activation is asked for whose answer is lost, and how long after the last time.
const ACTIVATION_TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_secs(1);

/// Longest answer that is read.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// Longest piece of the company directory that is read.
const MAX_DIRECTORY_BYTES: usize = 16 * 1024 * 1024;

/// Longest piece of an answer that a person gets to see, in characters.
const MAX_DETAIL: usize = 200;

/// Why the portal did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PortalError {
    /// The activation is unknown, used, expired or reset; which is not told.
    #[error(
        "the portal refused the activation: the code or link is wrong, already used, expired or reset; ask your administrator for a new one"
    )]
    ActivationRefused,
    /// Too many attempts from here.
    #[error("too many attempts: wait a while and try again")]
    TooMany,
    /// The device was deactivated.
    #[error("this device was deactivated in the portal")]
    Revoked,
    /// The portal does not take our proof or token, but did not revoke us either.
    #[error(
        "the portal does not accept this device's proof of identity; is this computer's clock right?"
    )]
    Unauthorized,
    /// No connection, no name, no valid certificate.
    #[error("the portal {portal} cannot be reached: {reason}")]
    Unreachable {
        /// Its address.
        portal: String,
        /// What failed.
        reason: String,
    },
    /// What answers there is no portal, or a broken one.
    #[error("what answers at {portal} is not a Tandem portal, or it has a problem ({reason})")]
    NotAPortal {
        /// Its address.
        portal: String,
        /// What was wrong with the answer.
        reason: String,
    },
}

/// No answer came, or one that does not say what was done.
struct Lost(PortalError);

/// One portal, reached over HTTP.
#[derive(Clone, Debug)]
pub struct PortalClient {
    address: PortalAddress,
    pub(super) http: Client,
}

impl PortalClient {
    /// A client of the portal at `address`; nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`PortalError::Unreachable`] if this system cannot do TLS.
    pub fn new(address: PortalAddress) -> Result<Self, PortalError> {
        let builder = Client::builder()
            .user_agent(format!("Tandem softphone/{APP_VERSION} ({PLATFORM})"))
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT)
            // The live channel is an upgrade, which exists in HTTP/1.1 only.
            .http1_only();
        // A portal on this machine is asked directly and, over http, needs no certificates.
        let builder = match address.is_encrypted() {
            true => builder.https_only(true),
            false => builder.no_proxy().tls_certs_only([]),
        };
        let http = builder.build().map_err(|error| PortalError::Unreachable {
            portal: address.to_string(),
            reason: root_cause(&error),
        })?;
        Ok(Self { address, http })
    }

    /// The portal's address.
    pub fn address(&self) -> &PortalAddress {
        &self.address
    }

    /// Redeems an activation for the device with this key. If the answer is lost it is asked for again: to the same key the portal gives it once
    /// more.
    ///
    /// # Errors
    ///
    /// [`PortalError::ActivationRefused`] for anything wrong with the activation.
    pub async fn activate(
        &self,
        secret: &ActivationSecret,
        device_key: &SigningKey,
    ) -> Result<DeviceActivated, PortalError> {
        let (token, code) = match secret {
            ActivationSecret::Token(token) => (Some(token.to_string()), None),
            ActivationSecret::Code(code) => (None, Some(code.to_string())),
        };
        let body = DeviceActivation {
            token,
            code,
            public_key: URL_SAFE_NO_PAD.encode(device_key.verifying_key().as_bytes()),
            platform: PLATFORM.to_owned(),
            app_version: APP_VERSION.to_owned(),
        };
        let mut tries = 1;
        loop {
            match self.try_to_activate(&body).await {
                Err(Lost(_)) if tries < ACTIVATION_TRIES => {
                    tries += 1;
                    sleep(PAUSE).await;
                }
                Err(Lost(error)) => return Err(error),
                Ok(answer) => return answer,
            }
        }
    }

    /// One try. [`Lost`] if the portal may have done it although no answer came.
    async fn try_to_activate(
        &self,
        body: &DeviceActivation,
    ) -> Result<Result<DeviceActivated, PortalError>, Lost> {
        let request = self.request(Method::POST, "/device/activation").json(body);
        let answer = match request.timeout(ANSWER).send().await {
            Err(error) if error.is_connect() => return Ok(Err(self.failed(&error))),
            Err(error) => return Err(Lost(self.failed(&error))),
            Ok(answer) => answer,
        };
        let status = answer.status();
        if status.is_server_error() {
            return Err(Lost(self.refused(answer).await));
        }
        if !status.is_success() {
            return Ok(Err(self.refused(answer).await));
        }
        match self.read(answer).await {
            Err(error @ PortalError::Unreachable { .. }) => Err(Lost(error)),
            read => Ok(read),
        }
    }

    /// A new access token, by proof of the device's key.
    ///
    /// # Errors
    ///
    /// [`PortalError::Revoked`] if the device is no longer one.
    pub async fn token(
        &self,
        device_id: Uuid,
        device_key: &SigningKey,
    ) -> Result<DeviceToken, PortalError> {
        let issued_at = unix_secs();
        let nonce = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 16]>());
        let statement = device_token_statement(device_id, issued_at, &nonce);
        let signature = URL_SAFE_NO_PAD.encode(device_key.sign(statement.as_bytes()).to_bytes());
        let body = DeviceTokenRequest {
            device_id,
            issued_at,
            nonce,
            signature,
        };
        let answer = self
            .send(self.request(Method::POST, "/device/token").json(&body))
            .await?;
        self.read(answer).await
    }

    /// The configuration, or `None` if version `known` is still the current one.
    ///
    /// # Errors
    ///
    /// [`PortalError`]; [`PortalError::Unauthorized`] asks for a new token.
    pub async fn configuration(
        &self,
        token: &DeviceToken,
        known: u64,
    ) -> Result<Option<DeviceConfiguration>, PortalError> {
        let request = self
            .request(Method::GET, "/device/configuration")
            .bearer_auth(&token.access_token.0)
            .header(header::IF_NONE_MATCH, format!("\"{known}\""));
        let answer = self.send(request).await?;
        if answer.status() == StatusCode::NOT_MODIFIED {
            return Ok(None);
        }
        self.read(answer).await.map(Some)
    }

    /// What changed in the company directory since `since`, or all of it; a part of that, if it is much. `None` if nothing did, or if the
    /// portal has no directory because it is older than this program.
    ///
    /// # Errors
    ///
    /// As [`Self::configuration`].
    pub async fn directory(
        &self,
        token: &DeviceToken,
        since: Option<&str>,
    ) -> Result<Option<DirectoryChanges>, PortalError> {
        let mut url = self.address.at("/api/v1/device/directory");
        if let Some(since) = since {
            url.query_pairs_mut().append_pair("since", since);
        }
        let mut request = self.http.get(url).bearer_auth(&token.access_token.0);
        if let Some(since) = since {
            request = request.header(header::IF_NONE_MATCH, format!("\"{since}\""));
        }
        let answer = request
            .timeout(ANSWER)
            .send()
            .await
            .map_err(|error| self.failed(&error))?;
        match answer.status() {
            StatusCode::NOT_MODIFIED | StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => {
                let body = self.body(answer, MAX_DIRECTORY_BYTES).await?;
                self.understood(&body).map(Some)
            }
            _ => Err(self.refused(answer).await),
        }
    }

    /// Tells the portal how this device is doing.
    ///
    /// # Errors
    ///
    /// As [`Self::configuration`].
    pub async fn report(
        &self,
        token: &DeviceToken,
        report: &DeviceReport,
    ) -> Result<(), PortalError> {
        let request = self
            .request(Method::POST, "/device/report")
            .bearer_auth(&token.access_token.0)
            .json(report);
        self.send(request).await.map(drop)
    }

    /// A request below the interface's base.
    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, self.address.at(&format!("/api/v1{path}")))
    }

    /// Sends; every answer that is no success becomes an error.
    async fn send(&self, request: RequestBuilder) -> Result<Response, PortalError> {
        let answer = request
            .timeout(ANSWER)
            .send()
            .await
            .map_err(|error| self.failed(&error))?;
        let status = answer.status();
        if status.is_success() || status == StatusCode::NOT_MODIFIED {
            return Ok(answer);
        }
        Err(self.refused(answer).await)
    }

    /// What an answer that is no success means.
    pub(super) async fn refused(&self, answer: Response) -> PortalError {
        let status = answer.status();
        let problem = match self.body(answer, MAX_ANSWER_BYTES).await {
            Ok(body) => serde_json::from_slice::<Problem>(&body).ok(),
            Err(_) => None,
        };
        let kind = problem
            .as_ref()
            .map_or(problem_type::BLANK, |problem| &problem.kind);
        match (status, kind) {
            (StatusCode::NOT_FOUND, problem_type::ACTIVATION_REFUSED) => {
                PortalError::ActivationRefused
            }
            (StatusCode::UNAUTHORIZED, problem_type::DEVICE_REVOKED) => PortalError::Revoked,
            (StatusCode::UNAUTHORIZED, _) => PortalError::Unauthorized,
            (StatusCode::TOO_MANY_REQUESTS, _) => PortalError::TooMany,
            _ => {
                let detail = problem.map(|problem| plain_text(&problem.detail, MAX_DETAIL));
                self.not_a_portal(detail.unwrap_or_else(|| format!("HTTP status {status}")))
            }
        }
    }

    async fn read<T: DeserializeOwned>(&self, answer: Response) -> Result<T, PortalError> {
        let body = self.body(answer, MAX_ANSWER_BYTES).await?;
        self.understood(&body)
    }

    fn understood<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, PortalError> {
        serde_json::from_slice(body)
            .map_err(|_| self.not_a_portal("an answer that is not understood".to_owned()))
    }

    async fn body(&self, mut answer: Response, max_bytes: usize) -> Result<Vec<u8>, PortalError> {
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| self.failed(&error))? {
            if body.len() + chunk.len() > max_bytes {
                return Err(self.not_a_portal("an answer that is too long".to_owned()));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    pub(super) fn failed(&self, error: &reqwest::Error) -> PortalError {
        let reason = if error.is_timeout() {
            "it does not answer".to_owned()
        } else {
            plain_text(&root_cause(error), MAX_DETAIL)
        };
        PortalError::Unreachable {
            portal: self.address.to_string(),
            reason,
        }
    }

    pub(super) fn not_a_portal(&self, reason: String) -> PortalError {
        PortalError::NotAPortal {
            portal: self.address.to_string(),
            reason,
        }
    }
}

/// The innermost reason: what wraps it repeats the address or says nothing.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

fn unix_secs() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
