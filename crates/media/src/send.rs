//! From captured sound to RTP packets.
//!
//! ```text
//!   frame (48 kHz) ─► resample ─► encode ─┐
//!                                         ├─► header ─► datagram
//!   digits ─────────────► telephone-event ─┘
//! ```
//!
//! One call of [`SendPipeline::process`] per 10 ms, whatever happens: the timestamp counts time,
//! also while nothing is sent. Two of them make a packet of 20 ms.

use crate::codec::{Codec, CodecError, Encoder, MAX_PAYLOAD_BYTES, OpusConfig};
use crate::dtmf::EventSender;
use crate::frame::{Frame, SAMPLE_RATE_HZ};
use crate::parameters::{EventFormat, SendFormat};
use crate::resample::Resampler;
use crate::rtp::{Copies, MAX_DATAGRAM_BYTES, Marker, RtpSender};
use crate::send_rate::SendRate;

/// From these losses on every packet carries the one before it once more, or the two or three before it, if the
/// peer takes that. The third pays where losses come in a row, which reports do not tell
/// (`docs/decisions/0039-two-copies-from-four-percent.md`).
const COPIES_FROM_PERCENT: [u8; 3] = [2, 4, 8];

/// Whether the microphone reaches the peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Microphone {
    /// It does.
    #[default]
    Live,
    /// Noise as soft as the room's is sent in its place: packets go on, so that the ways through firewalls stay open.
    Muted,
}

/// See the module header.
pub struct SendPipeline {
    format: SendFormat,
    /// The peer's number for packets with copies.
    redundancy: Option<u8>,
    copies: Copies,
    with_copies: Vec<u8>,
    expected_loss_percent: u8,
    may_copy: bool,
    /// Of the configuration and the peer's wishes, in bits per second.
    bitrate: u32,
    event_format: Option<EventFormat>,
    encoder: Box<dyn Encoder>,
    resampler: Resampler,
    /// Of the packet that is being filled, at the codec's rate.
    samples: Vec<i16>,
    /// When the packet that is being filled began.
    timestamp: u32,
    payload: [u8; MAX_PAYLOAD_BYTES],
    datagram: [u8; MAX_DATAGRAM_BYTES],
    /// The next audio packet opens a talkspurt.
    starts_talkspurt: bool,
}

impl SendPipeline {
    /// Ready to send in this format.
    ///
    /// # Errors
    ///
    /// [`CodecError::Setup`] if the codec cannot be set up.
    pub fn new(
        format: SendFormat,
        redundancy: Option<u8>,
        event_format: Option<EventFormat>,
        opus: &OpusConfig,
    ) -> Result<Self, CodecError> {
        let bitrate = format
            .max_bitrate
            .map_or(opus.bitrate, |most| most.min(opus.bitrate));
        let encoder = format.codec.encoder(&OpusConfig {
            bitrate,
            ..opus.clone()
        })?;
        let resampler =
            Resampler::new(SAMPLE_RATE_HZ, format.codec.sample_rate_hz()).map_err(|_| {
                CodecError::Setup {
                    codec: format.codec,
                }
            })?;
        Ok(Self {
            samples: Vec::with_capacity(format.codec.packet_samples()),
            timestamp: 0,
            format,
            redundancy,
            copies: Copies::default(),
            with_copies: Vec::new(),
            expected_loss_percent: 0,
            may_copy: true,
            bitrate,
            event_format,
            encoder,
            resampler,
            payload: [0; MAX_PAYLOAD_BYTES],
            datagram: [0; MAX_DATAGRAM_BYTES],
            starts_talkspurt: true,
        })
    }

    /// What it sends.
    #[must_use]
    pub fn format(&self) -> &SendFormat {
        &self.format
    }

    /// How it sends digits.
    #[must_use]
    pub fn event_format(&self) -> Option<EventFormat> {
        self.event_format
    }

    /// The peer loses about this share of our packets, and the path takes so much.
    pub(crate) fn set_path(&mut self, expected_loss_percent: u8, rate: &SendRate) {
        self.expected_loss_percent = expected_loss_percent;
        self.may_copy = rate.has_copies();
        self.encoder.set_bitrate(self.bitrate.min(rate.bitrate()));
        // Whole copies are better than the coarse ones that FEC puts in place of better sound.
        let needs_fec = self.format.peer_uses_fec && self.copies_wanted() == 0;
        self.encoder
            .set_expected_loss(if needs_fec { expected_loss_percent } else { 0 });
    }

    fn copies_wanted(&self) -> usize {
        let reached = |from: &&u8| self.expected_loss_percent >= **from;
        match self.redundancy {
            Some(_) if self.may_copy => COPIES_FROM_PERCENT.iter().filter(reached).count(),
            _ => 0,
        }
    }

    /// One frame of 10 ms: the datagram to send, if it completes one.
    ///
    /// # Errors
    ///
    /// [`CodecError`] if the encoder refuses the block; time passes all the same.
    pub fn process(
        &mut self,
        frame: &Frame,
        events: &mut EventSender,
        rtp: &mut RtpSender,
    ) -> Result<Option<&[u8]>, CodecError> {
        let codec = self.format.codec;
        if self.samples.is_empty() {
            self.timestamp = rtp.timestamp();
        }
        rtp.advance(codec.frame_ticks());
        self.resampler.process(frame, &mut self.samples);
        if self.samples.len() < codec.packet_samples() {
            return Ok(None);
        }
        let packet = self.complete(events, rtp);
        self.samples.clear();
        Ok(packet?.map(|len| &self.datagram[..len]))
    }

    /// A packet is full: writes it, or the event in its place. Gives its length.
    fn complete(
        &mut self,
        events: &mut EventSender,
        rtp: &mut RtpSender,
    ) -> Result<Option<usize>, CodecError> {
        if let Some(event) = self.event_format
            && let Some(packet) = events.poll(self.timestamp, event.clock_rate_hz)
        {
            // Audio pauses while an event is sent; what follows is a new talkspurt.
            self.starts_talkspurt = true;
            let marker = if packet.is_first {
                Marker::Set
            } else {
                Marker::Clear
            };
            let packet_len = rtp
                .packet(
                    event.payload_type,
                    marker,
                    packet.timestamp,
                    &packet.payload,
                )
                .write(&mut self.datagram);
            return Ok(packet_len.ok());
        }
        let len = self.encoder.encode(&self.samples, &mut self.payload)?;
        if len == 0 {
            self.copies.clear();
            self.starts_talkspurt = true;
            return Ok(None);
        }
        let marker = if std::mem::take(&mut self.starts_talkspurt) {
            Marker::Set
        } else {
            Marker::Clear
        };
        let payload = &self.payload[..len];
        let (payload_type, payload) = match (self.redundancy, self.copies_wanted()) {
            (Some(number), copies @ 1..)
                if self
                    .copies
                    .write(
                        self.format.payload_type,
                        self.timestamp,
                        payload,
                        copies,
                        &mut self.with_copies,
                    )
                    .is_some() =>
            {
                (number, self.with_copies.as_slice())
            }
            _ => {
                self.copies.keep(self.timestamp, payload);
                (self.format.payload_type, payload)
            }
        };
        let written = rtp
            .packet(payload_type, marker, self.timestamp, payload)
            .write(&mut self.datagram);
        Ok(written.ok())
    }

    /// 10 ms pass without anything being sent: on hold.
    pub fn skip(&mut self, rtp: &mut RtpSender) {
        self.samples.clear();
        rtp.advance(self.format.codec.frame_ticks());
        self.starts_talkspurt = true;
    }

    /// Codec in use.
    #[must_use]
    pub fn codec(&self) -> Codec {
        self.format.codec
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Dtx;
    use crate::dtmf::Digit;
    use crate::frame::SILENCE;
    use crate::rtp::RtpPacket;
    use crate::tone::Tone;

    struct Sent {
        payload_type: u8,
        marker: bool,
        sequence: u16,
        timestamp: u32,
    }

    #[derive(Clone, Copy, PartialEq)]
    enum Voice {
        Talks,
        IsSilent,
    }

    struct Rig {
        pipeline: SendPipeline,
        events: EventSender,
        rtp: RtpSender,
        tone: Tone,
    }

    impl Rig {
        fn new(codec: Codec, opus: &OpusConfig) -> Self {
            let format = SendFormat {
                payload_type: 96,
                codec,
                peer_uses_fec: true,
                max_bitrate: None,
            };
            let event = EventFormat {
                payload_type: 101,
                clock_rate_hz: codec.clock_rate_hz(),
            };
            Self {
                pipeline: SendPipeline::new(format, None, Some(event), opus).unwrap(),
                events: EventSender::default(),
                rtp: RtpSender::new(1, 0, 0),
                tone: Tone::new(440.0, SAMPLE_RATE_HZ, 0.3),
            }
        }

        /// 20 ms.
        fn step(&mut self, voice: Voice) -> Option<(Sent, Vec<u8>)> {
            assert!(self.frame(voice).is_none(), "half a packet");
            self.frame(voice)
        }

        fn frame(&mut self, voice: Voice) -> Option<(Sent, Vec<u8>)> {
            let mut frame = SILENCE;
            if voice == Voice::Talks {
                self.tone.fill(&mut frame);
            }
            let bytes = self
                .pipeline
                .process(&frame, &mut self.events, &mut self.rtp)
                .unwrap()?;
            let RtpPacket {
                payload_type,
                marker,
                sequence,
                timestamp,
                payload,
                ..
            } = RtpPacket::parse(bytes).unwrap();
            Some((
                Sent {
                    payload_type,
                    marker,
                    sequence,
                    timestamp,
                },
                payload.to_vec(),
            ))
        }
    }

    #[test]
    fn every_block_is_one_packet_and_only_the_first_opens_a_talkspurt() {
        for codec in Codec::ALL {
            let mut rig = Rig::new(codec, &OpusConfig::default());
            for n in 0..20_u16 {
                let (sent, _) = rig.step(Voice::Talks).unwrap();
                assert_eq!((sent.sequence, sent.marker), (n, n == 0));
                assert_eq!(sent.timestamp, u32::from(n) * 2 * codec.frame_ticks());
            }
        }
    }

    #[test]
    fn events_take_the_place_of_audio_and_audio_returns_as_a_talkspurt_in_step_with_time() {
        let mut rig = Rig::new(Codec::Pcmu, &OpusConfig::default());
        rig.step(Voice::Talks).unwrap();
        rig.events.push(Digit::from_char('7').unwrap()).unwrap();
        for n in 0..7 {
            let (sent, payload) = rig.step(Voice::Talks).unwrap();
            assert_eq!(
                (sent.payload_type, sent.marker, sent.timestamp),
                (101, n == 0, 160)
            );
            assert_eq!(payload[0], 7);
        }
        let (sent, _) = rig.step(Voice::Talks).unwrap();
        assert_eq!(
            (
                sent.payload_type,
                sent.marker,
                sent.timestamp,
                sent.sequence
            ),
            (96, true, 8 * 160, 8)
        );
    }

    #[test]
    fn time_passes_on_hold_and_in_silence() {
        let mut rig = Rig::new(
            Codec::Opus,
            &OpusConfig {
                dtx: Dtx::On,
                ..OpusConfig::default()
            },
        );
        rig.step(Voice::Talks).unwrap();
        for _ in 0..2 {
            rig.pipeline.skip(&mut rig.rtp);
        }
        let (sent, _) = rig.step(Voice::Talks).unwrap();
        assert_eq!(
            (sent.sequence, sent.timestamp, sent.marker),
            (1, 2 * 960, true)
        );
        let mut blocks = 3_u32;
        let mut silent = 0;
        for _ in 0..50 {
            silent += u32::from(rig.step(Voice::IsSilent).is_none());
            blocks += 1;
        }
        assert!(silent > 20, "{silent}");
        let (sent, _) = loop {
            blocks += 1;
            if let Some(sent) = rig.step(Voice::Talks) {
                break sent;
            }
        };
        assert_eq!(sent.timestamp, (blocks - 1) * 960);
    }
}
