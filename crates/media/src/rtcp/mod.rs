//! RTCP (RFC 3550 section 6, RFC 3611): reports, the name of a source, leaving, and when to send.

mod clock;
mod report;
mod schedule;
mod xr;

pub use clock::{WallClock, ntp_middle, round_trip};
pub use report::{
    Leaving, Received, Report, ReportBlock, RtcpError, SenderInfo, parse, write, write_extended,
};
pub use schedule::{Due, Schedule};
pub use xr::{JitterBufferKind, LossConcealment, VoipMetrics};
