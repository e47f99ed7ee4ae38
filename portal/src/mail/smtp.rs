//! One mail to one server (RFC 5321), step by step, so that people can be told which step failed and what the server said.
//!
//! Only to addresses that the egress policy gave, with TLS as the settings say (RFC 3207, RFC 8314): a server that should speak TLS and does
//! not gets neither password nor mail. The password goes over TLS, or to this machine. It is taken out of whatever a server answers.

use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use lettre::{
    Address,
    address::Envelope,
    transport::smtp::{
        Error,
        authentication::{Credentials, Mechanism},
        client::{AsyncSmtpConnection, Certificate, TlsParameters},
        commands::{Data, Mail, Rcpt},
        extension::{ClientId, Extension, MailParameter},
        response::Response,
    },
};
use store::{MailReason, MailSecurity, Secret};
use tokio::time::timeout;

use super::content::one_line;
use crate::egress::{Egress, EgressError};

/// A mail server.
#[derive(Clone, PartialEq, Eq)]
pub struct SmtpServer {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How it is spoken with.
    pub security: MailSecurity,
    /// User name and password, if it asks for them.
    pub credentials: Option<(String, Secret)>,
}

impl fmt::Debug for SmtpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SmtpServer({}:{})", self.host, self.port)
    }
}

/// How long a step may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    pub(crate) connect: Duration,
    pub(crate) command: Duration,
    /// Until the server has taken the whole mail (RFC 5321 section 4.5.3.2.6 would wait ten minutes).
    pub(crate) content: Duration,
}

/// While nobody waits.
pub(crate) const PATIENT: Patience = Patience {
    connect: Duration::from_secs(20),
    command: Duration::from_secs(60),
    content: Duration::from_secs(180),
};

/// While somebody looks at a page.
pub(crate) const HURRIED: Patience = Patience {
    connect: Duration::from_secs(5),
    command: Duration::from_secs(5),
    content: Duration::from_secs(10),
};

/// Steps of sending, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Resolve,
    Connect,
    Tls,
    SignIn,
    Sender,
    Recipient,
    Content,
}

/// How a step went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StepOutcome {
    pub(crate) step: Step,
    pub(crate) done: bool,
    /// What the server said, or what was found; cleaned.
    pub(crate) said: String,
}

/// Why a mail did not leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) reason: MailReason,
    /// Trying again changes nothing.
    pub(crate) permanent: bool,
    pub(crate) said: String,
}

/// Everything that sending needs beside the mail.
pub(crate) struct Sending<'a> {
    pub(crate) server: &'a SmtpServer,
    pub(crate) egress: &'a Egress,
    /// Authorities that are trusted beside the system's.
    pub(crate) authorities: &'a [Certificate],
    /// Our name.
    pub(crate) hello: &'a ClientId,
    pub(crate) patience: Patience,
}

/// Sends `mail`. Says how each step went until the one that failed.
pub(crate) async fn send(
    envelope: &Envelope,
    mail: &[u8],
    sending: &Sending<'_>,
) -> (Vec<StepOutcome>, Result<(), Failure>) {
    let mut journal = Journal {
        steps: Vec::new(),
        secrets: secrets(sending.server),
    };
    let sent = journal.send(envelope, mail, sending).await;
    (journal.steps, sent)
}

struct Journal {
    steps: Vec<StepOutcome>,
    /// What must not be shown, whoever says it.
    secrets: Vec<String>,
}

impl Journal {
    async fn send(
        &mut self,
        envelope: &Envelope,
        mail: &[u8],
        sending: &Sending<'_>,
    ) -> Result<(), Failure> {
        let addresses = self.resolve(sending).await?;
        let mut connection = self.connect(&addresses, sending).await?;
        let sent = self.talk(&mut connection, envelope, mail, sending).await;
        // After an upgrade to TLS that failed there is no stream left to say good-bye on, and the library panics if one tries.
        let has_stream = !self
            .steps
            .iter()
            .any(|step| step.step == Step::Tls && !step.done);
        if has_stream {
            // The server has the mail or will not get it: how this ends changes nothing.
            let _ = timeout(GOODBYE, connection.abort()).await;
        }
        sent
    }

    async fn resolve(&mut self, sending: &Sending<'_>) -> Result<Arc<[SocketAddr]>, Failure> {
        let server = sending.server;
        let found = sending.egress.resolve(&server.host, server.port).await;
        let addresses = match found {
            Ok(addresses) => addresses,
            Err(error) => {
                let reason = match error {
                    EgressError::Unknown => MailReason::UnknownHost,
                    EgressError::Forbidden => MailReason::ForbiddenHost,
                };
                return Err(self.failed(Step::Resolve, reason, false, &error.to_string()));
            }
        };
        let local = addresses.iter().all(|address| address.ip().is_loopback());
        if server.security == MailSecurity::None && !local {
            let said = "without TLS only this machine is spoken with";
            return Err(self.failed(Step::Resolve, MailReason::Tls, false, said));
        }
        let list: Vec<_> = addresses.iter().map(ToString::to_string).collect();
        self.done(Step::Resolve, &list.join(", "));
        Ok(addresses)
    }

    /// To the first address that answers.
    async fn connect(
        &mut self,
        addresses: &[SocketAddr],
        sending: &Sending<'_>,
    ) -> Result<AsyncSmtpConnection, Failure> {
        let implicit = match sending.server.security {
            MailSecurity::Tls => Some(self.tls_parameters(sending)?),
            _ => None,
        };
        let mut last = None;
        for address in addresses {
            let within = sending.patience.connect + sending.patience.command;
            let connecting = AsyncSmtpConnection::connect_tokio1(
                address,
                Some(sending.patience.connect),
                sending.hello,
                implicit.clone(),
                None,
            );
            match timeout(within, connecting).await {
                Ok(Ok(connection)) => {
                    let name = connection.server_info().name().to_owned();
                    self.done(Step::Connect, &format!("{address}: {name}"));
                    if implicit.is_some() {
                        self.done(Step::Tls, "");
                    }
                    return Ok(connection);
                }
                Ok(Err(error)) => last = Some(error),
                Err(_) => {}
            }
        }
        Err(match last {
            Some(error) if error.is_tls() => self.refused(Step::Tls, &error),
            Some(error) => self.refused(Step::Connect, &error),
            None => self.failed(Step::Connect, MailReason::Timeout, false, ""),
        })
    }

    async fn talk(
        &mut self,
        connection: &mut AsyncSmtpConnection,
        envelope: &Envelope,
        mail: &[u8],
        sending: &Sending<'_>,
    ) -> Result<(), Failure> {
        let within = sending.patience.command;
        if sending.server.security == MailSecurity::StartTls {
            if !connection.can_starttls() {
                let said = "the server does not offer STARTTLS";
                return Err(self.failed(Step::Tls, MailReason::Tls, false, said));
            }
            let parameters = self.tls_parameters(sending)?;
            let upgraded = timeout(within, connection.starttls(parameters, sending.hello)).await;
            self.judge(Step::Tls, upgraded.map(|upgraded| upgraded.map(|()| None)))?;
        }
        if let Some((user, password)) = &sending.server.credentials {
            let credentials = Credentials::new(user.clone(), password.reveal().to_owned());
            let signed_in = timeout(within, connection.auth(MECHANISMS, &credentials)).await;
            self.judge(Step::SignIn, signed_in.map(|answer| answer.map(Some)))?;
        }
        let mut parameters = Vec::new();
        if !is_ascii(envelope) {
            if !connection
                .server_info()
                .supports_feature(Extension::SmtpUtfEight)
            {
                let said = "the server does not take addresses with such letters (RFC 6531)";
                return Err(self.failed(Step::Recipient, MailReason::Recipient, true, said));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        let from = Mail::new(envelope.from().cloned(), parameters);
        let answer = timeout(within, connection.command(from)).await;
        self.judge(Step::Sender, answer.map(|answer| answer.map(Some)))?;
        for recipient in envelope.to() {
            let recipient = Rcpt::new(recipient.clone(), Vec::new());
            let answer = timeout(within, connection.command(recipient)).await;
            self.judge(Step::Recipient, answer.map(|answer| answer.map(Some)))?;
        }
        let content = async {
            connection.command(Data).await?;
            connection.message(mail).await
        };
        let answer = timeout(sending.patience.content, content).await;
        self.judge(Step::Content, answer.map(|answer| answer.map(Some)))
    }

    fn tls_parameters(&mut self, sending: &Sending<'_>) -> Result<TlsParameters, Failure> {
        let mut builder = TlsParameters::builder(sending.server.host.clone());
        for authority in sending.authorities {
            builder = builder.add_root_certificate(authority.clone());
        }
        builder
            .build()
            .map_err(|error| self.failed(Step::Tls, MailReason::Tls, false, &words(&error)))
    }

    fn judge<T>(
        &mut self,
        step: Step,
        answer: Result<Result<Option<Response>, Error>, T>,
    ) -> Result<(), Failure> {
        match answer {
            Ok(Ok(response)) => {
                self.done(
                    step,
                    &response.map(|response| said(&response)).unwrap_or_default(),
                );
                Ok(())
            }
            Ok(Err(error)) => Err(self.refused(step, &error)),
            Err(_) => Err(self.failed(step, MailReason::Timeout, false, "")),
        }
    }

    fn refused(&mut self, step: Step, error: &Error) -> Failure {
        let reason = if error.is_timeout() {
            MailReason::Timeout
        } else if step == Step::Tls || error.is_tls() {
            MailReason::Tls
        } else if step == Step::SignIn && !error.is_transient() {
            MailReason::SignIn
        } else if error.is_transient() {
            MailReason::Deferred
        } else if error.is_permanent() {
            match step {
                Step::Sender => MailReason::Sender,
                Step::Recipient => MailReason::Recipient,
                _ => MailReason::Refused,
            }
        } else if error.is_response() {
            MailReason::Protocol
        } else {
            MailReason::Unreachable
        };
        // What a server says before it has seen the mail is about the settings, which somebody can mend.
        let about_the_mail = matches!(step, Step::Sender | Step::Recipient | Step::Content);
        let permanent = error.is_permanent() && about_the_mail;
        self.failed(step, reason, permanent, &words(error))
    }

    fn done(&mut self, step: Step, said: &str) {
        let said = self.cleaned(said);
        self.steps.push(StepOutcome {
            step,
            done: true,
            said,
        });
    }

    fn failed(&mut self, step: Step, reason: MailReason, permanent: bool, said: &str) -> Failure {
        let said = self.cleaned(said);
        self.steps.push(StepOutcome {
            step,
            done: false,
            said: said.clone(),
        });
        Failure {
            reason,
            permanent,
            said,
        }
    }

    /// One short line without our secrets.
    fn cleaned(&self, said: &str) -> String {
        let mut line = one_line(said);
        for secret in &self.secrets {
            line = line.replace(secret, "***");
        }
        line.chars().take(MAX_SAID).collect()
    }
}

fn is_ascii(envelope: &Envelope) -> bool {
    let is_ascii = |address: &Address| AsRef::<str>::as_ref(address).is_ascii();
    envelope.from().is_none_or(is_ascii) && envelope.to().iter().all(is_ascii)
}

/// The answer as the server gave it: code and text.
fn said(response: &Response) -> String {
    let text: Vec<_> = response.message().collect();
    format!("{} {}", response.code(), text.join(" "))
}

/// What went wrong, in the words of server or system.
fn words(error: &Error) -> String {
    let source = std::error::Error::source(error).map(ToString::to_string);
    let text = source.unwrap_or_else(|| error.to_string());
    match error.status() {
        Some(code) => format!("{code} {text}"),
        None => text,
    }
}

/// The password in each form in which it is sent (RFC 4616, and LOGIN).
fn secrets(server: &SmtpServer) -> Vec<String> {
    let Some((user, password)) = &server.credentials else {
        return Vec::new();
    };
    let password = password.reveal();
    vec![
        STANDARD.encode(format!("\0{user}\0{password}")),
        STANDARD.encode(password),
        password.to_owned(),
    ]
}

const MECHANISMS: &[Mechanism] = &[Mechanism::Plain, Mechanism::Login];
const GOODBYE: Duration = Duration::from_secs(2);
const MAX_SAID: usize = 300;
