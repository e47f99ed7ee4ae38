//! Signing up, where the installation allows it.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

/// Whether people may sign up, and what they agree to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignUpOffer {
    /// People may sign up.
    pub open: bool,
    /// The address of the terms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<String>,
    /// The address of the privacy statement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privacy: Option<String>,
}

/// Work for a browser, which makes signing up dear for programs that do it by the thousand. Solved by a number whose decimal digits
/// behind the text and a colon give a SHA-256 that begins with so many zero bits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Puzzle {
    /// What the number is put behind.
    pub text: String,
    /// How many bits must be zero.
    pub bits: u8,
    /// Until when it counts.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
}

/// Somebody who signs up.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignUpInput {
    /// First name.
    #[schema(max_length = 100)]
    pub first_name: String,
    /// Last name.
    #[schema(max_length = 100)]
    pub last_name: String,
    /// The company, which gives the tenant its name; the person's name does otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 100)]
    pub company: Option<String>,
    /// Where the link is mailed to.
    pub email: String,
    /// Telephone number in E.164.
    pub phone: String,
    /// Country by ISO 3166-1 alpha-2.
    pub country: String,
    /// At least 12 characters.
    #[schema(format = Password, min_length = 12, max_length = 200)]
    pub password: String,
    /// Agrees to the terms; must be true.
    pub terms: bool,
    /// Agrees to the privacy statement; must be true.
    pub privacy: bool,
    /// Wants news by mail.
    #[serde(default)]
    pub news: bool,
    /// The text of the puzzle.
    pub puzzle: String,
    /// The number that solves it.
    pub solution: u64,
}

/// Confirms a sign-up: whose mailbox it is, and that they chose the password.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignUpConfirmation {
    /// Of the link: 43 characters.
    pub token: String,
    /// The one that was chosen when signing up.
    #[schema(format = Password)]
    pub password: String,
}

impl fmt::Debug for SignUpConfirmation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignUpConfirmation").finish_non_exhaustive()
    }
}

impl fmt::Debug for SignUpInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignUpInput").finish_non_exhaustive()
    }
}
