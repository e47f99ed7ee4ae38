//! Activation: a person's link or code becomes a profile on this machine, or nothing at all.

use std::collections::BTreeMap;
use std::io;

use api::DeviceConfiguration;
use ed25519_dalek::SigningKey;
use zeroize::Zeroizing;

use super::client::{PortalClient, PortalError};
use super::link::ActivationRequest;
use crate::profile::{
    KeyPlace, KeyPlaceChoice, KeyStoreError, Profile, ProfileError, ProfileFolder, choose_key_place,
};

/// Why a device is not activated.
#[derive(Debug, thiserror::Error)]
pub enum ActivationError {
    /// The portal said no, or nothing.
    #[error(transparent)]
    Portal(#[from] PortalError),
    /// The profile's folder cannot be used, or is in use.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// The key store that was demanded is not there.
    #[error(transparent)]
    KeyStore(#[from] KeyStoreError),
    /// The portal activated the device, but the profile could not be written.
    #[error(
        "the portal activated this device, but its profile cannot be saved ({0}); ask your administrator to reset the activation"
    )]
    NotSaved(ProfileError),
}

/// A fresh activation.
#[derive(Debug)]
pub struct Activated {
    /// Where the key of the secrets is kept.
    pub key_place: KeyPlace,
    /// What the portal configured.
    pub configuration: DeviceConfiguration,
}

/// Activates the profile in `folder`; a profile that is there is replaced once the portal agreed.
///
/// If anything fails, the folder is as it was before, and does not exist if it did not.
///
/// # Errors
///
/// [`ActivationError`] in plain words.
pub async fn activate(
    request: &ActivationRequest,
    key_choice: KeyPlaceChoice,
    folder: &ProfileFolder,
) -> Result<Activated, ActivationError> {
    let existed = folder.path().exists();
    let activated = activate_in(request, key_choice, folder).await;
    if activated.is_err() && !existed {
        remove_folder(folder);
    }
    activated
}

async fn activate_in(
    request: &ActivationRequest,
    key_choice: KeyPlaceChoice,
    folder: &ProfileFolder,
) -> Result<Activated, ActivationError> {
    // Whatever can fail here fails before the portal counts the activation as used; a lost answer is asked for again with the same key.
    let _lock = folder.lock()?;
    let key_place = choose_key_place(key_choice)?;
    let client = PortalClient::new(request.portal.clone())?;
    let device_key = SigningKey::from_bytes(&Zeroizing::new(rand::random()));

    let answer = client.activate(&request.secret, &device_key).await?;
    let profile = Profile {
        portal: request.portal.to_string(),
        device_id: answer.device_id,
        key_place,
        device_key,
        configuration: answer.configuration,
        entered_passwords: BTreeMap::new(),
    };
    if let Err(error) = folder.save(&profile) {
        folder.forget_key(key_place, profile.device_id);
        return Err(ActivationError::NotSaved(error));
    }
    Ok(Activated {
        key_place,
        configuration: profile.configuration,
    })
}

fn remove_folder(folder: &ProfileFolder) {
    let removed = std::fs::remove_file(folder.path().join("lock"))
        .and_then(|()| std::fs::remove_dir(folder.path()));
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(%error, "the folder of an unfinished activation stays behind");
        }
        _ => {}
    }
}
