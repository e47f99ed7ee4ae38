//! Mixer: many parties in one conversation, each hears the others and not itself.
//!
//! Every 10 ms each member puts a frame in ([`Mixer::put`]), the owner calls [`Mixer::mix`] once,
//! and each party takes out what it hears ([`Mixer::heard_by`]). A *party* speaks and hears, a
//! *source* (a tone, a file) only speaks. A matrix of gains says who hears whom and how loud:
//! a party is heard by every other party, a source by nobody, until [`Mixer::set_hearing`] says
//! otherwise. With it a monitor is a party heard by none, a coach a party heard by one.
//!
//! Invariants: what a party says is taken out of its own mix exactly, to the last bit. Sums are
//! 32 bits wide and cannot overflow ([`MAX_MEMBERS`], [`Gain::MAX_DB`]); a limiter without memory
//! brings them to 16 bits, so that loud moments neither wrap nor turn down what comes after.
//! Nothing is allocated while it runs.
//!
//! Not here: where frames come from and the clock.

mod gain;
mod limit;
mod member;
#[cfg(test)]
mod tests;

use crate::frame::{FRAME_SAMPLES, Frame, SILENCE};
pub use gain::Gain;
use gain::Ramp;
use limit::limit;
use member::Member;

/// Most parties and sources in one conversation.
pub const MAX_MEMBERS: usize = 64;

/// Sums before the limiter.
type Sums = [i32; FRAME_SAMPLES];

/// Who takes part. Never used again for another, so that one that is gone means nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MemberId {
    slot: usize,
    serial: u64,
}

/// Speaks and hears, or only speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Party,
    Source,
}

impl Kind {
    /// How loud it is for parties of which nothing else was said.
    fn usual_gain(self) -> f32 {
        match self {
            Self::Party => 1.0,
            Self::Source => 0.0,
        }
    }
}

/// The conversation is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a conversation has room for {MAX_MEMBERS} parties and sources")]
pub struct MixerFull;

/// Joins frames of many into what each should hear.
#[derive(Debug, Default)]
pub struct Mixer {
    members: Vec<Option<Member>>,
    /// `hearing[listener][speaker]`, by slot.
    hearing: Vec<Vec<Ramp>>,
    /// What each hears, by slot.
    heard: Vec<Frame>,
    next_serial: u64,
}

impl Mixer {
    /// Lets in someone who speaks and hears.
    ///
    /// # Errors
    ///
    /// [`MixerFull`] at [`MAX_MEMBERS`].
    pub fn add_party(&mut self) -> Result<MemberId, MixerFull> {
        self.add(Kind::Party)
    }

    /// Adds a tone or file that is heard by nobody until [`Mixer::set_hearing`] chooses who.
    ///
    /// # Errors
    ///
    /// [`MixerFull`] at [`MAX_MEMBERS`].
    pub fn add_source(&mut self) -> Result<MemberId, MixerFull> {
        self.add(Kind::Source)
    }

    /// Takes a member out. What it said last fades within 2.5 ms, its room is free after that.
    pub fn remove(&mut self, id: MemberId) {
        if let Some(member) = self.member(id) {
            member.leave();
        }
    }

    /// Parties and sources that are in.
    #[must_use]
    pub fn len(&self) -> usize {
        let members = self.members.iter().flatten();
        members.filter(|member| !member.is_leaving()).count()
    }

    /// Whether nobody is in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How loud a member is for everyone who hears it. Reached within 10 ms, without a step.
    pub fn set_level(&mut self, id: MemberId, gain: Gain) {
        if let Some(member) = self.member(id) {
            member.set_level(gain);
        }
    }

    /// How loud `listener` hears `speaker`; multiplied with the level of the speaker. Reached
    /// within 10 ms, without a step. Nobody can be made to hear itself, and sources do not hear.
    pub fn set_hearing(&mut self, listener: MemberId, speaker: MemberId, gain: Gain) {
        let both_are_in = self.member(listener).is_some() && self.member(speaker).is_some();
        if both_are_in && listener != speaker {
            self.hearing[listener.slot][speaker.slot].go_to(gain);
        }
    }

    /// What a member says in the coming 10 ms. The last before [`Mixer::mix`] counts; without any
    /// it is silent.
    pub fn put(&mut self, id: MemberId, frame: &Frame) {
        if let Some(member) = self.member(id) {
            member.put(frame);
        }
    }

    /// Joins what was put since the last time. Once per 10 ms.
    pub fn mix(&mut self) {
        let mut everyone: Sums = [0; FRAME_SAMPLES];
        for member in self.members.iter_mut().flatten() {
            member.prepare();
            if member.kind() == Kind::Party && !member.is_silent() {
                add(&mut everyone, member.sound());
            }
        }
        for (listener, row) in self.hearing.iter_mut().enumerate() {
            let is_party = self.members[listener]
                .as_ref()
                .is_some_and(|member| member.kind() == Kind::Party);
            if is_party {
                let mut sums = everyone;
                apply_differences(&mut sums, row, &self.members);
                limit(&sums, &mut self.heard[listener]);
            }
        }
        for (slot, member) in self.members.iter_mut().enumerate() {
            if member.as_ref().is_some_and(Member::is_gone) {
                *member = None;
                self.heard[slot] = SILENCE;
            }
        }
    }

    /// What a party hears in these 10 ms, as of the last [`Mixer::mix`]. Silence for sources and
    /// for who is not in.
    #[must_use]
    pub fn heard_by(&self, id: MemberId) -> &Frame {
        let is_in = self
            .members
            .get(id.slot)
            .and_then(Option::as_ref)
            .is_some_and(|member| member.serial() == id.serial && !member.is_leaving());
        if is_in {
            &self.heard[id.slot]
        } else {
            &SILENCE
        }
    }

    fn add(&mut self, kind: Kind) -> Result<MemberId, MixerFull> {
        let slot = match self.members.iter().position(Option::is_none) {
            Some(slot) => slot,
            None if self.members.len() < MAX_MEMBERS => self.grow(),
            None => return Err(MixerFull),
        };
        let serial = self.next_serial;
        self.next_serial += 1;
        self.members[slot] = Some(Member::new(kind, serial));
        for other in 0..self.members.len() {
            let kind_of_other = self.members[other].as_ref().map_or(kind, Member::kind);
            self.hearing[slot][other] = Ramp::at(kind_of_other.usual_gain());
            self.hearing[other][slot] = Ramp::at(kind.usual_gain());
        }
        self.hearing[slot][slot] = Ramp::at(0.0);
        Ok(MemberId { slot, serial })
    }

    /// Makes room for one more; gives its slot.
    fn grow(&mut self) -> usize {
        let slot = self.members.len();
        self.members.push(None);
        self.heard.push(SILENCE);
        for row in &mut self.hearing {
            row.push(Ramp::at(0.0));
        }
        self.hearing.push(vec![Ramp::at(0.0); slot + 1]);
        slot
    }

    fn member(&mut self, id: MemberId) -> Option<&mut Member> {
        let member = self.members.get_mut(id.slot)?.as_mut()?;
        (member.serial() == id.serial && !member.is_leaving()).then_some(member)
    }
}

/// Turns the sum of all parties into what one hears: adds for each speaker only by how much its
/// gain differs from the usual one. In an ordinary conference that is the listener alone.
fn apply_differences(sums: &mut Sums, row: &mut [Ramp], members: &[Option<Member>]) {
    for (ramp, member) in row.iter_mut().zip(members) {
        let Some(member) = member else { continue };
        let usual = member.kind().usual_gain();
        let (from, to) = ramp.advance();
        if member.is_silent() || (from == usual && to == usual) {
            continue;
        }
        if from == 0.0 && to == 0.0 {
            for (sum, &sample) in sums.iter_mut().zip(member.sound()) {
                *sum -= sample;
            }
        } else {
            gain::add_scaled(sums, member.sound(), from - usual, to - usual);
        }
    }
}

fn add(sums: &mut Sums, sound: &Sums) {
    for (sum, &sample) in sums.iter_mut().zip(sound) {
        *sum += sample;
    }
}
