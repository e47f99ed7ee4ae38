//! Calls: INVITE dialogs from the first request to the last response (RFC 3261, sections 13–15).
//!
//! ```text
//!        dial                                   INVITE: Incoming
//!         │                                         │
//!    ┌────▼────┐ 1xx: Progress                 ┌────▼────┐ progress: 1xx
//!    │ Calling ├───────┐                       │ Ringing ├──────┐
//!    └─┬─────┬─┘       │                       └─┬─────┬─┘      │ CANCEL: 487, Ended
//!      │     │ 2xx: ACK, Answered                │     │ answer: 2xx until ACK: Confirmed
//!      │     │     ┌─────────────┐               │     │
//!      │     └─────► Established ◄───────────────┼─────┘
//!      │           └─┬─────────┬─┘               │ reject: Ended
//!  3xx–6xx, time-out:│         │ BYE: 200, Ended │
//!    Ended         hang_up:    │                 │
//!      │           BYE, Ended  │                 │
//!      │       ┌─────▼───┐     │                 │
//!      │       │ Leaving │     │                 │
//!      │       └─────┬───┘     │                 │
//!      └─────────────┴─────────┴─► Over ◄────────┘
//! ```
//!
//! | file | owns |
//! |---|---|
//! | `state.rs` | what one call remembers; ending it |
//! | `outgoing.rs`, `incoming.rs` | the two sides until the call is answered |
//! | `early.rs` | the early dialogs of a forked INVITE, and the PRACKs in them (RFC 3262) |
//! | `reliable.rs` | our own reliable provisional responses (RFC 3262) |
//! | `change.rs` | re-INVITE and UPDATE of both sides, glare, refreshes |
//! | `refer.rs` | REFER of both sides with its subscription (RFC 3515), for transfers |
//! | `replaces.rs` | which call an INVITE with Replaces means (RFC 3891) |
//! | `routing.rs` | from endpoint events and deadlines to calls |
//! | `within.rs` | BYE, INFO, OPTIONS inside the dialog |
//! | `session_timer.rs` | RFC 4028 |
//! | `body.rs` | descriptions in bodies, and what is checked before one is read |
//! | `table.rs` | which call a transaction belongs to; answered INVITEs that may be answered again |
//! | `command.rs`, `event.rs`, `failure.rs` | what the owner says and hears |
//!
//! Invariants: the owner hears exactly one [`CallEvent::Ended`] for each call it knows and nothing
//! after it, while the call may live on until the peer has answered the last request; when that
//! and 64·T1 are over, [`Calls::is_idle`]. Requests inside a dialog go where the dialog's last
//! message came from, not to a resolved Contact: that is right behind one proxy or NAT.

mod body;
mod change;
mod command;
mod early;
mod event;
mod failure;
mod incoming;
mod outgoing;
mod refer;
mod reliable;
mod replaces;
mod routing;
mod session_timer;
mod stage;
mod state;
mod table;
mod within;

use std::collections::{BTreeSet, VecDeque};
use std::time::Instant;

use sdp::{AnswerError, Described};
use sip::{Deadlines, Endpoint, Flow, KeyMap};

use body::set_description;
use state::{Call, Phase, Turn};
use table::{Index, SentInvites};

pub use command::{
    CallError, CallKey, CallsConfig, Dial, ReferId, ReferTarget, ReliableProgress, SessionTimers,
};
pub use event::CallEvent;
pub use failure::{CallFailure, EndReason};
pub use stage::{CallView, Origin, Stage, StageChange, Stages};

/// Most Reason values of one message that are told.
pub const MAX_REASONS: usize = 4;

impl CallsConfig {
    /// The least session interval that we accept, in seconds.
    fn min_se_secs(&self) -> u32 {
        let least = self
            .session_timers
            .map_or(0, |timers| timers.min_se.as_secs());
        u32::try_from(least).unwrap_or(u32::MAX)
    }
}

/// The calls of one owner.
#[derive(Debug)]
pub struct Calls {
    config: CallsConfig,
    calls: KeyMap<CallKey, Box<Call>>,
    last_key: u64,
    index: Index,
    sent: SentInvites,
    deadlines: Deadlines<CallKey>,
    /// Which calls live on which connection.
    by_connection: BTreeSet<(u64, CallKey)>,
    events: VecDeque<CallEvent>,
    /// For an owner that wants to know.
    stages: VecDeque<StageChange>,
}

impl Calls {
    /// No calls yet.
    #[must_use]
    pub fn new(config: CallsConfig) -> Self {
        // In the 32 s that an answered INVITE is kept, a call may change a few times.
        let sent = SentInvites::new(config.max_calls.saturating_mul(4).saturating_add(16));
        Self {
            config,
            calls: KeyMap::default(),
            last_key: 0,
            index: Index::default(),
            sent,
            deadlines: Deadlines::default(),
            by_connection: BTreeSet::new(),
            events: VecDeque::new(),
            stages: VecDeque::new(),
        }
    }

    /// Calls that are alive, those included whose end the peer has not confirmed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.calls.len()
    }

    /// No call is alive.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// No call is alive and nothing of a former call is remembered. For leak tests.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.calls.is_empty()
            && self.index.is_empty()
            && self.sent.is_empty()
            && self.deadlines.is_empty()
            && self.events.is_empty()
            && self.stages.is_empty()
    }

    /// Places a call.
    ///
    /// # Errors
    ///
    /// [`CallError::Full`], [`CallError::Endpoint`].
    pub fn dial(
        &mut self,
        dial: Dial,
        endpoint: &mut Endpoint,
        now: Instant,
    ) -> Result<CallKey, CallError> {
        if self.calls.len() >= self.config.max_calls {
            return Err(CallError::Full);
        }
        let key = self.next_key();
        let call = Call::dial(dial, key, &mut self.turn(endpoint, now))?;
        self.calls.insert(key, Box::new(call));
        self.settle(key);
        Ok(key)
    }

    /// Tells the caller of an incoming call how it goes: 180 rings, 183 with a description is
    /// early media. May be repeated. Sent until it is acknowledged, one after the other, where
    /// [`CallsConfig::reliable`] and the caller want it so.
    ///
    /// # Errors
    ///
    /// [`CallError::Unknown`], [`CallError::WrongState`] if it is not ringing here.
    pub fn progress(
        &mut self,
        call: CallKey,
        status: u16,
        description: Option<Described>,
        endpoint: &mut Endpoint,
        now: Instant,
    ) -> Result<(), CallError> {
        self.on(call, endpoint, now, |call, turn| {
            call.progress(status, description, turn)
        })
    }

    /// Answers an incoming call. `description` is the answer to its offer, or our offer if it had
    /// none; it counts for nothing if both were exchanged reliably before.
    /// [`CallEvent::Confirmed`] follows. Waits for the PRACK of a description under way.
    ///
    /// # Errors
    ///
    /// [`CallError::Unknown`], [`CallError::WrongState`] if it is not ringing here.
    pub fn answer(
        &mut self,
        call: CallKey,
        description: Option<Described>,
        endpoint: &mut Endpoint,
        now: Instant,
    ) -> Result<(), CallError> {
        self.on(call, endpoint, now, |call, turn| {
            call.answer(description, turn)
        })
    }

    /// Refuses an incoming call: 486 busy, 603 declined, 404 nobody of this name, 488 no codec.
    /// [`CallEvent::Ended`] follows.
    ///
    /// # Errors
    ///
    /// [`CallError::Unknown`], [`CallError::WrongState`] if it is not ringing here.
    pub fn reject(
        &mut self,
        call: CallKey,
        status: u16,
        endpoint: &mut Endpoint,
        now: Instant,
    ) -> Result<(), CallError> {
        self.on(call, endpoint, now, |call, turn| {
            call.reject(status, EndReason::LocalHangUp, turn)
        })
    }

    /// Refuses an incoming call because of its offer: 488 as a rule, with a Warning for whoever looks for the fault.
    /// [`CallEvent::Ended`] follows.
    ///
    /// # Errors
    ///
    /// [`CallError::Unknown`], [`CallError::WrongState`] if it is not ringing here.
    pub fn refuse_offer(
        &mut self,
        call: CallKey,
        error: &AnswerError,
        endpoint: &mut Endpoint,
        now: Instant,
    ) -> Result<(), CallError> {
        self.on(call, endpoint, now, |call, turn| {
            call.refuse_offer(error, turn)
        })
    }

    /// Gives our answer to the offer in [`CallEvent::Offered`], or in the
    /// [`CallEvent::Answered`] of a call that was dialled without offer: sends the ACK.
    ///
    /// # Errors
    ///
    /// [`CallError::Unknown`], [`CallError::WrongState`] if no ACK is waiting for it.
    pub fn acknowledge(
        &mut self,
        call: CallKey,
        answer: Described,
        endpoint: &mut Endpoint,
        now: Instant,
    ) -> Result<(), CallError> {
        self.on(call, endpoint, now, |call, turn| {
            let mut pending = call.pending_ack.take().ok_or(CallError::WrongState)?;
            set_description(&mut pending.ack, &answer);
            call.send_ack(pending.transaction, pending.ack, turn);
            call.local = Some(answer);
            Ok(())
        })
    }

    /// Ends a call, whatever its state: CANCEL while it rings there, 603 while it rings here, else
    /// BYE. `reason` is a Reason header value (RFC 3326) for CANCEL and BYE.
    /// [`CallEvent::Ended`] follows at once.
    ///
    /// # Errors
    ///
    /// [`CallError::Unknown`] if it is over already.
    pub fn hang_up(
        &mut self,
        call: CallKey,
        reason: Option<String>,
        endpoint: &mut Endpoint,
        now: Instant,
    ) -> Result<(), CallError> {
        self.on(call, endpoint, now, |call, turn| {
            match call.phase {
                Phase::Calling(_) => {
                    call.tell_end(EndReason::LocalHangUp, turn);
                    call.cancel(reason, turn);
                }
                Phase::Ringing(_) => call.reject(603, EndReason::LocalHangUp, turn)?,
                Phase::Established => {
                    call.tell_end(EndReason::LocalHangUp, turn);
                    call.leave(reason, turn);
                }
                Phase::Leaving | Phase::Over => return Err(CallError::Unknown),
            }
            Ok(())
        })
    }

    /// Offers another session in an established call: hold, resume, a new address. Glare is tried
    /// again by itself; while the peer's own change is under way, ours waits.
    /// [`CallEvent::Reanswered`] or [`CallEvent::ReofferFailed`] follows.
    ///
    /// # Errors
    ///
    /// [`CallError::Unknown`], [`CallError::WrongState`], or [`CallError::OfferPending`] while the
    /// last one has no answer.
    pub fn reoffer(
        &mut self,
        call: CallKey,
        offer: Described,
        endpoint: &mut Endpoint,
        now: Instant,
    ) -> Result<(), CallError> {
        self.on(call, endpoint, now, |call, turn| call.reoffer(offer, turn))
    }

    /// Asks the peer of an established call for an offer: a re-INVITE without one.
    /// [`CallEvent::Offered`] or [`CallEvent::ReofferFailed`] follows.
    ///
    /// # Errors
    ///
    /// [`CallError::Unknown`], [`CallError::WrongState`], or [`CallError::OfferPending`] while an
    /// offer of ours has no answer.
    pub fn solicit(
        &mut self,
        call: CallKey,
        endpoint: &mut Endpoint,
        now: Instant,
    ) -> Result<(), CallError> {
        self.on(call, endpoint, now, Call::solicit)
    }

    /// Answers [`CallEvent::Reoffered`]: a description, or the status to refuse with, 488 as a
    /// rule.
    ///
    /// # Errors
    ///
    /// [`CallError::Unknown`], [`CallError::WrongState`] if nothing waits for an answer.
    pub fn answer_reoffer(
        &mut self,
        call: CallKey,
        answer: Result<Described, u16>,
        endpoint: &mut Endpoint,
        now: Instant,
    ) -> Result<(), CallError> {
        self.on(call, endpoint, now, |call, turn| {
            call.answer_reoffer(answer, turn)
        })
    }

    /// Asks the peer of an established call to call somebody else: a transfer. One at a time.
    /// [`CallEvent::ReferProgress`] follows.
    ///
    /// # Errors
    ///
    /// [`CallError::Unknown`], [`CallError::WrongState`] if it is not established or the last one
    /// has no final status.
    pub fn refer(
        &mut self,
        call: CallKey,
        target: &ReferTarget,
        endpoint: &mut Endpoint,
        now: Instant,
    ) -> Result<(), CallError> {
        self.on(call, endpoint, now, |call, turn| call.refer(target, turn))
    }

    /// The owner will do what [`CallEvent::Referred`] asks for; the peer is told that it is tried.
    ///
    /// # Errors
    ///
    /// [`CallError::Unknown`], [`CallError::WrongState`] if this request waits for no answer.
    pub fn accept_refer(
        &mut self,
        call: CallKey,
        id: ReferId,
        endpoint: &mut Endpoint,
        now: Instant,
    ) -> Result<(), CallError> {
        self.on(call, endpoint, now, |call, turn| {
            call.accept_refer(id, turn)
        })
    }

    /// The owner will not do what [`CallEvent::Referred`] asks for.
    ///
    /// # Errors
    ///
    /// [`CallError::Unknown`], [`CallError::WrongState`] if this request waits for no answer.
    pub fn refuse_refer(
        &mut self,
        call: CallKey,
        id: ReferId,
        status: u16,
        endpoint: &mut Endpoint,
        now: Instant,
    ) -> Result<(), CallError> {
        self.on(call, endpoint, now, |call, turn| {
            call.refuse_refer(id, status, turn)
        })
    }

    /// Tells the peer how the call goes that it asked for; a status of 200 or more is the last.
    ///
    /// # Errors
    ///
    /// [`CallError::Unknown`], [`CallError::WrongState`] if the peer is not told of it any more.
    pub fn notify_refer(
        &mut self,
        call: CallKey,
        id: ReferId,
        status: u16,
        endpoint: &mut Endpoint,
        now: Instant,
    ) -> Result<(), CallError> {
        self.on(call, endpoint, now, |call, turn| {
            call.notify_refer(id, status, turn)
        })
    }

    /// Whether the peer has said that it takes INFO (its `Allow`).
    #[must_use]
    pub fn takes_info(&self, call: CallKey) -> bool {
        self.calls
            .get(&call)
            .is_some_and(|call| call.peer_takes_info)
    }

    /// Sends a body in INFO, digits as a rule, in the way of before RFC 6086: without a package. The next
    /// goes when this one is answered. If the peer does not take it,
    /// [`CallEvent::InfoRefused`] says so.
    ///
    /// # Errors
    ///
    /// [`CallError::Unknown`], [`CallError::WrongState`] if the call is not established or 64 wait.
    pub fn info(
        &mut self,
        call: CallKey,
        content_type: &str,
        body: bytes::Bytes,
        endpoint: &mut Endpoint,
        now: Instant,
    ) -> Result<(), CallError> {
        self.on(call, endpoint, now, |call, turn| {
            call.send_info(content_type, body, turn)
        })
    }

    /// The last description that we sent and that is in force, or is waiting for its answer.
    #[must_use]
    pub fn local_description(&self, call: CallKey) -> Option<Described> {
        self.calls.get(&call)?.local.clone()
    }

    /// The last description of the peer.
    #[must_use]
    pub fn remote_description(&self, call: CallKey) -> Option<Described> {
        self.calls.get(&call)?.remote.clone()
    }

    /// Whether an offer of ours in an established call waits for its answer.
    #[must_use]
    pub fn is_offering(&self, call: CallKey) -> bool {
        self.calls.get(&call).is_some_and(|call| call.is_offering())
    }

    /// A connection ended. Calls that rest on it live on: their next request opens another one to
    /// the same address, or comes from the peer on a new one. The endpoint has to be told too.
    pub fn handle_flow_closed(&mut self, flow: Flow) {
        let all = (flow.generation, CallKey(0))..=(flow.generation, CallKey(u64::MAX));
        let calls: Vec<_> = self.by_connection.range(all).map(|(_, key)| *key).collect();
        for key in calls {
            if let Some(call) = self.calls.get_mut(&key) {
                call.leave_flow(flow);
            }
            self.settle(key);
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let first = self.deadlines.next();
        first.into_iter().chain(self.sent.poll_timeout()).min()
    }

    /// The next thing that the owner should know.
    pub fn poll_event(&mut self) -> Option<CallEvent> {
        self.events.pop_front()
    }

    fn next_key(&mut self) -> CallKey {
        self.last_key += 1;
        CallKey(self.last_key)
    }

    fn turn<'a>(&'a mut self, endpoint: &'a mut Endpoint, now: Instant) -> Turn<'a> {
        Turn {
            endpoint,
            now,
            config: &self.config,
            index: &mut self.index,
            sent: &mut self.sent,
            events: &mut self.events,
        }
    }

    /// Carries out a command on a call.
    fn on(
        &mut self,
        key: CallKey,
        endpoint: &mut Endpoint,
        now: Instant,
        command: impl FnOnce(&mut Call, &mut Turn<'_>) -> Result<(), CallError>,
    ) -> Result<(), CallError> {
        self.with(key, endpoint, now, |call, turn| {
            if call.told_end {
                Err(CallError::Unknown)
            } else {
                command(call, turn)
            }
        })
        .unwrap_or(Err(CallError::Unknown))
    }

    /// One step of a call, and the end of the call whose place it took by that.
    fn with<R>(
        &mut self,
        key: CallKey,
        endpoint: &mut Endpoint,
        now: Instant,
        step: impl FnOnce(&mut Call, &mut Turn<'_>) -> R,
    ) -> Option<R> {
        let (result, replaced) = self.alone_with(key, endpoint, now, |call, turn| {
            let result = step(call, turn);
            (result, call.take_replaced())
        })?;
        if let Some(old) = replaced {
            self.alone_with(old, endpoint, now, |old, turn| old.yield_to(key, turn));
        }
        Some(result)
    }

    fn alone_with<R>(
        &mut self,
        key: CallKey,
        endpoint: &mut Endpoint,
        now: Instant,
        step: impl FnOnce(&mut Call, &mut Turn<'_>) -> R,
    ) -> Option<R> {
        let call = self.calls.get_mut(&key)?;
        let mut turn = Turn {
            endpoint,
            now,
            config: &self.config,
            index: &mut self.index,
            sent: &mut self.sent,
            events: &mut self.events,
        };
        let result = step(call, &mut turn);
        self.settle(key);
        Some(result)
    }

    /// Brings the deadline table in line with the call, and drops it when it is over.
    fn settle(&mut self, key: CallKey) {
        let Some(call) = self.calls.get_mut(&key) else {
            return;
        };
        if self.config.stages == Stages::Told {
            self.stages.extend(call.take_stage_change());
        }
        let over = matches!(call.phase, Phase::Over);
        let deadline = if over { None } else { call.deadline() };
        self.deadlines.arm(key, &mut call.armed, deadline);
        let connection = if over { None } else { call.connection() };
        if connection != call.rests_on {
            if let Some(former) = call.rests_on {
                self.by_connection.remove(&(former, key));
            }
            self.by_connection.extend(connection.map(|now| (now, key)));
            call.rests_on = connection;
        }
        if over {
            self.index.forget(call);
            self.calls.remove(&key);
        }
    }
}
