//! All routes in one place, and the description made of them.

use std::time::Duration;

use axum::{
    Router,
    extract::{DefaultBodyLimit, State},
    http::{StatusCode, header::CONTENT_TYPE},
    middleware,
    response::IntoResponse,
    routing::get,
};
use tower_http::timeout::TimeoutLayer;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    access::authorize,
    app::App,
    description::{self, openapi_json},
    error::ApiError,
    handlers::{
        accounts, activation, addresses, api_keys, audit, calls, contacts, contacts_bulk,
        desk_phone, device_live, devices, directory, equip, health, import_preview, imports,
        instructions, invitations, live, mail, mailbox, members, provider_tests, providers,
        provisioning, recovery, retention, search, second_factor, session, sessions, sign_on,
        sign_on_settings, sign_up, tenants, views, webhooks,
    },
    idempotency, metrics, pages, request, scrape,
};

/// Everything the portal answers: the interface, its description, health, and the web pages.
pub fn router(app: App) -> Router {
    let (interface, _) = interface().split_for_parts();
    interface
        // Inside the judgement: only who may do it can have done it.
        .route_layer(middleware::from_fn_with_state(
            app.clone(),
            idempotency::once,
        ))
        .route_layer(middleware::from_fn_with_state(app.clone(), authorize))
        .route("/api/v1/openapi.json", get(show_description))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(scrape::guarded))
        .route("/desk/{*rest}", get(desk_phone::settings))
        .fallback(pages::page)
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::REQUEST_TIMEOUT,
            REQUEST_TIMEOUT,
        ))
        .layer(middleware::from_fn_with_state(
            app.clone(),
            request::same_origin,
        ))
        .layer(middleware::from_fn_with_state(app.clone(), request::finish))
        .layer(middleware::from_fn_with_state(
            app.clone(),
            metrics::measure,
        ))
        .with_state(app)
}

async fn show_description(State(_): State<App>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], openapi_json())
}

/// Every operation with its description.
pub(crate) fn interface() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(description::general()).nest(
        "/api/v1",
        OpenApiRouter::new()
            .merge(people())
            .merge(tenant())
            .merge(device_side()),
    )
}

fn people() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(session::sign_in, session::show, session::sign_out))
        .routes(routes!(session::second_step))
        .routes(routes!(session::confirm))
        .routes(routes!(session::change_password))
        .routes(routes!(sign_up::show, sign_up::begin_sign_up))
        .routes(routes!(sign_up::make_puzzle))
        .routes(routes!(sign_up::complete))
        .routes(routes!(sign_on::lookup))
        .routes(routes!(sign_on::begin))
        .routes(routes!(sign_on::complete))
        .routes(routes!(sign_on::confirm))
        .routes(routes!(
            sign_on_settings::show,
            sign_on_settings::update,
            sign_on_settings::delete
        ))
        .routes(routes!(sign_on_settings::test))
        .routes(routes!(sessions::list, sessions::end_others))
        .routes(routes!(sessions::end))
        .routes(routes!(
            second_factor::show,
            second_factor::begin_with_key,
            second_factor::delete
        ))
        .routes(routes!(second_factor::confirm))
        .routes(routes!(second_factor::replace_codes))
        .routes(routes!(tenants::list, tenants::create))
        .routes(routes!(members::list, members::create))
        .routes(routes!(members::update, members::delete))
        .routes(routes!(members::reset_second_factor))
        .routes(routes!(members::show_security, members::update_security))
        .routes(routes!(api_keys::list, api_keys::create))
        .routes(routes!(api_keys::delete))
        .routes(routes!(invitations::list, invitations::create))
        .routes(routes!(invitations::delete))
        .routes(routes!(invitations::resend))
        .routes(routes!(invitations::link))
        .routes(routes!(invitations::show))
        .routes(routes!(invitations::accept))
        .routes(routes!(invitations::join_signed_in))
        .routes(routes!(recovery::begin_reset))
        .routes(routes!(recovery::complete_reset))
        .routes(routes!(recovery::begin_email_change))
        .routes(routes!(recovery::complete_email_change))
        .routes(routes!(mailbox::list_all))
        .routes(routes!(mailbox::show_any))
}

fn webhooks() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(webhooks::list, webhooks::create))
        .routes(routes!(webhooks::show, webhooks::update, webhooks::delete))
        .routes(routes!(webhooks::replace_secret))
        .routes(routes!(webhooks::test))
        .routes(routes!(webhooks::list_deliveries))
        .routes(routes!(webhooks::show_delivery))
        .routes(routes!(webhooks::redeliver))
}

fn tenant() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(providers::list, providers::create))
        .routes(routes!(
            providers::show,
            providers::update,
            providers::delete
        ))
        .routes(routes!(providers::dependents))
        .routes(routes!(provider_tests::saved))
        .routes(routes!(provider_tests::unsaved))
        .routes(routes!(addresses::show))
        .routes(routes!(equip::next_username))
        .routes(routes!(accounts::list, accounts::create))
        .routes(routes!(accounts::show, accounts::update, accounts::delete))
        .routes(routes!(accounts::dependents))
        .routes(routes!(contacts::list, contacts::create))
        .routes(routes!(equip::create))
        .routes(routes!(contacts::show, contacts::update, contacts::delete))
        .routes(routes!(contacts::dependents))
        .routes(routes!(contacts_bulk::bulk))
        .routes(routes!(contacts_bulk::export))
        .merge(uploads())
        .routes(routes!(imports::template))
        .routes(routes!(imports::show, imports::delete))
        .routes(routes!(imports::rows))
        .routes(routes!(imports::commit_import))
        .routes(routes!(imports::undo))
        .routes(routes!(devices::list, devices::create))
        .routes(routes!(devices::show, devices::update, devices::delete))
        .routes(routes!(activation::show, activation::reset))
        .routes(routes!(activation::qr_svg))
        .routes(routes!(activation::qr_png))
        .routes(routes!(desk_phone::set_up))
        .routes(routes!(instructions::send))
        .routes(routes!(instructions::show_again))
        .routes(routes!(mail::show, mail::update))
        .routes(routes!(mail::test))
        .routes(routes!(mail::preview))
        .routes(routes!(mail::list))
        .routes(routes!(mailbox::list))
        .routes(routes!(mailbox::show))
        .routes(routes!(calls::list, calls::erase))
        .routes(routes!(calls::export))
        .routes(routes!(calls::show, calls::delete))
        .routes(routes!(retention::show, retention::update))
        .routes(routes!(search::find))
        .routes(routes!(views::list, views::save))
        .routes(routes!(views::delete))
        .merge(webhooks())
        .routes(routes!(audit::list))
        .routes(routes!(audit::export))
        .routes(routes!(audit::verify))
        .routes(routes!(live::live))
}

/// What takes a file.
fn uploads() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(imports::list, imports::create))
        .routes(routes!(import_preview::preview))
        .layer(DefaultBodyLimit::max(imports::MAX_FILE_BYTES))
}

fn device_side() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(provisioning::activate))
        .routes(routes!(provisioning::token))
        .routes(routes!(provisioning::configuration))
        .routes(routes!(provisioning::report))
        .routes(routes!(directory::changes))
        .routes(routes!(device_live::live))
}

pub(crate) const MAX_BODY_BYTES: usize = 1024 * 1024;
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
