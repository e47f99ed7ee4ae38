//! A trial of a provider: what is tried, and what happened, step by step.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{ProviderInput, Secret, Transport};

/// Tries a provider by registering at it for a moment. Exactly one of `account_id` and `username` is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProviderTestInput {
    /// An account of the provider, with its password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<Uuid>,
    /// SIP user name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// User name for authentication, if it is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_username: Option<String>,
    /// The password; it is used for this trial and not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
    /// In place of what is saved of the provider. Then a saved password is not used: it would go to whatever server is named here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderInput>,
}

/// One line of the answer, which comes as it happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProviderTestEvent {
    /// Milliseconds since the beginning.
    pub after_ms: u64,
    /// What happened.
    #[serde(flatten)]
    pub step: ProviderTestStep,
}

/// What happens in a trial. `ended` is the last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum ProviderTestStep {
    /// The server's name is looked up.
    LookingUp {
        /// The name, or an address.
        host: String,
    },
    /// It was found.
    Found {
        /// Servers in the order in which they are tried.
        servers: Vec<ProviderTestServer>,
        /// How many more were found that this installation does not connect to.
        forbidden: u32,
    },
    /// A server is tried.
    Trying(ProviderTestServer),
    /// A message left or came.
    Message {
        /// Whether it came.
        received: bool,
        /// The other side.
        #[serde(flatten)]
        server: ProviderTestServer,
        /// The start line.
        first_line: String,
        /// All of it, without credentials.
        text: String,
    },
    /// The server asks for a password.
    Challenged {
        /// For whom the password is.
        realm: String,
        /// Digest algorithms, as the server names them.
        algorithms: Vec<String>,
    },
    /// The connection was refused or broke.
    Unreachable {
        /// Where.
        address: String,
    },
    /// The server has proved who it is, by a certificate that is believed.
    Secured {
        /// Where.
        address: String,
    },
    /// The server has not proved who it is.
    Untrusted {
        /// Where.
        address: String,
    },
    /// The account is registered.
    Registered {
        /// For how many seconds the server would keep it.
        expires_secs: u64,
    },
    /// It is over.
    Ended {
        /// How.
        result: ProviderTestResult,
        /// The SIP status behind it, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
    },
}

/// A server of a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProviderTestServer {
    /// Address and port.
    pub address: String,
    /// How SIP is carried.
    pub transport: Transport,
}

/// How a trial ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProviderTestResult {
    /// Registered, and unregistered again.
    Good,
    /// Registered; the server did not confirm that it is no longer.
    StillRegistered,
    /// The name leads only into networks that this installation does not connect to.
    ForbiddenAddress,
    /// There is no such name.
    HostNotFound,
    /// The name service does not work.
    NameService,
    /// The server cannot be reached with this transport.
    NoRoute,
    /// The connection was refused or broke.
    ServerDown,
    /// The server did not answer.
    NoAnswer,
    /// The certificate has expired.
    CertificateExpired,
    /// The certificate is not valid yet.
    CertificateNotYetValid,
    /// The certificate is for another name.
    CertificateName,
    /// Nobody who is believed has signed the certificate.
    CertificateIssuer,
    /// The certificate is not acceptable.
    CertificateInvalid,
    /// User name or password is wrong.
    WrongPassword,
    /// The server wants a password, and none was given.
    PasswordMissing,
    /// The server asks in a way that is not supported.
    UnsupportedChallenge,
    /// The server does not allow this account.
    Forbidden,
    /// The server does not know this account.
    UnknownAccount,
    /// The server has a problem.
    ServerError,
    /// The server refused for another reason.
    Refused,
    /// Too many trials are under way.
    Busy,
}

/// What is registered in a trial, and where. Not a wire type: it is how the portal asks the proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrationTrial {
    /// The domain of the address-of-record.
    pub server: String,
    /// Port of the registrar; absent means SRV lookup or the default.
    pub port: Option<u16>,
    /// How SIP is carried.
    pub transport: Transport,
    /// Where requests are sent first, a SIP URI.
    pub outbound_proxy: Option<String>,
    /// User of the address-of-record.
    pub username: String,
    /// User name for authentication.
    pub auth_username: String,
    /// The password.
    pub password: Option<Secret>,
    /// The way is this installation's own, so that it may lead anywhere.
    pub own: bool,
}

impl ProviderTestServer {
    /// The server at `peer`.
    #[must_use]
    pub fn new(peer: SocketAddr, transport: Transport) -> Self {
        let peer = match peer.ip() {
            IpAddr::V6(ip) => SocketAddr::new(ip.to_canonical(), peer.port()),
            IpAddr::V4(_) => peer,
        };
        Self {
            address: peer.to_string(),
            transport,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_flat() {
        let event = ProviderTestEvent {
            after_ms: 7,
            step: ProviderTestStep::Message {
                received: true,
                server: ProviderTestServer::new(
                    "[::ffff:192.0.2.1]:5060".parse().unwrap(),
                    Transport::Tls,
                ),
                first_line: "SIP/2.0 200 OK".to_owned(),
                text: "SIP/2.0 200 OK\n".to_owned(),
            },
        };
        let text = serde_json::to_value(&event).unwrap();
        assert_eq!(
            text,
            serde_json::json!({"after_ms": 7, "step": "message", "received": true,
                "address": "192.0.2.1:5060", "transport": "tls",
                "first_line": "SIP/2.0 200 OK", "text": "SIP/2.0 200 OK\n"})
        );
        assert_eq!(
            serde_json::from_value::<ProviderTestEvent>(text).unwrap(),
            event
        );
    }
}
