//! `call`, `consult` and `answer`: placing and taking a call, and waiting for what becomes of it.

use std::future::pending;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::cli::{self, Wait};
use crate::control::ControlClient;
use crate::control::protocol::{Action, CallState, Command as Ask, EndedCall, Phase, State};
use crate::failure::{Failure, FailureKind};
use crate::terminal::{Terminal, answered_text, call_text, ended_text};

/// Longest wait for a call to end that we hung up.
const HANG_UP: Duration = Duration::from_secs(40);

pub(super) async fn call(
    asked: cli::Call,
    phone: &mut ControlClient,
    terminal: Terminal,
) -> Result<(), Failure> {
    let sound = asked.sound();
    let wait = if asked.duration.is_some() {
        Wait::Ended
    } else {
        asked.wait
    };
    let placed = Ask::Call {
        number: asked.number,
        line: asked.line,
        sound,
    };
    let limits = (asked.duration, asked.timeout);
    place(placed, wait, limits, phone, terminal).await
}

pub(super) async fn consult(
    asked: cli::Consult,
    phone: &mut ControlClient,
    terminal: Terminal,
) -> Result<(), Failure> {
    let sound = asked.sound();
    let placed = Ask::Consult {
        number: asked.number,
        call: asked.call,
        sound,
    };
    place(placed, asked.wait, (None, None), phone, terminal).await
}

/// Places a call and waits for what becomes of it; `duration` and `timeout` end it.
async fn place(
    placed: Ask,
    wait: Wait,
    (duration, timeout): (Option<Duration>, Option<Duration>),
    phone: &mut ControlClient,
    terminal: Terminal,
) -> Result<(), Failure> {
    phone.request(Ask::Follow).await?;
    let done = phone.request(placed).await?;
    let number = done.call.ok_or_else(no_call)?;
    if wait == Wait::Placed {
        terminal.result(&done, &format!("Call {number} placed"));
        return Ok(());
    }
    let mut watch = Watch {
        call: number,
        until_end: wait == Wait::Ended,
        duration,
        give_up: timeout.map(|timeout| (Instant::now() + timeout, Why::NoAnswer)),
        ending: None,
        phase: None,
    };
    watch.follow(phone, terminal).await
}

pub(super) async fn answer(
    asked: cli::AnswerCall,
    phone: &mut ControlClient,
    terminal: Terminal,
) -> Result<(), Failure> {
    if let Some(patience) = asked.timeout {
        phone.request(Ask::Follow).await?;
        let rings = |state: &State| {
            let ringing = |call: &CallState| call.actions.contains(&Action::Answer);
            state
                .calls
                .iter()
                .any(|call| ringing(call) && asked.call.is_none_or(|one| one == call.call))
        };
        let waited = tokio::time::timeout(patience, async {
            while !rings(phone.state().await?.as_ref()) {}
            Ok::<_, Failure>(())
        });
        waited
            .await
            .map_err(|_| Failure::new(FailureKind::Timeout, "no call came in time"))??;
    }
    let sound = asked.sound();
    let done = phone
        .request(Ask::Answer {
            call: asked.call,
            sound,
        })
        .await?;
    terminal.result(
        &done,
        &format!("Call {} answered", done.call.unwrap_or_default()),
    );
    Ok(())
}

/// Why we ended a call ourselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// Nobody answered in the time given.
    NoAnswer,
    /// The person pressed Ctrl-C.
    Interrupted,
    /// It lasted as long as wanted.
    Duration,
}

/// One call that is followed.
struct Watch {
    call: u64,
    until_end: bool,
    duration: Option<Duration>,
    /// When we hang up, and why.
    give_up: Option<(Instant, Why)>,
    /// We have hung up.
    ending: Option<Why>,
    phase: Option<Phase>,
}

impl Watch {
    async fn follow(
        &mut self,
        phone: &mut ControlClient,
        terminal: Terminal,
    ) -> Result<(), Failure> {
        loop {
            tokio::select! {
                state = phone.state() => {
                    let state = state?;
                    if let Some(ended) = state.ended.iter().find(|ended| ended.call == self.call) {
                        return self.report(ended, terminal);
                    }
                    let call = state.calls.iter().find(|call| call.call == self.call);
                    if call.is_some_and(|call| self.is_enough(call, terminal)) {
                        return Ok(());
                    }
                }
                why = due(self.give_up) => {
                    if self.ending.is_some() {
                        return Err(Failure::new(FailureKind::Timeout, "the call does not end"));
                    }
                    self.hang_up(why, phone).await?;
                }
                _ = tokio::signal::ctrl_c(), if self.ending.is_none() => {
                    self.hang_up(Why::Interrupted, phone).await?;
                }
            }
        }
    }

    /// Tells how the call goes on; true if that is all that was wanted.
    fn is_enough(&mut self, call: &CallState, terminal: Terminal) -> bool {
        let before = self.phase.replace(call.phase);
        let answered = call.answered_in_ms.is_some();
        if answered && !self.until_end {
            terminal.result(call, &answered_text(call));
            return true;
        }
        if before != Some(call.phase) {
            terminal.progress(&call_text(call));
        }
        if answered && self.ending.is_none() {
            match self.duration.take() {
                Some(duration) => self.give_up = Some((Instant::now() + duration, Why::Duration)),
                None if matches!(self.give_up, Some((_, Why::NoAnswer))) => self.give_up = None,
                None => {}
            }
        }
        false
    }

    async fn hang_up(&mut self, why: Why, phone: &mut ControlClient) -> Result<(), Failure> {
        self.ending = Some(why);
        self.give_up = Some((Instant::now() + HANG_UP, why));
        match phone
            .request(Ask::HangUp {
                call: Some(self.call),
            })
            .await
        {
            // It ended by itself in the same moment.
            Err(failure) if failure.kind == FailureKind::NotPossible => Ok(()),
            asked => asked.map(drop),
        }
    }

    fn report(&self, ended: &EndedCall, terminal: Terminal) -> Result<(), Failure> {
        let failure = match (self.ending, ended.kind) {
            (_, None) => None,
            (Some(Why::NoAnswer), Some(FailureKind::Cancelled)) => {
                Some((FailureKind::NoAnswer, "nobody answered".to_owned()))
            }
            (_, Some(kind)) => Some((kind, ended.reason.clone())),
        };
        if terminal == Terminal::Json || failure.is_none() {
            terminal.result(ended, &ended_text(ended));
        }
        match failure {
            None => Ok(()),
            Some((kind, message)) => Err(Failure {
                kind,
                message,
                sip_status: ended.sip_status,
            }),
        }
    }
}

async fn due(give_up: Option<(Instant, Why)>) -> Why {
    match give_up {
        Some((at, why)) => {
            sleep_until(at).await;
            why
        }
        None => pending().await,
    }
}

fn no_call() -> Failure {
    Failure::new(
        FailureKind::General,
        "the running softphone is of another version",
    )
}
