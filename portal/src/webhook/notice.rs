//! A webhook that was switched off because of its receiver: the owners of the tenant learn of it by mail.

use store::{
    PageRequest, Role, StoreError,
    audit::NewAuditEntry,
    begin, commit,
    membership::{self, MemberFilter},
    webhook::{self, OffReason, Taken},
};
use time::OffsetDateTime;
use tracing::error;

use crate::{
    app::App,
    mail::{self, Addressed, Letter, QueueError, WebhookOffLetter},
};

impl App {
    /// Switches the webhook off, with a mail to each owner and an entry in the audit log, unless it is off already.
    pub(super) async fn notify_of_off(
        &self,
        taken: &Taken,
        reason: OffReason,
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        let (tenant, webhook) = (taken.delivery.tenant_id, taken.delivery.webhook_id);
        let transaction = begin(&self.db).await?;
        let since = taken.failing_since;
        if !webhook::switch_off(webhook, reason, since, now, &transaction).await? {
            return commit(transaction).await;
        }
        let of_tenant = store::tenant::load(tenant, &transaction).await?;
        let settings = store::mail::load_settings(tenant, &self.vault, &transaction).await?;
        let filter = MemberFilter {
            roles: vec![Role::Owner],
        };
        let request = PageRequest::default();
        let owners = membership::list(tenant, &filter, &request, &transaction).await?;
        for owner in owners.items {
            let letter = Letter::WebhookOff(WebhookOffLetter {
                name: owner.user.first_name,
                tenant: of_tenant.name.clone(),
                webhook: taken.name.clone(),
                reason: reason.as_str(),
                link: format!("{}/t/{}/webhooks", self.config.public_url, of_tenant.slug),
            });
            let addressed = Addressed {
                tenant: Some(tenant),
                device: None,
                recipient: &owner.user.email,
                language: settings.language,
            };
            match mail::queue(&letter, &addressed, now, self, &transaction).await {
                Ok(_) => {}
                // The page says it too.
                Err(QueueError::Store(StoreError::Count { .. })) => {
                    error!(webhook.id = %webhook, "the owners were not told of a webhook that is off: too many mails wait");
                }
                Err(QueueError::Content(error)) => {
                    error!(%error, "the mail about a webhook cannot be written");
                }
                Err(QueueError::Store(error)) => return Err(error),
            }
        }
        let entry = NewAuditEntry {
            actor: ACTOR,
            action: "webhook.switch_off",
            subject: &taken.name,
            object: Some(webhook),
            ..NewAuditEntry::default()
        };
        store::audit::append(Some(tenant), &entry, now, &transaction).await?;
        commit(transaction).await?;
        self.mail.wake();
        Ok(())
    }
}

/// Who acts when nobody does.
const ACTOR: &str = "server";
