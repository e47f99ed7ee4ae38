//! `status`, `lines` and `devices`.

use std::time::Duration;

use serde_json::json;
use tokio::time::{sleep, timeout};

use super::connect;

use crate::audio;
use crate::cli::{self, StatusWait};
use crate::control::ControlClient;
use crate::control::protocol::{Action, Command as Ask, Connection, Phase, State};
use crate::failure::{Failure, FailureKind};
use crate::profile::ProfileFolder;
use crate::terminal::{Terminal, lines_text, shown, state_text};

/// How often it is looked whether the softphone has started.
const RETRY: Duration = Duration::from_millis(50);

pub(super) async fn status(
    asked: &cli::Status,
    folder: &ProfileFolder,
    terminal: Terminal,
) -> Result<(), Failure> {
    let Some(wait) = asked.wait else {
        let mut phone = connect(folder).await?;
        phone.request(Ask::Status).await?;
        let state = phone.state().await?;
        terminal.result(&state, &state_text(&state));
        return Ok(());
    };
    let mut last = None;
    let reached = timeout(asked.timeout, reach(wait, folder, &mut last)).await;
    match (reached, last) {
        (Ok(reached), Some(state)) => {
            reached?;
            terminal.result(&state, &state_text(&state));
            Ok(())
        }
        (Err(_), state) => Err(not_reached(state.as_deref())),
        (Ok(reached), None) => reached,
    }
}

/// Waits until it is so; `last` is the state seen last.
async fn reach(
    wait: StatusWait,
    folder: &ProfileFolder,
    last: &mut Option<Box<State>>,
) -> Result<(), Failure> {
    // It may have been started a moment ago.
    let mut phone = loop {
        match connect(folder).await {
            Err(failure) if failure.kind == FailureKind::NotRunning => sleep(RETRY).await,
            connected => break connected?,
        }
    };
    phone.request(Ask::Follow).await?;
    loop {
        let state = last.insert(phone.state().await?);
        if is_reached(wait, state) {
            return Ok(());
        }
    }
}

pub(super) async fn lines(phone: &mut ControlClient, terminal: Terminal) -> Result<(), Failure> {
    phone.request(Ask::Status).await?;
    let state = phone.state().await?;
    terminal.result(&json!({ "lines": state.lines }), &lines_text(&state.lines));
    Ok(())
}

pub(super) async fn devices(terminal: Terminal) -> Result<(), Failure> {
    let listed = tokio::task::spawn_blocking(audio::devices).await;
    let devices = match listed {
        Ok(Ok(devices)) => devices,
        Ok(Err(error)) => return Err(Failure::new(FailureKind::Sound, error.to_string())),
        Err(_) => return Err(Failure::new(FailureKind::Sound, "the sound system failed")),
    };
    let list: Vec<_> = devices
        .iter()
        .map(|device| {
            json!({
                "id": device.id,
                "name": shown(&device.name),
                "kind": device.kind.to_string(),
                "is_default": device.is_default,
            })
        })
        .collect();
    let text = devices
        .iter()
        .map(device_text)
        .collect::<Vec<_>>()
        .join("\n");
    let text = if text.is_empty() {
        "No sound devices"
    } else {
        &text
    };
    terminal.result(&json!({ "devices": list }), text);
    Ok(())
}

fn device_text(device: &audio::Device) -> String {
    let default = if device.is_default { " (default)" } else { "" };
    format!(
        "{}  {}  {}{default}",
        shown(&device.id),
        shown(&device.name),
        device.kind
    )
}

fn is_reached(wait: StatusWait, state: &State) -> bool {
    match wait {
        StatusWait::Registered => {
            let connected = |line: &_| matches!(line, Connection::Connected);
            !state.lines.is_empty() && state.lines.iter().all(|line| connected(&line.state))
        }
        StatusWait::Ringing => state
            .calls
            .iter()
            .any(|call| call.actions.contains(&Action::Answer)),
        StatusWait::Talking => state
            .calls
            .iter()
            .any(|call| call.phase == Phase::Connected),
        StatusWait::Idle => state.calls.is_empty(),
    }
}

/// Says which line is not there and why: that is what the person has to know.
fn not_reached(state: Option<&State>) -> Failure {
    let failed = state.and_then(|state| {
        state
            .lines
            .iter()
            .find(|line| line.state == Connection::Failed)
    });
    match failed {
        Some(line) => Failure {
            kind: line.kind.unwrap_or(FailureKind::Timeout),
            message: format!(
                "{}: {}",
                line.name,
                line.reason.as_deref().unwrap_or("failed")
            ),
            sip_status: line.sip_status,
        },
        None => Failure::new(FailureKind::Timeout, "it did not happen in time"),
    }
}
