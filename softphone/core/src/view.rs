//! What a window or a command shows: plain values, folded from events.
//!
//! An action that is not possible is absent, so a button needs no second flag. Texts from the
//! network are already plain ([`plain_text`](crate::plain_text)).

use std::time::Duration;

use sip::Private;
use ua::RegistrationFailure;

use crate::command::{CallId, LineId};
use crate::event::Event;

/// Everything a phone shows, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// Lines as configured.
    pub lines: Vec<LineView>,
    /// Calls, oldest first.
    pub calls: Vec<CallView>,
}

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub struct LineView {
    /// Identifier.
    pub id: LineId,
    /// Its place among the lines, from 0.
    pub place: usize,
    /// Name for people.
    pub name: String,
    /// `sip:user@domain`.
    pub address: Private<String>,
    /// Where it stands.
    pub status: LineStatus,
}

/// Whether a line is registered.
#[derive(Clone, Debug, PartialEq)]
pub enum LineStatus {
    /// Not registered: there is no password yet, or it is being signed out.
    NotConnected,
    /// Under way.
    Connecting,
    /// Registered.
    Connected {
        /// How long it took.
        after: Duration,
    },
    /// Not registered; tried again by itself.
    Failed(RegistrationFailure),
}

/// One call.
#[derive(Clone, Debug, PartialEq)]
pub struct CallView {
    /// Number.
    pub id: CallId,
    /// Its line.
    pub line: LineId,
    /// Who called whom.
    pub direction: CallDirection,
    /// Where it stands.
    pub phase: Phase,
    /// Name of the other side, or its number.
    pub party: Private<String>,
    /// Address of the other side.
    pub address: Private<String>,
    /// What the caller hears while it rings.
    pub ringback: Ringback,
    /// What can be done now.
    pub actions: Actions,
    /// From dialling or first ringing to the answer.
    pub answered_after: Option<Duration>,
    /// Digits that the other side sent.
    pub digits: Private<String>,
    /// How its transfer stands, if one was asked for.
    pub transfer: Option<Transfer>,
    /// It is one of a conference.
    pub in_conference: bool,
}

/// How the transfer of a call stands. One that worked ends the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transfer {
    /// Asked for, or about to be.
    Asked,
    /// The target is called.
    Trying,
    /// It rings there.
    Ringing,
    /// It came to nothing, and the call is ours as before.
    Failed {
        /// What SIP says about it.
        status: u16,
    },
}

/// Who called whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallDirection {
    /// We called.
    Outgoing,
    /// We were called.
    Incoming,
}

/// Where a call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// On its way to the other side.
    Dialing,
    /// It rings, there or here.
    Ringing,
    /// Answered, both talk.
    Connected,
    /// We put it on hold.
    Held,
    /// The other side put it on hold.
    HeldByPeer,
    /// Being ended.
    Ending,
}

/// What a caller hears before the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ringback {
    /// Nothing.
    None,
    /// A tone that we make.
    Local,
    /// What the network sends: early media.
    Network,
}

/// What can be done with a call now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Actions {
    /// Answer it.
    pub answer: Option<CallId>,
    /// Decline it.
    pub reject: Option<CallId>,
    /// End it.
    pub hang_up: Option<CallId>,
    /// Put it on hold.
    pub hold: Option<CallId>,
    /// Take it back.
    pub resume: Option<CallId>,
    /// Send digits.
    pub send_digits: Option<CallId>,
    /// Give it away.
    pub transfer: Option<CallId>,
    /// Take it into a conference.
    pub join: Option<CallId>,
    /// Take it out of the conference.
    pub split: Option<CallId>,
}

impl View {
    /// Takes in what happened.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::Line(line) => {
                match self.lines.iter_mut().find(|known| known.id == line.id) {
                    Some(known) => *known = line.clone(),
                    None => self.lines.push(line.clone()),
                }
                self.lines.sort_by_key(|line| line.place);
            }
            Event::LineGone(gone) => self.lines.retain(|line| line.id != *gone),
            Event::Call(call) => match self.calls.iter_mut().find(|known| known.id == call.id) {
                Some(known) => known.clone_from(call),
                None => self.calls.push(call.as_ref().clone()),
            },
            Event::CallEnded(ended) => self.calls.retain(|call| call.id != ended.call.id),
            Event::Reply { .. }
            | Event::OpenMedia { .. }
            | Event::UpdateMedia { .. }
            | Event::CloseMedia { .. }
            | Event::SendDigits { .. } => {}
        }
    }
}
