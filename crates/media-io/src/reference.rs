//! What a perfect network would have made of a file.

use std::path::Path;

use media::codec::MAX_PAYLOAD_BYTES;
use media::resample::Resampler;
use media::{Codec, CodecError, FRAME_SAMPLES, OpusConfig, SAMPLE_RATE_HZ};

use crate::wav::read_samples;
use crate::{WavError, WavSink};

/// Encodes a WAV file and decodes it again, without a network between: the quality that a call
/// could have at best, to compare a call with. The result is mono at 48 kHz.
///
/// Blocks; not for a task that carries calls.
///
/// # Errors
///
/// [`ReferenceError`] if a file cannot be read or written or the codec fails.
pub fn reference_transcode(
    input: &Path,
    output: &Path,
    codec: Codec,
    opus: &OpusConfig,
) -> Result<(), ReferenceError> {
    let setup = |_| CodecError::Setup { codec };
    let samples = read_samples(input)?;
    let mut down = Resampler::new(SAMPLE_RATE_HZ, codec.sample_rate_hz()).map_err(setup)?;
    let mut up = Resampler::new(codec.sample_rate_hz(), SAMPLE_RATE_HZ).map_err(setup)?;
    let mut encoder = codec.encoder(opus)?;
    let mut decoder = codec.decoder()?;
    let mut payload = [0; MAX_PAYLOAD_BYTES];
    let mut heard = Vec::new();
    for chunk in samples.chunks(2 * FRAME_SAMPLES) {
        let mut packet = [0; 2 * FRAME_SAMPLES];
        packet[..chunk.len()].copy_from_slice(chunk);
        let mut block = Vec::new();
        down.process(&packet, &mut block);
        let len = encoder.encode(&block, &mut payload)?;
        let mut decoded = Vec::new();
        match len {
            0 => {
                decoder.conceal(codec.packet_samples(), None, &mut decoded);
            }
            len => decoder.decode(&payload[..len], &mut decoded)?,
        }
        up.process(&decoded, &mut heard);
    }
    write_all(&heard, output)
}

fn write_all(samples: &[i16], output: &Path) -> Result<(), ReferenceError> {
    let write_error = |source| WavError::Write {
        path: output.to_owned(),
        source,
    };
    let mut file = hound::WavWriter::create(output, WavSink::SPEC).map_err(write_error)?;
    for &sample in samples {
        file.write_sample(sample).map_err(write_error)?;
    }
    file.finalize().map_err(write_error)?;
    Ok(())
}

/// Why there is no reference.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceError {
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] WavError),
    /// The codec failed.
    #[error(transparent)]
    Codec(#[from] CodecError),
}

#[cfg(test)]
mod tests {
    use media::tone::share_at;

    use super::*;
    use crate::{AudioSink, AudioSource, ToneSource};

    #[test]
    fn a_tone_survives_the_reference_of_every_codec() {
        let folder = tempfile::tempdir().unwrap();
        let (input, output) = (folder.path().join("in.wav"), folder.path().join("out.wav"));
        let mut sink = WavSink::create(&input).unwrap();
        let mut tone = ToneSource::new(800.0, 0.4);
        for _ in 0..200 {
            let mut frame = media::SILENCE;
            tone.read(&mut frame);
            sink.write(&frame);
        }
        sink.finish();
        for codec in Codec::ALL {
            reference_transcode(&input, &output, codec, &OpusConfig::default()).unwrap();
            let heard = read_samples(&output).unwrap();
            assert_eq!(heard.len(), 96_000);
            assert!(
                share_at(&heard[48_000..], 800.0, SAMPLE_RATE_HZ) > 0.98,
                "{codec:?}"
            );
        }
        let missing = reference_transcode(
            &folder.path().join("no.wav"),
            &output,
            Codec::Opus,
            &OpusConfig::default(),
        );
        assert!(matches!(
            missing,
            Err(ReferenceError::File(WavError::Read { .. }))
        ));
    }
}
