//! Trials of providers: the proxy registers there for a moment, and each step is told as it happens.
//!
//! A saved password goes only to the provider as it is saved, and to save another one is confirmed by the person: who finds a browser signed
//! in, or has a key, must not learn by a server of their own what proves a password.

use std::{convert::Infallible, time::Instant};

use api::{ProviderInput, ProviderTestEvent, ProviderTestInput, RegistrationTrial, Secret};
use axum::{
    body::Body as Answer,
    extract::State,
    http::{HeaderValue, header::CONTENT_TYPE},
    response::Response,
};
use futures_util::stream::{self, Stream};
use serde_json::{Value, json};
use store::{StoreError, account, begin, commit, provider::Provider};
use time::OffsetDateTime;
use tokio::sync::mpsc::Receiver;
use uuid::Uuid;

use super::{Refused, providers};
use crate::{
    access::Caller,
    app::App,
    audit::Deed,
    error::ApiError,
    extract::{Body, Id},
    provider_trials::Place,
    validate::Fields,
    wire,
};

/// Try a provider: one event a line, as they happen, the last is `ended`. One trial of a tenant at a time.
#[utoipa::path(post, operation_id = "provider_test", path = "/tenants/{tenant}/providers/{id}/test", tag = "providers",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path)), request_body = ProviderTestInput,
    responses((status = 200, body = ProviderTestEvent, content_type = "application/x-ndjson"), Refused),
    security(("session" = [])))]
pub(crate) async fn saved(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Body(input): Body<ProviderTestInput>,
) -> Result<Response, ApiError> {
    let tenant = caller.tenant.id;
    let provider = store::provider::load(tenant, id, &app.db).await?;
    let trial = match &input.provider {
        // Of Tandem's own only the name can be changed.
        Some(changed) if !provider.own => of_unsaved(&input, changed)?,
        _ => of_saved(&input, provider.clone(), tenant, &app).await?,
    };
    let name = provider.name;
    let deed = Deed::new("provider.test", &name)
        .of(id)
        .made(&tried(&trial));
    run(trial, &deed, &caller, &app).await
}

/// Try a provider that is not saved yet.
#[utoipa::path(post, operation_id = "provider_test_unsaved", path = "/tenants/{tenant}/providers/test", tag = "providers",
    params(("tenant" = Uuid, Path)), request_body = ProviderTestInput,
    responses((status = 200, body = ProviderTestEvent, content_type = "application/x-ndjson"), Refused),
    security(("session" = [])))]
pub(crate) async fn unsaved(
    State(app): State<App>,
    caller: Caller,
    Body(input): Body<ProviderTestInput>,
) -> Result<Response, ApiError> {
    let Some(provider) = &input.provider else {
        let mut fields = Fields::default();
        fields.wrong("provider", "Please say which provider is to be tried.");
        return Err(fields.finish().err().unwrap_or(ApiError::Internal));
    };
    let trial = of_unsaved(&input, provider)?;
    let deed = Deed::new("provider.test", &provider.name).made(&tried(&trial));
    run(trial, &deed, &caller, &app).await
}

/// Where the server connected to for somebody, and as whom, for the audit log.
fn tried(trial: &RegistrationTrial) -> Value {
    json!({
        "server": trial.server,
        "port": trial.port,
        "transport": trial.transport,
        "outbound_proxy": trial.outbound_proxy,
        "username": trial.username,
    })
}

/// Begins if it may, and answers with what comes of it.
async fn run(
    trial: RegistrationTrial,
    deed: &Deed<'_>,
    caller: &Caller,
    app: &App,
) -> Result<Response, ApiError> {
    let tenant = caller.tenant.id;
    let place = app.provider_trials.begin(tenant, Instant::now())?;
    let transaction = begin(&app.db).await?;
    caller
        .note(deed, OffsetDateTime::now_utc(), &transaction)
        .await?;
    commit(transaction).await?;
    let steps = app.proxy.try_registration(trial);
    let mut response = Response::new(Answer::from_stream(lines(steps, place)));
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/x-ndjson"),
    );
    Ok(response)
}

/// Each event as a line of JSON. The tenant's place is free again when they end, or when nobody reads them any more.
fn lines(
    steps: Receiver<ProviderTestEvent>,
    place: Place,
) -> impl Stream<Item = Result<String, Infallible>> {
    stream::unfold((steps, place), async |(mut steps, place)| {
        let event = steps.recv().await?;
        let mut line = serde_json::to_string(&event).ok()?;
        line.push('\n');
        Some((Ok(line), (steps, place)))
    })
}

async fn of_saved(
    input: &ProviderTestInput,
    provider: Provider,
    tenant: Uuid,
    app: &App,
) -> Result<RegistrationTrial, ApiError> {
    let own = provider.own;
    let shown = wire::provider(provider, &app.config);
    let mut trial = RegistrationTrial {
        server: shown.server,
        port: shown.port,
        transport: shown.transport,
        outbound_proxy: shown.outbound_proxy,
        username: String::new(),
        auth_username: String::new(),
        password: None,
        own,
    };
    let Some(id) = input.account_id else {
        enter(input, &mut trial)?;
        return Ok(trial);
    };
    let unknown = || StoreError::UnknownReference {
        field: "account_id",
    };
    let account = match account::load(tenant, id, &app.db).await {
        Err(StoreError::NotFound) => return Err(unknown().into()),
        loaded => loaded?,
    };
    if account.provider.id != shown.id {
        return Err(unknown().into());
    }
    if let Some(transport) = account.transport {
        trial.transport = wire::transport(transport);
    }
    let entered = input.password.clone();
    let saved = account::load_password(tenant, id, &app.vault, &app.db).await?;
    trial.password = entered.or_else(|| saved.map(|saved| Secret(saved.reveal().to_owned())));
    if trial.password.is_none() {
        let mut fields = Fields::default();
        fields.wrong(
            "password",
            "The password of this account is entered on the device. Please enter it here for the test.",
        );
        fields.finish()?;
    }
    trial.auth_username = account
        .auth_username
        .unwrap_or_else(|| account.username.clone());
    trial.username = account.username;
    Ok(trial)
}

fn of_unsaved(
    input: &ProviderTestInput,
    provider: &ProviderInput,
) -> Result<RegistrationTrial, ApiError> {
    if input.account_id.is_some() {
        let mut fields = Fields::default();
        fields.wrong(
            "account_id",
            "Please save the provider first: a saved password is only sent to a saved provider.",
        );
        fields.finish()?;
    }
    let checked = providers::check(provider)?;
    let mut trial = RegistrationTrial {
        server: checked.server,
        port: checked.port,
        transport: wire::transport(checked.transport),
        outbound_proxy: checked.outbound_proxy,
        username: String::new(),
        auth_username: String::new(),
        password: None,
        own: false,
    };
    enter(input, &mut trial)?;
    Ok(trial)
}

/// Takes in the account that was typed.
fn enter(input: &ProviderTestInput, trial: &mut RegistrationTrial) -> Result<(), ApiError> {
    let mut fields = Fields::default();
    let username = input.username.as_deref().unwrap_or_default();
    trial.username = fields.sip_username("username", username);
    let other = fields.auth_username("auth_username", input.auth_username.as_deref());
    trial.auth_username = other.unwrap_or_else(|| trial.username.clone());
    let password = input.password.as_ref().map(|password| password.0.as_str());
    trial.password = fields.sip_password("password", password).map(Secret);
    fields.finish()
}
