//! Calls of the store as wire types, and the words of filters back.

use api::{Call, CallLink, CallLinkKind, CallParty, CallReason, CallReference, CallSource};
use store::{
    Reference,
    call::{Known, KnownCall, Party},
};

pub(crate) fn call(known: KnownCall) -> Call {
    let KnownCall {
        call,
        caller,
        callee,
    } = known;
    let talked = call.answered_at.zip(call.ended_at);
    let never = call.ended_at.is_some().then_some(0);
    Call {
        id: call.id,
        call_id: call.call_id,
        source: source(call.source),
        direction: direction(call.direction),
        started_at: call.started_at,
        answered_at: call.answered_at,
        ended_at: call.ended_at,
        duration_secs: talked
            .map(|(answered, ended)| (ended - answered).whole_seconds().unsigned_abs())
            .or(never),
        outcome: outcome(call.outcome),
        reason: call.reason.map(reason),
        status: call.status,
        link: call.link.map(|(kind, by)| CallLink {
            kind: link(kind),
            by,
        }),
        caller: party(call.caller, caller),
        callee: party(call.callee, callee),
        dialled: call.dialled,
    }
}

fn party(party: Party, known: Known) -> CallParty {
    CallParty {
        number: party.number,
        name: party.name,
        address: party.address,
        contact: known.contact.map(reference),
        account: known.account.map(reference),
        device: known.device.map(reference),
    }
}

fn reference(reference: Reference) -> CallReference {
    CallReference {
        id: reference.id,
        name: reference.name,
    }
}

/// A reason as exports spell it.
pub(crate) fn reason_word(reason: CallReason) -> String {
    stored_reason(reason).to_string()
}

fn source(source: store::CallSource) -> CallSource {
    match source {
        store::CallSource::Proxy => CallSource::Proxy,
        store::CallSource::Phone => CallSource::Phone,
    }
}

fn link(link: store::CallLink) -> CallLinkKind {
    match link {
        store::CallLink::Transferred => CallLinkKind::Transferred,
        store::CallLink::Forwarded => CallLinkKind::Forwarded,
        store::CallLink::PickedUp => CallLinkKind::PickedUp,
    }
}

fn direction(direction: store::CallDirection) -> api::CallDirection {
    match direction {
        store::CallDirection::Internal => api::CallDirection::Internal,
        store::CallDirection::Incoming => api::CallDirection::Incoming,
        store::CallDirection::Outgoing => api::CallDirection::Outgoing,
    }
}

pub(crate) fn stored_direction(direction: api::CallDirection) -> store::CallDirection {
    match direction {
        api::CallDirection::Internal => store::CallDirection::Internal,
        api::CallDirection::Incoming => store::CallDirection::Incoming,
        api::CallDirection::Outgoing => store::CallDirection::Outgoing,
    }
}

fn outcome(outcome: store::CallOutcome) -> api::CallOutcome {
    match outcome {
        store::CallOutcome::Ongoing => api::CallOutcome::Ongoing,
        store::CallOutcome::Answered => api::CallOutcome::Answered,
        store::CallOutcome::Missed => api::CallOutcome::Missed,
        store::CallOutcome::Busy => api::CallOutcome::Busy,
        store::CallOutcome::Declined => api::CallOutcome::Declined,
        store::CallOutcome::Cancelled => api::CallOutcome::Cancelled,
        store::CallOutcome::Failed => api::CallOutcome::Failed,
        store::CallOutcome::Unregistered => api::CallOutcome::Unregistered,
        store::CallOutcome::Refused => api::CallOutcome::Refused,
        store::CallOutcome::Forwarded => api::CallOutcome::Forwarded,
        store::CallOutcome::Interrupted => api::CallOutcome::Interrupted,
    }
}

pub(crate) fn stored_outcome(outcome: api::CallOutcome) -> store::CallOutcome {
    match outcome {
        api::CallOutcome::Ongoing => store::CallOutcome::Ongoing,
        api::CallOutcome::Answered => store::CallOutcome::Answered,
        api::CallOutcome::Missed => store::CallOutcome::Missed,
        api::CallOutcome::Busy => store::CallOutcome::Busy,
        api::CallOutcome::Declined => store::CallOutcome::Declined,
        api::CallOutcome::Cancelled => store::CallOutcome::Cancelled,
        api::CallOutcome::Failed => store::CallOutcome::Failed,
        api::CallOutcome::Unregistered => store::CallOutcome::Unregistered,
        api::CallOutcome::Refused => store::CallOutcome::Refused,
        api::CallOutcome::Forwarded => store::CallOutcome::Forwarded,
        api::CallOutcome::Interrupted => store::CallOutcome::Interrupted,
    }
}

fn reason(reason: store::CallReason) -> CallReason {
    match reason {
        store::CallReason::CallerHungUp => CallReason::CallerHungUp,
        store::CallReason::CalleeHungUp => CallReason::CalleeHungUp,
        store::CallReason::Transferred => CallReason::Transferred,
        store::CallReason::PickedUp => CallReason::PickedUp,
        store::CallReason::Lost => CallReason::Lost,
        store::CallReason::NoAnswer => CallReason::NoAnswer,
        store::CallReason::Unavailable => CallReason::Unavailable,
        store::CallReason::Busy => CallReason::Busy,
        store::CallReason::Declined => CallReason::Declined,
        store::CallReason::CallerGaveUp => CallReason::CallerGaveUp,
        store::CallReason::AnsweredElsewhere => CallReason::AnsweredElsewhere,
        store::CallReason::Forwarded => CallReason::Forwarded,
        store::CallReason::NotRegistered => CallReason::NotRegistered,
        store::CallReason::Unreachable => CallReason::Unreachable,
        store::CallReason::UnknownNumber => CallReason::UnknownNumber,
        store::CallReason::NotPermitted => CallReason::NotPermitted,
        store::CallReason::TooManyCalls => CallReason::TooManyCalls,
        store::CallReason::NoCommonMedia => CallReason::NoCommonMedia,
        store::CallReason::Overloaded => CallReason::Overloaded,
        store::CallReason::Failed => CallReason::Failed,
    }
}

fn stored_reason(reason: CallReason) -> store::CallReason {
    match reason {
        CallReason::CallerHungUp => store::CallReason::CallerHungUp,
        CallReason::CalleeHungUp => store::CallReason::CalleeHungUp,
        CallReason::Transferred => store::CallReason::Transferred,
        CallReason::PickedUp => store::CallReason::PickedUp,
        CallReason::Lost => store::CallReason::Lost,
        CallReason::NoAnswer => store::CallReason::NoAnswer,
        CallReason::Unavailable => store::CallReason::Unavailable,
        CallReason::Busy => store::CallReason::Busy,
        CallReason::Declined => store::CallReason::Declined,
        CallReason::CallerGaveUp => store::CallReason::CallerGaveUp,
        CallReason::AnsweredElsewhere => store::CallReason::AnsweredElsewhere,
        CallReason::Forwarded => store::CallReason::Forwarded,
        CallReason::NotRegistered => store::CallReason::NotRegistered,
        CallReason::Unreachable => store::CallReason::Unreachable,
        CallReason::UnknownNumber => store::CallReason::UnknownNumber,
        CallReason::NotPermitted => store::CallReason::NotPermitted,
        CallReason::TooManyCalls => store::CallReason::TooManyCalls,
        CallReason::NoCommonMedia => store::CallReason::NoCommonMedia,
        CallReason::Overloaded => store::CallReason::Overloaded,
        CallReason::Failed => store::CallReason::Failed,
    }
}
