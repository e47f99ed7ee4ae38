//! What the person hears beside calls: that it rings there, that it is busy, that somebody else calls, that it
//! rings here.
//!
//! Tones go to the sound card alone, never into a file in its place, but for the call-waiting tone, which is
//! mixed into the running call.

use std::path::PathBuf;
use std::time::Duration;

use media::tone::{Country, Indication, SupervisoryTone, Tone};
use media::{FRAME_SAMPLES, Frame, SAMPLE_RATE_HZ};
use media_io::desk::Pump;
use media_io::{AfterEnd, AudioSource, Player};
use softphone_core::{CallDirection, CallEnded, CallView, Phase, Ringback};
use tokio::task::JoinHandle;

use super::desk::Spot;
use super::{Engine, News, sound, state};
use crate::audio;
use crate::failure::FailureKind;

/// How long it is heard that a call came to nothing.
const AFTER: Duration = Duration::from_secs(5);

/// Tones of one phone.
pub(super) struct Tones {
    /// `None`: no tones.
    country: Option<Country>,
    ring: Option<RingPlan>,
    playing: Option<(Indication, Pump)>,
    /// Heard although no call is left, with a number that tells one from the next.
    after: Option<(Indication, u64)>,
    afters: u64,
    ringing: Option<Ringing>,
}

/// How it rings.
#[derive(Clone, Debug)]
pub(super) struct RingPlan {
    /// A loudspeaker; the system's usual one without an id.
    pub(super) device: Option<String>,
    /// Heard in place of the built-in sound.
    pub(super) file: Option<PathBuf>,
}

/// It rings until this is dropped.
struct Ringing(JoinHandle<()>);

impl Drop for Ringing {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Tones {
    pub(super) fn new(country: Option<Country>, ring: Option<RingPlan>) -> Self {
        Self {
            country,
            ring,
            playing: None,
            after: None,
            afters: 0,
            ringing: None,
        }
    }
}

impl Engine {
    /// A call came to nothing: the person hears how.
    pub(super) fn note_end(&mut self, ended: &CallEnded) {
        let Some(indication) = tone_after(ended) else {
            return;
        };
        self.tones.afters += 1;
        let number = self.tones.afters;
        self.tones.after = Some((indication, number));
        let news = self.news.clone();
        self.tasks.spawn(async move {
            tokio::time::sleep(AFTER).await;
            // The engine may be gone.
            let _ = news.send(News::ToneOver(number)).await;
        });
    }

    pub(super) fn end_tone(&mut self, number: u64) {
        if self.tones.after.is_some_and(|(_, last)| last == number) {
            self.tones.after = None;
            self.sound_tones();
        }
    }

    /// Lets those tones sound, and no others, that belong to how the calls stand.
    pub(super) fn sound_tones(&mut self) {
        if !self.view.calls.is_empty() {
            self.tones.after = None;
        }
        let after = self.tones.after.map(|(indication, _)| indication);
        let wanted = ringback(&self.view.calls).or(after);
        if self.tones.playing.as_ref().map(|(of, _)| *of) != wanted {
            self.tones.playing = None;
            self.tones.playing = wanted.and_then(|indication| self.play(indication));
        }
        self.sound_call_waiting();
        let rings = rings(&self.view.calls) && !is_in_hand(&self.view.calls);
        if rings != self.tones.ringing.is_some() {
            self.tones.ringing = match rings {
                true => self.ring(),
                false => None,
            };
        }
    }

    fn play(&mut self, indication: Indication) -> Option<(Indication, Pump)> {
        let tone = SupervisoryTone::new(self.tones.country?, indication, SAMPLE_RATE_HZ);
        let usual = self.sound.usual();
        if !matches!(usual.sink, sound::Sink::Card(_)) {
            return None;
        }
        let card = self.card_for(&usual)?;
        Some((indication, Pump::start(Box::new(tone), Box::new(card))))
    }

    /// Who talks hears that somebody else calls.
    fn sound_call_waiting(&mut self) {
        let waits = rings(&self.view.calls);
        let country = self.tones.country;
        for edge in self.calls.values_mut() {
            let hears = waits && matches!(edge.spot, Some(Spot::Person | Spot::Conference));
            let (Some(media), Some(country)) = (&edge.media, country) else {
                continue;
            };
            if edge.hears_waiting != hears {
                edge.hears_waiting = hears;
                let of = Indication::CallWaiting;
                let tone = hears.then(|| SupervisoryTone::new(country, of, SAMPLE_RATE_HZ));
                media.port().set_tone(tone);
            }
        }
    }

    fn ring(&self) -> Option<Ringing> {
        let RingPlan { device, file } = self.tones.ring.clone()?;
        let news = self.news.clone();
        let report = move |problem| {
            // A problem that is lost is in the log.
            if let Err(error) = news.try_send(News::Card(problem)) {
                tracing::warn!(%error, "news of a sound card were lost");
            }
        };
        let loudspeaker = audio::open_playback(device.as_deref(), report.clone())
            .map_err(|error| report(error.to_string()))
            .ok()?;
        Some(Ringing(tokio::spawn(async move {
            let opened = tokio::task::spawn_blocking(move || {
                let player = |file: PathBuf| Player::open(&file, AfterEnd::Loop);
                file.map(player).transpose()
            });
            let sound: Box<dyn AudioSource> = match opened.await {
                Ok(Ok(Some(player))) => Box::new(player),
                Ok(Err(error)) => {
                    report(sound::chain(&error));
                    Box::new(Bell::new())
                }
                Ok(Ok(None)) | Err(_) => Box::new(Bell::new()),
            };
            let _pump = Pump::start(sound, Box::new(loudspeaker));
            std::future::pending::<()>().await;
        })))
    }
}

/// It rings at whom the person calls, and nobody else is spoken to.
fn ringback(calls: &[CallView]) -> Option<Indication> {
    let dialled = |call: &&CallView| call.direction == CallDirection::Outgoing && is_dialled(call);
    let last = calls.iter().rfind(dialled)?;
    let hears = last.ringback == Ringback::Local && !calls.iter().any(talks);
    hears.then_some(Indication::Ringing)
}

/// Somebody calls.
fn rings(calls: &[CallView]) -> bool {
    calls
        .iter()
        .any(|call| call.direction == CallDirection::Incoming && call.phase == Phase::Ringing)
}

fn is_dialled(call: &CallView) -> bool {
    matches!(call.phase, Phase::Dialing | Phase::Ringing)
}

fn talks(call: &CallView) -> bool {
    matches!(call.phase, Phase::Connected | Phase::HeldByPeer)
}

/// The person has the phone at the ear: a bell would hurt.
fn is_in_hand(calls: &[CallView]) -> bool {
    let outgoing = |call: &CallView| call.direction == CallDirection::Outgoing && is_dialled(call);
    calls.iter().any(|call| talks(call) || outgoing(call))
}

/// What says that a call that the person placed came to nothing.
fn tone_after(ended: &CallEnded) -> Option<Indication> {
    if ended.call.direction == CallDirection::Incoming || ended.call.answered_after.is_some() {
        return None;
    }
    match state::ended_call(ended, String::new(), None).kind? {
        FailureKind::Busy => Some(Indication::Busy),
        FailureKind::Cancelled | FailureKind::NotPossible => None,
        _ => Some(Indication::Congestion),
    }
}

/// The built-in bell: two tones that beat, a second of them and three of silence.
struct Bell {
    tones: [Tone; 2],
    frame: usize,
}

impl Bell {
    const CYCLE: usize = 400;
    const SOUND: usize = 100;
    /// Frames of one tone before the other.
    const TURN: usize = 5;

    fn new() -> Self {
        Self {
            tones: [620.0, 780.0].map(|hz| Tone::new(hz, SAMPLE_RATE_HZ, 0.25)),
            frame: 0,
        }
    }
}

impl AudioSource for Bell {
    fn read(&mut self, frame: &mut Frame) {
        let at = self.frame % Self::CYCLE;
        self.frame += 1;
        if at >= Self::SOUND {
            return frame.fill(0);
        }
        let (turn, place) = (at / Self::TURN, at % Self::TURN);
        self.tones[turn % 2].fill(frame);
        // Every turn comes and goes softly.
        for (n, sample) in (0..).zip(frame.iter_mut()) {
            let edge = match place {
                0 => n,
                place if place == Self::TURN - 1 => FRAME_SAMPLES - n,
                _ => FRAME_SAMPLES,
            };
            *sample = faded(*sample, edge);
        }
    }
}

/// A sample at a place of a slope that is a frame long.
fn faded(sample: i16, place: usize) -> i16 {
    let (place, whole) = (i64::try_from(place), i64::try_from(FRAME_SAMPLES));
    let (place, whole) = (place.unwrap_or(0), whole.unwrap_or(1));
    i16::try_from(i64::from(sample) * place / whole).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use media::tone::share_at;
    use sip::Private;
    use softphone_core::{Actions, CallEnd, CallId, LineId};
    use ua::{CallFailure, EndReason};

    use super::*;

    fn call(phase: Phase, direction: CallDirection, ringback: Ringback) -> CallView {
        CallView {
            id: CallId(1),
            line: LineId(1),
            direction,
            phase,
            party: Private(String::new()),
            address: Private(String::new()),
            ringback,
            actions: Actions::default(),
            answered_after: None,
            digits: Private(String::new()),
            transfer: None,
            in_conference: false,
        }
    }

    #[test]
    fn ringback_is_ours_only_without_early_media_and_while_nobody_is_spoken_to() {
        use CallDirection::{Incoming, Outgoing};
        let ringing = |ringback| call(Phase::Ringing, Outgoing, ringback);
        let local = ringing(Ringback::Local);
        assert_eq!(
            ringback(std::slice::from_ref(&local)),
            Some(Indication::Ringing)
        );
        assert_eq!(ringback(&[ringing(Ringback::Network)]), None);
        let talk = call(Phase::Connected, Incoming, Ringback::None);
        assert_eq!(ringback(&[local, talk]), None);
        assert_eq!(ringback(&[]), None);
    }

    #[test]
    fn the_bell_rings_only_for_who_does_not_have_the_phone_at_the_ear() {
        use CallDirection::{Incoming, Outgoing};
        let comes = call(Phase::Ringing, Incoming, Ringback::None);
        let held = call(Phase::Held, Incoming, Ringback::None);
        let dials = call(Phase::Dialing, Outgoing, Ringback::None);
        assert!(rings(&[held.clone(), comes.clone()]) && !is_in_hand(&[held, comes.clone()]));
        assert!(is_in_hand(&[comes, dials]));
    }

    #[test]
    fn busy_and_failed_calls_sound_different_and_those_given_up_do_not_sound() {
        let after = |reason| {
            tone_after(&CallEnded {
                call: call(Phase::Ending, CallDirection::Outgoing, Ringback::None),
                end: CallEnd::Signalled(reason),
                talked: None,
            })
        };
        let failed = |status| after(EndReason::Failed(CallFailure::from_status(status)));
        assert_eq!(failed(486), Some(Indication::Busy));
        assert_eq!(failed(404), Some(Indication::Congestion));
        assert_eq!(failed(503), Some(Indication::Congestion));
        assert_eq!(after(EndReason::LocalHangUp), None);
    }

    #[test]
    fn the_bell_rings_a_second_of_four_and_begins_and_ends_softly() {
        let mut bell = Bell::new();
        let mut heard = Vec::new();
        for _ in 0..Bell::CYCLE {
            let mut frame = [0; FRAME_SAMPLES];
            bell.read(&mut frame);
            heard.extend(frame);
        }
        let (rings, rests) = heard.split_at(Bell::SOUND * FRAME_SAMPLES);
        assert!(rests.iter().all(|&sample| sample == 0));
        assert!(share_at(rings, 620.0, SAMPLE_RATE_HZ) > 0.2);
        let steps = heard.windows(2).map(|pair| pair[0].abs_diff(pair[1]));
        // Of a sine of 780 Hz and this amplitude: 8,192 × 2π × 780 / 48,000.
        assert!(steps.max() < Some(850));
    }
}
