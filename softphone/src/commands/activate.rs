//! `activate` and `deactivate`.

use std::path::Path;

use serde_json::json;

use super::profile_folder;
use crate::cli;
use crate::control::ControlClient;
use crate::control::protocol::Command as Ask;
use crate::failure::{Failure, FailureKind};
use crate::portal::{
    Activated, ActivationError, ActivationRequest, LinkError, PortalError, QrError,
    activate as redeem, read_qr_file,
};
use crate::profile::{KeyPlace, KeyPlaceChoice, ProfileFolder};
use crate::terminal::{Terminal, shown};

/// What is said when the passwords' key lies in a file.
const FILE_NOTICE: &str = "the passwords are encrypted; their key lies in a file that only you can read \
     (profile.key), because this system has no key store that can be used. There is nothing to do";

pub(super) async fn activate(
    asked: cli::Activate,
    key_choice: KeyPlaceChoice,
    folder: &ProfileFolder,
    terminal: Terminal,
) -> Result<(), Failure> {
    let request = match (&asked.link, &asked.code, &asked.qr, &asked.url) {
        (Some(link), ..) => ActivationRequest::from_link(link)?,
        (_, Some(code), ..) => {
            ActivationRequest::from_code(code, asked.portal.as_deref().unwrap_or_default())?
        }
        (_, _, Some(picture), _) => ActivationRequest::from_link(&read_qr_file(picture)?)?,
        (.., url) => {
            let request = ActivationRequest::from_link(url.as_deref().unwrap_or_default())?;
            confirm(&request, asked.yes, terminal)?;
            request
        }
    };
    if folder.is_activated() && !asked.replace {
        return Err(Failure::new(
            FailureKind::NotPossible,
            "this phone is activated already: run `softphone deactivate` first, use --replace, or --profile DIR for another phone beside it",
        ));
    }
    terminal.progress(&format!("Activating at the portal {} …", request.portal));
    let activated = redeem(&request, key_choice, folder).await?;
    tell(&request, &activated, terminal);
    let start = start_command(folder.path(), profile_folder(None).ok().as_deref());
    terminal.progress(&format!("Now start it: {start}"));
    Ok(())
}

/// What starts the phone of this profile, to be copied into a shell.
fn start_command(profile: &Path, usual: Option<&Path>) -> String {
    if usual == Some(profile) {
        return "softphone run".to_owned();
    }
    let quoted = profile.display().to_string().replace('\'', "'\\''");
    format!("softphone --profile '{quoted}' run")
}

/// Signs out and forgets everything, through the running phone if there is one.
pub(super) async fn deactivate(folder: &ProfileFolder, terminal: Terminal) -> Result<(), Failure> {
    match ControlClient::connect(folder.path()).await {
        Ok(mut running) => {
            running.request(Ask::Deactivate).await?;
        }
        Err(_) => {
            let existed = folder.path().exists();
            let lock = folder.lock()?;
            let wiped = folder.wipe();
            drop(lock);
            wiped?;
            if !existed {
                return Err(Failure::new(
                    FailureKind::NotActivated,
                    "this phone is not activated: there is nothing to forget",
                ));
            }
        }
    }
    terminal.result(
        &json!({ "deactivated": true }),
        "Signed out; all passwords are forgotten",
    );
    Ok(())
}

/// A link that another program handed over is followed only if the person wants it.
pub(super) fn confirm(
    request: &ActivationRequest,
    agreed: bool,
    terminal: Terminal,
) -> Result<(), Failure> {
    let question = format!("Activate this phone at the portal {}?", request.portal);
    if agreed || terminal.confirm(&question) {
        return Ok(());
    }
    Err(Failure::new(
        FailureKind::Cancelled,
        format!(
            "not activated: a link asked to activate this phone at {}; add --yes if you want that",
            request.portal
        ),
    ))
}

fn tell(request: &ActivationRequest, activated: &Activated, terminal: Terminal) {
    let configuration = &activated.configuration;
    if activated.key_place == KeyPlace::File {
        terminal.notice(FILE_NOTICE);
    }
    let lines: Vec<_> = configuration
        .lines
        .iter()
        .map(|line| json!({ "name": shown(&line.name), "address": shown(&address(line)) }))
        .collect();
    let value = json!({
        "portal": request.portal.to_string(),
        "tenant": shown(&configuration.tenant.name),
        "contact": shown(&configuration.contact.name),
        "device": shown(&configuration.device.name),
        "device_id": configuration.device.id,
        "secret_store": activated.key_place,
        "lines": lines,
    });
    let sentence = format!(
        "Activated: {} of {} at {} (portal {}), {} line(s)",
        shown(&configuration.device.name),
        shown(&configuration.contact.name),
        shown(&configuration.tenant.name),
        request.portal,
        configuration.lines.len()
    );
    terminal.result(&value, &sentence);
}

fn address(line: &api::Line) -> String {
    format!("sip:{}@{}", line.username, line.domain)
}

impl From<LinkError> for Failure {
    fn from(error: LinkError) -> Self {
        Self::new(FailureKind::Usage, error.to_string())
    }
}

impl From<QrError> for Failure {
    fn from(error: QrError) -> Self {
        Self::new(FailureKind::Usage, error.to_string())
    }
}

impl From<PortalError> for Failure {
    fn from(error: PortalError) -> Self {
        let kind = match &error {
            PortalError::ActivationRefused => FailureKind::ActivationRefused,
            PortalError::Revoked => FailureKind::NotActivated,
            PortalError::Unreachable { .. } | PortalError::NotAPortal { .. } => {
                FailureKind::PortalUnreachable
            }
            PortalError::TooMany | PortalError::Unauthorized => FailureKind::General,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<ActivationError> for Failure {
    fn from(error: ActivationError) -> Self {
        match error {
            ActivationError::Portal(error) => error.into(),
            ActivationError::Profile(error) => error.into(),
            error => Self::new(FailureKind::Profile, error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_of_its_own_is_named_in_what_starts_it() {
        let usual = Some(Path::new("/usual/softphone"));
        let start = |profile: &str| start_command(Path::new(profile), usual);
        assert_eq!(start("/usual/softphone"), "softphone run");
        assert_eq!(
            start("/srv/b's phone"),
            r"softphone --profile '/srv/b'\''s phone' run"
        );
    }
}
