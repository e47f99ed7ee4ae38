//! Wire types of Tandem's HTTP and live interface, version 1.
//!
//! Everything here is what crosses a connection between the portal, its pages, activated devices and
//! the proxy: plain values with `serde` and, for the generated description, `utoipa`. Domain types live
//! in `store`; they are turned into these at the edge, never serialised themselves.
//!
//! * identifiers are UUID version 7, times are RFC 3339 in UTC;
//! * input types refuse unknown fields when a person's program sends them ([`AccountInput`] and the
//!   like), and ignore them when a device sends them, so that a newer softphone can talk to an older
//!   portal;
//! * an error is an [`Problem`] (RFC 9457);
//! * [`ProxyControl`] is not a wire type: it is how the portal reaches the proxy, in the same process or
//!   over a connection.

mod account;
mod activation;
mod addresses;
mod api_key;
mod audit;
mod call;
mod contact;
mod control;
mod dependent;
mod desk_phone;
mod device;
mod directory;
mod equip;
mod filter;
mod import;
mod invitation;
mod live;
mod mail;
mod page;
mod problem;
mod provider;
mod provider_test;
mod provisioning;
mod search;
mod session;
mod sign_on;
mod sign_up;
mod tenant;
mod view;
mod webhook;

pub use account::{Account, AccountDevice, AccountInput, AccountStatus, Codec, DialingRule};
pub use activation::{Activation, ActivationState};
pub use addresses::{
    AddressHint, AddressHintKind, AddressParty, AddressPurpose, AddressRule, Addresses,
    PHONE_MEDIA_PORTS, PortProtocol,
};
pub use api_key::{ApiKey, ApiKeyInput, NewApiKey};
pub use audit::{AuditEntry, AuditQuery, AuditVerification};
pub use call::{
    Call, CallDetail, CallDirection, CallLadder, CallLink, CallLinkKind, CallOutcome, CallParty,
    CallQuery, CallReason, CallReference, CallRetention, CallSource, CallsErased, LadderMessage,
};
pub use contact::{Contact, ContactDevice, ContactEmail, ContactInput, ContactNumber, EmailLabel};
pub use control::{ControlAnswer, ControlError, ProxyControl, Registration, RegistrationChange};
pub use dependent::{Dependent, DependentEffect, DependentKind, Dependents};
pub use desk_phone::{DeskPhone, DeskPhoneAddress, DeskPhoneInput, DeskPhoneMake};
pub use device::{Device, DeviceAccount, DeviceContact, DeviceInput, DeviceStatus};
pub use directory::{DirectoryChanges, DirectoryEntry, DirectoryQuery, InternalNumber};
pub use equip::{EquipAccount, EquipDevice, EquipInput, Equipped, NextUsername};
pub use filter::{
    AccountFilters, ContactFilters, DeviceFilters, MailFilters, MemberFilters, ProviderFilters,
};
pub use import::{
    BulkAction, BulkInput, BulkMatching, BulkRefusal, BulkRefused, BulkResult, Import,
    ImportColumn, ImportEncoding, ImportPreview, ImportPreviewColumn, ImportQuery, ImportResult,
    ImportRow, ImportRowFilters, ImportRowState, ImportSeparator, ImportState,
};
pub use invitation::{
    AcceptInvitation, EmailChange, Invitation, InvitationInput, InvitationLink, InvitationToken,
    LinkToken, NewPassword, PasswordReset, ShownInvitation,
};
pub use live::{AccountLive, DeviceLive, LiveFrame, LiveList, LivePosition, LiveRequest};
pub use mail::{
    AppLinks, InstructionsInput, Language, Mail, MailKind, MailPreview, MailReason, MailSecurity,
    MailServer, MailServerInput, MailSettings, MailSettingsInput, MailState, MailStep, MailTest,
    MailTestInput, MailTestStep, MailWay, MailboxAttachment, MailboxItem, MailboxMail,
};
pub use page::{Page, PageQuery, Total};
pub use problem::{FieldError, Problem, problem_type};
pub use provider::{Provider, ProviderInput, Transport};
pub use provider_test::{
    ProviderTestEvent, ProviderTestInput, ProviderTestResult, ProviderTestServer, ProviderTestStep,
    RegistrationTrial,
};
pub use provisioning::{
    ConfiguredDevice, ConfiguredName, DeviceActivated, DeviceActivation, DeviceConfiguration,
    DeviceFrame, DeviceReport, DeviceToken, DeviceTokenRequest, DeviceUpload, Line, LineReport,
    LineState, Secret, device_token_statement, instance_id,
};
pub use search::{Found, FoundGroup, FoundKind, SearchQuery, SearchResult};
pub use session::{
    Confirmation, FirstCode, HalfSignIn, OwnSession, OwnSessions, PasswordChange, RecoveryCodes,
    SecondFactor, SecondFactorKey, SecondStep, Session, SessionTenant, SessionUser, SignIn,
};
pub use sign_on::{
    NewPeople, SessionSignOn, SignOnAnswer, SignOnBegin, SignOnBegun, SignOnConfirm, SignOnInput,
    SignOnLookup, SignOnOffer, SignOnOffers, SignOnProvider, SignOnReason, SignOnSettings,
    SignOnStep, SignOnTest, SignOnTestInput, SignOnTestStep, SignedOn,
};
pub use sign_up::{Puzzle, SignUpConfirmation, SignUpInput, SignUpOffer};
pub use tenant::{Member, MemberChange, MemberInput, Role, Tenant, TenantInput, TenantSecurity};
pub use view::{View, ViewInput, ViewList, ViewQuery, Views};
pub use webhook::{
    NewWebhook, Webhook, WebhookDelivery, WebhookDeliveryDetail, WebhookDeliveryFilters,
    WebhookDeliveryState, WebhookEvent, WebhookInput, WebhookMessage, WebhookOffReason,
    WebhookReason, WebhookSecretInput, WebhookTest,
};
