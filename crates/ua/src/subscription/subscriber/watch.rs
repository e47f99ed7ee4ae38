//! One subscription of ours: its requests, what the answers mean, and what it is told.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use sip::{ClientTransaction, Dialog, Endpoint, Method, Request, Response, TransactionError};
use tracing::debug;

use super::{Standing, Subscribe, SubscriptionEnd, SubscriptionEvent, SubscriptionKey};
use crate::login::Login;
use crate::registration::refresh_after;

/// However soon the end is, a refresh that failed is not tried again earlier.
const MIN_RETRY: Duration = Duration::from_secs(5);

/// What the subscription is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    /// To be told until further notice.
    Kept,
    /// To be told once.
    Fetched,
    /// To be rid of it, once the notifier can be told so.
    Leaving,
    /// To be rid of it; the notifier is told.
    Left,
}

/// One subscription at its notifier.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) key: SubscriptionKey,
    pub(super) subscribe: Subscribe,
    call_id: String,
    tag: String,
    sequence: u32,
    login: Login,
    /// What we ask for; 423 raises it.
    expires_secs: u32,
    pub(super) goal: Goal,
    /// A SUBSCRIBE without final response.
    trying: Option<(ClientTransaction, Box<Request>)>,
    /// The last SUBSCRIBE outside of a dialog, until a NOTIFY makes one.
    pub(super) opening: Option<Box<Request>>,
    pub(super) dialog: Option<Dialog>,
    pub(super) standing: Option<Standing>,
    pub(super) refresh_at: Option<Instant>,
    pub(super) expires_at: Option<Instant>,
    /// Timer N: when a NOTIFY must have come (RFC 6665, section 4.1.2.4).
    pub(super) notify_by: Option<Instant>,
    over: bool,
    pub(super) armed: Option<Instant>,
}

/// What a subscription may reach while something happens to it.
pub(super) struct Turn<'a> {
    pub(super) endpoint: &'a mut Endpoint,
    pub(super) now: Instant,
    pub(super) clients: &'a mut HashMap<ClientTransaction, SubscriptionKey>,
    pub(super) events: &'a mut VecDeque<SubscriptionEvent>,
}

impl Watch {
    /// Sends the first SUBSCRIBE; `None` if it cannot leave.
    pub(super) fn start(
        key: SubscriptionKey,
        subscribe: Subscribe,
        turn: &mut Turn<'_>,
    ) -> Option<Self> {
        let ids = turn.endpoint.ids();
        let mut watch = Self {
            key,
            call_id: ids.call_id(),
            tag: ids.tag(),
            sequence: 0,
            login: Login::new(subscribe.credentials.clone()),
            expires_secs: u32::try_from(subscribe.expires.as_secs()).unwrap_or(u32::MAX),
            goal: if subscribe.expires.is_zero() {
                Goal::Fetched
            } else {
                Goal::Kept
            },
            subscribe,
            trying: None,
            opening: None,
            dialog: None,
            standing: None,
            refresh_at: None,
            expires_at: None,
            notify_by: None,
            over: false,
            armed: None,
        };
        let mut request = watch.request();
        watch.login.prepare(&mut request);
        watch.send(request, turn).then_some(watch)
    }

    pub(super) fn call_id(&self) -> &str {
        &self.call_id
    }

    pub(super) fn has_tag(&self, tag: &str) -> bool {
        self.tag == tag
    }

    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let refresh_at = self.refresh_at.filter(|_| self.trying.is_none());
        [refresh_at, self.expires_at, self.notify_by]
            .into_iter()
            .flatten()
            .min()
            .filter(|_| !self.over)
    }

    pub(super) fn handle_timeout(&mut self, turn: &mut Turn<'_>) {
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= turn.now);
        if due(self.notify_by) {
            let end = match self.goal {
                Goal::Leaving | Goal::Left => SubscriptionEnd::Unsubscribed,
                // Told, but not that this is all.
                Goal::Fetched if self.dialog.is_some() => SubscriptionEnd::Unsubscribed,
                Goal::Kept | Goal::Fetched => SubscriptionEnd::NoNotify,
            };
            self.end(end, turn);
        } else if due(self.expires_at) {
            self.end(SubscriptionEnd::Expired, turn);
        } else if due(self.refresh_at) {
            self.refresh(turn);
        }
    }

    /// A new SUBSCRIBE in the dialog, unless one is under way.
    pub(super) fn refresh(&mut self, turn: &mut Turn<'_>) {
        if self.trying.is_some() || self.dialog.is_none() {
            return;
        }
        self.refresh_at = None;
        let mut request = self.request();
        self.login.prepare(&mut request);
        if !self.send(request, turn) {
            self.handle_lost_refresh(SubscriptionEnd::Unreachable, None, turn);
        }
    }

    /// Ends the subscription at the notifier too. What is under way comes first, and without a
    /// dialog the NOTIFY that makes one is waited for.
    pub(super) fn unsubscribe(&mut self, turn: &mut Turn<'_>) {
        match self.goal {
            Goal::Kept => {
                self.goal = Goal::Leaving;
                self.leave(turn);
            }
            Goal::Fetched => self.goal = Goal::Left,
            Goal::Leaving | Goal::Left => {}
        }
    }

    pub(super) fn leave(&mut self, turn: &mut Turn<'_>) {
        if self.trying.is_none() && self.dialog.is_some() {
            self.goal = Goal::Left;
            self.expires_at = None;
            self.notify_by = Some(turn.now + turn.endpoint.timers().t1 * 64);
            self.refresh(turn);
        }
    }

    /// The notifier answered.
    pub(super) fn handle_response(
        &mut self,
        transaction: ClientTransaction,
        response: &Response,
        turn: &mut Turn<'_>,
    ) {
        if response.status.is_provisional() {
            return;
        }
        turn.clients.remove(&transaction);
        let Some((_, request)) = self.trying.take_if(|(own, _)| *own == transaction) else {
            return;
        };
        let retry_after = response.retry_after().ok().flatten();
        let wait = retry_after.map(|wait| Duration::from_secs(wait.seconds.into()));
        match response.status.code() {
            200..=299 => self.handle_success(&request, response, turn),
            401 | 407 => self.answer(*request, response, turn),
            423 if self.raise_interval(response) => {
                let mut request = self.request();
                self.login.prepare(&mut request);
                if !self.send(request, turn) {
                    self.end(SubscriptionEnd::Unreachable, turn);
                }
            }
            481 if self.dialog.is_some() => self.end(SubscriptionEnd::Gone, turn),
            status => self.handle_lost_refresh(
                SubscriptionEnd::Refused {
                    status,
                    retry_after: wait,
                },
                wait,
                turn,
            ),
        }
    }

    /// The notifier did not answer, or could not be reached.
    pub(super) fn handle_failure(
        &mut self,
        transaction: ClientTransaction,
        error: TransactionError,
        turn: &mut Turn<'_>,
    ) {
        turn.clients.remove(&transaction);
        if self
            .trying
            .take_if(|(own, _)| *own == transaction)
            .is_some()
        {
            let end = match error {
                TransactionError::Timeout => SubscriptionEnd::NoAnswer,
                TransactionError::Transport => SubscriptionEnd::Unreachable,
            };
            self.handle_lost_refresh(end, None, turn);
        }
    }

    fn handle_success(&mut self, request: &Request, response: &Response, turn: &mut Turn<'_>) {
        let asked = request.expires().ok().flatten().unwrap_or(0);
        let granted = response.expires().ok().flatten().unwrap_or(asked);
        match self.goal {
            Goal::Kept if granted == 0 => self.end(
                SubscriptionEnd::Terminated {
                    reason: None,
                    retry_after: None,
                },
                turn,
            ),
            Goal::Kept => {
                self.plan(granted.min(asked), turn);
                if self.dialog.is_none() {
                    self.await_notify(turn);
                }
            }
            Goal::Leaving => {
                self.await_notify(turn);
                self.leave(turn);
            }
            Goal::Fetched | Goal::Left => self.await_notify(turn),
        }
    }

    /// Starts timer N, unless it runs.
    fn await_notify(&mut self, turn: &mut Turn<'_>) {
        let by = turn.now + turn.endpoint.timers().t1 * 64;
        self.notify_by.get_or_insert(by);
    }

    /// The subscription lasts `secs` from now.
    pub(super) fn plan(&mut self, secs: u32, turn: &mut Turn<'_>) {
        self.expires_at = Some(turn.now + Duration::from_secs(secs.into()));
        self.refresh_at = Some(turn.now + refresh_after(secs, turn.endpoint.ids().u32()));
    }

    /// A refresh that failed leaves the subscription as it is until it expires (RFC 6665,
    /// section 4.1.2.2), except where the status says that it is gone for good (RFC 5057, section 5.1).
    fn handle_lost_refresh(
        &mut self,
        end: SubscriptionEnd,
        wait: Option<Duration>,
        turn: &mut Turn<'_>,
    ) {
        let fatal = matches!(
            end,
            SubscriptionEnd::Refused {
                status: 404 | 405 | 410 | 416 | 480..=485 | 489 | 501 | 604,
                ..
            }
        );
        match self.expires_at {
            _ if matches!(self.goal, Goal::Leaving | Goal::Left) => {
                self.end(SubscriptionEnd::Unsubscribed, turn);
            }
            Some(expires_at) if self.dialog.is_some() && !fatal => {
                let left = expires_at.saturating_duration_since(turn.now);
                let pause = (left / 2).max(MIN_RETRY).max(wait.unwrap_or_default());
                self.refresh_at = Some(turn.now + pause);
            }
            _ => self.end(end, turn),
        }
    }

    fn answer(&mut self, mut request: Request, response: &Response, turn: &mut Turn<'_>) {
        let sequence = self.next_sequence();
        request.set_header("CSeq", format!("{sequence} SUBSCRIBE"));
        let answered = self
            .login
            .answer(response, &mut request, turn.endpoint.ids());
        match answered {
            Ok(()) if self.send(request, turn) => {}
            Ok(()) => self.end(SubscriptionEnd::Unreachable, turn),
            Err(error) => {
                debug!(?error, "challenge not answered");
                self.end(SubscriptionEnd::Unauthorized, turn);
            }
        }
    }

    /// 423: the notifier wants longer intervals.
    fn raise_interval(&mut self, response: &Response) -> bool {
        let wanted = response.min_expires().ok().flatten().unwrap_or(0);
        let raised = self.goal == Goal::Kept && wanted > self.expires_secs;
        self.expires_secs = self.expires_secs.max(wanted);
        raised
    }

    pub(super) fn end(&mut self, end: SubscriptionEnd, turn: &mut Turn<'_>) {
        if let Some((transaction, _)) = self.trying.take() {
            turn.clients.remove(&transaction);
        }
        self.over = true;
        turn.events.push_back(SubscriptionEvent::Ended {
            subscription: self.key,
            end,
        });
    }

    fn next_sequence(&mut self) -> u32 {
        match &mut self.dialog {
            Some(dialog) => dialog.next_sequence(),
            None => {
                self.sequence += 1;
                self.sequence
            }
        }
    }

    /// A SUBSCRIBE of the dialog, or the one that is to make it.
    fn request(&mut self) -> Request {
        let mut request = match &mut self.dialog {
            Some(dialog) => dialog.request(Method::SUBSCRIBE),
            None => self.opening_request(),
        };
        let Subscribe {
            contact,
            event,
            accept,
            headers,
            ..
        } = &self.subscribe;
        let expires = match self.goal {
            Goal::Kept => self.expires_secs,
            Goal::Fetched | Goal::Leaving | Goal::Left => 0,
        };
        request.push_header("Contact", format!("<{contact}>"));
        request.push_header("Event", event.to_string());
        request.push_header("Expires", expires.to_string());
        if !accept.is_empty() {
            request.push_header("Accept", accept.join(", "));
        }
        for (name, value) in headers {
            request.push_header(name, value);
        }
        request
    }

    fn opening_request(&mut self) -> Request {
        let sequence = self.next_sequence();
        let Subscribe {
            resource,
            from,
            to,
            route,
            ..
        } = &self.subscribe;
        let mut request = Request::new(Method::SUBSCRIBE, resource.clone());
        for route in route {
            request.push_header("Route", route.to_string());
        }
        request.push_header("From", from.clone().with_tag(&self.tag).to_string());
        request.push_header("To", to.to_string());
        request.push_header("Call-ID", &self.call_id);
        request.push_header("CSeq", format!("{sequence} SUBSCRIBE"));
        request
    }

    /// Whether the request left.
    fn send(&mut self, request: Request, turn: &mut Turn<'_>) -> bool {
        let destination = self.subscribe.destination;
        let sent = turn
            .endpoint
            .send_request(request.clone(), destination, turn.now);
        let Ok(transaction) = sent else {
            return false;
        };
        turn.clients.insert(transaction, self.key);
        let request = Box::new(request);
        if self.dialog.is_none() {
            self.opening = Some(request.clone());
        }
        self.trying = Some((transaction, request));
        true
    }
}
