//! The cards that there are, and finding one.

use cpal::traits::{DeviceTrait, HostTrait};
use cpal::{DeviceId, Host};

use super::quiet::quietly;
use crate::audio::{AudioError, Device, DeviceKind};

/// All cards. A system without any gives an empty list. Blocks.
pub(in crate::audio) fn devices() -> Result<Vec<Device>, AudioError> {
    quietly(all)
}

fn all() -> Result<Vec<Device>, AudioError> {
    let host = cpal::default_host();
    let all = host.devices().map_err(|error| AudioError::NoSystem {
        reason: error.to_string(),
    })?;
    let default_of = |device: Option<cpal::Device>| device.and_then(|device| device.id().ok());
    let default_input = default_of(host.default_input_device());
    let default_output = default_of(host.default_output_device());
    let mut devices = Vec::new();
    for device in all {
        // A card that vanishes while it is looked at is not listed.
        let Ok(id) = device.id() else { continue };
        if is_plugin(&id.to_string()) {
            continue;
        }
        let name = name_of(&device);
        let uses = [
            (
                DeviceKind::Microphone,
                device.supports_input(),
                &default_input,
            ),
            (
                DeviceKind::Loudspeaker,
                device.supports_output(),
                &default_output,
            ),
        ];
        for (kind, is_usable, default) in uses {
            if is_usable {
                let is_default = default.as_ref() == Some(&id);
                devices.push(Device {
                    id: id.to_string(),
                    name: name.clone(),
                    kind,
                    is_default,
                });
            }
        }
    }
    Ok(devices)
}

/// ALSA lists its plugins (rate converters, "null") beside the cards. Those have no card in their
/// name, and `default` is the one of them that a person may want.
fn is_plugin(id: &str) -> bool {
    id.strip_prefix("alsa:")
        .is_some_and(|id| !id.contains(':') && id != "default")
}

/// The name for people of this card, if it is there now. Blocks.
pub(in crate::audio) fn look_up(id: &str, kind: DeviceKind) -> Option<String> {
    quietly(|| find(Some(id), kind).ok().map(|device| name_of(&device)))
}

/// The card with this id, or the system's choice.
pub(super) fn find(id: Option<&str>, kind: DeviceKind) -> Result<cpal::Device, AudioError> {
    let Some(id) = id else {
        let host = cpal::default_host();
        return default_of(&host, kind).ok_or(AudioError::NoDevice { kind });
    };
    let unknown = || AudioError::UnknownDevice {
        kind,
        id: id.to_owned(),
    };
    let parsed: DeviceId = id.parse().map_err(|_| unknown())?;
    let host = cpal::host_from_id(parsed.host()).map_err(|error| AudioError::NoSystem {
        reason: error.to_string(),
    })?;
    host.device_by_id(&parsed).ok_or_else(unknown)
}

fn default_of(host: &Host, kind: DeviceKind) -> Option<cpal::Device> {
    match kind {
        DeviceKind::Microphone => host.default_input_device(),
        DeviceKind::Loudspeaker => host.default_output_device(),
    }
}

pub(super) fn name_of(device: &cpal::Device) -> String {
    device.description().map_or_else(
        |_| "unnamed".to_owned(),
        |description| description.name().to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_names_no_card_is_said_in_plain_words() {
        for id in ["", "nonsense", "no-such-system:card"] {
            let Err(error) = find(Some(id), DeviceKind::Microphone) else {
                panic!("{id:?} found something")
            };
            assert_eq!(
                error,
                AudioError::UnknownDevice {
                    kind: DeviceKind::Microphone,
                    id: id.to_owned()
                }
            );
            assert!(
                error
                    .to_string()
                    .starts_with("no sound card: there is no microphone"),
                "{error}"
            );
        }
    }

    #[test]
    fn plugins_of_alsa_are_no_cards() {
        for plugin in ["alsa:null", "alsa:speexrate", "alsa:pulse"] {
            assert!(is_plugin(plugin), "{plugin}");
        }
        for card in [
            "alsa:default",
            "alsa:hw:CARD=PCH,DEV=0",
            "wasapi:null",
            "coreaudio:x",
        ] {
            assert!(!is_plugin(card), "{card}");
        }
    }
}
