//! `mail` and `egress` as the portal wants them.

use std::net::IpAddr;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use portal::{Egress, InstallationMail, PortalConfig, SmtpServer};
use serde::{Deserialize, Serialize, Serializer};
use store::{MailSecurity, Secret};

/// The mail server of the installation, for tenants without one of their own. Without a host, mails lie in the mailbox of the data directory.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct MailConfig {
    /// Name or address of the server.
    pub(crate) host: Option<String>,
    /// Its port: 587 with STARTTLS, 465 with TLS and 25 without, unless it is set.
    pub(crate) port: Option<NonZeroU16>,
    /// How it is spoken with.
    pub(crate) security: Security,
    /// User name, if it asks for one.
    pub(crate) username: Option<String>,
    /// Password; better in a file of its own.
    #[serde(serialize_with = "masked")]
    pub(crate) password: Option<Password>,
    /// File with the password on its first line.
    pub(crate) password_file: Option<PathBuf>,
    /// Name that receivers see; the tenant's unless it is set.
    pub(crate) sender_name: Option<String>,
    /// Address that mails come from.
    pub(crate) sender_address: Option<String>,
    /// File of certificates (PEM) that are trusted beside the system's, for mail servers of tenants too.
    pub(crate) authorities: Option<PathBuf>,
}

/// Where the portal may connect to on behalf of tenants.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct EgressConfig {
    /// Networks, as `10.0.0.0/8`, or addresses that may be reached beside the public internet.
    pub(crate) allow: Vec<String>,
}

/// How the mail server is spoken with.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Security {
    Tls,
    #[default]
    StartTls,
    None,
}

/// A password that does not print itself.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub(crate) struct Password(String);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

fn masked<S: Serializer>(password: &Option<Password>, serializer: S) -> Result<S::Ok, S::Error> {
    password.as_ref().map(|_| "***").serialize(serializer)
}

/// Why mail or egress cannot be set up so.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MailConfigError {
    #[error("mail.{key} is needed when mail.{given} is set")]
    Missing {
        key: &'static str,
        given: &'static str,
    },
    #[error("mail.password and mail.password_file exclude each other")]
    TwoPasswords,
    #[error("mail.security \"none\" is for a server on this machine; {host:?} is elsewhere")]
    Clear { host: String },
    #[error("mail.{key} {path}: {source}")]
    File {
        key: &'static str,
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("mail.authorities {path}: {source}")]
    Authorities {
        path: PathBuf,
        source: portal::AuthoritiesError,
    },
    #[error("egress.allow names {named:?}: a network is expected, as 10.0.0.0/8, or an address")]
    Network { named: String },
}

impl MailConfig {
    /// Puts the settings into the portal's configuration.
    ///
    /// # Errors
    ///
    /// [`MailConfigError`] if they are not complete, or a file that they name cannot be used.
    pub(crate) fn apply(&self, portal: &mut PortalConfig) -> Result<(), MailConfigError> {
        portal.mail.server = self.server()?;
        if let Some(path) = &self.authorities {
            let pem = std::fs::read(path).map_err(|source| file("authorities", path, source))?;
            portal
                .mail
                .trust(&pem)
                .map_err(|source| MailConfigError::Authorities {
                    path: path.clone(),
                    source,
                })?;
        }
        Ok(())
    }

    fn server(&self) -> Result<Option<InstallationMail>, MailConfigError> {
        let Some(host) = self.host.clone() else {
            return match self.first_without_host() {
                Some(given) => Err(missing("host", given)),
                None => Ok(None),
            };
        };
        let local = host == "localhost"
            || host
                .parse()
                .is_ok_and(|address: IpAddr| address.is_loopback());
        let (security, usual) = match self.security {
            Security::Tls => (MailSecurity::Tls, 465),
            Security::StartTls => (MailSecurity::StartTls, 587),
            Security::None if !local => return Err(MailConfigError::Clear { host }),
            Security::None => (MailSecurity::None, 25),
        };
        let password = self.password()?;
        let credentials = match (&self.username, password) {
            (Some(username), Some(password)) => Some((username.clone(), password)),
            (None, None) => None,
            (Some(_), None) => return Err(missing("password_file", "username")),
            (None, Some(_)) => return Err(missing("username", "password")),
        };
        let sender_address = self.sender_address.clone();
        Ok(Some(InstallationMail {
            sender_address: sender_address.ok_or(missing("sender_address", "host"))?,
            sender_name: self.sender_name.clone(),
            server: SmtpServer {
                host,
                port: self.port.map_or(usual, NonZeroU16::get),
                security,
                credentials,
            },
        }))
    }

    fn first_without_host(&self) -> Option<&'static str> {
        [
            ("port", self.port.is_some()),
            ("username", self.username.is_some()),
            ("password", self.password.is_some()),
            ("password_file", self.password_file.is_some()),
            ("sender_address", self.sender_address.is_some()),
        ]
        .into_iter()
        .find_map(|(key, set)| set.then_some(key))
    }

    fn password(&self) -> Result<Option<Secret>, MailConfigError> {
        match (&self.password, &self.password_file) {
            (Some(_), Some(_)) => Err(MailConfigError::TwoPasswords),
            (Some(Password(password)), None) => Ok(Some(Secret::new(password.as_str()))),
            (None, Some(path)) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|source| file("password_file", path, source))?;
                Ok(Some(Secret::new(text.lines().next().unwrap_or_default())))
            }
            (None, None) => Ok(None),
        }
    }
}

impl EgressConfig {
    /// The policy.
    ///
    /// # Errors
    ///
    /// [`MailConfigError::Network`] if something is neither a network nor an address.
    pub(crate) fn policy(&self) -> Result<Egress, MailConfigError> {
        let network = |named: &String| {
            let address = || named.parse::<IpAddr>().map(IpNet::from);
            let network = named.parse::<IpNet>().or_else(|_| address());
            network.map_err(|_| MailConfigError::Network {
                named: named.clone(),
            })
        };
        let networks: Result<Vec<_>, _> = self.allow.iter().map(network).collect();
        networks.map(Egress::new)
    }
}

fn missing(key: &'static str, given: &'static str) -> MailConfigError {
    MailConfigError::Missing { key, given }
}

fn file(key: &'static str, path: &Path, source: std::io::Error) -> MailConfigError {
    MailConfigError::File {
        key,
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(text: &str) -> Result<Option<InstallationMail>, String> {
        let config: MailConfig = toml::from_str(text).unwrap();
        config.server().map_err(|error| error.to_string())
    }

    #[test]
    fn without_settings_there_is_no_server() {
        assert!(server("").unwrap().is_none());
    }

    #[test]
    fn the_port_follows_from_the_security() {
        let port = |security: &str| {
            let text = format!(
                "host = \"localhost\"\nsender_address = \"a@b.example\"\nsecurity = \"{security}\""
            );
            server(&text).unwrap().unwrap().server.port
        };
        assert_eq!(
            [port("starttls"), port("tls"), port("none")],
            [587, 465, 25]
        );
    }

    #[test]
    fn half_a_server_is_refused_by_what_is_missing() {
        for (text, expected) in [
            (
                "username = \"x\"",
                "mail.host is needed when mail.username is set",
            ),
            (
                "host = \"h\"",
                "mail.sender_address is needed when mail.host is set",
            ),
            (
                "host = \"h\"\nsender_address = \"a@b.example\"\nusername = \"x\"",
                "mail.password_file is needed when mail.username is set",
            ),
            (
                "host = \"h\"\nsender_address = \"a@b.example\"\nsecurity = \"none\"",
                "mail.security \"none\" is for a server on this machine; \"h\" is elsewhere",
            ),
            (
                "host = \"h\"\npassword = \"x\"\npassword_file = \"y\"",
                "mail.password and mail.password_file exclude each other",
            ),
        ] {
            assert_eq!(server(text).unwrap_err(), expected);
        }
    }

    #[test]
    fn a_password_comes_from_its_file_and_is_never_printed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        std::fs::write(&path, "hunter2\n").unwrap();
        let text = format!(
            "host = \"h\"\nsender_address = \"a@b.example\"\nusername = \"x\"\npassword_file = {path:?}"
        );
        let (_, password) = server(&text).unwrap().unwrap().server.credentials.unwrap();
        assert_eq!(password.reveal(), "hunter2");
        let config: MailConfig = toml::from_str("password = \"hunter2\"").unwrap();
        let printed = format!("{config:?} {}", toml::to_string(&config).unwrap());
        assert!(
            !printed.contains("hunter2") && printed.contains("***"),
            "{printed}"
        );
    }

    #[test]
    fn egress_is_a_list_of_networks() {
        let policy = |named: &str| {
            EgressConfig {
                allow: vec![named.to_owned()],
            }
            .policy()
        };
        let allows =
            |named: &str, address: &str| policy(named).unwrap().allows(address.parse().unwrap());
        assert!(allows("10.0.0.0/8", "10.1.2.3") && allows("10.1.2.3", "10.1.2.3"));
        assert!(!allows("10.1.2.3", "10.1.2.4"));
        let error = policy("everything").unwrap_err();
        assert!(error.to_string().contains("everything"), "{error}");
    }
}
