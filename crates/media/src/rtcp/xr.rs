//! Extended reports: the VoIP metrics block (RFC 3611 section 4.7), within the packets of `rtcp-types`.
//!
//! It is sent only to a peer that asked for it by `a=rtcp-xr:voip-metrics` (RFC 3611 section 5). Other blocks are
//! skipped when reading and never written.

use rtcp_types::prelude::*;
use rtcp_types::{RtcpParseError, RtcpWriteError, Xr, XrBuilder};

/// Bytes of the block with its header.
const BLOCK_BYTES: usize = 36;
/// In the block's header: 32-bit words after the first.
const BLOCK_WORDS: u16 = 8;
/// Says that a level, a rating or a score is not known.
const UNAVAILABLE: u8 = 127;
/// Blocks that are read from one packet; a phone has one or two sources.
const MAX_BLOCKS: usize = 8;

/// How one source is heard, in the units of the wire. Shares are in 1/256, times in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VoipMetrics {
    /// The source.
    pub ssrc: u32,
    /// Share of packets that never came.
    pub loss_rate: u8,
    /// Share of packets that came too late.
    pub discard_rate: u8,
    /// Share lost or discarded within bursts.
    pub burst_density: u8,
    /// Share lost or discarded within gaps.
    pub gap_density: u8,
    /// Mean length of a burst.
    pub burst_duration_ms: u16,
    /// Mean length of a gap.
    pub gap_duration_ms: u16,
    /// There and back by RTCP; 0 if it is not known.
    pub round_trip_ms: u16,
    /// From the microphone to the network and from the network to the loudspeaker.
    pub end_system_delay_ms: u16,
    /// Loudness of speech in dBm0.
    pub signal_level: Option<i8>,
    /// Loudness of silence in dBm0.
    pub noise_level: Option<i8>,
    /// Residual echo return loss in dB.
    pub residual_echo_return_loss: Option<u8>,
    /// Packets in a row that end a burst.
    pub gmin: u8,
    /// Rating of the conversation, 0 to 100.
    pub r_factor: Option<u8>,
    /// Rating of what else is on the way, such as a mobile network.
    pub external_r_factor: Option<u8>,
    /// Listening quality: score in tenths, 10 to 50.
    pub mos_lq: Option<u8>,
    /// Conversational quality: score in tenths, 10 to 50.
    pub mos_cq: Option<u8>,
    /// How lost packets are replaced.
    pub loss_concealment: LossConcealment,
    /// How the jitter buffer behaves.
    pub jitter_buffer: JitterBufferKind,
    /// Delay of the jitter buffer for a packet that comes in time.
    pub jitter_buffer_nominal_ms: u16,
    /// Delay for the latest packet that is not discarded, now.
    pub jitter_buffer_maximum_ms: u16,
    /// The most that this can become.
    pub jitter_buffer_limit_ms: u16,
}

/// How lost packets are replaced: the receiver configuration's `PLC` (RFC 3611 section 4.7.6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LossConcealment {
    /// Nothing is said about it.
    #[default]
    Unspecified,
    /// By silence.
    Disabled,
    /// By something better than repetition.
    Enhanced,
    /// By repetition.
    Standard,
}

/// How the jitter buffer behaves: the receiver configuration's `JBA`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JitterBufferKind {
    /// Nothing is said about it.
    #[default]
    Unknown,
    /// Of one size.
    Fixed,
    /// It follows the network; `rate` from 0 to 15 is how slowly (`JB rate`).
    Adaptive {
        /// 15 is the slowest.
        rate: u8,
    },
}

impl VoipMetrics {
    /// An extended report of `reporter` with this block alone.
    pub(super) fn packet(self, reporter: u32) -> XrBuilder {
        Xr::builder().sender_ssrc(reporter).add_block(self)
    }

    /// The blocks of an extended report.
    pub(super) fn read_all(packet: &Xr<'_>) -> Vec<Self> {
        packet
            .block_iter()
            .take(MAX_BLOCKS)
            .filter_map(|block| block.parse_into::<Block<'_>>().ok())
            .map(|block| Self::read(block.0))
            .collect()
    }

    fn read(bytes: &[u8; BLOCK_BYTES]) -> Self {
        let half = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
        let known = |at: usize| Some(bytes[at]).filter(|&value| value != UNAVAILABLE);
        Self {
            ssrc: u32::from_be_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]),
            loss_rate: bytes[8],
            discard_rate: bytes[9],
            burst_density: bytes[10],
            gap_density: bytes[11],
            burst_duration_ms: half(12),
            gap_duration_ms: half(14),
            round_trip_ms: half(16),
            end_system_delay_ms: half(18),
            signal_level: known(20).map(u8::cast_signed),
            noise_level: known(21).map(u8::cast_signed),
            residual_echo_return_loss: known(22),
            gmin: bytes[23],
            r_factor: known(24).filter(|value| *value <= 100),
            external_r_factor: known(25).filter(|value| *value <= 100),
            mos_lq: known(26).filter(|value| (10..=50).contains(value)),
            mos_cq: known(27).filter(|value| (10..=50).contains(value)),
            loss_concealment: LossConcealment::of(bytes[28]),
            jitter_buffer: JitterBufferKind::of(bytes[28]),
            jitter_buffer_nominal_ms: half(30),
            jitter_buffer_maximum_ms: half(32),
            jitter_buffer_limit_ms: half(34),
        }
    }
}

/// A block of the right type and length.
struct Block<'a>(&'a [u8; BLOCK_BYTES]);

impl XrBlockStaticType for Block<'_> {
    const BLOCK_TYPE: u8 = 7;
}

impl<'a> XrBlockParser<'a> for Block<'a> {
    /// `data` may go on behind the block.
    fn parse(data: &'a [u8]) -> Result<Self, RtcpParseError> {
        let bytes: &[u8; BLOCK_BYTES] = data.first_chunk().ok_or(RtcpParseError::Truncated {
            expected: BLOCK_BYTES,
            actual: data.len(),
        })?;
        let block = Self(bytes);
        if block.length() == BLOCK_BYTES {
            Ok(block)
        } else {
            Err(RtcpParseError::WrongImplementation)
        }
    }

    fn header_data(&self) -> [u8; 4] {
        let [kind, reserved, high, low, ..] = *self.0;
        [kind, reserved, high, low]
    }
}

impl XrBlockBuilder<'_> for VoipMetrics {
    fn type_specific_byte(&self) -> u8 {
        0
    }
}

impl RtcpPacketWriter for VoipMetrics {
    fn calculate_size(&self) -> Result<usize, RtcpWriteError> {
        Ok(BLOCK_BYTES)
    }

    fn write_into_unchecked(&self, buffer: &mut [u8]) -> usize {
        self.write_header_unchecked(buffer, Block::BLOCK_TYPE, BLOCK_WORDS);
        let level = |level: Option<i8>| level.map_or(UNAVAILABLE, i8::cast_unsigned);
        let known = |value: Option<u8>| value.unwrap_or(UNAVAILABLE);
        buffer[4..8].copy_from_slice(&self.ssrc.to_be_bytes());
        buffer[8..12].copy_from_slice(&[
            self.loss_rate,
            self.discard_rate,
            self.burst_density,
            self.gap_density,
        ]);
        let times = [
            self.burst_duration_ms,
            self.gap_duration_ms,
            self.round_trip_ms,
            self.end_system_delay_ms,
        ];
        for (place, time) in buffer[12..20].chunks_exact_mut(2).zip(times) {
            place.copy_from_slice(&time.to_be_bytes());
        }
        buffer[20..30].copy_from_slice(&[
            level(self.signal_level),
            level(self.noise_level),
            known(self.residual_echo_return_loss),
            self.gmin,
            known(self.r_factor),
            known(self.external_r_factor),
            known(self.mos_lq),
            known(self.mos_cq),
            self.loss_concealment.bits() | self.jitter_buffer.bits(),
            0,
        ]);
        let delays = [
            self.jitter_buffer_nominal_ms,
            self.jitter_buffer_maximum_ms,
            self.jitter_buffer_limit_ms,
        ];
        for (place, delay) in buffer[30..36].chunks_exact_mut(2).zip(delays) {
            place.copy_from_slice(&delay.to_be_bytes());
        }
        BLOCK_BYTES
    }

    fn get_padding(&self) -> Option<u8> {
        None
    }
}

impl LossConcealment {
    fn of(configuration: u8) -> Self {
        match configuration >> 6 {
            0 => Self::Unspecified,
            1 => Self::Disabled,
            2 => Self::Enhanced,
            _ => Self::Standard,
        }
    }

    fn bits(self) -> u8 {
        match self {
            Self::Unspecified => 0,
            Self::Disabled => 1 << 6,
            Self::Enhanced => 2 << 6,
            Self::Standard => 3 << 6,
        }
    }
}

impl JitterBufferKind {
    fn of(configuration: u8) -> Self {
        match configuration >> 4 & 3 {
            3 => Self::Adaptive {
                rate: configuration & 15,
            },
            2 => Self::Fixed,
            _ => Self::Unknown,
        }
    }

    fn bits(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::Fixed => 2 << 4,
            Self::Adaptive { rate } => 3 << 4 | rate.min(15),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtcp::{Leaving, Received, Report, parse, write_extended};
    use proptest::prelude::*;

    const SSRC: u32 = 0xdead_beef;

    fn metrics() -> VoipMetrics {
        VoipMetrics {
            ssrc: 0x0a0b_0c0d,
            loss_rate: 1,
            discard_rate: 2,
            burst_density: 3,
            gap_density: 4,
            burst_duration_ms: 0x0102,
            gap_duration_ms: 0x0304,
            round_trip_ms: 0x0506,
            end_system_delay_ms: 0x0708,
            signal_level: Some(-20),
            noise_level: None,
            residual_echo_return_loss: Some(50),
            gmin: 16,
            r_factor: Some(93),
            external_r_factor: None,
            mos_lq: Some(44),
            mos_cq: Some(43),
            loss_concealment: LossConcealment::Enhanced,
            jitter_buffer: JitterBufferKind::Adaptive { rate: 5 },
            jitter_buffer_nominal_ms: 0x090a,
            jitter_buffer_maximum_ms: 0x0b0c,
            jitter_buffer_limit_ms: 0x0d0e,
        }
    }

    fn compound(metrics: Option<VoipMetrics>, leaving: Leaving) -> Vec<u8> {
        write_extended(&report(), metrics, "ab", leaving).unwrap()
    }

    fn report() -> Report {
        Report {
            ssrc: SSRC,
            sender: None,
            blocks: Vec::new(),
        }
    }

    #[test]
    fn the_block_is_written_as_the_figure_in_section_4_7_says() {
        let bytes = compound(Some(metrics()), Leaving::Yes);
        #[rustfmt::skip]
        let expected = [
            0x80, 207, 0, 10, 0xde, 0xad, 0xbe, 0xef,
            7, 0, 0, 8, 0x0a, 0x0b, 0x0c, 0x0d,
            1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7, 8,
            0xec, 127, 50, 16, 93, 127, 44, 43,
            0b1011_0101, 0, 9, 10, 11, 12, 13, 14,
            0x81, 203, 0, 1, 0xde, 0xad, 0xbe, 0xef,
        ];
        assert_eq!(bytes[bytes.len() - expected.len()..], expected);
    }

    #[test]
    fn without_metrics_there_is_no_extended_report() {
        assert_eq!(
            parse(&compound(None, Leaving::No)).unwrap(),
            [Received::Report(report())]
        );
    }

    #[test]
    fn other_blocks_and_blocks_of_another_length_are_skipped() {
        let bytes = compound(Some(metrics()), Leaving::No);
        let block = bytes.len() - BLOCK_BYTES;
        let mut other_kind = bytes.clone();
        other_kind[block] = 6;
        assert_eq!(parse(&other_kind).unwrap(), [Received::Report(report())]);
        let mut shorter = bytes.clone();
        // Seven words, and a block of one word behind it.
        shorter[block + 3] = 7;
        shorter[block + 32..].copy_from_slice(&[99, 0, 0, 0]);
        assert_eq!(parse(&shorter).unwrap(), [Received::Report(report())]);
        let mut too_long = bytes;
        too_long[block + 3] = 9;
        assert!(parse(&too_long).is_err());
    }

    #[test]
    fn numbers_out_of_their_range_are_not_believed() {
        let absurd = VoipMetrics {
            r_factor: Some(101),
            external_r_factor: Some(255),
            mos_lq: Some(51),
            mos_cq: Some(9),
            ..metrics()
        };
        let received = parse(&compound(Some(absurd), Leaving::No)).unwrap();
        let Some(Received::VoipMetrics(read)) = received.last() else {
            panic!("{received:?}");
        };
        assert_eq!(
            (
                read.r_factor,
                read.external_r_factor,
                read.mos_lq,
                read.mos_cq
            ),
            (None, None, None, None)
        );
    }

    fn any_metrics() -> impl Strategy<Value = VoipMetrics> {
        let optional = |range: std::ops::RangeInclusive<u8>| proptest::option::of(range);
        let shares = any::<[u8; 4]>();
        let times = any::<[u16; 7]>();
        let levels = proptest::array::uniform2(proptest::option::of(-127_i8..=126));
        let ratings = (
            optional(0..=126),
            optional(0..=100),
            optional(0..=100),
            optional(10..=50),
            optional(10..=50),
        );
        let concealment = prop_oneof![
            Just(LossConcealment::Unspecified),
            Just(LossConcealment::Disabled),
            Just(LossConcealment::Enhanced),
            Just(LossConcealment::Standard),
        ];
        let buffer = prop_oneof![
            Just(JitterBufferKind::Unknown),
            Just(JitterBufferKind::Fixed),
            (0_u8..16).prop_map(|rate| JitterBufferKind::Adaptive { rate }),
        ];
        (
            any::<u32>(),
            shares,
            times,
            levels,
            ratings,
            concealment,
            buffer,
            any::<u8>(),
        )
            .prop_map(
                |(ssrc, shares, times, levels, ratings, loss_concealment, jitter_buffer, gmin)| {
                    VoipMetrics {
                        ssrc,
                        loss_rate: shares[0],
                        discard_rate: shares[1],
                        burst_density: shares[2],
                        gap_density: shares[3],
                        burst_duration_ms: times[0],
                        gap_duration_ms: times[1],
                        round_trip_ms: times[2],
                        end_system_delay_ms: times[3],
                        signal_level: levels[0],
                        noise_level: levels[1],
                        residual_echo_return_loss: ratings.0,
                        gmin,
                        r_factor: ratings.1,
                        external_r_factor: ratings.2,
                        mos_lq: ratings.3,
                        mos_cq: ratings.4,
                        loss_concealment,
                        jitter_buffer,
                        jitter_buffer_nominal_ms: times[4],
                        jitter_buffer_maximum_ms: times[5],
                        jitter_buffer_limit_ms: times[6],
                    }
                },
            )
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(metrics in any_metrics()) {
            let received = parse(&compound(Some(metrics), Leaving::No)).unwrap();
            prop_assert_eq!(received, [Received::Report(report()), Received::VoipMetrics(metrics)]);
        }

        #[test]
        fn no_bytes_in_an_extended_report_panic(body in proptest::collection::vec(any::<u8>(), 0..200), kind in 0_u8..10, words in 0_u8..20) {
            let mut packet = vec![0x80, 207, 0, 0, 0, 0, 0, 1, kind, 0, 0, words];
            packet.extend(body);
            packet.resize(packet.len().next_multiple_of(4), 0);
            packet[3] = u8::try_from(packet.len() / 4 - 1).unwrap();
            let mut bytes = compound(None, Leaving::No);
            bytes.extend(packet);
            let _ = parse(&bytes);
        }

        #[test]
        fn no_change_of_one_byte_panics(at in 0_usize..80, value in any::<u8>()) {
            let mut bytes = compound(Some(metrics()), Leaving::No);
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
            let _ = parse(&bytes);
        }
    }
}
