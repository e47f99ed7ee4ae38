//! A call kept in one file: stereo, one side per channel, as WAV or Ogg Opus.
//!
//! [`Recorder::record`] takes 10 ms of both sides and never waits: a thread of its own writes. If
//! the disk is too slow for five seconds, sound is lost, counted, and silence stands in its place,
//! so that the rest keeps its time. Every second the file is brought to a state that plays: what a
//! killed process leaves lacks at most the last second.
//!
//! Not here: which sound goes where (the owner's), and playing it again.

mod ogg_opus;
#[cfg(test)]
mod tests;
mod wav;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use media::{FRAME_DURATION, FRAME_SAMPLES, Frame, SILENCE};
use tracing::{error, warn};

use ogg_opus::OggOpusFile;
use wav::WavFile;

/// Blocks that may wait for the disk: 5 s.
const MAX_WAITING: usize = 500;
/// Blocks between two moments in which the file would play: 1 s.
const BLOCKS_PER_UPDATE: u32 = 100;

/// What kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordingFormat {
    /// 16 bit, 48 kHz: 192 kB per second, at most six hours.
    Wav,
    /// Opus in Ogg (RFC 7845): about 12 kB per second.
    OggOpus,
}

/// Why a call is not, or not wholly, in its file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The file cannot be made.
    #[error("cannot make the recording {path}", path = path.display())]
    Create {
        /// Which file.
        path: PathBuf,
        /// What was wrong.
        #[source]
        source: io::Error,
    },
    /// The file could not be written to its end; it plays up to there.
    #[error("the recording {path} ends early", path = path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// What was wrong.
        #[source]
        source: io::Error,
    },
}

/// What became of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recording {
    /// How long it plays.
    pub duration: Duration,
    /// How much of it is silence because the disk was too slow.
    pub lost: Duration,
}

/// A recording under way. Dropped without [`Recorder::finish`], the file is ended a moment later.
#[derive(Debug)]
pub struct Recorder {
    blocks: SyncSender<Block>,
    writer: JoinHandle<io::Result<()>>,
    path: PathBuf,
    /// Blocks lost since the last that went through, and in all.
    lost_now: u32,
    lost: u32,
    recorded: u32,
}

/// 10 ms of both sides.
struct Block {
    /// Blocks lost before this one.
    lost_before: u32,
    sides: Box<[Frame; 2]>,
}

/// A file that takes 10 ms at a time.
trait StereoFile: Send {
    /// Appends 10 ms, left and right.
    fn write(&mut self, sides: &[Frame; 2]) -> io::Result<()>;
    /// Brings the file to a state that plays.
    fn update(&mut self) -> io::Result<()>;
    /// Ends the file.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

impl Recorder {
    /// Makes the file, or empties it, and begins. Blocks for a moment.
    ///
    /// # Errors
    ///
    /// [`RecordError::Create`] if the file or the thread cannot be made.
    pub fn create(path: &Path, format: RecordingFormat) -> Result<Self, RecordError> {
        let create_error = |source| RecordError::Create {
            path: path.to_owned(),
            source,
        };
        let file: Box<dyn StereoFile> = match format {
            RecordingFormat::Wav => Box::new(WavFile::create(path).map_err(create_error)?),
            RecordingFormat::OggOpus => Box::new(OggOpusFile::create(path).map_err(create_error)?),
        };
        Self::start(file, path).map_err(create_error)
    }

    fn start(file: Box<dyn StereoFile>, path: &Path) -> io::Result<Self> {
        let (blocks, waiting) = sync_channel(MAX_WAITING);
        let path = path.to_owned();
        let path_of_thread = path.clone();
        let writer = std::thread::Builder::new()
            .name("recorder".to_owned())
            .spawn(move || {
                keep_writing(file, &waiting).inspect_err(
                    |error| error!(%error, path = %path_of_thread.display(), "a recording ends early"),
                )
            })?;
        Ok(Self {
            blocks,
            writer,
            path,
            lost_now: 0,
            lost: 0,
            recorded: 0,
        })
    }

    /// Takes the next 10 ms of both sides. Never waits.
    pub fn record(&mut self, left: &Frame, right: &Frame) {
        self.recorded = self.recorded.saturating_add(1);
        let block = Block {
            lost_before: self.lost_now,
            sides: Box::new([*left, *right]),
        };
        match self.blocks.try_send(block) {
            Ok(()) => {
                self.lost_now = 0;
                return;
            }
            Err(TrySendError::Full(_)) if self.lost_now == 0 => {
                warn!(path = %self.path.display(), "the disk is too slow for a recording, sound is lost");
            }
            // Said already, or said by the thread when it ended.
            Err(_) => {}
        }
        self.lost_now = self.lost_now.saturating_add(1);
        self.lost = self.lost.saturating_add(1);
    }

    /// How much is or will be silence because the disk was too slow.
    #[must_use]
    pub fn lost(&self) -> Duration {
        FRAME_DURATION * self.lost
    }

    /// How long it is by now.
    #[must_use]
    pub fn duration(&self) -> Duration {
        FRAME_DURATION * self.recorded
    }

    /// Whether the file can still be written; if not, [`Recorder::finish`] says why.
    #[must_use]
    pub fn is_writing(&self) -> bool {
        !self.writer.is_finished()
    }

    /// Ends the file. Blocks until the disk has it; call it where that does no harm.
    ///
    /// # Errors
    ///
    /// [`RecordError::Write`] if the file could not be written to its end.
    pub fn finish(self) -> Result<Recording, RecordError> {
        let recording = Recording {
            // No silence follows for what was lost last.
            duration: FRAME_DURATION * self.recorded.saturating_sub(self.lost_now),
            lost: self.lost(),
        };
        drop(self.blocks);
        let outcome = self
            .writer
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the thread that writes it broke down")));
        if !recording.lost.is_zero() {
            warn!(path = %self.path.display(), lost = ?recording.lost, "a recording has gaps");
        }
        outcome.map_err(|source| RecordError::Write {
            path: self.path,
            source,
        })?;
        Ok(recording)
    }
}

fn keep_writing(mut file: Box<dyn StereoFile>, blocks: &Receiver<Block>) -> io::Result<()> {
    let mut since_update = 0;
    for block in blocks {
        for _ in 0..block.lost_before {
            file.write(&[SILENCE; 2])?;
        }
        file.write(&block.sides)?;
        since_update += 1 + block.lost_before;
        if since_update >= BLOCKS_PER_UPDATE {
            since_update = 0;
            file.update()?;
        }
    }
    file.finish()
}

/// Left and right in turn.
fn interleaved(sides: &[Frame; 2]) -> [i16; 2 * FRAME_SAMPLES] {
    let mut samples = [0; 2 * FRAME_SAMPLES];
    let [left, right] = sides;
    for (pair, (&left, &right)) in samples.chunks_exact_mut(2).zip(left.iter().zip(right)) {
        pair.copy_from_slice(&[left, right]);
    }
    samples
}
