//! The table: what each operation asks of its caller, and what each role may do.

use store::Role;
use time::Duration;

/// What an operation asks of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Anybody.
    Public,
    /// Somebody with a session, even if a one-time password is not yet replaced.
    Session,
    /// Somebody signed in with a password of their own.
    SignedIn,
    /// Somebody signed in who administers the installation.
    Installation,
    /// An activated device with a valid access token.
    Device,
    /// A member of the tenant in the path whose role allows this. For anybody else the tenant does not exist.
    Member(Area, Access),
}

/// What of a tenant an operation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Area {
    /// Who belongs to the tenant.
    Members,
    /// Service providers.
    Providers,
    /// SIP accounts.
    Accounts,
    /// Contacts.
    Contacts,
    /// Devices.
    Devices,
    /// Links and codes that activate devices, addresses of desk phones: whoever reads one can be the device.
    Activations,
    /// The provider through which people sign in.
    SignOn,
    /// Keys of programs.
    ApiKeys,
    /// What other programs are told, and where.
    Webhooks,
    /// How mail is sent, and what became of it.
    Mail,
    /// Mails that lie in the mailbox, with the links in them.
    Mailbox,
    /// Calls.
    Calls,
    /// For how long things are kept.
    Retention,
    /// The audit log.
    Audit,
    /// Statuses as they change.
    Live,
    /// Finding what the caller may read anyway.
    Search,
    /// Views of lists, which everybody saves for themselves.
    Views,
}

/// Whether an operation only looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// It looks.
    Read,
    /// It changes something.
    Write,
}

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The operation's `operationId` in the description.
    pub operation: &'static str,
    /// Who may call it.
    pub who: Who,
    /// Whether the caller must also administer the installation.
    pub installation: bool,
    /// Whether programs with a key are kept out, whatever its scopes.
    pub people_only: bool,
    /// Whether the person must have proved within the last [`CONFIRMATION_LIFE`] to be the one who signed in.
    pub confirmed: bool,
    /// Of [`Who::SignedIn`]: whether it is also for somebody for whom only a tenant's provider vouched. What is about the person
    /// elsewhere too is not.
    pub vouched: bool,
}

/// For how long a confirmation holds. A sign-in is one.
pub const CONFIRMATION_LIFE: Duration = Duration::minutes(10);

impl Rule {
    /// It reaches beyond the tenant.
    const fn by_installation(self) -> Self {
        Self {
            installation: true,
            ..self
        }
    }

    /// It is about people and what they get by mail, or does several things at once.
    const fn people_only(self) -> Self {
        Self {
            people_only: true,
            ..self
        }
    }

    /// It does what a browser left open must not be enough for.
    const fn confirmed(self) -> Self {
        Self {
            confirmed: true,
            ..self
        }
    }

    /// It changes nothing beyond the session that asks.
    const fn vouched(self) -> Self {
        Self {
            vouched: true,
            ..self
        }
    }
}

impl Area {
    /// Whether a role may do this.
    pub fn allows(self, access: Access, role: Role) -> bool {
        let administers = matches!(role, Role::Owner | Role::Administrator);
        match (self, access) {
            (Self::Views, _) => true,
            (Self::Members | Self::SignOn, Access::Write) | (Self::Mailbox, _) => {
                role == Role::Owner
            }
            (
                Self::Activations | Self::ApiKeys | Self::Webhooks | Self::Mail | Self::SignOn,
                Access::Read,
            )
            | (_, Access::Write) => administers,
            (_, Access::Read) => true,
        }
    }
}

/// All rows.
pub fn rules() -> &'static [Rule] {
    RULES
}

const fn rule(operation: &'static str, who: Who) -> Rule {
    Rule {
        operation,
        who,
        installation: false,
        people_only: false,
        confirmed: false,
        vouched: false,
    }
}

const fn reads(operation: &'static str, area: Area) -> Rule {
    rule(operation, Who::Member(area, Access::Read))
}

const fn writes(operation: &'static str, area: Area) -> Rule {
    rule(operation, Who::Member(area, Access::Write))
}

const RULES: &[Rule] = &[
    rule("session_sign_in", Who::Public),
    rule("session_show", Who::Session),
    rule("session_sign_out", Who::Public),
    rule("session_second_step", Who::Public),
    rule("session_confirm", Who::SignedIn).vouched(),
    rule("sign_up_show", Who::Public),
    rule("sign_up_puzzle", Who::Public),
    rule("sign_up_begin", Who::Public),
    rule("sign_up_complete", Who::Public),
    rule("sign_on_lookup", Who::Public),
    rule("sign_on_begin", Who::Public),
    rule("sign_on_complete", Who::Public),
    rule("sign_on_confirm", Who::SignedIn).vouched(),
    rule("session_change_password", Who::Session),
    rule("sessions_list", Who::SignedIn),
    rule("sessions_end_others", Who::SignedIn),
    rule("sessions_end", Who::SignedIn),
    rule("second_factor_show", Who::SignedIn),
    rule("second_factor_begin", Who::SignedIn).confirmed(),
    rule("second_factor_confirm", Who::SignedIn).confirmed(),
    rule("second_factor_delete", Who::SignedIn).confirmed(),
    rule("recovery_codes_replace", Who::SignedIn).confirmed(),
    rule("tenants_list", Who::SignedIn),
    rule("tenants_create", Who::Installation),
    reads("members_list", Area::Members),
    writes("members_create", Area::Members)
        .by_installation()
        .confirmed(),
    writes("members_update", Area::Members).confirmed(),
    writes("members_delete", Area::Members).confirmed(),
    writes("members_reset_second_factor", Area::Members).confirmed(),
    reads("invitations_list", Area::Members),
    writes("invitations_create", Area::Members).confirmed(),
    writes("invitations_resend", Area::Members).people_only(),
    writes("invitations_link", Area::Members).confirmed(),
    writes("invitations_delete", Area::Members).people_only(),
    reads("tenant_security_show", Area::Members),
    writes("tenant_security_update", Area::Members).confirmed(),
    reads("sign_on_settings_show", Area::SignOn),
    writes("sign_on_settings_update", Area::SignOn).confirmed(),
    writes("sign_on_settings_delete", Area::SignOn).confirmed(),
    writes("sign_on_settings_test", Area::SignOn).people_only(),
    reads("api_keys_list", Area::ApiKeys).people_only(),
    writes("api_keys_create", Area::ApiKeys).confirmed(),
    writes("api_keys_delete", Area::ApiKeys).people_only(),
    reads("webhooks_list", Area::Webhooks),
    writes("webhooks_create", Area::Webhooks).confirmed(),
    reads("webhooks_show", Area::Webhooks),
    writes("webhooks_update", Area::Webhooks).confirmed(),
    writes("webhooks_delete", Area::Webhooks),
    writes("webhooks_replace_secret", Area::Webhooks).confirmed(),
    writes("webhooks_test", Area::Webhooks),
    reads("webhook_deliveries_list", Area::Webhooks),
    // What was told is of all areas that webhooks tell of, whatever the scopes of a key.
    reads("webhook_deliveries_show", Area::Webhooks).people_only(),
    writes("webhook_deliveries_redeliver", Area::Webhooks),
    rule("invitation_show", Who::Public),
    rule("invitation_accept", Who::Public),
    rule("invitation_join", Who::SignedIn),
    rule("password_reset_begin", Who::Public),
    rule("password_reset_complete", Who::Public),
    rule("email_change_begin", Who::SignedIn).confirmed(),
    rule("email_change_complete", Who::Public),
    reads("providers_list", Area::Providers),
    writes("providers_create", Area::Providers),
    reads("providers_show", Area::Providers),
    // It says where phones and the server prove their passwords.
    writes("providers_update", Area::Providers).confirmed(),
    writes("providers_delete", Area::Providers),
    reads("providers_dependents", Area::Providers),
    writes("provider_test", Area::Providers),
    writes("provider_test_unsaved", Area::Providers),
    reads("addresses_show", Area::Providers),
    reads("providers_next_username", Area::Accounts),
    reads("accounts_list", Area::Accounts),
    writes("accounts_create", Area::Accounts),
    reads("accounts_show", Area::Accounts),
    writes("accounts_update", Area::Accounts),
    writes("accounts_delete", Area::Accounts),
    reads("accounts_dependents", Area::Accounts),
    reads("contacts_list", Area::Contacts),
    writes("contacts_create", Area::Contacts),
    writes("contacts_equip", Area::Contacts).people_only(),
    reads("contacts_show", Area::Contacts),
    writes("contacts_update", Area::Contacts),
    writes("contacts_delete", Area::Contacts),
    reads("contacts_dependents", Area::Contacts),
    writes("contacts_bulk", Area::Contacts),
    reads("contacts_export", Area::Contacts),
    writes("imports_preview", Area::Contacts),
    writes("imports_create", Area::Contacts),
    reads("imports_list", Area::Contacts),
    reads("imports_show", Area::Contacts),
    reads("imports_rows", Area::Contacts),
    writes("imports_commit", Area::Contacts),
    writes("imports_undo", Area::Contacts),
    writes("imports_delete", Area::Contacts),
    reads("imports_template", Area::Contacts),
    reads("devices_list", Area::Devices),
    writes("devices_create", Area::Devices),
    reads("devices_show", Area::Devices),
    writes("devices_update", Area::Devices),
    writes("devices_delete", Area::Devices),
    reads("activation_show", Area::Activations),
    writes("activation_reset", Area::Activations),
    writes("desk_phone_set_up", Area::Activations),
    reads("activation_qr_svg", Area::Activations),
    reads("activation_qr_png", Area::Activations),
    writes("instructions_send", Area::Activations),
    writes("activation_show_again", Area::Activations),
    reads("mail_settings_show", Area::Mail),
    writes("mail_settings_update", Area::Mail).confirmed(),
    writes("mail_test", Area::Mail),
    reads("mail_preview", Area::Mail),
    reads("mails_list", Area::Mail),
    reads("mailbox_list", Area::Mailbox),
    reads("mailbox_show", Area::Mailbox),
    rule("installation_mailbox_list", Who::Installation),
    rule("installation_mailbox_show", Who::Installation),
    reads("calls_list", Area::Calls),
    writes("calls_erase", Area::Calls),
    reads("calls_export", Area::Calls),
    reads("calls_show", Area::Calls),
    writes("calls_delete", Area::Calls),
    reads("retention_show", Area::Retention),
    writes("retention_update", Area::Retention).confirmed(),
    reads("search_find", Area::Search),
    reads("views_list", Area::Views),
    writes("views_save", Area::Views),
    writes("views_delete", Area::Views),
    reads("audit_list", Area::Audit),
    reads("audit_export", Area::Audit),
    reads("audit_verify", Area::Audit),
    reads("live_live", Area::Live),
    rule("provisioning_activate", Who::Public),
    rule("provisioning_token", Who::Public),
    rule("provisioning_configuration", Who::Device),
    rule("provisioning_report", Who::Device),
    rule("provisioning_directory", Who::Device),
    rule("device_live_live", Who::Device),
];
