//! Sound files that are played: recordings for their owner, music on hold for a call.
//!
//! [`Player::open`] looks at the file and says what is wrong with it; after that a thread of its
//! own reads and decodes half a second ahead, so that neither a slow disk nor a seek delays a
//! call. Files are never held in memory whole: an hour costs as much as a minute.
//!
//! Files come from anywhere: any content gives sound or an error that says what is wrong, and
//! nothing else. Sides of a stereo file are heard together.

mod ogg_opus;
mod pages;
#[cfg(test)]
mod tests;
mod wav;

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, SyncSender, TryRecvError, channel, sync_channel};
use std::time::Duration;

use media::{FRAME_SAMPLES, Frame, SAMPLE_RATE_HZ, SILENCE};
use tracing::warn;

use crate::{AfterEnd, AudioSource};
use ogg_opus::OggOpusTrack;
use wav::WavTrack;

/// Frames that are decoded ahead.
const FRAMES_AHEAD: usize = 50;

/// Why a sound file cannot be played.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlayError {
    /// Missing or not readable.
    #[error("cannot read the sound file {path}", path = path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// What was wrong.
        #[source]
        source: io::Error,
    },
    /// Read, but not understood.
    #[error("the sound file {path} {problem}; what can be played are WAV and Ogg Opus", path = path.display())]
    Unsuitable {
        /// Which file.
        path: PathBuf,
        /// As the end of a sentence.
        problem: String,
    },
}

/// Why a track cannot be opened or read on.
#[derive(Debug)]
enum TrackError {
    Io(io::Error),
    Unsuitable(String),
}

impl From<io::Error> for TrackError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn unsuitable(problem: impl Into<String>) -> TrackError {
    TrackError::Unsuitable(problem.into())
}

/// An open file that gives mono sound at 48 kHz from any place.
trait Track: Send {
    /// Samples in all, as far as can be told.
    fn duration_samples(&self) -> u64;
    /// Goes to a sample.
    fn seek(&mut self, sample: u64) -> Result<(), TrackError>;
    /// Appends some samples; none at the end.
    fn read(&mut self, out: &mut Vec<i16>) -> Result<(), TrackError>;
}

/// What [`Player::next_frame`] gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Played {
    /// The next 10 ms.
    Frame(Box<Frame>),
    /// The file is not read so far yet.
    Waiting,
    /// The file is at its end.
    Ended,
}

/// A file that is being played: a source for a call, or for a loudspeaker.
#[derive(Debug)]
pub struct Player {
    decoded: Receiver<Decoded>,
    seeks: Sender<SeekTo>,
    /// Counts seeks: what was decoded before the last is thrown away.
    generation: u64,
    position: u64,
    duration: u64,
    has_ended: bool,
}

#[derive(Clone, Copy, Debug)]
struct SeekTo {
    sample: u64,
    generation: u64,
}

/// Sound on its way from the thread.
struct Decoded {
    generation: u64,
    /// Where it ends, in samples from the beginning of the file.
    position: u64,
    /// `None` at the end of the file.
    frame: Option<Box<Frame>>,
}

impl Player {
    /// Opens a file, WAV or Ogg Opus, recognised by its content. Blocks for a moment.
    ///
    /// # Errors
    ///
    /// [`PlayError`] if it cannot be read or is of another kind.
    pub fn open(path: &Path, after_end: AfterEnd) -> Result<Self, PlayError> {
        Self::start(path, after_end).map_err(|error| match error {
            TrackError::Io(source) => PlayError::Read {
                path: path.to_owned(),
                source,
            },
            TrackError::Unsuitable(problem) => PlayError::Unsuitable {
                path: path.to_owned(),
                problem,
            },
        })
    }

    fn start(path: &Path, after_end: AfterEnd) -> Result<Self, TrackError> {
        let track = open_track(File::open(path)?)?;
        let duration = track.duration_samples();
        let (frames, decoded) = sync_channel(FRAMES_AHEAD);
        let (seeks, seeks_asked) = channel();
        let reader = Reader {
            track,
            frames,
            seeks: seeks_asked,
            generation: 0,
            position: 0,
            after_end,
            samples: Vec::new(),
        };
        let path = path.to_owned();
        std::thread::Builder::new()
            .name("player".to_owned())
            .spawn(move || reader.run(&path))?;
        Ok(Self {
            decoded,
            seeks,
            generation: 0,
            position: 0,
            duration,
            has_ended: false,
        })
    }

    /// The next 10 ms. Never waits.
    pub fn next_frame(&mut self) -> Played {
        loop {
            match self.decoded.try_recv() {
                Ok(decoded) if decoded.generation != self.generation => {}
                Ok(decoded) => {
                    self.position = decoded.position;
                    self.has_ended = decoded.frame.is_none();
                    return decoded.frame.map_or(Played::Ended, Played::Frame);
                }
                Err(TryRecvError::Empty) if !self.has_ended => return Played::Waiting,
                Err(_) => return Played::Ended,
            }
        }
    }

    /// How long the file plays once.
    #[must_use]
    pub fn duration(&self) -> Duration {
        to_duration(self.duration)
    }

    /// How much of the file has been played.
    #[must_use]
    pub fn position(&self) -> Duration {
        to_duration(self.position)
    }

    /// Whether the end was reached; a seek leads back from there.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Goes to a place, to the sample; to the end if it is beyond.
    pub fn seek(&mut self, to: Duration) {
        let sample = to.as_micros() * u128::from(SAMPLE_RATE_HZ) / 1_000_000;
        let sample = u64::try_from(sample).unwrap_or(u64::MAX).min(self.duration);
        self.generation += 1;
        self.position = sample;
        self.has_ended = false;
        let generation = self.generation;
        // A thread that is gone has ended for good, which `next_frame` tells.
        let _ = self.seeks.send(SeekTo { sample, generation });
    }
}

impl AudioSource for Player {
    fn read(&mut self, frame: &mut Frame) {
        *frame = match self.next_frame() {
            Played::Frame(next) => *next,
            Played::Waiting | Played::Ended => SILENCE,
        };
    }
}

fn to_duration(samples: u64) -> Duration {
    Duration::from_micros(samples.saturating_mul(1_000) / u64::from(SAMPLE_RATE_HZ / 1_000))
}

fn open_track(mut file: File) -> Result<Box<dyn Track>, TrackError> {
    let mut start = Vec::new();
    Read::by_ref(&mut file).take(4).read_to_end(&mut start)?;
    file.rewind()?;
    match start.as_slice() {
        b"RIFF" => Ok(Box::new(WavTrack::open(file)?)),
        b"OggS" => Ok(Box::new(OggOpusTrack::open(file)?)),
        b"" => Err(unsuitable("is empty")),
        _ => Err(unsuitable("is neither WAV nor Ogg Opus")),
    }
}

/// What the thread has.
struct Reader {
    track: Box<dyn Track>,
    frames: SyncSender<Decoded>,
    seeks: Receiver<SeekTo>,
    generation: u64,
    position: u64,
    after_end: AfterEnd,
    samples: Vec<i16>,
}

/// The player is gone.
struct Gone;

impl Reader {
    fn run(mut self, path: &Path) {
        loop {
            if let Some(seek) = self.seeks.try_iter().last() {
                self.seek(seek, path);
            }
            match self.send_frame(path) {
                Ok(true) => {}
                Ok(false) => {
                    // At the end: only a seek leads on.
                    let Ok(seek) = self.seeks.recv() else { return };
                    self.seek(seek, path);
                }
                Err(Gone) => return,
            }
        }
    }

    fn seek(&mut self, seek: SeekTo, path: &Path) {
        self.samples.clear();
        self.generation = seek.generation;
        self.position = seek.sample;
        self.go_to(seek.sample, path);
    }

    fn go_to(&mut self, sample: u64, path: &Path) {
        if let Err(error) = self.track.seek(sample) {
            warn!(?error, path = %path.display(), "a sound file cannot be read at this place");
        }
    }

    /// Sends the next frame or the end; `false` at the end.
    fn send_frame(&mut self, path: &Path) -> Result<bool, Gone> {
        let mut rewinds = 0;
        while self.samples.len() < FRAME_SAMPLES {
            let before = self.samples.len();
            if let Err(error) = self.track.read(&mut self.samples) {
                warn!(?error, path = %path.display(), "a sound file is damaged and ends here");
                self.samples.truncate(before);
            }
            if self.samples.len() > before {
                continue;
            }
            // A file from which nothing can be read is not tried forever.
            if self.after_end == AfterEnd::Loop && rewinds < 2 {
                rewinds += 1;
                self.go_to(0, path);
                self.position = 0_u64.wrapping_sub(before as u64);
                continue;
            }
            if before == 0 {
                self.send(None)?;
                return Ok(false);
            }
            self.position = self.position.wrapping_sub((FRAME_SAMPLES - before) as u64);
            self.samples.resize(FRAME_SAMPLES, 0);
        }
        let mut frame = Box::new(SILENCE);
        frame.copy_from_slice(&self.samples[..FRAME_SAMPLES]);
        self.samples.drain(..FRAME_SAMPLES);
        self.position = self.position.wrapping_add(FRAME_SAMPLES as u64);
        self.send(Some(frame))?;
        Ok(true)
    }

    fn send(&self, frame: Option<Box<Frame>>) -> Result<(), Gone> {
        let decoded = Decoded {
            generation: self.generation,
            position: self.position,
            frame,
        };
        self.frames.send(decoded).map_err(|_| Gone)
    }
}
