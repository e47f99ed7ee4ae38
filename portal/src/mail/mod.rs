//! Mail: what it says, how it is sent, and where it lies when nobody is to send it.
//!
//! ```text
//!   handler ── Letter ──► content ──► outbox (store, in the handler's transaction)
//!                                        │ one task
//!              message (RFC 5322) ◄──────┘
//!                 ├─► smtp: the tenant's server, or the installation's
//!                 └─► mailbox: files in the data folder, when there is neither
//! ```
//!
//! * [`Letter`] is what may be said: a type for each kind of mail. `content` makes subject, text and HTML of it, in English or German.
//! * A letter is queued by [`queue`] in the transaction of what causes it. What follows is the task's work (`outbox`), which starts
//!   anew with what is left after a crash.
//! * Links and codes are in sealed rows and in mails, in no log and in no error.
//!
//! Not here: the table of mails, which is in `store::mail`.

mod content;
mod date;
mod deliver;
mod letter;
mod mailbox;
mod message;
mod outbox;
mod reading;
mod sample;
mod smtp;
pub(crate) mod wire;

pub(crate) use content::{Content, ContentError, Writer, one_line};
pub(crate) use deliver::{Delivery, Parcel, deliver_now, route};
pub(crate) use letter::{
    ActivationLetter, AddressChangedLetter, AppLink, InvitationLetter, Letter, LinkLetter,
    SecurityEvent, SecurityNoticeLetter, TestLetter, WebhookOffLetter,
};
pub(crate) use mailbox::{Entry, Mailbox, MailboxError};
pub(crate) use outbox::{Addressed, Outbox, QueueError, queue};
pub(crate) use reading::{ReadMail, for_page, read};
pub(crate) use sample::sample;
pub(crate) use smtp::HURRIED;

pub use smtp::SmtpServer;
