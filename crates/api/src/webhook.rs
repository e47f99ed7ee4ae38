//! Webhooks: where a tenant wants to be told of what happens, and what is told (Standard Webhooks 1.0).

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// What webhooks can be told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum WebhookEvent {
    /// A contact was made; `data` is a `Contact`.
    #[serde(rename = "contact.created")]
    ContactCreated,
    /// A contact was changed; `data` is a `Contact`.
    #[serde(rename = "contact.updated")]
    ContactUpdated,
    /// A contact was deleted; `data` is the `Contact` that it was.
    #[serde(rename = "contact.deleted")]
    ContactDeleted,
    /// A SIP account was made; `data` is an `Account`.
    #[serde(rename = "account.created")]
    AccountCreated,
    /// A SIP account was changed; `data` is an `Account`.
    #[serde(rename = "account.updated")]
    AccountUpdated,
    /// A SIP account was deleted; `data` is the `Account` that it was.
    #[serde(rename = "account.deleted")]
    AccountDeleted,
    /// A SIP account has a registration where it had none; `data` is an `Account`.
    #[serde(rename = "account.registered")]
    AccountRegistered,
    /// The last registration of a SIP account has ended; `data` is an `Account`.
    #[serde(rename = "account.unregistered")]
    AccountUnregistered,
    /// A device was made; `data` is a `Device`.
    #[serde(rename = "device.created")]
    DeviceCreated,
    /// A device was changed; `data` is a `Device`.
    #[serde(rename = "device.updated")]
    DeviceUpdated,
    /// A device was deleted; `data` is the `Device` that it was.
    #[serde(rename = "device.deleted")]
    DeviceDeleted,
    /// A phone has become the device; `data` is a `Device`.
    #[serde(rename = "device.activated")]
    DeviceActivated,
    /// A device is there where it was not; `data` is a `Device`.
    #[serde(rename = "device.online")]
    DeviceOnline,
    /// A device is not there any more; `data` is a `Device`.
    #[serde(rename = "device.offline")]
    DeviceOffline,
    /// A service provider was made; `data` is a `Provider`.
    #[serde(rename = "provider.created")]
    ProviderCreated,
    /// A service provider was changed; `data` is a `Provider`.
    #[serde(rename = "provider.updated")]
    ProviderUpdated,
    /// A service provider was deleted; `data` is the `Provider` that it was.
    #[serde(rename = "provider.deleted")]
    ProviderDeleted,
    /// A call, or an attempt at one, has ended; `data` is a `Call`.
    #[serde(rename = "call.ended")]
    CallEnded,
    /// An import of contacts was carried out; `data` is an `Import`. Its contacts have no events of their own.
    #[serde(rename = "import.committed")]
    ImportCommitted,
    /// Somebody has become a member of the tenant; `data` is a `Member`.
    #[serde(rename = "member.joined")]
    MemberJoined,
    /// Somebody asked for a test; `data` is a `WebhookTest`. It cannot be chosen: every webhook is told of its own tests.
    #[serde(rename = "webhook.test")]
    WebhookTest,
}

/// Why a webhook is off although nobody switched it off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WebhookOffReason {
    /// The receiver said that it is gone for good (410).
    Gone,
    /// The receiver took nothing for days.
    Failing,
}

/// Where a tenant is told of what happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Webhook {
    /// Identifier.
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// Where events are sent by POST.
    pub url: String,
    /// What is sent.
    pub events: Vec<WebhookEvent>,
    /// Whether anything is sent.
    pub enabled: bool,
    /// Why not, if nobody switched it off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub off_reason: Option<WebhookOffReason>,
    /// Until when the secret before the present one signs too; absent if it does not any more.
    #[serde(
        default,
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub previous_secret_until: Option<OffsetDateTime>,
    /// Since when the receiver has taken nothing.
    #[serde(
        default,
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub failing_since: Option<OffsetDateTime>,
    /// How many events were not sent because too many waited, since it was last switched on.
    pub dropped: u64,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// Counts changes.
    pub version: u64,
}

/// A webhook to make or change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookInput {
    /// What people call it, 1 to 100 characters.
    pub name: String,
    /// Where events are sent: an `https` address.
    pub url: String,
    /// What is sent, at least one.
    pub events: Vec<WebhookEvent>,
    /// Whether anything is sent; switched off, what waits is dropped.
    #[serde(default = "on")]
    pub enabled: bool,
}

fn on() -> bool {
    true
}

/// A webhook that was made, or has a new secret. The secret is told only here.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct NewWebhook {
    /// What is known of it later.
    #[serde(flatten)]
    pub webhook: Webhook,
    /// What signs the events: `whsec_` and 32 bytes in base64.
    pub secret: String,
}

impl fmt::Debug for NewWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewWebhook")
            .field("webhook", &self.webhook)
            .finish_non_exhaustive()
    }
}

/// How a secret is replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookSecretInput {
    /// For how many hours the secret before signs too, 0 to 168; a day unless it is set.
    #[serde(default = "a_day")]
    pub overlap_hours: u32,
}

fn a_day() -> u32 {
    24
}

/// How far a delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WebhookDeliveryState {
    /// It waits, for its first or for another attempt.
    Waiting,
    /// The receiver took it.
    Delivered,
    /// It is not tried again.
    Failed,
    /// It was given up before the receiver could take it.
    Dropped,
}

/// Why a receiver did not take an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WebhookReason {
    /// The receiver's name leads nowhere.
    UnknownHost,
    /// The receiver's address is one that this installation does not connect to.
    ForbiddenHost,
    /// Nobody answers at the receiver's address.
    Unreachable,
    /// The receiver does not speak TLS as it should, or its certificate is not good.
    Tls,
    /// The receiver took too long.
    Timeout,
    /// The receiver sent us elsewhere, which is not followed.
    Redirect,
    /// The receiver answered with a status that is not 2xx.
    Status,
    /// What the receiver said is not HTTP.
    Protocol,
    /// Too many events waited.
    Overflow,
    /// The webhook was switched off.
    SwitchedOff,
    /// What the event was about was erased before it could be told.
    Erased,
    /// The event could not be told for a reason on our side.
    Internal,
}

/// A telling of an event to a webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WebhookDelivery {
    /// Identifier.
    pub id: Uuid,
    /// To which webhook.
    pub webhook_id: Uuid,
    /// What the receiver knows the event by (`webhook-id`), however often it is sent.
    pub message_id: String,
    /// Of what it tells.
    pub event: WebhookEvent,
    /// How far it is.
    pub state: WebhookDeliveryState,
    /// How often it was tried, an attempt under way included.
    pub attempts: u32,
    /// When it happened.
    #[serde(with = "time::serde::rfc3339")]
    pub occurred_at: OffsetDateTime,
    /// When this delivery was asked for: later than that if it is sent again by hand.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When it was tried last.
    #[serde(
        default,
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub attempted_at: Option<OffsetDateTime>,
    /// When it is tried next, while it waits.
    #[serde(
        default,
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub next_attempt_at: Option<OffsetDateTime>,
    /// Why the last attempt failed, or there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<WebhookReason>,
    /// The HTTP status of the last answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How the last answer began, at most 1,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<String>,
    /// How long the last attempt took, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<u32>,
}

/// A delivery with what is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WebhookDeliveryDetail {
    /// How far it is.
    #[serde(flatten)]
    pub delivery: WebhookDelivery,
    /// What is sent; absent before the first attempt at events whose data are read then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<WebhookMessage>,
}

/// What a receiver gets, as the body of a POST. It is signed together with `webhook-id` and `webhook-timestamp` (Standard Webhooks 1.0).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WebhookMessage {
    /// What happened.
    #[serde(rename = "type")]
    pub kind: WebhookEvent,
    /// When it happened.
    #[serde(with = "time::serde::rfc3339")]
    pub timestamp: OffsetDateTime,
    /// In which tenant.
    pub tenant_id: Uuid,
    /// Which version of the interface `data` is of: 1.
    pub version: u32,
    /// What it happened to, as the interface shows it at that moment.
    #[schema(value_type = Object)]
    pub data: Value,
}

/// What a test tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WebhookTest {
    /// The webhook that is tested.
    pub webhook_id: Uuid,
    /// What people call it.
    pub name: String,
    /// Who asked for it.
    pub asked_by: String,
}

/// Which deliveries are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WebhookDeliveryFilters {
    /// In one of these states, with commas between them.
    pub state: Option<String>,
    /// Of one of these events, with commas between them.
    pub event: Option<String>,
}
