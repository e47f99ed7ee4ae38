//! Why an account is not registered, as a type, as a SIP status, and in words for people.

use sip::CertificateProblem;

/// Why a registration failed. [`std::fmt::Display`] is a plain sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistrationFailure {
    /// The name service says that there is no such host.
    #[error("The server's name was not found.")]
    HostNotFound,
    /// The name service does not work, so nobody knows whether the host exists.
    #[error("The server's name could not be looked up.")]
    NameService,
    /// Nothing of ours can send to the address.
    #[error("There is no network path to the server.")]
    NoRoute,
    /// The connection was refused or broke.
    #[error("The server cannot be reached.")]
    ServerDown,
    /// The server has not proved who it is (RFC 5922), so nothing was sent.
    #[error("The connection to the server is not secure: {0}.")]
    Untrusted(CertificateProblem),
    /// No response at all.
    #[error("The server did not answer in time.")]
    NoAnswer,
    /// The same challenge came twice.
    #[error("The server refused user name or password.")]
    WrongPassword,
    /// The server wants a password and there is none.
    #[error("The server asks for a password.")]
    PasswordMissing,
    /// The challenge is for another realm, or of a kind that we do not know.
    #[error("The server asks for a kind of sign-in that is not supported.")]
    UnsupportedChallenge,
    /// 403.
    #[error("The server does not allow this account.")]
    Forbidden,
    /// 404, 410, 604.
    #[error("The server does not know this account.")]
    UnknownAccount {
        /// As received.
        status: u16,
    },
    /// 5xx.
    #[error("The server has a problem (SIP {status}).")]
    ServerError {
        /// As received.
        status: u16,
    },
    /// Any other refusal.
    #[error("The server refused the registration (SIP {status}).")]
    Refused {
        /// As received.
        status: u16,
    },
}

/// How soon to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// Soon at first, then ever more rarely.
    BackOff,
    /// Rarely: a person has to change something, and a server that bans us would cost every line.
    Rarely,
}

impl RegistrationFailure {
    pub(super) fn from_status(status: u16) -> Self {
        match status {
            403 => Self::Forbidden,
            404 | 410 | 604 => Self::UnknownAccount { status },
            408 => Self::NoAnswer,
            500..=599 => Self::ServerError { status },
            status => Self::Refused { status },
        }
    }

    /// The SIP status behind it, if the server gave one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::WrongPassword | Self::PasswordMissing | Self::UnsupportedChallenge => Some(401),
            Self::Forbidden => Some(403),
            Self::UnknownAccount { status }
            | Self::ServerError { status }
            | Self::Refused { status } => Some(*status),
            Self::HostNotFound
            | Self::NameService
            | Self::NoRoute
            | Self::ServerDown
            | Self::Untrusted(_)
            | Self::NoAnswer => None,
        }
    }

    pub(super) fn patience(&self) -> Patience {
        match self {
            Self::WrongPassword
            | Self::PasswordMissing
            | Self::UnsupportedChallenge
            | Self::Forbidden
            | Self::UnknownAccount { .. }
            | Self::Refused { .. } => Patience::Rarely,
            Self::HostNotFound
            | Self::NameService
            | Self::NoRoute
            | Self::ServerDown
            | Self::Untrusted(_)
            | Self::NoAnswer
            | Self::ServerError { .. } => Patience::BackOff,
        }
    }
}
