//! The four machines as tables, to be laid beside the figures of RFC 3261, section 17, and RFC 6026.
//!
//! Each row is one arrow of a figure, or says that there is none. `over` is the transport, `left`
//! the time in ms after which the next timer fires. A timer's event is its letter and when it
//! fires, counted in ms from the moment the state was entered; what other timers did before then
//! is in rows of their own. Every state must have a row for every event: see `check`.
//!
//! A state behind a slash is one that the figures do not tell apart: `Calling/unwanted` has been
//! cancelled by its user and waits for a provisional response, `Proceeding/cancelled` has sent its
//! CANCEL, `Proceeding/ringing` of a server has sent a provisional response.

use std::time::Duration;

use super::Reliability;
use super::client_invite::ClientInvite;
use super::client_non_invite::ClientNonInvite;
use super::ladder::{Machine, Sim, TCP, UDP, answer, request, response};
use super::server_invite::{Head, ServerInvite};
use super::server_non_invite::ServerNonInvite;

const CLIENT_INVITE: &str = "
over | state                | event           | does                   | next       | left
any  | Calling              | 1xx             | deliver 180            | Proceeding | 300000
any  | Calling              | 2xx             | deliver 200            | Accepted   | 32000
UDP  | Calling              | 3xx-6xx         | send ACK, deliver 486  | Completed  | 32000
TCP  | Calling              | 3xx-6xx         | send ACK, deliver 486  | Terminated | -
UDP  | Calling              | timer A 500     | send INVITE            | Calling    | 1000
any  | Calling              | timer B 32000   | fail Timeout           | Terminated | -
any  | Calling              | transport error | fail Transport         | Terminated | -
UDP  | Calling              | cancel          |                        | Calling    | 500
TCP  | Calling              | cancel          |                        | Calling    | 32000
any  | Calling/unwanted     | 1xx             | deliver 180, cancel    | Proceeding | 32000
any  | Calling/unwanted     | 2xx             | deliver 200            | Accepted   | 32000
UDP  | Calling/unwanted     | 3xx-6xx         | send ACK, deliver 486  | Completed  | 32000
TCP  | Calling/unwanted     | 3xx-6xx         | send ACK, deliver 486  | Terminated | -
UDP  | Calling/unwanted     | timer A 500     | send INVITE            | Calling    | 1000
any  | Calling/unwanted     | timer B 32000   | fail Timeout           | Terminated | -
any  | Calling/unwanted     | transport error | fail Transport         | Terminated | -
UDP  | Calling/unwanted     | cancel          |                        | Calling    | 500
TCP  | Calling/unwanted     | cancel          |                        | Calling    | 32000
any  | Proceeding           | 1xx             | deliver 180            | Proceeding | 300000
any  | Proceeding           | 2xx             | deliver 200            | Accepted   | 32000
UDP  | Proceeding           | 3xx-6xx         | send ACK, deliver 486  | Completed  | 32000
TCP  | Proceeding           | 3xx-6xx         | send ACK, deliver 486  | Terminated | -
any  | Proceeding           | timer C 300000  | cancel                 | Proceeding | 32000
any  | Proceeding           | transport error | fail Transport         | Terminated | -
any  | Proceeding           | cancel          | cancel                 | Proceeding | 32000
any  | Proceeding/cancelled | 1xx             | deliver 180            | Proceeding | 32000
any  | Proceeding/cancelled | 2xx             | deliver 200            | Accepted   | 32000
UDP  | Proceeding/cancelled | 3xx-6xx         | send ACK, deliver 486  | Completed  | 32000
TCP  | Proceeding/cancelled | 3xx-6xx         | send ACK, deliver 486  | Terminated | -
any  | Proceeding/cancelled | timer - 32000   | fail Timeout           | Terminated | -
any  | Proceeding/cancelled | transport error | fail Transport         | Terminated | -
any  | Proceeding/cancelled | cancel          |                        | Proceeding | 32000
UDP  | Completed            | 1xx             |                        | Completed  | 32000
UDP  | Completed            | 2xx             |                        | Completed  | 32000
UDP  | Completed            | 3xx-6xx         | send ACK               | Completed  | 32000
UDP  | Completed            | timer D 32000   |                        | Terminated | -
UDP  | Completed            | transport error |                        | Terminated | -
UDP  | Completed            | cancel          |                        | Completed  | 32000
any  | Accepted             | 1xx             |                        | Accepted   | 32000
any  | Accepted             | 2xx             | deliver 200            | Accepted   | 32000
any  | Accepted             | 3xx-6xx         |                        | Accepted   | 32000
any  | Accepted             | timer M 32000   |                        | Terminated | -
any  | Accepted             | transport error |                        | Accepted   | 32000
any  | Accepted             | cancel          |                        | Accepted   | 32000
any  | Terminated           | 1xx             |                        | Terminated | -
any  | Terminated           | 2xx             |                        | Terminated | -
any  | Terminated           | 3xx-6xx         |                        | Terminated | -
any  | Terminated           | transport error |                        | Terminated | -
any  | Terminated           | cancel          |                        | Terminated | -
";

const CLIENT_NON_INVITE: &str = "
over | state                | event           | does                   | next       | left
UDP  | Trying               | 1xx             | deliver 180            | Proceeding | 500
TCP  | Trying               | 1xx             | deliver 180            | Proceeding | 32000
UDP  | Trying               | 2xx             | deliver 200            | Completed  | 5000
TCP  | Trying               | 2xx             | deliver 200            | Terminated | -
UDP  | Trying               | 3xx-6xx         | deliver 486            | Completed  | 5000
TCP  | Trying               | 3xx-6xx         | deliver 486            | Terminated | -
UDP  | Trying               | timer E 500     | send OPTIONS           | Trying     | 1000
UDP  | Trying               | timer E 1500    | send OPTIONS           | Trying     | 2000
UDP  | Trying               | timer E 3500    | send OPTIONS           | Trying     | 4000
UDP  | Trying               | timer E 7500    | send OPTIONS           | Trying     | 4000
any  | Trying               | timer F 32000   | fail Timeout           | Terminated | -
any  | Trying               | transport error | fail Transport         | Terminated | -
UDP  | Proceeding           | 1xx             | deliver 180            | Proceeding | 500
TCP  | Proceeding           | 1xx             | deliver 180            | Proceeding | 32000
UDP  | Proceeding           | 2xx             | deliver 200            | Completed  | 5000
TCP  | Proceeding           | 2xx             | deliver 200            | Terminated | -
UDP  | Proceeding           | 3xx-6xx         | deliver 486            | Completed  | 5000
TCP  | Proceeding           | 3xx-6xx         | deliver 486            | Terminated | -
UDP  | Proceeding           | timer E 500     | send OPTIONS           | Proceeding | 4000
UDP  | Proceeding           | timer E 4500    | send OPTIONS           | Proceeding | 4000
any  | Proceeding           | timer F 32000   | fail Timeout           | Terminated | -
any  | Proceeding           | transport error | fail Transport         | Terminated | -
UDP  | Completed            | 1xx             |                        | Completed  | 5000
UDP  | Completed            | 2xx             |                        | Completed  | 5000
UDP  | Completed            | 3xx-6xx         |                        | Completed  | 5000
UDP  | Completed            | timer K 5000    |                        | Terminated | -
UDP  | Completed            | transport error |                        | Completed  | 5000
any  | Terminated           | 1xx             |                        | Terminated | -
any  | Terminated           | 2xx             |                        | Terminated | -
any  | Terminated           | 3xx-6xx         |                        | Terminated | -
any  | Terminated           | transport error |                        | Terminated | -
";

const SERVER_INVITE: &str = "
over | state                | event           | does                   | next       | left
any  | Proceeding           | INVITE          |                        | Proceeding | 200
any  | Proceeding           | ACK             |                        | Proceeding | 200
any  | Proceeding           | user 1xx        | send 180               | Proceeding | 300000
any  | Proceeding           | user 2xx        | send 200               | Accepted   | 32000
UDP  | Proceeding           | user 3xx-6xx    | send 486               | Completed  | 500
TCP  | Proceeding           | user 3xx-6xx    | send 486               | Completed  | 32000
any  | Proceeding           | timer - 200     | send 100               | Proceeding | 299800
UDP  | Proceeding           | timer - 300000  | unanswered, send 408   | Completed  | 500
TCP  | Proceeding           | timer - 300000  | unanswered, send 408   | Completed  | 32000
any  | Proceeding           | transport error | unanswered             | Terminated | -
any  | Proceeding/ringing   | INVITE          | send 180               | Proceeding | 300000
any  | Proceeding/ringing   | ACK             |                        | Proceeding | 300000
any  | Proceeding/ringing   | user 1xx        | send 180               | Proceeding | 300000
any  | Proceeding/ringing   | user 2xx        | send 200               | Accepted   | 32000
UDP  | Proceeding/ringing   | user 3xx-6xx    | send 486               | Completed  | 500
TCP  | Proceeding/ringing   | user 3xx-6xx    | send 486               | Completed  | 32000
UDP  | Proceeding/ringing   | timer - 300000  | unanswered, send 408   | Completed  | 500
TCP  | Proceeding/ringing   | timer - 300000  | unanswered, send 408   | Completed  | 32000
any  | Proceeding/ringing   | transport error | unanswered             | Terminated | -
UDP  | Completed            | INVITE          | send 486               | Completed  | 500
TCP  | Completed            | INVITE          | send 486               | Completed  | 32000
UDP  | Completed            | ACK             |                        | Confirmed  | 5000
TCP  | Completed            | ACK             |                        | Terminated | -
UDP  | Completed            | user 1xx        |                        | Completed  | 500
TCP  | Completed            | user 1xx        |                        | Completed  | 32000
UDP  | Completed            | user 2xx        |                        | Completed  | 500
TCP  | Completed            | user 2xx        |                        | Completed  | 32000
UDP  | Completed            | user 3xx-6xx    |                        | Completed  | 500
TCP  | Completed            | user 3xx-6xx    |                        | Completed  | 32000
UDP  | Completed            | timer G 500     | send 486               | Completed  | 1000
UDP  | Completed            | timer G 1500    | send 486               | Completed  | 2000
UDP  | Completed            | timer G 3500    | send 486               | Completed  | 4000
UDP  | Completed            | timer G 7500    | send 486               | Completed  | 4000
any  | Completed            | timer H 32000   | unacknowledged         | Terminated | -
any  | Completed            | transport error | unacknowledged         | Terminated | -
UDP  | Confirmed            | INVITE          |                        | Confirmed  | 5000
UDP  | Confirmed            | ACK             |                        | Confirmed  | 5000
UDP  | Confirmed            | user 1xx        |                        | Confirmed  | 5000
UDP  | Confirmed            | user 2xx        |                        | Confirmed  | 5000
UDP  | Confirmed            | user 3xx-6xx    |                        | Confirmed  | 5000
UDP  | Confirmed            | timer I 5000    |                        | Terminated | -
UDP  | Confirmed            | transport error |                        | Terminated | -
any  | Accepted             | INVITE          |                        | Accepted   | 32000
any  | Accepted             | ACK             |                        | Accepted   | 32000
any  | Accepted             | user 1xx        |                        | Accepted   | 32000
any  | Accepted             | user 2xx        | send 200               | Accepted   | 32000
any  | Accepted             | user 3xx-6xx    |                        | Accepted   | 32000
any  | Accepted             | timer L 32000   |                        | Terminated | -
any  | Accepted             | transport error |                        | Terminated | -
any  | Terminated           | INVITE          |                        | Terminated | -
any  | Terminated           | ACK             |                        | Terminated | -
any  | Terminated           | user 1xx        |                        | Terminated | -
any  | Terminated           | user 2xx        |                        | Terminated | -
any  | Terminated           | user 3xx-6xx    |                        | Terminated | -
any  | Terminated           | transport error |                        | Terminated | -
";

const SERVER_NON_INVITE: &str = "
over | state                | event           | does                   | next       | left
any  | Trying               | request         |                        | Trying     | 32000
any  | Trying               | user 1xx        | send 180               | Proceeding | 32000
UDP  | Trying               | user 2xx        | send 200               | Completed  | 32000
TCP  | Trying               | user 2xx        | send 200               | Terminated | -
UDP  | Trying               | user 3xx-6xx    | send 486               | Completed  | 32000
TCP  | Trying               | user 3xx-6xx    | send 486               | Terminated | -
any  | Trying               | timer - 32000   | unanswered             | Terminated | -
any  | Trying               | transport error | unanswered             | Terminated | -
any  | Proceeding           | request         | send 180               | Proceeding | 32000
any  | Proceeding           | user 1xx        | send 180               | Proceeding | 32000
UDP  | Proceeding           | user 2xx        | send 200               | Completed  | 32000
TCP  | Proceeding           | user 2xx        | send 200               | Terminated | -
UDP  | Proceeding           | user 3xx-6xx    | send 486               | Completed  | 32000
TCP  | Proceeding           | user 3xx-6xx    | send 486               | Terminated | -
any  | Proceeding           | timer - 32000   | unanswered             | Terminated | -
any  | Proceeding           | transport error | unanswered             | Terminated | -
UDP  | Completed            | request         | send 486               | Completed  | 32000
UDP  | Completed            | user 1xx        |                        | Completed  | 32000
UDP  | Completed            | user 2xx        |                        | Completed  | 32000
UDP  | Completed            | user 3xx-6xx    |                        | Completed  | 32000
UDP  | Completed            | timer J 32000   |                        | Terminated | -
UDP  | Completed            | transport error |                        | Terminated | -
any  | Terminated           | request         |                        | Terminated | -
any  | Terminated           | user 1xx        |                        | Terminated | -
any  | Terminated           | user 2xx        |                        | Terminated | -
any  | Terminated           | user 3xx-6xx    |                        | Terminated | -
any  | Terminated           | transport error |                        | Terminated | -
";

/// One row for one transport.
struct Row<'a> {
    text: &'a str,
    over: &'a str,
    reliability: Reliability,
    state: &'a str,
    event: &'a str,
    does: &'a str,
    next: &'a str,
    left: &'a str,
}

fn rows(table: &str) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    for text in table.trim().lines().skip(1) {
        let cells: Vec<_> = text.split('|').map(str::trim).collect();
        let [over, state, event, does, next, left] = cells[..] else {
            panic!("not six cells: {text}");
        };
        for (name, reliability) in [("UDP", UDP), ("TCP", TCP)] {
            if over == "any" || over == name {
                rows.push(Row {
                    text,
                    over: name,
                    reliability,
                    state,
                    event,
                    does,
                    next,
                    left,
                });
            }
        }
    }
    rows
}

/// Tries every row, and that no combination of state and event is left out.
fn check<M: Machine>(
    table: &str,
    start: impl Fn(Reliability) -> Sim<M>,
    events: &[&str],
    ways: &[(&str, &[&str])],
    happen: impl Fn(&mut Sim<M>, &str),
) {
    let rows = rows(table);
    for row in &rows {
        let (_, way) = ways
            .iter()
            .find(|(state, _)| *state == row.state)
            .expect("a way there");
        let mut sim = start(row.reliability);
        for event in *way {
            trigger(&mut sim, event, &happen);
        }
        let there = row.state.split('/').next().unwrap_or_default();
        assert_eq!(sim.machine.state(), there, "before: {}", row.text);
        sim.actions();
        trigger(&mut sim, row.event, &happen);
        let expected = format!("{} | {} | {}", row.does, row.next, row.left);
        let left = sim
            .until_deadline_ms()
            .map_or("-".to_owned(), |ms| ms.to_string());
        let actual = format!(
            "{} | {} | {left}",
            sim.actions().join(", "),
            sim.machine.state()
        );
        assert_eq!(actual, expected, "{} over {}", row.text, row.over);
    }
    let states: Vec<_> = rows.iter().map(|row| (row.state, row.over)).collect();
    for (state, over) in states {
        for event in events {
            let count = rows
                .iter()
                .filter(|row| (row.state, row.over, row.event) == (state, over, *event))
                .count();
            assert_eq!(count, 1, "{state}, {event} over {over}");
        }
    }
}

/// Makes a timer fire, or anything else happen.
fn trigger<M: Machine>(sim: &mut Sim<M>, event: &str, happen: impl Fn(&mut Sim<M>, &str)) {
    let Some(timer) = event.strip_prefix("timer ") else {
        return match event {
            "transport error" => sim.transport_failure(),
            other => happen(sim, other),
        };
    };
    let after: u64 = timer[2..].parse().expect("milliseconds");
    sim.run_for(Duration::from_millis(after - 1));
    sim.actions();
    sim.run_for(Duration::from_millis(1));
}

/// The status code that stands for a class.
fn code(class: &str) -> u16 {
    match class {
        "1xx" => 180,
        "2xx" => 200,
        "3xx-6xx" => 486,
        other => panic!("{other}"),
    }
}

#[test]
fn invite_client_follows_its_table() {
    check(
        CLIENT_INVITE,
        |reliability| {
            Sim::start(|base, now, out| {
                ClientInvite::start(&request("INVITE"), reliability, base, now, out)
            })
        },
        &["1xx", "2xx", "3xx-6xx", "cancel", "transport error"],
        &[
            ("Calling", &[]),
            ("Calling/unwanted", &["cancel"]),
            ("Proceeding", &["1xx"]),
            ("Proceeding/cancelled", &["1xx", "cancel"]),
            ("Completed", &["3xx-6xx"]),
            ("Accepted", &["2xx"]),
            ("Terminated", &["2xx", "timer M 32000"]),
        ],
        |sim, event| {
            sim.input(event, |machine, now, out| match event {
                "cancel" => machine.handle_cancel(now, out),
                class => machine.handle_response(response("INVITE", code(class)), now, out),
            });
        },
    );
}

#[test]
fn non_invite_client_follows_its_table() {
    check(
        CLIENT_NON_INVITE,
        |reliability| {
            Sim::start(|base, now, out| {
                ClientNonInvite::start(&request("OPTIONS"), reliability, base, now, out)
            })
        },
        &["1xx", "2xx", "3xx-6xx", "transport error"],
        &[
            ("Trying", &[]),
            ("Proceeding", &["1xx"]),
            ("Completed", &["2xx"]),
            ("Terminated", &["timer F 32000"]),
        ],
        |sim, class| {
            sim.input(class, |machine, now, out| {
                machine.handle_response(response("OPTIONS", code(class)), now, out);
            });
        },
    );
}

#[test]
fn invite_server_follows_its_table() {
    check(
        SERVER_INVITE,
        |reliability| {
            Sim::start(|base, now, _| {
                let head = Head::of(&request("INVITE"), "99");
                ServerInvite::start(head, reliability, base, now)
            })
        },
        &[
            "INVITE",
            "ACK",
            "user 1xx",
            "user 2xx",
            "user 3xx-6xx",
            "transport error",
        ],
        &[
            ("Proceeding", &[]),
            ("Proceeding/ringing", &["user 1xx"]),
            ("Completed", &["user 3xx-6xx"]),
            ("Confirmed", &["user 3xx-6xx", "ACK"]),
            ("Accepted", &["user 2xx"]),
            ("Terminated", &["user 2xx", "timer L 32000"]),
        ],
        |sim, event| {
            sim.input(event, |machine, now, out| match event {
                "INVITE" => machine.handle_invite(now, out),
                "ACK" => machine.handle_ack(now, out),
                user => {
                    let code = code(&user["user ".len()..]);
                    machine.respond(code, answer("INVITE", code), now, out);
                }
            });
        },
    );
}

#[test]
fn non_invite_server_follows_its_table() {
    check(
        SERVER_NON_INVITE,
        |reliability| Sim::start(|base, now, _| ServerNonInvite::start(reliability, base, now)),
        &[
            "request",
            "user 1xx",
            "user 2xx",
            "user 3xx-6xx",
            "transport error",
        ],
        &[
            ("Trying", &[]),
            ("Proceeding", &["user 1xx"]),
            ("Completed", &["user 3xx-6xx"]),
            ("Terminated", &["timer - 32000"]),
        ],
        |sim, event| {
            sim.input(event, |machine, now, out| match event {
                "request" => machine.handle_request(now, out),
                user => {
                    let code = code(&user["user ".len()..]);
                    machine.respond(code, answer("OPTIONS", code), now, out);
                }
            });
        },
    );
}
