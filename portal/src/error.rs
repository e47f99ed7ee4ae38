//! What can go wrong with a request, and how it is told (RFC 9457).
//!
//! An error becomes a response without a body that carries its [`Problem`]; `request::finish` knows the
//! request's identifier and writes the body. Text of other layers stays on our side: it is logged where
//! the error is turned into an answer, once.

use api::{Dependents, FieldError, Problem, SignOnReason, problem_type};
use axum::{
    http::{HeaderValue, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};
use store::StoreError;
use tracing::error;

use crate::{limits::Wait, password::PasswordError, sign_on::Trouble, wire};

/// Why a request was not carried out.
#[derive(Clone, Debug)]
pub(crate) enum ApiError {
    /// Nobody is signed in.
    Unauthenticated,
    /// E-mail or password is wrong; which is not told.
    SignInRefused,
    /// The one-time password must be replaced first.
    PasswordChangeRequired,
    /// The code of the second factor is wrong or was used, or the sign-in waited too long; which is not told.
    SecondStepRefused,
    /// The person has to prove anew who they are.
    ConfirmationRequired,
    /// The tenant demands a second factor.
    SecondFactorRequired,
    /// The tenant demands that people sign in through its provider.
    SignOnRequired,
    /// A tenant's provider vouched for the person, and this is about more than the tenant.
    OwnPasswordRequired,
    /// Nobody was signed in through a provider.
    SignOnRefused(Trouble),
    /// Signed in, but not allowed.
    Forbidden,
    /// A write from another origin.
    ForeignOrigin,
    /// Not there, or in another tenant.
    NotFound,
    /// The device is a desk phone, which is not activated by a link.
    IsDeskPhone,
    /// The activation has nothing to be used any more, or keeps it back.
    NothingToActivate,
    /// Not with this method.
    MethodNotAllowed,
    /// The body is not what it must be.
    Malformed { status: StatusCode, detail: String },
    /// Fields are wrong.
    Invalid(Vec<FieldError>),
    /// A value that must be unique exists already.
    Conflict {
        field: &'static str,
        message: &'static str,
    },
    /// Other objects depend on it.
    InUse(Dependents),
    /// It was changed since it was read.
    Stale,
    /// The idempotency key belongs to another request.
    KeyReused,
    /// The request with this idempotency key is still being carried out.
    InProgress,
    /// The request with this idempotency key was carried out, but its answer is not known any more.
    AnswerLost,
    /// Too many attempts.
    TooMany(Wait),
    /// The link of a mail cannot be used; why is not told.
    LinkRefused,
    /// A tenant without an owner would be nobody's.
    LastOwner,
    /// The activation cannot be used; why is not told.
    ActivationRefused,
    /// The device's access token is not valid, or no longer.
    TokenRefused,
    /// The key of a program is not valid, or no longer.
    KeyRefused,
    /// The key does not reach this, or it is for people only.
    KeyForbidden,
    /// The device is unknown or revoked.
    DeviceRevoked,
    /// Too much to do at the moment.
    Overloaded,
    /// Our fault; logged where it happened.
    Internal,
}

impl ApiError {
    fn parts(&self) -> (StatusCode, &'static str, &'static str) {
        use problem_type::*;
        match self {
            Self::Unauthenticated => (StatusCode::UNAUTHORIZED, BLANK, "Please sign in."),
            Self::SignInRefused => (
                StatusCode::UNAUTHORIZED,
                BLANK,
                "E-mail address or password is wrong.",
            ),
            Self::PasswordChangeRequired => (
                StatusCode::FORBIDDEN,
                PASSWORD_CHANGE_REQUIRED,
                "Please choose your own password first.",
            ),
            Self::SecondStepRefused => (
                StatusCode::UNAUTHORIZED,
                BLANK,
                "The code is wrong, was used already, or the sign-in took too long.",
            ),
            Self::ConfirmationRequired => (
                StatusCode::FORBIDDEN,
                CONFIRMATION_REQUIRED,
                "Please confirm with your password that it is you, then try again.",
            ),
            Self::SecondFactorRequired => (
                StatusCode::FORBIDDEN,
                SECOND_FACTOR_REQUIRED,
                "This tenant asks its administrators for a second factor. Please set yours up first.",
            ),
            Self::SignOnRequired => (
                StatusCode::FORBIDDEN,
                SIGN_ON_REQUIRED,
                "This tenant asks its members to sign in through its own provider.",
            ),
            Self::OwnPasswordRequired => (
                StatusCode::FORBIDDEN,
                OWN_PASSWORD_REQUIRED,
                "You were signed in by your tenant's provider. Please sign in with your own password for this.",
            ),
            Self::SignOnRefused(trouble) if trouble.reason == SignOnReason::TurnedOff => {
                (StatusCode::CONFLICT, SIGN_ON_REFUSED, "")
            }
            Self::SignOnRefused(_) => (StatusCode::FORBIDDEN, SIGN_ON_REFUSED, ""),
            Self::Forbidden => (
                StatusCode::FORBIDDEN,
                BLANK,
                "Your role does not allow this.",
            ),
            Self::ForeignOrigin => (
                StatusCode::FORBIDDEN,
                BLANK,
                "The request came from a page of another site.",
            ),
            Self::NotFound => (StatusCode::NOT_FOUND, BLANK, "This does not exist."),
            Self::IsDeskPhone => (
                StatusCode::NOT_FOUND,
                BLANK,
                "This device is a desk phone: it fetches its settings and has no link, QR code or code. Reset it to get them.",
            ),
            Self::NothingToActivate => (
                StatusCode::NOT_FOUND,
                BLANK,
                "There is no link to show: it was used, has expired, or was sent by mail.",
            ),
            Self::MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                BLANK,
                "This cannot be done here.",
            ),
            Self::Malformed { status, .. } => (*status, BLANK, ""),
            Self::Invalid(_) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                INVALID,
                "Some fields need to be corrected.",
            ),
            Self::Conflict { message, .. } => (StatusCode::CONFLICT, CONFLICT, message),
            Self::InUse(_) => (StatusCode::CONFLICT, IN_USE, ""),
            Self::Stale => (
                StatusCode::PRECONDITION_FAILED,
                STALE,
                "Somebody else has changed this in the meantime. Please load it again.",
            ),
            Self::KeyReused => (
                StatusCode::UNPROCESSABLE_ENTITY,
                KEY_REUSED,
                "This Idempotency-Key was used for another request. Please use a new one.",
            ),
            Self::InProgress => (
                StatusCode::CONFLICT,
                IN_PROGRESS,
                "The same request is still being carried out. Please ask again in a moment.",
            ),
            Self::AnswerLost => (
                StatusCode::CONFLICT,
                ANSWER_LOST,
                "This was done already, but its answer was lost. Please look at the list.",
            ),
            Self::TooMany(_) => (
                StatusCode::TOO_MANY_REQUESTS,
                TOO_MANY,
                "Too many attempts. Please wait a little.",
            ),
            Self::LinkRefused => (
                StatusCode::NOT_FOUND,
                LINK_REFUSED,
                "This link does not work any more: it was used, it is too old, or a newer one was sent.",
            ),
            Self::LastOwner => (
                StatusCode::CONFLICT,
                CONFLICT,
                "The last owner can neither go nor become anything else. Please make somebody else an owner first.",
            ),
            Self::ActivationRefused => (
                StatusCode::NOT_FOUND,
                ACTIVATION_REFUSED,
                "This activation cannot be used. Please ask your administrator for a new one.",
            ),
            Self::TokenRefused => (
                StatusCode::UNAUTHORIZED,
                BLANK,
                "The access token is not valid. Please ask for a new one.",
            ),
            Self::KeyRefused => (
                StatusCode::UNAUTHORIZED,
                BLANK,
                "This API key is not valid: it was removed, has expired, or was never one.",
            ),
            Self::KeyForbidden => (
                StatusCode::FORBIDDEN,
                BLANK,
                "This API key has no scope for this, or only people may do it.",
            ),
            Self::DeviceRevoked => (
                StatusCode::UNAUTHORIZED,
                DEVICE_REVOKED,
                "This device is not activated any more.",
            ),
            Self::Overloaded => (
                StatusCode::SERVICE_UNAVAILABLE,
                BLANK,
                "The server is busy. Please try again.",
            ),
            Self::Internal => (
                StatusCode::INTERNAL_SERVER_ERROR,
                BLANK,
                "Something went wrong on our side.",
            ),
        }
    }

    fn detail(&self, general: &str) -> String {
        match self {
            Self::Malformed { detail, .. } => detail.clone(),
            Self::InUse(dependents) => still_in_use(dependents),
            Self::SignOnRefused(trouble) => trouble.to_string(),
            _ => general.to_owned(),
        }
    }

    fn errors(&self) -> Vec<FieldError> {
        match self {
            Self::Invalid(errors) => errors.clone(),
            Self::Conflict { field, message } if !field.is_empty() => vec![FieldError {
                field: (*field).to_owned(),
                message: (*message).to_owned(),
            }],
            _ => Vec::new(),
        }
    }

    fn dependents(&self) -> Option<&Dependents> {
        match self {
            Self::InUse(dependents) => Some(dependents),
            _ => None,
        }
    }

    fn reason(&self) -> Option<SignOnReason> {
        match self {
            Self::SignOnRefused(trouble) => Some(trouble.reason),
            _ => None,
        }
    }

    fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooMany(Wait(time)) => Some(time.as_secs().max(1)),
            Self::Overloaded | Self::InProgress => Some(2),
            _ => None,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, kind, general) = self.parts();
        let problem = Problem {
            kind: kind.to_owned(),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            detail: self.detail(general),
            request_id: String::new(),
            errors: self.errors(),
            dependents: self
                .dependents()
                .map_or_else(Vec::new, |all| all.items.clone()),
            dependents_count: self.dependents().map(|all| all.count),
            reason: self.reason(),
        };
        let mut response = status.into_response();
        if let Some(secs) = self.retry_after() {
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(secs));
        }
        response.extensions_mut().insert(problem);
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::NotFound,
            StoreError::Conflict { field } => Self::Conflict {
                field,
                message: "This is taken already.",
            },
            StoreError::UnknownReference { field } => invalid(field, "This does not exist."),
            StoreError::Count { field, max } => {
                invalid(field, format!("Please choose 1 to {max}."))
            }
            StoreError::InUse(dependents) => Self::InUse(wire::dependents(dependents)),
            StoreError::ForeignCursor => invalid(
                "after",
                "This is of a list in another order. Please begin anew without it.",
            ),
            StoreError::LastOwner => Self::LastOwner,
            StoreError::StaleVersion { .. } => Self::Stale,
            StoreError::Superseded => Self::InProgress,
            StoreError::Protected => Self::Conflict {
                field: "",
                message: "Tandem's own provider cannot be deleted.",
            },
            other => {
                error!(error = %other, "a request failed in the store");
                Self::Internal
            }
        }
    }
}

fn still_in_use(dependents: &Dependents) -> String {
    let names: Vec<_> = dependents
        .items
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    let named = u64::try_from(names.len()).unwrap_or(u64::MAX);
    let names = names.join(", ");
    match dependents.count.saturating_sub(named) {
        0 => format!("Still in use by: {names}."),
        others => format!("Still in use by: {names} and {others} more."),
    }
}

fn invalid(field: &str, message: impl Into<String>) -> ApiError {
    ApiError::Invalid(vec![FieldError {
        field: field.to_owned(),
        message: message.into(),
    }])
}

impl From<PasswordError> for ApiError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Overloaded => Self::Overloaded,
            PasswordError::Hash => {
                error!(%error, "a password could not be hashed");
                Self::Internal
            }
        }
    }
}

impl From<Trouble> for ApiError {
    fn from(trouble: Trouble) -> Self {
        Self::SignOnRefused(trouble)
    }
}

impl From<SignOnReason> for ApiError {
    fn from(reason: SignOnReason) -> Self {
        Self::SignOnRefused(reason.into())
    }
}

impl From<Wait> for ApiError {
    fn from(wait: Wait) -> Self {
        Self::TooMany(wait)
    }
}
