//! Members of a tenant.

use api::{Member, MemberFilters, MemberInput, Page, PageQuery};
use axum::{Json, extract::State, http::StatusCode};
use store::{
    begin, commit,
    membership::{MemberFilter, MemberSort},
};
use time::OffsetDateTime;

use super::Refused;
use crate::{
    access::Caller,
    app::App,
    audit::Deed,
    error::ApiError,
    extract::{Asked, Body, Paging},
    validate::Fields,
    wire,
};

/// Who may do what in the tenant; the search looks at names and addresses.
#[utoipa::path(get, operation_id = "members_list", path = "/tenants/{tenant}/members", tag = "tenants",
    params(("tenant" = Uuid, Path), PageQuery, MemberFilters),
    responses((status = 200, body = Page<Member>), Refused), security(("session" = [])))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Paging(request): Paging<MemberSort>,
    Asked(filters): Asked<MemberFilters>,
) -> Result<Json<Page<Member>>, ApiError> {
    let mut fields = Fields::default();
    let filter = MemberFilter {
        roles: fields.words("role", filters.role.as_deref()),
    };
    fields.finish()?;
    let members = store::membership::list(caller.tenant.id, &filter, &request, &app.db).await?;
    Ok(wire::page(members, member))
}

/// Make an existing user a member. Owners only.
#[utoipa::path(post, operation_id = "members_create", path = "/tenants/{tenant}/members", tag = "tenants",
    params(("tenant" = Uuid, Path), ("Idempotency-Key" = Option<String>, Header)), request_body = MemberInput,
    responses((status = 201, body = Member), Refused), security(("session" = [])))]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Body(input): Body<MemberInput>,
) -> Result<(StatusCode, Json<Member>), ApiError> {
    let mut fields = Fields::default();
    let email = fields.email("email", &input.email);
    let found = store::user::find_by_email(&email, &app.db).await?;
    if found.is_none() {
        fields.wrong("email", "Nobody with this e-mail address exists here.");
    }
    fields.finish()?;
    let (user, _) = found.ok_or(ApiError::NotFound)?;

    let role = wire::stored_role(input.role);
    let (tenant, now) = (caller.tenant.id, OffsetDateTime::now_utc());
    let transaction = begin(&app.db).await?;
    store::membership::insert(tenant, user.id, role, now, &transaction).await?;
    let body = member(store::membership::Member { user, role });
    let deed = Deed::new("member.create", &body.email)
        .of(body.user_id)
        .made(&body);
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    Ok((StatusCode::CREATED, Json(body)))
}

fn member(member: store::membership::Member) -> Member {
    Member {
        user_id: member.user.id,
        email: member.user.email,
        first_name: member.user.first_name,
        last_name: member.user.last_name,
        role: wire::role(member.role),
    }
}
