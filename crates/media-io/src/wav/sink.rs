//! What is heard in a call, kept in a WAV file.
//!
//! A thread of its own writes, so that a slow disk never delays a call. The header is brought up
//! to date every second: a process that is killed leaves a file that plays.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use hound::{SampleFormat, WavSpec, WavWriter};
use media::{Frame, SAMPLE_RATE_HZ};
use tracing::error;

use super::WavError;
use crate::AudioSink;

/// Frames that may wait for the disk: 5 s. Beyond that they are lost and counted.
const MAX_WAITING_FRAMES: usize = 500;
/// Frames between two updates of the header.
const FRAMES_PER_UPDATE: usize = 100;

/// Mono, 16 bit, 48 kHz.
#[derive(Debug)]
pub struct WavSink {
    frames: Option<SyncSender<Box<Frame>>>,
    writer: Option<JoinHandle<()>>,
    dropped_frames: u64,
}

impl WavSink {
    /// The form of every file that is written.
    pub(crate) const SPEC: WavSpec = WavSpec {
        channels: 1,
        sample_rate: SAMPLE_RATE_HZ,
        bits_per_sample: 16,
        sample_format: SampleFormat::Int,
    };

    /// Makes the file, or empties it.
    ///
    /// # Errors
    ///
    /// [`WavError::Write`] if it cannot be made.
    pub fn create(path: &Path) -> Result<Self, WavError> {
        let write_error = |source| WavError::Write {
            path: path.to_owned(),
            source,
        };
        let mut file = WavWriter::create(path, Self::SPEC).map_err(write_error)?;
        file.flush().map_err(write_error)?;
        let (frames, waiting) = sync_channel(MAX_WAITING_FRAMES);
        let path = path.to_owned();
        let writer = std::thread::Builder::new()
            .name("wav-sink".to_owned())
            .spawn(move || keep_writing(file, &waiting, &path))
            .map_err(|source| write_error(source.into()))?;
        Ok(Self {
            frames: Some(frames),
            writer: Some(writer),
            dropped_frames: 0,
        })
    }

    /// Frames lost because the disk was too slow.
    #[must_use]
    pub fn dropped_frames(&self) -> u64 {
        self.dropped_frames
    }
}

impl AudioSink for WavSink {
    fn write(&mut self, frame: &Frame) {
        let Some(frames) = &self.frames else { return };
        if frames.try_send(Box::new(*frame)).is_err() {
            self.dropped_frames += 1;
        }
    }

    fn finish(&mut self) {
        self.frames = None;
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has left the file as of its last update.
            let _ = writer.join();
        }
    }
}

// Dropped without `finish` the thread ends the file on its own, a moment later.

fn keep_writing(mut file: WavWriter<BufWriter<File>>, frames: &Receiver<Box<Frame>>, path: &Path) {
    let mut since_update = 0;
    let outcome = frames.iter().try_for_each(|frame| {
        for &sample in frame.iter() {
            file.write_sample(sample)?;
        }
        since_update += 1;
        if since_update == FRAMES_PER_UPDATE {
            since_update = 0;
            file.flush()?;
        }
        Ok::<(), hound::Error>(())
    });
    if let Err(error) = outcome.and_then(|()| file.finalize()) {
        error!(%error, path = %path.display(), "a recording could not be written");
    }
}

#[cfg(test)]
mod tests {
    use hound::WavReader;

    use super::*;

    fn length_samples(path: &Path) -> u32 {
        WavReader::open(path).map_or(0, |reader| reader.duration())
    }

    #[test]
    fn what_is_written_can_be_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("heard.wav");
        let mut sink = WavSink::create(&path).unwrap();
        for n in 0..60 {
            sink.write(&[n; 480]);
        }
        sink.finish();
        sink.write(&[99; 480]);
        let samples: Vec<i16> = WavReader::open(&path)
            .unwrap()
            .into_samples()
            .map(Result::unwrap)
            .collect();
        let expected: Vec<i16> = (0..60).flat_map(|n| [n; 480]).collect();
        assert_eq!(samples, expected);
        assert_eq!(sink.dropped_frames(), 0);
    }

    #[test]
    fn a_file_is_playable_from_its_first_moment() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new.wav");
        let mut sink = WavSink::create(&path).unwrap();
        assert_eq!(WavReader::open(&path).unwrap().duration(), 0);
        sink.finish();
    }

    #[test]
    fn a_recording_cut_off_in_the_middle_plays_up_to_the_last_second() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cut.wav");
        let mut sink = WavSink::create(&path).unwrap();
        for _ in 0..340 {
            sink.write(&[5; 480]);
        }
        // The file as a killed process leaves it: never finished. The third update may still come.
        while length_samples(&path) < 300 * 480 {
            std::thread::yield_now();
        }
        let copy = folder.path().join("copy.wav");
        std::fs::copy(&path, &copy).unwrap();
        let samples: Vec<i16> = WavReader::open(&copy)
            .unwrap()
            .into_samples()
            .map(Result::unwrap)
            .collect();
        assert!(samples.len() >= 300 * 480 && samples.iter().all(|&sample| sample == 5));
        sink.finish();
    }

    #[test]
    fn a_place_that_cannot_be_written_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let error = WavSink::create(&folder.path().join("no/such/folder.wav")).unwrap_err();
        assert!(
            error.to_string().starts_with("cannot write the sound file"),
            "{error}"
        );
    }
}
