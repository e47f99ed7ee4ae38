//! The door: what a request from outside any dialog must pass before the proxy acts on it.
//!
//! ```text
//!   request ──► screening ──► room? ──► credentials? ──► account, remembered or looked up ──► right? ──► REGISTER, INVITE, …
//!   4xx ◄──────────┘    503 ◄───┘           └ none: challenge          503 ◄──┘ store fails     └ no: challenge or 403
//! ```
//!
//! From a trusted network no credentials are needed: there the account alone decides, and 404 or 403 says that there is none.
//!
//! The cheapest check comes first, and until the sender is proven nothing is kept of him: his request makes no transaction, his
//! answer is sent once and is not longer than one and a half times what he sent.
//!
//! Not here: the words of the answers (`door/answers.rs`), whom a proven INVITE calls (`door/called.rs`), calls that come to nothing here (`door/unrung.rs`), what is wrong with a request whoever sends it
//! (`screening.rs`), what credentials are worth (`authentication.rs`), what is remembered of accounts (`accounts.rs`), which networks are trusted (`trusted.rs`).

mod answers;
mod called;
mod unrung;

pub(crate) use unrung::new_record;

use std::sync::Arc;
use std::time::Instant;

use sip::{Aor, DialogId, Method, Output, Request};

use crate::accounts::AccountRef;
use crate::authentication::{Standing, claimed_aor, unheard};
use crate::call_record::CallEndReason;
use crate::effect::{Account, Event, LookupFailed, Ticket};
use crate::index::Found;
use crate::proxy::Proxy;
use crate::record::BindingRef;
use crate::screening::{Fault, screen};
use crate::waiting::{Answering, Pending, Purpose};

/// Where a request stands.
enum Place {
    /// In no dialog, or it must prove itself all the same.
    Outside,
    /// In a dialog of ours, which knows its sender.
    Inside,
    /// In a dialog that does not exist.
    Stray,
}

/// Whom a request claims to come from.
struct Claimed<'a> {
    aor: &'a Aor,
    /// If the request [`needs_account`] and there is one.
    account: Option<Arc<Account>>,
    /// Where the bindings lie, if there are any.
    found: Option<Found>,
}

impl Proxy {
    /// A request that is no repetition of one that is being answered.
    pub(crate) fn on_request(&mut self, pending: Pending, now: Instant) {
        let request = &pending.request;
        match self.place(request) {
            Place::Outside => {}
            Place::Inside => {
                self.pass_to_calls(pending.into_event(), now);
                return;
            }
            Place::Stray => {
                let tag = self.tag(&pending);
                self.turn_away(&pending, [pending.request.response(481, Some(&tag))]);
                return;
            }
        }
        let aor = claimed_aor(request);
        if self.guessing.is_banned(pending.flow.peer.ip(), now)
            && !aor.as_ref().is_some_and(|aor| self.is_known(aor, &pending))
        {
            self.ignore(&pending);
            return;
        }
        let judged = screen(request).and_then(|()| aor.ok_or(Fault::Malformed));
        let aor = match judged {
            Ok(aor) => aor,
            Err(fault) => {
                let tag = self.tag(&pending);
                self.turn_away(&pending, fault.responses(&pending.request, &tag));
                return;
            }
        };
        if self.is_crowded(&pending) {
            self.put_off(&pending);
            return;
        }
        if self.trusted.contain(pending.flow.peer.ip()) {
            self.believe(&aor, pending, now);
        } else {
            self.identify(&aor, pending, now);
        }
    }

    fn place(&self, request: &Request) -> Place {
        if request.method == Method::REGISTER {
            return Place::Outside;
        }
        let Some(dialog) = DialogId::of_request(request) else {
            return Place::Outside;
        };
        let is_watch = self.watching.account_of(dialog).is_some();
        match request.method {
            // A subscription proves itself each time it is renewed.
            Method::SUBSCRIBE if is_watch => Place::Outside,
            _ if is_watch || self.calls.knows(dialog) => Place::Inside,
            _ => Place::Stray,
        }
    }

    /// Whether the tables have only the room left that what is under way needs. A REGISTER and whoever is only challenged need none.
    fn is_crowded(&self, pending: &Pending) -> bool {
        let needs_room = matches!(pending.answering, Answering::Transaction(_));
        needs_room
            && (self.endpoint.len() > self.room.transactions
                || pending.request.method == Method::INVITE && self.calls.len() >= self.room.legs)
    }

    /// Whether the request comes over a flow on which `aor` was proven, or from where a device of it is registered.
    fn is_known(&self, aor: &Aor, pending: &Pending) -> bool {
        if self.guessing.is_proven(aor, &pending.flow) {
            return true;
        }
        let home = |binding: BindingRef<'_>| binding.reached_by().map(|home| home.peer().ip());
        let here = Some(pending.flow.peer.ip());
        self.bindings
            .of(aor)
            .iter()
            .any(|binding| home(binding) == here)
    }

    fn listens(&mut self, aor: &Aor, pending: &Pending, now: Instant) -> bool {
        self.guessing.listens(aor, now) || self.is_known(aor, pending)
    }

    /// Wrong credentials: who is a stranger to the account may be guessing.
    fn on_wrong(&mut self, aor: &Aor, pending: &Pending, now: Instant) {
        let source = pending.flow.peer.ip();
        if !self.is_known(aor, pending) && self.guessing.note(source, aor, now) {
            self.outputs
                .push_back(Output::Event(Event::SourceBanned { source }));
        }
    }

    /// Who needs no credentials is whom he claims to be, if there is such an account.
    fn believe(&mut self, aor: &Aor, pending: Pending, now: Instant) {
        let found = self.bindings.find(aor);
        let Some(known) = self.accounts.find(aor, now) else {
            return self.look_up(aor, pending, Purpose::Authenticate, now);
        };
        let standing = believed(known.is_some());
        let account = known.filter(|_| needs_account(&pending.request));
        let account = account.map(|account| Arc::new(account.to_account()));
        let claimed = Claimed {
            aor,
            account,
            found,
        };
        self.on_judged(pending, standing, claimed, now);
    }

    /// Who carries credentials is judged by the account of `aor`.
    fn identify(&mut self, aor: &Aor, pending: Pending, now: Instant) {
        let presented = match self.authentication.claim(&pending.request, aor) {
            Ok(presented) => presented,
            Err(standing) => return self.refuse(&pending, aor, standing, now),
        };
        if !self.listens(aor, &pending, now) {
            return self.ignore(&pending);
        }
        if let Some(standing) = unheard(&presented, &pending.flow) {
            return self.refuse(&pending, aor, standing, now);
        }
        // Both are far away in memory: the processor fetches them at the same time if nothing stands between.
        let found = self.bindings.find(aor);
        let Some(known) = self.accounts.find(aor, now) else {
            return self.look_up(aor, pending, Purpose::Authenticate, now);
        };
        let request = &pending.request;
        let standing =
            self.authentication
                .verify(request, &presented, (aor, known), &pending.flow, now);
        let account = known.filter(|_| standing == Standing::Proven && needs_account(request));
        let account = account.map(|account| Arc::new(account.to_account()));
        // A stranger who is wrong waits as long as for an account that does not exist: time must not tell which there are.
        if matches!(standing, Standing::Wrong | Standing::Foreign)
            && self.accounts.is_ahead(aor)
            && !self.is_known(aor, &pending)
        {
            return self.look_up(aor, pending, Purpose::Authenticate, now);
        }
        let claimed = Claimed {
            aor,
            account,
            found,
        };
        self.on_judged(pending, standing, claimed, now);
    }

    /// Has the edge look up an account; the request waits for the answer.
    pub(crate) fn look_up(&mut self, aor: &Aor, pending: Pending, purpose: Purpose, now: Instant) {
        match self.waiting.insert(aor, pending, purpose, now) {
            Ok(None) => {}
            Ok(Some(ticket)) => {
                let aor = aor.clone();
                self.outputs
                    .push_back(Output::Event(Event::LoadAccount { ticket, aor }));
            }
            Err(turned_away) => self.give_up(&turned_away.0, &turned_away.1, now),
        }
    }

    /// The edge has looked an account up.
    pub(crate) fn on_account(
        &mut self,
        ticket: Ticket,
        account: Result<Option<Account>, LookupFailed>,
        now: Instant,
    ) {
        // Everybody who waited may have given up meanwhile, and was answered then.
        let Some(over) = self.waiting.take(ticket) else {
            return;
        };
        let Ok(account) = account else {
            for (pending, purpose) in &over.requests {
                self.give_up(pending, purpose, now);
            }
            return;
        };
        let known = account.map(Arc::new);
        let owner = known.as_ref().map(|account| account.owner);
        if !over.is_outdated {
            self.accounts.remember(&over.aor, known.as_deref(), now);
        }
        for (pending, purpose) in over.requests {
            match purpose {
                Purpose::Authenticate => {
                    self.on_looked_up(pending, &over.aor, known.as_ref(), now);
                }
                Purpose::Call { caller, callee } => {
                    self.on_called(pending, caller, callee, owner, now);
                }
                Purpose::Watch { watcher, target } => {
                    self.on_watched(pending, &watcher, target, owner, now);
                }
            }
        }
    }

    /// An account has changed at the store; `None` says that any may have.
    pub(crate) fn on_account_changed(&mut self, aor: Option<&Aor>) {
        match aor {
            Some(aor) => self.accounts.forget(aor),
            None => self.accounts.forget_all(),
        }
        self.waiting.outdate(aor);
    }

    /// Judges who claims to be `aor`, now that it has been looked up whether there is such an account.
    fn on_looked_up(
        &mut self,
        pending: Pending,
        aor: &Aor,
        account: Option<&Arc<Account>>,
        now: Instant,
    ) {
        let claimed = (aor, account.map(|account| AccountRef::new(account)));
        let (request, flow) = (&pending.request, &pending.flow);
        let standing = match self.authentication.claim(request, aor) {
            _ if self.trusted.contain(flow.peer.ip()) => believed(account.is_some()),
            Ok(presented) => self
                .authentication
                .verify(request, &presented, claimed, flow, now),
            Err(standing) => standing,
        };
        let account = account.filter(|_| needs_account(request)).cloned();
        let found = self.bindings.find(aor);
        let claimed = Claimed {
            aor,
            account,
            found,
        };
        self.on_judged(pending, standing, claimed, now);
    }

    /// What a judgement leads to.
    fn on_judged(
        &mut self,
        pending: Pending,
        standing: Standing,
        Claimed {
            aor,
            account,
            found,
        }: Claimed<'_>,
        now: Instant,
    ) {
        match standing {
            Standing::Proven => {
                self.outputs.push_back(Output::Trust {
                    flow: pending.flow,
                    call_id: pending.request.call_id().ok().map(Box::from),
                });
                match account {
                    None => self.on_register(pending, aor, found, now),
                    Some(account) => {
                        self.guessing.prove(aor, &pending.flow);
                        self.on_proven(pending, account, now);
                    }
                }
            }
            Standing::Repeated => self.on_repeated(&pending, aor, now),
            standing => {
                if matches!(standing, Standing::Wrong | Standing::Foreign) {
                    self.on_wrong(aor, &pending, now);
                }
                self.refuse(&pending, aor, standing, now);
            }
        }
    }

    /// Anything but a REGISTER of a proven sender.
    fn on_proven(&mut self, pending: Pending, account: Arc<Account>, now: Instant) {
        if pending.request.method == Method::INVITE {
            match self.callee(&pending, &account) {
                Ok(callee) => self.call(pending, account, callee, now),
                Err(status) => {
                    let ended = (status, rule_or(status));
                    self.turn_down(&pending, &account, None, ended, now);
                }
            }
        } else if pending.request.method == Method::SUBSCRIBE {
            self.watch(pending, &account, now);
        } else {
            self.pass_to_calls(pending.into_event(), now);
        }
    }

    /// A message that was proven before. Another method than REGISTER has a transaction, which knows its copies: what comes after
    /// its end is a replay.
    fn on_repeated(&mut self, pending: &Pending, aor: &Aor, now: Instant) {
        let is_register = pending.request.method == Method::REGISTER;
        if !is_register || !self.on_register_again(pending, aor, now) {
            self.refuse(pending, aor, Standing::Unproven, now);
        }
    }
}

/// What the word of somebody in a trusted network is worth.
fn believed(is_account: bool) -> Standing {
    match is_account {
        true => Standing::Proven,
        false => Standing::Nobody,
    }
}

/// Why a call that was not tried is refused with this status: 403 is what a rule says.
fn rule_or(status: u16) -> CallEndReason {
    match status {
        403 => CallEndReason::NotPermitted,
        status => CallEndReason::of_status(status),
    }
}

/// Whether the account that a request comes from is needed for more than to know that it does: of a REGISTER the address-of-record says
/// all.
fn needs_account(request: &Request) -> bool {
    request.method != Method::REGISTER
}
