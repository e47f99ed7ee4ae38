//! What mails may say. Every text comes from here: templates get nothing else.
//!
//! No letter prints itself: links and codes open something.

use serde::Serialize;
use store::MailKind;
use time::OffsetDateTime;

use super::date;

/// A mail, before it is put into words.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Letter {
    /// How to activate a phone.
    Activation(ActivationLetter),
    /// Somebody was made a member of a tenant.
    Invitation(InvitationLetter),
    /// A way to a new password.
    PasswordReset(LinkLetter),
    /// Confirms a new address of a person.
    ConfirmAddress(LinkLetter),
    /// Confirms that the address is of who signed up.
    SignUp(LinkLetter),
    /// The address of a user is another one now.
    AddressChanged(AddressChangedLetter),
    /// Shows that mails arrive.
    Test(TestLetter),
    /// Something happened that its owner should know of.
    SecurityNotice(SecurityNoticeLetter),
    /// A webhook is off, because its receiver took nothing.
    WebhookOff(WebhookOffLetter),
}

#[derive(Serialize)]
pub(crate) struct ActivationLetter {
    /// First name of the recipient.
    pub(crate) name: String,
    pub(crate) tenant: String,
    pub(crate) device: String,
    /// Carries the token in its fragment.
    pub(crate) link: String,
    pub(crate) code: String,
    #[serde(with = "date")]
    pub(crate) expires: OffsetDateTime,
    pub(crate) apps: Vec<AppLink>,
}

/// Where the app is to be had.
#[derive(Serialize)]
pub(crate) struct AppLink {
    /// The system.
    pub(crate) name: &'static str,
    pub(crate) url: String,
}

#[derive(Serialize)]
pub(crate) struct InvitationLetter {
    pub(crate) tenant: String,
    /// Who invites.
    pub(crate) inviter: String,
    pub(crate) link: String,
    #[serde(with = "date")]
    pub(crate) expires: OffsetDateTime,
}

/// A link that works once.
#[derive(Serialize)]
pub(crate) struct LinkLetter {
    pub(crate) name: String,
    pub(crate) link: String,
    #[serde(with = "date")]
    pub(crate) expires: OffsetDateTime,
}

#[derive(Serialize)]
pub(crate) struct AddressChangedLetter {
    pub(crate) name: String,
    pub(crate) old_address: String,
    pub(crate) new_address: String,
}

#[derive(Serialize)]
pub(crate) struct TestLetter {
    pub(crate) tenant: String,
    /// Who asked for it.
    pub(crate) sender: String,
}

#[derive(Serialize)]
pub(crate) struct SecurityNoticeLetter {
    pub(crate) name: String,
    pub(crate) event: SecurityEvent,
    /// Keys of programs that it is about, each with its tenant.
    pub(crate) keys: Vec<(String, String)>,
    #[serde(with = "date")]
    pub(crate) at: OffsetDateTime,
    /// From where.
    pub(crate) address: String,
    /// With which program.
    pub(crate) agent: String,
    /// The page where it can be undone.
    pub(crate) link: String,
}

#[derive(Serialize)]
pub(crate) struct WebhookOffLetter {
    pub(crate) name: String,
    pub(crate) tenant: String,
    /// What people call it.
    pub(crate) webhook: String,
    /// `gone` or `failing`.
    pub(crate) reason: &'static str,
    /// The page where it can be switched on again.
    pub(crate) link: String,
}

/// What the owner of an access should know of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SecurityEvent {
    NewSignIn,
    SecondFactorOn,
    SecondFactorOff,
    RecoveryCodes,
    PasswordChanged,
    /// A program can work on the person's behalf.
    ApiKeyMade,
    /// Another address was asked for. What is told goes to the one that still counts.
    AddressAskedFor,
    /// Somebody signed up with the address of who has access.
    SignedUpAgain,
}

impl Letter {
    pub(crate) fn kind(&self) -> MailKind {
        match self {
            Self::Activation(_) => MailKind::Activation,
            Self::Invitation(_) => MailKind::Invitation,
            Self::PasswordReset(_) => MailKind::PasswordReset,
            Self::ConfirmAddress(_) => MailKind::ConfirmAddress,
            Self::SignUp(_) => MailKind::SignUp,
            Self::AddressChanged(_) => MailKind::AddressChanged,
            Self::Test(_) => MailKind::Test,
            Self::SecurityNotice(_) => MailKind::SecurityNotice,
            Self::WebhookOff(_) => MailKind::WebhookOff,
        }
    }

    /// The link that is also shown as a QR code.
    pub(crate) fn qr_link(&self) -> Option<&str> {
        match self {
            Self::Activation(letter) => Some(&letter.link),
            _ => None,
        }
    }
}
