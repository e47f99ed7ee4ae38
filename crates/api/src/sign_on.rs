//! Sign-on through a tenant's OpenID provider (OpenID Connect Core 1.0): the way through it, and its settings.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{HalfSignIn, Session};

/// Whose provider is looked for: by a tenant's short name, or by the domain of an e-mail address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignOnLookup {
    /// A tenant's short name, or an e-mail address.
    pub name: String,
}

/// A tenant's provider that people can sign in through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignOnOffer {
    /// The tenant's short name.
    pub tenant: String,
    /// The tenant's name for people.
    pub tenant_name: String,
    /// What people know the provider by.
    pub provider: String,
    /// The provider's host, so that people see where they are sent.
    pub host: String,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignOnOffers {
    /// At most one at present; empty if nobody offers it.
    pub items: Vec<SignOnOffer>,
}

/// A sign-in that begins at a tenant's provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignOnBegin {
    /// The tenant's short name.
    pub tenant: String,
    /// The e-mail address that was typed, to be filled in at the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Where the person wants to go, a path of these pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Somebody proves anew at the provider who they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignOnConfirm {
    /// Where the person wants to go, a path of these pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Where the browser goes now.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct SignOnBegun {
    /// The provider's page, with the request.
    pub address: String,
}

/// What the provider sent back with the browser (OpenID Connect Core 1.0 section 3.1.2.5 and 3.1.2.6).
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignOnAnswer {
    /// Names the sign-in.
    pub state: String,
    /// Stands for the tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Who says so (RFC 9207).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
}

/// The provider vouched for somebody.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SignedOn {
    /// The session; absent while a code of the person's own second factor is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Session>,
    /// What the code is sent with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub half: Option<HalfSignIn>,
    /// Where the person wanted to go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Who vouched for the person of a session. It is good for that tenant only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SessionSignOn {
    /// The tenant.
    pub tenant_id: Uuid,
    /// What people know its provider by.
    pub provider: String,
}

/// What becomes of somebody whom the provider vouches for and who is no member yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NewPeople {
    /// They are turned away.
    Nobody,
    /// They become members who change nothing.
    ReadOnly,
}

/// How people of a tenant sign in through its provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignOnSettings {
    /// The address that the provider has to know as the client's redirect address.
    pub redirect_address: String,
    /// Where people of the tenant begin.
    pub sign_in_address: String,
    /// The provider; absent while there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<SignOnProvider>,
    /// Somebody has come this way already: all but owners may be required to.
    pub proven: bool,
    /// Grows with each change; 0 while there is no provider.
    pub version: u64,
}

/// A tenant's provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignOnProvider {
    /// What people know it by.
    pub name: String,
    /// Its issuer identifier.
    pub issuer: String,
    /// What it knows us by.
    pub client_id: String,
    /// A client secret is stored. It is never told.
    pub has_client_secret: bool,
    /// Domains of the e-mail addresses that may come.
    pub domains: Vec<String>,
    /// What becomes of somebody who is no member yet.
    pub new_people: NewPeople,
    /// An address counts of which the provider does not say that it was verified.
    pub trusts_addresses: bool,
    /// A second factor counts that the provider asked for (`mfa` in `amr`, RFC 8176).
    pub trusts_second_factor: bool,
    /// Members may also sign in by a password. Owners always may.
    pub password_allowed: bool,
}

/// A tenant's provider as it shall be.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignOnInput {
    /// What people know it by.
    #[schema(max_length = 60)]
    pub name: String,
    /// Its issuer identifier: an `https://` address, to the letter.
    pub issuer: String,
    /// What it knows us by.
    #[schema(max_length = 255)]
    pub client_id: String,
    /// The client secret. Absent: the stored one stays while issuer and client do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = Password)]
    pub client_secret: Option<String>,
    /// Domains of the e-mail addresses that may come, 1 to 20.
    pub domains: Vec<String>,
    /// What becomes of somebody who is no member yet.
    pub new_people: NewPeople,
    /// An address counts of which the provider does not say that it was verified.
    #[serde(default)]
    pub trusts_addresses: bool,
    /// A second factor counts that the provider asked for.
    #[serde(default)]
    pub trusts_second_factor: bool,
    /// Members may also sign in by a password. Owners always may.
    #[serde(default = "yes")]
    pub password_allowed: bool,
}

/// A provider to be tried, saved or not.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignOnTestInput {
    /// Its issuer identifier.
    pub issuer: String,
    /// What it knows us by.
    pub client_id: String,
    /// The client secret. Absent: the stored one, if it is of this issuer and client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = Password)]
    pub client_secret: Option<String>,
}

/// What a trial looks at, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignOnStep {
    /// The provider's description of itself is there and can be read.
    Description,
    /// It is of the issuer that was entered.
    Issuer,
    /// It names pages that we may send people to and speak with.
    Endpoints,
    /// It signs in a way that we can check, with keys that we can read.
    Keys,
    /// The provider knows the client and its secret.
    Client,
}

/// What a trial found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignOnTest {
    /// All was well.
    pub good: bool,
    /// What was looked at, up to the first that was not well.
    pub steps: Vec<SignOnTestStep>,
}

/// One thing that a trial looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignOnTestStep {
    /// What.
    pub step: SignOnStep,
    /// What is wrong with it, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<SignOnReason>,
    /// What was found, in the provider's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
}

/// Why a sign-on does not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignOnReason {
    /// The tenant has no provider, or no longer.
    TurnedOff,
    /// The sign-in is not one that this browser began a few minutes ago.
    Lost,
    /// The provider's name leads nowhere.
    UnknownHost,
    /// The provider's address is one that this installation does not connect to.
    ForbiddenHost,
    /// An address of the provider's does not begin with `https://`.
    NotHttps,
    /// Nobody answers at the provider's address, or not in TLS with a good certificate.
    Unreachable,
    /// The provider took too long.
    Timeout,
    /// The provider answered with another status than it should.
    Status,
    /// What the provider answered is not what it should be.
    Unreadable,
    /// The description is of another issuer.
    OtherIssuer,
    /// The provider has no key that we can check its signatures with.
    NoKeys,
    /// The provider does not know the client or its secret.
    ClientRefused,
    /// The provider did not sign the person in.
    ProviderRefused,
    /// What the provider vouches with is not good.
    TokenInvalid,
    /// The person signed in at the provider too long ago.
    TooOld,
    /// The provider tells no e-mail address.
    NoAddress,
    /// The provider does not say that the e-mail address was verified.
    UnverifiedAddress,
    /// Addresses of this domain may not come.
    ForeignDomain,
    /// The person is not in the team.
    NotMember,
    /// The member with this address is somebody else at the provider.
    OtherSubject,
    /// Somebody else is signed in.
    OtherPerson,
}

fn yes() -> bool {
    true
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
    "SignOnBegun" SignOnBegun,
    "SignOnAnswer" SignOnAnswer,
    "SignOnInput" SignOnInput,
    "SignOnTestInput" SignOnTestInput,
);
