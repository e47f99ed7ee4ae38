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
    /// Missing or not readable.
    #[error("cannot read the sound file {path}", path = path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// What was wrong.
        #[source]
        source: std::io::Error,
    },
    /// Not a WAV file, in a form that is not understood, or too much of it.
    #[error(
        "the sound file {path} {problem}; what can be used are WAV files, PCM or floating point, of at most ten minutes",
        path = path.display()
    )]
    Unsuitable {
        /// Which file.
        path: PathBuf,
        /// As the end of a sentence.
        problem: String,
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
