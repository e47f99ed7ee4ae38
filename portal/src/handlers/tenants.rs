//! Tenants of the installation.

use api::{Page, PageQuery, Tenant, TenantInput};
use axum::{Json, extract::State, http::StatusCode};
use store::{begin, commit, tenant::NewTenant};
use time::OffsetDateTime;

use super::Refused;
use crate::{
    access::Person,
    app::App,
    audit::Deed,
    error::ApiError,
    extract::{Body, Paging},
    validate::{Fields, slug_of},
    wire,
};

/// The tenants of the caller; of the installation, if the caller administers it.
#[utoipa::path(get, operation_id = "tenants_list", path = "/tenants", tag = "tenants", params(PageQuery),
    responses((status = 200, body = Page<Tenant>), Refused), security(("session" = [])))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Person,
    Paging(request): Paging,
) -> Result<Json<Page<Tenant>>, ApiError> {
    let own = store::tenant::list_by_user(caller.user.id, &app.db).await?;
    if caller.user.installation_administrator {
        let role = |id| {
            own.iter()
                .find(|(tenant, _)| tenant.id == id)
                .map(|(_, role)| *role)
        };
        let all = store::tenant::list(&request, &app.db).await?;
        return Ok(wire::page(all, |tenant| {
            let role = role(tenant.id);
            wire::tenant(tenant, role)
        }));
    }
    let items = own
        .into_iter()
        .map(|(tenant, role)| wire::tenant(tenant, Some(role)));
    Ok(Json(Page {
        items: items.collect(),
        next: None,
        total: None,
    }))
}

/// Create a tenant with Tandem's own provider; the caller becomes its owner.
#[utoipa::path(post, operation_id = "tenants_create", path = "/tenants", tag = "tenants",
    params(("Idempotency-Key" = Option<String>, Header)), request_body = TenantInput,
    responses((status = 201, body = Tenant), Refused), security(("session" = [])))]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Person,
    Body(input): Body<TenantInput>,
) -> Result<(StatusCode, Json<Tenant>), ApiError> {
    let mut fields = Fields::default();
    let name = fields.text("name", &input.name, 100);
    let chosen = input.slug.map(|slug| fields.slug("slug", &slug));
    fields.finish()?;

    let now = OffsetDateTime::now_utc();
    let transaction = begin(&app.db).await?;
    let slug = match chosen {
        Some(slug) => slug,
        None => free_slug(&slug_of(&name), &transaction).await?,
    };
    let new = NewTenant {
        slug: &slug,
        name: &name,
        sip_domain: &app.config.sip_domain(&slug),
        demonstration: input.demonstration,
        owner: caller.user.id,
    };
    let tenant = store::tenant::insert(&new, now, &transaction).await?;
    let id = tenant.id;
    let body = wire::tenant(tenant, Some(store::Role::Owner));
    let deed = Deed::new("tenant.create", &name).of(id).made(&body);
    caller.note_in(Some(id), &deed, now, &transaction).await?;
    commit(transaction).await?;
    Ok((StatusCode::CREATED, Json(body)))
}

/// `wanted`, or `wanted-2` and so on if it is taken.
pub(super) async fn free_slug(
    wanted: &str,
    db: &impl store::ConnectionTrait,
) -> Result<String, ApiError> {
    for number in 1..100 {
        let slug = if number == 1 {
            wanted.to_owned()
        } else {
            format!("{wanted}-{number}")
        };
        if store::tenant::find_by_slug(&slug, db).await?.is_none() {
            return Ok(slug);
        }
    }
    Err(ApiError::Conflict {
        field: "slug",
        message: "Please choose a short name.",
    })
}
