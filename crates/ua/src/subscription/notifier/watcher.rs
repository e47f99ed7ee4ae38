//! One subscription to us: its answers, its NOTIFYs and its end.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use sip::{
    ClientTransaction, Dialog, DialogId, Endpoint, Event, Flow, Method, Request, Response,
    ServerTransaction, SubscriptionState, Uri,
};
use tracing::debug;

use super::table::{Refusal, ended};
use super::{
    Audience, Body, Due, NotifierEvent, Package, Termination, WatchEnd, WatcherError, WatcherKey,
};

/// What a SUBSCRIBE asks for, within our limits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) package: Package,
    /// Zero is a fetch, or the end.
    pub(super) expires: Duration,
}

/// How a watcher stands.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    /// Its SUBSCRIBE has no answer yet.
    Asking {
        transaction: ServerTransaction,
        request: Box<Request>,
    },
    /// It is told that nothing is decided.
    Pending,
    /// It is told.
    Active,
    /// One last NOTIFY is to leave, with the state if the watcher asked for it.
    Closing {
        state: SubscriptionState,
        wants_body: Wish,
    },
    /// To be dropped.
    Over,
}

/// Whether a last NOTIFY needs the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    State,
    Nothing,
}

/// Where a NOTIFY is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Telling {
    /// Nothing to tell.
    Silent,
    /// There is news; it goes as soon as it may.
    Owed,
    /// The owner was asked for the state.
    Asked,
    /// A NOTIFY has no final response yet, and meanwhile nothing has changed.
    UnderWay { transaction: ClientTransaction },
    /// Something has.
    Overtaken { transaction: ClientTransaction },
}

/// One watcher.
#[derive(Debug)]
pub(super) struct Watcher {
    key: WatcherKey,
    package: Package,
    event: Event,
    dialog: Dialog,
    flow: Flow,
    contact: Option<Uri>,
    expires: Duration,
    expires_at: Option<Instant>,
    phase: Phase,
    telling: Telling,
    /// When the next NOTIFY may leave.
    not_before: Option<Instant>,
    version: u32,
    pub(super) armed: Option<Instant>,
}

/// What a watcher may reach while something happens to it.
pub(super) struct Turn<'a> {
    pub(super) endpoint: &'a mut Endpoint,
    pub(super) now: Instant,
    pub(super) clients: &'a mut HashMap<ClientTransaction, WatcherKey>,
    pub(super) servers: &'a mut HashMap<ServerTransaction, WatcherKey>,
    pub(super) events: &'a mut VecDeque<NotifierEvent>,
    pub(super) min_interval: Duration,
}

impl Watcher {
    /// The watcher that `subscribe` makes, or the status that refuses it.
    pub(super) fn open(
        subscribe: &Request,
        transaction: ServerTransaction,
        flow: Flow,
        tag: &str,
        asked: Asked,
    ) -> Result<Self, u16> {
        let mut dialog = Dialog::new_uas(subscribe, tag).map_err(|error| error.reply_status())?;
        dialog.confirm();
        let event = subscribe.event().ok().flatten().ok_or(489_u16)?;
        Ok(Self {
            key: WatcherKey(0),
            package: asked.package,
            event,
            dialog,
            flow,
            contact: None,
            expires: asked.expires,
            expires_at: None,
            phase: Phase::Asking {
                transaction,
                request: Box::new(subscribe.clone()),
            },
            telling: Telling::Silent,
            not_before: None,
            version: 0,
            armed: None,
        })
    }

    pub(super) fn named(self, key: WatcherKey) -> Self {
        Self { key, ..self }
    }

    pub(super) fn dialog_id(&self) -> DialogId<'_> {
        self.dialog.id()
    }

    pub(super) fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        if self.is_over() {
            return None;
        }
        let owed = self.not_before.filter(|_| self.telling == Telling::Owed);
        [owed, self.expires_at].into_iter().flatten().min()
    }

    pub(super) fn handle_timeout(&mut self, turn: &mut Turn<'_>) {
        if self.not_before.is_some_and(|at| at <= turn.now) {
            self.not_before = None;
        }
        if self.expires_at.is_some_and(|at| at <= turn.now) {
            let state = SubscriptionState::terminated("timeout");
            self.close(state, Wish::Nothing, WatchEnd::Expired, turn);
        }
    }

    pub(super) fn accept(&mut self, contact: Uri, turn: &mut Turn<'_>) -> Result<(), WatcherError> {
        self.admit(contact, Phase::Active, turn)
    }

    pub(super) fn pend(&mut self, contact: Uri, turn: &mut Turn<'_>) -> Result<(), WatcherError> {
        self.admit(contact, Phase::Pending, turn)
    }

    pub(super) fn activate(&mut self, turn: &mut Turn<'_>) -> Result<(), WatcherError> {
        if self.phase != Phase::Pending {
            return Err(WatcherError::NotNow);
        }
        self.phase = Phase::Active;
        self.changed(turn);
        Ok(())
    }

    fn admit(
        &mut self,
        contact: Uri,
        phase: Phase,
        turn: &mut Turn<'_>,
    ) -> Result<(), WatcherError> {
        let (transaction, request) = self.answerable()?;
        self.contact = Some(contact);
        self.phase = phase;
        self.grant(transaction, &request, turn);
        Ok(())
    }

    pub(super) fn reject(&mut self, status: u16, turn: &mut Turn<'_>) -> Result<(), WatcherError> {
        let (transaction, request) = self.answerable()?;
        turn.servers.remove(&transaction);
        let tag = self.dialog.id().local_tag.to_owned();
        respond(transaction, request.response(status, Some(&tag)), turn);
        self.phase = Phase::Over;
        Ok(())
    }

    fn answerable(&self) -> Result<(ServerTransaction, Box<Request>), WatcherError> {
        match &self.phase {
            Phase::Asking {
                transaction,
                request,
            } => Ok((*transaction, request.clone())),
            _ => Err(WatcherError::NotNow),
        }
    }

    /// 200 to a SUBSCRIBE, after which the full state is owed (RFC 6665, section 4.2.1.2).
    fn grant(&mut self, transaction: ServerTransaction, request: &Request, turn: &mut Turn<'_>) {
        turn.servers.remove(&transaction);
        let mut response = request.response(200, Some(self.dialog.id().local_tag));
        response.push_header("Expires", self.expires.as_secs().to_string());
        if let Some(contact) = &self.contact {
            response.push_header("Contact", format!("<{contact}>"));
        }
        respond(transaction, response, turn);
        self.not_before = None;
        if self.expires.is_zero() {
            let state = SubscriptionState::terminated("timeout");
            self.close(state, Wish::State, WatchEnd::Unsubscribed, turn);
        } else {
            self.expires_at = Some(turn.now + self.expires);
            self.changed(turn);
        }
    }

    /// A SUBSCRIBE of the dialog.
    pub(super) fn handle_refresh(
        &mut self,
        transaction: ServerTransaction,
        request: &Request,
        flow: Flow,
        asked: Result<Asked, Refusal>,
        turn: &mut Turn<'_>,
    ) {
        let refused = match (self.dialog.accept(request), asked) {
            _ if !matches!(self.phase, Phase::Pending | Phase::Active) => {
                Some(request.response(481, None))
            }
            (Err(error), _) => Some(request.response(error.reply_status(), None)),
            (Ok(()), Err(refusal)) => Some(refusal.response(request, None)),
            (Ok(()), Ok(asked)) => {
                let event = request.event().ok().flatten();
                if event.is_some_and(|event| event.is_same_subscription(&self.event)) {
                    self.expires = asked.expires;
                    None
                } else {
                    // One dialog, one subscription (RFC 6665, section 4.5.2).
                    Some(request.response(481, None))
                }
            }
        };
        match refused {
            Some(response) => respond(transaction, response, turn),
            None => {
                self.flow = flow;
                self.grant(transaction, request, turn);
            }
        }
    }

    /// The owner never answered the SUBSCRIBE.
    pub(super) fn handle_unanswered(&mut self, turn: &mut Turn<'_>) {
        if let Phase::Asking { transaction, .. } = &self.phase {
            turn.servers.remove(transaction);
            self.drop_out(WatchEnd::Lost, turn);
        }
    }

    pub(super) fn changed(&mut self, _: &mut Turn<'_>) {
        self.telling = match self.telling {
            Telling::Silent => Telling::Owed,
            Telling::UnderWay { transaction } => Telling::Overtaken { transaction },
            // What is asked for is asked for in this moment: it is the newest state.
            Telling::Owed | Telling::Asked | Telling::Overtaken { .. } => self.telling,
        };
    }

    pub(super) fn terminate(&mut self, why: Termination, turn: &mut Turn<'_>) {
        if let Ok((transaction, request)) = self.answerable() {
            turn.servers.remove(&transaction);
            let tag = self.dialog.id().local_tag.to_owned();
            respond(transaction, request.response(403, Some(&tag)), turn);
            return self.drop_out(WatchEnd::Terminated, turn);
        }
        if matches!(self.phase, Phase::Pending | Phase::Active) {
            self.close(why.state(), Wish::Nothing, WatchEnd::Terminated, turn);
        }
    }

    /// The owner hears the end now, the watcher with its last NOTIFY.
    fn close(
        &mut self,
        state: SubscriptionState,
        wants_body: Wish,
        end: WatchEnd,
        turn: &mut Turn<'_>,
    ) {
        self.phase = Phase::Closing { state, wants_body };
        self.expires_at = None;
        self.not_before = None;
        if self.telling == Telling::Asked {
            self.telling = Telling::Owed;
        }
        self.changed(turn);
        if wants_body == Wish::Nothing {
            turn.events.push_back(ended(self.key, end));
        }
    }

    /// Gone without a word.
    fn drop_out(&mut self, end: WatchEnd, turn: &mut Turn<'_>) {
        if let Telling::UnderWay { transaction } | Telling::Overtaken { transaction } = self.telling
        {
            turn.clients.remove(&transaction);
        }
        if self.is_told_of() {
            turn.events.push_back(ended(self.key, end));
        }
        self.phase = Phase::Over;
    }

    /// Whether the owner thinks that this watcher lives.
    fn is_told_of(&self) -> bool {
        match &self.phase {
            Phase::Asking { .. } | Phase::Pending | Phase::Active => true,
            Phase::Closing { wants_body, .. } => *wants_body == Wish::State,
            Phase::Over => false,
        }
    }

    /// Asks the owner for the state, or sends the last NOTIFY that needs none.
    pub(super) fn tell_if_due(&mut self, turn: &mut Turn<'_>) {
        if self.telling != Telling::Owed || self.not_before.is_some_and(|at| at > turn.now) {
            return;
        }
        let audience = match &self.phase {
            Phase::Pending => Audience::Pending,
            Phase::Active
            | Phase::Closing {
                wants_body: Wish::State,
                ..
            } => Audience::Accepted,
            Phase::Closing {
                wants_body: Wish::Nothing,
                ..
            } => return self.send(None, turn),
            Phase::Asking { .. } | Phase::Over => return,
        };
        self.telling = Telling::Asked;
        turn.events.push_back(NotifierEvent::Due(Due {
            watcher: self.key,
            version: self.version,
            audience,
        }));
    }

    pub(super) fn notify(
        &mut self,
        body: Option<Body>,
        turn: &mut Turn<'_>,
    ) -> Result<(), WatcherError> {
        if self.telling != Telling::Asked {
            return Err(WatcherError::NotNow);
        }
        self.send(body, turn);
        Ok(())
    }

    fn send(&mut self, body: Option<Body>, turn: &mut Turn<'_>) {
        let state = self.state(turn.now);
        let mut request = self.dialog.request(Method::NOTIFY);
        if let Some(contact) = &self.contact {
            request.push_header("Contact", format!("<{contact}>"));
        }
        request.push_header("Event", self.event.to_string());
        request.push_header("Subscription-State", state.to_string());
        if let Some(body) = body {
            request.set_body(body.content_type, body.bytes);
        }
        self.version = self.version.saturating_add(1);
        if let Phase::Closing {
            wants_body: wants_body @ Wish::State,
            ..
        } = &mut self.phase
        {
            *wants_body = Wish::Nothing;
            turn.events
                .push_back(ended(self.key, WatchEnd::Unsubscribed));
        }
        let sent = turn
            .endpoint
            .send_request(request, self.flow.into(), turn.now);
        match sent {
            Ok(transaction) => {
                turn.clients.insert(transaction, self.key);
                self.telling = Telling::UnderWay { transaction };
                self.not_before = Some(turn.now + turn.min_interval);
            }
            Err(error) => {
                debug!(%error, package = self.package.name, "NOTIFY not sent");
                self.telling = Telling::Silent;
                self.drop_out(WatchEnd::Lost, turn);
            }
        }
    }

    fn state(&self, now: Instant) -> SubscriptionState {
        let left = self
            .expires_at
            .map_or(0, |at| at.saturating_duration_since(now).as_secs());
        let left = u32::try_from(left).unwrap_or(u32::MAX);
        match &self.phase {
            Phase::Closing { state, .. } => state.clone(),
            Phase::Pending => SubscriptionState::pending(left),
            Phase::Asking { .. } | Phase::Active | Phase::Over => SubscriptionState::active(left),
        }
    }

    /// The watcher answered a NOTIFY. What ends the subscription is in RFC 5057, section 5.1; other
    /// refusals concern this NOTIFY alone.
    pub(super) fn handle_response(
        &mut self,
        transaction: ClientTransaction,
        status: u16,
        turn: &mut Turn<'_>,
    ) {
        self.told(transaction, turn);
        let fatal = matches!(
            status,
            401 | 404 | 405 | 407 | 408 | 410 | 416 | 480..=485 | 489 | 501 | 604
        );
        if fatal {
            self.telling = Telling::Silent;
            self.drop_out(WatchEnd::Refused { status }, turn);
        }
    }

    /// The NOTIFY did not arrive, or nobody answered.
    pub(super) fn handle_failure(&mut self, transaction: ClientTransaction, turn: &mut Turn<'_>) {
        self.told(transaction, turn);
        self.telling = Telling::Silent;
        self.drop_out(WatchEnd::Lost, turn);
    }

    /// A NOTIFY is through; the last one ends it.
    fn told(&mut self, transaction: ClientTransaction, turn: &mut Turn<'_>) {
        turn.clients.remove(&transaction);
        match self.telling {
            Telling::UnderWay { transaction: own } if own == transaction => {
                self.telling = Telling::Silent;
                if let Phase::Closing { .. } = self.phase {
                    self.phase = Phase::Over;
                }
            }
            Telling::Overtaken { transaction: own } if own == transaction => {
                self.telling = Telling::Owed;
            }
            _ => {}
        }
    }
}

impl Termination {
    fn state(self) -> SubscriptionState {
        let terminated = SubscriptionState::terminated;
        match self {
            Self::Deactivated => terminated("deactivated"),
            Self::Rejected => terminated("rejected"),
            Self::NoResource => terminated("noresource"),
            Self::Probation { retry_after } => SubscriptionState {
                retry_after: Some(u32::try_from(retry_after.as_secs()).unwrap_or(u32::MAX)),
                ..terminated("probation")
            },
        }
    }
}

fn respond(transaction: ServerTransaction, response: Response, turn: &mut Turn<'_>) {
    if let Err(error) = turn.endpoint.respond(transaction, response, turn.now) {
        debug!(%error, "response not sent");
    }
}
