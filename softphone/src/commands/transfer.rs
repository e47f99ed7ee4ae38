//! `transfer`: giving a call away, and waiting for what becomes of it.

use crate::cli;
use crate::control::ControlClient;
use crate::control::protocol::{Command as Ask, Ended, State, TransferState, TransferStep};
use crate::failure::{Failure, FailureKind};
use crate::terminal::{Terminal, call_text, ended_text};

pub(super) async fn transfer(
    asked: cli::Transfer,
    phone: &mut ControlClient,
    terminal: Terminal,
) -> Result<(), Failure> {
    phone.request(Ask::Follow).await?;
    let asked = match asked.number {
        Some(number) => Ask::Transfer {
            number,
            call: asked.call,
        },
        None => Ask::TransferTo {
            call: asked.call,
            to: asked.to,
        },
    };
    let done = phone.request(asked).await?;
    let call = done.call.ok_or_else(|| {
        Failure::new(
            FailureKind::General,
            "the running softphone is of another version",
        )
    })?;
    let mut told = None;
    loop {
        let state = phone.state().await?;
        if let Some(result) = outcome(call, &state, &mut told, terminal) {
            return result;
        }
    }
}

/// What became of the transfer, if it is known; else says how it goes on.
fn outcome(
    call: u64,
    state: &State,
    told: &mut Option<TransferState>,
    terminal: Terminal,
) -> Option<Result<(), Failure>> {
    if let Some(ended) = state.ended.iter().find(|ended| ended.call == call) {
        if ended.ended == Ended::Transferred {
            terminal.result(ended, &ended_text(ended));
            return Some(Ok(()));
        }
        let failure = Failure::new(FailureKind::Cancelled, ended.reason.clone());
        return Some(Err(failure));
    }
    let shown = state.calls.iter().find(|shown| shown.call == call)?;
    let transfer = shown.transfer?;
    if let (TransferStep::Failed, status) = (transfer.state, transfer.sip_status) {
        return Some(Err(Failure {
            sip_status: status,
            ..Failure::new(kind(status), "the call was not transferred")
        }));
    }
    if told.replace(transfer) != Some(transfer) {
        terminal.progress(&call_text(shown));
    }
    None
}

fn kind(status: Option<u16>) -> FailureKind {
    match status {
        Some(486 | 600) => FailureKind::Busy,
        Some(404 | 604) => FailureKind::NotFound,
        Some(480 | 410) => FailureKind::Unavailable,
        Some(408 | 487) => FailureKind::NoAnswer,
        Some(603) => FailureKind::Declined,
        Some(488 | 606) => FailureKind::NoCommonCodec,
        Some(403) => FailureKind::Forbidden,
        _ => FailureKind::ServerError,
    }
}
