//! A leg whose party does ICE: the relay is its lite agent (RFC 8445 section 2.5), and the pair that the party nominates
//! is where it is, instead of what signalling announced or a latch would learn (docs/decisions/0030).
//!
//! Media is taken from where a check came from until a pair is nominated, because a full agent may send before (RFC 8445 section
//! 12.1.1), and afterwards only by that pair. Nothing is sent before (section 12.1.2). A later nomination moves it. Who
//! has not been heard in any way for 30 s is not sent to any more: this agent makes no checks of its own that could prove consent (RFC 7675).

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use stun::{CheckOutcome, LiteAgent};

use super::place::Component;

/// RFC 7675 section 5.1.
const CONSENT: Duration = Duration::from_secs(30);

/// Addresses that media is taken from before one is nominated; the oldest gives way.
const MAX_CHECKED: usize = 4;

/// See the module header.
pub(super) struct LegIce {
    agent: LiteAgent,
    checked: Vec<SocketAddr>,
    /// For RTP, and for RTCP if it is apart.
    nominated: [Option<SocketAddr>; 2],
    /// A check or an accepted packet came.
    alive_at: Option<Instant>,
}

/// What to do after a check.
pub(super) struct Checked {
    /// To send back.
    pub(super) answer: Vec<u8>,
    /// The leg is found by other addresses than before.
    pub(super) is_news: bool,
}

impl LegIce {
    pub(super) fn new(agent: LiteAgent) -> Self {
        Self {
            agent,
            checked: Vec::new(),
            nominated: [None; 2],
            alive_at: None,
        }
    }

    pub(super) fn fragment(&self) -> &str {
        self.agent.fragment()
    }

    /// Goes over to other credentials; media goes on where it is until a pair is nominated by them (RFC 8445 section 9).
    pub(super) fn restart(&mut self, agent: LiteAgent) {
        self.agent = agent;
    }

    /// A STUN message came for this leg; `None` if it is forged or none of a peer.
    pub(super) fn check(
        &mut self,
        datagram: &[u8],
        component: Component,
        source: SocketAddr,
        now: Instant,
    ) -> Option<Checked> {
        let answer = self.agent.answer(datagram, source)?;
        let is_news = match answer.outcome {
            CheckOutcome::Refused => false,
            CheckOutcome::Valid => self.note_checked(component, source),
            CheckOutcome::Nominated => {
                let before = self.nominated[index(component)].replace(source);
                if component == Component::Rtp {
                    self.checked.clear();
                }
                before != Some(source)
            }
        };
        if answer.outcome != CheckOutcome::Refused {
            self.alive_at = Some(now);
        }
        Some(Checked {
            answer: answer.bytes,
            is_news,
        })
    }

    fn note_checked(&mut self, component: Component, source: SocketAddr) -> bool {
        let is_new = component == Component::Rtp
            && self.nominated(Component::Rtp).is_none()
            && !self.checked.contains(&source);
        if is_new {
            if self.checked.len() == MAX_CHECKED {
                self.checked.remove(0);
            }
            self.checked.push(source);
        }
        is_new
    }

    /// Whether RTP from there, or RTCP on its port, is the party's.
    pub(super) fn takes(&self, source: SocketAddr) -> bool {
        match self.nominated(Component::Rtp) {
            Some(nominated) => nominated == source,
            None => self.checked.contains(&source),
        }
    }

    /// Whether RTCP from there is the party's.
    pub(super) fn takes_rtcp(&self, source: SocketAddr) -> bool {
        self.takes(source) || self.nominated(Component::Rtcp) == Some(source)
    }

    /// An accepted packet came.
    pub(super) fn note_heard(&mut self, now: Instant) {
        self.alive_at = Some(now);
    }

    /// When the party was heard last.
    pub(super) fn alive_at(&self) -> Option<Instant> {
        self.alive_at
    }

    /// The pair that the party has chosen.
    pub(super) fn nominated(&self, component: Component) -> Option<SocketAddr> {
        self.nominated[index(component)]
    }

    /// Where packets for the party go, while it still wants them.
    pub(super) fn target(&self, component: Component, now: Instant) -> Option<SocketAddr> {
        let alive_at = self.alive_at?;
        let consents = now.saturating_duration_since(alive_at) < CONSENT;
        self.nominated(component).filter(|_| consents)
    }

    /// Where its packets come from.
    pub(super) fn addresses(&self) -> impl Iterator<Item = (Component, SocketAddr)> {
        let media = self.checked.iter().copied();
        let media = media.chain(self.nominated(Component::Rtp));
        let reports = self.nominated(Component::Rtcp);
        media
            .map(|address| (Component::Rtp, address))
            .chain(reports.map(|address| (Component::Rtcp, address)))
    }
}

fn index(component: Component) -> usize {
    match component {
        Component::Rtp => 0,
        Component::Rtcp => 1,
    }
}
