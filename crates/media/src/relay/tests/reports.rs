//! RTCP: each party is told of the whole way, by the relay.

use super::*;
use crate::rtcp::{
    Leaving, Received, Report, ReportBlock, SenderInfo, ntp_middle, parse, round_trip, write,
};

pub(super) const CALLER_RTCP: &str = "192.0.2.1:4001";
pub(super) const CALLEE_RTCP: &str = "192.0.2.2:5001";

pub(super) fn block(ssrc: u32) -> ReportBlock {
    ReportBlock {
        ssrc,
        fraction_lost: 0,
        cumulative_lost: 0,
        highest_sequence: 0,
        jitter_ticks: 0,
        last_sender_report: 0,
        delay_since: 0,
    }
}

/// A sender report of a clock that says `ntp_seconds`.
fn sender_report(ssrc: u32, ntp_seconds: u64, rtp_timestamp: u32) -> Report {
    Report {
        ssrc,
        sender: Some(SenderInfo {
            ntp: ntp_seconds << 32,
            rtp_timestamp,
            packets: 1,
            octets: 160,
        }),
        blocks: vec![],
    }
}

pub(super) fn receiver_report(ssrc: u32, block: ReportBlock) -> Report {
    Report {
        ssrc,
        sender: None,
        blocks: vec![block],
    }
}

/// A call in which both talk, the numbers of their next packets, and the first report to one of them.
fn talking(target: &str) -> (Rig, [LegId; 2], [u16; 2], Report) {
    let mut rig = Rig::new();
    let legs = rig.answered([SHARED; 2]);
    let mut sequences = [0, 1_000];
    let report = rig.next_report(target, &mut sequences);
    (rig, legs, sequences, report)
}

impl Rig {
    /// What the relay has to say to `target` now.
    fn reports_to(&mut self, target: &str) -> Vec<Received> {
        self.relay.handle_timeout(self.now);
        let mut received = Vec::new();
        while let Some(outgoing) = self.relay.poll_output() {
            if outgoing.to == address(target) {
                received.extend(parse(&outgoing.bytes).unwrap());
            }
        }
        received
    }

    pub(super) fn rtcp(&mut self, source: &str, report: &Report, leaving: Leaving) -> Verdict {
        let bytes = write(report, "private@192.168.1.5", leaving).unwrap();
        self.arrives(SHARED, Component::Rtcp, source, &bytes)
    }

    /// Lets time pass until a report goes to `target`, and both talk meanwhile; the report.
    pub(super) fn next_report(&mut self, target: &str, sequences: &mut [u16; 2]) -> Report {
        loop {
            self.passes(20);
            for (source, ssrc, sequence) in [(CALLER, 1, 0), (CALLEE, 2, 1)] {
                self.rtp(source, ssrc, sequences[sequence]);
                sequences[sequence] = sequences[sequence].wrapping_add(1);
            }
            self.relay.handle_timeout(self.now);
            while let Some(outgoing) = self.relay.poll_output() {
                if outgoing.to == address(target) {
                    assert_eq!(
                        (outgoing.from, outgoing.component),
                        (SHARED, Component::Rtcp)
                    );
                    let received = parse(&outgoing.bytes).unwrap();
                    let [Received::Report(report)] = &received[..] else {
                        panic!("{received:?}");
                    };
                    return report.clone();
                }
            }
        }
    }
}

#[test]
fn reports_of_our_own_tell_each_party_what_came_and_what_was_sent() {
    let (mut rig, _, mut sequences, _) = talking(CALLER_RTCP);
    // One in ten of the caller's packets is lost on its way to us.
    for n in 0..100 {
        if n % 10 != 0 {
            rig.rtp(CALLER, 1, sequences[0]);
        }
        sequences[0] += 1;
    }
    let highest = sequences[0];
    let report = rig.next_report(CALLER_RTCP, &mut sequences);
    assert_eq!(report.ssrc, 2, "in the name of the stream that it hears");
    let sender = report.sender.unwrap();
    assert_eq!(sender.packets, u32::from(sequences[1] - 1_000));
    assert_eq!(sender.octets, sender.packets * 160);
    assert_eq!(sender.ntp, rig.clock.ntp(rig.now));
    assert_eq!(sender.rtp_timestamp, u32::from(sequences[1] - 1) * 160);
    let block = report.blocks[0];
    assert_eq!((block.ssrc, block.cumulative_lost), (1, 10));
    assert_eq!(block.highest_sequence, u32::from(sequences[0] - 1));
    assert!(block.highest_sequence > u32::from(highest));
    assert!(
        (3..=26).contains(&block.fraction_lost),
        "{}",
        block.fraction_lost
    );
}

#[test]
fn loss_on_the_far_half_of_the_way_is_told_too() {
    let (mut rig, _, mut sequences, _) = talking(CALLER_RTCP);
    let seen = |lost, highest| ReportBlock {
        cumulative_lost: lost,
        highest_sequence: highest,
        jitter_ticks: 44,
        fraction_lost: 9,
        ..block(1)
    };
    rig.rtcp(
        CALLEE_RTCP,
        &receiver_report(2, seen(20, 1_000)),
        Leaving::No,
    );
    rig.next_report(CALLER_RTCP, &mut sequences);
    rig.rtcp(
        CALLEE_RTCP,
        &receiver_report(2, seen(60, 1_200)),
        Leaving::No,
    );
    rig.rtcp(
        CALLEE_RTCP,
        &receiver_report(2, seen(70, 1_400)),
        Leaving::No,
    );
    let told = rig.next_report(CALLER_RTCP, &mut sequences).blocks[0];
    assert_eq!(
        (
            told.cumulative_lost,
            told.highest_sequence,
            told.jitter_ticks
        ),
        (70, 1_400, 44)
    );
    assert_eq!(told.fraction_lost, 32, "50 of 400, both intervals together");
}

#[test]
fn a_party_that_no_longer_reports_is_replaced_by_our_own_counters() {
    let (mut rig, _, mut sequences, _) = talking(CALLER_RTCP);
    let seen = ReportBlock {
        cumulative_lost: 20,
        ..block(1)
    };
    rig.rtcp(CALLEE_RTCP, &receiver_report(2, seen), Leaving::No);
    assert_eq!(
        rig.next_report(CALLER_RTCP, &mut sequences).blocks[0].cumulative_lost,
        20
    );
    let mut last = 20;
    for _ in 0..6 {
        last = rig.next_report(CALLER_RTCP, &mut sequences).blocks[0].cumulative_lost;
    }
    assert_eq!(last, 0);
}

/// Caller — 30 ms — relay — 50 ms — callee, each way.
#[test]
fn the_round_trip_that_a_party_computes_is_that_of_the_whole_way() {
    let (mut rig, [caller, callee], mut sequences, first) = talking(CALLEE_RTCP);
    let near = Duration::from_millis(30);
    let far = Duration::from_millis(50);

    // The callee answers a sender report of ours after a second.
    let sent = first.sender.unwrap();
    rig.passes(1_100);
    let answer = ReportBlock {
        last_sender_report: ntp_middle(sent.ntp),
        delay_since: 65_536,
        ..block(1)
    };
    rig.rtcp(CALLEE_RTCP, &receiver_report(2, answer), Leaving::No);
    let stats = rig.relay.stats(callee.call, rig.now).unwrap()[0];
    assert_eq!(
        stats[1].round_trip.unwrap().as_millis(),
        2 * far.as_millis()
    );

    // The caller's sender report, as it was 30 ms ago, and what it computes of our answer 30 ms later.
    let clock = WallClock::new(rig.now, Duration::from_secs(5_000));
    let sender = SenderInfo {
        ntp: clock.ntp(rig.now),
        rtp_timestamp: 0,
        packets: 1,
        octets: 160,
    };
    let report = Report {
        ssrc: 1,
        sender: Some(sender),
        blocks: vec![],
    };
    rig.now += near;
    assert_eq!(rig.rtcp(CALLER_RTCP, &report, Leaving::No), Verdict::Read);
    let told = rig.next_report(CALLER_RTCP, &mut sequences).blocks[0];
    let computed = round_trip(
        clock.ntp(rig.now + near),
        told.last_sender_report,
        told.delay_since,
    );
    let computed = computed.unwrap().as_secs_f64() * 1_000.0;
    assert!((computed - 160.0).abs() < 0.1, "{computed} ms");
    assert_eq!(
        rig.relay.stats(caller.call, rig.now).unwrap()[0][0].round_trip,
        None
    );
}

#[test]
fn a_sender_report_carries_the_clocks_of_who_speaks() {
    let (mut rig, _, mut sequences, _) = talking(CALLEE_RTCP);
    let start = rig.now;
    let report = sender_report(1, 77, 1_000_000);
    rig.rtcp(CALLER_RTCP, &report, Leaving::No);
    let told = rig.next_report(CALLEE_RTCP, &mut sequences).sender.unwrap();
    let since = rig.now - start;
    assert_eq!(told.ntp >> 32, 77 + since.as_secs());
    assert_eq!(
        u128::from(told.rtp_timestamp),
        1_000_000 + since.as_millis() * 8
    );
}

#[test]
fn who_has_fallen_silent_is_no_sender_any_more() {
    let (mut rig, _, mut sequences, first) = talking(CALLER_RTCP);
    assert!(first.sender.is_some());
    let mut reports = Vec::new();
    for _ in 0..1_500 {
        rig.passes(20);
        rig.rtp(CALLER, 1, sequences[0]);
        sequences[0] += 1;
        reports.extend(rig.reports_to(CALLER_RTCP));
    }
    let Some(Received::Report(last)) = reports.last() else {
        panic!("{reports:?}");
    };
    assert_eq!((last.ssrc, last.sender), (2, None));
    assert_eq!(last.blocks[0].ssrc, 1);
}

#[test]
fn the_clocks_of_another_ssrc_are_not_the_streams() {
    let (mut rig, _, mut sequences, _) = talking(CALLEE_RTCP);
    let report = sender_report(99, 77, 1_000_000);
    rig.rtcp(CALLER_RTCP, &report, Leaving::No);
    let told = rig.next_report(CALLEE_RTCP, &mut sequences).sender.unwrap();
    assert_eq!(told.ntp, rig.clock.ntp(rig.now));
}

#[test]
fn what_was_said_of_an_earlier_ssrc_is_not_said_of_the_next() {
    let mut rig = Rig::new();
    rig.answered([SHARED; 2]);
    rig.rtp(CALLER, 1, 1);
    let seen = ReportBlock {
        cumulative_lost: 20,
        ..block(1)
    };
    rig.rtcp(CALLEE_RTCP, &receiver_report(2, seen), Leaving::No);
    let mut told = Vec::new();
    for sequence in 0..400 {
        rig.rtp(CALLER, 7, sequence);
        rig.passes(20);
        told.extend(rig.reports_to(CALLER_RTCP));
    }
    let Some(Received::Report(first)) = told.first() else {
        panic!("{told:?}");
    };
    assert_eq!(
        (first.blocks[0].ssrc, first.blocks[0].cumulative_lost),
        (7, 0)
    );
}
