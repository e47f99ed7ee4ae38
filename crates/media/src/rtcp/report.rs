//! Compound packets (RFC 3550 section 6.1): a report first, the canonical name always, an extended report if
//! the peer wants it, BYE at the end.

use rtcp_types::prelude::*;
use rtcp_types::{
    Bye, Compound, Packet, ReceiverReport, ReceiverReportBuilder, Sdes, SdesChunk, SdesItem,
    SenderReport, SenderReportBuilder,
};

use super::xr::VoipMetrics;
use crate::rtp::MAX_DATAGRAM_BYTES;

/// Report blocks that are read from one packet; a phone has one or two sources.
const MAX_BLOCKS: usize = 8;

/// A sender or receiver report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Who reports.
    pub ssrc: u32,
    /// What the reporter sent; `None` in a receiver report.
    pub sender: Option<SenderInfo>,
    /// What the reporter received, by source.
    pub blocks: Vec<ReportBlock>,
}

/// Sender information of a sender report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderInfo {
    /// When this report was sent, as an NTP timestamp.
    pub ntp: u64,
    /// The same moment in the stream's clock.
    pub rtp_timestamp: u32,
    /// Packets sent so far.
    pub packets: u32,
    /// Payload bytes sent so far.
    pub octets: u32,
}

/// How one source is received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportBlock {
    /// The source.
    pub ssrc: u32,
    /// Loss since the last report, in 1/256.
    pub fraction_lost: u8,
    /// Packets lost so far, at most 2^24 - 1.
    pub cumulative_lost: u32,
    /// Extended highest sequence number.
    pub highest_sequence: u32,
    /// Interarrival jitter in timestamp units.
    pub jitter_ticks: u32,
    /// Middle 32 bits of the last sender report's NTP time; 0 for none.
    pub last_sender_report: u32,
    /// Since then, in 1/65536 s.
    pub delay_since: u32,
}

/// Whether the source goes on after this packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaving {
    /// It stays.
    No,
    /// It says BYE.
    Yes,
}

/// One thing that a compound packet said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// A report.
    Report(Report),
    /// How the reporter hears one source.
    VoipMetrics(VoipMetrics),
    /// The source left.
    Bye {
        /// Who.
        ssrc: u32,
    },
}

/// Why a datagram is not RTCP, or a packet cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RtcpError {
    /// The sender's fault: drop it.
    #[error("malformed RTCP packet of {len_bytes} bytes")]
    Malformed {
        /// Size of the datagram.
        len_bytes: usize,
    },
    /// A field of a packet of ours is out of its range.
    #[error("RTCP packet cannot be written")]
    Unwritable,
}

/// Writes a compound packet: report, canonical name, and BYE when leaving.
///
/// # Errors
///
/// [`RtcpError::Unwritable`] if `cname` is longer than 255 bytes or there are over 31 blocks.
pub fn write(report: &Report, cname: &str, leaving: Leaving) -> Result<Vec<u8>, RtcpError> {
    write_extended(report, None, cname, leaving)
}

/// The same with an extended report, if there are metrics for one.
///
/// # Errors
///
/// As [`write()`].
pub fn write_extended(
    report: &Report,
    metrics: Option<VoipMetrics>,
    cname: &str,
    leaving: Leaving,
) -> Result<Vec<u8>, RtcpError> {
    let name = SdesItem::builder(SdesItem::CNAME, cname);
    let description = Sdes::builder().add_chunk(SdesChunk::builder(report.ssrc).add_item(name));
    let blocks = report.blocks.iter().map(block_builder);
    let compound = match report.sender {
        Some(sender) => {
            let head = SenderReport::builder(report.ssrc)
                .ntp_timestamp(sender.ntp)
                .rtp_timestamp(sender.rtp_timestamp)
                .packet_count(sender.packets)
                .octet_count(sender.octets);
            Compound::builder().add_packet(blocks.fold(head, SenderReportBuilder::add_report_block))
        }
        None => {
            let head = ReceiverReport::builder(report.ssrc);
            Compound::builder()
                .add_packet(blocks.fold(head, ReceiverReportBuilder::add_report_block))
        }
    };
    let mut compound = compound.add_packet(description);
    if let Some(metrics) = metrics {
        compound = compound.add_packet(metrics.packet(report.ssrc));
    }
    let compound = match leaving {
        Leaving::No => compound,
        Leaving::Yes => compound.add_packet(Bye::builder().add_source(report.ssrc)),
    };
    let mut bytes = vec![0; MAX_DATAGRAM_BYTES];
    let len = compound
        .write_into(&mut bytes)
        .map_err(|_| RtcpError::Unwritable)?;
    bytes.truncate(len);
    Ok(bytes)
}

/// Reads a datagram: the reports and leave-takings in it, in order. Other packets are skipped.
///
/// # Errors
///
/// [`RtcpError::Malformed`] if it fails the checks of RFC 3550 appendix A.2 or any part is broken.
pub fn parse(datagram: &[u8]) -> Result<Vec<Received>, RtcpError> {
    let malformed = RtcpError::Malformed {
        len_bytes: datagram.len(),
    };
    if datagram.len() > MAX_DATAGRAM_BYTES || !matches!(datagram, [0x80..=0x9f, 200 | 201, ..]) {
        return Err(malformed);
    }
    let mut received = Vec::new();
    for packet in Compound::parse(datagram).map_err(|_| malformed)? {
        match packet.map_err(|_| malformed)? {
            Packet::Sr(report) => received.push(Received::Report(Report {
                ssrc: report.ssrc(),
                sender: Some(SenderInfo {
                    ntp: report.ntp_timestamp(),
                    rtp_timestamp: report.rtp_timestamp(),
                    packets: report.packet_count(),
                    octets: report.octet_count(),
                }),
                blocks: report
                    .report_blocks()
                    .take(MAX_BLOCKS)
                    .map(|block| read_block(&block))
                    .collect(),
            })),
            Packet::Rr(report) => received.push(Received::Report(Report {
                ssrc: report.ssrc(),
                sender: None,
                blocks: report
                    .report_blocks()
                    .take(MAX_BLOCKS)
                    .map(|block| read_block(&block))
                    .collect(),
            })),
            Packet::Xr(extended) => received.extend(
                VoipMetrics::read_all(&extended)
                    .into_iter()
                    .map(Received::VoipMetrics),
            ),
            Packet::Bye(bye) => received.extend(bye.ssrcs().map(|ssrc| Received::Bye { ssrc })),
            _ => {}
        }
    }
    Ok(received)
}

fn block_builder(block: &ReportBlock) -> rtcp_types::ReportBlockBuilder {
    rtcp_types::ReportBlock::builder(block.ssrc)
        .fraction_lost(block.fraction_lost)
        .cumulative_lost(block.cumulative_lost)
        .extended_sequence_number(block.highest_sequence)
        .interarrival_jitter(block.jitter_ticks)
        .last_sender_report_timestamp(block.last_sender_report)
        .delay_since_last_sender_report_timestamp(block.delay_since)
}

fn read_block(block: &rtcp_types::ReportBlock<'_>) -> ReportBlock {
    ReportBlock {
        ssrc: block.ssrc(),
        fraction_lost: block.fraction_lost(),
        cumulative_lost: block.cumulative_lost(),
        highest_sequence: block.extended_sequence_number(),
        jitter_ticks: block.interarrival_jitter(),
        last_sender_report: block.last_sender_report_timestamp(),
        delay_since: block.delay_since_last_sender_report_timestamp(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn block() -> ReportBlock {
        ReportBlock {
            ssrc: 0x0a0b_0c0d,
            fraction_lost: 51,
            cumulative_lost: 0x01_0203,
            highest_sequence: 0x0001_ffff,
            jitter_ticks: 160,
            last_sender_report: 0x1122_3344,
            delay_since: 0x0001_8000,
        }
    }

    fn sender_report() -> Report {
        let sender = SenderInfo {
            ntp: 0x0102_0304_0506_0708,
            rtp_timestamp: 960,
            packets: 50,
            octets: 4_000,
        };
        Report {
            ssrc: 0xdead_beef,
            sender: Some(sender),
            blocks: vec![block()],
        }
    }

    #[test]
    fn a_sender_report_is_written_as_the_figure_in_section_6_4_1_says() {
        let bytes = write(&sender_report(), "ab", Leaving::Yes).unwrap();
        #[rustfmt::skip]
        let expected = [
            0x81, 200, 0, 12, 0xde, 0xad, 0xbe, 0xef, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 3, 0xc0, 0, 0, 0, 50, 0, 0, 0x0f, 0xa0,
            0x0a, 0x0b, 0x0c, 0x0d, 51, 1, 2, 3, 0, 1, 0xff, 0xff, 0, 0, 0, 160, 0x11, 0x22, 0x33, 0x44, 0, 1, 0x80, 0,
            0x81, 202, 0, 3, 0xde, 0xad, 0xbe, 0xef, 1, 2, b'a', b'b', 0, 0, 0, 0,
            0x81, 203, 0, 1, 0xde, 0xad, 0xbe, 0xef,
        ];
        assert_eq!(bytes, expected);
    }

    #[test]
    fn what_is_written_is_read_back() {
        let receiver = Report {
            sender: None,
            ..sender_report()
        };
        for report in [sender_report(), receiver] {
            let bytes = write(&report, "name", Leaving::Yes).unwrap();
            let bye = Received::Bye { ssrc: report.ssrc };
            assert_eq!(parse(&bytes).unwrap(), [Received::Report(report), bye]);
        }
    }

    #[test]
    fn packets_that_do_not_start_with_a_report_are_refused() {
        let bye_alone = [0x81, 203, 0, 1, 0, 0, 0, 1];
        assert_eq!(
            parse(&bye_alone),
            Err(RtcpError::Malformed { len_bytes: 8 })
        );
        assert_eq!(parse(&[]), Err(RtcpError::Malformed { len_bytes: 0 }));
        let truncated = &write(&sender_report(), "name", Leaving::No).unwrap()[..20];
        assert_eq!(
            parse(truncated),
            Err(RtcpError::Malformed { len_bytes: 20 })
        );
    }

    #[test]
    fn a_name_that_is_too_long_cannot_be_written() {
        assert_eq!(
            write(&sender_report(), &"x".repeat(256), Leaving::No),
            Err(RtcpError::Unwritable)
        );
    }

    proptest! {
        #[test]
        fn no_bytes_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..300), count in 0_u8..32, kind in 200_u8..=207) {
            let _ = parse(&bytes);
            // A plausible head, so that the inner parts are reached.
            if let [first, second, ..] = &mut bytes[..] {
                (*first, *second) = (0x80 | count, kind.min(201));
            }
            let _ = parse(&bytes);
        }

        #[test]
        fn no_change_of_one_byte_panics(at in 0_usize..84, value in any::<u8>()) {
            let mut bytes = write(&sender_report(), "ab", Leaving::Yes).unwrap();
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
            let _ = parse(&bytes);
        }
    }
}
