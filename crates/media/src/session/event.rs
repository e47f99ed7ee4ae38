//! What a session tells its owner, and what it gives it to send.

use std::collections::VecDeque;
use std::net::SocketAddr;

use super::Session;
use crate::dtmf::{Digit, QueueFull};
use crate::protection::{Secured, SecurityFailure};

/// Events that may wait for the owner; the oldest go first.
const MAX_EVENTS: usize = 64;

/// Something that the owner may want to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEvent {
    /// The peer's first packet was accepted, from here.
    Started {
        /// Where the peer really sends from.
        source: SocketAddr,
    },
    /// The peer pressed a key.
    Digit(Digit),
    /// The peer's stream says that it is over. Signalling decides about the call.
    RemoteBye,
    /// Both directions are secured from now on.
    Secured(Secured),
    /// Secured media was agreed and cannot be: nothing is sent or heard until a new agreement.
    NotSecured(SecurityFailure),
}

/// A datagram to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transmit<'a> {
    /// Where to.
    pub target: SocketAddr,
    /// What.
    pub bytes: &'a [u8],
}

/// Why a digit cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DigitError {
    /// There is no stream that we send now.
    #[error("the other side takes no digits now")]
    NotSending,
    /// Try again later.
    #[error(transparent)]
    QueueFull(#[from] QueueFull),
}

impl Session {
    pub(super) fn tell_security(&mut self, outcome: Option<Result<Secured, SecurityFailure>>) {
        match outcome {
            Some(Ok(secured)) => self.push_event(SessionEvent::Secured(secured)),
            Some(Err(failure)) => self.push_event(SessionEvent::NotSecured(failure)),
            None => {}
        }
    }

    pub(super) fn push_event(&mut self, event: SessionEvent) {
        Self::push(&mut self.events, event);
    }

    pub(super) fn push(events: &mut VecDeque<SessionEvent>, event: SessionEvent) {
        if events.len() == MAX_EVENTS {
            events.pop_front();
        }
        events.push_back(event);
    }
}
