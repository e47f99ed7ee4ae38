//! A recording as WAV.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;

use hound::{SampleFormat, WavSpec, WavWriter};
use media::{Frame, SAMPLE_RATE_HZ};

use super::{StereoFile, interleaved};

/// The sizes in the header have 32 bits: 4 GiB less the header, in blocks of 1,920 bytes.
const MAX_BLOCKS: u32 = 2_236_900;

const SPEC: WavSpec = WavSpec {
    channels: 2,
    sample_rate: SAMPLE_RATE_HZ,
    bits_per_sample: 16,
    sample_format: SampleFormat::Int,
};

pub(super) struct WavFile {
    inner: WavWriter<BufWriter<File>>,
    blocks: u32,
}

impl WavFile {
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let mut inner = WavWriter::create(path, SPEC).map_err(to_io)?;
        inner.flush().map_err(to_io)?;
        Ok(Self { inner, blocks: 0 })
    }
}

impl StereoFile for WavFile {
    fn write(&mut self, sides: &[Frame; 2]) -> io::Result<()> {
        self.blocks += 1;
        if self.blocks > MAX_BLOCKS {
            self.update()?;
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                "a WAV file holds six hours at most, record as Ogg Opus instead",
            ));
        }
        for sample in interleaved(sides) {
            self.inner.write_sample(sample).map_err(to_io)?;
        }
        Ok(())
    }

    fn update(&mut self) -> io::Result<()> {
        self.inner.flush().map_err(to_io)
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        self.inner.finalize().map_err(to_io)
    }
}

fn to_io(error: hound::Error) -> io::Error {
    match error {
        hound::Error::IoError(error) => error,
        other => io::Error::other(other),
    }
}
