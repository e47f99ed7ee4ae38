//! Webhooks: what a tenant's other programs are told of what happens (Standard Webhooks 1.0).
//!
//! ```text
//!   a deed, noted with its audit entry ──┐
//!   a call, noted by the store ──────────┼─► events and deliveries (store::webhook)
//!   who comes and goes (presence) ───────┘        │ one task (outbox)
//!                                                 ▼
//!                     message ── sign ── outgoing ──► the receiver
//! ```
//!
//! * An event is noted in the transaction of what happens: nothing is told that did not happen, and nothing that happened is forgotten when
//!   the process ends.
//! * What is sent is what the interface shows ([`api::WebhookMessage`]), without secrets.
//! * A receiver that is slow or away holds up nobody else; order is not promised.
//!
//! Not here: the operations on webhooks ([`crate::handlers`]), and where may be connected to ([`crate::egress`]).

mod deed;
mod notice;
mod outbox;
mod presence;
mod schedule;
mod sign;
pub(crate) mod wire;

use std::time::Duration;

use rustls::pki_types::CertificateDer;
use tokio::sync::Notify;

pub(crate) use deed::{tell, tell_deed};

use crate::{egress::Egress, outgoing::Outgoing};

/// What telling needs beside the store.
pub(crate) struct Webhooks {
    outgoing: Outgoing,
    times: WebhookTimes,
    /// Something is to be told.
    told: Notify,
    /// Other webhooks want to know who comes and goes.
    wanted: Notify,
}

/// How long is waited for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebhookTimes {
    /// For a receiver to take an event and answer.
    pub answer: Duration,
    /// Before the second attempt; each further pause is longer.
    pub first_pause: Duration,
    /// For devices to come back after a start, before those that have not are told to be gone.
    pub settling: Duration,
}

impl Default for WebhookTimes {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(15),
            first_pause: Duration::from_secs(10),
            settling: Duration::from_secs(60),
        }
    }
}

impl Webhooks {
    pub(crate) fn new(
        egress: Egress,
        authorities: Vec<CertificateDer<'static>>,
        times: WebhookTimes,
    ) -> Self {
        Self {
            outgoing: Outgoing::new(egress, authorities),
            times,
            told: Notify::new(),
            wanted: Notify::new(),
        }
    }

    /// Something may be to be told, and that is committed.
    pub(crate) fn wake(&self) {
        self.told.notify_one();
    }

    /// Webhooks were made, changed or removed, and that is committed.
    pub(crate) fn changed(&self) {
        self.wanted.notify_one();
    }
}
