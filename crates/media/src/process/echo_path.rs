//! The way of sound from the loudspeaker to the microphone, learned while it is used: an adaptive filter in the
//! frequency domain whose steps are those of a Kalman filter (G. Enzner, P. Vary, "Frequency-domain adaptive Kalman
//! filter for acoustic echo control in hands-free telephones", Signal Processing 86, 2006; in partitions as F. Kuech
//! and others, ICASSP 2014).
//!
//! It knows how uncertain it is at each frequency. So it learns little while somebody talks here, without
//! anything that has to notice that; and what it does not know is what the echo may leave behind, which is
//! what [`Suppressor`](super::suppressor::Suppressor) needs. What it learned is used once it is proven that there is an
//! echo ([`Proof`]). There is no delay between microphone and result.
//!
//! The path may last 350 ms, the delay of the cards included; nobody needs to know that delay. Frames are paired by
//! their count, because a card takes and gives them in bursts.

use fearless_simd::Level;

use super::partitions::{Foretold, Lesson, Partition};
use super::proof::{Proof, Verdict};
use super::spectrum::{BINS, Fourier, Spectrum, sum_of_squares};
use crate::frame::FRAME_SAMPLES;

/// Frames that an echo may be late and last together: 350 ms.
const PARTITIONS: usize = 35;
/// Uncertainty of a path about which nothing is known: a loudspeaker is not much louder than what it was given.
const FIRST_UNCERTAINTY: f32 = 0.03;
/// How slowly the spectrum of what is not echo follows.
const NEAR_SMOOTHING: f32 = 0.6;
/// Least power of what is not echo.
const LEAST_POWER: f32 = 1e-10;
/// Partitions that are made whole again after each frame, in turn.
const TIDIED: usize = 2;
/// Frames that may be played ahead of what is captured, or the other way round, before they are counted anew.
const MAX_AHEAD: i32 = 16;
const MAX_BEHIND: i32 = 4;
const PLACES: usize = PARTITIONS + 16;
/// Frames after which it is looked whether the loudspeaker is ahead all the time: 1 s.
const FRAMES_TO_LOOK: u32 = 100;
/// A voice comes from the loudspeaker above this power, -60 dBFS.
const LEAST_PLAYED: f32 = 1e-6;
/// A microphone that is switched off gives less power.
const LEAST_CAPTURED: f32 = 1e-10;

/// See the module header.
pub(super) struct EchoPath {
    fourier: Fourier,
    level: Level,
    /// What was played, newest at `newest`, older ones behind it, in a circle.
    played: Vec<Played>,
    newest: usize,
    last_played: [f32; FRAME_SAMPLES],
    /// Frames that were played and whose captured partner has not come yet.
    ahead: i32,
    least_ahead: i32,
    looked: u32,
    partitions: Vec<Partition>,
    near_power: [f32; BINS],
    tidied_next: usize,
    proof: Proof,
}

/// Two frames that were played.
#[derive(Clone)]
struct Played {
    spectrum: Spectrum,
    /// Nothing can come back of them.
    is_silent: bool,
}

impl Played {
    const SILENCE: Self = Self {
        spectrum: Spectrum::SILENCE,
        is_silent: true,
    };
}

/// What became of a captured frame.
pub(super) struct Cancelled {
    /// The frame without the echo that is known and proven.
    pub(super) rest: [f32; FRAME_SAMPLES],
    /// Its power by frequency.
    pub(super) rest_power: [f32; BINS],
    /// Power of the echo that was taken away.
    pub(super) echo_power: [f32; BINS],
    /// Power of the echo that may be left, as far as the filter knows its own uncertainty.
    pub(super) uncertain_power: [f32; BINS],
}

impl Cancelled {
    /// The microphone is off: there is no echo, and nothing can be learned.
    fn nothing_heard(captured: &[f32; FRAME_SAMPLES]) -> Self {
        Self {
            rest: *captured,
            rest_power: [0.0; BINS],
            echo_power: [0.0; BINS],
            uncertain_power: [0.0; BINS],
        }
    }

    /// `heard` and `foretold` are the spectra of the captured frame and of the echo.
    fn by(
        verdict: &Verdict,
        captured: &[f32; FRAME_SAMPLES],
        echo: &[f32; FRAME_SAMPLES],
        (heard, foretold): (&Spectrum, &Spectrum),
        uncertain: &[f32; BINS],
    ) -> Self {
        let (first, last) = verdict.shares;
        let rest = std::array::from_fn(|n| {
            let share = first + (last - first) * n as f32 / FRAME_SAMPLES as f32;
            captured[n] - share * echo[n]
        });
        let share = f32::midpoint(first, last);
        let taken = share * share;
        let foretold_power = foretold.power();
        let rest_power = heard.without(share, foretold).power();
        let left = |bin: usize| uncertain[bin] + (1.0 - taken) * foretold_power[bin];
        Self {
            rest,
            rest_power,
            echo_power: foretold_power.map(|power| taken * power),
            uncertain_power: std::array::from_fn(|bin| verdict.fear * left(bin)),
        }
    }
}

impl EchoPath {
    pub(super) fn new() -> Self {
        Self {
            fourier: Fourier::new(),
            level: Level::new(),
            played: vec![Played::SILENCE; PLACES],
            newest: 0,
            last_played: [0.0; FRAME_SAMPLES],
            ahead: 0,
            least_ahead: MAX_AHEAD,
            looked: 0,
            partitions: vec![Partition::unknown(FIRST_UNCERTAINTY); PARTITIONS],
            near_power: [1e-3; BINS],
            tidied_next: 0,
            proof: Proof::new(),
        }
    }

    /// Time has passed in which nothing was captured: what was played is no longer heard.
    pub(super) fn restart(&mut self) {
        self.played.fill(Played::SILENCE);
        self.last_played.fill(0.0);
        (self.ahead, self.least_ahead, self.looked) = (0, MAX_AHEAD, 0);
    }

    /// The path is another one, or none was found.
    fn forget(&mut self) {
        self.partitions.fill(Partition::unknown(FIRST_UNCERTAINTY));
    }

    /// This goes to the loudspeaker now.
    pub(super) fn play(&mut self, frame: &[f32; FRAME_SAMPLES]) {
        self.newest = (self.newest + PLACES - 1) % PLACES;
        self.ahead = (self.ahead + 1).min(MAX_AHEAD);
        let played = &mut self.played[self.newest];
        let is_zero = |frame: &[f32; FRAME_SAMPLES]| frame.iter().all(|sample| *sample == 0.0);
        played.is_silent = is_zero(frame) && is_zero(&self.last_played);
        if !played.is_silent {
            self.fourier
                .forward(&self.last_played, frame, &mut played.spectrum);
        }
        self.last_played = *frame;
    }

    /// Takes the echo out of a captured frame, and learns.
    pub(super) fn cancel(&mut self, captured: &[f32; FRAME_SAMPLES]) -> Cancelled {
        if self.ahead <= -MAX_BEHIND {
            self.play(&[0.0; FRAME_SAMPLES]);
        }
        self.ahead -= 1;
        if power(captured) < LEAST_CAPTURED {
            self.look_at_pairs();
            return Cancelled::nothing_heard(captured);
        }
        let silence = [0.0; FRAME_SAMPLES];
        let (mut foretold, mut heard) = (Spectrum::SILENCE, Spectrum::SILENCE);
        let (echo, uncertain) = self.echo();
        if let Some(echo) = &echo {
            self.fourier.forward(&silence, echo, &mut foretold);
        }
        self.fourier.forward(&silence, captured, &mut heard);
        let is_playing = power(&self.last_played) > LEAST_PLAYED;
        let verdict = self.proof.weigh(is_playing, &foretold, &heard);
        self.learn(heard.without(1.0, &foretold), &uncertain);
        self.tidy();
        if verdict.is_useless {
            self.forget();
        }
        self.look_at_pairs();
        let echo = echo.unwrap_or(silence);
        Cancelled::by(&verdict, captured, &echo, (&heard, &foretold), &uncertain)
    }

    /// Partitions of the path with the place of what was played for each. What is captured now cannot hold what
    /// will be played later, so the first ones may be left out.
    fn pairs(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let (newest, ahead) = (self.newest, self.ahead);
        (0..PARTITIONS).filter_map(move |partition| {
            let back = usize::try_from(i32::try_from(partition).ok()? + ahead).ok()?;
            Some((partition, (newest + back) % PLACES))
        })
    }

    /// If the loudspeaker is ahead all the time, an echo could come before its partner: the pairs move.
    fn look_at_pairs(&mut self) {
        self.least_ahead = self.least_ahead.min(self.ahead);
        self.looked += 1;
        if self.looked < FRAMES_TO_LOOK {
            return;
        }
        if self.least_ahead > 0 {
            self.ahead -= 1;
            self.partitions.rotate_right(1);
            self.partitions[0] = Partition::unknown(FIRST_UNCERTAINTY);
        }
        (self.least_ahead, self.looked) = (MAX_AHEAD, 0);
    }

    /// What comes back of what was played, if it was not silence, and the power of what may be wrong with that.
    fn echo(&mut self) -> (Option<[f32; FRAME_SAMPLES]>, [f32; BINS]) {
        let mut foretold = Foretold::NOTHING;
        let mut is_any = false;
        for (partition, place) in self.pairs() {
            let (played, partition) = (&self.played[place], &mut self.partitions[partition]);
            if !played.is_silent {
                foretold.add(self.level, &played.spectrum, partition);
                is_any = true;
            }
        }
        let echo = is_any.then(|| {
            let block = self.fourier.inverse(&foretold.echo);
            std::array::from_fn(|n| block[FRAME_SAMPLES + n])
        });
        (echo, foretold.uncertain)
    }

    /// One step of the Kalman filter: `rest` is what the path did not explain.
    fn learn(&mut self, rest: Spectrum, uncertain: &[f32; BINS]) {
        let rest_power = rest.power();
        let mut lesson = Lesson {
            error: rest,
            weight: [0.0; BINS],
        };
        for bin in 0..BINS {
            let near = &mut self.near_power[bin];
            *near = NEAR_SMOOTHING * *near + (1.0 - NEAR_SMOOTHING) * rest_power[bin];
            let weight = 1.0 / (uncertain[bin] + *near + LEAST_POWER);
            lesson.weight[bin] = weight;
            lesson.error.re[bin] *= weight;
            lesson.error.im[bin] *= weight;
        }
        for (partition, place) in self.pairs() {
            let (played, partition) = (&self.played[place], &mut self.partitions[partition]);
            if played.is_silent {
                partition.skip();
            } else {
                partition.learn(self.level, &played.spectrum, &lesson);
            }
        }
    }

    /// A partition lasts one frame; steps in the frequency domain let it grow beyond that.
    fn tidy(&mut self) {
        for _ in 0..TIDIED {
            let partition = &mut self.partitions[self.tidied_next];
            if partition.has_grown {
                let block = self.fourier.inverse(&partition.path);
                let kept = std::array::from_fn(|n| block[n]);
                self.fourier
                    .forward(&kept, &[0.0; FRAME_SAMPLES], &mut partition.path);
                partition.has_grown = false;
            }
            self.tidied_next = (self.tidied_next + 1) % PARTITIONS;
        }
    }
}

fn power(frame: &[f32; FRAME_SAMPLES]) -> f32 {
    sum_of_squares(frame) / FRAME_SAMPLES as f32
}
