//! The cards that the server has, and finding one.

use std::ffi::{CStr, CString};

use pulseaudio::protocol::{
    Command, DEFAULT_SINK, DEFAULT_SOURCE, GetSinkInfo, GetSourceInfo, ServerInfo, SinkInfo,
    SourceInfo,
};

use super::connection::{Connection, Trouble};
use super::{PREFIX, server_name};
use crate::audio::{AudioError, Device, DeviceKind};

/// A card of the server.
pub(super) struct Card {
    /// The server's number of it while it is there.
    pub(super) index: u32,
    /// For people.
    pub(super) name: String,
}

/// Whether a server answers.
pub(in crate::audio) fn is_here() -> bool {
    Connection::open().is_ok()
}

/// The name for people of this card, if the server has it now.
pub(in crate::audio) fn look_up(id: &str, kind: DeviceKind) -> Option<String> {
    let mut server = Connection::open().ok()?;
    let card = find(&mut server, Some(id), kind).ok()?;
    Some(card.name)
}

/// All cards of the server. What records what a loudspeaker plays is no microphone.
pub(in crate::audio) fn devices() -> Result<Vec<Device>, AudioError> {
    all().map_err(|trouble| AudioError::NoSystem {
        reason: trouble.to_string(),
    })
}

fn all() -> Result<Vec<Device>, Trouble> {
    let mut server = Connection::open()?;
    let usual: ServerInfo = server.ask(&Command::GetServerInfo)?;
    let sources: Vec<SourceInfo> = server.ask(&Command::GetSourceInfoList)?;
    let sinks: Vec<SinkInfo> = server.ask(&Command::GetSinkInfoList)?;
    let microphones = sources
        .iter()
        .filter(|source| source.monitor_of_sink_index.is_none())
        .map(|source| {
            let is_default = usual.default_source_name.as_ref() == Some(&source.name);
            let description = source.description.as_deref();
            device(
                DeviceKind::Microphone,
                &source.name,
                description,
                is_default,
            )
        });
    let loudspeakers = sinks.iter().map(|sink| {
        let is_default = usual.default_sink_name.as_ref() == Some(&sink.name);
        let description = sink.description.as_deref();
        device(DeviceKind::Loudspeaker, &sink.name, description, is_default)
    });
    Ok(microphones.chain(loudspeakers).collect())
}

fn device(kind: DeviceKind, name: &CStr, description: Option<&CStr>, is_default: bool) -> Device {
    Device {
        id: format!("{PREFIX}{}", name.to_string_lossy()),
        name: description.unwrap_or(name).to_string_lossy().into_owned(),
        kind,
        is_default,
    }
}

/// The card with this id, or the one that the server takes when it is asked for none.
pub(super) fn find(
    server: &mut Connection,
    id: Option<&str>,
    kind: DeviceKind,
) -> Result<Card, Trouble> {
    let name = match id.map(|id| server_name(id).map(CString::new)) {
        None => None,
        Some(Some(Ok(name))) => Some(name),
        // Another system's, or what no name can be.
        Some(_) => return Err(Trouble::NoSuchCard),
    };
    let (index, name, description) = match kind {
        DeviceKind::Microphone => {
            let name = name.unwrap_or_else(|| DEFAULT_SOURCE.to_owned());
            let asked = GetSourceInfo {
                index: None,
                name: Some(name),
            };
            let found: SourceInfo = server.ask(&Command::GetSourceInfo(asked))?;
            (found.index, found.name, found.description)
        }
        DeviceKind::Loudspeaker => {
            let name = name.unwrap_or_else(|| DEFAULT_SINK.to_owned());
            let asked = GetSinkInfo {
                index: None,
                name: Some(name),
            };
            let found: SinkInfo = server.ask(&Command::GetSinkInfo(asked))?;
            (found.index, found.name, found.description)
        }
    };
    let name = description.unwrap_or(name);
    Ok(Card {
        index,
        name: name.to_string_lossy().into_owned(),
    })
}
