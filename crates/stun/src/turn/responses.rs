//! What a TURN server's answers change.

use std::time::{Duration, Instant};

use stun_rs::StunMessage;
use stun_rs::attributes::stun::Nonce;
use stun_rs::attributes::turn::{LifeTime, XorRelayedAddress};

use super::requests::{self, Purpose};
use super::{Pending, State, TurnClient, TurnError, TurnEvent};
use crate::message::{LongTerm, Response, mapped_address};

/// A refresh is sent so long before the allocation expires.
const MARGIN: Duration = Duration::from_secs(60);

impl TurnClient {
    pub(super) fn handle_response(&mut self, pending: &Pending, response: Response, now: Instant) {
        match response {
            Response::Success(message) => self.handle_success(pending.purpose, &message, now),
            Response::Error {
                code: 401,
                realm: Some(realm),
                nonce: Some(nonce),
            } if !pending.is_authenticated => {
                let (username, password) = (&self.config.username, self.config.password.reveal());
                match LongTerm::new(username, password, &realm, &nonce) {
                    Some(credentials) => {
                        self.credentials = Some(credentials);
                        self.ask(pending.purpose, now);
                    }
                    None => self.fail(TurnError::Credentials {
                        server: self.server(),
                    }),
                }
            }
            Response::Error {
                code: 438,
                nonce: Some(nonce),
                ..
            } => self.repeat(pending.purpose, &nonce, now),
            Response::Error { code, .. } => self.handle_error(pending.purpose, code),
        }
    }

    fn repeat(&mut self, purpose: Purpose, nonce: &Nonce, now: Instant) {
        if let Some(credentials) = &mut self.credentials {
            credentials.set_nonce(nonce);
        }
        self.ask(purpose, now);
    }

    fn handle_success(&mut self, purpose: Purpose, message: &StunMessage, now: Instant) {
        match purpose {
            Purpose::Allocate => {
                let relayed = message
                    .get::<XorRelayedAddress>()
                    .and_then(|address| address.as_xor_relayed_address().ok())
                    .map(|address| *address.socket_address());
                let Some(relayed) = relayed else {
                    self.fail(TurnError::Nonsense {
                        server: self.server(),
                    });
                    return;
                };
                let refresh = now + refresh_after(message);
                self.state = State::Allocated { relayed, refresh };
                let mapped = mapped_address(message);
                self.events
                    .push_back(TurnEvent::Allocated { relayed, mapped });
                for purpose in self.peers.wanted() {
                    self.ask(purpose, now);
                }
            }
            Purpose::Refresh => {
                if let State::Allocated { refresh, .. } = &mut self.state {
                    *refresh = now + refresh_after(message);
                }
            }
            Purpose::Close => self.state = State::Over,
            Purpose::Permit(host) => self.peers.note_permitted(host, now),
            Purpose::Bind { peer, .. } => self.peers.note_bound(peer, now),
        }
    }

    fn handle_error(&mut self, purpose: Purpose, code: u16) {
        let server = self.server();
        match purpose {
            Purpose::Allocate => self.fail(match code {
                401 | 403 | 441 => TurnError::Credentials { server },
                486 | 508 => TurnError::Full { server, code },
                _ => TurnError::Refused { server, code },
            }),
            Purpose::Refresh => self.fail(TurnError::Lost { server }),
            Purpose::Close => self.state = State::Over,
            // The allocation is gone (437), or this one peer is not wanted there (403).
            Purpose::Permit(_) | Purpose::Bind { .. } if code == 437 => {
                self.fail(TurnError::Lost { server });
            }
            Purpose::Permit(host) => self.peers.refuse_host(host),
            Purpose::Bind { peer, .. } => self.peers.refuse_channel(peer),
        }
    }

    pub(super) fn fail(&mut self, error: TurnError) {
        self.pending.clear();
        if self.state != State::Closing && self.state != State::Over {
            self.events.push_back(TurnEvent::Failed(error));
        }
        self.state = State::Over;
    }
}

/// From the lifetime that the server gave.
fn refresh_after(message: &StunMessage) -> Duration {
    let granted = message
        .get::<LifeTime>()
        .and_then(|lifetime| lifetime.as_life_time().ok())
        .map_or(requests::LIFETIME_SECS, LifeTime::as_u32);
    let granted = Duration::from_secs(u64::from(granted));
    granted
        .saturating_sub(MARGIN)
        .max(granted / 2)
        .max(Duration::from_secs(1))
}
