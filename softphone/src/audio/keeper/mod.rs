//! Keeps a card for a call: opens it, replaces it when it vanishes, takes it again when it is back.
//!
//! ```text
//!   chosen card ──vanishes──► the system's usual one ──chosen one is back──► chosen card
//!                    └──there is none──► silence, until one is there
//! ```
//!
//! A keeper is a thread of its own, because opening a card may take a while; nobody waits for it.
//! Each opened card has an end of its own, which goes to the call ([`super::card`]), so a card may
//! have another rate than the one before it. A card that cannot be used when the call begins is not
//! replaced: who chose a headset does not want to be heard through the room. It is taken as soon as
//! it can be.

mod pauses;

use std::any::Any;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use tracing::{debug, info};

use super::{AudioError, DeviceKind};
use pauses::Pauses;

/// How often the chosen card is looked for while another stands in.
const LOOK_BACK: Duration = Duration::from_secs(1);

/// What a keeper needs of the sound system.
pub(super) trait Cards: Send + 'static {
    /// The session's end of an opened card.
    type End: Send + 'static;

    /// Opens a card, the system's usual one without an id, and has it run. Blocks.
    fn open(&mut self, id: Option<&str>, watch: Watch) -> Result<Opened<Self::End>, AudioError>;

    /// The name for people of the card with this id, if it is there now. Blocks.
    fn look_up(&mut self, id: &str) -> Option<String>;
}

/// A card that runs.
pub(super) struct Opened<R> {
    pub(super) end: R,
    /// For people.
    pub(super) name: String,
    /// Dropping it closes the card.
    pub(super) stream: Box<dyn Any>,
}

/// Tells the keeper what becomes of a card that it opened.
#[derive(Clone)]
pub(super) struct Watch {
    signals: Sender<Signal>,
    opening: u64,
}

impl Watch {
    /// The card does not run any more.
    pub(super) fn ended(&self, why: String) {
        // The call may be over.
        let _ = self.signals.send(Signal::Ended(self.opening, why));
    }

    /// The system gave the stream another card, by its own choice or a person's.
    pub(super) fn moved(&self, id: String) {
        let _ = self.signals.send(Signal::Moved(self.opening, id));
    }
}

enum Signal {
    /// The call is over.
    Closed,
    Ended(u64, String),
    Moved(u64, String),
}

/// Ends the keeper, and closes its card, when it is dropped.
pub(super) struct Hold(Sender<Signal>);

impl Drop for Hold {
    fn drop(&mut self) {
        let _ = self.0.send(Signal::Closed);
    }
}

/// Starts a keeper. Rings come as cards are opened; `report` hears sentences for a person.
///
/// # Errors
///
/// [`AudioError::NoSystem`] if there is no thread for it.
pub(super) fn keep<C: Cards>(
    cards: C,
    kind: DeviceKind,
    chosen: Option<String>,
    report: Box<dyn Fn(String) + Send>,
) -> Result<(Receiver<C::End>, Hold), AudioError> {
    let (signals, told) = channel();
    let (ends, opened) = channel();
    let hold = Hold(signals.clone());
    std::thread::Builder::new()
        .name(format!("sound-{kind}"))
        .spawn(move || {
            let keeper = Keeper {
                cards,
                kind,
                chosen,
                report,
                ends,
                signals,
                openings: 0,
                card: None,
            };
            keeper.run(&told);
        })
        .map_err(|error| AudioError::NoSystem {
            reason: error.to_string(),
        })?;
    Ok((opened, hold))
}

struct Keeper<C: Cards> {
    // Closed first: who sees that no more ends come can rely on it.
    card: Option<Card>,
    cards: C,
    kind: DeviceKind,
    chosen: Option<String>,
    report: Box<dyn Fn(String) + Send>,
    ends: Sender<C::End>,
    signals: Sender<Signal>,
    openings: u64,
}

/// The card in use.
struct Card {
    opening: u64,
    name: String,
    /// Whether another one stands in for the one that was chosen.
    stands_in: bool,
    _stream: Box<dyn Any>,
}

impl<C: Cards> Keeper<C> {
    fn run(mut self, told: &Receiver<Signal>) {
        if let Err(error) = self.open_chosen() {
            (self.report)(error.to_string());
        }
        let mut may_stand_in = self.card.is_some();
        let mut pauses = Pauses::default();
        loop {
            let signal = match &self.card {
                Some(card) if !card.stands_in => {
                    told.recv().map_err(|_| RecvTimeoutError::Disconnected)
                }
                Some(_) => told.recv_timeout(LOOK_BACK),
                None => told.recv_timeout(pauses.pause()),
            };
            let is_current = |opening| {
                self.card
                    .as_ref()
                    .is_some_and(|card| card.opening == opening)
            };
            match signal {
                Ok(Signal::Closed) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(Signal::Ended(opening, why)) if is_current(opening) => self.replace(&why),
                Ok(Signal::Moved(opening, id)) if is_current(opening) => self.follow(&id),
                // Of a card that was closed meanwhile.
                Ok(Signal::Ended(..) | Signal::Moved(..)) => {}
                Err(RecvTimeoutError::Timeout) => {
                    self.look(may_stand_in);
                    pauses.grow();
                }
            }
            if self.card.is_some() {
                may_stand_in = true;
                pauses = Pauses::default();
            }
        }
    }

    fn open(&mut self, id: Option<&str>, stands_in: bool) -> Result<(), AudioError> {
        self.openings += 1;
        let watch = Watch {
            signals: self.signals.clone(),
            opening: self.openings,
        };
        let opened = self.cards.open(id, watch)?;
        info!(kind = %self.kind, card = %opened.name, "sound card in use");
        // The call may be over.
        let _ = self.ends.send(opened.end);
        // Closes the one before.
        self.card = Some(Card {
            opening: self.openings,
            name: opened.name,
            stands_in,
            _stream: opened.stream,
        });
        Ok(())
    }

    fn open_chosen(&mut self) -> Result<(), AudioError> {
        let chosen = self.chosen.clone();
        self.open(chosen.as_deref(), false)
    }

    /// The chosen card, or else the usual one.
    fn open_any(&mut self) -> Result<(), AudioError> {
        match self.open_chosen() {
            Err(_) if self.chosen.is_some() => self.open(None, true),
            other => other,
        }
    }

    /// The card has vanished.
    fn replace(&mut self, why: &str) {
        let kind = self.kind;
        let gone = self.card.take().map_or_else(String::new, |card| card.name);
        info!(%kind, card = %gone, %why, "sound card lost");
        let text = match (self.open_any(), &self.card) {
            (Ok(()), Some(card)) if card.name == gone => return,
            (Ok(()), Some(card)) => gone_text(kind, &gone, &card.name),
            _ => format!("the {kind} {gone:?} is gone and there is no other; plug one in"),
        };
        (self.report)(text);
    }

    /// The system moved the stream.
    fn follow(&mut self, id: &str) {
        // Who moves it while the chosen card is there wants it so.
        let stands_in = match &self.chosen {
            Some(chosen) if chosen != id => self.cards.look_up(chosen).is_none(),
            _ => false,
        };
        let name = self.cards.look_up(id).unwrap_or_else(|| id.to_owned());
        if let Some(card) = &mut self.card {
            let (kind, gone) = (self.kind, std::mem::replace(&mut card.name, name));
            card.stands_in = stands_in;
            (self.report)(if stands_in {
                gone_text(kind, &gone, &card.name)
            } else {
                format!("the {kind} is {:?} now", card.name)
            });
        }
    }

    /// Looks for a better card than there is now.
    fn look(&mut self, may_stand_in: bool) {
        let kind = self.kind;
        let found = match (&self.card, &self.chosen) {
            (Some(_), Some(chosen)) if self.cards.look_up(chosen).is_none() => return,
            (Some(_), _) => self.open_chosen(),
            (None, _) if may_stand_in => self.open_any(),
            (None, _) => self.open_chosen(),
        };
        match (found, &self.card) {
            (Ok(()), Some(card)) => {
                (self.report)(format!("the {kind} {:?} is used now", card.name));
            }
            (Err(error), _) => debug!(%kind, %error, "still not the sound card that is wanted"),
            (Ok(()), None) => {}
        }
    }
}

fn gone_text(kind: DeviceKind, gone: &str, instead: &str) -> String {
    format!("the {kind} {gone:?} is gone; {instead:?} is used instead")
}

#[cfg(test)]
pub(super) use tests::Told;

#[cfg(test)]
mod tests;
