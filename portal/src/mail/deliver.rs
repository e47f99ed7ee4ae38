//! Where a mail goes, and taking it there: the tenant's server, else the installation's, else the mailbox.

use std::time::SystemTime;

use lettre::Address;
use store::{MailReason, StoreError, tenant};
use uuid::Uuid;

use super::{
    SmtpServer,
    content::Content,
    message::{Heading, message},
    smtp::{Failure, Patience, Sending, StepOutcome, send},
};
use crate::{app::App, egress::Egress};

/// Who sends, and by which server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    /// `None`: into the mailbox.
    pub(crate) server: Option<SmtpServer>,
    /// The installation's own server: the operator named it, so it may be anywhere.
    trusted: bool,
    sender_name: String,
    sender: String,
    reply_to: Option<String>,
}

impl Route {
    /// Whether it is the installation's own, which may lead anywhere.
    pub(crate) fn is_trusted(&self) -> bool {
        self.trusted
    }
}

/// How it went.
#[derive(Debug)]
pub(crate) struct Delivery {
    /// Step by step; empty for the mailbox.
    pub(crate) steps: Vec<StepOutcome>,
    pub(crate) outcome: Result<(), Failure>,
}

/// How mails of the tenant, or with `None` of the installation, are sent now.
pub(crate) async fn route(tenant: Option<Uuid>, app: &App) -> Result<Route, StoreError> {
    let (name, settings) = match tenant {
        Some(id) => {
            let settings = store::mail::load_settings(id, &app.vault, &app.db).await?;
            (tenant::load(id, &app.db).await?.name, Some(settings))
        }
        None => (PRODUCT.to_owned(), None),
    };
    let reply_to = settings
        .as_ref()
        .and_then(|settings| settings.reply_to.clone());
    if let Some(own) = settings.and_then(|settings| settings.server) {
        return Ok(Route {
            trusted: false,
            sender_name: own.sender_name.unwrap_or(name),
            sender: own.sender_address,
            reply_to,
            server: Some(SmtpServer {
                host: own.host,
                port: own.port,
                security: own.security,
                credentials: own.username.zip(own.password),
            }),
        });
    }
    Ok(match &app.config.mail.server {
        Some(installation) => Route {
            trusted: true,
            sender_name: installation.sender_name.clone().unwrap_or(name),
            sender: installation.sender_address.clone(),
            reply_to,
            server: Some(installation.server.clone()),
        },
        None => Route {
            trusted: true,
            sender_name: name,
            sender: MAILBOX_SENDER.to_owned(),
            reply_to,
            server: None,
        },
    })
}

/// A mail to be taken somewhere.
pub(crate) struct Parcel<'a> {
    pub(crate) id: Uuid,
    pub(crate) tenant: Option<Uuid>,
    pub(crate) recipient: &'a str,
    pub(crate) content: &'a Content,
}

/// Takes the mail where the route leads. Cancelled, it may have arrived or not.
pub(crate) async fn deliver_now(
    parcel: &Parcel<'_>,
    route: &Route,
    patience: Patience,
    app: &App,
) -> Delivery {
    let failed = |failure| Delivery {
        steps: Vec::new(),
        outcome: Err(failure),
    };
    let message = match heading(parcel, route) {
        Ok(heading) => message(&heading, parcel.content).map_err(|_| internal()),
        Err(failure) => Err(failure),
    };
    let message = match message {
        Ok(message) => message,
        Err(failure) => return failed(failure),
    };
    let bytes = message.formatted();
    let Some(server) = &route.server else {
        let kept = app.mail.mailbox.put(parcel.id, parcel.tenant, bytes).await;
        return match kept {
            Ok(()) => Delivery {
                steps: Vec::new(),
                outcome: Ok(()),
            },
            Err(error) => {
                tracing::error!(%error, "a mail was not put into the mailbox");
                failed(internal())
            }
        };
    };
    let everywhere = Egress::everywhere();
    let sending = Sending {
        server,
        egress: if route.trusted {
            &everywhere
        } else {
            &app.config.egress
        },
        authorities: &app.mail.authorities,
        hello: &app.mail.hello,
        patience,
    };
    let (steps, outcome) = send(message.envelope(), &bytes, &sending).await;
    Delivery { steps, outcome }
}

fn heading(parcel: &Parcel<'_>, route: &Route) -> Result<Heading, Failure> {
    let address = |text: &str, reason| {
        text.parse::<Address>().map_err(|_| Failure {
            reason,
            permanent: true,
            said: String::new(),
        })
    };
    Ok(Heading {
        sender_name: route.sender_name.clone(),
        sender: address(&route.sender, MailReason::Sender)?,
        reply_to: route.reply_to.as_ref().and_then(|text| text.parse().ok()),
        recipient: address(parcel.recipient, MailReason::Recipient)?,
        id: parcel.id,
        at: SystemTime::now(),
    })
}

fn internal() -> Failure {
    Failure {
        reason: MailReason::Internal,
        permanent: false,
        said: String::new(),
    }
}

const PRODUCT: &str = "Tandem";

/// Mails in the mailbox come from nobody who could be answered.
const MAILBOX_SENDER: &str = "tandem@localhost";
