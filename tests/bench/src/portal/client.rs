//! HTTP as a page speaks it: one connection, JSON, the session's cookie.

use reqwest::{Client, Method, header::COOKIE};
use serde_json::Value;

use super::{Failure, Target};

/// A page's connection.
#[derive(Clone)]
pub(super) struct Page {
    client: Client,
    base: String,
    cookie: String,
}

impl Page {
    pub(super) fn new(target: &Target) -> Result<Self, Failure> {
        Ok(Self {
            client: Client::builder().pool_max_idle_per_host(1).build()?,
            base: format!("{}/api/v1/tenants/{}", target.url, target.tenant),
            cookie: target.cookie.clone(),
        })
    }

    /// The answer's text; anything but success is a failure.
    pub(super) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<String, Failure> {
        let request = self
            .client
            .request(Method::GET, format!("{}{path}", self.base))
            .query(query)
            .header(COOKIE, &self.cookie);
        let response = request.send().await?.error_for_status()?;
        Ok(response.text().await?)
    }

    pub(super) async fn json(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, Failure> {
        let text = self.get(path, query).await?;
        serde_json::from_str(&text).map_err(|error| Failure(format!("{path}: {error}")))
    }
}
