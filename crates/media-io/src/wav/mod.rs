//! WAV files as source and sink of a call.

mod sink;
mod source;

use std::path::PathBuf;

pub use sink::WavSink;
pub(crate) use source::read_samples;
pub use source::{AfterEnd, WavSource};

/// Why a sound file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WavError {
    /// Missing, not readable, or not a WAV file.
    #[error("cannot read the sound file {path}", path = path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// What was wrong.
        #[source]
        source: hound::Error,
    },
    /// The sound is in a form that is not understood, or too much of it.
    #[error("the sound file {path} {problem}", path = path.display())]
    Unsuitable {
        /// Which file.
        path: PathBuf,
        /// As the end of a sentence.
        problem: &'static str,
    },
    /// The file cannot be made or written.
    #[error("cannot write the sound file {path}", path = path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// What was wrong.
        #[source]
        source: hound::Error,
    },
}
