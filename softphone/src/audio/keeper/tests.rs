use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::*;

const KIND: DeviceKind = DeviceKind::Microphone;
/// Nothing here takes so long unless it never comes.
const NEVER: Duration = Duration::from_secs(10);
/// A keeper that is awake does what it does within this.
const MARGIN: Duration = Duration::from_millis(200);

/// What a keeper is told of a stream.
pub(in crate::audio) struct Told(Receiver<Signal>);

impl Watch {
    /// Without a keeper.
    pub(in crate::audio) fn of_a_test() -> (Self, Told) {
        let (signals, told) = channel();
        let watch = Self {
            signals,
            opening: 1,
        };
        (watch, Told(told))
    }
}

impl Told {
    /// Why it ended, each time.
    pub(in crate::audio) fn ended(&self) -> Vec<String> {
        let why = |signal| match signal {
            Signal::Ended(_, why) => Some(why),
            Signal::Closed | Signal::Moved(..) => None,
        };
        self.0.try_iter().filter_map(why).collect()
    }
}

/// A sound system whose cards are plugged and unplugged by a test. An end is the name of its card.
#[derive(Clone, Default)]
struct Desk(Arc<Mutex<Plugged>>);

#[derive(Default)]
struct Plugged {
    cards: Vec<&'static str>,
    /// Those that are there and cannot be used.
    busy: Vec<&'static str>,
    watches: BTreeMap<&'static str, Watch>,
    in_use: Vec<&'static str>,
}

impl Desk {
    fn new(cards: &[&'static str]) -> Self {
        let desk = Self::default();
        desk.0.lock().unwrap().cards = cards.to_vec();
        desk
    }

    fn plug(&self, card: &'static str) {
        self.0.lock().unwrap().cards.push(card);
    }

    fn unplug(&self, card: &'static str) {
        let mut desk = self.0.lock().unwrap();
        desk.cards.retain(|known| *known != card);
        desk.watches
            .remove(card)
            .unwrap()
            .ended("pulled".to_owned());
    }
}

/// Closes its card.
struct Stream(Desk, &'static str);

impl Drop for Stream {
    fn drop(&mut self) {
        let Self(desk, name) = self;
        desk.0.lock().unwrap().in_use.retain(|used| used != name);
    }
}

impl Cards for Desk {
    type End = &'static str;

    fn open(&mut self, id: Option<&str>, watch: Watch) -> Result<Opened<Self::End>, AudioError> {
        let mut desk = self.0.lock().unwrap();
        // The first is the usual one.
        let found = desk
            .cards
            .iter()
            .find(|name| id.is_none_or(|id| id == **name));
        let name = *found.ok_or(AudioError::NoDevice { kind: KIND })?;
        if desk.busy.contains(&name) {
            return Err(AudioError::Refused {
                kind: KIND,
                name: name.to_owned(),
                reason: "busy".to_owned(),
            });
        }
        desk.watches.insert(name, watch);
        desk.in_use.push(name);
        Ok(Opened {
            end: name,
            name: name.to_owned(),
            stream: Box::new(Stream(self.clone(), name)),
        })
    }

    fn look_up(&mut self, id: &str) -> Option<String> {
        let desk = self.0.lock().unwrap();
        desk.cards.contains(&id).then(|| id.to_owned())
    }
}

/// A keeper, the cards that it opens, and what it says.
struct Kept {
    ends: Receiver<&'static str>,
    said: Receiver<String>,
    hold: Hold,
}

fn kept(desk: &Desk, chosen: Option<&str>) -> Kept {
    let (says, said) = channel();
    let report = move |text| drop(says.send(text));
    let chosen = chosen.map(str::to_owned);
    let (ends, hold) = keep(desk.clone(), KIND, chosen, Box::new(report)).unwrap();
    Kept { ends, said, hold }
}

impl Kept {
    fn opens(&self) -> &'static str {
        self.ends.recv_timeout(NEVER).unwrap()
    }

    fn says(&self) -> String {
        self.said.recv_timeout(NEVER).unwrap()
    }
}

#[test]
fn a_card_that_vanishes_is_replaced_by_the_usual_one_and_taken_again_when_it_is_back() {
    let desk = Desk::new(&["room", "headset"]);
    let kept = kept(&desk, Some("headset"));
    assert_eq!(kept.opens(), "headset");
    desk.unplug("headset");
    assert_eq!(kept.opens(), "room");
    let said = kept.says();
    assert_eq!(
        said,
        "the microphone \"headset\" is gone; \"room\" is used instead"
    );
    desk.plug("headset");
    assert_eq!(kept.opens(), "headset");
    assert_eq!(kept.says(), "the microphone \"headset\" is used now");
    assert_eq!(desk.0.lock().unwrap().in_use, ["headset"]);
}

#[test]
fn without_another_card_the_person_is_told_once_and_the_next_one_is_taken() {
    let desk = Desk::new(&["headset"]);
    let kept = kept(&desk, Some("headset"));
    assert_eq!(kept.opens(), "headset");
    desk.unplug("headset");
    assert!(kept.says().ends_with("there is no other; plug one in"));
    desk.plug("room");
    assert_eq!(kept.opens(), "room");
    assert_eq!(kept.says(), "the microphone \"room\" is used now");
}

#[test]
fn a_chosen_card_that_is_missing_at_first_is_told_and_not_replaced_but_taken_later() {
    let desk = Desk::new(&["room"]);
    let kept = kept(&desk, Some("headset"));
    assert_eq!(kept.says(), "no sound card: this system has no microphone");
    desk.plug("headset");
    assert_eq!(kept.opens(), "headset", "and not the room");
}

#[test]
fn a_card_that_is_back_but_cannot_be_used_does_not_end_the_one_that_stands_in() {
    let desk = Desk::new(&["room", "headset"]);
    let kept = kept(&desk, Some("headset"));
    assert_eq!(kept.opens(), "headset");
    desk.unplug("headset");
    assert_eq!(kept.opens(), "room");
    kept.says();
    desk.0.lock().unwrap().busy.push("headset");
    desk.plug("headset");
    assert!(kept.ends.recv_timeout(LOOK_BACK + MARGIN).is_err());
    assert_eq!(desk.0.lock().unwrap().in_use, ["room"]);
    desk.unplug("room");
    assert!(kept.says().contains("\"room\" is gone"));
}

#[test]
fn who_moves_the_sound_to_another_card_keeps_it_there() {
    let desk = Desk::new(&["room", "headset"]);
    let kept = kept(&desk, Some("headset"));
    assert_eq!(kept.opens(), "headset");
    desk.0.lock().unwrap().watches["headset"].moved("room".to_owned());
    assert_eq!(kept.says(), "the microphone is \"room\" now");
    assert!(kept.ends.recv_timeout(LOOK_BACK + MARGIN).is_err());
}

#[test]
fn sound_that_the_system_moved_off_a_card_that_is_gone_comes_back_with_it() {
    let desk = Desk::new(&["room", "headset"]);
    let kept = kept(&desk, Some("headset"));
    assert_eq!(kept.opens(), "headset");
    {
        let mut desk = desk.0.lock().unwrap();
        desk.cards.retain(|card| *card != "headset");
        desk.watches["headset"].moved("room".to_owned());
    }
    assert_eq!(
        kept.says(),
        "the microphone \"headset\" is gone; \"room\" is used instead"
    );
    desk.plug("headset");
    assert_eq!(kept.opens(), "headset");
}

#[test]
fn the_card_is_closed_when_the_call_is_over() {
    let desk = Desk::new(&["room"]);
    let kept = kept(&desk, None);
    assert_eq!(kept.opens(), "room");
    drop(kept.hold);
    // When the keeper ends, no more ends come.
    assert!(matches!(
        kept.ends.recv_timeout(NEVER),
        Err(RecvTimeoutError::Disconnected)
    ));
    assert!(desk.0.lock().unwrap().in_use.is_empty());
}
