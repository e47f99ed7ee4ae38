//! Sends what is queued: one task takes mails out of the store and has some under way at a time, at most [`PER_TENANT`] of one tenant, so
//! that one tenant's slow server holds up nobody else, and [`KEPT_FREE`] places free of tenants', so that all of them together do not hold up
//! whoever waits for a link to sign in with.
//!
//! A mail that could not be sent is tried again, later each time, with some jitter, for [`PATIENCE`] (three days, as RFC 5321 section 4.5.4.1 allows
//! four to five); one that a server refused for good is not. A mail is taken for [`LEASE`], longer than sending can take: after a crash
//! it is sent again then, under the same Message-ID.

use std::{path::Path, time::Duration};

use lettre::transport::smtp::{client::Certificate, extension::ClientId};
use rand::RngExt;
use store::{
    ConnectionTrait, Language, MailKind, MailReason, Secret, StoreError,
    mail::{self, Mail, MailFailure, MailSenders, NewMail, TakenMail},
};
use time::OffsetDateTime;
use tokio::{
    select,
    sync::Notify,
    task::JoinSet,
    time::{sleep, timeout},
};
use tracing::{error, info, warn};
use uuid::Uuid;

use super::{
    Content, ContentError, Delivery, Letter, Mailbox, Writer,
    deliver::Parcel,
    deliver_now, route,
    smtp::{Failure, PATIENT},
};
use crate::{app::App, config::PortalConfig, live::Written};

/// What sending mail needs beside the store.
pub(crate) struct Outbox {
    pub(crate) writer: Writer,
    pub(crate) mailbox: Mailbox,
    pub(crate) authorities: Vec<Certificate>,
    /// Our name towards servers.
    pub(crate) hello: ClientId,
    /// Something was queued.
    wake: Notify,
}

impl Outbox {
    pub(crate) fn new(config: &PortalConfig) -> Result<Self, ContentError> {
        Ok(Self {
            writer: Writer::new(&config.public_url)?,
            mailbox: Mailbox::in_data(Path::new(&config.data_dir)),
            authorities: config.mail.authorities().to_vec(),
            hello: hello(&config.public_url),
            wake: Notify::new(),
        })
    }

    /// Something was queued, and that is committed.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }
}

/// Why a letter was not queued.
#[derive(Debug, thiserror::Error)]
pub(crate) enum QueueError {
    #[error(transparent)]
    Content(#[from] ContentError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whom a letter is for, and on whose behalf.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addressed<'a> {
    pub(crate) tenant: Option<Uuid>,
    /// The device whose activation it carries.
    pub(crate) device: Option<Uuid>,
    pub(crate) recipient: &'a str,
    pub(crate) language: Language,
}

/// Queues a letter, in the transaction `db` of what causes it. Call [`Outbox::wake`] after the commit.
pub(crate) async fn queue(
    letter: &Letter,
    addressed: &Addressed<'_>,
    now: OffsetDateTime,
    app: &App,
    db: &impl ConnectionTrait,
) -> Result<Mail, QueueError> {
    let content = app.mail.writer.write(letter, addressed.language)?;
    let sealed = Secret::new(serde_json::to_string(&content).unwrap_or_default());
    let new = NewMail {
        tenant: addressed.tenant,
        device: addressed.device,
        kind: letter.kind(),
        recipient: addressed.recipient,
        content: &sealed,
    };
    Ok(mail::enqueue(&new, &app.vault, now, db).await?)
}

impl App {
    /// Sends what is queued, until the portal stops. What is under way then has [`GOODBYE`] to end.
    pub(crate) async fn send_mail(self) {
        let mut under_way = JoinSet::new();
        let mut tenants: Vec<Option<Uuid>> = Vec::new();
        loop {
            let due = match places(&tenants) {
                Some(senders) => self.take_mail(&tenants, senders).await,
                None => None,
            };
            if let Some(taken) = due {
                let (tenant, app) = (taken.mail.tenant_id, self.clone());
                tenants.push(tenant);
                under_way.spawn(async move {
                    app.attempt(taken).await;
                    tenant
                });
                continue;
            }
            let pause = self.pause(under_way.len()).await;
            select! {
                () = self.stop.cancelled() => break,
                () = self.mail.wake.notified() => {}
                () = sleep(pause) => {}
                Some(ended) = under_way.join_next() => match ended {
                    Ok(tenant) => {
                        if let Some(place) = tenants.iter().position(|busy| *busy == tenant) {
                            tenants.swap_remove(place);
                        }
                    }
                    Err(error) => {
                        error!(%error, "sending a mail ended early");
                        // Whose it was is not told: all start anew once the others have ended.
                        while under_way.join_next().await.is_some() {}
                        tenants.clear();
                    }
                }
            }
        }
        let ended = async { while under_way.join_next().await.is_some() {} };
        if timeout(GOODBYE, ended).await.is_err() {
            warn!(
                "mails were still under way at the stop; they are sent again after the next start"
            );
        }
    }

    async fn take_mail(&self, tenants: &[Option<Uuid>], senders: MailSenders) -> Option<TakenMail> {
        let mut busy: Vec<Option<Uuid>> = tenants
            .iter()
            .filter(|tenant| tenants.iter().filter(|other| other == tenant).count() >= PER_TENANT)
            .copied()
            .collect();
        busy.dedup();
        let now = OffsetDateTime::now_utc();
        match mail::take(LEASE, senders, &busy, &self.vault, now, &self.db).await {
            Ok(taken) => taken,
            Err(error) => {
                error!(%error, "queued mails cannot be read");
                None
            }
        }
    }

    /// How long nothing is due.
    async fn pause(&self, under_way: usize) -> Duration {
        if under_way > 0 {
            return LOOK;
        }
        let next = mail::next_due(&self.db).await.ok().flatten();
        let until = next.map(|at| at - OffsetDateTime::now_utc());
        until
            .and_then(|until| Duration::try_from(until).ok())
            .map_or(LOOK, |until| until.clamp(SHORTEST, LOOK))
    }

    /// Tries to send a mail and notes what came of it.
    async fn attempt(&self, taken: TakenMail) {
        let mail = &taken.mail;
        // One whose attempts never came to an end is given up as well.
        let is_old = OffsetDateTime::now_utc() > mail.created_at + PATIENCE + LEASE;
        let delivery = match serde_json::from_str::<Content>(taken.content.reveal()) {
            Ok(content) if !is_old => self.deliver(mail, &content).await,
            _ => Err(Failure {
                reason: MailReason::Internal,
                permanent: true,
                said: String::new(),
            }),
        };
        let now = OffsetDateTime::now_utc();
        let noted = match &delivery {
            Ok(Arrived::AtServer) => {
                info!(mail.id = %mail.id, mail.kind = %mail.kind, mail.attempts, "a mail was sent");
                mail::set_sent(mail.id, now, &self.db).await
            }
            Ok(Arrived::InMailbox) => {
                info!(mail.id = %mail.id, mail.kind = %mail.kind, "a mail was put into the mailbox: there is no mail server");
                mail::set_kept(mail.id, now, &self.db).await
            }
            Err(failure) => self.note_failure(mail, failure, now).await,
        };
        if let Err(error) = noted {
            error!(%error, mail.id = %mail.id, "what became of a mail was not noted");
        }
        if let (Some(tenant), MailKind::Activation) = (mail.tenant_id, mail.kind) {
            self.live.written(tenant, self.device_of(mail.id).await);
        }
    }

    /// The device that a mail activates. Whether it can be told or not, the pages learn that something changed.
    async fn device_of(&self, mail: Uuid) -> Written {
        match store::activation::find_device(mail, &self.db).await {
            Ok(device) => Written::devices(device),
            Err(error) => {
                error!(%error, "the device of a mail cannot be read");
                Written::anything()
            }
        }
    }

    async fn deliver(&self, mail: &Mail, content: &Content) -> Result<Arrived, Failure> {
        let unknown = |reason| Failure {
            reason,
            permanent: false,
            said: String::new(),
        };
        let route = route(mail.tenant_id, self).await.map_err(|error| {
            error!(%error, "the mail settings cannot be read");
            unknown(MailReason::Internal)
        })?;
        let parcel = Parcel {
            id: mail.id,
            tenant: mail.tenant_id,
            recipient: &mail.recipient,
            content,
        };
        let delivering = deliver_now(&parcel, &route, PATIENT, self);
        let arrived = match route.server {
            Some(_) => Arrived::AtServer,
            None => Arrived::InMailbox,
        };
        match timeout(LONGEST, delivering).await {
            Ok(Delivery { outcome, .. }) => outcome.map(|()| arrived),
            Err(_) => Err(unknown(MailReason::Timeout)),
        }
    }

    async fn note_failure(
        &self,
        mail: &Mail,
        failure: &Failure,
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        let noted = MailFailure {
            reason: failure.reason,
            detail: &failure.said,
        };
        let next = now + pause_after(mail.attempts, rand::rng().random_range(0.8..1.2));
        let given_up = failure.permanent || next > mail.created_at + PATIENCE;
        warn!(mail.id = %mail.id, mail.kind = %mail.kind, mail.attempts, reason = %failure.reason, given_up, "a mail was not sent");
        if given_up {
            mail::fail(mail.id, &noted, now, &self.db).await
        } else {
            mail::postpone(mail.id, &noted, next, &self.db).await
        }
    }
}

/// Where a mail is now.
#[derive(Clone, Copy, Debug)]
enum Arrived {
    AtServer,
    InMailbox,
}

/// Whose mails find a place beside those that are under way.
fn places(under_way: &[Option<Uuid>]) -> Option<MailSenders> {
    let of_tenants = under_way.iter().flatten().count();
    if under_way.len() >= AT_ONCE {
        None
    } else if of_tenants >= AT_ONCE - KEPT_FREE {
        Some(MailSenders::Installation)
    } else {
        Some(MailSenders::All)
    }
}

/// One minute after the first attempt, then four times as long each time, at most four hours; times `jitter`.
fn pause_after(attempts: u32, jitter: f64) -> time::Duration {
    let minutes = 4_i32.saturating_pow(attempts.saturating_sub(1).min(8));
    time::Duration::minutes(i64::from(minutes.min(240))) * jitter
}

/// The portal's host: what a server should be greeted with (RFC 5321 section 4.1.1.1).
fn hello(public_url: &str) -> ClientId {
    let authority = public_url.split("://").nth(1).unwrap_or(public_url);
    let host = authority
        .rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|digit| digit.is_ascii_digit()))
        .map_or(authority, |(host, _)| host);
    match crate::egress::literal(host) {
        Some(std::net::IpAddr::V4(address)) => ClientId::Ipv4(address),
        Some(std::net::IpAddr::V6(address)) => ClientId::Ipv6(address),
        None => ClientId::Domain(host.to_owned()),
    }
}

const AT_ONCE: usize = 64;
const PER_TENANT: usize = 2;
/// Places that tenants' mails leave free for those of the installation itself, such as links that set a new password.
const KEPT_FREE: usize = 8;
/// One attempt, whatever the server does.
const LONGEST: Duration = Duration::from_secs(8 * 60);
const LEASE: time::Duration = time::Duration::minutes(10);
const PATIENCE: time::Duration = time::Duration::days(3);
/// Somebody else on the same database may have queued something.
const LOOK: Duration = Duration::from_secs(30);
const SHORTEST: Duration = Duration::from_millis(100);
const GOODBYE: Duration = Duration::from_secs(4);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenants_leave_places_free_for_the_installation() {
        let mut under_way = vec![Some(Uuid::nil()); AT_ONCE - KEPT_FREE];
        assert_eq!(places(&under_way[1..]), Some(MailSenders::All));
        assert_eq!(places(&under_way), Some(MailSenders::Installation));
        under_way.extend([None; KEPT_FREE]);
        assert_eq!(places(&under_way), None);
    }

    #[test]
    fn pauses_grow_to_four_hours() {
        let minutes: Vec<_> = (1..8)
            .map(|attempts| pause_after(attempts, 1.0).whole_minutes())
            .collect();
        assert_eq!(minutes, [1, 4, 16, 64, 240, 240, 240]);
        assert_eq!(pause_after(u32::MAX, 0.8), time::Duration::minutes(192));
    }

    #[test]
    fn servers_are_greeted_with_the_name_of_the_portal() {
        let name = |url| hello(url).to_string();
        assert_eq!(name("https://phones.example.com"), "phones.example.com");
        assert_eq!(name("http://phones.example.com:8080"), "phones.example.com");
        assert_eq!(name("http://127.0.0.1:8080"), "[127.0.0.1]");
        assert_eq!(name("http://[::1]:8080"), "[IPv6:::1]");
    }
}
