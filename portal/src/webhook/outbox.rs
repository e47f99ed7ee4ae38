//! Tells what is to be told: one task takes deliveries out of the store and has some under way at a time, at most [`PER_WEBHOOK`] of one webhook
//! and [`PER_TENANT`] of one tenant, so that one slow receiver holds up nobody else.
//!
//! A delivery that failed is tried again (`schedule`). One is taken for longer than telling can take: after a crash it is told again then,
//! under the same identifier.

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

use api::LiveList;
use hyper::{
    StatusCode, Uri,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER},
};
use rand::RngExt;
use store::{
    StoreError,
    webhook::{self, Attempted, DeliveryReason, EventKind, OffReason, Taken},
};
use time::OffsetDateTime;
use tokio::{
    select,
    task::{Id, JoinSet},
    time::{sleep, timeout},
};
use tracing::{error, info, warn};
use uuid::Uuid;

use super::{
    schedule::{self, Failed, Next},
    sign::signatures,
    wire,
};
use crate::{
    app::App,
    call_wire,
    egress::EgressError,
    live::Written,
    mail::one_line,
    outgoing::{Answered, Asked, OutgoingError},
};

/// A delivery that is under way.
struct Busy {
    delivery: Uuid,
    webhook: Uuid,
    tenant: Uuid,
}

/// What came of an attempt.
struct Outcome {
    reason: Option<DeliveryReason>,
    status: Option<StatusCode>,
    excerpt: String,
    retry_after: Option<Duration>,
    took: Duration,
}

impl App {
    /// Tells what is to be told, until the portal stops. What is under way then is broken off, and told again after the next start.
    pub(crate) async fn send_webhooks(self) {
        let mut under_way = JoinSet::new();
        let mut busy: HashMap<Id, Busy> = HashMap::new();
        loop {
            let due = if under_way.len() < AT_ONCE {
                self.take_delivery(busy.values()).await
            } else {
                None
            };
            if let Some(taken) = due {
                let one = Busy {
                    delivery: taken.delivery.id,
                    webhook: taken.delivery.webhook_id,
                    tenant: taken.delivery.tenant_id,
                };
                let app = self.clone();
                let task = under_way.spawn(async move { app.attempt_delivery(taken).await });
                busy.insert(task.id(), one);
                continue;
            }
            let pause = self.pause_of_webhooks().await;
            select! {
                () = self.stop.cancelled() => break,
                () = self.webhooks.told.notified() => {}
                () = sleep(pause) => {}
                Some(ended) = under_way.join_next_with_id() => {
                    let id = match ended {
                        Ok((id, ())) => id,
                        Err(error) => {
                            error!(%error, "telling a webhook ended early");
                            error.id()
                        }
                    };
                    busy.remove(&id);
                }
            }
        }
        self.give_back(under_way, &busy).await;
    }

    /// What was under way is due again at once, for whoever comes next.
    async fn give_back(&self, mut under_way: JoinSet<()>, busy: &HashMap<Id, Busy>) {
        let mut broken_off = Vec::new();
        under_way.abort_all();
        while let Some(ended) = under_way.join_next_with_id().await {
            let one = ended.err().and_then(|error| busy.get(&error.id()));
            broken_off.extend(one.map(|one| one.delivery));
        }
        let now = OffsetDateTime::now_utc();
        if let Err(error) = webhook::release(&broken_off, now, &self.db).await {
            error!(%error, "what webhooks were being told is told again later only");
        }
    }

    async fn take_delivery<'a>(&self, busy: impl Iterator<Item = &'a Busy>) -> Option<Taken> {
        let (mut webhooks, mut tenants) = (HashMap::new(), HashMap::new());
        for one in busy {
            *webhooks.entry(one.webhook).or_default() += 1;
            *tenants.entry(one.tenant).or_default() += 1;
        }
        let (webhooks, tenants) = (full(webhooks, PER_WEBHOOK), full(tenants, PER_TENANT));
        let now = OffsetDateTime::now_utc();
        let lease = SLACK + self.webhooks.times.answer;
        let (vault, db) = (&self.vault, &self.db);
        match webhook::take(lease, &webhooks, &tenants, vault, now, db).await {
            Ok(taken) => taken,
            Err(error) => {
                error!(%error, "what webhooks are to be told cannot be read");
                None
            }
        }
    }

    /// How long nothing is due. What is due and waits for a busy webhook is taken when that is free.
    async fn pause_of_webhooks(&self) -> Duration {
        let next = webhook::next_due(&self.db).await.ok().flatten();
        let until = next.map(|at| at - OffsetDateTime::now_utc());
        match until {
            Some(until) => {
                Duration::try_from(until).map_or(BUSY, |until| until.clamp(SHORTEST, LOOK))
            }
            None => LOOK,
        }
    }

    /// Tries to tell, and notes what came of it.
    async fn attempt_delivery(&self, mut taken: Taken) {
        let outcome = match self.fill_in(&mut taken).await {
            Ok(()) => self.deliver_to(&taken).await,
            Err(StoreError::NotFound) => Outcome::ours(DeliveryReason::Erased),
            Err(error) => {
                error!(%error, "what a webhook is to be told cannot be read");
                Outcome::ours(DeliveryReason::Internal)
            }
        };
        if let Err(error) = self.note_outcome(&taken, &outcome).await {
            error!(%error, delivery.id = %taken.delivery.id, "what became of a delivery was not noted");
        }
        let changed = Written::list(LiveList::Webhooks);
        self.live.written(taken.delivery.tenant_id, changed);
    }

    /// Reads the data of an event that was noted without.
    async fn fill_in(&self, taken: &mut Taken) -> Result<(), StoreError> {
        let (tenant, event) = (taken.delivery.tenant_id, &mut taken.delivery.event);
        let (None, EventKind::CallEnded, Some(call)) = (&event.data, event.kind, event.object_id)
        else {
            return Ok(());
        };
        let call = store::call::load(tenant, call, &self.db).await?;
        let data = serde_json::to_string(&call_wire::call(call)).unwrap_or_default();
        webhook::set_data(event.id, &data, &self.db).await?;
        event.data = Some(data);
        Ok(())
    }

    async fn deliver_to(&self, taken: &Taken) -> Outcome {
        let event = &taken.delivery.event;
        let message = wire::message(taken.delivery.tenant_id, event);
        let body = message.and_then(|message| serde_json::to_vec(&message).ok());
        let (Some(body), Ok(uri)) = (body, taken.url.parse::<Uri>()) else {
            return Outcome::ours(DeliveryReason::Internal);
        };
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let id = wire::message_id(event.id);
        let signed = signatures(&taken.secrets, &id, now, &body);
        let asked = Asked {
            uri: &uri,
            headers: headers(&id, now, &signed),
            body,
        };
        let began = Instant::now();
        let posting = self.webhooks.outgoing.post(asked, MAX_ANSWER_BYTES);
        let answered = timeout(self.webhooks.times.answer, posting).await;
        Outcome {
            took: began.elapsed(),
            ..match answered {
                Ok(Ok(answered)) => judged(&answered),
                Ok(Err(error)) => Outcome::failed(reason_of(&error), &error.to_string()),
                Err(_) => Outcome::ours(DeliveryReason::Timeout),
            }
        }
    }

    async fn note_outcome(&self, taken: &Taken, outcome: &Outcome) -> Result<(), StoreError> {
        let (delivery, now) = (&taken.delivery, OffsetDateTime::now_utc());
        let attempted = outcome.attempted();
        let Some(reason) = outcome.reason else {
            return webhook::set_delivered(delivery, &attempted, now, &self.db).await;
        };
        let failed = Failed {
            attempts: delivery.attempts,
            created_at: delivery.created_at,
            failing_since: taken.failing_since,
            retry_after: outcome.retry_after,
        };
        let jitter = rand::rng().random_range(0.8..1.2);
        let next = schedule::after(&failed, self.webhooks.times.first_pause, jitter, now);
        info!(webhook.id = %delivery.webhook_id, event = %delivery.event.kind, delivery.attempts, %reason,
            status = outcome.status.map(|status| status.as_u16()), ?next, "a webhook was not told");
        if reason == DeliveryReason::Erased {
            return webhook::give_up(delivery.id, &attempted, now, &self.db).await;
        }
        if outcome.status == Some(StatusCode::GONE) {
            webhook::give_up(delivery.id, &attempted, now, &self.db).await?;
            return self.switch_webhook_off(taken, OffReason::Gone, now).await;
        }
        match next {
            Next::At(next) => webhook::postpone(delivery, &attempted, next, now, &self.db).await,
            Next::GiveUp => webhook::give_up(delivery.id, &attempted, now, &self.db).await,
            Next::SwitchOff => {
                webhook::give_up(delivery.id, &attempted, now, &self.db).await?;
                self.switch_webhook_off(taken, OffReason::Failing, now)
                    .await
            }
        }
    }

    async fn switch_webhook_off(
        &self,
        taken: &Taken,
        reason: OffReason,
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        warn!(webhook.id = %taken.delivery.webhook_id, %reason, "a webhook was switched off");
        self.notify_of_off(taken, reason, now).await?;
        self.webhooks.changed();
        Ok(())
    }
}

impl Outcome {
    /// There was no answer, for a reason that needs no words.
    fn ours(reason: DeliveryReason) -> Self {
        Self::failed(reason, "")
    }

    fn failed(reason: DeliveryReason, said: &str) -> Self {
        Self {
            reason: Some(reason),
            status: None,
            excerpt: excerpt(said.as_bytes()),
            retry_after: None,
            took: Duration::ZERO,
        }
    }

    fn attempted(&self) -> Attempted<'_> {
        Attempted {
            reason: self.reason,
            status: self.status.map(|status| status.as_u16()),
            excerpt: &self.excerpt,
            took: time::Duration::try_from(self.took).unwrap_or(time::Duration::MAX),
        }
    }
}

/// What an answer means: taken is what is answered with 2xx.
fn judged(answered: &Answered) -> Outcome {
    let reason = match answered.status {
        status if status.is_success() => None,
        status if status.is_redirection() => Some(DeliveryReason::Redirect),
        _ => Some(DeliveryReason::Status),
    };
    let retry_after = answered
        .headers
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.trim().parse().ok())
        .map(Duration::from_secs);
    Outcome {
        reason,
        status: Some(answered.status),
        excerpt: excerpt(&answered.beginning),
        retry_after,
        took: Duration::ZERO,
    }
}

fn reason_of(error: &OutgoingError) -> DeliveryReason {
    match error {
        OutgoingError::Address | OutgoingError::Egress(EgressError::Unknown) => {
            DeliveryReason::UnknownHost
        }
        OutgoingError::Egress(EgressError::Forbidden) => DeliveryReason::ForbiddenHost,
        OutgoingError::Unreachable(_) => DeliveryReason::Unreachable,
        OutgoingError::Tls(_) => DeliveryReason::Tls,
        OutgoingError::Http(_) => DeliveryReason::Protocol,
    }
}

/// One line of text, without what a terminal or a page would take for more.
fn excerpt(bytes: &[u8]) -> String {
    let line = one_line(&String::from_utf8_lossy(bytes));
    line.trim().chars().take(MAX_EXCERPT).collect()
}

fn headers(id: &str, timestamp: i64, signatures: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(TIMESTAMP, HeaderValue::from(timestamp));
    for (name, value) in [(MESSAGE_ID, id), (SIGNATURE, signatures)] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    headers
}

/// Those that have as many under way as they may.
fn full(counts: HashMap<Uuid, usize>, most: usize) -> HashSet<Uuid> {
    let full = counts.into_iter().filter(|(_, count)| *count >= most);
    full.map(|(id, _)| id).collect()
}

const MESSAGE_ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");
const AT_ONCE: usize = 256;
const PER_TENANT: usize = 16;
const PER_WEBHOOK: usize = 4;
/// For what is done beside waiting for a receiver.
const SLACK: time::Duration = time::Duration::seconds(30);
/// Somebody else on the same database may have noted something.
const LOOK: Duration = Duration::from_secs(30);
const SHORTEST: Duration = Duration::from_millis(10);
/// Something is due, and its webhook has as many under way as it may.
const BUSY: Duration = Duration::from_secs(1);
const MAX_ANSWER_BYTES: usize = 4 * 1024;
const MAX_EXCERPT: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, headers: &[(HeaderName, &'static str)], body: &str) -> Outcome {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
        judged(&Answered {
            status: StatusCode::from_u16(status).unwrap(),
            headers: headers.collect(),
            beginning: body.as_bytes().to_vec(),
        })
    }

    #[test]
    fn only_2xx_is_taken() {
        for (status, reason) in [
            (200, None),
            (204, None),
            (301, Some(DeliveryReason::Redirect)),
            (404, Some(DeliveryReason::Status)),
            (500, Some(DeliveryReason::Status)),
        ] {
            assert_eq!(answered(status, &[], "").reason, reason, "{status}");
        }
    }

    #[test]
    fn a_receiver_may_say_when_to_come_again() {
        let after = |value| answered(503, &[(RETRY_AFTER, value)], "").retry_after;
        assert_eq!(after("120"), Some(Duration::from_secs(120)));
        assert_eq!(after("Fri, 31 Dec 1999 23:59:59 GMT"), None);
    }

    #[test]
    fn what_a_receiver_says_is_one_harmless_line() {
        let said = "<b>no</b>\r\n\u{1b}[31mred\u{202e}";
        assert_eq!(answered(500, &[], said).excerpt, "<b>no</b>   [31mred");
        assert_eq!(
            answered(500, &[], &"ä".repeat(2_000))
                .excerpt
                .chars()
                .count(),
            MAX_EXCERPT
        );
    }
}
