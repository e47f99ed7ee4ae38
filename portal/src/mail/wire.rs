//! Mail as wire types, and back where a word has its own type on each side.

use time::OffsetDateTime;

use super::{ReadMail, deliver::Route, mailbox::Entry, smtp};

macro_rules! same_words {
    ($name:ident, $kind:ident { $($variant:ident),+ $(,)? }) => {
        pub(crate) fn $name(word: store::$kind) -> api::$kind {
            match word { $(store::$kind::$variant => api::$kind::$variant,)+ }
        }
    };
}

same_words!(language, Language { English, German });
same_words!(
    security,
    MailSecurity {
        Tls,
        StartTls,
        None
    }
);
same_words!(
    state,
    MailState {
        Queued,
        Sent,
        Kept,
        Failed,
        Superseded
    }
);
same_words!(
    kind,
    MailKind {
        Activation,
        Invitation,
        PasswordReset,
        ConfirmAddress,
        SignUp,
        AddressChanged,
        Test,
        SecurityNotice,
        WebhookOff,
    }
);
same_words!(
    reason,
    MailReason {
        UnknownHost,
        ForbiddenHost,
        Unreachable,
        Timeout,
        Tls,
        SignIn,
        Sender,
        Recipient,
        Refused,
        Deferred,
        Protocol,
        Internal,
    }
);

pub(crate) fn stored_language(language: api::Language) -> store::Language {
    match language {
        api::Language::English => store::Language::English,
        api::Language::German => store::Language::German,
    }
}

pub(crate) fn stored_security(security: api::MailSecurity) -> store::MailSecurity {
    match security {
        api::MailSecurity::Tls => store::MailSecurity::Tls,
        api::MailSecurity::StartTls => store::MailSecurity::StartTls,
        api::MailSecurity::None => store::MailSecurity::None,
    }
}

pub(crate) fn mail(mail: store::mail::Mail) -> api::Mail {
    api::Mail {
        id: mail.id,
        kind: kind(mail.kind),
        recipient: mail.recipient,
        state: state(mail.state),
        reason: mail.reason.map(reason),
        detail: mail.detail,
        attempts: mail.attempts,
        next_attempt_at: mail.next_attempt_at,
        created_at: mail.created_at,
        ended_at: mail.ended_at,
    }
}

pub(crate) fn settings(
    settings: store::mail::MailSettings,
    has_installation_server: bool,
) -> api::MailSettings {
    let way = match (&settings.server, has_installation_server) {
        (Some(_), _) => api::MailWay::Own,
        (None, true) => api::MailWay::Installation,
        (None, false) => api::MailWay::Mailbox,
    };
    api::MailSettings {
        language: language(settings.language),
        reply_to: settings.reply_to,
        apps: api::AppLinks {
            windows: settings.apps.windows,
            macos: settings.apps.macos,
            linux: settings.apps.linux,
            android: settings.apps.android,
            ios: settings.apps.ios,
        },
        server: settings.server.map(|server| api::MailServer {
            host: server.host,
            port: server.port,
            security: security(server.security),
            sender_name: server.sender_name,
            sender_address: server.sender_address,
            username: server.username,
            has_password: server.password.is_some(),
        }),
        way,
        version: settings.version,
    }
}

pub(crate) fn way(route: &Route) -> api::MailWay {
    match (&route.server, route.is_trusted()) {
        (None, _) => api::MailWay::Mailbox,
        (Some(_), true) => api::MailWay::Installation,
        (Some(_), false) => api::MailWay::Own,
    }
}

pub(crate) fn step(outcome: smtp::StepOutcome) -> api::MailTestStep {
    api::MailTestStep {
        step: match outcome.step {
            smtp::Step::Resolve => api::MailStep::Resolve,
            smtp::Step::Connect => api::MailStep::Connect,
            smtp::Step::Tls => api::MailStep::Tls,
            smtp::Step::SignIn => api::MailStep::SignIn,
            smtp::Step::Sender => api::MailStep::Sender,
            smtp::Step::Recipient => api::MailStep::Recipient,
            smtp::Step::Content => api::MailStep::Content,
        },
        done: outcome.done,
        said: outcome.said,
    }
}

pub(crate) fn mailbox_item(entry: Entry, read: &ReadMail) -> api::MailboxItem {
    api::MailboxItem {
        id: entry.id,
        from: read.from.clone(),
        to: read.to.clone(),
        subject: read.subject.clone(),
        date: read
            .date
            .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok()),
    }
}

pub(crate) fn mailbox_mail(entry: Entry, source: &[u8], read: ReadMail) -> api::MailboxMail {
    api::MailboxMail {
        item: mailbox_item(entry, &read),
        text: read.text,
        html: read.html,
        source: String::from_utf8_lossy(source).into_owned(),
        attachments: read
            .attachments
            .into_iter()
            .map(|attachment| api::MailboxAttachment {
                name: attachment.name,
                content_type: attachment.content_type,
                bytes: u64::try_from(attachment.bytes).unwrap_or(u64::MAX),
                inline: attachment.inline,
            })
            .collect(),
    }
}
