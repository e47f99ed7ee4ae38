//! Reliable provisional responses of ours (RFC 3262, section 3).
//!
//! ```text
//!   progress ──► sent, unacknowledged ── again at T1, 2·T1, 4·T1 … ── 64·T1: 504, Ended
//!                    │ PRACK: 200
//!                    ├── next in the queue: sent
//!                    └── the owner answered meanwhile: 2xx
//! ```
//!
//! Invariants: one is under way at a time; no 2xx leaves before a description that is under way
//! was acknowledged; an offer is exchanged once, so what was agreed early is not said again.
//!
//! Not here: the PRACKs that we send (`early.rs`).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use sdp::Described;
use sip::{Answer, Fields, Method, Request, ServerTransaction};

use super::body::{description_in, offer_in, set_description};
use super::state::{Call, PeerOffer, Phase, Ringing, Turn};
use super::{CallEvent, CallFailure, CallsConfig, EndReason, ReliableProgress};
use crate::call::session_timer::Demand;

/// The option tag, in Supported and Require.
pub(super) const OPTION: &str = "100rel";

/// Most responses that wait for the PRACK of an earlier one; more replace the last.
const MAX_QUEUED: usize = 8;

/// First RSeq values are drawn below this (section 3: below 2^31).
const FIRST_BELOW: u32 = 1 << 30;

/// The reliable responses of one incoming call.
#[derive(Debug)]
pub(super) struct Reliable {
    /// The caller demands that each is reliable.
    required: bool,
    /// RSeq of the last one.
    last: Option<u32>,
    unacknowledged: Option<Unacknowledged>,
    queued: VecDeque<(u16, Option<Described>)>,
    /// The owner's answer, which waits for a PRACK.
    answer: Option<Option<Described>>,
    exchange: Exchange,
}

/// How far the descriptions are exchanged before the call is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exchange {
    /// Nothing was said reliably.
    Open,
    /// Our offer is out: the PRACK brings the answer.
    Offered,
    /// Offer and answer are known to both.
    Settled,
}

#[derive(Debug)]
struct Unacknowledged {
    answer: Option<Answer>,
    rseq: u32,
    carries_description: bool,
    resend_at: Instant,
    resend_after: Duration,
    give_up_at: Instant,
}

impl Reliable {
    /// What the INVITE and the configuration allow.
    pub(super) fn for_invite(invite: &Request, config: &CallsConfig) -> Option<Box<Self>> {
        let required = requires(invite, OPTION);
        let supported = invite
            .supported()
            .is_ok_and(|options| lists(&options, OPTION));
        let wanted = match config.reliable {
            ReliableProgress::Never => false,
            ReliableProgress::WhenRequired => required,
            ReliableProgress::WithDescription => required || supported,
        };
        wanted.then(|| {
            Box::new(Self {
                required,
                last: None,
                unacknowledged: None,
                queued: VecDeque::new(),
                answer: None,
                exchange: Exchange::Open,
            })
        })
    }

    fn deadline(&self) -> Option<Instant> {
        let waiting = self.unacknowledged.as_ref()?;
        Some(waiting.resend_at.min(waiting.give_up_at))
    }
}

impl Ringing {
    /// When to say something again.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let reliable = self
            .reliable
            .as_ref()
            .and_then(|reliable| reliable.deadline());
        let reminder = self.reminder.map(|(_, at)| at);
        reliable.into_iter().chain(reminder).min()
    }

    /// Whether offer and answer were exchanged before the call is answered.
    pub(super) fn is_settled(&self) -> bool {
        self.reliable.as_ref().is_some_and(|reliable| {
            reliable.exchange == Exchange::Settled && reliable.unacknowledged.is_none()
        })
    }

    /// Our early offer has no answer yet.
    pub(super) fn is_offering(&self) -> bool {
        self.reliable
            .as_ref()
            .is_some_and(|reliable| reliable.exchange == Exchange::Offered)
    }

    /// A description was sent reliably: the 2xx has nothing to add.
    pub(super) fn has_described(&self) -> bool {
        self.reliable
            .as_ref()
            .is_some_and(|reliable| reliable.exchange != Exchange::Open)
    }

    /// Whether a description is under way that the 2xx must not overtake.
    pub(super) fn must_wait(&self) -> bool {
        self.reliable.as_ref().is_some_and(|reliable| {
            let waiting = reliable.unacknowledged.as_ref();
            waiting.is_some_and(|waiting| waiting.carries_description)
        })
    }

    /// Keeps the owner's answer until then.
    pub(super) fn hold_answer(&mut self, answer: Option<Described>) {
        if let Some(reliable) = &mut self.reliable {
            reliable.queued.clear();
            reliable.answer = Some(answer);
        }
    }

    /// RSeq of a response that the 2xx overtakes.
    pub(super) fn late_rseq(&self) -> Option<u32> {
        let reliable = self.reliable.as_ref()?;
        Some(reliable.unacknowledged.as_ref()?.rseq)
    }
}

impl Call {
    /// Sends a provisional response reliably if it has to be. `false` if it has not.
    pub(super) fn progress_reliably(
        &mut self,
        status: u16,
        description: Option<&Described>,
        turn: &mut Turn<'_>,
    ) -> bool {
        let Phase::Ringing(ringing) = &mut self.phase else {
            return false;
        };
        let offers = self.remote.is_none();
        let Some(reliable) = &mut ringing.reliable else {
            return false;
        };
        let description = description.filter(|_| reliable.exchange == Exchange::Open);
        if !reliable.required && description.is_none() {
            return false;
        }
        if reliable.unacknowledged.is_some() || reliable.answer.is_some() {
            if reliable.queued.len() >= MAX_QUEUED {
                reliable.queued.pop_back();
            }
            reliable.queued.push_back((status, description.cloned()));
            return true;
        }
        let rseq = match reliable.last {
            Some(last) => last + 1,
            None => 1 + turn.endpoint.ids().u32() % FIRST_BELOW,
        };
        reliable.last = Some(rseq);
        if description.is_some() {
            reliable.exchange = if offers {
                Exchange::Offered
            } else {
                Exchange::Settled
            };
        }
        let transaction = ringing.transaction;
        let timers = turn.endpoint.timers();
        let Some(mut response) = self.response_to_invite(status, turn) else {
            return true;
        };
        response.push_header("Require", OPTION);
        response.push_header("RSeq", rseq.to_string());
        if let Some(description) = description {
            set_description(&mut response, description);
            self.local = Some(description.clone());
        }
        let answer = turn.answer(transaction, response);
        if let Phase::Ringing(ringing) = &mut self.phase
            && let Some(reliable) = &mut ringing.reliable
        {
            reliable.unacknowledged = Some(Unacknowledged {
                answer,
                rseq,
                carries_description: description.is_some(),
                resend_at: turn.now + timers.t1,
                resend_after: timers.t1,
                give_up_at: turn.now + timers.patience(),
            });
        }
        true
    }

    /// A PRACK is late, or the caller has to hear again that it rings.
    pub(super) fn handle_ringing_timeout(&mut self, turn: &mut Turn<'_>) {
        let Phase::Ringing(ringing) = &mut self.phase else {
            return;
        };
        let transaction = ringing.transaction;
        let mut lost = false;
        let mut again = None;
        if let Some(reliable) = &mut ringing.reliable
            && let Some(waiting) = &mut reliable.unacknowledged
        {
            if waiting.give_up_at <= turn.now {
                lost = true;
            } else if waiting.resend_at <= turn.now {
                waiting.resend_after *= 2;
                waiting.resend_at = turn.now + waiting.resend_after;
                again.clone_from(&waiting.answer);
            }
        }
        if let Some(answer) = again {
            turn.endpoint.respond_again(transaction, &answer, turn.now);
        }
        if lost {
            let _ = self.reject(504, EndReason::Failed(CallFailure::Lost), turn);
        } else {
            self.remind(turn);
        }
    }

    /// The caller acknowledges a provisional response.
    pub(super) fn handle_prack(
        &mut self,
        transaction: ServerTransaction,
        prack: Request,
        turn: &mut Turn<'_>,
    ) {
        let Ok(rack) = prack.rack() else {
            return turn.respond(transaction, prack.response(400, None));
        };
        if self
            .late_rseq
            .take_if(|rseq| *rseq == rack.response_number)
            .is_some()
        {
            return turn.respond(transaction, prack.response(200, None));
        }
        let Phase::Ringing(ringing) = &mut self.phase else {
            return turn.respond(transaction, prack.response(481, None));
        };
        let number = ringing.sequence;
        let acknowledged = ringing.reliable.as_mut().and_then(|reliable| {
            reliable.unacknowledged.take_if(|waiting| {
                waiting.rseq == rack.response_number
                    && rack.cseq_number == number
                    && rack.method == Method::INVITE
            })
        });
        if acknowledged.is_none() {
            return turn.respond(transaction, prack.response(481, None));
        }
        self.handle_prack_body(transaction, prack, turn);
        self.proceed_after_prack(turn);
    }

    /// The PRACK's description: the answer to our offer, or another offer (section 5).
    fn handle_prack_body(
        &mut self,
        transaction: ServerTransaction,
        prack: Request,
        turn: &mut Turn<'_>,
    ) {
        let Phase::Ringing(ringing) = &mut self.phase else {
            return;
        };
        let Some(reliable) = &mut ringing.reliable else {
            return;
        };
        if reliable.exchange == Exchange::Offered {
            reliable.exchange = Exchange::Settled;
            let answer = description_in(&prack);
            turn.respond(transaction, prack.response(200, None));
            self.remote = answer.clone();
            self.tell(
                CallEvent::Reanswered {
                    call: self.key,
                    answer,
                },
                turn,
            );
            return;
        }
        let is_settled = reliable.exchange == Exchange::Settled;
        match offer_in(&prack) {
            Ok(None) => turn.respond(transaction, prack.response(200, None)),
            Err(response) => turn.respond(transaction, *response),
            Ok(Some(_)) if !is_settled || self.peer_offer.is_some() => {
                turn.respond(transaction, prack.response(488, None));
            }
            Ok(offer) => {
                turn.index.add_server(transaction, self.key);
                self.peer_offer = Some(Box::new(PeerOffer {
                    transaction,
                    request: prack,
                    offer: offer.clone(),
                    timer: Demand::None,
                }));
                self.tell(
                    CallEvent::Reoffered {
                        call: self.key,
                        offer,
                    },
                    turn,
                );
            }
        }
    }

    /// What had to wait for a PRACK or for the answer to an offer in it.
    pub(super) fn proceed_after_prack(&mut self, turn: &mut Turn<'_>) {
        if self.peer_offer.is_some() {
            return;
        }
        let Phase::Ringing(ringing) = &mut self.phase else {
            return;
        };
        let Some(reliable) = &mut ringing.reliable else {
            return;
        };
        if let Some(answer) = reliable.answer.take() {
            // Ringing, as was just seen: it cannot be refused.
            let _ = self.answer(answer, turn);
        } else if let Some((status, description)) = reliable.queued.pop_front() {
            let _ = self.progress(status, description, turn);
        }
    }
}

/// The message lists `option` in Require.
pub(super) fn requires(message: &Fields, option: &str) -> bool {
    message
        .require()
        .is_ok_and(|options| lists(&options, option))
}

fn lists(options: &[&str], option: &str) -> bool {
    options
        .iter()
        .any(|listed| listed.eq_ignore_ascii_case(option))
}
