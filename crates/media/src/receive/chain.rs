//! The parts of the receive pipeline that belong to one codec: decoder and conversion of its rate.

use crate::codec::{Codec, Concealed, Decoder, Next};
use crate::frame::{FRAME_SAMPLES, SAMPLE_RATE_HZ};
use crate::jitter::AudioPacket;
use crate::resample::Resampler;

/// From payloads of one type to samples at 48 kHz.
pub(super) struct Chain {
    codec: Codec,
    payload_type: u8,
    decoder: Box<dyn Decoder>,
    resampler: Resampler,
    /// At the codec's rate.
    samples: Vec<i16>,
}

impl Chain {
    /// `None` if the codec cannot be set up.
    pub(super) fn new(codec: Codec, payload_type: u8) -> Option<Self> {
        Some(Self {
            codec,
            payload_type,
            decoder: codec.decoder().ok()?,
            resampler: Resampler::new(codec.sample_rate_hz(), SAMPLE_RATE_HZ).ok()?,
            samples: Vec::with_capacity(8 * FRAME_SAMPLES),
        })
    }

    pub(super) fn codec(&self) -> Codec {
        self.codec
    }

    pub(super) fn is_for(&self, codec: Codec, payload_type: u8) -> bool {
        self.codec == codec && self.payload_type == payload_type
    }

    /// Appends the packet's sound; in place of one that cannot be decoded, as much concealment.
    /// Gives how many could not.
    pub(super) fn decode(&mut self, packet: &AudioPacket, out: &mut Vec<i16>) -> u64 {
        self.samples.clear();
        let decoded = self.decoder.decode(&packet.payload, &mut self.samples);
        if decoded.is_err() {
            self.conceal(packet.duration_ticks, None, out);
            return 1;
        }
        self.resampler.process(&self.samples, out);
        0
    }

    /// Appends `ticks` of sound in place of a packet that is not there. `next`: what is missing in all from here on,
    /// in ticks, and the payload after it.
    pub(super) fn conceal(
        &mut self,
        ticks: u32,
        next: Option<(u32, &[u8])>,
        out: &mut Vec<i16>,
    ) -> Concealed {
        self.samples.clear();
        let samples = self.codec.samples_of_ticks(ticks);
        let next = next.map(|(gap_ticks, payload)| Next {
            gap_samples: self.codec.samples_of_ticks(gap_ticks),
            payload,
        });
        let concealed = self.decoder.conceal(samples, next, &mut self.samples);
        self.resampler.process(&self.samples, out);
        concealed
    }
}
