//! Where the sound of each call is: with the person, on hold, in the conference, or with nobody.
//!
//! It follows from how the calls stand, and is worked out anew whenever one of them changes. With the
//! person is one call at most, or the conference.

use std::path::{Path, PathBuf};

use media_io::desk::{Place, Room, SharedCard, Voice, WeakCard};
use media_io::{AfterEnd, Player, Silence};
use softphone_core::{CallDirection, CallId, CallView, Phase};

use super::sound::{CallSound, SoundPlan};
use super::{Engine, News, sound};

/// Where one call's sound is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spot {
    Person,
    Hold,
    Nobody,
    Conference,
}

/// What all calls share.
#[derive(Default)]
pub(super) struct Desk {
    /// Open while a call or a tone uses it.
    card: WeakCard,
    /// While there is a conference.
    pub(super) room: Option<Room>,
}

/// What calls on hold hear.
#[derive(Clone, Debug, Default)]
pub(super) struct HoldMusic(Option<PathBuf>);

impl HoldMusic {
    /// The music in this file; a sentence if it cannot be played, and then there is none.
    pub(super) fn new(file: Option<&Path>) -> (Self, Option<String>) {
        let Some(file) = file else {
            return (Self(None), None);
        };
        match Player::open(file, AfterEnd::Loop) {
            Ok(_) => (Self(Some(file.to_owned())), None),
            Err(error) => {
                let why = sound::chain(&error);
                let text = format!("calls on hold hear silence, not music: {why}");
                (Self(None), Some(text))
            }
        }
    }

    /// From its beginning, if there is any. Blocks for a moment.
    pub(super) fn open(&self) -> Option<Result<Player, String>> {
        let file = self.0.as_deref()?;
        Some(Player::open(file, AfterEnd::Loop).map_err(|error| sound::chain(&error)))
    }
}

impl Desk {
    /// The sound card of all calls, opened if it is not open; `None` if none is wanted.
    pub(super) fn card(
        &mut self,
        plan: &SoundPlan,
        report: impl Fn(String) + Clone + Send + 'static,
    ) -> Option<SharedCard> {
        if let Some(card) = self.card.upgrade() {
            return Some(card);
        }
        let card = plan.open_card(report)?;
        self.card = card.downgrade();
        Some(card)
    }
}

impl Engine {
    /// The card for a call with this sound, if it uses one.
    pub(super) fn card_for(&mut self, sound: &CallSound) -> Option<SharedCard> {
        if !sound.uses_card() {
            return None;
        }
        let news = self.news.clone();
        let report = move |problem| {
            // Never waits; a problem that is lost is in the log.
            if let Err(error) = news.try_send(News::Card(problem)) {
                tracing::warn!(%error, "news of a sound card were lost");
            }
        };
        self.desk.card(&self.sound, report)
    }

    /// Moves every call to where its sound should be now.
    pub(super) fn arrange(&mut self) {
        let spots = spots(&self.view.calls);
        // Who leaves goes first: the person has one microphone.
        for comes in [false, true] {
            for &(call, spot) in &spots {
                let talks = matches!(spot, Spot::Person | Spot::Conference);
                if talks == comes {
                    self.put(call, spot);
                }
            }
        }
        self.set_voices();
        self.sound_tones();
        if !spots.iter().any(|(_, spot)| *spot == Spot::Conference)
            && !self.view.calls.iter().any(|call| call.in_conference)
        {
            self.close_room();
        }
    }

    fn put(&mut self, call: CallId, spot: Spot) {
        let room = match spot {
            Spot::Conference => Some(self.desk.room.get_or_insert_default().clone()),
            _ => None,
        };
        let Some(edge) = self.calls.get_mut(&call) else {
            return;
        };
        let Some(media) = edge.media.as_ref().filter(|_| edge.spot != Some(spot)) else {
            return;
        };
        edge.spot = Some(spot);
        match (spot, room) {
            (Spot::Conference, Some(room)) => media.port().set_place(Place::Room(room)),
            (Spot::Person, _) => media.port().set_place(Place::Person),
            (Spot::Hold, _) => {
                media.port().set_place(Place::Alone(Box::new(Silence)));
                media.play_music(self.hold_music.clone());
            }
            (Spot::Nobody | Spot::Conference, _) => {
                media.port().set_place(Place::Alone(Box::new(Silence)));
            }
        }
    }

    /// Who is heard: microphones that are muted, members of the conference that are, hold music of others.
    fn set_voices(&mut self) {
        for call in &self.view.calls {
            let Some(edge) = self.calls.get_mut(&call.id) else {
                continue;
            };
            let Some(media) = &edge.media else { continue };
            let seat = media.port().seat();
            if let (Some(seat), Some(room)) = (seat, &self.desk.room) {
                let voice = |muted| if muted { Voice::Muted } else { Voice::Heard };
                room.set_person_for(seat, voice(edge.is_muted));
                room.set_voice(
                    seat,
                    voice(edge.is_silenced || call.phase == Phase::HeldByPeer),
                );
            }
            // In the conference it still hears the others.
            let muted = edge.is_muted && seat.is_none();
            if edge.told_muted != muted {
                edge.told_muted = muted;
                media.mute(muted);
            }
        }
    }

    fn close_room(&mut self) {
        if let Some(room) = self.desk.room.take() {
            self.end_room(&room);
        }
    }
}

/// Where each call's sound belongs. A call that is being ended stays where it was.
fn spots(calls: &[CallView]) -> Vec<(CallId, Spot)> {
    let talks = |call: &&CallView| matches!(call.phase, Phase::Connected | Phase::HeldByPeer);
    let dials = |call: &&CallView| {
        call.direction == CallDirection::Outgoing
            && matches!(call.phase, Phase::Dialing | Phase::Ringing)
    };
    let with_person = match calls.iter().rfind(talks) {
        Some(call) => Some(call.id),
        // Early media of the last that was dialled.
        None => calls.iter().rfind(dials).map(|call| call.id),
    };
    let of = |call: &CallView| match call.phase {
        Phase::Ending => None,
        Phase::Held => Some(Spot::Hold),
        Phase::Connected | Phase::HeldByPeer if call.in_conference => Some(Spot::Conference),
        _ if with_person == Some(call.id) => Some(Spot::Person),
        _ => Some(Spot::Nobody),
    };
    calls
        .iter()
        .filter_map(|call| Some((call.id, of(call)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use sip::Private;
    use softphone_core::{Actions, LineId, Ringback};

    use super::*;

    fn call(id: u64, phase: Phase, direction: CallDirection, in_conference: bool) -> CallView {
        CallView {
            id: CallId(id),
            line: LineId(1),
            direction,
            phase,
            party: Private(String::new()),
            address: Private(String::new()),
            ringback: Ringback::None,
            actions: Actions::default(),
            answered_after: None,
            digits: Private(String::new()),
            transfer: None,
            in_conference,
        }
    }

    fn placed(calls: &[(Phase, CallDirection, bool)]) -> Vec<Spot> {
        let views: Vec<_> = (1..)
            .zip(calls)
            .map(|(id, (phase, direction, joined))| call(id, *phase, *direction, *joined))
            .collect();
        spots(&views).into_iter().map(|(_, spot)| spot).collect()
    }

    #[test]
    fn one_call_is_with_the_person_and_those_on_hold_hear_music() {
        use CallDirection::{Incoming, Outgoing};
        let calls = [
            (Phase::Held, Outgoing, false),
            (Phase::Connected, Incoming, false),
            (Phase::Ringing, Incoming, false),
        ];
        assert_eq!(placed(&calls), [Spot::Hold, Spot::Person, Spot::Nobody]);
        let calls = [
            (Phase::Held, Outgoing, false),
            (Phase::Ringing, Outgoing, false),
        ];
        assert_eq!(placed(&calls), [Spot::Hold, Spot::Person], "early media");
        let calls = [
            (Phase::Ringing, Outgoing, false),
            (Phase::Connected, Incoming, false),
            (Phase::Ending, Outgoing, false),
        ];
        assert_eq!(placed(&calls), [Spot::Nobody, Spot::Person]);
    }

    #[test]
    fn members_of_the_conference_are_in_it_unless_they_are_on_hold() {
        use CallDirection::Outgoing;
        let calls = [
            (Phase::Connected, Outgoing, true),
            (Phase::Held, Outgoing, true),
            (Phase::HeldByPeer, Outgoing, true),
        ];
        let spots = placed(&calls);
        assert_eq!(spots, [Spot::Conference, Spot::Hold, Spot::Conference]);
    }
}
