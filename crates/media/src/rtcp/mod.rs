//! RTCP (RFC 3550 section 6): reports, the name of a source, leaving, and when to send.

mod clock;
mod report;
mod schedule;

pub use clock::{WallClock, ntp_middle, round_trip};
pub use report::{Leaving, Received, Report, ReportBlock, RtcpError, SenderInfo, parse, write};
pub use schedule::{Due, Schedule};
