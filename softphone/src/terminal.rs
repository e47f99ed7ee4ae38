//! What a person or a script reads: sentences, or one JSON object a line.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use serde::Serialize;
use softphone_core::plain_text;

use crate::control::protocol::{
    CallQuality, CallState, Connection, DirectionQuality, EndedCall, LineState, Phase,
    ProcessingState, State, TransferStep,
};
use crate::failure::Failure;

/// Longest text that is printed, in characters.
const MAX_TEXT: usize = 200;

/// In which form to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terminal {
    /// Sentences on standard output, problems on standard error.
    Sentences,
    /// One JSON object a line on standard output, problems too.
    Json,
}

impl Terminal {
    /// Prints a result.
    pub fn result(self, value: &impl Serialize, sentence: &str) {
        match self {
            Self::Sentences => line(sentence),
            Self::Json => line(&serde_json::to_string(value).expect("plain values become JSON")),
        }
    }

    /// Prints progress; scripts do not get it.
    pub fn progress(self, sentence: &str) {
        if self == Self::Sentences {
            line(sentence);
        }
    }

    /// Prints something a person should know even if all goes well.
    pub fn notice(self, sentence: &str) {
        eprintln!("softphone: {sentence}");
    }

    /// Prints why the command failed.
    pub fn failure(self, failure: &Failure) {
        match self {
            Self::Sentences => {
                let sip = failure.sip_status.map(|status| format!(" (SIP {status})"));
                eprintln!("softphone: {}{}", failure.message, sip.unwrap_or_default());
            }
            Self::Json => {
                let error = serde_json::json!({
                    "error": failure.kind,
                    "message": failure.message,
                    "sip_status": failure.sip_status,
                });
                self.result(&error, "");
            }
        }
    }

    /// Asks a person; without one, or in a script, the answer is no.
    pub fn confirm(self, question: &str) -> bool {
        let input = std::io::stdin();
        if self == Self::Json || !input.is_terminal() {
            return false;
        }
        eprint!("{question} [y/N] ");
        let mut answer = String::new();
        // A terminal that is gone says no.
        let read = input.lock().read_line(&mut answer);
        read.is_ok() && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
    }
}

/// Standard output may be a closed pipe, which is no reason to panic.
fn line(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// A text from the network, safe to print.
pub fn shown(text: &str) -> String {
    plain_text(text, MAX_TEXT)
}

/// The whole state in sentences.
pub fn state_text(state: &State) -> String {
    let portal = match (&state.portal_problem, state.portal_connected) {
        (_, true) => "connected".to_owned(),
        (Some(problem), false) => problem.clone(),
        (None, false) => "connecting".to_owned(),
    };
    let mut text = format!(
        "{} of {} ({})\nPortal {}: {portal}\n{}",
        state.device,
        state.contact,
        state.tenant,
        state.portal,
        lines_text(&state.lines)
    );
    text.push('\n');
    text.push_str(&processing_text(state.processing));
    for call in &state.calls {
        text.push('\n');
        text.push_str(&call_text(call));
    }
    text
}

/// What is done to the microphone's sound, in a sentence.
fn processing_text(processing: ProcessingState) -> String {
    let position = |is_on| if is_on { "on" } else { "off" };
    format!(
        "Microphone: echo cancellation {}, noise suppression {}, gain control {}",
        position(processing.echo_cancellation),
        position(processing.noise_suppression),
        position(processing.gain_control)
    )
}

/// The lines in sentences.
pub fn lines_text(lines: &[LineState]) -> String {
    if lines.is_empty() {
        return "No lines".to_owned();
    }
    lines.iter().map(line_text).collect::<Vec<_>>().join("\n")
}

fn line_text(line: &LineState) -> String {
    let state = match line.state {
        Connection::NotConnected => match &line.reason {
            Some(reason) => format!("Not connected: {reason}"),
            None => "Not connected".to_owned(),
        },
        Connection::Connecting => "Connecting".to_owned(),
        Connection::Connected => match line.registered_in_ms {
            Some(ms) => format!("Connected (in {ms} ms)"),
            None => "Connected".to_owned(),
        },
        Connection::Failed => {
            let reason = line.reason.as_deref().unwrap_or("failed");
            let sip = line.sip_status.map(|status| format!(" (SIP {status})"));
            format!("{reason}{}", sip.unwrap_or_default())
        }
    };
    format!("{}  {}  {state}", line.name, line.address)
}

/// One call in a sentence, and what is wrong with it in a line of its own.
pub fn call_text(call: &CallState) -> String {
    with_problem(call_line(call), call)
}

/// One call that was answered, in the same way.
pub fn answered_text(call: &CallState) -> String {
    let after = secs(call.answered_in_ms.unwrap_or_default());
    with_problem(
        format!("{}, answered after {after:.1} s", call_line(call)),
        call,
    )
}

fn with_problem(mut text: String, call: &CallState) -> String {
    if let Some(problem) = &call.problem {
        text.push_str(&format!("\n  Problem: {problem}"));
    }
    text
}

fn call_line(call: &CallState) -> String {
    let phase = match call.phase {
        Phase::Dialing => "dialing",
        Phase::Ringing => "ringing",
        Phase::Connected => "connected",
        Phase::Held => "on hold",
        Phase::HeldByPeer => "put on hold by the other side",
        Phase::Ending => "ending",
    };
    let transfer = call.transfer.map(|transfer| match transfer.state {
        TransferStep::Asked | TransferStep::Trying => "; being transferred",
        TransferStep::Ringing => "; being transferred, it rings there",
        TransferStep::Failed => "; not transferred",
    });
    let quality = call.quality.as_ref().and_then(quality_text);
    let quality = quality.map(|quality| format!("; {quality}"));
    let muted = if call.muted { ", muted" } else { "" };
    format!(
        "Call {} with {}: {phase}{muted}{}{}",
        call.call,
        call.party,
        transfer.unwrap_or_default(),
        quality.unwrap_or_default()
    )
}

/// One ended call in sentences.
pub fn ended_text(call: &EndedCall) -> String {
    let mut text = format!("Call {} with {}: {}", call.call, call.party, call.reason);
    if let Some(ms) = call.answered_in_ms {
        text.push_str(&format!(
            " Answered after {:.1} s, talked {:.1} s.",
            secs(ms),
            secs(call.talked_ms)
        ));
    }
    if let Some(media) = &call.media {
        text.push_str(&format!(
            "\n{}: {} packets sent, {} received, {} lost, jitter {:.1} ms",
            media.codec,
            media.packets_sent,
            media.packets_received,
            media.packets_lost,
            secs(media.jitter_us)
        ));
        if let Some(quality) = quality_text(&media.quality) {
            text.push_str(&format!("\n{quality}"));
        }
        if let Some(recording) = &media.recording {
            text.push_str(&format!("\nRecording: {}", recording.display()));
        }
    }
    text
}

/// How good a call is, if anything is known: scores, then what is wrong.
fn quality_text(quality: &CallQuality) -> Option<String> {
    let score = |name, direction: Option<DirectionQuality>| {
        direction.map(|direction| {
            let mos = f64::from(direction.mos_hundredths) / 100.0;
            let loss = f64::from(direction.loss_ppm) / 10_000.0;
            format!("{name} MOS {mos:.1}, {loss:.1} % lost")
        })
    };
    let parts: Vec<_> = [
        // Scores are of what went over the network: there may be no loudspeaker.
        score("received", quality.heard),
        score("sent", quality.sent),
        quality.fault.clone(),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// Thousandths as a number with a point.
#[expect(
    clippy::cast_precision_loss,
    reason = "for show, with one decimal place"
)]
fn secs(thousandths: u64) -> f64 {
    thousandths as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_come_before_what_is_wrong_and_nothing_is_said_of_what_is_not_known() {
        assert_eq!(quality_text(&CallQuality::default()), None);
        let quality = CallQuality {
            heard: Some(DirectionQuality {
                mos_hundredths: 441,
                loss_ppm: 12_000,
                jitter_us: 0,
                delay_ms: 0,
            }),
            fault: Some("The other side does not receive you".to_owned()),
            ..CallQuality::default()
        };
        assert_eq!(
            quality_text(&quality).unwrap(),
            "received MOS 4.4, 1.2 % lost; The other side does not receive you"
        );
    }

    #[test]
    fn a_problem_stands_in_a_line_of_its_own() {
        let mut call: CallState = serde_json::from_value(serde_json::json!({
            "call": 1, "line": "Work", "direction": "outgoing", "party": "Bob",
            "phase": "connected", "muted": false, "actions": [], "answered_in_ms": 1_440,
        }))
        .unwrap();
        assert_eq!(call_text(&call), "Call 1 with Bob: connected");
        call.problem = Some("no sound card: this system has no microphone".to_owned());
        assert_eq!(
            answered_text(&call),
            "Call 1 with Bob: connected, answered after 1.4 s\n  \
             Problem: no sound card: this system has no microphone"
        );
    }

    #[test]
    fn how_a_call_ended_is_sentences_with_times_in_one_unit() {
        let ended: EndedCall = serde_json::from_value(serde_json::json!({
            "call": 1, "line": "Work", "direction": "outgoing", "party": "Bob",
            "ended": "local_hang_up", "reason": "You ended the call.",
            "answered_in_ms": 58_002, "talked_ms": 2_100,
        }))
        .unwrap();
        assert_eq!(
            ended_text(&ended),
            "Call 1 with Bob: You ended the call. Answered after 58.0 s, talked 2.1 s."
        );
    }
}
