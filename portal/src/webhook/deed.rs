//! Which deeds webhooks are told of.

use serde::Serialize;
use store::{
    ConnectionTrait, StoreError,
    webhook::{self, EventKind, NewEvent},
};
use time::OffsetDateTime;
use tracing::error;
use uuid::Uuid;

use crate::audit::Deed;

/// Notes for the webhooks of a tenant what was done, if they are told of such deeds. Call it in the transaction of the deed.
pub(crate) async fn tell_deed(
    tenant: Uuid,
    deed: &Deed<'_>,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    let (Some(kind), Some(data)) = (kind_of(deed.action()), deed.shown()) else {
        return Ok(());
    };
    tell(tenant, kind, deed.object(), data, now, db).await
}

/// Notes for the webhooks of a tenant what happened to an object, which is `data` now.
pub(crate) async fn tell(
    tenant: Uuid,
    kind: EventKind,
    object: Option<Uuid>,
    data: &impl Serialize,
    now: OffsetDateTime,
    db: &impl ConnectionTrait,
) -> Result<(), StoreError> {
    let data = match serde_json::to_string(data) {
        Ok(data) => data,
        Err(error) => {
            error!(%error, event = %kind, "an event cannot be written");
            return Ok(());
        }
    };
    let event = NewEvent {
        kind,
        object,
        data: Some(&data),
    };
    webhook::tell(tenant, &event, now, db).await
}

fn kind_of(action: &str) -> Option<EventKind> {
    DEEDS
        .iter()
        .find_map(|(known, kind)| (*known == action).then_some(*kind))
}

const DEEDS: &[(&str, EventKind)] = &[
    ("contact.create", EventKind::ContactCreated),
    ("contact.update", EventKind::ContactUpdated),
    ("contact.delete", EventKind::ContactDeleted),
    ("account.create", EventKind::AccountCreated),
    ("account.update", EventKind::AccountUpdated),
    ("account.delete", EventKind::AccountDeleted),
    ("device.create", EventKind::DeviceCreated),
    ("device.update", EventKind::DeviceUpdated),
    ("device.reset", EventKind::DeviceUpdated),
    ("device.desk_phone", EventKind::DeviceUpdated),
    ("device.delete", EventKind::DeviceDeleted),
    ("provider.create", EventKind::ProviderCreated),
    ("provider.update", EventKind::ProviderUpdated),
    ("provider.delete", EventKind::ProviderDeleted),
    ("member.create", EventKind::MemberJoined),
    ("invitation.accept", EventKind::MemberJoined),
];
