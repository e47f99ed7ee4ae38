//! What the notifier tells a subscription of ours (RFC 6665, section 4.1.3).

use std::time::Duration;

use sip::{Dialog, Request, Response, ServerTransaction, SubscriptionState, Substate};
use tracing::debug;

use super::watch::{Goal, Turn, Watch};
use super::{Standing, SubscriptionEnd, SubscriptionEvent};

impl Watch {
    /// The notifier tells.
    pub(super) fn handle_notify(
        &mut self,
        transaction: ServerTransaction,
        notify: &Request,
        turn: &mut Turn<'_>,
    ) {
        let response = match self.check_notify(notify) {
            Ok(state) => {
                respond(transaction, notify.response(200, None), turn);
                return self.take(notify, &state, turn);
            }
            Err(response) => *response,
        };
        respond(transaction, response, turn);
    }

    /// Whether a NOTIFY is ours; makes the dialog if it is the first.
    fn check_notify(&mut self, notify: &Request) -> Result<SubscriptionState, Box<Response>> {
        let refuse = |status: u16| Box::new(notify.response(status, None));
        let event = notify.event().map_err(|_| refuse(400))?;
        let event = event.ok_or_else(|| refuse(489))?;
        if event.package != self.subscribe.event.package {
            return Err(refuse(489));
        }
        if !event.is_same_subscription(&self.subscribe.event) {
            return Err(refuse(481));
        }
        let state = notify.subscription_state().map_err(|_| refuse(400))?;
        let state = state.ok_or_else(|| refuse(400))?;
        if !notify.body().is_empty() && !self.accepts(notify) {
            let mut response = refuse(415);
            response.push_header("Accept", self.subscribe.accept.join(", "));
            return Err(response);
        }
        self.enter_dialog(notify).map_err(refuse)?;
        Ok(state)
    }

    fn accepts(&self, notify: &Request) -> bool {
        let Ok(Some(content_type)) = notify.content_type() else {
            return false;
        };
        self.subscribe.accept.is_empty()
            || self.subscribe.accept.iter().any(|accepted| {
                accepted
                    .split_once('/')
                    .is_some_and(|(kind, subtype)| content_type.is(kind, subtype))
            })
    }

    fn enter_dialog(&mut self, notify: &Request) -> Result<(), u16> {
        if let Some(dialog) = &mut self.dialog {
            let tag = notify.from().map_err(|_| 400_u16)?;
            if tag.tag().unwrap_or_default() != dialog.id().remote_tag {
                return Err(481);
            }
            return dialog.accept(notify).map_err(|error| error.reply_status());
        }
        let opening = self.opening.as_ref().ok_or(481_u16)?;
        let dialog =
            Dialog::new_subscriber(opening, notify).map_err(|error| error.reply_status())?;
        self.dialog = Some(dialog);
        self.opening = None;
        Ok(())
    }

    fn take(&mut self, notify: &Request, state: &SubscriptionState, turn: &mut Turn<'_>) {
        if matches!(self.goal, Goal::Kept | Goal::Fetched)
            && !notify.body().is_empty()
            && let Ok(Some(content_type)) = notify.content_type()
        {
            turn.events.push_back(SubscriptionEvent::Notified {
                subscription: self.key,
                content_type,
                body: notify.body().clone(),
            });
        }
        if state.is_terminated() {
            let end = match self.goal {
                Goal::Fetched | Goal::Leaving | Goal::Left => SubscriptionEnd::Unsubscribed,
                Goal::Kept => SubscriptionEnd::Terminated {
                    reason: state.reason.as_deref().map(str::to_ascii_lowercase),
                    retry_after: state
                        .retry_after
                        .map(|secs| Duration::from_secs(secs.into())),
                },
            };
            return self.end(end, turn);
        }
        match self.goal {
            Goal::Kept => {
                self.notify_by = None;
                self.shorten(state.expires, turn);
                self.stand(&state.state, turn);
            }
            Goal::Leaving => self.leave(turn),
            // The notifier keeps a subscription that is to be none; timer N ends the wait.
            Goal::Fetched | Goal::Left => {}
        }
    }

    /// What NOTIFY says of the rest of the time counts, if it is less than what we know.
    fn shorten(&mut self, secs: Option<u32>, turn: &mut Turn<'_>) {
        let Some(secs) = secs else { return };
        let (expires_at, refresh_at) = (self.expires_at, self.refresh_at);
        self.plan(secs, turn);
        self.expires_at = self.expires_at.min(expires_at.or(self.expires_at));
        self.refresh_at = self.refresh_at.min(refresh_at.or(self.refresh_at));
    }

    fn stand(&mut self, state: &Substate, turn: &mut Turn<'_>) {
        // States of extensions count as active (RFC 6665, section 4.1.3).
        let standing = match state {
            Substate::Pending => Standing::Pending,
            _ => Standing::Active,
        };
        if self.standing != Some(standing) {
            self.standing = Some(standing);
            turn.events.push_back(SubscriptionEvent::Stands {
                subscription: self.key,
                standing,
            });
        }
    }
}

fn respond(transaction: ServerTransaction, response: Response, turn: &mut Turn<'_>) {
    if let Err(error) = turn.endpoint.respond(transaction, response, turn.now) {
        debug!(%error, "response not sent");
    }
}
