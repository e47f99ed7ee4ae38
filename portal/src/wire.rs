//! Domain values as wire types, and back where a word has its own type on each side.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header::ETAG},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use store::{
    account::Account,
    activation,
    api_key::ApiKey,
    contact::{Contact, ContactEmail, ContactNumber},
    dependents::{Dependent, DependentEffect, DependentKind, Dependents},
    desk_phone::DeskPhone,
    device::Device,
    directory,
    invitation::Invitation,
    provider::Provider,
    tenant::Tenant,
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    app::App,
    config::PortalConfig,
    mail,
    presence::Presence,
    status::{Sign, account_status, device_status, waiting},
};

/// One object with its version as the entity tag.
pub(crate) fn tagged<T: Serialize>(status: StatusCode, version: u64, body: T) -> Response {
    let mut response = (status, Json(body)).into_response();
    if let Ok(tag) = HeaderValue::try_from(format!("\"{version}\"")) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

/// A page whose items are turned into their wire type.
pub(crate) fn page<T, U>(page: store::Page<T>, convert: impl FnMut(T) -> U) -> Json<api::Page<U>> {
    Json(api::Page {
        items: page.items.into_iter().map(convert).collect(),
        next: page.next.map(|cursor| cursor.to_string()),
        total: page.total.map(|total| api::Total {
            count: total.count,
            exact: total.exact,
        }),
    })
}

pub(crate) fn dependents(dependents: Dependents) -> api::Dependents {
    let one = |dependent: Dependent| api::Dependent {
        kind: match dependent.kind {
            DependentKind::Account => api::DependentKind::Account,
            DependentKind::Device => api::DependentKind::Device,
        },
        id: dependent.id,
        name: dependent.name,
        effect: match dependent.effect {
            DependentEffect::Removed => api::DependentEffect::Removed,
            DependentEffect::LosesAccount => api::DependentEffect::LosesAccount,
            DependentEffect::SignsOut => api::DependentEffect::SignsOut,
        },
    };
    api::Dependents {
        items: dependents.items.into_iter().map(one).collect(),
        count: dependents.count,
    }
}

pub(crate) fn role(role: store::Role) -> api::Role {
    match role {
        store::Role::Owner => api::Role::Owner,
        store::Role::Administrator => api::Role::Administrator,
        store::Role::ReadOnly => api::Role::ReadOnly,
    }
}

pub(crate) fn stored_role(role: api::Role) -> store::Role {
    match role {
        api::Role::Owner => store::Role::Owner,
        api::Role::Administrator => store::Role::Administrator,
        api::Role::ReadOnly => store::Role::ReadOnly,
    }
}

pub(crate) fn transport(transport: store::SipTransport) -> api::Transport {
    match transport {
        store::SipTransport::Udp => api::Transport::Udp,
        store::SipTransport::Tcp => api::Transport::Tcp,
        store::SipTransport::Tls => api::Transport::Tls,
    }
}

pub(crate) fn stored_transport(transport: api::Transport) -> store::SipTransport {
    match transport {
        api::Transport::Udp => store::SipTransport::Udp,
        api::Transport::Tcp => store::SipTransport::Tcp,
        api::Transport::Tls => store::SipTransport::Tls,
    }
}

/// Codecs in order; none chosen means all.
fn codecs(codecs: &[store::Codec]) -> Vec<api::Codec> {
    if codecs.is_empty() {
        return ALL_CODECS.to_vec();
    }
    let one = |codec: &store::Codec| match codec {
        store::Codec::Opus => api::Codec::Opus,
        store::Codec::G722 => api::Codec::G722,
        store::Codec::Pcma => api::Codec::Pcma,
        store::Codec::Pcmu => api::Codec::Pcmu,
    };
    codecs.iter().map(one).collect()
}

const ALL_CODECS: [api::Codec; 4] = [
    api::Codec::Opus,
    api::Codec::G722,
    api::Codec::Pcma,
    api::Codec::Pcmu,
];

pub(crate) fn stored_codecs(codecs: &[api::Codec]) -> Vec<store::Codec> {
    let one = |codec: &api::Codec| match codec {
        api::Codec::Opus => store::Codec::Opus,
        api::Codec::G722 => store::Codec::G722,
        api::Codec::Pcma => store::Codec::Pcma,
        api::Codec::Pcmu => store::Codec::Pcmu,
    };
    codecs.iter().map(one).collect()
}

fn dialing_rules(rules: Vec<store::account::DialingRule>) -> Vec<api::DialingRule> {
    let one = |rule: store::account::DialingRule| api::DialingRule {
        starts_with: rule.starts_with,
        replace_with: rule.replace_with,
        minimum_length: rule.minimum_length,
    };
    rules.into_iter().map(one).collect()
}

fn email_label(label: store::EmailLabel) -> api::EmailLabel {
    match label {
        store::EmailLabel::Work => api::EmailLabel::Work,
        store::EmailLabel::Home => api::EmailLabel::Home,
    }
}

pub(crate) fn stored_email_label(label: api::EmailLabel) -> store::EmailLabel {
    match label {
        api::EmailLabel::Work => store::EmailLabel::Work,
        api::EmailLabel::Home => store::EmailLabel::Home,
    }
}

pub(crate) fn tenant(tenant: Tenant, own: Option<store::Role>) -> api::Tenant {
    api::Tenant {
        id: tenant.id,
        slug: tenant.slug,
        name: tenant.name,
        demonstration: tenant.demonstration,
        sip_domain: tenant.sip_domain,
        role: own.map(role),
    }
}

pub(crate) fn api_key(key: ApiKey) -> api::ApiKey {
    api::ApiKey {
        id: key.id,
        name: key.name,
        prefix: key.prefix,
        scopes: key.scopes,
        made_by: key.made_by,
        created_at: key.created_at,
        expires_at: key.expires_at,
        last_used_at: key.last_used_at,
        expired: key
            .expires_at
            .is_some_and(|at| at <= OffsetDateTime::now_utc()),
    }
}

pub(crate) fn invitation(invitation: Invitation) -> api::Invitation {
    api::Invitation {
        id: invitation.id,
        email: invitation.email,
        role: role(invitation.role),
        invited_by: invitation.invited_by,
        created_at: invitation.created_at,
        expires_at: invitation.expires_at,
        expired: invitation.expires_at <= OffsetDateTime::now_utc(),
    }
}

/// Tandem's own provider is reached as the configuration says now, not when it was made.
pub(crate) fn provider(provider: Provider, config: &PortalConfig) -> api::Provider {
    api::Provider {
        id: provider.id,
        name: provider.name,
        server: provider.server,
        port: provider.port,
        transport: transport(provider.transport),
        outbound_proxy: outbound_proxy(
            provider.own,
            provider.transport,
            provider.outbound_proxy,
            config,
        ),
        own: provider.own,
        accounts: provider.account_count,
        version: provider.version,
    }
}

/// The first hop of provider or line: what is stored, or Tandem's own proxy as it listens for `transport`.
fn outbound_proxy(
    own: bool,
    transport: store::SipTransport,
    stored: Option<String>,
    config: &PortalConfig,
) -> Option<String> {
    if !own {
        return stored;
    }
    let tls = config.sip_outbound_proxy_tls.as_ref();
    let secure = tls.filter(|_| transport == store::SipTransport::Tls);
    Some(secure.unwrap_or(&config.sip_outbound_proxy).clone())
}

pub(crate) fn account(account: Account, presence: &Presence) -> api::Account {
    let aor = account.aor();
    let devices: Vec<Uuid> = account.devices.iter().map(|device| device.id).collect();
    api::Account {
        id: account.id,
        provider_id: account.provider.id,
        status: account_status(account.id, &aor, &devices, presence),
        aor,
        own: account.own,
        name: account.name,
        username: account.username,
        auth_username: account.auth_username,
        enter_on_device: account.enter_on_device,
        transport: account.transport.map(transport),
        display_name: account.display_name,
        codecs: codecs(&account.codecs),
        dialing_rules: dialing_rules(account.dialing_rules),
        push: account.push,
        devices: account
            .devices
            .into_iter()
            .map(|device| api::AccountDevice {
                id: device.id,
                name: device.name,
            })
            .collect(),
        version: account.version,
    }
}

pub(crate) fn numbers(numbers: Vec<ContactNumber>) -> Vec<api::ContactNumber> {
    let one = |number: ContactNumber| api::ContactNumber {
        number: number.number,
        label: number.label,
    };
    numbers.into_iter().map(one).collect()
}

pub(crate) fn emails(emails: Vec<ContactEmail>) -> Vec<api::ContactEmail> {
    let one = |email: ContactEmail| api::ContactEmail {
        address: email.address,
        label: email_label(email.label),
    };
    emails.into_iter().map(one).collect()
}

pub(crate) fn contact(contact: Contact) -> api::Contact {
    api::Contact {
        id: contact.id,
        first_name: contact.first_name,
        last_name: contact.last_name,
        company: contact.company,
        job_title: contact.job_title,
        in_directory: contact.in_directory,
        numbers: numbers(contact.numbers),
        emails: emails(contact.emails),
        devices: contact
            .devices
            .into_iter()
            .map(|device| api::ContactDevice {
                id: device.id,
                name: device.name,
            })
            .collect(),
        extensions: contact.extensions,
        version: contact.version,
    }
}

pub(crate) fn directory_changes(changes: directory::Changes) -> api::DirectoryChanges {
    api::DirectoryChanges {
        whole: changes.whole,
        entries: changes.entries.into_iter().map(directory_entry).collect(),
        removed: changes.removed,
        position: changes.position.to_string(),
        more: changes.more,
    }
}

fn directory_entry(entry: directory::Entry) -> api::DirectoryEntry {
    let person = contact(entry.contact);
    api::DirectoryEntry {
        id: person.id,
        first_name: person.first_name,
        last_name: person.last_name,
        company: person.company,
        job_title: person.job_title,
        internal: entry
            .internal
            .into_iter()
            .map(|internal| api::InternalNumber {
                number: internal.number,
                address: internal.aor,
            })
            .collect(),
        numbers: person.numbers,
        emails: person.emails,
    }
}

pub(crate) fn device(device: Device, presence: &Presence) -> api::Device {
    let activated = device.activated_at.is_some();
    let sign = match device.desk_phone {
        Some(_) => Sign::Lines(
            device
                .accounts
                .iter()
                .map(|account| account.aor.as_str())
                .collect(),
        ),
        None => Sign::Own,
    };
    let status = device_status(device.id, activated, &sign, presence);
    let waits = waiting(status, device.applied());
    api::Device {
        id: device.id,
        status,
        not_started: waits.not_started,
        pending_update: waits.pending_update,
        name: device.name,
        contact: api::DeviceContact {
            id: device.contact.id,
            name: device.contact.name,
        },
        accounts: device
            .accounts
            .into_iter()
            .map(|account| api::DeviceAccount {
                id: account.id,
                status: account_status(account.id, &account.aor, &[device.id], presence),
                name: account.name,
                extension: account.own.then_some(account.username),
                aor: account.aor,
            })
            .collect(),
        app_version: device.app_version,
        platform: device.platform,
        instructions: device.instructions.map(mail::wire::mail),
        desk_phone: device.desk_phone.map(desk_phone),
        activated_at: device.activated_at,
        last_seen_at: device.last_seen_at,
        version: device.version,
    }
}

fn desk_phone(phone: DeskPhone) -> api::DeskPhone {
    api::DeskPhone {
        make: match phone.make {
            store::DeskPhoneMake::Yealink => api::DeskPhoneMake::Yealink,
            store::DeskPhoneMake::Snom => api::DeskPhoneMake::Snom,
            store::DeskPhoneMake::Grandstream => api::DeskPhoneMake::Grandstream,
            store::DeskPhoneMake::Baresip => api::DeskPhoneMake::Baresip,
        },
        made_at: phone.made_at,
        fetched_at: phone.fetched_at,
    }
}

pub(crate) fn stored_make(make: api::DeskPhoneMake) -> store::DeskPhoneMake {
    match make {
        api::DeskPhoneMake::Yealink => store::DeskPhoneMake::Yealink,
        api::DeskPhoneMake::Snom => store::DeskPhoneMake::Snom,
        api::DeskPhoneMake::Grandstream => store::DeskPhoneMake::Grandstream,
        api::DeskPhoneMake::Baresip => store::DeskPhoneMake::Baresip,
    }
}

pub(crate) fn activation(activation: &activation::Activation, app: &App) -> api::Activation {
    let portal_url = app.config.public_url.clone();
    let (state, secrets) = match &activation.state {
        activation::ActivationState::Open { .. } if activation.hidden => {
            (api::ActivationState::Open, None)
        }
        activation::ActivationState::Open { token, code } => (
            api::ActivationState::Open,
            Some((token.text(), code.grouped())),
        ),
        activation::ActivationState::Used => (api::ActivationState::Used, None),
        activation::ActivationState::Expired => (api::ActivationState::Expired, None),
    };
    let (token, code) = secrets.unzip();
    api::Activation {
        state,
        link: token.as_ref().map(|token| link(&portal_url, token)),
        deep_link: token.map(|token| {
            format!(
                "tandem:activate?portal={}&token={token}",
                percent_encoded(&portal_url)
            )
        }),
        code,
        expires_at: activation.expires_at,
        portal_url,
        hidden: activation.hidden,
        instructions: activation.mail.clone().map(mail::wire::mail),
    }
}

/// The token is in the fragment: it reaches no server and no log when the page is fetched.
pub(crate) fn link(portal_url: &str, token: &str) -> String {
    format!("{portal_url}/activate#{token}")
}

/// Everything but unreserved characters as `%XX` (RFC 3986 section 2).
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

pub(crate) fn configuration(
    configuration: store::device::Configuration,
    config: &PortalConfig,
) -> api::DeviceConfiguration {
    let name = |name| api::ConfiguredName { name };
    api::DeviceConfiguration {
        version: configuration.version,
        device: api::ConfiguredDevice {
            id: configuration.device_id,
            name: configuration.device_name,
        },
        contact: name(configuration.contact_name),
        tenant: name(configuration.tenant_name),
        lines: configuration
            .lines
            .into_iter()
            .map(|line| api::Line {
                account_id: line.account_id,
                name: line.name,
                display_name: line.display_name,
                username: line.username,
                domain: line.domain,
                port: line.port,
                auth_username: line.auth_username,
                password: line
                    .password
                    .map(|password| api::Secret(password.reveal().to_owned())),
                enter_on_device: line.enter_on_device,
                transport: transport(line.transport),
                outbound_proxy: outbound_proxy(
                    line.own,
                    line.transport,
                    line.outbound_proxy,
                    config,
                ),
                codecs: codecs(&line.codecs),
                dialing_rules: dialing_rules(line.dialing_rules),
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_portal_address_survives_in_the_deep_link() {
        assert_eq!(
            percent_encoded("https://portal.example:8443"),
            "https%3A%2F%2Fportal.example%3A8443"
        );
    }
}
