//! Mail: how a tenant sends it, what became of it, and the mailbox of an installation without a server.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// A language that mails are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum Language {
    /// English.
    #[serde(rename = "en")]
    English,
    /// German.
    #[serde(rename = "de")]
    German,
}

/// How a mail server is spoken with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum MailSecurity {
    /// TLS from the first byte, usually on port 465.
    Tls,
    /// TLS by STARTTLS, usually on port 587; without it nothing is sent.
    StartTls,
    /// In clear: only to the server's own machine.
    None,
}

/// What a mail is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MailKind {
    /// How to activate a phone.
    Activation,
    /// Somebody was made a member of a tenant.
    Invitation,
    /// A way to a new password.
    PasswordReset,
    /// Confirms a new e-mail address of a person.
    ConfirmAddress,
    /// Confirms that the address is of who signed up.
    SignUp,
    /// The address of a user is another one now.
    AddressChanged,
    /// Shows that mails arrive.
    Test,
    /// Something happened that its owner should know of.
    SecurityNotice,
    /// A webhook is off, because its receiver took nothing.
    WebhookOff,
}

/// How far a mail is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MailState {
    /// It waits, for its first or for another attempt.
    Queued,
    /// A server took it.
    Sent,
    /// There was no server: it lies in the mailbox, and reaches nobody by itself.
    Kept,
    /// It is not tried again.
    Failed,
    /// What it was about was used, replaced or removed before it left.
    Superseded,
}

/// Why a mail was not sent, at the last attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MailReason {
    /// The server's name leads nowhere.
    UnknownHost,
    /// The server's address is one that this installation does not connect to.
    ForbiddenHost,
    /// Nobody answers at the server's address.
    Unreachable,
    /// The server took too long.
    Timeout,
    /// The server does not speak TLS as it should, or its certificate is not good.
    Tls,
    /// The server does not take user name and password.
    SignIn,
    /// The server does not let us send as this sender.
    Sender,
    /// The server does not know or want the recipient.
    Recipient,
    /// The server does not take the mail for another reason.
    Refused,
    /// The server does not take the mail at present.
    Deferred,
    /// What the server said is not SMTP.
    Protocol,
    /// The mail could not be made or kept on our side.
    Internal,
}

/// A mail and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Mail {
    /// Identifier.
    pub id: Uuid,
    /// What it is about.
    pub kind: MailKind,
    /// Whom it goes to.
    pub recipient: String,
    /// How far it is.
    pub state: MailState,
    /// Why the last attempt failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<MailReason>,
    /// What the server said to the last attempt, in its words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next.
    #[serde(
        default,
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub next_attempt_at: Option<OffsetDateTime>,
    /// When it was asked for.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When it was sent, given up or superseded.
    #[serde(
        default,
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub ended_at: Option<OffsetDateTime>,
}

/// Where the app is to be had for each system, as `https://` addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AppLinks {
    /// Windows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub windows: Option<String>,
    /// macOS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub macos: Option<String>,
    /// Linux.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linux: Option<String>,
    /// Android.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub android: Option<String>,
    /// iOS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ios: Option<String>,
}

/// How a tenant sends mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MailSettings {
    /// The language of mails to people for whom no other was chosen.
    pub language: Language,
    /// Where answers go, if not to the sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// Where the app is to be had.
    pub apps: AppLinks,
    /// The tenant's own server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<MailServer>,
    /// Where mails go with these settings.
    pub way: MailWay,
    /// Row version, the value of the `ETag`; 0 while nothing was set.
    pub version: u64,
}

/// Where mails go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MailWay {
    /// To the tenant's own server.
    Own,
    /// To the installation's server.
    Installation,
    /// Into the mailbox: none leaves the machine.
    Mailbox,
}

/// A tenant's mail server. The password is never told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MailServer {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How it is spoken with.
    pub security: MailSecurity,
    /// The name that receivers see; the tenant's unless it is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender_name: Option<String>,
    /// The address that mails come from.
    pub sender_address: String,
    /// The user name, if the server asks for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Whether a password is stored.
    pub has_password: bool,
}

/// How a tenant is to send mail.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MailSettingsInput {
    /// The language of mails to people for whom no other was chosen.
    pub language: Language,
    /// Where answers go, if not to the sender.
    #[serde(default)]
    pub reply_to: Option<String>,
    /// Where the app is to be had.
    #[serde(default)]
    pub apps: AppLinks,
    /// The tenant's own server; without one the installation's counts.
    #[serde(default)]
    pub server: Option<MailServerInput>,
}

/// A mail server to be used.
#[derive(Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MailServerInput {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How it is spoken with.
    pub security: MailSecurity,
    /// The name that receivers see.
    #[serde(default)]
    pub sender_name: Option<String>,
    /// The address that mails come from.
    pub sender_address: String,
    /// The user name, if the server asks for one.
    #[serde(default)]
    pub username: Option<String>,
    /// The password. Without one the stored one stays, while host and user name do.
    #[serde(default)]
    pub password: Option<String>,
}

impl std::fmt::Debug for MailServerInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MailServerInput({}:{})", self.host, self.port)
    }
}

/// Whom a test mail goes to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MailTestInput {
    /// The address.
    pub address: String,
}

/// How a test mail went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MailTest {
    /// Whether it left, or lies in the mailbox.
    pub sent: bool,
    /// Where it went.
    pub way: MailWay,
    /// Why it did not leave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<MailReason>,
    /// What happened, in order, until the step that failed.
    pub steps: Vec<MailTestStep>,
}

/// A step of sending.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MailTestStep {
    /// Which.
    pub step: MailStep,
    /// Whether it went well.
    pub done: bool,
    /// What the server said, or what was found.
    pub said: String,
}

/// Steps of sending a mail, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MailStep {
    /// The server's name becomes addresses.
    Resolve,
    /// The server answers.
    Connect,
    /// The connection is encrypted and the certificate is good.
    Tls,
    /// User name and password are taken.
    SignIn,
    /// The sender is taken.
    Sender,
    /// The recipient is taken.
    Recipient,
    /// The mail itself is taken.
    Content,
}

/// A mail with invented data, or one of the mailbox, as it looks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MailPreview {
    /// The subject.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The HTML with its pictures in it. Show it without scripts.
    pub html: String,
}

/// A mail in the mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MailboxItem {
    /// Identifier.
    pub id: Uuid,
    /// Whom it is from.
    pub from: String,
    /// Whom it goes to.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// When it was sent.
    #[serde(
        default,
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub date: Option<OffsetDateTime>,
}

/// A mail of the mailbox with all that it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MailboxMail {
    /// What lists show of it.
    #[serde(flatten)]
    pub item: MailboxItem,
    /// The text.
    pub text: String,
    /// The HTML with its pictures in it. Show it without scripts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// The mail as it would go over the wire.
    pub source: String,
    /// Its parts beside the text.
    pub attachments: Vec<MailboxAttachment>,
}

/// A part of a mail beside its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MailboxAttachment {
    /// Its file name.
    pub name: String,
    /// Its media type.
    pub content_type: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Whether it is shown within the HTML.
    pub inline: bool,
}

/// Whom the instructions of a device go to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InstructionsInput {
    /// One of the addresses of the device's contact.
    pub address: String,
    /// The language; the tenant's unless it is set.
    #[serde(default)]
    pub language: Option<Language>,
}
