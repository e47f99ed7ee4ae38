//! What comes from the control socket.

use ::media::process::ProcessOptions;
use sip::Private;
use softphone_core::{Action, CallId, CallView, Command, LineId, Phase, Rejection};

use super::{Answer, EdgeCall, Ending, Engine, sound};
use crate::control::protocol::{Command as Ask, Done, SoundFiles};
use crate::control::{self, Incoming};
use crate::failure::{Failure, FailureKind};

impl Engine {
    pub(super) fn handle_command(&mut self, incoming: Incoming) -> Option<Ending> {
        let Incoming { command, answer } = incoming;
        match command {
            Ask::Call {
                number,
                line,
                sound,
            } => match self.call(&number, line, &sound) {
                Ok(action) => {
                    let reply = self.reply_id();
                    self.files.insert(reply, sound);
                    self.replies.insert(reply, answer);
                    self.send(Command { reply, action });
                }
                Err(failure) => refuse(answer, failure),
            },
            Ask::Consult {
                number,
                call,
                sound,
            } => match sound::check(&sound).and_then(|()| self.callee(&number)) {
                Ok((number, _)) => {
                    let reply = self.reply_id();
                    self.files.insert(reply, sound);
                    self.replies.insert(reply, answer);
                    let action = Action::Consult(call.map(CallId), Private(number));
                    self.send(Command { reply, action });
                }
                Err(failure) => refuse(answer, failure),
            },
            Ask::Transfer { number, call } => match self.callee(&number) {
                Ok((number, _)) => {
                    self.act(Action::Transfer(call.map(CallId), Private(number)), answer);
                }
                Err(failure) => refuse(answer, failure),
            },
            Ask::TransferTo { call, to } => {
                let (call, to) = (call.map(CallId), to.map(CallId));
                self.act(Action::TransferTo { call, to }, answer);
            }
            Ask::Answer { call, sound } => {
                if let Err(failure) = sound::check(&sound) {
                    refuse(answer, failure);
                    return None;
                }
                let call = call.map(CallId);
                let rings = self
                    .view
                    .calls
                    .iter()
                    .filter_map(|call| call.actions.answer);
                // The sound must be known before the answer takes effect.
                for ringing in rings.filter(|ringing| call.is_none_or(|call| call == *ringing)) {
                    self.calls.entry(ringing).or_default().files = sound.clone();
                }
                self.act(Action::Answer(call), answer);
            }
            Ask::Reject { call, told } => {
                let rejection = match told {
                    control::protocol::Rejection::Busy => Rejection::Busy,
                    control::protocol::Rejection::Declined => Rejection::Declined,
                };
                self.act(Action::Reject(call.map(CallId), rejection), answer);
            }
            Ask::HangUp { call } => self.act(Action::HangUp(call.map(CallId)), answer),
            Ask::Hold { call } => self.act(Action::Hold(call.map(CallId)), answer),
            Ask::Resume { call } => self.act(Action::Resume(call.map(CallId)), answer),
            Ask::SetProcessing {
                echo_cancellation,
                noise_suppression,
                gain_control,
            } => {
                let switches = self.sound.processing();
                let now = switches.get();
                switches.set(ProcessOptions {
                    echo_cancellation: echo_cancellation.unwrap_or(now.echo_cancellation),
                    noise_suppression: noise_suppression.unwrap_or(now.noise_suppression),
                    gain_control: gain_control.unwrap_or(now.gain_control),
                    ..now
                });
                // The client may be gone.
                let _ = answer.send(Ok(Done::default()));
            }
            Ask::Dtmf { digits, call } => {
                self.act(
                    Action::SendDigits(call.map(CallId), Private(digits)),
                    answer,
                );
            }
            Ask::Record { what, to } => self.record(what, to, Some(answer)),
            Ask::StopRecording { what } => self.stop_recording(what, Some(answer)),
            Ask::Join { calls } => {
                let calls = calls.into_iter().map(CallId).collect();
                self.act(Action::Join(calls), answer);
            }
            Ask::Split { call } => self.act(Action::Split(call.map(CallId)), answer),
            Ask::HoldConference => self.act(Action::HoldConference, answer),
            Ask::ResumeConference => self.act(Action::ResumeConference, answer),
            Ask::EndConference => self.act(Action::EndConference, answer),
            Ask::Silence { call, muted } => {
                let joined = |view: &&CallView| view.in_conference && view.id.0 == call;
                self.mute(joined, |edge| edge.is_silenced = muted, answer);
            }
            Ask::Mute { call, muted } => {
                let meant = |view: &&CallView| {
                    let answered = view.answered_after.is_some() && view.phase != Phase::Ending;
                    answered && call.is_none_or(|call| call == view.id.0)
                };
                self.mute(meant, |edge| edge.is_muted = muted, answer);
            }
            Ask::SetPassword { line, password } => {
                match self.profile.enter_password(line.as_deref(), password) {
                    Ok(()) => {
                        self.prepare(self.profile.configuration.clone());
                        // The client may be gone.
                        let _ = answer.send(Ok(Done::default()));
                    }
                    Err(error) => refuse(answer, error.into()),
                }
            }
            Ask::Deactivate => {
                self.deactivation = Some(answer);
                return Some(Ending::Deactivate);
            }
            Ask::Stop => {
                // The client may be gone.
                let _ = answer.send(Ok(Done::default()));
                return Some(Ending::Stop);
            }
            Ask::Status | Ask::Follow => {
                refuse(
                    answer,
                    Failure::new(FailureKind::Usage, "the command is not understood"),
                );
            }
        }
        None
    }

    /// Changes who is heard in the calls that are meant.
    fn mute(
        &mut self,
        meant: impl Fn(&&CallView) -> bool,
        change: impl Fn(&mut EdgeCall),
        answer: Answer,
    ) {
        let calls: Vec<_> = self.view.calls.iter().filter(meant).collect();
        if calls.is_empty() {
            let text = "There is no call for this.";
            return refuse(answer, Failure::new(FailureKind::NotPossible, text));
        }
        for call in calls {
            change(self.calls.entry(call.id).or_default());
        }
        self.arrange();
        // The client may be gone.
        let _ = answer.send(Ok(Done::default()));
    }

    fn act(&mut self, action: Action, answer: Answer) {
        let reply = self.reply_id();
        self.replies.insert(reply, answer);
        self.send(Command { reply, action });
    }

    fn call(
        &self,
        number: &str,
        line: Option<String>,
        sound: &SoundFiles,
    ) -> Result<Action, Failure> {
        sound::check(sound)?;
        let (number, fit) = self.callee(number)?;
        let line = match line {
            Some(name) => Some(self.line_called(&name)?),
            None => fit,
        };
        Ok(Action::Call {
            line,
            target: Private(number),
        })
    }

    /// A line by its name, address, user or account.
    fn line_called(&self, name: &str) -> Result<LineId, Failure> {
        let is_meant = |line: &&softphone_core::LineView| {
            let address = line
                .address
                .0
                .strip_prefix("sip:")
                .unwrap_or(&line.address.0);
            let user = address.split('@').next();
            let account = uuid::Uuid::from_u128(line.id.0).to_string();
            line.name.eq_ignore_ascii_case(name)
                || [line.address.0.as_str(), address, account.as_str()].contains(&name)
                || user == Some(name)
        };
        let line = self.view.lines.iter().find(is_meant).map(|line| line.id);
        line.ok_or_else(|| Failure::new(FailureKind::NotPossible, "there is no such line"))
    }
}

fn refuse(answer: Answer, failure: Failure) {
    // The client may be gone.
    let _ = answer.send(Err(failure));
}
