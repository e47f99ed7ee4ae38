//! Ladders: an exchange of messages as one would draw it on paper, compared as text.
//!
//! ```text
//!     0 ms  alice > bob    INVITE sdp
//!    10 ms  bob > alice    180 INVITE
//!  2010 ms  bob lost       200 INVITE sdp
//! ```

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Instant;

use crate::sim_net::{Fate, Packet};

/// Writes down what is sent.
#[derive(Debug)]
pub struct Ladder {
    start: Instant,
    names: Vec<(SocketAddr, &'static str)>,
    lines: Vec<String>,
}

impl Ladder {
    /// Nothing written yet; times count from `start`.
    pub fn new(start: Instant) -> Self {
        Self {
            start,
            names: Vec::new(),
            lines: Vec::new(),
        }
    }

    /// Calls an address by a name.
    pub fn name(&mut self, address: SocketAddr, name: &'static str) {
        self.names.push((address, name));
    }

    /// A packet was sent.
    pub fn packet(&mut self, packet: &Packet, fate: Fate, now: Instant) {
        let (from, to) = (self.name_of(packet.from), self.name_of(packet.to));
        let arrow = match fate {
            Fate::Delivered => format!("{from} > {to}"),
            Fate::Lost => format!("{from} lost"),
        };
        self.line(now, &format!("{arrow} {}", summary(&packet.bytes)));
    }

    /// Something else happened.
    pub fn note(&mut self, who: SocketAddr, what: &str, now: Instant) {
        let text = format!("{}: {what}", self.name_of(who));
        self.line(now, &text);
    }

    /// Everything since the last call, one line each.
    pub fn take(&mut self) -> String {
        std::mem::take(&mut self.lines).join("\n")
    }

    fn line(&mut self, now: Instant, text: &str) {
        self.lines.push(format!(
            "{} ms {text}",
            now.duration_since(self.start).as_millis()
        ));
    }

    fn name_of(&self, address: SocketAddr) -> String {
        let known = self.names.iter().find(|(own, _)| *own == address);
        known.map_or_else(|| address.to_string(), |(_, name)| (*name).to_owned())
    }
}

/// A message in two or three words: `INVITE sdp`, `200 BYE`.
pub fn summary(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut words = text.split_ascii_whitespace();
    let first = words.next().unwrap_or_default();
    let mut summary = if first == "SIP/2.0" {
        let method = text
            .lines()
            .find_map(|line| line.strip_prefix("CSeq:"))
            .and_then(|cseq| cseq.split_ascii_whitespace().nth(1))
            .unwrap_or("?");
        format!("{} {method}", words.next().unwrap_or_default())
    } else {
        first.to_owned()
    };
    if text.contains("\r\n\r\nv=0") {
        let _ = write!(summary, " sdp");
    }
    summary
}

/// Compares a ladder with the drawing of it: blanks at line ends, between words and empty lines do
/// not count.
///
/// # Panics
///
/// If they differ, with the first line that does and both ladders in full.
#[track_caller]
pub fn assert_ladder(actual: &str, expected: &str) {
    let tidy = |text: &str| -> Vec<String> {
        text.lines()
            .map(|line| line.split_ascii_whitespace().collect::<Vec<_>>().join(" "))
            .filter(|line| !line.is_empty())
            .collect()
    };
    let (actual, expected) = (tidy(actual), tidy(expected));
    let longest = actual.len().max(expected.len());
    let differs = (0..longest).find(|&at| actual.get(at) != expected.get(at));
    if let Some(at) = differs {
        panic!(
            "ladders differ in line {}\nexpected: {:?}\n  actual: {:?}\n\nexpected\n{}\n\nactual\n{}\n",
            at + 1,
            expected.get(at),
            actual.get(at),
            expected.join("\n"),
            actual.join("\n"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_summed_up() {
        assert_eq!(summary(b"BYE sip:a@b SIP/2.0\r\n\r\n"), "BYE");
        let ok = b"SIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\n\r\nv=0\r\n";
        assert_eq!(summary(ok), "200 INVITE sdp");
        assert_eq!(summary(b""), "");
    }

    #[test]
    #[should_panic(expected = "ladders differ in line 2")]
    fn missing_line_is_a_difference() {
        assert_ladder(
            "0 ms a > b INVITE",
            "  0 ms   a > b  INVITE\n 5 ms b > a 200 INVITE\n",
        );
    }
}
