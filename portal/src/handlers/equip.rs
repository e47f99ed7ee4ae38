//! A person with a phone in one go: contact, account, device and activation, all or nothing.

use api::{EquipAccount, EquipInput, Equipped, FieldError, LiveList, NextUsername};
use axum::{Json, extract::State, http::StatusCode};
use store::{
    Secret, StoreError, Transaction,
    account::{self, Account, AccountFields},
    activation, begin, commit, contact,
    dependents::Dependents,
    device::{self, DeviceFields},
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Refused, accounts, contacts};
use crate::{
    access::Caller,
    app::App,
    audit::Deed,
    error::ApiError,
    extract::{Body, Id},
    live::Written,
    validate::Fields,
    wire,
};

/// Give somebody, new or there already, an account and a device that is ready to be activated: all of it or nothing. A field that is wrong is named with
/// its step before it, such as `account.new.username`.
#[utoipa::path(post, operation_id = "contacts_equip", path = "/tenants/{tenant}/contacts/equip", tag = "contacts",
    params(("tenant" = Uuid, Path), ("Idempotency-Key" = Option<String>, Header)), request_body = EquipInput,
    responses((status = 201, body = Equipped), Refused), security(("session" = [])))]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Body(input): Body<EquipInput>,
) -> Result<(StatusCode, Json<Equipped>), ApiError> {
    let (tenant, now) = (caller.tenant.id, OffsetDateTime::now_utc());
    let transaction = begin(&app.db).await?;
    let checked = check(tenant, &input, &transaction).await?;

    let (contact, is_known) = match checked.contact {
        ChosenContact::Existing(id) => (id, true),
        ChosenContact::New(fields) => {
            let made = contact::insert(tenant, &fields, now, &transaction).await?;
            (made.id, false)
        }
    };
    let (account, is_new) = match checked.account {
        ChosenAccount::Existing(account) => (*account, false),
        ChosenAccount::New(fields, password) => {
            let made = account::insert(
                tenant,
                &fields,
                password.as_ref(),
                &app.vault,
                now,
                &transaction,
            );
            (made.await.map_err(taken)?, true)
        }
    };
    let fields = DeviceFields {
        name: checked.device,
        contact_id: contact,
        account_ids: vec![account.id],
    };
    let device = device::insert(tenant, &fields, now, &transaction).await?;
    let life = app.activation_life();
    activation::replace(tenant, device.id, life, &app.vault, now, &transaction).await?;

    // Read again: each now names the others.
    let contact = contact::load(tenant, contact, &transaction).await?;
    let account = account::load(tenant, account.id, &transaction).await?;
    let (name, aor, own) = (contact.name(), account.aor(), account.own);
    let made = Equipped {
        contact: wire::contact(contact),
        account: wire::account(account, &app.presence),
        device: wire::device(device, &app.presence),
    };
    let deeds = [
        (!is_known).then(|| {
            Deed::new("contact.create", &name)
                .of(made.contact.id)
                .made(&made.contact)
        }),
        is_new.then(|| {
            Deed::new("account.create", &aor)
                .of(made.account.id)
                .made(&made.account)
        }),
        Some(
            Deed::new("device.create", &made.device.name)
                .of(made.device.id)
                .made(&made.device),
        ),
    ];
    for deed in deeds.iter().flatten() {
        caller.note(deed, now, &transaction).await?;
    }
    commit(transaction).await?;
    if own && is_new {
        app.tell_proxy(app.proxy.account_changed(&aor)).await;
    }
    let written = Written::accounts([made.account.id])
        .and_devices([made.device.id])
        .and_list(LiveList::Contacts);
    app.announce(tenant, written).await;
    Ok((StatusCode::CREATED, Json(made)))
}

/// A user name that is free at a provider: the next number in the numbering of its accounts.
#[utoipa::path(get, operation_id = "providers_next_username", path = "/tenants/{tenant}/providers/{id}/next-username", tag = "providers",
    params(("tenant" = Uuid, Path), ("id" = Uuid, Path)),
    responses((status = 200, body = NextUsername), Refused), security(("session" = [])))]
pub(crate) async fn next_username(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<Json<NextUsername>, ApiError> {
    let username = account::next_username(caller.tenant.id, id, &app.db).await?;
    Ok(Json(NextUsername { username }))
}

struct Checked {
    contact: ChosenContact,
    account: ChosenAccount,
    device: String,
}

enum ChosenContact {
    Existing(Uuid),
    New(contact::ContactFields),
}

enum ChosenAccount {
    Existing(Box<Account>),
    New(AccountFields, Option<Secret>),
}

/// Looks at all steps before it refuses, so that everything that is wrong is told at once.
async fn check(
    tenant: Uuid,
    input: &EquipInput,
    transaction: &Transaction,
) -> Result<Checked, ApiError> {
    let mut wrong = Vec::new();
    let contact = chosen_contact(tenant, input, transaction, &mut wrong).await?;
    let account = chosen_account(tenant, &input.account, transaction, &mut wrong).await?;
    let mut fields = Fields::default();
    let device = fields.text("name", &input.device.name, 100);
    let device = step("device", fields.finish().map(|()| device), &mut wrong)?;
    match (contact, account, device) {
        (Some(contact), Some(account), Some(device)) => Ok(Checked {
            contact,
            account,
            device,
        }),
        _ => Err(ApiError::Invalid(wrong)),
    }
}

/// Who gets the phone: somebody new, or somebody who is there.
async fn chosen_contact(
    tenant: Uuid,
    input: &EquipInput,
    transaction: &Transaction,
    wrong: &mut Vec<FieldError>,
) -> Result<Option<ChosenContact>, ApiError> {
    match (&input.contact, input.contact_id) {
        (Some(new), None) => {
            let checked = step("contact", contacts::check(new), wrong)?;
            Ok(checked.map(ChosenContact::New))
        }
        (None, Some(id)) => match contact::load(tenant, id, transaction).await {
            Ok(contact) => Ok(Some(ChosenContact::Existing(contact.id))),
            Err(StoreError::NotFound) => {
                wrong.push(refused(
                    "contact_id",
                    "This contact does not exist any more.",
                ));
                Ok(None)
            }
            Err(error) => Err(error.into()),
        },
        _ => {
            wrong.push(refused(
                "contact",
                "Please give either a new contact or who it is.",
            ));
            Ok(None)
        }
    }
}

/// What the phone is called at: a new account, or one that is there.
async fn chosen_account(
    tenant: Uuid,
    input: &EquipAccount,
    transaction: &Transaction,
    wrong: &mut Vec<FieldError>,
) -> Result<Option<ChosenAccount>, ApiError> {
    match (&input.new, input.existing) {
        (Some(new), None) => {
            let provider = accounts::load_provider(tenant, new, transaction).await;
            let checked = provider.and_then(|provider| accounts::check(new, &provider, None));
            let checked = step("account.new", checked, wrong)?;
            Ok(checked.map(|(fields, password)| ChosenAccount::New(fields, password)))
        }
        (None, Some(id)) => step("account", existing(tenant, id, transaction).await, wrong),
        _ => {
            wrong.push(refused(
                "account",
                "Please give either a new account or which one it is.",
            ));
            Ok(None)
        }
    }
}

fn refused(field: &str, message: &str) -> FieldError {
    FieldError {
        field: field.to_owned(),
        message: message.to_owned(),
    }
}

/// What came of a step, or `None` if fields of it are wrong: these are added to `wrong`.
fn step<T>(
    name: &str,
    checked: Result<T, ApiError>,
    wrong: &mut Vec<FieldError>,
) -> Result<Option<T>, ApiError> {
    match checked {
        Ok(value) => Ok(Some(value)),
        Err(ApiError::Invalid(errors)) => {
            wrong.extend(errors.into_iter().map(|error| FieldError {
                field: format!("{name}.{}", error.field),
                ..error
            }));
            Ok(None)
        }
        Err(other) => Err(other),
    }
}

async fn existing(
    tenant: Uuid,
    id: Uuid,
    transaction: &Transaction,
) -> Result<ChosenAccount, ApiError> {
    let refused = |message: String| Err(ApiError::Invalid(vec![refused("existing", &message)]));
    match account::load_unused(tenant, id, transaction).await {
        Ok(account) => Ok(ChosenAccount::Existing(Box::new(account))),
        Err(StoreError::NotFound) => refused("This account does not exist any more.".to_owned()),
        Err(StoreError::InUse(by)) => refused(format!(
            "This account is on a device already: {}. Please choose another one.",
            names(&by)
        )),
        Err(error) => Err(error.into()),
    }
}

fn names(dependents: &Dependents) -> String {
    let names: Vec<_> = dependents
        .items
        .iter()
        .map(|dependent| dependent.name.as_str())
        .collect();
    names.join(", ")
}

/// The conflict under the name that the field has here.
fn taken(error: StoreError) -> ApiError {
    match error {
        StoreError::Conflict { field: "username" } => ApiError::Conflict {
            field: "account.new.username",
            message: "This is taken already.",
        },
        other => other.into(),
    }
}
