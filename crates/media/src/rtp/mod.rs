//! RTP (RFC 3550): the header, what is known of a source, and where a peer really sends from.
//!
//! Encryption is not here; the owner of a secured session unprotects before and protects after.

mod demultiplex;
mod latch;
mod packet;
mod redundancy;
mod sequence;
mod source;

pub use demultiplex::DatagramKind;
pub use latch::{Latch, MediaPath, SourceLatch};
pub use packet::{MAX_DATAGRAM_BYTES, RtpError, RtpPacket, is_rtcp};
pub use redundancy::{Block, Copies, MAX_COPIES, blocks};
pub use sequence::{LossReport, SequenceTracker, Sequenced};
pub use source::{Marker, RtpSender, RtpSource};
