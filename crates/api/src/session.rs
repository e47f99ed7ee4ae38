//! Signing in and the session of a browser.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{Role, SessionSignOn};

/// E-mail and password.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// E-mail address, in any case.
    pub email: String,
    /// The password, or the one-time password.
    #[schema(format = Password)]
    pub password: String,
}

/// A new password, proven by the current one.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// The password used until now. It may be absent where it is a one-time password that somebody has signed in with within the last ten
    /// minutes, in this session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = Password)]
    pub current: Option<String>,
    /// At least 12 characters.
    #[schema(format = Password, min_length = 12, max_length = 200)]
    pub new: String,
}

/// The password was right; a code of the second factor is still needed. This is no session.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct HalfSignIn {
    /// Names this sign-in when the code is sent; 43 characters. It opens nothing else.
    pub token: String,
    /// Until when it can be gone on with.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
}

/// The code that a sign-in waits for.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SecondStep {
    /// What [`HalfSignIn`] said.
    pub token: String,
    /// Six digits of the app, or a recovery code.
    pub code: String,
}

/// Proof that the person at the browser is still the one who signed in.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Confirmation {
    /// The person's password.
    #[schema(format = Password)]
    pub password: String,
    /// Six digits of the app, or a recovery code; needed by those who have a second factor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// A session of the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OwnSession {
    /// Names it to end it.
    pub id: Uuid,
    /// The one that asks.
    pub current: bool,
    /// Browser and system in a few words, such as `Firefox, Linux`; absent when it did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser: Option<String>,
    /// Address that the sign-in came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// When the person signed in.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When it was last used, to the minute.
    #[serde(with = "time::serde::rfc3339")]
    pub last_seen_at: OffsetDateTime,
}

/// All living sessions of the person, the one last used first; at most 20.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OwnSessions {
    /// The sessions.
    pub items: Vec<OwnSession>,
}

/// The person's second factor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SecondFactor {
    /// Since when a code is asked for at each sign-in; absent while it is off.
    #[serde(
        default,
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub since: Option<OffsetDateTime>,
    /// How many recovery codes are left.
    pub recovery_codes_left: u64,
    /// A tenant of the person demands it: it cannot be turned off.
    pub required: bool,
}

/// A new key for the app. It counts once the app has shown a code.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct SecondFactorKey {
    /// In base 32, for apps without a camera.
    pub key: String,
    /// The same with its names, as `otpauth://totp/…`.
    pub uri: String,
    /// The address as a picture: SVG, black on white.
    pub qr_svg: String,
}

/// The first code that the app shows.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FirstCode {
    /// Six digits.
    pub code: String,
}

/// Codes that each stand in for the app once. They are told only here.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct RecoveryCodes {
    /// Ten codes of 16 letters and digits in groups.
    pub codes: Vec<String>,
}

/// Who is signed in, and where they may go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// The person.
    pub user: SessionUser,
    /// The tenants they are a member of, by name.
    pub tenants: Vec<SessionTenant>,
    /// Nothing but replacing the password is possible.
    pub must_set_password: bool,
    /// A code is asked for at each sign-in and confirmation.
    pub second_factor: bool,
    /// Whose provider vouched for the person, if they did not sign in by a password of their own. Then only this tenant is there, and
    /// nothing can be changed that is about the person elsewhere too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_on: Option<SessionSignOn>,
}

/// The signed-in person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SessionUser {
    /// Identifier.
    pub id: Uuid,
    /// E-mail address.
    pub email: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// May create tenants.
    pub installation_administrator: bool,
}

/// A tenant the person belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SessionTenant {
    /// Identifier.
    pub id: Uuid,
    /// Short name for addresses.
    pub slug: String,
    /// Name for people.
    pub name: String,
    /// Made by the demonstration; may be deleted without loss.
    pub demonstration: bool,
    /// What the person may do there.
    pub role: Role,
    /// Nothing is possible there before the person has a second factor.
    pub second_factor_missing: bool,
    /// Nothing is possible there before the person signs in through the tenant's provider.
    pub sign_on_missing: bool,
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIn")
            .field("password", &"***")
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for PasswordChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordChange").finish_non_exhaustive()
    }
}

/// Types that hold what opens something print nothing of it.
macro_rules! hidden {
    ($($name:literal $kind:ty),+ $(,)?) => { $(
        impl fmt::Debug for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct($name).finish_non_exhaustive()
            }
        }
    )+ };
}

hidden!(
    "HalfSignIn" HalfSignIn,
    "SecondStep" SecondStep,
    "Confirmation" Confirmation,
    "SecondFactorKey" SecondFactorKey,
    "FirstCode" FirstCode,
    "RecoveryCodes" RecoveryCodes,
);
