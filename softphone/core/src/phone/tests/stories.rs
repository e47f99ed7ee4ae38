//! Stories, told as ladders: milliseconds, who, what they tell.

use std::time::Duration;

use sip::{Private, ResolveError};

use super::exchange::{ALICE, BOB, EXCHANGE, Exchange, Net, line};
use crate::{Action, CallId, Rejection};

const SECOND: Duration = Duration::from_secs(1);

fn connected() -> Net {
    let mut net = Net::registered();
    net.call("alice", "bob");
    net.run_for(SECOND);
    net.act("bob", Action::Answer(None));
    net.run_for(SECOND);
    net.expect(
        "
     0 alice 1 bob Dialing
    20 bob   1 ALICE Ringing
    40 alice 1 bob Ringing Local
  1000 bob   1 ALICE Connected
  1000 bob   1 media SendRecv opus
  1020 alice 1 bob Connected
  1020 alice 1 media SendRecv opus",
    );
    net
}

#[test]
fn a_call_rings_is_answered_and_hung_up() {
    let mut net = connected();
    net.act("alice", Action::HangUp(None));
    net.run_for(SECOND);
    net.expect(
        "
  2000 alice 1 ended: You ended the call.
  2020 bob   1 ended: The other side ended the call.",
    );
    net.expect_idle();
}

#[test]
fn lines_connect_and_sign_out() {
    let mut net = Net::new();
    net.configure("alice", vec![line("alice", ALICE)]);
    net.run_for(SECOND);
    net.configure("alice", vec![]);
    net.run_for(SECOND);
    net.expect(
        "
    20 alice alice connected after 20 ms
  1000 alice alice not connected
  1020 alice line gone",
    );
    net.expect_idle();
    assert!(net.party("alice").phone.registrations.is_idle());
}

#[test]
fn a_busy_phone_says_so_while_another_call_rings() {
    let mut net = Net::registered();
    net.call("alice", "bob");
    net.run_for(SECOND);
    net.call("alice", "bob");
    net.run_for(SECOND);
    net.expect(
        "
     0 alice 1 bob Dialing
    20 bob   1 ALICE Ringing
    40 alice 1 bob Ringing Local
  1000 alice 2 bob Dialing
  1040 alice 2 ended: The other side is busy.",
    );
}

#[test]
fn declined_given_up_and_unknown_are_told_apart() {
    let mut net = Net::registered();
    net.call("alice", "bob");
    net.run_for(SECOND);
    net.act("bob", Action::Reject(None, Rejection::Declined));
    net.run_for(SECOND);
    net.call("alice", "bob");
    net.run_for(SECOND);
    net.act("alice", Action::HangUp(None));
    net.run_for(SECOND);
    net.call("alice", "nobody");
    net.run_for(SECOND);
    net.expect(
        "
     0 alice 1 bob Dialing
    20 bob   1 ALICE Ringing
    40 alice 1 bob Ringing Local
  1000 bob   1 ALICE Ending
  1000 bob   1 ended: You ended the call.
  1020 alice 1 ended: The call was declined.
  2000 alice 2 bob Dialing
  2020 bob   2 ALICE Ringing
  2040 alice 2 bob Ringing Local
  3000 alice 2 ended: You ended the call.
  3020 bob   2 ended: The caller gave up.
  4000 alice 3 nobody Dialing
  4020 alice 3 ended: There is no such number.",
    );
    net.expect_idle();
}

#[test]
fn no_common_codec_is_said_before_anybody_is_bothered() {
    let mut net = Net::new();
    let mut other = line("bob", BOB);
    other.formats = vec![sdp::PayloadFormat::pcma()];
    net.configure("alice", vec![line("alice", ALICE)]);
    net.configure("bob", vec![other]);
    net.run_for(SECOND);
    net.call("alice", "bob");
    net.run_for(SECOND);
    net.expect(
        "
    20 alice alice connected after 20 ms
    20 bob   bob connected after 20 ms
  1000 alice 1 bob Dialing
  1040 alice 1 ended: The two sides have no common codec.",
    );
    net.expect_idle();
}

#[test]
fn hold_and_resume_change_what_both_send() {
    let mut net = connected();
    net.act("alice", Action::Hold(None));
    net.run_for(SECOND);
    net.act("alice", Action::Resume(None));
    net.run_for(SECOND);
    net.act("bob", Action::HangUp(None));
    net.run_for(SECOND);
    net.expect(
        "
  2000 alice 1 bob Held
  2020 bob   1 media RecvOnly opus
  2020 bob   1 ALICE HeldByPeer
  2040 alice 1 media SendOnly opus
  3000 alice 1 bob Connected
  3020 bob   1 media SendRecv opus
  3020 bob   1 ALICE Connected
  3040 alice 1 media SendRecv opus
  4000 bob   1 ended: You ended the call.
  4020 alice 1 ended: The other side ended the call.",
    );
    net.expect_idle();
}

#[test]
fn both_may_hold_at_once_and_resume_in_any_order() {
    let mut net = connected();
    net.act("alice", Action::Hold(None));
    net.act("bob", Action::Hold(None));
    net.run_for(10 * SECOND);
    assert_eq!(net.party("alice").direction, Some(sdp::Direction::Inactive));
    assert_eq!(net.party("bob").direction, Some(sdp::Direction::Inactive));
    net.act("alice", Action::Resume(None));
    net.run_for(10 * SECOND);
    net.act("bob", Action::Resume(None));
    net.run_for(10 * SECOND);
    assert_eq!(net.party("alice").direction, Some(sdp::Direction::SendRecv));
    assert_eq!(net.party("bob").direction, Some(sdp::Direction::SendRecv));
}

#[test]
fn a_hold_taken_back_before_it_arrived_ends_connected() {
    let mut net = connected();
    net.act("alice", Action::Hold(None));
    net.act("alice", Action::Resume(None));
    net.run_for(10 * SECOND);
    assert_eq!(net.party("alice").direction, Some(sdp::Direction::SendRecv));
    assert_eq!(net.party("bob").direction, Some(sdp::Direction::SendRecv));
}

#[test]
fn a_second_call_puts_the_first_on_hold() {
    let mut net = connected();
    net.call("alice", "bob");
    net.run_for(SECOND);
    let phases: Vec<_> = net
        .party("bob")
        .view
        .calls
        .iter()
        .map(|call| call.phase)
        .collect();
    assert_eq!(phases, [crate::Phase::HeldByPeer, crate::Phase::Ringing]);
    net.act("bob", Action::Answer(None));
    net.run_for(SECOND);
    for who in ["alice", "bob"] {
        let held = net.party(who).view.calls[0].clone();
        assert_eq!(held.actions.resume, Some(CallId(1)), "{who}");
    }
    net.act("alice", Action::HangUp(None));
    net.run_for(SECOND);
    assert_eq!(
        net.party("alice").view.calls.len(),
        2,
        "which of two must be said"
    );
}

#[test]
fn digits_go_out_as_events_only_in_a_call() {
    let mut net = Net::registered();
    net.act("alice", Action::SendDigits(None, Private("1".to_owned())));
    net.expect("     0 alice refused: There is no call for this.");
    let mut net = connected();
    net.act("alice", Action::SendDigits(None, Private("12#".to_owned())));
    net.act("alice", Action::SendDigits(None, Private("x".to_owned())));
    net.act(
        "bob",
        Action::DigitReceived {
            call: CallId(1),
            digit: '1',
        },
    );
    net.act(
        "bob",
        Action::DigitReceived {
            call: CallId(1),
            digit: '\u{1b}',
        },
    );
    net.expect(
        "
  2000 alice 1 sends 12#
  2000 alice refused: These digits cannot be sent.",
    );
    assert_eq!(net.party("bob").view.calls[0].digits.0, "1");
}

/// Bob's phone knows no telephone-events.
fn without_events() -> Net {
    let mut net = Net::registered();
    let mut plain = line("bob", BOB);
    plain.formats.truncate(1);
    net.configure("bob", vec![plain]);
    net.run_for(SECOND);
    net.call("alice", "bob");
    net.run_for(SECOND);
    net.act("bob", Action::Answer(None));
    net.run_for(SECOND);
    net.forget();
    net
}

#[test]
fn digits_go_out_in_info_in_their_order_where_there_are_no_events() {
    let mut net = without_events();
    net.act(
        "alice",
        Action::SendDigits(None, Private("19*a#".to_owned())),
    );
    net.run_for(SECOND);
    net.act("bob", Action::SendDigits(None, Private("5".to_owned())));
    net.run_for(SECOND);
    net.expect("");
    assert_eq!(net.party("bob").view.calls[0].digits.0, "19*A#");
    assert_eq!(net.party("alice").view.calls[0].digits.0, "5");
}

#[test]
fn digits_go_out_as_tones_where_info_is_refused_and_are_not_lost() {
    let mut net = without_events();
    net.refuses_info = Some(415);
    net.act("alice", Action::SendDigits(None, Private("12".to_owned())));
    net.run_for(SECOND);
    net.act("alice", Action::SendDigits(None, Private("3".to_owned())));
    net.expect(
        "
    60 alice 1 sends 1
    80 alice 1 sends 2
  1000 alice 1 sends 3",
    );
    assert_eq!(net.infos, ["dtmf-relay", "dtmf-relay", "dtmf", "dtmf"]);
}

#[test]
fn what_is_not_possible_is_refused_with_a_reason() {
    let mut net = Net::new();
    net.call("alice", "bob");
    net.configure("alice", vec![line("alice", ALICE)]);
    net.call("alice", "bob");
    net.run_for(SECOND);
    net.call("alice", "not a number");
    net.act("alice", Action::Answer(None));
    net.act("alice", Action::HangUp(Some(CallId(7))));
    net.configure("alice", vec![line("alice", ALICE); 5]);
    net.expect(
        "
     0 alice refused: There is no such line.
     0 alice refused: The line is not connected.
    20 alice alice connected after 20 ms
  1000 alice refused: This is not a number or address that can be called.
  1000 alice refused: There is no call for this.
  1000 alice refused: There is no call for this.
  1000 alice refused: A phone has at most four lines.",
    );
}

#[test]
fn a_call_without_ports_ends_and_leaves_nothing() {
    let mut net = Net::registered();
    net.party("alice").has_ports = false;
    net.call("alice", "bob");
    net.run_for(SECOND);
    net.expect(
        "
     0 alice 1 bob Dialing
     0 alice 1 ended: There is no network port for the sound of this call: all are in use.",
    );
    net.expect_idle();
}

#[test]
fn who_is_called_without_ports_is_unavailable_and_has_not_declined() {
    let mut net = Net::registered();
    net.party("bob").has_ports = false;
    net.call("alice", "bob");
    net.run_for(SECOND);
    net.expect(
        "
     0 alice 1 bob Dialing
    20 bob   1 ALICE Ringing
    20 bob   1 ended: There is no network port for the sound of this call: all are in use.
    40 alice 1 bob Ringing Local
    40 alice 1 ended: The other side is not available.",
    );
    net.expect_idle();
}

#[test]
fn failing_lines_say_why_and_keep_trying() {
    let mut net = Net::new();
    net.names = Err(ResolveError::NotFound);
    net.configure("alice", vec![line("alice", ALICE)]);
    net.run_for(SECOND);
    net.call("alice", "bob");
    net.names = Ok(());
    net.exchange = Exchange::Refuses(403);
    net.run_for(10 * SECOND);
    net.exchange = Exchange::Works;
    net.run_for(Duration::from_secs(4000));
    let told: Vec<_> = net
        .party("alice")
        .view
        .lines
        .iter()
        .map(|line| line.status.clone())
        .collect();
    assert!(
        matches!(told[..], [crate::LineStatus::Connected { .. }]),
        "{told:?}"
    );
}

#[test]
fn a_server_that_is_silent_is_said_to_be() {
    let mut net = Net::new();
    net.exchange = Exchange::Silent;
    net.configure("alice", vec![line("alice", ALICE)]);
    net.run_for(33 * SECOND);
    net.expect(
        "
 32000 alice alice: The server did not answer in time.",
    );
}

#[test]
fn strangers_are_refused_and_unknown_users_not_found() {
    let invite = |user: &str, host: &str| {
        format!(
            "INVITE sip:{user}@{ALICE} SIP/2.0\r\nVia: SIP/2.0/UDP {host};branch=z9hG4bK{user}\r\n\
             From: <sip:eve@example.org>;tag=1\r\nTo: <sip:{user}@example.org>\r\nCall-ID: {user}@{host}\r\n\
             CSeq: 1 INVITE\r\nContact: <sip:eve@{host}>\r\nMax-Forwards: 9\r\nContent-Length: 0\r\n\r\n"
        )
    };
    let mut net = Net::registered();
    net.inject(
        "198.51.100.7:5060",
        "alice",
        &invite("alice", "198.51.100.7:5060"),
    );
    net.inject(EXCHANGE, "alice", &invite("mallory", EXCHANGE));
    net.run_for(Duration::from_millis(100));
    net.expect(
        "
    20 stranger hears 403
    20 exchange hears 404",
    );
    net.inject(EXCHANGE, "alice", &invite("alice", EXCHANGE));
    net.run_for(Duration::from_millis(100));
    net.expect(
        "
   110 alice 1 eve Ringing
   120 exchange hears 180",
    );
}

#[test]
fn a_removed_line_ends_its_calls() {
    let mut net = connected();
    net.configure("bob", vec![]);
    net.run_for(SECOND);
    net.expect(
        "
  2000 bob   1 ended: The line was removed.
  2000 bob   bob not connected
  2020 alice 1 ended: The other side ended the call.
  2020 bob   line gone",
    );
    net.expect_idle();
}

#[test]
fn a_new_password_registers_anew_and_a_new_name_does_not() {
    let mut net = Net::registered();
    let mut renamed = line("alice", ALICE);
    renamed.name = "Office".to_owned();
    net.configure("alice", vec![renamed.clone()]);
    net.run_for(SECOND);
    let mut changed = renamed;
    changed.password = Some(Private("other".to_owned()));
    net.configure("alice", vec![changed]);
    net.run_for(SECOND);
    net.expect(
        "
     0 alice Office connected after 20 ms
  1000 alice Office not connected
  1040 alice Office connected after 20 ms",
    );
}

#[test]
fn a_phone_that_nobody_listens_to_ends_its_calls() {
    let mut net = connected();
    let view = net.party("alice").view.calls[0].clone();
    let now = net.now;
    use sip::Machine as _;
    net.party("alice")
        .phone
        .handle_refused_event(crate::Event::Call(Box::new(view)), now);
    net.act(
        "bob",
        Action::DigitReceived {
            call: CallId(1),
            digit: '1',
        },
    );
    net.act("alice", Action::Reject(None, Rejection::Declined));
    net.run_for(SECOND);
    net.expect(
        "
  2000 alice 1 ended: You ended the call.
  2000 alice refused: There is no call for this.
  2020 bob   1 ended: The other side ended the call.",
    );
}
