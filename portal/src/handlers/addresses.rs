//! Which addresses and ports firewalls must let through for a tenant.

use std::{collections::HashMap, time::Duration};

use api::Addresses;
use axum::{Json, extract::State};
use futures_util::{StreamExt, stream};
use store::{
    PageRequest,
    provider::{self, ProviderFilter},
};
use tokio::{
    net::lookup_host,
    time::{Instant, timeout_at},
};

use super::Refused;
use crate::{
    access::Caller,
    addresses::{hints, rules},
    app::App,
    egress::literal,
    error::ApiError,
};

/// What must be let through for the tenant's telephony, made from what runs now.
#[utoipa::path(get, operation_id = "addresses_show", path = "/tenants/{tenant}/addresses", tag = "providers",
    params(("tenant" = Uuid, Path)),
    responses((status = 200, body = Addresses), Refused), security(("session" = [])))]
pub(crate) async fn show(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<Addresses>, ApiError> {
    let tenant = caller.tenant.id;
    let request = PageRequest {
        limit: MAX_PROVIDERS,
        ..PageRequest::default()
    };
    let providers = provider::list(tenant, &ProviderFilter::default(), &request, &app.db).await?;
    let ways = provider::list_account_transports(tenant, &app.db).await?;
    let mut rules = rules(&providers.items, &ways, &app.config);
    let known = look_up(rules.iter().filter_map(|rule| rule.host.clone())).await;
    for rule in &mut rules {
        let found = rule.host.as_ref().and_then(|host| known.get(host));
        rule.addresses = found.cloned().unwrap_or_default();
    }
    let hints = hints(&app.config);
    Ok(Json(Addresses { rules, hints }))
}

/// Where names lead; those that are not known in time lead nowhere.
async fn look_up(hosts: impl Iterator<Item = String>) -> HashMap<String, Vec<String>> {
    let deadline = Instant::now() + PATIENCE;
    let mut hosts: Vec<_> = hosts.collect();
    hosts.sort();
    hosts.dedup();
    stream::iter(hosts)
        .map(|host| async move {
            let addresses = match literal(&host) {
                Some(ip) => vec![ip.to_string()],
                None => found(&host, deadline).await,
            };
            (host, addresses)
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await
}

async fn found(host: &str, deadline: Instant) -> Vec<String> {
    let Ok(Ok(found)) = timeout_at(deadline, lookup_host((host, 0))).await else {
        return Vec::new();
    };
    let mut addresses: Vec<_> = found
        .map(|address| address.ip().to_canonical().to_string())
        .take(MAX_ADDRESSES)
        .collect();
    addresses.sort();
    addresses.dedup();
    addresses
}

/// Providers beyond this are on their own page.
const MAX_PROVIDERS: u32 = 100;
/// Addresses of one name.
const MAX_ADDRESSES: usize = 16;
/// Names that are looked up at the same time.
const AT_ONCE: usize = 8;
/// For all names together.
const PATIENCE: Duration = Duration::from_secs(3);
