//! Giving calls away: with the exchange as a server that carries transfers out, and without.

use std::time::Duration;

use sip::Private;

use super::exchange::{CAROL, Net, line};
use crate::{Action, CallId};

const SECOND: Duration = Duration::from_secs(1);

fn to(text: &str) -> Private<String> {
    Private(text.to_owned())
}

/// Alice talks to Bob (`1`); Carol is there too.
fn connected() -> Net {
    let mut net = Net::registered();
    net.configure("carol", vec![line("carol", CAROL)]);
    net.call("alice", "bob");
    net.run_for(SECOND);
    net.act("bob", Action::Answer(None));
    net.run_for(SECOND);
    net.forget();
    net
}

/// Bob waits on hold, and Carol rings for Alice (`2`).
fn consulting() -> Net {
    let mut net = connected();
    net.act("alice", Action::Consult(None, to("carol")));
    net.run_for(SECOND);
    net.expect(
        "
     0 alice 1 bob Held
     0 alice 2 carol Dialing
    20 bob   1 media RecvOnly opus
    20 bob   1 ALICE HeldByPeer
    20 carol 1 ALICE Ringing
    40 alice 1 media SendOnly opus
    40 alice 2 carol Ringing Local",
    );
    net
}

#[test]
fn a_blind_transfer_tells_its_progress_and_ends_the_call() {
    let mut net = connected();
    net.transfers = vec![100, 180, 200];
    net.act("alice", Action::Transfer(None, to("carol")));
    net.run_for(SECOND);
    assert_eq!(net.referred, ["<sip:carol@example.org>"]);
    net.expect(
        "
     0 alice 1 bob Connected transfer Asked
    20 alice 1 bob Connected transfer Trying
    20 alice 1 bob Connected transfer Ringing
    20 alice 1 ended: The call was transferred.
    30 exchange hears 200
    30 exchange hears 200
    30 exchange hears 200
    40 bob   1 ended: The other side ended the call.",
    );
    net.expect_idle();
}

#[test]
fn a_target_that_does_not_want_it_brings_the_call_back() {
    let mut net = connected();
    net.act("alice", Action::Hold(None));
    net.run_for(SECOND);
    net.forget();
    net.transfers = vec![100, 486];
    net.act("alice", Action::Transfer(None, to("carol")));
    net.run_for(SECOND);
    net.expect(
        "
     0 alice 1 bob Held transfer Asked
    20 alice 1 bob Held transfer Trying
    20 alice 1 bob Held transfer Failed { status: 486 }
    20 alice 1 bob Connected transfer Failed { status: 486 }
    30 exchange hears 200
    30 exchange hears 200
    40 bob   1 media SendRecv opus
    40 bob   1 ALICE Connected
    60 alice 1 media SendRecv opus",
    );
    net.act("alice", Action::HangUp(None));
    net.run_for(SECOND);
    net.forget();
    net.expect_idle();
}

#[test]
fn a_phone_lets_nobody_transfer_its_calls() {
    let mut net = connected();
    net.act("alice", Action::Transfer(None, to("carol")));
    net.run_for(SECOND);
    net.expect(
        "
     0 alice 1 bob Connected transfer Asked
    40 alice 1 bob Connected transfer Failed { status: 603 }",
    );
}

#[test]
fn an_attended_transfer_names_the_call_with_the_target() {
    let mut net = consulting();
    net.act("carol", Action::Answer(None));
    net.run_for(SECOND);
    net.forget();
    net.transfers = vec![100, 200];
    let transfer = Action::TransferTo {
        call: None,
        to: None,
    };
    net.act("alice", transfer);
    net.run_for(SECOND);
    let referred = net.referred.pop().unwrap();
    assert!(
        referred.starts_with("<sip:carol@example.org?Replaces=") && referred.contains("to-tag"),
        "{referred}"
    );
    net.expect(
        "
     0 alice 1 bob Held transfer Asked
    20 alice 1 bob Held transfer Trying
    20 alice 2 ended: The call was transferred.
    20 alice 1 ended: The call was transferred.
    30 exchange hears 200
    30 exchange hears 200
    40 carol 1 ended: The other side ended the call.
    40 bob   1 ended: The other side ended the call.",
    );
    net.expect_idle();
}

#[test]
fn whom_it_rings_for_may_get_the_call_already() {
    let mut net = consulting();
    net.transfers = vec![100, 180, 200];
    let transfer = Action::TransferTo {
        call: Some(CallId(1)),
        to: Some(CallId(2)),
    };
    net.act("alice", transfer);
    net.run_for(SECOND);
    assert!(net.referred[0].contains("Replaces="), "{:?}", net.referred);
    net.expect(
        "
  1000 alice 1 bob Held transfer Asked
  1020 alice 1 bob Held transfer Trying
  1020 alice 1 bob Held transfer Ringing
  1020 alice 2 ended: The call was transferred.
  1020 alice 1 ended: The call was transferred.
  1030 exchange hears 200
  1030 exchange hears 200
  1030 exchange hears 200
  1040 carol 1 ended: The caller gave up.
  1040 bob   1 ended: The other side ended the call.",
    );
    net.expect_idle();
}

#[test]
fn a_consultation_that_is_given_up_returns_to_the_first_party() {
    let mut net = consulting();
    net.act("alice", Action::HangUp(Some(CallId(2))));
    net.run_for(SECOND);
    net.expect(
        "
  1000 alice 2 ended: You ended the call.
  1000 alice 1 bob Connected
  1020 carol 1 ended: The caller gave up.
  1020 bob   1 media SendRecv opus
  1020 bob   1 ALICE Connected
  1040 alice 1 media SendRecv opus",
    );
}

#[test]
fn a_consultation_that_is_refused_returns_to_the_first_party() {
    let mut net = consulting();
    net.act("carol", Action::Reject(None, crate::Rejection::Busy));
    net.run_for(SECOND);
    net.expect(
        "
  1000 carol 1 ALICE Ending
  1000 carol 1 ended: You ended the call.
  1020 alice 2 ended: The other side is busy.
  1020 alice 1 bob Connected
  1040 bob   1 media SendRecv opus
  1040 bob   1 ALICE Connected
  1060 alice 1 media SendRecv opus",
    );
}

#[test]
fn a_refused_attended_transfer_leaves_both_calls() {
    let mut net = consulting();
    net.act("carol", Action::Answer(None));
    net.run_for(SECOND);
    net.forget();
    net.transfers = vec![100, 488];
    let transfer = Action::TransferTo {
        call: None,
        to: None,
    };
    net.act("alice", transfer);
    net.run_for(SECOND);
    net.expect(
        "
     0 alice 1 bob Held transfer Asked
    20 alice 1 bob Held transfer Trying
    20 alice 1 bob Held transfer Failed { status: 488 }
    30 exchange hears 200
    30 exchange hears 200",
    );
}

#[test]
fn a_transfer_waits_for_a_change_of_the_session() {
    let mut net = connected();
    net.transfers = vec![200];
    net.act("alice", Action::Hold(None));
    net.act("alice", Action::Transfer(None, to("carol")));
    assert!(net.referred.is_empty());
    net.run_for(SECOND);
    assert_eq!(net.referred.len(), 1);
    net.expect(
        "
     0 alice 1 bob Held
     0 alice 1 bob Held transfer Asked
    20 bob   1 media RecvOnly opus
    20 bob   1 ALICE HeldByPeer
    40 alice 1 media SendOnly opus
    60 alice 1 ended: The call was transferred.
    70 exchange hears 200
    80 bob   1 ended: The other side ended the call.",
    );
}

#[test]
fn what_cannot_be_transferred_is_refused() {
    let mut net = connected();
    let mut transfer = |call, to| net.act("alice", Action::TransferTo { call, to });
    transfer(None, None);
    transfer(Some(CallId(1)), Some(CallId(1)));
    transfer(Some(CallId(1)), Some(CallId(7)));
    net.act("alice", Action::Transfer(Some(CallId(7)), to("carol")));
    net.act("alice", Action::Transfer(None, to("")));
    net.expect(
        "
     0 alice refused: There is no call for this.
     0 alice refused: This is not possible in the present state of the call.
     0 alice refused: There is no call for this.
     0 alice refused: There is no call for this.
     0 alice refused: There is no number to call.",
    );
}
