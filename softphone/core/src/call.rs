//! One call as the phone sees it: where it stands, what was agreed, what can be done.
//!
//! ```text
//! outgoing  Opening ──ports──► Dialing ──1xx──► Alerting ──2xx──► Connected
//! incoming  Ringing ──answer──► Answering ──ports, 200──► Connected
//! any       ──hang up──► Ending ──► gone
//! ```
//!
//! The signalling of the call is `ua`'s, its ports and sound are the edge's; this is the state that
//! joins the two.

use std::net::SocketAddr;
use std::time::Instant;

use sdp::{
    Direction, IceCredentials, LocalIce, LocalMedia, LocalSecurity, MasterKey, Negotiated,
    OfferAnswer, PayloadFormat, SessionDescription, SrtpSuite,
};
use sip::{Ids, NameAddr, Private, Uri};
use ua::{CallKey, ReferTarget};

use crate::command::{CallId, LineId};
use crate::info::KeyWay;
use crate::text::plain_text;
use crate::view::{Actions, CallDirection, CallView, Phase, Ringback, Transfer};

/// Longest name or number that is shown, in characters.
const MAX_PARTY: usize = 80;

/// Digits of the other side that are kept.
const MAX_DIGITS: usize = 64;

/// Where a call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Outgoing: waits for its ports.
    Opening,
    /// Outgoing: the INVITE is on its way.
    Dialing,
    /// Outgoing: it rings there.
    Alerting,
    /// Incoming: it rings here.
    Ringing,
    /// Incoming: answered by the person, waits for its ports.
    Answering,
    /// Answered.
    Connected,
    /// Hung up, not yet gone.
    Ending,
}

/// One call.
#[derive(Debug)]
pub(crate) struct PhoneCall {
    pub(crate) id: CallId,
    pub(crate) line: LineId,
    pub(crate) direction: CallDirection,
    pub(crate) stage: Stage,
    /// Its name in the user agent; an outgoing call has none before it is dialled.
    pub(crate) key: Option<CallKey>,
    /// Whom an outgoing call is for.
    pub(crate) target: Option<Uri>,
    /// The offer of an incoming call, until it is answered.
    pub(crate) offer: Option<SessionDescription>,
    pub(crate) ringback: Ringback,
    /// We want the other side on hold.
    pub(crate) on_hold: bool,
    /// A change of the session is under way.
    pub(crate) is_changing: bool,
    /// `on_hold` was changed while another change was under way.
    pub(crate) must_change: bool,
    /// Who is on the other side.
    pub(crate) peer: Uri,
    pub(crate) handover: Option<Handover>,
    /// It is given away: whatever ends it now.
    pub(crate) is_transferred: bool,
    /// The call that this one is about.
    pub(crate) consults_for: Option<CallId>,
    pub(crate) in_conference: bool,
    pub(crate) keys: KeyWay,
    local: Option<SocketAddr>,
    /// The default candidate, and all of them.
    ice: Option<(SocketAddr, LocalIce)>,
    formats: Vec<PayloadFormat>,
    security: LocalSecurity,
    session: Option<Session>,
    party: Private<String>,
    address: Private<String>,
    digits: Private<String>,
    started: Instant,
    answered: Option<Instant>,
}

/// Offer and answer of a call.
#[derive(Debug)]
struct Session {
    exchange: OfferAnswer,
    /// Of keys.
    random: Ids,
}

/// A transfer that was asked for.
#[derive(Debug)]
pub(crate) struct Handover {
    /// What waits until the session stands still.
    pub(crate) refer: Option<Box<ReferTarget>>,
    /// The call that the target has with us.
    pub(crate) with: Option<CallId>,
    pub(crate) transfer: Transfer,
}

/// What a new call is made of.
pub(crate) struct NewCall<'a> {
    pub(crate) id: CallId,
    pub(crate) line: LineId,
    pub(crate) direction: CallDirection,
    pub(crate) stage: Stage,
    pub(crate) party: &'a NameAddr,
    pub(crate) formats: Vec<PayloadFormat>,
    pub(crate) security: LocalSecurity,
}

/// A line's security with a new key for every suite.
pub(crate) fn with_new_keys(security: &LocalSecurity, random: &mut Ids) -> LocalSecurity {
    let key = |suite| {
        MasterKey::generate(suite, |bytes| {
            let fresh = random.bytes::<64>();
            bytes.copy_from_slice(&fresh[..bytes.len()]);
        })
    };
    LocalSecurity {
        keys: SrtpSuite::USUAL.map(key).into(),
        ..security.clone()
    }
}

impl PhoneCall {
    pub(crate) fn new(new: NewCall<'_>, now: Instant) -> Self {
        Self {
            id: new.id,
            line: new.line,
            direction: new.direction,
            stage: new.stage,
            key: None,
            target: None,
            offer: None,
            ringback: Ringback::None,
            on_hold: false,
            is_changing: false,
            must_change: false,
            peer: new.party.uri.clone(),
            handover: None,
            is_transferred: false,
            consults_for: None,
            in_conference: false,
            keys: KeyWay::Relay,
            local: None,
            ice: None,
            formats: new.formats,
            security: new.security,
            session: None,
            party: Private(party_name(new.party)),
            address: Private(plain_text(new.party.uri.as_str(), MAX_PARTY)),
            digits: Private(String::new()),
            started: now,
            answered: None,
        }
    }

    /// Takes in where RTP is received.
    pub(crate) fn open_session(&mut self, local: SocketAddr, mut random: Ids) {
        self.local = Some(local);
        let session_id = random.u64() >> 2;
        self.session = Some(Session {
            exchange: OfferAnswer::new(local.ip(), session_id),
            random,
        });
    }

    /// Takes in by which addresses media can be reached.
    pub(crate) fn set_candidates(&mut self, default: SocketAddr, ice: LocalIce) {
        self.ice = Some((default, ice));
    }

    pub(crate) fn has_ports(&self) -> bool {
        self.session.is_some()
    }

    /// Our side of the session as it should be now, and the state of offer and answer; `None`
    /// before the ports are open.
    pub(crate) fn session(&mut self) -> Option<(LocalMedia, &mut OfferAnswer)> {
        let session = self.session.as_mut()?;
        let mut media = match &self.ice {
            Some((default, ice)) => LocalMedia {
                ice: Some(ice.clone()),
                ..LocalMedia::audio(*default)
            },
            None => LocalMedia::audio(self.local?),
        };
        // Used only if ICE restarts.
        if let Some(ice) = &mut media.ice
            && session.exchange.negotiated().is_some()
        {
            ice.credentials = IceCredentials::generate(|bytes| {
                let fresh = session.random.bytes::<64>();
                bytes.copy_from_slice(&fresh[..bytes.len()]);
            });
        }
        media.formats.clone_from(&self.formats);
        media.security = with_new_keys(&self.security, &mut session.random);
        media.direction = if self.on_hold {
            Direction::SendOnly
        } else {
            Direction::SendRecv
        };
        Some((media, &mut session.exchange))
    }

    pub(crate) fn negotiated(&self) -> Option<&Negotiated> {
        self.session.as_ref()?.exchange.negotiated()
    }

    pub(crate) fn mark_answered(&mut self, now: Instant) {
        self.stage = Stage::Connected;
        self.ringback = Ringback::None;
        self.answered.get_or_insert(now);
    }

    pub(crate) fn answered(&self) -> Option<Instant> {
        self.answered
    }

    pub(crate) fn push_digit(&mut self, digit: char) {
        let known = digit.is_ascii_digit() || "*#ABCD".contains(digit);
        if known && self.digits.0.len() < MAX_DIGITS {
            self.digits.0.push(digit);
        }
    }

    /// A transfer is under way.
    pub(crate) fn is_leaving_us(&self) -> bool {
        self.is_transferred
            || self
                .handover
                .as_ref()
                .is_some_and(|handover| !matches!(handover.transfer, Transfer::Failed { .. }))
    }

    /// The person is busy with it: talks, or waits for an answer.
    pub(crate) fn is_in_hand(&self) -> bool {
        match self.stage {
            Stage::Opening | Stage::Dialing | Stage::Alerting | Stage::Answering => true,
            Stage::Connected => !self.on_hold,
            Stage::Ringing | Stage::Ending => false,
        }
    }

    /// The other side does not want to hear us now.
    fn is_held_by_peer(&self) -> bool {
        self.negotiated()
            .is_some_and(|negotiated| !negotiated.direction.sends())
    }

    pub(crate) fn actions(&self) -> Actions {
        let id = Some(self.id);
        let rings = self.stage == Stage::Ringing;
        let talks = self.stage == Stage::Connected;
        let only_if = |possible: bool| id.filter(|_| possible);
        Actions {
            answer: only_if(rings),
            reject: only_if(rings),
            hang_up: only_if(!rings && self.stage != Stage::Ending),
            hold: only_if(talks && !self.on_hold),
            resume: only_if(talks && self.on_hold),
            send_digits: only_if(talks),
            transfer: only_if(talks && !self.is_leaving_us()),
            join: only_if(talks && !self.in_conference && !self.is_leaving_us()),
            split: only_if(talks && self.in_conference),
        }
    }

    pub(crate) fn view(&self) -> CallView {
        CallView {
            id: self.id,
            line: self.line,
            direction: self.direction,
            phase: match self.stage {
                Stage::Opening | Stage::Dialing => Phase::Dialing,
                Stage::Alerting | Stage::Ringing => Phase::Ringing,
                Stage::Answering | Stage::Connected if self.on_hold => Phase::Held,
                Stage::Answering | Stage::Connected if self.is_held_by_peer() => Phase::HeldByPeer,
                Stage::Answering | Stage::Connected => Phase::Connected,
                Stage::Ending => Phase::Ending,
            },
            party: self.party.clone(),
            address: self.address.clone(),
            ringback: self.ringback,
            actions: self.actions(),
            answered_after: self.answered.map(|answered| answered - self.started),
            digits: self.digits.clone(),
            transfer: self.handover.as_ref().map(|handover| handover.transfer),
            in_conference: self.in_conference,
        }
    }
}

/// The name for people, else the number, else the host.
fn party_name(party: &NameAddr) -> String {
    let name = party
        .display_name
        .as_deref()
        .map(str::trim)
        .filter(|name| !name.is_empty());
    let uri = &party.uri;
    let user = uri.user_decoded();
    let number = user.as_deref().or(uri.telephone_number());
    plain_text(name.or(number).unwrap_or(uri.as_str()), MAX_PARTY)
}
