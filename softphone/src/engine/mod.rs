//! The running softphone: starts the tasks, carries messages between them, ends in order.
//!
//! ```text
//!   control socket ──commands──►┌────────┐──Command──► sip-io driver (owns the Phone)
//!   portal session ──events────►│ Engine │◄──Event────
//!   media sessions ──events────►└───┬────┘──ports, start, stop──► media sessions
//!                                   └──► State ──► control socket, report ──► portal
//! ```
//!
//! One loop owns everything that changes here; it never waits for a file, a name, a device or a
//! peer. What takes time is a task that sends its result back.

mod lines;
mod media;
mod sound;
mod start;
mod state;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use api::DeviceReport;
use softphone_core::{
    Action, CallId, Command, Event, LineConfig, LineId, Phase, ReplyId, View, plain_text,
};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use crate::control::Incoming;
use crate::control::protocol::{
    CallState, Command as Ask, Done, EndedCall, LineState, MediaSummary, SoundFiles, State,
};
use crate::failure::{Failure, FailureKind};
use crate::portal::PortalEvent;
use crate::profile::{Profile, ProfileError, ProfileFolder};
use crate::terminal::{Terminal, call_text, ended_text, lines_text};

use lines::LocalPorts;
use media::{CallMedia, MediaNews};
use sound::SoundPlan;

pub use start::run;

/// Ended calls that are remembered.
const MAX_ENDED: usize = 64;

/// Longest name from the portal that is shown, in characters.
const MAX_NAME: usize = 80;

/// Commands that may wait for the phone.
const COMMAND_CAPACITY: usize = 64;

/// Why the engine's loop ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// The person wants it.
    Stop,
    /// The person wants this phone to forget everything.
    Deactivate,
    /// The portal deactivated this phone.
    Revoked,
}

/// What tasks send back.
enum News {
    /// A configuration is saved, and its lines are ready to be used.
    Prepared { profile: Box<Profile>, lines: Vec<LineConfig>, saved: Result<(), ProfileError> },
    /// Something happened in a call's media.
    Media { call: CallId, news: MediaNews },
    /// A call's media is closed.
    Closed { call: CallId, summary: Option<MediaSummary> },
}

/// How calls are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answering {
    ByPerson,
    AtOnce,
}

/// One call on this side of the phone.
#[derive(Default)]
struct EdgeCall {
    media: Option<CallMedia>,
    files: SoundFiles,
    problem: Option<String>,
    is_closing: bool,
    ended: Option<Box<softphone_core::CallEnded>>,
    /// What the terminal was told last.
    shown: Option<Phase>,
}

struct Engine {
    folder: ProfileFolder,
    profile: Profile,
    ports: LocalPorts,
    sound: Arc<SoundPlan>,
    answering: Answering,
    terminal: Terminal,
    view: View,
    configs: HashMap<LineId, LineConfig>,
    calls: HashMap<CallId, EdgeCall>,
    ended: VecDeque<EndedCall>,
    portal_connected: bool,
    portal_problem: Option<String>,
    commands: mpsc::Sender<Command>,
    next_reply: u64,
    replies: HashMap<ReplyId, oneshot::Sender<Result<Done, Failure>>>,
    news: mpsc::Sender<News>,
    tasks: JoinSet<()>,
    state: watch::Sender<Arc<State>>,
    report: watch::Sender<DeviceReport>,
    /// Waits for the wipe.
    deactivation: Option<oneshot::Sender<Result<Done, Failure>>>,
}

impl Engine {
    /// Sends a command whose reply interests nobody.
    fn command(&mut self, action: Action) {
        let reply = self.reply_id();
        self.send(Command { reply, action });
    }

    fn reply_id(&mut self) -> ReplyId {
        self.next_reply += 1;
        ReplyId(self.next_reply)
    }

    fn send(&mut self, command: Command) {
        let reply = command.reply;
        if self.commands.try_send(command).is_err()
            && let Some(answer) = self.replies.remove(&reply)
        {
            let busy = Failure::new(FailureKind::General, "the softphone is overloaded");
            // The client may be gone.
            let _ = answer.send(Err(busy));
        }
    }

    /// A command from the control socket.
    fn handle_command(&mut self, incoming: Incoming) -> Option<Ending> {
        let Incoming { command, answer } = incoming;
        let action = match command {
            Ask::Call { number, line, sound } => match self.line(line.as_deref()) {
                Ok(line) => {
                    let action = Action::Call { line, target: sip::Private(number) };
                    return self.call(action, sound, answer);
                }
                Err(failure) => Err(failure),
            },
            Ask::Answer { call, sound } => {
                let call = call.map(CallId);
                let rings = self.view.calls.iter().filter_map(|call| call.actions.answer);
                // The sound must be known before the answer takes effect.
                for ringing in rings.filter(|ringing| call.is_none_or(|call| call == *ringing)) {
                    self.calls.entry(ringing).or_default().files = sound.clone();
                }
                Ok(Action::Answer(call))
            }
            Ask::Reject { call } => Ok(Action::Reject(call.map(CallId))),
            Ask::HangUp { call } => Ok(Action::HangUp(call.map(CallId))),
            Ask::Hold { call } => Ok(Action::Hold(call.map(CallId))),
            Ask::Resume { call } => Ok(Action::Resume(call.map(CallId))),
            Ask::Dtmf { digits, call } => {
                Ok(Action::SendDigits(call.map(CallId), sip::Private(digits)))
            }
            Ask::Deactivate => {
                self.deactivation = Some(answer);
                return Some(Ending::Deactivate);
            }
            Ask::Stop => {
                let _ = answer.send(Ok(Done::default()));
                return Some(Ending::Stop);
            }
            Ask::Status | Ask::Follow => {
                Err(Failure::new(FailureKind::Usage, "the command is not understood"))
            }
        };
        match action {
            Ok(action) => {
                let reply = self.reply_id();
                self.replies.insert(reply, answer);
                self.send(Command { reply, action });
            }
            Err(failure) => {
                let _ = answer.send(Err(failure));
            }
        }
        None
    }

    /// The reply, which brings the call's number, comes before the call has any sound.
    fn call(
        &mut self,
        action: Action,
        sound: SoundFiles,
        answer: oneshot::Sender<Result<Done, Failure>>,
    ) -> Option<Ending> {
        if let Err(error) = sound::check(&sound) {
            let _ = answer.send(Err(error));
            return None;
        }
        let (reply_sender, reply) = oneshot::channel();
        let id = self.reply_id();
        self.replies.insert(id, reply_sender);
        self.waiting_sound(id, sound);
        self.send(Command { reply: id, action });
        self.tasks.spawn(async move {
            if let Ok(result) = reply.await {
                let _ = answer.send(result);
            }
        });
        None
    }
}
