//! The codec table: what a payload format of a description means here, and its coder and decoder.
//!
//! A codec is one row of the `match`es on [`Codec`] and a file beside this one.

mod conceal;
mod g711;
mod g722;
mod opus;
mod opus_extensions;
mod opus_packet;

use sdp::PayloadFormat;

pub use self::opus::{Dtx, Fec, OpusConfig};

/// Payload bytes of the largest packet that any encoder of ours makes.
pub const MAX_PAYLOAD_BYTES: usize = 1_275;

/// Longest time that one packet may last, in milliseconds.
const MAX_PACKET_MS: u32 = 120;

/// Packets that deep redundancy is taken to replace, of which each is 20 ms of delay while as many are lost in a row;
/// how many it tells of is only known when it is decoded.
const DEEP_MENDS: u8 = 3;

/// A codec that we speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// RFC 6716, in RTP by RFC 7587. 48 kHz, mono here although the wire says two channels.
    Opus,
    /// G.722, 16 kHz.
    G722,
    /// G.711 µ-law, 8 kHz.
    Pcmu,
    /// G.711 A-law, 8 kHz.
    Pcma,
}

/// Turns blocks of samples into payloads.
pub trait Encoder: Send {
    /// Encodes 20 ms of sound at the codec's rate to the start of `out`. 0 bytes: nothing needs
    /// to be sent now.
    ///
    /// # Errors
    ///
    /// [`CodecError`] if the block has the wrong length or `out` is too small.
    fn encode(&mut self, samples: &[i16], out: &mut [u8]) -> Result<usize, CodecError>;

    /// The network loses about this many packets in a hundred: spend bits on redundancy.
    fn set_expected_loss(&mut self, percent: u8);

    /// What the payloads may take, in bits per second. Codecs of one rate keep theirs.
    fn set_bitrate(&mut self, _bits_per_second: u32) {}
}

/// Turns payloads into samples.
pub trait Decoder: Send {
    /// Appends what the payload says to `out`.
    ///
    /// # Errors
    ///
    /// [`CodecError::Undecodable`] for a payload that is not of this codec; `out` is unchanged.
    fn decode(&mut self, payload: &[u8], out: &mut Vec<i16>) -> Result<(), CodecError>;

    /// Appends exactly `samples` samples in place of a lost packet. `next` is the packet after the gap,
    /// if that is there already: it may carry what was lost once more, or say where the sound has to lead.
    fn conceal(&mut self, samples: usize, next: Option<Next<'_>>, out: &mut Vec<i16>) -> Concealed;
}

/// The first packet after a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Next<'a> {
    /// What is missing before it from here on, in samples at the codec's rate.
    pub gap_samples: usize,
    /// Codec data.
    pub payload: &'a [u8],
}

impl<'a> Next<'a> {
    /// Its payload, if it follows within so many samples.
    fn within(self, samples: usize) -> Option<&'a [u8]> {
        (self.gap_samples <= samples).then_some(self.payload)
    }
}

/// Where the sound in place of a lost packet came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concealed {
    /// The copy in the next packet.
    Recovered,
    /// Made up from what was heard before.
    Invented,
}

/// What can go wrong in a codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// The codec library refused to start.
    #[error("{codec:?} cannot be set up")]
    Setup {
        /// Which one.
        codec: Codec,
    },
    /// Our own mistake: a block of the wrong length or a small buffer.
    #[error("{codec:?} cannot encode {samples} samples")]
    Unencodable {
        /// Which one.
        codec: Codec,
        /// Length of the block.
        samples: usize,
    },
    /// The sender's mistake.
    #[error("{len_bytes} bytes are no {codec:?} packet")]
    Undecodable {
        /// Which one.
        codec: Codec,
        /// Length of the payload.
        len_bytes: usize,
    },
}

impl Codec {
    /// All of them, preferred first.
    pub const ALL: [Self; 4] = [Self::Opus, Self::G722, Self::Pcmu, Self::Pcma];

    /// The codec that a payload format means, if it is one of ours.
    #[must_use]
    pub fn of(format: &PayloadFormat) -> Option<Self> {
        Self::ALL.into_iter().find(|codec| {
            format.name.eq_ignore_ascii_case(codec.name())
                && format.clock_rate == codec.clock_rate_hz()
                && codec.allows_channels(format.channels)
        })
    }

    /// Encoding name as it is registered.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Opus => "opus",
            Self::G722 => "G722",
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
        }
    }

    /// RTP clock, in Hz.
    #[must_use]
    pub fn clock_rate_hz(self) -> u32 {
        match self {
            Self::Opus => 48_000,
            // A mistake of the first standard that all keep (RFC 3551 section 4.5.2).
            Self::G722 | Self::Pcmu | Self::Pcma => 8_000,
        }
    }

    /// Rate of the samples that go in and come out, in Hz.
    #[must_use]
    pub fn sample_rate_hz(self) -> u32 {
        match self {
            Self::Opus => 48_000,
            Self::G722 => 16_000,
            Self::Pcmu | Self::Pcma => 8_000,
        }
    }

    /// Samples that so many ticks of the RTP clock last.
    #[must_use]
    pub fn samples_of_ticks(self, ticks: u32) -> usize {
        let samples =
            u64::from(ticks) * u64::from(self.sample_rate_hz()) / u64::from(self.clock_rate_hz());
        usize::try_from(samples).unwrap_or(usize::MAX)
    }

    /// Packets right before a payload that it helps to replace: it carries them once more, or says where the
    /// sound has to lead.
    #[must_use]
    pub fn mends(self, payload: &[u8]) -> u8 {
        match self {
            Self::Opus if opus_extensions::has_deep_redundancy(payload) => DEEP_MENDS,
            Self::Opus => u8::from(opus_packet::has_redundancy(payload)),
            Self::G722 | Self::Pcmu | Self::Pcma => 1,
        }
    }

    /// Samples in a packet of ours: 20 ms.
    #[must_use]
    pub fn packet_samples(self) -> usize {
        match self {
            Self::Opus => 960,
            Self::G722 => 320,
            Self::Pcmu | Self::Pcma => 160,
        }
    }

    /// Ticks of the RTP clock in a frame: 10 ms.
    #[must_use]
    pub fn frame_ticks(self) -> u32 {
        self.clock_rate_hz() / 100
    }

    /// How long a payload lasts, in ticks of the RTP clock. `None`: it cannot be of this codec.
    #[must_use]
    pub fn duration_ticks(self, payload: &[u8]) -> Option<u32> {
        let ticks = match self {
            Self::Opus => opus::duration_samples(payload)?,
            Self::G722 | Self::Pcmu | Self::Pcma => payload.len(),
        };
        let longest = self.clock_rate_hz() / 1_000 * MAX_PACKET_MS;
        u32::try_from(ticks)
            .ok()
            .filter(|ticks| (1..=longest).contains(ticks))
    }

    /// A new encoder.
    ///
    /// # Errors
    ///
    /// [`CodecError::Setup`] if the library refuses.
    pub fn encoder(self, opus: &OpusConfig) -> Result<Box<dyn Encoder>, CodecError> {
        Ok(match self {
            Self::Opus => Box::new(opus::OpusEncoder::new(opus)?),
            Self::G722 => Box::new(g722::G722Encoder::new()),
            Self::Pcmu | Self::Pcma => Box::new(g711::G711Encoder::new(self)),
        })
    }

    /// A new decoder.
    ///
    /// # Errors
    ///
    /// [`CodecError::Setup`] if the library refuses.
    pub fn decoder(self) -> Result<Box<dyn Decoder>, CodecError> {
        Ok(match self {
            Self::Opus => Box::new(opus::OpusDecoder::new()?),
            Self::G722 => Box::new(g722::G722Decoder::new()),
            Self::Pcmu | Self::Pcma => Box::new(g711::G711Decoder::new(self)),
        })
    }

    fn allows_channels(self, channels: u8) -> bool {
        match self {
            // RFC 7587 section 7 has 2 for mono too; peers that write something else mean the same.
            Self::Opus => true,
            Self::G722 | Self::Pcmu | Self::Pcma => channels == 1,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
