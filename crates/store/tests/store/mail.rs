use store::activation::{self, ActivationState, DEFAULT_LIFETIME, Phone, Presented};
use store::mail::{
    self, AppLinks, MailFailure, MailSenders, MailServerFields, MailSettingsFields, NewMail,
    TakenMail,
};
use store::{
    Language, MailKind, MailReason, MailSecurity, MailState, PageRequest, Secret, StoreError,
    device,
};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::ground::{Ground, NOW, after_minutes, on_both};

on_both! {
    a_mail_is_sent_once_and_its_content_is_erased,
    a_mail_that_stayed_here_is_told_from_one_that_left,
    a_mail_that_was_taken_by_a_process_that_died_comes_back_after_the_lease,
    of_many_who_take_at_once_one_gets_the_mail,
    mails_of_busy_tenants_are_left_alone,
    the_installation_gets_its_own_mails_past_those_of_tenants,
    a_mail_that_failed_waits_and_is_given_up_in_the_end,
    a_newer_activation_supersedes_the_mail_with_the_older,
    a_used_activation_supersedes_its_mail,
    an_expired_activation_and_a_deleted_device_supersede_their_mail,
    sending_hides_the_activation_until_it_is_shown_again,
    a_device_tells_of_its_instructions_until_it_is_activated,
    a_queue_is_bounded_for_each_tenant,
    lists_are_paged_and_stay_in_their_tenant,
    old_mails_are_forgotten,
    content_and_password_lie_sealed_in_the_database,
    settings_begin_empty_and_keep_their_password,
    a_password_is_not_kept_for_another_server,
    settings_of_an_older_version_are_refused,
}

const LEASE: Duration = Duration::minutes(5);
const CANARY: &str = "canary-7f1b";

impl Ground {
    async fn mail(&self, recipient: &str) -> mail::Mail {
        self.mail_of(Some(self.tenant.id), None, recipient).await
    }

    async fn mail_of(
        &self,
        tenant: Option<Uuid>,
        device: Option<Uuid>,
        recipient: &str,
    ) -> mail::Mail {
        let content = Secret::new(format!("{CANARY} for {recipient}"));
        let new = NewMail {
            tenant,
            device,
            kind: MailKind::Activation,
            recipient,
            content: &content,
        };
        mail::enqueue(&new, &self.vault, NOW, &self.db)
            .await
            .unwrap()
    }

    async fn take(&self, minutes: i64) -> Option<TakenMail> {
        mail::take(
            LEASE,
            MailSenders::All,
            &[],
            &self.vault,
            after_minutes(minutes),
            &self.db,
        )
        .await
        .unwrap()
    }

    async fn state(&self, id: Uuid) -> MailState {
        self.mail_now(id).await.state
    }

    async fn mail_now(&self, id: Uuid) -> mail::Mail {
        mail::load(Some(self.tenant.id), id, &self.db)
            .await
            .unwrap()
    }

    /// A device with an open activation.
    async fn invited(&self) -> Uuid {
        let account = self.account("101").await;
        let device = self.device("Laptop", &[&account]).await.id;
        self.replace(device, NOW).await;
        device
    }

    async fn replace(&self, device: Uuid, now: OffsetDateTime) -> activation::Activation {
        let (tenant, vault) = (self.tenant.id, &self.vault);
        activation::replace(tenant, device, DEFAULT_LIFETIME, vault, now, &self.db)
            .await
            .unwrap()
    }

    async fn activation(&self, device: Uuid) -> activation::Activation {
        activation::load(self.tenant.id, device, &self.vault, NOW, &self.db)
            .await
            .unwrap()
    }

    async fn activate(&self, device: Uuid) {
        let ActivationState::Open { token, .. } = self.activation(device).await.state else {
            panic!("an open activation");
        };
        let phone = Phone {
            public_key: [7; 32],
            app_version: "1",
            platform: "Linux",
        };
        let presented = Presented::Token(token);
        activation::redeem(&presented, &phone, &self.vault, NOW, &self.db)
            .await
            .unwrap();
    }
}

async fn a_mail_that_stayed_here_is_told_from_one_that_left(ground: Ground) {
    let queued = ground.mail("grace@example.org").await;
    ground.take(0).await.unwrap();
    let failure = MailFailure {
        reason: MailReason::Unreachable,
        detail: "no route",
    };
    mail::postpone(queued.id, &failure, after_minutes(1), &ground.db)
        .await
        .unwrap();
    mail::set_kept(queued.id, after_minutes(2), &ground.db)
        .await
        .unwrap();
    let kept = mail::load(queued.tenant_id, queued.id, &ground.db)
        .await
        .unwrap();
    assert_eq!((kept.state, kept.reason), (MailState::Kept, None));
    assert_eq!(kept.ended_at, Some(after_minutes(2)));
    assert_eq!(ground.take(60).await, None, "nobody sends it any more");
}

async fn a_mail_is_sent_once_and_its_content_is_erased(ground: Ground) {
    let queued = ground.mail("grace@example.org").await;
    assert_eq!((queued.state, queued.attempts), (MailState::Queued, 0));
    assert_eq!(mail::next_due(&ground.db).await.unwrap(), Some(NOW));
    let taken = ground.take(0).await.unwrap();
    assert_eq!(taken.mail.id, queued.id);
    assert_eq!(taken.mail.attempts, 1);
    assert_eq!(taken.content.reveal(), "canary-7f1b for grace@example.org");
    assert_eq!(ground.take(0).await, None);
    mail::set_sent(queued.id, after_minutes(1), &ground.db)
        .await
        .unwrap();
    assert_eq!(ground.take(60).await, None);
    assert_eq!(mail::next_due(&ground.db).await.unwrap(), None);
    let sent = ground.mail_now(queued.id).await;
    assert_eq!(sent.state, MailState::Sent);
    assert_eq!(sent.ended_at, Some(after_minutes(1)));
    assert_eq!(sealed_contents(&ground).await, 0);
}

async fn a_mail_that_was_taken_by_a_process_that_died_comes_back_after_the_lease(ground: Ground) {
    let queued = ground.mail("grace@example.org").await;
    ground.take(0).await.unwrap();
    assert_eq!(ground.take(4).await, None);
    let again = ground.take(5).await.unwrap();
    assert_eq!((again.mail.id, again.mail.attempts), (queued.id, 2));
}

async fn of_many_who_take_at_once_one_gets_the_mail(ground: Ground) {
    for round in 0..5 {
        ground.mail(&format!("{round}@example.org")).await;
    }
    let takers = (0..20).map(|_| {
        let (db, vault) = (ground.db.clone(), ground.vault.clone());
        tokio::spawn(async move {
            mail::take(LEASE, MailSenders::All, &[], &vault, NOW, &db)
                .await
                .unwrap()
        })
    });
    let mut taken = Vec::new();
    for taker in takers.collect::<Vec<_>>() {
        taken.extend(taker.await.unwrap().map(|taken| taken.mail.recipient));
    }
    taken.sort();
    let all: Vec<_> = (0..5).map(|round| format!("{round}@example.org")).collect();
    assert_eq!(taken, all);
}

async fn mails_of_busy_tenants_are_left_alone(ground: Ground) {
    let (tenant, other) = (ground.tenant.id, ground.other_tenant().await.id);
    ground.mail_of(Some(tenant), None, "a@example.org").await;
    ground.mail_of(None, None, "b@example.org").await;
    ground.mail_of(Some(other), None, "c@example.org").await;
    let take = async |busy: &[Option<Uuid>]| {
        let taken = mail::take(
            LEASE,
            MailSenders::All,
            busy,
            &ground.vault,
            NOW,
            &ground.db,
        )
        .await;
        taken.unwrap().map(|taken| taken.mail.recipient)
    };
    let all = [Some(tenant), None, Some(other)];
    assert_eq!(take(&all).await, None);
    assert_eq!(take(&all[..2]).await.as_deref(), Some("c@example.org"));
    assert_eq!(take(&all[..1]).await.as_deref(), Some("b@example.org"));
    assert_eq!(take(&[None]).await.as_deref(), Some("a@example.org"));
}

async fn the_installation_gets_its_own_mails_past_those_of_tenants(ground: Ground) {
    let tenant = ground.tenant.id;
    ground.mail_of(Some(tenant), None, "a@example.org").await;
    ground.mail_of(None, None, "b@example.org").await;
    let take = async || {
        let (senders, vault) = (MailSenders::Installation, &ground.vault);
        let taken = mail::take(LEASE, senders, &[], vault, NOW, &ground.db).await;
        taken.unwrap().map(|taken| taken.mail.recipient)
    };
    assert_eq!(take().await.as_deref(), Some("b@example.org"));
    assert_eq!(take().await, None);
}

async fn a_mail_that_failed_waits_and_is_given_up_in_the_end(ground: Ground) {
    let queued = ground.mail("grace@example.org").await;
    ground.take(0).await.unwrap();
    let deferred = MailFailure {
        reason: MailReason::Deferred,
        detail: "451 4.7.1 Greylisted, try again",
    };
    mail::postpone(queued.id, &deferred, after_minutes(10), &ground.db)
        .await
        .unwrap();
    let waiting = ground.mail_now(queued.id).await;
    assert_eq!(waiting.state, MailState::Queued);
    assert_eq!(waiting.reason, Some(MailReason::Deferred));
    assert_eq!(
        waiting.detail.as_deref(),
        Some("451 4.7.1 Greylisted, try again")
    );
    assert_eq!(waiting.next_attempt_at, Some(after_minutes(10)));
    assert_eq!(ground.take(9).await, None);
    ground.take(10).await.unwrap();
    let unknown = MailFailure {
        reason: MailReason::Recipient,
        detail: "550 5.1.1 No such user",
    };
    mail::fail(queued.id, &unknown, after_minutes(11), &ground.db)
        .await
        .unwrap();
    let failed = ground.mail_now(queued.id).await;
    assert_eq!(failed.state, MailState::Failed);
    assert_eq!(failed.reason, Some(MailReason::Recipient));
    assert_eq!(failed.detail.as_deref(), Some("550 5.1.1 No such user"));
    assert_eq!(ground.take(10_000).await, None);
    assert_eq!(sealed_contents(&ground).await, 0);
}

async fn a_newer_activation_supersedes_the_mail_with_the_older(ground: Ground) {
    let device = ground.invited().await;
    let tenant = Some(ground.tenant.id);
    let first = ground.mail_of(tenant, Some(device), "a@example.org").await;
    let second = ground.mail_of(tenant, Some(device), "b@example.org").await;
    assert_eq!(ground.state(first.id).await, MailState::Superseded);
    // Under way when the activation is replaced: what left has left.
    assert_eq!(ground.take(0).await.unwrap().mail.id, second.id);
    ground.replace(device, NOW).await;
    assert_eq!(ground.state(second.id).await, MailState::Superseded);
    assert_eq!(sealed_contents(&ground).await, 0);
    assert_eq!(ground.take(60).await, None);
    mail::set_sent(second.id, NOW, &ground.db).await.unwrap();
    assert_eq!(ground.state(second.id).await, MailState::Sent);
}

async fn a_used_activation_supersedes_its_mail(ground: Ground) {
    let device = ground.invited().await;
    let tenant = Some(ground.tenant.id);
    let queued = ground.mail_of(tenant, Some(device), "a@example.org").await;
    ground.activate(device).await;
    assert_eq!(ground.state(queued.id).await, MailState::Superseded);
    let late = MailFailure {
        reason: MailReason::Timeout,
        detail: "",
    };
    mail::postpone(queued.id, &late, NOW, &ground.db)
        .await
        .unwrap();
    assert_eq!(ground.take(60).await, None);
    assert_eq!(sealed_contents(&ground).await, 0);
}

async fn an_expired_activation_and_a_deleted_device_supersede_their_mail(ground: Ground) {
    let (device, tenant) = (ground.invited().await, ground.tenant.id);
    let queued = ground
        .mail_of(Some(tenant), Some(device), "a@example.org")
        .await;
    assert_eq!(ground.take(8 * 24 * 60).await, None);
    assert_eq!(ground.state(queued.id).await, MailState::Superseded);

    ground.replace(device, NOW).await;
    let queued = ground
        .mail_of(Some(tenant), Some(device), "a@example.org")
        .await;
    mail::sweep(after_minutes(60), &ground.db).await.unwrap();
    assert_eq!(ground.state(queued.id).await, MailState::Queued);
    device::delete(tenant, device, &ground.db).await.unwrap();
    mail::sweep(after_minutes(60), &ground.db).await.unwrap();
    assert_eq!(ground.state(queued.id).await, MailState::Superseded);
    assert_eq!(sealed_contents(&ground).await, 0);
}

async fn sending_hides_the_activation_until_it_is_shown_again(ground: Ground) {
    let (device, tenant) = (ground.invited().await, ground.tenant.id);
    assert!(!ground.activation(device).await.hidden);
    let queued = ground
        .mail_of(Some(tenant), Some(device), "a@example.org")
        .await;
    let hidden = ground.activation(device).await;
    assert!(hidden.hidden);
    assert_eq!(hidden.mail.unwrap().id, queued.id);
    let other = ground.other_tenant().await.id;
    let foreign = activation::unhide(other, device, &ground.db).await;
    assert!(matches!(foreign, Err(StoreError::NotFound)));
    assert!(ground.activation(device).await.hidden);
    activation::unhide(tenant, device, &ground.db)
        .await
        .unwrap();
    let shown = ground.activation(device).await;
    assert!(!shown.hidden && shown.mail.is_some());
    ground
        .mail_of(Some(tenant), Some(device), "a@example.org")
        .await;
    ground.replace(device, NOW).await;
    let fresh = ground.activation(device).await;
    assert!(!fresh.hidden && fresh.mail.is_none());
}

async fn a_device_tells_of_its_instructions_until_it_is_activated(ground: Ground) {
    let (device, tenant) = (ground.invited().await, ground.tenant.id);
    let instructions = async || {
        let loaded = device::load(tenant, device, &ground.db).await.unwrap();
        loaded.instructions.map(|mail| (mail.recipient, mail.state))
    };
    assert_eq!(instructions().await, None);
    let queued = ground
        .mail_of(Some(tenant), Some(device), "a@example.org")
        .await;
    let told = |state| Some(("a@example.org".to_owned(), state));
    assert_eq!(instructions().await, told(MailState::Queued));
    mail::set_sent(queued.id, NOW, &ground.db).await.unwrap();
    assert_eq!(instructions().await, told(MailState::Sent));
    ground.activate(device).await;
    assert_eq!(instructions().await, None);
}

async fn a_queue_is_bounded_for_each_tenant(ground: Ground) {
    let content = Secret::new("x");
    let new = |tenant| NewMail {
        tenant,
        device: None,
        kind: MailKind::Test,
        recipient: "a@example.org",
        content: &content,
    };
    let transaction = store::begin(&ground.db).await.unwrap();
    for _ in 0..mail::MAX_QUEUED {
        mail::enqueue(
            &new(Some(ground.tenant.id)),
            &ground.vault,
            NOW,
            &transaction,
        )
        .await
        .unwrap();
    }
    let full = mail::enqueue(
        &new(Some(ground.tenant.id)),
        &ground.vault,
        NOW,
        &transaction,
    )
    .await;
    assert!(matches!(
        full,
        Err(StoreError::Count { field: "mails", .. })
    ));
    mail::enqueue(&new(None), &ground.vault, NOW, &transaction)
        .await
        .unwrap();
}

async fn lists_are_paged_and_stay_in_their_tenant(ground: Ground) {
    let (tenant, other) = (ground.tenant.id, ground.other_tenant().await.id);
    let mut made = Vec::new();
    for number in 0..3 {
        made.push(ground.mail(&format!("{number}@example.org")).await.id);
    }
    let foreign = ground.mail_of(Some(other), None, "x@example.org").await.id;
    let own = ground.mail_of(None, None, "y@example.org").await.id;
    let mut request = PageRequest {
        limit: 2,
        ..PageRequest::default()
    };
    let mut listed = Vec::new();
    loop {
        let page = mail::list(
            Some(tenant),
            &mail::MailFilter::default(),
            &request,
            &ground.db,
        )
        .await
        .unwrap();
        listed.extend(page.items.into_iter().map(|mail| mail.id));
        let Some(next) = page.next else { break };
        request.after = Some(next);
    }
    made.sort();
    made.reverse();
    assert_eq!(listed, made);
    for id in [foreign, own] {
        let loaded = mail::load(Some(tenant), id, &ground.db).await;
        assert!(matches!(loaded, Err(StoreError::NotFound)));
    }
    assert!(mail::load(None, own, &ground.db).await.is_ok());
}

async fn old_mails_are_forgotten(ground: Ground) {
    let queued = ground.mail("a@example.org").await;
    mail::set_sent(queued.id, NOW, &ground.db).await.unwrap();
    let nearly = NOW + mail::KEPT;
    mail::sweep(nearly, &ground.db).await.unwrap();
    assert_eq!(ground.state(queued.id).await, MailState::Sent);
    mail::sweep(nearly + Duration::seconds(1), &ground.db)
        .await
        .unwrap();
    let loaded = mail::load(Some(ground.tenant.id), queued.id, &ground.db).await;
    assert!(matches!(loaded, Err(StoreError::NotFound)));
}

async fn content_and_password_lie_sealed_in_the_database(ground: Ground) {
    use sea_orm::{ConnectionTrait, Statement};
    ground.mail("a@example.org").await;
    let password = Secret::new(CANARY);
    set(&ground, &fields("mail.example.org"), Some(&password)).await;
    let backend = ground.db.get_database_backend();
    for (table, column) in [
        ("mails", "content_sealed"),
        ("mail_settings", "password_sealed"),
    ] {
        let sql = format!("SELECT {column} FROM {table}");
        let row = ground
            .db
            .query_one_raw(Statement::from_string(backend, sql))
            .await
            .unwrap()
            .unwrap();
        let sealed: Vec<u8> = row.try_get("", column).unwrap();
        assert!(sealed.len() > CANARY.len());
        assert!(!sealed.windows(6).any(|part| part == b"canary"));
    }
}

async fn settings_begin_empty_and_keep_their_password(ground: Ground) {
    let (tenant, vault, db) = (ground.tenant.id, &ground.vault, &ground.db);
    let empty = mail::load_settings(tenant, vault, db).await.unwrap();
    assert_eq!((empty.server, empty.version), (None, 0));
    assert_eq!(empty.language, Language::English);

    let password = Secret::new("first");
    let mut changed = fields("mail.example.org");
    let made = set(&ground, &changed, Some(&password)).await;
    assert_eq!(made.version, 1);
    let server = made.server.unwrap();
    assert_eq!(server.password, Some(password.clone()));
    assert_eq!(
        (server.port, server.security),
        (587, MailSecurity::StartTls)
    );

    changed.language = Language::German;
    changed.reply_to = Some("help@example.org".to_owned());
    changed.apps.ios = Some("https://example.org/ios".to_owned());
    let kept = set(&ground, &changed, None).await;
    assert_eq!((kept.version, kept.language), (2, Language::German));
    assert_eq!(kept.server.clone().unwrap().password, Some(password));
    assert_eq!(mail::load_settings(tenant, vault, db).await.unwrap(), kept);

    let second = Secret::new("second");
    let renewed = set(&ground, &changed, Some(&second)).await;
    assert_eq!(renewed.server.unwrap().password, Some(second));

    changed.server = None;
    let without = set(&ground, &changed, None).await;
    assert_eq!((without.server, without.version), (None, 4));
    let nobody = mail::load_settings(Uuid::nil(), vault, db).await;
    assert!(matches!(nobody, Err(StoreError::NotFound)));
}

async fn a_password_is_not_kept_for_another_server(ground: Ground) {
    let password = Secret::new("first");
    set(&ground, &fields("mail.example.org"), Some(&password)).await;
    let moved = set(&ground, &fields("evil.example.org"), None).await;
    assert_eq!(moved.server.unwrap().password, None);
    let back = set(&ground, &fields("mail.example.org"), None).await;
    assert_eq!(back.server.unwrap().password, None);

    set(&ground, &fields("mail.example.org"), Some(&password)).await;
    let mut other = fields("mail.example.org");
    other.server.as_mut().unwrap().username = Some("somebody".to_owned());
    assert_eq!(
        set(&ground, &other, None).await.server.unwrap().password,
        None
    );
    other.server.as_mut().unwrap().username = None;
    let nobody = set(&ground, &other, Some(&password)).await;
    assert_eq!(nobody.server.unwrap().password, None);
}

async fn settings_of_an_older_version_are_refused(ground: Ground) {
    let (tenant, vault, db) = (ground.tenant.id, &ground.vault, &ground.db);
    let changed = fields("mail.example.org");
    set(&ground, &changed, None).await;
    set(&ground, &changed, None).await;
    let stale = mail::set_settings(tenant, &changed, None, Some(1), vault, db).await;
    assert!(matches!(
        stale,
        Err(StoreError::StaleVersion { current: 2 })
    ));
    mail::set_settings(tenant, &changed, None, Some(2), vault, db)
        .await
        .unwrap();
}

async fn set(
    ground: &Ground,
    fields: &MailSettingsFields,
    password: Option<&Secret>,
) -> mail::MailSettings {
    let (vault, db) = (&ground.vault, &ground.db);
    mail::set_settings(ground.tenant.id, fields, password, None, vault, db)
        .await
        .unwrap()
}

fn fields(host: &str) -> MailSettingsFields {
    MailSettingsFields {
        language: Language::English,
        reply_to: None,
        apps: AppLinks::default(),
        server: Some(MailServerFields {
            host: host.to_owned(),
            port: 587,
            security: MailSecurity::StartTls,
            sender_name: Some("Acme".to_owned()),
            sender_address: "phones@example.org".to_owned(),
            username: Some("phones".to_owned()),
        }),
    }
}

/// How many contents lie in the database.
async fn sealed_contents(ground: &Ground) -> i64 {
    use sea_orm::{ConnectionTrait, Statement};
    let sql = "SELECT count(*) AS n FROM mails WHERE content_sealed IS NOT NULL";
    let backend = ground.db.get_database_backend();
    let row = ground
        .db
        .query_one_raw(Statement::from_string(backend, sql))
        .await
        .unwrap()
        .unwrap();
    row.try_get("", "n").unwrap()
}
