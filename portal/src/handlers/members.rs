//! Members of a tenant, their roles, and what the tenant asks of them.

use api::{Member, MemberChange, MemberFilters, MemberInput, Page, PageQuery, TenantSecurity};
use axum::{Json, extract::State, http::StatusCode};
use store::{
    Transaction, begin, commit,
    membership::{MemberFilter, MemberSort},
    second_factor,
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::Refused;
use crate::{
    access::Caller,
    app::App,
    audit::Deed,
    error::ApiError,
    extract::{Asked, Body, Id, Paging},
    mail::SecurityEvent,
    notice,
    validate::Fields,
    visit::Visit,
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
    let users = members.items.iter().map(|member| member.user.id);
    let confirmed = second_factor::list_confirmed(users, &app.db).await?;
    Ok(wire::page(members, |member| {
        let second_factor = confirmed.contains(&member.user.id);
        wire_member(member, second_factor)
    }))
}

/// Make an existing user a member, without asking: for administrators of the installation. Others invite.
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
    let second_factor = second_factor::confirmed_at(user.id, &transaction)
        .await?
        .is_some();
    let body = wire_member(store::membership::Member { user, role }, second_factor);
    let deed = Deed::new("member.create", &body.email)
        .of(body.user_id)
        .made(&body);
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    Ok((StatusCode::CREATED, Json(body)))
}

/// Give a member another role. The person is signed out, so that nothing of the old role goes on.
#[utoipa::path(put, operation_id = "members_update", path = "/tenants/{tenant}/members/{id}", tag = "tenants",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path)), request_body = MemberChange,
    responses((status = 200, body = Member), Refused), security(("session" = [])))]
pub(crate) async fn update(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Body(change): Body<MemberChange>,
) -> Result<Json<Member>, ApiError> {
    let (tenant, now) = (caller.tenant.id, OffsetDateTime::now_utc());
    let role = wire::stored_role(change.role);
    let transaction = begin(&app.db).await?;
    let before = store::membership::set_role(tenant, id, role, &transaction).await?;
    let user = store::user::load(id, &transaction).await?;
    let second_factor = second_factor::confirmed_at(id, &transaction)
        .await?
        .is_some();
    let shown = |role| {
        let member = store::membership::Member {
            user: user.clone(),
            role,
        };
        wire_member(member, second_factor)
    };
    let (before, body) = (shown(before), shown(role));
    if before != body {
        sign_out(id, &caller, &transaction).await?;
        let deed = Deed::new("member.update", &body.email)
            .of(id)
            .changed(&before, &body);
        caller.note(&deed, now, &transaction).await?;
    }
    commit(transaction).await?;
    Ok(Json(body))
}

/// Remove a member, who is signed out at once.
#[utoipa::path(delete, operation_id = "members_delete", path = "/tenants/{tenant}/members/{id}", tag = "tenants",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path)),
    responses((status = 204), Refused), security(("session" = [])))]
pub(crate) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<StatusCode, ApiError> {
    let (tenant, now) = (caller.tenant.id, OffsetDateTime::now_utc());
    let transaction = begin(&app.db).await?;
    let role = store::membership::delete(tenant, id, &transaction).await?;
    let user = store::user::load(id, &transaction).await?;
    sign_out(id, &caller, &transaction).await?;
    let gone = wire_member(store::membership::Member { user, role }, false);
    let deed = Deed::new("member.delete", &gone.email)
        .of(id)
        .removed(&gone);
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Turn the second factor of a member off who has lost it. Only for somebody who belongs to no other tenant and does not administer the
/// installation: what protects others is not for one tenant to take away.
#[utoipa::path(delete, operation_id = "members_reset_second_factor", path = "/tenants/{tenant}/members/{id}/second-factor", tag = "tenants",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path)),
    responses((status = 204), Refused), security(("session" = [])))]
pub(crate) async fn reset_second_factor(
    State(app): State<App>,
    caller: Caller,
    visit: Visit,
    Id(id): Id,
) -> Result<StatusCode, ApiError> {
    let (tenant, now) = (caller.tenant.id, OffsetDateTime::now_utc());
    let transaction = begin(&app.db).await?;
    let role = store::membership::find_role(tenant, id, &transaction).await?;
    role.ok_or(ApiError::NotFound)?;
    let user = store::user::load(id, &transaction).await?;
    let tenants = store::tenant::list_by_user(id, &transaction).await?;
    let beyond = tenants.len() > 1 || user.installation_administrator;
    if id == caller.person.user.id || (beyond && !caller.person.user.installation_administrator) {
        return Err(ApiError::Conflict {
            field: "",
            message: "This is not for you to turn off: the person has access elsewhere too. An administrator of the installation can.",
        });
    }
    if second_factor::delete(id, &transaction).await? {
        sign_out(id, &caller, &transaction).await?;
        store::link::delete_by_user(id, &transaction).await?;
        let event = SecurityEvent::SecondFactorOff;
        notice::queue(event, &user, &visit, now, &app, &transaction).await?;
        let deed = Deed::new("second_factor.delete", &user.email).of(id);
        caller.note(&deed, now, &transaction).await?;
    }
    commit(transaction).await?;
    app.mail.wake();
    Ok(StatusCode::NO_CONTENT)
}

/// What the tenant asks of its members.
#[utoipa::path(get, operation_id = "tenant_security_show", path = "/tenants/{tenant}/settings/security", tag = "settings",
    params(("tenant" = Uuid, Path)),
    responses((status = 200, body = TenantSecurity), Refused), security(("session" = [])))]
pub(crate) async fn show_security(caller: Caller) -> Json<TenantSecurity> {
    Json(TenantSecurity {
        second_factor_required: caller.tenant.second_factor_required,
    })
}

/// Change what the tenant asks of its members. Who demands a second factor must have one.
#[utoipa::path(put, operation_id = "tenant_security_update", path = "/tenants/{tenant}/settings/security", tag = "settings",
    params(("tenant" = Uuid, Path)), request_body = TenantSecurity,
    responses((status = 200, body = TenantSecurity), Refused), security(("session" = [])))]
pub(crate) async fn update_security(
    State(app): State<App>,
    caller: Caller,
    Body(input): Body<TenantSecurity>,
) -> Result<Json<TenantSecurity>, ApiError> {
    let own = second_factor::confirmed_at(caller.person.user.id, &app.db).await?;
    if input.second_factor_required && own.is_none() {
        return Err(ApiError::Conflict {
            field: "second_factor_required",
            message: "Please turn your own second factor on first: without it you could not come back.",
        });
    }
    let now = OffsetDateTime::now_utc();
    let transaction = begin(&app.db).await?;
    let required = input.second_factor_required;
    store::tenant::require_second_factor(caller.tenant.id, required, &transaction).await?;
    let before = TenantSecurity {
        second_factor_required: caller.tenant.second_factor_required,
    };
    let deed = Deed::new("security.update", &caller.tenant.name).changed(&before, &input);
    caller.note(&deed, now, &transaction).await?;
    commit(transaction).await?;
    Ok(Json(input))
}

/// Ends the sessions of somebody whose rights have changed, but not the one that changes them.
async fn sign_out(user: Uuid, caller: &Caller, db: &Transaction) -> Result<(), ApiError> {
    if user == caller.person.user.id {
        let token = caller.person.session()?.token.reveal();
        store::session::delete_others(user, token, db).await?;
    } else {
        store::session::delete_by_user(user, db).await?;
    }
    second_factor::delete_half_sign_ins(user, db).await?;
    Ok(())
}

pub(super) fn wire_member(member: store::membership::Member, second_factor: bool) -> Member {
    Member {
        user_id: member.user.id,
        email: member.user.email,
        first_name: member.user.first_name,
        last_name: member.user.last_name,
        role: wire::role(member.role),
        second_factor,
    }
}
