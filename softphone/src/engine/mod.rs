//! The running softphone: starts the tasks, carries messages between them, ends in order.
//!
//! ```text
//!   control socket ──commands──►┌────────┐──Command──► sip-io driver (owns the Phone)
//!   portal session ──events────►│ Engine │◄──Event────
//!   media sessions ──news──────►└───┬────┘──open, update, close──► media sessions
//!                                   └──► State ──► control socket, report ──► portal
//! ```
//!
//! One loop owns everything that changes here; it never waits for a file, a name, a device or a
//! peer. What takes time is a task that sends its result back.
//!
//! | file | owns |
//! |---|---|
//! | `start.rs` | starting and ending |
//! | `mod.rs` | the engine's state, what comes from the portal |
//! | `commands.rs` | what comes from the control socket |
//! | `directory.rs` | the company directory: names of callers, calls by name |
//! | `events.rs` | what comes from the phone and from media |
//! | `lines.rs`, `state.rs` | portal's words to the phone's, phone's words to the socket's |
//! | `opening.rs`, `media.rs`, `sound.rs` | one call's media session, and what it plays and records |
//! | `reach.rs` | which servers help calls through address translation |
//! | `desk.rs` | which call's sound is where: with the person, on hold, in the conference |
//! | `recording.rs` | calls that are kept in files |
//! | `tones.rs` | what the person hears beside calls: ringing, busy |
//! | `quality.rs` | how good a call is, and when that is told |

mod card_news;
mod commands;
mod desk;
mod directory;
mod events;
mod lines;
mod media;
mod opening;
mod quality;
mod reach;
mod recording;
mod sound;
mod start;
mod state;
mod tones;

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

use ::media::Secured;
use ::media::srtp::DtlsIdentity;
use api::{DeviceConfiguration, DeviceReport};
use media_io::{MediaThread, PortRange};
use softphone_core::{
    Action, CallEnded, CallId, Command, LineConfig, LineId, LineView, Phase, ReplyId, View,
    plain_text,
};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use crate::audio::Device;
use crate::control::protocol::{
    CallQuality, CallState, ConferenceState, Done, EndedCall, LineState, MediaSummary, Recorded,
    SoundFiles, State,
};
use crate::failure::{Failure, FailureKind};
use crate::portal::PortalEvent;
use crate::profile::{Profile, ProfileError, ProfileFolder};
use crate::terminal::Terminal;

use card_news::CardNews;
use desk::{Desk, HoldMusic, Spot};
use directory::{Company, Renewed};
use lines::LineOptions;
use media::{CallMedia, MediaNews};
use reach::Reach;
use recording::RecordingNews;
use sound::SoundPlan;
use tones::Tones;

pub(crate) use start::run;

/// Ended calls that are remembered.
const MAX_ENDED: usize = 64;

/// Longest name from the portal that is shown, in characters.
const MAX_NAME: usize = 80;

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
    Prepared {
        profile: Box<Profile>,
        lines: Vec<LineConfig>,
        saved: Result<(), ProfileError>,
    },
    /// The company directory is taken in.
    Directory(Box<Renewed>),
    /// Something happened in a call's media.
    Media { call: CallId, news: MediaNews },
    /// A call's media is closed.
    Closed {
        call: CallId,
        summary: Option<Box<MediaSummary>>,
        /// What became of its recording, if there was one.
        recorded: Option<Option<String>>,
    },
    /// It has been heard long enough that a call came to nothing.
    ToneOver(u64),
    /// The sound card has something to say to the person.
    Card(String),
    /// The sound cards that there were when the phone started.
    Cards(Vec<Device>),
    /// Something happened to a recording.
    Recording(Recorded, RecordingNews),
}

/// How calls are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answering {
    ByPerson,
    AtOnce,
}

/// Who waits for the answer to a command.
type Answer = oneshot::Sender<Result<Done, Failure>>;

/// One call on this side of the phone.
#[derive(Default)]
struct EdgeCall {
    media: Option<CallMedia>,
    /// Where its sound is.
    spot: Option<Spot>,
    /// The other side is not to hear the microphone.
    is_muted: bool,
    /// What the media session was told of that.
    told_muted: bool,
    /// The others in the conference are not to hear the other side.
    is_silenced: bool,
    /// It is heard in this call that somebody else calls.
    hears_waiting: bool,
    /// Recordings that are complete.
    recorded: Vec<PathBuf>,
    files: SoundFiles,
    problem: Option<String>,
    /// Its media is secured like this.
    secured: Option<Secured>,
    quality: Option<CallQuality>,
    /// Its media is being closed; the result is awaited before the call is told to be over.
    is_closing: bool,
    summary: Option<MediaSummary>,
    ended: Option<Box<CallEnded>>,
    /// As much is known of its candidates as anybody waits for.
    is_gathered: bool,
    /// It is answered once it is known by which addresses it can be reached.
    is_answered_when_gathered: bool,
    /// Its ports are told once that is known.
    is_opened_when_gathered: bool,
    was_answered: bool,
    /// What the terminal was told last.
    told: Option<Phase>,
}

struct Engine {
    folder: ProfileFolder,
    profile: Profile,
    company: Company,
    options: LineOptions,
    /// For DTLS-SRTP: of this start.
    certificate: DtlsIdentity,
    sound: Arc<SoundPlan>,
    /// `None`: calls go without ICE.
    reach: Option<Arc<Reach>>,
    /// Where calls receive their sound.
    rtp_ports: PortRange,
    desk: Desk,
    card_news: CardNews,
    hold_music: HoldMusic,
    tones: Tones,
    /// Every call is recorded, into this folder.
    record_calls: Option<PathBuf>,
    /// What is being recorded, and where.
    recordings: HashMap<Recorded, PathBuf>,
    /// What is wrong with the recording of the conference.
    conference_problem: Option<String>,
    /// Looks after the sound of all calls.
    media_thread: MediaThread,
    answering: Answering,
    terminal: Terminal,
    view: View,
    /// The lines as they were configured last.
    configs: HashMap<LineId, LineConfig>,
    calls: HashMap<CallId, EdgeCall>,
    ended: VecDeque<EndedCall>,
    portal_connected: bool,
    portal_problem: Option<String>,
    commands: mpsc::Sender<Command>,
    next_reply: u64,
    replies: HashMap<ReplyId, Answer>,
    /// Sound of calls that have no number yet.
    files: HashMap<ReplyId, SoundFiles>,
    news: mpsc::Sender<News>,
    tasks: JoinSet<()>,
    state: watch::Sender<Arc<State>>,
    report: watch::Sender<DeviceReport>,
    /// Waits for the wipe.
    deactivation: Option<Answer>,
}

impl Engine {
    fn handle_portal(&mut self, event: PortalEvent) -> Option<Ending> {
        match event {
            PortalEvent::Connected => {
                self.portal_connected = true;
                self.portal_problem = None;
            }
            PortalEvent::Disconnected { reason } => {
                self.portal_connected = false;
                if self.portal_problem.as_ref() != Some(&reason) {
                    tracing::info!(%reason, "portal away; the lines stay as they are");
                    self.portal_problem = Some(reason);
                }
            }
            PortalEvent::Configuration(configuration) => self.prepare(*configuration),
            PortalEvent::Directory(changes) => self.renew_directory(changes),
            PortalEvent::Revoked => return Some(Ending::Revoked),
        }
        None
    }

    /// Saves a configuration and finds out how its lines are reached.
    fn prepare(&mut self, configuration: DeviceConfiguration) {
        let profile = Profile {
            configuration,
            ..self.profile.clone()
        };
        let (folder, news) = (self.folder.clone(), self.news.clone());
        let options = self.options.clone();
        self.tasks.spawn(async move {
            let lines = lines::from_profile(&profile, &options).await;
            let saving = tokio::task::spawn_blocking(move || (folder.save(&profile), profile));
            // The task panicked or the softphone ends: the old configuration holds on.
            let Ok((saved, profile)) = saving.await else {
                return;
            };
            let prepared = News::Prepared {
                profile: Box::new(profile),
                lines,
                saved,
            };
            // The engine may be gone.
            let _ = news.send(prepared).await;
        });
    }

    fn handle_prepared(
        &mut self,
        profile: Profile,
        lines: Vec<LineConfig>,
        saved: Result<(), ProfileError>,
    ) {
        if profile.configuration.version < self.profile.configuration.version {
            return;
        }
        if let Err(error) = saved {
            // It is used all the same; the next start fetches it again.
            tracing::error!(%error, "configuration not saved");
        }
        tracing::info!(
            version = profile.configuration.version,
            "configuration applied"
        );
        self.profile = profile;
        self.configure(lines);
    }

    /// Makes the phone have these lines.
    fn configure(&mut self, lines: Vec<LineConfig>) {
        self.configs = lines.iter().map(|line| (line.id, line.clone())).collect();
        self.command(Action::Configure(lines));
    }

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
        if self.commands.try_send(command).is_ok() {
            return;
        }
        self.files.remove(&reply);
        if let Some(answer) = self.replies.remove(&reply) {
            let busy = Failure::new(FailureKind::General, "the softphone is overloaded");
            // The client may be gone.
            let _ = answer.send(Err(busy));
        }
    }

    /// Tells the control socket and the portal how things stand, if that changed.
    fn publish(&self) {
        let state = self.current_state();
        self.state.send_if_modified(|known| {
            let changed = **known != state;
            if changed {
                *known = Arc::new(state);
            }
            changed
        });
        let version = self.profile.configuration.version;
        let report = state::report(version, &self.view.lines);
        self.report.send_if_modified(|known| {
            let changed = *known != report;
            if changed {
                *known = report;
            }
            changed
        });
    }

    fn current_state(&self) -> State {
        let configuration = &self.profile.configuration;
        let call = |call: &softphone_core::CallView| self.call_state(call);
        // A call is there until everything about its end is known.
        let closing = self.calls.values().filter_map(|edge| edge.ended.as_ref());
        State {
            device: plain_text(&configuration.device.name, MAX_NAME),
            contact: plain_text(&configuration.contact.name, MAX_NAME),
            tenant: plain_text(&configuration.tenant.name, MAX_NAME),
            portal: self.profile.portal.clone(),
            portal_connected: self.portal_connected,
            portal_problem: self.portal_problem.clone(),
            configuration_version: configuration.version,
            processing: self.sound.processing_state(),
            lines: self
                .view
                .lines
                .iter()
                .map(|line| self.line_state(line))
                .collect(),
            calls: self
                .view
                .calls
                .iter()
                .map(call)
                .chain(closing.map(|ended| call(&ended.call)))
                .collect(),
            ended: self.ended.iter().cloned().collect(),
            conference: self.conference_state(),
        }
    }

    fn conference_state(&self) -> Option<ConferenceState> {
        let members = self.view.calls.iter().filter(|call| call.in_conference);
        let calls: Vec<_> = members.map(|call| call.id.0).collect();
        (!calls.is_empty()).then(|| ConferenceState {
            calls,
            recording: self.recordings.get(&Recorded::Conference).cloned(),
            problem: self.conference_problem.clone(),
        })
    }

    /// A call with what this side of the phone knows of it.
    fn call_state(&self, call: &softphone_core::CallView) -> CallState {
        let edge = self.calls.get(&call.id);
        let line = self.configs.get(&call.line);
        let is_tls = line.is_some_and(|line| line.transport == sip::Transport::Tls);
        let known = state::call_state(call, self.line_name(call.line));
        CallState {
            party: self.directory_name(call).unwrap_or(known.party),
            problem: edge.and_then(|edge| edge.problem.clone()),
            muted: edge.is_some_and(|edge| edge.is_muted),
            silenced: edge.is_some_and(|edge| edge.is_silenced),
            recording: self.recordings.get(&Recorded::Call(call.id.0)).cloned(),
            quality: edge.and_then(|edge| edge.quality.clone()),
            security: edge
                .and_then(|edge| edge.secured)
                .map(|secured| state::security(secured, is_tls)),
            ..known
        }
    }

    /// A line that waits for the person says so.
    fn line_state(&self, line: &LineView) -> LineState {
        let mut state = state::line_state(line);
        let config = self.configs.get(&line.id);
        if config.is_some_and(|config| config.password.is_none()) {
            state.reason = Some("its password is missing: run `softphone password`".to_owned());
        }
        state
    }

    fn line_name(&self, id: LineId) -> String {
        let line = self.view.lines.iter().find(|line| line.id == id);
        line.map_or_else(String::new, |line| line.name.clone())
    }
}
