//! The torture messages at a proxy whom their senders do not know: what its index demands of a proxy and of a registrar, where a
//! request that would be served is challenged first.

use std::path::{Path, PathBuf};

use sip::{Message, parse_message};
use sip_proxy_core::Counts;

use crate::bench::Bench;

const STRANGER: u16 = 41_998;

/// A row of the index: file, demands on a proxy, demands on a registrar.
struct Row {
    file: String,
    proxy: Vec<String>,
    registrar: Vec<String>,
}

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/sip-torture")
}

fn rows() -> Vec<Row> {
    let index = std::fs::read_to_string(data().join("INDEX.md")).unwrap();
    let words = |cell: &str| {
        cell.split(", ")
            .map(|word| word.trim().to_owned())
            .collect()
    };
    let rows = index.lines().filter(|line| line.contains(".dat |"));
    rows.map(|line| {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        Row {
            file: cells[1].to_owned(),
            proxy: words(cells[6]),
            registrar: words(cells[7]),
        }
    })
    .collect()
}

fn bytes(file: &str) -> Vec<u8> {
    let wire = data().join(file.replace('/', "/wire/"));
    let path = if wire.exists() {
        wire
    } else {
        data().join(file)
    };
    std::fs::read(path).unwrap()
}

/// Whether a row's demand is met by this answer; `None` is silence.
fn meets(demands: &[String], answer: Option<u16>) -> bool {
    let Some(answer) = answer else {
        return demands.iter().any(|demand| demand == "drop");
    };
    // What would be passed on or served is for those only whom the proxy knows.
    let is_served = |demand: &String| {
        ["fwd", "1xx", "2xx", "401", "404", "405", "501", "any-final"].contains(&demand.as_str())
    };
    let is_challenge = answer == 401 || answer == 407;
    demands.iter().any(|demand| *demand == answer.to_string())
        || is_challenge && demands.iter().any(is_served)
        || answer < 700 && demands.iter().any(|demand| demand == "any-final")
}

#[test]
fn every_torture_message_gets_what_the_index_demands_of_a_proxy_or_registrar() {
    let rows = rows();
    assert_eq!(rows.len(), 60 + 2);
    let mut failures = Vec::new();
    for row in &rows {
        let mut bench = Bench::new();
        let sent = bytes(&row.file);
        bench.deliver_raw(STRANGER, &sent);
        let answers = bench.responses_to(STRANGER);
        let answer = answers.last().map(|answer| answer.status.code());
        let is_register = sent.starts_with(b"REGISTER ");
        let demands = if is_register {
            &row.registrar
        } else {
            &row.proxy
        };
        if answers.len() > 1 || !meets(demands, answer) {
            failures.push(format!("{}: {answer:?}, not {demands:?}", row.file));
        }
        assert_eq!(bench.proxy.counts(), Counts::default(), "{}", row.file);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn unknown_extensions_of_the_torture_messages_are_named() {
    let mut bench = Bench::new();
    bench.deliver_raw(STRANGER, &bytes("rfc4475/bext01.dat"));
    let answer = bench.responses_to(STRANGER).pop().unwrap();
    let unsupported = answer.header("Unsupported").unwrap();
    for tag in ["noProxiesSupportThis", "norDoAnyProxiesSupportThis"] {
        assert!(unsupported.contains(tag), "{unsupported}");
    }
}

#[test]
fn the_octets_behind_a_datagram_s_message_are_no_second_one() {
    let mut bench = Bench::new();
    bench.deliver_raw(STRANGER, &bytes("rfc4475/dblreq.dat"));
    let answers = bench.responses_to(STRANGER);
    assert_eq!(answers.len(), 1);
    assert!(matches!(
        parse_message(answers[0].to_bytes()),
        Ok(Message::Response(_))
    ));
    assert!(answers[0].header("CSeq").unwrap().contains("REGISTER"));
}
