//! From what the phone tells to what the control socket shows and the portal is told.

use api::{DeviceReport, LineReport, LineState as ReportState};
use media::Secured;
use softphone_core::{
    CallDirection, CallEnd, CallEnded, CallView, LineStatus, LineView, Phase as CallPhase, Refusal,
    Transfer,
};
use ua::{CallFailure, EndReason, RegistrationFailure};
use uuid::Uuid;

use crate::control::protocol::{
    Action, CallState, Connection, Direction, Ended, EndedCall, KeyExchange, LineState,
    MediaSummary, Phase, SecurityState, TransferState, TransferStep,
};
use crate::failure::{Failure, FailureKind};
use crate::portal::{APP_VERSION, PLATFORM};

pub(super) fn line_state(line: &LineView) -> LineState {
    let failure = match &line.status {
        LineStatus::Failed(failure) => Some(failure),
        _ => None,
    };
    LineState {
        account_id: Uuid::from_u128(line.id.0),
        name: line.name.clone(),
        address: line.address.0.clone(),
        state: match &line.status {
            LineStatus::NotConnected => Connection::NotConnected,
            LineStatus::Connecting => Connection::Connecting,
            LineStatus::Connected { .. } => Connection::Connected,
            LineStatus::Failed(_) => Connection::Failed,
        },
        reason: failure.map(ToString::to_string),
        kind: failure.map(registration_kind),
        sip_status: failure.and_then(RegistrationFailure::status),
        registered_in_ms: match &line.status {
            LineStatus::Connected { after } => Some(millis(*after)),
            _ => None,
        },
    }
}

/// What the edge knows of the call is left open.
pub(super) fn call_state(call: &CallView, line: String) -> CallState {
    let able = &call.actions;
    let actions = [
        (able.answer, Action::Answer),
        (able.reject, Action::Reject),
        (able.hang_up, Action::HangUp),
        (able.hold, Action::Hold),
        (able.resume, Action::Resume),
        (able.send_digits, Action::Dtmf),
        (able.transfer, Action::Transfer),
        (able.join, Action::Join),
        (able.split, Action::Split),
    ];
    CallState {
        call: call.id.0,
        line,
        direction: direction(call.direction),
        phase: match call.phase {
            CallPhase::Dialing => Phase::Dialing,
            CallPhase::Ringing => Phase::Ringing,
            CallPhase::Connected => Phase::Connected,
            CallPhase::Held => Phase::Held,
            CallPhase::HeldByPeer => Phase::HeldByPeer,
            CallPhase::Ending => Phase::Ending,
        },
        party: call.party.0.clone(),
        actions: actions
            .into_iter()
            .filter_map(|(id, action)| id.map(|_| action))
            .collect(),
        answered_in_ms: call.answered_after.map(millis),
        digits: call.digits.0.clone(),
        problem: None,
        security: None,
        quality: None,
        transfer: call.transfer.map(transfer_state),
        in_conference: call.in_conference,
        muted: false,
        silenced: false,
        recording: None,
    }
}

/// Keys in the signalling are as secret as the signalling (RFC 4568 section 8.1): no lock without TLS.
pub(super) fn security(secured: Secured, is_tls: bool) -> SecurityState {
    let (by, lock) = match secured.by {
        media::KeyExchange::Sdes => (KeyExchange::Sdes, is_tls),
        media::KeyExchange::Dtls => (KeyExchange::Dtls, true),
    };
    SecurityState {
        by,
        suite: secured.suite.name().to_owned(),
        lock,
    }
}

fn transfer_state(transfer: Transfer) -> TransferState {
    let (state, sip_status) = match transfer {
        Transfer::Asked => (TransferStep::Asked, None),
        Transfer::Trying => (TransferStep::Trying, None),
        Transfer::Ringing => (TransferStep::Ringing, None),
        Transfer::Failed { status } => (TransferStep::Failed, Some(status)),
    };
    TransferState { state, sip_status }
}

pub(super) fn ended_call(
    ended: &CallEnded,
    line: String,
    media: Option<MediaSummary>,
) -> EndedCall {
    let (kind, sip_status) = outcome(ended);
    EndedCall {
        call: ended.call.id.0,
        line,
        direction: direction(ended.call.direction),
        party: ended.call.party.0.clone(),
        ended: match &ended.end {
            CallEnd::Transferred => Ended::Transferred,
            CallEnd::Signalled(EndReason::LocalHangUp) | CallEnd::LineRemoved => Ended::LocalHangUp,
            CallEnd::Signalled(EndReason::RemoteHangUp) => Ended::RemoteHangUp,
            CallEnd::Signalled(EndReason::Cancelled) => Ended::Cancelled,
            CallEnd::Signalled(EndReason::AnsweredElsewhere | EndReason::Replaced { .. }) => {
                Ended::AnsweredElsewhere
            }
            CallEnd::Signalled(EndReason::Failed(_))
            | CallEnd::NoMedia(_)
            | CallEnd::NoAgreement(_) => Ended::Failed,
        },
        reason: ended.end.to_string(),
        kind,
        sip_status,
        answered_in_ms: ended.call.answered_after.map(millis),
        talked_ms: ended.talked.map_or(0, millis),
        media,
    }
}

/// What the portal is told.
pub(super) fn report(applied_version: u64, lines: &[LineView]) -> DeviceReport {
    DeviceReport {
        applied_version,
        app_version: APP_VERSION.to_owned(),
        platform: PLATFORM.to_owned(),
        lines: lines
            .iter()
            .map(|line| LineReport {
                account_id: Uuid::from_u128(line.id.0),
                state: match line.status {
                    LineStatus::NotConnected => ReportState::NotConnected,
                    LineStatus::Connecting => ReportState::Connecting,
                    LineStatus::Connected { .. } => ReportState::Connected,
                    LineStatus::Failed(_) => ReportState::Failed,
                },
                reason: match &line.status {
                    LineStatus::Failed(failure) => Some(failure.to_string()),
                    _ => None,
                },
            })
            .collect(),
    }
}

pub(super) fn refused(refusal: &Refusal) -> Failure {
    let kind = match refusal {
        Refusal::Dial(_) | Refusal::NoDigits => FailureKind::Usage,
        Refusal::NotConnected { .. } => FailureKind::Unreachable,
        Refusal::NoSuchLine
        | Refusal::NoCall
        | Refusal::NoConference
        | Refusal::Ambiguous
        | Refusal::NotPossible
        | Refusal::TooManyCalls
        | Refusal::TooManyLines => FailureKind::NotPossible,
    };
    Failure::new(kind, refusal.to_string())
}

fn outcome(ended: &CallEnded) -> (Option<FailureKind>, Option<u16>) {
    let failure = match &ended.end {
        CallEnd::NoAgreement(_) => return (Some(FailureKind::NoCommonCodec), Some(488)),
        CallEnd::NoMedia(_) => return (Some(FailureKind::Sound), None),
        CallEnd::Transferred => return (None, None),
        CallEnd::LineRemoved => return (Some(FailureKind::NotPossible), None),
        CallEnd::Signalled(EndReason::Failed(failure)) => failure,
        // A call that took place ended as calls end.
        CallEnd::Signalled(_) if ended.call.answered_after.is_some() => return (None, None),
        CallEnd::Signalled(_) => return (Some(FailureKind::Cancelled), None),
    };
    (Some(call_kind(failure)), failure.status())
}

fn registration_kind(failure: &RegistrationFailure) -> FailureKind {
    match failure {
        RegistrationFailure::WrongPassword
        | RegistrationFailure::PasswordMissing
        | RegistrationFailure::UnsupportedChallenge
        | RegistrationFailure::UnknownAccount { .. } => FailureKind::WrongCredentials,
        RegistrationFailure::Forbidden => FailureKind::Forbidden,
        RegistrationFailure::ServerError { .. } => FailureKind::ServerError,
        RegistrationFailure::HostNotFound
        | RegistrationFailure::NameService
        | RegistrationFailure::NoRoute
        | RegistrationFailure::ServerDown
        | RegistrationFailure::NoAnswer => FailureKind::Unreachable,
        _ => FailureKind::General,
    }
}

fn call_kind(failure: &CallFailure) -> FailureKind {
    match failure {
        CallFailure::Busy { .. } => FailureKind::Busy,
        CallFailure::Declined => FailureKind::Declined,
        CallFailure::NotFound { .. } => FailureKind::NotFound,
        CallFailure::Unavailable => FailureKind::Unavailable,
        CallFailure::NoAnswer => FailureKind::NoAnswer,
        CallFailure::NoCommonCodec { .. } => FailureKind::NoCommonCodec,
        CallFailure::Forbidden => FailureKind::Forbidden,
        CallFailure::WrongCredentials { .. } => FailureKind::WrongCredentials,
        CallFailure::Timeout | CallFailure::Unreachable | CallFailure::Lost => {
            FailureKind::Unreachable
        }
        CallFailure::ServerError { .. } => FailureKind::ServerError,
        _ => FailureKind::General,
    }
}

fn direction(direction: CallDirection) -> Direction {
    match direction {
        CallDirection::Outgoing => Direction::Outgoing,
        CallDirection::Incoming => Direction::Incoming,
    }
}

pub(super) fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
