//! Webhooks as wire types, and events back.

use serde_json::Value;
use store::webhook::{Delivery, DeliveryReason, DeliveryState, Event, EventKind, OffReason};
use time::OffsetDateTime;
use uuid::Uuid;

macro_rules! same_words {
    ($name:ident, $stored:ident, $shown:ident { $($variant:ident),+ $(,)? }) => {
        pub(crate) fn $name(word: $stored) -> api::$shown {
            match word { $($stored::$variant => api::$shown::$variant,)+ }
        }
    };
    ($name:ident, $back:ident, $stored:ident, $shown:ident { $($variant:ident),+ $(,)? }) => {
        same_words!($name, $stored, $shown { $($variant),+ });

        pub(crate) fn $back(word: api::$shown) -> $stored {
            match word { $(api::$shown::$variant => $stored::$variant,)+ }
        }
    };
}

same_words!(
    event,
    stored_event,
    EventKind,
    WebhookEvent {
        ContactCreated,
        ContactUpdated,
        ContactDeleted,
        AccountCreated,
        AccountUpdated,
        AccountDeleted,
        AccountRegistered,
        AccountUnregistered,
        DeviceCreated,
        DeviceUpdated,
        DeviceDeleted,
        DeviceActivated,
        DeviceOnline,
        DeviceOffline,
        ProviderCreated,
        ProviderUpdated,
        ProviderDeleted,
        CallEnded,
        ImportCommitted,
        MemberJoined,
        WebhookTest,
    }
);
same_words!(off_reason, OffReason, WebhookOffReason { Gone, Failing });
same_words!(
    state,
    DeliveryState,
    WebhookDeliveryState {
        Waiting,
        Delivered,
        Failed,
        Dropped
    }
);
same_words!(
    reason,
    DeliveryReason,
    WebhookReason {
        UnknownHost,
        ForbiddenHost,
        Unreachable,
        Tls,
        Timeout,
        Redirect,
        Status,
        Protocol,
        Overflow,
        SwitchedOff,
        Erased,
        Internal,
    }
);

pub(crate) fn webhook(webhook: store::webhook::Webhook) -> api::Webhook {
    api::Webhook {
        id: webhook.id,
        name: webhook.name,
        url: webhook.url,
        events: webhook.events.into_iter().map(event).collect(),
        enabled: webhook.enabled,
        off_reason: webhook.off_reason.map(off_reason),
        previous_secret_until: webhook
            .previous_until
            .filter(|until| *until > OffsetDateTime::now_utc()),
        failing_since: webhook.failing_since,
        dropped: webhook.dropped,
        created_at: webhook.created_at,
        version: webhook.version,
    }
}

pub(crate) fn delivery(delivery: Delivery) -> api::WebhookDelivery {
    api::WebhookDelivery {
        id: delivery.id,
        webhook_id: delivery.webhook_id,
        message_id: message_id(delivery.event.id),
        event: event(delivery.event.kind),
        state: state(delivery.state),
        attempts: delivery.attempts,
        occurred_at: delivery.event.occurred_at,
        created_at: delivery.created_at,
        attempted_at: delivery.attempted_at,
        next_attempt_at: delivery.next_attempt_at,
        reason: delivery.reason.map(reason),
        status: delivery.status,
        excerpt: delivery.excerpt,
        took_ms: delivery.took_ms,
    }
}

pub(crate) fn detail(found: Delivery) -> api::WebhookDeliveryDetail {
    api::WebhookDeliveryDetail {
        message: message(found.tenant_id, &found.event),
        delivery: delivery(found),
    }
}

/// What a receiver knows an event by.
pub(crate) fn message_id(event: Uuid) -> String {
    format!("msg_{}", event.simple())
}

/// What is told of an event, if its data are known.
pub(crate) fn message(tenant: Uuid, told: &Event) -> Option<api::WebhookMessage> {
    let data: Value = serde_json::from_str(told.data.as_deref()?).ok()?;
    Some(api::WebhookMessage {
        kind: event(told.kind),
        timestamp: told.occurred_at,
        tenant_id: tenant,
        version: VERSION,
        data,
    })
}

/// Of the interface whose words `data` has.
const VERSION: u32 = 1;

#[cfg(test)]
mod tests {
    use store::Word as _;

    use super::*;

    #[test]
    fn events_are_called_the_same_in_rows_and_in_the_interface() {
        for kind in EventKind::ALL {
            let shown = event(*kind);
            assert_eq!(serde_json::to_value(shown).unwrap(), kind.as_str());
            assert_eq!(stored_event(shown), *kind);
        }
    }
}
