//! A letter of each kind with invented data, for previews and tests.

use store::MailKind;
use time::macros::datetime;

use super::{
    ActivationLetter, AddressChangedLetter, AppLink, InvitationLetter, Letter, LinkLetter,
    SecurityEvent, SecurityNoticeLetter, TestLetter, WebhookOffLetter,
};

/// All kinds.
#[cfg(test)]
pub(crate) const KINDS: [MailKind; 9] = [
    MailKind::Activation,
    MailKind::Invitation,
    MailKind::PasswordReset,
    MailKind::ConfirmAddress,
    MailKind::SignUp,
    MailKind::AddressChanged,
    MailKind::Test,
    MailKind::SecurityNotice,
    MailKind::WebhookOff,
];

/// A letter of this kind about nobody; its links open nothing.
pub(crate) fn sample(kind: MailKind, portal_url: &str) -> Letter {
    let (name, tenant) = ("Grace".to_owned(), "Acme".to_owned());
    let link = |path: &str| format!("{portal_url}/{path}#SAMPLE-SAMPLE-SAMPLE-0");
    let expires = datetime!(2026-11-30 09:30 UTC);
    match kind {
        MailKind::Activation => Letter::Activation(ActivationLetter {
            name,
            tenant,
            device: "Laptop".to_owned(),
            link: link("activate"),
            code: "0000-0000-0000-0000".to_owned(),
            expires,
            apps: apps(),
        }),
        MailKind::Invitation => Letter::Invitation(InvitationLetter {
            tenant,
            inviter: "Ada Lovelace".to_owned(),
            link: link("invitation"),
            expires,
        }),
        MailKind::PasswordReset => Letter::PasswordReset(LinkLetter {
            name,
            link: link("new-password"),
            expires,
        }),
        MailKind::ConfirmAddress => Letter::ConfirmAddress(LinkLetter {
            name,
            link: link("new-address"),
            expires,
        }),
        MailKind::SignUp => Letter::SignUp(LinkLetter {
            name,
            link: link("confirm"),
            expires,
        }),
        MailKind::AddressChanged => Letter::AddressChanged(AddressChangedLetter {
            name,
            old_address: "grace@example.com".to_owned(),
            new_address: "grace.hopper@example.com".to_owned(),
        }),
        MailKind::Test => Letter::Test(TestLetter {
            tenant,
            sender: "ada@example.com".to_owned(),
        }),
        MailKind::SecurityNotice => Letter::SecurityNotice(SecurityNoticeLetter {
            name,
            event: SecurityEvent::NewSignIn,
            keys: Vec::new(),
            at: datetime!(2026-11-23 14:05 UTC),
            address: "192.0.2.17".to_owned(),
            agent: "Firefox, Linux".to_owned(),
            link: format!("{portal_url}/security"),
        }),
        MailKind::WebhookOff => Letter::WebhookOff(WebhookOffLetter {
            name,
            tenant,
            webhook: "Customer database".to_owned(),
            reason: "failing",
            link: format!("{portal_url}/t/acme/webhooks"),
        }),
    }
}

fn apps() -> Vec<AppLink> {
    ["Windows", "Android", "iOS"]
        .map(|name| AppLink {
            name,
            url: format!("https://example.com/{}", name.to_lowercase()),
        })
        .into()
}
