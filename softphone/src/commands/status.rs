//! `status`, `lines` and `devices`.

use serde_json::json;
use tokio::time::timeout;

// AUDIO use crate::audio;
use crate::cli::{self, StatusWait};
use crate::control::ControlClient;
use crate::control::protocol::{Command as Ask, Connection, State};
use crate::failure::{Failure, FailureKind};
use crate::terminal::{Terminal, lines_text, state_text};

pub(super) async fn status(
    asked: &cli::Status,
    phone: &mut ControlClient,
    terminal: Terminal,
) -> Result<(), Failure> {
    let Some(wait) = asked.wait else {
        phone.request(Ask::Status).await?;
        let state = phone.state().await?;
        terminal.result(&state, &state_text(&state));
        return Ok(());
    };
    phone.request(Ask::Follow).await?;
    let mut last = None;
    let reached = timeout(asked.timeout, async {
        loop {
            let state = phone.state().await?;
            let is_so = is_reached(wait, &state);
            last = Some(state);
            if is_so {
                return Ok::<_, Failure>(());
            }
        }
    })
    .await;
    let Some(state) = last else { return reached.unwrap_or_else(|_| Err(not_reached(None))) };
    match reached {
        Ok(reached) => reached?,
        Err(_) => return Err(not_reached(Some(&state))),
    }
    terminal.result(&state, &state_text(&state));
    Ok(())
}

pub(super) async fn lines(phone: &mut ControlClient, terminal: Terminal) -> Result<(), Failure> {
    phone.request(Ask::Status).await?;
    let state = phone.state().await?;
    terminal.result(&json!({ "lines": state.lines }), &lines_text(&state.lines));
    Ok(())
}

pub(super) fn devices(terminal: Terminal) -> Result<(), Failure> {
    let _ = terminal;
    Err(Failure::new(FailureKind::Sound, "no sound card support yet"))
}

fn is_reached(wait: StatusWait, state: &State) -> bool {
    match wait {
        StatusWait::Registered => {
            let connected = |line: &_| matches!(line, Connection::Connected);
            !state.lines.is_empty() && state.lines.iter().all(|line| connected(&line.state))
        }
        StatusWait::Idle => state.calls.is_empty(),
    }
}

/// Says which line is not there and why: that is what the person has to know.
fn not_reached(state: Option<&State>) -> Failure {
    let failed = state.and_then(|state| {
        state.lines.iter().find(|line| line.state == Connection::Failed)
    });
    match failed {
        Some(line) => Failure {
            kind: line.kind.unwrap_or(FailureKind::Timeout),
            message: format!("{}: {}", line.name, line.reason.as_deref().unwrap_or("failed")),
            sip_status: line.sip_status,
        },
        None => Failure::new(FailureKind::Timeout, "it did not happen in time"),
    }
}
