//! The offers and answers of one dialog (RFC 3264 section 8).
//!
//! ```text
//!            offer()                     accept_offer()
//!  LocalOffer ◄──── Stable ──── answers at once, stays Stable
//!      │ accept_answer() │ abandon()
//!      └──────────────► Stable
//! ```
//!
//! Invariant: a description of ours has at least as many media lines as the one before it in the
//! dialog, in the same places (section 8); `o=` keeps its id and its version rises by one exactly
//! when the text changes.

use std::net::IpAddr;

use crate::offer_answer::{answer_as, offered_audio};
use crate::{
    AnswerError, LocalMedia, MediaDescription, MediaIce, MediaSecurity, Negotiated, Origin,
    SessionDescription, answer, ice, negotiate, offer, security,
};

/// The offer/answer state of one dialog on our side.
#[derive(Clone, Debug)]
pub struct OfferAnswer {
    origin: Origin,
    /// The last description of ours that counts.
    local: Option<SessionDescription>,
    /// Our offer that waits for its answer.
    pending: Option<SessionDescription>,
    negotiated: Option<Negotiated>,
}

impl OfferAnswer {
    /// Nothing offered yet. `session_id` should be unique, for example random 62 bits.
    #[must_use]
    pub fn new(address: IpAddr, session_id: u64) -> Self {
        Self {
            origin: Origin::new(address, session_id, 1),
            local: None,
            pending: None,
            negotiated: None,
        }
    }

    /// What is agreed now.
    #[must_use]
    pub fn negotiated(&self) -> Option<&Negotiated> {
        self.negotiated.as_ref()
    }

    /// An offer of ours waits for its answer.
    #[must_use]
    pub fn is_offering(&self) -> bool {
        self.pending.is_some()
    }

    /// Makes an offer and remembers it until its answer. A second offer replaces the first. Keys and ICE credentials of
    /// ours that are in use stay.
    pub fn offer(&mut self, local: &LocalMedia) -> SessionDescription {
        self.offer_anew(&self.keeping_keys(&self.keeping_ice(local)))
    }

    /// Makes an offer that somebody else may answer than before: with new keys, because whoever joins a stream
    /// late cannot know how often its numbers wrapped (RFC 3711 section 3.3.1), and with new ICE credentials.
    pub fn offer_anew(&mut self, local: &LocalMedia) -> SessionDescription {
        let mut offer = offer(local, &self.origin);
        if let Some(before) = &self.local {
            let audio = offered_audio(before).unwrap_or(0);
            let line = offer.media.remove(0);
            offer.media = before
                .media
                .iter()
                .map(MediaDescription::rejected)
                .collect();
            match offer.media.get_mut(audio) {
                Some(place) => *place = line,
                None => offer.media.push(line),
            }
        }
        self.version(&mut offer);
        self.pending = Some(offer.clone());
        offer
    }

    /// Answers the peer's offer.
    ///
    /// # Errors
    ///
    /// [`AnswerError::Glare`] while an offer of ours is open; else as [`answer`]. What was agreed
    /// before stays.
    pub fn accept_offer(
        &mut self,
        offer: &SessionDescription,
        local: &LocalMedia,
    ) -> Result<(SessionDescription, Negotiated), AnswerError> {
        if self.pending.is_some() {
            return Err(AnswerError::Glare);
        }
        let (mut answer, negotiated) = self.answer_with_ice(offer, local)?;
        self.version(&mut answer);
        self.local = Some(answer.clone());
        self.negotiated = Some(negotiated.clone());
        Ok((answer, negotiated))
    }

    /// A peer that keeps its ICE credentials goes on with ours, one that restarts gets new ones (RFC 8839 section 4.4.1.1.1).
    fn answer_with_ice(
        &self,
        offer: &SessionDescription,
        local: &LocalMedia,
    ) -> Result<(SessionDescription, Negotiated), AnswerError> {
        let before = self.negotiated.as_ref().map(|agreed| &agreed.ice);
        if let Some(MediaIce::Agreed(before)) = before {
            let kept = self.answer(offer, &self.keeping_ice(local))?;
            match &kept.1.ice {
                MediaIce::Agreed(now) if now.remote != before.remote => {}
                _ => return Ok(kept),
            }
        }
        self.answer(offer, local)
    }

    /// A peer that keeps its key goes on with ours, one with a new key gets a new one.
    fn answer(
        &self,
        offer: &SessionDescription,
        local: &LocalMedia,
    ) -> Result<(SessionDescription, Negotiated), AnswerError> {
        let before = self.negotiated.as_ref().map(|agreed| &agreed.security);
        match before {
            Some(MediaSecurity::Sdes { remote, .. }) => {
                let kept = answer(offer, &self.keeping_keys(local), &self.origin)?;
                match &kept.1.security {
                    MediaSecurity::Sdes { remote: now, .. } if now == remote => Ok(kept),
                    _ => answer(offer, local, &self.origin),
                }
            }
            Some(MediaSecurity::Dtls { role, .. }) => {
                answer_as(offer, local, &self.origin, Some(*role))
            }
            Some(MediaSecurity::Plain) | None => answer(offer, local, &self.origin),
        }
    }

    fn keeping_keys(&self, local: &LocalMedia) -> LocalMedia {
        let mut local = local.clone();
        if let Some(line) = self.line_before() {
            security::keep_keys(&mut local.security, line);
        }
        local
    }

    fn keeping_ice(&self, local: &LocalMedia) -> LocalMedia {
        let mut local = local.clone();
        let before = self.line_before().and_then(ice::credentials_of);
        if let (Some(ice), Some(before)) = (&mut local.ice, before) {
            ice.credentials = before;
        }
        local
    }

    /// Our audio line as it counts now.
    fn line_before(&self) -> Option<&MediaDescription> {
        let before = self.local.as_ref()?;
        before.media.get(offered_audio(before)?)
    }

    /// Takes the answer to our open offer.
    ///
    /// # Errors
    ///
    /// [`AnswerError::NoOffer`] if none is open; else as [`negotiate`], and the offer is over.
    pub fn accept_answer(
        &mut self,
        answer: &SessionDescription,
    ) -> Result<Negotiated, AnswerError> {
        let offer = self.pending.take().ok_or(AnswerError::NoOffer)?;
        let negotiated = negotiate(&offer, answer)?;
        self.local = Some(offer);
        self.negotiated = Some(negotiated.clone());
        Ok(negotiated)
    }

    /// Takes an answer that may still change, as in a provisional response of one of several
    /// early dialogs; the offer stays open.
    ///
    /// # Errors
    ///
    /// As [`Self::accept_answer`].
    pub fn preview_answer(&self, answer: &SessionDescription) -> Result<Negotiated, AnswerError> {
        negotiate(self.pending.as_ref().ok_or(AnswerError::NoOffer)?, answer)
    }

    /// Our offer was refused: what was agreed before holds on (section 8).
    pub fn abandon(&mut self) {
        self.pending = None;
    }

    /// Gives a description the next version if its text differs from the last one.
    fn version(&mut self, description: &mut SessionDescription) {
        let last = self.pending.as_ref().or(self.local.as_ref());
        if let Some(last) = last {
            description.origin.version = last.origin.version;
            if description != last {
                description.origin.version += 1;
            }
        }
        self.origin.version = description.origin.version;
    }
}
