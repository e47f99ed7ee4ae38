use std::collections::HashSet;

use store::call;
use store::webhook::{
    self, Attempted, Delivery, DeliveryFilter, DeliveryReason, DeliveryState, EventKind, KEPT,
    MAX_KEPT, MAX_WAITING, MAX_WEBHOOKS, NewEvent, OffReason, Taken, Webhook, WebhookFields,
};
use store::{PageRequest, Secret, StoreError, begin, commit};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::call::call as some_call;
use crate::ground::{Ground, NOW, after_minutes, on_both};

on_both! {
    an_event_reaches_every_webhook_that_wants_it_and_no_other,
    what_is_rolled_back_is_not_told,
    a_delivery_is_taken_once_and_comes_back_after_the_lease,
    busy_webhooks_and_tenants_are_left_alone,
    a_receiver_that_takes_something_is_well_again,
    what_a_late_attempt_says_changes_nothing_that_ended,
    switched_off_a_webhook_forgets_what_waits_and_why_when_it_is_on_again,
    a_receiver_that_has_taken_something_or_is_another_now_is_not_switched_off,
    a_new_secret_signs_beside_the_old_one_for_a_while,
    secrets_lie_sealed_in_the_database,
    an_event_is_told_again_under_its_own_name,
    deliveries_are_listed_by_state_and_event_and_stay_in_their_tenant,
    the_oldest_are_dropped_when_too_many_wait,
    history_is_kept_for_a_time_and_a_number,
    a_call_is_told_once_when_it_has_ended_and_forgotten_when_it_is_erased,
    who_was_told_to_be_there_is_remembered,
    a_tenant_has_room_for_so_many,
    changes_of_an_older_version_are_refused,
}

const LEASE: Duration = Duration::minutes(5);

fn fields(name: &str, events: &[EventKind]) -> WebhookFields {
    WebhookFields {
        name: name.to_owned(),
        url: format!("https://{name}.example/events"),
        events: events.to_vec(),
        enabled: true,
    }
}

fn event(kind: EventKind) -> NewEvent<'static> {
    NewEvent {
        kind,
        object: Some(Uuid::from_u128(1)),
        data: Some(r#"{"id":1}"#),
    }
}

fn taken_well() -> Attempted<'static> {
    Attempted {
        reason: None,
        status: Some(204),
        excerpt: "",
        took: Duration::milliseconds(12),
    }
}

fn refused() -> Attempted<'static> {
    Attempted {
        reason: Some(DeliveryReason::Status),
        status: Some(500),
        excerpt: "no",
        took: Duration::milliseconds(34),
    }
}

const MADE: EventKind = EventKind::ContactCreated;

impl Ground {
    async fn webhook(&self, name: &str, events: &[EventKind]) -> (Webhook, Secret) {
        let fields = fields(name, events);
        webhook::insert(self.tenant.id, &fields, &self.vault, NOW, &self.db)
            .await
            .unwrap()
    }

    async fn tell(&self, kind: EventKind, minutes: i64) {
        let (event, now) = (event(kind), after_minutes(minutes));
        webhook::tell(self.tenant.id, &event, now, &self.db)
            .await
            .unwrap();
    }

    async fn take_at(&self, now: OffsetDateTime) -> Option<Taken> {
        let nobody = HashSet::new();
        webhook::take(LEASE, &nobody, &nobody, &self.vault, now, &self.db)
            .await
            .unwrap()
    }

    async fn take_delivery(&self, minutes: i64) -> Option<Taken> {
        self.take_at(after_minutes(minutes)).await
    }

    async fn deliveries(&self, webhook: Uuid) -> Vec<Delivery> {
        let (filter, request) = (DeliveryFilter::default(), PageRequest::default());
        webhook::list_deliveries(self.tenant.id, webhook, &filter, &request, &self.db)
            .await
            .unwrap()
            .items
    }

    async fn webhook_now(&self, id: Uuid) -> Webhook {
        webhook::load(self.tenant.id, id, &self.db).await.unwrap()
    }

    async fn set_enabled(&self, webhook: &Webhook, enabled: bool) -> Webhook {
        let fields = WebhookFields {
            enabled,
            ..fields(&webhook.name, &webhook.events)
        };
        let (tenant, now) = (self.tenant.id, after_minutes(3));
        webhook::update(tenant, webhook.id, &fields, None, now, &self.db)
            .await
            .unwrap()
    }
}

async fn an_event_reaches_every_webhook_that_wants_it_and_no_other(ground: Ground) {
    let (one, _) = ground
        .webhook("one", &[MADE, EventKind::ContactDeleted])
        .await;
    let (two, _) = ground.webhook("two", &[MADE]).await;
    let (off, _) = ground.webhook("off", &[MADE]).await;
    ground.set_enabled(&off, false).await;
    let other = ground.other_tenant().await.id;
    let foreign = fields("foreign", &[MADE]);
    webhook::insert(other, &foreign, &ground.vault, NOW, &ground.db)
        .await
        .unwrap();

    ground.tell(MADE, 0).await;
    ground.tell(EventKind::ContactDeleted, 1).await;
    ground.tell(EventKind::DeviceOnline, 2).await;
    let kinds = |deliveries: Vec<Delivery>| -> Vec<EventKind> {
        let kinds = deliveries.iter().map(|delivery| delivery.event.kind);
        kinds.collect()
    };
    let to_one = ground.deliveries(one.id).await;
    assert_eq!(to_one[1].event.occurred_at, NOW);
    assert_eq!(to_one[1].event.object_id, Some(Uuid::from_u128(1)));
    assert_eq!(to_one[1].event.data.as_deref(), Some(r#"{"id":1}"#));
    assert_eq!(kinds(to_one), [EventKind::ContactDeleted, MADE]);
    assert_eq!(kinds(ground.deliveries(two.id).await), [MADE]);
    assert_eq!(kinds(ground.deliveries(off.id).await), []);
    assert_eq!(webhook::count_waiting(&ground.db).await.unwrap(), 3);
}

async fn what_is_rolled_back_is_not_told(ground: Ground) {
    ground.webhook("one", &[MADE]).await;
    let transaction = begin(&ground.db).await.unwrap();
    webhook::tell(ground.tenant.id, &event(MADE), NOW, &transaction)
        .await
        .unwrap();
    drop(transaction);
    assert_eq!(ground.take_delivery(1).await, None);
}

async fn a_delivery_is_taken_once_and_comes_back_after_the_lease(ground: Ground) {
    let (made, secret) = ground.webhook("one", &[MADE]).await;
    assert_eq!(webhook::next_due(&ground.db).await.unwrap(), None);
    ground.tell(MADE, 0).await;
    assert_eq!(webhook::next_due(&ground.db).await.unwrap(), Some(NOW));
    let taken = ground.take_delivery(0).await.unwrap();
    assert_eq!(
        (taken.url.as_str(), taken.name),
        (made.url.as_str(), made.name)
    );
    assert_eq!(taken.secrets, [secret]);
    assert_eq!(taken.delivery.attempts, 1);
    assert_eq!(ground.take_delivery(4).await, None);
    webhook::release(&[taken.delivery.id], after_minutes(2), &ground.db)
        .await
        .unwrap();
    assert_eq!(ground.take_delivery(1).await, None);
    let given_back = ground.take_delivery(2).await.unwrap();
    assert_eq!(given_back.delivery.attempts, 2);
    assert_eq!(ground.take_delivery(6).await, None);
    let again = ground.take_delivery(7).await.unwrap();
    assert_eq!(again.delivery.id, taken.delivery.id);
    assert_eq!(again.delivery.event.id, taken.delivery.event.id);
    assert_eq!(again.delivery.attempts, 3);
    let (delivery, now) = (&again.delivery, after_minutes(8));
    webhook::set_delivered(delivery, &taken_well(), now, &ground.db)
        .await
        .unwrap();
    assert_eq!(ground.take_delivery(60).await, None);
    let done = ground.deliveries(made.id).await.remove(0);
    assert_eq!(done.state, DeliveryState::Delivered);
    assert_eq!((done.status, done.took_ms), (Some(204), Some(12)));
    assert_eq!(done.ended_at, Some(now));
    assert_eq!((done.reason, done.excerpt), (None, None));
}

async fn busy_webhooks_and_tenants_are_left_alone(ground: Ground) {
    let (one, _) = ground.webhook("one", &[MADE]).await;
    let (two, _) = ground.webhook("two", &[MADE]).await;
    ground.tell(MADE, 0).await;
    let take = async |webhooks: &[Uuid], tenants: &[Uuid]| {
        let (webhooks, tenants) = (
            webhooks.iter().copied().collect(),
            tenants.iter().copied().collect(),
        );
        let now = after_minutes(1);
        webhook::take(LEASE, &webhooks, &tenants, &ground.vault, now, &ground.db)
            .await
            .unwrap()
            .map(|taken| taken.delivery.webhook_id)
    };
    assert_eq!(take(&[], &[ground.tenant.id]).await, None);
    assert_eq!(take(&[one.id, two.id], &[]).await, None);
    assert_eq!(take(&[one.id], &[]).await, Some(two.id));
    assert_eq!(take(&[], &[]).await, Some(one.id));
}

async fn a_receiver_that_takes_something_is_well_again(ground: Ground) {
    let (made, _) = ground.webhook("one", &[MADE]).await;
    ground.tell(MADE, 0).await;
    for minutes in [0, 1] {
        let taken = ground.take_delivery(minutes).await.unwrap();
        let (now, next) = (after_minutes(minutes), after_minutes(minutes + 1));
        webhook::postpone(&taken.delivery, &refused(), next, now, &ground.db)
            .await
            .unwrap();
    }
    // Since the first failure, not since the last.
    assert_eq!(ground.webhook_now(made.id).await.failing_since, Some(NOW));
    let waits = ground.deliveries(made.id).await.remove(0);
    assert_eq!(waits.state, DeliveryState::Waiting);
    assert_eq!(waits.next_attempt_at, Some(after_minutes(2)));
    assert_eq!(waits.reason, Some(DeliveryReason::Status));
    assert_eq!(waits.excerpt.as_deref(), Some("no"));
    let taken = ground.take_delivery(2).await.unwrap();
    assert_eq!(taken.failing_since, Some(NOW));
    webhook::set_delivered(&taken.delivery, &taken_well(), NOW, &ground.db)
        .await
        .unwrap();
    assert_eq!(ground.webhook_now(made.id).await.failing_since, None);
}

async fn what_a_late_attempt_says_changes_nothing_that_ended(ground: Ground) {
    let (made, _) = ground.webhook("one", &[MADE]).await;
    ground.tell(MADE, 0).await;
    let taken = ground.take_delivery(0).await.unwrap();
    ground.set_enabled(&made, false).await;
    let (delivery, db) = (&taken.delivery, &ground.db);
    webhook::postpone(delivery, &refused(), after_minutes(1), NOW, db)
        .await
        .unwrap();
    webhook::give_up(delivery.id, &refused(), NOW, db)
        .await
        .unwrap();
    let dropped = ground.deliveries(made.id).await.remove(0);
    assert_eq!(dropped.state, DeliveryState::Dropped);
    assert_eq!(dropped.reason, Some(DeliveryReason::SwitchedOff));
    assert_eq!(ground.take_delivery(9).await, None);
    // It did arrive.
    webhook::set_delivered(delivery, &taken_well(), NOW, db)
        .await
        .unwrap();
    let delivered = ground.deliveries(made.id).await.remove(0);
    assert_eq!(delivered.state, DeliveryState::Delivered);
}

async fn switched_off_a_webhook_forgets_what_waits_and_why_when_it_is_on_again(ground: Ground) {
    let (made, _) = ground.webhook("one", &[MADE]).await;
    ground.tell(MADE, 0).await;
    let off = async || {
        webhook::switch_off(made.id, OffReason::Gone, None, after_minutes(1), &ground.db)
            .await
            .unwrap()
    };
    assert!(off().await);
    assert!(!off().await);
    let now = ground.webhook_now(made.id).await;
    assert_eq!(
        (now.enabled, now.off_reason),
        (false, Some(OffReason::Gone))
    );
    assert_eq!(now.version, 2);
    assert_eq!(ground.take_delivery(9).await, None);
    ground.tell(MADE, 2).await;
    assert_eq!(ground.deliveries(made.id).await.len(), 1);
    let on = ground.set_enabled(&now, true).await;
    assert_eq!((on.enabled, on.off_reason), (true, None));
    assert_eq!(ground.take_delivery(9).await, None);
}

async fn a_receiver_that_has_taken_something_or_is_another_now_is_not_switched_off(ground: Ground) {
    let (made, _) = ground.webhook("one", &[MADE]).await;
    let fail = async |minutes: i64| {
        ground.tell(MADE, minutes).await;
        let taken = ground.take_delivery(minutes).await.unwrap();
        let (at, db) = (after_minutes(minutes), &ground.db);
        webhook::postpone(&taken.delivery, &refused(), after_minutes(60), at, db)
            .await
            .unwrap();
        taken.delivery
    };
    let off = async |since: Option<OffsetDateTime>| {
        let (reason, now) = (OffReason::Failing, after_minutes(9));
        webhook::switch_off(made.id, reason, since, now, &ground.db)
            .await
            .unwrap()
    };
    let since = async || ground.webhook_now(made.id).await.failing_since;
    let delivery = fail(0).await;
    let first = since().await;
    assert_eq!(first, Some(NOW));
    webhook::set_delivered(&delivery, &taken_well(), after_minutes(1), &ground.db)
        .await
        .unwrap();
    fail(2).await;
    assert!(!off(first).await, "it has taken something since");

    let now = ground.webhook_now(made.id).await;
    let elsewhere = WebhookFields {
        url: "https://elsewhere.example/".to_owned(),
        ..fields("one", &[MADE])
    };
    webhook::update(ground.tenant.id, made.id, &elsewhere, None, NOW, &ground.db)
        .await
        .unwrap();
    assert_eq!(since().await, None);
    assert!(!off(now.failing_since).await, "another has not failed");
    fail(3).await;
    assert!(off(Some(after_minutes(3))).await);
}

async fn a_new_secret_signs_beside_the_old_one_for_a_while(ground: Ground) {
    let (made, first) = ground.webhook("one", &[MADE]).await;
    let replace = async |until: Option<OffsetDateTime>| {
        webhook::replace_secret(ground.tenant.id, made.id, until, &ground.vault, &ground.db)
            .await
            .unwrap()
    };
    let secrets = async |minutes: i64| {
        ground.tell(MADE, minutes).await;
        ground.take_delivery(minutes).await.unwrap().secrets
    };
    let (after, second) = replace(Some(after_minutes(60))).await;
    assert_ne!(first, second);
    assert_eq!(after.previous_until, Some(after_minutes(60)));
    assert_eq!(secrets(59).await, [second.clone(), first]);
    assert_eq!(secrets(60).await, std::slice::from_ref(&second));
    let (_, third) = replace(Some(after_minutes(90))).await;
    assert_eq!(secrets(61).await, [third, second]);
    let (after, fourth) = replace(None).await;
    assert_eq!(after.previous_until, None);
    assert_eq!(secrets(62).await, [fourth]);
    for secret in secrets(63).await {
        let text = secret.reveal().strip_prefix("whsec_").unwrap();
        assert_eq!(text.len(), 44, "32 bytes in base64");
    }
}

async fn secrets_lie_sealed_in_the_database(ground: Ground) {
    use store::ConnectionTrait as _;
    let (_, secret) = ground.webhook("one", &[MADE]).await;
    let statement = sea_orm::Statement::from_string(
        ground.db.get_database_backend(),
        "SELECT secret_sealed FROM webhooks",
    );
    let row = ground.db.query_one_raw(statement).await.unwrap().unwrap();
    let sealed: Vec<u8> = row.try_get("", "secret_sealed").unwrap();
    let clear = secret.reveal().as_bytes();
    assert!(
        !sealed
            .windows(16)
            .any(|part| clear.windows(16).any(|clear| clear == part))
    );
}

async fn an_event_is_told_again_under_its_own_name(ground: Ground) {
    let (made, _) = ground.webhook("one", &[MADE]).await;
    ground.tell(MADE, 0).await;
    let taken = ground.take_delivery(0).await.unwrap().delivery;
    webhook::give_up(taken.id, &refused(), NOW, &ground.db)
        .await
        .unwrap();
    let (tenant, db) = (ground.tenant.id, &ground.db);
    let again = webhook::redeliver(tenant, taken.id, after_minutes(10), db)
        .await
        .unwrap();
    assert_ne!(again.id, taken.id);
    assert_eq!(again.event, taken.event);
    assert_eq!(again.attempts, 0);
    assert_eq!(ground.deliveries(made.id).await.len(), 2);
    let retaken = ground.take_delivery(10).await.unwrap();
    assert_eq!(retaken.delivery.id, again.id);
    let other = ground.other_tenant().await.id;
    let foreign = webhook::redeliver(other, taken.id, NOW, db).await;
    assert!(matches!(foreign, Err(StoreError::NotFound)));
}

async fn deliveries_are_listed_by_state_and_event_and_stay_in_their_tenant(ground: Ground) {
    let (made, _) = ground
        .webhook("one", &[MADE, EventKind::ContactDeleted])
        .await;
    ground.tell(MADE, 0).await;
    ground.tell(EventKind::ContactDeleted, 1).await;
    ground.tell(MADE, 2).await;
    let taken = ground.take_delivery(0).await.unwrap().delivery;
    webhook::set_delivered(&taken, &taken_well(), NOW, &ground.db)
        .await
        .unwrap();
    let list = async |tenant: Uuid, filter: &DeliveryFilter| {
        let request = PageRequest::default();
        webhook::list_deliveries(tenant, made.id, filter, &request, &ground.db).await
    };
    let tenant = ground.tenant.id;
    let of_kind = DeliveryFilter {
        events: vec![MADE],
        ..DeliveryFilter::default()
    };
    let found = list(tenant, &of_kind).await.unwrap().items;
    assert_eq!(found.len(), 2);
    assert_eq!(found[1].id, taken.id);
    let delivered = DeliveryFilter {
        states: vec![DeliveryState::Delivered],
        ..of_kind
    };
    let found = list(tenant, &delivered).await.unwrap().items;
    assert_eq!(found.len(), 1);
    let other = ground.other_tenant().await.id;
    let foreign = list(other, &DeliveryFilter::default()).await;
    assert!(matches!(foreign, Err(StoreError::NotFound)));
    let foreign = webhook::load_delivery(other, taken.id, &ground.db).await;
    assert!(matches!(foreign, Err(StoreError::NotFound)));
    let foreign = webhook::delete(other, made.id, &ground.db).await;
    assert!(matches!(foreign, Err(StoreError::NotFound)));
}

async fn the_oldest_are_dropped_when_too_many_wait(ground: Ground) {
    let mut webhooks = Vec::new();
    for number in 0..MAX_WEBHOOKS {
        let (made, _) = ground.webhook(&format!("w{number}"), &[MADE]).await;
        webhooks.push(made.id);
    }
    let transaction = begin(&ground.db).await.unwrap();
    let events = i64::try_from(MAX_WAITING / MAX_WEBHOOKS).unwrap();
    for minute in 0..=events {
        let now = after_minutes(minute);
        webhook::tell(ground.tenant.id, &event(MADE), now, &transaction)
            .await
            .unwrap();
    }
    commit(transaction).await.unwrap();
    let waiting = webhook::count_waiting(&ground.db).await.unwrap();
    assert_eq!(waiting, MAX_WAITING);
    for id in webhooks {
        assert_eq!(ground.webhook_now(id).await.dropped, 1);
        let dropped = DeliveryFilter {
            states: vec![DeliveryState::Dropped],
            ..DeliveryFilter::default()
        };
        let request = PageRequest::default();
        let tenant = ground.tenant.id;
        let dropped = webhook::list_deliveries(tenant, id, &dropped, &request, &ground.db)
            .await
            .unwrap()
            .items;
        assert_eq!(dropped.len(), 1);
        assert_eq!(dropped[0].event.occurred_at, NOW, "the oldest");
        assert_eq!(dropped[0].reason, Some(DeliveryReason::Overflow));
    }
}

async fn history_is_kept_for_a_time_and_a_number(ground: Ground) {
    let (made, _) = ground.webhook("one", &[MADE]).await;
    let transaction = begin(&ground.db).await.unwrap();
    for second in 0..=MAX_KEPT {
        let now = NOW + Duration::seconds(i64::try_from(second).unwrap());
        webhook::tell(ground.tenant.id, &event(MADE), now, &transaction)
            .await
            .unwrap();
    }
    commit(transaction).await.unwrap();
    let sweep = async |now| webhook::sweep(now, &ground.db).await.unwrap();
    // What waits is not history.
    assert_eq!(sweep(NOW + KEPT * 2).await, 0);
    ground.set_enabled(&made, false).await;
    // One delivery, and its event.
    assert_eq!(sweep(after_minutes(4)).await, 2);
    let oldest = PageRequest {
        sort: "created_at".parse().unwrap(),
        ..PageRequest::default()
    };
    let filter = DeliveryFilter::default();
    let kept =
        webhook::list_deliveries(ground.tenant.id, made.id, &filter, &oldest, &ground.db).await;
    let first = kept.unwrap().items.remove(0);
    assert_eq!(first.event.occurred_at, NOW + Duration::seconds(1));
    assert_eq!(sweep(after_minutes(3) + KEPT).await, 0);
    let all = sweep(after_minutes(4) + KEPT).await;
    assert_eq!(all, 2 * MAX_KEPT);
}

async fn a_call_is_told_once_when_it_has_ended_and_forgotten_when_it_is_erased(ground: Ground) {
    let (made, _) = ground.webhook("one", &[EventKind::CallEnded]).await;
    let tenant = ground.tenant.id;
    let over = some_call(1, "101", "102");
    let mut ongoing = over.clone();
    ongoing.ended_at = None;
    call::append(&[(tenant, ongoing)], &ground.db)
        .await
        .unwrap();
    assert_eq!(ground.deliveries(made.id).await, []);
    let other = ground.other_tenant().await.id;
    for _ in 0..2 {
        let calls = [(tenant, over.clone()), (other, some_call(2, "201", "202"))];
        call::append(&calls, &ground.db).await.unwrap();
    }
    let told = ground.deliveries(made.id).await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].event.object_id, Some(over.id));
    assert_eq!(told[0].event.data, None);
    assert_eq!(Some(told[0].event.occurred_at), over.ended_at);

    let event = told[0].event.id;
    for data in ["first", "second"] {
        webhook::set_data(event, data, &ground.db).await.unwrap();
    }
    let told = ground.deliveries(made.id).await;
    assert_eq!(told[0].event.data.as_deref(), Some("first"));

    call::append(&[(tenant, some_call(5, "101", "103"))], &ground.db)
        .await
        .unwrap();
    call::delete(tenant, over.id, &ground.db).await.unwrap();
    let left = ground.deliveries(made.id).await;
    assert_eq!(left.len(), 1);
    assert_ne!(left[0].event.object_id, Some(over.id));
}

async fn who_was_told_to_be_there_is_remembered(ground: Ground) {
    let (tenant, db) = (ground.tenant.id, &ground.db);
    let watching = async || webhook::list_watching(db).await.unwrap();
    ground.webhook("contacts", &[MADE]).await;
    assert_eq!(watching().await, HashSet::new());
    let (made, _) = ground.webhook("one", &[EventKind::DeviceOffline]).await;
    assert_eq!(watching().await, HashSet::from([tenant]));

    let [first, second] = [1, 2].map(Uuid::from_u128);
    let present = async || webhook::find_present(tenant, db).await.unwrap();
    assert_eq!(present().await, None);
    webhook::begin_watch(tenant, &HashSet::from([first]), NOW, db)
        .await
        .unwrap();
    assert_eq!(present().await, Some(HashSet::from([first])));
    let events = [
        event(EventKind::DeviceOnline),
        event(EventKind::DeviceOffline),
    ];
    webhook::tell_presence(tenant, &[second], &[first], &events, NOW, db)
        .await
        .unwrap();
    assert_eq!(present().await, Some(HashSet::from([second])));
    let told = ground.deliveries(made.id).await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].event.kind, EventKind::DeviceOffline);
    webhook::end_watch(tenant, db).await.unwrap();
    assert_eq!(present().await, None);
    // Who is not watched is not told of.
    let untold = webhook::tell_presence(tenant, &[first], &[], &events, NOW, db).await;
    assert!(matches!(untold, Err(StoreError::Database(_))));
    assert_eq!(ground.deliveries(made.id).await.len(), 1);
}

async fn a_tenant_has_room_for_so_many(ground: Ground) {
    for number in 0..MAX_WEBHOOKS {
        ground.webhook(&format!("w{number}"), &[MADE]).await;
    }
    let fields = fields("more", &[MADE]);
    let more = webhook::insert(ground.tenant.id, &fields, &ground.vault, NOW, &ground.db).await;
    assert!(matches!(more, Err(StoreError::Count { .. })));
    let request = PageRequest {
        search: Some("W7.EXAMPLE".to_owned()),
        ..PageRequest::default()
    };
    let found = webhook::list(ground.tenant.id, &request, &ground.db)
        .await
        .unwrap();
    assert_eq!(found.items.len(), 1);
}

async fn changes_of_an_older_version_are_refused(ground: Ground) {
    let (made, _) = ground.webhook("one", &[MADE]).await;
    let update = async |expected| {
        let fields = fields("two", &[MADE]);
        let tenant = ground.tenant.id;
        webhook::update(tenant, made.id, &fields, expected, NOW, &ground.db).await
    };
    let changed = update(Some(1)).await.unwrap();
    assert_eq!((changed.version, changed.name.as_str()), (2, "two"));
    let stale = update(Some(1)).await;
    assert!(matches!(
        stale,
        Err(StoreError::StaleVersion { current: 2 })
    ));
}
